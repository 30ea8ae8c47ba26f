"""The outbox: a message is written in the transaction of what it tells, and lies there until it was answered.

NOTIFY wakes the sender at the commit. It takes a lock of the whole server there (cases/schema_sql.py, QUIET_JOBS), so only
transactions that hand something over pay for it.
"""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.db import connection

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.ids import uuid7

from . import wire
from .models import Handover, Matter, Outgoing, OutgoingState, Partner

CHANNEL: Final = "lianxin_linkage"


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


def waiting(partner: Partner) -> int:
    """How many messages a partner has not taken yet."""
    return Outgoing.objects.filter(partner=partner, state=OutgoingState.WAITING).count()
