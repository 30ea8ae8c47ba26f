"""A round without a network: the code on the wall, a form with a condition and a photo, a point that is reported. On a small
telephone, in a real browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import segno
from playwright.sync_api import expect

from lianxin.cases.models import Attachment, Case
from lianxin.patrols.codes import letters_of, qr_of
from lianxin.patrols.models import CheckIn, Inspection, InspectionPhoto
from tests.browser import axe, new_page
from tests.patrols.made import round_of, sites, version

from .phone import PIN, SIZE, Phone, noise

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# A camera that shows one picture. What the browser could read by itself is taken away, or made to read what it is told.
CAMERA = """(picture) => {
  navigator.mediaDevices.getUserMedia = async () => {
    const image = new Image();
    image.src = picture;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const brush = canvas.getContext("2d");
    const draw = () => { brush.fillStyle = "#bbb"; brush.fillRect(0, 0, 640, 480); brush.drawImage(image, 180, 100, 280, 280); };
    draw();
    setInterval(draw, 100);
    return canvas.captureStream(10);
  };
}"""


@pytest.fixture
def phone(browser: Any, served: Any) -> Iterator[Phone]:
    """Enrolled, with a round in its town; everything fetched, and then the network is gone."""
    sites(served.world)
    round_of(served.world, version().form, start=date(2026, 1, 1))
    made = Phone.new(browser, served)
    assert made.sync() == "idle"
    yield made
    made.context.close()


def looked_at(phone: Phone) -> None:
    """The screen fits the small window and axe finds nothing."""
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= SIZE["width"]
    assert axe(phone.page) == []


def opened(phone: Phone, address: str) -> None:
    phone.page.evaluate("(address) => { location.hash = address; }", address)


def test_a_round_without_a_network(phone: Phone) -> None:
    page = phone.page
    phone.offline()
    opened(phone, "#/today")
    page.get_by_role("link", name="花园小学").click()
    expect(page.get_by_role("heading", name="每周看通道")).to_be_visible()
    looked_at(phone)

    page.get_by_role("button", name="扫地点码").click()
    expect(page.get_by_text("相机打不开")).to_be_visible()
    looked_at(phone)
    page.get_by_label("图下的字母").fill("ABC")
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text("这不是地点码")).to_be_visible()
    page.get_by_label("图下的字母").fill(letters_of("school").lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="消防通道")).to_be_visible()
    expect(page.get_by_text("花园小学")).to_be_visible()

    # Only what is asked is there; handed in too early, what is missing is said where it is missing.
    expect(page.get_by_role("group", name="被什么堵了？")).to_be_hidden()
    page.get_by_role("button", name="交表").click()
    expect(page.get_by_text("还有 2 项要填或更正")).to_be_visible()
    looked_at(phone)
    page.get_by_role("group", name="通道通畅吗？").get_by_label("否").check()
    expect(page.get_by_role("group", name="被什么堵了？")).to_be_visible()
    expect(page.get_by_role("group", name="有问题，要上报吗？")).to_be_visible()
    page.get_by_role("group", name="被什么堵了？").get_by_label("电动车").check()
    page.get_by_label("缺几个灭火器？").fill("六十")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("group", name="拍一张").get_by_role("button").click()
    chooser.value.set_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": noise(30_000)})
    expect(page.get_by_role("group", name="拍一张").get_by_role("img")).to_be_visible()
    page.get_by_label("最窄多少米？").fill("1,2")
    looked_at(phone)

    # The battery dies; what was filled in is still there, the photo too.
    page.wait_for_timeout(400)
    assert page.faults == []
    phone.reopen()
    page = phone.page
    opened(phone, "#/round/exits_weekly%3Aschool")
    page.get_by_role("link", name="填表").click()
    expect(page.get_by_role("group", name="拍一张").get_by_role("img")).to_be_visible()
    expect(page.get_by_role("group", name="被什么堵了？").get_by_label("电动车")).to_be_checked()
    expect(page.get_by_label("最窄多少米？")).to_have_value("1.2")
    page.get_by_role("button", name="交表").click()
    expect(page.get_by_text("填 0 到 50 的整数")).to_be_visible()
    expect(page.get_by_text("请选要不要上报。")).to_be_visible()
    page.get_by_label("缺几个灭火器？").fill("２")
    page.get_by_role("group", name="有问题，要上报吗？").get_by_label("通道堵塞").check()
    expect(page.get_by_label("上报的话")).to_have_value("巡查发现通道被堵。")
    page.get_by_label("上报的话").fill("二楼楼道停满电动车。")
    page.get_by_role("button", name="交表").click()
    expect(page.get_by_role("heading", name="已存在手机里")).to_be_visible()
    looked_at(phone)
    assert phone.states() == ["unsent", "unsent"]
    assert not Inspection.objects.exists()

    phone.offline(False)
    assert phone.sync() == "idle"
    assert phone.states() == ["accepted", "accepted"]
    assert CheckIn.objects.get().site.code == "school"  # type: ignore[union-attr]
    row, case = Inspection.objects.get(), Case.objects.get()
    assert row.answers == {"clear": "no", "by": ["bikes"], "photo": 1, "missing": 2, "width": 1.2}
    assert (row.case, case.words, case.category.code) == (case, "二楼楼道停满电动车。", "010101")  # type: ignore[union-attr]
    assert InspectionPhoto.objects.get().attachment == Attachment.objects.get()
    expect(page.get_by_role("heading", name="已收到")).to_be_visible()
    expect(page.get_by_text(case.number)).to_be_visible()
    opened(phone, "#/round")
    expect(page.get_by_text("我刚做的")).to_be_visible()
    expect(page.get_by_role("link", name="花园小学")).to_have_count(0)
    looked_at(phone)


@pytest.mark.parametrize(("theme", "language"), [("dark", "zh-hans"), ("sun", "en"), ("light", "zh-hant")])
def test_every_light_and_language(phone: Phone, theme: str, language: str) -> None:
    """The three screens in each theme; in English nothing is left in Chinese but names."""
    page = phone.page
    page.evaluate("(language) => { localStorage.setItem('lx-field-language', language); }", language)
    phone.reopen(unlocked=False)
    page = phone.page
    page.locator("input").first.fill(PIN)
    page.keyboard.press("Enter")
    expect(page.locator("#app nav")).to_be_visible()
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    for address, name in (("#/round", None), ("#/round/exits_weekly%3Aschool", None), ("#/form/exits?site=school", "Fire exits")):
        opened(phone, address)
        if language == "en" and name:
            expect(page.get_by_role("heading", name=name)).to_be_visible()
            page.get_by_label("No", exact=True).check()
            page.get_by_role("button", name="Hand in").click()
            expect(page.get_by_text("This is not filled in yet.").first).to_be_visible()
        page.wait_for_timeout(400)
        looked_at(phone)
        text = page.locator("#f-main").inner_text()
        assert "null" not in text
        assert "false" not in text
        assert "undefined" not in text


def test_a_photo_of_a_question_that_is_hidden_again_stays_behind(phone: Phone) -> None:
    page = phone.page
    opened(phone, "#/form/exits?site=school")
    page.get_by_role("group", name="通道通畅吗？").get_by_label("否").check()
    page.get_by_label("缺几个灭火器？").fill("3")
    for name in ("拍一张", "拍一下空架"):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("group", name=name).get_by_role("button").click()
        chooser.value.set_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": noise(20_000)})
        expect(page.get_by_role("group", name=name).get_by_role("img")).to_be_visible()
    page.get_by_role("group", name="通道通畅吗？").get_by_label("是").check()
    expect(page.get_by_role("group", name="有问题，要上报吗？")).to_have_count(0)
    page.get_by_role("button", name="交表").click()
    expect(page.get_by_role("heading", name="已收到")).to_be_visible()
    assert Inspection.objects.get().answers == {"clear": "yes", "missing": 3, "rack": 1}
    assert InspectionPhoto.objects.get().question == "rack"
    assert Case.objects.count() == 0


def _picture(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="png", scale=8, border=4)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("own", [False, True], ids=["by the library", "by the browser"])
def test_the_camera_reads_the_code_on_the_wall(phone: Phone, own: bool) -> None:
    """With no reader in the browser, as on telephones without Google's services, and with one."""
    page = phone.page
    opened(phone, "#/round")
    phone.offline()
    page.evaluate(CAMERA, _picture(qr_of("market") if own else qr_of("school")))
    page.evaluate("""(code) => { globalThis.BarcodeDetector = code && class {
      static async getSupportedFormats() { return ["qr_code"]; }
      async detect(video) { return video.videoWidth ? [{ rawValue: code }] : []; }
    }; }""", qr_of("school") if own else None)
    page.get_by_role("button", name="扫地点码").click()
    expect(page.get_by_text("打卡已存在手机里")).to_be_visible()
    expect(page.get_by_text("要填表吗？")).to_be_visible()
    looked_at(phone)
    phone.offline(False)
    phone.sync()
    row = CheckIn.objects.get()
    assert (row.site.code, row.how, row.lon) == ("school", "qr", None)  # type: ignore[union-attr]
    assert page.faults == []


