"""The pictures of what is open: pages that anyone reads, and the screens of those who join other systems to this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tour import Tour

COUNTY = "430602"


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


def walk(tour: Tour) -> None:
    pages(tour)
