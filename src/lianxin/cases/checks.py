"""核查: who may be asked to look, and what was seen. Nobody looks at their own work, nor at that of a related unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit

from . import policy
from .models import Case, Check, State
from .models.checks import OPEN
from .reference import reference

CHECKED = (State.REPLIED, State.CALLBACK, State.CLOSED)


def related_units(unit_ids: Sequence[int]) -> frozenset[int]:
    """These units, the one above each, and those right below: a town does not look at its own station's work, nor the other
    way about. Units that only share the one above are strangers."""
    if not unit_ids:
        return frozenset()
    found = set(unit_ids)
    found |= set(Unit.objects.filter(children__in=unit_ids).values_list("pk", flat=True))
    found |= set(Unit.objects.filter(parent__in=unit_ids).values_list("pk", flat=True))
    return frozenset(found)


def checkers(case: Case) -> list[Staff]:
    """Grid workers who had no part in the case: those whose grid holds its place, the nearest grid first and then who has the
    fewest open checks; where nobody there is free of it, those of the county."""
    place = reference().places.get(case.area_id or 0)
    if place is None:
        return []
    around = list(place.lineage)
    near = Q(area_id__in=around) | Q(area__isnull=True, unit__area_id__in=around)
    county = place.county_id
    there = Q(area__county_id=county) | Q(area__isnull=True, unit__area__county_id=county) if county is not None else Q(pk__in=[])
    free = RoleGrant.objects.filter(role=Role.GRID_WORKER, ended_at__isnull=True, staff__is_active=True).exclude(
        _had_part(case)).select_related("staff", "unit")
    best: dict[int, tuple[int, Staff]] = {}
    for grant in list(free.filter(near)) or list(free.filter(there)):
        held = grant.area_id or grant.unit.area_id
        depth = around.index(held) if held in around else len(around)
        if grant.staff_id not in best or depth < best[grant.staff_id][0]:
            best[grant.staff_id] = (depth, grant.staff)
    waiting = dict.fromkeys(best, 0)
    for pk in opened().filter(worker__in=best).values_list("worker_id", flat=True):
        waiting[pk] += 1
    return [staff for _depth, staff in sorted(best.values(), key=lambda one: (one[0], waiting[one[1].pk], one[1].pk))]


def _had_part(case: Case) -> Q:
    """Grants of people who had a part: who reported it, and whoever is of a unit that worked on it or is related to one."""
    units = related_units(case.unit_ids)
    others = RoleGrant.objects.filter(unit_id__in=units, ended_at__isnull=True).values("staff_id")
    return Q(staff__unit_id__in=units) | Q(staff_id__in=others) | Q(staff_id=case.registered_by_id or 0)


def may_check(case: Case, staff: Staff) -> bool:
    return any(one.pk == staff.pk for one in checkers(case))


def opened() -> QuerySet[Check]:
    """Checks that are asked for and neither answered nor withdrawn."""
    return Check.objects.filter(OPEN)


def of_worker(staff_id: int) -> QuerySet[Check]:
    """What somebody is to look at now, by due time."""
    return opened().filter(worker_id=staff_id, case__state__in=CHECKED).order_by("due_at", "id")


def failed(case: Case, *, since: datetime | None = None) -> bool:
    """Whether the last look in this round, not before `since`, found the matter not handled."""
    found = Check.objects.filter(case=case, round=case.round, answered_at__isnull=False)
    if since is not None:
        found = found.filter(answered_at__gte=since)
    return found.order_by("-answered_at").values_list("handled", flat=True).first() is False


READERS = frozenset({Role.REVIEWER, Role.CALLBACK, Role.SUPERVISOR})
SEEN_SHOWN = timedelta(days=30)
MOST = 100  # rows of each part of the list


@dataclass(frozen=True, slots=True)
class Checks:
    """What the hotline asked to be looked at, as one person may see it: `unhandled` were seen not handled and wait for a decision,
    `waiting` are asked for and not answered, by due time, `seen` were seen handled in the last thirty days."""

    unhandled: list[Check]
    waiting: list[Check]
    seen: list[Check]


def reads(actor: Actor) -> bool:
    return actor.has(*READERS)


def listed(actor: Actor) -> Checks:
    """Raises NotAllowed. Three queries, each along an index."""
    if not reads(actor):
        raise NotAllowed()
    shown = Check.objects.filter(case__in=Case.objects.filter(policy.visible_to(actor))).select_related(
        "case__lead_unit", "case__category", "worker", "asked_by")
    same = shown.filter(case__state__in=CHECKED, round=F("case__round"))
    later = Check.objects.filter(case=OuterRef("case"), answered_at__gt=OuterRef("answered_at"))
    return Checks(
        list(same.filter(~Exists(later), handled=False).filter(_undecided()).order_by("-answered_at")[:MOST]),
        list(same.filter(OPEN).order_by("due_at", "id")[:MOST]),
        list(shown.filter(handled=True, answered_at__gte=now() - SEEN_SHOWN).order_by("-answered_at")[:MOST]),
    )


def _undecided() -> Q:
    """Nobody has decided since: a closing after what was seen is a supervisor's word."""
    return ~Q(case__state=State.CLOSED) | Q(case__closed_at__lt=F("answered_at"))
