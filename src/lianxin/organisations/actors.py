"""Who is acting: a member of staff with their grants, a reporter with a tracking code, or the system itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from . import scopes as token_scopes
from .models import Role, RoleGrant, Staff, Unit, UnitKind


class Kind(StrEnum):
    STAFF = "staff"
    REPORTER = "reporter"
    SYSTEM = "system"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one unit. `area_id` narrows it; `county_id` is the county of the unit where it has one."""

    role: Role
    unit_id: int
    unit_kind: UnitKind
    county_id: int | None = None
    area_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Immutable picture of who acts, made once per request: decisions never read the session again.

    `case_id` is set for a reporter – the one case their tracking code opens – and for the desk of another service: the one it
    shares with the hotline. `scopes` is set for an API token only: the actions it may take, `None` meaning all that the person may.
    """

    kind: Kind
    staff_id: int | None = None
    unit_id: int | None = None
    name: str = ""
    grants: tuple[Grant, ...] = ()
    case_id: uuid.UUID | None = None
    via: str = ""
    scopes: frozenset[str] | None = field(default=None)

    def has(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)

    def holds_in_hotline(self, *roles: Role) -> bool:
        """Whether this person has one of the roles for the whole city: in the hotline, not narrowed to an area."""
        return self.kind is Kind.STAFF and any(
            grant.role in roles and grant.unit_kind is UnitKind.HOTLINE and grant.area_id is None and grant.county_id is None
            for grant in self.grants
        )

    def scoped(self, *scopes: str) -> bool:
        """Whether this is open as far as a token narrows it: a person at a screen is not narrowed."""
        return token_scopes.opened(self.scopes, *scopes)

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)


SYSTEM = Actor(kind=Kind.SYSTEM, via="system")


def actor_for(staff: Staff, *, via: str = "", scopes: frozenset[str] | None = None,
              unit: Unit | None = None) -> Actor:
    """Read a person's standing grants. One query. A token's `unit` leaves only the grants in that unit."""
    rows = (
        RoleGrant.objects.filter(staff=staff, ended_at__isnull=True)
        .values_list("role", "unit_id", "unit__kind", "unit__area__level", "unit__area_id", "unit__area__county_id",
                     "area_id")
    )
    grants = tuple(
        Grant(
            role=Role(role),
            unit_id=unit_id,
            unit_kind=UnitKind(kind),
            county_id=unit_area if level == "county" else unit_county,
            area_id=area_id,
        )
        for role, unit_id, kind, level, unit_area, unit_county, area_id in rows
        if unit is None or unit_id == unit.id
    )
    return Actor(kind=Kind.STAFF, staff_id=staff.id, unit_id=unit.id if unit else staff.unit_id, name=staff.name,
                 grants=grants, via=via, scopes=scopes)


def reporter_for(case_id: uuid.UUID, *, via: str = "web") -> Actor:
    return Actor(kind=Kind.REPORTER, case_id=case_id, via=via)


def partner_for(case_id: uuid.UUID, *, code: str, name: str = "") -> Actor:
    """The desk of another service (`110.yueyang`), acting on the one case it shares with the hotline."""
    return Actor(kind=Kind.PARTNER, case_id=case_id, via=code[:40], name=name)
