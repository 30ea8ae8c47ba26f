"""Surges: found when they are there, and no more false ones than stated when nothing is going on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from lianxin.triage.hot.surges import FALSE_PER_DAY, WINDOW, Series, daily, shuffled, surges

FIRST = date(2026, 1, 5)
DAYS = 84 + 280
SHARE = np.array([1.3, 1.2, 1.1, 1.1, 1.0, 0.7, 0.6])


def quiet(seed: int, *, spread: float, series: int = 40) -> dict[Series, Any]:
    """A city in which nothing happens: 8 categories × 5 places of 0.02 to 4 messages a day, with weekdays."""
    source = np.random.default_rng(seed)
    counts: dict[Series, Any] = {}
    for number in range(series):
        rate = 0.02 * 200 ** (number / (series - 1))
        level = rate * SHARE[(np.arange(DAYS) + FIRST.weekday()) % 7]
        if spread:
            level = source.gamma(1 / spread, level * spread)
        counts[f"place {number % 5}", f"category {number // 5}"] = source.poisson(level)
    return counts


@pytest.mark.parametrize("spread", [0.0, 0.15])
def test_no_more_false_alarms_than_stated_when_nothing_is_going_on(spread: float) -> None:
    years = 4
    rang = sum(len(surges(quiet(seed, spread=spread), FIRST)) for seed in range(years))
    stated = FALSE_PER_DAY * (DAYS - WINDOW) * years
    assert rang <= stated + 3 * stated ** 0.5
    assert rang >= stated / 20  # it is not silent because it cannot ring


def test_a_lower_stated_rate_rings_less() -> None:
    counts = quiet(1, spread=0.15)
    assert len(surges(counts, FIRST, false_per_day=1 / 140)) < len(surges(counts, FIRST, false_per_day=2))


@pytest.mark.parametrize(("series", "more"), [(("place 0", "category 0"), 5), (("place 4", "category 7"), 22)])
def test_a_surge_is_found_on_its_day(series: Series, more: int) -> None:
    counts = quiet(3, spread=0.05)
    counts[series] = counts[series].copy()
    counts[series][200] += more
    found = [surge for surge in surges(counts, FIRST) if (surge.place, surge.category) == series]
    assert FIRST + timedelta(days=200) in {surge.day for surge in found}
    surge = next(surge for surge in found if surge.day == FIRST + timedelta(days=200))
    assert surge.count > surge.expected * 2


def test_one_surge_does_not_hide_the_next() -> None:
    counts = quiet(4, spread=0.0)
    key = ("place 2", "category 4")
    counts[key] = counts[key].copy()
    for day in (150, 165):
        counts[key][day] += 12
    days = {surge.day for surge in surges(counts, FIRST) if (surge.place, surge.category) == key}
    assert {FIRST + timedelta(days=150), FIRST + timedelta(days=165)} <= days


def test_a_busy_weekday_is_no_surge() -> None:
    source = np.random.default_rng(7)
    level = np.where((np.arange(DAYS) + FIRST.weekday()) % 7 == 0, 12.0, 1.0)
    counts: dict[Series, Any] = {(f"place {number}", "all"): source.poisson(level) for number in range(10)}
    assert len(surges(counts, FIRST)) <= FALSE_PER_DAY * (DAYS - WINDOW) * 2


def test_counts_are_made_of_rows_and_days_outside_left_out() -> None:
    rows = [("a", "x", FIRST), ("a", "x", FIRST), ("b", "x", FIRST + timedelta(days=2)), ("a", "x", FIRST + timedelta(days=3)),
            ("a", "x", FIRST - timedelta(days=1))]
    counts = daily(rows, FIRST, 3)
    assert {key: values.tolist() for key, values in counts.items()} == {("a", "x"): [2, 0, 0], ("b", "x"): [0, 0, 1]}


def test_nothing_rings_in_nothing() -> None:
    assert surges({}, FIRST) == []
    assert surges({("a", "x"): np.zeros(200, dtype=int)}, FIRST) == []
    assert surges({("a", "x"): np.ones(10, dtype=int)}, FIRST) == []


def test_shuffling_keeps_every_weekday_of_every_series() -> None:
    counts = quiet(2, spread=0.1)
    mixed = shuffled(counts, FIRST, 1)
    for key, values in counts.items():
        for weekday in range(7):
            assert sorted(values[weekday::7]) == sorted(mixed[key][weekday::7])
    assert any((mixed[key] != counts[key]).any() for key in counts)
