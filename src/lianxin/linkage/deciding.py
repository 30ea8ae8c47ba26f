"""What people here do with a handover: see it, take it, refuse it, talk about it, write down a telephone call, say more.

Each is one transaction: the rules (`threads.say`), the handover, the ledger, the message and what it does to a case.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import make_aware
from django.utils.translation import gettext as _

from lianxin.cases.actions import Intake, register
from lianxin.cases.actions.handing_over import note_handover, take_back_handover
from lianxin.cases.engine import On, told_when_held
from lianxin.cases.models import TERMINAL, Case, Channel, State, Urgency
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import SYSTEM, Actor

from . import mapping, threads, wire
from .models import (
    Direction,
    Handover,
    HandoverState,
    Holder,
    Matter,
    Partner,
    PartnerKind,
    StepBy,
    Term,
    TermList,
    What,
)
from .policy import works
from .steps import badge_of, facts, move, on_case, open_payload, settle_matter

WORDS = 2_000


def _locked(by: Actor, pk: uuid.UUID, *, direction: Direction | None = None) -> tuple[Handover, Matter, Partner]:
    """A handover and its matter, locked, for somebody who works the link. Raises NotAllowed, NotFound and Conflict."""
    if by is not SYSTEM and not works(by):
        raise NotAllowed(_("移交由热线的话务员、派单员和督办员办理。"))
    found = Handover.objects.filter(pk=pk).values_list("matter_id", "direction").first()
    if found is None:
        raise NotFound(_("没有找到这次移交。"))
    if direction is not None and found[1] != direction:
        raise Conflict(_("这次移交由对方决定。") if direction == Direction.IN else _("这是对方移交过来的。"), code="wrong_side")
    matter = threads.locked(found[0])
    handover = Handover.objects.select_for_update().get(pk=pk)
    handover.matter = matter
    return handover, matter, matter.partner


def _words(value: str, *, required: bool = False, name: str = "words") -> str:
    said = clean_text(value or "", max_length=WORDS, multiline=True)
    if required and not said:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={name: _("请填写这一项。")})
    return said


def acknowledge(by: Actor, pk: uuid.UUID) -> Handover:
    """It lies before a person here. Seen before, nothing happens."""
    with told_when_held(), transaction.atomic():
        handover, matter, _partner = _locked(by, pk, direction=Direction.IN)
        if handover.state == HandoverState.OFFERED:
            state = threads.say(matter, wire.Kind.ACKNOWLEDGE, wire.Acknowledge(operator=badge_of(by)), handover=handover)
            move(handover, state, wire.Kind.ACKNOWLEDGE, by=StepBy.US, at=now(), staff_id=by.staff_id)
    return handover


def accept(by: Actor, pk: uuid.UUID, *, category: str | None = None, area: str | None = None, note: str = "",
           how: wire.By = wire.By.PERSON) -> Case:
    """Take what they offer: it becomes a case here, or comes back to the case it left. Taken before, the same case is answered.

    Raises Conflict when it was withdrawn or decided meanwhile, and Invalid for an unknown category or place.
    """
    with told_when_held(), transaction.atomic():
        handover, matter, partner = _locked(by, pk, direction=Direction.IN)
        if handover.state in (HandoverState.ACCEPTED, HandoverState.IN_PROGRESS) and matter.case_id is not None:
            return Case.objects.get(pk=matter.case_id)
        return _accept(by, handover, matter, partner, category=category, area=area, note=_words(note), how=how, at=now())


def _accept(by: Actor, handover: Handover, matter: Matter, partner: Partner, *, category: str | None, area: str | None, note: str,
            how: wire.By, at: datetime) -> Case:
    case = Case.objects.filter(pk=matter.case_id).first() if matter.case_id is not None else None
    joint = handover.mode == wire.Mode.JOINT
    if joint and case is not None and case.state == State.HANDED_OVER:
        raise Conflict(_("这件事已经移交对方办理：请对方交回，或者另提一件。"), code="with_partner")
    returns = case is not None and case.state == State.HANDED_OVER
    if case is not None and case.state not in TERMINAL and not returns:  # our own part so far: now the whole of it, or more of it
        matter.joint = matter.joint and joint
        matter.save(update_fields=["joint"])
    elif not returns:
        case = _registered(by, handover, partner, category=category, area=area)
        matter.case, matter.joint = case, joint
        matter.save(update_fields=["case", "joint"])
    assert case is not None
    followed = threads.followed(handover)
    state = threads.say(matter, wire.Kind.ACCEPT, wire.Accept(
        operator=badge_of(by), reference=case.number, note=note, by=how), handover=handover)
    node = reference().nodes_by_code.get(category or "")
    more: dict[str, Any] = {"category_id": node.id} if node else {}
    move(handover, state, wire.Kind.ACCEPT, by=StepBy.US if how is not wire.By.DEFAULT else StepBy.CLOCK, at=at,
         staff_id=by.staff_id, words=note, data={"by": how.value, "reference": case.number}, **more)
    if followed is not None:
        behind = Handover.objects.select_for_update().get(pk=followed)
        move(behind, HandoverState.CLOSED, wire.Kind.CLOSE, by=StepBy.US, at=at, data={"followed": True})
    told = facts(partner, handover, reference=handover.reference)
    if returns:
        offer = open_payload(handover)
        take_back_handover(on_case(partner, case.pk), data=told, words=offer.words if offer else "", category=category,
                           urgency=Urgency.URGENT.value if handover.emergency else None)
    else:
        note_handover(on_case(partner, case.pk), step="linked", data=told, words=_said_with(handover))
    settle_matter(matter, at)
    return case


def _said_with(handover: Handover) -> str:
    """What was said about the offer beside its words."""
    offer = open_payload(handover)
    return offer.reason if offer else ""


def _registered(by: Actor, handover: Handover, partner: Partner, *, category: str | None, area: str | None) -> Case:
    """The case a matter of theirs becomes here, with the reporter as far as they travelled."""
    offer = open_payload(handover)
    if offer is None:
        raise Conflict(_("这次移交的内容已按保存期限删除。"), code="emptied")
    chosen = category or mapping.ours(partner, What.CATEGORY, handover.category_theirs)
    place = offer.place or wire.Place()
    known = reference().places_by_code
    whole = offer.caller if offer.caller is not None and offer.caller.shared is wire.Shared.FULL else None
    made = register(intake=Intake(
        words=offer.words, channel=Channel.POLICE.value if partner.kind == PartnerKind.POLICE else Channel.PARTNER.value,
        category=chosen or None, area=area or (place.area if place.area in known else None), place_text=place.text,
        lon=place.lon, lat=place.lat, outside_allowed=True, urgency=Urgency.URGENT.value if handover.emergency else None,
        name=whole.name if whole else "", phone=whole.phone if whole else "", accept=bool(chosen)), by=by)
    return Case.objects.get(pk=made.case_id)


def refuse(by: Actor, pk: uuid.UUID, *, reason: str, words: str = "", defaulted: bool = False) -> Handover:
    """Not ours, with a reason from the list. What comes back to the first receiver is not refused."""
    with told_when_held(), transaction.atomic():
        handover, matter, partner = _locked(by, pk, direction=Direction.IN)
        if handover.state in (HandoverState.REFUSED, HandoverState.DEFAULTED):
            return handover
        if comes_back_to_us(handover):
            raise NotAllowed(_("这件事最先由本热线受理：按首接负责制，由本热线接收。"))
        if not defaulted and not Term.objects.filter(list=TermList.REFUSAL, code=reason, active=True).exists():
            raise Invalid(_("请选择不接收的原因。"), fields={"reason": _("请从列表中选择。")})
        said = _words(words)
        state = threads.say(matter, wire.Kind.REFUSE, wire.Refuse(
            reason=mapping.theirs(partner, What.REFUSAL, reason) or reason, words=said, operator=badge_of(by), defaulted=defaulted),
            handover=handover, defaulted=defaulted)
        move(handover, state, wire.Kind.REFUSE, by=StepBy.CLOCK if defaulted else StepBy.US, at=now(), staff_id=by.staff_id,
             words=said, data={"reason": reason}, refusal=reason)
        settle_matter(matter, now())
    return handover


def negotiate(by: Actor, pk: uuid.UUID, *, words: str, spoke_with: str = "", three_way: bool = False, agreed: str = "unclear") -> Handover:
    """What the two desks said to each other about whose it is: a record on both sides, either way."""
    with told_when_held(), transaction.atomic():
        handover, matter, partner = _locked(by, pk)
        said = _words(words, required=True)
        if agreed not in list(wire.Agreed):
            raise Invalid(_("请选择协商结果。"), fields={"agreed": _("请从列表中选择。")})
        with_whom = clean_text(spoke_with, max_length=40, multiline=False)
        state = threads.say(matter, wire.Kind.NEGOTIATE, wire.Negotiate(
            words=said, operator=badge_of(by), spoke_with=with_whom, three_way=three_way, agreed=wire.Agreed(agreed)), handover=handover)
        data = {"agreed": agreed, "three_way": three_way, "spoke_with": with_whom}
        move(handover, state, wire.Kind.NEGOTIATE, by=StepBy.US, at=now(), staff_id=by.staff_id, words=said, data=data)
        if matter.case_id is not None:
            note_handover(On(matter.case_id, by), step="negotiated", words=said, data=facts(partner, handover, **data))
    return handover


def record_phone(by: Actor, pk: uuid.UUID, *, spoke_with: str, at: datetime, agreed: str, words: str = "") -> Handover:
    """The desks spoke by telephone because the link was down or slow. Both keep the record; the receiver's system still answers."""
    with told_when_held(), transaction.atomic():
        handover, matter, partner = _locked(by, pk, direction=Direction.OUT)
        with_whom = clean_text(spoke_with, max_length=40, multiline=False)
        if not with_whom:
            raise Invalid(_("请写明和谁通的话。"), fields={"spoke_with": _("请填写对方工号。")})
        if agreed not in list(wire.PhoneAgreed):
            raise Invalid(_("请选择电话里怎么说的。"), fields={"agreed": _("请从列表中选择。")})
        spoken = make_aware(at) if at.tzinfo is None else at
        if spoken > now():
            raise Invalid(_("通话时间不能晚于现在。"), fields={"at": _("不能晚于现在。")})
        said = _words(words)
        state = threads.say(matter, wire.Kind.PHONE, wire.Phone(
            spoke_with=with_whom, at=spoken, agreed=wire.PhoneAgreed(agreed), words=said, operator=badge_of(by)), handover=handover)
        data = {"agreed": agreed, "spoke_with": with_whom, "phoned_at": spoken.isoformat()}
        move(handover, state, wire.Kind.PHONE, by=StepBy.US, at=now(), staff_id=by.staff_id, words=said, data=data, phoned_at=spoken)
        if matter.case_id is not None:
            note_handover(On(matter.case_id, by), step="phoned", words=said, data=facts(partner, handover, **data))
    return handover


