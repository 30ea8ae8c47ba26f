"""A working calendar: which minutes of which days count.

Days come from the Chinese legal calendar with make-up working days (package `chinesecalendar`). A year it does not
know is computed from the plain week and every due time that rests on it is marked provisional.

All arithmetic is in whole microseconds since 1970 on one table of working spans with their running sum, so that
adding is two binary searches and nothing is rounded. The table grows by years as they are asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import chinese_calendar

CHINA = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000_000  # microseconds
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """An instant in UTC; `provisional` when it rests on a year whose calendar is not published."""

    at: datetime
    provisional: bool = False


def chinese_workday(day: date) -> bool | None:
    """Whether a day is worked under the legal calendar; None when that year is not published."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


@dataclass(frozen=True, slots=True)
class _Table:
    """Working spans of the years `first` to `last`, in microseconds since 1970.

    `starts[i]`, `ends[i]` bound span i and `before[i]` is the working time before it; `before` has one entry more,
    the whole. `years` are the instants at which the years begin, `unknown[i]` how many of the first i are unknown.
    """

    first: int
    last: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    years: tuple[int, ...]
    unknown: tuple[int, ...]

    def worked(self, at: int) -> int:
        """Working microseconds of the table before an instant."""
        place = bisect_right(self.starts, at) - 1
        if place < 0:
            return 0
        end = self.ends[place]
        return self.before[place] + (at if at < end else end) - self.starts[place]

    def rests_on_unknown(self, start: int, end: int) -> bool:
        """Whether a year between two instants, their own included, is not published."""
        if not self.unknown[-1]:
            return False
        return self.unknown[bisect_left(self.years, end)] > self.unknown[bisect_right(self.years, start) - 1]


def _instant(at: datetime) -> int:
    gone = at - _EPOCH
    return (gone.days * 86400 + gone.seconds) * 1_000_000 + gone.microseconds


