"""How sure a figure is, and whether two of them differ by more than chance. The arithmetic is SciPy's, which is loaded at
the first question, as `kernel.shares` does: it takes a second, and most processes ask none.

Intervals are at 95 %. For a proportion Wilson's score interval (Wilson 1927), for a count the exact Poisson interval
(Garwood 1936). Two proportions are compared by Pearson's χ² without correction, which is the score test of their
difference and agrees with Wilson's interval; where an expected number is below five, by Fisher's exact test. Two counts
are compared by the exact conditional test for the ratio of two Poisson means (Przyborowski and Wilenski 1940). All are
two-sided, at the 0.3 % of three sigma: what a control chart calls outside is what a comparison calls a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import erfc, sqrt
from typing import Final

from django.conf import settings

from lianxin.kernel.shares import poisson as poisson
from lianxin.kernel.shares import wilson as wilson

from .figures import Change, Figure, FigureKind, Verdict
from .rates import DEFINITIONS

SIGMAS: Final = 3
ALPHA: Final = erfc(SIGMAS / sqrt(2))  # 0.0027: both tails of the normal distribution


def figure(code: str, numerator: int, denominator: int) -> Figure:
    """A figure with its interval; without one when there is nothing to divide by."""
    kind = DEFINITIONS[code].kind
    small = denominator < settings.LIANXIN_SMALL_NUMBERS
    if denominator == 0:
        return Figure(code, numerator, 0, None, None, None, True, kind)
    low, high = (wilson if kind is FigureKind.PROPORTION else poisson)(numerator, denominator)
    return Figure(code, numerator, denominator, numerator / denominator, low, high, small, kind)


def _proportions(now: Figure, before: Figure) -> tuple[str, float]:
    table = [[now.numerator, now.denominator - now.numerator], [before.numerator, before.denominator - before.numerator]]
    total = now.denominator + before.denominator
    hits = now.numerator + before.numerator
    if hits in (0, total):  # all alike: nothing can differ
        return "score", 1.0
    from scipy import stats

    least = min(now.denominator, before.denominator) * min(hits, total - hits) / total
    if least < 5:
        return "fisher", float(stats.fisher_exact(table)[1])
    return "score", float(stats.chi2_contingency(table, correction=False)[1])


def _counts(now: Figure, before: Figure) -> tuple[str, float]:
    total = now.numerator + before.numerator
    if total == 0:
        return "poisson_means", 1.0
    from scipy import stats

    share = now.denominator / (now.denominator + before.denominator)
    return "poisson_means", float(stats.binomtest(now.numerator, total, share).pvalue)


def change(now: Figure, before: Figure) -> Change:
    """Better, worse, or no change beyond chance – and by which test. Small numbers are not compared."""
    code = now.code
    if now.value is None or before.value is None:
        return Change(code, now, before, Verdict.NO_BEFORE, None, "", None)
    difference = now.value - before.value
    if now.small or before.small:
        return Change(code, now, before, Verdict.TOO_FEW, difference, "", None)
    test, p = (_proportions if now.kind is FigureKind.PROPORTION else _counts)(now, before)
    return Change(code, now, before, _verdict(code, difference, p), difference, test, p)


def _verdict(code: str, difference: float, p: float) -> Verdict:
    if p >= ALPHA or difference == 0:
        return Verdict.NONE
    better = DEFINITIONS[code].better
    up = difference > 0
    if better == "neither":
        return Verdict.HIGHER if up else Verdict.LOWER
    return Verdict.BETTER if up == (better == "higher") else Verdict.WORSE


def changes(now: Mapping[str, Figure], before: Mapping[str, Figure]) -> dict[str, Change]:
    return {code: change(figure, before[code]) for code, figure in now.items()}
