"""Who works in the field, and which areas are theirs."""

from __future__ import annotations

import uuid
from datetime import date

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor, Kind, actor_for
from lianxin.organisations.models import Role, RoleGrant

from .cover import away
from .models import Device
from .registry import Worker

FIELD_ROLES = frozenset({Role.GRID_WORKER, Role.TEAM_LEAD})
VIA = "field"


def areas_of(staff_id: int, on: date, *, roles: frozenset[Role] = FIELD_ROLES) -> tuple[int, ...]:
    """Ids of the areas whose work is this person's on a civil day, each once, in order: what their grants name, or the area
    of the unit where a grant names none, and those of the grid workers they stand in for on that day. One query."""
    whose = Q(staff_id=staff_id, role__in=roles)
    if Role.GRID_WORKER in roles:
        whose |= Q(staff_id__in=away(on).filter(stand_in_id=staff_id).values("absent_id"), role=Role.GRID_WORKER)
    own = RoleGrant.objects.filter(whose, ended_at__isnull=True).annotate(
        theirs=Coalesce("area_id", "unit__area_id")).filter(theirs__isnull=False)
    return tuple(sorted(set(own.values_list("theirs", flat=True))))


def _worker(actor: Actor, device_id: uuid.UUID | None) -> Worker:
    if actor.kind is not Kind.STAFF or actor.staff_id is None or not actor.has(*FIELD_ROLES):
        raise NotAllowed(_("只有网格员和网格长可以用现场终端。没发出的内容还在手机里。"), code="no_field_role")
    return Worker(actor, actor.staff_id, device_id, areas_of(actor.staff_id, today_of(now())))


def worker_for(who: Device | Actor) -> Worker:
    """The worker of a telephone, or of a program that acts for a member of staff. Two queries at most. Raises NotAllowed for
    those who have no role in the field (any more)."""
    if isinstance(who, Device):
        return _worker(actor_for(who.staff, via=VIA), who.pk)
    return _worker(who, None)
