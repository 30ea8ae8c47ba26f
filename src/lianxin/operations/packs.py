"""What a backup looks like outside: one `.tar` file that holds everything, or a directory that holds many backups.

In a directory each backup is a folder `lianxin-<time>/` with the database, and the attachments of all of them lie once in `files/`, named
by their content: a night adds what is new and reads nothing again that is there. `backup.json` is written last: where it is missing, the
backup was not finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from django.utils.translation import gettext as _

from .database import CopyError

FORMAT = 1
MANIFEST, DUMP, FILES, CITY = "backup.json", "database.dump", "files", "city"
NAME = re.compile(r"lianxin-\d{8}T\d{6}Z")
_HASHED = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """One file: its name in the storage, its bytes, its SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """What a backup says of itself. `at` is the instant of the snapshot, `tables` rows by table, `events` a number over the whole log,
    `keyring` which keys opened it (fingerprints, not keys), `missing` files that the tables named and the storage did not have."""

    at: str
    program: str
    server: int
    migrations: list[list[str]]
    tables: dict[str, int]
    events: str
    keyring: str
    dump: Held = field(default_factory=lambda: Held(DUMP, 0, ""))
    files: list[Held] = field(default_factory=list)
    city: list[Held] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    format: int = FORMAT

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def read(cls, raw: bytes) -> Manifest:
        """Raises CopyError for what is no manifest, or one of a later format."""
        try:
            said: dict[str, Any] = json.loads(raw)
            if said["format"] > FORMAT:
                raise CopyError(_("这个备份是更新版本的程序做的，请先升级程序。"))
            made = cls(**{**said, "dump": Held(**said["dump"]), "files": [Held(**one) for one in said["files"]],
                          "city": [Held(**one) for one in said["city"]]})
        except (ValueError, KeyError, TypeError) as error:
            raise CopyError(_("%s 读不懂，这不是完整的备份。") % MANIFEST) from error
        for one in (*made.files, *made.city):
            if one.name.startswith("/") or ".." in one.name.split("/") or "\\" in one.name:
                raise CopyError(_("备份里有不该有的文件名：%s") % one.name[:100])
        return made


