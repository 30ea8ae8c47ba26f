"""Reading the register. Whoever reads an entry is written down before it is opened."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotAllowed, NotFound
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import RoleGrant, Staff, Unit
from lianxin.places.models import Area

from .due import LAPSE
from .models import CareAccess, CareEntry, CarePage, CareStep, CareVisit, Told
from .policy import VISITOR, is_keeper, keeping, kept_by, visited_by, within
from .sealing import Person, opened, opened_note

AHEAD = 3  # days: what falls due soon is on the telephone as well, for days without a network
PAGE = 50
RENEW_AHEAD = 30  # days before the end of a consent that the keeper is asked to have it given again
FILTERS = ("due", "told", "consent", "nobody")


def look(by: Actor, entries: Iterable[CareEntry], page: CarePage) -> None:
    """Write down that somebody reads these entries; on lists and telephones once a day each."""
    if by.staff_id is None:
        raise NotAllowed()
    at = now()
    CareAccess.objects.bulk_create([
        CareAccess(entry_id=one.pk, unit_id=one.unit_id, staff_id=by.staff_id, page=page.value, at=at, day=today_of(at))
        for one in entries], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a list: the row, the words that were opened, and whether anybody visits at all."""

    entry: CareEntry
    person: Person
    today: date
    served: bool

    @property
    def late(self) -> int:
        """Days since the visit was due; 0 when it is not late."""
        return max(0, (self.today - self.entry.due_on).days) if self.consented else 0

    @property
    def due(self) -> bool:
        return self.consented and self.entry.due_on <= self.today

    @property
    def consented(self) -> bool:
        return self.entry.consent_until >= self.today

    @property
    def to_renew(self) -> bool:
        return self.entry.consent_until <= self.today + timedelta(days=RENEW_AHEAD)

    @property
    def deleted_on(self) -> date:
        """When the nightly job deletes the entry unless consent is given again."""
        return deleted_on(self.entry)

    @property
    def visits(self) -> Staff:
        """Who visits today."""
        stand_in, until = self.entry.stand_in, self.entry.stand_in_until
        return stand_in if stand_in is not None and until is not None and until >= self.today else self.entry.visitor


@dataclass(frozen=True, slots=True)
class Register:
    """A page of a keeper's list. `counts` are of the whole register, by filter."""

    lines: Sequence[Line]
    total: int
    counts: dict[str, int]
    page: int
    more: bool


def deleted_on(entry: CareEntry) -> date:
    return entry.consent_until + LAPSE + timedelta(days=1)


def _served() -> Exists:
    """Whether the visitor still is a grid worker of the unit."""
    return Exists(RoleGrant.objects.filter(staff_id=OuterRef("visitor_id"), unit_id=OuterRef("unit_id"), role=VISITOR,
                                           ended_at__isnull=True, staff__is_active=True))


def _rows(rule: Q) -> QuerySet[CareEntry]:
    return CareEntry.objects.filter(rule).select_related("unit", "area", "visitor", "stand_in")


def _narrowed(rows: QuerySet[CareEntry], only: str, on: date) -> QuerySet[CareEntry]:
    if only == "due":
        return rows.filter(due_on__lte=on, consent_until__gte=on)
    if only == "told":
        return rows.exclude(told="")
    if only == "consent":
        return rows.filter(consent_until__lte=on + timedelta(days=RENEW_AHEAD))
    return rows.filter(~_served()) if only == "nobody" else rows


