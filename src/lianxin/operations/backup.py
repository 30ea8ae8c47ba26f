"""Backup and restore of a whole installation: database, attachments, the city's own files – and, to another place only, the keys."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from lianxin.analysis.reports import kept
from lianxin.analysis.reports.models import KeptReport
from lianxin.cases.files import path_of
from lianxin.cases.models import Attachment
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import Keyring, keyring

from . import database, packs, standing
from .database import CopyError
from .models import Copy, CopyKind
from .packs import CITY, FILES, Manifest, Source

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """Where a backup lies and what it holds."""

    place: Path
    manifest: Manifest
    keys: Path | None


def keyring_print(ring: Keyring) -> str:
    """Which keyring this is, without any of it: `k1,k2:` and a hash of the key for look-up, which is never turned over."""
    return f"{','.join(sorted(ring.encryption))}:{hashlib.sha256(b'lianxin keyring' + ring.lookup).hexdigest()[:16]}"


def stored(folder: str = "") -> Iterator[str]:
    """Names of everything in the storage of attachments."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}" if folder else name
    for one in sorted(folders):
        yield from stored(f"{folder}/{one}" if folder else one)


def named() -> Iterator[str]:
    """Names of the files that the tables speak of."""
    rows = Attachment.objects.filter(removed_at__isnull=True).values_list("sha256", "thumbnail_sha256")
    for hashes in rows.iterator(chunk_size=5000):
        yield from (path_of(sha256) for sha256 in hashes if sha256)
    for report in KeptReport.objects.only("sha256", "format").iterator():
        yield kept.path_of(report)


