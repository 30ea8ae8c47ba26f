"""Control charts: which periods of a series differ from the rest by more than chance.

Limits are centre ± 3 σ, with the denominator of each period (Shewhart's p and u charts with varying n; Montgomery,
Introduction to Statistical Quality Control, ch. 7): σ = √(p̄(1−p̄)/n) for a proportion, √(ū/n) for a count. Two rules say
that something happened: a point outside its limits, and eight points in a row on one side of the centre line. A point
over small numbers takes no part: it is in neither centre, limits nor run. With fewer than `LEAST` points that take part
there are no limits, for they would be made of nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final, Literal

from .figures import Figure, FigureKind, Period, Point, Series
from .intervals import SIGMAS

RUN: Final = 8
LEAST: Final = 4


def _limits(figure: Figure, centre: float) -> tuple[float, float]:
    if figure.kind is FigureKind.PROPORTION:
        reach = SIGMAS * sqrt(centre * (1 - centre) / figure.denominator)
        return max(0.0, centre - reach), min(1.0, centre + reach)
    reach = SIGMAS * sqrt(centre / figure.denominator)
    return max(0.0, centre - reach), centre + reach


def _runs(figures: Sequence[Figure], centre: float) -> set[int]:
    """Where `RUN` or more points in a row lie on one side. A point on the line, and one of small numbers, ends a run."""
    found: set[int] = set()
    start, side = 0, 0
    for at, figure in enumerate([*figures, None]):
        here = 0
        if figure is not None and figure.value is not None and not figure.small:
            here = (figure.value > centre) - (figure.value < centre)
        if here != side:
            if side and at - start >= RUN:
                found.update(range(start, at))
            start, side = at, here
    return found


def chart(code: str, points: Sequence[tuple[Period, Figure]], kind: FigureKind) -> Series:
    """`points` are consecutive periods, oldest first."""
    named: Literal["p", "u"] = "p" if kind is FigureKind.PROPORTION else "u"
    counted = [figure for _period, figure in points if not figure.small]
    total = sum(figure.denominator for figure in counted)
    centre = sum(figure.numerator for figure in counted) / total if total else None
    if centre is None or len(counted) < LEAST:
        return Series(code, named, centre, tuple(Point(p, f, None, None, False, False) for p, f in points))
    runs = _runs([figure for _period, figure in points], centre)
    return Series(code, named, centre, tuple(
        _point(period, figure, centre, at in runs) for at, (period, figure) in enumerate(points)))


def _point(period: Period, figure: Figure, centre: float, run: bool) -> Point:
    if figure.small or figure.value is None:
        return Point(period, figure, None, None, False, False)
    lower, upper = _limits(figure, centre)
    slack = 1e-12  # a point on its limit is not outside for a rounding error
    return Point(period, figure, lower, upper, not lower - slack <= figure.value <= upper + slack, run)