def register(by: Actor, *, only: str = "", text: str = "", page: int = 1) -> Register:
    """A keeper's entries, what is due first. `text` looks in names. Raises NotAllowed for everybody else.

    Names are sealed: they are opened one by one to be compared, and only what is shown counts as read.
    """
    if not is_keeper(by):
        raise NotAllowed(_("关爱登记只有登记管理员能看。"))
    on = today_of(now())
    whole = _rows(kept_by(by))
    counts = {one: _narrowed(whole, one, on).count() for one in FILTERS}
    rows = _narrowed(whole, only, on).annotate(served=_served()).order_by("due_on", "id")
    if wanted := "".join(text.split()):
        found = [row for row in rows if wanted in "".join(opened(row, "name").name.split())]
    else:
        found = list(rows)
    page = min(max(1, page), max(1, -(-len(found) // PAGE)))
    first = (page - 1) * PAGE
    shown = found[first : first + PAGE]
    look(by, shown, CarePage.LIST)
    lines = [Line(row, opened(row, "name"), on, bool(getattr(row, "served", False))) for row in shown]
    return Register(lines, len(found), counts, page, len(found) > first + PAGE)


@dataclass(frozen=True, slots=True)
class Visited:
    """One visit with its note in clear."""

    visit: CareVisit
    note: str


@dataclass(frozen=True, slots=True)
class File:
    """One entry opened: all that is held about its person, and who did and read what."""

    line: Line
    visits: Sequence[Visited]
    steps: Sequence[CareStep]
    reads: Sequence[CareAccess]

    @property
    def entry(self) -> CareEntry:
        return self.line.entry

    @property
    def person(self) -> Person:
        return self.line.person


def kept(by: Actor, pk: uuid.UUID, *, lock: bool = False) -> CareEntry:
    """An entry for its keeper. Raises NotFound: to others there is none."""
    rows = CareEntry.objects.select_for_update() if lock else CareEntry.objects.select_related("unit", "area", "visitor", "stand_in")
    found = rows.filter(kept_by(by), pk=pk).first() if is_keeper(by) else None
    if found is None:
        raise NotFound(_("没有找到这条登记。可能本人已经撤回，登记已删除。"))
    return found


def file_of(by: Actor, pk: uuid.UUID, *, page: CarePage = CarePage.ENTRY) -> File:
    """Open an entry for its keeper, once it is written down. What the keeper was to be told is told then. Raises NotFound."""
    with transaction.atomic():
        entry = kept(by, pk)
        look(by, [entry], page)
        if page is CarePage.ENTRY and entry.told:
            # Only what was shown is told: not what comes in at this moment.
            CareEntry.objects.filter(pk=pk, told=entry.told, told_at=entry.told_at).update(told="", told_at=None)
        served = CareEntry.objects.filter(_served(), pk=pk).exists()
        visits = [Visited(one, opened_note(one)) for one in entry.visits.select_related("by").order_by("-at", "-id")]
        return File(
            Line(entry, opened(entry), today_of(now()), served), visits,
            list(CareStep.objects.filter(entry_id=pk).select_related("by").order_by("-id")),
            list(CareAccess.objects.filter(entry_id=pk).select_related("staff", "unit").order_by("-at", "-id")),
        )


def to_visit(by: Actor, *, page: CarePage, ahead: int = AHEAD) -> list[Line]:
    """What somebody has to visit today and in the next `ahead` days, soonest first: name, address, telephone and what the
    person asked for – not whom they trust, which the keeper has."""
    on = today_of(now())
    rows = list(_rows(visited_by(by, on)).filter(due_on__lte=on + timedelta(days=ahead)).order_by("due_on", "id"))
    look(by, rows, page)
    return [Line(row, opened(row, "name", "address", "phone", "purpose"), on, True) for row in rows]


def visitors(by: Actor) -> list[Staff]:
    """Who may visit for the registers somebody keeps: grid workers of their units."""
    held = RoleGrant.objects.filter(role=VISITOR, ended_at__isnull=True, unit_id__in=[one.unit_id for one in keeping(by)])
    return list(Staff.objects.filter(is_active=True, pk__in=held.values("staff_id")).order_by("name", "pk"))


def serving(by: Actor) -> list[Staff]:
    """Who is down as a visitor of the entries somebody keeps, whether still in post or not."""
    return list(Staff.objects.filter(pk__in=CareEntry.objects.filter(kept_by(by)).values("visitor_id")).order_by("name", "pk"))


def units_at(by: Actor, area: Area) -> list[int]:
    """The units whose register somebody keeps at a place: within the area of their grant, else of the unit."""
    grants = keeping(by)
    own = dict(Unit.objects.filter(pk__in=[one.unit_id for one in grants]).values_list("pk", "area_id"))

    def reaches(area_id: int | None) -> bool:
        return area_id is None or Area.objects.filter(within(area_id, prefix=""), pk=area.pk).exists()

    return [one.unit_id for one in grants if reaches(one.area_id or own[one.unit_id])]


def may_visit(person: Staff, unit_id: int) -> bool:
    """Whether somebody may be a visitor of a unit's register."""
    return person.is_active and RoleGrant.objects.filter(staff=person, unit_id=unit_id, role=VISITOR, ended_at__isnull=True).exists()


def waiting(by: Actor) -> int:
    """How many entries a keeper has something to be told of."""
    return CareEntry.objects.filter(kept_by(by)).exclude(told="").count() if is_keeper(by) else 0


def told(by: Actor) -> list[tuple[CareEntry, str]]:
    """The entries a keeper is told of, oldest first, with what: without the person."""
    rows = CareEntry.objects.filter(kept_by(by)).exclude(told="").select_related("area", "unit") if is_keeper(by) else ()
    return [(one, str(Told(one.told).label)) for one in sorted(rows, key=lambda one: one.told_at or one.made_at)]
