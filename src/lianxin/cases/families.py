"""A master case and those merged under it, as far as every action has to know of them. The actions: `actions.merging`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from . import policy
from .models import Assignment, Case, Clock, ClockKind, State

if TYPE_CHECKING:
    from lianxin.organisations.actors import Actor

    from .engine import Step

# Asked of every merged case that is answered with its master: whether its reporter is to be called. Campaigns answer it
# (`quality.apps`); without an answer everybody is called.
CALLS: list[Callable[[Step], bool]] = []
# Columns of a master that those under it follow.
FOLLOWED = frozenset({"state", "lead_unit_id", "unit_ids", "category_id", "county_id"})


def merged_under(master_id: uuid.UUID) -> QuerySet[Case]:
    """The cases that are handled with a master now."""
    return Case.objects.filter(master_id=master_id, state=State.MERGED)


def hold_master(case_id: uuid.UUID) -> None:
    """Lock the master of a merged case. A family is locked from the master down, so that nobody waits in a circle."""
    list(Case.objects.select_for_update(of=("self",)).filter(
        duplicates__pk=case_id, duplicates__state=State.MERGED).values_list("pk", flat=True))


def acting(case: Case, assignments: Sequence[Assignment]) -> Sequence[Assignment]:
    """The open assignments with which a unit acts on a case: its own, or its master's while it is merged."""
    if case.state != State.MERGED or case.master_id is None:
        return assignments
    return list(Assignment.objects.filter(case_id=case.master_id, ended_at__isnull=True).order_by("assigned_at", "id"))


def promises(master_id: uuid.UUID) -> QuerySet[Clock]:
    """The resolve clocks of this round of those merged under a master: running, or met by its reply."""
    return Clock.objects.filter(
        case__master_id=master_id, case__state=State.MERGED, kind=ClockKind.RESOLVE, assignment__isnull=True,
        round=F("case__round"), stopped_at__isnull=True,
    )


def earliest(case: Case, due: datetime, provisional: bool) -> tuple[datetime, bool]:
    """When a master is due: at its own time, or at the earliest of those merged under it, which was promised too."""
    first = promises(case.pk).order_by("due_at").values_list("due_at", "provisional").first()
    return first if first is not None and first[0] < due else (due, provisional)


def as_promised(case: Case) -> Case:
    """The case with the due time that its own reporter was promised: that of a master may lie earlier, for another's sake.
    For the faces that speak to the reporter; nothing is written."""
    if case.duplicate_count:
        own = Clock.objects.filter(
            case=case, kind__in=[ClockKind.RESOLVE, ClockKind.HANDOVER], assignment__isnull=True, round=case.round,
        ).order_by("-started_at", "-id").first()
        if own is not None and case.due_at is not None:
            case.due_at, case.due_provisional = own.due_at, own.provisional
    return case


@dataclass(frozen=True, slots=True)
class Member:
    """One case under a master, and whether its reporter has been contacted: `contacted_at` is when, `owed` that the first
    contact is still due."""

    case: Case
    contacted_at: datetime | None
    owed: bool

    @property
    def merged(self) -> bool:
        return self.case.state == State.MERGED


def members_of(master: Case, actor: Actor) -> list[Member]:
    """The cases under a master, those handled with it now and those answered with it, in the order they were raised,
    as far as `actor` may see them."""
    if not master.duplicate_count:
        return []
    cases = list(master.duplicates.filter(policy.visible_to(actor)).order_by("registered_at", "id"))
    clocks = {
        clock.case_id: clock for clock in Clock.objects.filter(
            case__in=cases, kind=ClockKind.FIRST_CONTACT, assignment__isnull=True).order_by("started_at")
    }
    return [
        Member(case, clock.met_at if clock else None, bool(clock and clock.running))
        for case in cases for clock in [clocks.get(case.pk)]
    ]
