"""What the desk reads beyond a list of cases: a clerk's day, what a return asked for, failed jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q
from django.utils.timezone import localtime
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from lianxin.cases import policy
from lianxin.cases.models import TO_PUBLISH, Assignment, Attachment, Case, Contact, Event, State
from lianxin.cases.queries import PAGE, Filters, Page, TimelineEntry, came_back, mine_or_nobodys, rows
from lianxin.cases.turns import URGENT, in_turn
from lianxin.kernel.language import named
from lianxin.organisations.accounts import Keeper
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant, Staff, UnitKind

from .models import SheetTaken

# The case states in which a unit still has something to do.
WITH_THE_UNIT = (State.DISPATCHED.value, State.IN_HAND.value, State.OBJECTED.value)
JOBS_SHOWN = 100


def end_of_day(at: datetime) -> datetime:
    """Midnight after `at`, local time."""
    return localtime(at).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClerkDay:
    """The three questions of a unit's morning, counted over its open assignments: what is due today (with what is
    late already), what came back, what waits to be signed for. `total` is the denominator of each."""

    total: int
    due_today: int
    late: int
    came_back: int
    to_sign: int


def clerk_day(unit_ids: Iterable[int], *, at: datetime, officer_id: int | None = None) -> ClerkDay:
    """One query over the open assignments of these units, and one more for whose accounts are closed."""
    unit_ids = list(unit_ids)
    base = Assignment.objects.filter(
        unit_id__in=unit_ids, ended_at__isnull=True, state__in=("assigned", "in_hand", "objected"),
        case__state__in=WITH_THE_UNIT,
    )
    if officer_id is not None:
        base = base.filter(mine_or_nobodys(unit_ids, officer_id))
    found = base.annotate(back=came_back("case")).aggregate(
        total=Count("id"), due_today=Count("id", filter=Q(due_at__lt=end_of_day(at))),
        late=Count("id", filter=Q(due_at__lt=at, case__paused=False)), came_back=Count("id", filter=Q(back=True)),
        to_sign=Count("id", filter=Q(state="assigned")),
    )
    return ClerkDay(**found)


def urgent_first(actor: Actor, *, states: Sequence[str], filters: Filters, after: str, limit: int = PAGE) -> Page:
    """A queue with the urgent cases on top, each part in order of what is due."""
    return in_turn(actor, (URGENT, ~URGENT), states=states, filters=filters, after=after, limit=limit)


def waiting_publication(actor: Actor, *, filters: Filters, limit: int = 100) -> list[Case]:
    """Cases with words that nobody has judged yet, oldest first: the reporter's, who agreed, or the answer to words that are public."""
    waiting = Case.objects.filter(policy.visible_to(actor), filters.q(), TO_PUBLISH)
    return list(rows(waiting).order_by("id")[:limit])


def suggested_unit(case: Case) -> str:
    """The unit code that the last upheld return named, while the case waits to be dispatched again. Else empty."""
    if case.state != State.ACCEPTED or not case.returns:
        return ""
    last = list(Event.objects.filter(case=case, action__in=("raise_return", "uphold_return", "dispatch"))
                .order_by("-id").values_list("action", "data")[:2])
    if [action for action, _data in last] != ["uphold_return", "raise_return"]:
        return ""
    return str(last[1][1].get("suggested_unit") or "")


