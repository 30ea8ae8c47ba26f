"""Handing a case over: the matter, the offer, and what of the case goes with it – in the transaction of the case's own step."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.utils.translation import gettext as _

from lianxin.cases.engine import Step
from lianxin.cases.handing_over import Offer, matter_of
from lianxin.cases.models import Case, EventText
from lianxin.cases.reference import reference
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.kernel.ids import uuid7
from lianxin.telephony import popping

from . import disclosing, mapping, threads, wire
from .models import UNDECIDED, Direction, Handover, HandoverState, Holder, Matter, Partner, StepBy, What
from .steps import badge_of, limit_of, move, say, start_clock, write


def partner_of(code: str) -> Partner:
    """An active partner that can be reached. Raises Invalid."""
    found = Partner.objects.filter(code=code, active=True).exclude(url="").first()
    if found is None:
        raise Invalid(_("没有这个单位，请从列表中选择。"), fields={"partner": _("请从列表中选择。")})
    return found


def choices() -> list[tuple[str, str]]:
    """The desks a case may be offered to, in the reader's language: who answers emergencies first."""
    rows = Partner.objects.filter(active=True).exclude(url="").order_by("-emergencies", "service", "code")
    return [(one.code, one.said) for one in rows]


def matter_for(case: Case, partner: Partner) -> Matter:
    """The matter of this case with a partner, locked: the one we hold, or a new one. Raises Conflict while the partner has it."""
    last = Matter.objects.select_for_update().filter(case=case, partner=partner).order_by("-opened_at").first()
    if last is not None and last.holder == Holder.US:
        if last.closed_at is not None:
            last.closed_at = None
            last.save(update_fields=["closed_at"])
        return last
    if last is not None and last.closed_at is None:
        raise Conflict(_("这件事已在%(partner)s办理。") % {"partner": partner.said}, code="with_partner")
    return Matter.objects.create(id=uuid7(), partner=partner, case=case, holder=Holder.US, first_receiver=Holder.US)


def words_of(case: Case, offer: Offer) -> str:
    """What was said so far: the reporter's own words, what was added, and a note for the other desk."""
    added = EventText.objects.filter(case=case, field="words", event__action="add_information").order_by("event_id")
    parts = [case.words, *(text.body for text in added)]
    if offer.note:
        parts.append(_("【移交说明】") + offer.note)
    return "\n".join(parts)[:12_000]


def place_of(case: Case) -> wire.Place | None:
    held = reference()
    area = held.places.get(case.area_id) if case.area_id is not None else None
    if not (case.place_text or area or case.lon is not None):
        return None
    return wire.Place(text=case.place_text or (area.said if area else ""), area=area.code if area else "", lon=case.lon, lat=case.lat)


def category_of(case: Case, partner: Partner) -> wire.Category | None:
    node = reference().nodes.get(case.category_id) if case.category_id is not None else None
    if node is None:
        return None
    return wire.Category(code=node.code, name=node.said, theirs=mapping.theirs(partner, What.CATEGORY, node.code))


def recording_of(case: Case) -> str | None:
    """The recording of the case's latest call, as the telephone system names it; None where there is none. One query."""
    return next((one.call.recording[:200] for one in popping.of_case(case) if one.call.recording), None)


def offer(step: Step, asked: Offer) -> None:
    """The hook of `offer_handover`: matter, handover, message and ledger. Raises Invalid and Conflict."""
    partner = partner_of(asked.partner)
    case = step.case
    matter = matter_for(case, partner)
    if Handover.objects.filter(matter=matter, state__in=[one.value for one in UNDECIDED]).exists():
        raise Conflict(_("已经在移交，对方还没有答复。"), code="handover_open")
    category = category_of(case, partner)
    handover = Handover(
        id=uuid7(), matter=matter, direction=Direction.OUT, mode=asked.mode, basis=asked.basis, emergency=asked.emergency,
        wish=asked.wish, category_id=case.category_id, category_theirs=category.theirs if category else "", offered_at=step.at)
    start_clock(handover, step.at)
    handover.save()
    caller, why = disclosing.caller_of(partner, case, emergency=asked.emergency, wish=asked.wish)
    body = wire.Offer(
        emergency=asked.emergency, mode=wire.Mode(asked.mode), basis=wire.Basis(asked.basis), reason=asked.reason,
        words=words_of(case, asked), category=category, place=place_of(case), occurred_at=case.registered_at, wish=wire.Wish(asked.wish),
        caller=caller, first_receiver=settings.LIANXIN_LINKAGE_NAME if matter.first_receiver == Holder.US else partner.code,
        reference=case.number, operator=badge_of(step.by), call=recording_of(case),
        answer_within=limit_of(handover, HandoverState.OFFERED) or 900)
    threads.say(matter, wire.Kind.OFFER, body, handover=handover)
    disclosing.record(handover, caller, why, case=case, staff_id=step.by.staff_id)
    write(handover, "offer", by=StepBy.US, at=step.at, staff_id=step.by.staff_id, words=asked.reason, data={"basis": asked.basis})
    step.data.update(handover=str(handover.pk), matter=str(matter.pk))
    say(handover)


def open_offer(case_id: uuid.UUID) -> Handover | None:
    """The offer of this case that is not decided yet, locked: one that hands it over before one that asks for help."""
    found = Handover.objects.select_related("matter__partner").select_for_update(of=("self",)).filter(
        matter__case_id=case_id, direction=Direction.OUT, state__in=[one.value for one in UNDECIDED])
    return found.order_by("-mode", "-offered_at").first()


def withdraw(step: Step, reason: str) -> None:
    """The hook of `withdraw_handover`. Raises Conflict when nothing is open."""
    handover = open_offer(matter_of(step))
    if handover is None:
        raise Conflict(_("没有可以撤回的移交：对方已经答复。"), code="nothing_open")
    matter = threads.locked(handover.matter_id)
    state = threads.say(matter, wire.Kind.WITHDRAW, wire.Withdraw(reason=reason), handover=handover)
    move(handover, state, wire.Kind.WITHDRAW, by=StepBy.US, at=step.at, staff_id=step.by.staff_id, words=reason)
    step.data.update(handover=str(handover.pk))

