"""Do both desks have it alike? Asks a partner for every open matter and says where the two differ: after a restored backup, or to be sure.

Differences that messages on their way explain are told apart from those that nothing will mend by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from . import wire
from .models import Handover, Holder, Matter, Outgoing, OutgoingState, Partner
from .sending import ask

WHY = {
    "unknown_there": _("对方没有这件事项"),
    "holder": _("双方认为的持有方不同"),
    "term": _("届次不同"),
    "state": _("移交状态不同"),
    "lost_there": _("对方缺少已确认收到的消息"),
    "lost_here": _("对方收到的消息比本方发出的多"),
    "nobody": _("双方都不持有"),
    "both": _("双方都持有"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One matter on which two desks differ. `on_its_way`: messages of ours wait, so it may mend itself; look again later."""

    matter: uuid.UUID
    faults: tuple[str, ...]
    ours: dict[str, Any]
    theirs: dict[str, Any]
    on_its_way: bool


def ours_of(matter: Matter) -> dict[str, Any]:
    """How a matter stands here, in the words of the answer to `query`; `last_seq` is the last number the partner has answered."""
    state = Handover.objects.filter(matter=matter).order_by("-offered_at", "-id").values_list("state", flat=True).first()
    answered = Outgoing.objects.filter(matter=matter, state=OutgoingState.SENT).aggregate(last=Max("seq"))["last"]
    holder = settings.LIANXIN_LINKAGE_NAME if matter.holder == Holder.US else matter.partner.code
    return {"holder": holder, "term": matter.term, "state": state, "last_seq": answered or 0}


def faults_of(ours: dict[str, Any], theirs: dict[str, Any], *, us: str, sent_seq: int) -> tuple[str, ...]:
    """What differs, by code of `WHY`."""
    if theirs.get("holder") is None:
        return ("unknown_there",)
    found = []
    if theirs.get("holder") != ours["holder"]:
        found += ["holder", "both" if ours["holder"] == us else "nobody"]
    found += [name for name in ("term", "state") if theirs.get(name) != ours[name]]
    last = theirs.get("last_seq")
    if isinstance(last, int):
        found += ["lost_there"] if last < ours["last_seq"] else ["lost_here"] if last > sent_seq else []
    return tuple(found)


def reconcile(partner: Partner, *, everything: bool = False) -> Iterator[Difference]:
    """Every open matter of a partner (or `everything`) that the two desks have differently. Raises Unreachable when it does not
    answer."""
    which = Q(partner=partner) if everything else Q(partner=partner, closed_at__isnull=True)
    for pk in Matter.objects.filter(which).order_by("opened_at").values_list("pk", flat=True).iterator():
        answer = ask(partner, wire.Kind.QUERY, wire.Query(matter=pk)).answer or {}
        matter = Matter.objects.select_related("partner").get(pk=pk)  # as it is now, not as it was before the question
        ours = ours_of(matter)
        faults = faults_of(ours, answer, us=settings.LIANXIN_LINKAGE_NAME, sent_seq=matter.sent_seq)
        if faults:
            waits = Outgoing.objects.filter(matter=matter).exclude(state=OutgoingState.SENT).exists()
            yield Difference(pk, faults, ours, answer, waits)
