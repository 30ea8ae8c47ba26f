"""Reads that only the API needs. Those of the cases themselves are in `cases.queries`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from lianxin.cases.models import (
    Assignment,
    Attachment,
    Case,
    Clock,
    Event,
    Phrase,
)
from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Unit


@dataclass(frozen=True, slots=True)
class Parts:
    assignments: list[Assignment]
    clocks: list[Clock]

    @property
    def open_ones(self) -> list[Assignment]:
        return [a for a in self.assignments if a.ended_at is None]


def parts_of(case: Case) -> Parts:
    """Two queries: every assignment and every clock, oldest first."""
    return Parts(
        list(Assignment.objects.filter(case=case).select_related("unit", "officer").order_by("assigned_at", "id")),
        list(Clock.objects.filter(case=case).order_by("started_at", "id")),
    )


def attachments_of(case: Case) -> list[Attachment]:
    return list(Attachment.objects.filter(case=case, removed_at__isnull=True).order_by("created_at", "id"))


def uploaded_before(actor: Actor, key: bytes) -> Attachment | None:
    """The file that came with this key. A caller's files are unclaimed, their own, or in the case their code opens:
    each part has an index, the key needs none."""
    theirs = Q(case_id=actor.case_id) if actor.kind is Kind.REPORTER else Q(uploaded_by_id=actor.staff_id)
    return Attachment.objects.filter(theirs | Q(case__isnull=True), upload_key=key).order_by("created_at").first()


def recorded(event_id: uuid.UUID) -> tuple[str, int]:
    """State and version an event led to, as they were then."""
    return Event.objects.filter(pk=event_id).values_list("to_state", "version").get()


def open_units(on: date) -> list[Unit]:
    """Units that work on that day, with their parent and area."""
    units = Unit.objects.select_related("parent", "area").order_by("code")
    return [u for u in units if (u.active_from is None or u.active_from <= on) and (u.active_to is None or on < u.active_to)]


def phrases(name: str) -> list[Phrase]:
    return list(Phrase.objects.filter(list=name, active=True))
