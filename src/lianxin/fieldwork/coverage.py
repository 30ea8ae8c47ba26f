"""Who has each grid today, and what is open there: by place, never by person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from lianxin.cases.checks import opened
from lianxin.cases.models import Assignment, Check
from lianxin.cases.reference import Place, reference, today_of
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit
from lianxin.places.models import Area, AreaLevel

from . import duty
from .cover import away
from .leads import Led
from .models import Cover

WORKING = ("assigned", "in_hand", "objected")


class Standing(StrEnum):
    """Whether a grid has somebody today."""

    HELD = "held"
    COVERED = "covered"  # whoever has it is away, somebody stands in
    AWAY = "away"  # whoever has it is away, nobody stands in
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Responsible:
    """Somebody who has a grid today; `instead_of` is who they stand in for, `since` when they checked in today."""

    staff: Staff
    instead_of: str = ""
    since: datetime | None = None


@dataclass(slots=True)
class Work:
    """What is open in a place: parts of cases that the unit holds, and checks that its workers owe. `due_at` is the next."""

    cases: int = 0
    checks: int = 0
    late: int = 0
    due_at: datetime | None = None

    def add(self, other: Work) -> None:
        self.cases += other.cases
        self.checks += other.checks
        self.late += other.late
        self.due_at = min((at for at in (self.due_at, other.due_at) if at is not None), default=None)

    @property
    def total(self) -> int:
        return self.cases + self.checks


@dataclass(slots=True)
class Line:
    """One grid – or a village without grids – today."""

    place: Place
    standing: Standing
    responsible: tuple[Responsible, ...]
    work: Work
    synthetic: bool = False

    @property
    def on_duty(self) -> bool:
        return any(one.since is not None for one in self.responsible)


@dataclass(slots=True)
class VillageLines:
    """A village with its grids; `loose` is work in the village that lies in none of them."""

    place: Place
    lines: list[Line] = field(default_factory=list)
    loose: Work = field(default_factory=Work)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A town today. `loose` is work that lies in no village; `away` are covers of the day."""

    villages: list[VillageLines]
    loose: Work
    away: list[Cover]
    workers: list[Responsible]

    @property
    def lines(self) -> list[Line]:
        return [line for village in self.villages for line in village.lines]

    def count(self, *standings: Standing) -> int:
        return sum(line.standing in standings for line in self.lines)


def parts_of(unit: Unit) -> QuerySet[Assignment]:
    """Parts of cases that a unit has in hand."""
    return Assignment.objects.filter(unit=unit, ended_at__isnull=True, state__in=WORKING)


def checks_of(unit: Unit) -> QuerySet[Check]:
    """Checks that the unit's grid workers owe."""
    return opened().filter(worker__unit=unit)


def _work(unit: Unit, at: datetime) -> dict[int | None, Work]:
    """Open work by the area of its case. Two queries."""
    found: dict[int | None, Work] = {}
    for area, count, late, due in parts_of(unit).values_list("case__area_id").annotate(
            n=Count("id"), late=Count("id", filter=Q(due_at__lt=at, case__paused=False)), due=Min("due_at")):
        found.setdefault(area, Work()).add(Work(cases=count, late=late, due_at=due))
    for area, count, late, due in checks_of(unit).values_list("case__area_id").annotate(
            n=Count("id"), late=Count("id", filter=Q(due_at__lt=at)), due=Min("due_at")):
        found.setdefault(area, Work()).add(Work(checks=count, late=late, due_at=due))
    return found


def _places(unit: Unit, found: Led) -> list[tuple[Place, bool]]:
    """The villages and grids of a unit that somebody leads, by code, with whether they were derived. One query."""
    known = reference().places
    rows = Area.objects.filter(active=True, level__in=[AreaLevel.VILLAGE, AreaLevel.GRID]).order_by("code").values_list("pk", "synthetic")
    return [(known[pk], synthetic) for pk, synthetic in rows
            if pk in known and unit.area_id in known[pk].lineage and found.holds_area(pk)]


class _Roster:
    """Who has what in a unit today. Four queries."""

    def __init__(self, unit: Unit, at: datetime) -> None:
        self.by_area: dict[int, list[int]] = {}
        rows = (RoleGrant.objects.filter(unit=unit, role=Role.GRID_WORKER, ended_at__isnull=True, staff__is_active=True)
                .annotate(theirs=Coalesce("area_id", "unit__area_id")).order_by("staff__username").values_list("theirs", "staff_id"))
        for area, person in rows:
            self.by_area.setdefault(area, []).append(person)
        self.away = list(away(today_of(at)).filter(unit=unit).select_related("absent", "stand_in").order_by("absent__username"))
        ids = {person for people in self.by_area.values() for person in people} | {
            one.stand_in_id for one in self.away if one.stand_in_id is not None}
        self.people = {person.pk: person for person in Staff.objects.filter(pk__in=ids, is_active=True).order_by("username")}
        self.since = duty.on_duty(ids, at=at)

    def person(self, pk: int, instead_of: str = "") -> Responsible:
        return Responsible(self.people[pk], instead_of, self.since.get(pk))

    def of(self, place: Place) -> tuple[Standing, tuple[Responsible, ...]]:
        theirs = list(dict.fromkeys(pk for area in place.lineage for pk in self.by_area.get(area, ())))
        gone = {one.absent_id: one for one in self.away}
        present = [self.person(pk) for pk in theirs if pk not in gone]
        instead = [self.person(cover.stand_in_id, cover.absent.name) for pk in theirs
                   if (cover := gone.get(pk)) is not None and cover.stand_in_id in self.people]
        if present or instead:
            return Standing.HELD if present else Standing.COVERED, (*present, *instead)
        return Standing.AWAY if theirs else Standing.NOBODY, ()


def _nearest(place: Place, among: Iterable[int]) -> int | None:
    wanted = set(among)
    return next((pk for pk in place.lineage if pk in wanted), None)


def coverage(unit: Unit, found: Led, *, at: datetime) -> Coverage:
    """A town's grids today. Seven queries, however many grids."""
    places, roster, work = _places(unit, found), _Roster(unit, at), _work(unit, at)
    known = reference().places
    villages = {place.id: VillageLines(place) for place, _derived in places if place.level == AreaLevel.VILLAGE}
    lines: dict[int, Line] = {}
    divided = {place.lineage[1] for place, _derived in places if place.level == AreaLevel.GRID}
    for place, derived in places:
        village = villages.get(place.id if place.level == AreaLevel.VILLAGE else place.lineage[1])
        if village is None or (place.level == AreaLevel.VILLAGE and place.id in divided):
            continue
        standing, responsible = roster.of(place)
        lines[place.id] = Line(place, standing, responsible, Work(), derived)
        village.lines.append(lines[place.id])
    loose = Work()
    for area, open_work in work.items():
        at_place = known.get(area) if area is not None else None
        line = _nearest(at_place, lines) if at_place is not None else None
        village_id = _nearest(at_place, villages) if at_place is not None else None
        held = lines[line].work if line is not None else villages[village_id].loose if village_id is not None else loose
        held.add(open_work)
    return Coverage(list(villages.values()), loose, roster.away,
                    [roster.person(pk) for pk in sorted(roster.people, key=lambda pk: roster.people[pk].username)])
