"""Keeps the public records: reads again what the log says has changed, and shows what has found a crowd.

Three kinds of cases: cleared ones have a record at once; others wait (`Waiting`) until their day, week or month is over and enough of
them look alike, and then keep what was shown of place, time and category; the rest has none. Cost is by what changed and what waits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import h3.api.basic_int as h3
from django.db import connection, transaction
from django.utils.timezone import localtime

from lianxin.analysis.facts import by_index, settled
from lianxin.cases.models import Case, Category, Publicity
from lianxin.cases.reference import Reference, reference
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import cell as cell_of
from lianxin.kernel.ids import normalise_case_number
from lianxin.places.models import Area

from . import records_sql, rules
from .models import Dated, Precision, Record, Standing, Waiting
from .references import case_number_of, normalised, reference_of

BATCH: Final = 1_000
CELL: Final = 10  # H3 resolution: cells whose edge is some 75 metres
LIKENESS = ("precision", "dated", "area_id", "county_id", "category_id", "lon", "lat", "cell", "cleared")
SHOWN: Final = tuple(one.attname for one in Record._meta.concrete_fields if one.attname not in ("case_id", "changed_at", "revision"))


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did: cases read, records written, records taken away, cases that wait for a crowd, the revision reached."""

    cases: int
    written: int
    gone: int
    waiting: int
    revision: int
    at: datetime


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


def _matters(cases: Sequence[uuid.UUID]) -> list[Matter]:
    with connection.cursor() as cursor:
        cursor.execute(records_sql.MATTERS, {"cases": list(cases)})
        return [Matter(*row) for row in cursor.fetchall()]


@dataclass(slots=True)
class _Sight:
    """What records are made with: the reference tables, how finely each category is shown, positions of areas."""

    held: Reference = field(default_factory=reference)
    publicity: dict[int, str] = field(default_factory=lambda: dict(Category.objects.values_list("id", "publicity")))
    at: datetime = field(default_factory=now)
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

    def may_be_shown(self, matter: Matter) -> bool:
        return matter.category_id is not None and rules.may_be_shown(
            confidential=matter.confidential, kind=matter.kind, state=matter.state,
            publicity=self.publicity.get(matter.category_id, Publicity.COUNT))

    def is_cleared(self, matter: Matter) -> bool:
        return matter.cleared and rules.may_be_cleared(confidential=matter.confidential, state=matter.state)

    # ------------------------------------------------------------------ what is shown of where, when and what

    def _place(self, area_id: int | None) -> dict[str, Any]:
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


def _shown_by(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in LIKENESS}


@dataclass(slots=True)
class _Run:
    """One refresh: reads, decides, writes."""

    sight: _Sight
    revision: int
    today: date
    cases: int = 0
    written: int = 0
    gone: int = 0
    late: bool = False

    def read(self, cases: Sequence[uuid.UUID]) -> None:
        """Some cases, by what the tables say now."""
        held, fresh, waiting, gone = Record.objects.in_bulk(list(cases)), [], [], []
        for matter in _matters(cases):
            self.cases += 1
            earlier = held.get(matter.id)
            if self.sight.is_cleared(matter):
                fresh.append(self.sight.record(matter, self.sight.cleared(matter)))
                gone.append(matter.id)
            elif not self.sight.may_be_shown(matter):
                gone.append(matter.id)
            elif earlier is not None and not earlier.cleared and self.sight.still_true(earlier, matter):
                fresh.append(self.sight.record(matter, _shown_by(earlier)))
            else:
                waiting.append(self._waits(matter))
        kept = {record.case_id for record in fresh}
        self._remove([pk for pk in held if pk not in kept])
        Waiting.objects.filter(pk__in=gone).delete()
        Waiting.objects.bulk_create(
            waiting, update_conflicts=True, unique_fields=["case"],
            update_fields=["day", "village", "town", "county", "leaf", "middle", "top"])
        self._write([one for one in fresh if one.case_id not in held or self._differs(held[one.case_id], one)])

    def _waits(self, matter: Matter) -> Waiting:
        levels, line = self.sight.by_level(matter.area_id), self.sight.line_of(matter.category_id)
        day = localtime(matter.registered_at).date()
        self.late = self.late or day < self.today
        return Waiting(case_id=matter.id, day=day, village=levels.get("village"), town=levels.get("town"), county=levels.get("county"),
                       leaf=line[0], middle=line[max(len(line) - 2, 0)], top=line[-1])

    @staticmethod
    def _differs(one: Record, other: Record) -> bool:
        return any(getattr(one, name) != getattr(other, name) for name in SHOWN)

    def _write(self, records: list[Record]) -> None:
        for record in records:
            record.revision = self.revision
        Record.objects.bulk_create(records, update_conflicts=True, unique_fields=["case"],
                                   update_fields=[*(name.removesuffix("_id") for name in SHOWN), "changed_at", "revision"])
        self.written += len(records)

    def _remove(self, cases: Sequence[uuid.UUID]) -> None:
        self.gone += Record.objects.filter(pk__in=cases).delete()[0] if cases else 0

    def gather(self) -> None:
        """Whoever waits and whose span is over: those who look alike, finest likeness first, get their records together."""
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")  # the first time there may be years to group
            for number, (level, statement) in enumerate(zip(rules.LEVELS, records_sql.CROWDS, strict=True)):
                cursor.execute(statement, {"k": rules.K, "level": number, "bound": rules.bound(level.dated, self.today)})
        last = uuid.UUID(int=0)
        while found := {pk: level for pk, level in Waiting.objects.filter(level__isnull=False, pk__gt=last).order_by("pk").values_list(
                "pk", "level")[:BATCH] if level is not None}:
            last = max(found)
            self._write([self.sight.record(matter, self.sight.at_level(matter, rules.LEVELS[found[matter.id]]))
                         for matter in _matters(list(found))])
            Waiting.objects.filter(pk__in=list(found)).delete()


