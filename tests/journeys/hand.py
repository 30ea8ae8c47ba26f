"""What the journeys through a telephone's screens share: a town with work in it, a camera, touches that are counted."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Category
from lianxin.places.models import Site
from tests.cases.ways import VILLAGE
from tests.fieldwork.town import divided
from tests.journeys.phone import Phone
from tests.portal.photos import photo
from tests.world import World


def camera(width: int = 2400, height: int = 1800) -> dict[str, Any]:
    """A photo as a camera gives it: large, and with its place and its maker inside."""
    small = Image.open(io.BytesIO(photo(lon=113.1, lat=29.1, taken="2026:11:27 10:00:00")))
    out = io.BytesIO()
    small.resize((width, height)).save(out, "JPEG", exif=small.getexif())
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def town(world: World) -> None:
    """Grids, a place with a name, a category that the street knows."""
    divided(world, 4)
    Site.objects.create(code="S1", name="花园菜市场", kind="market", area=world.areas[VILLAGE], lon=113.1005, lat=29.1002,
                        approximate=False)
    Category.objects.filter(code="010101").update(field_matter=True, plain_name="路灯不亮", keywords={"路灯": 1.0, "黑灯": 1.0})


def handled(world: World) -> Any:
    """A case of the village that another unit says it has put right."""
    case_id = world.accepted(words="花园社区门口施工噪声大。", area=VILLAGE)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case_id, "housing"))
    a.record_contact(world.on(case_id, "housing"), means="phone", reached=True)
    a.reply(world.on(case_id, "housing"), public_answer="已责令停工。", solved=True)
    return case_id


def asked(world: World) -> Any:
    case_id = handled(world)
    a.ask_check(world.on(case_id, "reviewer"), note="请看晚上是否停工。", worker="grid")
    return case_id


def given(world: World, *, reported: bool = False) -> Any:
    """A street lamp that the town's clerk gave to the grid worker – with `reported` one that the worker found."""
    if reported:
        found = a.Intake(words="花园社区门口路灯不亮。", channel="field", area=VILLAGE)
        case_id = a.register(intake=found, by=world.actor("grid")).case_id
        a.accept(world.on(case_id, "operator"), category="010101")
    else:
        case_id = world.accepted("010101", words="花园社区门口路灯不亮。", area=VILLAGE)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="bridge")
    a.sign(world.on(case_id, "bridge"))
    a.hand_to_colleague(world.on(case_id, "bridge"), officer="grid")
    return case_id


class Taps:
    """Touches of the screen, counted. The camera's own are not the application's."""

    def __init__(self, phone: Phone) -> None:
        self.page, self.count = phone.page, 0

    def __call__(self, target: Any) -> None:
        self.count += 1
        target.tap()

    def photo(self, target: Any) -> None:
        with self.page.expect_file_chooser() as chooser:
            self(target)
        assert chooser.value.element.get_attribute("capture") == "environment"
        chooser.value.set_files(camera())


def tab(phone: Phone, name: str) -> Any:
    return phone.page.locator(f"[data-tab={name}]")


def shown(page: Any, screen: str) -> None:
    """Go there, and wait until it stands."""
    page.evaluate("(to) => { location.hash = `#/${to}`; }", screen)
    expect(page.locator(f"#f-main[data-screen='#/{screen}'] h1").first).to_be_focused()


def sent(phone: Phone) -> None:
    """Everything that was made has its answer."""
    expect(phone.page.get_by_role("heading", name="热线已收到")).to_be_visible()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def targets(page: Any) -> list[str]:
    """What is to be touched and is smaller than 48 pixels in its height or its width: none, but for words within a sentence."""
    return list(page.evaluate("""() => [...document.querySelectorAll(
      "button, a, summary, input:not([type=radio]), .f-choice label")].filter((one) => {
      const box = one.getBoundingClientRect();
      return one.offsetParent && !one.closest(".maplibregl-ctrl-attrib") && (box.height < 47.5 || box.width < 47.5);
    }).map((one) => one.outerHTML.slice(0, 120))"""))
