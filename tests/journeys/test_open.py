"""The public pages on a poor telephone: read by everyone, still while they load, soon there, without script, on paper."""

from __future__ import annotations

import gzip
import re
import time
from typing import Any

import pytest

from lianxin.ogc import tallies
from lianxin.publishing.records import refresh
from tests.browser import axe, new_page
from tests.journeys.test_resident import fits
from tests.portal.test_openness import VILLAGE, fill
from tests.portal.test_public import published

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# "Slow 3G" of the Chromium of today's telephones is 500 kbit/s and 400 ms; the usual "3G" of the budget is this:
BYTES_A_SECOND, ROUND_TRIP = 1_600_000 / 8, 0.15
SHIFT = """() => new Promise((done) => {
  let total = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { total += entry.value; }))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(total)));
})"""


@pytest.fixture
def lived(served: Any) -> Any:
    fill(served.world)
    for _turn in range(3):
        served.number = published(served.world).number
    refresh()
    tallies.refresh()
    return served


def first_content(client: Any, address: str) -> float:
    """Seconds until there is something to read at 3G: connecting, then the page, then the sheet it cannot be drawn without, each a
    round trip and its compressed bytes, and the time the server itself took. Computed, since a busy machine's clock is not the line's."""
    began = time.process_time()
    answer = client.get(address)
    spent = time.process_time() - began
    page = answer.content
    blocking: list[bytes] = re.findall(rb'<link rel="stylesheet" href="/static/([^"]+)"', page)
    sizes = [len(gzip.compress(page, 5)) + 1_500, *(len(gzip.compress(_static(name.decode()), 9)) + 500 for name in blocking)]
    return 2 * ROUND_TRIP + spent + sum(ROUND_TRIP + size / BYTES_A_SECOND for size in sizes)


def _static(name: str) -> bytes:
    from pathlib import Path

    from django.contrib.staticfiles import finders

    found = finders.find(name)
    assert found, name
    return Path(str(found)).read_bytes()


def test_the_public_pages_for_everyone(lived: Any, browser: Any, client: Any) -> None:
    pages = ("/", "/public/", f"/public/{lived.number}/", "/area/", "/area/9901/", f"/area/{VILLAGE}/", "/performance/",
             f"/embed/area/{VILLAGE}/", "/embed/performance/")
    for width, dark in ((360, False), (1440, True)):
        page = new_page(browser, width=width, height=740, dark=dark)
        for address in pages:
            page.goto(f"{lived.url}{address}")
            assert axe(page) == [], (address, width)
            assert fits(page), (address, width)
            assert page.evaluate(SHIFT) <= 0.01, (address, width)
        assert page.faults == []
        page.context.close()
    for address in pages:
        client.get(address)
        assert first_content(client, address) <= 1.5, address

    phone = new_page(browser, width=360, height=740, geolocation={"longitude": 113.15, "latitude": 29.15}, permissions=["geolocation"])
    sent: list[str] = []
    phone.on("request", lambda request: sent.append(request.url + (request.post_data or "")))
    phone.goto(f"{lived.url}/area/")
    phone.keyboard.press("Tab")  # by keyboard alone: the skip link comes first
    assert phone.evaluate("document.activeElement.className") == "lx-skip"
    phone.get_by_role("button", name="看我现在在的地方").focus()
    phone.keyboard.press("Enter")
    phone.wait_for_url(f"**/area/{VILLAGE}/")
    assert not any("113.15" in one or "29.15" in one for one in sent)  # the position stays where it is
    phone.emulate_media(media="print")
    assert phone.locator(".portal-bar").is_hidden()
    assert phone.get_by_text("人次").first.is_visible()
    phone.context.close()

    plain = new_page(browser, width=360, height=740, javascript=False)
    plain.goto(f"{lived.url}/area/")
    assert plain.get_by_role("button", name="看我现在在的地方").count() == 0
    plain.fill("#q", "花园社区")
    plain.get_by_role("main").get_by_role("button", name="找").click()
    plain.wait_for_url(f"**/area/{VILLAGE}/")
    assert plain.locator("svg.lx-chart").count() == 1
    plain.context.close()

    desk = new_page(browser)
    desk.goto(f"{lived.url}/public/map/")
    desk.wait_for_selector("[data-map-canvas][data-points='1']")
    assert axe(desk) == []
    x, y = desk.evaluate("(() => { const m = document.querySelector('[data-map]').map; m.jumpTo({ center: [113.1, 29.1], zoom: 12 }); "
                         "const p = m.project([113.1, 29.1]); return [p.x, p.y]; })()")
    desk.wait_for_selector("[data-map-canvas][data-drawn='12']")
    desk.wait_for_selector("[data-map-canvas][data-points='1']")
    desk.locator("[data-map-canvas] canvas").click(position={"x": x, "y": y})
    desk.wait_for_url(f"**/public/?area={VILLAGE}")
    assert desk.locator(".portal-list li").count() == 3
    assert desk.faults == []
    desk.context.close()
