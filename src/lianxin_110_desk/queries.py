"""What the screens and the tests read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from . import outbox, states
from .models import US, Entry, Handover, JointRule, Matter, Outgoing, Received
from .moving import code_of

PAGE = 50


@dataclass(frozen=True, slots=True)
class LineState:
    """`up` None: nothing was sent yet."""

    up: bool | None
    waiting: int
    dead: int
    answered_at: datetime | None
    failure: str


def line_state() -> LineState:
    counted = Outgoing.objects.filter(state__in=("waiting", "dead")).aggregate(
        waiting=Count("id", filter=Q(state="waiting")), dead=Count("id", filter=Q(state="dead")))
    return LineState(outbox.line.up, counted["waiting"], counted["dead"], outbox.line.answered_at, outbox.line.failure)


@dataclass(frozen=True, slots=True)
class Board:
    """The three lists of the first screen."""

    asked: list[Handover]
    ours: list[Handover]
    theirs: list[Handover]

    @property
    def alarms(self) -> int:
        return sum(1 for handover in self.asked if handover.emergency)


def board() -> Board:
    rows = Handover.objects.select_related("matter")
    asked = rows.filter(direction="in", state__in=states.UNDECIDED).order_by("-emergency", "received_at")[:PAGE]
    ours = rows.filter(direction="in", state__in=(*states.UNDER_WAY, states.OUTCOME_RETURNED)).order_by("-received_at")[:PAGE]
    theirs = (rows.filter(direction="out").filter(Q(state__in=(*states.UNDECIDED, *states.UNDER_WAY, states.OUTCOME_RETURNED))
                                                   | Q(state__in=(states.REFUSED, states.DEFAULTED, states.WITHDRAWN), matter__holder=US,
                                                       matter__closed_at=None, id__in=_last_of_each()))
              .order_by("-received_at")[:PAGE])
    return Board(list(asked), list(ours), list(theirs))


def _last_of_each() -> QuerySet[Any]:
    """Not taken, and nothing came behind it: this desk still has to find a way."""
    from django.db.models import OuterRef, Subquery

    newest = Handover.objects.filter(matter=OuterRef("matter")).order_by("-received_at").values("id")[:1]
    return Handover.objects.filter(id=Subquery(newest)).values("id")


def matters(before: str = "", text: str = "") -> tuple[list[Matter], str]:
    """A page of all matters, the last changed first, and where the next page begins."""
    rows = Matter.objects.order_by("-changed_at").prefetch_related("handovers")
    if text:
        rows = rows.filter(Q(number__icontains=text) | Q(their_number__icontains=text) | Q(words__icontains=text))
    if before:
        rows = rows.filter(changed_at__lt=datetime.fromisoformat(before))
    found = list(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].changed_at.isoformat() if len(found) > PAGE else ""


def ledger(matter: Matter) -> list[Entry]:
    return list(matter.entries.select_related("handover").order_by("id"))


def unsent(matter: Matter) -> set[Any]:
    """The messages of a matter that were not answered for yet."""
    return set(matter.outgoing.exclude(state="sent").values_list("message", flat=True))


def outgoing() -> list[Outgoing]:
    return list(Outgoing.objects.filter(state__in=("waiting", "dead")).select_related("matter").order_by("state", "id")[:200])


def rules() -> list[JointRule]:
    return list(JointRule.objects.order_by("-at")[:200])


def _milliseconds(moment: datetime | None) -> float | None:
    return None if moment is None else round(moment.timestamp() * 1000, 3)


def handover_data(handover: Handover) -> dict[str, Any]:
    """One handover for tests: codes and times, no words."""
    return {
        "id": str(handover.id), "direction": handover.direction, "state": handover.state, "mode": handover.mode, "basis": handover.basis,
        "emergency": handover.emergency, "refusal": handover.refusal, "result": handover.result,
        "received_at": _milliseconds(handover.received_at), "shown_at": _milliseconds(handover.shown_at),
        "visible_at": _milliseconds(handover.visible_at), "acknowledged_at": _milliseconds(handover.acknowledged_at),
        "decided_at": _milliseconds(handover.decided_at), "follows": str(handover.follows) if handover.follows else None,
    }


def matter_data(matter: Matter) -> dict[str, Any]:
    handovers = sorted(matter.handovers.all(), key=lambda handover: handover.received_at)
    return {
        "id": str(matter.id), "number": matter.number, "holder": code_of(matter.holder), "term": matter.term,
        "first_receiver": code_of(matter.first_receiver), "sent_seq": matter.sent_seq, "received_seq": matter.received_seq,
        "closed": matter.closed_at is not None, "handovers": [handover_data(handover) for handover in handovers],
    }


def matter_pages(after: str = "", limit: int = 500) -> tuple[list[dict[str, Any]], str | None]:
    """All matters by id, for comparing both sides after a run."""
    rows = Matter.objects.order_by("id").prefetch_related("handovers")
    if after:
        rows = rows.filter(id__gt=after)
    found = list(rows[: limit + 1])
    return [matter_data(matter) for matter in found[:limit]], str(found[limit - 1].id) if len(found) > limit else None


def figures() -> dict[str, Any]:
    """Counts of this desk."""
    counted: dict[str, dict[str, int]] = {"in": {}, "out": {}}
    for row in Handover.objects.values("direction", "state").annotate(n=Count("id")):
        counted[row["direction"]][row["state"]] = row["n"]
    line = line_state()
    return {
        "matters": Matter.objects.count(), "held": Matter.objects.filter(holder=US).count(),
        "handovers": counted,
        "received": Received.objects.count(), "sent": Outgoing.objects.filter(state="sent").count(), "sendings": outbox.line.sendings,
        "waiting": line.waiting, "dead": line.dead, "line": {True: "up", False: "down", None: "unused"}[line.up],
    }
