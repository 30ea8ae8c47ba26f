"""After the answer, in the browser: unsolved is redone by itself, unsolved again is the supervisor's, a closing is contested."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases import missed_calls
from lianxin.cases.actions import Intake, register
from lianxin.cases.models import Case, MissedCall, State
from lianxin.organisations.actors import actor_for
from lianxin.quality.models import Contest, Review
from tests.browser import axe
from tests.cases.ways import take, walk
from tests.journeys.conftest import Open
from tests.journeys.test_desk import press
from tests.journeys.test_resident import fits
from tests.quality import checklists
from tests.quality.checklists import ALL_YES
from tests.world import RESIDENT, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def said(world: World) -> tuple[Any, str]:
    made = register(intake=Intake(words="楼下工地半夜还在打桩。", phone="13812342201", area="990101001001"), by=RESIDENT)
    walk(world, made.case_id, ("accept", "dispatch", "sign", "reply"))
    return made.case_id, made.tracking_code


def opened(page: Any, url: str, code: str) -> None:
    page.goto(f"{url}/track/")
    page.get_by_label("查询码").fill(code)
    page.get_by_role("button", name="查", exact=True).click()
    page.wait_for_url("**/mine/")


def rate(page: Any, *, solved: bool) -> None:
    page.get_by_role("link", name="评价这次办理").first.click()
    page.get_by_text("解决了" if solved else "没解决", exact=True).click()
    page.get_by_text("满意" if solved else "不满意", exact=True).click()
    page.get_by_role("button", name="提交评价").click()
    page.wait_for_url("**/mine/")


def test_unsolved_is_redone_and_then_the_supervisor_decides(served: Any, phone: Any, open_as: Open) -> None:
    world: World = served.world
    checklists.make(world)
    case_id, code = said(world)
    review = open_as("reviewer", f"/desk/cases/{case_id}/")
    press(review, "p")
    review.wait_for_selector("[data-checklist]")
    assert axe(review) == []
    press(review, "y", "y", "x", "y", "y")
    expect(review.locator("textarea[name=note]:focus")).to_have_count(1)
    press(review, "Control+Enter")
    review.wait_for_selector(".lx-notice.good")
    assert Review.objects.get().answers == ALL_YES | {"plain": "yes"}

    opened(phone, served.url, code)
    assert "告诉我们一声" in phone.inner_text("h1")
    rate(phone, solved=False)
    assert "自动退回原单位" in phone.inner_text("main")
    assert axe(phone) == []
    assert Case.objects.get(pk=case_id).round == 2

    walk(world, case_id, ("sign", "reply"))
    take(world, case_id, "approve", answers=ALL_YES)
    phone.reload()
    rate(phone, solved=False)
    assert "督办人员" in phone.inner_text("h1")
    assert fits(phone)
    assert axe(phone) == []

    caller = open_as("callback", "/desk/board/callback/")
    assert "没有待回访的工单" in caller.inner_text("main")
    boss = open_as("supervisor", "/desk/board/decide/")
    press(boss, "j")
    boss.wait_for_selector(".pane .desk-case")
    assert "由督办员决定" in boss.inner_text(".pane")
    assert axe(boss) == []
    press(boss, "g")
    boss.wait_for_selector(".desk-act textarea")
    boss.fill(".desk-act textarea[name=explanation]", "须等规划调整，明年三月前答复。")
    press(boss, "Control+Enter")
    boss.wait_for_selector(".lx-notice.good")
    assert Case.objects.get(pk=case_id).outcome == "explained"
    phone.reload()
    assert "没能解决" in phone.inner_text("h1")
    assert phone.faults == review.faults == boss.faults == []


def test_a_closing_is_contested_from_a_small_telephone(served: Any, phone: Any, open_as: Open) -> None:
    world: World = served.world
    case_id, code = said(world)
    walk(world, case_id, ("approve", "record_callback_attempt", "close"))
    opened(phone, served.url, code)
    assert "不认可这次办结的，最迟" in phone.inner_text("main")
    phone.get_by_role("link", name="不认可这次办结").first.click()
    phone.get_by_role("button", name="提交不认可").click()
    assert axe(phone) == []  # with its fault shown
    assert fits(phone)
    phone.get_by_label("为什么不认可").fill("说是停工了，昨晚又响到一点。")
    phone.get_by_role("button", name="提交不认可").click()
    phone.wait_for_url("**/mine/")
    assert "您不认可办结" in phone.inner_text("main")
    assert phone.get_by_role("link", name="不认可这次办结").count() == 0
    assert axe(phone) == []
    assert (Case.objects.get(pk=case_id).state, Contest.objects.count()) == (State.CALLBACK, 1)

    caller = open_as("callback", "/desk/board/callback/")
    assert "诉求人不认可" in caller.inner_text("tbody tr:first-child")
    press(caller, "j")
    caller.wait_for_selector(".pane .desk-case")
    assert "昨晚又响到一点" in caller.inner_text(".pane")
    assert axe(caller) == []

    # A browser in which staff is signed in is no reporter's.
    caller.goto(f"{served.url}/track/")
    caller.get_by_label("查询码").fill(code)
    caller.get_by_role("button", name="查", exact=True).click()
    caller.goto(f"{served.url}/mine/rate/")
    assert "登录着工作人员账号" in caller.inner_text("main")
    assert caller.get_by_role("button", name="提交评价").is_disabled()


def test_a_missed_call_is_called_back_by_keys(served: Any, open_as: Open) -> None:
    world: World = served.world
    telephone = actor_for(world.staff["operator"], scopes=frozenset({missed_calls.REPORT}))
    missed_calls.report(by=telephone, phone="13777776543", line="12345")
    page = open_as("operator", "/desk/missed-calls/")
    assert axe(page) == []
    assert "13777776543" not in page.content()
    press(page, "r")
    page.wait_for_selector("a[href='tel:13777776543']")
    assert axe(page) == []
    press(page, "g")
    page.wait_for_selector("#call-form")
    expect(page.locator("[name=phone]")).to_have_value("13777776543")  # once the script has run
    page.fill("[name=words]", "刚才没打通：花园社区路灯不亮。")
    press(page, "F2")
    page.wait_for_selector(".lx-notice.good")
    entry = MissedCall.objects.get()
    assert (entry.outcome, entry.case) == ("reached", Case.objects.get())
    page.goto(f"{served.url}/desk/missed-calls/")
    assert "没有等回拨的来电" in page.inner_text("main")
    assert axe(page) == []
    assert page.faults == []


def test_a_campaign_is_ordered(served: Any, open_as: Open) -> None:
    page = open_as("supervisor", "/desk/campaigns/")
    assert "还没有回访计划" in page.inner_text("main")
    assert axe(page) == []
    page.fill("[name=name]", "十二月抽样")
    page.fill("[name=ends_on]", "2020-01-01")
    page.fill("[name=share]", "30")
    press(page, "Control+Enter")
    page.wait_for_selector(".lx-error")
    assert axe(page) == []
    page.fill("[name=ends_on]", "2099-12-31")
    page.get_by_role("button", name="定下来").click()
    page.wait_for_selector(".lx-notice.good")
    assert "30%" in page.inner_text("tbody")
    assert axe(page) == []
    page.get_by_role("button", name="停止").click()
    page.wait_for_selector(".lx-notice.good")
