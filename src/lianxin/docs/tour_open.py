"""The pictures of what is open: pages that anyone reads, and the screens of those who join other systems to this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tour import Tour

COUNTY = "430602"
OLD_HOTLINE = """工单编号,来电时间,诉求内容,诉求类型,诉求分类,所属区域
A1,2026-02-03 09:12:00,洞庭大道路灯三天不亮，晚上很黑。,求助,路灯,岳阳楼区
A2,2026-02-05 22:40:00,金鹗中路工地半夜还在打桩。,投诉,半夜施工,岳阳楼区
"""


def pages(tour: Tour) -> None:
    """The list, the map, a case nobody cleared, a county, the rates, a frame for another site."""
    hand = tour.resident()
    hand.goto(f"{tour.base}/public/")
    hand.evaluate("document.querySelector('.portal-list').scrollIntoView()")
    tour.shot(hand, "open-list")
    hand.goto(f"{tour.base}/area/{COUNTY}/")
    hand.evaluate("document.querySelector('#h-self').scrollIntoView()")
    tour.shot(hand, "open-area")
    hand.goto(f"{tour.base}/performance/")
    tour.shot(hand, "open-performance")
    hand.goto(f"{tour.base}/data/")
    tour.shot(hand, "open-data")
    page = tour.desk_page()
    page.goto(f"{tour.base}/public/map/")
    page.locator("[data-map-canvas][data-open]").wait_for()
    page.locator("[data-map-canvas][data-points]:not([data-points=''])").wait_for()
    tour.shot(page, "open-map")


def joined(tour: Tour) -> None:
    """Following news, the layers' page, the screens where administrators bring lists and cases and join other systems."""
    hand = tour.resident()
    hand.goto(f"{tour.base}/follow/")
    tour.shot(hand, "open-follow")
    page = tour.desk_page()
    page.goto(f"{tour.base}/ogc/")
    tour.shot(page, "open-ogc")
    admin = tour.staff("administrator")
    admin.goto(f"{tour.base}/desk/spreadsheets/")
    tour.shot(admin, "open-spreadsheets")
    admin.goto(f"{tour.base}/desk/imports/")
    admin.set_input_files("#file", {"name": "旧热线.csv", "mimeType": "text/csv", "buffer": OLD_HOTLINE.encode("gb18030")})
    admin.fill("#system", "旧 12345")
    admin.locator("form[enctype] button").click()
    admin.locator("#column-words").wait_for()
    tour.shot(admin, "open-import")
    admin.goto(f"{tour.base}/desk/exchange/")
    tour.shot(admin, "open-exchange")


def walk(tour: Tour) -> None:
    pages(tour)
    joined(tour)
