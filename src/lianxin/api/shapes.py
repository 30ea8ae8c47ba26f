"""What the API says of cases: one place where rows become JSON, and the schemas that describe it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from lianxin.cases.models import Assignment, Attachment, Case, Clock, Linkage
from lianxin.cases.queries import TimelineEntry
from lianxin.cases.queries_clocks import state_of
from lianxin.cases.reference import Body, Node, Place, Reference, reference
from lianxin.kernel.clock import now

from .register import moment

_CASE = "019a0000-0000-7000-8000-000000000000"


class Named(Schema):
    code: str
    name: str


class CaseRow(Schema):
    """A case in a list. Times are ISO 8601 with the city's zone; `due_at` is the answer's due time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _CASE, "number": "26-0000041-2", "state": "in_hand"}]})

    id: UUID
    number: str
    title: str
    words: str
    channel: str
    state: str
    kind: str
    urgency: str
    category: Named | None
    area: Named | None
    county: Named | None
    lead_unit: Named | None
    place_text: str
    registered_at: datetime
    due_at: datetime | None
    due_provisional: bool
    overdue: bool
    paused: bool = Field(description="The promised time stands still.")
    round: int
    returns: int
    master: UUID | None = Field(description="The case this one is handled or was answered with.")
    duplicate_count: int = Field(description="How many other reporters' cases are under this one.")
    linkage: Literal[("", *Linkage.values)] = Field(  # type: ignore[valid-type]
        description="`offered`: offered to another service, which has not answered; `there`: that service has it.")
    outcome: str
    closed_at: datetime | None
    confidential: bool
    publication: str
    answer_publication: str | None = Field(
        description="Of a public case: `waiting` (staff have to read it), `public`, `kept` (not to be public); null without an answer.")
    version: int


class CasePage(Schema):
    items: list[CaseRow]
    next: str | None = Field(description="The next page's path and query; null at the end.")


class AssignmentOut(Schema):
    id: UUID
    unit: Named
    role: str
    state: str
    officer: str | None = Field(description="The officer's name.")
    assigned_at: datetime
    signed_at: datetime | None
    contacted_at: datetime | None
    handled_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None


class ClockOut(Schema):
    """One promise: minutes count in the clock's own calendar."""

    kind: str
    assignment: UUID | None
    round: int
    calendar: str
    limit_minutes: int
    started_at: datetime
    due_at: datetime
    provisional: bool
    paused_at: datetime | None = Field(description="Since when it stands still.")
    paused_minutes: int = Field(description="For how long it stood still before.")
    extended_minutes: int
    met_at: datetime | None
    stopped_at: datetime | None
    state: str = Field(description="`running`, `paused`, `overdue`, `met`, `met_late`, `stopped` or `stopped_late`.")


class ActionOut(Schema):
    """An action that could be taken from here, whether the caller may, and why not."""

    action: str
    label: str
    allowed: bool
    reason: str


class CaseOut(CaseRow):
    language: str
    lon: float | None
    lat: float | None
    coordinate_system: str
    registered_by: str | None
    area_path: list[Named]
    has_reporter: bool
    identity: ActionOut
    assignments: list[AssignmentOut]
    clocks: list[ClockOut]
    actions: list[ActionOut]


class EventOut(Schema):
    """One event. `texts` are the words that go with it; `public` ones the reporter sees."""

    id: UUID
    at: datetime
    action: str
    sentence: str
    from_state: str
    to_state: str
    actor_kind: str
    actor: str
    unit: str
    public: bool
    version: int
    data: dict[str, Any]
    texts: dict[str, str]


class Timeline(Schema):
    items: list[EventOut]


class AttachmentOut(Schema):
    id: UUID
    kind: str
    purpose: str
    name: str
    content_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    width: int | None
    height: int | None
    by_reporter: bool
    created_at: datetime
    has_thumbnail: bool


class AttachmentList(Schema):
    items: list[AttachmentOut]


class Task(Schema):
    assignment: AssignmentOut
    case: CaseRow


class TaskPage(Schema):
    items: list[Task]
    next: str | None


def named(thing: Node | Place | Body | None) -> dict[str, str] | None:
    return None if thing is None else {"code": thing.code, "name": thing.name}


def _held(rows: dict[int, Any], pk: int | None) -> dict[str, str] | None:
    return named(rows.get(pk)) if pk is not None else None


def case_row(case: Case, held: Reference, at: datetime) -> dict[str, Any]:
    return {
        "id": str(case.pk), "number": case.number, "title": case.title, "words": case.words, "channel": case.channel,
        "state": case.state, "kind": case.kind, "urgency": case.urgency,
        "category": _held(held.nodes, case.category_id), "area": _held(held.places, case.area_id),
        "county": _held(held.places, case.county_id), "lead_unit": _held(held.units, case.lead_unit_id),
        "place_text": case.place_text, "registered_at": moment(case.registered_at), "due_at": moment(case.due_at),
        "due_provisional": case.due_provisional,
        "overdue": case.overdue_at(at),
        "paused": case.paused,
        "round": case.round, "returns": case.returns,
        "master": str(case.master_id) if case.master_id else None, "duplicate_count": case.duplicate_count,
        "linkage": case.linkage, "outcome": case.outcome, "closed_at": moment(case.closed_at),
        "confidential": case.confidential, "publication": case.publication,
        "answer_publication": case.answer_publication, "version": case.version,
    }


def case_rows(cases: list[Case]) -> list[dict[str, Any]]:
    held, at = reference(), now()
    return [case_row(case, held, at) for case in cases]


def assignment(row: Assignment) -> dict[str, Any]:
    return {
        "id": str(row.pk), "unit": {"code": row.unit.code, "name": row.unit.name}, "role": row.role, "state": row.state,
        "officer": row.officer.name if row.officer else None, "assigned_at": moment(row.assigned_at),
        "signed_at": moment(row.signed_at), "contacted_at": moment(row.contacted_at),
        "handled_at": moment(row.handled_at), "ended_at": moment(row.ended_at), "due_at": moment(row.due_at),
    }


def clock(row: Clock) -> dict[str, Any]:
    return {
        "kind": row.kind, "assignment": str(row.assignment_id) if row.assignment_id else None, "round": row.round,
        "calendar": row.calendar, "limit_minutes": row.limit_minutes, "started_at": moment(row.started_at),
        "due_at": moment(row.due_at), "provisional": row.provisional, "paused_at": moment(row.paused_at),
        "paused_minutes": row.paused_minutes, "extended_minutes": row.extended_minutes,
        "met_at": moment(row.met_at), "stopped_at": moment(row.stopped_at), "state": state_of(row, now()),
    }


def event(entry: TimelineEntry, sentence: str) -> dict[str, Any]:
    row = entry.event
    return {
        "id": str(row.pk), "at": moment(row.at), "action": row.action, "sentence": sentence,
        "from_state": row.from_state, "to_state": row.to_state, "actor_kind": row.actor_kind,
        "actor": entry.actor_name, "unit": entry.unit_name, "public": row.public, "version": row.version,
        "data": row.data, "texts": entry.texts,
    }


def attachment(row: Attachment) -> dict[str, Any]:
    return {
        "id": str(row.pk), "kind": row.kind, "purpose": row.purpose, "name": row.name,
        "content_type": row.content_type, "size": row.size, "sha256": row.sha256, "width": row.width,
        "height": row.height, "by_reporter": row.by_reporter, "created_at": moment(row.created_at),
        "has_thumbnail": bool(row.thumbnail_sha256),
    }
