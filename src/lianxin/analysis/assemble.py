"""Puts a report together: one period and scope, its figures, what they were before, and who and where they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.utils.translation import gettext as _

from lianxin.cases.models import Category
from lianxin.kernel.errors import NotFound
from lianxin.organisations.models import Unit
from lianxin.places.models import Area

from . import control, counting, export, facts
from .counting import Counts, Narrowed
from .engines import Engine, EngineName, chosen, engine
from .figures import Breakdown, By, Density, Figure, Hot, Period, PeriodKind, Report, Row, Scope, Series
from .intervals import changes
from .rates import DEFINITIONS

# How many periods a series goes back, the period itself with it: a year and one, where a year has so many.
POINTS: Final = {
    PeriodKind.WEEK: 27, PeriodKind.MONTH: 13, PeriodKind.QUARTER: 9, PeriodKind.YEAR: 5, PeriodKind.CUSTOM: 13,
}
ALL_BREAKDOWNS: Final[tuple[By, ...]] = ("county", "town", "unit", "category")
USUAL: Final[tuple[By, ...]] = ("county", "unit", "category")


@dataclass(frozen=True, slots=True)
class _Named:
    """What a unit, area or category is called."""

    code: str
    name: str
    name_en: str


def scope_of(*, unit: str = "", county: str = "", category: str = "") -> Scope:
    """A scope from codes; raises NotFound that names the one there is none of."""

    def key(model: type[Unit] | type[Area] | type[Category], code: str, words: str) -> int | None:
        if not code:
            return None
        found = model._default_manager.filter(code=code).values_list("pk", flat=True).first()
        if found is None:
            raise NotFound(words % {"code": code})
        return int(found)

    return Scope(
        unit=key(Unit, unit, _("没有这个单位：%(code)s")),
        county=key(Area, county, _("没有这个县市区：%(code)s")),
        category=key(Category, category, _("没有这个事项：%(code)s")),
    )


def narrowed(scope: Scope) -> Narrowed:
    if scope.category is None:
        return Narrowed(scope.unit, scope.county)
    code = Category.objects.values_list("code", flat=True).get(pk=scope.category)
    below = Category.objects.filter(code__startswith=code).order_by("pk").values_list("pk", flat=True)
    return Narrowed(scope.unit, scope.county, tuple(below))


def _names(by: By) -> dict[int, _Named]:
    held: Any = Unit.objects if by == "unit" else Area.objects.filter(level=by)
    rows = held.values_list("pk", "code", "name", "name_en")
    return {pk: _Named(code, name, name_en) for pk, code, name, name_en in rows}


def _categories(scope: Scope) -> tuple[dict[int, _Named], dict[int, int]]:
    """The categories one step below the scope, and to which of them each category counts: itself or what is below."""
    held = {pk: (parent, _Named(code, name, name_en)) for pk, parent, code, name, name_en in
            Category.objects.values_list("pk", "parent_id", "code", "name", "name_en")}
    to: dict[int, int] = {}
    for pk in held:
        at = pk
        while (parent := held[at][0]) is not None and parent != scope.category:
            at = parent
        to[pk] = at
    return {pk: held[pk][1] for pk in set(to.values())}, to


def _add(held: Counts, more: Counts) -> Counts:
    return {name: held.get(name, 0) + value for name, value in more.items()}


Registered = Callable[[str], Mapping[Any, int]]


def breakdown(source: Engine, period: Period, scope: Scope, by: By, within: Narrowed, registered_by: Registered) -> Breakdown:
    """The figures for each unit, county, town, or category one step below the scope. What has none is a row of its own
    with no key; every county has a row, others only where there is something to count. `within` is the scope as ids,
    `registered_by` counts the period's registered cases by a column."""
    column = f"{by}_id"
    counted = counting.count_by(source, period, within, column)
    registered = registered_by(column)
    if by == "category":
        names, to = _categories(scope)
        counted = _rolled(counted, to)
        registered = _summed(registered, to)
    else:
        names = _names(by)
    keys = set(counted) | set(registered) | (set(names) if by == "county" and scope == Scope() else set())
    rows = []
    for key in keys:
        known = names.get(key) if key is not None else None
        said = known or _Named("" if key is None else str(key), "", "")
        rows.append(Row(key, said.code, said.name, said.name_en,
                        counting.figures({**counting.NOTHING, **counted.get(key, {})}), registered.get(key, 0)))
    # What has no unit, place or category comes last.
    return Breakdown(by, tuple(sorted(rows, key=lambda row: (row.key is None, row.code))))


