"""The pictures of two desks: an emergency goes to 110 and comes back, the hotline's list of handovers, one of them with its ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tour import Tour

WORDS = "花板桥路口有两个人打架，一个人倒在地上，旁边围了很多人。"
PHONE = "07300000002"


def _theirs(tour: Tour) -> Any:
    """The other desk's screen: a window of its own, with nobody signed in."""
    page = tour.desk_page()
    page.goto(str(tour.demo["police_desk_url"]) + "/")
    return page


def walk(tour: Tour) -> None:
    """From the key to the outcome. Raises LookupError where the demo has no other desk."""
    if "police_desk_url" not in tour.demo:
        raise LookupError("this demo has no 110 desk")
    theirs, ours = _theirs(tour), tour.staff("operator")
    ours.goto(f"{tour.base}/desk/call/")
    ours.locator("#id_words").press_sequentially(WORDS, delay=5)
    ours.fill("#id_phone", PHONE)
    ours.locator("#id_words").focus()
    ours.keyboard.press("F4")
    panel = ours.locator("[data-emergency] [data-handover]")
    panel.wait_for()
    handover = panel.get_attribute("data-handover")
    offer = theirs.locator(f".offer[data-handover='{handover}']")
    offer.wait_for()
    tour.shot(theirs, "handover-110-board")
    offer.get_by_role("link").click()
    theirs.locator("form[action$='/accept'] button").click()
    theirs.locator("[data-holder=us]").wait_for()
    theirs.locator("form[action$='/progress'] button[value=dispatched]").click()
    theirs.locator("[data-kind=progress]").wait_for()
    ours.locator("[data-emergency]").get_by_text("已接收").or_(ours.locator("[data-emergency]").get_by_text("处置中")).first.wait_for()
    tour.shot(ours, "handover-emergency")
    tour.shot(theirs, "handover-110-matter")
    ours.goto(f"{tour.base}/desk/linkage/")
    tour.shot(ours, "handover-linkage")
    ours.goto(f"{tour.base}/desk/linkage/{handover}/")
    tour.shot(ours, "handover-thread")
    supervisor = tour.staff("supervisor")
    for address, name in (("linkage/review", "handover-review"), ("linkage/partners", "handover-partners"),
                          ("telephony", "telephones"), ("staffing", "staffing")):
        supervisor.goto(f"{tour.base}/desk/{address}/")
        tour.shot(supervisor, name)
    ours.goto(f"{tour.base}/desk/call/")
    ours.evaluate("sessionStorage.clear()")
