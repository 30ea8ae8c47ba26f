"""The lists: for whom, in what order, narrowed how, many at once."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from lianxin.cases import actions as a
from lianxin.cases.models import Case, State
from lianxin.desk.models import SavedFilter
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.ids import uuid7_floor
from lianxin.quality import actions as q
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db

BOARD_OF = {
    "dispatcher": ("queue", "returns", "publication", "all"), "operator": ("queue", "all"), "urban": ("mine", "all"),
    "reviewer": ("review", "publication", "all"), "callback": ("callback", "all"), "supervisor": ("all",),
    "grid": ("reported", "all"), "admin": (),
}


def board(code: str, query: str = "") -> str:
    return reverse("desk:board", args=[code]) + query


def numbers(response: Any) -> list[str]:
    return [row.number for row in response.context["page"].rows]


def number_of(case_id: uuid.UUID) -> str:
    return Case.objects.get(pk=case_id).number


def replied(world: World) -> uuid.UUID:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case_id, "housing"))
    a.reply(world.on(case_id, "housing"), public_answer="已责令 22 时后停工，并派人值守。", solved=True, means="phone")
    return case_id


@pytest.mark.parametrize("username", BOARD_OF)
def test_each_role_sees_its_own_lists_and_no_others(world: World, as_: SignIn, username: str) -> None:
    client = as_(username)
    for code in ("queue", "returns", "mine", "review", "callback", "publication", "reported", "all"):
        expected = 200 if code in BOARD_OF[username] else 404
        assert client.get(board(code)).status_code == expected, code


@pytest.mark.parametrize(("username", "target"), [
    ("operator", "/desk/call/"), ("dispatcher", "/desk/board/queue/"), ("urban", "/desk/board/mine/"),
    ("reviewer", "/desk/board/review/"), ("callback", "/desk/board/callback/"), ("supervisor", "/desk/overview/"),
    ("grid", "/desk/call/"), ("admin", "/desk/office/"),
])
def test_the_day_starts_on_ones_own_screen(as_: SignIn, username: str, target: str) -> None:
    assert as_(username).get("/desk/").headers["Location"] == target


def test_a_list_needs_signing_in_and_leads_back(client: Client, world: World) -> None:
    response = client.get(board("queue", "?urgency=urgent"))
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=%2Fdesk%2Fboard%2Fqueue%2F%3Furgency%3Durgent"


def test_urgent_cases_stand_first_even_before_what_is_due_earlier(world: World, as_: SignIn, monday: Frozen) -> None:
    old = world.accepted()
    monday.move(days=10)
    plain = world.accepted()
    gas = world.accepted(category="010104")
    page = as_("dispatcher").get(board("queue"))
    assert numbers(page) == [number_of(gas), number_of(old), number_of(plain)]
    assert "紧急 1 件，排在最前" in page.content.decode()
    assert f'data-preview="{reverse("desk:pane", args=[gas])}"' in page.content.decode()


def test_a_closed_unit_list_leaves_what_the_unit_cannot_act_on(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing", assisting_units=["urban"])
    assert numbers(as_("urban").get(board("mine"))) == [number_of(case_id)]
    a.sign(world.on(case_id, "housing"))
    a.reply(world.on(case_id, "housing"), public_answer="已责令停工。", solved=True, means="phone")
    assert numbers(as_("urban").get(board("mine"))) == []


def test_a_clerks_day_counts_what_its_links_show(world: World, as_: SignIn, monday: Frozen) -> None:
    cases = [world.accepted() for _ in range(3)]
    for case_id in cases:
        a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(cases[0], "housing"))
    a.sign(world.on(cases[1], "housing"))
    a.raise_return(world.on(cases[1], "housing"), reason="not_ours", evidence="归城管局。")
    a.reject_return(world.on(cases[1], "dispatcher"), ruling="三定方案写明由你局负责。")
    client = as_("housing")
    page = client.get(board("mine"))
    day = page.context["day"]
    assert (day.total, day.came_back, day.to_sign, day.due_today) == (3, 1, 1, 1)
    assert numbers(client.get(board("mine", "?came=back"))) == [number_of(cases[1])]
    assert numbers(client.get(board("mine", "?task=assigned"))) == [number_of(cases[2])]
    assert numbers(client.get(board("mine", "?due=today"))) == [number_of(cases[2])]
    monday.move(days=1)
    assert client.get(board("mine")).context["day"].late == 1
    assert numbers(client.get(board("mine", "?due=overdue"))) == [number_of(cases[2])]


def test_only_mine_leaves_out_what_a_colleague_has(world: World, as_: SignIn, monday: Frozen) -> None:
    mine, theirs = world.accepted(), world.accepted()
    for case_id, officer in ((mine, "urban"), (theirs, "urban2")):
        a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
        a.sign(world.on(case_id, officer))
    page = as_("urban").get(board("mine", "?officer=me"))
    assert numbers(page) == [number_of(mine)]
    assert page.context["day"].total == 1
    world.staff["urban2"].is_active = False  # whoever has left has nothing
    world.staff["urban2"].save()
    page = as_("urban").get(board("mine", "?officer=me"))
    assert set(numbers(page)) == {number_of(mine), number_of(theirs)}
    assert page.context["day"].total == 2


@pytest.mark.parametrize("query", [
    "?category=0101", "?county=990101", "?channel=phone", "?kind=complaint", "?urgency=normal", "?state=accepted",
    "?q=打桩", "?q=工地 打桩", "?due=soon",
])
def test_filters_find_and_their_opposites_do_not(world: World, as_: SignIn, monday: Frozen, query: str) -> None:
    case_id = world.accepted(area="990101001001")
    monday.move(days=5)
    client = as_("dispatcher")
    found = client.get(board("all", query))
    if query == "?due=soon":
        assert numbers(found) in ([], [number_of(case_id)])
    else:
        assert numbers(found) == [number_of(case_id)]
    other = {"?category=0101": "?category=02", "?county=990101": "?county=990102", "?channel=phone": "?channel=web",
             "?kind=complaint": "?kind=help", "?urgency=normal": "?urgency=urgent", "?state=accepted": "?state=closed",
             "?q=打桩": "?q=路灯", "?q=工地 打桩": "?q=工地 路灯", "?due=soon": "?due=soon&urgency=urgent"}[query]
    empty = client.get(board("all", other))
    assert numbers(empty) == []
    assert "换个条件，或清除筛选" in empty.content.decode()


@pytest.mark.parametrize("query", ["?state=nonsense&urgency=x&due=y&after=%00zz", "?after=W10", "?after=W10&q=路灯",
                                   "?q=%00", "?q=%25_%27", "?after=eyJhIjoxfQ"])
def test_nonsense_in_the_address_is_ignored(world: World, as_: SignIn, monday: Frozen, query: str) -> None:
    world.accepted()
    for code in ("queue", "all"):
        assert as_("dispatcher").get(board(code, query)).status_code == 200


def test_the_words_that_were_looked_for_are_marked_and_markup_is_not_run(world: World, as_: SignIn, monday: Frozen) -> None:
    world.accepted()
    world.case(words="<script>alert(1)</script>" + "楼道里堆满了杂物，" * 8 + "天黑了路灯不亮。")
    page = as_("dispatcher").get(board("all", "?q=路灯")).content.decode()
    assert "<mark>路灯</mark>" in page
    assert "<script>alert" not in page
    assert re.search(r"…[^<]{0,40}<mark>路灯", page)


def test_chips_name_each_filter_and_take_it_off(world: World, as_: SignIn, monday: Frozen) -> None:
    page = as_("dispatcher").get(board("queue", "?state=accepted&urgency=urgent&q=燃气"))
    chips = {chip.label: chip.without for chip in page.context["chips"]}
    assert set(chips) == {"燃气", "待派单", "紧急"}
    assert chips["紧急"] == "state=accepted&q=%E7%87%83%E6%B0%94"


def test_pages_follow_one_another_without_gap_or_double(world: World, as_: SignIn, monday: Frozen) -> None:
    made = [world.accepted() for _ in range(53)]
    made += [world.accepted(category="010104")]
    client = as_("dispatcher")
    first = client.get(board("queue"))
    seen = numbers(first)
    after = first.context["page"].after
    while after:
        page = client.get(board("queue", f"?after={after}"))
        seen += numbers(page)
        after = page.context["page"].after
    assert sorted(seen) == sorted(number_of(case_id) for case_id in made)


def test_saved_filters_are_kept_shared_and_deleted_by_their_owner(world: World, as_: SignIn) -> None:
    client, colleague, stranger = as_("urban"), as_("urban2"), as_("housing")
    save = reverse("desk:save_filter", args=["mine"])
    client.post(save, {"name": "紧急", "query": "urgency=urgent", "shared": "1"})
    client.post(save, {"name": "私人", "query": "due=today"})
    doubled = client.post(save, {"name": "紧急", "query": "due=today"}, follow=True)
    assert "已有同名的筛选" in doubled.content.decode()
    assert "请给筛选起个名字" in client.post(save, {"name": " ", "query": ""}, follow=True).content.decode()
    shown = colleague.get(board("mine")).content.decode()
    assert "紧急 · urban甲" in shown
    assert "私人" not in shown
    assert "紧急 · " not in stranger.get(board("mine")).content.decode()
    kept = SavedFilter.objects.get(name="紧急")
    assert colleague.post(reverse("desk:delete_filter", args=[kept.pk])).status_code == 404
    assert client.post(reverse("desk:delete_filter", args=[kept.pk])).status_code == 302
    assert not SavedFilter.objects.filter(name="紧急").exists()


def test_many_at_once_and_what_cannot_be_done_is_said(world: World, as_: SignIn, monday: Frozen) -> None:
    ready, orphan, unread = world.accepted(), world.accepted(category="010105"), world.case()
    data = {"action": "dispatch", "submission": "s1", "case": [str(ready), str(orphan), str(unread), "nonsense"]}
    page = as_("dispatcher").post(reverse("desk:bulk", args=["queue"]), data, follow=True)
    text = page.content.decode()
    assert "1 件已办。" in text
    assert f"{number_of(orphan)}：缺事项或派单目录没有这一项" in text
    assert number_of(unread) in text
    assert Case.objects.get(pk=ready).state == State.DISPATCHED
    assert Case.objects.get(pk=orphan).state == State.ACCEPTED
    again = as_("dispatcher").post(reverse("desk:bulk", args=["queue"]), {**data, "case": [str(ready)]}, follow=True)
    assert "1 件已办。" in again.content.decode()
    assert Case.objects.get(pk=ready).events.filter(action="dispatch").count() == 1


def test_bulk_signing_but_no_bulk_approving(world: World, as_: SignIn, monday: Frozen) -> None:
    assigned = world.accepted()
    a.dispatch(world.on(assigned, "dispatcher"), lead_unit="housing")
    as_("housing").post(reverse("desk:bulk", args=["mine"]), {"action": "sign", "submission": "a", "case": [str(assigned)]})
    assert Case.objects.get(pk=assigned).state == State.IN_HAND
    answered = replied(world)
    gone = as_("reviewer").post(reverse("desk:bulk", args=["review"]), {"action": "approve", "submission": "b", "case": [str(answered)]})
    assert gone.status_code == 404, "each reply is checked against the list by itself"
    assert Case.objects.get(pk=answered).state == State.REPLIED


def test_bulk_touches_only_what_one_may_see_and_only_its_own_actions(world: World, as_: SignIn, monday: Frozen) -> None:
    assigned = world.accepted()
    a.dispatch(world.on(assigned, "dispatcher"), lead_unit="housing")
    page = as_("water").post(reverse("desk:bulk", args=["mine"]),
                             {"action": "sign", "submission": "a", "case": [str(assigned)]}, follow=True)
    assert number_of(assigned) not in page.content.decode()
    assert Case.objects.get(pk=assigned).state == State.DISPATCHED
    assert as_("water").post(reverse("desk:bulk", args=["mine"]), {"action": "reply"}).status_code == 404
    assert as_("urban").post(reverse("desk:bulk", args=["review"]), {"action": "approve"}).status_code == 404


def test_a_number_goes_to_its_case_and_words_to_the_list(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    client = as_("dispatcher")
    assert client.get("/desk/find/", {"q": number_of(case_id)}).headers["Location"] == reverse("desk:case", args=[case_id])
    assert client.get("/desk/find/", {"q": " 打桩 "}).headers["Location"] == "/desk/board/all/?q=%E6%89%93%E6%A1%A9"
    hidden = as_("water").get("/desk/find/", {"q": number_of(case_id)})
    assert hidden.headers["Location"].startswith("/desk/board/all/")


def test_the_live_line_counts_what_others_did(world: World, as_: SignIn, monday: Frozen) -> None:
    since = str(uuid7_floor(now()))
    client = as_("dispatcher")
    live = reverse("desk:live", args=["queue"])
    assert client.get(live, {"since": since}).json()["count"] == 0
    world.accepted()
    news = client.get(live, {"since": since}).json()
    assert news["count"] == 1
    assert "1 件有新变化" in news["text"]
    assert client.get(live, {"since": "nonsense"}).json() == {"count": 0}
    expired = Client().get(live, {"since": since}, headers={"X-Requested-With": "fetch"})
    assert expired.status_code == 401


def test_every_number_of_the_overview_leads_to_as_many_cases(world: World, as_: SignIn, monday: Frozen) -> None:
    for _ in range(2):
        a.dispatch(world.on(world.accepted(area="990101001001"), "dispatcher"), lead_unit="housing")
    world.accepted(category="010104", area="990102")
    q.approve(world.on(replied(world), "reviewer"))
    monday.move(days=2)
    client = as_("supervisor")
    page = client.get(reverse("desk:overview"))
    links = re.findall(r'<a[^>]*href="(/desk/board/all/\?[^"]+)"[^>]*>(.*?)</a>', page.content.decode(), re.DOTALL)
    assert len(links) > 8
    for address, inside in links:
        count = int(re.findall(r"\d+", re.sub(r"<[^>]+>", " ", inside))[0])
        assert len(numbers(client.get(address.replace("&amp;", "&")))) == count, (address, inside)
    assert as_("operator").get(reverse("desk:overview")).status_code == 403


@pytest.mark.parametrize(("username", "code", "most"), [
    ("dispatcher", "queue", 12), ("housing", "mine", 10), ("reviewer", "review", 10), ("dispatcher", "all", 8),
])
def test_a_list_costs_the_same_however_long(world: World, as_: SignIn, monday: Frozen, username: str, code: str,
                                            most: int, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = as_(username)
    for _ in range(5):
        world.accepted()
        replied(world)
        a.dispatch(world.on(world.accepted(), "dispatcher"), lead_unit="housing")
    client.get(board(code))
    with django_assert_max_num_queries(most):
        page = client.get(board(code))
    assert len(numbers(page)) >= 5
