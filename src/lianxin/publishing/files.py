"""The open data as files: CSV, JSON Lines, GeoJSON and Parquet of the records, and the counts.

Rows come from one picture of the database by COPY and go to disk block by block: memory does not grow with them. Everything is
written into a new folder and made public in one step, by the manifest; the folder before it stays for those who still read from it.
"""

from __future__ import annotations

import csv
import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import duckdb
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.timezone import localtime

from lianxin.analysis.export import snapshot
from lianxin.kernel.clock import now

from . import counting
from .columns import COUNTS, DUCKDB, FROM_RECORDS, ORDER, RECORDS, Column, Kind, dictionary, names
from .models import Standing

FORMAT: Final = 1
BOM: Final = b"\xef\xbb\xbf"  # without it spreadsheet programs in China take UTF-8 for GBK
MEDIA: Final = {
    "csv": "text/csv", "jsonl": "application/jsonl", "geojson": "application/geo+json", "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
PACKED: Final = ("csv", "jsonl", "geojson", "json")
# Raw lines out of COPY: JSON holds neither of the two signs.
_RAW: Final = r"WITH (FORMAT csv, DELIMITER e'\x02', QUOTE e'\x01')"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One file. `sha256` is of the file as it is, `packed` how many bytes its gzip has (0 for none)."""

    name: str
    rows: int
    size: int
    sha256: str
    packed: int = 0

    @property
    def kind(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def table(self) -> str:
        return self.name.partition(".")[0]

    @property
    def media_type(self) -> str:
        return MEDIA[self.kind]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is public now: when it was made, up to which revision of the records, in which folder. `first` and `last` are the
    days of the oldest and the newest record, empty when there are none."""

    at: datetime
    revision: int
    folder: str
    files: tuple[File, ...]
    first: str = ""
    last: str = ""

    def named(self, name: str) -> File | None:
        return next((one for one in self.files if one.name == name), None)

    def path(self, file: File, *, packed: bool = False) -> Path:
        return directory() / self.folder / (f"{file.name}.gz" if packed else file.name)


def directory() -> Path:
    return Path(settings.LIANXIN_OPEN_DATA_DIR)


def read_manifest() -> Manifest | None:
    """What was written last; None when nothing was, or by a program of another format."""
    try:
        held = json.loads((directory() / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if held.pop("format") != FORMAT:
        return None
    files = tuple(File(**one) for one in held.pop("files"))
    return Manifest(at=datetime.fromisoformat(held.pop("at")), files=files, **held)


# ---------------------------------------------------------------- writing

class _Out:
    """A file that is hashed, and packed beside itself, while it is written."""

    def __init__(self, path: Path, *, packed: bool) -> None:
        self.path = path
        self._hash, self._size = hashlib.sha256(), 0
        self._file: IO[bytes] = path.open("wb")
        self._packed = gzip.GzipFile(f"{path}.gz", "wb", compresslevel=6, mtime=0) if packed else None

    def write(self, block: bytes) -> None:
        self._hash.update(block)
        self._size += len(block)
        self._file.write(block)
        if self._packed:
            self._packed.write(block)

    def done(self, rows: int) -> File:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        packed = 0
        if self._packed:
            self._packed.close()
            packed = Path(f"{self.path}.gz").stat().st_size
        return File(self.path.name, rows, self._size, self._hash.hexdigest(), packed)


def _sql(column: Column) -> str:
    """A column as CSV has it: instants as ISO 8601, and no text that a spreadsheet would take for a formula."""
    if column.type is Kind.INSTANT:
        return f"""to_char({column.sql}, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')"""
    if column.type is Kind.BOOLEAN:
        return f"({column.sql})::text"
    if column.name in ("title", "body", "answer"):
        return f"regexp_replace({column.sql}, '^(?=[=+@\t\r-])', '''')"
    return column.sql


def _select(made: Callable[[Column], str]) -> str:
    return ", ".join(f"{made(column)} AS {column.name}" for column in RECORDS)


def csv_query() -> str:
    return f"COPY (SELECT {_select(_sql)} FROM {FROM_RECORDS} ORDER BY {ORDER}) TO STDOUT WITH (FORMAT csv, HEADER true)"


_ROWS: Final = f"(SELECT {_select(lambda column: column.sql)} FROM {FROM_RECORDS} ORDER BY {ORDER}) t"
LINES_QUERY: Final = f"COPY (SELECT row_to_json(t)::text FROM {_ROWS}) TO STDOUT {_RAW}"
FEATURES_QUERY: Final = f"""COPY (SELECT json_build_object('type', 'Feature', 'id', t.number, 'geometry',
  CASE WHEN t.lon IS NULL THEN NULL ELSE json_build_object('type', 'Point', 'coordinates', json_build_array(t.lon, t.lat)) END,
  'properties', row_to_json(t))::text FROM {_ROWS}) TO STDOUT {_RAW}"""


def _copied(query: str, take: Callable[[bytes], object]) -> int:
    """Run a COPY, hand over its blocks; returns how many rows there were."""
    with connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            for block in copy:
                take(bytes(block))
        return int(cursor.rowcount)


def write_csv(path: Path) -> File:
    out = _Out(path, packed=True)
    out.write(BOM)
    return out.done(_copied(csv_query(), out.write))


def write_lines(path: Path) -> File:
    out = _Out(path, packed=True)
    return out.done(_copied(LINES_QUERY, out.write))


class _Commas:
    """Lines with a comma between them, whatever blocks they come in."""

    def __init__(self, out: _Out) -> None:
        self.out, self.begun = out, False

    def take(self, block: bytes) -> None:
        # A block of COPY is whole lines; the end of each is put off until there is a next one.
        made = block.rstrip(b"\n").replace(b"\n", b",\n")
        if made:
            self.out.write(b",\n" + made if self.begun else made)
            self.begun = True


def write_features(path: Path) -> File:
    out = _Out(path, packed=True)
    out.write(b'{"type":"FeatureCollection","features":[\n')
    rows = _copied(FEATURES_QUERY, _Commas(out).take)
    out.write(b"\n]}\n")
    return out.done(rows)


def write_parquet(path: Path, lines: Path) -> File:
    """From the JSON Lines, so that both hold the same; DuckDB reads and writes in pieces."""
    columns = ", ".join(f"'{column.name}': '{DUCKDB[column.type]}'" for column in RECORDS)
    with duckdb.connect(config={"threads": settings.LIANXIN_ANALYSIS_THREADS, "memory_limit": "512MB"}) as duck:
        duck.execute(f"SET TimeZone = '{settings.TIME_ZONE}'; SET temp_directory = '{path.parent}/tmp'")
        found = duck.execute(
            f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}})) TO '{path}' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440)", [str(lines)]).fetchone()
    shutil.rmtree(path.parent / "tmp", ignore_errors=True)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        os.fsync(file.fileno())
    return File(path.name, int(found[0]) if found else 0, path.stat().st_size, digest.hexdigest())


