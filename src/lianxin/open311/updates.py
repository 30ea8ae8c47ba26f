"""Notes and updates: what became of a request, and what its poster adds to it. Extensions that servers and clients in use share.

Notes are Chicago's, Boston's and San Francisco's; updates are FixMyStreet's. Both are made from the public events of a case, in the
sentences its reporter reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from lianxin.cases import narrative
from lianxin.cases.actions import add_information
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import TERMINAL, Case, Event, EventText, Reply
from lianxin.cases.queries import timeline
from lianxin.faces.machines import Caller
from lianxin.kernel.ids import uuid7_floor
from lianxin.organisations.actors import reporter_for
from lianxin.publishing.records import case_number_of, reference_of
from lianxin.publishing.references import normalised

from .asked import Slice, Span
from .errors import Absent
from .queries import CLOSED, OPEN, own_cases, w3c

# Nothing is said of a case so long after its end.
QUIET_AFTER: Final = timedelta(days=180)
SLACK: Final = timedelta(hours=1)  # between the clocks of what wrote an event's key and its time


def _with_words(event: Event, texts: dict[str, str]) -> str:
    return "\n".join((narrative.said(event, internal=False), *texts.values()))


def notes_of_case(case: Case) -> list[dict[str, Any]]:
    """Every public event of one case, oldest first."""
    return [{"datetime": w3c(entry.event.at), "description": _with_words(entry.event, entry.texts), "type": entry.event.action}
            for entry in reversed(timeline(case, public_only=True))]


def own_case(said: str, caller: Caller) -> Case:
    """The caller's own case behind an id. Raises Absent, for another's as for none."""
    number = case_number_of(normalised(said)) if normalised(said) else ""
    case = Case.objects.filter(own_cases(caller), number=number).select_related("lead_unit", "master").first() if number else None
    if case is None:
        raise Absent()
    return case


def _words(events: Sequence[Event]) -> dict[UUID, dict[str, str]]:
    """The public words of each event; of an approval those of the answer that it let through."""
    replies = {UUID(event.data["reply_id"]): event.pk for event in events if event.action == "approve" and event.data.get("reply_id")}
    spoken_in = {answer: replies[reply] for reply, answer in
                 Reply.objects.filter(pk__in=list(replies)).values_list("pk", "event_id")}
    found: dict[UUID, dict[str, str]] = {}
    for text in EventText.objects.filter(event_id__in=[*(event.pk for event in events), *spoken_in], public=True).order_by("id"):
        found.setdefault(spoken_in.get(text.event_id, text.event_id), {})[text.field] = text.body
    return found


def listed(caller: Caller, span: Span, part: Slice, *, requests: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What became of the caller's own requests within a span, oldest first."""
    cases = Case.objects.filter(own_cases(caller)).filter(Q(closed_at__isnull=True) | Q(closed_at__gte=span.start - QUIET_AFTER))
    if requests:
        cases = cases.filter(number__in=[case_number_of(one) for one in requests if normalised(one)])
    events = list(
        Event.objects.filter(case_id__in=cases.values("pk"), public=True, at__gte=span.start, at__lte=span.end,
                             id__gte=uuid7_floor(span.start - SLACK))
        .select_related("actor", "unit", "case").order_by("at", "id")[part.offset : part.offset + part.size])
    words = _words(events)
    return [{
        "update_id": str(event.pk), "service_request_id": reference_of(event.case.number),
        "status": CLOSED if event.to_state in TERMINAL else OPEN, "updated_datetime": w3c(event.at),
        "description": _with_words(event, words.get(event.pk, {})), "media_url": None,
        "external_status_code": event.to_state,
    } for event in events]


def add(case: Case, caller: Caller, *, words: str, update_id: str) -> str:
    """补充情况, in the poster's words; the same `update_id` again is the same update. Returns our id of it. Raises Conflict where
    the case takes no more."""
    key = submission_key("open311", caller.name, str(case.pk), update_id) if update_id else None
    done = add_information(On(case.pk, reporter_for(case.pk, via=f"open311 {caller.title}"[:40]), key=key), words=words)
    return str(done.event_id)
