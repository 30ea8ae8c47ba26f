"""Joint rules and the weekly figures: nobody alone decides whose a category is, and what is counted are matters."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest

from lianxin.cases import actions as a
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.linkage import review, rules, wire
from lianxin.linkage.models import Handover, Holder, JointRule, Mapping, Outgoing, Partner
from tests.linkage.peer import NAME, Peer, opened, partner
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(world: World, monday: Frozen) -> Partner:
    return partner()


def proposed(world: World, by: str = "dispatcher", **more: Any) -> JointRule:
    return rules.propose(world.actor(by), **{
        "partner": NAME, "category": "010102", "taken_by": "them", "words": "噪声伴有打斗的归110", **more})


def told(**more: Any) -> wire.Rule:
    return wire.Rule(**{"rule": uuid.uuid4(), "action": "propose", "category": {"code": "ZS-1", "name": "噪声"}, "takes": "receiver",
                        "words": "会商", **more})


def sent() -> list[dict[str, Any]]:
    return [opened(row) for row in Outgoing.objects.filter(kind="rule").order_by("id")]


def test_ours_goes_out_when_a_second_person_has_approved_and_holds_when_they_do(world: World, desk: Partner) -> None:
    rule = proposed(world, "supervisor")
    with pytest.raises(NotAllowed):
        rules.approve(world.actor("supervisor"), rule.pk)
    with pytest.raises(NotAllowed):
        rules.approve(world.actor("dispatcher"), rule.pk)
    assert sent() == []
    rule = proposed(world, category="010101")
    rules.approve(world.actor("supervisor"), rule.pk)
    rules.approve(world.actor("supervisor"), rule.pk)
    assert [(body["rule"], body["action"], body["takes"], body["category"]["code"]) for body in sent()] == [
        (str(rule.pk), "propose", "receiver", "010101")]
    assert rules.theirs("010101") is None
    assert rules.received(desk, told(rule=rule.pk, action="approve", category=None, takes=None), now()) is wire.Status.APPLIED
    assert rules.theirs("010101") == JointRule.objects.get(pk=rule.pk)
    assert rules.received(desk, told(rule=rule.pk, action="approve", category=None, takes=None), now()) is wire.Status.NOTED
    rules.reject(world.actor("supervisor"), rule.pk, words="试行期满")
    assert rules.theirs("010101") is None
    assert sent()[-1]["action"] == "reject"
    assert proposed(world, category="010101").pk != rule.pk  # another may be agreed on


def test_theirs_holds_when_we_approve_and_says_nothing_when_we_do_not(world: World, desk: Partner) -> None:
    Mapping.objects.create(partner=desk, what="category", ours="010102", theirs="ZS-1")
    body = told()
    assert rules.received(desk, body, now()) is wire.Status.APPLIED
    assert rules.received(desk, body, now()) is wire.Status.NOTED
    rule = JointRule.objects.get()
    assert (rule.category_id, rule.taken_by, rule.proposed_by) == (world.categories["010102"].pk, Holder.US, Holder.THEM)
    assert rules.approve(world.actor("supervisor"), rule.pk).in_force
    assert sent()[-1]["action"] == "approve"
    assert rules.theirs("010102") is None  # it is ours
    assert rules.in_force("010102") == rule
    rules.received(desk, told(rule=rule.pk, action="reject"), now())
    assert rules.in_force("010102") is None


def test_a_rule_of_a_whole_branch_gives_way_to_one_of_the_leaf(world: World, desk: Partner) -> None:
    for code, taken_by in (("01", "them"), ("010101", "us")):
        category = rules.reference().nodes_by_code[code]
        JointRule.objects.create(partner=desk, category_id=category.id, taken_by=taken_by, proposed_by="them", approved_by_them_at=now(),
                                 approved_by_us_at=now(), approver=world.staff["supervisor"])
    assert rules.theirs("010101") is None
    assert rules.theirs("010102") is not None


def test_what_cannot_be_is_refused(world: World, desk: Partner) -> None:
    rule = proposed(world)
    with pytest.raises(Conflict):
        proposed(world)
    Mapping.objects.create(partner=desk, what="category", ours="010102", theirs="ZS-1")
    with pytest.raises(Conflict):
        rules.received(desk, told(), now())
    with pytest.raises(NotAllowed):
        proposed(world, "operator", category="010101")
    for wrong in ({"partner": "nobody"}, {"category": "99"}, {"taken_by": "both"}, {"words": " "}):
        with pytest.raises(Invalid):
            proposed(world, **{"category": "010101", **wrong})
    for body in (told(rule=uuid.uuid4(), action="approve"), told(category=None), told(takes=None)):
        with pytest.raises(Invalid):
            rules.received(desk, body, now())
    other = partner("119.hill", kind="fire")
    with pytest.raises(Invalid):
        rules.received(other, told(rule=rule.pk, action="reject"), now())
    with pytest.raises(NotFound):
        rules.approve(world.actor("supervisor"), uuid.uuid4())
    with pytest.raises(Invalid):
        rules.reject(world.actor("supervisor"), rule.pk, words="")
    rules.reject(world.actor("supervisor"), rule.pk, words="不妥")
    assert sent() == []  # the partner had never heard of it
    with pytest.raises(Conflict):
        rules.approve(world.actor("supervisor"), rule.pk)
    unknown = told(category={"code": "ZS-9"})
    rules.received(desk, unknown, now())
    with pytest.raises(Invalid):
        rules.approve(world.actor("supervisor"), unknown.rule)


def offered(world: World, desk: Partner, case_id: uuid.UUID | None = None) -> tuple[uuid.UUID, Handover, Peer]:
    case_id = case_id or world.accepted()
    a.offer_handover(world.on(case_id, "dispatcher"), partner=desk.code, reason="有人打架")
    handover = Handover.objects.select_related("matter__partner").get(matter__case_id=case_id, ended_at=None)
    return case_id, handover, Peer.of(handover)


def test_the_figures_of_a_week(world: World, desk: Partner, monday: Frozen) -> None:
    case_id, one, peer = offered(world, desk)
    peer.say("acknowledge", one.pk, operator="0731")
    peer.say("negotiate", one.pk, words="再看看", operator="0731")
    peer.say("refuse", one.pk, reason="not_police", operator="0731")
    again = offered(world, desk, case_id)[1]
    peer.say("accept", again.pk, reference="JQ-1")
    peer.say("offer", back := uuid.uuid4(), words="已平息，余下归热线", basis="returned", follows=again.pk, first_receiver="12345.test")
    Peer(desk).offer(category={"code": "JF-3", "name": "邻里纠纷"})
    week = review.week_of(date(2026, 11, 25))
    found = review.review(week)
    whole = found.whole
    assert (whole.offers, whole.out, whole.refused, whole.negotiated, whole.matters) == (4, 2, 1, 1, 2)
    ours = next(line for line in found.lines if line.category is not None)
    other = next(line for line in found.lines if line.category is None)
    assert (ours.key, ours.offers, ours.matters) == ("010102", 3, 1)
    assert (other.key, other.offers, other.refused) == ("~JF-3", 1, 0)
    assert [(reason.code, reason.times, reason.by_us, reason.by_them) for reason in found.reasons] == [("not_police", 1, 0, 1)]
    accepted = Handover.objects.get(pk=back).state == "accepted"  # the first receiver takes it back by itself
    assert ours.back_and_forth == int(accepted)
    for which in review.WHICH:
        counted = getattr(ours, which)
        assert len(review.behind(week, which, category=ours.key)) == counted, which
        assert len(review.behind(week, which)) == getattr(whole, which), which
    assert review.review(week, partner("119.hill", kind="fire")).whole.offers == 0
    assert review.review(review.Week(week.before)).lines == []


def test_the_week_opens_with_the_last_whole_one(monday: Frozen) -> None:
    assert review.week_of().first == date(2026, 11, 16)
    assert review.week_of(date(2026, 11, 29)).first == date(2026, 11, 23)
