"""Taking a city's export into an empty database: checked as a whole before anything is written, then all of it or nothing.

Rows go in by COPY in the order of their foreign keys, in one transaction. No append-only ledger is opened for it: its triggers
refuse changes and deletions, and an import only adds. The one kind of trigger that is off while its table is filled judges a
row by the moment it was written (`tables.OF_THE_MOMENT`). Large tables are filled without the indexes and foreign keys that
nothing needs meanwhile, and get them back, checked as a whole, before anything is committed. No list of rows or of files is
held: memory is the same for ten thousand cases and for a million.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.utils.translation import gettext as _
from psycopg import sql

from lianxin.cases.housekeeping import partitions_between
from lianxin.kernel.crypto import Keyring, KeyringError
from lianxin.kernel.language import listed

from . import contents, manifest
from .connecting import connected
from .exporting import Tell, signs_of
from .manifest import Manifest, TableFile
from .package import MANIFEST, PackageError, Reader
from .tables import JOBS, LOOKED_UP, OF_THE_MOMENT, Table, columns_of, migrations_of, schema_of, tables

CHUNK = 64 * 1024 * 1024  # bytes of one COPY: the checks of its foreign keys wait in the server's memory until it ends
MANY = 20_000  # rows from which a table gets its indexes and foreign keys back when it is full
_LOCK = 430_600_112_233  # any number nobody else locks
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken in. `keys_fit` is False when this installation's keyring is not the one the fields were sealed with."""

    city: str
    tables: int
    rows: int
    contents: int
    missing: tuple[str, ...]
    keys_fit: bool


def import_city(source: Path, *, keys: Path | None = None, files: Path | None = None, database: str = "",
                tell: Tell = lambda words: None) -> Imported:
    """Take an export in. `keys` is the keyring that was exported with it: it becomes this installation's; the one that was there is
    kept beside it. `files` is a directory, made here, for the city's own files.

    Raises PackageError, having changed nothing: for a database that is not empty, an export of another version, a file that is
    missing, too many, too long or changed, and for keys that are not the export's.
    """
    if files is not None and files.exists():
        raise PackageError(_("%s 已经存在，请换一个名字。") % files)
    with Reader(source) as package, connected(database) as held:
        told = manifest.read(package)
        wanted = tables()
        columns = columns_of(held, wanted)
        _fits(told, schema_of(columns), migrations_of(held), wanted)
        _empty(held, wanted)
        ring = _ring(keys, told)
        tell(_("核对文件"))
        _whole(package, told)
        held.rollback()
        with _files(package, told, files) as placed, _keys(ring):
            try:
                _fill(held, package, told, wanted, tell)
                count = _contents(package, told, placed)
                held.commit()
            except psycopg.Error as error:
                raise PackageError(_("装不进去，没有改动数据库：%s") % str(error).strip()[:500]) from error
        held.autocommit = True
        held.execute("ANALYZE")
    return Imported(told.city["name"], len(told.tables), sum(one.rows for one in told.tables), count, told.missing, _keys_fit(told))


def _fits(told: Manifest, schema: str, migrations: dict[str, str], wanted: Sequence[Table]) -> None:
    """An export is read by the version whose tables it was written from: rows are never guessed into other columns."""
    if told.schema == schema:
        if [one.name for one in told.tables] != [table.name for table in wanted] or any(
                one.columns != table.columns or one.file != table.file for one, table in zip(told.tables, wanted, strict=True)):
            raise PackageError(_("manifest.json 里的表与库表不符，文件可能已改动。"))
        return
    apps = [app for app in sorted({*told.migrations, *migrations}) if told.migrations.get(app) != migrations.get(app)]
    theirs = listed([f"{app} {told.migrations.get(app, '–')}" for app in apps[:SHOWN]])
    ours = listed([f"{app} {migrations.get(app, '–')}" for app in apps[:SHOWN]])
    raise PackageError(_(
        "这份导出写自另一版库表，本程序读不了。能读它的是 lianxin %(version)s，库表到 %(theirs)s；本程序是 %(mine)s，库表到 %(ours)s。"
        "请用那一版装入空的数据库，用本程序的 lianxin migrate 升级，再导出。"
    ) % {"version": told.version, "theirs": theirs or "?", "mine": version("lianxin"), "ours": ours or "?"})


def _empty(held: psycopg.Connection[Any], wanted: Sequence[Table]) -> None:
    """No table has a row, but for the jobs that any installation makes for itself."""
    for table in wanted:
        if table.name == JOBS:
            continue
        row = held.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table.name))).fetchone()
        if row is not None and row[0]:
            raise PackageError(_("数据库不是空的（%s 里有数据）。城市只能装入空的数据库：新建一个，先运行 lianxin migrate。") % table.name)


