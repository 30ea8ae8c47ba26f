"""The ledger of who looked at a reporter's identity or a missed caller's number: for those who answer for its protection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q

from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role, UnitKind

from . import policy
from .models import Case, IdentityReading

COLUMNS = ("at", "number", "username", "name", "unit", "why", "fields")


@dataclass(frozen=True, slots=True)
class Reading:
    """One look: when, at which case (none for a missed call), by whom, why, and which fields there were to see."""

    at: datetime
    number: str
    username: str
    name: str
    unit: str
    why: str
    fields: tuple[str, ...]


def readings(by: Actor, *, since: datetime | None = None, until: datetime | None = None, number: str = "",
             username: str = "") -> Iterator[Reading]:
    """Looks from `since` on and before `until`, oldest first. The hotline's administrators see all, a supervisor
    those at the cases they may see. Raises NotAllowed for everybody else."""
    rows = IdentityReading.objects.order_by("at", "id")
    if by.kind is not Kind.SYSTEM and not any(
        grant.role is Role.ADMINISTRATOR and grant.unit_kind is UnitKind.HOTLINE for grant in by.grants
    ):
        if not by.has(Role.SUPERVISOR):
            raise NotAllowed()
        own = replace(by, grants=tuple(grant for grant in by.grants if grant.role is Role.SUPERVISOR))
        seen = Q(case__in=Case.objects.filter(policy.visible_to(own)))
        rows = rows.filter(seen | Q(missed_call__isnull=False) if policy.scope_of(own).everything else seen)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    if number:
        rows = rows.filter(case__number=number)
    if username:
        rows = rows.filter(staff__username=username)
    names = ("at", "case__number", "staff__username", "staff__name", "unit__name", "why", "fields")
    for at, case, login, name, unit, why, fields in rows.values_list(*names).iterator(chunk_size=2000):
        yield Reading(at, case or "", login, name, unit or "", why, tuple(fields))
