"""The container of an export: a ZIP file, or a directory with the same files.

ZIP because Python's own library writes and reads it member by member (memory stays bounded), it grows past 4 GB, every
member has a place of its own – so that the manifest can be read first – and any office computer opens it
(docs/explanation/adr/0042-city-export.md). Members bear one fixed time, so that the same city makes the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, cast

from django.utils.translation import gettext as _

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 64 * 1024 * 1024
BLOCK = 1024 * 1024
_TIME = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"(?:[^/\\:\0-\x1f]+/)*[^/\\:\0-\x1f]+")


class PackageError(Exception):
    """An export cannot be written or read; the message says why, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Written:
    """One member as it was written: bytes unpacked, and their SHA-256."""

    file: str
    size: int
    sha256: str

    def said(self) -> dict[str, Any]:
        return {"file": self.file, "bytes": self.size, "sha256": self.sha256}


class Member:
    """A member that is being written: counts and hashes what goes through."""

    def __init__(self, name: str, out: IO[bytes]) -> None:
        self.name = name
        self._out = out
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes | memoryview) -> int:
        self._out.write(data)
        self._hash.update(data)
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    @property
    def written(self) -> Written:
        return Written(self.name, self._size, self._hash.hexdigest())


def good_name(name: str) -> bool:
    """Whether a member's name stays inside: relative, plain, no step up."""
    return bool(_NAME.fullmatch(name)) and not any(part in (".", "..") for part in name.split("/"))


class Writer:
    """Writes an export beside its place, readable by the owner only, and puts it there when it is whole."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.zipped = target.suffix.lower() == ".zip"
        self._part = target.with_name(target.name + ".part")
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> Writer:
        if self.target.exists():
            raise PackageError(_("%s 已经存在，请换一个名字。") % self.target)
        if not self.zipped and self.target.suffix:
            raise PackageError(_("%s：写成 .zip 文件，或一个没有扩展名的目录。") % self.target)
        try:
            self._clear()
            if self.zipped:
                handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                self._zip = zipfile.ZipFile(os.fdopen(handle, "wb"), "w", zipfile.ZIP_DEFLATED, allowZip64=True)
            else:
                self._part.mkdir(mode=0o700)
        except OSError as error:
            raise PackageError(f"{self._part}: {error.strerror}") from error
        return self

    def _clear(self) -> None:
        if self._part.is_dir():
            shutil.rmtree(self._part)
        else:
            self._part.unlink(missing_ok=True)

    @contextmanager
    def member(self, name: str, *, packed: bool = True) -> Iterator[Member]:
        """Write one member; `packed` says whether compressing it is worth the time."""
        if self._zip is not None:
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            with self._zip.open(info, "w", force_zip64=True) as out:
                yield Member(name, out)
            return
        path = self._part / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield Member(name, file)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._zip is not None:
            underneath = cast(IO[bytes], self._zip.fp)
            if kind is None:
                self._zip.close()
                underneath.flush()
                os.fsync(underneath.fileno())
            underneath.close()
        if kind is not None:
            self._clear()
            return
        os.replace(self._part, self.target)


class Reader:
    """Reads an export member by member. Nothing is unpacked to a path that a member names."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> Reader:
        if not self.source.exists():
            raise PackageError(_("没有这个文件：%s") % self.source)
        if not self.source.is_dir():
            try:
                self._zip = zipfile.ZipFile(self.source)
            except (OSError, zipfile.BadZipFile) as error:
                raise PackageError(_("%s 不是 lianxin 的城市导出：应是 .zip 文件或目录。") % self.source) from error
        return self

    def __exit__(self, *told: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def names(self) -> set[str]:
        """Every file there is."""
        if self._zip is not None:
            return {info.filename for info in self._zip.infolist() if not info.is_dir()}
        return {path.relative_to(self.source).as_posix() for path in self.source.rglob("*") if path.is_file()}

    def size(self, name: str) -> int:
        if self._zip is not None:
            return self._zip.getinfo(name).file_size
        return (self.source / name).stat().st_size

    @contextmanager
    def member(self, name: str) -> Iterator[BinaryIO]:
        """Open one member. Raises PackageError when it is not there or damaged."""
        try:
            with (self._zip.open(name) if self._zip is not None else (self.source / name).open("rb")) as file:
                yield cast(BinaryIO, file)
        except (KeyError, OSError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise PackageError(_("%s 读不出来，文件可能已损坏。") % name) from error

    def blocks(self, name: str, *, limit: int) -> Iterator[bytes]:
        """A member block by block, never more than `limit` bytes: what is longer than announced is damaged or hostile."""
        left = limit
        with self.member(name) as file:
            while block := file.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise PackageError(_("%s 比清单里写的长，没有装入。") % name)
                yield block
