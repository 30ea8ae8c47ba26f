"""The staff's day in a real browser, by keyboard alone."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Case, State
from lianxin.quality import actions as q
from tests.browser import axe, new_page, readable
from tests.journeys.conftest import Open

pytestmark = pytest.mark.browser


def keywords(world: Any) -> None:
    category = world.categories["010102"]
    category.keywords = {"打桩": 3, "工地": 2}
    category.save()


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def value(page: Any, name: str) -> str:
    return str(page.locator(f":is(.desk-act, .desk-call) [name={name}]").input_value())


def on_field(page: Any, name: str) -> None:
    """The cursor has come to this field by itself."""
    expect(page.locator(f"[name={name}]:focus")).to_have_count(1, timeout=15_000)


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.name || document.activeElement.id"))


def test_a_call_from_the_first_word_to_the_next_caller(open_as: Open, served: Any) -> None:
    keywords(served.world)
    near = served.world.accepted(area="990101001001")
    page = open_as("operator", "/desk/call/#phone=13900001111")
    assert focused(page) == "words"
    assert value(page, "phone") == "13900001111"
    assert page.url.endswith("/desk/call/")  # the number does not stay in the address

    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if "suggest" in request.url else None)
    page.keyboard.type("花园社区楼下工地半夜又在打桩")
    expect(page.locator("[name=category]")).to_have_value(re.compile("^010102"))
    expect(page.locator("[name=area]")).to_have_value(re.compile("^990101001001"))
    assert focused(page) == "words"  # nothing steals the cursor
    page.locator("#suggest-near").get_by_text(Case.objects.get(pk=near).number).wait_for()
    assert "打桩" in page.locator("#suggest-read mark").all_inner_texts()
    assert not any("13900001111" in body for body in sent)  # who is calling is not sent to be read

    # A person's choice stands, whatever is said afterwards.
    page.locator("[name=category]").focus()
    press(page, "Control+a")
    page.keyboard.type("010101 路灯")
    page.locator("[name=words]").focus()
    press(page, "End")
    page.keyboard.type("，打桩打桩打桩，还有人拿刀")
    page.locator("#suggest-alarm").get_by_text("可能要转 110").wait_for()
    assert value(page, "category") == "010101 路灯"
    press(page, "Alt+Digit1")
    assert value(page, "category") == "010102 施工噪声"
    assert axe(page) == []

    # The draft survives a reload of this window, F8 says so.
    press(page, "F8")
    page.get_by_text("草稿已存").wait_for()
    page.reload()
    assert "打桩" in value(page, "words")
    assert value(page, "phone") == "13900001111"
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('call')).length") == 0

    press(page, "F9")
    page.get_by_text("已派给市住建局").wait_for()
    made = Case.objects.exclude(pk=near).get()
    readout = page.locator(".desk-readout").all_inner_texts()
    assert readout[0] == made.number
    assert re.fullmatch(r"[A-Z0-9-]{8,}", readout[1])
    assert focused(page) == "words"
    assert value(page, "words") == ""
    assert value(page, "phone") == ""
    page.reload()
    assert value(page, "words") == ""

    # The second caller only wants to know: answered on the spot.
    page.keyboard.type("请问夜间几点后不能施工")
    press(page, "F3")
    on_field(page, "public_answer")
    page.keyboard.type("22 时到次日 6 时。")
    press(page, "F3")
    page.get_by_text("已当场答复并归档").wait_for()
    assert Case.objects.filter(state=State.CLOSED).count() == 1
    assert page.faults == []


def test_which_of_two_places_is_asked_and_answered_without_leaving_the_words(open_as: Open, served: Any) -> None:
    keywords(served.world)
    other, = served.world.namesakes()
    near = served.world.accepted(area=other)
    page = open_as("operator", "/desk/call/")
    page.keyboard.type("花园社区楼下工地半夜打桩")
    asked = page.locator("[aria-live=polite] [data-ask-place]")
    expect(asked).to_contain_text("“花园社区”有 2 处，是哪一处？")
    expect(page.locator("[name=area]")).to_have_value("")
    assert axe(page) == []
    press(page, "Alt+Digit5")
    expect(page.locator("[name=area]")).to_have_value(f"{other} 西县 › 花园社区")
    expect(page.get_by_role("status").filter(has_text="西县")).to_be_visible()  # told to who cannot see the field
    expect(asked).to_have_count(0)
    assert focused(page) == "words"
    # The words change: what a person chose stands. Emptied by hand, it is asked again.
    page.keyboard.type("，桥头街道也有")
    expect(page.locator("[name=area]")).to_have_value(f"{other} 西县 › 花园社区")
    page.locator("[name=words]").fill("花园社区楼下工地半夜打桩")
    page.locator("[name=area]").focus()
    press(page, "Control+a", "Delete")
    expect(asked).to_be_visible()
    assert value(page, "place_text") == ""
    press(page, "Alt+Digit5")
    # The same caller again: one key adds their words to the case they have.
    page.reload()
    page.locator("[name=words]").focus()
    page.locator("#suggest-near").get_by_text(Case.objects.get(pk=near).number).wait_for()
    press(page, "Control+b")
    page.get_by_text(f"已补充到 {Case.objects.get(pk=near).number}").wait_for()
    # What was filled in while the words named one place is taken back when they name one of two.
    page.keyboard.type("桥头街道打桩")
    expect(page.locator("[name=area]")).to_have_value(re.compile("^990101001 "))
    page.locator("[name=words]").fill("花园社区打桩")
    expect(asked).to_be_visible()
    expect(page.locator("[name=area]")).to_have_value("")
    # The same when they name none any more, and with the area goes the address that came with it.
    page.locator("[name=words]").fill("桥头街道打桩")
    expect(page.locator("[name=area]")).to_have_value(re.compile("^990101001 "))
    assert value(page, "place_text") != ""
    page.locator("[name=words]").fill("半夜打桩睡不着")
    expect(page.locator("[name=area]")).to_have_value("")
    expect(page.locator("[name=place_text]")).to_have_value("")


def test_one_case_through_everybodys_hands_by_keyboard(open_as: Open, served: Any) -> None:
    world = served.world
    case_id = world.case(words="桥头街道花园社区工地半夜打桩，睡不着。")
    keywords(world)

    # The dispatcher: the first row is chosen, a accepts with the category read from the words, d dispatches.
    page = open_as("dispatcher", "/desk/board/queue/")
    page.locator("#pane").get_by_text("半夜打桩").wait_for()
    press(page, "a")
    on_field(page, "category")
    assert value(page, "category") == "010102 施工噪声"
    assert axe(page) == []
    press(page, "Control+Enter")
    page.get_by_text("受理，已办").wait_for()
    page.locator("#pane").get_by_text("派单", exact=False).first.wait_for()
    press(page, "d")
    on_field(page, "lead_unit")
    assert value(page, "lead_unit") == "housing 市住建局"
    press(page, "Control+Enter")
    page.get_by_text("派单，已办").wait_for()
    page.get_by_text("都派出去了").wait_for()
    assert axe(page) == []

    # The clerk signs, gives it back with a suggestion …
    clerk = open_as("housing", "/desk/board/mine/")
    clerk.locator("#pane").get_by_text("半夜打桩").wait_for()
    press(clerk, "s")
    clerk.get_by_text("签收，已办").wait_for()
    clerk.locator("#pane").get_by_text("办理中").first.wait_for()
    press(clerk, "t")
    on_field(clerk, "reason")
    press(clerk, "Control+Enter")  # nothing filled in: told where, nothing lost
    clerk.locator(".desk-act [aria-invalid=true]").first.wait_for()
    assert axe(clerk) == []
    clerk.locator("[name=reason]").select_option("not_ours")
    clerk.locator("[name=evidence]").fill("三定方案第七条写明归城管。")
    clerk.locator("[name=suggested_unit]").fill("市城管局")
    press(clerk, "Control+Enter")
    clerk.get_by_text("退单，已办").wait_for()

    # … the dispatcher upholds and finds the suggested unit in the form.
    page.goto(served.url + "/desk/board/returns/")
    page.locator("#pane").get_by_text("三定方案第七条").first.wait_for()
    assert axe(page) == []
    press(page, "u")
    on_field(page, "ruling")
    page.keyboard.type("同意。")
    press(page, "Control+Enter")
    page.wait_for_url("**/do/dispatch/**")
    on_field(page, "lead_unit")
    assert value(page, "lead_unit") == "urban 市城管局"
    press(page, "Control+Enter")
    page.wait_for_url("**/desk/board/returns/")
    assert Case.objects.get(pk=case_id).state == State.DISPATCHED

    # The second unit signs and answers; the private note looks unlike the answer.
    urban = open_as("urban", "/desk/board/mine/")
    urban.locator("#pane").get_by_text("半夜打桩").wait_for()
    press(urban, "s")
    urban.get_by_text("签收，已办").wait_for()
    urban.locator("#pane").get_by_text("办理中").first.wait_for()
    press(urban, "e")
    on_field(urban, "public_answer")
    urban.keyboard.type("已责令工地 22 时后停止施工，今晚派人值守。")
    urban.locator("[name=solved]").select_option("yes")
    urban.locator("[name=means]").select_option("phone")
    urban.locator("[name=private_note]").fill("已立案。")
    assert axe(urban) == []
    shades = urban.evaluate("[...document.querySelectorAll('.lx-field:has([name=public_answer]), .lx-field:has([name=private_note])')]"
                            ".map((field) => getComputedStyle(field).backgroundColor)")
    assert shades[0] != shades[1]
    press(urban, "Control+Enter")
    urban.get_by_text("答复，已办").wait_for()

    # Review: the answer beside the words; callback: reached, solved; closed.
    reviewer = open_as("reviewer", "/desk/board/review/", dark=True)
    reviewer.locator("#pane").get_by_text("审核看什么").wait_for()
    assert axe(reviewer) == []
    press(reviewer, "p")
    on_field(reviewer, "note")
    press(reviewer, "Control+Enter")
    reviewer.get_by_text("审核通过，已办").wait_for()
    caller = open_as("callback", "/desk/board/callback/")
    caller.locator("#pane").get_by_text("已试 0 次").wait_for()
    caller.locator("[name=why]").focus()
    caller.keyboard.type("回访")
    press(caller, "Enter")
    caller.get_by_text("13812342201").wait_for()
    caller.locator("#pane").focus()
    press(caller, "l")
    on_field(caller, "outcome")
    caller.locator("[name=outcome]").select_option("reached")
    caller.locator("[name=truthful]").select_option("yes")
    caller.locator("[name=solved]").select_option("yes")
    caller.locator("[name=satisfaction]").select_option("satisfied")
    assert axe(caller) == []
    press(caller, "Control+Enter")
    caller.get_by_text("记录回访，已办").wait_for()
    caller.locator("#pane").get_by_text("已试 1 次").first.wait_for()
    press(caller, "g")
    on_field(caller, "explanation")
    press(caller, "Control+Enter")
    caller.get_by_text("归档，已办").wait_for()
    assert Case.objects.get(pk=case_id).outcome == "solved"
    for one in (page, clerk, urban, reviewer, caller):
        assert one.faults == []


def test_two_people_on_one_case(open_as: Open, served: Any) -> None:
    world = served.world
    case_id = world.accepted()
    path = f"/desk/cases/{case_id}/"
    page = open_as("dispatcher", path)
    press(page, "d")
    on_field(page, "lead_unit")
    page.locator("[name=note]").fill("先派再说")
    a.dispatch(world.on(case_id, "operator"), lead_unit="urban")
    page.locator(".desk-act [data-changed]:not([hidden])").wait_for()  # told within seconds, before sending
    assert "operator甲" in page.locator(".desk-act [data-changed-text]").inner_text()
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="water", reason="归水务。")
    press(page, "Control+Enter")
    page.locator(".desk-act").get_by_text("您填写的时候").wait_for()
    page.locator(".desk-act .lx-notice li").first.wait_for()
    assert value(page, "note") == "先派再说"
    assert axe(page) == []
    assert page.faults == []


def test_a_session_that_ends_over_a_half_written_answer_gives_it_back(open_as: Open, served: Any) -> None:
    world = served.world
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case_id, "housing"))
    person = world.staff["housing"]
    person.set_password("桥头的路灯2026亮了")
    person.save()
    page = open_as("housing", f"/desk/cases/{case_id}/")
    press(page, "e")
    on_field(page, "public_answer")
    page.keyboard.type("已责令工地停工，写了很久。")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    press(page, "Control+Enter")
    page.wait_for_url("**/accounts/login/**")
    page.locator("[name=login]").fill("housing")
    page.locator("[name=password]").fill("桥头的路灯2026亮了")
    press(page, "Enter")
    page.wait_for_url(f"**/cases/{case_id}/do/reply/")
    assert value(page, "public_answer") == "已责令工地停工，写了很久。"
    page.get_by_text("上次没有提交的内容已放回来").wait_for()
    page.locator("[name=solved]").select_option("yes")
    page.locator("[name=means]").select_option("phone")
    press(page, "Control+Enter")
    page.get_by_text("答复，已办").wait_for()
    assert Case.objects.get(pk=case_id).state == State.REPLIED
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('reply')).length") == 0
    assert page.faults == []


def test_many_at_once_can_be_taken_back_for_ten_seconds_and_is_not_lost_by_closing(open_as: Open, served: Any) -> None:
    world = served.world
    cases = [world.accepted() for _ in range(3)]
    page = open_as("dispatcher", "/desk/board/queue/")
    press(page, "j", "Space", "j", "Space")
    assert page.locator("[data-count]").inner_text() == "2"
    page.get_by_role("button", name="派单所选").focus()
    press(page, "Enter")
    page.get_by_text("秒后提交").wait_for()
    assert axe(page) == []
    press(page, "z")
    page.get_by_role("button", name="派单所选").wait_for()
    assert Case.objects.filter(state=State.DISPATCHED).count() == 0
    page.get_by_role("button", name="派单所选").focus()
    press(page, "Enter")
    page.get_by_text("秒后提交").wait_for()
    page.goto(served.url + "/desk/board/all/?state=dispatched")  # leaving the page sends at once
    for _ in range(50):  # the browser sends it in its own time, while the next page is already there
        if page.locator("[data-rows] tr").count() == 2:
            break
        page.reload()
    assert Case.objects.filter(pk__in=cases, state=State.DISPATCHED).count() == 2

    page.goto(served.url + "/desk/board/queue/")
    press(page, "j", "Space")
    page.get_by_role("button", name="派单所选").focus()
    press(page, "Enter")
    page.get_by_role("button", name="马上提交").focus()
    press(page, "Enter")
    page.get_by_text("1 件已办。").wait_for()
    page.get_by_text("都派出去了").wait_for()
    assert page.faults == []


def test_new_cases_announce_themselves_and_nothing_moves(open_as: Open, served: Any) -> None:
    world = served.world
    first = world.accepted()
    page = open_as("dispatcher", "/desk/board/queue/")
    row = page.locator("[data-rows] tr").first
    before = row.bounding_box()
    world.accepted()
    page.get_by_text("1 件有新变化").wait_for()
    assert row.bounding_box() == before
    assert page.locator("[data-rows] tr").count() == 1
    press(page, "y")
    page.locator("[data-rows] tr").nth(1).wait_for()
    # Every command by name: an action of the chosen case, a list, a case by its number.
    page.locator("#pane").get_by_text("更正要素").wait_for()
    press(page, "Control+k")
    page.keyboard.type("更正")
    press(page, "Enter")
    on_field(page, "category")
    press(page, "Escape", "Escape")
    expect(page.locator("#act .desk-act")).to_have_count(0)
    press(page, "Control+k")
    page.keyboard.type(Case.objects.get(pk=first).number)
    assert axe(page) == []
    press(page, "Enter")
    page.wait_for_url(f"**/desk/cases/{first}/")
    press(page, "Control+k")
    page.keyboard.type("退单裁定")
    press(page, "Enter")
    page.wait_for_url("**/desk/board/returns/")
    press(page, "?")
    page.get_by_role("dialog", name="快捷键").wait_for()
    assert axe(page) == []
    assert page.faults == []


def _full_city(world: Any) -> uuid.UUID:
    """Something on every list; returns a case with a long life."""
    long = world.accepted()
    a.dispatch(world.on(long, "dispatcher"), lead_unit="housing", assisting_units=["urban"])
    a.sign(world.on(long, "housing"))
    a.ask_colleague(world.on(long, "housing"), note="明天一起去看。")
    a.reply(world.on(long, "housing"), public_answer="已责令停工。", solved=True, means="phone", private_note="另案处罚。")
    q.approve(world.on(long, "reviewer"))
    returned = world.accepted()
    a.dispatch(world.on(returned, "dispatcher"), lead_unit="housing")
    a.raise_return(world.on(returned, "housing"), reason="not_ours", evidence="归城管。", suggested_unit="urban")
    waiting = world.accepted()
    a.dispatch(world.on(waiting, "dispatcher"), lead_unit="housing")
    world.accepted(category="010104")
    return long  # type: ignore[no-any-return]


PAGES = (
    ("operator", ("/desk/call/", "/desk/missed-calls/")),
    ("dispatcher", ("/desk/board/queue/", "/desk/board/returns/", "/desk/board/all/?q=打桩&urgency=normal", "/desk/board/publication/")),
    ("housing", ("/desk/board/mine/",)), ("callback", ("/desk/board/callback/", "/desk/cases/{case}/")),
    ("supervisor", ("/desk/board/decide/", "/desk/campaigns/", "/desk/overview/", "/desk/heard/", "/desk/office/readings/")),
    ("admin", ("/desk/office/", "/desk/office/tokens/", "/desk/office/jobs/", "/desk/call/", "/accounts/2fa/",
               "/accounts/sessions/", "/accounts/password/change/", "/accounts/2fa/webauthn/", "/accounts/logout/")),
)


def test_every_page_is_readable_by_everyone_and_fits(open_as: Open, served: Any) -> None:
    long = _full_city(served.world)
    for username, (first, *paths) in PAGES:
        page = open_as(username, first.format(case=long), width=360, height=800)
        assert readable(page, 360, 768, 1440) == [], (username, first)
        for path in paths:
            page.goto(served.url + path.format(case=long))
            assert readable(page, 360, 768, 1440) == [], (username, path)
        assert page.faults == []


def test_forms_with_faults_and_english_are_readable(open_as: Open, served: Any) -> None:
    page = open_as("operator", "/desk/call/", locale="en-US")
    assert page.locator("html").get_attribute("lang") == "en"
    press(page, "F2")
    page.locator("[name=words][aria-invalid=true]").wait_for()
    assert axe(page) == []
    admin = open_as("admin", "/desk/office/tokens/", dark=True)
    admin.locator("form.desk-card button").press("Enter")
    admin.locator("[aria-invalid=true], .lx-error").first.wait_for()
    assert axe(admin) == []
    stranger = new_page(page.context.browser)
    stranger.goto(served.url + "/accounts/login/?next=/desk/")
    stranger.locator("[name=login]").fill("nobody")
    stranger.locator("[name=password]").fill("nothing at all")
    stranger.keyboard.press("Enter")
    stranger.locator(".lx-notice.error, .lx-error").first.wait_for()
    assert axe(stranger) == []
    assert [*page.faults, *admin.faults, *stranger.faults] == []
    stranger.context.close()
