"""The typical time: the ordinary median where nobody waits, and never flattered by those who do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lianxin.publishing.typical import LEAST, Span, typical

HOURS = st.integers(0, 500)


def test_a_table_worked_by_hand() -> None:
    """Kaplan and Meier with ties: S falls 8/10, 6/10, then 6 at risk less one censored, 5 at risk: 4/5 of it, 3/4 of that, …"""
    spans = [Span(5, True, 2), Span(8, True, 2), Span(8, False), Span(12, True), Span(20, True), Span(30, False, 3)]
    found = typical(spans)
    # S(5) = 0.8; S(8) = 0.8·6/8 = 0.6; S(12) = 0.6·4/5 = 0.48; S(20) = 0.48·3/4 = 0.36
    assert (found.quarter, found.half, found.three_quarters) == (8, 12, None)
    assert (found.ended, found.waiting, found.few) == (6, 4, True)


def test_leaving_out_those_who_wait_would_flatter() -> None:
    done, waiting = [Span(24, True)] * 12, [Span(400, False)] * 13
    assert typical(done).half == 24
    assert typical([*done, *waiting]).half is None


@given(st.lists(HOURS, min_size=1, max_size=80))
def test_without_anybody_waiting_it_is_the_ordinary_quantile(hours: list[int]) -> None:
    found, ordered = typical(Span(one, True) for one in hours), sorted(hours)
    for part, value in ((1, found.quarter), (2, found.half), (3, found.three_quarters)):
        assert value == ordered[-(-len(hours) * part // 4) - 1]
    assert found.few == (len(hours) < LEAST)


@given(st.lists(st.tuples(HOURS, st.booleans()), max_size=60))
def test_grouped_or_one_by_one_is_the_same_and_waiting_never_makes_it_quicker(rows: list[tuple[int, bool]]) -> None:
    single = typical(Span(hours, ended) for hours, ended in rows)
    grouped = typical(Span(hours, ended, rows.count((hours, ended))) for hours, ended in set(rows))
    assert single == grouped
    finished = typical(Span(hours, True) for hours, ended in rows if ended)
    if single.half is not None:
        assert finished.half is not None
        assert single.half >= finished.half
