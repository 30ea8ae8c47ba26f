"""The files that rows speak of: attachments, kept reports, trained models – each under the SHA-256 of its content.

They travel in tar files, attachments in one for each first two digits of the hash: a million of them as members of their own
would be a table of contents of half a gigabyte.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import psycopg
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from lianxin.cases.files import path_of
from lianxin.triage.store import directory as models_directory

from .package import PackageError, Reader, Writer

LIMIT = 512 * 1024 * 1024  # bytes of one content
NAMES = 1_000  # fetched at a time
_NAMED = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,8})?")


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of files. `query` gives names – hash and, where it matters, an ending – in order; `place` where each lies."""

    name: str
    query: str
    place: Callable[[str], str | Path]
    digits: int = 0

    def shard(self, name: str) -> str:
        return f"files/{self.name}/{name[: self.digits]}.tar" if self.digits else f"files/{self.name}.tar"


FAMILIES = (
    Family("attachments", "SELECT sha256 FROM cases_attachment WHERE removed_at IS NULL AND sha256 <> '' UNION SELECT thumbnail_sha256 "
           "FROM cases_attachment WHERE removed_at IS NULL AND thumbnail_sha256 <> '' ORDER BY 1", path_of, digits=2),
    Family("reports", "SELECT DISTINCT sha256 || '.' || format FROM reports_keptreport ORDER BY 1",
           lambda name: f"reports/{name[:2]}/{name}"),
    Family("models", "SELECT DISTINCT digest FROM triage_learntmodel ORDER BY 1", lambda name: models_directory() / f"{name}.model"),
)
_BY_NAME = {family.name: family for family in FAMILIES}


def _read(place: str | Path) -> bytes | None:
    try:
        if isinstance(place, Path):
            return place.read_bytes()
        with default_storage.open(place, "rb") as file:
            return cast(bytes, file.read())
    except FileNotFoundError:
        return None


def _names(held: psycopg.Connection[Any], family: Family) -> Iterator[str]:
    with held.cursor(name=f"contents_{family.name}") as cursor:
        cursor.itersize = NAMES
        cursor.execute(family.query)
        for [name] in cursor:
            yield name


def export(held: psycopg.Connection[Any], out: Writer) -> tuple[list[dict[str, Any]], list[str]]:
    """Write every content the snapshot's rows name. Returns the packs, and the names of contents that the storage has lost or
    damaged."""
    packs: list[dict[str, Any]] = []
    missing: list[str] = []
    for family in FAMILIES:
        for shard, names in groupby(_names(held, family), family.shard):
            count = 0
            with (out.member(shard, packed=False) as member,
                  tarfile.open(fileobj=cast(Any, member), mode="w|", format=tarfile.PAX_FORMAT) as tar):
                for name in names:
                    body = _read(family.place(name))
                    if body is None or hashlib.sha256(body).hexdigest() != name[:64]:
                        missing.append(f"{family.name}/{name}")
                        continue
                    info = tarfile.TarInfo(name)
                    info.size, info.mode = len(body), 0o600
                    tar.addfile(info, io.BytesIO(body))
                    cast(Any, tar).members.clear()  # it would remember every one
                    count += 1
            packs.append({"family": family.name, "count": count, **member.written.said()})
    return packs, missing


def bodies(source: Reader, file: str, family: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file in a pack. Raises PackageError for what is not named by its own hash."""
    if family not in _BY_NAME:
        raise PackageError(_("%s：不认识这一类文件。") % file)
    with source.member(file) as raw:
        try:
            with tarfile.open(fileobj=raw, mode="r|") as tar:
                for info in tar:
                    named = _NAMED.fullmatch(info.name)
                    content = tar.extractfile(info) if named and info.isreg() and info.size <= LIMIT else None
                    if named is None or content is None:
                        raise PackageError(_("%(file)s 里有不合规的文件：%(name)s") % {"file": file, "name": info.name[:100]})
                    body = content.read()
                    if hashlib.sha256(body).hexdigest() != named[1]:
                        raise PackageError(_("%(file)s 里的 %(name)s 内容已改变。") % {"file": file, "name": info.name})
                    yield info.name, body
                    cast(Any, tar).members.clear()  # it would remember every one
        except tarfile.TarError as error:
            raise PackageError(_("%s 读不出来，文件可能已损坏。") % file) from error


def put(family: str, name: str, body: bytes) -> bool:
    """Keep one content where its rows look for it. False when it was there already."""
    place = _BY_NAME[family].place(name)
    if isinstance(place, Path):
        if place.exists() and place.stat().st_size == len(body):
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        return True
    if default_storage.exists(place):
        if default_storage.size(place) == len(body):
            return False
        default_storage.delete(place)
    default_storage.save(place, ContentFile(body))
    return True


def remove(family: str, name: str) -> None:
    """Take a content that was put away again."""
    place = _BY_NAME[family].place(name)
    if isinstance(place, Path):
        place.unlink(missing_ok=True)
    else:
        default_storage.delete(place)


class Placed:
    """Which contents an import has put into the storage, noted in a file: there may be a million of them."""

    def __enter__(self) -> Placed:
        self._noted = tempfile.TemporaryFile("w+", encoding="ascii")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._noted.close()

    def put(self, family: str, name: str, body: bytes) -> None:
        """Keep one content, and know it by its family and name when it was not there."""
        if put(family, name, body):
            self._noted.write(f"{family} {name}\n")

    def take_away(self) -> None:
        """Remove every content that was put."""
        self._noted.seek(0)
        for line in self._noted:
            remove(*line.split())
