"""Reads of cases: lists in keyset pages, full text, one case with everything about it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import NotFound
from lianxin.kernel.ids import uuid7_floor
from lianxin.kernel.language import named
from lianxin.kernel.text import from_json
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Staff

from . import policy
from .models import TERMINAL, Assignment, Attachment, Case, Clock, Event, EventText, Linkage, Reply, Supervised
from .models.case import OWING
from .reference import reference
from .search import due_matching, newest_matching, number_in, walking

PAGE = 50
OWED = Q(state__in=OWING)
ROW_FIELDS = (
    "id", "number", "title", "words", "channel", "state", "kind", "urgency", "registered_at", "due_at",
    "due_provisional", "round", "returns", "version", "confidential", "publication", "answer_publication", "outcome",
    "closed_at",
    "place_text", "category__code", "category__name", "category__name_en", "area__name", "area__name_en",
    "county__name", "county__name_en", "lead_unit__name", "lead_unit__name_en", "lead_unit__short_name",
    "category_id", "area_id", "county_id", "lead_unit_id", "master_id", "duplicate_count", "paused", "linkage",
)


# What an open case may be marked with; the names stand in addresses.
MARKS: dict[str, Q] = {
    "redone": Q(redone__gt=0, due_at__isnull=False),
    "paused": Q(paused=True, due_at__isnull=False),
    "supervised": Q(supervised__gte=Supervised.WRITTEN, due_at__isnull=False),
    "for_supervisor": Q(for_supervisor=True, due_at__isnull=False),
    "offered": Q(linkage=Linkage.OFFERED, due_at__isnull=False),
}


def came_back(case: str = "") -> Q:
    """What was put back on its unit's desk: sent back by review, returned in vain or reopened. `case` is the path to the case
    from the rows that are asked for. The log is read only for cases that were ever returned or are in a later round."""
    path, key = (f"{case}__", f"{case}_id") if case else ("", "pk")
    again = Exists(Event.objects.filter(
        case=OuterRef(key), id__gte=OuterRef(key), action__in=("reject_return", "reopen", "reopen_unsolved")))
    seldom = Q(**{f"{path}round__gt": 1}) | Q(**{f"{path}returns__gt": 0})
    return Q(**{f"{path}redone__gt": 0}) | (seldom & Q(again))


ANY = Q()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `after` opens the next page; empty at the end."""

    rows: list[Case]
    after: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list may be narrowed by. Codes for category (a prefix) and areas; `text` is full text;
    `also` is a condition of the list's own; `mark` a key of MARKS."""

    states: tuple[str, ...] = ()
    category: str = ""
    county: str = ""
    unit: str = ""
    channel: str = ""
    urgency: str = ""
    kind: str = ""
    overdue_at: datetime | None = None
    due_before: datetime | None = None
    due_from: datetime | None = None
    returned: bool = False
    reopened: bool = False
    came_back: bool = False
    text: str = ""
    since: datetime | None = None
    also: Q = ANY
    mark: str = ""
    outcome: str = ""
    closed_since: datetime | None = None

    def q(self) -> Q:
        query = Q() & self.also
        # Ids rather than codes: PostgreSQL then knows how many cases it is about and needs no other table.
        held = reference()
        if self.category:
            query &= Q(category_id__in=[n.id for n in held.nodes.values() if n.code.startswith(self.category)])
        if self.county:
            query &= Q(county_id__in=[p.id for p in [held.places_by_code.get(self.county)] if p])
        if self.unit:
            query &= Q(lead_unit_id__in=[u.id for u in [held.units_by_code.get(self.unit)] if u])
        if self.channel:
            query &= Q(channel=self.channel)
        if self.urgency:
            query &= Q(urgency=self.urgency)
        if self.kind:
            query &= Q(kind=self.kind)
        if self.overdue_at:
            query &= Q(due_at__lt=self.overdue_at, paused=False) & OWED
        if self.due_before:
            query &= Q(due_at__lt=self.due_before)
        if self.due_from:
            query &= Q(due_at__gte=self.due_from, paused=False) & OWED
        if self.returned:
            query &= Q(returns__gt=0)
        if self.reopened:
            query &= Q(round__gt=1)
        if self.came_back:
            query &= came_back()
        if self.since:
            query &= Q(registered_at__gte=self.since)
        if self.mark:
            query &= MARKS[self.mark]
        if self.outcome:
            query &= Q(outcome=self.outcome)
        if self.closed_since:
            query &= Q(closed_at__gte=self.closed_since)
        return query


def cursor_of(*values: Any) -> str:
    """An opaque keyset position."""
    body = json.dumps([value.isoformat() if isinstance(value, datetime) else str(value) for value in values])
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> list[str] | None:
    """The values of a position, or None for one that was not made by `cursor_of`."""
    try:
        values = from_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return None
    return [str(value) for value in values] if isinstance(values, list) else None


