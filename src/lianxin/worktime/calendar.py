"""A working calendar: which minutes of which days count.

Days come from a rule, by default the Chinese legal calendar with make-up working days; hours from the weekday, the
period of the year and the single date. A year the rule does not know is computed from the plain week, and every due time
that rests on it is marked provisional.

All arithmetic is in whole microseconds since 1970 on one table of working spans with their running sum, so that
adding is two binary searches and nothing is rounded. The table grows by years as they are asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, repeat
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .days import Day, DayRule, legal_day
from .hours import OFFICE, Hours, Period, Spans, checked, minutes_of

CHINA = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000_000  # microseconds
_DAY, _SECOND = 86_400_000_000, 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Interval = tuple[datetime, datetime]


class Due(NamedTuple):
    """An instant in UTC; `provisional` when it rests on a year whose calendar is not published."""

    at: datetime
    provisional: bool = False


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
    return gone.days * _DAY + gone.seconds * _SECOND + gone.microseconds


def shared(first: Interval, second: Interval) -> Interval | None:
    """What two intervals have in common, None when nothing. Raises ValueError for one that ends before it starts."""
    for start, end in (first, second):
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        if end < start:
            raise ValueError("an interval ends no earlier than it starts")
    start, end = max(first[0], second[0]), min(first[1], second[1])
    return (start, end) if start < end else None


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Which spans of which local days count.

    `days` answers what kind of day a date is, or None (not published: its weekday is used, provisionally), and must always
    answer alike. `periods` are hours in force for a time instead of `hours`; `dates` are single days with exactly these
    spans, none for a day off. Raises ValueError for impossible spans and for periods that overlap.
    """

    hours: Hours = field(default_factory=Hours.of)
    days: DayRule = legal_day
    zone: ZoneInfo = CHINA
    periods: tuple[Period, ...] = ()
    dates: Mapping[date, Spans] = field(default_factory=dict)
    _held: list[_Table] = field(default_factory=list, repr=False)
    _years: dict[int, tuple[list[tuple[int, int]], bool]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for spans in self.dates.values():
            checked(spans)
        for period in self.periods:
            if period.end is not None and period.end <= period.start:
                raise ValueError("a period of working hours ends after it starts")
        for earlier, later in pairwise(self.periods):
            if earlier.end is None or later.start < earlier.end:
                raise ValueError("periods of working hours are in order and do not overlap")

    @classmethod
    def chinese(cls, spans: Spans = OFFICE) -> Calendar:
        """The legal calendar of China; `spans` default to 9–12 and 13–17, 420 working minutes a day."""
        return cls(Hours.of(spans))

    def with_days(self, days: Mapping[date, bool | Spans], *, published: Iterable[int] = ()) -> Calendar:
        """This calendar with single days decided otherwise: a city's own day off, or a year just published.

        True is a whole working day, False a day off, spans are exactly these. `published` are years for which `days`
        holds every exception from the plain week: their due times are no longer provisional.
        """
        told = {day: (self.hours_on(day).full if value else ()) if isinstance(value, bool) else value
                for day, value in days.items()}
        years, ask = frozenset(published), self.days

        def rule(day: date) -> Day | None:
            return Day.ORDINARY if day.year in years else ask(day)

        # A calendar of its own, and so with a table of its own.
        return Calendar(self.hours, rule, self.zone, self.periods, {**self.dates, **told})

    @property
    def minutes_a_day(self) -> int:
        """Working minutes of a whole working day outside of any period."""
        return self.hours.minutes_a_day

    def hours_on(self, day: date) -> Hours:
        """The hours in force on a local day."""
        return next((period.hours for period in self.periods if period.holds(day)), self.hours)

    def spans_on(self, day: date) -> Spans:
        """The spans that count on a local day; none on a day off."""
        told = self.dates.get(day)
        if told is not None:
            return told
        kind, hours = self.days(day), self.hours_on(day)
        if kind is Day.OFF:
            return ()
        return hours.full if kind is Day.WORKED else hours.week[day.weekday()]

    def is_working_day(self, day: date) -> bool:
        """Whether any minute of this local day counts."""
        return bool(self.spans_on(day))

    def is_published(self, year: int) -> bool:
        """Whether every day of a year is known, so that nothing counted in it is provisional."""
        return self._year(year)[1]

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
        known, reached = True, 0
        first = date(year, 1, 1).toordinal()
        for ordinal in range(first, date(year + 1, 1, 1).toordinal()):
            day = date.fromordinal(ordinal)
            known = known and (day in self.dates or self.days(day) is not None)
            for opens, closes in minutes_of(self.spans_on(day)):
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
            ahead = self._years_for(table, total - table.before[-1])
            grown = self._table(table.first + 1, table.last + ahead)
            if grown.before[-1] - grown.worked(table.years[-1]) == 0:
                raise ValueError("a calendar without working days")
            table, total = grown, grown.worked(instant) + wanted
        place = bisect_left(table.before, total) - 1
        at = table.starts[place] + total - table.before[place]
        return Due(_EPOCH + timedelta(microseconds=at), table.rests_on_unknown(instant, at))

    def add_many(self, starts: Sequence[datetime], minutes: int | Sequence[int]) -> list[Due]:
        """`add` for many at once, in their order: for recomputing whole tables. `minutes` may be one number for all.

        Raises ValueError as `add` does, and when there are not as many minutes as starts.
        """
        if not isinstance(minutes, int) and len(minutes) != len(starts):
            raise ValueError("as many minutes as starts")
        if not starts:
            return []
        each = repeat(minutes) if isinstance(minutes, int) else minutes
        years = {start.year for start in starts}
        table = self._table(min(years), max(years))
        span_starts, ends, before, whole = table.starts, table.ends, table.before, table.before[-1]
        epoch, unknown = _EPOCH, bool(table.unknown[-1])
        found: list[Due] = []
        for start, wanted in zip(starts, each, strict=False):
            if wanted <= 0 or start.tzinfo is None:
                found.append(self.add(start, wanted))
                continue
            gone = start - epoch
            instant = gone.days * _DAY + gone.seconds * _SECOND + gone.microseconds
            place = bisect_right(span_starts, instant) - 1
            total = wanted * MINUTE
            if place >= 0:
                end = ends[place]
                total += before[place] + (instant if instant < end else end) - span_starts[place]
            if total > whole:
                found.append(self.add(start, wanted))
                continue
            place = bisect_left(before, total) - 1
            at = span_starts[place] + total - before[place]
            found.append(Due(epoch + timedelta(0, 0, at), unknown and table.rests_on_unknown(instant, at)))
        return found

    @staticmethod
    def _years_for(table: _Table, missing: int) -> int:
        """How many years more a table needs, about, to hold `missing` microseconds of work besides its own."""
        a_year = table.before[-1] // (table.last - table.first + 1)
        return 2 + (missing // a_year if a_year else 0)

    def subtract(self, end: datetime, minutes: int) -> Due:
        """The latest instant from which `minutes` working minutes lead to `end`: the last moment to begin.

        Zero minutes is `end` itself. It falls on the start of a span rather than on the end of the one before. Raises
        ValueError as `add` does.
        """
        if minutes < 0:
            raise ValueError("minutes of zero or more")
        table, instant = self._holding(end)
        if minutes == 0:
            return Due(end.astimezone(UTC))
        wanted = minutes * MINUTE
        total = table.worked(instant) - wanted
        while total < 0:
            grown = self._table(table.first - self._years_for(table, -total), table.last - 1)
            if grown.worked(table.years[0]) == 0:
                raise ValueError("a calendar without working days")
            table, total = grown, grown.worked(instant) - wanted
        place = bisect_right(table.before, total) - 1
        at = table.starts[place] + total - table.before[place]
        return Due(_EPOCH + timedelta(microseconds=at), table.rests_on_unknown(at, instant))

    def between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from `start` to `end`; negative when `end` is earlier."""
        if end < start:
            return -self.between(end, start)
        self._holding(end)
        table, first = self._holding(start)
        return (table.worked(_instant(end)) - table.worked(first)) // MINUTE

    def overlap(self, first: Interval, second: Interval) -> int:
        """Whole working minutes that two intervals share: of a pause inside a limit, of a duty inside a month.

        Raises ValueError for naive instants and for an interval that ends before it starts.
        """
        common = shared(first, second)
        return self.between(*common) if common else 0
