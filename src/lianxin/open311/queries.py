"""Requests as they are answered: from the public records, and exactly for whoever posted them.

Everything anyone may read comes from `publishing`. The cases themselves are read for the holder of the key they were posted with
alone – and, of what has no record of its own yet, for whoever has its id, one thing more: the service it was posted under.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q
from django.utils.timezone import localtime

from lianxin.cases import narrative
from lianxin.cases.models import TERMINAL, Case, Channel, Event, State
from lianxin.cases.reference import Reference, reference
from lianxin.cases.retention import GONE
from lianxin.faces.machines import Caller
from lianxin.kernel.ids import normalise_case_number
from lianxin.publishing.models import Record, Stage
from lianxin.publishing.records import case_number_of, record_of, reference_of
from lianxin.publishing.references import normalised

from .asked import CAP, Slice, Span
from .services import OTHER, Catalogue, catalogue

OPEN, CLOSED = "open", "closed"
ENDED: Final = (Stage.CLOSED, Stage.DECLINED)
DESCRIPTION: Final = 4_000
FIELDS: Final = ("number", "stage", "category_id", "unit_id", "area_id", "opened_at", "closed_at", "due_at", "changed_at", "lon", "lat",
                 "cleared", "title", "body", "answer", "precision", "dated")


def w3c(at: datetime | None) -> str | None:
    """A moment as the specification has it, to the second, in the city's zone."""
    return None if at is None else localtime(at).isoformat(timespec="seconds")


@dataclass(slots=True)
class Sight:
    """What rows are made with: the reference tables and the services, in the language of the request."""

    held: Reference = field(default_factory=reference)
    services: Catalogue = field(default_factory=catalogue)
    _addresses: dict[int, str] = field(default_factory=dict)

    def service(self, category_id: int | None) -> tuple[str, str]:
        """Code and name; of what has no category, of the service for what fits nothing."""
        found = self.services.by_category.get(category_id) if category_id is not None else None
        found = found or self.services.services[OTHER]
        return found.code, found.name

    def address(self, area_id: int | None) -> str | None:
        """The names of an area and what it lies in, the smallest first."""
        if area_id is None or area_id not in self.held.places:
            return None
        if area_id not in self._addresses:
            line = self.held.places[area_id].lineage
            self._addresses[area_id] = ", ".join(self.held.places[pk].said for pk in line)
        return self._addresses[area_id]

    def area_code(self, area_id: int | None) -> str | None:
        place = self.held.places.get(area_id) if area_id is not None else None
        return place.code if place else None

    def unit(self, unit_id: int | None) -> str | None:
        body = self.held.units.get(unit_id) if unit_id is not None else None
        return body.said if body else None


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. `opened` and `changed` are spans of the times that are shown."""

    codes: Sequence[str] = ()
    statuses: Sequence[str] = ()
    opened: Span | None = None
    changed: Span | None = None


def _request(*, number: str, status: str, notes: str | None, service: tuple[str, str], description: str | None, agency: str | None,
             requested: datetime, updated: datetime | None, expected: datetime | None, address: str | None, address_id: str | None,
             lat: float | None, lon: float | None) -> dict[str, Any]:
    """One request, its fields in the order of the specification. Nobody's picture is shown, so there is no media_url."""
    return {
        "service_request_id": number, "status": status, "status_notes": notes, "service_name": service[1], "service_code": service[0],
        "description": description, "agency_responsible": agency, "service_notice": None, "requested_datetime": w3c(requested),
        "updated_datetime": w3c(updated), "expected_datetime": w3c(expected), "address": address, "address_id": address_id,
        "zipcode": None, "lat": lat, "long": lon, "media_url": None,
    }


def of_record(row: dict[str, Any], sight: Sight) -> dict[str, Any]:
    """A public record as a request."""
    ended = row["stage"] in ENDED
    words = "\n\n".join(part for part in (row["title"], row["body"]) if part)[:DESCRIPTION] if row["cleared"] else ""
    return _request(
        number=row["number"], status=CLOSED if ended else OPEN, notes=row["answer"] or str(Stage(row["stage"]).label),
        service=sight.service(row["category_id"]), description=words or None, agency=sight.unit(row["unit_id"]),
        requested=row["opened_at"], updated=row["closed_at"] if ended and row["closed_at"] else row["changed_at"],
        expected=row["due_at"], address=sight.address(row["area_id"]), address_id=sight.area_code(row["area_id"]),
        lat=row["lat"], lon=row["lon"])


def _extended(row: dict[str, Any]) -> dict[str, Any]:
    """What is told beside the specification's fields, with `extensions=true`: how exact a record is, and its notes."""
    return {"extended_attributes": {"stage": row["stage"], "precision": row["precision"], "dated": row["dated"]},
            "notes": notes_of_record(row)}


