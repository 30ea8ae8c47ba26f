"""Keeps the facts: reads again what changed since the last time, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from lianxin.cases.models import Case, Event
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7_floor, uuid7_time

from . import facts_sql
from .models import Refresh

# With more, the planner joins the parts of the statement by comparing every row with every other: ten times as slow.
BATCH: Final = 1_000
# Machines' clocks differ, and one may be set back: so much of the log is read twice.
MARGIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did: cases read, episodes that changed, and the moment the facts now stand at."""

    cases: int
    changed: int
    revision: int
    at: datetime


def rows_of(cases: Sequence[uuid.UUID]) -> list[dict[str, Any]]:
    """The facts of some cases as the tables say now; nothing is written."""
    with connection.cursor() as cursor:
        cursor.execute(facts_sql.SELECT, {"cases": list(cases)})
        return [dict(zip(facts_sql.COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def _write(cases: Sequence[uuid.UUID], revision: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(facts_sql.UPSERT, {"cases": list(cases), "revision": revision})
        return int(cursor.rowcount)


def settled() -> uuid.UUID | None:
    """The bound below which no event can appear any more; None while the log is empty."""
    newest = Event.objects.order_by("-id").values_list("id", flat=True).first()
    if newest is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(facts_sql.OLDEST_OPEN)
        oldest: datetime | None = cursor.fetchone()[0]
    bound = min(uuid7_time(newest), oldest or datetime.now(UTC)) - MARGIN
    return uuid7_floor(max(bound, datetime(1970, 1, 2, tzinfo=UTC)))


def _changed(read_to: uuid.UUID | None) -> Iterator[list[uuid.UUID]]:
    """Cases to read, in batches by key."""
    if read_to is None:
        last = uuid.UUID(int=0)
        while batch := list(
            Case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
        ):
            yield batch
            last = batch[-1]
        return
    with connection.cursor() as cursor:
        cursor.execute(facts_sql.CHANGED, {"read_to": read_to})
        cases = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(cases), BATCH):
        yield cases[start : start + BATCH]


@contextmanager
def by_index() -> Iterator[None]:
    """A batch is a few thousand cases of many: whole tables are never read for it. The planner does not know how long the
    list of cases is, and at a million cases would read them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on")


def refresh(*, whole: bool = False) -> Refreshed:
    """Read what the log says has changed; with `whole` read every case again.

    Each batch is a statement of its own; two refreshes at once wait for each other. Run twice it changes nothing.
    """
    with transaction.atomic():
        Refresh.objects.get_or_create(pk=1)
        held = Refresh.objects.select_for_update().get(pk=1)
        at, bound = now(), settled()
        revision = held.revision + 1
        cases = changed = 0
        with by_index():
            for batch in _changed(None if whole else held.read_to):
                cases += len(batch)
                changed += _write(batch, revision)
        held.revision, held.read_to, held.at = revision, bound, at
        held.save()
    if cases > 10_000:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE analysis_episode")
    return Refreshed(cases, changed, revision, at)


def standing_at() -> datetime | None:
    """The moment the facts stand at; None before the first refresh."""
    return Refresh.objects.filter(pk=1).values_list("at", flat=True).first()
