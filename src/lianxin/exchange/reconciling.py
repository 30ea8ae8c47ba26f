"""Do both have it alike? Asks a system for every request that both know and says where the two differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import TERMINAL, State
from lianxin.kernel.clock import now

from . import georeport
from .client import Client
from .models import Letter, LetterState, Link, System
from .polling import BATCH, told

WHY: Final = {
    "unknown_there": _("对方没有这件工单"),
    "closed_there": _("对方已办结，这里还没有"),
    "open_there": _("这里已结束，对方还没有"),
    "no_number": _("对方一直没有给编号"),
    "unsent": _("还没有送到对方"),
    "dead": _("送不出去"),
}
PATIENCE: Final = timedelta(days=1)
RECENT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Difference:
    """One case that the two have differently. `theirs` is their status, empty where they have none; `on_its_way`: it may mend itself."""

    link: Link
    fault: str
    theirs: str
    on_its_way: bool

    @property
    def why(self) -> str:
        return str(WHY[self.fault])


def fault_of(link: Link, said: str | None, *, unsent: bool, dead: bool, at: datetime) -> str:
    """What differs, by code of `WHY`; empty where nothing does. `said` is their status, None where they know nothing of it."""
    over = link.ended_at is not None or link.case.state in TERMINAL
    if dead:
        return "dead"
    if not link.theirs:
        if link.token:
            return "no_number" if at - link.opened_at > PATIENCE else ""
        return "" if over else "unsent" if unsent else "no_number"
    if said is None:
        return "" if over else "unknown_there"
    if said == georeport.CLOSED and not over and link.case.state not in (State.REPLIED, State.CALLBACK):
        return "closed_there"
    return "open_there" if said == georeport.OPEN and over else ""


def reconcile(system: System) -> Iterator[Difference]:
    """Every link that is open or ended in the last 30 days and that the two have differently. Raises Fault when it does not answer."""
    at = now()
    letters = Letter.objects.filter(link=OuterRef("pk"))
    found = list(Link.objects.filter(system=system).exclude(ended_at__lt=at - RECENT).select_related("case", "system").annotate(
        unsent=Exists(letters.filter(state=LetterState.WAITING)), dead=Exists(letters.filter(state=LetterState.DEAD))).order_by("id"))
    client = Client(system)
    for start in range(0, len(found), BATCH):
        page = found[start:start + BATCH]
        numbers = [link.theirs for link in page if link.theirs]
        rows = told(client, numbers) if numbers else {}
        for link in page:
            row = rows.get(link.theirs)
            said = georeport.status(row) if row is not None else None
            unsent, dead = bool(link.unsent), bool(link.dead)
            fault = fault_of(link, said, unsent=unsent, dead=dead, at=at)
            if fault:
                yield Difference(link, fault, said or "", on_its_way=unsent and not dead)
