"""Bulk import against COPY: the same kind of rows, into the same tables with the same indexes and checks."""

from __future__ import annotations

import csv
import random
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from django.db import connection, transaction

from lianxin.cases.actions.writing import TABLES, register_many
from lianxin.cases.importing import Import
from lianxin.cases.mapping import Mapping
from lianxin.kernel.clock import now

from .city import SOUTH, STEP, WEST, BenchCity
from .parts import Run
from .results import Row
from .words import Writer

BAR = 0.20
COLUMNS = ("source_id", "registered_at", "closed_at", "title", "words", "category", "place_text", "lon", "lat", "name", "phone",
           "closing_note")


def file_of(path: Path, city: BenchCity, *, records: int, seed: int) -> None:
    """A CSV file such as another system writes: four of five cases closed, half of them with a telephone."""
    writer = Writer(random.Random(seed))
    chance, at = writer.chance, now()
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for number in range(records):
            title, words, place = writer.message()
            registered = at - timedelta(minutes=chance.randrange(60, 500_000))
            closed = registered + timedelta(minutes=chance.randrange(10, 59)) if chance.random() < 0.8 else None
            known = chance.random() < 0.5
            out.writerow((
                f"{seed}-{number}", registered.isoformat(), closed.isoformat() if closed else "", title, words,
                chance.choice(city.category_codes), place, f"{WEST + chance.random() * 4 * STEP * 0.999:.6f}",
                f"{SOUTH + chance.random() * 3 * STEP * 0.999:.6f}", "王小明" if known else "",
                f"138{chance.randrange(10**8):08}" if known else "", "已派人处理，情况属实，现已解决。" if closed else "",
            ))


def _import(path: Path, system: str) -> float:
    began = time.perf_counter()
    summary = Import(path, Mapping.plain(frozenset(COLUMNS)), system=system).run()
    took = time.perf_counter() - began
    if summary.rejected or summary.imported != summary.read:
        raise RuntimeError(f"the import refused rows: {summary.reasons}")
    return summary.imported / took


class _Kept(Import):
    """An import that keeps its rows in place of writing them."""

    kept: list[object]

    def _write(self, batch: list[object]) -> None:  # type: ignore[override]
        self.kept += [rows for one in batch if (rows := self._rows(one)) is not None]  # type: ignore[arg-type]


def _copied(path: Path, system: str, directory: Path) -> float:
    """Write the file's rows, let PostgreSQL write them out, take them back; then time COPY alone."""
    run = _Kept(path, Mapping.plain(frozenset(COLUMNS)), system=system)
    run.kept = []
    run.run()
    with transaction.atomic(), connection.cursor() as cursor:
        register_many(rows=run.kept)  # type: ignore[arg-type]
        ours = "SELECT id FROM cases_case WHERE source_system = %s"
        for name, table in TABLES:
            where = {"case": "source_system = %s",
                     "reporter": "id IN (SELECT reporter_id FROM cases_case WHERE source_system = %s)"}.get(
                name, f"case_id IN ({ours})")
            with (directory / name).open("wb") as out, cursor.copy(
                    f"COPY (SELECT * FROM {table} WHERE {where}) TO STDOUT", [system]) as copy:
                for block in copy:
                    out.write(block)
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        for _name, table in TABLES:
            cursor.execute(f"VACUUM {table}")
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for name, table in TABLES:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write((directory / name).read_bytes())
    return len(run.kept) / (time.perf_counter() - began)


def measure(city: BenchCity, *, records: int, rounds: int) -> list[Row]:
    """Import and COPY by turns; the rate is the median of the rounds."""
    imports: list[float] = []
    copies: list[float] = []
    with tempfile.TemporaryDirectory(prefix="lianxin-import-") as name:
        directory = Path(name)
        path = directory / "cases.csv"
        for number in range(rounds):
            file_of(path, city, records=records, seed=2 * number)
            imports.append(_import(path, f"import {number}"))
            file_of(path, city, records=records, seed=2 * number + 1)
            copies.append(_copied(path, f"copy {number}", directory))
    ours, limit = statistics.median(imports), statistics.median(copies)
    ratio = ours / limit
    return [Row("import", f"{records:,} records of a CSV file", f"{ours:,.0f} cases/s", f"COPY: {limit:,.0f} cases/s",
                f"{ratio:.0%}", f"≥ {BAR:.0%}", ratio >= BAR)]


def bench(run: Run) -> list[Row]:
    run.fresh(run.sizes[0])
    run.tell("import and COPY, by turns")
    return measure(run.city, records=500 if run.quick else 20_000, rounds=1 if run.quick else 3)
