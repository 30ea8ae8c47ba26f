"""How well the city answers: the rates of `analysis`, as anyone may read and check them.

The same figures as in a staff report, by the same functions, for whole months, quarters and years, and for the last four whole weeks. No
period of one's own choosing: two that differ by a day would tell what happened on that day. A figure over one to four cases is kept back,
and with it the next smallest of its table. Units and areas stand in the order of their names; nobody is ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

from django.core.cache import cache

from lianxin.analysis.assemble import report
from lianxin.analysis.control import chart
from lianxin.analysis.engines import engine
from lianxin.analysis.figures import Change, Figure, Period, PeriodKind, Report, Row, Series, Verdict
from lianxin.analysis.intervals import change
from lianxin.analysis.rates import DEFINITIONS, THREE_RATES
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, NotFound
from lianxin.kernel.language import in_english, named
from lianxin.worktime.calendar import CHINA

from . import withholding
from .areas import Window

# Proportions only: what is counted each round is a matter of the house.
MORE: Final = ("unreached", "on_time_sign_for", "on_time_first_contact", "on_time_resolve", "on_time_callback",
               "correct_first_dispatch", "reopen")
FIGURES: Final = (*THREE_RATES, *MORE)
IN_ROWS: Final = (*THREE_RATES, "on_time_resolve")
RECENT_WEEKS: Final = 4
KINDS: Final = (PeriodKind.MONTH, PeriodKind.QUARTER, PeriodKind.YEAR)
MONTHS_BACK: Final = 36
KEPT_SECONDS: Final = 6 * 3600
Group = Literal["county", "unit"]
GROUPS: Final[tuple[Group, ...]] = ("county", "unit")


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One county or unit; `code` is empty for cases that have none. A figure is None where it is kept back."""

    code: str
    name: str
    name_en: str
    figures: Mapping[str, Figure | None]


@dataclass(frozen=True, slots=True)
class Performance:
    """One period. `before` and `year_before` are the figures it is compared with, None where they or the figure are kept back."""

    period: Period
    recent: bool
    as_of: datetime
    registered: int
    figures: Mapping[str, Figure | None]
    changes: Mapping[str, Change | None]
    year_changes: Mapping[str, Change | None]
    previous_period: Period
    year_before_period: Period
    series: Mapping[str, Series]
    groups: Mapping[Group, tuple[PublicRow, ...]]


def recent(at: datetime) -> Period:
    """The last four whole weeks."""
    window = Window.before(at, RECENT_WEEKS)
    return window.period


def _day(at: datetime) -> date:
    """The day it is, as `Window` counts days: in Greenwich it may be the day, and the month, before."""
    return at.astimezone(CHINA).date()


def choices(at: datetime) -> list[Period]:
    """Periods to pick: the last twelve whole months, newest first."""
    today = _day(at)
    first = Period.month(today.year, today.month)
    return [first.back(back) for back in range(1, 13)]


def period_of(said: str, at: datetime) -> Period:
    """The period that an address names, the last four weeks when it names none. Raises Invalid for what is no period, NotFound for one
    that is not over, is of another kind, or lies too far back."""
    usual = recent(at)
    if said in ("", usual.code):
        return usual
    found = Period.of(said)
    over = found.end <= Window.before(at, 1).last_day + timedelta(days=1)
    known = found.kind in KINDS or (found.kind is PeriodKind.CUSTOM and found.days == 7 * RECENT_WEEKS and found.start.weekday() == 0)
    if not over or not known or found.start < _oldest(_day(at)):
        raise NotFound()
    return found


def _oldest(today: date) -> date:
    return Period.month(today.year, today.month).back(MONTHS_BACK + 12).start


def published(figure: Figure) -> Figure | None:
    """The figure, or None where it rests on one to four cases."""
    return None if withholding.few(figure.denominator) else figure


def _row_figures(rows: Sequence[Row]) -> dict[int | None, dict[str, Figure | None]]:
    """Each figure of each row, but for those that are kept back. The whole city's are shown, so its parts may not add up to it."""
    made: dict[int | None, dict[str, Figure | None]] = {row.key: {} for row in rows}
    for code in IN_ROWS:
        hidden = withholding.kept_back({row.key: row.figures[code].denominator for row in rows})
        for row in rows:
            made[row.key][code] = None if row.key in hidden else row.figures[code]
    return made


def _rows(rows: Sequence[Row]) -> tuple[PublicRow, ...]:
    figures = _row_figures(rows)
    return tuple(PublicRow(row.code, row.name, row.name_en, figures[row.key]) for row in rows
                 if any(not figure.empty for figure in row.figures.values()))


def by_name(rows: Iterable[PublicRow]) -> list[PublicRow]:
    """In the order of the names as the reader reads them: Chinese by pinyin as GB 2312 has it, English by its letters."""
    def key(row: PublicRow) -> tuple[bool, object]:
        name = named(row.name, row.name_en)
        return row.code == "", name.casefold() if in_english() else row.name.encode("gb18030")

    return sorted(rows, key=key)


def _series(series: Series) -> Series:
    """A series whose points over one to four cases are left open, with limits from the others."""
    points = [(point.period, replace(point.figure, numerator=0, denominator=0, value=None, low=None, high=None, small=True)
               if published(point.figure) is None else point.figure) for point in series.points]
    return chart(series.code, points, series.points[0].figure.kind) if points else series


def _changes(code: str, figures: Mapping[str, Figure], before: Mapping[str, Figure]) -> Change | None:
    if published(figures[code]) is None or published(before[code]) is None:
        return None
    made = change(figures[code], before[code])
    return None if made.verdict is Verdict.NO_BEFORE else made


def _made(found: Report, is_recent: bool) -> Performance:
    return Performance(
        period=found.period, recent=is_recent, as_of=found.as_of, registered=found.registered,
        figures={code: published(found.figures[code]) for code in FIGURES},
        changes={code: _changes(code, found.figures, found.previous) for code in FIGURES},
        year_changes={code: _changes(code, found.figures, found.year_before) for code in FIGURES},
        previous_period=found.previous_period, year_before_period=found.year_before_period,
        series={code: _series(found.series[code]) for code in IN_ROWS},
        groups={by: _rows(found.breakdowns[by].rows) for by in GROUPS},
    )


def performance(said: str = "", at: datetime | None = None) -> Performance | None:
    """The figures of a period; None before any facts were read. Raises what `period_of` raises."""
    moment = at or now()
    period = period_of(said, moment)
    try:
        with engine() as source:
            as_of = source.as_of
    except Conflict:
        return None
    key = f"publishing:performance:{period.code}:{as_of.timestamp():.6f}"
    found: Performance | None = cache.get(key)
    if found is None:
        found = _made(report(period, refresh=False, breakdowns=GROUPS, points=13), period == recent(moment))
        cache.set(key, found, KEPT_SECONDS)
    return found


__all__ = ["DEFINITIONS", "FIGURES", "GROUPS", "IN_ROWS", "MORE", "THREE_RATES", "Performance", "PublicRow", "by_name", "choices",
           "performance", "period_of", "published", "recent"]