@dataclass(frozen=True, slots=True)
class Calendar:
    """Spans of a working day in local time, and which days are worked.

    `spans` are (start, end) pairs in order, in whole minutes; `time(0)` as an end is midnight. `workday` answers
    True, False or None (not published: Monday to Friday is used, provisionally) and must always answer alike.
    Raises ValueError for spans that are empty, overlap or are out of order.
    """

    spans: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(13), time(17)))
    workday: Callable[[date], bool | None] = chinese_workday
    zone: ZoneInfo = CHINA
    _held: list[_Table] = field(default_factory=list, compare=False, repr=False)
    _years: dict[int, tuple[list[tuple[int, int]], bool]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        minutes = self._minutes()
        if not minutes or any(start >= end for start, end in minutes):
            raise ValueError("a working day has spans, and each ends after it starts")
        if any(later[0] < earlier[1] for earlier, later in pairwise(minutes)):
            raise ValueError("working spans are in order and do not overlap")
        if any(at.second or at.microsecond or at.tzinfo for span in self.spans for at in span):
            raise ValueError("working spans are in whole minutes of local time")

    @classmethod
    def chinese(cls, spans: tuple[tuple[time, time], ...] | None = None) -> Calendar:
        """The legal calendar of China; `spans` default to 9–12 and 13–17, 420 working minutes a day."""
        return cls(spans=spans) if spans else cls()

    def with_days(self, days: Mapping[date, bool], *, published: Iterable[int] = ()) -> Calendar:
        """This calendar with single days decided otherwise: a city's own day off, or a year just published.

        `published` are years for which `days` holds every exception from the plain week: their due times are no
        longer provisional.
        """
        known, years, ask = dict(days), frozenset(published), self.workday

        def workday(day: date) -> bool | None:
            if day in known:
                return known[day]
            return day.weekday() < 5 if day.year in years else ask(day)

        return Calendar(self.spans, workday, self.zone)  # with a table of its own

    @property
    def minutes_a_day(self) -> int:
        return sum(end - start for start, end in self._minutes())

    def _minutes(self) -> list[tuple[int, int]]:
        """The spans in minutes after midnight."""
        return [(start.hour * 60 + start.minute, end.hour * 60 + end.minute or 1440) for start, end in self.spans]

    def is_working_day(self, day: date) -> bool:
        """Whether any minute of this local day counts."""
        worked = self.workday(day)
        return day.weekday() < 5 if worked is None else worked

    def _local(self, ordinal: int, minute: int) -> int:
        day = date.fromordinal(ordinal)
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local by construction, zone set below
        return _instant((midnight + timedelta(minutes=minute)).replace(tzinfo=self.zone))

    def _year(self, year: int) -> tuple[list[tuple[int, int]], bool]:
        """The working spans of one year, and whether all of it is published."""
        made = self._years.get(year)
        if made is not None:
            return made
        found: list[tuple[int, int]] = []
        known, spans, reached = True, self._minutes(), 0
        first = date(year, 1, 1).toordinal()
        for ordinal in range(first, date(year + 1, 1, 1).toordinal()):
            day = date.fromordinal(ordinal)
            worked = self.workday(day)
            if worked is None:
                known = False
                worked = day.weekday() < 5
            if worked:
                for opens, closes in spans:
                    start, end = self._local(ordinal, opens), self._local(ordinal, closes)
                    if found and start < reached:  # where clocks are put forward, local times may fold
                        start = reached
                    if start < end:
                        found.append((start, end))
                        reached = end
        self._years[year] = (found, known)
        return found, known

    def _build(self, first: int, last: int) -> _Table:
        starts: list[int] = []
        ends: list[int] = []
        before, years, unknown = [0], [], [0]
        for year in range(first, last + 1):
            spans, known = self._year(year)
            years.append(self._local(date(year, 1, 1).toordinal(), 0))
            unknown.append(unknown[-1] + (not known))
            for start, end in spans:
                starts.append(start)
                ends.append(end)
                before.append(before[-1] + end - start)
        return _Table(first, last, tuple(starts), tuple(ends), tuple(before), tuple(years), tuple(unknown))

    def _table(self, first: int, last: int) -> _Table:
        """The table, made to hold these years and one on either side. Replaced whole: threads see one or the other."""
        held = self._held[0] if self._held else None
        if held is not None:
            if held.first < first and last < held.last:
                return held
            first, last = min(first, held.first + 1), max(last, held.last - 1)
        if not 2 <= first <= last <= 9997:
            raise ValueError("a working calendar knows the years 2 to 9997")
        self._held[:] = [self._build(first - 1, last + 1)]
        return self._held[0]

    def is_working(self, at: datetime) -> bool:
        """Whether this instant counts. Raises ValueError for a naive one."""
        table, instant = self._holding(at)
        place = bisect_right(table.starts, instant) - 1
        return place >= 0 and instant < table.ends[place]

    def _holding(self, at: datetime) -> tuple[_Table, int]:
        """The table that reaches a year around an instant, and the instant."""
        if at.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        # The year in UTC and the local one differ by one at most, which the table's margin covers.
        return self._table(at.year, at.year), _instant(at)

    def add(self, start: datetime, minutes: int) -> Due:
        """The instant at which `minutes` working minutes have passed since `start`.

        Zero minutes is `start` itself. A due time falls on the end of a span rather than on the start of the next.
        Raises ValueError for a naive instant, negative minutes or a calendar without working days.
        """
        if minutes < 0:
            raise ValueError("minutes of zero or more")
        table, instant = self._holding(start)
        if minutes == 0:
            return Due(start.astimezone(UTC))
        wanted = minutes * MINUTE
        total = table.worked(instant) + wanted
        while total > table.before[-1]:
            a_year = table.before[-1] // (table.last - table.first + 1)
            ahead = 2 + ((total - table.before[-1]) // a_year if a_year else 0)
            grown = self._table(table.first + 1, table.last + ahead)
            if grown.before[-1] - grown.worked(table.years[-1]) == 0:
                raise ValueError("a calendar without working days")
            table, total = grown, grown.worked(instant) + wanted
        place = bisect_left(table.before, total) - 1
        at = table.starts[place] + total - table.before[place]
        return Due(_EPOCH + timedelta(microseconds=at), table.rests_on_unknown(instant, at))

    def between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from `start` to `end`; negative when `end` is earlier."""
        if end < start:
            return -self.between(end, start)
        self._holding(end)
        table, first = self._holding(start)
        return (table.worked(_instant(end)) - table.worked(first)) // MINUTE


@dataclass(frozen=True, slots=True)
class AroundTheClock:
    """Every minute counts: the calendar of emergencies and of desks that never close."""

    def add(self, start: datetime, minutes: int) -> Due:
        """`minutes` after `start`. Raises ValueError for a naive instant or negative minutes."""
        if start.tzinfo is None or minutes < 0:
            raise ValueError("an aware instant and minutes of zero or more")
        return Due(start.astimezone(UTC) + timedelta(minutes=minutes))

    def between(self, start: datetime, end: datetime) -> int:
        """Whole minutes from `start` to `end`; negative when `end` is earlier."""
        seconds = (end - start).total_seconds()
        return int(seconds // 60) if seconds >= 0 else -int(-seconds // 60)

    def is_working(self, at: datetime) -> bool:
        return True


AROUND_THE_CLOCK = AroundTheClock()
