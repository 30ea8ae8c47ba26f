"""Afterwards: what each of the two databases says, and every way in which they may not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

DIRECTIONS = {"in": "out", "out": "in"}
NOT_TAKEN = ("refused", "defaulted", "withdrawn")
ONCE = ("offer", "accept", "refuse", "withdrawn", "outcome", "close")
UNDECIDED = ("offered", "acknowledged", "negotiating", "withdrawing")


@dataclass(frozen=True, slots=True)
class Offer:
    """One handover as one side has it."""

    direction: str
    state: str
    mode: str


@dataclass(slots=True)
class Side:
    """One side's matters: who holds each by name, and its handovers, the first one first. `cases` counts what each matter became
    there, `strays` cases that belong to none, `twice` steps that may happen once to a handover and happened again."""

    holder: dict[str, str] = field(default_factory=dict)
    term: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    offers: dict[str, dict[str, Offer]] = field(default_factory=dict)
    cases: Counter[str] = field(default_factory=Counter)
    strays: int = 0
    twice: list[str] = field(default_factory=list)
    waiting: int = 0
    dead: int = 0


@dataclass(slots=True)
class Verdict:
    """How many there were, and how many are wrong in which way; `examples` name a few."""

    handovers: int = 0
    matters: int = 0
    states: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def fault(self, kind: str, what: str) -> None:
        self.faults[kind] += 1
        if len(self.examples) < 10:
            self.examples.append(f"{kind}: {what}")

    @property
    def good(self) -> bool:
        return self.handovers > 0 and not self.faults


KINDS = ("lost", "doubled", "held by both", "held by neither", "told otherwise", "not sent", "dead letters")


def compare(ours: Side, theirs: Side, *, us: str, them: str) -> Verdict:
    """Every handover is there on both sides, once, in the same state; every matter has one holder, the same on both."""
    verdict = Verdict(matters=len(ours.holder.keys() | theirs.holder.keys()))
    for matter in sorted(ours.holder.keys() | theirs.holder.keys()):
        mine, other = ours.offers.get(matter, {}), theirs.offers.get(matter, {})
        for handover in sorted(mine.keys() | other.keys()):
            verdict.handovers += 1
            _handover(verdict, handover, mine.get(handover), other.get(handover))
        _holder(verdict, matter, ours, theirs, us, them)
        for here, there, name in ((ours, theirs, us), (theirs, ours, them)):
            if matter in here.sent and matter in there.received and here.sent[matter] != there.received[matter]:
                verdict.fault("told otherwise", f"{matter}: {name} sent {here.sent[matter]}, {there.received[matter]} arrived")
    _cases(verdict, ours)
    for side, name in ((ours, us), (theirs, them)):
        if side.waiting:
            verdict.fault("not sent", f"{side.waiting} messages of {name}")
        if side.dead:
            verdict.fault("dead letters", f"{side.dead} of {name}")
    return verdict


def _handover(verdict: Verdict, key: str, mine: Offer | None, other: Offer | None) -> None:
    if mine is None or other is None:
        verdict.fault("lost", f"handover {key} is only on {'their' if mine is None else 'our'} side")
        return
    verdict.states[mine.state] += 1
    if mine.direction != DIRECTIONS[other.direction]:
        verdict.fault("told otherwise", f"{key}: {mine.direction} on both sides")
    if mine.state != other.state:
        verdict.fault("told otherwise", f"{key}: {mine.state} here, {other.state} there")


def _holder(verdict: Verdict, matter: str, ours: Side, theirs: Side, us: str, them: str) -> None:
    """Each side says whom it believes to hold; a side holds when it names itself."""
    here, there = ours.holder.get(matter) == us, theirs.holder.get(matter) == them
    if matter not in ours.holder or matter not in theirs.holder:
        verdict.fault("lost", f"matter {matter} is only on {'their' if matter not in ours.holder else 'our'} side")
    elif here and there:
        verdict.fault("held by both", matter)
    elif not here and not there:
        verdict.fault("held by neither", matter)
    elif ours.term[matter] != theirs.term[matter]:
        verdict.fault("told otherwise", f"{matter}: term {ours.term[matter]} here, {theirs.term[matter]} there")


def _cases(verdict: Verdict, ours: Side) -> None:
    """What was taken here became one case, what was not none."""
    for matter, offers in ours.offers.items():
        if not offers:
            continue
        begun_there = next(iter(offers.values())).direction == "in"
        taken = any(one.direction == "in" and one.state not in (*NOT_TAKEN, *UNDECIDED) for one in offers.values())
        due = 1 if taken or not begun_there else 0
        if ours.cases[matter] > due:
            verdict.fault("doubled", f"matter {matter} became {ours.cases[matter]} cases")
        elif ours.cases[matter] < due:
            verdict.fault("lost", f"matter {matter} became no case")
    for _each in range(ours.strays):
        verdict.fault("doubled", "a case of the other desk's without a matter")
    for step in ours.twice:
        verdict.fault("doubled", step)


def our_side() -> Side:
    """From the hotline's tables."""
    from django.conf import settings
    from django.db.models import Count

    from lianxin.cases.models import Case, Channel
    from lianxin.linkage.models import Handover, HandoverStep, Holder, Matter, Outgoing

    side = Side()
    for matter in Matter.objects.select_related("partner").iterator(2000):
        key = str(matter.pk)
        side.holder[key] = settings.LIANXIN_LINKAGE_NAME if matter.holder == Holder.US else matter.partner.code
        side.term[key], side.sent[key], side.received[key] = matter.term, matter.sent_seq, matter.received_seq
        side.cases[key] = int(matter.case_id is not None)
    rows = Handover.objects.order_by("offered_at").values_list("pk", "matter_id", "direction", "state", "mode")
    for pk, matter_id, direction, state, mode in rows.iterator(5000):
        side.offers.setdefault(str(matter_id), {})[str(pk)] = Offer(direction, state, mode)
    side.strays = Case.objects.filter(channel__in=[Channel.POLICE, Channel.PARTNER], matters__isnull=True).count()
    steps = HandoverStep.objects.filter(kind__in=ONCE).exclude(data__has_key="noted").values_list("handover_id", "kind")
    side.twice = [f"{handover}: {kind} {n} times" for handover, kind, n in steps.annotate(n=Count("pk")).filter(n__gt=1)]
    counted = dict(Outgoing.objects.exclude(state="sent").values_list("state").annotate(n=Count("pk")))
    side.waiting, side.dead = counted.get("waiting", 0), counted.get("dead", 0)
    return side


def _pages(url: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        reply = requests.get(f"{url}/api/matters", params={"after": after} if after else {}, timeout=60)
        reply.raise_for_status()
        said = reply.json()
        yield from said["matters"]
        after = said["after"] or ""
        if not after:
            return


def their_side(url: str) -> Side:
    """From the other desk, page by page."""
    side = Side()
    for matter in _pages(url):
        key = matter["id"]
        side.holder[key], side.term[key] = matter["holder"], matter["term"]
        side.sent[key], side.received[key] = matter["sent_seq"], matter["received_seq"]
        side.offers[key] = {one["id"]: Offer(one["direction"], one["state"], one["mode"]) for one in matter["handovers"]}
        side.cases[key] = 1
    figures = requests.get(f"{url}/api/figures", timeout=60).json()
    side.waiting, side.dead = figures["waiting"], figures["dead"]
    return side
