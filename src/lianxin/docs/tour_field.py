"""The pictures of a grid worker's telephone: enrolled, a report from the photo to the queue, the map."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from .tour import Tour

WORKER = "grid-430602001"
PIN = "470918"
# Where the walk stands: a market in the old town, WGS-84 degrees, and how many metres the telephone may be off.
HERE = {"longitude": 113.0926, "latitude": 29.3812, "accuracy": 8}
SMALL = {"width": 360, "height": 640}


def scene() -> bytes:
    """A street with an open manhole, drawn: no real place and nobody in it."""
    image = Image.new("RGB", (1600, 1200), (186, 204, 214))
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 620), (1600, 540), (1600, 1200), (0, 1200)], fill=(120, 118, 114))
    draw.polygon([(0, 420), (1600, 300), (1600, 560), (0, 640)], fill=(196, 178, 150))
    for left in range(80, 1600, 260):
        draw.rectangle((left, 380 - left // 16, left + 150, 600 - left // 24), fill=(150, 128, 104))
    draw.ellipse((560, 800, 1060, 1010), fill=(74, 72, 70))
    draw.ellipse((600, 820, 1020, 990), fill=(18, 18, 20))
    draw.ellipse((1090, 900, 1460, 1070), fill=(96, 88, 82), outline=(60, 56, 54), width=14)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _telephone(tour: Tour) -> Any:
    context = tour.browser.new_context(
        viewport=SMALL, device_scale_factor=2, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=True, is_mobile=True,
        reduced_motion="reduce", geolocation=HERE, permissions=["geolocation"],
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


def _enrol(tour: Tour, page: Any) -> None:
    account = tour.account(WORKER)
    page.goto(f"{tour.base}/accounts/login/?next=/field/")
    page.fill("[name=login]", account["username"])
    page.fill("[name=password]", account["password"])
    page.locator("form[action*=login] button").first.click()
    page.locator("#gate [name=pin]").wait_for()
    tour.shot(page, "field-enrol")
    page.fill("[name=pin]", PIN)
    page.fill("[name=again]", PIN)
    page.locator("#gate button").first.click()
    page.locator(".f-task").first.wait_for()


def _photo(page: Any, button: Any) -> None:
    with page.expect_file_chooser() as chooser:
        button.tap()
    chooser.value.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": scene()})
    page.locator(".f-photos img").first.wait_for()


def walk(tour: Tour) -> None:
    """From enrolment to a report that waits for the network."""
    page = _telephone(tour)
    _enrol(tour, page)
    tour.shot(page, "field-today")
    _photo(page, page.locator("[data-tab=report]"))
    page.locator(".f-tile").first.wait_for()
    tour.shot(page, "field-report")
    for name in ("城乡建设", "城市建设和市政管理", "井盖坏了"):
        page.locator(".f-tile", has_text=name).first.tap()
    page.get_by_role("button", name="改位置").tap()
    page.locator(".f-pickmap[data-open]").wait_for()
    tour.shot(page, "field-place")
    page.get_by_role("button", name="就是这里").tap()
    page.get_by_role("button", name="紧急").tap()
    page.evaluate("scrollTo(0, 0)")
    tour.shot(page, "field-urgent")
    page.get_by_role("button", name="紧急").tap()
    page.context.set_offline(True)
    page.get_by_role("button", name="上报", exact=True).tap()
    page.locator(".f-card.unsent").wait_for()
    page.locator("[data-tab=unsent]").tap()
    page.locator(".f-card.unsent").wait_for()
    tour.shot(page, "field-unsent")
    page.locator("[data-tab=map]").tap()
    page.locator(".f-map[data-open]").wait_for()
    tour.shot(page, "field-map")
    page.evaluate("location.hash = '#/more'")
    page.get_by_text("阳光下").tap()
    page.locator("[data-tab=today]").tap()
    page.locator(".f-task").first.wait_for()
    tour.shot(page, "field-sunlight")
    page.context.set_offline(False)
    page.context.close()
