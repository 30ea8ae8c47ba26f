"""Every clock of a case as one table for people: what was promised, what happened to it, and by how much it was missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from lianxin.cases.actions.telling import OF_THE_HOTLINE
from lianxin.cases.models import AssignmentRole, Case
from lianxin.cases.queries_clocks import ClockLine
from lianxin.cases.sayings.clocks import length


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One line: `who` owes it, `limit`, `paused` and `extended` in words, `result` with its `mood` and time."""

    line: ClockLine
    kind: str
    round: int
    who: str
    limit: str
    paused: str
    extended: str
    result: str
    mood: str
    at: datetime | None


def _result(line: ClockLine) -> tuple[str, str]:
    over = length(line.over, line.clock.calendar)
    return {
        "running": (_("在走"), ""), "paused": (_("挂起中"), "accent"), "met": (_("按时"), "green"),
        "stopped": (_("不再计时"), ""), "overdue": (_("已超时 %s") % over, "vermilion"),
        "met_late": (_("晚了 %s") % over, "vermilion"), "stopped_late": (_("停止时已超时 %s") % over, "vermilion"),
    }[line.state]


def table_of(case: Case, lines: Iterable[ClockLine]) -> list[ClockRow]:
    """The lines in words, in their order. Who owed a clock of the case itself is said while it runs; units come and go."""
    found = []
    for line in lines:
        clock = line.clock
        part = clock.assignment
        who = part.unit.said if part else _("12345 热线") if clock.kind in OF_THE_HOTLINE else ""
        if not who and clock.running and case.lead_unit is not None:
            who = case.lead_unit.said
        if part is not None and part.role == AssignmentRole.ASSIST:
            who = _("%(unit)s（协办）") % {"unit": who}
        result, mood = _result(line)
        found.append(ClockRow(
            line, clock.get_kind_display(), clock.round, who, length(clock.limit_minutes, clock.calendar),
            length(clock.paused_minutes, clock.calendar) if clock.paused_minutes else "",
            "+" + length(clock.extended_minutes, clock.calendar) if clock.extended_minutes else "",
            result, mood, clock.met_at or clock.stopped_at))
    return found
