"""How a handover moves: one step through the table, its clock, its line in the ledger, and the word to open pages."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from lianxin.cases.engine import On
from lianxin.kernel import live
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import Actor, partner_for

from . import wire
from .models import (
    NOT_TAKEN,
    OVER,
    TAKEN,
    Handover,
    HandoverLimit,
    HandoverState,
    HandoverStep,
    Matter,
    Partner,
    StepBy,
)

# Where the city's file says nothing: seconds a state may last, for an emergency and otherwise.
PLAIN_LIMITS: dict[HandoverState, tuple[int, int]] = {
    HandoverState.OFFERED: (30, 900), HandoverState.ACKNOWLEDGED: (60, 1_800), HandoverState.NEGOTIATING: (300, 3_600),
    HandoverState.WITHDRAWING: (60, 900), HandoverState.ACCEPTED: (600, 7_200), HandoverState.IN_PROGRESS: (86_400, 259_200),
    HandoverState.OUTCOME_RETURNED: (86_400, 86_400),
}


def on_case(partner: Partner, case_id: uuid.UUID) -> On:
    """A case as its partner acts on it."""
    return On(case_id, partner_for(case_id, code=partner.code, name=partner.name))


def facts(partner: Partner, handover: Handover, **more: Any) -> dict[str, Any]:
    """What an event about a handover keeps: codes and numbers, no words."""
    return {"partner": partner.code, "handover": str(handover.pk), **more}


def limit_of(handover: Handover, state: HandoverState | str) -> int | None:
    """Seconds a handover may stay in a state; None where nothing is awaited any more. A partner's own row wins."""
    if state in OVER:
        return None
    rows = HandoverLimit.objects.filter(
        Q(partner__isnull=True) | Q(partner_id=handover.matter.partner_id), state=state, emergency=handover.emergency)
    found = rows.order_by(F("partner").asc(nulls_last=True)).values_list("seconds", flat=True).first()
    return found if found is not None else PLAIN_LIMITS[HandoverState(state)][0 if handover.emergency else 1]


def start_clock(handover: Handover, at: datetime) -> None:
    """Let the clock of the present state run from `at`."""
    seconds = limit_of(handover, handover.state)
    handover.due_at = None if seconds is None else at + timedelta(seconds=seconds)
    handover.alarmed_at = None


def write(handover: Handover, kind: str, *, by: StepBy, at: datetime, from_state: str = "", staff_id: int | None = None,
          badge: str = "", words: str = "", data: dict[str, Any] | None = None) -> HandoverStep:
    """A line of the ledger. The words are sealed."""
    pk = uuid7()
    return HandoverStep.objects.create(
        id=pk, handover=handover, at=at, kind=kind, by=by, staff_id=staff_id, badge=badge[:40], from_state=from_state,
        to_state=handover.state, data=data or {},
        words=encrypt(words, context=f"handover_step:{pk}:words") if words else None,
    )


def words_of(step: HandoverStep) -> str:
    """What was said, opened."""
    return decrypt(bytes(step.words), context=f"handover_step:{step.pk}:words") if step.words is not None else ""


def move(handover: Handover, state: HandoverState | str, kind: wire.Kind, *, by: StepBy, at: datetime, staff_id: int | None = None,
         badge: str = "", words: str = "", data: dict[str, Any] | None = None, **columns: Any) -> None:
    """Write a handover's next state, as the rules gave it, with its times, its clock and the line in the ledger. A state that stays
    is written down too: somebody said something."""
    before = handover.state
    target = HandoverState(state)
    handover.state = target.value
    if target.value != before or handover.due_at is None:
        start_clock(handover, at)
    if target is HandoverState.ACKNOWLEDGED and handover.acknowledged_at is None:
        handover.acknowledged_at = at
    if target in TAKEN + NOT_TAKEN and handover.decided_at is None:
        handover.decided_at = at
    if target is HandoverState.OUTCOME_RETURNED and handover.outcome_at is None:
        handover.outcome_at = at
    if target in OVER and handover.ended_at is None:
        handover.ended_at = at
    for name, value in columns.items():
        setattr(handover, name, value)
    handover.save()
    write(handover, kind.value, by=by, at=at, from_state=before, staff_id=staff_id, badge=badge, words=words, data=data)
    say(handover)


def settle_matter(matter: Matter, at: datetime) -> None:
    """Close a matter about which nothing is awaited from either side, or open it again."""
    waits = Handover.objects.filter(matter=matter, ended_at__isnull=True).exists()
    over = at if not waits else None
    if (matter.closed_at is None) != (over is None):
        matter.closed_at = over
        matter.save(update_fields=["closed_at"])


def say(handover: Handover) -> None:
    """Tell open pages that this handover has changed."""
    live.tell("linkage", handover=handover.pk, state=handover.state)


def open_payload(handover: Handover) -> wire.Offer | None:
    """What a partner's offer said, opened; None once it has been emptied."""
    if handover.payload is None:
        return None
    return wire.Offer.model_validate_json(decrypt(bytes(handover.payload), context=f"handover:{handover.pk}:payload"))


def seal_payload(pk: uuid.UUID, offer: wire.Offer) -> bytes:
    return encrypt(offer.model_dump_json(), context=f"handover:{pk}:payload")


def badge_of(by: Actor) -> str:
    """How our people are named to the other side: by the account, never by name."""
    from lianxin.organisations.models import Staff

    if by.staff_id is None:
        return ""
    return str(Staff.objects.values_list("username", flat=True).get(pk=by.staff_id))[:40]
