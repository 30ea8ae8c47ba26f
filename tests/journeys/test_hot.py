"""Four letters about one plant: the dispatcher finds them on the board of hot issues and takes three of them as one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases.models import Case, State
from lianxin.triage.hot import keeping
from lianxin.triage.hot.models import HotIssue, HotSurge
from tests.browser import axe, readable
from tests.journeys.conftest import Open
from tests.triage.hot.letters import OTHERS, PLANT
from tests.triage.hot.test_cases import letters

pytestmark = pytest.mark.browser


@pytest.fixture
def plant(served: Any) -> list[Case]:
    world = served.world
    made = letters(PLANT)
    letters(OTHERS, first=100)
    keeping.work_out()
    HotSurge.objects.create(county=world.areas["990101"], category=world.categories["010101"].parent,
                            day=made[0].registered_at.date(), count=23, expected=4.04, chance=1e-9)
    return made


@pytest.mark.parametrize(("width", "locale"), [(1440, "zh-CN"), (360, "en-US"), (1440, "zh-TW")])
def test_board_and_issue_are_readable_by_everyone_and_fit(
    open_as: Open, served: Any, plant: list[Case], width: int, locale: str,
) -> None:
    issue = HotIssue.objects.get()
    page = open_as("dispatcher", "/desk/hot/", width=width, height=800, locale=locale)
    for path in ("/desk/hot/", f"/desk/hot/{issue.pk}/"):
        page.goto(served.url + path)
        assert readable(page, 360, 768, 1440) == [], path
    assert page.faults == []


def test_an_empty_board_is_readable(open_as: Open, served: Any) -> None:
    page = open_as("supervisor", "/desk/hot/", width=360, height=800)
    assert axe(page) == []
    assert page.faults == []


def test_three_are_taken_as_one_by_keyboard(open_as: Open, served: Any, plant: list[Case]) -> None:
    page = open_as("dispatcher", "/desk/hot/")
    page.locator("th a").first.wait_for()
    page.keyboard.press("o")
    page.locator("#reason").wait_for()
    last = page.locator("input[name=case]").last
    last.focus()
    page.keyboard.press("Space")
    page.locator("#reason").focus()
    page.keyboard.type("同一个搅拌站。")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/desk/cases/{plant[0].pk}/")
    assert Case.objects.filter(state=State.MERGED).count() == 2
    assert page.faults == []
