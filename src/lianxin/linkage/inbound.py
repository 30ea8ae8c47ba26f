"""What comes in from a partner: who sends it, whether its turn has come, what it changes – and the answer, written down with it.

A message is taken whole or not at all: its number, the holder and term, the handover, the case and the answer are one transaction.
The same message sent again is answered the same. What is not the sender's fault is answered 503: it tries again, nothing is lost.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pydantic_core
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from lianxin.kernel import faults, signatures
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound, TooLarge

from . import outbox, signing, threads, wire
from .models import Handover, HandoverState, Holder, Matter, Partner, Received
from .protocol import RULES, THEM, US, Message, OutOfOrder, Taken, Wrong
from .wire import Kind, Status

log = logging.getLogger(__name__)


class Malformed(DomainError):
    """Not JSON, or nothing that says who sends it."""

    status = 400
    default_code = "malformed"
    default_message = _("内容不是 UTF-8 编码的 JSON 对象。")


class Gap(DomainError):
    """A message before this one has not come. `expected` is its number."""

    status = 409
    default_code = "out_of_order"
    default_message = _("前面还有消息没有收到：请从 expected 的序号起重发。")

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.expected = expected


class Later(DomainError):
    """Nothing wrong with the message: this side cannot take it just now."""

    status = 503
    default_code = "unavailable"
    default_message = _("现在不能处理，没有存下来：请稍后重发。")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message whose turn has come. `matter` is locked and has moved on already; `state` is what the handover is to become
    (`before` when nothing changes), `refusal` why an offer was refused by the rules, `also_closed` a handover that ended with it."""

    partner: Partner
    matter: Matter
    handover: Handover | None
    message: Any
    before: HandoverState | None
    state: HandoverState | None
    status: Status
    at: datetime
    refusal: str = ""
    also_closed: uuid.UUID | None = None


Handler = Callable[[Arrival], dict[str, Any] | None]
# What a kind does here. The modules that know register theirs when the app is ready.
HANDLERS: Final[dict[Kind, Handler]] = {}
_FAULTS: Final = {
    "unknown_matter": _("没有这件事项。"),
    "unknown_handover": _("没有这次移交。"),
    "known_handover": _("这次移交已经提出过。"),
    "wrong_side": _("这种消息应由另一方发出。"),
    "not_in_this_state": _("移交的状态不容许这种消息，也不是消息交错造成的。"),
    "stale_term": _("届次对不上。"),
    "id_reused": _("这个消息编号已用于另一条消息。"),
    "seq_reused": _("这个序号已用于另一条消息。"),
}


def receive(raw: bytes, headers: Mapping[str, str]) -> wire.Receipt:
    """Take one message as it came over the network. Raises DomainError with the status to answer with."""
    if len(raw) > wire.LARGEST:
        raise TooLarge(_("内容超过 256 kB。"))
    partner = _sender(raw, headers)
    try:
        message = wire.parse(raw)
    except ValidationError as error:
        found = faults.listed(error.errors(include_url=False, include_context=False, include_input=False))
        raise Invalid(fields=dict(_named(found))) from None
    _addressed(message, partner, headers)
    try:
        return _taken(partner, message, now())
    except DatabaseError as error:
        if isinstance(error, IntegrityError) and Received.objects.filter(pk=message.id).exists():
            raise Invalid(_FAULTS["id_reused"], code="id_reused") from None
        log.warning("a message of %s could not be written: %s", partner.code, getattr(error.__cause__, "sqlstate", type(error).__name__))
        raise Later() from error
    except Conflict as conflict:
        if conflict.code == "held_by_another":
            raise Later() from None
        raise Invalid(conflict.message, code=conflict.code) from None
    except DomainError:
        raise
    except Exception as error:
        log.error("a message of %s met a fault of ours", partner.code, exc_info=error)
        raise Later() from error


