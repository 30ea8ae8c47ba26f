"""What may be known of a case by anyone, and how finely: pure rules, from the ADR "the public record".

A record that was not cleared word by word is shown only together with at least `K - 1` others that look alike in everything that a
neighbour may know of a matter: where it is, when it was raised, what it is about. `LEVELS` is the order in which likeness is looked
for, finest first; whoever found a crowd at one level is not counted at a coarser one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.timezone import get_current_timezone, localtime

from lianxin.cases.models import Kind, Publicity, State

from .models import Dated, Precision, Stage

K: Final = 5

STAGES: Final[Mapping[str, Stage]] = {
    State.REGISTERED: Stage.RECEIVED, State.ACCEPTED: Stage.RECEIVED,
    State.DISPATCHED: Stage.WITH_UNIT, State.IN_HAND: Stage.WITH_UNIT, State.OBJECTED: Stage.WITH_UNIT,
    State.REPLIED: Stage.WITH_UNIT,
    State.HANDED_OVER: Stage.HANDED_OVER,
    State.CALLBACK: Stage.ANSWERED,
    State.CLOSED: Stage.CLOSED,
    State.DECLINED: Stage.DECLINED,
}
# Neither is a matter of its own: what was withdrawn is nobody's business any more, what was merged is shown with its master.
NO_RECORD: Final = (State.MERGED, State.WITHDRAWN)


def stage_of(state: str) -> Stage | None:
    """In which stage the public sees a state; None for one that has no record."""
    return STAGES.get(state)


def may_be_shown(*, confidential: bool, kind: str, state: str, publicity: str) -> bool:
    """Whether a case that nobody cleared may have a record at all: not what was said in confidence, not what somebody reports of
    somebody, not what the city only counts."""
    return (not confidential and kind != Kind.REPORT and publicity != Publicity.COUNT and stage_of(state) is not None)


def may_be_cleared(*, confidential: bool, state: str) -> bool:
    """Whether cleared words of a case are shown: the reporter agreed and staff read them, but what was told in confidence never."""
    return not confidential and stage_of(state) is not None


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of likeness: `place` and `category` name columns of Waiting (`city` and empty: everything alike)."""

    place: Precision
    dated: Dated
    category: str


def _levels() -> tuple[Level, ...]:
    day, week, month = Dated.DAY, Dated.WEEK, Dated.MONTH
    village, town, county, city = Precision.VILLAGE, Precision.TOWN, Precision.COUNTY, Precision.CITY
    every, plain = ("leaf", "middle", "top"), ("top",)
    made = [(village, day, every), (town, day, every),
            (village, week, every), (town, week, every), (county, week, every),
            (county, month, plain), (city, month, plain), (city, month, ("",))]
    return tuple(Level(place, dated, category) for place, dated, categories in made for category in categories)


LEVELS: Final = _levels()
# A month is gathered when its last week has been: a week may end in the next one.
LATEST: Final = timedelta(days=7)
_AFTER: Final = {Dated.DAY: timedelta(0), Dated.WEEK: timedelta(0), Dated.MONTH: LATEST}


def span_start(dated: str, day: date) -> date:
    """The first day of the day, week (Monday) or month that a day is in."""
    if dated == Dated.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if dated == Dated.MONTH else day


def bound(dated: str, today: date) -> date:
    """The first day of registering whose span is not over yet, seen from `today`: earlier ones may be gathered."""
    return span_start(dated, today - _AFTER[Dated(dated)])


def time_shown(dated: str, at: datetime) -> datetime:
    """An instant as a record shows it: the beginning of its span by the city's own clock, or itself where it is exact."""
    if dated == Dated.EXACT:
        return at
    day = span_start(dated, localtime(at).date())
    return datetime(day.year, day.month, day.day, tzinfo=get_current_timezone())


def shown_time(dated: str, at: datetime | None) -> datetime | None:
    """The same of one that may not have come."""
    return None if at is None else time_shown(dated, at)


def shown_change(cleared: bool, at: datetime) -> datetime:
    """When a record changed, as it is told outside: to the hour, where nobody cleared it."""
    return at if cleared else at.replace(minute=0, second=0, microsecond=0)


def unit_gives_nothing_away(unit_lineage: Sequence[int], area_lineage: Sequence[int], leaf_shown: bool) -> bool:
    """Whether a unit may be named: the category that leads to it is shown, and the area it works for is not finer than the one shown.

    `unit_lineage` and `area_lineage` are areas with those above them, the area itself first; a unit of no area fits anywhere.
    """
    return leaf_shown and (not unit_lineage or unit_lineage[0] in area_lineage)


def small(count: int) -> int | None:
    """A count as it is told: None for 1 to 4 („少于 5“)."""
    return None if 0 < count < K else count


Cell = tuple[str, str]
ALL: Final = ""  # the row or column of the sums


def with_sums(counts: Mapping[Cell, int]) -> dict[Cell, int]:
    """A table by rows and columns, whole (what nobody counted is 0), with the sums of its rows and columns under `ALL`."""
    made: dict[Cell, int] = {}
    rows, columns = sorted({row for row, _column in counts}), sorted({column for _row, column in counts})
    for row in (*rows, ALL):
        for column in (*columns, ALL):
            made[row, column] = sum(counts.get((one, other), 0) for one in (rows if row == ALL else [row])
                                    for other in (columns if column == ALL else [column]))
    return made


def suppressed(counts: Mapping[Cell, int]) -> dict[Cell, int | None]:
    """The table with its sums as it is told: None where a count is kept back.

    Kept back are counts of 1 to 4, and beside them so many others that none of them follows by taking from a sum (complementary
    suppression): in every row and column whose sum is told at least two counts are missing, and those missing make `K` or more; a sum
    that is not told is never the only thing missing in its line. What is smallest goes first.
    """
    full = with_sums(counts)
    rows, columns = sorted({row for row, _column in full if row != ALL}), sorted({column for _row, column in full if column != ALL})
    lines = [([(row, column) for column in columns], (row, ALL)) for row in (*rows, ALL)]
    lines += [([(row, column) for row in rows], (ALL, column)) for column in (*columns, ALL)]
    hidden = {cell for cell, count in full.items() if small(count) is None}
    changed = bool(hidden)
    while changed:
        changed = False
        for parts, total in lines:
            gone = [cell for cell in parts if cell in hidden]
            if total in hidden:
                safe = bool(gone)
            else:
                safe = not gone or (len(gone) > 1 and sum(full[cell] for cell in gone) >= K)
            if safe:
                continue
            others = sorted((cell for cell in parts if cell not in hidden), key=lambda cell: (full[cell] == 0, full[cell], cell))
            hidden.add(others[0] if others else total)
            changed = True
    return {cell: None if cell in hidden else count for cell, count in full.items()}
