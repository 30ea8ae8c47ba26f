"""Lists in parts: every page of a queue together holds every case once, the urgent first."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db.models import Q

from lianxin.cases.models import Case, State
from lianxin.cases.models.case import OWING
from lianxin.cases.queries import OWED, PAGE, Filters
from lianxin.cases.turns import URGENT, in_turn
from lianxin.desk.queries import urgent_first
from lianxin.kernel.clock import Frozen
from lianxin.quality.queries import call_list
from tests.cases.ways import at_state
from tests.world import World

pytestmark = pytest.mark.django_db
QUEUE = (State.REGISTERED.value, State.ACCEPTED.value)


def _many(world: World, number: int) -> list[uuid.UUID]:
    return [world.case() for _ in range(number)]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_no_page_loses_or_repeats_a_case(world: World, monday: Frozen, limit: int) -> None:
    made = _many(world, 7)
    Case.objects.filter(pk__in=made[3:6]).update(urgency="urgent")
    pages, after = list[list[uuid.UUID]](), ""
    while True:
        page = in_turn(world.actor("supervisor"), (URGENT, ~URGENT), states=QUEUE, filters=Filters(), after=after, limit=limit)
        pages.append([case.pk for case in page.rows])
        after = page.after
        if not after:
            break
    seen = [pk for rows in pages for pk in rows]
    assert all(pages), "no page is empty"
    assert set(seen[:3]) == set(made[3:6])
    assert sorted(seen) == sorted(made)


def test_a_place_that_was_not_given_is_the_beginning(world: World, monday: Frozen) -> None:
    _many(world, 2)
    for after in ("", "x", "7.abc", "\u00b2.x", ".", "0."):
        assert len(in_turn(world.actor("supervisor"), (URGENT, ~URGENT), states=QUEUE, filters=Filters(), after=after).rows) == 2


def test_more_than_a_page_of_urgent_cases_are_all_on_some_page(world: World, monday: Frozen) -> None:
    made = _many(world, PAGE + 3)
    Case.objects.filter(pk__in=made[:-1]).update(urgency="urgent")
    first = urgent_first(world.actor("dispatcher"), states=QUEUE, filters=Filters(), after="")
    second = urgent_first(world.actor("dispatcher"), states=QUEUE, filters=Filters(), after=first.after)
    assert sorted(case.pk for case in [*first.rows, *second.rows]) == sorted(made)
    assert second.rows[-1].pk == made[-1]
    assert second.after == ""


def test_callers_find_every_urgent_case(world: World, monday: Frozen) -> None:
    waiting = at_state(world, State.CALLBACK)
    one = Case.objects.get(pk=waiting)
    made = _many(world, PAGE + 1)
    Case.objects.filter(pk__in=made).update(
        state=State.CALLBACK, urgency="urgent", accepted_at=one.accepted_at, lead_unit=one.lead_unit, unit_ids=one.unit_ids,
        due_at=one.due_at)
    actor, at = world.actor("callback"), monday.move(hours=1)
    first = call_list(actor, filters=Filters(), after="", at=at)
    second = call_list(actor, filters=Filters(), after=first.after, at=at)
    assert sorted(case.pk for case in [*first.rows, *second.rows]) == sorted([*made, waiting])
    assert second.rows[-1].pk == waiting


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("state", State.values)
def test_python_and_the_database_agree_on_what_is_overdue(monday: Frozen, state: str, paused: bool) -> None:
    at = monday.move(minutes=1)
    assert Q(state__in=OWING) == OWED
    late = Case(state=state, paused=paused, due_at=at - timedelta(minutes=1))
    assert late.overdue_at(at) == (state in {"registered", "accepted", "dispatched", "in_hand", "objected", "handed_over"} and not paused)
    assert not Case(state=state, paused=paused, due_at=at).overdue_at(at)
    assert not Case(state=state, paused=paused).overdue_at(at)
