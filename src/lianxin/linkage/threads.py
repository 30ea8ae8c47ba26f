"""The thread of one matter: from rows to the rules' record and back. What people here do goes out through `say`.

Everything that changes a matter locks in one order: its case, the matter, a handover.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import Case
from lianxin.kernel.errors import Conflict, NotFound

from . import outbox, wire
from .models import Handover, HandoverState, Matter
from .protocol import RULES, NotNow, Record
from .protocol import Handover as Known

_WHY = {
    "not_holder": _("这件事不在本热线手里，不能移交。"),
    "one_open": _("已经在移交，对方还没有答复。"),
    "known": _("这次移交已经提出过。"),
    "unknown": _("没有找到这次移交。"),
    "unknown_follows": _("没有找到所接续的移交。"),
    "not_in_this_state": _("移交的情况刚有变化，请看过再操作。"),
}


def locked(matter_id: uuid.UUID) -> Matter:
    """A matter for a write, behind its case: the order in which everything locks. Raises NotFound, and Conflict when its case
    changed in between."""
    case_id = Matter.objects.filter(pk=matter_id).values_list("case_id", flat=True).first()
    if case_id is not None:
        list(Case.objects.select_for_update().filter(pk=case_id).values_list("pk"))
    matter = Matter.objects.select_for_update(of=("self",)).select_related("partner").filter(pk=matter_id).first()
    if matter is None:
        raise NotFound(_("没有找到这件移交事项。"))
    if matter.case_id != case_id:
        raise Conflict(code="held_by_another")
    return matter


def record_of(matter: Matter, *, but: uuid.UUID | None = None) -> Record:
    """What this side has written down about a matter; `but` leaves out a handover that is only being made."""
    rows = Handover.objects.filter(matter=matter).order_by("offered_at", "id").only("direction", "mode", "state", "follows_id")
    return record_with(matter, [row for row in rows if row.pk != but])


def record_with(matter: Matter, handovers: Sequence[Handover]) -> Record:
    """The rules' record of a matter whose handovers were read already, oldest first."""
    return Record(
        holder=str(matter.holder), term=matter.term, first_receiver=str(matter.first_receiver), sent_seq=matter.sent_seq,
        received_seq=matter.received_seq,
        handovers=tuple(Known(row.pk, str(row.direction), str(row.mode), str(row.state), row.follows_id) for row in handovers))


def say(matter: Matter, kind: wire.Kind, body: wire.Part, *, handover: Handover, defaulted: bool = False) -> HandoverState:
    """What this side does to a handover, by the rules: the matter's holder and term, and the message in the outbox. Returns the
    handover's next state, which the caller writes with its times. The matter is locked. Raises Conflict."""
    record = record_of(matter, but=handover.pk if kind is wire.Kind.OFFER else None)
    try:
        decided = RULES.decide(record, kind, handover.pk, mode=handover.mode, follows=handover.follows_id, defaulted=defaulted)
    except NotNow as no:
        raise Conflict(_WHY[no.code], code=no.code) from None
    moved = (decided.holder, decided.term) != (record.holder, record.term)
    matter.holder, matter.term = decided.holder, decided.term
    if moved:
        matter.save(update_fields=["holder", "term"])
    outbox.put(matter, kind, body, handover=handover)
    known = decided.find(handover.pk)
    assert known is not None
    return HandoverState(known.state)


def followed(handover: Handover) -> uuid.UUID | None:
    """The handover that is closed on both sides when this one is taken, if there is one."""
    record = record_of(handover.matter)
    known = record.find(handover.pk)
    return RULES.followed(record, known) if known is not None else None
