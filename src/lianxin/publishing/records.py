"""Keeps the public records: reads again what the log says has changed, and shows what has found a crowd.

Three kinds of cases: cleared ones have a record at once; others wait (`Waiting`) until their day, week or month is over and enough of
them look alike, and then keep what was shown of place, time and category; the rest has none. Cost is by what changed and what waits.

Each batch is a transaction of its own with a revision of its own. How far the first reading of all cases came stands in `Standing`, so
one that was broken off goes on where it was; whoever found a crowd is marked before the records are written, and a crowd is written
in one transaction or not at all. So at every moment, and after every crash, what a reader sees is a state that the rules allow.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from django.db import connection, transaction
from django.utils.timezone import localtime

from lianxin.analysis.facts import by_index, settled
from lianxin.cases.models import Case
from lianxin.kernel.clock import now
from lianxin.kernel.ids import normalise_case_number
from lianxin.kernel.locks import alone

from . import records_sql, rules
from .models import Dated, Precision, Record, Standing, Waiting
from .references import case_number_of, normalised, reference_of
from .sight import Matter, Sight, matters, shown_by

BATCH: Final = 1_000
COLUMNS: Final = tuple(one.attname for one in Record._meta.concrete_fields)
SHOWN: Final = tuple(name for name in COLUMNS if name not in ("case_id", "changed_at", "revision"))
KEYS: Final = ("day", "village", "town", "county", "leaf", "middle", "top")
_OUT: Final = attrgetter(*COLUMNS)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did: cases read, records written, records taken away, cases that wait for a crowd, the revision reached."""

    cases: int
    written: int
    gone: int
    waiting: int
    revision: int
    at: datetime


# Told after each batch: cases read and records written so far.
Progress = Callable[[int, int], None]
Keys = tuple[date, int | None, int | None, int | None, int, int, int]


