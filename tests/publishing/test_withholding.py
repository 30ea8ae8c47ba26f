"""What is kept back cannot be worked out: tried by whoever knows all the rules."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from lianxin.publishing.withholding import K, few, kept_back, shown

ROW = st.dictionaries(st.integers(1, 9), st.integers(0, 14), min_size=1, max_size=6)


def possible(total: int, hidden: int, most: int) -> set[tuple[int, ...]]:
    """Every way in which so many numbers can have that sum."""
    return {made for made in product(range(most + 1), repeat=hidden) if sum(made) == total}


@given(ROW)
def test_no_hidden_number_follows_from_the_sum(cells: dict[int, int]) -> None:
    hidden = kept_back(cells)
    assert {key for key, count in cells.items() if few(count)} <= hidden
    if not hidden or hidden == set(cells):
        return  # nothing is hidden, or the whole row is
    ways = possible(sum(cells[key] for key in hidden), len(hidden), sum(cells.values()))
    for at, _key in enumerate(sorted(hidden)):
        assert len({way[at] for way in ways}) >= 2 * K - 1


def test_a_single_small_number_takes_the_next_smallest_with_it() -> None:
    assert kept_back({1: 3, 2: 40, 3: 7, 4: 0}) == {1, 3}
    assert kept_back({1: 3, 2: 3, 3: 50, 4: 8}) == {1, 2, 4}
    assert kept_back({1: 0, 2: 5}) == set()


def test_without_keeping_more_back_the_number_would_follow() -> None:
    """The attack that the rule answers: the sum less what is shown."""
    cells = {1: 3, 2: 40, 3: 7}
    only_small = {key for key, count in cells.items() if few(count)}
    assert sum(cells.values()) - sum(count for key, count in cells.items() if key not in only_small) == 3
    hidden = kept_back(cells)
    assert sum(cells.values()) - sum(count for key, count in cells.items() if key not in hidden) == 10


def test_what_is_kept_back_for_anothers_sake_keeps_parts_back_too() -> None:
    parents = {1: None, 2: 1, 3: 1, 4: 1, 21: 2, 22: 2, 31: 3}
    counts = {1: 60, 2: 3, 3: 7, 4: 50, 21: 3, 31: 7}
    assert shown(counts, parents) == {1, 4}  # 3 would have told of 2, and 31 of 3
    assert shown({1: 4}, parents) == set()
    assert shown({1: 100, 2: 50, 3: 30, 4: 20, 21: 20, 22: 30, 31: 30}, parents) == set(parents)
    wide = {1: None, 2: 1, 3: 1, 31: 3, 32: 3, 33: 3}
    assert shown({1: 63, 2: 3, 3: 60, 31: 20, 32: 33, 33: 7}, wide) == {1, 31, 32}  # 33 stands in for 3


def tree(draw: st.DrawFn) -> tuple[dict[int, int], dict[int, int | None]]:
    """City, counties, towns: how many lie in each, with what lies in none of its parts."""
    parents: dict[int, int | None] = {1: None}
    counts = {1: 0}
    number = st.one_of(st.integers(0, 6), st.integers(0, 40))
    for county in range(10, 10 * (2 + draw(st.integers(1, 3))), 10):
        parents[county] = 1
        towns = {county + at: draw(number) for at in range(1, 1 + draw(st.integers(0, 3)))}
        counts |= towns
        parents |= dict.fromkeys(towns, county)
        counts[county] = sum(towns.values()) + draw(number)
        counts[1] += counts[county]
    counts[1] += draw(number)
    return counts, parents


@settings(max_examples=60)
@given(st.composite(tree)())
def test_no_small_number_of_a_tree_can_be_worked_out(made: tuple[dict[int, int], dict[int, int | None]]) -> None:
    """Whoever knows every number that is shown and adds them up every way (linear programming) still cannot tell which of one to four
    a small one is."""
    counts, parents = made
    told = shown(counts, parents)
    assert not any(few(counts[area]) for area in told)
    areas = sorted(parents)
    rest = [area for area in areas if area in parents.values()]
    names = [*areas, *(-area for area in rest)]
    equal, right = [], []
    for area in rest:
        row = {area: -1.0, -area: 1.0, **{part: 1.0 for part, parent in parents.items() if parent == area}}
        equal.append([row.get(name, 0.0) for name in names])
        right.append(0.0)
    bounds = [(counts[name], counts[name]) if name in told else (0, None) for name in names]
    for area in areas:
        if area in told or not few(counts[area]) or counts[1] < 2 * K:
            continue
        ends = [linprog([sign * float(name == area) for name in names], A_eq=equal, b_eq=right, bounds=bounds) for sign in (1, -1)]
        assert ends[0].fun <= 1
        assert ends[1].status == 3 or -ends[1].fun >= K - 1  # unbounded, or large


def test_what_lies_in_no_part_is_a_part_of_its_own() -> None:
    parents = {1: None, 2: 1, 3: 1}
    assert shown({1: 40, 2: 20, 3: 18}, parents) == {1, 2}  # two of the city lie nowhere: one of its parts keeps them company
