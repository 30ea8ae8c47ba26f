"""The link with other desks in a real browser: the emergency key while typing goes on, alarms that sound, an offer by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases.models import Case, EventText
from lianxin.linkage.models import Handover, HandoverState
from tests.browser import axe
from tests.journeys.conftest import Open, open_as
from tests.linkage.peer import Peer, partner

__all__ = ["open_as"]
pytestmark = pytest.mark.browser


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.name || document.activeElement.id"))


def until(page: Any, holds: Callable[[], bool]) -> None:
    """The page goes on while it is waited for, however busy the machine is."""
    for _ in range(300):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def test_the_key_rings_and_typing_goes_on(open_as: Open, served: Any) -> None:
    partner()
    page = open_as("operator", "/desk/call/#phone=13711239876")
    page.keyboard.type("花园社区有人打架")
    page.route("**/desk/call/emergency/110/", lambda route: route.abort())
    page.keyboard.press("F4")
    panel = page.locator("[data-emergency]")
    expect(panel).to_contain_text("没有送到 110：请马上用话机拨 110")
    page.unroute("**/desk/call/emergency/110/")
    page.keyboard.press("F4")
    page.keyboard.press("F4")
    expect(panel).to_contain_text("山城110")
    assert focused(page) == "words"
    case, handover = Case.objects.get(), Handover.objects.get()
    expect(panel).to_contain_text(case.number)
    code = panel.locator(".desk-readout").inner_text()
    page.keyboard.type("，拿着刀")
    expect(panel.locator("[data-emergency-note]")).to_contain_text("自动补给对方")
    peer = Peer.of(handover)
    until(page, lambda: "".join(body["words"] for kind, body in peer.heard() if kind == "supplement") == "，拿着刀")
    peer.say("acknowledge", handover.pk, operator="0731")
    expect(panel).to_contain_text("秒后看到", timeout=20_000)
    assert axe(page) == []
    expect(panel).to_contain_text("请马上用话机拨 110")  # no telephone system here: said until it is done with
    page.reload()
    expect(panel).to_contain_text(case.number)
    expect(panel.locator(".desk-readout")).to_have_text(code)
    assert "拿着刀" in page.locator("[name=words]").input_value()
    peer.say("accept", handover.pk, reference="JQ-17")
    expect(panel).to_contain_text("JQ-17", timeout=20_000)
    page.locator("[name=words]").press("End")
    page.keyboard.type("，跑了")
    page.keyboard.press("F2")
    page.get_by_text("已补齐").wait_for()
    expect(panel).to_be_hidden()
    assert page.locator("[name=words]").input_value() == ""
    assert (Case.objects.count(), Handover.objects.count()) == (1, 1)
    added = EventText.objects.filter(case=case, event__action="add_information").order_by("event_id").values_list("body", flat=True)
    whole = "".join(added)
    assert [whole.count(part) for part in ("，拿着刀", "，跑了", "详细地址：花园社区")] == [1, 1, 1]
    assert whole.count("\n地点：") <= 1  # said in words once at most: where the case was theirs already
    assert page.faults == []


@pytest.mark.parametrize("arrives", [True, False])
def test_a_piece_whose_answer_does_not_come_is_neither_lost_nor_doubled_by_the_save(arrives: bool, open_as: Open, served: Any) -> None:
    partner()
    page = open_as("operator", "/desk/call/")
    page.keyboard.type("花园社区有人打架")
    page.keyboard.press("F4")
    expect(page.locator("[data-emergency]")).to_contain_text("山城110")
    held: list[Any] = []

    def hold(route: Any) -> None:
        if arrives:
            route.fetch()
        held.append(route)

    page.route("**/desk/call/emergency/more/", hold)
    page.keyboard.type("，拿着刀")
    until(page, lambda: bool(held))
    page.keyboard.type("，跑了")
    page.keyboard.press("F2")
    page.get_by_text("已补齐").wait_for()
    added = EventText.objects.filter(event__action="add_information").order_by("event_id").values_list("body", flat=True)
    whole = "".join(added)
    assert [whole.count(part) for part in ("，拿着刀", "，跑了")] == [1, 1]
    page.unroute_all(behavior="ignoreErrors")


def test_an_emergency_is_heard_opened_and_taken_without_a_mouse(open_as: Open, served: Any) -> None:
    peer = Peer(partner())
    page = open_as("operator", "/desk/missed-calls/")
    strip = page.locator("[data-linkage-strip]")
    expect(strip).to_be_hidden()
    key = peer.offer(emergency=True, words="有人要跳桥", place={"text": "洞庭大桥"})
    expect(strip).to_contain_text("1 件紧急移交等您接：山城110", timeout=20_000)  # asked every five seconds where nothing tells
    expect(strip).to_contain_text("按任意键打开声音")
    page.keyboard.press("Shift")
    expect(strip).to_have_attribute("data-beeps", re.compile(r"[1-9]"), timeout=20_000)
    strip.locator("select").select_option("5")
    expect(strip.locator("[data-linkage-sound]")).to_contain_text("声音关到")
    sounded = strip.get_attribute("data-beeps")
    page.wait_for_timeout(4500)
    assert strip.get_attribute("data-beeps") == sounded
    page.locator("#main").focus()
    page.keyboard.press("Control+e")
    page.get_by_role("heading", name="移交来的，等答复").wait_for()
    expect(page.locator("[data-due]").first).to_have_text(re.compile(r"剩 00:\d\d"))
    assert axe(page) == []
    page.keyboard.press("o")
    page.get_by_role("heading", name="山城110移交来的").wait_for()
    assert Handover.objects.get(pk=key).state == HandoverState.ACKNOWLEDGED
    expect(strip).to_be_hidden(timeout=20_000)
    page.keyboard.press("a")
    expect(page.locator("[name=category]:focus")).to_have_count(1)
    page.keyboard.type("010105 无人管的事")
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    page.get_by_text("与其他单位的移交").wait_for()
    assert Handover.objects.get(pk=key).state == HandoverState.ACCEPTED
    assert axe(page) == []
    assert page.faults == []
