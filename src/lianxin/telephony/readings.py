"""The ledger of who looked at a caller's number: for those who answer for its protection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role

from .models import NumberReading


@dataclass(frozen=True, slots=True)
class Reading:
    """One look: when, by whom, from which unit, and when the call came. Which number, nobody reads here."""

    at: datetime
    username: str
    name: str
    unit: str
    call_at: datetime
    line: str


def readings(by: Actor, *, since: datetime, until: datetime, username: str = "", most: int = 200) -> list[Reading]:
    """Looks from `since` on and before `until`, the newest first. One query. Raises NotAllowed for all but the hotline's administrators
    and supervisors."""
    if not by.holds_in_hotline(Role.ADMINISTRATOR, Role.SUPERVISOR):
        raise NotAllowed()
    rows = NumberReading.objects.filter(at__gte=since, at__lt=until).order_by("-at", "-id")
    if username:
        rows = rows.filter(staff__username=username)
    names = ("at", "staff__username", "staff__name", "unit__name", "call__began_at", "call__line")
    return [Reading(at, login, name, unit or "", began, line) for at, login, name, unit, began, line in rows.values_list(*names)[:most]]
