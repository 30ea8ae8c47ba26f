"""Due times computed again when a calendar has become known or has changed.

Every running clock is due so many working minutes after it started. When a year is published that it rested on, or a city
names a day off to come, the same minutes lead to another instant: then the clock, its case and whoever looks at them are told
so by an event. Days up to today never change, so nothing that was late becomes punctual.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.organisations.actors import SYSTEM
from lianxin.worktime import AROUND_THE_CLOCK, Due

from ..calendars import Settling, unsettled
from ..clocks import calendar_named
from ..engine import On, Step, action
from ..models import RUNNING, Clock, ClockKind
from ..notices import next_of
from ..reference import forget, reference

log = logging.getLogger(__name__)
BATCH = 1000
NOTHING = "nothing_to_recompute"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What one run did: cases given other due times, and those somebody else held at that moment."""

    cases: int = 0
    held: int = 0


def out_of_step(clocks: Sequence[Clock]) -> list[tuple[Clock, Due]]:
    """The clocks that their calendar would have fall due otherwise, with when. Those counted around the clock never are."""
    found: list[tuple[Clock, Due]] = []
    for code in {clock.calendar for clock in clocks}:
        calendar = calendar_named(code)
        if calendar is AROUND_THE_CLOCK:
            continue
        same = [clock for clock in clocks if clock.calendar == code]
        dues = calendar.add_many([clock.started_at for clock in same], [clock.total_minutes for clock in same])
        found += [(clock, due) for clock, due in zip(same, dues, strict=True)
                  if due != (clock.due_at, clock.provisional)]
    return found


@action("recompute_due")
def recompute_due(step: Step) -> None:
    """重算期限: every running clock of the case falls due when its calendar, as now known, says. Raises Conflict when all do."""
    promised = next((c for c in step.running if c.kind == ClockKind.RESOLVE and c.assignment_id is None), None)
    before = (promised.due_at, promised.provisional) if promised else None
    told: list[dict[str, object]] = []
    for clock, due in out_of_step(step.running):
        told.append({"kind": clock.kind, "assignment": str(clock.assignment_id) if clock.assignment_id else None,
                     "before": clock.due_at.isoformat(), "after": due.at.isoformat(), "provisional": due.provisional})
        step.reset(clock)
    if not told:
        raise Conflict(_("这件工单的期限已经按现在的工作日历算过。"), code=NOTHING)
    step.data.update(clocks=told)
    if promised is not None and before is not None and before != (promised.due_at, promised.provisional):
        step.data.update(before=before[0].isoformat(), after=promised.due_at.isoformat(), published=before[1],
                         provisional=promised.provisional)


def _pages(which: Q) -> Iterator[list[Clock]]:
    """Clocks in batches, in the order of their ids. What is changed meanwhile is read as it is then."""
    last = uuid.UUID(int=0)
    while True:
        page = list(Clock.objects.filter(RUNNING, which, pk__gt=last).order_by("pk")[:BATCH])
        if not page:
            return
        yield page
        last = page[-1].pk


def _of_missed_calls(clocks: Iterable[Clock], at: datetime) -> None:
    """Calls that nobody took have no case and no log yet: their clocks are set alone."""
    for one in clocks:
        with transaction.atomic():
            clock = Clock.objects.select_for_update().filter(RUNNING, pk=one.pk).first()
            for _clock, due in out_of_step([clock] if clock else []):
                one.due_at, one.provisional = due
                Clock.objects.filter(pk=one.pk).update(
                    due_at=due.at, provisional=due.provisional,
                    next_at=next_of(reference(), one, urgency="normal", after=at))


def _settle(which: Q, at: datetime) -> Recomputed:
    """Compute what is out of step again, case by case, each in a transaction of its own."""
    done = held = 0
    for page in _pages(which):
        wrong = [clock for clock, _due in out_of_step(page)]
        _of_missed_calls([clock for clock in wrong if clock.case_id is None], at)
        for case_id in sorted({clock.case_id for clock in wrong if clock.case_id is not None}):
            try:
                recompute_due(On(case_id, SYSTEM))
                done += 1
            except Conflict as error:
                held += error.code != NOTHING
    return Recomputed(done, held)


def recompute_due_times() -> Recomputed:
    """Every running clock as the calendars now stand. Safe to run twice, late, or beside another: what is right is left alone.

    Clocks that rest on an unpublished year are looked at each time, by an index; the others of a calendar only when it has
    changed since they were last all looked at, and only what is not yet due: days up to today stay what they were.
    """
    forget()  # the calendars as they are, not as they were a moment ago
    at, changed = now(), unsettled()
    first = _settle(Q(provisional=True), at)
    second = _settle(Q(provisional=False, calendar__in=[one.code for one in changed], due_at__gt=at), at) if changed else Recomputed()
    result = Recomputed(first.cases + second.cases, first.held + second.held)
    if not result.held:
        Settling.settle(changed)
    if result.cases or result.held:
        log.info("due times computed again: %s cases, %s held by others", result.cases, result.held)
    return result
