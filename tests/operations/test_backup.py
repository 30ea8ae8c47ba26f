"""A backup holds everything, and what comes out of it is what went in – or nothing was touched."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from PIL import Image

from lianxin.cases.files import path_of, store
from lianxin.cases.models import State
from lianxin.kernel import crypto
from lianxin.kernel.crypto import Keyring
from lianxin.operations import backup as copying
from lianxin.operations import database, packs, standing
from lianxin.operations.database import CopyError
from lianxin.operations.models import Copy
from tests.cases.ways import at_state
from tests.operations import probe
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A keyring and a storage of this test's own."""
    settings.LIANXIN_KEYRING = str(tmp_path / "data" / "keyring.json")
    settings.MEDIA_ROOT = str(tmp_path / "data" / "files")
    Keyring.fresh().write(Path(settings.LIANXIN_KEYRING))
    crypto.reload()
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "units.csv").write_text("code,name\nurban,市城管局\n", encoding="utf-8")
    yield tmp_path
    crypto.reload()


def fill(world: World) -> None:
    """Cases in several states with files, words and people."""
    for state in (State.IN_HAND, State.CALLBACK, State.CLOSED):
        at_state(world, state)
    world.case(name="欧阳试验人", phone="13987654321")
    default_storage.save(path_of("0" * 64), ContentFile(b"jpg"))  # what `ways` says it uploaded
    photo(world)


def photo(world: World) -> str:
    """A photo in the storage; returns its name there."""
    body = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(body, "JPEG")
    size = body.tell()
    body.seek(0)
    made, _offered = store(file=body, name="现场.jpg", size=size, by=world.actor("operator"))
    return path_of(made.sha256)


class Elsewhere:
    """Another database on the same server, and a data directory of its own: as another process sees it."""

    def __init__(self, place: Path) -> None:
        held = connection.settings_dict
        self.name = f"{held['NAME']}_elsewhere"
        self.data = place / "elsewhere"
        self.data.mkdir()
        self.admin = {"host": held["HOST"], "port": held["PORT"] or None, "user": held["USER"], "password": held["PASSWORD"] or None}
        self.url = f"postgresql://{held['USER']}:{held['PASSWORD']}@/{self.name}?host={held['HOST']}&port={held['PORT']}".replace(":@", "@")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(dbname=database, autocommit=True, **self.admin) as opened:
            done = opened.execute(statement)
            return done.fetchall() if done.description else []

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "LIANXIN_DATABASE_URL": self.url, "LIANXIN_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "lianxin.config.settings",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "LC_ALL": "zh_CN.UTF-8", "LIANXIN_LOG_LEVEL": "WARNING"}
        return subprocess.run([sys.executable, "-m", *command], env=environment, cwd=ROOT, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120)

    def facts(self) -> dict[str, Any]:
        done = self.run("tests.operations.probe")
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)


