"""The care register in a real browser: the keeper's pages narrow and wide, and a visit on a telephone without a network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.care import actions
from lianxin.care.models import CareEntry, CareStep, CareVisit
from lianxin.cases.models import Case
from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.organisations.models import RoleGrant
from tests.browser import axe
from tests.care.made import AREA, NEEDLES, SAID, Register
from tests.journeys.phone import Phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def looked(page: Any) -> Callable[[str], None]:
    def look(name: str) -> None:
        assert axe(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name

    return look


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (360, True)])
def test_an_entry_from_consent_to_withdrawal(served: Any, open_as: Any, width: int, dark: bool) -> None:
    register = Register.make(served.world)
    page = open_as("keeper", "/desk/", width=width, dark=dark)
    look = looked(page)
    expect(page.locator("h1")).to_have_text("关爱登记")
    look("empty")
    page.goto(f"{served.url}/desk/care/consent/")
    look("consent")
    page.goto(f"{served.url}/desk/care/new/")
    look("new")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".lx-error")
    look("faults")
    page.fill("[name=name]", SAID.name)
    page.fill("[name=area]", AREA)
    page.fill("[name=address]", SAID.address)
    page.fill("[name=purpose]", SAID.purpose)
    page.select_option("[name=visitor]", str(register.world.staff["grid"].pk))
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text(SAID.name)
    look("entry")
    assert page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})").count("玄黓") == 0, "no draft stays"
    entry = CareEntry.objects.get()
    page.get_by_label("换谁来走访").select_option(str(register.world.staff["grid2"].pk))
    page.get_by_role("button", name="换人").click()
    expect(page.locator("[role=status]").first).to_contain_text("走访人已换")
    CareEntry.objects.filter(pk=entry.pk).update(told="not_at_home", told_at=now(), due_on=today_of(now()) - timedelta(days=3))
    page.goto(f"{served.url}/desk/care/")
    expect(page.locator("main")).to_contain_text("连着两次没见到人")
    look("full")
    page.goto(f"{served.url}/desk/notices/")
    look("told")
    page.goto(f"{served.url}/desk/care/holiday/")
    look("holiday")
    page.goto(f"{served.url}/desk/care/{entry.pk}/print/")
    look("print")
    page.goto(f"{served.url}/desk/care/{entry.pk}/")
    page.get_by_role("link", name="本人撤回").click()
    look("asked again")
    page.get_by_role("button", name="撤回并删除").click()
    expect(page.locator("main")).to_contain_text("都已删除")
    assert not CareEntry.objects.exists()
    assert list(CareStep.objects.order_by("id").values_list("kind", flat=True)) == ["made", "given", "withdrawn"]
    page.goto(f"{served.url}/desk/care/{entry.pk}/")
    expect(page.locator("main")).to_contain_text("本人已经撤回")
    look("gone")
    assert page.faults == []


def test_the_visitors_page_by_keyboard_alone(served: Any, open_as: Any) -> None:
    register = Register.make(served.world)
    register.entry(interval_days=1)
    page = open_as("grid", "/desk/care/visits/", width=360)
    look = looked(page)
    look("full")
    for _each in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "outcome":
            break
    page.keyboard.press("ArrowDown")  # the first of the outcomes
    for _each in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]").first).to_contain_text("已记下")
    look("empty")
    assert CareVisit.objects.get().outcome == "done"
    assert page.faults == []


def on_the_telephone(register: Register) -> None:
    """The visitor's grid: what the telephone shows as theirs."""
    RoleGrant.objects.filter(staff=register.world.staff["grid"]).update(area=register.world.areas[AREA])


def test_a_visit_without_a_network_arrives_and_help_becomes_a_case(served: Any, browser: Any) -> None:
    register = Register.make(served.world)
    on_the_telephone(register)
    entry = register.entry(interval_days=1)
    phone = Phone.new(browser, served)
    page = phone.page
    phone.sync()
    assert not [word for word in NEEDLES if word in phone.raw()["text"]], "sealed on the telephone"
    phone.offline()
    page.evaluate("location.hash = '#/today'")
    page.get_by_role("link", name="重光单阏").click()
    expect(page.locator("#f-main h1")).to_have_text("重光单阏")
    expect(page.locator("#f-main")).to_contain_text("玄黓巷九号")
    assert "昭阳作噩" not in page.inner_text("main")
    looked(page)("a visit")
    page.get_by_role("button", name="记下这次看望").click()
    expect(page.locator(".f-error", has_text="请选择看望的结果")).to_be_visible()
    page.locator("label", has_text="需要帮助").first.click()
    expect(page.get_by_role("link", name="120")).to_be_visible()
    looked(page)("help")
    page.get_by_label("需要什么帮助，在哪里").fill("花园社区有位老人发烧，要送医。")
    page.get_by_role("button", name="记下这次看望").click()
    expect(page.locator("#f-main h1")).to_have_text("今日")
    assert phone.states() == ["unsent"]
    assert not CareVisit.objects.exists()
    phone.offline(False)
    phone.sync()
    assert phone.states() == ["accepted"]
    assert CareVisit.objects.get().entry_id == entry.pk
    assert Case.objects.get().words == "花园社区有位老人发烧，要送医。"
    assert phone.call("data", "data.section", "tasks.care")[0]["id"] == str(entry.pk)
    assert [item["body"] for item in phone.items().values()] == [{"outcome": "needs_help"}], "whom and what, the register has"
    assert page.faults == []
    phone.context.close()


def test_withdrawn_meanwhile_the_telephone_forgets(served: Any, browser: Any) -> None:
    register = Register.make(served.world)
    on_the_telephone(register)
    entry, begun = register.entry(interval_days=1), register.entry(interval_days=1)
    phone = Phone.new(browser, served, dark=True)
    page = phone.page
    phone.sync()
    phone.offline()
    page.evaluate(f"location.hash = '#/care/{begun.pk}'")
    page.get_by_label("给登记管理员的话").fill("阉茂还没有写完")
    page.evaluate("location.hash = '#/today'")
    expect(page.locator("#f-main h1")).to_have_text("今日")
    assert phone.call("store", "names", "drafts") == [f"care:{begun.pk}"]
    page.evaluate(f"location.hash = '#/care/{entry.pk}'")
    page.locator("label", has_text="见到了，都好").first.click()
    page.get_by_label("给登记管理员的话").fill("阉茂说好")
    page.get_by_role("button", name="记下这次看望").click()
    expect(page.locator("#f-main h1")).to_have_text("今日")
    for gone in (entry, begun):
        actions.withdraw(by=register.by("keeper"), pk=gone.pk)
    phone.offline(False)
    phone.sync()
    assert phone.states() == ["conflict"]
    assert phone.call("store", "names", "drafts") == []
    assert phone.call("data", "data.section", "tasks.care") == []
    page.evaluate("location.hash = '#/unsent'")
    expect(page.locator("#f-main")).to_contain_text("不用再去了")
    looked(page)("conflict")
    page.get_by_role("button", name="知道了，从手机里删掉").click()
    expect(page.get_by_role("button", name="知道了，从手机里删掉")).to_have_count(0)
    phone.sync()
    assert phone.states() == []
    page.evaluate(f"location.hash = '#/care/{entry.pk}'")
    expect(page.locator("#f-main h1")).to_have_text("已不在您的待办里")
    assert not CareVisit.objects.exists()
    assert page.faults == []
    phone.context.close()
