"""What a report is built on: figures with their numerators, denominators and intervals, and whether they changed.

Everything here is frozen and holds numbers, codes and the names of units, areas and categories, nothing of any person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from .periods import Period, PeriodKind

__all__ = [
    "Breakdown", "By", "Change", "Density", "Figure", "FigureKind", "Hot", "Period", "PeriodKind", "Point", "Report", "Row",
    "Scope", "Series", "Verdict",
]

By = Literal["unit", "county", "town", "category"]


class FigureKind(StrEnum):
    """A proportion is a share of its denominator (0–1); a count is so many per episode of its denominator."""

    PROPORTION = "proportion"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it is made of.

    `value` is numerator ÷ denominator, `low` and `high` bound its 95 % interval (Wilson's for a proportion, the exact
    Poisson one for a count); all three are None when the denominator is 0. `small` says that the denominator is below
    `LIANXIN_SMALL_NUMBERS`: the figure is then not compared.
    """

    code: str
    numerator: int
    denominator: int
    value: float | None
    low: float | None
    high: float | None
    small: bool
    kind: FigureKind = FigureKind.PROPORTION

    @property
    def empty(self) -> bool:
        return self.denominator == 0


class Verdict(StrEnum):
    """Whether a figure changed. `none` is no change beyond chance; `higher` and `lower` are for figures of which
    neither is better; `too_few` means that no comparison is made; `no_before` that there is nothing to compare with."""

    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    NONE = "none"
    TOO_FEW = "too_few"
    NO_BEFORE = "no_before"


@dataclass(frozen=True, slots=True)
class Change:
    """One figure against an earlier one. `difference` is now − before, in the figure's own unit. `p_value` is that of
    `test` (`score` for two proportions, `poisson_means` for two counts), two-sided; both are None and "" when no
    comparison is made."""

    code: str
    now: Figure
    before: Figure
    verdict: Verdict
    difference: float | None
    test: str
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one unit, county, town or category. `key` is its id, None for cases that have none; `registered`
    counts the cases registered in the period."""

    key: int | None
    code: str
    name: str
    name_en: str
    figures: Mapping[str, Figure]
    registered: int = 0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The same figures for every unit, county, town or category, in the order of their codes."""

    by: By
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One period of a series with its own control limits (they widen where the denominator is small).

    `outside` says that the value lies beyond them; `run` that it is one of eight or more in a row on one side of the
    centre line.
    """

    period: Period
    figure: Figure
    lower: float | None
    upper: float | None
    outside: bool
    run: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over consecutive periods, oldest first, as a control chart: `p` for proportions, `u` for counts.

    `centre` is the sum of all numerators ÷ the sum of all denominators, None when there is nothing.
    """

    code: str
    chart: Literal["p", "u"]
    centre: float | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Density:
    """Cases registered in one county or town in the period, for a map. No words, no positions."""

    key: int
    code: str
    name: str
    name_en: str
    registered: int
    share: float


@dataclass(frozen=True, slots=True)
class Hot:
    """One kind of matter: how many cases of it were registered in the period, and in the one before."""

    code: str
    name: str
    name_en: str
    cases: int
    before: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about: the whole city, or one unit, county or category (with all categories below it)."""

    unit: int | None = None
    county: int | None = None
    category: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one period and scope. Mappings are by figure code, in the order of `rates.DEFINITIONS`.

    `changes` compares with the period before, `year_changes` with the same period last year. `as_of` is when the facts
    were read: whatever was still open then counts as open. `registered` counts cases registered in the period; `closed` and
    `declined` count rounds that first ended so in it, also when they were contested or reopened later. `hot`, `towns` and
    `volumes` are empty unless asked for.
    """

    period: Period
    scope: Scope
    as_of: datetime
    figures: Mapping[str, Figure]
    previous_period: Period
    previous: Mapping[str, Figure]
    year_before_period: Period
    year_before: Mapping[str, Figure]
    changes: Mapping[str, Change]
    year_changes: Mapping[str, Change]
    breakdowns: Mapping[By, Breakdown]
    series: Mapping[str, Series]
    counties: tuple[Density, ...]
    towns: tuple[Density, ...]
    registered: int
    closed: int
    declined: int
    volumes: Mapping[str, int] = field(default_factory=dict)
    hot: tuple[Hot, ...] = ()
