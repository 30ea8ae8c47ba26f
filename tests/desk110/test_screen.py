"""The people's screen in a real browser: live, with a keyboard, in both languages, light and dark, wide and narrow."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import axe, new_page
from tests.desk110.world import THEM, US, Desk, Peer, Thread, until

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = new_page(browser)
    yield page
    page.context.close()
    assert page.faults == []


def ready(page: Any, desk: Desk, path: str = "/") -> Any:
    """The page, listening."""
    page.goto(desk.url + path)
    page.wait_for_selector("#live:not(:empty)")
    return page


def test_an_emergency_is_on_the_screen_within_a_second(page: Any, desk: Desk, peer: Peer) -> None:
    ready(page, desk)
    ordinary = Thread(peer)
    ordinary.offer(words="先来的一般移交")
    page.wait_for_selector(f'.offer[data-matter="{ordinary.key}"][data-visible-at]')
    matter = Thread(peer)
    matter.offer(emergency=True, basis="emergency", words="持刀争吵，有人受伤", answer_within=30)
    offer = page.wait_for_selector(f'.offer.emergency[data-matter="{matter.key}"][data-visible-at]')
    assert page.query_selector(".offer").get_attribute("data-matter") == str(matter.key)  # on top
    seen = until(lambda: (found := desk.get(f"/api/seen?matter={matter.key}"))["visible_at"] and found)
    assert 0 <= seen["visible_at"] - seen["received_at"] < 1000
    assert abs(float(offer.get_attribute("data-visible-at")) - seen["visible_at"]) < 1
    assert seen["shown_at"] >= seen["received_at"]
    assert "紧急移交" in page.inner_text("#alarm")  # for who does not look at the list, and for readers of the screen
    assert page.title().startswith("(")
    assert desk.matter(matter.key)["handovers"][0]["state"] == "offered"  # on the screen is not before a person
    page.click("#alarm a")
    page.wait_for_selector(".words.whole")
    peer.wait(matter, "acknowledge")


def test_opened_it_is_acknowledged_and_accepted_with_the_keyboard(page: Any, desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    ready(page, desk)
    page.focus(f'.offer[data-matter="{matter.key}"] a.button')
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/matters/{matter.key}")
    assert peer.wait(matter, "acknowledge")["body"]["operator"] == "110-01"
    page.wait_for_selector('.ledger [data-kind="acknowledge"]')  # it comes by itself
    page.focus("input[name=note]")
    page.keyboard.type("就近巡逻车前往")
    page.keyboard.press("Enter")
    assert peer.wait(matter, "acknowledge", "accept")["body"]["note"] == "就近巡逻车前往"
    page.wait_for_selector('h1 .holder.us[data-term="2"]')
    page.click("button[value=dispatched]")
    assert peer.wait(matter, "acknowledge", "accept", "progress")["body"]["reference"].startswith("PD-")
    page.click("text=反馈处置结果")
    page.select_option("select[name=result]", "mediated")
    page.fill("textarea[name=words] >> nth=0", "双方已劝开。")
    page.check("input[name=follow_up]")
    page.click("button:has-text('反馈') >> nth=-1")
    assert "请写明要对方继续办什么" in page.inner_text(".fault")  # and nothing typed is lost
    assert page.input_value("details[open] textarea[name=words]") == "双方已劝开。"
    page.fill("textarea[name=follow_up_words]", "请转人民调解。")
    page.click("details[open] button.primary")
    peer.wait(matter, "acknowledge", "accept", "progress", "outcome", "offer")
    assert "请转人民调解。" in page.inner_text(".ledger")


def test_refused_with_a_reason(page: Any, desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    ready(page, desk, f"/matters/{matter.key}")
    peer.wait(matter, "acknowledge")
    page.click("text=不接收，说明理由")
    page.select_option("select[name=reason]", "elsewhere")
    page.fill("details[open] textarea[name=words]", "属住建部门")
    page.click("button:has-text('确认不接收')")
    assert peer.wait(matter, "acknowledge", "refuse")["body"] == {
        "reason": "elsewhere", "words": "属住建部门", "operator": "110-01", "defaulted": False}
    assert page.get_attribute("h1 .holder", "data-holder") == "them"


def test_negotiated_and_still_unclear(page: Any, desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer(basis="unclear", first_receiver=US)
    ready(page, desk, f"/matters/{matter.key}")
    page.click("text=记一次协商或三方通话")
    page.fill("details[open] textarea", "来电人在线，归属不清")
    page.check("input[name=three_way]")
    page.click("details[open] button")
    page.wait_for_selector('.ledger [data-kind="negotiate"]')
    assert "首接单位是我方" in page.inner_text("#matter")
    page.click("button:has-text('按首接负责')")
    assert peer.wait(matter, "acknowledge", "negotiate", "accept")["body"]["by"] == "default"


def test_what_the_other_desk_says_comes_by_itself_and_takes_nothing_typed(page: Any, desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    ready(page, desk, f"/matters/{matter.key}")
    page.wait_for_selector('.ledger [data-kind="acknowledge"]')
    page.fill("input[name=note]", "正在写")
    matter.say("supplement", {"words": "来电人又说：刀已收起"})
    page.wait_for_selector('.ledger [data-kind="supplement"]')
    assert page.input_value("input[name=note]") == "正在写"
    page.fill("input[name=note]", "")
    page.evaluate("document.activeElement.blur()")
    matter.say("withdraw", {"reason": "来电人撤销"})
    page.wait_for_selector('.ledger [data-kind="withdrawn"]')
    page.wait_for_selector("form[action$='/accept']", state="detached")


def test_a_new_incident_goes_over(page: Any, desk: Desk, peer: Peer) -> None:
    page.goto(desk.url + "/new")
    page.keyboard.type("小区广场舞太吵，孩子要考试。")  # the cursor stands there
    page.fill("input[name=place]", "巴陵广场")
    page.select_option("select[name=category]", "噪声扰民")
    page.fill("input[name=caller_name]", "演练人")
    page.fill("input[name=caller_phone]", "13800001234")
    page.select_option("select[name=shared]", "masked")
    page.check("input[name=their_first]")
    page.click("button.primary")
    page.wait_for_selector(".ledger")
    key = page.get_attribute("#matter", "data-matter")
    body = peer.wait(key, "offer")["body"]
    assert body["caller"] == {"shared": "masked", "name": "演某", "phone": "*******1234"}
    assert (body["first_receiver"], body["category"]["code"], body["place"]["text"]) == (THEM, "noise", "巴陵广场")
    ready(page, desk, f"/matters/{key}")
    matter = Thread(peer, uuid.UUID(key))
    matter.handover = uuid.UUID(peer.of(key)[0]["handover"])
    matter.say("accept", {"operator": "A017"}, term=2)
    page.wait_for_selector("h1 .holder.them")
    matter.term = 2
    matter.say("outcome", {"result": "settled", "words": "已劝离", "at": "2026-11-27T21:00:00+08:00"})
    page.check("input[name=told]")
    page.click("button:has-text('知悉')")
    peer.wait(key, "offer", "close")


def test_by_telephone_while_the_line_is_down_and_withdrawn(page: Any, desk: Desk, peer: Peer) -> None:
    made = desk.post("/api/offers", {"words": "占道经营"}, status=201)
    peer.wait(made["id"], "offer")
    peer.close()
    ready(page, desk, f"/matters/{made['id']}")
    page.click("text=线路不通，电话里说的")
    page.fill("details[open] input[name=spoke_with]", "A017")
    page.select_option("details[open] select", "accepted")
    page.click("details[open] button")
    page.wait_for_selector('.ledger [data-kind="phone"]')
    assert "还没送达" in page.inner_text(".ledger")
    page.wait_for_selector("#line .bad")
    page.click("text=撤回移交")
    page.fill("details[open] input[name=reason]", "对方已自行处理")
    page.click("details[open] button")
    page.wait_for_selector('.ledger [data-kind="withdraw"]')
    peer.open()
    peer.wait(made["id"], "offer", "phone", "withdraw")
    page.wait_for_selector("#line .good")


def test_the_switch_for_misbehaving(page: Any, desk: Desk, peer: Peer) -> None:
    page.goto(desk.url + "/conduct")
    page.fill("input[name=slow]", "0.2")
    page.check("input[name=refuse_all]")
    page.click("button:has-text('照此出错')")
    page.wait_for_selector("#line .warn")
    assert (desk.get("/control")["slow"], desk.get("/control")["refuse_all"]) == (0.2, True)
    page.fill("input[name=duplicate]", "0.5")
    page.evaluate("document.querySelector('[name=duplicate]').max = 9")
    page.fill("input[name=duplicate]", "7")
    page.click("button:has-text('照此出错')")
    assert "数字不对" in page.inner_text(".fault")
    page.click("button:has-text('全部恢复正常')")
    assert desk.get("/control")["refuse_all"] is False
    page.check("#automatic input[name=on]")
    page.fill("#automatic input[name=accept]", "1")
    page.fill("#automatic input[name=refuse]", "0")
    page.fill("#automatic input[name=negotiate]", "0")
    page.click("#automatic button")
    matter = Thread(peer)
    matter.offer()
    until(lambda: "accept" in peer.kinds(matter))


def test_a_rule_is_proposed_and_approved(page: Any, desk: Desk, peer: Peer) -> None:
    page.goto(desk.url + "/rules")
    page.select_option("select[name=category]", "流浪犬只")
    page.select_option("select[name=takes]", "them")
    page.click("button:has-text('提出')")
    rule = until(lambda: [message for message in peer.got if message["kind"] == "rule"])[-1]["body"]
    assert (rule["action"], rule["takes"]) == ("propose", "receiver")
    approve = {"version": "1", "id": str(uuid.uuid4()), "from": THEM, "to": US, "kind": "rule", "sent_at": "2026-11-27T21:00:00+08:00",
               "body": {"rule": rule["rule"], "action": "approve"}}
    peer.send(approve)
    page.reload()
    assert "已生效" in page.inner_text(f'tr[data-rule="{rule["rule"]}"]')


def test_without_script_it_works_too(browser: Any, desk: Desk, peer: Peer) -> None:
    page = new_page(browser, javascript=False)
    matter = Thread(peer)
    matter.offer()
    page.goto(f"{desk.url}/matters/{matter.key}")
    page.click("button:has-text('标记已查看')")
    peer.wait(matter, "acknowledge")
    page.click("button:has-text('接收这件事')")
    peer.wait(matter, "acknowledge", "accept")
    page.context.close()


def test_sound_is_switched_on_by_a_person(page: Any, desk: Desk) -> None:
    ready(page, desk)
    assert page.get_attribute("#sound", "aria-pressed") == "false"
    page.click("#sound")
    assert page.get_attribute("#sound", "aria-pressed") == "true"
    page.reload()
    assert page.get_attribute("#sound", "aria-pressed") == "true"


def test_a_badge_of_ones_own(page: Any, desk: Desk, peer: Peer) -> None:
    page.goto(desk.url + "/")
    page.fill("input[name=badge]", "110-42")
    page.click(".seat button >> nth=0")
    matter = Thread(peer)
    matter.offer()
    page.goto(f"{desk.url}/matters/{matter.key}")
    assert peer.wait(matter, "acknowledge")["body"]["operator"] == "110-42"


@pytest.mark.parametrize(("width", "dark", "english"), [(1440, False, False), (360, True, True)])
def test_pages_are_accessible_and_fit(browser: Any, desk: Desk, peer: Peer, width: int, dark: bool, english: bool) -> None:
    emergency, talked = Thread(peer), Thread(peer)
    emergency.offer(emergency=True)
    talked.offer()
    desk.act(talked.handover, "negotiate", words="说过一次", agreed="unclear")
    taken = Thread(peer)
    taken.offer()
    desk.act(taken.handover, "accept")
    own = desk.post("/api/offers", {"words": "自己的一件"}, status=201)["id"]
    page = new_page(browser, width=width, dark=dark)
    if english:
        page.context.add_cookies([{"name": f"desk{desk.port}_language", "value": "en", "url": desk.url}])
    for path in ("/", f"/matters/{talked.key}", f"/matters/{taken.key}", f"/matters/{own}", "/matters", "/new", "/line", "/rules",
                 "/conduct", "/nowhere"):
        page.goto(desk.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.emulate_media(reduced_motion="reduce")
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.get_attribute("html", "lang") == ("en" if english else "zh-CN")
    page.context.close()


def test_what_is_typed_is_shown_as_text(page: Any, desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer(words="<img src=x onerror=alert(1)><script>alert(2)</script>", reason="<b>粗</b>")
    ready(page, desk)
    ready(page, desk, f"/matters/{matter.key}")
    assert "<script>alert(2)</script>" in page.inner_text(".words.whole")
    answer = desk.http.get(desk.url + "/", timeout=5)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_form_of_another_site_is_refused(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    for path in (f"/handovers/{matter.handover}/accept", "/new", "/conduct", "/line", "/seat", f"/matters/{matter.key}/offer", "/rules"):
        assert desk.http.post(desk.url + path, data={"words": "x"}, timeout=5).status_code == 403, path
    assert peer.kinds(matter) == []
