"""The telephone rings and the screen fills: in a real browser, with news from a real process, and without one."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases.models import Case
from lianxin.telephony.models import Call, CaseCall, NumberReading
from tests.browser import axe
from tests.journeys.conftest import Open
from tests.journeys.test_desk import press
from tests.telephony.test_live import serving  # noqa: F401
from tests.telephony.ways import NUMBER, rings, switchboard, told

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def live(served: Any, serving: str, settings: Any) -> str:  # noqa: F811
    """The site's pages listen to the process beside it."""
    switchboard(served.world)
    settings.LIANXIN_LIVE_URL = serving
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**directives, "connect-src": [*directives["connect-src"], serving]}}
    return str(serving)


def sits(page: Any, extension: str = "8001") -> None:
    """By keyboard: extension, Enter, ready."""
    page.locator("#agent-extension").fill(extension)
    press(page, "Enter")
    expect(page.locator("#desk-agent")).to_contain_text("小休")
    press(page, "Control+.")
    expect(page.locator("#desk-agent .desk-agent-state strong")).to_have_text("待接")
    page.locator("[name=words]").focus()


def listens(page: Any) -> None:
    page.wait_for_function("() => document.documentElement.dataset.live === 'on'")


def phone(page: Any) -> Any:
    return page.locator("#call-form [name=phone]")


def test_a_call_from_ringing_to_the_next(open_as: Open, served: Any, live: str) -> None:
    known = served.world.case(phone=NUMBER)
    page = open_as("operator", "/desk/call/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    sits(page)
    listens(page)
    call = rings()
    expect(phone(page)).to_have_value(NUMBER)
    expect(page.locator("#call-pop")).to_contain_text(Case.objects.get(pk=known).number)
    assert page.evaluate("document.activeElement.name") == "words", "nothing steals the cursor"
    assert not any(NUMBER in one for one in asked), "the number came from the server and did not go back"
    assert axe(page) == []
    told("answered", extension="8001")
    expect(page.locator("#desk-agent")).to_contain_text("通话")
    page.keyboard.type("花园社区路灯又不亮了")
    press(page, "F2")
    page.get_by_text("已登记").wait_for()
    case = Case.objects.exclude(pk=known).get()
    assert CaseCall.objects.get(case=case).call_id == call.pk
    expect(phone(page)).to_have_value("")
    told("held", extension="8001")
    expect(page.locator(".desk-agent-call")).to_contain_text("保持中")
    expect(phone(page)).to_have_value("")  # the next matter of the same caller is fetched by key, not by itself
    press(page, "F1")
    expect(phone(page)).to_have_value(NUMBER)
    told("ended")
    expect(page.locator("#desk-agent")).to_contain_text("整理")
    press(page, "Control+.")
    expect(page.locator("#desk-agent .desk-agent-state strong")).to_have_text("待接")
    assert NumberReading.objects.count() == 2
    assert page.faults == []


def test_a_call_given_up_before_the_bar_knew_of_it_leaves_nothing(open_as: Open, served: Any, live: str) -> None:
    page = open_as("operator", "/desk/call/")
    sits(page)
    listens(page)
    page.evaluate("""() => {
      const real = window.fetch, bar = document.getElementById('desk-agent').dataset.bar;
      const gate = new Promise((open) => { window.openGate = open; });
      window.fetch = async (address, ...more) => { if (address === bar) await gate; return real(address, ...more); };
    }""")
    rings()
    expect(phone(page)).to_have_value(NUMBER)
    told("abandoned")
    page.evaluate("window.openGate()")
    expect(phone(page)).to_have_value("")
    expect(page.locator("#call-form [name=call]")).to_have_value("")
    expect(page.locator("#call-pop")).to_be_empty()
    assert page.faults == []


def test_what_somebody_is_writing_is_left_alone(open_as: Open, served: Any, live: str) -> None:
    page = open_as("operator", "/desk/call/")
    sits(page)
    listens(page)
    rings("c1")
    expect(phone(page)).to_have_value(NUMBER)
    told("abandoned", "c1")
    expect(phone(page)).to_have_value("")  # rang in vain: nothing of its caller stays
    page.keyboard.type("上一位说的还没登记")
    second = rings("c2", number="13700000000")
    expect(page.locator(".desk-agent-call.ringing")).to_be_visible()
    page.wait_for_timeout(500)
    expect(phone(page)).to_have_value("")
    expect(page.locator("[name=words]")).to_have_value("上一位说的还没登记")
    with page.context.expect_page() as opened:
        press(page, "F1")
    other = opened.value
    expect(phone(other)).to_have_value("13700000000")
    expect(other.locator("[name=words]")).to_have_value("")
    assert "#" not in other.url
    assert second.pk
    assert Call.objects.count() == 2


def test_another_page_goes_to_the_call_and_one_with_a_form_open_does_not(open_as: Open, served: Any, live: str) -> None:
    page = open_as("operator", "/desk/call/")
    sits(page)
    page.goto(served.url + "/desk/knowledge/")
    listens(page)
    rings("c1")
    page.wait_for_url(re.compile("/desk/call/$"))
    expect(phone(page)).to_have_value(NUMBER)
    told("abandoned", "c1")
    page.goto(served.url + "/desk/missed-calls/")
    listens(page)
    page.locator("#find").fill("路灯")
    rings("c2")
    page.wait_for_url(re.compile("/desk/call/$"))


def test_without_the_process_it_is_asked_for(open_as: Open, served: Any) -> None:
    switchboard(served.world)
    page = open_as("operator", "/desk/call/")
    sits(page)
    rings()
    expect(phone(page)).to_have_value(NUMBER, timeout=15_000)
    assert page.evaluate("document.documentElement.dataset.live") == "off"
    assert page.faults == []


def test_the_screen_fills_at_once(open_as: Open, served: Any, live: str) -> None:
    """From the event's commit to the number on the screen; how quick exactly, `./run bench` says."""
    page = open_as("operator", "/desk/call/")
    sits(page)
    listens(page)
    page.evaluate("""document.getElementById('call-form').addEventListener('lx:call', () => { window.filled = Date.now(); })""")
    took = []
    for n in range(12):
        page.evaluate("window.filled = 0")
        began = time.time()
        rings(f"c{n}", number=f"1370000{n:04}")
        page.wait_for_function("() => window.filled > 0", polling=20)
        took.append(page.evaluate("window.filled") - began * 1000)
        told("abandoned", f"c{n}")
        expect(phone(page)).to_have_value("")
    assert sorted(took)[len(took) // 2] < 1000, took
