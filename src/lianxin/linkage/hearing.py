"""What a partner's messages do here: to the handover, and to the case it is about – in the transaction that takes the message."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from lianxin.cases.actions.handing_over import close_handover, note_handover, release_handover, tell_handover
from lianxin.cases.models import Case, State

from . import deciding, mapping, threads, wire
from .inbound import HANDLERS, Arrival
from .models import Direction, Handover, HandoverState, Matter, StepBy, What
from .steps import facts, move, on_case, seal_payload, settle_matter, start_clock, write
from .steps import say as tell_pages


def _case(matter: Matter) -> Case | None:
    """The case a matter is about here. One whose time is over says nothing to anybody any more."""
    return Case.objects.filter(pk=matter.case_id, anonymised_at__isnull=True).first() if matter.case_id is not None else None


def _note(arrival: Arrival, handover: Handover, step: str, *, words: str = "", linkage: str | None = None, public: bool = False,
          data: dict[str, Any] | None = None) -> None:
    """A line on the case, if there is one: for staff, or with `public` for the reporter too."""
    if (case := _case(arrival.matter)) is None:
        return
    write_down = tell_handover if public else note_handover
    write_down(on_case(arrival.partner, case.pk), step=step, words=words, data=facts(arrival.partner, handover, **(data or {})),
               linkage=linkage)


def _take(arrival: Arrival, kind: wire.Kind, *, words: str = "", data: dict[str, Any] | None = None, **columns: Any) -> Handover:
    """Write the handover's state as the rules gave it, and the line in the ledger."""
    handover = arrival.handover
    assert handover is not None
    body: Any = arrival.message.body
    said = dict(data or {})
    if arrival.status is wire.Status.NOTED:
        said["noted"] = True
        columns = {}
    move(handover, arrival.state or handover.state, kind, by=StepBy.THEM, at=arrival.at, badge=getattr(body, "operator", ""),
         words=words, data=said, **columns)
    return handover


def _close_followed(arrival: Arrival) -> None:
    """The handover that this one went back on is over as well."""
    if arrival.also_closed is None:
        return
    behind = Handover.objects.select_for_update().get(pk=arrival.also_closed)
    move(behind, HandoverState.CLOSED, wire.Kind.CLOSE, by=StepBy.THEM, at=arrival.at, data={"followed": True})


def hear_offer(arrival: Arrival) -> None:
    """They offer: it waits for a person here – or is taken at once, where it comes back to us as the first receiver."""
    assert isinstance(arrival.message, wire.OfferMessage)
    body, matter = arrival.message.body, arrival.matter
    theirs = body.category.code if body.category else ""
    follows = Handover.objects.filter(pk=body.follows, matter=matter).first() if body.follows else None
    handover = Handover(
        id=arrival.message.handover, matter=matter, direction=Direction.IN, mode=body.mode.value, basis=body.basis.value,
        emergency=body.emergency, wish=body.wish.value, state=arrival.state or HandoverState.OFFERED,
        category_theirs=theirs, follows=follows, refusal=arrival.refusal, reference=body.reference,
        payload=seal_payload(arrival.message.handover, body), offered_at=arrival.at)
    if handover.state != HandoverState.OFFERED:  # by the rules of who holds it: refused as it came
        handover.decided_at = handover.ended_at = arrival.at
    start_clock(handover, arrival.at)
    handover.save()
    if body.reference and not matter.their_reference:
        matter.their_reference = body.reference
    if handover.undecided and (matter.case is None or matter.case.state == State.HANDED_OVER):
        matter.closed_at = None
    matter.save(update_fields=["their_reference", "closed_at"])
    write(handover, "offer", by=StepBy.THEM, at=arrival.at, badge=body.operator, words=body.reason, data={"basis": body.basis.value})
    tell_pages(handover)
    if handover.undecided and deciding.comes_back_to_us(handover):
        deciding.take_back_by_itself(handover, at=arrival.at)


