"""The calendar in which every minute counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import repeat

from .calendar import Due, Interval, shared
from .hours import WHOLE_DAY, Spans

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AroundTheClock:
    """Every minute counts: the calendar of emergencies and of desks that never close. Nothing in it is provisional."""

    minutes_a_day: int = 1440

    def add(self, start: datetime, minutes: int) -> Due:
        """`minutes` after `start`. Raises ValueError for a naive instant or negative minutes."""
        if start.tzinfo is None or minutes < 0:
            raise ValueError("an aware instant and minutes of zero or more")
        return Due(start.astimezone(UTC) + timedelta(minutes=minutes))

    def add_many(self, starts: Sequence[datetime], minutes: int | Sequence[int]) -> list[Due]:
        """`add` for many at once, in their order. Raises ValueError when there are not as many minutes as starts."""
        if not isinstance(minutes, int) and len(minutes) != len(starts):
            raise ValueError("as many minutes as starts")
        each = repeat(minutes) if isinstance(minutes, int) else minutes
        return [self.add(start, wanted) for start, wanted in zip(starts, each, strict=False)]

    def subtract(self, end: datetime, minutes: int) -> Due:
        """`minutes` before `end`. Raises ValueError for a naive instant or negative minutes."""
        if end.tzinfo is None or minutes < 0:
            raise ValueError("an aware instant and minutes of zero or more")
        return Due(end.astimezone(UTC) - timedelta(minutes=minutes))

    def between(self, start: datetime, end: datetime) -> int:
        """Whole minutes from `start` to `end`; negative when `end` is earlier. Raises ValueError for naive instants."""
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return (end - start) // _MINUTE if end >= start else -((start - end) // _MINUTE)

    def overlap(self, first: Interval, second: Interval) -> int:
        """Whole minutes that two intervals share. Raises ValueError as `Calendar.overlap` does."""
        common = shared(first, second)
        return self.between(*common) if common else 0

    def spans_on(self, _day: date) -> Spans:
        """The whole of any day."""
        return WHOLE_DAY

    def is_working(self, _at: datetime) -> bool:
        return True

    def is_working_day(self, _day: date) -> bool:
        return True

    def is_published(self, _year: int) -> bool:
        return True


AROUND_THE_CLOCK = AroundTheClock()
