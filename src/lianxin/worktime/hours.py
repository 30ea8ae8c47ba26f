"""The hours of a calendar: spans of local time, by weekday, for as long as they are in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise

Spans = tuple[tuple[time, time], ...]
OFFICE: Spans = ((time(9), time(12)), (time(13), time(17)))
WHOLE_DAY: Spans = ((time(0), time(0)),)


def minutes_of(spans: Spans) -> list[tuple[int, int]]:
    """(start, end) of each span in minutes after midnight; `time(0)` as an end is midnight."""
    return [(start.hour * 60 + start.minute, end.hour * 60 + end.minute or 1440) for start, end in spans]


def checked(spans: Spans) -> Spans:
    """The spans. Raises ValueError when they are empty, overlap, are out of order or not in whole local minutes."""
    minutes = minutes_of(spans)
    if any(start >= end for start, end in minutes):
        raise ValueError("working spans end after they start")
    if any(later[0] < earlier[1] for earlier, later in pairwise(minutes)):
        raise ValueError("working spans are in order and do not overlap")
    if any(at.second or at.microsecond or at.tzinfo for span in spans for at in span):
        raise ValueError("working spans are in whole minutes of local time")
    return spans


@dataclass(frozen=True, slots=True)
class Hours:
    """`full`: the spans of a whole working day, which a make-up day has as well. `week`: those of each weekday, Monday
    first; empty ones are days off. Raises ValueError for impossible spans and for a working day without any."""

    full: Spans
    week: tuple[Spans, ...]

    def __post_init__(self) -> None:
        if not self.full or len(self.week) != 7:
            raise ValueError("a working day has spans, and a week seven days")
        for spans in (self.full, *self.week):
            checked(spans)

    @classmethod
    def of(cls, full: Spans = OFFICE, *, days: int = 5, other: Mapping[int, Spans] | None = None) -> Hours:
        """Monday and the `days` from it on worked in full, except `other` weekdays (0: Monday) with spans of their own."""
        chosen = dict(other or {})
        return cls(full, tuple(chosen.get(day, full if day < days else ()) for day in range(7)))

    @property
    def minutes_a_day(self) -> int:
        """Working minutes of a whole working day."""
        return sum(end - start for start, end in minutes_of(self.full))


@dataclass(frozen=True, slots=True)
class Period:
    """Hours in force from `start` until the day before `end`; without `end`, from then on."""

    start: date
    end: date | None
    hours: Hours

    def holds(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)