@dataclass(slots=True)
class _Run:
    """One refresh: reads, decides, writes."""

    sight: Sight
    today: date
    progress: Progress | None = None
    revision: int = 0
    cases: int = 0
    written: int = 0
    gone: int = 0
    late: bool = False

    @contextmanager
    def batch(self, *, index: bool = True) -> Iterator[Standing]:
        """One transaction, one revision if something changed. With `index` no table is read whole."""
        with transaction.atomic():
            held = Standing.objects.select_for_update().get(pk=1)
            self.revision, before = held.revision + 1, (self.written, self.gone)
            if index:
                with by_index():
                    yield held
            else:
                yield held
            if before != (self.written, self.gone):
                held.revision = self.revision
            held.late = held.late or self.late
            held.save()
        if self.progress is not None:
            self.progress(self.cases, self.written)

    def read(self, cases: Sequence[uuid.UUID]) -> None:
        """Some cases, by what the tables say now. Most of many are not cleared and have no record: of those little is asked."""
        with connection.cursor() as cursor:
            cursor.execute(records_sql.BRIEFLY, {"cases": list(cases)})
            rows = cursor.fetchall()
        self.cases += len(rows)
        whole, gone, waiting = [], [], []
        for pk, state, kind, confidential, category, area, registered, cleared, recorded in rows:
            if cleared or recorded:
                whole.append(pk)
            elif self.sight.shows(confidential=confidential, kind=kind, state=state, category_id=category):
                waiting.append((pk, *self._keys(registered, area, category)))
            else:
                gone.append(pk)
        if whole:
            self._read_whole(whole, gone, waiting)
        if gone:
            Waiting.objects.filter(pk__in=gone).delete()
        self._wait(waiting)

    def _read_whole(self, cases: list[uuid.UUID], gone: list[uuid.UUID], waiting: list[tuple[Any, ...]]) -> None:
        held, fresh = Record.objects.in_bulk(cases), []
        for matter in matters(cases):
            earlier = held.get(matter.id)
            if self.sight.is_cleared(matter):
                fresh.append(self.sight.record(matter, self.sight.cleared(matter)))
                gone.append(matter.id)
            elif not self.sight.may_be_shown(matter):
                gone.append(matter.id)
            elif earlier is not None and not earlier.cleared and self.sight.still_true(earlier, matter):
                fresh.append(self.sight.record(matter, shown_by(earlier)))
            else:
                waiting.append((matter.id, *self._keys(matter.registered_at, matter.area_id, matter.category_id)))
        kept = {record.case_id for record in fresh}
        self._remove([pk for pk in held if pk not in kept])
        self._write([one for one in fresh if one.case_id not in held or self._differs(held[one.case_id], one)])

    def _keys(self, registered_at: datetime, area_id: int | None, category_id: int | None) -> Keys:
        """What a case would be grouped by, as `KEYS` has it."""
        levels, line = self.sight.by_level(area_id), self.sight.line_of(category_id)
        return (localtime(registered_at).date(), levels.get("village"), levels.get("town"), levels.get("county"),
                line[0], line[max(len(line) - 2, 0)], line[-1])

    def _wait(self, waiting: list[tuple[Any, ...]]) -> None:
        if not waiting:
            return
        self.late = self.late or any(row[1] < self.today for row in waiting)
        with connection.cursor() as cursor:
            cursor.execute(records_sql.WAIT, [list(column) for column in zip(*waiting, strict=True)])

    @staticmethod
    def _differs(one: Record, other: Record) -> bool:
        return any(getattr(one, name) != getattr(other, name) for name in SHOWN)

    def _write(self, records: list[Record]) -> None:
        for record in records:
            record.revision = self.revision
        Record.objects.bulk_create(records, update_conflicts=True, unique_fields=["case"],
                                   update_fields=[*(name.removesuffix("_id") for name in SHOWN), "changed_at", "revision"])
        self.written += len(records)

    def _remove(self, cases: Sequence[uuid.UUID]) -> None:
        self.gone += Record.objects.filter(pk__in=cases).delete()[0] if cases else 0

    def mark(self) -> None:
        """Whoever waits and whose span is over: those who look alike, finest likeness first, are marked as one crowd. Nothing of it is
        seen yet."""
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")  # the first time there may be years to group
            for number, (level, statement) in enumerate(zip(rules.LEVELS, records_sql.CROWDS, strict=True)):
                cursor.execute(statement, {"k": rules.K, "level": number, "bound": rules.bound(level.dated, self.today)})

    def gather(self) -> bool:
        """Some whole crowds get their records; False when there are none left. One that has come apart meanwhile – of whose cases
        fewer than enough are still what they were marked as – waits on."""
        marked = Waiting.objects.filter(crowd__isnull=False).order_by("crowd")
        last = marked.values_list("crowd", flat=True)[BATCH - 1 : BATCH].first() or marked.values_list("crowd", flat=True).last()
        if last is None:
            return False
        found = list(marked.filter(crowd__lte=last).order_by("crowd", "pk").values_list("crowd", "level", "pk", *KEYS))
        known = {matter.id: matter for matter in matters([row[2] for row in found])}
        fresh, shown = [], []
        for _crowd, rows in groupby(found, key=lambda row: row[0]):
            crowd = [(known[row[2]], row[1]) for row in rows if self._is_still(known.get(row[2]), row[3:])]
            if len(crowd) >= rules.K:
                fresh += [self.sight.record(matter, self.sight.at_level(matter, rules.LEVELS[level])) for matter, level in crowd]
                shown += [matter.id for matter, _level in crowd]
        self._add(fresh)
        Waiting.objects.filter(pk__in=shown).delete()
        marked.filter(crowd__lte=last).order_by().update(crowd=None, level=None)
        return True

    def _is_still(self, matter: Matter | None, keys: tuple[Any, ...]) -> bool:
        return (matter is not None and not self.sight.is_cleared(matter) and self.sight.may_be_shown(matter)
                and self._keys(matter.registered_at, matter.area_id, matter.category_id) == keys)

    def _add(self, records: list[Record]) -> None:
        """Records of cases that have none."""
        if not records:
            return
        with connection.cursor() as cursor, cursor.copy(
                f"COPY publishing_record ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for record in records:
                record.revision = self.revision
                copy.write_row(_OUT(record))
        self.written += len(records)


def _changed(read_to: uuid.UUID | None) -> list[uuid.UUID]:
    """Cases to read since the log was read; none where nothing of it ever was."""
    if read_to is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(records_sql.CHANGED, {"read_to": read_to})
        return [row[0] for row in cursor.fetchall()]


def _only_counted() -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(records_sql.ONLY_COUNTED)
        return [row[0] for row in cursor.fetchall()]


def _read(run: _Run, cases: Sequence[uuid.UUID]) -> None:
    for start in range(0, len(cases), BATCH):
        with run.batch():
            run.read(cases[start : start + BATCH])


def _scan(run: _Run) -> None:
    """All cases by key, from where the last one got to."""
    while True:
        with run.batch() as held:
            if held.scan_after is None:
                return
            cases = list(Case.objects.filter(pk__gt=held.scan_after).order_by("pk").values_list("pk", flat=True)[:BATCH])
            if cases:
                run.read(cases)
                held.scan_after = cases[-1]
            else:
                held.read_to, held.scan_after, held.scan_to = held.scan_to, None, None


def refresh(*, whole: bool = False, progress: Progress | None = None) -> Refreshed:
    """Read what the log says has changed; the first time, and with `whole`, every case. Run twice it changes nothing.

    Readers that follow by `Record.revision` up to `Standing.revision` miss nothing. Reading every case may be broken off: the next
    refresh, of whatever kind, goes on with it. Two at once wait for each other.
    """
    with alone("publishing.refresh", wait=True):
        Standing.objects.get_or_create(pk=1)
        run, bound = _Run(Sight(), localtime(now()).date(), progress), settled()
        with run.batch() as held:
            another_day = held.at is None or localtime(held.at).date() != run.today
            if held.scan_after is None and (whole or held.read_to is None):
                held.scan_after, held.scan_to = uuid.UUID(int=0), bound
            scanned = held.scan_after is not None
        if scanned:
            _scan(run)
        else:
            _read(run, _changed(held.read_to))
        if another_day:
            _read(run, _only_counted())
        gathers = another_day or whole or Standing.objects.get(pk=1).late
        if gathers:
            with run.batch(index=False):
                run.mark()
            more = True
            while more:
                with run.batch():
                    more = run.gather()
        run.late = False
        with run.batch() as held:
            held.at, held.late = run.sight.at, held.late and not gathers
            if not scanned:
                held.read_to = bound
        waiting = Waiting.objects.count()
    if run.written > 10_000:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE publishing_record")
    return Refreshed(run.cases, run.written, run.gone, waiting, held.revision, run.sight.at)


# Until a crowd is found, whoever holds the reference sees this much.
ALONE: Final = rules.Level(Precision.CITY, Dated.DAY, "top")


def record_of(case_id: uuid.UUID) -> Record | None:
    """What the record of one case would be now, unsaved; None when it has none. One that waits for a crowd shows the day, the top
    category and the city: for whoever has its reference, which says nothing and cannot be guessed."""
    sight = Sight()
    matter = next(iter(matters([case_id])), None)
    if matter is None:
        return None
    if sight.is_cleared(matter):
        return sight.record(matter, sight.cleared(matter))
    if not sight.may_be_shown(matter):
        return None
    earlier = Record.objects.filter(pk=case_id, cleared=False).first()
    shown = shown_by(earlier) if earlier and sight.still_true(earlier, matter) else sight.at_level(matter, ALONE)
    return sight.record(matter, shown)


def published(said: str) -> Record | None:
    """The record of a reference, or of a case's own number where words were cleared: the saved one; for a reference of a case that
    has none yet, what it would be now."""
    saved = Record.objects.select_related("category", "area", "county", "unit")
    reference = normalised(said)
    if not reference:
        number = normalise_case_number(said)
        return saved.filter(case_number=number).first() if number else None
    found = saved.filter(number=reference).first()
    if found is not None:
        return found
    number = case_number_of(reference)
    case_id = Case.objects.filter(number=number).values_list("pk", flat=True).first() if number else None
    return record_of(case_id) if case_id is not None else None


__all__ = ["Refreshed", "case_number_of", "published", "record_of", "reference_of", "refresh"]
