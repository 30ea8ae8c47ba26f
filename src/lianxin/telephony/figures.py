"""How the hotline's telephones stand: now, today, and half-hour by half-hour. Counts only; nobody is named and nobody compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils.timezone import get_current_timezone, localtime

from lianxin.kernel.clock import now

from .models import WAITING, AgentSpell, AgentState, Call, HalfHour, Line

ANSWER_SECONDS = 15  # within which a call should be answered: what the city promises, and what half-hours count
HALF = timedelta(minutes=30)
COUNTED = ("offered", "answered", "answered_in_15", "abandoned", "missed", "talk_seconds", "wrap_up_seconds", "ready_seconds",
           "on_call_seconds")

# Half-hours from %(start)s to %(end)s. A call belongs to the one it came in; an agent's seconds to those in which they passed.
# A spell or a call that lasts counts up to %(now)s.
HALF_HOURS = """
WITH half AS (
  SELECT begins_at, begins_at + interval '30 minutes' AS ends_at
  FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '30 minutes', interval '30 minutes') AS begins_at
), call AS (
  SELECT half.begins_at, count(*) AS offered, count(answered_at) AS answered,
    count(*) FILTER (WHERE answered_at <= began_at + interval '15 seconds') AS answered_in_15,
    count(*) FILTER (WHERE state = 'abandoned') AS abandoned, count(*) FILTER (WHERE state = 'missed') AS missed,
    coalesce(sum(extract(epoch FROM greatest(least(coalesce(ended_at, %(now)s), %(now)s) - answered_at, interval '0'))), 0) AS talk_seconds
  FROM telephony_call JOIN half ON began_at >= half.begins_at AND began_at < half.ends_at GROUP BY half.begins_at
), spell AS (
  SELECT half.begins_at, state,
    sum(extract(epoch FROM greatest(least(coalesce(ended_at, %(now)s), half.ends_at) - greatest(began_at, half.begins_at), interval '0')))
      AS seconds
  FROM telephony_agentspell JOIN half ON began_at < half.ends_at AND coalesce(ended_at, %(now)s) > half.begins_at
  GROUP BY half.begins_at, state
)
SELECT half.begins_at, coalesce(max(offered), 0), coalesce(max(answered), 0), coalesce(max(answered_in_15), 0),
  coalesce(max(abandoned), 0), coalesce(max(missed), 0), coalesce(max(talk_seconds), 0),
  coalesce(max(seconds) FILTER (WHERE state = 'wrap_up'), 0), coalesce(max(seconds) FILTER (WHERE state = 'ready'), 0),
  coalesce(max(seconds) FILTER (WHERE state = 'on_call'), 0)
FROM half LEFT JOIN call USING (begins_at) LEFT JOIN spell USING (begins_at)
GROUP BY half.begins_at ORDER BY half.begins_at
"""


@dataclass(frozen=True, slots=True)
class OnLine:
    """What waits on one line; `name` is in the reader's language."""

    code: str
    name: str
    waiting: int
    longest_wait_seconds: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The telephones at `at`. `today` counts calls that came since midnight; `agents` has every state; `lines` those on which
    somebody waits."""

    at: datetime
    waiting: int
    longest_wait_seconds: int
    lines: tuple[OnLine, ...]
    agents: dict[AgentState, int]
    offered: int
    answered: int
    answered_in_15: int
    abandoned: int
    missed: int

    @property
    def over(self) -> int:
        """Calls of today that were answered or are over: what the share of those answered in time is of."""
        return self.answered + self.abandoned + self.missed


def midnight(day: date) -> datetime:
    """The first instant of a day in the city's time."""
    return datetime.combine(day, time.min, tzinfo=get_current_timezone())


def figures() -> Figures:
    """Now and today. Four queries."""
    at = now()
    waiting = list(Call.objects.filter(state__in=WAITING, ended_at__isnull=True).values_list("line", "began_at"))
    names = {line.code: line.said for line in Line.objects.filter(code__in={code for code, _began in waiting})}
    by_line: dict[str, list[datetime]] = {}
    for code, began in waiting:
        by_line.setdefault(code, []).append(began)

    def longest(since: list[datetime]) -> int:
        return max((int((at - one).total_seconds()) for one in since), default=0)

    states: Counter[str] = Counter()
    for state, until in AgentSpell.objects.filter(ended_at__isnull=True).values_list("state", "until"):
        states[AgentState.READY if until is not None and until <= at else state] += 1
    today = _counted(midnight(localtime(at).date()), at)
    return Figures(
        at, len(waiting), longest([began for _code, began in waiting]),
        tuple(OnLine(code, names.get(code, code), len(since), longest(since)) for code, since in sorted(by_line.items())),
        {state: states[state] for state in AgentState}, **today,
    )


def _counted(start: datetime, end: datetime) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(answered_at), count(*) FILTER (WHERE answered_at <= began_at + interval '15 seconds'), "
            "count(*) FILTER (WHERE state = 'abandoned'), count(*) FILTER (WHERE state = 'missed') "
            "FROM telephony_call WHERE began_at >= %s AND began_at <= %s", [start, end])
        return dict(zip(COUNTED[:5], cursor.fetchone(), strict=True))


def count(start: datetime, end: datetime) -> list[HalfHour]:
    """The half-hours from `start` to `end`, both on the half-hour, counted from calls and spells; not saved. One query."""
    with connection.cursor() as cursor:
        cursor.execute(HALF_HOURS, {"start": start, "end": end, "now": now()})
        return [_half(row) for row in cursor.fetchall()]


def _half(row: tuple[Any, ...]) -> HalfHour:
    return HalfHour(begins_at=row[0], **{name: round(value) for name, value in zip(COUNTED, row[1:], strict=True)})


def half_hours(day: date) -> list[HalfHour]:
    """The half-hours of one day of the city's, in order: as they were kept, and where none is kept yet as they are counted
    now. Two queries.

    48 of them, 46 or 50 where a clock is changed."""
    start, end = midnight(day), midnight(day + timedelta(days=1))
    kept = {half.begins_at: half for half in HalfHour.objects.filter(begins_at__gte=start, begins_at__lt=end)}
    return [kept.get(half.begins_at, half) for half in count(start, end)]


def keep(start: datetime, end: datetime) -> int:
    """Count the half-hours from `start` to `end` and keep them; those kept before are counted again. Returns how many."""
    return len(HalfHour.objects.bulk_create(
        count(start, end), update_conflicts=True, unique_fields=["begins_at"], update_fields=list(COUNTED)))
