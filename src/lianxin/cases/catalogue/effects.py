"""What a proposal would have changed: the dispatches of the last ninety days, asked of the catalogue with and without it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lianxin.kernel.ids import uuid7_floor
from lianxin.organisations.actors import Actor

from .. import policy
from ..models import Case, CatalogueProposal, CatalogueRule, Event, Return, ReturnRuling
from ..queries import Page, rows
from ..reference import Answer, Reference, reference, today_of

WINDOW: Final = timedelta(days=90)
DISPATCHING: Final = ("dispatch", "redispatch", "rule_jointly")
_NEW: Final = 0  # no stored rule has this id
Rules = Mapping[tuple[int | None, int | None], tuple[CatalogueRule, ...]]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the rule asked for would have meant from `since` to `until`, in cases the reader may see.

    `dispatches` went out under it (no more specific rule applies): each is a case and the code of the unit it went to. Of
    these, `not_did` would have gone to another lead than they did, `not_rule` to another than the catalogue said. `spared`
    are the returns, upheld or settled jointly, by which units that would not have been asked gave the case back – unless
    the unit now proposed gave it back as well, which `caused` counts instead.
    """

    since: datetime
    until: datetime
    dispatches: int
    not_did: int
    not_rule: int
    spared: int
    caused: int
    cases: Mapping[str, tuple[uuid.UUID, ...]]


def _rules_of(version_id: int) -> dict[tuple[int | None, int | None], tuple[CatalogueRule, ...]]:
    found: dict[tuple[int | None, int | None], list[CatalogueRule]] = {}
    for rule in CatalogueRule.objects.filter(version_id=version_id).order_by("-valid_from", "id"):
        found.setdefault((rule.category_id, rule.area_id), []).append(rule)
    return {key: tuple(rules) for key, rules in found.items()}


def _with(rules: Rules, proposal: CatalogueProposal) -> Rules:
    """The rules with the one proposed in place of whatever stood there."""
    asked = CatalogueRule(id=_NEW, lead_unit_id=proposal.lead_unit_id, assisting_units=proposal.assisting_units,
                          basis=proposal.basis)
    return {**rules, (proposal.category_id, proposal.area_id): (asked,)}


@dataclass(frozen=True, slots=True)
class _Dispatch:
    case_id: uuid.UUID
    did: str


def _dispatches(actor: Actor, held: Reference, proposal: CatalogueProposal, since: datetime,
                until: datetime) -> dict[tuple[int | None, int | None], list[_Dispatch]]:
    """Dispatches under the category and the area, by the category and the area of their case."""
    kinds = [node.id for node in held.nodes.values() if proposal.category_id in node.lineage]
    cases = Case.objects.filter(policy.visible_to(actor), category_id__in=kinds)
    if proposal.area_id is not None:
        cases = cases.filter(area_id__in=[place.id for place in held.places.values() if proposal.area_id in place.lineage])
    events = Event.objects.filter(
        case__in=cases, action__in=DISPATCHING, id__gte=uuid7_floor(since), at__gte=since, at__lt=until)
    found: dict[tuple[int | None, int | None], list[_Dispatch]] = {}
    for case_id, category_id, area_id, unit in events.values_list(
            "case_id", "case__category_id", "case__area_id", "data__lead_unit"):
        found.setdefault((category_id, area_id), []).append(_Dispatch(case_id, str(unit)))
    return found


def _under(found: Mapping[tuple[int | None, int | None], Iterable[_Dispatch]], before: Reference, after: Reference,
           at: datetime) -> tuple[list[_Dispatch], set[uuid.UUID]]:
    """The dispatches that the rule would have decided, and the cases in which the catalogue said something else."""
    reached: list[_Dispatch] = []
    otherwise: set[uuid.UUID] = set()
    for (category_id, area_id), dispatches in found.items():
        would = after.responsible(category_id=category_id, area_id=area_id, on=today_of(at))
        if would is None or would.rule_id != _NEW:
            continue
        says: Answer | None = before.responsible(category_id=category_id, area_id=area_id, on=today_of(at))
        for one in dispatches:
            reached.append(one)
            if says is None or says.lead.id != would.lead.id:
                otherwise.add(one.case_id)
    return reached, otherwise


def effect_of(proposal: CatalogueProposal, actor: Actor) -> Effect:
    """Four queries, over the cases of one category and area."""
    held, until = reference(), proposal.proposed_at
    since = until - WINDOW
    rules = _rules_of(proposal.base_id)
    before, after = replace(held, rules=rules), replace(held, rules=dict(_with(rules, proposal)))
    reached, otherwise = _under(_dispatches(actor, held, proposal, since, until), before, after, until)
    lead = held.units[proposal.lead_unit_id].code
    moved = [one for one in reached if one.did != lead]
    given_back = list(Return.objects.filter(
        case_id__in={one.case_id for one in reached}, raised_at__gte=since, raised_at__lt=until,
        ruling__in=(ReturnRuling.UPHELD, ReturnRuling.JOINT)).values_list("case_id", "unit__code"))
    wrong = {case_id for case_id, unit in given_back if unit == lead}
    sent = {(one.case_id, one.did) for one in moved}
    spared = [case_id for case_id, unit in given_back if (case_id, unit) in sent and case_id not in wrong]
    return Effect(
        since, until, dispatches=len(reached), not_did=len(moved),
        not_rule=sum(one.case_id in otherwise for one in reached), spared=len(spared),
        caused=sum(unit == lead for _case, unit in given_back),
        cases={
            "all": _ordered(one.case_id for one in reached), "not_did": _ordered(one.case_id for one in moved),
            "not_rule": _ordered(otherwise), "spared": _ordered(spared), "caused": _ordered(wrong),
        },
    )


def _ordered(ids: Iterable[uuid.UUID]) -> tuple[uuid.UUID, ...]:
    return tuple(sorted(set(ids), reverse=True))


def cases_of(effect: Effect, which: str, *, after: uuid.UUID | None, limit: int = 50) -> Page:
    """The cases behind one number, newest first; `after` of the page is the last one's id."""
    ids = [pk for pk in effect.cases.get(which, ()) if after is None or pk < after]
    found = {case.pk: case for case in rows(Case.objects.filter(pk__in=ids[:limit]))}
    return Page([found[pk] for pk in ids[:limit] if pk in found], str(ids[limit - 1]) if len(ids) > limit else "")
