"""English is wider: what is read in it has the room it needs, and is not led where nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.organisations.models import Unit
from tests.browser import new_page, readable
from tests.journeys.conftest import Open
from tests.supervision.test_listings import issued, to_delisting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_overview_shows_every_column(served: Any, open_as: Open) -> None:
    Unit.objects.filter(code="urban").update(name_en="Yueyanglou District Urban Management Bureau")
    issued(served.world)
    page = open_as("supervisor", "/desk/overview/", locale="en-GB")
    for name in ("by-unit", "by-county"):
        region = page.locator(f".desk-scroll[aria-labelledby={name}]")
        assert region.evaluate("(one) => one.scrollWidth <= one.clientWidth"), name
        assert region.locator("tbody th").first.bounding_box()["width"] >= 100, name
    assert page.faults == []


def test_a_listed_matter_fits_a_telephone(served: Any, browser: Any) -> None:
    one = issued(served.world)
    to_delisting(served.world, one)
    page = new_page(browser, width=360, height=740, locale="en-GB")
    page.goto(f"{served.url}/listings/{one.year}/{one.serial}/")
    assert readable(page, 360) == []
    assert "：" not in page.locator("main").inner_text()
    assert page.faults == []
    page.context.close()
