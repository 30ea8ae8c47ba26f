"""Deadlines of a case: how a limit becomes a due time. The arithmetic is `worktime`'s."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianxin.worktime import AROUND_THE_CLOCK, AnyCalendar

from .reference import Limits, Reference, forget, reference, today_of

WORKING_DAY = 420  # working minutes


def calendar_named(name: str) -> AnyCalendar:
    """The calendar of that code, from memory: `working`, `around_the_clock`, or one of the city's own.

    Raises KeyError for a code that no calendar has.
    """
    found = reference().calendars.get(name)
    if found is None:  # loaded by another process a moment ago
        forget()
        found = reference().calendars[name]
    return found


@dataclass(frozen=True, slots=True)
class Promise:
    """A due time with what it was computed from."""

    limit_minutes: int
    calendar: str
    started_at: datetime
    due_at: datetime
    provisional: bool


def promise(*, start: datetime, minutes: int, calendar: str) -> Promise:
    """`minutes` of `calendar`'s time after `start`."""
    due = calendar_named(calendar).add(start, minutes)
    return Promise(minutes, calendar, start, due.at, due.provisional)


def promise_until(*, start: datetime, due_at: datetime) -> Promise:
    """A due time that another system promised: kept as it is, counted around the clock in whole minutes."""
    return Promise(AROUND_THE_CLOCK.between(start, due_at), "around_the_clock", start, due_at, False)


def limits_of_case(
    held: Reference, *, category_id: int | None, kind: str, urgency: str, at: datetime, track: str = "ordinary",
    unit_id: int | None = None,
) -> Limits:
    return held.limits_for(
        category_id=category_id, kind=kind, urgency=urgency, on=today_of(at), track=track, unit_id=unit_id
    )
