"""What people and partners do with a matter, on the database: both ways, every ending, and who holds it all along."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Channel, EventText, State
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.linkage import deciding, mapping
from lianxin.linkage.models import (
    Disclosure,
    Handover,
    HandoverState,
    HandoverStep,
    Mapping,
    MappingChange,
    Matter,
    Partner,
    Unmapped,
    What,
)
from lianxin.linkage.steps import open_payload, words_of
from tests.linkage.peer import Peer, partner
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(world: World, monday: Frozen) -> Partner:
    return partner()


def agree() -> None:
    """What the database checks at the end of a transaction, checked now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def offered(world: World, desk: Partner, case_id: uuid.UUID | None = None, **more: Any) -> tuple[uuid.UUID, Handover, Peer]:
    case_id = case_id or world.accepted(name="文景之", phone="13711239876")
    a.offer_handover(world.on(case_id, "dispatcher"), **{"partner": desk.code, "reason": "有人持械打架", **more})
    handover = Handover.objects.select_related("matter__partner").get(matter__case_id=case_id, matter__partner=desk, ended_at=None)
    agree()
    return case_id, handover, Peer.of(handover)


def case_of(case_id: uuid.UUID) -> Case:
    return Case.objects.get(pk=case_id)


def test_a_case_goes_over_and_its_outcome_closes_it(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk, emergency=True)
    (kind, body), = peer.heard()
    case = case_of(case_id)
    assert (kind, body["words"].startswith(case.words), body["reference"]) == ("offer", True, case.number)
    assert datetime.fromisoformat(body["occurred_at"]) == case.registered_at
    assert (case.state, case.linkage) == (State.ACCEPTED, "offered")
    assert body["caller"] == {"shared": "full", "name": "文景之", "phone": "13711239876"}
    assert Disclosure.objects.get().fields == ["name", "phone"]
    peer.say("acknowledge", handover.pk, operator="0731")
    peer.say("accept", handover.pk, reference="JQ20260302-17", operator="0731")
    agree()
    case = case_of(case_id)
    assert (case.state, case.linkage, peer.row().holder, peer.row().term) == (State.HANDED_OVER, "there", "them", 2)
    peer.say("progress", handover.pk, step="on_scene", at=now(), reference="JQ20260302-17")
    peer.say("outcome", handover.pk, result="mediated", words="双方互相道歉。", public_words="民警到场调解，双方和解。", at=now())
    agree()
    case = case_of(case_id)
    assert (case.state, case.outcome, case.linkage) == (State.CLOSED, "handed_over", "")
    assert EventText.objects.get(case=case, field="public_answer").body == "民警到场调解，双方和解。"
    assert [kind for kind, _body in peer.heard()] == ["offer", "close"]
    handover.refresh_from_db()
    assert (handover.state, handover.result, handover.due_at) == (HandoverState.CLOSED, "mediated", None)
    assert [step.kind for step in handover.steps.all()] == ["offer", "acknowledge", "accept", "progress", "outcome", "close"]
    assert peer.row().closed_at is not None


