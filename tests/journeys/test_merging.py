"""Two neighbours, one burst pipe: the dispatcher sees it, merges by keyboard, one unit handles it, both read the answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import Case, State
from lianxin.organisations.actors import reporter_for
from lianxin.quality import actions as q
from tests.browser import axe
from tests.cases.ways import VILLAGE, take
from tests.journeys.conftest import Open
from tests.world import RESIDENT

pytestmark = pytest.mark.browser


def test_one_pipe_two_neighbours(open_as: Open, served: Any) -> None:
    first = a.register(intake=a.Intake(words="花园社区停水一整天了，水管爆了。", area=VILLAGE, phone="13812342201"), by=RESIDENT)
    second = a.register(intake=a.Intake(words="我家停水了，什么时候来水？", area=VILLAGE, phone="13900003303"), by=RESIDENT)

    # The dispatcher: from the queue to what looks alike, side by side, and merged, without a mouse.
    page = open_as("dispatcher", "/desk/board/queue/")
    page.keyboard.press("=")
    expect(page.locator("h1")).to_have_text("可能是同一件事的")
    assert axe(page) == []
    page.keyboard.press("=")
    expect(page.locator("h1")).to_have_text("是不是同一件事")
    expect(page.locator("main")).to_contain_text("都说“停水”")
    expect(page.locator("main")).to_contain_text("水管爆了")
    assert axe(page) == []
    page.keyboard.press("=")
    expect(page.locator(".lx-notice, [role=status]").filter(has_text=second.number).first).to_be_visible()
    merged = Case.objects.get(pk=second.case_id)
    assert (merged.state, merged.master_id) == (State.MERGED, first.case_id)
    page.goto(served.url + "/desk/board/queue/")
    expect(page.locator("[data-rows]")).to_contain_text("×2")
    expect(page.locator("[data-rows]")).not_to_contain_text(second.number)

    # The neighbour reads on their own page that it is handled together, by when, and nothing of whose the other is.
    mine = open_as(None, "/track/", width=360, height=740)
    mine.fill("[name=code]", second.tracking_code)
    mine.keyboard.press("Enter")
    expect(mine.locator("h1")).to_have_text(re.compile("别的市民也说了同一件事.*最迟"))
    assert first.number not in mine.content()
    assert "13812342201" not in mine.content()
    assert axe(mine) == []

    # The unit handles one case, and contacts both reporters.
    take(served.world, first.case_id, "accept")
    take(served.world, first.case_id, "dispatch", assisting_units=[])
    take(served.world, first.case_id, "sign")
    clerk = open_as("urban", f"/desk/cases/{first.case_id}/")
    expect(clerk.locator("#family-title")).to_have_text("同一件事，另有 1 位诉求人")
    assert axe(clerk) == []
    clerk.keyboard.press("c")
    clerk.locator("[name=reached]").select_option("yes")
    clerk.get_by_label(re.compile(second.number)).check()
    clerk.keyboard.press("Control+Enter")
    expect(clerk.locator(".desk-family")).to_contain_text("已联系")
    take(served.world, first.case_id, "reply", public_answer="水管已经换好，晚上八点恢复供水。", means=None)
    q.approve(served.world.on(first.case_id, "reviewer"))

    # Both have the answer; each says for themselves whether it helped.
    mine.reload()
    expect(mine.locator("main")).to_contain_text("水管已经换好，晚上八点恢复供水。")
    assert Case.objects.get(pk=second.case_id).state == State.CALLBACK
    q.rate(On(second.case_id, reporter_for(second.case_id)), solved=False, satisfaction="dissatisfied", words="还是没水。")
    assert Case.objects.get(pk=first.case_id).state == State.CALLBACK
    again = Case.objects.get(pk=second.case_id)
    assert again.master_id is None or again.state == State.CALLBACK
    for one in (page, mine, clerk):
        assert one.faults == []

