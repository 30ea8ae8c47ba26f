"""A return that nobody rules on before the case ends lapses: it has a time, an event, and is counted like any other."""

from __future__ import annotations

import uuid

import pytest

from lianxin.cases.models import Assignment, Case, Event, Return, State
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from tests.cases.ways import at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db


def returned(case_id: uuid.UUID) -> Return:
    return Return.objects.get(case_id=case_id)


@pytest.mark.parametrize("by", ["reporter", "operator"])
def test_a_withdrawal_lapses_the_return_that_waits(world: World, monday: Frozen, by: str) -> None:
    case_id = at_state(world, State.OBJECTED)
    monday.move(minutes=30)
    done = take(world, case_id, "withdraw", by=by)
    entry, event = returned(case_id), Event.objects.get(pk=done.event_id)
    assert (entry.ruling, entry.ruled_at, entry.ruled_by_id, entry.ruling_event_id) == ("lapsed", event.at, None, event.pk)
    assert entry.get_ruling_display() == "未裁定已作废"
    assert entry.minutes == 30
    assert Assignment.objects.get(pk=entry.assignment_id).ended_at == entry.ruled_at
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.returns) == (State.WITHDRAWN, 1)
    assert differences(case_id) == []


@pytest.mark.parametrize(("ruling", "expected"), [("uphold_return", "upheld"), ("reject_return", "rejected")])
def test_what_was_ruled_on_stays_as_ruled_when_the_case_ends(world: World, monday: Frozen, ruling: str, expected: str) -> None:
    case_id = at_state(world, State.OBJECTED)
    ruled = take(world, case_id, ruling)
    take(world, case_id, "withdraw")
    entry = returned(case_id)
    assert (entry.ruling, entry.ruling_event_id) == (expected, ruled.event_id)
    assert entry.ruled_by_id == world.staff["dispatcher"].pk
