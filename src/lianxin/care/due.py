"""When the next visit falls due. Pure: days and outcomes in, a day out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

TELL_AFTER = 2  # visits in a row that met nobody: then the keeper is told
LAPSE = timedelta(days=30)  # after the end of a consent: then the entry is deleted unless it was given again
SEARCHED = 40  # days within which a calendar has a working day


@dataclass(frozen=True, slots=True)
class Standing:
    """The day of the next visit, and how many visits in a row have met nobody."""

    due_on: date
    absences: int


def standing(*, since: date, interval: int, visits: Iterable[tuple[date, bool]],
             next_working: Callable[[date], date]) -> Standing:
    """What the visits come to. `visits` are their days and whether the person was met, oldest first; `since` is the day the
    entry was made; `interval` is in days.

    `interval` days after the last visit that met the person, without one after `since`. A visit that met nobody asks for
    another on the next working day, but never sooner than the visit was due.
    """
    due, absences = since + timedelta(days=interval), 0
    for day, met in visits:
        if met:
            due, absences = day + timedelta(days=interval), 0
        else:
            due, absences = max(due, next_working(day)), absences + 1
    return Standing(due, absences)


def next_working_day(day: date, is_working: Callable[[date], bool]) -> date:
    """The first working day after `day`; the day after it where the calendar has none for weeks."""
    ahead = (day + timedelta(days=n) for n in range(1, SEARCHED))
    return next((one for one in ahead if is_working(one)), day + timedelta(days=1))