def _whole(package: Reader, told: Manifest) -> None:
    """Every file is there, as long as announced, with the announced hash; no other file is; contents are named by their hash."""
    names, files = package.names() - {MANIFEST}, told.files
    if lacking := sorted(files.keys() - names):
        raise PackageError(_("缺少文件：%s") % listed(lacking[:SHOWN]))
    if beyond := sorted(names - files.keys()):
        raise PackageError(_("有清单里没有的文件：%s") % listed(beyond[:SHOWN]))
    for name, (size, wanted) in files.items():
        if package.size(name) != size:
            raise PackageError(_("%s 的长度与清单不符，文件可能已损坏或改动。") % name)
        total = hashlib.sha256()
        for block in package.blocks(name, limit=size):
            total.update(block)
        if total.hexdigest() != wanted:
            raise PackageError(_("%s 的内容与清单不符，文件可能已损坏或改动。") % name)
    for pack in told.packs:
        if pack.family != "city" and sum(1 for _one in contents.bodies(package, pack.file, pack.family)) != pack.count:
            raise PackageError(_("%s 的内容与清单不符，文件可能已损坏或改动。") % pack.file)


# --- the keyring -----------------------------------------------------------------------------------------------------

def _ring(keys: Path | None, told: Manifest) -> Keyring | None:
    if keys is None:
        return None
    try:
        ring = Keyring.read(keys)
    except KeyringError as error:
        raise PackageError(str(error)) from error
    if signs_of(ring) != told.keys:
        raise PackageError(_("%s 不是这份导出的密钥文件。") % keys)
    return ring


def _keys_fit(told: Manifest) -> bool:
    try:
        signs = signs_of(Keyring.read(Path(settings.LIANXIN_KEYRING)))
    except KeyringError:
        return False
    return all(signs.get(name) == sign for name, sign in told.keys.items())


@contextmanager
def _keys(ring: Keyring | None) -> Iterator[None]:
    """Put the keyring in place; what was there is kept beside it, and comes back when the import fails."""
    path = Path(settings.LIANXIN_KEYRING)
    before = path.read_bytes() if ring is not None and path.exists() else b""
    if ring is None or (before and Keyring.read(path) == ring):
        yield
        return
    if before:
        Keyring.read(path).write(path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}"))
    ring.write(path)
    try:
        yield
    except BaseException:
        if before:
            path.write_bytes(before)
        else:
            path.unlink(missing_ok=True)
        raise


# --- writing ---------------------------------------------------------------------------------------------------------

def _fill(held: psycopg.Connection[Any], package: Reader, told: Manifest, wanted: Sequence[Table], tell: Tell) -> None:
    names = [sql.Identifier(table.name) for table in wanted]
    held.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    held.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.SQL(", ").join(names)))
    _empty(held, wanted)
    held.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")  # of an empty installation: housekeeping only
    if told.months is not None:
        for name, low, high in partitions_between(*told.months):
            held.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF cases_event FOR VALUES FROM ({}) TO ({})").format(
                sql.Identifier(name), sql.Literal(str(low)), sql.Literal(str(high))))
    for trigger, table in OF_THE_MOMENT.items():
        held.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(sql.Identifier(table), sql.Identifier(trigger)))
    taken = _without(held, [one.name for one in told.tables if one.rows >= MANY and one.name not in LOOKED_UP])
    _check_at_once(held)
    for one in told.tables:
        count = _copied(held, package, one)
        if count != one.rows:
            raise PackageError(_("%(table)s 应有 %(wanted)d 行，装入了 %(found)d 行，没有改动数据库。") % {
                "table": one.name, "wanted": one.rows, "found": count})
        if count:
            tell(_("%(table)s：%(rows)d 行") % {"table": one.name, "rows": count})
    _count_on(held, told)
    held.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waited is judged here, and a table with triggers waiting is not altered
    if taken:
        tell(_("建立索引，核对外键"))
    for statement in taken:
        held.execute(statement)
    for trigger, table in OF_THE_MOMENT.items():
        held.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER {}").format(sql.Identifier(table), sql.Identifier(trigger)))


# Indexes that hold up no constraint and refuse nothing; a partitioned table's is made again on each of its parts. One whose condition
# has a list stays: PostgreSQL would write that list in other words afterwards.
_INDEXES = """
SELECT indexed.relname, replace(pg_get_indexdef(indexed.oid), ' ON ONLY ', ' ON ')
FROM pg_index JOIN pg_class AS indexed ON indexed.oid = indexrelid JOIN pg_class AS table_class ON table_class.oid = indrelid
WHERE table_class.relnamespace = 'public'::regnamespace AND table_class.relname = ANY(%s) AND NOT indisunique
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) AND pg_get_indexdef(indexrelid) NOT LIKE '%%ARRAY[%%'
ORDER BY indexed.oid
"""
_REFERENCES = """
SELECT table_class.relname, conname, pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint JOIN pg_class AS table_class ON table_class.oid = conrelid
WHERE table_class.relnamespace = 'public'::regnamespace AND table_class.relname = ANY(%s) AND contype = 'f' AND conparentid = 0
ORDER BY pg_constraint.oid
"""


