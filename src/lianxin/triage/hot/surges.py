"""More than usual: counts by place, category and day against the level expected for that weekday.

The count of a day is compared with a negative binomial distribution around the expected level: the mean of the days
before, drawn towards the category's mean over all places (gamma prior), times the weekday's share; spread by the
dispersion found in the same days and by how little is known of a place with few messages. A day rings when a count as
high or higher has a probability below `false_per_day` ÷ number of series. Counts are whole, so it rings less often
than that when nothing is going on. (Farrington et al. 1996; Noufaily et al. 2013 are the surveillance systems of this
kind.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

WINDOW: Final = 84  # days the usual level is taken from: twelve of each weekday
FALSE_PER_DAY: Final = 1 / 14  # rings when nothing is going on, over all series: one in a fortnight at most
LEAST: Final = 3  # a lower count never rings
PRIOR_DAYS: Final = 14.0  # days that the category's mean over all places counts for

Series = tuple[str, str]  # place, category


@dataclass(frozen=True, slots=True)
class Surge:
    """A day with more than usual: how many there were, how many were to be expected, how unlikely that is by chance."""

    place: str
    category: str
    day: date
    count: int
    expected: float
    chance: float


def daily(rows: Sequence[tuple[str, str, date]], first: date, days: int) -> dict[Series, Any]:
    """Counts per series and day, `days` days from `first`; rows are place, category, day, days outside are left out."""
    counts: dict[Series, Any] = {}
    for place, category, day in rows:
        if 0 <= (offset := (day - first).days) < days:
            counts.setdefault((place, category), np.zeros(days, dtype=np.int64))[offset] += 1
    return counts


def surges(counts: Mapping[Series, Any], first: date, *, false_per_day: float = FALSE_PER_DAY) -> list[Surge]:
    """Days with a full window before them on which a series rang, most unlikely first.

    Days inside a window on which the series rang count in it no higher than the highest count that would not have rung,
    so that one surge does not hide the next.
    """
    from scipy.stats import nbinom

    keys = sorted(counts)
    if not keys:
        return []
    table = np.array([counts[key] for key in keys], dtype=np.float64)
    usual = table.copy()
    limit = false_per_day / len(keys)
    found: list[Surge] = []
    for day in range(WINDOW, table.shape[1]):
        expected, size = _level(usual[:, day - WINDOW:day], keys, first + timedelta(days=day - WINDOW), first + timedelta(days=day))
        chance = nbinom.sf(table[:, day] - 1, size, size / (size + expected))
        for row in np.flatnonzero((chance < limit) & (table[:, day] >= LEAST)):
            place, category = keys[row]
            found.append(Surge(place, category, first + timedelta(days=day), int(table[row, day]), float(expected[row]),
                               float(chance[row])))
            usual[row, day] = max(0, nbinom.isf(limit, size[row], size[row] / (size[row] + expected[row])))
    return sorted(found, key=lambda surge: (surge.chance, surge.day, surge.place, surge.category))


def _level(past: Any, keys: Sequence[Series], begin: date, day: date) -> tuple[Any, Any]:
    """Expected count of each series on `day` and the size of its negative binomial, from the days since `begin`."""
    weekday = (np.arange(past.shape[1]) + begin.weekday()) % 7
    share = _weekdays(past, weekday)
    categories = np.unique([category for _, category in keys], return_inverse=True)[1]
    mean = (np.bincount(categories, past.sum(axis=1)) / np.bincount(categories))[categories] / past.shape[1]
    exposure = share[weekday].sum()
    known = PRIOR_DAYS * mean + past.sum(axis=1)
    rate = known / (PRIOR_DAYS + exposure)
    expected = np.maximum(rate * share[day.weekday()], 1e-9)
    level = rate[:, None] * share[weekday][None, :]
    spread = max(0.0, float((((past - level) ** 2 - level).sum()) / max((level ** 2).sum(), 1e-9)))
    return expected, 1 / (spread + 1 / np.maximum(known, 1e-9))


def _weekdays(past: Any, weekday: Any) -> Any:
    """What each weekday has of a mean day over all series together, drawn towards 1 by one week's worth of mean days."""
    total = past.sum(axis=0)
    mean = max(total.mean(), 1e-9)
    sums = np.bincount(weekday, total, minlength=7)
    number = np.bincount(weekday, minlength=7)
    return (sums + mean) / (number * mean + mean)


def shuffled(counts: Mapping[Series, Any], first: date, seed: int) -> dict[Series, Any]:
    """The same counts with the weeks of every series in another order, each by itself: weekdays stay, surges fall apart
    only over series, days keep what they had. For looking at how often a quiet year of this city would ring."""
    source = np.random.default_rng(seed)
    mixed = {}
    for key, values in sorted(counts.items()):
        made = np.array(values)
        for weekday in range(7):
            days = np.arange((weekday - first.weekday()) % 7, len(made), 7)
            made[days] = source.permutation(made[days])
        mixed[key] = made
    return mixed
