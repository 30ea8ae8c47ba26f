"""Categories, limits and the catalogue in force, held in memory: read by every register and dispatch.

The picture is frozen and shared by threads. It is read again when the city was loaded anew or a catalogue version
came into force; the check costs one query and runs at most every `FRESH_FOR` seconds.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import F

from lianxin.kernel.clock import now
from lianxin.kernel.language import named
from lianxin.organisations.models import Unit
from lianxin.places.models import Area, City
from lianxin.worktime import AnyCalendar

from .calendars import loaded
from .models import (
    CatalogueRule,
    CatalogueVersion,
    Category,
    ClockKind,
    DutyLimit,
    Kind,
    NoticeRule,
    TimeLimit,
    Urgency,
)

FRESH_FOR = 2.0


@dataclass(frozen=True, slots=True)
class Node:
    """One category with the codes of its ancestors, itself first."""

    id: int
    code: str
    name: str
    name_en: str
    is_leaf: bool
    kind: str
    urgency: str
    field_matter: bool
    complex_allowed: bool
    active: bool
    lineage: tuple[int, ...]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)


@dataclass(frozen=True, slots=True)
class Place:
    """One area with its ancestors' ids, itself first; `county_id` is set from county level down."""

    id: int
    code: str
    name: str
    name_en: str
    level: str
    lineage: tuple[int, ...]
    county_id: int | None

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)


