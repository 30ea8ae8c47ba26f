"""Who reads rounds and inspections, and prints codes: whoever answers for the places. One rule for lists and for single ones."""

from __future__ import annotations

from collections.abc import Iterable

from lianxin.cases.reference import reference
from lianxin.organisations.actors import Actor, Grant, Kind
from lianxin.organisations.models import Role, UnitKind

ROLES = frozenset({Role.TEAM_LEAD, Role.HEAD, Role.SUPERVISOR, Role.LEADER, Role.ADMINISTRATOR})
_GOVERNMENTS = (UnitKind.TOWN_GOVERNMENT, UnitKind.COUNTY_GOVERNMENT)


def _reads(grant: Grant) -> bool:
    return grant.role in ROLES and grant.unit_kind in (*_GOVERNMENTS, UnitKind.HOTLINE)


def reads(actor: Actor) -> bool:
    """Team leads, heads, supervisors, leaders and administrators of towns, counties and the hotline. Costs no query."""
    return actor.kind is Kind.STAFF and any(_reads(grant) for grant in actor.grants)


def areas_of(actor: Actor) -> frozenset[int] | None:
    """The areas whose places somebody sees, each with all that lies below it; None for the whole city. The hotline's see the
    city unless their grant names an area, a town's or a county's see their own."""
    found: set[int] = set()
    units = reference().units
    for grant in actor.grants if reads(actor) else ():
        if not _reads(grant):
            continue
        unit = units.get(grant.unit_id)
        own = grant.area_id or (unit.area_id if unit is not None and grant.unit_kind in _GOVERNMENTS else None)
        if own is None and grant.unit_kind is UnitKind.HOTLINE:
            return None
        if own is not None:
            found.add(own)
    return frozenset(found)


def within(lineage: Iterable[int], areas: frozenset[int] | None) -> bool:
    """Whether a place whose areas are `lineage` is among those seen."""
    return areas is None or not areas.isdisjoint(lineage)