def hear_acknowledge(arrival: Arrival) -> None:
    handover = _take(arrival, wire.Kind.ACKNOWLEDGE)
    if arrival.status is wire.Status.APPLIED and handover.direction == Direction.OUT:
        _note(arrival, handover, "acknowledged", public=True)


def hear_accept(arrival: Arrival) -> None:
    """Theirs now. The case goes over with the matter; help that was asked for leaves it here."""
    assert isinstance(arrival.message, wire.AcceptMessage)
    body, partner, matter = arrival.message.body, arrival.partner, arrival.matter
    handover = _take(arrival, wire.Kind.ACCEPT, words=body.note, data={"reference": body.reference, "by": body.by.value},
                     reference=body.reference)
    if arrival.status is not wire.Status.APPLIED:
        return
    _close_followed(arrival)
    if body.reference:
        matter.their_reference = body.reference
        matter.save(update_fields=["their_reference"])
    case = _case(matter)
    if case is None:
        return
    data = facts(partner, handover, reference=body.reference, by=body.by.value)
    if handover.mode == wire.Mode.JOINT:
        tell_handover(on_case(partner, case.pk), step="accepted", data=data, words=body.note)
    else:
        release_handover(on_case(partner, case.pk), data=data, words=body.note)


def hear_refuse(arrival: Arrival) -> None:
    assert isinstance(arrival.message, wire.RefuseMessage)
    body, partner, matter = arrival.message.body, arrival.partner, arrival.matter
    reason = mapping.ours(partner, What.REFUSAL, body.reason) or body.reason
    handover = _take(arrival, wire.Kind.REFUSE, words=body.words, data={"reason": reason}, refusal=reason)
    if arrival.status is wire.Status.APPLIED:
        defaulted = handover.state == HandoverState.DEFAULTED
        _note(arrival, handover, "defaulted" if defaulted else "refused", words=body.words, linkage=_back(handover),
              public=handover.direction == Direction.OUT, data={"reason": reason})
    settle_matter(matter, arrival.at)


def _back(handover: Handover) -> str | None:
    """What an offer that was not taken leaves of the case's standing: one for help had changed nothing."""
    return "" if handover.direction == Direction.OUT and handover.mode == wire.Mode.TRANSFER else None


def hear_negotiate(arrival: Arrival) -> None:
    assert isinstance(arrival.message, wire.NegotiateMessage)
    body = arrival.message.body
    agreed = {"ours": "theirs", "theirs": "ours"}.get(body.agreed.value, "unclear")  # from our side
    data = {"agreed": agreed, "three_way": body.three_way, "spoke_with": body.spoke_with}
    handover = _take(arrival, wire.Kind.NEGOTIATE, words=body.words, data=data)
    if arrival.status is wire.Status.APPLIED:
        _note(arrival, handover, "negotiating", words=body.words, data=data)


def hear_withdraw(arrival: Arrival) -> None:
    """They take back what they offered, unless a person here was quicker."""
    assert isinstance(arrival.message, wire.WithdrawMessage)
    _take(arrival, wire.Kind.WITHDRAW, words=arrival.message.body.reason)
    settle_matter(arrival.matter, arrival.at)


def hear_withdrawn(arrival: Arrival) -> None:
    handover = _take(arrival, wire.Kind.WITHDRAWN)
    if arrival.status is wire.Status.APPLIED:
        _note(arrival, handover, "withdrawn", linkage=_back(handover), public=True)
    settle_matter(arrival.matter, arrival.at)


def hear_supplement(arrival: Arrival) -> None:
    assert isinstance(arrival.message, wire.SupplementMessage)
    body = arrival.message.body
    words = "\n".join(part for part in (body.words, _place_said(body.place), _caller_said(body.caller)) if part)
    handover = _take(arrival, wire.Kind.SUPPLEMENT, words=words)
    _note(arrival, handover, "supplemented", words=words)


def _place_said(place: wire.Place | None) -> str:
    return _("地点：%(place)s") % {"place": place.text} if place and place.text else ""


