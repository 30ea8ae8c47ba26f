"""Due times by the table of working spans, against a loop that steps through days, side by side."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from lianxin.worktime import Calendar
from lianxin.worktime.calendar import CHINA

from .parts import Run
from .results import Row

PART = "worktime"
LONGEST = 6300  # fifteen working days of minutes
TIMES = 3


def stepping(calendar: Calendar, start: datetime, minutes: int) -> datetime:
    """The due time as one would write it first: day by day, span by span, asking the calendar about each."""
    at, left = start.astimezone(CHINA), timedelta(minutes=minutes)
    day = at.date()
    while True:
        for opens, closes in calendar.spans_on(day):
            begins = max(at, datetime.combine(day, opens, CHINA))
            ends = datetime.combine(day, closes, CHINA)
            if begins < ends:
                if left <= ends - begins:
                    return (begins + left).astimezone(UTC)
                left -= ends - begins
        day += timedelta(days=1)


def _asked(count: int) -> tuple[list[datetime], list[int]]:
    """Instants of two published years and limits of up to fifteen working days, the same each time."""
    dice = random.Random(66)
    first = datetime(2025, 1, 1, tzinfo=UTC)
    return ([first + timedelta(seconds=dice.randrange(63_000_000)) for _number in range(count)],
            [dice.randrange(1, LONGEST) for _number in range(count)])


def _best(work: Callable[[], object]) -> float:
    """Seconds of the quickest of a few runs: what else the machine does only ever adds."""
    found = []
    for _time in range(TIMES):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return min(found)


def measure(*, count: int) -> list[Row]:
    """`count` due times one by one, at once and backwards; the loop does a fiftieth of them. Raises AssertionError when the
    two ways do not agree."""
    calendar = Calendar.chinese()
    starts, minutes = _asked(count)
    few = max(count // 50, 1)
    calendar.add(starts[0], LONGEST)
    calendar.is_working_day(date(2026, 1, 1))
    loop = _best(lambda: [stepping(calendar, *one) for one in zip(starts[:few], minutes[:few], strict=True)]) / few
    assert [stepping(calendar, *one) for one in zip(starts[:few], minutes[:few], strict=True)] == [
        due.at for due in calendar.add_many(starts[:few], minutes[:few])], "both ways give the same due times"
    ways: tuple[tuple[str, Callable[[], object]], ...] = (
        ("due times, one by one", lambda: [calendar.add(*one) for one in zip(starts, minutes, strict=True)]),
        ("due times, all at once", lambda: calendar.add_many(starts, minutes)),
        ("last moments to begin, one by one", lambda: [calendar.subtract(*one) for one in zip(starts, minutes, strict=True)]),
    )
    rows = []
    for what, work in ways:
        each = _best(work) / count
        bar, met = ("a million in 10 s", each * 1_000_000 <= 10) if what.startswith("due") else ("", None)
        rows.append(Row(PART, what, f"{1 / each:,.0f}/s; a million in {each * 1_000_000:.1f} s",
                        f"stepping through days: {1 / loop:,.0f}/s", f"{loop / each:.0f} ×", bar, met))
    return rows


def bench(run: Run) -> list[Row]:
    """The lines of this part: a million due times, or a few when only asked whether it works."""
    run.tell("due times, and a loop that steps through days")
    return measure(count=20_000 if run.quick else 1_000_000)
