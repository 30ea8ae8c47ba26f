"""What the field's pages read beside `fieldwork`: open tasks of a place, the choices of a worker's grids, telephones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from lianxin.cases import policy
from lianxin.cases.models import Assignment, Case, Check
from lianxin.cases.queries import cursor_of, read_cursor
from lianxin.cases.reference import Place, reference
from lianxin.fieldwork import devices
from lianxin.fieldwork.coverage import Coverage, Responsible, checks_of, parts_of
from lianxin.fieldwork.leads import Led, need
from lianxin.fieldwork.models import Device
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit
from lianxin.places.models import Area, AreaLevel

from .queries import colleagues

TASKS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker with their grids, whether they are on duty by their own check-in, and who stands in for them today."""

    who: Responsible
    areas: tuple[str, ...]
    away: bool
    stand_in: str = ""


def workers(unit: Unit, found: Coverage) -> list[WorkerRow]:
    """A town's grid workers by username. One query."""
    known = reference().places
    areas: dict[int, list[str]] = {}
    for grant in RoleGrant.objects.filter(unit=unit, role=Role.GRID_WORKER, ended_at__isnull=True).order_by("area__code"):
        pk = grant.area_id or unit.area_id
        if pk is not None and pk in known:
            areas.setdefault(grant.staff_id, []).append(known[pk].said)
    gone = {one.absent_id: one.stand_in.name if one.stand_in is not None else "" for one in found.away}
    return [WorkerRow(one, tuple(areas[one.staff.pk]), one.staff.pk in gone, gone.get(one.staff.pk, ""))
            for one in found.workers if one.staff.pk in areas]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that is open: a part of a case, or a check. `words` are empty where the reader may not see the case."""

    kind: str
    number: str
    due_at: datetime | None
    place: str
    officer: str
    late: bool
    case_id: UUID | None = None
    words: str = ""
    may_hand: bool = False


@dataclass(frozen=True, slots=True)
class Tasks:
    """A page of open tasks; `place` is None for the whole town, `after` opens the next page and is empty at the end."""

    rows: list[Task]
    place: Place | None
    colleagues: list[tuple[str, str]]
    total: int
    after: str


def _within(unit: Unit, found: Led, area: str) -> tuple[Place | None, Q]:
    """The place of a code and the condition on a case's area; for one grid's own, all below. Raises NotFound."""
    if not area:
        return None, Q()
    known = reference()
    place = known.places_by_code.get(area)
    if place is None or unit.area_id not in place.lineage or not found.holds_area(place.id):
        raise NotFound()
    return place, Q(case__area_id__in=[one.id for one in known.places.values() if place.id in one.lineage])


def _place_of(case: Case) -> str:
    known = reference().places
    place = known.get(case.area_id) if case.area_id is not None else None
    return " › ".join(known[pk].said for pk in reversed(place.lineage[:2])) if place is not None else ""


def _behind(after: str) -> Q:
    """What stands behind a position in the order of `_in_order`. Raises Invalid for one that is none."""
    if not after:
        return Q()
    try:
        due, pk = read_cursor(after) or ["nowhere", ""]
        if not due:
            return Q(due_at__isnull=True, pk__gt=UUID(pk))
        at = _aware(due)
        return Q(due_at__gt=at) | Q(due_at=at, pk__gt=UUID(pk)) | Q(due_at__isnull=True)
    except ValueError:
        raise Invalid(_("翻页位置不对，请从第一页看起。")) from None


def _aware(said: str) -> datetime:
    """A moment of a position. Raises ValueError for what is none, or has no time zone."""
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at


def _in_order(rows: QuerySet[Any], after: str) -> list[Any]:
    """The next rows, due first in front, those without a due time last; one more than are shown."""
    return list(rows.filter(_behind(after)).order_by(F("due_at").asc(nulls_last=True), "id")[: TASKS_SHOWN + 1])


def open_tasks(actor: Actor, unit: Unit, *, area: str, after: str = "") -> Tasks:
    """Open parts of cases and checks of a place, those due first in front, a hundred on a page. Five queries. Raises NotFound, and
    Invalid for a position that is none."""
    place, where = _within(unit, need(actor), area)
    at = now()
    parts, checks = parts_of(unit).filter(where), checks_of(unit).filter(where)
    found: list[Assignment | Check] = [*_in_order(parts.select_related("case", "officer"), after),
                                       *_in_order(checks.select_related("case", "worker"), after)]
    found.sort(key=lambda one: (one.due_at is None, one.due_at or at, one.pk))
    shown = found[:TASKS_SHOWN]
    rows = [_part(actor, one, at) if isinstance(one, Assignment) else Task(
        _("核查"), one.case.number, one.due_at, _place_of(one.case), one.worker.name, one.due_at < at) for one in shown]
    able = [(username, name) for username, name, _unit in colleagues([unit.pk])]
    return Tasks(rows, place, able, parts.count() + checks.count(),
                 cursor_of(shown[-1].due_at or "", shown[-1].pk) if len(found) > len(shown) else "")


def _part(actor: Actor, part: Assignment, at: datetime) -> Task:
    case = part.case
    seen = policy.can_see(actor, case)
    may = bool(seen and policy.can(actor, "hand_to_colleague", case, assignment=policy.own_assignment(actor, [part], "hand_to_colleague")))
    return Task(
        _("办件"), case.number, part.due_at, _place_of(case), part.officer.name if part.officer else "",
        part.due_at is not None and part.due_at < at and not case.paused, case.pk if seen else None,
        (case.title or case.words[:60]) if seen else "", may)


def area_choices(unit: Unit, found: Led) -> list[tuple[str, str]]:
    """Town, villages and grids that may be given, by code."""
    known = reference().places
    rows = Area.objects.filter(active=True, level__in=[AreaLevel.TOWN, AreaLevel.VILLAGE, AreaLevel.GRID]).order_by("code")
    return [(known[pk].code, known[pk].said) for pk in rows.values_list("pk", flat=True)
            if pk in known and unit.area_id in known[pk].lineage and found.holds_area(pk)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One box to tick; grids stand under their village."""

    code: str
    name: str
    level: str
    ticked: bool


def area_tree(choices: Sequence[tuple[str, str]], ticked: set[str]) -> list[Choice]:
    """The choices, each grid after its village."""
    known = reference().places_by_code
    order = sorted(choices, key=lambda row: [reference().places[pk].code for pk in reversed(known[row[0]].lineage)])
    return [Choice(code, name, known[code].level, code in ticked) for code, name in order]


@dataclass(frozen=True, slots=True)
class Phone:
    device: Device
    may_shut_out: bool
    may_give_back: bool


def phones(actor: Actor, unit: Unit) -> list[Phone]:
    """Telephones of a town's workers and leads, by who holds them. What may be done to each is asked once a person."""
    found = list(devices.of_unit(unit.pk))
    may = {person.pk: devices.may_shut_out(actor, person) for person in {one.staff_id: one.staff for one in found}.values()}
    return [Phone(one, may[one.staff_id], may[one.staff_id] and one.staff_id != actor.staff_id) for one in found]


def own_phones(person: Staff) -> list[Phone]:
    """One's own: they can be shut out by oneself, and given back by others only."""
    return [Phone(one, True, False) for one in devices.of_staff(person.pk).select_related("staff", "shut_out_by")]
