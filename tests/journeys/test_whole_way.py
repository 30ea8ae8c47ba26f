"""The whole way of one case, by hand, in a real browser: from a resident's telephone through every desk to the rating.

The resident's page is read again after every step: it must tell the truth each time, in words anyone understands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases.models import Case, Event
from lianxin.cases.rebuild import differences
from tests.browser import new_page
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a bridge of hearts 12345"
WORDS = "桥头街道花园社区三号楼下的工地半夜还在打桩，孩子睡不着。"


class Desk:
    """One member of staff at their screen; only the keyboard is used once they have signed in."""

    def __init__(self, browser: Any, url: str, world: World, username: str) -> None:
        person = world.staff[username]
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
        self.url = url
        self.page = new_page(browser)
        self.page.goto(f"{url}/accounts/login/?next=/desk/")
        self.page.fill("[name=login]", username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile(r"/desk/.+"))

    def take(self, number: str, key: str, **fields: str) -> None:
        """Find the case, press the letter of the action, fill its form and send it with Ctrl+Enter."""
        page = self.page
        page.goto(f"{self.url}/desk/find/?q={number}")
        page.wait_for_selector(f"[data-key='{key}']")
        page.keyboard.press(key)
        if key != "s":  # signing asks nothing
            page.wait_for_selector(".desk-act")
            for name, value in fields.items():
                field = page.locator(f".desk-act [name={name}]")
                if field.evaluate("e => e.tagName") == "SELECT":
                    field.select_option(value)
                else:
                    field.fill(value)
            page.keyboard.press("Control+Enter")
        expect(page.locator(".lx-notice.good"), f"{number} {key}: {page.inner_text('main')}").to_be_visible()
        assert page.faults == []

    def close(self) -> None:
        self.page.context.close()


def test_from_the_first_word_to_the_rating(served: Any, browser: Any, phone: Any) -> None:
    world: World = served.world
    people: dict[str, Desk] = {}

    def at(username: str) -> Desk:
        if username not in people:
            people[username] = Desk(browser, served.url, world, username)
        return people[username]

    # The resident says it on a telephone.
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", WORDS)
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_text("东区 › 桥头街道 › 花园社区").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.locator("#phone").fill("13812342201")
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/answer/")
    case = Case.objects.get()
    number = case.number
    assert number in phone.inner_text("main")

    def resident_reads(*parts: str, never: tuple[str, ...] = ()) -> None:
        phone.goto(f"{served.url}/mine/")
        text = phone.inner_text("main")
        for part in parts:
            assert part in text, f"{part!r} is not in: {text}"
        for part in (*never, "in_hand", "objected", "callback", "dispatched"):
            assert part not in text, f"{part!r} is in: {text}"

    told: Callable[..., None] = resident_reads
    told("12345 热线已收到您说的事", "最迟")

    at("operator").take(number, "a", category="010102", area="990101001001")
    told("热线已受理")
    at("dispatcher").take(number, "d", lead_unit="urban", note="先请城管现场看。")
    told("已交给市城管局", never=("先请城管现场看",))

    at("urban").take(number, "t", reason="not_ours", evidence="施工噪声归住建局管。", suggested_unit="housing")
    told("热线正在核定由哪个单位办理", never=("施工噪声归住建局管",))
    at("dispatcher").take(number, "u", ruling="同意，改派住建局。")
    at("dispatcher").take(number, "d", lead_unit="housing")
    told("已交给市住建局", never=("同意，改派",))

    at("housing").take(number, "s")
    told("市住建局已接单，正在办理")
    at("housing").take(number, "c", means="phone", reached="yes", note="约好今晚去看。")
    at("housing").take(number, "e", public_answer="已责令工地夜间停工。", solved="yes", private_note="工头姓李。")
    told("市住建局已写好答复，热线正在审核", never=("已责令工地夜间停工", "工头姓李", "约好今晚"))
    at("reviewer").take(number, "p")
    told("已责令工地夜间停工", "请看看是不是真解决了", never=("工头姓李",))

    at("callback").take(number, "l", outcome="reached", truthful="yes", solved="no", satisfaction="dissatisfied")
    told("您说还没解决", "这件事退回市住建局重办", "自动退回原单位重新办理")

    at("housing").take(number, "s")
    told("市住建局正在重新办理")
    at("housing").take(number, "e", public_answer="已立案处罚，设备撤场。", solved="yes", means="visit")
    at("reviewer").take(number, "p")
    at("callback").take(number, "l", outcome="reached", truthful="yes", solved="yes", satisfaction="basically")
    at("callback").take(number, "g")
    told("这件事已由市住建局办好", "已立案处罚，设备撤场")

    phone.get_by_role("link", name="评价这次办理").first.click()
    phone.get_by_text("解决了", exact=True).click()
    phone.get_by_text("满意", exact=True).click()
    phone.get_by_role("button", name="提交评价").click()
    expect(phone.locator("main")).to_contain_text("您的评价已经记下")
    told("已解决，满意")

    case.refresh_from_db()
    assert (case.state, case.outcome, case.round, case.returns) == ("closed", "solved", 2, 1)
    assert case.words == WORDS
    assert differences(case.pk) == []
    assert list(Event.objects.filter(case=case).order_by("id").values_list("action", flat=True)) == [
        "register", "accept", "dispatch", "raise_return", "uphold_return", "dispatch", "sign", "record_contact", "reply",
        "approve", "record_callback_attempt", "reopen_unsolved", "sign", "reply", "approve", "record_callback_attempt", "close",
        "rate",
    ]
    assert phone.faults == []
    for desk in people.values():
        desk.close()
