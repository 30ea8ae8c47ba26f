"""The loop that working time is measured against gives the same due times, and the rows say what was measured."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lianxin.bench.worktime import measure, stepping
from lianxin.worktime import Calendar

CALENDAR = Calendar.chinese()


@given(st.datetimes(datetime(2024, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)), st.integers(1, 6300))  # noqa: DTZ001
def test_the_loop_agrees(start: datetime, minutes: int) -> None:
    assert stepping(CALENDAR, start, minutes) == CALENDAR.add(start, minutes).at


def test_what_the_rows_say() -> None:
    rows = measure(count=2_000)
    assert [row.part for row in rows] == ["worktime"] * 3
    assert all(row.ratio.endswith("×") and "/s" in row.ours and "/s" in row.against for row in rows)
    assert [row.met is None for row in rows] == [False, False, True]
