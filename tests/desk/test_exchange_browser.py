"""外部系统 in a real browser: the unit reads what its system closed a case with, and replies, by keyboard; pages for everybody."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Case
from lianxin.exchange import polling, systems
from lianxin.exchange.models import Letter, Link, Mapping
from lianxin.exchange.sending import Letters
from lianxin.kernel.sending import drain
from tests.browser import axe
from tests.exchange.double import OtherSystem, serving
from tests.exchange.test_sending import dispatched
from tests.journeys.conftest import Open, open_as

__all__ = ["open_as"]
pytestmark = pytest.mark.browser
PAGE = "/desk/exchange/"


def _shown(page: Any, name: str) -> None:
    """No fault for a reader of the screen, nothing wider than the page."""
    assert axe(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


def _joined(served: Any, other: OtherSystem) -> Any:
    made = systems.save(None, "urban.system", name="城管系统", name_en="Urban system", url=other.url, unit="urban", identity="masked")
    systems.discover(made)
    Mapping.objects.create(system=made, inbound=False, ours="010102", theirs="NOISE")
    for _case in range(2):
        case_id = dispatched(served.world)
        a.sign(served.world.on(case_id, "urban"))
    drain(Letters())
    polling.settle(made)
    other.close("N1", "已责令停工，夜间不再施工。")
    polling.settle(made)
    return made


def test_a_unit_replies_with_what_its_system_said_and_keepers_see_how_it_stands(
        open_as: Open, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LIANXIN_OUTBOUND_PRIVATE", ["127.0.0.0/8"])
    page = open_as("admin", PAGE)
    expect(page.locator("main")).to_contain_text("还没有接入外部系统")
    _shown(page, "empty")
    with serving() as other:
        _joined(served, other)
        page = open_as("urban", PAGE)
        _shown(page, "unit")
        page.get_by_role("link", name="看过再答复").first.focus()
        page.keyboard.press("Enter")
        answer = page.locator("[name=public_answer]")
        expect(answer).to_have_value("已责令停工，夜间不再施工。")
        page.locator("[name=solved]").select_option("yes")
        page.locator("[name=means]").select_option("phone")
        answer.focus()
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda url: "/do/reply/" not in url, timeout=30_000)
        link = Link.objects.get(theirs="N1")
        assert (link.settled, Case.objects.get(pk=link.case_id).state) == ("replied", "replied")

        dispatched(served.world)
        Letter.objects.filter(state="waiting").update(state="dead", last_error="对方的应答：400 service_code was not found")
        page = open_as("supervisor", f"{PAGE}systems/urban.system/")
        page.get_by_role("button", name="现在核对").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#compare")).to_contain_text("送不出去")
        _shown(page, "system")
        for name, more in (("dark", {"dark": True}), ("phone", {"width": 360, "height": 740})):
            other_page = open_as("supervisor", f"{PAGE}systems/urban.system/", **more)
            _shown(other_page, name)
        page.close()
