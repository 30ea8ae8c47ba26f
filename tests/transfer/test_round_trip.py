"""Everything of a city, out and in again: the same bytes, the same counters, and state columns that the log still explains."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lianxin.cases.actions.identity import open_identity
from lianxin.cases.files import open_file, store
from lianxin.cases.models import Attachment, Case, Event, Reporter
from lianxin.cases.rebuild import differences
from lianxin.cases.states import State
from lianxin.kernel import crypto
from lianxin.kernel.crypto import Keyring
from lianxin.transfer import importing
from lianxin.transfer.exporting import export_city
from lianxin.transfer.importing import import_city
from lianxin.transfer.package import PackageError
from lianxin.transfer.tables import BORROWED
from tests.cases import ways
from tests.transfer.conftest import clear
from tests.transfer.everything import fill
from tests.world import RESIDENT, World

STATES = tuple(State)


def filled() -> World:
    """Cases in many states with what lies beside them, a file, a job that waits and one that failed."""
    world = World.make()
    for state in STATES:
        ways.at_state(world, state, name="李大明", phone="13800001101")
    body = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n0\n%%EOF\n"
    store(file=io.BytesIO(body), name="材料.pdf", size=len(body), by=RESIDENT)
    ways.upload(RESIDENT)  # a row whose file was never stored
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, attempts) VALUES "
                       "('messages', 'cases.announce', 'a', '{\"note\": \"=1+1, \\\\n \\\"quoted\\\"\"}', 'todo', 0), "
                       "('messages', 'cases.announce', 'b', '{}', 'failed', 3), ('messages', 'cases.announce', 'c', '{}', 'succeeded', 1)")
    return world


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def schema() -> list[tuple[str, ...]]:
    """Every index, constraint and trigger of the database, and whether it is in force."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "UNION ALL SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) || convalidated FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace "
            "UNION ALL SELECT tgrelid::regclass::text, tgname::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal "
            "ORDER BY 1, 2, 3")
        return cursor.fetchall()


def manifest_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(members(path)["manifest.json"])
    return {key: value for key, value in found.items() if key != "made_at"}


@pytest.mark.django_db(transaction=True)
def test_out_in_and_out_again_gives_the_same_bytes(tmp_path: Path, disk: Path) -> None:
    filled()
    assert fill() == {}, "tables without a row: say in everything.py what one needs"
    first, keys = tmp_path / "first.zip", tmp_path / "keys.json"
    numbers = set(Case.objects.values_list("number", flat=True))
    last = Event.objects.order_by("-id").values_list("id", flat=True).first()
    done = export_city(first, keys=keys)
    assert done.missing == ["attachments/" + "0" * 64, "reports/x.html", "models/x"]  # rows whose files were never stored
    assert oct(first.stat().st_mode & 0o777) == "0o600"
    assert oct(keys.stat().st_mode & 0o777) == "0o600"
    assert b"encryption" not in first.read_bytes()
    told = manifest_of(first)
    assert [table["table"] for table in told["tables"] if not table["rows"] and table["table"] not in BORROWED] == []
    jobs = next(table for table in told["tables"] if table["table"] == "procrastinate_jobs")
    waiting = list(csv.DictReader(io.StringIO(members(first)["tables/procrastinate_jobs.csv"].decode())))
    assert jobs["rows"] == len(waiting)
    assert {row["lock"]: row["status"] for row in waiting if row["lock"] in ("a", "b", "c")} == {"a": "todo", "b": "failed"}

    clear()
    shutil.rmtree(disk)
    came = import_city(first)
    assert came.keys_fit
    assert came.rows == done.rows
    second = tmp_path / "second.zip"
    export_city(second)
    before, after = members(first), members(second)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name] and name != "manifest.json"] == []
    assert manifest_of(first) == manifest_of(second)

    assert set(Case.objects.values_list("number", flat=True)) == numbers
    for pk in Case.objects.values_list("id", flat=True):
        assert differences(pk) == []
    assert Event.objects.order_by("-id").values_list("id", flat=True).first() == last
    assert open_file(Attachment.objects.get(name="材料.pdf")).read().startswith(b"%PDF")
    world_goes_on()


def world_goes_on() -> None:
    """The append-only log refuses as before, sealed fields open, and a new case gets a new number."""
    from django.db import IntegrityError, transaction

    from lianxin.cases.actions import Intake, register

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D' "
                       "AND tgname NOT LIKE 'procrastinate%'")
        assert cursor.fetchone()[0] == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.all().delete()
    assert "李大明" in {open_identity(reporter).name for reporter in Reporter.objects.all()}
    known = set(Case.objects.values_list("number", flat=True))
    fresh = register(intake=Intake(words="路灯坏了三天。"), by=RESIDENT).case_id
    assert Case.objects.get(pk=fresh).number not in known