# ── Backup ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def backup(place: Path, *, city: Path | None = None, keys: Path | None = None, tell: Tell = lambda _said: None) -> Made:
    """Copy everything to `place` and read it back. `keys` is a directory elsewhere for the keyring. Raises CopyError and leaves nothing
    half done; the installation runs on meanwhile."""
    place = place.resolve()
    if keys is not None and (keys.resolve() == place or place in keys.resolve().parents):
        raise CopyError(_("密钥不能和备份放在一起：两样在一处，谁拿到谁就能看到身份。请给 --with-keys 另一个地方。"))
    at = now()
    to = packs.target(place, at)
    try:
        manifest, speaks_of = _database(to.dump, at)
        tell(_("数据库 %d MB") % (to.dump.stat().st_size // 1_000_000))
        manifest.files = _files(to)
        manifest.missing = sorted(speaks_of - {one.name for one in manifest.files} - _gone_since(speaks_of))
        manifest.city = [to.add_city(path, path.relative_to(city).as_posix())
                         for path in sorted(city.rglob("*")) if path.is_file()] if city else []
        database.readable(to.dump)
        made = to.close(manifest)
    except BaseException:
        to.give_up()
        raise
    tell(_("文件 %d 个，正在核对……") % len(manifest.files))
    reading = packs.source(made)
    for part, held in reading.everything():
        reading.verified(part, held)
    apart = _keys_apart(keys, made) if keys else None
    _remember(CopyKind.BACKUP, manifest, at=at, keys=apart is not None)
    return Made(made, manifest, apart)


def _database(to: Path, at: datetime) -> tuple[Manifest, set[str]]:
    """The dump, and what is counted in the very same snapshot; the names of the files that it speaks of."""
    connection.close()  # a fresh session: a snapshot is the first thing of its transaction
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = str(cursor.fetchone()[0])
        manifest = Manifest(
            at=at.astimezone(UTC).isoformat(), program=version("lianxin"), server=database.server_version(),
            migrations=sorted(list(key) for key in MigrationRecorder(connection).applied_migrations()), tables=database.counts(),
            events=database.events_digest(), keyring=keyring_print(keyring()))
        speaks_of = set(named())
        database.dump(to, snapshot=snapshot)
    manifest.dump = packs.digest_of(to, packs.DUMP)
    return manifest, speaks_of


def _files(to: packs.Target) -> list[packs.Held]:
    made = []
    for name in stored():
        try:
            size = default_storage.size(name)
            with default_storage.open(name, "rb") as file:
                made.append(to.add(name, size, file))
        except FileNotFoundError:
            continue  # its retention ended a moment ago
    return made


def _gone_since(speaks_of: set[str]) -> set[str]:
    """Of these, those that the tables speak of no more: removed while the copy was made."""
    return speaks_of - set(named())


def _keys_apart(keys: Path, made: Path) -> Path:
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    to = keys / f"{made.name.removesuffix('.tar')}.keyring.json"
    keyring().write(to)
    return to


# ── Restore ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `pending` are migrations of this program that the restored database lacks; `more` files that lay in the storage
    and are not in the backup; `keyring_aside` where the keyring lies that was here before."""

    manifest: Manifest
    pending: int
    more: int
    keyring_aside: Path | None


def restore(place: Path, *, replace: bool = False, keys: Path | None = None, without_keys: bool = False, city: Path | None = None,
            tell: Tell = lambda _said: None) -> Restored:
    """Put a backup into this installation: an empty one, or with `replace` in the place of what is there. Raises CopyError; until the
    database is whole nothing that was there is gone."""
    taken = packs.source(place.resolve())
    manifest = taken.manifest
    _refuse_newer(manifest)
    ring = _keyring_for(manifest, keys, without_keys)
    there = database.tables()
    if there and not replace:
        raise CopyError(_("这里的数据库不是空的。要用备份换掉它，请加 --replace；或者恢复到另一个数据目录或数据库。"))
    if database.others():
        raise CopyError(_("还有别的程序连着这个数据库。请先停下 web、worker、live 和 deliver。"))
    if not replace and next(stored(), None) is not None:
        raise CopyError(_("这里的附件目录不是空的。要恢复到这里，请加 --replace。"))
    for part, held in taken.everything():
        taken.verified(part, held)
    tell(_("备份完整：%(files)d 个文件，数据库 %(size)d MB") % {"files": len(manifest.files), "size": manifest.dump.bytes // 1_000_000})
    kept_files = _put_files(taken)
    with taken.on_disk() as dumped:
        database.readable(dumped)
        _put_database(dumped, manifest, there=bool(there))
    aside = _put_keyring(ring) if ring is not None else None
    if city is not None:
        _put_city(taken, city)
    _remember(CopyKind.RESTORE, manifest, at=datetime.fromisoformat(manifest.at), keys=ring is not None)
    return Restored(manifest, len(standing.pending_migrations()), kept_files, aside)


def _remember(kind: CopyKind, manifest: Manifest, *, at: datetime, keys: bool) -> None:
    if Copy._meta.db_table in manifest.tables:  # a backup of a version that did not remember yet
        Copy.objects.create(kind=kind, at=at, finished_at=max(at, now()), database_bytes=manifest.dump.bytes, files=len(manifest.files),
                            file_bytes=sum(one.bytes for one in manifest.files), missing=len(manifest.missing), keys=keys)


def _refuse_newer(manifest: Manifest) -> None:
    unknown = sorted(f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in standing.known_migrations())
    if unknown:
        raise CopyError(_("这个备份来自更新的程序，本程序不认识它的 %s。请先升级程序。") % "、".join(unknown[:3]))


def _keyring_for(manifest: Manifest, keys: Path | None, without_keys: bool) -> Keyring | None:
    """The keyring to put here; None when the one that is here is the right one, or when none is wanted."""
    if keys is not None:
        ring = Keyring.read(keys)
        if not _opens(ring, manifest):
            raise CopyError(_("密钥文件 %s 不是这个备份的。") % keys)
        return ring
    if without_keys or _opens(keyring(), manifest):
        return None
    raise CopyError(_(
        "这里的密钥不是这个备份的：恢复后谁的身份都读不出来。请用 --keys 给出那时的密钥文件；确实没有了，才用 --without-keys。"))


def _opens(ring: Keyring, manifest: Manifest) -> bool:
    """Whether a keyring has every key that the backup's had – it may have newer ones – and the same for look-up."""
    names, _colon, lookup = manifest.keyring.partition(":")
    return keyring_print(ring).partition(":")[2] == lookup and set(names.split(",")) <= set(ring.encryption)


def _put_files(taken: Source) -> int:
    """Every file of the backup into the storage. Returns how many lie there besides."""
    there = set(stored())
    for held in taken.manifest.files:
        if held.name in there:
            with default_storage.open(held.name, "rb") as file:
                reading = packs.Hashing(file)
                while reading.read(packs.BLOCK):
                    pass
            if reading.held(held.name) == held:
                continue
            default_storage.delete(held.name)
        with taken.open(FILES, held) as file:
            saved = default_storage.save(held.name, File(file))
        if saved != held.name or default_storage.size(saved) != held.bytes:
            raise CopyError(_("文件没有写成：%s") % held.name)
    return len(there - {held.name for held in taken.manifest.files})


def _put_database(dumped: Path, manifest: Manifest, *, there: bool) -> None:
    def put() -> None:
        connection.close()
        database.load(dumped)
        with transaction.atomic():
            if database.counts() != manifest.tables or database.events_digest() != manifest.events:
                raise CopyError(_("恢复出来的行数或事件和备份时不一致。"))

    if there:
        with database.set_aside():
            put()
    else:
        put()


def _put_keyring(ring: Keyring) -> Path | None:
    to = Path(settings.LIANXIN_KEYRING)
    aside = None
    if to.exists():
        aside = to.with_name(f"{to.name}.before-{now():%Y%m%dT%H%M%SZ}")
        shutil.copy2(to, aside)
    ring.write(to)
    return aside


def _put_city(taken: Source, city: Path) -> None:
    for held in taken.manifest.city:
        to = city / held.name
        if to.exists():
            raise CopyError(_("%s 已经存在，不覆盖。") % to)
        to.parent.mkdir(parents=True, exist_ok=True)
        with taken.open(CITY, held) as file, to.open("wb") as out:
            shutil.copyfileobj(file, out)
