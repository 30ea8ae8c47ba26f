"""What kind of day a date is: under the legal calendar of China, or under the plain week."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from enum import Enum

import chinese_calendar
from chinese_calendar.constants import holidays, workdays


class Day(Enum):
    """`ORDINARY`: what its weekday says. `OFF`: a holiday. `WORKED`: a day worked in exchange for one (调休)."""

    ORDINARY = "ordinary"
    OFF = "off"
    WORKED = "worked"


DayRule = Callable[[date], Day | None]


def legal_day(day: date) -> Day | None:
    """A day under the legal calendar, as the State Council's yearly notices set it; None when that year has none yet."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return None
    if day in holidays:
        return Day.OFF
    return Day.WORKED if day in workdays else Day.ORDINARY


def plain_day(_day: date) -> Day:
    """A day of a calendar that knows no holidays."""
    return Day.ORDINARY


def legal_years() -> range:
    """The years whose notices the package `chinesecalendar` holds."""
    years = [day.year for day in holidays]
    return range(min(years), max(years) + 1)


def legal_fingerprint() -> str:
    """Another text when a newer package says otherwise of any day."""
    days = sorted([*(f"-{day}" for day in holidays), *(f"+{day}" for day in workdays)])
    return hashlib.sha256(" ".join(days).encode()).hexdigest()
