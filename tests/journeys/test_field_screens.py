"""The screens of a grid worker's telephone, by touch and by keyboard: a report from the photo to its number, and how they look."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Attachment, Case, EventText
from lianxin.kernel.coordinates import gcj02_to_wgs84
from tests.browser import COLOURS, TAGS, axe, axe_ready, lit
from tests.cases.ways import VILLAGE
from tests.journeys.hand import Taps, asked, camera, fits, given, sent, shown, tab, targets, town
from tests.journeys.phone import Phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
THEMES = ("light", "dark", "sun")
LANGUAGES = {"zh-hans": "zh-CN", "zh-hant": "zh-TW", "en": "en-GB"}
# What has the focus does not lie under the button that stays at the bottom.
UNCOVERED = """() => {
  const one = document.activeElement, foot = document.querySelector(".f-foot");
  if (!foot || foot.contains(one) || one.closest("nav, dialog")) return true;
  return one.getBoundingClientRect().bottom <= foot.getBoundingClientRect().top + 12;
}"""
# A sound of its own instead of a microphone's: the recorder, the limit and the player are the real ones.
MICROPHONE = """navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
  tone.connect(out); tone.start();
  return out.stream;
};"""


@pytest.fixture
def phone(telephone: Phone) -> Phone:
    """The grid worker's; the bare page of that name is not meant here."""
    return telephone


# --- a report -----------------------------------------------------------------------------------------------------


def test_a_report_takes_five_taps_and_three_the_next_time(phone: Phone) -> None:
    page, taps = phone.page, Taps(phone)
    phone.sync()
    taps.photo(tab(phone, "report"))  # the camera opens first
    expect(page.locator(".f-photos img")).to_have_count(1)
    for name in ("城乡建设", "市政", "路灯"):
        taps(page.locator(".f-tile", has_text=name))
    expect(page.locator(".f-placebox")).to_contain_text("网格")
    taps(page.get_by_role("button", name="上报", exact=True))
    sent(phone)
    assert taps.count == 5

    case = Case.objects.get()
    assert case.category is not None
    assert case.area is not None
    assert (case.category.code, case.area.level, case.channel) == ("010101", "grid", "field")
    assert (round(case.lon or 0, 3), round(case.lat or 0, 3)) == (113.1, 29.1)
    assert "路灯" in case.words
    assert Attachment.objects.get(case=case).kind == "photo"

    taps = Taps(phone)
    taps.photo(tab(phone, "report"))
    taps(page.locator(".f-tile", has_text="路灯").first)  # last used first
    expect(page.locator(".f-placebox")).to_contain_text("网格")
    taps(page.get_by_role("button", name="上报", exact=True))
    sent(phone)
    assert taps.count == 3
    assert Case.objects.count() == 2


def test_a_photo_is_small_and_without_metadata_before_it_is_kept(phone: Phone) -> None:
    Taps(phone).photo(tab(phone, "report"))
    expect(phone.page.locator(".f-photos img")).to_have_count(1)
    size = phone.page.locator(".f-photos img").evaluate("(one) => [one.naturalWidth, one.naturalHeight]")
    assert size == [1600, 1200]
    phone.offline()
    phone.page.locator(".f-tile", has_text="城乡建设").tap()
    phone.page.locator(".f-tile", has_text="市政").tap()
    phone.page.locator(".f-tile", has_text="路灯").tap()
    phone.page.get_by_role("button", name="上报", exact=True).tap()
    expect(phone.page.get_by_role("heading", name="已存在手机里")).to_be_visible()
    (item,) = phone.items().values()
    (file,) = item["files"]
    data = phone.page.evaluate("""async (id) => {
      const base = document.querySelector("script[type=module]").src.replace("boot.js", ""), { queue } = await import(base + "queue.js");
      return [...new Uint8Array(await (await queue.file(id)).arrayBuffer())];
    }""", file["id"])
    body = bytes(data)
    assert (file["type"], file["role"]) == ("image/jpeg", "report")
    assert b"SecretPhone" in camera()["buffer"]
    assert b"SecretPhone" not in body
    assert b"Exif" not in body
    with Image.open(io.BytesIO(body)) as image:
        assert (image.format, image.size, len(image.getexif())) == ("JPEG", (1600, 1200), 0)


def test_a_report_by_keyboard_alone(browser: Any, served: Any) -> None:
    town(served.world)
    phone = Phone.new(browser, served)
    page = phone.page
    page.set_viewport_size({"width": 1440, "height": 900})
    phone.sync()
    page.locator("[data-tab=report]").focus()
    page.keyboard.press("Enter")  # by a key the screen opens, and no file chooser that nobody asked for
    expect(page.get_by_role("heading", name="随手报", level=1)).to_be_focused()

    def to(role: str, name: str) -> None:
        """Tab until this is reached."""
        for _each in range(60):
            if name in page.evaluate("() => document.activeElement === document.body ? '' : document.activeElement.innerText"):
                assert page.evaluate(UNCOVERED), name
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"no {role} {name}")

    with page.expect_file_chooser() as chooser:
        to("button", "拍照")
        page.keyboard.press("Enter")
    chooser.value.set_files(camera(800, 600))
    expect(page.locator(".f-photos img")).to_have_count(1)
    for name in ("城乡建设", "市政", "路灯"):
        to("button", name)
        page.keyboard.press("Enter")
    to("button", "改位置")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    to("button", "往北")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    to("button", "就是这里")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="改位置")).to_be_focused()
    to("button", "上报")
    page.keyboard.press("Enter")
    sent(phone)
    assert 15 < ((Case.objects.get().lat or 0) - 29.1) * 110_574 < 25  # twice ten metres to the north
    phone.context.close()


