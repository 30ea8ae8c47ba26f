"""A working calendar: which minutes of which days count.

Days come from the Chinese legal calendar with make-up working days (package `chinesecalendar`). A year it does not
know is computed from the plain week and every due time that rests on it is marked provisional.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

CHINA = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """An instant in UTC; `provisional` when it rests on a year whose calendar is not published."""

    at: datetime
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class _Year:
    """Working days of one year as ordinals, whether the calendar knows the year."""

    days: tuple[int, ...]
    known: bool


def chinese_workday(day: date) -> bool | None:
    """Whether a day is worked under the legal calendar; None when that year is not published."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Spans of a working day in local time, and which days are worked.

    `spans` are (start, end) pairs in order, in whole minutes. `workday` answers True, False or None (unknown: the
    plain week, Monday to Friday, is used, provisionally).
    """

    spans: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(13), time(17)))
    workday: Callable[[date], bool | None] = chinese_workday
    zone: ZoneInfo = CHINA
    _years: dict[int, _Year] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def chinese(cls, spans: tuple[tuple[time, time], ...] | None = None) -> Calendar:
        """The legal calendar of China; `spans` default to 9–12 and 13–17, 420 working minutes a day."""
        return cls(spans=spans) if spans else cls()

    @property
    def minutes_a_day(self) -> int:
        return sum(_minute(end) - _minute(start) for start, end in self.spans)

    def _year(self, year: int) -> _Year:
        held = self._years.get(year)
        if held is None:
            days, known = [], True
            day, end = date(year, 1, 1), date(year + 1, 1, 1)
            while day < end:
                worked = self.workday(day)
                if worked is None:
                    known = False
                    worked = day.weekday() < 5
                if worked:
                    days.append(day.toordinal())
                day += _DAY
            held = self._years[year] = _Year(tuple(days), known)
        return held

    def is_working_day(self, day: date) -> bool:
        days = self._year(day.year).days
        place = bisect_left(days, day.toordinal())
        return place < len(days) and days[place] == day.toordinal()

    def is_working(self, at: datetime) -> bool:
        """Whether this instant counts."""
        local = at.astimezone(self.zone)
        return self.is_working_day(local.date()) and any(s <= local.time() < e for s, e in self.spans)

    def _passed(self, seconds_of_day: float) -> float:
        """Working seconds of a working day before a second of it."""
        return sum(
            min(max(seconds_of_day - _minute(start) * 60, 0), (_minute(end) - _minute(start)) * 60)
            for start, end in self.spans
        )

    def _at(self, ordinal: int, seconds: float) -> datetime:
        """The instant at which `seconds` working seconds of a day have passed; 0 < seconds ≤ a whole day."""
        for start, end in self.spans:
            length = (_minute(end) - _minute(start)) * 60
            if seconds <= length:
                midnight = datetime.combine(date.fromordinal(ordinal), time(0), self.zone)
                return (midnight + timedelta(seconds=_minute(start) * 60 + seconds)).astimezone(UTC)
            seconds -= length
        raise AssertionError("more than a working day")

    def add(self, start: datetime, minutes: int) -> Due:
        """The instant at which `minutes` working minutes have passed since `start`.

        Zero minutes is `start` itself. A due time falls on the end of a span rather than on the start of the next.
        Raises ValueError for a naive instant or negative minutes.
        """
        if start.tzinfo is None or minutes < 0:
            raise ValueError("an aware instant and minutes of zero or more")
        local = start.astimezone(self.zone)
        if minutes == 0:
            return Due(start.astimezone(UTC))
        year = self._year(local.year)
        provisional = not year.known
        day, whole = self.minutes_a_day * 60, minutes * 60
        ordinal = local.date().toordinal()
        place = bisect_left(year.days, ordinal)
        passed = 0.0
        if place < len(year.days) and year.days[place] == ordinal:
            passed = self._passed(
                local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
            )
        total = passed + whole
        ahead = int(-(-total // day)) - 1  # whole days before the one it falls in
        rest = total - ahead * day
        place += ahead
        current = local.year
        while place >= len(year.days):
            place -= len(year.days)
            current += 1
            year = self._year(current)
            provisional = provisional or not year.known
        return Due(self._at(year.days[place], rest), provisional)

    def _seconds_since_epoch_year(self, local: datetime, first: int) -> float:
        before = sum(len(self._year(year).days) for year in range(first, local.year))
        days = self._year(local.year).days
        ordinal = local.date().toordinal()
        place = bisect_left(days, ordinal)
        seconds = float((before + place) * self.minutes_a_day * 60)
        if place < len(days) and days[place] == ordinal:
            seconds += self._passed(
                local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
            )
        return seconds

    def between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from `start` to `end`; negative when `end` is earlier."""
        if end < start:
            return -self.between(end, start)
        a, b = start.astimezone(self.zone), end.astimezone(self.zone)
        seconds = self._seconds_since_epoch_year(b, a.year) - self._seconds_since_epoch_year(a, a.year)
        return int(seconds // 60)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


@dataclass(frozen=True, slots=True)
class AroundTheClock:
    """Every minute counts: the calendar of emergencies and of desks that never close."""

    def add(self, start: datetime, minutes: int) -> Due:
        if start.tzinfo is None or minutes < 0:
            raise ValueError("an aware instant and minutes of zero or more")
        return Due(start.astimezone(UTC) + timedelta(minutes=minutes))

    def between(self, start: datetime, end: datetime) -> int:
        seconds = (end - start).total_seconds()
        return int(seconds // 60) if seconds >= 0 else -int(-seconds // 60)

    def is_working(self, at: datetime) -> bool:
        return True


AROUND_THE_CLOCK = AroundTheClock()
