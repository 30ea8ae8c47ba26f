"""Reads of clocks: every promise of a case with its pauses and extensions, what waits for a decision, who was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from lianxin.organisations.actors import Actor

from . import handing_over, policy
from .clocks import calendar_named
from .models import RUNNING, Case, Clock, ClockKind, Extension, ExtensionDecision, State, Suspension
from .queries import CaseFile, Filters, rows

EVERYTHING = Filters()


def promised_clock(case_id: UUID) -> Clock | None:
    """The running clock of what the reporter was promised."""
    return Clock.objects.filter(RUNNING, case_id=case_id, kind=ClockKind.RESOLVE, assignment__isnull=True).first()


def waiting_extension(case_id: UUID) -> Extension | None:
    """The request for more time that nobody has answered, with its clock and who asked."""
    return (Extension.objects.filter(case_id=case_id, decision=ExtensionDecision.WAITING)
            .select_related("clock", "asked_by", "assignment__unit").first())


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One clock for people to read. `over` are minutes of its calendar that it ran or is running past its due time; `state`
    is `running`, `paused`, `overdue`, `met`, `met_late`, `stopped` or `stopped_late`."""

    clock: Clock
    state: str
    over: int
    pauses: tuple[Suspension, ...] = field(default=())
    extensions: tuple[Extension, ...] = field(default=())

    @property
    def late(self) -> bool:
        return self.state in ("overdue", "met_late", "stopped_late")


def state_of(clock: Clock, at: datetime) -> str:
    """How one clock stands at an instant. A clock that stands still counts as it stood when it was paused."""
    end = clock.met_at or clock.stopped_at or clock.paused_at or at
    late = end > clock.due_at
    if clock.met_at is not None:
        return "met_late" if late else "met"
    if clock.stopped_at is not None:
        return "stopped_late" if late else "stopped"
    if clock.paused_at is not None:
        return "paused"
    return "overdue" if late else "running"


def lines_of(clocks: Iterable[Clock], *, at: datetime, pauses: Iterable[Suspension] = (),
             extensions: Iterable[Extension] = ()) -> list[ClockLine]:
    """Every clock with what happened to it, in the order given. No queries."""
    pauses, extensions = list(pauses), list(extensions)
    found = []
    for clock in clocks:
        state = state_of(clock, at)
        end = clock.met_at or clock.stopped_at or at
        over = calendar_named(clock.calendar).between(clock.due_at, end) if state.endswith(("overdue", "late")) else 0
        found.append(ClockLine(
            clock, state, over, tuple(one for one in pauses if one.clock_id == clock.pk),
            tuple(one for one in extensions if one.clock_id == clock.pk)))
    return found


def lines_in_file(file: CaseFile, *, at: datetime) -> list[ClockLine]:
    """Every clock of a case that was read with all about it: two queries more."""
    parts = {one.pk: one for one in file.assignments}
    for clock in file.clocks:
        if clock.assignment_id in parts:
            clock.assignment = parts[clock.assignment_id]
    return lines_of(
        file.clocks, at=at,
        pauses=Suspension.objects.filter(case=file.case).select_related("by", "ended_by").order_by("at", "id"),
        extensions=Extension.objects.filter(case=file.case)
        .select_related("asked_by", "decided_by", "clock", "assignment__unit").order_by("asked_at", "id"))


def waiting_in(lines: Iterable[ClockLine]) -> Extension | None:
    """The request for more time among them that nobody has answered."""
    return next((one for line in lines for one in line.extensions if one.decision == ExtensionDecision.WAITING), None)


def clock_lines(case: Case, *, at: datetime, public_only: bool = False) -> list[ClockLine]:
    """Every clock of a case, oldest first: three queries. For the reporter only what they were promised."""
    clocks = Clock.objects.filter(case=case).select_related("assignment__unit").order_by("started_at", "id")
    if public_only:
        clocks = clocks.filter(kind=ClockKind.RESOLVE, assignment__isnull=True)
    extensions = Extension.objects.filter(case=case).select_related("asked_by", "decided_by").order_by("asked_at", "id")
    if public_only:
        extensions = extensions.filter(decision=ExtensionDecision.GRANTED)
    return lines_of(clocks, at=at, extensions=extensions,
                    pauses=Suspension.objects.filter(case=case).select_related("by", "ended_by").order_by("at", "id"))


def extensions_waiting(actor: Actor, *, filters: Filters = EVERYTHING, limit: int = 100) -> list[Case]:
    """Cases whose unit waits for an answer to its request for more time, the earliest due answer first."""
    waiting: QuerySet[Extension] = Extension.objects.filter(decision=ExtensionDecision.WAITING)
    return list(rows(Case.objects.filter(policy.visible_to(actor), filters.q(), extensions__in=waiting)).order_by("due_at", "id")[:limit])


def not_now(case: Case, *, waiting: bool | None = None) -> frozenset[str]:
    """Actions of pauses, extensions and handing over that have nothing to act on as the case stands. `waiting` says whether a
    request for more time waits; it is looked up when not said and needed."""
    idle = handing_over.not_now(case)
    if case.state != State.IN_HAND:
        return idle
    if waiting is None:
        waiting = waiting_extension(case.pk) is not None
    closed = {"suspend", "ask_extension"} if case.paused else {"resume_work", "lift_suspension"}
    closed |= {"ask_extension"} if waiting else {"grant_extension", "refuse_extension"}
    return frozenset(closed) | idle
