"""The public record of many cases: made for the first time, brought up to now, and written as open data in each format.

Each format is measured beside a plain COPY of the same rows into a file, and a child process of its own says how much memory it took.
"""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.db import connection, connections

from lianxin.analysis.export import snapshot
from lianxin.publishing import files
from lianxin.publishing.columns import FROM_RECORDS
from lianxin.publishing.models import Record, Waiting
from lianxin.publishing.records import refresh

from .parts import Run
from .results import Row

PART: Final = "public"
BAR: Final = 10.0  # times a plain COPY, for any text format
MEMORY: Final = 200  # MB beyond what the program itself takes, whatever the number of records; DuckDB is given 512
WRITERS: Final[dict[str, Callable[[Path], files.File]]] = {
    "records.csv": files.write_csv, "records.jsonl": files.write_lines, "records.geojson": files.write_features,
}


def _timed(body: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    made = body()
    return time.monotonic() - began, made


def _peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _one(name: str, folder: str, found: Any) -> None:
    """In a process of its own: write one file, tell seconds, bytes, bytes packed, and megabytes beyond the start."""
    connections.close_all()
    before, path = _peak(), Path(folder) / name
    if name == "records.parquet":
        seconds, made = _timed(lambda: files.write_parquet(path, Path(folder) / "records.jsonl"))
    else:
        with snapshot(), files.city_time():
            seconds, made = _timed(lambda: WRITERS[name](path))
    found.put((seconds, made.size, made.packed, _peak() - before))


def _apart(name: str, folder: str) -> tuple[float, int, int, float]:
    connections.close_all()  # a child that closes what it inherited would end the parent's session as well
    context = multiprocessing.get_context("fork")
    found = context.SimpleQueue()
    child = context.Process(target=_one, args=(name, folder, found))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError(f"{name} could not be written")
    told: tuple[float, int, int, float] = found.get()
    return told


def _copied(path: Path) -> int:
    """The same rows as the tables have them, by COPY and nothing else."""
    query = (f"COPY (SELECT r.*, k.code, k.name, k.name_en, a.code, a.name, c.code, c.name, u.code, u.name FROM {FROM_RECORDS}) "
             "TO STDOUT WITH (FORMAT csv)")
    with snapshot(), files.city_time() as cursor, path.open("wb") as out, cursor.copy(query) as copy:
        for block in copy:
            out.write(block)
    return path.stat().st_size


def bench(run: Run) -> list[Row]:
    """On the most cases there are: the bars are for a million."""
    size = run.sizes[-1]
    run.grow(size)
    run.tell(f"the public record and open data at {size:,}")
    return measure(size, whole=size >= 1_000_000)


def measure(size: int, *, whole: bool = False) -> list[Row]:
    """On a database filled with `size` cases. `whole` says that the bars hold for this size."""
    first, done = _timed(lambda: refresh(whole=True))
    again, _done = _timed(refresh)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE publishing_record")
        cursor.execute("RESET statement_timeout")
    records, waiting = Record.objects.count(), Waiting.objects.count()
    rows = [
        Row(PART, f"records of {size:,} cases, first time", f"{first:.1f} s", against=f"{records:,} records, {waiting:,} wait",
            ratio=f"{size / first:,.0f}/s"),
        Row(PART, f"records again at {size:,}, what the last hour changed", f"{again:.2f} s", against=f"{done.cases:,} read at first"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        plain, held = _timed(lambda: _copied(Path(folder) / "plain.csv"))
        for name in (*WRITERS, "records.parquet"):
            seconds, length, packed, memory = _apart(name, folder)
            bounded = memory <= (MEMORY if name in WRITERS else 512 + MEMORY)
            zipped = f", {packed / 1e6:.0f} packed" if packed else ""
            rows.append(Row(
                PART, f"{name} of {records:,}", f"{seconds:.1f} s · {length / 1e6:.0f} MB{zipped} · {memory:.0f} MB of memory",
                against=f"plain COPY: {plain:.1f} s · {held / 1e6:.0f} MB",
                ratio=f"{seconds / plain:.1f} ×" if plain else "", bar=f"≤ {BAR:.0f} ×, memory bounded",
                met=(seconds <= BAR * plain and bounded) if whole else None))
    return rows
