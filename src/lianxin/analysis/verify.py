"""Whether the facts that figures are counted from are what the event log says: every difference by name."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from lianxin.cases.models import Event
from lianxin.places.models import Area

from . import facts
from .facts_sql import COLUMNS
from .log import Entry, Folded, fold
from .models import Episode
from .periods import Period

BATCH: Final = 500
# The log does not hold it, and a trigger sees to it that it never changes.
NOT_IN_THE_LOG: Final = frozenset({"number"})
COMPARED: Final = tuple(name for name in COLUMNS if name not in NOT_IN_THE_LOG)


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that the tables and the log do not agree on. `column` is "" when a whole episode is in one only."""

    number: str
    round: int
    column: str
    table: Any
    log: Any

    def __str__(self) -> str:
        shown = {"number": self.number, "round": self.round, "column": self.column, "table": _shown(self.table),
                 "log": _shown(self.log)}
        if not self.column:
            return _("%(number)s 第 %(round)d 轮：表里%(table)s，日志里%(log)s") % {
                **shown, "table": _("有") if self.table else _("没有"), "log": _("有") if self.log else _("没有")}
        return _("%(number)s 第 %(round)d 轮 %(column)s：表里是 %(table)s，日志是 %(log)s") % shown


def _shown(value: Any) -> str:
    return "–" if value in (None, "") else value.isoformat() if hasattr(value, "isoformat") else str(value)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared – cases, episodes of the log, events read – and every difference."""

    cases: int
    episodes: int
    events: int
    differences: tuple[Difference, ...]


# Every case whose log says that it was registered in the period or that one of its clocks falls due in it, and every case
# the facts count in it: a case that only one of the two knows of is a difference too.
_CASES: Final = """
SELECT case_id FROM cases_event WHERE action = 'register' AND at >= %(start)s AND at < %(end)s
UNION
SELECT case_id FROM cases_event WHERE changes ? 'clocks' AND EXISTS (
  SELECT 1 FROM jsonb_each(changes -> 'clocks') AS clock(id, columns)
  WHERE (columns ->> 'due_at')::timestamptz >= %(start)s AND (columns ->> 'due_at')::timestamptz < %(end)s)
UNION
SELECT case_id FROM analysis_episode
WHERE (callback_due_at >= %(start)s AND callback_due_at < %(end)s)
   OR (registered_at >= %(start)s AND registered_at < %(end)s)
   OR (ended_at >= %(start)s AND ended_at < %(end)s)
ORDER BY 1
"""


def _cases(period: Period) -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_CASES, {"start": period.starts_at, "end": period.ends_at})
        return [row[0] for row in cursor.fetchall()]


def _entries(cases: Sequence[uuid.UUID]) -> Iterator[Entry]:
    rows = Event.objects.filter(case_id__in=cases).order_by("case_id", "id").values_list(
        "id", "case_id", "action", "at", "changes", "data")
    return (Entry(*row) for row in rows.iterator(chunk_size=2_000))


class _Counted:
    """Passes entries on and counts them."""

    def __init__(self) -> None:
        self.events = 0

    def __call__(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self.events += 1
            yield entry


def _towns() -> dict[int, int | None]:
    return {pk: pk if level == "town" else town for pk, level, town in
            Area.objects.values_list("pk", "level", "town_id")}


def _masters(folded: Iterable[Folded], counted: _Counted) -> dict[uuid.UUID, Folded]:
    wanted = {uuid.UUID(one.case["master_id"]) for one in folded if one.case.get("master_id")}
    return fold(counted(_entries(sorted(wanted)))) if wanted else {}


def verify(period: Period) -> Verified:
    """Bring the facts up to now, make them again from the log, and compare them column by column."""
    facts.refresh()
    cases, towns, counted = _cases(period), _towns(), _Counted()
    episodes = 0
    differences: list[Difference] = []
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        folded = fold(counted(_entries(batch)))
        masters = _masters(folded.values(), counted)
        said: dict[tuple[uuid.UUID, int], dict[str, Any]] = {}
        for case_id, one in folded.items():
            held = one.case.get("master_id")
            made = one.episodes(towns, masters.get(uuid.UUID(held)) if held else None)
            said.update({(case_id, number): row for number, row in made.items()})
        episodes += len(said)
        differences += _compared(said, batch)
    return Verified(len(cases), episodes, counted.events, tuple(differences))


def _compared(said: dict[tuple[uuid.UUID, int], dict[str, Any]], batch: Sequence[uuid.UUID]) -> Iterator[Difference]:
    held = {(row["case_id"], row["round"]): row for row in Episode.objects.filter(case_id__in=batch).values(*COLUMNS)}
    numbers = {case_id: row["number"] for (case_id, _round), row in held.items()}
    for key in sorted(said.keys() | held.keys()):
        case_id, number = key
        name = numbers.get(case_id, str(case_id))
        if key not in said or key not in held:
            yield Difference(name, number, "", key in held, key in said)
            continue
        for column in COMPARED:
            if held[key][column] != said[key][column]:
                yield Difference(name, number, column, held[key][column], said[key][column])
