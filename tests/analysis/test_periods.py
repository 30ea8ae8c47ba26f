"""Periods: civil days of the city, half open, and how a person says one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.analysis.periods import Period, PeriodKind
from lianxin.kernel.errors import Invalid

days = st.dates(date(2000, 1, 3), date(2090, 1, 1))


@pytest.mark.parametrize(("said", "start", "end", "kind"), [
    ("2026-11", date(2026, 11, 1), date(2026, 12, 1), "month"),
    ("2026-12", date(2026, 12, 1), date(2027, 1, 1), "month"),
    ("2026-W48", date(2026, 11, 23), date(2026, 11, 30), "week"),
    ("2026-W53", date(2026, 12, 28), date(2027, 1, 4), "week"),
    ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1), "quarter"),
    ("2026", date(2026, 1, 1), date(2027, 1, 1), "year"),
    ("2026-11-01..2026-11-15", date(2026, 11, 1), date(2026, 11, 16), "custom"),
])
def test_said_and_said_again(said: str, start: date, end: date, kind: str) -> None:
    made = Period.of(said)
    assert (made.start, made.end, made.kind) == (start, end, kind)
    assert made.code == said
    assert Period.of(made.code) == made


@pytest.mark.parametrize("said", ["", "2026-13", "2026-W54", "2025-W53", "2026-Q5", "11/2026", "2026-11-15..2026-11-01",
                                  "2026-02-30..2026-03-01", "0000", "0001", "1999", "1999-W01", "2101", "2000..9000",
                                  "2000-01-01..9000-01-01", "9999", "9999-12", "2026-11-01", "本月"])
def test_what_is_no_period_is_refused_in_words(said: str) -> None:
    with pytest.raises(Invalid) as caught:
        Period.of(said)
    assert str(caught.value)


def test_a_day_begins_at_midnight_in_the_city() -> None:
    made = Period.of("2026-11")
    assert made.starts_at == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert made.ends_at == datetime(2026, 11, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize(("said", "previous", "year_before"), [
    ("2026-03", "2026-02", "2025-03"),
    ("2026-01", "2025-12", "2025-01"),
    ("2026-Q1", "2025-Q4", "2025-Q1"),
    ("2026", "2025", "2025"),
    ("2026-W01", "2025-W52", "2025-W01"),
    ("2026-W53", "2026-W52", "2025-W52"),
    ("2024-02-29..2024-02-29", "2024-02-28..2024-02-28", "2023-02-28..2023-02-28"),
    ("2026-11-01..2026-11-15", "2026-10-17..2026-10-31", "2025-11-01..2025-11-15"),
])
def test_what_it_is_compared_with(said: str, previous: str, year_before: str) -> None:
    made = Period.of(said)
    assert (made.previous().code, made.year_before().code) == (previous, year_before)


@given(days, st.integers(0, 60))
def test_periods_follow_each_other_without_a_gap(day: date, back: int) -> None:
    for made in (Period.week(day), Period.month(day.year, day.month), Period.of(f"{day.year}-Q{(day.month + 2) // 3}"),
                 Period.of(str(day.year)), Period(day, day + timedelta(days=9))):
        assert made.back(back + 1).end == made.back(back).start
        assert made.back(back).kind is made.kind
        assert made.back(-back).back(back) == made
        if made.kind is not PeriodKind.CUSTOM:
            assert made.start <= day < made.end
            assert Period.of(made.code) == made
