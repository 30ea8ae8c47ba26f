"""Now, today, and half-hour by half-hour: what is counted, and that it stays when people's states are deleted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.utils.timezone import localtime

from lianxin.kernel.clock import Frozen, now
from lianxin.telephony import agents, figures, housekeeping
from lianxin.telephony.models import AgentSpell, Call, HalfHour
from tests.telephony.ways import rings, seated, told
from tests.world import World

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)


def morning(world: World, monday: Frozen) -> None:
    """From ten to a quarter past: two answered, one of them late, one given up, one waiting."""
    seated(world)
    rings("a")
    monday.move(seconds=10)
    told("answered", "a", extension="8001")
    monday.move(seconds=110)
    told("ended", "a")
    monday.move(seconds=60)
    rings("b")
    monday.move(seconds=16)
    told("answered", "b", extension="8001")
    monday.move(seconds=44)
    told("ended", "b")
    told("queued", "c", line="12345")
    monday.move(seconds=30)
    told("abandoned", "c")
    told("queued", "d", line="12345")
    monday.move(seconds=25)


def test_now_and_today(world: World, monday: Frozen, django_assert_num_queries: object) -> None:
    morning(world, monday)
    with django_assert_num_queries(4):  # type: ignore[operator]
        held = figures.figures()
    assert (held.waiting, held.longest_wait_seconds) == (1, 25)
    assert [(one.name, one.waiting) for one in held.lines] == [("12345", 1)]
    assert (held.offered, held.answered, held.answered_in_15, held.abandoned, held.missed, held.over) == (4, 2, 1, 1, 0, 3)
    assert {state.value: count for state, count in held.agents.items()} == {"ready": 0, "on_call": 0, "wrap_up": 1, "pause": 0}
    monday.move(seconds=10)
    assert figures.figures().agents[agents.A.READY] == 1, "the wrap-up's time is over"


def test_an_empty_day(world: World, monday: Frozen) -> None:
    held = figures.figures()
    assert (held.waiting, held.longest_wait_seconds, held.offered, held.over) == (0, 0, 0, 0)
    halves = figures.half_hours(MONDAY)
    assert len(halves) == 48
    assert {half.offered for half in halves} == {0}


def test_half_hours(world: World, monday: Frozen) -> None:
    morning(world, monday)
    halves = {localtime(half.begins_at).strftime("%H:%M"): half for half in figures.half_hours(MONDAY)}
    ten = halves["10:00"]
    assert (ten.offered, ten.answered, ten.answered_in_15, ten.abandoned) == (4, 2, 1, 1)
    assert (ten.talk_seconds, ten.on_call_seconds) == (110 + 44, 110 + 44)
    assert ten.wrap_up_seconds == 60 + 55
    assert ten.ready_seconds == 10 + 16
    assert halves["10:30"].offered == 0


def test_a_call_belongs_to_the_half_hour_it_came_in_and_seconds_to_theirs(world: World, monday: Frozen) -> None:
    seated(world)
    monday.move(minutes=29)
    rings()
    told("answered", extension="8001")
    monday.move(minutes=3)
    told("ended")
    first, second = (half for half in figures.half_hours(MONDAY) if localtime(half.begins_at).hour == 10)
    assert (first.talk_seconds, second.talk_seconds) == (180, 0)
    assert (first.on_call_seconds, second.on_call_seconds) == (60, 120)
    assert (first.ready_seconds, round(first.agents, 2)) == (29 * 60, 1.0)


def test_half_hours_are_kept_when_spells_and_events_are_gone(world: World, monday: Frozen) -> None:
    morning(world, monday)
    told("ended", "d")
    agents.pause(world.actor("operator"), reason="rest")
    before = [(half.begins_at, half.offered, half.talk_seconds, half.ready_seconds) for half in figures.half_hours(MONDAY)]
    monday.move(days=1)
    housekeeping.keep_house(now())
    assert HalfHour.objects.count() == 48 * 3  # Saturday, Sunday and Monday
    agents.leave(world.actor("operator"))
    monday.move(days=settings.LIANXIN_AGENT_SPELL_DAYS + 1)
    housekeeping.keep_house(now())
    assert not AgentSpell.objects.exists()
    assert not Call.objects.filter(agent__isnull=False).exists()
    assert [(half.begins_at, half.offered, half.talk_seconds, half.ready_seconds) for half in figures.half_hours(MONDAY)] == before


def test_nights_that_were_missed_are_made_up(world: World, monday: Frozen) -> None:
    morning(world, monday)
    monday.move(days=1)
    housekeeping.count_half_hours(now())
    rings("tuesday")
    told("missed", "tuesday")
    monday.move(days=10)
    housekeeping.count_half_hours(now())
    tuesday = HalfHour.objects.filter(begins_at__gte=figures.midnight(MONDAY + timedelta(days=1)), missed=1)
    assert tuesday.count() == 1


def test_nothing_of_it_names_anybody() -> None:
    names = {field.name for field in HalfHour._meta.get_fields()}
    assert not names & {"agent", "staff", "unit"}
