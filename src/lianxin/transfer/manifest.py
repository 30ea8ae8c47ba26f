"""manifest.json: what an export is, by which version it was made, and every file's length, hash and number of rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from .package import MANIFEST, MANIFEST_LIMIT, PackageError, Reader, good_name

FORMAT = "lianxin-city"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class TableFile:
    name: str
    file: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A tar file of contents named by their SHA-256, or a plain file of the city (`count` 1)."""

    family: str
    file: str
    count: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read and is whole in itself."""

    made_at: str
    version: str
    city: dict[str, str]
    schema: str
    migrations: dict[str, str]
    keys: dict[str, str]
    sequences: dict[str, int]
    months: tuple[str, str] | None
    tables: tuple[TableFile, ...]
    packs: tuple[Pack, ...]
    missing: tuple[str, ...] = field(default=())

    @property
    def files(self) -> dict[str, tuple[int, str]]:
        """Length and hash of every file beside the manifest."""
        every: list[TableFile | Pack] = [*self.tables, *self.packs]
        return {one.file: (one.size, one.sha256) for one in every}


def read(source: Reader) -> Manifest:
    """Raises PackageError for what is no export of ours, of another format, or whose manifest is broken."""
    if MANIFEST not in source.names():
        raise PackageError(_("%s 不是 lianxin 的城市导出：里面没有 manifest.json。") % source.source)
    body = b"".join(source.blocks(MANIFEST, limit=MANIFEST_LIMIT))
    try:
        raw = json.loads(body)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise PackageError(_("%s 不是 lianxin 的城市导出：里面没有 manifest.json。") % source.source)
        if raw.get("format_version") != FORMAT_VERSION:
            words = _("这份导出的格式是第 %(theirs)s 版，本程序只认第 %(ours)s 版；它由 lianxin %(version)s 写出，请用那一版装入。")
            raise PackageError(words % {
                "theirs": raw.get("format_version"), "ours": FORMAT_VERSION, "version": _version(raw)})
        made = _of(raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(_("manifest.json 不完整或已损坏：%s") % error) from error
    bad = [name for name in made.files if not good_name(name)]
    if bad:
        raise PackageError(_("manifest.json 里有不合规的文件名：%s") % bad[0][:100])
    return made


def _version(raw: dict[str, Any]) -> str:
    made = raw.get("made_by")
    return str(made.get("version", "?")) if isinstance(made, dict) else "?"


def _of(raw: dict[str, Any]) -> Manifest:
    months = raw["event_months"]
    return Manifest(
        made_at=str(raw["made_at"]), version=str(raw["made_by"]["version"]),
        city={str(key): str(value) for key, value in raw["city"].items()},
        schema=str(raw["schema"]["hash"]), migrations={str(key): str(value) for key, value in raw["schema"]["migrations"].items()},
        keys={str(key): str(value) for key, value in raw["keys"].items()},
        sequences={str(key): int(value) for key, value in raw["sequences"].items()},
        months=(str(months[0]), str(months[1])) if months else None,
        tables=tuple(TableFile(str(one["table"]), str(one["file"]), tuple(str(column["name"]) for column in one["columns"]),
                               int(one["rows"]), int(one["bytes"]), str(one["sha256"])) for one in raw["tables"]),
        packs=tuple(Pack(str(one["family"]), str(one["file"]), int(one["count"]), int(one["bytes"]), str(one["sha256"]))
                    for one in raw["packs"]),
        missing=tuple(str(one) for one in raw["missing"]),
    )
