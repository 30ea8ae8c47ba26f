"""Subscribing in a real browser, without a script as well; the desk's pages; nothing axe-core minds, wide and narrow, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.organisations.actors import SYSTEM
from lianxin.webhooks import actions
from tests.browser import axe
from tests.journeys.conftest import Open, open_as

__all__ = ["open_as"]
pytestmark = pytest.mark.browser


def looked_at(page: Any, name: str) -> None:
    """Nothing is cut off, nothing that axe-core minds."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert axe(page) == [], name
    assert page.faults == [], name


def test_subscribing(open_as: Open, served: Any, settings: Any, mailoutbox: list[Any]) -> None:
    settings.LIANXIN_MAIL_URL, settings.LIANXIN_PUBLIC_URL = "console:", served.url
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    plain = open_as(None, "/follow/?area=990101001001", width=360, javascript=False)
    plain.get_by_label("您的邮箱").fill("tuwei@example.cn")
    plain.get_by_role("button", name="发一封确认邮件").click()
    expect(plain.locator("h1")).to_have_text("请去邮箱确认")
    link = next(word for word in mailoutbox[-1].body.split() if "/follow/confirm/" in word)
    plain.goto(link)
    plain.get_by_role("button", name="确认订阅").click()
    expect(plain.locator("h1")).to_have_text("订阅好了")
    plain.get_by_role("link", name="取消订阅").click()
    plain.get_by_role("button", name="取消这一个").click()
    expect(plain.locator("h1")).to_have_text("已取消")

    page = open_as(None, "/follow/", width=360)
    looked_at(page, "follow-360")
    page.get_by_label("哪里的").select_option("990101")
    expect(page.locator("[data-feed]")).to_have_text(f"{served.url}/feeds/area/990101.atom")
    dark = open_as(None, "/follow/", dark=True, locale="en-GB")
    looked_at(dark, "follow-1440-dark-en")

    one, _secret = actions.create(actions.Wish("数据平台", f"{served.url}/follow/"), by=SYSTEM, person=served.world.staff["dispatcher"])
    desk = open_as("admin", "/desk/webhooks/")
    looked_at(desk, "webhooks-1440")
    desk.goto(f"{served.url}/desk/webhooks/{one.pk}/")
    desk.keyboard.press("t")
    expect(desk.locator("body")).to_contain_text("测试消息没有送到")
    looked_at(desk, "webhook-1440")
    desk.get_by_role("link", name="webhook.test").click()
    looked_at(desk, "delivery-1440")
    narrow = open_as("admin", f"/desk/webhooks/{one.pk}/", width=360, dark=True)
    looked_at(narrow, "webhook-360-dark")
    narrow.goto(f"{served.url}/desk/channels/")
    looked_at(narrow, "channels-360-dark")
