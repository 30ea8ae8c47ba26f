"""A third return in a real browser: the joint ruling, the proposal, another person's approval, and the next dispatch."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases import reference
from lianxin.cases.models import Assignment, Case, CatalogueVersion, Return
from tests.browser import axe
from tests.cases.test_returns import give_back, sent
from tests.desk.test_returns import second
from tests.journeys.conftest import Open

pytestmark = pytest.mark.browser


def test_a_third_return_teaches_the_catalogue(served: Any, open_as: Open) -> None:
    world = served.world
    second(world)
    case_id = sent(world, "housing", "water", "urban")
    give_back(world, case_id, "urban", "housing")

    # The dispatcher cannot uphold it; the page says why. By keyboard: the joint ruling, and from it the proposal.
    desk = open_as("dispatcher", f"/desk/cases/{case_id}/")
    expect(desk.get_by_text("已是第 3 次退单，须联合裁定").first).to_be_visible()
    assert desk.get_by_role("button", name=re.compile("同意退单")).get_attribute("aria-disabled") == "true"
    assert axe(desk) == []
    desk.keyboard.press("d")
    desk.wait_for_selector(".desk-act [name=basis]")
    assert desk.locator(".desk-act [name=lead_unit]").input_value() == "housing 市住建局"
    desk.fill(".desk-act [name=lead_unit]", "urban 市城管局")
    desk.fill(".desk-act [name=assisting_units]", "housing")
    desk.fill(".desk-act [name=ruling]", "城管局主办，住建局提供许可资料。")
    assert axe(desk) == []
    desk.keyboard.press("Control+Enter")  # the basis is missing: what was typed stays
    expect(desk.locator("#id_basis_error")).to_be_visible()
    assert desk.locator(".desk-act [name=lead_unit]").input_value() == "urban 市城管局"
    desk.fill(".desk-act [name=basis]", "三定方案第七条")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".lx-notice.good")).to_be_visible()
    assert Return.objects.get(case_id=case_id, ruling="joint").basis == "三定方案第七条"

    desk.keyboard.press("g")
    desk.wait_for_url(re.compile("/catalogue/propose/"))
    assert desk.locator("[name=lead_unit]").input_value() == "urban 市城管局"
    assert desk.locator("[name=basis]").input_value() == "三定方案第七条"
    desk.fill("[name=area]", "")
    desk.fill("[name=why]", "三次退单，都归城管。")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_url(re.compile("/catalogue/proposals/"))
    own = desk.url.removeprefix(served.url)
    expect(desk.get_by_text("修改建议由热线的督办员审定。")).to_be_visible()

    # Another person looks at what it would have changed, follows a number to the case, and approves.
    supervisor = open_as("supervisor2", own)
    assert axe(supervisor) == []
    supervisor.locator("#effect + dl a").first.click()
    expect(supervisor.locator(f"a[href$='/desk/cases/{case_id}/']")).to_be_visible()
    supervisor.goto(served.url + own)
    supervisor.keyboard.press("p")
    expect(supervisor.locator(".lx-notice.good")).to_contain_text("第 2 版")
    assert CatalogueVersion.objects.get(number=2).created_by == world.staff["supervisor2"]
    reference.forget()

    # The next case of the kind goes to the right unit by pressing two keys.
    following = world.accepted(area="990101001001")
    desk.goto(f"{served.url}/desk/cases/{following}/")
    desk.keyboard.press("d")
    desk.wait_for_selector(".desk-act [name=lead_unit]")
    assert desk.locator(".desk-act [name=lead_unit]").input_value() == "urban 市城管局"
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".lx-notice.good")).to_be_visible()
    assert Case.objects.get(pk=following).lead_unit == world.units["urban"]
    assert not Assignment.objects.get(case_id=following, role="lead").against_catalogue
    assert desk.faults == supervisor.faults == []


@pytest.mark.parametrize(("width", "dark", "locale"), [(360, False, "zh-CN"), (1440, True, "en-GB")])
def test_the_pages_fit_and_are_clean(served: Any, open_as: Open, width: int, dark: bool, locale: str) -> None:
    world = served.world
    case_id = sent(world, "housing", "water", "urban")
    give_back(world, case_id, "urban")
    from lianxin.cases.catalogue import proposals

    made = proposals.propose(by=world.actor("dispatcher"), category="010102", lead_unit="urban", basis="三定方案", why="都归城管。")
    proposals.approve(made.pk, by=world.actor("supervisor"))
    waiting = proposals.propose(by=world.actor("dispatcher"), category="010103", lead_unit="bridge", basis="三定方案", why="归街道。")
    reference.forget()
    page = open_as("supervisor", "/desk/", width=width, dark=dark, locale=locale)
    for path in (
        "returns/", "returns/?by=rule", "returns/?since=2020-01-01&until=2020-01-02", "returns/entries/", "catalogue/",
        "catalogue/compare/?from=1&to=2", "catalogue/versions/1/restore/", "catalogue/propose/",
        f"catalogue/proposals/{waiting.pk}/", f"catalogue/proposals/{made.pk}/", f"catalogue/proposals/{made.pk}/cases/all/",
    ):
        answered = page.goto(f"{served.url}/desk/{path}")
        assert answered.status == 200, path
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if locale == "en-GB":
            assert not re.search(r"[\u4e00-\u9fff]{2}", page.inner_text("main h1")) or "cases" in path or "proposals" in path, path
    assert page.faults == []