def test_refused_it_stays_here_and_may_go_elsewhere(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    peer.say("refuse", handover.pk, reason="not_police", words="属噪声扰民，不涉警。", operator="0731")
    agree()
    case = case_of(case_id)
    assert (case.state, case.linkage, peer.row().holder) == (State.ACCEPTED, "", "us")
    handover.refresh_from_db()
    assert (handover.state, handover.refusal) == (HandoverState.REFUSED, "not_police")
    assert words_of(handover.steps.get(kind="refuse")) == "属噪声扰民，不涉警。"
    other = partner("119.hill", kind="fire", name="山城119")
    _case, again, _peer = offered(world, other, case_id)
    assert again.matter_id != handover.matter_id


def test_nothing_final_is_done_while_an_offer_is_open(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    with pytest.raises(Conflict) as refused:
        a.decline(world.on(case_id, "dispatcher"), route="litigation", explanation="不受理")
    assert refused.value.code == "handover_open"
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(pk=case_id).update(state="closed", closed_at=now(), outcome="answered")
    with pytest.raises(Conflict):
        offered(world, partner("119.hill", kind="fire"), case_id)
    a.withdraw_handover(world.on(case_id, "dispatcher"), reason="已当场平息")
    handover.refresh_from_db()
    assert handover.state == HandoverState.WITHDRAWING
    assert case_of(case_id).linkage == "offered"
    peer.say("withdrawn", handover.pk)
    agree()
    assert case_of(case_id).linkage == ""


def test_an_acceptance_that_crossed_a_withdrawal_stands(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    a.withdraw_handover(world.on(case_id, "dispatcher"), reason="已当场平息")
    peer.say("accept", handover.pk, reference="JQ1")
    agree()
    assert (case_of(case_id).state, peer.row().holder) == (State.HANDED_OVER, "them")


def test_units_go_on_until_it_is_taken_and_their_parts_end_then(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit=world.units["urban"].code)
    peer.say("accept", handover.pk)
    agree()
    case = case_of(case_id)
    assert (case.state, case.lead_unit_id) == (State.HANDED_OVER, None)
    assert not case.assignments.filter(ended_at__isnull=True).exists()


def test_what_is_left_behind_an_outcome_comes_back_with_both_desks_words(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    peer.say("accept", handover.pk, reference="JQ2")
    peer.say("outcome", handover.pk, result="mediated", words="打架已制止，起因是装修噪声。", follow_up=True,
             follow_up_words="请安排人民调解。", at=now())
    assert case_of(case_id).state == State.HANDED_OVER
    back = peer.offer(basis="followup", follows=str(handover.pk), first_receiver="12345.city", words="请安排人民调解。")
    agree()
    case = case_of(case_id)
    assert (case.state, case.linkage, peer.row().holder, peer.row().term) == (State.ACCEPTED, "", "us", 3)
    assert Handover.objects.get(pk=back).state == HandoverState.ACCEPTED
    handover.refresh_from_db()
    assert handover.state == HandoverState.CLOSED
    bodies = set(EventText.objects.filter(case=case).values_list("body", flat=True))
    assert any("打架已制止" in body for body in bodies)
    assert any("请安排人民调解。" in body for body in bodies)


def test_their_matter_becomes_a_case_and_its_end_is_told(world: World, desk: Partner) -> None:
    mapping.set_mapping(world.actor("supervisor"), desk, "category", value="P-301", to="010102", inbound=True)
    peer = Peer(desk)
    key = peer.offer(category={"code": "P-301", "name": "邻里纠纷"}, place={"text": "花园社区 3 栋"},
                     caller={"shared": "full", "name": "卫平", "phone": "13900001111"}, reference="JQ9")
    by = world.actor("operator")
    assert Handover.objects.get(pk=key).payload is not None
    deciding.acknowledge(by, key)
    deciding.acknowledge(by, key)
    case = deciding.accept(by, key)
    agree()
    assert (case.channel, case.state, case.category_id is not None) == (Channel.POLICE, State.ACCEPTED, True)
    assert (peer.row().holder, peer.row().term, peer.row().case_id) == ("us", 2, case.pk)
    assert deciding.accept(by, key).pk == case.pk
    a.dispatch(world.on(case.pk, "dispatcher"), lead_unit=world.units["urban"].code)
    a.sign(world.on(case.pk, "urban"))
    assert [kind for kind, _body in peer.heard()] == ["acknowledge", "accept", "progress", "progress"]
    assert peer.heard()[1][1]["reference"] == case.number


def test_it_is_refused_with_a_reason_from_the_list(world: World, desk: Partner) -> None:
    peer = Peer(desk)
    key = peer.offer()
    by = world.actor("operator")
    with pytest.raises(Invalid):
        deciding.refuse(by, key, reason="because")
    deciding.refuse(by, key, reason="other", words="请直接联系供电所。")
    agree()
    assert peer.heard()[-1] == ("refuse", {"reason": "other", "words": "请直接联系供电所。", "operator": by_name(by), "defaulted": False})
    assert (peer.row().holder, Case.objects.count()) == ("them", 0)
    with pytest.raises(Conflict):
        deciding.accept(by, key)


def by_name(actor: Any) -> str:
    from lianxin.organisations.models import Staff

    return str(Staff.objects.get(pk=actor.staff_id).username)


def test_withdrawn_before_a_person_took_it_and_after(world: World, desk: Partner) -> None:
    peer = Peer(desk)
    key = peer.offer()
    peer.say("withdraw", key, reason="重复")
    assert peer.heard() == [("withdrawn", {})]
    with pytest.raises(Conflict):
        deciding.accept(world.actor("operator"), key)
    second = Peer(desk)
    key = second.offer()
    deciding.accept(world.actor("operator"), key)
    assert second.say("withdraw", key)["status"] == "noted"
    agree()
    assert second.row().holder == "us"


def test_still_unclear_the_first_receiver_takes_it(world: World, desk: Partner) -> None:
    theirs = Peer(desk)
    key = theirs.offer(basis="unclear")
    by = world.actor("operator")
    deciding.negotiate(by, key, words="像是消费纠纷，也像诈骗。", spoke_with="0731", three_way=True)
    assert deciding.by_clock(key)
    assert (Handover.objects.get(pk=key).state, theirs.row().holder) == (HandoverState.DEFAULTED, "them")
    assert theirs.heard()[-1][1]["defaulted"]
    ours = Peer(desk)
    key = ours.offer(basis="unclear", first_receiver="12345.city")
    deciding.negotiate(by, key, words="还不清楚。")
    assert deciding.by_clock(key)
    agree()
    assert (Handover.objects.get(pk=key).state, ours.row().holder) == (HandoverState.ACCEPTED, "us")
    assert ours.heard()[-1][1]["by"] == "default"
    assert not deciding.by_clock(key)


def test_the_first_receiver_does_not_refuse_what_comes_back(world: World, desk: Partner) -> None:
    Partner.objects.filter(pk=desk.pk).update(takes_followups=False)
    case_id, handover, peer = offered(world, desk)
    peer.say("accept", handover.pk)
    key = peer.offer(basis="returned", follows=str(handover.pk), first_receiver="12345.city", words="不属警情。")
    by = world.actor("dispatcher")
    with pytest.raises(NotAllowed):
        deciding.refuse(by, key, reason="other")
    assert deciding.accept(by, key).pk == case_id
    agree()
    assert (case_of(case_id).state, peer.row().holder) == (State.ACCEPTED, "us")


def test_what_is_added_follows(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    a.add_information(world.on(case_id, "operator"), words="对方手里有刀。")
    assert peer.heard()[-1][0] == "supplement"
    assert peer.heard()[-1][1]["words"] == "对方手里有刀。"
    peer.say("accept", handover.pk)
    a.add_information(world.on(case_id, "operator"), words="有一人受伤。")
    assert peer.heard()[-1][1]["words"] == "有一人受伤。"
    peer.say("supplement", handover.pk, words="已叫救护车。")
    assert EventText.objects.filter(case_id=case_id, body="已叫救护车。", public=False).exists()


def test_the_database_refuses_two_holders_and_none(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk)
    refused(lambda: Matter.objects.filter(pk=peer.matter).update(holder="them"))
    refused(lambda: Case.objects.filter(pk=case_id).update(state="handed_over", linkage="there"))
    peer.say("accept", handover.pk)
    agree()
    refused(lambda: Matter.objects.filter(pk=peer.matter).update(holder="us"))
    refused(lambda: Case.objects.filter(pk=case_id).update(state="accepted", linkage=""))


def refused(change: Callable[[], int]) -> None:
    """The database does not let a transaction end so."""
    with transaction.atomic():
        assert change() == 1
        with pytest.raises(DatabaseError, match="partners hold it"), transaction.atomic():
            agree()
        transaction.set_rollback(True)


def test_a_telephone_call_is_a_record_and_decides_nothing(world: World, desk: Partner) -> None:
    case_id, handover, peer = offered(world, desk, emergency=True)
    deciding.record_phone(world.actor("operator"), handover.pk, spoke_with="0731", at=now(), agreed="accepted", words="口头接收")
    agree()
    handover.refresh_from_db()
    assert (handover.state, handover.phoned_at is not None, case_of(case_id).linkage) == (HandoverState.OFFERED, True, "offered")
    assert peer.heard()[-1][0] == "phone"


def test_help_that_is_asked_for_leaves_the_matter_here(world: World, desk: Partner) -> None:
    ambulance = partner("120.hill", kind="ambulance", name="山城120")
    case_id, handover, peer = offered(world, desk)
    _case, help_, medics = offered(world, ambulance, case_id, mode="joint", reason="有人受伤")
    medics.say("accept", help_.pk, term=1, reference="A7")
    agree()
    assert (case_of(case_id).linkage, medics.row().holder, medics.row().term) == ("offered", "us", 1)
    peer.say("accept", handover.pk)
    agree()
    medics.say("outcome", help_.pk, result="settled", words="送医。", at=now())
    agree()
    assert case_of(case_id).state == State.HANDED_OVER
    assert Matter.objects.get(pk=medics.matter).closed_at is not None


def test_our_part_in_what_we_handed_over_ourselves_is_refused_and_says_why(world: World, desk: Partner) -> None:
    """The case is with them: it cannot be worked on here as well. They hand it back, or offer another matter."""
    case_id, handover, peer = offered(world, desk)
    peer.say("accept", handover.pk)
    joint = peer.offer(mode="joint", first_receiver=settings.LIANXIN_LINKAGE_NAME, words="请派社区一同到场。")
    by = world.actor("operator")
    with pytest.raises(Conflict) as no:
        deciding.accept(by, joint)
    assert no.value.code == "with_partner"
    assert deciding.negotiate(by, joint, words="请交回本热线，或者另提一件。").state == HandoverState.NEGOTIATING
    with pytest.raises(Conflict):  # the clock takes it no more than a person may: it raises its alarm, and a person decides
        deciding.by_clock(joint)
    deciding.refuse(by, joint, reason="other", words="请交回本热线，或者另提一件。")
    agree()
    case = case_of(case_id)
    assert (case.state, case.linkage, peer.row().holder, peer.row().joint) == (State.HANDED_OVER, "there", "them", False)
    assert [kind for kind, _body in peer.heard()] == ["offer", "negotiate", "refuse"]
    back = peer.offer(basis="returned", first_receiver=settings.LIANXIN_LINKAGE_NAME, follows=str(handover.pk))
    agree()
    assert Handover.objects.get(pk=back).state == HandoverState.ACCEPTED
    assert case_of(case_id).state == State.ACCEPTED


def test_our_own_part_in_what_they_go_on_holding(world: World, desk: Partner) -> None:
    peer = Peer(desk)
    key = peer.offer(mode="joint", words="现场需要社区安置一位老人。")
    by = world.actor("operator")
    case = deciding.accept(by, key)
    agree()
    assert (peer.row().holder, peer.row().joint, case.linkage) == ("them", True, "")
    a.accept(world.on(case.pk, "operator"), category="010102")
    a.answer_on_the_spot(world.on(case.pk, "operator"), public_answer="社区已安置。", means="phone")
    agree()
    assert [kind for kind, _body in peer.heard()] == ["accept", "outcome"]
    peer.say("close", key)
    second = Peer(desk)
    joint = second.offer(mode="joint")
    part = deciding.accept(by, joint)
    whole = second.offer(basis="clear")
    assert deciding.accept(by, whole).pk == part.pk
    agree()
    assert (second.row().holder, second.row().joint) == ("us", False)


def test_who_called_travels_masked_unless_the_matter_needs_it(world: World, desk: Partner) -> None:
    _case, _handover, peer = offered(world, desk)
    assert peer.heard()[0][1]["caller"] == {"shared": "masked", "name": "文**", "phone": "137****9876"}
    quiet = world.accepted(name="文景之", phone="13711239876", confidential=True)
    _case, _handover, peer = offered(world, desk, quiet)
    assert peer.heard()[0][1]["caller"] == {"shared": "none", "name": "", "phone": ""}
    assert Disclosure.objects.count() == 1
    danger = world.accepted(name="文景之", phone="13711239876", confidential=True)
    _case, _handover, peer = offered(world, desk, danger, emergency=True)
    assert peer.heard()[0][1]["caller"]["shared"] == "full"


def test_the_wish_of_the_caller_is_respected_unless_there_is_danger(world: World, desk: Partner) -> None:
    case_id = world.accepted()
    with pytest.raises(Invalid):
        a.offer_handover(world.on(case_id, "operator"), partner=desk.code, reason="纠纷", wish="against")
    offered(world, desk, case_id, wish="against", emergency=True)


def test_words_of_both_sides_are_mapped_and_what_is_not_is_listed(world: World, desk: Partner) -> None:
    by = world.actor("supervisor")
    with pytest.raises(Invalid):
        mapping.set_mapping(by, desk, "category", value="P-1", to="no-such", inbound=True)
    _case_id, handover, peer = offered(world, desk)
    assert Unmapped.objects.get(inbound=False).value == "010102"
    mapping.set_mapping(by, desk, "category", value="010102", to="P-301", inbound=False)
    assert not Unmapped.objects.exists()
    mapping.set_mapping(by, desk, "result", value="R9", to="mediated", inbound=True)
    peer.say("accept", handover.pk)
    peer.say("outcome", handover.pk, result="R9", words="和解", at=now())
    handover.refresh_from_db()
    assert handover.result == "mediated"
    peer = Peer(desk)
    peer.offer(category={"code": "X-1"})
    key = Handover.objects.get(matter_id=peer.matter).pk
    deciding.accept(world.actor("operator"), key)
    assert Unmapped.objects.get(inbound=True, what=What.CATEGORY).value == "X-1"
    mapping.set_mapping(by, desk, "result", value="R9", to="", inbound=True)
    assert not Mapping.objects.filter(what=What.RESULT).exists()
    assert MappingChange.objects.filter(value="R9").count() == 2


def test_only_the_hotline_works_the_link(world: World, desk: Partner) -> None:
    key = Peer(desk).offer()
    for who in ("urban", "reviewer"):
        with pytest.raises(NotAllowed):
            deciding.accept(world.actor(who), key)


def test_the_offer_is_sealed_and_opened_for_who_decides(world: World, desk: Partner) -> None:
    key = Peer(desk).offer(words="张三在家门口被打。")
    handover = Handover.objects.get(pk=key)
    assert "张三".encode() not in bytes(handover.payload or b"")
    said = open_payload(handover)
    assert said is not None
    assert said.words == "张三在家门口被打。"
    assert HandoverStep.objects.get(handover=handover).kind == "offer"
