"""The staffing plan in a real browser: readable by everyone, whatever stands in it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.utils.timezone import localdate
from playwright.sync_api import expect

from tests.browser import axe, readable
from tests.journeys.conftest import Open
from tests.journeys.test_desk import press
from tests.telephony.test_staffing import half

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def log(served: Any) -> None:
    """Three weeks in which the mornings are busy and a few call at night."""
    for back in range(1, 22):
        day = localdate() - timedelta(days=back)
        for hour, calls in ((2, 1), (9, 18), (10, 25), (15, 14)):
            half(day, time(hour), offered=calls, abandoned=calls // 10, in_time=calls // 2)


@pytest.mark.parametrize(("width", "locale"), [(1440, "zh-CN"), (360, "en-US")])
def test_the_plan_is_readable_by_everyone_and_fits(open_as: Open, served: Any, log: None, width: int, locale: str) -> None:
    page = open_as("supervisor", "/desk/staffing/", width=width, height=800, locale=locale)
    for query in ("", "?kind=restday&weeks=2", "?share=100&weeks=many"):
        page.goto(f"{served.url}/desk/staffing/{query}")
        assert readable(page, 360, 1440) == [], query
    assert page.locator("[aria-invalid=true]").count() == 2
    assert page.faults == []


def test_asked_by_keyboard(open_as: Open, served: Any, log: None) -> None:
    page = open_as("supervisor", "/desk/staffing/")
    expect(page.get_by_role("img", name="每半小时要几个人")).to_be_visible()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    busiest = page.locator("tr", has_text="10:00–10:30").locator("td").nth(3)
    usual = int(busiest.inner_text().split()[0])
    page.locator("#share").fill("99")
    press(page, "Enter")
    page.wait_for_url("**share=99**")
    assert int(busiest.inner_text().split()[0]) > usual
    assert page.faults == []


def test_an_empty_log_is_readable(open_as: Open, served: Any) -> None:
    page = open_as("leader", "/desk/staffing/", width=360, height=800)
    expect(page.locator(".lx-empty")).to_contain_text("没有来电记录")
    assert axe(page) == []
