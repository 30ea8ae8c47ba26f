"""Who may do what with the register: its keeper, and who visits today. Nobody else, whatever their post.

Each rule is a filter, and an entry is fetched through it: what a person may not see is not found.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from lianxin.organisations.actors import Actor, Grant, Kind
from lianxin.organisations.models import Role

KEEPER, VISITOR = Role.CARE_KEEPER, Role.GRID_WORKER


def _grants(by: Actor, role: Role) -> list[Grant]:
    """The grants of a person at a desk or with a telephone. An API token has scopes, and nothing here."""
    if by.kind is not Kind.STAFF or by.scopes is not None or by.staff_id is None:
        return []
    return [grant for grant in by.grants if grant.role is role]


def within(area_id: int, *, prefix: str = "area__") -> Q:
    """What lies in an area, itself included. `prefix` leads to the area; empty, areas themselves are meant."""
    above = ("id", "parent_id", "village_id", "town_id", "county_id", "county__parent_id")
    found = Q()
    for one in above:
        found |= Q(**{prefix + one: area_id})
    return found


def is_keeper(by: Actor) -> bool:
    return bool(_grants(by, KEEPER))


def is_visitor(by: Actor) -> bool:
    return bool(_grants(by, VISITOR))


def keeping(by: Actor) -> list[Grant]:
    """The grants by which somebody keeps registers."""
    return _grants(by, KEEPER)


def kept_by(by: Actor) -> Q:
    """The entries somebody keeps: those of the units whose register they keep, within the area their grant names."""
    found = Q(pk__in=[])
    for grant in _grants(by, KEEPER):
        own = Q(unit_id=grant.unit_id)
        found |= own & within(grant.area_id) if grant.area_id is not None else own
    return found


def visited_by(by: Actor, on: date) -> Q:
    """The entries somebody visits on a day: as their visitor, or standing in for them; while consent holds, and while they
    are a grid worker of the unit."""
    units = [grant.unit_id for grant in _grants(by, VISITOR)]
    if not units:
        return Q(pk__in=[])
    stands_in = Q(stand_in__isnull=False, stand_in_until__gte=on)
    return Q(unit_id__in=units, consent_until__gte=on) & (
        (stands_in & Q(stand_in_id=by.staff_id)) | (~stands_in & Q(visitor_id=by.staff_id)))