def _write_counts(folder: Path) -> list[File]:
    table, count = io.StringIO(), 0
    made = csv.DictWriter(table, names(COUNTS))
    made.writeheader()
    listed = list(counting.rows())
    for row in listed:
        count += 1
        made.writerow(row | {"withheld": str(row["withheld"]).lower()})
    lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in listed)
    return [_whole(folder / "counts.csv", BOM + table.getvalue().encode(), count), _whole(folder / "counts.jsonl", lines.encode(), count)]


def _whole(path: Path, body: bytes, rows: int) -> File:
    out = _Out(path, packed=True)
    out.write(body)
    return out.done(rows)


@contextmanager
def city_time() -> Iterator[CursorWrapper]:
    """Instants come out in the city's own time, and a long COPY may take its time. What runs later in the same transaction reads as
    ever: Django takes it for granted that the connection speaks UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [settings.TIME_ZONE])
        yield cursor
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [connection.timezone_name])


def _write_all(folder: Path) -> tuple[list[File], str, str]:
    with snapshot():
        with city_time() as cursor:
            cursor.execute("SELECT min(opened_at)::date::text, max(opened_at)::date::text FROM publishing_record")
            first, last = cursor.fetchone()
            files = [write_csv(folder / "records.csv"), write_lines(folder / "records.jsonl"), write_features(folder / "records.geojson")]
        files += _write_counts(folder)
    files.insert(3, write_parquet(folder / "records.parquet", folder / "records.jsonl"))
    body = json.dumps(dictionary(), ensure_ascii=False, indent=1).encode() + b"\n"
    files.append(_whole(folder / "dictionary.json", body, sum(len(one["columns"]) for one in dictionary()["tables"])))
    return files, first or "", last or ""


@contextmanager
def _alone() -> Iterator[None]:
    directory().mkdir(parents=True, exist_ok=True, mode=0o755)
    with (directory() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write(*, whole: bool = False) -> Manifest:
    """Write the files, if a record or a day changed since the last time; with `whole` in any case. Returns what is public now."""
    with _alone():
        at, held = now(), read_manifest()
        revision = Standing.objects.filter(pk=1).values_list("revision", flat=True).first() or 0
        same_day = held is not None and localtime(held.at).date() == localtime(at).date()
        if held is not None and same_day and not whole and held.revision == revision and _there(held):
            return held
        name = f"{at:%Y%m%dT%H%M%S%f}-{revision}"
        making = directory() / f".{name}.part"
        try:
            making.mkdir()
            files, first, last = _write_all(making)
            making.rename(directory() / name)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        made = Manifest(at, revision, name, tuple(files), first, last)
        _keep(made)
        _forget({name, held.folder if held else name})
        return made


def _there(held: Manifest) -> bool:
    return all(held.path(one).is_file() for one in held.files)


def _keep(made: Manifest) -> None:
    said: dict[str, Any] = {"format": FORMAT, **asdict(made), "at": made.at.isoformat()}
    part = directory() / ".manifest.part"
    with part.open("w", encoding="utf-8") as out:
        json.dump(said, out, ensure_ascii=False, indent=1)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, directory() / "manifest.json")


def _forget(kept: set[str]) -> None:
    """Folders of older writings, and what a writing that was killed left."""
    for path in directory().iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
