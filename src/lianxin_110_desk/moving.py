"""What moves a matter and its handovers, whoever's message it is."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from . import states
from .models import US, Handover, Matter
from .options import options


def set_state(handover: Handover, state: str) -> None:
    """The new state with its time; the caller saves."""
    now = timezone.now()
    if state == states.ACKNOWLEDGED and handover.acknowledged_at is None:
        handover.acknowledged_at = now
    if state == states.NEGOTIATING and handover.state != states.NEGOTIATING:
        handover.due_at = now + timedelta(seconds=options().negotiate_seconds)
    if handover.state in states.UNDECIDED and state not in states.UNDECIDED:
        handover.decided_at = now
    if state not in states.ASKED and handover.direction == "in" and state not in states.UNDER_WAY:
        handover.auto_at = None
    handover.state = state


def accepted(matter: Matter, handover: Handover, holder: str) -> None:
    """The matter goes over, unless the offer was a joint one; the handover this one goes back on ends with it."""
    behind = None
    if handover.follows is not None:
        behind = Handover.objects.filter(id=handover.follows, matter=matter).exclude(direction=handover.direction).first()
    if behind is not None and behind.state in (states.ACCEPTED, states.IN_PROGRESS, states.OUTCOME_RETURNED):
        set_state(behind, states.CLOSED)
        behind.auto_at = None
        behind.save()
    if handover.mode == "transfer":
        matter.holder = holder
        matter.term += 1
        matter.closed_at = None
    set_state(handover, states.ACCEPTED)


def closes(matter: Matter, handover: Handover) -> None:
    """With its last handover a matter is over for both, unless it came back to this desk to be worked on."""
    set_state(handover, states.CLOSED)
    others = matter.handovers.exclude(id=handover.id).filter(state__in=(*states.UNDECIDED, *states.UNDER_WAY, states.OUTCOME_RETURNED))
    if not others.exists():
        matter.closed_at = timezone.now()


def code_of(side: str) -> str:
    return options().name if side == US else options().peer
