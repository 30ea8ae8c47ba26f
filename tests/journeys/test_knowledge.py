"""The knowledge base in the browser: found by keyboard while typing, changed and approved, reported, offered to residents."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.knowledge.models import Report, Version
from tests.browser import axe, new_page
from tests.journeys.conftest import Open
from tests.journeys.test_desk import press
from tests.journeys.test_resident import fits
from tests.knowledge.made import article
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def two(world: World) -> None:
    article("card", "居住证怎么办", "带身份证到派出所办理。", questions=["居住证怎么办理？"], keywords=["居住证"],
            unit=world.units["urban"], category=world.categories["010103"], review_by=date(2027, 12, 31))
    article("lamp", "路灯不亮怎么报", "请说清灯杆编号。", keywords=["路灯"], unit=world.units["urban"], review_by=date(2027, 12, 31))


def test_found_changed_and_approved_by_keyboard(served: Any, open_as: Open) -> None:
    world: World = served.world
    two(world)
    owner = open_as("urban", "/desk/knowledge/")
    expect(owner.locator("[data-result]")).to_have_count(2)
    owner.keyboard.type("居住证")
    expect(owner.locator("[data-result]")).to_have_count(1)
    expect(owner.locator("#found mark")).to_have_text("居住证")
    assert axe(owner) == []
    press(owner, "ArrowDown", "Enter")
    owner.wait_for_url("**/a/card/")
    assert axe(owner) == []
    press(owner, "e")
    owner.wait_for_url("**/edit/")
    owner.get_by_label("答案（念给市民听的话）").fill("带身份证到派出所或社区办理。")
    assert axe(owner) == []
    press(owner, "Control+Enter")
    owner.wait_for_url("**/a/card/")
    assert Version.objects.get(state="draft").answer == "带身份证到派出所或社区办理。"

    head = open_as("urban_head", "/desk/knowledge/waiting/")
    assert "等您定" in head.inner_text("main")
    assert axe(head) == []
    head.get_by_role("link", name="居住证怎么办").click()
    head.get_by_role("link", name="改了什么").first.click()
    assert "社区" in head.inner_text("ins")
    assert axe(head) == []
    head.go_back()
    press(head, "a")
    head.wait_for_selector(".lx-notice.good")
    assert Version.objects.get(article__code="card", state="approved").number == 2

    operator = open_as("operator", "/desk/knowledge/a/card/")
    operator.get_by_label("哪里不对，应当是什么").fill("电话换了")
    operator.get_by_role("button", name="告诉责任单位").click()
    operator.wait_for_selector(".lx-notice.good")
    assert Report.objects.get().words == "电话换了"
    assert not owner.faults + head.faults + operator.faults


def test_a_resident_finds_an_answer_or_reports(served: Any, phone: Any) -> None:
    two(served.world)
    phone.goto(f"{served.url}/help/")
    assert axe(phone) == []
    phone.get_by_label("您想问什么？").fill("居住证到哪里办")
    phone.get_by_role("button", name="查一查", exact=True).click()
    phone.get_by_role("link", name="居住证怎么办").click()
    assert "带身份证到派出所办理。" in phone.inner_text("main")
    assert axe(phone) == []
    phone.get_by_text("这个答案不对？告诉我们").click()
    phone.get_by_label("请说说哪里不对").fill("现在可以网上办")
    phone.get_by_role("button", name="告诉负责的单位").click()
    phone.wait_for_selector(".lx-notice.good")
    assert fits(phone)

    phone.goto(f"{served.url}/say/")
    phone.get_by_label("您要说的事").fill("请问居住证怎么办理，要带什么？")
    expect(phone.locator("[data-offered] a")).to_have_count(1)
    assert axe(phone) == []
    assert fits(phone)
    phone.get_by_label("您要说的事").fill("楼下工地半夜打桩，吵得睡不着。")
    expect(phone.locator("[data-offered]")).to_be_hidden()
    phone.get_by_role("button", name="下一步：在哪里").click()
    expect(phone.get_by_role("heading", name="在哪里？")).to_be_visible()
    assert not phone.faults


def test_without_javascript_the_answer_is_offered_on_the_next_screen(served: Any, browser: Any) -> None:
    two(served.world)
    page = new_page(browser, width=360, height=740, javascript=False)
    page.goto(f"{served.url}/say/")
    page.get_by_label("您要说的事").fill("请问居住证怎么办理，要带什么？")
    page.get_by_role("button", name="下一步：在哪里").click()
    expect(page.locator("aside.unscripted a")).to_be_visible()
    page.context.close()
