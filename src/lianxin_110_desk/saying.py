"""To say something to the other desk: a line of the ledger and a message in the outbox, in the transaction of what it is about."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from . import conduct, outbox, wire
from .live import tell
from .models import THEM, US, Entry, Handover, Matter, Outgoing
from .options import options
from .store import afterwards, insert, update


def say(kind: str, matter: Matter, handover: Handover, body: dict[str, Any], *, operator: str = "") -> Outgoing:
    """Call it while writing, with the matter's new holder and term set. The caller saves the handover; the matter is saved here."""
    matter.sent_seq += 1
    at = conduct.now()
    identity, content = wire.envelope(
        sender=options().name, to=options().peer, kind=kind, body=body, at=at,
        matter=matter.id, seq=matter.sent_seq, handover=handover.id, term=matter.term)
    row = Outgoing(message=identity, matter=matter, seq=matter.sent_seq, kind=kind, content=content)
    insert(row)
    write(US, kind, matter, handover, body, message=identity, operator=operator)
    afterwards(outbox.wake)
    return row


def say_apart(kind: str, body: dict[str, Any]) -> Outgoing:
    """A message of no matter."""
    identity, content = wire.envelope(sender=options().name, to=options().peer, kind=kind, body=body, at=conduct.now())
    row = Outgoing.objects.create(message=identity, kind=kind, content=content)
    afterwards(outbox.wake)
    return row


def write(desk: str, kind: str, matter: Matter, handover: Handover | None, body: dict[str, Any], *, message: uuid.UUID,
          operator: str = "", status: str = "applied") -> None:
    """One line of the ledger; every screen hears of it."""
    matter.changed_at = timezone.now()
    update(matter)
    insert(Entry(matter=matter, handover=handover, message=message, desk=desk, kind=kind, operator=operator[:40], body=body,
                 status=status))
    new = kind == "offer" and desk == THEM
    heard = {"matter": str(matter.id), "emergency": bool(handover and handover.emergency), "new": new}
    afterwards(lambda: tell(kind, **heard))
