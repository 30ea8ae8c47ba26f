"""Who sees hot issues: whoever oversees cases, of those the issues in which there is a case they may see. One rule for the
list and for the single issue, and it is the cases' own."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from lianxin.cases import policy
from lianxin.cases.models import Case
from lianxin.organisations.actors import Actor, Grant
from lianxin.organisations.models import Role, UnitKind

from .models import HotCase

ROLES = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER, Role.HEAD)


def _oversees(grant: Grant) -> bool:
    return grant.role in ROLES or (grant.role is Role.CLERK and grant.unit_kind is UnitKind.COUNTY_GOVERNMENT)


def reads(actor: Actor) -> bool:
    """Supervisors, dispatchers, leaders and heads of units; of clerks those of a county's government."""
    return any(_oversees(grant) for grant in actor.grants)


def visible_to(actor: Actor) -> Q:
    """The issues somebody sees. Their numbers are those of the whole matter, also to whom sees some of its cases only."""
    if not reads(actor):
        return Q(pk__in=[])
    if policy.scope_of(actor).everything:
        return Q()
    own = Case.objects.filter(policy.visible_to(actor))
    return Q(Exists(HotCase.objects.filter(issue=OuterRef("pk"), case__in=own)))


def can_see(actor: Actor, cases: Iterable[Case]) -> bool:
    """May somebody see the issue of these cases?"""
    return reads(actor) and (policy.scope_of(actor).everything or any(policy.can_see(actor, case) for case in cases))
