"""A unit pauses, the resident reads it and answers; a unit asks for more time and a dispatcher grants it; a head is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases.models import Case, Clock, Notice, NoticeRule
from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import now
from tests.browser import axe
from tests.cases.ways import take
from tests.journeys.test_desk import press

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
SHOTS = os.environ.get("TEST_SHOTS", "")


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def in_hand(world: Any) -> Any:
    case_id = world.accepted()
    for step, more in (("dispatch", {"assisting_units": []}), ("sign", {}), ("record_contact", {})):
        take(world, case_id, step, **more)
    return case_id


def test_a_pause_by_keyboard_and_what_the_resident_reads(served: Any, open_as: Open, browser: Any) -> None:
    case_id = in_hand(served.world)
    page = open_as("urban", f"/desk/cases/{case_id}/")
    press(page, "x")
    page.locator(".desk-act [name=waits_for]").select_option("reporter")
    page.locator(".desk-act [name=words]").fill("请告诉我们是几号楼。")
    shot(page, "suspend-form")
    press(page, "Control+Enter")
    expect(page.locator(".desk-case .lx-badge", has_text="挂起").first).to_be_visible()
    assert Case.objects.get(pk=case_id).paused
    assert axe(page) == []
    shot(page, "case-paused")
    english = open_as("urban", f"/desk/cases/{case_id}/", width=360, height=740, dark=True, locale="en-GB")
    assert axe(english) == []
    shot(english, "case-paused-en-360-dark")
    assert page.faults == english.faults == []


def test_more_time_is_granted_from_the_list_by_keyboard(served: Any, open_as: Open) -> None:
    case_id = in_hand(served.world)
    page = open_as("urban", f"/desk/cases/{case_id}/")
    press(page, "d")
    page.locator(".desk-act [name=reason]").fill("连日下雨，路面铺不了。")
    page.locator(".desk-act [name=minutes]").fill("1 天")
    press(page, "Control+Enter")
    expect(page.locator(".desk-case .lx-badge", has_text="延期待批").first).to_be_visible()
    boss = open_as("dispatcher", "/desk/board/extensions/")
    press(boss, "j")
    expect(boss.locator("#pane")).to_contain_text("连日下雨，路面铺不了。")
    shot(boss, "extensions")
    assert axe(boss) == []
    boss.goto(f"{served.url}/desk/cases/{case_id}/")
    press(boss, "g")
    boss.locator(".desk-act [name=explanation]").fill("连日下雨，雨停后铺好。")
    press(boss, "Control+Enter")
    expect(boss.locator(".lx-notice.good")).to_be_visible()
    clock = Clock.objects.get(case=case_id, kind="resolve")
    assert clock.extended_minutes == 420
    shot(boss, "case-extended")
    assert axe(boss) == []
    assert page.faults == boss.faults == []


def test_a_head_is_told_and_opens_it(served: Any, open_as: Open) -> None:
    case_id = in_hand(served.world)
    NoticeRule.objects.update(armed=True)
    late = now() - timedelta(minutes=1)
    Clock.objects.filter(case=case_id, kind="resolve").update(
        calendar="around_the_clock", limit_minutes=60, started_at=late - timedelta(minutes=60), due_at=late, next_at=late)
    Case.objects.filter(pk=case_id).update(due_at=late)
    sweep()
    page = open_as("urban_head", "/desk/notices/")
    expect(page.locator(".desk-told .lx-badge")).to_contain_text("1")
    shot(page, "notices")
    assert axe(page) == []
    narrow = open_as("urban_head", "/desk/notices/", width=360, height=740, dark=True, locale="en-GB")
    shot(narrow, "notices-en-360-dark")
    assert axe(narrow) == []
    press(page, "j", "Enter")
    page.wait_for_url(f"**/desk/cases/{case_id}/")
    notice = Notice.objects.get(case=case_id, to="unit_head")
    assert notice.seen_by == served.world.staff["urban_head"]
    page.goto(served.url + "/desk/notices/")
    expect(page.locator(".lx-empty")).to_contain_text("都看过了")
    assert page.faults == narrow.faults == []
