"""Deadlines of a case: how a limit becomes a due time. The arithmetic is `worktime`'s."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from lianxin.worktime import AROUND_THE_CLOCK, Calendar, Due

from .reference import Limits, Reference, today_of


class _Calendar(Protocol):
    def add(self, start: datetime, minutes: int) -> Due: ...

    def between(self, start: datetime, end: datetime) -> int: ...


@lru_cache(maxsize=1)
def working_calendar() -> Calendar:
    """The city's working calendar: legal holidays and make-up working days of the Chinese year."""
    return Calendar.chinese()


def calendar_named(name: str) -> _Calendar:
    """`working` or `around_the_clock`; raises KeyError for anything else."""
    calendars: dict[str, _Calendar] = {"working": working_calendar(), "around_the_clock": AROUND_THE_CLOCK}
    return calendars[name]


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
    reference: Reference, *, category_id: int | None, kind: str, urgency: str, at: datetime, track: str = "ordinary",
    unit_id: int | None = None,
) -> Limits:
    return reference.limits_for(
        category_id=category_id, kind=kind, urgency=urgency, on=today_of(at), track=track, unit_id=unit_id
    )