def supplement(by: Actor, pk: uuid.UUID, *, words: str) -> Handover:
    """More that has become known, for the other desk. Written to the case where there is one."""
    with told_when_held(), transaction.atomic():
        handover, matter, partner = _locked(by, pk)
        said = _words(words, required=True)
        say_more(handover, matter, said, by=by, at=now())
        if matter.case_id is not None:
            note_handover(On(matter.case_id, by), step="supplemented", words=said, data=facts(partner, handover))
    return handover


def say_more(handover: Handover, matter: Matter, words: str, *, by: Actor, at: datetime) -> None:
    """The message and the line in the ledger of what was added."""
    state = threads.say(matter, wire.Kind.SUPPLEMENT, wire.Supplement(words=words, operator=badge_of(by)), handover=handover)
    move(handover, state, wire.Kind.SUPPLEMENT, by=StepBy.US, at=at, staff_id=by.staff_id, words=words)


def comes_back_to_us(handover: Handover) -> bool:
    """Whether an offer brings a matter back to the desk that the caller turned to first: what is left behind an outcome, or what
    turned out not to be theirs."""
    return (handover.direction == Direction.IN and handover.mode == wire.Mode.TRANSFER and handover.matter.first_receiver == Holder.US
            and handover.basis in ("followup", "returned"))


def take_back_by_itself(handover: Handover, *, at: datetime) -> None:
    """The first receiver takes back without a person having to. A partner whose own row says otherwise waits for one."""
    if handover.matter.partner.takes_followups:
        _accept(SYSTEM, handover, handover.matter, handover.matter.partner, category=None, area=None, note="", how=wire.By.DEFAULT, at=at)


def by_clock(handover_id: uuid.UUID) -> bool:
    """Still unclear when the time of negotiating is up: the first receiver takes it. Only the desk that was asked decides; False when
    it is not ours to decide, or decided already."""
    with transaction.atomic():
        handover, matter, partner = _locked(SYSTEM, handover_id)
        if handover.direction != Direction.IN or handover.state != HandoverState.NEGOTIATING:
            return False
        if matter.first_receiver == Holder.US:
            _accept(SYSTEM, handover, matter, partner, category=None, area=None, note="", how=wire.By.DEFAULT, at=now())
        else:
            refuse(SYSTEM, handover_id, reason="defaulted", defaulted=True)
    return True

