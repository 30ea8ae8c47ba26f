"""A resident with a small telephone: says it, tracks it, adds, rates. In a real browser, looked over by axe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Category
from lianxin.quality import actions as q
from tests.browser import axe, new_page, readable
from tests.portal.photos import photo
from tests.portal.test_public import published
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "桥头街道花园社区门口的路灯坏了三天，晚上很黑。"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "现场.jpg"
    path.write_bytes(photo(lon=113.1, lat=29.1, taken="2026:11:20 14:30:00"))
    return path


def fits(page: Any) -> bool:
    """Nothing sticks out sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def answered(world: World, case_id: Any) -> None:
    a.accept(world.on(case_id, "operator"), category="010102")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case_id, "housing"))
    a.record_contact(world.on(case_id, "housing"), means="phone", reached=True)
    a.reply(world.on(case_id, "housing"), public_answer="灯泡已换。", solved=True)
    q.approve(world.on(case_id, "reviewer"))


def test_say_track_add_rate(served: Any, phone: Any, picture: Path) -> None:
    Category.objects.filter(code="010101").update(keywords={"路灯": 1.0}, plain_name="路灯不亮", quick_topic=1)
    phone.goto(served.url)
    assert phone.locator("a[href='tel:110']").bounding_box()["y"] < 60
    assert axe(phone) == []
    phone.get_by_role("main").get_by_role("link", name="说事").click()

    phone.fill("#words", WORDS)
    phone.get_by_text("路灯不亮").click()
    assert axe(phone) == []
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_text("东区 › 桥头街道 › 花园社区").click()
    assert axe(phone) == []
    assert fits(phone)
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.set_input_files("#files", picture)
    phone.get_by_text("照片里带有位置").click()
    phone.locator("#phone").fill("13812342201")
    assert axe(phone) == []
    assert fits(phone)
    phone.get_by_role("button", name="提交").click()

    phone.wait_for_url("**/answer/")
    code = phone.inner_text("#code")
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", code)
    assert "最迟" in phone.inner_text(".portal-lead")
    assert axe(phone) == []
    case = Case.objects.get()
    assert case.area is not None
    assert (case.category.code, case.area.code, case.attachments.count()) == ("010101", "990101001001", 1)  # type: ignore[union-attr]
    assert round(case.lon or 0, 3) == 113.1

    phone.context.clear_cookies()
    phone.goto(f"{served.url}/track/")
    assert phone.get_by_label("查询码").input_value() == ""
    phone.get_by_label("查询码").fill("AAAAA-AAAAA")
    phone.get_by_role("button", name="查", exact=True).click()
    assert "没有查到" in phone.inner_text("main")
    assert axe(phone) == []
    phone.get_by_label("查询码").fill(code.lower())
    phone.get_by_role("button", name="查", exact=True).click()
    assert phone.inner_text("h1").startswith("12345 热线已收到")
    assert axe(phone) == []

    phone.get_by_role("link", name="补充情况或照片").click()
    phone.get_by_label("补充的情况").fill("今天还是黑的。")
    phone.set_input_files("#files", picture)
    phone.wait_for_selector("[data-file]")
    assert axe(phone) == []
    phone.get_by_role("button", name="提交补充").click()
    assert "今天还是黑的。" in phone.inner_text("main")
    assert case.attachments.count() == 2

    answered(served.world, case.pk)
    phone.reload()
    assert "灯泡已换。" in phone.inner_text("main")
    phone.get_by_role("link", name="评价这次办理").first.click()
    phone.get_by_role("button", name="提交评价").click()
    assert axe(phone) == []  # with its faults shown
    phone.get_by_text("没解决", exact=True).click()
    phone.get_by_text("不满意", exact=True).click()
    phone.get_by_role("button", name="提交评价").click()
    assert "您的评价已经记下" in phone.inner_text("main")
    assert axe(phone) == []
    assert phone.faults == []


def test_what_was_missing_is_not_complained_of_once_it_is_written(served: Any, phone: Any) -> None:
    phone.goto(f"{served.url}/say/")
    onward = phone.get_by_role("button", name="下一步：在哪里")
    onward.click()
    fault = phone.get_by_text("请先写下您要说的事")
    fault.wait_for()
    assert phone.evaluate("document.activeElement.id") == "words"
    phone.locator("#words").press_sequentially("路")
    fault.wait_for(state="hidden")
    assert phone.locator("#words").get_attribute("aria-invalid") is None
    phone.locator("#words").press("Backspace")  # nothing again: said when it is asked for, not while writing
    assert not fault.is_visible()
    onward.click()
    fault.wait_for()
    assert phone.faults == []


