"""The team lead in a real browser: grids cut on the map and by keyboard alone, merged, dragged; who has which; cover; a lost
telephone. Every page accessible, narrow and wide, light and dark, Chinese and English."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.fieldwork import devices
from lianxin.places import grids
from tests.browser import axe
from tests.fieldwork.town import VILLAGE, staffed
from tests.journeys.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MAP = f"/desk/grids/villages/{VILLAGE}/"
READY = "[data-map-canvas][data-open]"


def look(page: Any, name: str) -> None:
    assert axe(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


def choose(page: Any, step: str) -> None:
    page.click(f"details[data-step={step}] summary")
    page.wait_for_selector(f"[data-map-canvas][data-step={step}]")


def names() -> list[str]:
    return [grid.name for grid in grids.held(VILLAGE).grids]


def whole() -> None:
    assert grids.faults_of(grids.held(VILLAGE)) == []


@pytest.mark.parametrize(("width", "dark", "locale"), [(1440, False, "zh-CN"), (360, True, "en-GB")])
def test_the_pages_are_accessible(served: Any, open_as: Open, width: int, dark: bool, locale: str) -> None:
    staffed(served.world)
    devices.enrol(staff=served.world.staff["grid"], name="华为", by=served.world.actor("grid"))
    page = open_as("lead", "/desk/grids/", width=width, dark=dark, locale=locale)
    look(page, "grids")
    for path in ("/desk/grids/tasks/", "/desk/grids/workers/grid2/", "/desk/grids/cover/", "/desk/phones/"):
        page.goto(served.url + path)
        look(page, path)
    page.goto(served.url + MAP)
    page.wait_for_selector(READY)
    look(page, "map")
    choose(page, "split")
    page.click("details[data-step=split] button.primary")
    page.wait_for_selector(".lx-error")
    look(page, "faults")
    assert page.faults == []


def test_a_grid_is_cut_merged_and_dragged_with_the_mouse(served: Any, open_as: Open) -> None:
    staffed(served.world)
    page = open_as("lead", MAP)
    page.wait_for_selector(READY)
    choose(page, "split")
    first = grids.held(VILLAGE).grids[0]
    west, south, east, north = grids.shape_of(first).bounds
    ends = [[west + 0.002, (south + north) / 2], [east - 0.002, (south + north) / 2]]
    at = page.evaluate("""(ends) => {
        const { map } = document.querySelector("[data-grids]"), frame = map.getCanvas().getBoundingClientRect();
        return ends.map((one) => { const p = map.project(one); return [p.x + frame.left, p.y + frame.top]; }); }""", ends)
    for x, y in at:
        page.mouse.click(x, y)
    page.wait_for_selector("[data-map-canvas][data-points='2']")
    assert page.input_value("#id_split_grid")
    page.select_option("#id_split_grid", first.code)
    page.fill("#id_split_line", f"{west},{(south + north) / 2}\n{east},{(south + north) / 2}")
    page.fill("#id_split_name", "湖边网格")
    page.fill("#id_split_why", "住户多了")
    page.click("details[data-step=split] button.primary")
    page.wait_for_selector(".lx-notice.good")
    assert "湖边网格" in names()
    whole()
    page.wait_for_selector(READY)
    choose(page, "redraw")
    corner = page.evaluate("""() => {
        const { map } = document.querySelector("[data-grids]"), frame = map.getCanvas().getBoundingClientRect();
        const near = (p) => map.queryRenderedFeatures([[p.x - 20, p.y - 20], [p.x + 20, p.y + 20]], { layers: ["village"] });
        const inner = map.querySourceFeatures("corners").map((one) => map.project(one.geometry.coordinates))
          .find((p) => near(p).length === 0);
        return inner ? [inner.x + frame.left, inner.y + frame.top] : null; }""")
    assert corner is not None
    before = page.input_value("[data-features]")
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 12, corner[1] + 9, steps=4)
    page.mouse.up()
    assert page.input_value("[data-features]") != before
    page.fill("#id_redraw_why", "沿着路走")
    page.click("details[data-step=redraw] button.primary")
    page.wait_for_selector(".lx-notice.good")
    whole()
    assert "沿着路走" in page.inner_text("main")
    assert page.faults == []


def test_a_grid_is_cut_and_merged_by_keyboard_alone(served: Any, open_as: Open) -> None:
    made = staffed(served.world)
    page = open_as("lead", MAP)
    page.wait_for_selector(READY)
    page.focus("details[data-step=split] summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-map-canvas][data-step=split]")
    page.focus(".maplibregl-canvas")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-map-canvas][data-points='1']")
    page.keyboard.press("Backspace")
    page.wait_for_selector("[data-map-canvas][data-points='0']")
    west, south, east, north = grids.shape_of(made[0]).bounds
    page.focus("#id_split_grid")
    page.keyboard.press("ArrowDown")
    page.focus("#id_split_line")
    page.keyboard.type(f"{west},{(south + north) / 2}")
    page.keyboard.press("Enter")
    page.keyboard.type(f"{east},{(south + north) / 2}")
    page.wait_for_selector("[data-map-canvas][data-points='2']")
    for field, words in (("name", "湖边网格"), ("why", "住户多了")):
        page.focus(f"#id_split_{field}")
        page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_selector(".lx-notice.good")
    assert "湖边网格" in names()
    whole()


def test_grids_that_leave_a_gap_are_shown_where(served: Any, open_as: Open) -> None:
    made = staffed(served.world)
    page = open_as("lead", MAP)
    page.wait_for_selector(READY)
    choose(page, "redraw")
    page.evaluate("""(code) => { const area = document.querySelector("[data-features]"), said = JSON.parse(area.value);
        const one = said.features.find((each) => each.properties.code === code);
        const [x, y] = one.geometry.coordinates[0][0];
        one.geometry.coordinates[0] = one.geometry.coordinates[0].map(([a, b]) => [x + (a - x) * 0.8, y + (b - y) * 0.8]);
        area.value = JSON.stringify(said); }""", made[0].code)
    page.fill("#id_redraw_why", "试试")
    page.click("details[data-step=redraw] button.primary")
    page.wait_for_selector(".lx-notice.error")
    assert "没有划进任何网格" in page.inner_text(".lx-notice.error")
    page.wait_for_selector(READY)
    shown = page.evaluate("document.querySelector('[data-grids]').map.querySourceFeatures('faults').length")
    assert shown > 0
    assert page.input_value("#id_redraw_why") == "试试"
    look(page, "gap")
    assert grids.held(VILLAGE).version == 0


def test_cover_work_and_a_lost_telephone(served: Any, open_as: Open) -> None:
    made = staffed(served.world)
    devices.enrol(staff=served.world.staff["grid"], name="华为", by=served.world.actor("grid"))
    page = open_as("lead", "/desk/")
    page.click("nav a[href*='/grids/cover/']")
    page.select_option("[name=absent]", "grid")
    page.select_option("[name=stand_in]", "grid2")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".lx-notice.good")
    page.click("nav a[href*='/desk/grids/?']")
    page.click("a[href*='/workers/grid2/']")
    page.check(f"[name=areas][value='{made[3].code}']")
    page.click("form.desk-card button.primary")
    page.wait_for_selector(".lx-notice.good")
    page.click("nav.desk-tabs a[href*='/phones/']")
    page.fill("[name=why]", "掉在湖里了")
    page.click("form[action$='shut-out/'] button")
    page.wait_for_selector("form[action$='give-back/']")
    look(page, "shut out")
    page.click("form[action$='give-back/'] button")
    page.wait_for_selector("form[action$='shut-out/']")
    assert page.faults == []