def notes_of_record(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What the public knows of a request's life, oldest first."""
    notes = [{"datetime": w3c(row["opened_at"]), "description": str(Stage.RECEIVED.label), "type": str(Stage.RECEIVED)}]
    if row["stage"] != Stage.RECEIVED:
        at = row["closed_at"] if row["stage"] in ENDED and row["closed_at"] else row["changed_at"]
        notes.append({"datetime": w3c(at), "description": row["answer"] or str(Stage(row["stage"]).label), "type": row["stage"]})
    return notes


def _narrowed(filters: Filters, sight: Sight) -> Q:
    found = Q()
    if filters.opened is not None:
        found &= Q(opened_at__gte=filters.opened.start, opened_at__lte=filters.opened.end)
    if filters.changed is not None:
        found &= Q(changed_at__gte=filters.changed.start, changed_at__lte=filters.changed.end)
    if filters.codes:
        ids = [sight.held.nodes_by_code[code].id for code in filters.codes if code in sight.held.nodes_by_code]
        found &= Q(category_id__in=ids) | Q(category__isnull=True) if OTHER in filters.codes else Q(category_id__in=ids)
    if len(set(filters.statuses)) == 1:
        found &= Q(stage__in=ENDED) if filters.statuses[0] == CLOSED else ~Q(stage__in=ENDED)
    return found


def listed(filters: Filters, part: Slice, *, extensions: bool = False) -> list[dict[str, Any]]:
    """The requests that fit, newest first; those changed last first where a time of change is asked for. One query for the first page,
    two for a later one: where it begins is read from the index alone, and only its own rows are fetched."""
    sight = Sight()
    by = "changed_at" if filters.changed is not None else "opened_at"
    found = Record.objects.filter(_narrowed(filters, sight)).order_by(f"-{by}", "number")
    if part.offset:
        first = found.values_list(by, "number")[part.offset : part.offset + 1].first()
        if first is None:
            return []
        at, number = first
        found = found.filter(Q(**{f"{by}__lt": at}) | Q(number__gte=number), **{f"{by}__lte": at})
    rows = found.values(*FIELDS)[: part.size]
    return [of_record(row, sight) | (_extended(row) if extensions else {}) for row in rows]


def _as_row(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FIELDS}


def _fresh(numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What has no record of its own yet, for whoever has its id: where it stands, and the service it was posted under. One query for
    ids that nobody was given, however many are tried."""
    behind = {case_number: number for number in numbers if (case_number := case_number_of(number))}
    cases = Case.objects.filter(number__in=list(behind)).values_list("number", "pk", "channel", "category_id") if behind else ()
    found = {}
    for case_number, pk, channel, category_id in cases:
        record = record_of(pk)
        if record is not None:
            row = _as_row(record)
            found[behind[case_number]] = row | {"category_id": category_id} if channel == Channel.OPEN311 and category_id else row
    return found


def _references(said: Sequence[str]) -> list[str]:
    """The references that ids stand for, each once, in order: an id is one itself, or the number of a case whose own number is public.
    What is neither is left out. One query at most."""
    numbers = {one: number for one in said if not normalised(one) and (number := normalise_case_number(one))}
    public = dict(Record.objects.filter(case_number__in=list(numbers.values())).values_list("case_number", "number")) if numbers else {}
    return list(dict.fromkeys(made for one in said if (made := normalised(one) or public.get(numbers.get(one, ""), ""))))


def by_ids(said: Iterable[str], caller: Caller | None, *, extensions: bool = False) -> list[dict[str, Any]]:
    """Requests by their ids, in the order they were asked for; what is not there is left out. The caller's own are exact."""
    sight = Sight()
    numbers = _references(list(said)[:CAP])
    own = of_caller(numbers, caller, sight, extensions=extensions)
    others = [one for one in numbers if one not in own]
    rows: dict[str, dict[str, Any]] = {row["number"]: row for row in Record.objects.filter(number__in=others).values(*FIELDS)}
    rows |= _fresh([one for one in others if one not in rows])
    return [own[number] if number in own else of_record(rows[number], sight) | (_extended(rows[number]) if extensions else {})
            for number in numbers if number in own or number in rows]


def own_cases(caller: Caller) -> Q:
    """The cases that were posted with this key: by the account it belongs to."""
    return Q(channel=Channel.OPEN311, registered_by_id=caller.actor.staff_id)


def of_caller(numbers: Sequence[str], caller: Caller | None, sight: Sight, *, extensions: bool = False) -> dict[str, dict[str, Any]]:
    """Those of the caller's own, by id. Three queries however many there are, and one more for each with `extensions`."""
    if caller is None or not numbers:
        return {}
    cases = list(Case.objects.filter(own_cases(caller), number__in=[case_number_of(number) for number in numbers])
                 .select_related("lead_unit", "master", "master__lead_unit"))
    last: dict[UUID, datetime] = dict(
        Event.objects.filter(case_id__in=[case.pk for case in cases], public=True).order_by().values("case_id")
        .annotate(last=Max("at")).values_list("case_id", "last"))
    found = {}
    for case in cases:
        number = reference_of(case.number)
        row = of_case(case, number, last.get(case.pk), sight)
        if extensions:
            from .updates import notes_of_case

            row |= {"extended_attributes": {"stage": case.state, "precision": "exact", "dated": "exact"}, "notes": notes_of_case(case)}
        found[number] = row
    return found


def is_closed(case: Case) -> bool:
    """Merged ones are open as long as what they were merged with is."""
    judged = case.master if case.state == State.MERGED and case.master is not None else case
    return judged.state in TERMINAL


def of_case(case: Case, number: str, changed: datetime | None, sight: Sight) -> dict[str, Any]:
    """A case as its poster sees it: exactly, in their own words."""
    closed = is_closed(case)
    return _request(
        number=number, status=CLOSED if closed else OPEN, notes=narrative.headline(case), service=sight.service(case.category_id),
        description=None if case.words == GONE else case.words[:DESCRIPTION],
        agency=case.lead_unit.said if case.lead_unit else None, requested=case.registered_at,
        updated=(case.closed_at if closed else None) or changed or case.registered_at, expected=case.due_at,
        address=case.place_text or sight.address(case.area_id), address_id=sight.area_code(case.area_id), lat=case.lat, lon=case.lon)
