"""Drafts, the queue and tasks on the screens of a grid worker's telephone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Attachment, Case, Check, EventText
from tests.browser import axe
from tests.cases.ways import VILLAGE
from tests.journeys.hand import Taps, asked, camera, fits, given, sent, tab
from tests.journeys.phone import Phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(telephone: Phone) -> Phone:
    """The grid worker's; the bare page of that name is not meant here."""
    return telephone


# --- drafts and the queue -----------------------------------------------------------------------------------------


def test_a_draft_survives_a_dead_battery(phone: Phone) -> None:
    phone.sync()
    Taps(phone).photo(tab(phone, "report"))
    page = phone.page
    expect(page.locator(".f-photos img")).to_have_count(1)
    page.locator(".f-tile", has_text="城乡建设").tap()
    page.locator(".f-tile", has_text="市政").tap()
    page.locator(".f-tile", has_text="路灯").tap()
    page.get_by_label("文字").fill("三盏都不亮")
    page.wait_for_timeout(600)
    phone.reopen()
    page = phone.page
    tab(phone, "report").press("Enter")
    expect(page.locator(".f-photos img")).to_have_count(1)
    expect(page.get_by_label("文字")).to_have_value("三盏都不亮")
    expect(page.locator(".f-chosen")).to_contain_text("路灯")
    page.get_by_role("button", name="上报", exact=True).tap()
    sent(phone)
    phone.reopen()
    tab(phone, "report").press("Enter")
    expect(phone.page.get_by_label("文字")).to_have_value("")


def test_what_is_not_sent_looks_not_sent(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    phone.offline()
    tab(phone, "report").press("Enter")
    page.get_by_label("文字").fill("井盖没了")
    page.get_by_role("button", name="上报", exact=True).tap()
    expect(page.get_by_role("heading", name="已存在手机里")).to_be_visible()
    expect(tab(phone, "unsent")).to_contain_text("未发送(1)")
    expect(page.locator(".f-strip")).to_contain_text("没有网络")
    tab(phone, "unsent").tap()
    card = page.locator(".f-card.unsent")
    expect(card).to_contain_text("还没发送")
    expect(card).to_contain_text("井盖没了")
    assert card.evaluate("(one) => getComputedStyle(one).borderTopStyle") == "dashed"
    assert axe(page) == []
    phone.offline(False)
    expect(tab(phone, "unsent")).not_to_contain_text("1")
    expect(page.get_by_role("main")).to_contain_text("都已发送")
    assert Case.objects.count() == 1


def test_a_conflict_shows_both_sides_and_is_settled(phone: Phone, served: Any) -> None:
    case_id = asked(served.world)
    page = phone.page
    phone.sync()
    page.get_by_role("link", name="核查").tap()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="拍现场照片").tap()
    chooser.value.set_files(camera(800, 600))
    page.get_by_text("没有处理好").tap()
    page.get_by_label("看到了什么").fill("还在打桩")
    phone.offline()
    page.get_by_role("button", name="提交核查").tap()
    expect(page.locator(".f-task")).to_contain_text("已做，还没发送")
    Check.objects.update(withdrawn_at=Check.objects.get(case=case_id).asked_at)
    phone.offline(False)
    tab(phone, "unsent").tap()
    card = page.locator(".f-card.conflict")
    expect(card).to_contain_text("您做的没有丢")
    expect(card.locator(".f-versions")).to_contain_text("还在打桩")
    expect(card.locator(".f-versions")).to_contain_text("热线现在的情况")
    assert axe(page) == []
    assert fits(page)
    card.get_by_role("button", name="放弃并写明原因").tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="放弃", exact=True).tap()
    expect(dialog).to_contain_text("请写明原因")  # not without a reason
    dialog.get_by_label("为什么放弃").fill("已有人去过")
    dialog.get_by_role("button", name="放弃", exact=True).tap()
    expect(page.get_by_role("main")).to_contain_text("都已发送")
    assert phone.states() == [] or set(phone.states()) == {"accepted"}


