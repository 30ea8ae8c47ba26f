"""The doctor: a sound installation is told so; each thing that can be wrong is found and says what to do."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client

from lianxin.cases import housekeeping
from lianxin.kernel import clock, crypto, queues
from lianxin.kernel.crypto import Keyring, KeyringError
from lianxin.operations import doctor, standing
from lianxin.operations.doctor import Level
from lianxin.operations.models import Copy
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def sound(world: World, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An installation with which nothing is wrong."""
    settings.LIANXIN_KEYRING = str(tmp_path / "keyring.json")
    settings.MEDIA_ROOT = str(tmp_path / "files")
    settings.ALLOWED_HOSTS = ["12345.example.gov.cn"]
    settings.LIANXIN_HTTPS = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.LIANXIN_TRUSTED_PROXIES = 1
    settings.LIANXIN_MESSAGE_GATEWAY = "tests.operations.test_doctor.Gateway"
    Keyring.fresh().write(Path(settings.LIANXIN_KEYRING))
    os.utime(settings.LIANXIN_KEYRING, (1, 1))
    crypto.reload()
    call_command("createcachetable")
    housekeeping.ensure_partitions(clock.now())
    world.case()
    person = world.staff["admin"]
    person.set_password("a long pass phrase")
    person.save()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        cursor.execute("DELETE FROM procrastinate_jobs")
    copy(age=timedelta(hours=3))
    monkeypatch.setattr(doctor, "_asked", _careful(doctor._asked))
    monkeypatch.setattr("shutil.disk_usage", lambda _place: type("U", (), {"free": 9e10})())
    yield settings
    crypto.reload()


def _careful(asked: Any) -> Any:
    """The tests' own server is careless on purpose."""
    return lambda statement: "on" if statement in ("SHOW fsync", "SHOW full_page_writes", "SHOW synchronous_commit") else asked(statement)


class Gateway:
    name = "trial"


def copy(*, age: timedelta, **more: Any) -> Copy:
    at = clock.now() - age
    return Copy.objects.create(kind="backup", at=at, finished_at=at, database_bytes=1, files=1, file_bytes=1, **{"keys": True, **more})


def told(only: str) -> dict[Level, list[doctor.Finding]]:
    found: dict[Level, list[doctor.Finding]] = {}
    for one in doctor.examine(only=[only]):
        found.setdefault(one.level, []).append(one)
    return found


def bad(only: str, level: Level = Level.BAD) -> doctor.Finding:
    """The one fault of this check; it says what to do."""
    [one] = told(only)[level]
    assert one.do, one
    return one


def test_a_sound_installation(sound: Any) -> None:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("doctor", stdout=out, json=True)
    said = json.loads(out.getvalue())
    expected = {"static"}  # the tests serve files as they are
    assert {one["check"] for one in said["findings"] if one["level"] == "bad"} == set()
    assert {one["check"] for one in said["findings"] if one["level"] == "warn"} - {"fonts", "calendar", "clock"} <= expected
    assert {one["check"] for one in said["findings"]} == set(doctor.CHECKS)
    assert said["status"] == 0


def test_words_and_exit_status(sound: Any) -> None:
    out = io.StringIO()
    call_command("doctor", "--only", "database", stdout=out)
    assert out.getvalue().startswith("✓ database")
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--only", "static", "--strict", stdout=out)
    assert ended.value.code == 1
    Copy.objects.all().delete()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--only", "backups", stdout=out)
    assert ended.value.code == 2
    assert "→ 运行 lianxin backup" in out.getvalue()


def test_the_database(sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = doctor._asked
    for statement, answer, word in (("SHOW server_version_num", "140005", "太旧"), ("SHOW server_encoding", "SQL_ASCII", "编码"),
                                    ("SHOW fsync", "off", "fsync")):
        monkeypatch.setattr(doctor, "_asked", lambda said, s=statement, a=answer: a if said == s else asked(said))
        assert word in bad("database").said
    monkeypatch.setattr(doctor, "_asked", lambda said: "2" if said == "SHOW max_connections" else asked(said))
    assert "max_connections" in bad("database", Level.WARN).do


def test_tables_that_lack(sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "pending_migrations", lambda: [("cases", "0009_more")])
    assert "cases.0009_more" in bad("migrations").said
    found = {one.check: one.level for one in doctor.examine()}
    assert found["worker"] is Level.SKIP, "not asked of tables that may not be there"
    assert found["disk"] is Level.OK
    monkeypatch.undo()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE lianxin_cache")
    assert "createcachetable" in bad("migrations").do


def test_the_keyring(sound: Any) -> None:
    os.chmod(sound.LIANXIN_KEYRING, 0o640)
    assert "chmod 600" in bad("keyring").do
    os.chmod(sound.LIANXIN_KEYRING, 0o600)
    os.utime(sound.LIANXIN_KEYRING)  # turned over since the last copy
    assert "--with-keys" in bad("keyring", Level.WARN).do
    Keyring.fresh().write(Path(sound.LIANXIN_KEYRING))
    crypto.reload()
    assert sound.LIANXIN_KEYRING in bad("keyring").do


def test_worker_jobs_and_partitions(sound: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
        assert "lianxin-worker" in bad("worker").do
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now()")
        cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at, status) VALUES "
                       "('messages', 'x', now() - interval '20 minutes', 'todo'), ('messages', 'y', NULL, 'failed')")
        assert [one.said for one in told("worker")[Level.WARN]] == ["队列 messages 里最早的任务等了 20 分钟。", "有 1 个任务放弃了。"]
    with clock.frozen(datetime(2031, 1, 1, tzinfo=UTC)):
        assert "keep_house" in bad("partitions").do