def _without(held: psycopg.Connection[Any], names: Sequence[str]) -> list[sql.Composed]:
    """Take indexes and foreign keys away from these tables. Returns what makes them again, which checks all rows at once: less
    than half the work of row by row, and no check waits in the server's memory."""
    indexes = held.execute(_INDEXES, [list(names)]).fetchall()
    references = held.execute(_REFERENCES, [list(names)]).fetchall()
    for name, _made_by in indexes:
        held.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    for table, name, _made_by in references:
        held.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name)))
    return [*(sql.Composed([sql.SQL(made_by)]) for _name, made_by in indexes),
            *(sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(sql.Identifier(table), sql.Identifier(name), sql.SQL(made_by))
              for table, name, made_by in references)]


_WAITING = """
SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND condeferrable AND conparentid = 0
  AND (contype = 't' OR contype = 'f' AND conrelid = confrelid)
"""


def _check_at_once(held: psycopg.Connection[Any]) -> None:
    """Foreign keys are checked as each COPY ends, but for those within one table, whose rows may come in any order."""
    waiting = [row[0] for row in held.execute(_WAITING).fetchall()]
    held.execute("SET CONSTRAINTS ALL IMMEDIATE")
    if waiting:
        held.execute(sql.SQL("SET CONSTRAINTS {} DEFERRED").format(sql.SQL(", ").join(map(sql.Identifier, waiting))))


def _copied(held: psycopg.Connection[Any], package: Reader, one: TableFile) -> int:
    columns = sql.SQL(", ").join(map(sql.Identifier, one.columns))
    count = 0
    for first, chunk in _chunks(package.blocks(one.file, limit=one.size)):
        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER {}, ENCODING 'UTF8')").format(
            sql.Identifier(one.name), columns, sql.SQL("MATCH" if first else "false"))
        with held.cursor() as cursor:
            with cursor.copy(copy) as rows:
                for block in chunk:
                    rows.write(block)
            count += cursor.rowcount
    return count


def _chunks(blocks: Iterator[bytes]) -> Iterator[tuple[bool, Iterator[bytes]]]:
    """A CSV file in parts of about `CHUNK` bytes that end with a record, and whether it is the first. Each is to be read to its
    end before the next is asked for."""
    left: list[bytes] = []
    over = False

    def part() -> Iterator[bytes]:
        nonlocal over
        size, inside = 0, False  # inside: an odd number of quotes so far, so that a line's end is part of a value
        pending = left.pop() if left else b""
        while True:
            block = pending or next(blocks, b"")
            pending = b""
            if not block:
                over = True
                return
            if size + len(block) < CHUNK:
                inside ^= bool(block.count(b'"') % 2)
                size += len(block)
                yield block
                continue
            end = 0
            while (found := block.find(b"\n", end)) >= 0:
                inside ^= bool(block.count(b'"', end, found) % 2)
                end = found + 1
                if not inside:
                    yield block[:end]
                    if end < len(block):
                        left.append(block[end:])
                    return
            inside ^= bool(block.count(b'"', end) % 2)
            size += len(block)
            yield block

    first = True
    while not over:
        yield first, part()
        first = False


def _count_on(held: psycopg.Connection[Any], told: Manifest) -> None:
    """Counters go on where they stood."""
    for name, value in told.sequences.items():
        table, dot, column = name.partition(".")
        if dot:
            row = held.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column]).fetchone()
            sequence = row[0] if row else None
        else:
            row = held.execute("SELECT to_regclass(%s)::text", [name]).fetchone()
            sequence = row[0] if row else None
        if sequence is None:
            raise PackageError(_("没有这个序号：%s，没有改动数据库。") % name)
        held.execute("SELECT setval(%s::regclass, %s)", [sequence, value])


def _contents(package: Reader, told: Manifest, placed: contents.Placed) -> int:
    count = 0
    for pack in told.packs:
        if pack.family == "city":
            continue
        for name, body in contents.bodies(package, pack.file, pack.family):
            placed.put(pack.family, name, body)
            count += 1
    return count


@contextmanager
def _files(package: Reader, told: Manifest, target: Path | None) -> Iterator[contents.Placed]:
    """Whatever was put outside the database is taken away again when the import fails; the city's own files are written last."""
    with contents.Placed() as placed:
        try:
            yield placed
        except BaseException:
            placed.take_away()
            raise
    if target is None:
        return
    for pack in told.packs:
        if pack.family == "city":
            path = target / pack.file.removeprefix("city/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for block in package.blocks(pack.file, limit=pack.size):
                    file.write(block)
