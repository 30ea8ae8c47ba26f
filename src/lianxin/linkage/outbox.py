"""The outbox: a message is written in the transaction of what it tells, and lies there until it was answered.

NOTIFY wakes the sender at the commit. It takes a lock of the whole server there (cases/schema_sql.py, QUIET_JOBS), so only
transactions that hand something over pay for it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.ids import uuid7
from lianxin.kernel.queues import Standing

from . import wire
from .models import Handover, Matter, Outgoing, OutgoingState, Partner

CHANNEL: Final = "lianxin_linkage"
LONGEST_WHY: Final = 300


def _context(pk: uuid.UUID) -> str:
    return f"outgoing:{pk}:body"


def wake(partner_id: int) -> None:
    """Tell the sender at commit that something waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(partner_id)])


def put(matter: Matter, kind: wire.Kind, body: wire.Part, *, handover: Handover) -> Outgoing:
    """The next message of a matter, in the caller's transaction; the caller holds the matter's row. `threads.say` asks the rules
    first, and is what everybody else calls."""
    matter.sent_seq += 1
    matter.save(update_fields=["sent_seq"])
    return _written(matter.partner_id, kind, body, urgent=handover.emergency, matter=matter, handover_id=handover.pk,
                    seq=matter.sent_seq, term=matter.term)


def put_free(partner: Partner, kind: wire.Kind, body: wire.Part) -> Outgoing:
    """A message that belongs to no matter, in the caller's transaction."""
    return _written(partner.pk, kind, body)


def _written(partner_id: int, kind: wire.Kind, body: wire.Part, *, urgent: bool = False, matter: Matter | None = None,
             handover_id: uuid.UUID | None = None, seq: int | None = None, term: int | None = None) -> Outgoing:
    pk, at = uuid7(), now()
    row = Outgoing(
        id=pk, partner_id=partner_id, matter=matter, handover_id=handover_id, seq=seq, term=term, kind=kind.value, urgent=urgent,
        made_at=at, next_at=at, body=encrypt(body.model_dump_json(), context=_context(pk)))
    row.save(force_insert=True)
    wake(partner_id)
    return row


def body_of(row: Outgoing) -> wire.Part:
    """What a message says, opened. Raises ValueError once it has been emptied."""
    if row.body is None:
        raise ValueError("the message has been emptied")
    return wire.BODIES[wire.Kind(row.kind)].model_validate_json(decrypt(bytes(row.body), context=_context(row.pk)))


def envelope_of(row: Outgoing, partner: Partner) -> str:
    """The message as it travels: the same bytes in every try."""
    return wire.envelope(
        id=row.pk, sender=settings.LIANXIN_LINKAGE_NAME, to=partner.code, kind=wire.Kind(row.kind), sent_at=row.made_at,
        body=body_of(row).model_dump(mode="json"), matter=row.matter_id, seq=row.seq, handover=row.handover_id, term=row.term)


# ── What became of a message ─────────────────────────────────────────────────────────────────────────────────────────────


def sent(row: Outgoing, at: datetime) -> None:
    """It was answered: the next of its matter may go."""
    Outgoing.objects.filter(pk=row.pk).update(state=OutgoingState.SENT, sent_at=at, attempts=row.attempts + 1, last_error="")


def put_off(row: Outgoing, why: str, at: datetime, until: datetime) -> None:
    """Not answered: later, and those behind it later still."""
    Outgoing.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, last_error=why[:LONGEST_WHY], next_at=until)
    if row.matter_id is not None:
        Outgoing.objects.filter(matter_id=row.matter_id, state=OutgoingState.WAITING, next_at__lt=until).exclude(pk=row.pk).update(
            next_at=until)


def give_up(row: Outgoing, why: str) -> None:
    """Refused for good: it stays until people have looked, and those of its matter behind it wait."""
    Outgoing.objects.filter(pk=row.pk).update(state=OutgoingState.DEAD, attempts=row.attempts + 1, last_error=why[:LONGEST_WHY])


def go_back(row: Outgoing, expected: int, at: datetime) -> None:
    """The other side lacks messages it had answered: go on from the number it expects. Raises ValueError when they are emptied."""
    assert row.matter_id is not None  # only what is numbered can be behind
    again = Outgoing.objects.select_for_update().filter(
        matter_id=row.matter_id, seq__gte=expected, seq__lt=row.seq, state=OutgoingState.SENT)
    if expected < 1 or any(one.body is None for one in again) or len(again) != (row.seq or 0) - expected:
        raise ValueError("what the other side lacks is no longer kept")
    again.update(state=OutgoingState.WAITING, sent_at=None, next_at=at, attempts=0)


def resend(letter: uuid.UUID) -> int:
    """A dead letter goes again at once, and all of its matter behind it in their order. Returns how many wait then; 0 when it is no
    dead letter."""
    at = now()
    with transaction.atomic():
        row = Outgoing.objects.select_for_update().filter(pk=letter, state=OutgoingState.DEAD).first()
        if row is None:
            return 0
        tail = Q(pk=row.pk) if row.matter_id is None else Q(matter_id=row.matter_id, seq__gte=row.seq)
        count = Outgoing.objects.filter(tail).exclude(state=OutgoingState.SENT).update(
            state=OutgoingState.WAITING, next_at=at, attempts=0)
        wake(row.partner_id)
    return count


def hurry(partner_id: int, at: datetime) -> int:
    """A partner answers again: what was put off for its silence goes now."""
    return Outgoing.objects.filter(partner_id=partner_id, state=OutgoingState.WAITING, next_at__gt=at).update(next_at=at)


def standings(at: datetime) -> list[Standing]:
    """Every active partner's outbox, empty ones too. One query over what is not sent."""
    unsent = Q(outgoing__state=OutgoingState.WAITING)
    rows = Partner.objects.filter(active=True).annotate(
        waiting=Count("outgoing", filter=unsent), dead=Count("outgoing", filter=Q(outgoing__state=OutgoingState.DEAD)),
        oldest=Min("outgoing__made_at", filter=unsent)).order_by("code").values_list("code", "waiting", "dead", "oldest")
    return [Standing("linkage", code, waiting, dead, (at - oldest).total_seconds() if oldest else 0.0)
            for code, waiting, dead, oldest in rows]
