"""What is kept back cannot be worked out: tried by whoever knows all the rules."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

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


def test_nothing_below_what_is_kept_back_is_shown() -> None:
    parents = {1: None, 2: 1, 3: 1, 4: 1, 21: 2, 22: 2, 31: 3}
    counts = {1: 60, 2: 3, 3: 7, 4: 50, 21: 3, 31: 7}
    assert shown(counts, parents) == {1, 4}  # 3 would have told of 2, and 31 of 3
    assert shown({1: 4}, parents) == set()
    assert shown({1: 100, 2: 50, 3: 30, 4: 20, 21: 20, 22: 30, 31: 30}, parents) == set(parents)


def test_what_lies_in_no_part_is_a_part_of_its_own() -> None:
    parents = {1: None, 2: 1, 3: 1}
    assert shown({1: 40, 2: 20, 3: 18}, parents) == {1, 2}  # two of the city lie nowhere: one of its parts keeps them company