def test_here_i_am(phone: Phone) -> None:
    """By the button: near places are offered by name, and only the place that was chosen is kept."""
    page = phone.page
    opened(phone, "#/round")
    page.get_by_role("button", name="我在这里").click()
    page.get_by_role("button", name="都不是，只记位置").click()
    expect(page.get_by_text("打卡已存在手机里")).to_be_visible()
    phone.sync()
    row = CheckIn.objects.get()
    assert (row.site, row.lon, row.lat, row.how) == (None, 113.1, 29.1, "button")


def test_codes_are_printed_and_what_is_printed_is_read(open_as: Any, served: Any, browser: Any) -> None:
    """The sheet at the desk: eight to a page, the name in large type, and the picture is the site's code."""
    sites(served.world)
    round_of(served.world, version().form)
    page = open_as("supervisor", "/desk/rounds/codes/")
    assert axe(page) == []
    page.get_by_role("link", name="打印这些").click()
    expect(page.get_by_role("heading", name="花园小学")).to_be_visible()
    expect(page.get_by_text(letters_of("school"))).to_be_visible()
    assert axe(page) == []
    shot = page.locator(".plate", has_text="花园小学").locator("svg").screenshot()
    reader = new_page(browser)
    reader.goto(f"{served.url}/field/")
    read = reader.evaluate("""async (picture) => {
      const base = document.querySelector("script[type=module]").src.replace("boot.js", "");
      const { decodeQR } = await import(base + "vendor/qr/decode.js");
      const image = new Image(); image.src = picture; await image.decode();
      const canvas = document.createElement("canvas"), brush = canvas.getContext("2d");
      [canvas.width, canvas.height] = [image.width, image.height];
      brush.drawImage(image, 0, 0);
      return decodeQR(brush.getImageData(0, 0, image.width, image.height));
    }""", "data:image/png;base64," + base64.b64encode(shot).decode())
    reader.context.close()
    assert read == qr_of("school")
    assert page.faults == []
