"""What a visitor's telephone is given and may send: the visits that fall due, and what came of them."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from typing import Any

from django.utils.timezone import make_aware
from pydantic import BaseModel, ConfigDict, Field

from lianxin.fieldwork.registry import Item, Worker, handles, section

from .models import CarePage
from .policy import is_visitor
from .queries import to_visit
from .visiting import record_visit

EVENING = time(18, 0)  # a visit due on a day is due by the evening


class CareVisitSaid(BaseModel):
    """The body of a `care_visit`: `words` for needs_help only; they become a case."""

    model_config = ConfigDict(extra="forbid")

    entry: uuid.UUID
    outcome: str = Field(max_length=20)
    note: str = Field(default="", max_length=4_000)
    words: str = Field(default="", max_length=20_000)


@handles("care_visit", CareVisitSaid, roles=frozenset(), kept=False)
def care_visit(worker: Worker, item: Item[CareVisitSaid]) -> dict[str, Any]:
    """Write the visit down. The answer names no person and no case: the case stands among the worker's reports. `forget` is the
    id of an entry that the telephone forgets."""
    said = item.said
    done = record_visit(by=worker.actor, pk=said.entry, at=item.at, outcome=said.outcome, note=said.note, words=said.words)
    return {"visit": done.visit, "case": done.case, **({} if done.visit else {"forget": str(said.entry)})}


@section("tasks.care")
def tasks(worker: Worker) -> list[dict[str, Any]]:
    """The visits of the next days, for who makes them. No position: the address is the person's own words."""
    if not is_visitor(worker.actor):
        return []
    return [{
        "id": str(line.entry.pk), "kind": "care", "title": line.person.name,
        "due_at": make_aware(datetime.combine(line.entry.due_on, EVENING)).isoformat(),
        "place": line.entry.area.said, "lon": None, "lat": None, "version": line.entry.version,
        "name": line.person.name, "address": line.person.address, "phone": line.person.phone, "purpose": line.person.purpose,
        "absences": line.entry.absences,
    } for line in to_visit(worker.actor, page=CarePage.PHONE)]
