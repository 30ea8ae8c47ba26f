"""How sure a share or a count is. The arithmetic is SciPy's, which is loaded at the first question: most processes ask none."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

CONFIDENCE: Final = 0.95


@lru_cache(maxsize=65_536)
def wilson(part: int, whole: int) -> tuple[float, float]:
    """Bounds of a share, 0–1, at 95 %: the score interval (Wilson 1927). 0 and 1 of nothing."""
    if not whole:
        return 0.0, 1.0
    from scipy import stats

    found = stats.binomtest(part, whole).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


@lru_cache(maxsize=65_536)
def poisson(count: int, exposure: int) -> tuple[float, float]:
    """Bounds of count ÷ exposure at 95 %: the exact interval (Garwood 1936). `exposure` is at least 1."""
    from scipy import stats

    tail = (1 - CONFIDENCE) / 2
    low = float(stats.chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    high = float(stats.chi2.isf(tail, 2 * count + 2)) / 2
    return low / exposure, high / exposure
