"""Whose field work somebody organises: grids, who works in them, who stands in, whose telephones. One rule for all of it.

A team lead, a head and an administrator of a town organise that town's own – a lead whose grant names an area what lies in it –
and the hotline's administrators every town's. A token needs the scope `field_work` for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import reference
from lianxin.kernel.errors import NotAllowed, NotFound
from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit, UnitKind
from lianxin.organisations.scopes import named
from lianxin.places.models import Area, AreaLevel

SCOPE = named("field_work", _("网格长的工作：安排、顶岗、改网格"))
LEADERS = frozenset({Role.TEAM_LEAD, Role.HEAD, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Led:
    """What an actor organises: every town, or `areas` – ids by unit – each with all that lies below it."""

    everything: bool = False
    areas: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return self.everything or bool(self.areas)

    @property
    def unit_ids(self) -> list[int]:
        return sorted({unit for unit, _area in self.areas})

    def units(self) -> Q:
        """The units – towns – whose field work it is."""
        return Q(kind=UnitKind.TOWN_GOVERNMENT, area__isnull=False) & (Q() if self.everything else Q(pk__in=self.unit_ids))

    def holds_area(self, area_id: int | None) -> bool:
        """Whether an area, of any level, lies within."""
        if self.everything:
            return area_id is not None
        place = reference().places.get(area_id) if area_id is not None else None
        return place is not None and any(area in place.lineage for _unit, area in self.areas)


def led(actor: Actor) -> Led:
    """What an actor organises; nothing for who organises nothing."""
    if actor.kind is not Kind.STAFF or not actor.scoped(SCOPE):
        return Led()
    if any(grant.role is Role.ADMINISTRATOR and grant.unit_kind is UnitKind.HOTLINE for grant in actor.grants):
        return Led(everything=True)
    units = reference().units
    found = set()
    for grant in actor.grants:
        unit = units.get(grant.unit_id)
        if grant.role in LEADERS and grant.unit_kind is UnitKind.TOWN_GOVERNMENT and unit is not None and unit.area_id is not None:
            found.add((grant.unit_id, grant.area_id if grant.role is Role.TEAM_LEAD and grant.area_id else unit.area_id))
    return Led(areas=tuple(sorted(found)))


def leads(actor: Actor) -> bool:
    """Whether the field's pages are shown to somebody at all. Costs no query."""
    return actor.kind is Kind.STAFF and any(
        (grant.role in LEADERS and grant.unit_kind is UnitKind.TOWN_GOVERNMENT)
        or (grant.role is Role.ADMINISTRATOR and grant.unit_kind is UnitKind.HOTLINE) for grant in actor.grants)


def need(actor: Actor) -> Led:
    """What an actor organises. Raises NotAllowed for who organises nothing."""
    found = led(actor)
    if not found:
        raise NotAllowed(_("网格由乡镇街道的网格长、负责人或系统管理员安排。"))
    return found


def access_unit(actor: Actor, code: str) -> Unit:
    """A town whose field work is the actor's; their first when `code` is empty. Raises NotFound and NotAllowed."""
    found = need(actor)
    towns = Unit.objects.filter(found.units()).select_related("area").order_by("code")
    unit = (towns.filter(code=code) if code else towns).first()
    if unit is None:
        raise NotFound()
    return unit


def access_village(actor: Actor, code: str) -> Area:
    """A village whose grids are the actor's to change. Raises NotFound for any other."""
    found = need(actor)
    village = Area.objects.filter(code=code, level=AreaLevel.VILLAGE, active=True).first()
    if village is None or not found.holds_area(village.pk):
        raise NotFound()
    return village


def workers_of(unit_id: int) -> Q:
    """The grid workers of a unit, as a condition on staff."""
    return Q(is_active=True) & Q(Exists(RoleGrant.objects.filter(
        staff=OuterRef("pk"), unit_id=unit_id, role=Role.GRID_WORKER, ended_at__isnull=True)))


def access_worker(actor: Actor, unit: Unit, username: str) -> Staff:
    """A grid worker of a unit that the actor organises. Raises NotFound."""
    person = Staff.objects.filter(workers_of(unit.pk), username=username).first()
    if person is None:
        raise NotFound()
    return person