def test_a_reload_keeps_the_draft_and_the_screen(served: Any, phone: Any, picture: Path) -> None:
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", WORDS)
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.select_option("#county", "990101")
    phone.wait_for_selector("#town option[value='990101001']", state="attached")
    phone.select_option("#town", "990101001")
    phone.fill("#place_text", "三号门旁边")
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.set_input_files("#files", picture)
    phone.wait_for_selector("[data-file]")
    phone.locator("#phone").fill("13812342201")
    phone.locator("#phone").press("Tab")
    assert "13812342201" not in phone.evaluate("JSON.stringify({...localStorage})")
    submission = phone.input_value("input[name=submission]")
    phone.reload()
    assert phone.get_by_role("button", name="提交").is_visible()
    assert phone.locator("#phone").input_value() == "13812342201"
    assert phone.locator("[data-file]").count() == 1
    assert phone.input_value("input[name=submission]") == submission
    phone.go_back()
    assert phone.input_value("#place_text") == "三号门旁边"
    expect(phone.locator("#town")).to_have_value("990101001")
    phone.get_by_role("button", name="上一步").click()
    assert phone.input_value("#words") == WORDS
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/answer/")
    case = Case.objects.get()
    assert (case.area.code, case.place_text) == ("990101001", "三号门旁边")  # type: ignore[union-attr]
    assert phone.evaluate("localStorage['lx-say:rest'] || localStorage['lx-draft:say'] || sessionStorage['lx-say:person'] || ''") == ""
    phone.goto(f"{served.url}/say/")
    assert phone.input_value("#words") == ""
    assert phone.faults == []


def test_without_signal_nothing_is_lost_and_it_is_sent_once(served: Any, phone: Any) -> None:
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", WORDS)
    phone.context.set_offline(True)
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.get_by_role("button", name="提交").click()
    assert "还没有提交" in phone.inner_text("[data-message]")
    assert axe(phone) == []
    phone.context.set_offline(False)
    expect(phone.locator("[data-message]")).to_contain_text("网络恢复")
    phone.get_by_role("button", name="提交").dblclick(no_wait_after=True)
    phone.wait_for_url("**/answer/")
    assert Case.objects.count() == 1


def test_an_answer_lost_on_the_way_back_is_given_again(served: Any, phone: Any) -> None:
    """The server took it, the telephone never heard so: sending again opens the same case."""
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", WORDS)
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()

    def swallow(route: Any) -> None:
        route.fetch(headers={**route.request.headers})
        route.abort()

    phone.route("**/say/", swallow, times=1)
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_selector("[data-message]:not([hidden])")
    assert Case.objects.count() == 1
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/answer/")
    assert Case.objects.count() == 1


def test_a_page_left_open_too_long_is_sent_all_the_same(served: Any, phone: Any) -> None:
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", WORDS)
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.context.clear_cookies()
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/answer/")
    assert Case.objects.count() == 1


def test_sending_waits_for_a_photo_on_its_way(served: Any, phone: Any, picture: Path) -> None:
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", WORDS)
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()
    held: list[Any] = []
    phone.route("**/say/upload/", lambda route: held.append(route))
    phone.set_input_files("#files", picture)
    phone.get_by_role("button", name="提交").click()
    expect(phone.get_by_role("button", name="正在提交")).to_be_visible()
    held[0].continue_()
    phone.wait_for_url("**/answer/")
    assert Case.objects.get().attachments.count() == 1


def test_rules_of_danger_that_did_not_come_are_asked_for_again(served: Any, phone: Any) -> None:
    away = re.compile(r"/say/danger\.")
    phone.route(away, lambda route: route.abort())
    phone.goto(served.url + "/say/")
    phone.fill("#words", "家里煤气漏了")
    expect(phone.locator("a[href='tel:119']").first).to_be_visible()  # the strip above needs neither script nor rules
    assert phone.locator("[data-alarm]").is_hidden()
    phone.unroute(away)
    phone.locator("#words").press("End")
    phone.keyboard.type("，快来人")
    expect(phone.locator("[data-service='119']")).to_be_visible()


def test_danger_is_answered_while_typing(served: Any, phone: Any) -> None:
    phone.goto(f"{served.url}/say/")
    assert phone.locator("[data-alarm]").is_hidden()
    phone.wait_for_load_state("networkidle")
    phone.context.set_offline(True)  # it needs no network, nor does the next page: the rules are kept
    assert phone.evaluate("fetch(document.querySelector('[data-say]').dataset.danger).then((answer) => answer.ok)")
    phone.fill("#words", "楼上着火了")
    assert phone.locator("[data-service='119']").is_visible()
    assert phone.locator("[data-service='110']").is_hidden()
    assert axe(phone) == []
    phone.fill("#words", "路灯坏了")
    assert phone.locator("[data-alarm]").is_hidden()