class Hashing:
    """Reads another file and hashes what goes by."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source, self.hash, self.bytes = source, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        block = self.source.read(size)
        self.hash.update(block)
        self.bytes += len(block)
        return block

    def held(self, name: str) -> Held:
        return Held(name, self.bytes, self.hash.hexdigest())


def digest_of(path: Path, name: str) -> Held:
    """Size and hash of a file on disk."""
    with path.open("rb") as file:
        reading = Hashing(file)
        while reading.read(BLOCK):
            pass
    return reading.held(name)


class Target(ABC):
    """Where a backup goes. `dump` is where the database is to be written before `close`."""

    dump: Path

    @abstractmethod
    def add(self, held: str, size: int, source: IO[bytes]) -> Held:
        """Take one attachment in."""

    @abstractmethod
    def add_city(self, path: Path, name: str) -> Held:
        """Take one of the city's own files in."""

    @abstractmethod
    def close(self, manifest: Manifest) -> Path:
        """Finish: the manifest, everything on the disk. Returns where the backup lies."""

    @abstractmethod
    def give_up(self) -> None:
        """Remove what was begun."""


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderTarget(Target):
    """One more backup in a directory."""

    def __init__(self, root: Path, at: datetime) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root, self.pool = root, root / FILES
        self.folder = root / f"lianxin-{at:%Y%m%dT%H%M%SZ}"
        self.folder.mkdir(mode=0o700)
        self.dump = self.folder / DUMP

    def add(self, held: str, size: int, source: IO[bytes]) -> Held:
        named = _HASHED.search(held.rpartition("/")[2])
        if named and (there := self.pool / named[0][:2] / named[0]).exists() and there.stat().st_size == size:
            return Held(held, size, named[0])  # content of that name and length lies here since an earlier night
        self.pool.mkdir(exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self.pool)
        try:
            with os.fdopen(handle, "wb") as out:
                reading = Hashing(source)
                shutil.copyfileobj(cast(IO[bytes], reading), out, BLOCK)
                out.flush()
                os.fsync(out.fileno())
            made = reading.held(held)
            place = self.pool / made.sha256[:2] / made.sha256
            place.parent.mkdir(exist_ok=True, mode=0o700)
            os.replace(name, place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return made

    def add_city(self, path: Path, name: str) -> Held:
        place = self.folder / CITY / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        return digest_of(place, name)

    def close(self, manifest: Manifest) -> Path:
        _synced(self.dump)
        part = self.folder / (MANIFEST + ".part")
        part.write_text(manifest.text(), encoding="utf-8")
        _synced(part)
        os.replace(part, self.folder / MANIFEST)
        _synced(self.folder)
        return self.folder

    def give_up(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class TarTarget(Target):
    """One file that holds all."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise CopyError(_("%s 已经存在，不覆盖。") % path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.part = path, path.with_name(path.name + ".part")
        self.work = tempfile.TemporaryDirectory(dir=path.parent, prefix=path.name)
        self.dump = Path(self.work.name) / DUMP
        os.close(os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        self.tar = tarfile.open(self.part, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 – as long as the target

    def _put(self, name: str, size: int, source: IO[bytes]) -> Held:
        reading = Hashing(source)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self.tar.addfile(entry, cast(IO[bytes], reading))
        return reading.held(name)

    def add(self, held: str, size: int, source: IO[bytes]) -> Held:
        made = self._put(f"{FILES}/{held}", size, source)
        return Held(held, made.bytes, made.sha256)

    def add_city(self, path: Path, name: str) -> Held:
        with path.open("rb") as file:
            made = self._put(f"{CITY}/{name}", path.stat().st_size, file)
        return Held(name, made.bytes, made.sha256)

    def close(self, manifest: Manifest) -> Path:
        with self.dump.open("rb") as file:
            self._put(DUMP, self.dump.stat().st_size, file)
        raw = manifest.text().encode()
        with tempfile.TemporaryFile() as file:
            file.write(raw)
            file.seek(0)
            self._put(MANIFEST, len(raw), file)
        self.tar.close()
        _synced(self.part)
        os.replace(self.part, self.path)
        self.work.cleanup()
        return self.path

    def give_up(self) -> None:
        self.tar.close()
        self.part.unlink(missing_ok=True)
        self.work.cleanup()


def target(place: Path, at: datetime) -> Target:
    """A `.tar` file, or else one more backup in a directory."""
    return TarTarget(place) if place.suffix == ".tar" else FolderTarget(place, at)


class Source(ABC):
    """A finished backup, for reading."""

    manifest: Manifest

    @abstractmethod
    def open(self, part: str, held: Held) -> Any:
        """A context manager that gives one file of `part` (files, city, or the dump's own name) to read."""

    def verified(self, part: str, held: Held) -> None:
        """Raises CopyError when a file is missing or not what the manifest says."""
        with self.open(part, held) as file:
            reading = Hashing(file)
            while reading.read(BLOCK):
                pass
        if reading.held(held.name) != held:
            raise CopyError(_("备份里的文件坏了：%s") % held.name)

    def everything(self) -> Iterator[tuple[str, Held]]:
        yield DUMP, self.manifest.dump
        yield from ((FILES, one) for one in self.manifest.files)
        yield from ((CITY, one) for one in self.manifest.city)

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """The dump as a file that PostgreSQL's programs can read."""
        with tempfile.TemporaryDirectory() as work:
            place = Path(work) / DUMP
            with self.open(DUMP, self.manifest.dump) as file, place.open("wb") as out:
                shutil.copyfileobj(file, out, BLOCK)
            yield place


class FolderSource(Source):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest.read((folder / MANIFEST).read_bytes())

    @contextmanager
    def open(self, part: str, held: Held) -> Iterator[BinaryIO]:
        place = self.folder / DUMP if part == DUMP else self.folder / CITY / held.name if part == CITY else \
            self.folder.parent / FILES / held.sha256[:2] / held.sha256
        try:
            with place.open("rb") as file:
                yield file
        except FileNotFoundError:
            raise CopyError(_("备份里缺文件：%s") % held.name) from None

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        yield self.folder / DUMP


class TarSource(Source):
    def __init__(self, path: Path) -> None:
        try:
            self.tar = tarfile.open(path)  # noqa: SIM115 – as long as the source
            entry = self.tar.extractfile(MANIFEST)
        except (tarfile.TarError, KeyError, OSError, EOFError) as error:
            raise CopyError(_("%s 不是完整的备份文件。") % path) from error
        assert entry is not None
        self.manifest = Manifest.read(entry.read())

    @contextmanager
    def open(self, part: str, held: Held) -> Iterator[IO[bytes]]:
        try:
            file = self.tar.extractfile(DUMP if part == DUMP else f"{part}/{held.name}")
        except (KeyError, tarfile.TarError):
            file = None
        if file is None:
            raise CopyError(_("备份里缺文件：%s") % held.name)
        with file:
            yield file


def source(place: Path) -> Source:
    """A `.tar` file, the folder of one backup, or a directory of backups: then the newest that was finished. Raises CopyError."""
    if place.is_file():
        return TarSource(place)
    if (place / MANIFEST).is_file():
        return FolderSource(place)
    found = finished(place)
    if not found:
        raise CopyError(_("%s 里没有完整的备份。") % place)
    return FolderSource(found[-1])


def finished(root: Path) -> list[Path]:
    """The finished backups of a directory, the oldest first."""
    if not root.is_dir():
        return []
    return sorted(one for one in root.iterdir() if NAME.fullmatch(one.name) and (one / MANIFEST).is_file())


def prune(root: Path, *, before: datetime) -> tuple[int, int]:
    """Delete the backups of a directory that are older, never the newest, and the attachments that none of the others holds. Returns
    how many backups and how many attachments went."""
    kept = finished(root)
    old = [one for one in kept[:-1] if one.name < f"lianxin-{before:%Y%m%dT%H%M%SZ}"]
    for one in old:
        (one / MANIFEST).unlink()  # first: what is half deleted is not a backup
        shutil.rmtree(one)
    if not old:
        return 0, 0
    needed = {held.sha256 for one in finished(root) for held in Manifest.read((one / MANIFEST).read_bytes()).files}
    gone = [one for one in (root / FILES).glob("??/*") if one.name not in needed]
    for one in gone:
        one.unlink()
    return len(old), len(gone)