def colleagues(unit_ids: Sequence[int]) -> list[tuple[str, str, str]]:
    """Who may work on these units' parts – clerks, in a town its grid workers too: username, name, unit."""
    able = Q(role=Role.CLERK) | Q(role=Role.GRID_WORKER, unit__kind=UnitKind.TOWN_GOVERNMENT)
    grants = (
        RoleGrant.objects.filter(able, unit_id__in=list(unit_ids), ended_at__isnull=True, staff__is_active=True)
        .values_list("staff__username", "staff__name", "unit__name", "unit__name_en").order_by("unit__name", "staff__name")
    )
    return [(username, named(name), named(unit, unit_en)) for username, name, unit, unit_en in dict.fromkeys(grants)]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff with their roles as they are said."""

    staff: Staff
    roles: tuple[str, ...]


def people(kept: Keeper, *, text: str, active: bool, limit: int) -> list[Person]:
    """Those whose accounts a keeper may look at, by unit, found by name, username or unit. Two queries."""
    found = Staff.objects.filter(kept.listed(), is_active=active).select_related("unit").order_by("unit__code", "username")
    if text:
        found = found.filter(Q(name__contains=text) | Q(username__contains=text) | Q(unit__name__contains=text))
    listed = list(found[:limit])
    roles: dict[int, list[str]] = {}
    for grant in RoleGrant.objects.filter(staff__in=listed, ended_at__isnull=True).select_related("unit"):
        roles.setdefault(grant.staff_id, []).append(f"{Role(grant.role).label} · {grant.unit.said}")
    return [Person(one, tuple(roles.get(one.pk, ()))) for one in listed]


def open_work(staff_id: int) -> int:
    """How many assignments that are not ended a person has in hand."""
    return Assignment.objects.filter(officer_id=staff_id, ended_at__isnull=True).count()


def last_contact(case: Case) -> Contact | None:
    """The newest contact that reached the reporter, by the unit that leads the case now: what a reply may rest on."""
    return (
        Contact.objects.filter(case=case, reached=True, assignment__role="lead", assignment__ended_at__isnull=True)
        .order_by("-at").first()
    )


def last_of(timeline: Sequence[TimelineEntry], *actions: str) -> TimelineEntry | None:
    """The newest entry of these actions."""
    return next((entry for entry in timeline if entry.event.action in actions), None)


def newest_event_since(case: Case, *, since: UUID, but_not_by: int | None) -> Event | None:
    """The newest thing others did to a case after event `since`. One query on the case's own index."""
    return (
        Event.objects.filter(case=case, id__gt=since).exclude(actor_id=but_not_by)
        .select_related("actor", "unit").order_by("-id").first()
    )


def newest_event(case: Case) -> UUID | None:
    """The id of the last thing that happened to a case."""
    return Event.objects.filter(case=case).order_by("-id").values_list("pk", flat=True).first()


def uploads_of(staff_id: int, ids: Sequence[UUID]) -> list[Attachment]:
    """Of these files, those that this person has sent and that belong to no case yet."""
    return list(Attachment.objects.filter(pk__in=ids, case__isnull=True, uploaded_by_id=staff_id, removed_at__isnull=True))


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job the queue gave up on: what it was to do, how often it was tried, when it failed last."""

    id: int
    task: str
    queue: str
    attempts: int
    failed_at: datetime | None
    args: dict[str, Any]
    case_id: UUID | None
    number: str


@dataclass(frozen=True, slots=True)
class Jobs:
    """The queue at a glance, with the failed ones in full."""

    waiting: int
    running: int
    failed_total: int
    failed: list[FailedJob]


def jobs() -> Jobs:
    """Failed jobs, newest first, with the case each was about. Three queries."""
    counts = dict(
        ProcrastinateJob.objects.filter(status__in=("todo", "doing", "failed")).order_by()
        .values_list("status").annotate(n=Count("id"))
    )
    found = list(ProcrastinateJob.objects.filter(status="failed").order_by("-id")[:JOBS_SHOWN])
    last = dict(
        ProcrastinateEvent.objects.filter(job_id__in=[job.id for job in found], type="failed").order_by()
        .values_list("job_id").annotate(at=Max("at"))
    )
    events = {job.id: event_id for job in found if (event_id := _uuid(job.args.get("event_id")))}
    about = {
        event_id: (case_id, number)
        for event_id, case_id, number in Event.objects.filter(pk__in=events.values()).values_list("id", "case_id", "case__number")
    }
    listed = []
    for job in found:
        case_id, number = about[events[job.id]] if events.get(job.id) in about else (None, "")
        listed.append(FailedJob(job.id, job.task_name, job.queue_name, job.attempts, last.get(job.id), job.args,
                                case_id, number))
    return Jobs(counts.get("todo", 0), counts.get("doing", 0), counts.get("failed", 0), listed)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def sheets_taken(actor: Actor, *, since: datetime, until: datetime, username: str = "", most: int) -> list[SheetTaken]:
    """Which lists were taken away as spreadsheets from `since` on and before `until`, newest first: for the hotline's administrators
    and supervisors, nothing for anybody else."""
    if not actor.holds_in_hotline(Role.ADMINISTRATOR, Role.SUPERVISOR):
        return []
    found = SheetTaken.objects.filter(at__gte=since, at__lt=until)
    if username:
        found = found.filter(staff__username=username)
    return list(found.select_related("staff", "unit").order_by("-at", "-id")[:most])
