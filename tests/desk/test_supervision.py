"""The supervisor's screens: boards for city, county and unit, orders, and a listed matter from list to public end."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from lianxin.supervision.models import Listing, ListingState, Order
from tests.cases.ways import at_state, take
from tests.desk.conftest import SignIn, forgotten
from tests.world import World

pytestmark = pytest.mark.django_db
PLAN = {"plan": "换掉老管。", "milestones": "2026-12-01 查清漏点\n2026-12-20 换管", "version": "1"}


def _number(case_id: object) -> str:
    return Case.objects.get(pk=case_id).number


def _new(world: World, client: Client, **more: str) -> Listing:
    fields = {"title": "花园社区反复停水", "unit": "urban", "leader_name": "李某", "leader_title": "副局长",
              "criteria": "三十天不停水。", "due_on": "2026-12-31", "cases": _number(at_state(world, State.IN_HAND)),
              "submission": str(uuid.uuid4())}
    answer = client.post(reverse("desk:issue_listing"), fields | more)
    assert answer.status_code == 302, answer.content.decode()
    return Listing.objects.latest("issued_at")


def test_each_board_counts_what_its_people_see(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED)
    take(world, case_id, "send_back")
    take(world, case_id, "supervise")
    at_state(world, State.REGISTERED)
    for name, total in (("supervisor", 2), ("leader", 2), ("urban_head", 1), ("urban", 1), ("east_supervisor", 2), ("water", 0)):
        page = as_(name).get(reverse("desk:overview")).content.decode()
        assert f"在办 {total} 件" in page, name
        assert ("件件在哪里" in page) is True
    head = as_("urban_head")
    page = head.get(reverse("desk:overview")).content.decode()
    tiles = {re.sub(r"<[^>]+>", "", inside): address.replace("&amp;", "&")
             for address, inside in re.findall(r'<div class="desk-tile[^"]*"><a href="([^"]+)">(.*?)</a>', page, re.DOTALL)}
    assert {"审核退回过1", "督办中1", "超时0"} <= set(tiles)
    assert _number(case_id) in head.get(tiles["审核退回过1"]).content.decode()
    assert _number(case_id) in head.get(tiles["督办中1"]).content.decode()


def test_leaders_and_heads_begin_at_the_board(world: World, as_: SignIn) -> None:
    for name in ("leader", "urban_head"):
        assert as_(name).get(reverse("desk:home")).headers["Location"] == reverse("desk:overview")


def test_an_order_is_issued_from_the_case_and_stands_in_the_list(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    client = as_("supervisor")
    assert client.post(reverse("desk:act", args=[case_id, "supervise"]), {"words": "请书面说明。", "submission": "1"}).status_code == 302
    order = Order.objects.get()
    page = client.get(reverse("desk:orders")).content.decode()
    assert order.number in page
    assert "请书面说明。" in page
    assert order.number not in client.get(reverse("desk:orders"), {"level": "reminder"}).content.decode()
    assert order.number in as_("urban").get(reverse("desk:case", args=[case_id])).content.decode()
    assert "没有符合条件的督办" in as_("housing").get(reverse("desk:orders")).content.decode()


def test_the_browser_forgets_what_was_typed_once_it_is_taken(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("supervisor")
    form = client.get(reverse("desk:issue_listing")).content.decode()
    one = _new(world, client)
    address = reverse("desk:listing", args=[one.pk])
    assert forgotten(form, client.get(address).content.decode())
    owner = as_("urban_head")
    form = owner.get(address).content.decode()
    bad = owner.post(reverse("desk:listing_step", args=[one.pk, "plan"]), PLAN | {"plan": ""})
    assert "data-draft-done" not in bad.content.decode(), "nothing was taken"
    after = owner.post(reverse("desk:listing_step", args=[one.pk, "plan"]), PLAN, follow=True).content.decode()
    assert forgotten(form, after)


def test_a_matter_from_list_to_end(world: World, as_: SignIn, monday: Frozen) -> None:
    one = _new(world, as_("supervisor"))
    again = as_("supervisor").post(reverse("desk:issue_listing"), {
        "title": one.title, "unit": "urban", "leader_name": "李某", "leader_title": "副局长", "criteria": one.criteria,
        "due_on": "2026-12-31", "cases": _number(Case.objects.get(listings__listing=one).pk), "submission": "twice"})
    assert again.status_code == 302
    assert again.headers["Location"] != reverse("desk:listing", args=[one.pk])
    public = reverse("portal:listing", args=[one.year, one.serial])
    assert "三十天不停水" in Client().get(public).content.decode()
    assert one.title in Client().get(reverse("portal:listings")).content.decode()
    urban = as_("urban")
    step = lambda name: reverse("desk:listing_step", args=[one.pk, name])  # noqa: E731
    assert urban.post(step("plan"), PLAN).status_code == 302
    for milestone in one.milestones.all():
        assert urban.post(step("milestone"), {"milestone": milestone.pk, "proof": "验收单"}).status_code == 302
    assert urban.post(step("request"), {"words": "达到了。"}).status_code == 302
    refused = as_("supervisor").post(step("confirm"), {"finding": "好。"})
    assert refused.status_code == 403
    assert "没有经手的人" in refused.content.decode()
    assert as_("callback").post(step("confirm"), {"finding": "走访十户，都说好了。"}).status_code == 302
    one.refresh_from_db()
    assert one.state == ListingState.DELISTED
    told = Client().get(public).content.decode()
    assert "走访十户" in told
    assert "达到了。" not in told


def test_the_public_page_names_no_case_and_no_reporter(world: World, as_: SignIn, monday: Frozen) -> None:
    one = _new(world, as_("supervisor"))
    case = Case.objects.get(listings__listing=one)
    told = Client().get(reverse("portal:listing", args=[one.year, one.serial])).content.decode()
    assert case.number not in told
    assert case.words not in told


def test_a_fault_keeps_what_was_typed(world: World, as_: SignIn, monday: Frozen) -> None:
    answer = as_("supervisor").post(reverse("desk:issue_listing"), {"title": "反复停水", "cases": "nonsense"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="反复停水"' in page
    assert "nonsense" in page
    one = _new(world, as_("supervisor"))
    answer = as_("urban").post(reverse("desk:listing_step", args=[one.pk, "plan"]), PLAN | {"milestones": "明天 换管"})
    assert answer.status_code == 422
    assert "先写日期" in answer.content.decode()
    stale = as_("urban").post(reverse("desk:listing_step", args=[one.pk, "plan"]), PLAN | {"version": "9"})
    assert stale.status_code == 409
    assert "换掉老管" in stale.content.decode()


def test_who_may_not_issue_is_told_whom_to_ask(world: World, as_: SignIn) -> None:
    for name in ("urban", "dispatcher", "leader"):
        assert as_(name).get(reverse("desk:issue_listing")).status_code == 403
    assert as_("operator").get(reverse("desk:orders")).status_code == 403
    assert as_("supervisor").get(reverse("desk:listing_step", args=["019a0000-0000-7000-8000-000000000000", "plan"])).status_code == 405
    assert as_("supervisor").post(reverse("desk:listing_step", args=["019a0000-0000-7000-8000-000000000000", "issue"])).status_code == 404


def test_a_county_puts_nothing_on_the_citys_list(world: World, as_: SignIn) -> None:
    client = as_("east_supervisor")
    assert client.get(reverse("desk:issue_listing")).status_code == 403
    assert client.post(reverse("desk:issue_listing"), {"title": "甲"}).status_code == 403
    assert reverse("desk:issue_listing") not in client.get(reverse("desk:listings")).content.decode()


def test_the_words_of_a_refusal_are_said_to_be_public_and_odd_versions_harm_nothing(world: World, as_: SignIn, monday: Frozen) -> None:
    one = _new(world, as_("supervisor"))
    Listing.objects.filter(pk=one.pk).update(
        state=ListingState.DELISTING, plan="换管。", requested_at=monday.move(), requested_by=world.staff["urban"])
    page = as_("reviewer").get(reverse("desk:listing", args=[one.pk])).content.decode()
    assert "不同意的原因（公开）" in page
    answer = as_("reviewer").post(reverse("desk:listing_step", args=[one.pk, "refuse"]), {"words": "还在停水。", "version": "\u00b2"})
    assert answer.status_code == 302
    assert Listing.objects.get().state == ListingState.PLANNED


def test_keys_of_the_call_page_are_shown_to_those_who_have_it(world: World, as_: SignIn) -> None:
    assert "登记并接下一个" in as_("dispatcher").get(reverse("desk:board", args=["queue"])).content.decode()
    assert "登记并接下一个" not in as_("supervisor").get(reverse("desk:overview")).content.decode()
