"""From a ruling to the next version: somebody proposes one rule, another person approves or refuses."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import Actor

from .. import policy
from ..actions.returning import law
from ..engine import KEY_REUSED
from ..grassroots import refuse_grassroots
from ..models import CatalogueDecision, CatalogueProposal, CatalogueSource, Return, ReturnRuling
from ..reference import Body, Reference, reference, today_of
from . import rights
from .content import Line, compare, content_of, in_force, newest, with_rule
from .versions import hold, make, newest_as_seen, reason_given, starting


def _fault(name: str, words: object) -> Invalid:
    return Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={name: str(words)})


def _unit(held: Reference, code: str, name: str, on: date) -> Body:
    unit = held.units_by_code.get(code)
    if unit is None:
        raise _fault(name, _("没有这个单位。") if code else _("请填写这一项。"))
    if not unit.open_on(on):
        raise _fault(name, _("单位已撤销。"))
    refuse_grassroots(held, unit, name)
    return unit


def checked(held: Reference, *, category: str, area: str, lead_unit: str, assisting_units: Sequence[str], basis: str,
            on: date) -> Line:
    """The rule asked for, by codes. Raises Invalid that names the field."""
    node = held.nodes_by_code.get(category)
    if node is None or not node.active:
        raise _fault("category", _("没有这个事项，请从列表中选择。") if category else _("请填写这一项。"))
    place = held.places_by_code.get(area)
    if area and (place is None or place.level == "grid"):
        raise _fault("area", _("没有这个地点，请从列表中选择。"))
    if place is not None and place.level == "city":
        area = ""  # the city is what a rule without an area means
    lead = _unit(held, lead_unit, "lead_unit", on)
    others = [_unit(held, code, "assisting_units", on) for code in dict.fromkeys(assisting_units)]
    if lead in others:
        raise _fault("assisting_units", _("主办单位不能同时协办。"))
    return Line(category, area, lead.code, tuple(unit.code for unit in others), basis=law(basis))


def _ruling(by: Actor, return_id: uuid.UUID | None) -> Return | None:
    if return_id is None:
        return None
    found = Return.objects.select_related("case").filter(pk=return_id).first()
    if found is None or not policy.can_see(by, found.case):
        raise NotFound(_("没有找到这次退单。请核对后再试。"))
    if found.ruling not in (ReturnRuling.UPHELD, ReturnRuling.JOINT):
        raise Invalid(_("只有同意退单或联合裁定，才说明目录可能要改。"))
    return found


def propose(*, by: Actor, category: str, lead_unit: str, basis: str, why: str, area: str = "",
            assisting_units: Sequence[str] = (), return_id: uuid.UUID | None = None,
            key: bytes | None = None) -> CatalogueProposal:
    """Ask for one rule of the catalogue to be another: category × area → lead unit, assisting units, on what basis, and why.

    Raises NotAllowed, Invalid, NotFound, and Conflict when the same rule is waiting to be decided already.
    """
    held, at = reference(), now()
    decision = rights.can_propose(by, held.places_by_code.get(area))
    if not decision:
        raise NotAllowed(decision.reason)
    rule = checked(held, category=category, area=area, lead_unit=lead_unit, assisting_units=assisting_units, basis=basis,
                   on=today_of(at))
    said, returned = reason_given(why, "why"), _ruling(by, return_id)
    if key is not None and (earlier := CatalogueProposal.objects.filter(key=key).first()) is not None:
        if rule_of(earlier) != rule:
            raise Conflict(KEY_REUSED, code="key_reused")
        return earlier
    base = newest_as_seen(None)
    there = in_force(content_of(base), rule.category, rule.area, on=today_of(at))
    if there is not None and (there.lead, there.assisting) == (rule.lead, rule.assisting):
        raise Invalid(_("派单目录现在就是这样定的，不用再提。"), fields={"lead_unit": str(_("与现行规则相同。"))})
    place = held.places_by_code.get(rule.area)
    try:
        with transaction.atomic():
            return CatalogueProposal.objects.create(
                base=base, category_id=held.nodes_by_code[rule.category].id, area_id=place.id if place else None,
                lead_unit_id=held.units_by_code[rule.lead].id, assisting_units=list(rule.assisting), basis=rule.basis,
                why=said, returned=returned, proposed_at=at, proposed_by_id=by.staff_id or 0, key=key,
            )
    except IntegrityError:
        raise Conflict(_("同一事项、同一区域已有一条待审定的建议，请先等它审定。"), code="already_proposed") from None


def rule_of(proposal: CatalogueProposal) -> Line:
    """What is asked for, by codes."""
    held = reference()
    place = held.places.get(proposal.area_id or 0)
    return Line(held.nodes[proposal.category_id].code, place.code if place else "", held.units[proposal.lead_unit_id].code,
                tuple(proposal.assisting_units), basis=proposal.basis)


def moved_on(proposal: CatalogueProposal) -> tuple[int, bool]:
    """How many versions were made since it was proposed, and whether one of them changed the same rule."""
    return all_moved_on([proposal]).get(proposal.pk, (0, False))


def all_moved_on(found: Iterable[CatalogueProposal]) -> dict[uuid.UUID, tuple[int, bool]]:
    """`moved_on` of those that wait to be decided. Two queries, and one for each version they were proposed on."""
    last, waiting = newest(), [one for one in found if one.waiting]
    if last is None:
        return {}
    bases = {one.base_id: one.base for one in waiting if one.base_id != last.pk}
    now_said = content_of(last) if bases else None
    changes = {pk: compare(content_of(base), now_said) for pk, base in bases.items() if now_said is not None}
    moved = {}
    for one in waiting:
        rule = rule_of(one)
        moved[one.pk] = (last.number - one.base.number,
                         any(change.line.about(rule.category, rule.area) for change in changes.get(one.base_id, ())))
    return moved


def _to_decide(proposal_id: uuid.UUID, by: Actor, verdict: CatalogueDecision) -> CatalogueProposal | None:
    """The proposal, locked; None when this person has decided it so already and says it again."""
    found = CatalogueProposal.objects.select_for_update(of=("self",)).select_related("base").filter(pk=proposal_id).first()
    if found is None:
        raise NotFound(_("没有这条修改建议。"))
    decision = rights.can_decide(by, found)
    if not decision:
        raise NotAllowed(decision.reason)
    if (found.decision, found.decided_by_id) == (verdict, by.staff_id):
        return None
    if not found.waiting:
        raise Conflict(_("这条建议已经审定：%s。") % found.get_decision_display(), code="decided",
                       current={"decision": found.decision})
    return found


def _decide(proposal: CatalogueProposal, decision: CatalogueDecision, by: Actor) -> None:
    proposal.decision, proposal.decided_at, proposal.decided_by_id = decision, now(), by.staff_id
    proposal.save(update_fields=["decision", "decided_at", "decided_by", "reason", "version"])


def approve(proposal_id: uuid.UUID, *, by: Actor, on: date | None = None, seen: int | None = None) -> CatalogueProposal:
    """Make the next version of it, in force at once or from a day to come – never from an earlier one.

    `seen` is the newest version the person has looked at. Raises NotAllowed (the proposer's own among it), NotFound,
    Invalid, and Conflict when it is decided already, when there is a newer version than `seen`, or when one of those made
    since it was proposed changed the same rule.
    """
    with transaction.atomic():
        hold()
        proposal = _to_decide(proposal_id, by, CatalogueDecision.APPROVED)
        if proposal is None:
            return CatalogueProposal.objects.select_related("version").get(pk=proposal_id)
        last, at = newest_as_seen(seen), now()
        if moved_on(proposal)[1]:
            raise Conflict(
                _("提建议以后，这一项已经改过（现在是第 %d 版）。请看过再按新版重新提，或者不予采纳。") % last.number,
                code="moved_on", current={"version": last.number, "base": proposal.base.number})
        start = starting(on, at=at, after=last)
        rule = rule_of(proposal)
        rule = checked(reference(), category=rule.category, area=rule.area, lead_unit=rule.lead,
                       assisting_units=rule.assisting, basis=rule.basis, on=today_of(start))
        proposal.version = make(
            with_rule(content_of(last), rule, on=today_of(start)), at=at, in_force_from=start,
            source=CatalogueSource.PROPOSAL, note=proposal.why, by=by.staff_id)
        _decide(proposal, CatalogueDecision.APPROVED, by)
    return proposal


def refuse(proposal_id: uuid.UUID, *, by: Actor, reason: str) -> CatalogueProposal:
    """Leave the catalogue as it is, and say why. Raises as `approve` does."""
    said = reason_given(reason)
    with transaction.atomic():
        proposal = _to_decide(proposal_id, by, CatalogueDecision.REFUSED)
        if proposal is None:
            return CatalogueProposal.objects.get(pk=proposal_id)
        proposal.reason = said
        _decide(proposal, CatalogueDecision.REFUSED, by)
    return proposal
