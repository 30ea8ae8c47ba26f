"""What the records are made with: what is known of a case, and what the rules show of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import h3.api.basic_int as h3
from django.db import connection

from lianxin.cases.models import Category, Publicity
from lianxin.cases.reference import Reference, reference
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import cell as cell_of
from lianxin.places.models import Area

from . import records_sql, rules
from .models import Dated, Precision, Record
from .references import reference_of

CELL: Final = 10  # H3 resolution: cells whose edge is some 75 metres
LIKENESS: Final = ("precision", "dated", "area_id", "county_id", "category_id", "lon", "lat", "cell", "cleared")


@dataclass(frozen=True, slots=True)
class Matter:
    """What the rules judge of one case; see records_sql.MATTERS."""

    id: uuid.UUID
    number: str
    state: str
    kind: str
    confidential: bool
    category_id: int | None
    area_id: int | None
    unit_id: int | None
    lon: float | None
    lat: float | None
    registered_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    met_at: datetime | None
    solved: bool | None
    cleared: bool
    title: str | None
    body: str | None
    cleared_area_id: int | None
    answer: str | None


def matters(cases: Sequence[uuid.UUID]) -> list[Matter]:
    with connection.cursor() as cursor:
        cursor.execute(records_sql.MATTERS, {"cases": list(cases)})
        return [Matter(*row) for row in cursor.fetchall()]


@dataclass(slots=True)
class Sight:
    """What records are made with: the reference tables, how finely each category is shown, positions of areas."""

    held: Reference = field(default_factory=reference)
    publicity: dict[int, str] = field(default_factory=lambda: dict(Category.objects.values_list("id", "publicity")))
    at: datetime = field(default_factory=now)
    _shown: dict[int | None, dict[str, Any]] = field(default_factory=dict)
    _positions: dict[int, tuple[float | None, float | None]] = field(default_factory=dict)

    def position(self, area_id: int | None) -> tuple[float | None, float | None]:
        if area_id is None:
            return None, None
        if area_id not in self._positions:
            lon, lat = Area.objects.values_list("lon", "lat").get(pk=area_id)
            self._positions[area_id] = (lon, lat) if lon is not None and lat is not None else (None, None)
        return self._positions[area_id]

    def lineage(self, area_id: int | None) -> tuple[int, ...]:
        place = self.held.places.get(area_id) if area_id is not None else None
        return place.lineage if place else ()

    def line_of(self, category_id: int | None) -> tuple[int, ...]:
        node = self.held.nodes.get(category_id) if category_id is not None else None
        return node.lineage if node else ()

    def by_level(self, area_id: int | None) -> dict[str, int]:
        """The areas of a lineage by level."""
        return {self.held.places[pk].level: pk for pk in self.lineage(area_id)}

    @property
    def city(self) -> int | None:
        return next((place.id for place in self.held.places.values() if place.level == "city"), None)

    def shows(self, *, confidential: bool, kind: str, state: str, category_id: int | None) -> bool:
        """Whether a case like this may have a record without being cleared."""
        return category_id is not None and rules.may_be_shown(
            confidential=confidential, kind=kind, state=state, publicity=self.publicity.get(category_id, Publicity.COUNT))

    def may_be_shown(self, matter: Matter) -> bool:
        return self.shows(confidential=matter.confidential, kind=matter.kind, state=matter.state, category_id=matter.category_id)

    def is_cleared(self, matter: Matter) -> bool:
        return matter.cleared and rules.may_be_cleared(confidential=matter.confidential, state=matter.state)

    # ------------------------------------------------------------------ what is shown of where, when and what

    def _place(self, area_id: int | None) -> dict[str, Any]:
        if area_id not in self._shown:
            self._shown[area_id] = self._shown_place(area_id)
        return self._shown[area_id]

    def _shown_place(self, area_id: int | None) -> dict[str, Any]:
        levels = self.by_level(area_id)
        level = next((one for one in ("village", "town", "county") if one in levels), "city")
        shown = levels.get(level, self.city)
        lon, lat = self.position(shown) if level != "city" else (None, None)
        return {"precision": Precision(level), "area_id": shown, "county_id": levels.get("county"), "lon": lon, "lat": lat, "cell": None}

    def cleared(self, matter: Matter) -> dict[str, Any]:
        """A cleared matter: its village, its times, its words."""
        return {**self._place(matter.cleared_area_id), "dated": Dated.EXACT, "category_id": matter.category_id, "cleared": True}

    def at_level(self, matter: Matter, level: rules.Level) -> dict[str, Any]:
        """A matter that found a crowd at a level; in public space the cell it lies in."""
        line = self.line_of(matter.category_id)
        keys = {"leaf": line[0], "middle": line[max(len(line) - 2, 0)], "top": line[-1]} if line else {}
        shown = {**self._place(self.by_level(matter.area_id).get(level.place)), "dated": level.dated, "cleared": False,
                 "category_id": keys.get(level.category)}
        if (level.place == Precision.VILLAGE and matter.lon is not None and matter.lat is not None
                and self.publicity.get(matter.category_id or 0) == Publicity.CELL):
            cell = cell_of(matter.lon, matter.lat, CELL)
            lat, lon = h3.cell_to_latlng(cell)
            shown |= {"precision": Precision.CELL, "cell": cell, "lon": lon, "lat": lat}
        return shown

    def still_true(self, record: Record, matter: Matter) -> bool:
        """Whether what an uncleared record shows is still so, if coarsely: place and category may have been corrected."""
        place = record.precision == Precision.CITY or record.area_id in self.lineage(matter.area_id)
        return place and (record.category_id is None or record.category_id in self.line_of(matter.category_id))

    def record(self, matter: Matter, shown: dict[str, Any]) -> Record:
        """The record of a matter, unsaved. `shown` is one of the above, or what an earlier record shows."""
        dated, cleared = shown["dated"], shown["cleared"]
        leaf = shown["category_id"] is not None and shown["category_id"] == matter.category_id
        unit = self.held.units.get(matter.unit_id) if matter.unit_id is not None else None
        named = unit is not None and (cleared or rules.unit_gives_nothing_away(
            self.lineage(unit.area_id), self.lineage(shown["area_id"]), leaf))
        stage = rules.stage_of(matter.state)
        assert stage is not None
        return Record(
            case_id=matter.id, number=reference_of(matter.number), case_number=matter.number if cleared else "",
            kind=matter.kind if leaf or cleared else "", unit_id=matter.unit_id if named else None, stage=stage,
            opened_at=rules.time_shown(dated, matter.registered_at),
            due_at=rules.shown_time(dated, matter.due_at) if leaf or cleared else None,
            closed_at=rules.shown_time(dated, matter.closed_at),
            on_time=matter.met_at <= matter.due_at if matter.met_at and matter.due_at else None,
            solved=matter.solved, title=(matter.title or "") if cleared else "", body=(matter.body or "") if cleared else "",
            answer=(matter.answer or "") if cleared else "",
            changed_at=rules.shown_change(cleared, self.at), revision=0, **shown)


def shown_by(record: Record) -> dict[str, Any]:
    """What a record shows of place, time and category, to be shown again."""
    return {name: getattr(record, name) for name in LIKENESS}