def time_and_id(cursor: str) -> tuple[datetime, UUID] | None:
    position = read_cursor(cursor)
    try:
        return (datetime.fromisoformat(position[0]), UUID(position[1])) if position and len(position) == 2 else None
    except ValueError:
        return None


def _id(cursor: str) -> UUID | None:
    position = read_cursor(cursor)
    try:
        return UUID(position[0]) if position and len(position) == 1 else None
    except ValueError:
        return None


SHOWN = ("category", "area", "county", "lead_unit", "registered_by")


def access_case(actor: Actor, case_id: UUID, *also: str) -> Case:
    """Fetch and authorise in one step, with what `also` names. Raises NotFound for a case that is not the actor's to see, as for
    one that is not there.

    What else is shown of it is read when it is asked for: most actions need none. A page that shows all of it names SHOWN.
    """
    found = Case.objects.filter(policy.visible_to(actor), pk=case_id)
    try:
        return (found.select_related(*also) if also else found).get()
    except Case.DoesNotExist:
        raise NotFound(_("没有找到这件工单。请核对编号。")) from None


def rows(queryset: QuerySet[Case]) -> QuerySet[Case]:
    """What a list shows of a case, in one query."""
    return queryset.select_related("category", "area", "county", "lead_unit").only(*ROW_FIELDS)


def _together(heads: Sequence[QuerySet[Any, Any]]) -> Iterable[Any]:
    """The rows of several short queries in one."""
    return heads[0].union(*heads[1:], all=True) if len(heads) > 1 else heads[0] if heads else ()


def by_due(actor: Actor, *, states: Sequence[str], filters: Filters = Filters(), after: str = "",
           limit: int = PAGE) -> Page:
    """Open cases in order of what is due first. Each state is read from its own index and the heads are merged."""
    position = time_and_id(after)
    wanted = [state for state in states if not filters.states or state in filters.states]
    heads: list[tuple[datetime, UUID]] = []
    base = Case.objects.filter(policy.scope_of(actor).q(), filters.q(), due_at__isnull=False)
    if position:
        at, pk = position
        base = base.filter(Q(due_at__gt=at) | Q(due_at=at, id__gt=pk), due_at__gte=at)
    queues = [base.filter(state=state) for state in wanted]
    if filters.text:
        for queue in queues:
            heads += due_matching(queue, filters.text, limit=limit + 1)
    else:
        heads += _together([queue.order_by("due_at", "id").values_list("due_at", "id")[: limit + 1] for queue in queues])
    heads.sort()
    chosen = [pk for _due, pk in heads[:limit]]
    found = {case.pk: case for case in rows(Case.objects.filter(pk__in=chosen))}
    listed = [found[pk] for pk in chosen if pk in found]
    more = len(heads) > limit
    return Page(listed, cursor_of(*heads[limit - 1]) if more else "")


def recent(actor: Actor, *, filters: Filters = Filters(), after: str = "", limit: int = PAGE) -> Page:
    """Cases newest first, in any state."""
    base = Case.objects.filter(policy.scope_of(actor).q(), filters.q())
    if filters.states:
        base = base.filter(state__in=filters.states)
        if not set(filters.states) & set(TERMINAL):
            base = base.filter(due_at__isnull=False)  # true of all that are open; says that their own index will do
    before = _id(after)
    if before:
        base = base.filter(id__lt=before)
    if filters.text:
        found: Any = newest_matching(base, filters.text, limit=limit + 1)
    else:  # which ones, indexes say; only of these are the rows put together
        found = base.order_by("-id").values("id")[: limit + 1]
    listed = list(rows(Case.objects.filter(pk__in=found)).order_by("-id"))
    more = len(listed) > limit
    return Page(listed[:limit], cursor_of(listed[limit - 1].pk) if more else "")


@dataclass(frozen=True, slots=True)
class Task:
    """One assignment in a unit's list, with its case."""

    assignment: Assignment
    case: Case


def mine_or_nobodys(unit_ids: Iterable[int], officer_id: int) -> Q:
    """Parts of these units that are one person's, that nobody has yet, or whose officer's account is closed."""
    gone = list(Staff.objects.filter(is_active=False, grants__unit_id__in=list(unit_ids)).values_list("pk", flat=True).distinct())
    return Q(officer_id=officer_id) | Q(officer__isnull=True) | (Q(officer_id__in=gone) if gone else Q(pk__in=[]))


