"""A day in words, as every face says it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils.translation import override

from lianxin.faces.templatetags.lianxin import day
from lianxin.kernel.clock import frozen


@pytest.mark.parametrize(("language", "this_year", "another"), [
    ("zh-hans", "11 月 26 日（周四）", "2027 年 1 月 8 日（周五）"), ("zh-hant", "11 月 26 日（週四）", "2027 年 1 月 8 日（週五）"),
    ("en", "Thu 26 Nov", "Fri 8 Jan 2027"),
])
def test_a_day_has_its_weekday_and_another_year_is_said(language: str, this_year: str, another: str) -> None:
    with frozen(datetime(2026, 11, 23, 2, 0, tzinfo=UTC)), override(language):
        assert day(date(2026, 11, 26)) == this_year
        assert day(date(2027, 1, 8)) == another
        assert day(datetime(2026, 11, 25, 17, 0, tzinfo=UTC)) == this_year  # one o'clock at night, in the city
    assert day(None) == ""
