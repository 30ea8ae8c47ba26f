"""Handovers whose time is up: the desk hears an alarm, once – or, where the two desks could not agree, the first receiver takes it.

`lianxin linkage deliver` looks every second. It costs what is due: a partial index holds the clocks that have not spoken.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction

from lianxin.cases.actions.handing_over import note_handover
from lianxin.kernel.errors import DomainError

from . import deciding, threads
from .models import Direction, Handover, HandoverState, StepBy
from .steps import facts, on_case, say, write

log = logging.getLogger(__name__)
BATCH = 200
LATE = "late"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one look did: alarms raised, matters that went to the first receiver, handovers another held just then."""

    alarms: int = 0
    decided: int = 0
    held: int = 0


def sweep(at: datetime) -> Swept:
    """Let every clock that has run out by `at` speak, each in a transaction of its own. Run twice or by two at once, each speaks once."""
    alarms = decided = held = 0
    due = Handover.objects.filter(due_at__lte=at, alarmed_at__isnull=True).order_by("due_at").values_list("id", "direction", "state")
    for pk, direction, state in list(due[:BATCH]):
        try:
            if direction == Direction.IN and state == HandoverState.NEGOTIATING and _by_first_receiver(pk):
                decided += 1
            else:
                alarms += _alarm(pk, at)
        except (DatabaseError, DomainError) as error:  # another works on it just then: in a second again
            log.info("the clock of handover %s waits: %s", pk, type(error).__name__)
            held += 1
    return Swept(alarms, decided, held)


def _by_first_receiver(pk: uuid.UUID) -> bool:
    """Still unclear when the time of talking is up. What cannot be decided by itself gets an alarm, and a person decides."""
    try:
        return deciding.by_clock(pk)
    except DomainError as error:
        log.warning("handover %s could not be decided by its clock: %s", pk, error.code)
        return False


def _alarm(pk: uuid.UUID, at: datetime) -> bool:
    with transaction.atomic():
        matter = threads.locked(Handover.objects.values_list("matter_id", flat=True).get(pk=pk))
        handover = Handover.objects.select_for_update().get(pk=pk)
        if handover.alarmed_at is not None or handover.due_at is None or handover.due_at > at:
            return False
        handover.matter = matter
        handover.alarmed_at = at
        handover.save(update_fields=["alarmed_at"])
        write(handover, LATE, by=StepBy.CLOCK, at=at, from_state=handover.state, data={"due_at": handover.due_at.isoformat()})
        case = matter.case
        if case is not None and case.anonymised_at is None:
            note_handover(on_case(matter.partner, case.pk), step=LATE, data=facts(matter.partner, handover, state=handover.state))
        say(handover)
        return True