def tasks_of(unit_ids: Iterable[int], *, states: Sequence[str] = ("assigned", "in_hand", "objected"),
             filters: Filters = Filters(), officer_id: int | None = None, after: str = "",
             limit: int = PAGE) -> tuple[list[Task], str]:
    """A unit's open assignments, due first."""
    base = Assignment.objects.filter(ended_at__isnull=True)
    if filters.states:
        base = base.filter(case__state__in=filters.states)
    # A unit's own times: its part is due when its next step is, not when the whole case is.
    for before in (filters.overdue_at, filters.due_before):
        if before is not None:
            base = base.filter(due_at__lt=before)
    if filters.overdue_at is not None:
        base = base.filter(case__paused=False)
    query = replace(filters, overdue_at=None, due_before=None).q()
    wanted = sorted(set(unit_ids))
    if query:
        base = base.filter(case__in=Case.objects.filter(query))
    if number := number_in(filters.text):
        base = base.filter(case__number=number)
    elif filters.text:
        base = walking(base.filter(case__due_at__isnull=False), filters.text)  # a unit's open cases are few
    if officer_id is not None:
        base = base.filter(mine_or_nobodys(wanted, officer_id))
    position = time_and_id(after)
    if position:
        at, pk = position
        base = base.filter(Q(due_at__gt=at) | Q(due_at=at, id__gt=pk))
    # Each unit and state is read from its own stretch of the index and the heads are merged.
    order = F("due_at").asc(nulls_last=True)
    heads = [
        base.filter(unit_id=unit_id, state=state).order_by(order, "id").values_list("due_at", "id")[: limit + 1]
        for unit_id, state in product(wanted, states)
    ]
    # Which ones, the heads say; only of these are the rows put together, in two short queries that are planned in no time.
    found = sorted(_together(heads), key=lambda head: (head[0] is None, head))
    parts = Assignment.objects.select_related("officer", "unit").in_bulk([pk for _due, pk in found[:limit]])
    cases = rows(Case.objects.all()).in_bulk({part.case_id for part in parts.values()})
    tasks = []
    for part in (parts[pk] for _due, pk in found[:limit] if pk in parts):
        part.case = cases[part.case_id]
        tasks.append(Task(part, part.case))
    return tasks, cursor_of(found[limit - 1][0] or "", found[limit - 1][1]) if len(found) > limit else ""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event with its words, as far as the reader may see them."""

    event: Event
    texts: dict[str, str]
    actor_name: str
    unit_name: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case with everything about it."""

    case: Case
    assignments: list[Assignment]
    clocks: list[Clock]
    timeline: list[TimelineEntry] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


def timeline(case: Case, *, public_only: bool = False) -> list[TimelineEntry]:
    """A case's events, newest first. For the reporter: public events with public words only."""
    # No event is older than its case: the months before it need not be looked into. An hour for clocks that differ.
    since = uuid7_floor(datetime.fromtimestamp((case.pk.int >> 80) / 1000 - 3600, tz=UTC))
    events = Event.objects.filter(case=case, id__gte=since).select_related("actor", "unit").order_by("-id")
    if public_only:
        events = events.filter(public=True)
    texts: dict[UUID, dict[str, str]] = {}
    spoken = EventText.objects.filter(case=case)
    if public_only:
        spoken = spoken.filter(public=True)
    for text in spoken:
        texts.setdefault(text.event_id, {})[text.field] = text.body
    if public_only and texts:
        # The unit's answer is written with the reply, which is internal; the reporter reads it with its approval.
        spoken_in = dict(Reply.objects.filter(case=case).values_list("id", "event_id"))
        for event in events:
            if event.action == "approve" and event.data.get("reply_id"):
                answered = spoken_in.get(UUID(event.data["reply_id"]))
                if answered in texts:
                    texts[event.pk] = texts[answered] | texts.get(event.pk, {})
    return [
        TimelineEntry(
            event, texts.get(event.pk, {}),
            named(event.actor.name) if event.actor and not public_only else "",
            event.unit.said if event.unit else "",
        )
        for event in events
    ]


def case_file(case: Case) -> CaseFile:
    """Five queries, whatever the case's length."""
    return CaseFile(
        case=case,
        assignments=list(
            Assignment.objects.filter(case=case).select_related("unit", "officer").order_by("assigned_at", "id")
        ),
        clocks=list(Clock.objects.filter(case=case).order_by("started_at", "id")),
        timeline=timeline(case),
        attachments=list(Attachment.objects.filter(case=case, removed_at__isnull=True).order_by("created_at")),
    )


def changed_for(actor: Actor, *, since: UUID, states: Sequence[str] = (), unit_ids: Sequence[int] | None = None,
                limit: int = 200) -> int:
    """How many cases an actor may see came to one of `states` (or to one of these units) after event `since`.

    Reads new events from the newest partition only: asked every few seconds by every open list.
    """
    fresh = Event.objects.filter(id__gt=since).exclude(actor_id=actor.staff_id)
    if states:
        fresh = fresh.filter(to_state__in=list(states))
    ids = list(fresh.order_by("id").values_list("case_id", flat=True)[:limit])
    if not ids:
        return 0
    cases = Case.objects.filter(policy.visible_to(actor), pk__in=set(ids))
    if unit_ids is not None:
        cases = cases.filter(unit_ids__overlap=list(unit_ids))
    return cases.count()
