"""The due rule, whatever visits come in whatever order."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianxin.care.due import SEARCHED, next_working_day, standing
from lianxin.care.models import CareEntry, CareVisit
from lianxin.care.visiting import record_visit
from lianxin.kernel.clock import now
from lianxin.worktime import Calendar
from tests.care.made import Register

CALENDAR = Calendar.chinese()
START = date(2026, 9, 1)


def after(day: date) -> date:
    return next_working_day(day, CALENDAR.is_working_day)


VISITS = st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=12)
INTERVAL = st.integers(1, 92)


@given(visits=VISITS, interval=INTERVAL)
def test_the_rule_holds_for_any_visits(visits: list[tuple[int, bool]], interval: int) -> None:
    held = sorted((START + timedelta(days=n), met) for n, met in visits)
    made = standing(since=START, interval=interval, visits=held, next_working=after)
    met = [day for day, was in held if was]
    base = (met[-1] if met else START) + timedelta(days=interval)
    last_met = max((n for n, (_day, was) in enumerate(held) if was), default=-1)
    tries = [day for day, _was in held[last_met + 1:]]
    assert made.absences == len(tries)
    # Never sooner than the interval asks, and otherwise the working day after the last try that met nobody.
    assert made.due_on == max([base, *(after(day) for day in tries)])
    assert made.due_on == base or CALENDAR.is_working_day(made.due_on)


@given(visits=VISITS, interval=INTERVAL, day=st.integers(0, 400))
def test_a_visit_that_meets_the_person_is_the_last_word(visits: list[tuple[int, bool]], interval: int, day: int) -> None:
    held = [*sorted((START + timedelta(days=n), met) for n, met in visits if n <= day), (START + timedelta(days=day), True)]
    made = standing(since=START, interval=interval, visits=held, next_working=after)
    assert (made.due_on, made.absences) == (START + timedelta(days=day + interval), 0)


@pytest.mark.parametrize(("day", "wanted"), [
    (date(2026, 11, 23), date(2026, 11, 24)), (date(2026, 11, 27), date(2026, 11, 30)),
    (date(2026, 9, 30), date(2026, 10, 8)),  # National Day, 1 to 7 October
    (date(2026, 10, 9), date(2026, 10, 10)),  # a Saturday worked for it
])
def test_the_next_working_day_is_the_legal_calendars(day: date, wanted: date) -> None:
    assert after(day) == wanted


def test_a_calendar_without_working_days_does_not_hang() -> None:
    assert next_working_day(START, lambda _day: False) == START + timedelta(days=1)
    assert SEARCHED > 15, "longer than any holiday"


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits=st.lists(st.tuples(st.integers(0, 60 * 24 * 60), st.sampled_from(["done", "not_at_home"])), max_size=6),
       interval=INTERVAL, seed=st.integers(0, 1000))
def test_the_row_says_what_the_visits_say_in_whatever_order_they_arrive(
    register: Register, visits: list[tuple[int, str]], interval: int, seed: int
) -> None:
    entry = register.entry(interval_days=interval)
    began = datetime(2026, 9, 1, tzinfo=UTC)
    moments = [(began + timedelta(minutes=n), outcome) for n, outcome in visits]
    random.Random(seed).shuffle(moments)
    for at, outcome in moments:
        record_visit(by=register.by("grid"), pk=entry.pk, at=at, outcome=outcome)
    entry.refresh_from_db()
    from lianxin.cases.reference import today_of

    rows = CareVisit.objects.filter(entry=entry).order_by("at", "id")
    made = standing(since=today_of(now()), interval=interval,
                    visits=[(today_of(one.at), one.outcome == "done") for one in rows], next_working=after)
    assert (entry.due_on, entry.absences) == (made.due_on, made.absences)
    assert rows.count() == len(visits)
    assert CareEntry.objects.filter(pk=entry.pk, told="not_at_home").exists() == (made.absences >= 2)