def test_outboxes(sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [queues.Standing("trial", "far", 3, 0, 5.0),
            queues.Standing("trial", "dead", 0, 2, 0.0), queues.Standing("trial", "slow", 1, 0, 4000.0)]
    monkeypatch.setattr(queues, "QUEUES", [lambda _at: rows])
    found = told("outboxes")
    assert [one.said for one in found[Level.OK]] == ["trial → far：3 条在等。"]
    assert [one.said for one in found[Level.WARN]] == ["trial → dead：2 条消息对方不收。", "trial → slow：最早的消息等了 66 分钟。"]
    metrics = Client(SERVER_NAME="12345.example.gov.cn").get("/metrics").content.decode()
    assert 'lianxin_outbox_messages{destination="dead",queue="trial",state="dead"} 2.0' in metrics
    assert 'lianxin_outbox_oldest_seconds{destination="slow",queue="trial"} 4000.0' in metrics
    monkeypatch.setattr(queues, "QUEUES", [])
    assert Level.SKIP in told("outboxes")


def test_messages_and_mail(sound: Any) -> None:
    sound.LIANXIN_MESSAGE_GATEWAY = "lianxin.nowhere.Gateway"
    assert "LIANXIN_MESSAGE_GATEWAY" in bad("messages").do
    sound.LIANXIN_MESSAGE_GATEWAY = "lianxin.cases.messages.OutboxOnly"
    assert bad("messages", Level.WARN)
    sound.LIANXIN_MAIL_URL = "smtp://127.0.0.1:1"
    assert "LIANXIN_MAIL_URL" in bad("mail").do


def test_disk_and_files(sound: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for free, level in ((1e9, Level.WARN), (1e8, Level.BAD)):
        monkeypatch.setattr("shutil.disk_usage", lambda _place, free=free: type("U", (), {"free": free})())
        assert bad("disk", level)
    assert Level.OK in told("files")
    assert list(Path(sound.MEDIA_ROOT).rglob("*")) in ([], [Path(sound.MEDIA_ROOT) / "doctor"]), "it leaves nothing"
    (tmp_path / "file").write_text("")
    sound.MEDIA_ROOT = str(tmp_path / "file")
    assert bad("files")


def test_clock_calendar_and_fonts(sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = doctor._asked
    monkeypatch.setattr(doctor, "_asked", lambda said: "1" if "clock_timestamp" in said else asked(said))
    assert "时间同步" in bad("clock").do
    with clock.frozen(datetime(2099, 3, 1, tzinfo=UTC)):
        assert bad("calendar")
    monkeypatch.setenv("PATH", "/nowhere")
    assert "fonts-noto-cjk" in bad("fonts", Level.WARN).do


def test_the_city(sound: Any, world: World) -> None:
    world.staff["admin"].set_unusable_password()
    world.staff["admin"].save()
    assert "changepassword" in bad("city").do


def test_https(sound: Any) -> None:
    assert Level.OK in told("https")
    sound.LIANXIN_TRUSTED_PROXIES = 0
    assert bad("https", Level.WARN)
    sound.SECURE_PROXY_SSL_HEADER = None
    assert "LIANXIN_BEHIND_PROXY" in bad("https", Level.WARN).do
    sound.LIANXIN_HTTPS = False
    assert "LIANXIN_HTTPS" in bad("https").do
    sound.DEBUG = True
    assert len(told("https")[Level.BAD]) == 2
    sound.DEBUG = False
    sound.ALLOWED_HOSTS = ["localhost"]
    assert Level.SKIP in told("https")


def test_backups(sound: Any) -> None:
    Copy.objects.all().delete()
    copy(age=timedelta(days=3), missing=2)
    assert "lianxin-backup.timer" in bad("backups").do
    assert bad("backups", Level.WARN)
    metrics = Client(SERVER_NAME="12345.example.gov.cn").get("/metrics").content.decode()
    assert "lianxin_backup_age_seconds 2592" in metrics
    assert "lianxin_event_partitions_ahead 3.0" in metrics
    assert "lianxin_workers 1.0" in metrics


def test_what_fails_in_itself_is_a_finding(sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[doctor.Answer]:
        raise ValueError("13987654321")
        yield

    def away() -> Iterator[doctor.Answer]:
        raise OperationalError
        yield

    monkeypatch.setitem(doctor.CHECKS, "disk", broken)
    monkeypatch.setitem(doctor.CHECKS, "files", away)
    assert "13987654321" not in bad("disk").said
    assert "LIANXIN_DATABASE_URL" in bad("files").do


def test_ready_says_why_it_is_not(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (client.get("/readyz").status_code, client.get("/readyz").content) == (200, b"ok")
    monkeypatch.setattr(standing, "_migrated", False)
    monkeypatch.setattr(standing, "pending_migrations", lambda: [("cases", "0009_more")])
    assert (client.get("/readyz").status_code, client.get("/readyz").content) == (
        503, b"the database lacks migrations: run lianxin migrate")
    monkeypatch.setattr(standing, "pending_migrations", list)
    assert client.get("/readyz").status_code == 200

    def foreign() -> None:
        raise KeyringError("x")

    monkeypatch.setattr("lianxin.cases.keys.verify", foreign)
    assert b"keyring" in client.get("/readyz").content