def _caller_said(caller: wire.Caller | None) -> str:
    said = " ".join(part for part in (caller.name, caller.phone) if part) if caller else ""
    return _("来电人：%(who)s") % {"who": said} if said else ""


def hear_phone(arrival: Arrival) -> None:
    assert isinstance(arrival.message, wire.PhoneMessage)
    body = arrival.message.body
    data = {"agreed": body.agreed.value, "spoke_with": body.spoke_with, "phoned_at": body.at.isoformat()}
    handover = _take(arrival, wire.Kind.PHONE, words=body.words, data=data, phoned_at=body.at)
    _note(arrival, handover, "phoned", words=body.words, data=data)


def hear_progress(arrival: Arrival) -> None:
    """A number, on the way, on the scene: the reporter follows it, the words are for the desks."""
    assert isinstance(arrival.message, wire.ProgressMessage)
    body, matter = arrival.message.body, arrival.matter
    data = {"step": body.step.value, "reference": body.reference, "done_at": body.at.isoformat()}
    handover = _take(arrival, wire.Kind.PROGRESS, words=body.words, data=data)
    if body.reference and arrival.status is wire.Status.APPLIED:
        matter.their_reference = body.reference
        matter.save(update_fields=["their_reference"])
    _note(arrival, handover, body.step.value, words=body.words, public=True,
          data={"reference": body.reference, "done_at": body.at.isoformat()})


def hear_outcome(arrival: Arrival) -> None:
    """How it ended there. With nothing left to do the case is closed with it; else the offer behind it brings the rest."""
    assert isinstance(arrival.message, wire.OutcomeMessage)
    body, partner, matter = arrival.message.body, arrival.partner, arrival.matter
    result = mapping.ours(partner, What.RESULT, body.result) or body.result
    words = "\n".join(part for part in (body.words, body.follow_up_words) if part)
    data = {"result": result, "follow_up": body.follow_up, "done_at": body.at.isoformat()}
    handover = _take(arrival, wire.Kind.OUTCOME, words=words, data=data, result=result)
    if arrival.status is not wire.Status.APPLIED:
        return
    case = _case(matter)
    told = facts(partner, handover, **data)
    joint = handover.mode == wire.Mode.JOINT
    if case is not None and not joint and case.state == State.HANDED_OVER and not body.follow_up:
        close_handover(on_case(partner, case.pk), data=told, words=words, public_words=body.public_words)
    elif case is not None:
        tell_handover(on_case(partner, case.pk), step="outcome", data=told, words=words)
    if joint or not body.follow_up:
        state = threads.say(matter, wire.Kind.CLOSE, wire.Close(told=case is not None and not joint), handover=handover)
        move(handover, state, wire.Kind.CLOSE, by=StepBy.US, at=arrival.at)
        settle_matter(matter, arrival.at)


def hear_close(arrival: Arrival) -> None:
    assert isinstance(arrival.message, wire.CloseMessage)
    handover = _take(arrival, wire.Kind.CLOSE, data={"told": arrival.message.body.told})
    if arrival.status is wire.Status.APPLIED:
        _note(arrival, handover, "closed")
    settle_matter(arrival.matter, arrival.at)


HANDLERS.update({
    wire.Kind.OFFER: hear_offer, wire.Kind.ACKNOWLEDGE: hear_acknowledge, wire.Kind.ACCEPT: hear_accept,
    wire.Kind.REFUSE: hear_refuse, wire.Kind.NEGOTIATE: hear_negotiate, wire.Kind.WITHDRAW: hear_withdraw,
    wire.Kind.WITHDRAWN: hear_withdrawn, wire.Kind.SUPPLEMENT: hear_supplement, wire.Kind.PHONE: hear_phone,
    wire.Kind.PROGRESS: hear_progress, wire.Kind.OUTCOME: hear_outcome, wire.Kind.CLOSE: hear_close,
})