def _rolled(counted: Mapping[int | None, Counts], to: Mapping[int, int]) -> dict[int | None, Counts]:
    made: dict[int | None, Counts] = {}
    for key, counts in counted.items():
        up = to.get(key) if key is not None else None
        made[up] = _add(made.get(up, {}), counts)
    return made


def _summed(registered: Mapping[int | None, int], to: Mapping[int, int]) -> dict[int | None, int]:
    made: dict[int | None, int] = {}
    for key, cases in registered.items():
        up = to.get(key) if key is not None else None
        made[up] = made.get(up, 0) + cases
    return made


def series(counted: Sequence[tuple[Period, Mapping[str, Figure]]]) -> dict[str, Series]:
    """A control chart for each figure over consecutive periods, oldest first."""
    return {
        code: control.chart(code, [(period, made[code]) for period, made in counted], definition.kind)
        for code, definition in DEFINITIONS.items()
    }


def _densities(registered: Mapping[int | None, int], by: By, total: int) -> tuple[Density, ...]:
    names = _names(by)
    known = [(key, names[key], cases) for key, cases in registered.items() if key is not None and key in names]
    return tuple(
        Density(key, said.code, said.name, said.name_en, cases, cases / total if total else 0.0)
        for key, said, cases in sorted(known, key=lambda row: row[1].code)
    )


def report(
    period: Period, scope: Scope | None = None, *, using: EngineName | None = None, refresh: bool = True,
    breakdowns: Sequence[By] = USUAL, points: int | None = None, hot: int = 0, detail: bool = False,
) -> Report:
    """All figures of a period. With `refresh` the facts are first brought up to now: on PostgreSQL the table, for DuckDB
    the files too. `hot` asks for so many of the matters registered most, `detail` for towns and
    volumes. Raises Conflict when there are no facts to read."""
    name = using or chosen()
    if refresh:
        bring_up_to_now(name)
    with engine(name) as source:
        return _report(source, period, scope or Scope(), breakdowns, points or POINTS[period.kind], hot, detail)


def bring_up_to_now(name: EngineName) -> None:
    """The facts the engine reads, as they are now."""
    if name == "duckdb":
        export.export()
    else:
        facts.refresh()


def _report(source: Engine, period: Period, scope: Scope, breakdowns: Sequence[By], points: int, hot: int,
            detail: bool) -> Report:
    within = narrowed(scope)
    held: dict[Period, dict[str, Figure]] = {}

    def counted(when: Period) -> dict[str, Figure]:
        if when not in held:
            held[when] = counting.figures(counting.count(source, when, within))
        return held[when]

    now, before, then = counted(period), counted(period.previous()), counted(period.year_before())
    @cache
    def registered(column: str) -> Mapping[Any, int]:
        return counting.registered_by(source, period, within, column)

    total = sum(registered("county_id").values())
    ended = counting.ended_by_state(source, period, within)
    return Report(
        period=period, scope=scope, as_of=source.as_of, figures=now,
        previous_period=period.previous(), previous=before, year_before_period=period.year_before(), year_before=then,
        changes=changes(now, before), year_changes=changes(now, then),
        breakdowns={by: breakdown(source, period, scope, by, within, registered) for by in breakdowns},
        series=series([(when, counted(when)) for when in (period.back(back) for back in range(points - 1, -1, -1))]),
        counties=_densities(registered("county_id"), "county", total),
        towns=_densities(registered("town_id"), "town", total) if detail else (),
        registered=total, closed=ended.get("closed", 0), declined=ended.get("declined", 0),
        volumes={f"{column}.{key}": cases for column in ("channel", "kind")
                 for key, cases in sorted(registered(column).items())} if detail else {},
        hot=_hot(source, period, within, registered("category_id"), hot) if hot else (),
    )


def _hot(source: Engine, period: Period, within: Narrowed, now: Mapping[Any, int], many: int) -> tuple[Hot, ...]:
    before = counting.registered_by(source, period.previous(), within, "category_id")
    most = sorted((pk for pk in now if pk is not None), key=lambda pk: (-now[pk], pk))[:many]
    held = Category.objects.in_bulk(most)
    return tuple(Hot(held[pk].code, held[pk].name, held[pk].name_en, now[pk], before.get(pk, 0)) for pk in most if pk in held)
