"""Writing everything a city owns into one file: from one snapshot of the database, table by table, streamed.

While the export runs the site goes on; what is written meanwhile is not in it. Sealed fields stay sealed: the keys go into a
file of their own, and only when asked for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.utils.translation import gettext as _
from psycopg import sql

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import Keyring, KeyringError

from . import contents
from .connecting import connected
from .manifest import FORMAT, FORMAT_VERSION
from .package import BLOCK, MANIFEST, PackageError, Writer
from .tables import Column, Table, columns_of, migrations_of, schema_of, select, sequences_of, tables

Tell = Callable[[str], None]
SIGN = b"lianxin city export"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `missing` are contents whose rows are there and whose files the storage has lost."""

    tables: int
    rows: int
    contents: int
    missing: list[str] = field(default_factory=list)


def signs_of(ring: Keyring) -> dict[str, str]:
    """A sign of each key, by which a keyring is known to be the right one; it gives nothing of the key away."""
    keys = {**ring.encryption, "lookup": ring.lookup, "tracking": ring.tracking}
    return {name: hmac.digest(key, SIGN, hashlib.sha256)[:8].hex() for name, key in sorted(keys.items())}


def export_city(target: Path, *, keys: Path | None = None, files: Path | None = None, database: str = "",
                tell: Tell = lambda words: None) -> Exported:
    """Write the city to `target`: a `.zip` file, or a directory. `files` is the directory of the city's own files, taken along as it
    is; `keys` a file for the keyring, apart from the rest.

    Raises PackageError, leaving nothing behind, when the target exists or cannot be written, when there is no city, or the
    keyring cannot be read.
    """
    if keys is not None and keys.exists():
        raise PackageError(_("%s 已经存在，请换一个名字。") % keys)
    if files is not None and not files.is_dir():
        raise PackageError(_("没有这个目录：%s") % files)
    try:
        ring = Keyring.read(Path(settings.LIANXIN_KEYRING))
    except KeyringError as error:
        raise PackageError(str(error)) from error
    with connected(database) as held, Writer(target) as out:
        held.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        held.read_only = True
        done, manifest = _written(held, out, files, tell)
        manifest["keys"] = signs_of(ring)
        with out.member(MANIFEST) as member:
            member.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n")
        if keys is not None:
            ring.write(keys)
    return done


def _written(held: psycopg.Connection[Any], out: Writer, files: Path | None, tell: Tell) -> tuple[Exported, dict[str, Any]]:
    wanted = tables()
    columns = columns_of(held, wanted)
    city = held.execute("SELECT code, name, name_en FROM places_city ORDER BY id LIMIT 1").fetchone()
    if city is None:
        raise PackageError(_("这个系统还没有装入城市，没有可以导出的。"))
    said = []
    for table in wanted:
        rows, part = _copied(held, out, table, columns[table.name])
        said.append(part)
        if rows:
            tell(_("%(table)s：%(rows)d 行") % {"table": table.name, "rows": rows})
    tell(_("写入附件和文件"))
    packs, missing = contents.export(held, out)
    if files is not None:
        packs += [_city_file(out, files, path) for path in sorted(files.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    manifest = {
        "format": FORMAT, "format_version": FORMAT_VERSION, "made_at": now().astimezone(UTC).isoformat(),
        "made_by": {"program": "lianxin", "version": version("lianxin")},
        "city": dict(zip(("code", "name", "name_en"), city, strict=True)),
        "schema": {"hash": schema_of(columns), "migrations": migrations_of(held)},
        "event_months": _months(held), "sequences": sequences_of(held, wanted),
        "tables": said, "packs": packs, "missing": missing,
    }
    return Exported(len(said), sum(one["rows"] for one in said), sum(pack["count"] for pack in packs), missing), manifest


def _copied(held: psycopg.Connection[Any], out: Writer, table: Table, columns: list[Column]) -> tuple[int, dict[str, Any]]:
    copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')").format(select(table))
    with out.member(table.file) as member, held.cursor() as cursor:
        with cursor.copy(copy) as rows:
            held_back = bytearray()
            for block in rows:
                held_back += block
                if len(held_back) >= BLOCK:
                    member.write(bytes(held_back))
                    held_back.clear()
            member.write(bytes(held_back))
        count = cursor.rowcount
    return count, {"table": table.name, **member.written.said(), "rows": count, "columns": [one.said() for one in columns]}


def _city_file(out: Writer, root: Path, path: Path) -> dict[str, Any]:
    with out.member(f"city/{path.relative_to(root).as_posix()}") as member, path.open("rb") as file:
        while block := file.read(BLOCK):
            member.write(block)
    return {"family": "city", "count": 1, **member.written.said()}


def _months(held: psycopg.Connection[Any]) -> list[str] | None:
    """The first and the last month of the event log, for which the importing database makes partitions."""
    row = held.execute("SELECT (SELECT id FROM cases_event ORDER BY id LIMIT 1), (SELECT id FROM cases_event ORDER BY id DESC LIMIT 1)"
                       ).fetchone()
    if row is None or row[0] is None:
        return None
    return [f"{datetime.fromtimestamp((one.int >> 80) / 1000, UTC):%Y-%m}" for one in row]
