"""The pictures of the documentation: a walk through a running demo, in a real browser, taking the tutorial's own steps.

The walk is the proof of docs/tutorial/first-case.md: if a screen no longer offers a step that the page describes, the walk
stops there and says where.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from . import tour_field, tour_linkage, tour_open

WORDS = "金鹗中路的工地半夜还在打桩，已经三天了，家里老人睡不着。"
FIRST_UNIT, SECOND_UNIT = "430602-cgj", "430602-zjj"
PHONE, NAME = "07300000001", "王女士"
ANSWER = "我局已责令工地晚上 22 点以后停工，并留了值班电话。今后再有夜间施工，请直接打 12345，我们当晚到场。"
DESK = {"width": 1280, "height": 800}
HAND = {"width": 360, "height": 740}
QUALITY = 78


@dataclass(slots=True)
class Tour:
    """One walk. `to` is where the pictures go; `told` hears each picture's name and size in bytes."""

    browser: Any
    demo: dict[str, Any]
    to: Path
    told: Callable[[str, int], None] = lambda name, size: None
    _pages: dict[str, Any] = field(default_factory=dict)
    number: str = ""

    @property
    def base(self) -> str:
        return str(self.demo["base_url"])

    def _new(self, *, hand: bool = False, dark: bool = False, english: bool = False) -> Any:
        context = self.browser.new_context(
            viewport=HAND if hand else DESK, device_scale_factor=2 if hand else 1, locale="en-GB" if english else "zh-CN",
            timezone_id="Asia/Shanghai", color_scheme="dark" if dark else "light", has_touch=hand, is_mobile=hand,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    def desk_page(self) -> Any:
        """A page of a desk's size, with nobody signed in."""
        return self._new()

    def resident(self) -> Any:
        if "resident" not in self._pages:
            self._pages["resident"] = self._new(hand=True)
        return self._pages["resident"]

    def account(self, name: str) -> dict[str, str]:
        """An account of the demo by username, or the first of a role."""
        for entry in self.demo["accounts"]:
            if name in (entry["username"], entry["role"]):
                return dict(entry)
        raise LookupError(f"demo.json has no account {name}")

    def staff(self, name: str, **look: bool) -> Any:
        """A desk page of one person, signed in."""
        key = f"{name}{sorted(look.items())}"
        if key not in self._pages:
            account, page = self.account(name), self._new(**look)
            page.goto(f"{self.base}/accounts/login/")
            page.fill("[name=login]", account["username"])
            page.fill("[name=password]", account["password"])
            with page.expect_navigation():
                page.locator("form[action*=login] button").first.click()
            page.wait_for_url("**/desk/**")
            self._pages[key] = page
        return self._pages[key]

    def clerk(self, unit: str) -> Any:
        return self.staff(f"clerk-{unit}")

    def shot(self, page: Any, name: str, *, whole: bool = False, at: str = "") -> None:
        """One picture as WebP. `whole` takes the page to its end, `at` one element."""
        settled(page)
        page.evaluate("document.activeElement?.blur?.()")
        body = page.locator(at).first.screenshot() if at else page.screenshot(full_page=whole)
        picture = Image.open(io.BytesIO(body)).convert("RGB")
        self.to.mkdir(parents=True, exist_ok=True)
        path = self.to / f"{name}.webp"
        picture.save(path, "WEBP", quality=QUALITY, method=6)
        self.told(path.name, path.stat().st_size)

    def open(self, page: Any) -> None:
        """The tour's case on a desk page, found by the number that the resident was given."""
        page.goto(f"{self.base}/desk/find/?q={self.number}")
        page.wait_for_url("**/desk/cases/**")

    def act(self, page: Any, action: str, shot: str = "", **fields: str) -> None:
        """Take one action on the open case through its button and its form; with `shot`, a picture of the filled form."""
        form = page.locator(f".desk-act[action*='/do/{action}/']")
        if not form.count():  # one action may lead straight to the form of the next
            page.locator(f"a[href*='/do/{action}/'], form:not(.desk-act)[action*='/do/{action}/'] button").first.click()
            if not fields:
                settled(page)
                return
        form.wait_for()
        for name, value in fields.items():
            control = form.locator(f"[name={name}]")
            if control.evaluate("(e) => e.tagName") == "SELECT":
                control.select_option(value)
            elif control.get_attribute("type") == "checkbox":
                control.check()
            else:
                control.fill(value)
        if shot:
            self.shot(page, shot)
        with page.expect_response(lambda reply: f"/do/{action}/" in reply.url and reply.request.method == "POST") as sent:
            form.locator("button[data-key='ctrl+enter']").click()
        if sent.value.status >= 400:
            raise AssertionError(f"{action}: {sent.value.status} {form.inner_text()}")
        page.wait_for_url(lambda url: "/do/" not in url)
        page.locator("main .lx-notice.good").first.wait_for()

    # --- the tutorial, step by step -------------------------------------------------------------------------------

    def say_it(self) -> None:
        page = self.resident()
        page.goto(f"{self.base}/")
        self.shot(page, "portal-home")
        page.get_by_role("link", name="说事", exact=True).last.click()
        page.wait_for_load_state("networkidle")  # its script listens only then
        page.fill("[name=words]", WORDS)
        page.locator("[data-topic-list] label").first.wait_for()
        self.shot(page, "say-1-words")
        page.locator("[data-go=place]").first.click()
        page.fill("[name=place_text]", "金鹗中路")
        page.locator("[data-found-list] label").first.click()
        self.shot(page, "say-2-place")
        page.locator("[data-go=send]").first.click()
        page.fill("[name=phone]", PHONE)
        page.fill("[name=name]", NAME)
        self.shot(page, "say-3-contact")
        with page.expect_navigation():
            page.locator("[data-submit]").click()
        page.locator("#code").wait_for()
        self.number = page.locator(".portal-keep .lx-number").inner_text().strip()
        self.shot(page, "answer")

    def look(self, shot: str, *, whole: bool = False) -> None:
        """The resident's page as it is now."""
        page = self.resident()
        page.goto(f"{self.base}/mine/")
        self.shot(page, shot, whole=whole)

    def accept(self) -> None:
        page = self.staff("operator")
        page.goto(f"{self.base}/desk/board/queue/")
        self.shot(page, "queue")
        self.open(page)
        self.act(page, "accept", "accept", category="010503 夜间施工")

    def dispatch(self) -> None:
        page = self.staff("dispatcher")
        self.open(page)
        self.act(page, "dispatch", "dispatch", note="每晚 22 点以后，请当晚到场。")

    def send_back(self) -> None:
        page = self.clerk(FIRST_UNIT)
        page.goto(f"{self.base}/desk/board/mine/")
        self.shot(page, "mine")
        self.open(page)
        self.act(page, "raise_return", "return", reason="other_unit_leads", suggested_unit=SECOND_UNIT,
                 evidence="工地持有住建局核发的施工许可，夜间施工由住建局监管，我局可协助巡查。")

    def rule(self) -> None:
        page = self.staff("dispatcher")
        page.goto(f"{self.base}/desk/board/returns/")
        self.shot(page, "returns")
        self.open(page)
        self.act(page, "uphold_return", "ruling", ruling="理由成立，改由住建局主办，城管局协办。")
        self.open(page)
        self.act(page, "dispatch", lead_unit=SECOND_UNIT, assisting_units=FIRST_UNIT)

    def handle(self, answer: str, *, shot: str = "", contact: bool = True) -> None:
        page = self.clerk(SECOND_UNIT)
        self.open(page)
        self.act(page, "sign")
        self.open(page)
        if contact:
            self.act(page, "record_contact", means="phone", reached="yes", note="已与诉求人通话，约定今晚到场。")
        if shot:
            self.open(page)
            self.shot(page, "case")
        self.act(page, "reply", shot, public_answer=answer, solved="yes", means="" if contact else "phone")

    def review(self, shot: str = "") -> None:
        page = self.staff("reviewer")
        if shot:
            page.goto(f"{self.base}/desk/board/review/")
        self.open(page)
        page.locator("a[href*='/do/approve/']").first.click()
        asked = page.locator("[data-checklist] .item")
        asked.first.wait_for()
        for number in range(asked.count()):
            asked.nth(number).locator("[value=yes]").check()
        self.act(page, "approve", shot, note="")

    def call_back(self, *, solved: bool, shot: str = "") -> None:
        page = self.staff("callback")
        self.open(page)
        self.act(page, "record_callback_attempt", shot, outcome="reached", truthful="yes", solved="yes" if solved else "no",
                 satisfaction="satisfied" if solved else "dissatisfied",
                 note="昨晚安静了，谢谢。" if solved else "昨晚 23 点又在打桩。")

    def redone(self) -> None:
        """What the resident said is not solved has gone back by itself."""
        page = self.staff("callback")
        self.open(page)
        self.shot(page, "reopen")

    def close(self) -> None:
        page = self.staff("callback")
        self.open(page)
        self.act(page, "close", explanation="")
        self.open(page)
        self.shot(page, "closed", whole=True)

    def rate(self) -> None:
        page = self.resident()
        page.goto(f"{self.base}/mine/")
        page.locator("a[href$='/mine/rate/']").first.click()
        page.locator("[name=solved]").first.wait_for()
        for name, value in (("solved", "yes"), ("satisfaction", "satisfied")):
            page.locator(f"[name={name}][value={value}]").check(force=True)
        self.shot(page, "rate")
        with page.expect_navigation():
            page.locator("main form button.primary").first.click()
        page.goto(f"{self.base}/mine/")
        self.shot(page, "mine-closed")

    def walk(self) -> None:
        """The tutorial from the first word to the rating."""
        self.say_it()
        self.accept()
        self.dispatch()
        self.look("mine-dispatched")
        self.send_back()
        self.rule()
        self.handle(ANSWER, shot="reply")
        self.review("review")
        self.look("mine-answered")
        self.call_back(solved=False, shot="callback")
        self.redone()
        self.look("mine-again")
        self.handle("我局昨晚派人值守到 24 点，工地已停止夜间施工，并被立案处罚。", contact=False)
        self.review()
        self.call_back(solved=True)
        self.close()
        self.rate()

    def faces(self) -> None:
        """The screens that the other pages show."""
        page = self.staff("operator")
        page.goto(f"{self.base}/desk/call/")
        page.locator("#id_words").press_sequentially("朝阳社区后面巷子的路灯不亮了，晚上很黑，老人不敢出门。", delay=5)
        page.fill("#id_phone", PHONE)
        page.locator("#suggest-read .lx-notice.good").wait_for()  # what the catalogue says, once the category is filled
        self.shot(page, "call")
        page.locator("#id_words").fill("")
        page = self.staff("supervisor")
        page.goto(f"{self.base}/desk/overview/")
        self.shot(page, "overview")
        page = self.staff("callback")
        page.goto(f"{self.base}/desk/board/callback/")
        self.shot(page, "callback-list")
        page = self.staff("operator")
        page.goto(f"{self.base}/desk/missed-calls/")
        self.shot(page, "missed-calls")
        dark = self.staff("dispatcher", dark=True)
        dark.goto(f"{self.base}/desk/board/queue/")
        self.shot(dark, "queue-dark")
        english = self.staff("clerk", english=True)
        english.goto(f"{self.base}/desk/board/mine/")
        self.shot(english, "mine-english")

    def field(self) -> None:
        """A grid worker's telephone."""
        tour_field.walk(self)

    def linkage(self) -> None:
        """Two desks, and a matter that goes over."""
        tour_linkage.walk(self)

    def open_to_others(self) -> None:
        """What anyone may read, and what others join to."""
        tour_open.walk(self)


def settled(page: Any) -> None:
    """Until nothing more is fetched. A page that hears of news holds a connection for ever: then until everything else has come."""
    try:
        page.wait_for_load_state("networkidle", timeout=2_000)
    except Exception as error:
        if type(error).__name__ != "TimeoutError":
            raise


def demo_of(data: Path) -> dict[str, Any]:
    """What a running demo wrote into its data directory. Raises OSError and ValueError."""
    return dict(json.loads((data / "demo.json").read_text(encoding="utf-8")))