@pytest.fixture
def elsewhere(place: Path, transactional_db: None) -> Iterator[Elsewhere]:
    made = Elsewhere(place)
    made.execute(f'DROP DATABASE IF EXISTS "{made.name}"')
    made.execute(f'CREATE DATABASE "{made.name}" TEMPLATE template0')
    yield made
    made.execute(f'DROP DATABASE "{made.name}" WITH (FORCE)')


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_there_and_elsewhere_again(place: Path, world: World, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    there = probe.facts()
    assert there["files"]
    assert there["differences"] == []
    told = io.StringIO()
    call_command("backup", place / "one.tar", city=place / "city", with_keys=place / "safe", stdout=told)
    assert "one.tar" in told.getvalue()
    assert standing.last_backup() is not None
    assert standing.last_backup().keys  # type: ignore[union-attr]
    with tarfile.open(place / "one.tar") as tar:
        assert not [name for name in tar.getnames() if "key" in name], "the keys lie elsewhere"
    assert (place / "safe" / "one.keyring.json").stat().st_mode & 0o077 == 0

    # Refused here, where the database is not empty and somebody is at work; and with another keyring than that of the backup.
    with pytest.raises(CopyError, match="--replace"):
        copying.restore(place / "one.tar")
    with psycopg.connect(dbname=str(connection.settings_dict["NAME"]), **elsewhere.admin), pytest.raises(CopyError, match="停下"):
        copying.restore(place / "one.tar", replace=True)
    Keyring.fresh().write(place / "other.json")
    with pytest.raises(CopyError, match="不是这个备份的"):
        copying.restore(place / "one.tar", replace=True, keys=place / "other.json")
    monkeypatch.setattr(copying, "keyring", Keyring.fresh)
    with pytest.raises(CopyError, match="--without-keys"):
        copying.restore(place / "one.tar", replace=True)
    monkeypatch.undo()

    # An empty place with a keyring of its own, which is laid aside: everything is as it was.
    keyfile = str(place / "safe" / "one.keyring.json")
    done = elsewhere.run("lianxin", "restore", str(place / "one.tar"), "--keys", keyfile, "--city", str(place / "city2"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(elsewhere.data.glob("keyring.json.before-*"))
    assert (place / "city2" / "units.csv").read_text(encoding="utf-8").endswith("市城管局\n")
    here = elsewhere.facts()
    assert {part: here[part] == there[part] for part in there} == dict.fromkeys(there, True)

    # In the place of what is there: a backup that turns out broken when it is in leaves what was there.
    [[before]] = elsewhere.execute("SELECT count(*) FROM cases_event", elsewhere.name)
    elsewhere.execute("UPDATE places_city SET name = '改过的市'", elsewhere.name)
    call_command("backup", place / "many", stdout=told)
    [folder] = packs.finished(place / "many")
    manifest = json.loads((folder / packs.MANIFEST).read_text())
    manifest["tables"]["cases_case"] += 1
    (folder / packs.MANIFEST).write_text(json.dumps(manifest))
    failed = elsewhere.run("lianxin", "restore", str(place / "many"), "--replace")
    assert failed.returncode != 0
    assert "不一致" in failed.stderr, failed.stderr[-1000:]
    assert elsewhere.execute("SELECT name FROM places_city", elsewhere.name) == [("改过的市",)]
    assert elsewhere.execute("SELECT count(*) FROM cases_event", elsewhere.name) == [(before,)]
    manifest["tables"]["cases_case"] -= 1
    (folder / packs.MANIFEST).write_text(json.dumps(manifest))
    done = elsewhere.run("lianxin", "restore", str(place / "many"), "--replace")
    assert done.returncode == 0, done.stderr[-2000:]
    assert elsewhere.execute("SELECT name FROM places_city", elsewhere.name) == [("试验市",)]
    schemas = elsewhere.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information'", elsewhere.name)
    assert schemas == [("public",)]
    assert elsewhere.execute("SELECT kind, keys FROM operations_copy ORDER BY id", elsewhere.name) == [("backup", True), ("restore", False)]


@pytest.mark.django_db(transaction=True)
def test_a_directory_holds_each_attachment_once_and_what_is_missing_is_said(place: Path, world: World) -> None:
    gone = photo(world)
    default_storage.save("reports/ab/plain.txt", ContentFile(b"report"))
    root = place / "many"
    first = copying.backup(root)
    files = {path.name for path in (root / "files").glob("??/*")}
    assert len(files) == len(first.manifest.files) == len(list(copying.stored()))
    default_storage.delete(gone)
    with pytest.raises(CommandError, match="找不到"):  # the snapshot's second is the folder's name: the next one is another
        _a_second_later(root)
    first_folder, second_folder = packs.finished(root)
    second = packs.FolderSource(second_folder).manifest
    assert second.missing == [gone]
    assert {path.name for path in (root / "files").glob("??/*")} == files
    assert Copy.objects.latest("at").missing == 1
    # Old ones go, with what only they held; the newest stays however old it is.
    assert packs.prune(root, before=datetime.now(UTC) + timedelta(days=1)) == (1, 1)
    assert packs.finished(root) == [second_folder]
    assert not first_folder.exists()
    source = packs.source(root)
    for part, held in source.everything():
        source.verified(part, held)


def _a_second_later(root: Path) -> None:
    from lianxin.kernel import clock

    with clock.frozen(datetime.now(UTC) + timedelta(seconds=2)):
        call_command("backup", root, stdout=io.StringIO())


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_fails_leaves_nothing(place: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CopyError, match="密钥"):
        copying.backup(place / "many", keys=place / "many" / "keys")
    (place / "there.tar").write_text("mine")
    with pytest.raises(CopyError, match="不覆盖"):
        copying.backup(place / "there.tar")

    def full(*_args: Any, **_more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(database, "readable", full)
    for name in ("many", "one.tar"):
        with pytest.raises(OSError, match="space"):
            copying.backup(place / name)
    assert sorted(path.name for path in place.iterdir()) == ["city", "data", "many", "there.tar"]
    assert list((place / "many").glob("lianxin-*")) == []
    assert not Copy.objects.exists()


@pytest.mark.django_db
def test_what_is_no_backup_is_refused(place: Path) -> None:
    (place / "cut.tar").write_bytes(b"x" * 700)
    for name in ("cut.tar", "nothing", "city"):
        with pytest.raises(CopyError):
            copying.restore(place / name)
    manifest = packs.Manifest(at="2026-11-27T00:00:00+00:00", program="9", server=18, migrations=[["cases", "9999_future"]], tables={},
                              events="0", keyring="")
    folder = place / "lianxin-20261127T000000Z"
    folder.mkdir()
    (folder / packs.MANIFEST).write_text(manifest.text())
    with pytest.raises(CopyError, match="升级程序"):
        copying.restore(folder)
    for name in ("../../etc/passwd", "/etc/passwd", "a/../../b"):
        manifest.files = [packs.Held(name, 1, "0")]
        with pytest.raises(CopyError, match="文件名"):
            packs.Manifest.read(manifest.text().encode())
    with pytest.raises(CopyError, match="升级程序"):
        packs.Manifest.read(json.dumps({"format": 99}).encode())


@pytest.mark.django_db
def test_a_changed_file_is_found(place: Path) -> None:
    folder = place / "lianxin-20261127T000000Z"
    folder.mkdir()
    (folder / packs.DUMP).write_bytes(b"cut short")
    held = packs.digest_of(folder / packs.DUMP, packs.DUMP)
    manifest = packs.Manifest(at="2026-11-27T00:00:00+00:00", program="0", server=18, migrations=[], tables={}, events="0", keyring="",
                              dump=held, files=[packs.Held("aa/bb/x", 1, "0" * 64)])
    (folder / packs.MANIFEST).write_text(manifest.text())
    source = packs.source(folder)
    source.verified(packs.DUMP, held)
    with pytest.raises(CopyError, match="读不完整"):
        database.readable(folder / packs.DUMP)
    with pytest.raises(CopyError, match="缺文件"):
        source.verified(packs.FILES, manifest.files[0])
    (folder / packs.DUMP).write_bytes(b"cut shorT")
    with pytest.raises(CopyError, match="坏了"):
        source.verified(packs.DUMP, held)


@pytest.mark.django_db
def test_programs_are_those_of_the_server_or_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction.atomic():
        assert database.programs(database.server_version())
    with pytest.raises(CopyError, match="postgresql-client-99"):
        database.programs(99)
    monkeypatch.setenv("PGPASSWORD", "another's")
    assert "another's" not in database.environment().values()


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["kind = 'other'", "finished_at = at - interval '1 second'", "files = -1", "database_bytes = -1",
                                    "file_bytes = -1", "missing = -1"])
def test_the_database_holds_what_is_remembered(change: str) -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    Copy.objects.create(kind="backup", at=at, finished_at=at, database_bytes=1, files=1, file_bytes=1)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE operations_copy SET {change}")