def test_what_is_missing_is_said_and_led_to(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    phone.context.clear_permissions()
    tab(phone, "report").press("Enter")
    expect(page.locator(".f-placebox")).to_contain_text("没有得到")
    page.get_by_role("button", name="上报", exact=True).tap()
    faults = page.get_by_role("alert")
    expect(faults).to_contain_text("请拍一张照片")
    expect(faults).to_contain_text("还没有位置")
    expect(page.get_by_role("button", name="拍照")).to_be_focused()
    page.get_by_label("文字").fill("井盖没了")
    page.get_by_label("地点怎么说").fill("菜市场东门")
    expect(faults).to_be_hidden()
    page.get_by_role("button", name="上报", exact=True).tap()
    sent(phone)
    case = Case.objects.get()
    assert (case.words, case.place_text, case.lon) == ("井盖没了", "菜市场东门", None)


def test_settled_on_the_spot_needs_before_and_after(phone: Phone) -> None:
    page, taps = phone.page, Taps(phone)
    phone.sync()
    taps.photo(tab(phone, "report"))
    expect(page.locator(".f-photos img")).to_have_count(1)
    page.get_by_text("就地处置").tap()
    page.get_by_role("button", name="记下处置").tap()
    faults = page.get_by_role("alert")
    expect(faults).to_contain_text("还缺处置后的照片")
    expect(faults).not_to_contain_text("处置前的照片")  # the one that was taken first
    taps.photo(page.get_by_role("button", name="拍处置后"))
    page.get_by_label("做了什么").fill("把围挡扶起来了")
    for name in ("城乡建设", "市政", "路灯"):
        page.locator(".f-tile", has_text=name).tap()
    page.get_by_role("button", name="记下处置").tap()
    sent(phone)
    case = Case.objects.get()
    assert (case.state, case.outcome) == ("closed", "self_handled")
    assert sorted(Attachment.objects.filter(case=case).values_list("purpose", flat=True)) == ["proof", "report"]
    assert EventText.objects.get(case=case, field="public_answer").body == "把围挡扶起来了"


def test_in_danger_the_call_comes_first_and_the_record_follows(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    Taps(phone).photo(tab(phone, "report"))
    page.get_by_role("button", name="紧急").tap()
    calls = page.locator(".f-call")
    assert [one.get_attribute("href") for one in calls.all()] == ["tel:110", "tel:119", "tel:120"]
    assert calls.first.bounding_box()["height"] >= 96
    page.evaluate("document.querySelectorAll('.f-call').forEach((one) => one.addEventListener('click', (event) => event.preventDefault()))")
    calls.nth(1).tap()
    expect(page.locator(".f-alarm")).to_contain_text("已记下您打了 119")
    page.get_by_label("文字").fill("楼道里冒烟")
    page.get_by_role("button", name="上报", exact=True).tap()
    sent(phone)
    case = Case.objects.get()
    assert case.urgency == "urgent"
    assert case.events.filter(action="refer_emergency").exists()


def test_a_voice_note_says_it_when_hands_are_full(browser: Any, served: Any) -> None:
    town(served.world)
    phone = Phone.new(browser, served)
    page = phone.page
    phone.sync()
    page.evaluate(MICROPHONE)
    Taps(phone).photo(tab(phone, "report"))
    page.get_by_role("button", name="用嘴说").tap()
    page.wait_for_timeout(1500)
    expect(page.locator(".recording")).to_contain_text("秒")
    page.locator(".recording").tap()
    expect(page.locator("audio")).to_be_visible()
    page.get_by_role("button", name="上报", exact=True).tap()
    sent(phone)
    case = Case.objects.get()
    assert case.words == "情况见录音。"
    assert sorted(Attachment.objects.filter(case=case).values_list("kind", flat=True)) == ["audio", "photo"]
    phone.context.close()


def test_a_place_is_put_right_by_name_and_by_dragging(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    tab(phone, "report").press("Enter")
    page.get_by_label("文字").fill("垃圾没人收")
    page.get_by_role("button", name="改位置").tap()
    dialog = page.get_by_role("dialog")
    expect(page.locator(".f-pickmap[data-open]")).to_be_visible(timeout=20_000)
    dialog.get_by_label("找地名").fill("菜市场")
    dialog.get_by_role("button", name="花园菜市场").tap()
    box = page.locator(".f-pickmap").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=6)
    page.mouse.up()
    page.wait_for_timeout(600)
    dialog.get_by_role("button", name="就是这里").tap()
    expect(page.locator(".f-placebox")).to_contain_text("在地图上选定的")
    page.get_by_role("button", name="上报", exact=True).tap()
    sent(phone)
    case = Case.objects.get()
    assert (case.lon or 0) > 113.1006  # the map went west under the pin
    assert abs((case.lat or 0) - 29.1002) < 0.0002


def test_a_telephone_that_speaks_gcj02_says_so(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    shown(page, "more")
    page.get_by_text("火星坐标").tap()
    tab(phone, "report").press("Enter")
    page.get_by_label("文字").fill("路坏了")
    expect(page.locator(".f-placebox")).to_contain_text("误差约")
    page.get_by_role("button", name="上报", exact=True).tap()
    sent(phone)
    (item,) = [one for one in phone.items().values() if one["kind"] == "report"]
    assert (item["body"]["coordinate_system"], item["body"]["lon"]) == ("gcj02", 113.1)
    assert 0.003 < 113.1 - (Case.objects.get().lon or 0) < 0.008  # some hundred metres, taken off by the server
    for lon, lat in ((113.0926, 29.3812), (121.4737, 31.2304), (87.6, 43.8), (139.7, 35.7)):
        shown_at = phone.call("geo", "toWgs84", {"lon": lon, "lat": lat, "system": "gcj02"})
        assert (shown_at["lon"], shown_at["lat"]) == pytest.approx(gcj02_to_wgs84(lon, lat), abs=1e-7)


def test_words_find_the_matter_without_a_network(phone: Phone) -> None:
    page = phone.page
    phone.sync()
    phone.offline()
    tab(phone, "report").press("Enter")
    page.get_by_label("用几个字找").fill("整条街黑灯瞎火")  # no letter of its name, only a keyword
    expect(page.get_by_role("button", name="路灯不亮")).to_be_visible()
    page.get_by_label("用几个字找").fill("讨薪")
    expect(page.locator(".f-category")).to_contain_text("没有找到")
    page.get_by_label("文字").fill("巷子里路灯坏了")
    expect(page.get_by_role("heading", name="看文字像是")).to_be_visible()
    page.get_by_role("button", name="路灯不亮").tap()
    expect(page.locator(".f-chosen")).to_contain_text("城乡建设 › 市政 › 路灯")
    page.get_by_role("button", name="换一个").tap()
    expect(page.get_by_label("用几个字找")).to_be_visible()


# --- the look -----------------------------------------------------------------------------------------------------

SCREENS = ("today", "report", "map", "unsent", "reports", "more")


def dressed(phone: Phone, theme: str) -> None:
    """As the person chooses it on this telephone; when no colour is on its way any more."""
    phone.call("look", "setTheme", theme)
    lit(phone.page, dark=theme == "dark")
    assert phone.page.evaluate("document.documentElement.dataset.theme") == theme


def enhanced(page: Any) -> list[str]:
    """Text below 7 : 1 (4.5 : 1 when large): WCAG 1.4.6, what the sunlight theme promises."""
    axe_ready(page)
    found = page.evaluate("""() => axe.run("#app", { runOnly: ["color-contrast-enhanced"] })""")
    return [f"{node['target']} {node['failureSummary'][:160]}" for fault in found["violations"] for node in fault["nodes"]]


def test_screens_fit_read_well_and_are_in_one_language(browser: Any, served: Any) -> None:
    """Each screen in each language and theme fits; what it is made of is tried in every language, its colours in every theme."""
    world = served.world
    town(world)
    asked(world)
    given(world)
    a.register(intake=a.Intake(words="路边井盖没了。", channel="field", area=VILLAGE), by=world.actor("grid"))
    phone = Phone.new(browser, served)
    page = phone.page
    phone.sync()
    case, check = (phone.call("data", "data.section", f"tasks.{name}")[0]["id"] for name in ("cases", "checks"))
    wide = {"width": 1440, "height": 900}
    for language in LANGUAGES:
        page.evaluate("(name) => localStorage.setItem('lx-field-language', name)", language)
        page.reload()
        page.locator("#gate input").fill("482915")
        page.locator("#gate button").first.click()
        expect(page.locator("#app nav")).to_be_visible()
        assert page.evaluate("document.documentElement.lang").lower() == language
        for screen in (*SCREENS, f"case/{case}", f"check/{check}"):
            shown(page, screen)
            for theme in THEMES:
                dressed(phone, theme)
                assert fits(page), (theme, language, screen)
                assert targets(page) == [], (theme, language, screen)
                if language != "zh-hant":
                    rules = TAGS if theme == "light" else COLOURS
                    assert axe(page, within="#app", rules=rules) == [], (theme, language, screen)
                if theme == "sun":
                    assert enhanced(page) == [], (language, screen)
        page.set_viewport_size(wide)
        for screen in SCREENS:
            shown(page, screen)
            for theme in THEMES:
                dressed(phone, theme)
                assert fits(page), (theme, language, screen)
                assert page.locator(".f-page").bounding_box()["width"] <= 640
        page.set_viewport_size({"width": 360, "height": 640})
    page.reload()  # the theme that was chosen last is there before anything is drawn
    assert page.evaluate("document.documentElement.dataset.theme") == THEMES[-1]
    phone.context.close()