def test_a_tap_on_the_map_sets_the_place(served: Any, phone: Any) -> None:
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", "路灯坏了")
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="在地图上点").click()
    canvas = phone.locator("[data-map-canvas][data-open] canvas")
    canvas.wait_for()
    assert axe(phone) == []
    canvas.scroll_into_view_if_needed()
    x, y = phone.evaluate("(() => { const p = document.querySelector('[data-map]').map.project([113.1, 29.1]); return [p.x, p.y]; })()")
    canvas.click(position={"x": x, "y": y})
    expect(phone.locator("[data-where-text]")).to_contain_text("花园社区")
    assert "推算" in phone.inner_text("[data-where-text]")
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/answer/")
    case = Case.objects.get()
    assert case.lon == pytest.approx(113.1, abs=0.02)
    assert case.area.code == "990101001001"  # type: ignore[union-attr]
    assert phone.faults == []


def test_the_device_says_where_it_is_and_far_away_is_told(served: Any, browser: Any) -> None:
    page = new_page(browser, width=360, height=740, geolocation={"longitude": 116.4, "latitude": 39.9}, permissions=["geolocation"])
    page.goto(f"{served.url}/say/")
    page.fill("#words", WORDS)
    page.get_by_role("button", name="下一步：在哪里").click()
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-where-text]")).to_contain_text("不在本市")
    assert page.input_value("input[name=lon]") == ""
    page.context.set_geolocation({"longitude": 113.1, "latitude": 29.1})
    page.get_by_role("button", name="用我现在的位置").click()
    expect(page.locator("[data-where-text]")).to_contain_text("花园社区")
    assert page.input_value("input[name=lon]") == "113.100000"
    page.context.close()


def test_the_words_to_be_public_are_seen_and_edited_first(served: Any, phone: Any) -> None:
    phone.goto(f"{served.url}/say/")
    phone.fill("#words", "我电话13812342201，花园社区路灯坏了。")
    phone.get_by_role("button", name="下一步：在哪里").click()
    phone.get_by_role("button", name="下一步：照片和联系").click()
    phone.get_by_text("同意公开这件事").click()
    expect(phone.locator("#body")).to_have_value(re.compile("■"))
    assert "13812342201" not in phone.input_value("#body")
    phone.fill("#body", "花园社区路灯坏了。")
    assert axe(phone) == []
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/answer/")
    assert Case.objects.get().public_version.body == "花园社区路灯坏了。"


def test_every_page_is_accessible(served: Any, browser: Any) -> None:
    case = published(served.world)
    page = new_page(browser, width=360, height=740)
    for address in ("/", "/say/", "/track/", "/public/", "/public/?q=x", f"/public/{case.number}/", "/public/map/",
                    "/about/", "/privacy/", "/accessibility/", "/no/such/page/"):
        page.goto(f"{served.url}{address}")
        assert readable(page, 360, 1440) == [], address
    page.context.close()


def test_the_whole_way_without_javascript(served: Any, browser: Any, picture: Path) -> None:
    page = new_page(browser, width=360, height=740, javascript=False)
    page.goto(f"{served.url}/say/")
    assert page.get_by_role("button", name="用我现在的位置").count() == 0
    page.fill("#words", WORDS)
    page.get_by_role("button", name="下一步：在哪里").click()
    page.select_option("#county", "990101")
    page.get_by_role("button", name="列出下一级").click()
    page.select_option("#town", "990101001")
    page.get_by_role("button", name="下一步：照片和联系").click()
    page.set_input_files("#files", picture)
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/answer/")
    page.get_by_role("link", name="看办理进度").click()
    page.get_by_role("link", name="撤回").click()
    page.get_by_label("为什么撤回").fill("自己修好了")
    page.get_by_role("button", name="确认撤回").click()
    assert "已经撤回" in page.inner_text("h1")
    assert Case.objects.get().attachments.count() == 1
    page.context.close()


def test_nothing_jumps_while_the_page_loads(served: Any, phone: Any) -> None:
    for address in ("/", "/say/"):
        phone.goto(f"{served.url}{address}")
        shift = phone.evaluate("""() => new Promise((done) => {
            let total = 0;
            new PerformanceObserver((list) => list.getEntries().forEach((entry) => { total += entry.value; }))
                .observe({ type: "layout-shift", buffered: true });
            requestAnimationFrame(() => requestAnimationFrame(() => done(total)));
        })""")
        assert shift < 0.01, address
