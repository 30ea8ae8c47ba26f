"""Intervals, comparisons and control charts, against published values and by what must hold of any numbers."""

from __future__ import annotations

from datetime import date
from math import isclose, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lianxin.analysis.control import chart
from lianxin.analysis.figures import FigureKind, Period, Verdict
from lianxin.analysis.intervals import ALPHA, change, figure, poisson, wilson

JANUARY = Period.month(2026, 1)
parts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("k", "n", "low", "high"), [
    (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
])
def test_wilson_is_as_published(k: int, n: int, low: float, high: float) -> None:
    assert [round(bound, 4) for bound in wilson(k, n)] == [low, high]


@given(parts)
def test_wilson_solves_its_own_equation(part: tuple[int, int]) -> None:
    k, n = part
    z = float(stats.norm.isf(0.025))
    for bound in wilson(k, n):
        assert isclose(abs(k / n - bound), z * sqrt(max(bound * (1 - bound), 0) / n), abs_tol=1e-7)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.025, 5.572), (10, 4.795, 18.390)])
def test_poisson_is_as_published(count: int, low: float, high: float) -> None:  # Garwood 1936
    assert [round(bound, 3) for bound in poisson(count, 1)] == [low, high]
    assert [round(bound * 50, 3) for bound in poisson(count, 50)] == [low, high]


@given(parts)
def test_a_figure_lies_in_its_interval(part: tuple[int, int]) -> None:
    for code in ("response", "returns"):
        made = figure(code, *part)
        assert made.low is not None
        assert made.high is not None
        assert made.value is not None
        assert made.low - 1e-12 <= made.value <= made.high + 1e-12
        assert made.low >= 0
        assert made.small == (part[1] < 30)


def test_nothing_to_divide_by() -> None:
    made = figure("response", 0, 0)
    assert (made.value, made.low, made.high, made.small, made.empty) == (None, None, None, True, True)


@pytest.mark.parametrize(("code", "now", "before", "verdict", "test"), [
    ("response", (950, 1000), (900, 1000), Verdict.BETTER, "score"),
    ("response", (900, 1000), (950, 1000), Verdict.WORSE, "score"),
    ("reopen", (950, 1000), (900, 1000), Verdict.WORSE, "score"),
    ("response", (460, 500), (455, 500), Verdict.NONE, "score"),
    ("response", (100, 100), (99, 100), Verdict.NONE, "fisher"),
    ("response", (100, 100), (100, 100), Verdict.NONE, "score"),
    ("response", (29, 29), (10, 100), Verdict.TOO_FEW, ""),
    ("response", (29, 30), (0, 0), Verdict.NO_BEFORE, ""),
    ("returns", (120, 1000), (60, 1000), Verdict.WORSE, "poisson_means"),
    ("returns", (0, 1000), (0, 1000), Verdict.NONE, "poisson_means"),
    ("pauses", (120, 1000), (60, 1000), Verdict.HIGHER, "poisson_means"),
    ("pauses", (60, 1000), (120, 1000), Verdict.LOWER, "poisson_means"),
])
def test_better_worse_or_nothing_beyond_chance(code: str, now: tuple[int, int], before: tuple[int, int],
                                               verdict: Verdict, test: str) -> None:
    made = change(figure(code, *now), figure(code, *before))
    assert (made.verdict, made.test) == (verdict, test)
    assert (made.p_value is None) == (test == "")


@given(parts, parts)
def test_a_comparison_turned_round_says_the_opposite(now: tuple[int, int], before: tuple[int, int]) -> None:
    opposite = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    for code in ("response", "returns"):
        there, back = change(figure(code, *now), figure(code, *before)), change(figure(code, *before), figure(code, *now))
        assert back.verdict == opposite.get(there.verdict, there.verdict)
        if there.p_value is not None and back.p_value is not None:
            assert isclose(there.p_value, back.p_value, rel_tol=1e-6)


def test_noise_is_seldom_called_a_change() -> None:
    """Two thousand pairs drawn from one rate: hardly more are called changed than three sigma allows."""
    drawn = stats.binom.rvs(800, 0.9, size=4000, random_state=7)
    called = sum(change(figure("response", int(a), 800), figure("response", int(b), 800)).verdict != Verdict.NONE
                 for a, b in zip(drawn[::2], drawn[1::2], strict=True))
    assert called <= stats.binom.ppf(0.9999, 2000, ALPHA)


def months(code: str, numbers: list[tuple[int, int]]) -> Any:
    points = [(JANUARY.back(-at), figure(code, *one)) for at, one in enumerate(numbers)]
    return chart(code, points, points[0][1].kind)


def test_limits_widen_where_the_denominator_is_small() -> None:
    made = months("response", [(90, 100), (360, 400), (450, 500), (45, 50)])
    assert made.chart == "p"
    assert made.centre == 945 / 1050
    first, second, _third, last = made.points
    reach = 3 * sqrt(0.9 * 0.1 / 400)
    assert isclose(second.lower or 0, 0.9 - reach)
    assert isclose(second.upper or 0, 0.9 + reach)
    assert (last.lower or 1) < (first.lower or 0) < (second.lower or 0)
    assert last.upper == 1.0
    assert not any(point.outside or point.run for point in made.points)


def test_a_point_outside_its_limits_shows() -> None:
    made = months("response", [(900, 1000)] * 6 + [(800, 1000)])
    assert [point.outside for point in made.points] == [False] * 6 + [True]


def test_a_run_of_eight_on_one_side_shows() -> None:
    made = months("response", [(9000, 10_000)] * 5 + [(9020, 10_000)] * 8)
    assert [point.run for point in made.points] == [False] * 5 + [True] * 8
    assert not any(point.outside for point in made.points)
    assert not any(p.run for p in months("response", [(90, 100)] * 9 + [(92, 100)] * 7).points[9:])


def test_counts_have_a_u_chart() -> None:
    made = months("returns", [(40, 400), (41, 400), (44, 400), (35, 400), (90, 400)])
    assert made.chart == "u"
    assert made.centre == 250 / 2000
    assert isclose(made.points[0].upper or 0, 0.125 + 3 * sqrt(0.125 / 400))
    assert [point.outside for point in made.points] == [False] * 4 + [True]
    assert made.points[0].figure.kind == FigureKind.COUNT


def test_small_numbers_take_no_part_and_too_few_points_have_no_limits() -> None:
    made = months("response", [(90, 100), (0, 10), (90, 100), (90, 100), (90, 100)])
    assert made.centre == 0.9
    assert (made.points[1].lower, made.points[1].outside) == (None, False)
    few = months("response", [(90, 100)] * 3)
    assert few.points[0].lower is None
    assert months("response", [(0, 0)] * 5).centre is None


@given(st.lists(parts, min_size=1, max_size=20))
def test_any_series_has_a_point_for_each_period(numbers: list[tuple[int, int]]) -> None:
    for code in ("response", "returns"):
        made = months(code, numbers)
        assert len(made.points) == len(numbers)
        for point in made.points:
            if point.lower is not None and point.upper is not None:
                assert 0 <= point.lower <= (made.centre or 0) + 1e-12
                assert (made.centre or 0) - 1e-12 <= point.upper


def test_the_margin_is_three_sigma() -> None:
    assert round(ALPHA, 4) == 0.0027
    assert date(2026, 1, 1) == JANUARY.start
