"""The machine's clock is set back in the middle of a case's life, or two machines disagree."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event
from lianxin.cases.rebuild import differences
from lianxin.kernel import ids
from lianxin.kernel.clock import Frozen
from lianxin.quality import actions as q
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_case_goes_on_and_its_log_stays_in_order(world: World, monday: Frozen) -> None:
    case_id = world.case()
    a.accept(world.on(case_id, "operator"), category="010102", area="990101001001")
    monday.move(hours=-3)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case_id, "housing"))
    monday.move(days=-400)
    a.record_contact(world.on(case_id, "housing"), means="phone", reached=True)
    a.reply(world.on(case_id, "housing"), public_answer="已停工整改。", solved=True)
    monday.move(days=401)
    q.approve(world.on(case_id, "reviewer"))
    times = list(Event.objects.filter(case=case_id).order_by("id").values_list("at", flat=True))
    assert times == sorted(times)
    assert differences(case_id) == []
    assert Case.objects.get(pk=case_id).state == "callback"


def test_ids_go_forward_when_the_clock_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = ids.uuid7_floor(datetime.now(UTC) + timedelta(days=2))
    later = ids.uuid7_after(ahead)
    assert later > ahead
    assert later.version == 7
    behind = uuid.UUID(int=1)
    assert ids.uuid7_after(behind).int > ids.uuid7_floor(datetime.now(UTC) - timedelta(minutes=1)).int


def test_events_written_by_a_machine_that_is_ahead(world: World) -> None:
    case_id = world.case()
    first = Event.objects.get(case=case_id)
    ahead = ids.uuid7_floor(datetime.now(UTC) + timedelta(minutes=10))
    Event.objects.create(id=ahead, case_id=case_id, action="ask_colleague", at=first.at + timedelta(minutes=10),
                         from_state="registered", to_state="registered", actor_kind="staff", version=1)
    done = a.accept(world.on(case_id, "operator"), category="010102")
    assert done.event_id > ahead
    assert Event.objects.filter(case=case_id).order_by("id").last().pk == done.event_id  # type: ignore[union-attr]
    assert Event.objects.get(pk=done.event_id).at == first.at + timedelta(minutes=10)
    assert differences(case_id) == []