@pytest.mark.django_db(transaction=True)
def test_every_way_an_import_is_refused_leaves_the_database_empty(tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled()
    whole, keys = tmp_path / "whole.zip", tmp_path / "keys.json"
    export_city(whole, keys=keys)
    with pytest.raises(PackageError, match="数据库不是空的"):
        import_city(whole)
    with pytest.raises(PackageError, match="已经存在"):
        export_city(whole)
    clear()
    shutil.rmtree(disk)
    parts = members(whole)
    told = json.loads(parts["manifest.json"])

    def spoilt(name: str, changed: dict[str, bytes | None]) -> Path:
        target = tmp_path / name
        with zipfile.ZipFile(target, "w") as out:
            for member, body in {**parts, **changed}.items():
                if body is not None:
                    out.writestr(member, body)
        return target

    def manifest(**changes: Any) -> bytes:
        return json.dumps({**told, **changes}).encode()

    cases = parts["tables/cases_case.csv"]
    stranger = tmp_path / "stranger.json"
    Keyring.fresh().write(stranger)
    bad_row = cases.replace(b"0", b"1", 1)
    for path, words in (
        (spoilt("changed.zip", {"tables/cases_case.csv": bad_row}), "与清单不符"),
        (spoilt("short.zip", {"tables/cases_case.csv": cases[:-1]}), "长度与清单不符"),
        (spoilt("lacks.zip", {"tables/cases_case.csv": None}), "缺少文件"),
        (spoilt("more.zip", {"../evil": b"x"}), "清单里没有的文件"),
        (spoilt("name.zip", {"manifest.json": manifest(packs=[{"family": "city", "file": "city/../../x", "count": 1, "bytes": 1,
                                                              "sha256": ""}])}), "不合规的文件名"),
        (spoilt("form.zip", {"manifest.json": manifest(format_version=9)}), "第 9 版"),
        (spoilt("broken.zip", {"manifest.json": b"{"}), "manifest.json"),
        (spoilt("older.zip", {"manifest.json": manifest(schema={"hash": "0", "migrations": {"cases": "0001_tables"}},
                                                        made_by={"program": "lianxin", "version": "0.0.9"})}),
         r"lianxin 0\.0\.9，库表到.*cases 0001_tables"),
        (tmp_path / "keys.json", "不是 lianxin 的城市导出"),
    ):
        with pytest.raises(PackageError, match=words):
            import_city(path)
    with pytest.raises(PackageError, match="不是这份导出的密钥文件"):
        import_city(whole, keys=stranger)

    # A row that refers to nothing, found as it is written, and in a table that gets its foreign keys back when it is full.
    everything = schema()
    people = parts["tables/cases_reporter.csv"].splitlines(keepends=True)[:-1]
    fewer = [{**table, "rows": len(people) - 1, "bytes": len(b"".join(people)), "sha256": hashlib.sha256(b"".join(people)).hexdigest()}
             if table["table"] == "cases_reporter" else table for table in told["tables"]]
    orphan = spoilt("orphan.zip", {"tables/cases_reporter.csv": b"".join(people), "manifest.json": manifest(tables=fewer)})
    for many in (importing.MANY, 1):
        monkeypatch.setattr(importing, "MANY", many)
        with pytest.raises(PackageError, match="cases_case_reporter_id"):
            import_city(orphan)
        assert not Case.objects.exists()
        assert schema() == everything

    # A fault in the middle of writing: everything goes back, files too.
    monkeypatch.setattr(importing, "_count_on", lambda *_args: (_ for _ in ()).throw(PackageError("half way")))
    with pytest.raises(PackageError, match="half way"):
        import_city(whole)
    assert not Case.objects.exists()
    assert not Reporter.objects.exists()
    assert not any(path.is_file() for path in disk.rglob("*"))


@pytest.mark.django_db(transaction=True)
def test_a_directory_with_the_city_files_and_the_keys_for_another_machine(tmp_path: Path, monkeypatch: Any, settings: Any) -> None:
    """The keyring comes along in a file of its own and takes the place of the new machine's."""
    filled()
    own = tmp_path / "city"
    (own / "knowledge").mkdir(parents=True)
    (own / "city.yaml").write_text("code: '9901'\n", encoding="utf-8")
    (own / "knowledge" / "a.yaml").write_text("[]\n", encoding="utf-8")
    target, keys = tmp_path / "out", tmp_path / "keys.json"
    call_command("export", "city", str(target), with_keys=keys, files=own, stdout=io.StringIO(), stderr=io.StringIO())
    assert (target / "tables" / "cases_event.csv").is_file()
    clear()
    everything = schema()
    elsewhere = tmp_path / "machine" / "keyring.json"
    Keyring.fresh().write(elsewhere)
    settings.LIANXIN_KEYRING = str(elsewhere)
    crypto.reload()
    monkeypatch.setattr(importing, "CHUNK", 700)  # many small COPYs: records with line ends inside are never cut
    monkeypatch.setattr(importing, "MANY", 1)  # every table with a row is filled without its indexes and foreign keys
    call_command("import", "city", str(target), keys=keys, files=tmp_path / "files-again", stdout=io.StringIO(), stderr=io.StringIO())
    assert schema() == everything
    assert Keyring.read(elsewhere) == Keyring.read(keys)
    assert len(list(elsewhere.parent.glob("keyring.json.before-*"))) == 1
    assert (tmp_path / "files-again" / "knowledge" / "a.yaml").read_text(encoding="utf-8") == "[]\n"
    crypto.reload()
    world_goes_on()
    with pytest.raises(CommandError, match="数据库不是空的"):
        call_command("import", "city", str(target), stdout=io.StringIO(), stderr=io.StringIO())
    crypto.reload()