def test_what_was_refused_is_put_right_and_goes_again(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    phone.add("report", {"words": "", "place_text": "菜市场"}, ("report", camera(300, 200)["buffer"]))
    tab(phone, "unsent").tap()
    card = page.locator(".f-card.refused")
    expect(card).to_contain_text("您做的没有丢")
    card.get_by_role("button", name="照现在的情况重新提交").tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("写的内容").fill("垃圾没人收")
    assert axe(page, within="dialog") == []
    dialog.get_by_role("button", name="提交").tap()
    expect(page.get_by_role("main")).to_contain_text("都已发送")
    case = Case.objects.get()
    assert (case.words, case.place_text) == ("垃圾没人收", "菜市场")
    assert Attachment.objects.filter(case=case).count() == 1  # the photo went with it


def test_a_late_reply_becomes_an_addition(phone: Phone, served: Any) -> None:
    case_id = given(served.world, reported=True)
    page = phone.page
    phone.sync()
    phone.add("reply", {"case": str(case_id), "version": 1, "public_answer": "灯泡已换好。", "solved": True, "means": "not_left"},
              ("after", camera(300, 200)["buffer"]))
    tab(phone, "unsent").tap()
    card = page.locator(".f-card.conflict")
    expect(card.locator(".f-versions")).to_contain_text("灯泡已换好。")
    card.get_by_role("button", name="作为补充说明提交").tap()
    expect(page.get_by_role("main")).to_contain_text("都已发送")
    assert EventText.objects.filter(case=case_id, body="灯泡已换好。").exists()
    assert Attachment.objects.filter(case=case_id).count() == 1
    assert Case.objects.get(pk=case_id).state == "in_hand"


# --- tasks --------------------------------------------------------------------------------------------------------


def test_an_independent_look(phone: Phone, served: Any) -> None:
    case_id = asked(served.world)
    page = phone.page
    phone.sync()
    page.get_by_role("link", name="核查").tap()
    expect(page.get_by_role("main")).to_contain_text("请看晚上是否停工。")
    expect(page.get_by_role("main")).to_contain_text("已责令停工。")
    page.get_by_role("button", name="提交核查").tap()
    expect(page.get_by_role("alert")).to_contain_text("还缺一张现场照片")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="拍现场照片").tap()
    chooser.value.set_files(camera(800, 600))
    page.get_by_text("处理好了", exact=True).tap()
    page.get_by_label("看到了什么").fill("工地已停工")
    assert axe(page) == []
    page.get_by_role("button", name="提交核查").tap()
    expect(page.get_by_role("heading", name="今日")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("现在没有要做的事")
    check = Check.objects.get(case=case_id)
    assert (check.handled, check.answered_at is not None) == (True, True)
    assert Attachment.objects.filter(case=case_id, purpose="check").count() == 1


def test_a_case_that_was_given_to_me(phone: Phone, served: Any) -> None:
    case_id = given(served.world)
    page = phone.page
    phone.sync()
    page.get_by_role("link", name="办件").tap()
    expect(page.get_by_role("main")).to_contain_text("花园社区门口路灯不亮。")
    page.get_by_role("group", name="怎么联系的").get_by_text("电话").tap()
    page.get_by_text("已联系上", exact=True).tap()
    page.get_by_role("button", name="记下这次联系").tap()
    expect(page.locator(".f-card.accepted")).to_contain_text("联系了诉求人")
    page.get_by_role("button", name="提交答复").tap()
    expect(page.get_by_role("alert")).to_contain_text("还缺一张处置后的照片")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="拍处置后").tap()
    chooser.value.set_files(camera(800, 600))
    page.get_by_label("答复（诉求人会看到）").fill("灯泡已换好。")
    page.get_by_text("解决了", exact=True).tap()
    page.get_by_role("button", name="提交答复").tap()
    expect(page.get_by_role("main")).to_contain_text("现在没有要做的事")
    assert Case.objects.get(pk=case_id).state == "replied"


def test_where_my_reports_stand_and_more_about_one(phone: Phone, served: Any) -> None:
    made = a.register(intake=a.Intake(words="路边井盖没了。", channel="field", area=VILLAGE), by=served.world.actor("grid"))
    phone.sync()
    page = phone.page
    page.get_by_role("link", name="我上报的（1）").tap()
    expect(page.locator(".f-task")).to_contain_text("等待受理")
    page.locator(".f-task").tap()
    page.get_by_label("补充说明").fill("已放了警示牌")
    page.get_by_role("button", name="提交补充").tap()
    expect(page.get_by_role("heading", name="我上报的")).to_be_visible()
    phone.sync()
    assert EventText.objects.filter(case=made.case_id, body="已放了警示牌").exists()
