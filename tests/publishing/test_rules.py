"""The rules by themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianxin.cases.models import State
from lianxin.publishing import rules
from lianxin.publishing.models import Dated, Stage


def test_every_state_is_a_stage_or_has_no_record() -> None:
    assert {state for state in State if rules.stage_of(state) is None} == set(rules.NO_RECORD)
    assert set(rules.STAGES.values()) == set(Stage)


def test_finer_likeness_is_looked_for_before_coarser() -> None:
    spans, places = ["day", "week", "month"], ["village", "town", "county", "city"]
    depth = ["leaf", "middle", "top", ""]
    for earlier, later in product(range(len(rules.LEVELS)), repeat=2):
        if earlier < later:
            one, other = rules.LEVELS[earlier], rules.LEVELS[later]
            finer = all(order.index(a) <= order.index(b) for order, a, b in (
                (spans, one.dated, other.dated), (places, one.place, other.place), (depth, one.category, other.category)))
            coarser = all(order.index(a) >= order.index(b) for order, a, b in (
                (spans, one.dated, other.dated), (places, one.place, other.place), (depth, one.category, other.category)))
            assert finer or not coarser


@pytest.mark.parametrize(("dated", "today", "before"), [
    (Dated.DAY, date(2026, 10, 14), date(2026, 10, 14)), (Dated.WEEK, date(2026, 10, 18), date(2026, 10, 12)),
    (Dated.WEEK, date(2026, 10, 19), date(2026, 10, 19)), (Dated.MONTH, date(2026, 11, 7), date(2026, 10, 1)),
    (Dated.MONTH, date(2026, 11, 8), date(2026, 11, 1)),
])
def test_a_span_is_gathered_when_it_is_over(dated: Dated, today: date, before: date) -> None:
    assert rules.bound(dated, today) == before


def test_times_begin_by_the_city_s_own_clock() -> None:
    late = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)  # 1 November, 00:30 in the city, a Sunday
    assert rules.shown_time(Dated.DAY, late) == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert rules.shown_time(Dated.WEEK, late) == datetime(2026, 10, 25, 16, tzinfo=UTC)
    assert rules.shown_time(Dated.MONTH, late) == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert rules.shown_time(Dated.EXACT, late) == late
    assert rules.shown_time(Dated.DAY, None) is None


def test_a_unit_is_named_where_it_gives_nothing_away() -> None:
    city, county, town = (1,), (2, 1), (3, 2, 1)
    assert rules.unit_gives_nothing_away(county, town, leaf_shown=True)
    assert rules.unit_gives_nothing_away((), city, leaf_shown=True)
    assert not rules.unit_gives_nothing_away(town, county, leaf_shown=True), "the street office names the street"
    assert not rules.unit_gives_nothing_away(city, city, leaf_shown=False), "the unit names the matter"


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, None), (4, None), (5, 5), (100, 100)])
def test_small_counts_are_not_told(count: int, told: int | None) -> None:
    assert rules.small(count) == told


TABLES = st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.integers(0, 12), min_size=1, max_size=9)


def possible(told: dict[rules.Cell, int | None], most: int) -> dict[rules.Cell, set[int]]:
    """What each count kept back may be, by all that the table tells: every way to fill it in is tried."""
    cells = [cell for cell, count in told.items() if count is None and rules.ALL not in cell]
    found: dict[rules.Cell, set[int]] = {cell: set() for cell in told if told[cell] is None}

    def fill(place: int, made: dict[rules.Cell, int]) -> None:
        if place == len(cells):
            whole = rules.with_sums({cell: made.get(cell, told[cell] or 0) for cell in told if rules.ALL not in cell})
            if all(told[cell] is None or whole[cell] == told[cell] for cell in told):
                for cell in found:
                    found[cell].add(whole[cell])
            return
        row, column = cells[place]
        room = [most]
        for total, line in (((row, rules.ALL), 0), ((rules.ALL, column), 1)):
            if told[total] is not None:
                key = cells[place][line]
                room.append((told[total] or 0) - sum(
                    (made.get(cell) if cell in made else told[cell]) or 0 for cell in told if rules.ALL not in cell and cell[line] == key))
        for value in range(max(min(room), -1) + 1):
            fill(place + 1, made | {cells[place]: value})

    fill(0, {})
    return found


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), st.integers(0, 9), min_size=1, max_size=6))
def test_no_count_kept_back_follows_from_the_sums(counts: dict[rules.Cell, int]) -> None:
    told = rules.suppressed(counts)
    full = rules.with_sums(counts)
    assert all(count is None or count == full[cell] for cell, count in told.items())
    assert all(told[cell] is None for cell, count in full.items() if 0 < count < rules.K)
    for cell, values in possible(told, most=14).items():
        assert full[cell] in values
        if 0 < full[cell] < rules.K:
            assert len(values) > 1, (cell, counts, told)


@given(TABLES)
def test_a_table_of_great_counts_is_told_whole(counts: dict[rules.Cell, int]) -> None:
    great = {cell: count + rules.K for cell, count in counts.items()}
    rows, columns = {row for row, _column in great}, {column for _row, column in great}
    assert rules.suppressed(great) == rules.with_sums(great)
    assert len(rules.with_sums(great)) == (len(rows) + 1) * (len(columns) + 1)
