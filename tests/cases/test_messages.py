"""What the reporter is told: deferred with the change, sent once, tried again, never lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from lianxin.cases import actions as a
from lianxin.cases.messages import GatewayError, announce_event, text_of
from lianxin.cases.models import Case, Event, Notification, State
from lianxin.cases.states import TABLE
from lianxin.cases.tasks import PATIENCE, announce
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import DomainError
from tests.cases.gateways import Counting
from tests.cases.ways import at_state, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counting(settings: Any) -> type[Counting]:
    settings.LIANXIN_MESSAGE_GATEWAY = "tests.cases.gateways.Counting"
    Counting.sent.clear()
    return Counting


def jobs() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'event_id' FROM procrastinate_jobs WHERE task_name = 'cases.announce' ORDER BY id")
        return [event_id for (event_id,) in cursor.fetchall()]


def test_a_job_for_each_event_that_announces_and_for_no_other(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.OBJECTED)
    take(world, case_id, "uphold_return")
    take(world, case_id, "dispatch")
    take(world, case_id, "sign")
    take(world, case_id, "reply")
    take(world, case_id, "approve")
    announcing = {row.action for row in TABLE if row.announces}
    expected = [str(pk) for pk, action in Event.objects.order_by("id").values_list("id", "action") if action in announcing]
    assert jobs() == expected
    with pytest.raises(DomainError):
        take(world, case_id, "dispatch")
    assert jobs() == expected


def test_no_job_without_the_change_and_no_change_without_the_job(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    before = jobs()
    with transaction.atomic():
        take(world, case_id, "dispatch")
        assert len(jobs()) == len(before) + 1
        transaction.set_rollback(True)  # as when the process dies before the commit
    assert jobs() == before
    assert Case.objects.get(pk=case_id).state == State.ACCEPTED


def test_the_message_names_the_unit_of_its_event(world: World, monday: Frozen, counting: type[Counting]) -> None:
    """By the time the job runs, the case may be with another unit, or with none."""
    case_id = at_state(world, State.OBJECTED)
    take(world, case_id, "uphold_return")
    announce_event(str(Event.objects.get(case=case_id, action="dispatch").pk))
    (_phone, text), = counting.sent
    assert "已交 市城管局 办理" in text
    take(world, case_id, "dispatch", lead_unit="housing", assisting_units=[])
    take(world, case_id, "redispatch", lead_unit="water")
    for event in Event.objects.filter(case=case_id, action__in=("dispatch", "redispatch")).order_by("id"):
        announce_event(str(event.pk))
    assert [name for _phone, text in counting.sent for name in ("城管", "住建", "水务") if name in text] == [
        "城管", "住建", "水务"]


@pytest.mark.parametrize("gateway", ["Away", "Unreachable"])
def test_a_gateway_that_is_away_is_tried_again(world: World, monday: Frozen, settings: Any, gateway: str,
                                                counting: type[Counting]) -> None:
    case_id = at_state(world, State.DISPATCHED)
    event = Event.objects.get(case=case_id, action="dispatch")
    settings.LIANXIN_MESSAGE_GATEWAY = f"tests.cases.gateways.{gateway}"
    for attempt in (1, 2):
        with pytest.raises(GatewayError):
            announce(str(event.pk))
        held = Notification.objects.get(event_id=event.pk)
        assert (held.status, held.attempts, held.sent_at) == ("failed", attempt, None)
    settings.LIANXIN_MESSAGE_GATEWAY = "tests.cases.gateways.Counting"
    announce(str(event.pk))
    held = Notification.objects.get(event_id=event.pk)
    assert (held.status, held.attempts, held.gateway) == ("sent", 3, "counting")
    announce(str(event.pk))
    assert len(counting.sent) == 1
    assert sum(PATIENCE.exponential_wait ** (n + 1) for n in range(PATIENCE.max_attempts or 0)) > 3600


def test_a_worker_killed_between_sending_and_noting_it(world: World, monday: Frozen, counting: type[Counting],
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """The message may come twice, as the gateway cannot take one back; it is not lost, and there is one row."""
    case_id = at_state(world, State.DISPATCHED)
    event = Event.objects.get(case=case_id, action="dispatch")

    def dies(self: Notification, **_more: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Notification, "save", lambda self, **more: (
            dies(self) if more.get("update_fields") else super(Notification, self).save(**more)))
        with pytest.raises(SystemExit):
            announce_event(str(event.pk))
    assert Notification.objects.get(event_id=event.pk).status == "waiting"
    announce_event(str(event.pk))
    assert Notification.objects.get(event_id=event.pk).status == "sent"
    assert Notification.objects.count() == 1
    assert len(counting.sent) == 2


def test_who_left_no_telephone_or_wants_no_messages_gets_none(world: World, monday: Frozen,
                                                              counting: type[Counting]) -> None:
    silent = a.register(intake=a.Intake(words="路灯不亮。"), by=RESIDENT).case_id
    unwilling = a.register(intake=a.Intake(words="路灯不亮。", phone="13812342201", message_consent=False),
                           by=RESIDENT).case_id
    assert jobs() == []
    for case_id in (silent, unwilling):
        take(world, case_id, "decline")
        announce_event(str(Event.objects.get(case=case_id, action="decline").pk))
        assert Notification.objects.get(case=case_id).status == "not_wanted"
    assert counting.sent == []


def test_a_notification_names_the_template_and_not_the_person(world: World, monday: Frozen,
                                                              counting: type[Counting]) -> None:
    case_id = at_state(world, State.CLOSED)
    for event in Event.objects.filter(case=case_id):
        announce_event(str(event.pk))
    case = Case.objects.get(pk=case_id)
    held = list(Notification.objects.filter(case=case))
    assert {one.template for one in held} == {"registered", "dispatched", "replied", "closed"}
    for one in held:
        assert "王小明" not in str(one.values)
        assert "13812342201" not in str(one.values)
        for language in ("zh-hans", "zh-hant", "en"):
            text = text_of(one, case, language=language)
            assert case.number in text
            assert "王小明" not in text
            assert "%(" not in text
    assert {phone for phone, _text in counting.sent} == {"13812342201"}
