"""The facts as Parquet: one file for each month of registration, written again only where something changed.

What leaves PostgreSQL is what `Episode` holds: numbers, codes, ids and times; no words, no names, nothing sealed.
A file is written beside the old one and takes its place in one step, and the manifest last: a reader sees a whole
export or the one before.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
from django.conf import settings
from django.db import connection, transaction

from lianxin.worktime.calendar import CHINA

from . import facts
from .facts_sql import COLUMNS
from .models import Episode
from .periods import Period

FORMAT: Final = 1
_TYPES: Final = {
    "UUIDField": "UUID", "CharField": "VARCHAR", "PositiveSmallIntegerField": "SMALLINT", "BigIntegerField": "BIGINT",
    "BooleanField": "BOOLEAN", "DateTimeField": "TIMESTAMPTZ",
}


@dataclass(frozen=True, slots=True)
class Month:
    """One file. `revision` is the highest of its rows, `rows` how many there are."""

    month: str
    revision: int
    rows: int

    @property
    def file(self) -> str:
        return f"episodes-{self.month}-{self.revision}.parquet"


@dataclass(frozen=True, slots=True)
class Manifest:
    at: datetime
    months: tuple[Month, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """What one export did: the refresh before it, files written, files that were still good, rows in all, and bytes."""

    refreshed: facts.Refreshed
    written: int
    kept: int
    rows: int
    size: int


def directory() -> Path:
    return Path(settings.LIANXIN_ANALYSIS_DIR)


def column_types() -> dict[str, str]:
    """Each column of the facts with its DuckDB type."""
    return {name: _TYPES[Episode._meta.get_field(name).get_internal_type()] for name in COLUMNS}


def empty_table(name: str) -> str:
    return f"CREATE TABLE {name} (" + ", ".join(f"{column} {kind}" for column, kind in column_types().items()) + ")"


def read_manifest() -> Manifest | None:
    """The last whole export; None when there is none, or one of another format."""
    try:
        held = json.loads((directory() / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if held["format"] != FORMAT or held["columns"] != list(COLUMNS):
        return None
    return Manifest(datetime.fromisoformat(held["at"]), tuple(Month(**month) for month in held["months"]))


def files(manifest: Manifest) -> list[Path]:
    return [directory() / month.file for month in manifest.months]


# The month of registration in the city's own time.
_MONTH: Final = f"to_char(registered_at AT TIME ZONE '{CHINA.key}', 'YYYY-MM')"


def _months() -> list[Month]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_MONTH}, max(revision), count(*) FROM analysis_episode GROUP BY 1 ORDER BY 1")
        return [Month(*row) for row in cursor.fetchall()]


def _write(month: Month, duck: duckdb.DuckDBPyConnection) -> None:
    target = directory() / month.file
    csv = target.with_suffix(".csv.part")
    part = target.with_suffix(".parquet.part")
    when = Period.of(month.month)
    query = (f"COPY (SELECT {', '.join(COLUMNS)} FROM analysis_episode WHERE registered_at >= '{when.starts_at.isoformat()}' "
             f"AND registered_at < '{when.ends_at.isoformat()}' ORDER BY registered_at, case_id, round) "
             "TO STDOUT (FORMAT csv, NULL '\\N')")
    try:
        with connection.cursor() as cursor, csv.open("wb") as out, cursor.copy(query) as copy:
            for block in copy:
                out.write(block)
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in column_types().items())
        duck.execute(
            f"COPY (SELECT * FROM read_csv(?, header = false, nullstr = '\\N', columns = {{{columns}}})) TO "
            f"'{part}' (FORMAT parquet, COMPRESSION zstd)", [str(csv)])
        os.replace(part, target)
    finally:
        csv.unlink(missing_ok=True)
        part.unlink(missing_ok=True)


@contextmanager
def snapshot() -> Iterator[None]:
    """All months from one picture of the table, where this process may open a transaction of its own."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        if not inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def export(*, whole: bool = False) -> Exported:
    """Refresh the facts, then write the months that changed. With `whole` everything is read and written again."""
    directory().mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory() / ".lock").open("w") as lock:  # one export at a time
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _export(whole)


def _export(whole: bool) -> Exported:
    refreshed = facts.refresh(whole=whole)
    earlier = read_manifest()
    good = set() if earlier is None or whole else {m for m in earlier.months if (directory() / m.file).exists()}
    with snapshot(), duckdb.connect(config={"threads": settings.LIANXIN_ANALYSIS_THREADS}) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        months = _months()
        stale = [month for month in months if month not in good]
        for month in stale:
            _write(month, duck)
    _keep_manifest(Manifest(refreshed.at, tuple(months)))
    # A report that began a moment ago still reads the files of the export before.
    _forget({month.file for month in (*months, *(earlier.months if earlier else ()))})
    size = sum((directory() / month.file).stat().st_size for month in months)
    return Exported(refreshed, len(stale), len(months) - len(stale), sum(m.rows for m in months), size)


def _keep_manifest(manifest: Manifest) -> None:
    held: dict[str, Any] = {
        "format": FORMAT, "columns": list(COLUMNS), "at": manifest.at.isoformat(),
        "months": [{"month": m.month, "revision": m.revision, "rows": m.rows} for m in manifest.months],
    }
    with tempfile.NamedTemporaryFile("w", dir=directory(), delete=False, encoding="utf-8") as out:
        json.dump(held, out, indent=1)
    os.replace(out.name, directory() / "manifest.json")


def _forget(wanted: set[str]) -> None:
    """Files of older exports go."""
    for path in directory().glob("episodes-*.parquet"):
        if path.name not in wanted:
            path.unlink(missing_ok=True)