@dataclass(frozen=True, slots=True)
class Body:
    """One unit as dispatch needs it."""

    id: int
    code: str
    name: str
    name_en: str
    kind: str
    calendar: str
    area_id: int | None
    active_from: date | None
    active_to: date | None

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def open_on(self, day: date) -> bool:
        return (self.active_from is None or self.active_from <= day) and (
            self.active_to is None or day < self.active_to
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Minutes in `calendar`'s own time; `of_a_unit` says that the row they come from is for one unit."""

    sign_for: int
    first_contact: int
    resolve: int
    calendar: str
    of_a_unit: bool = False


@dataclass(frozen=True, slots=True)
class Duty:
    """Minutes in `calendar`'s own time for one duty."""

    minutes: int
    calendar: str


# Where the city's file says nothing: a working day for what a desk decides, three for a callback, an hour for a call back.
PLAIN_DUTIES: dict[str, Duty] = {
    ClockKind.RULING: Duty(420, "working"), ClockKind.EXTENSION: Duty(420, "working"),
    ClockKind.CALLBACK: Duty(1260, "working"), ClockKind.SUPERVISION: Duty(1260, "working"),
    ClockKind.HANDOVER: Duty(120, "around_the_clock"), ClockKind.MISSED_CALL: Duty(60, "around_the_clock"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the catalogue says: the rule, the lead unit, the assisting units, what it rests on. Every unit is open."""

    rule_id: int
    lead: Body
    assisting: tuple[Body, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class Reference:
    marker: tuple[object, ...]
    nodes: dict[int, Node]
    nodes_by_code: dict[str, Node]
    places: dict[int, Place]
    places_by_code: dict[str, Place]
    units: dict[int, Body]
    units_by_code: dict[str, Body]
    limits: tuple[TimeLimit, ...]
    rules: dict[tuple[int | None, int | None], tuple[CatalogueRule, ...]]
    version: int
    duties: tuple[DutyLimit, ...] = ()
    notice_rules: tuple[NoticeRule, ...] = ()
    calendars: dict[str, AnyCalendar] = field(default_factory=dict)

    def limits_for(
        self, *, category_id: int | None, kind: str, urgency: str, on: date, track: str = TimeLimit.Case.ORDINARY,
        unit_id: int | None = None,
    ) -> Limits:
        """The most specific limit in force on `on`: by category (nearest first), then by urgency, kind and unit. For what is urgent
        a row about urgency goes before any category.

        Raises LookupError when the city's table has no row that fits: loading refuses such a table.
        """
        if track == TimeLimit.Case.REOPENED and urgency == Urgency.URGENT and not any(
            row.track == track and row.urgency == urgency for row in self.limits
        ):
            track = TimeLimit.Case.ORDINARY  # what was urgent stays urgent: reopening is no way to gain days
        lineage = self.nodes[category_id].lineage if category_id in self.nodes else ()
        best: tuple[tuple[int, ...], TimeLimit] | None = None
        for row in self.limits:
            if row.track != track or row.valid_from > on or (row.valid_to is not None and on >= row.valid_to):
                continue
            if (row.kind and row.kind != kind) or (row.urgency and row.urgency != urgency):
                continue
            if row.category_id is not None and row.category_id not in lineage:
                continue
            if row.unit_id is not None and row.unit_id != unit_id:
                continue
            nearness = len(lineage) - lineage.index(row.category_id) if row.category_id is not None else 0
            rank = (1 if row.urgency else 0, nearness, 1 if row.kind else 0)
            if urgency != Urgency.URGENT:
                rank = (nearness, rank[0], rank[2])
            exact = (*rank, 1 if row.unit_id is not None else 0)
            if best is None or exact > best[0]:
                best = (exact, row)
        if best is None:
            raise LookupError(f"no time limit for kind={kind} urgency={urgency} track={track}")
        row = best[1]
        return Limits(row.sign_for, row.first_contact, row.resolve, row.calendar, row.unit_id is not None)

    def duty_limit(self, duty: str, *, urgency: str, unit_id: int | None, at: datetime) -> Duty:
        """How long one duty may take that starts at `at`: the most specific row – unit, then urgency – else the plain
        limit. Raises KeyError for a kind of clock that is no duty of this sort."""
        on = today_of(at)
        rows = [
            row for row in self.duties
            if row.duty == duty and row.valid_from <= on and (row.valid_to is None or on < row.valid_to)
            and row.urgency in ("", urgency) and row.unit_id in (None, unit_id)
        ]
        if not rows:
            return PLAIN_DUTIES[duty]
        best = max(rows, key=lambda row: (row.unit_id is not None, bool(row.urgency), row.valid_from))
        return Duty(best.minutes, best.calendar)

    def responsible(self, *, category_id: int | None, area_id: int | None, on: date) -> Answer | None:
        """The most specific rule in force: nearest category first, then nearest area. None when there is none.

        A rule whose lead unit is closed on that day is passed over.
        """
        node = self.nodes.get(category_id) if category_id is not None else None
        place = self.places.get(area_id) if area_id is not None else None
        categories: tuple[int | None, ...] = (*(node.lineage if node else ()), None)
        areas: tuple[int | None, ...] = (*(place.lineage if place else ()), None)
        for category in categories:
            for area in areas:
                for rule in self.rules.get((category, area), ()):
                    lead = self.units[rule.lead_unit_id]
                    if (rule.valid_from and rule.valid_from > on) or (rule.valid_to and on >= rule.valid_to):
                        continue
                    if not lead.open_on(on):
                        continue
                    assisting = tuple(
                        body for code in rule.assisting_units
                        if (body := self.units_by_code.get(code)) is not None and body.open_on(on)
                        and body.id != lead.id
                    )
                    return Answer(rule.id, lead, assisting, rule.basis)
        return None


_lock = threading.Lock()
_held: Reference | None = None
_checked: float = 0.0


def _marker() -> tuple[object, ...]:
    city = City.objects.values_list("loaded_at", "content_hash", "grids_version").first()
    version = (
        CatalogueVersion.objects.filter(in_force_from__lte=now()).order_by("-number").values_list("id", flat=True).first()
    )
    return (city, version)


def _lineages(rows: dict[int, int | None]) -> dict[int, tuple[int, ...]]:
    known: dict[int, tuple[int, ...]] = {}

    def climb(key: int) -> tuple[int, ...]:
        if key not in known:
            parent = rows[key]
            known[key] = (key,) if parent is None else (key, *climb(parent))
        return known[key]

    for key in rows:
        climb(key)
    return known


def _read(marker: tuple[object, ...]) -> Reference:
    categories = list(Category.objects.all())
    lineages = _lineages({c.id: c.parent_id for c in categories})
    nodes = {
        c.id: Node(c.id, c.code, c.name, c.name_en, c.is_leaf, c.kind, c.urgency, c.field_matter, c.complex_allowed,
                   c.active, lineages[c.id])
        for c in categories
    }
    areas = list(Area.objects.values_list("id", "code", "name", "name_en", "level", "parent_id", "county_id"))
    area_lines = _lineages({row[0]: row[5] for row in areas})
    places = {
        pk: Place(pk, code, name, name_en, level, area_lines[pk], pk if level == "county" else county)
        for pk, code, name, name_en, level, _parent, county in areas
    }
    units = {
        u.id: Body(u.id, u.code, u.name, u.name_en, u.kind, u.calendar, u.area_id, u.active_from, u.active_to)
        for u in Unit.objects.all()
    }
    rules: dict[tuple[int | None, int | None], list[CatalogueRule]] = {}
    version = CatalogueVersion.objects.filter(in_force_from__lte=now()).order_by("-number").first()
    if version is not None:
        for rule in version.rules.order_by("-valid_from", "id"):
            rules.setdefault((rule.category_id, rule.area_id), []).append(rule)
    return Reference(
        marker=marker,
        nodes=nodes,
        nodes_by_code={n.code: n for n in nodes.values()},
        places=places,
        places_by_code={p.code: p for p in places.values()},
        units=units,
        units_by_code={u.code: u for u in units.values()},
        limits=tuple(TimeLimit.objects.all()),
        rules={key: tuple(value) for key, value in rules.items()},
        version=version.number if version else 0,
        duties=tuple(DutyLimit.objects.all()),
        # In the order in which they speak for any clock: the more time is left the earlier, then the longer it is over.
        notice_rules=tuple(NoticeRule.objects.order_by(F("share_left").desc(nulls_last=True), "minutes_after", "code")),
        calendars=loaded(),
    )


def reference() -> Reference:
    """The picture in force now. Safe to keep for the length of one request."""
    global _held, _checked
    held = _held
    if held is not None and time.monotonic() - _checked < FRESH_FOR:
        return held
    with _lock:
        marker = _marker()
        if _held is None or _held.marker != marker:
            _held = _read(marker)
        _checked = time.monotonic()
        return _held


def forget() -> None:
    """Drop the picture: after a load in this process, and between tests."""
    global _held
    with _lock:
        _held = None


def today_of(at: datetime) -> date:
    """The civil day in the city of an instant."""
    from django.utils.timezone import localtime

    return localtime(at).date()


__all__ = ["Answer", "Body", "Kind", "Limits", "Node", "Place", "Reference", "forget", "reference", "today_of"]
