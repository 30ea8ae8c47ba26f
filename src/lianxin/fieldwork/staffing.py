"""Which grid worker has which grids: grants with an area, ended and given, never overwritten."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from lianxin.cases.reference import Place, reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit

from .leads import Led, access_unit, access_worker, need


def standing(unit_id: int, staff_id: int) -> list[RoleGrant]:
    """A worker's grants in a unit, by area."""
    return list(RoleGrant.objects.filter(staff_id=staff_id, unit_id=unit_id, role=Role.GRID_WORKER, ended_at__isnull=True)
                .select_related("area").order_by("area__code", "id"))


def seen_by(grants: Sequence[RoleGrant]) -> str:
    """What a lead saw of a worker's areas, as one word: whoever was quicker is noticed by it."""
    return ",".join(sorted(grant.area.code if grant.area else "*" for grant in grants))


def _areas(codes: Collection[str], unit: Unit, found: Led) -> list[Place]:
    """The areas of these codes, without those that lie in another of them. Raises Invalid."""
    known = reference()
    places = []
    for code in codes:
        place = known.places_by_code.get(code)
        if place is None or unit.area_id not in place.lineage or not found.holds_area(place.id):
            raise Invalid(fields={"areas": _("%s 不是您这里的网格。") % (place.name if place else code)})
        places.append(place)
    if not places:
        raise Invalid(fields={"areas": _("至少留一个网格。这个人不再做网格员的，请在“人员”里停用账号。")})
    chosen = {place.id for place in places}
    return sorted({place.id: place for place in places if not chosen & set(place.lineage[1:])}.values(), key=lambda place: place.code)


def assign(*, unit: Unit, worker: str, areas: Collection[str], seen: str, by: Actor) -> list[RoleGrant]:
    """分工: from now on these areas are a worker's in this unit, and no others. `seen` is `seen_by` of what the lead saw.

    Raises NotFound and NotAllowed for a unit or worker that is not the actor's, Invalid for areas that are not, and Conflict when
    somebody was quicker."""
    found = need(by)
    held = access_unit(by, unit.code)
    person = access_worker(by, held, worker)
    wanted = {place.id for place in _areas(areas, held, found)}
    with transaction.atomic():
        Staff.objects.select_for_update(of=("self",)).get(pk=person.pk)
        before = standing(held.pk, person.pk)
        if seen_by(before) != seen:
            raise Conflict(_("%s的网格刚被改过。请看过现在的分工再改。") % person.name, code="version",
                           current={"areas": seen_by(before)})
        for grant in before:
            if grant.area_id not in wanted:
                grant.ended_at = now()
                grant.save(update_fields=["ended_at"])
        RoleGrant.objects.bulk_create([
            RoleGrant(staff=person, role=Role.GRID_WORKER, unit=held, area_id=pk, granted_at=now(), granted_by_id=by.staff_id)
            for pk in sorted(wanted - {grant.area_id for grant in before if grant.area_id is not None})])
        return standing(held.pk, person.pk)


def history(unit_id: int, staff_id: int, *, limit: int = 100) -> list[RoleGrant]:
    """What a worker had and has in a unit, the newest first."""
    return list(RoleGrant.objects.filter(staff_id=staff_id, unit_id=unit_id, role=Role.GRID_WORKER)
                .select_related("area", "granted_by").order_by("-granted_at", "-id")[:limit])