def _changed(read_to: uuid.UUID | None) -> Iterator[list[uuid.UUID]]:
    """Cases to read, in batches."""
    if read_to is None:
        last = uuid.UUID(int=0)
        while batch := list(Case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            yield batch
            last = batch[-1]
        return
    with connection.cursor() as cursor:
        cursor.execute(records_sql.CHANGED, {"read_to": read_to})
        cases = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(cases), BATCH):
        yield cases[start : start + BATCH]


def refresh(*, whole: bool = False) -> Refreshed:
    """Read what the log says has changed; with `whole` every case again. Run twice it changes nothing.

    One transaction and one revision: readers that follow by `Record.revision` up to `Standing.revision` miss nothing. Two at once
    wait for each other.
    """
    with transaction.atomic():
        Standing.objects.get_or_create(pk=1)
        held = Standing.objects.select_for_update().get(pk=1)
        run = _Run(_Sight(), held.revision + 1, localtime(now()).date())
        read_to = settled()
        another_day = held.at is None or localtime(held.at).date() != run.today
        with by_index():
            for batch in _changed(None if whole else held.read_to):
                run.read(batch)
            if another_day:
                with connection.cursor() as cursor:
                    cursor.execute(records_sql.ONLY_COUNTED)
                    counted = [row[0] for row in cursor.fetchall()]
                for start in range(0, len(counted), BATCH):
                    run.read(counted[start : start + BATCH])
        if another_day or run.late or whole:
            run.gather()
        held.revision = run.revision if run.written or run.gone else held.revision
        held.read_to, held.at = read_to, run.sight.at
        held.save()
        waiting = Waiting.objects.count()
    if run.written > 10_000:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE publishing_record")
    return Refreshed(run.cases, run.written, run.gone, waiting, held.revision, held.at)


# Until a crowd is found, whoever holds the reference sees this much.
ALONE: Final = rules.Level(Precision.CITY, Dated.DAY, "top")


def record_of(case_id: uuid.UUID) -> Record | None:
    """What the record of one case would be now, unsaved; None when it has none. One that waits for a crowd shows the day, the top
    category and the city: for whoever has its reference, which says nothing and cannot be guessed."""
    sight = _Sight()
    matter = next(iter(_matters([case_id])), None)
    if matter is None:
        return None
    if sight.is_cleared(matter):
        return sight.record(matter, sight.cleared(matter))
    if not sight.may_be_shown(matter):
        return None
    earlier = Record.objects.filter(pk=case_id, cleared=False).first()
    shown = _shown_by(earlier) if earlier and sight.still_true(earlier, matter) else sight.at_level(matter, ALONE)
    return sight.record(matter, shown)


def published(said: str) -> Record | None:
    """The record of a reference, or of a case's own number where words were cleared: the saved one; for a reference of a case that
    has none yet, what it would be now."""
    saved = Record.objects.select_related("category", "area", "county", "unit")
    reference = normalised(said)
    if not reference:
        number = normalise_case_number(said)
        return saved.filter(case_number=number).first() if number else None
    found = saved.filter(number=reference).first()
    if found is not None:
        return found
    number = case_number_of(reference)
    case_id = Case.objects.filter(number=number).values_list("pk", flat=True).first() if number else None
    return record_of(case_id) if case_id is not None else None


__all__ = ["Refreshed", "case_number_of", "published", "record_of", "reference_of", "refresh"]