def _named(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Places without the kind that pydantic puts before the fields of a union."""
    kinds = set(Kind)
    return [(".".join(part for at, part in enumerate(name.split(".")) if at or part not in kinds) or "kind", said)
            for name, said in found]


def _sender(raw: bytes, headers: Mapping[str, str]) -> Partner:
    """Whose message it is, by its signature. Raises Malformed and Unsigned."""
    try:
        peeked = pydantic_core.from_json(raw)
    except ValueError:
        raise Malformed() from None
    sender = peeked.get("from") if isinstance(peeked, dict) else None
    if not isinstance(sender, str):
        raise Malformed()
    partner, secrets = signing.known(sender) if len(sender) <= 60 and "\0" not in sender else (None, [])
    # A desk nobody knows is checked against a secret nobody has: it is answered as a wrong signature is, and as slowly.
    signatures.verify(raw, headers, secrets or [signatures.fresh()])
    if partner is None:
        raise signatures.Unsigned()
    return partner


def _addressed(message: wire.Message, partner: Partner, headers: Mapping[str, str]) -> None:
    if message.sender != partner.code or str(message.id) != headers.get(signatures.ID, "").lower():
        raise signatures.Unsigned(_("签名的编号或发送方与内容不一致。"))
    if message.to != settings.LIANXIN_LINKAGE_NAME:
        raise Invalid(fields={"to": str(_("这不是本单位的名称。"))})


def _taken(partner: Partner, message: wire.Message, at: datetime) -> wire.Receipt:
    match message:
        case wire.OfHandover():
            return _of_matter(partner, message, at)
        case wire.PingMessage():
            return wire.Receipt(received=message.id, status=Status.NOTED, answer={"pong": True})
        case wire.QueryMessage():
            return wire.Receipt(received=message.id, status=Status.NOTED, answer=standing(partner, message.body.matter))
        case wire.RuleMessage():
            return _rule(partner, message, at)


def digest_of(message: wire.Envelope) -> bytes:
    """32 bytes of what a message says, without when it was sent."""
    said = message.model_dump_json(by_alias=True, exclude={"sent_at"})
    return hashlib.sha256(said.encode()).digest()


def standing(partner: Partner, matter_id: uuid.UUID) -> dict[str, Any]:
    """How a matter stands here: who holds it, in which term, the state of its newest handover, and the last number taken."""
    matter = Matter.objects.filter(pk=matter_id, partner=partner).first()
    if matter is None:
        return {"holder": None, "term": 0, "state": None, "last_seq": 0}
    last = Handover.objects.filter(matter=matter).order_by("-offered_at", "-id").values_list("state", flat=True).first()
    holder = settings.LIANXIN_LINKAGE_NAME if matter.holder == Holder.US else partner.code
    return {"holder": holder, "term": matter.term, "state": last, "last_seq": matter.received_seq}


# ── Of a matter ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_matter(partner: Partner, message: wire.OfHandover, at: datetime) -> wire.Receipt:
    with transaction.atomic():
        matter = _matter(partner, message.matter)
        handovers = list(Handover.objects.select_for_update().filter(matter=matter).order_by("offered_at", "id")) if matter else []
        try:
            taken = RULES.receive(threads.record_with(matter, handovers) if matter is not None else None, _read(message))
        except OutOfOrder as gap:
            raise Gap(gap.expected) from None
        except Wrong as wrong:
            raise Invalid(_FAULTS[wrong.code], code=wrong.code) from None
        if taken.status is Status.DUPLICATE:
            return _again(message)
        matter = _moved(partner, matter, message, taken, at)
        handover = next((one for one in handovers if one.pk == message.handover), None)
        answer = HANDLERS[_kind(message)](_arrival(partner, matter, handover, message, taken, at))
        _reply(matter, taken)
        Received.objects.create(
            id=message.id, partner=partner, matter=matter, seq=message.seq, kind=_kind(message).value, digest=digest_of(message),
            status=taken.status.value, answer=answer or {}, at=at)
        return wire.Receipt(received=message.id, status=taken.status, answer=answer)


def _matter(partner: Partner, matter_id: uuid.UUID) -> Matter | None:
    """The matter, locked; None when nobody here has heard of it. Two first messages of one matter come one after the other."""
    try:
        matter = threads.locked(matter_id)
    except NotFound:
        _one_at_a_time(matter_id)
        try:
            matter = threads.locked(matter_id)
        except NotFound:
            return None
    if matter.partner_id != partner.pk:  # another desk's: nothing of it is said here
        raise Invalid(_FAULTS["unknown_matter"], code="unknown_matter")
    return matter


def _one_at_a_time(key: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(key)])


def _again(message: wire.OfHandover) -> wire.Receipt:
    """What was answered when this message came before. Raises Invalid when its number, or its id, was something else then."""
    earlier = Received.objects.filter(matter_id=message.matter, seq=message.seq).first()
    if earlier is not None and earlier.pk != message.id:
        raise Invalid(_FAULTS["seq_reused"], code="seq_reused")
    if earlier is not None and bytes(earlier.digest) != digest_of(message):
        raise Invalid(_FAULTS["id_reused"], code="id_reused")
    return wire.Receipt(received=message.id, status=Status.DUPLICATE, answer=(earlier.answer or None) if earlier else None)


def _kind(message: Any) -> Kind:
    return Kind(message.kind)


def _read(message: wire.OfHandover) -> Message:
    """What the rules read of it. Whoever the caller turned to first, if it was not this desk it was on their side."""
    mode, follows, first, defaulted = wire.Mode.TRANSFER.value, None, US, False
    if isinstance(message, wire.OfferMessage):
        mode, follows = message.body.mode.value, message.body.follows
        first = THEM if message.body.first_receiver == settings.LIANXIN_LINKAGE_NAME else US
    if isinstance(message, wire.RefuseMessage):
        defaulted = message.body.defaulted
    return Message(_kind(message).value, message.handover, message.seq, message.term, mode, follows, first, defaulted)


def _moved(partner: Partner, matter: Matter | None, message: wire.OfHandover, taken: Taken, at: datetime) -> Matter:
    record = taken.record
    if matter is None:
        return Matter.objects.create(
            id=message.matter, partner=partner, holder=record.holder, term=record.term, first_receiver=record.first_receiver,
            received_seq=record.received_seq, opened_at=at)
    matter.holder, matter.term, matter.received_seq = record.holder, record.term, record.received_seq
    matter.save(update_fields=["holder", "term", "received_seq"])
    return matter


def _arrival(partner: Partner, matter: Matter, handover: Handover | None, message: wire.OfHandover, taken: Taken,
             at: datetime) -> Arrival:
    if handover is not None:
        handover.matter = matter
    return Arrival(
        partner=partner, matter=matter, handover=handover, message=message,
        before=HandoverState(taken.before) if taken.before else None, state=HandoverState(taken.state) if taken.state else None,
        status=taken.status, at=at, refusal=taken.refusal, also_closed=taken.also_closed)


# What the rules answer by themselves.
_OWN: Final[dict[str, Callable[[Message], wire.Part]]] = {
    Kind.WITHDRAWN.value: lambda said: wire.Withdrawn(),
    Kind.REFUSE.value: lambda said: wire.Refuse(reason=said.reason),
}


def _reply(matter: Matter, taken: Taken) -> None:
    """The rules' own answers, behind whatever the handler has said."""
    for said in taken.record.outgoing:
        handover = Handover.objects.get(pk=said.handover)
        outbox.put(matter, Kind(said.kind), _OWN[said.kind](said), handover=handover)


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rule(partner: Partner, message: wire.RuleMessage, at: datetime) -> wire.Receipt:
    from . import rules

    with transaction.atomic():
        digest = digest_of(message)
        _one_at_a_time(message.id)
        earlier = Received.objects.filter(pk=message.id).first()
        if earlier is not None:
            if bytes(earlier.digest) != digest or earlier.partner_id != partner.pk:
                raise Invalid(_FAULTS["id_reused"], code="id_reused")
            return wire.Receipt(received=message.id, status=Status.DUPLICATE)
        status = rules.received(partner, message.body, at)
        Received.objects.create(id=message.id, partner=partner, kind=Kind.RULE.value, digest=digest, status=status.value, at=at)
        return wire.Receipt(received=message.id, status=status)
