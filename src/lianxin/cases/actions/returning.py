"""Returns: a unit's objection, and the hotline's ruling on it – upheld, rejected, or settled jointly."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Conflict, Invalid
from lianxin.kernel.text import clean_text

from ..engine import Step, action
from ..grassroots import pushed_down, refuse_handing_down
from ..models import Assignment, ClockKind, Phrase, Return, ReturnRuling, State
from ..reference import Body, today_of
from ..returns import NOT_AGAIN, bound_jointly, why_jointly
from .dispatching import give, phrase_of, unit_named, words
from .handling import own

BASIS = 300  # characters of a legal basis


def law(value: str, name: str = "basis") -> str:
    """A legal basis made safe. Raises Invalid for an empty one and for one that does not fit."""
    found = clean_text(value or "", max_length=BASIS + 1, multiline=False)
    if not found:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={name: str(_("请填写这一项。"))})
    if len(found) > BASIS:
        raise Invalid(_("依据最多写 %d 个字。") % BASIS, fields={name: str(_("请写短一些，只写文件和条款。"))})
    return found


def _suggested(step: Step, mine: Assignment, code: str | None) -> Body | None:
    if not code:
        return None
    unit = unit_named(step, code, "suggested_unit")
    if unit.id == mine.unit_id:
        raise Invalid(_("建议单位不能是本单位。"), fields={"suggested_unit": str(_("请填别的单位，或不填。"))})
    by = step.reference.units[mine.unit_id]
    if reason := pushed_down(step.reference, step.case, by=by, to=unit, on=today_of(step.at)):
        raise Invalid(reason, fields={"suggested_unit": str(_("请建议同级或上级责任单位。"))})
    return unit


@action("raise_return")
def raise_return(step: Step, *, reason: str, evidence: str, suggested_unit: str | None = None) -> None:
    """退单: an objection with a reason from the city's list and evidence in words. Every return is counted.

    A department's own work may not be pushed down to a town, nobody's to a village or a grid: neither by the unit that is
    suggested nor in the words of the evidence. A unit that a joint ruling has named cannot return the case in that round.
    """
    step.require(reason=reason, evidence=evidence)
    phrase = phrase_of(Phrase.List.RETURN_REASON, reason)
    if phrase is None:
        raise Invalid(_("请选择退单理由。"), fields={"reason": str(_("请从列表中选择。"))})
    mine = own(step)
    if bound_jointly(step.case, mine.unit_id):
        raise Conflict(NOT_AGAIN, code="ruled_jointly")
    suggested = _suggested(step, mine, suggested_unit)
    said = words(evidence, "evidence")
    refuse_handing_down(step.reference, step.reference.units[mine.unit_id], said)
    Return.objects.create(
        case=step.case, assignment=mine, event_id=step.event_id, round=step.case.round, unit_id=mine.unit_id,
        category_id=step.case.category_id, rule_id=mine.rule_id, reason=phrase.code,
        suggested_unit_id=suggested.id if suggested else None, raised_at=step.at, raised_by_id=step.by.staff_id,
    )
    for clock in step.clocks_of(ClockKind.SIGN_FOR, mine):
        step.set_clock(clock, stopped_at=step.at)
        step.running.remove(clock)
    step.data.update(reason=phrase.code, suggested_unit=suggested.code if suggested else None)
    step.say("evidence", said, public=False)
    step.set_assignment(mine, state="objected")
    step.owe(ClockKind.RULING)
    step.set(returns=step.case.returns + 1)
    step.to(State.OBJECTED)


def _waiting(step: Step) -> Return:
    return Return.objects.select_for_update().get(assignment=step.lead, ruling=Return.Ruling.WAITING)


def _rule(step: Step, entry: Return, ruling: ReturnRuling, *, basis: str = "", bound: Sequence[int] = ()) -> None:
    entry.minutes = step.waited(ClockKind.RULING, entry.raised_at)
    entry.ruling, entry.basis, entry.bound = ruling, basis, list(bound)
    entry.ruled_at, entry.ruled_by_id, entry.ruling_event_id = step.at, step.by.staff_id, step.event_id
    entry.save(update_fields=["ruling", "basis", "bound", "ruled_at", "ruled_by", "ruling_event_id", "minutes"])
    step.meet(ClockKind.RULING)
    step.data.update(return_id=str(entry.pk), reason=entry.reason)


@action("uphold_return")
def uphold_return(step: Step, *, ruling: str) -> None:
    """同意退单: the unit's part ends and the case waits for dispatch again. The resolve clock runs on.

    Refused for the third return of a case, and where two units each say that it is the other's: see `rule_jointly`.
    """
    step.require(ruling=ruling)
    said = words(ruling, "ruling")
    entry = _waiting(step)
    if reason := why_jointly(step.case, entry):
        raise Conflict(reason, code="rule_jointly")
    _rule(step, entry, ReturnRuling.UPHELD)
    step.say("ruling", said, public=False)
    step.end_all()
    step.set(lead_unit_id=None)
    step.to(State.ACCEPTED)


@action("reject_return")
def reject_return(step: Step, *, ruling: str) -> None:
    """驳回退单: the case stays with the unit, where it was. A unit that had not signed gets a new clock for it."""
    step.require(ruling=ruling)
    _rule(step, _waiting(step), ReturnRuling.REJECTED)
    step.say("ruling", words(ruling, "ruling"), public=False)
    lead = step.lead
    if lead is None:
        raise AssertionError("an objected case has a lead assignment")
    if lead.signed_at is None:
        limits = step.limits(unit_id=lead.unit_id)
        step.start(ClockKind.SIGN_FOR, minutes=limits.sign_for, calendar=limits.calendar, assignment=lead)
        step.set_assignment(lead, state="assigned")
        step.to(State.DISPATCHED)
    else:
        step.set_assignment(lead, state="in_hand")
        step.to(State.IN_HAND)


@action("rule_jointly")
def rule_jointly(step: Step, *, lead_unit: str, assisting_units: Sequence[str], ruling: str, basis: str) -> None:
    """联合裁定: the hotline settles whose it is: one lead unit, assisting units, on a legal basis that is written down.

    The units named cannot return the case again in this round. The resolve clock runs on; only signing starts anew.
    """
    step.require(lead_unit=lead_unit, assisting_units=list(assisting_units), ruling=ruling, basis=basis)
    said, rests_on = words(ruling, "ruling"), law(basis)
    lead = unit_named(step, lead_unit)
    others = [unit_named(step, code, "assisting_units").id for code in assisting_units]
    if lead.id in others:
        raise Invalid(_("主办单位不能同时协办。"), fields={"assisting_units": str(_("请填别的单位。"))})
    _rule(step, _waiting(step), ReturnRuling.JOINT, basis=rests_on, bound=list(dict.fromkeys([lead.id, *others])))
    step.say("ruling", said, public=False)
    step.say("basis", rests_on, public=False)
    step.end_all()
    give(step, lead_unit, assisting_units)
    step.to(State.DISPATCHED)
