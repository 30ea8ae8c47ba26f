"""Importing cases at the desk: who may, how columns are matched, what is tried and what is written, and what is forgotten."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook
from procrastinate.contrib.django.models import ProcrastinateJob

from lianxin.cases.importing import Import
from lianxin.cases.mapping import Mapping
from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.transfer import casefiles
from lianxin.transfer.guessing import guessed, values_for
from lianxin.transfer.models import CaseImport, ImportState
from tests.world import World

pytestmark = pytest.mark.django_db

HEAD = "工单编号,来电时间,诉求人,联系电话,诉求内容,诉求类型,诉求分类,所属区域,办结时间,备注"
ROWS = (
    "YY1,2026-02-03 09:12:00,欧阳试验人,13987654321,洞庭大道路灯三天不亮。,求助,路灯,东区,2026-02-05 10:00:00,x",
    "YY2,2026/02/04 22:40,,,金鹗中路工地半夜还在打桩。,投诉,夜里吵,西县,,",
    "YY3,昨天,,,没有日子的。,咨询,路灯,东区,,",
)


def upload(world: World, *rows: str, name: str = "旧系统.csv", encoding: str = "gb18030", by: str = "admin", **more: Any) -> CaseImport:
    body = "\r\n".join((HEAD, *(rows or ROWS))).encode(encoding)
    return casefiles.store(world.actor(by), file=io.BytesIO(body), name=name, size=len(body), system="旧 12345", **more)


def ran(world: World, one: CaseImport, *, dry: bool) -> CaseImport:
    casefiles.start(world.actor("admin"), one.pk, dry=dry)
    casefiles.run(one.pk, language="zh-hans")
    one.refresh_from_db()
    return one


def client_of(world: World, username: str = "admin") -> Client:
    client = Client()
    client.force_login(world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_columns_and_words_are_guessed(world: World) -> None:
    one = upload(world)
    fields = one.mapping["fields"]
    assert {name: fields[name] for name in ("source_id", "words", "category", "phone")} == {
        "source_id": "工单编号", "words": "诉求内容", "category": "诉求分类", "phone": "联系电话"}
    assert fields["registered_at"]["columns"] == ["来电时间"]
    assert Mapping.of(one.mapping).source_system == "旧 12345"
    look = casefiles.Look(one)
    assert look.columns == HEAD.split(",")
    assert look.rows[0][4] == "洞庭大道路灯三天不亮。"
    assert look.seen is not None
    seen = {field.name: field for field in look.seen.fields}
    assert values_for(seen["category"]) == {"路灯": "010101", "夜里吵": ""}
    assert values_for(seen["kind"]) == {"求助": "help", "投诉": "complaint", "咨询": "enquiry"}
    assert values_for(seen["area"])["东区"] == "990101"
    assert dict(look.seen.unread)["备注"] == "x"
    assert guessed(["说了什么"], system="x")["fields"] == {}
    assert guessed([], system="x")["fields"]["words"] == "words"


def test_from_the_upload_to_the_rejects_at_the_desk(world: World, monday: Frozen) -> None:
    client = client_of(world)
    body = "\r\n".join((HEAD, *ROWS)).encode("gb18030")
    made = client.post(reverse("desk:imports"), {"file": SimpleUploadedFile("旧系统.csv", body), "system": "旧 12345"})
    one = CaseImport.objects.get()
    page = reverse("desk:import_one", args=[one.pk])
    assert made.headers["Location"] == page
    told = client.get(page).content.decode()
    assert "夜里吵=\n" in told.replace("\r", "") or "夜里吵=<" in told
    assert "导入</button>" not in told  # not before it was tried
    assert client.post(reverse("desk:import_step", args=[one.pk, "run"])).status_code == 409
    form = {f"column-{name}": spec if isinstance(spec, str) else spec["columns"][0] for name, spec in one.mapping["fields"].items()}
    form |= {"values-category": "路灯=010101\n夜里吵=010102", "values-kind": "求助=help\n投诉=complaint\n咨询=enquiry",
             "values-area": "东区=990101\n西县=990102", "accept": "1", "encoding": "auto"}
    assert client.post(reverse("desk:import_step", args=[one.pk, "map"]), {**form, "values-kind": "求助"}).status_code == 422
    assert client.post(reverse("desk:import_step", args=[one.pk, "map"]), form).status_code == 302
    assert client.post(reverse("desk:import_step", args=[one.pk, "try"])).status_code == 302
    [job] = ProcrastinateJob.objects.filter(task_name="transfer.run_import")
    assert "name=\"system\"" not in client.get(page).content.decode()
    assert client.get(reverse("desk:import_state", args=[one.pk])).status_code == 200
    assert client.post(reverse("desk:import_step", args=[one.pk, "map"]), form).status_code == 409  # while it runs
    casefiles.run(uuid.UUID(job.args["pk"]), language=job.args["language"])
    one.refresh_from_db()
    assert (one.state, one.counts["imported"], one.counts["rejected"], Case.objects.count()) == (ImportState.CHECKED, 2, 1, 0)
    assert client.get(reverse("desk:import_state", args=[one.pk])).headers["HX-Refresh"] == "true"
    assert "什么都没有写入" in client.get(page).content.decode()
    rejects = client.get(reverse("desk:import_rejects", args=[one.pk]))
    [row] = csv.DictReader(io.StringIO(b"".join(rejects.streaming_content).decode("utf-8-sig")))  # type: ignore[attr-defined]
    assert (row["line"], row["工单编号"]) == ("4", "YY3")
    assert "昨天" in row["reason"]
    assert client.post(reverse("desk:import_step", args=[one.pk, "run"])).status_code == 302
    casefiles.run(one.pk, language="zh-hans")
    closed, still = Case.objects.order_by("registered_at")
    assert (closed.state, closed.source_id, still.source_id, str(still.category and still.category.code)) == (
        State.CLOSED, "YY1", "YY2", "010102")
    again = ran(world, one, dry=False)
    assert (again.counts["imported"], again.counts["there_before"], Case.objects.count()) == (0, 2, 2)
    mapping = client.get(reverse("desk:import_mapping", args=[one.pk])).content.decode()
    assert "夜里吵" in mapping
    assert client_of(world, "supervisor").get(page).status_code == 403


def test_a_job_that_was_cut_off_goes_on(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"YY{number},2026-02-03 09:12:00,,,{number} 号楼的路灯坏了。,求助,,,," for number in range(6)]
    one = upload(world, *rows)
    fields = {name: one.mapping["fields"][name] for name in ("source_id", "words", "registered_at")}
    casefiles.remap(world.actor("admin"), one.pk, {**one.mapping, "fields": fields})
    assert ran(world, one, dry=True).counts["imported"] == 6
    casefiles.start(world.actor("admin"), one.pk, dry=False)
    with pytest.raises(Conflict):
        casefiles.start(world.actor("admin"), one.pk, dry=False)
    beats = iter(range(1))

    def beat(*_: Any) -> None:
        if next(beats, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Import.__init__, "__kwdefaults__", {**(Import.__init__.__kwdefaults__ or {}), "batch": 2})
        patched.setattr(casefiles, "_beat", beat)
        with pytest.raises(KeyboardInterrupt):
            casefiles.run(one.pk, language="zh-hans")
    one.refresh_from_db()
    assert (one.state, Case.objects.count()) == (ImportState.IMPORTING, 4)
    assert not casefiles.silent(one)
    monday.move(minutes=3)
    assert casefiles.silent(one)
    done = ran(world, one, dry=False)
    assert (done.state, Case.objects.count(), done.counts["imported"], done.counts["there_before"]) == (ImportState.DONE, 6, 2, 4)
    casefiles.start(world.actor("admin"), one.pk, dry=False)
    casefiles.stop(world.actor("admin"), one.pk)
    casefiles.run(one.pk, language="zh-hans")  # a job that nobody waits for any more does nothing
    one.refresh_from_db()
    assert (one.state, bool(one.fault), one.counts) == (ImportState.FAILED, True, {})


def test_a_stopped_job_ends_with_the_rows_it_is_writing(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    one = upload(world)
    ran(world, one, dry=True)
    casefiles.start(world.actor("admin"), one.pk, dry=False)
    real = casefiles._beat

    def beat(held: CaseImport, *rest: Any) -> None:
        casefiles.stop(world.actor("admin"), one.pk)
        real(held, *rest)

    monkeypatch.setattr(casefiles, "_beat", beat)
    casefiles.run(one.pk, language="zh-hans")
    one.refresh_from_db()
    assert (one.state, one.fault) == (ImportState.FAILED, "您停下了它。已导入的保留，可以接着做。")


@pytest.mark.parametrize(("name", "body"), [
    ("a.xls", b"x"), ("a.csv", b""), ("a.csv.gz", b"\x1f\x8bxx"), ("a.csv", b"\x1f\x8bxx"), ("a.xlsx", b"no workbook"),
    ("a.csv", b"a,a\n1,2\n"),
])
def test_what_is_no_table_is_refused_and_not_kept(world: World, name: str, body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        casefiles.store(world.actor("admin"), file=io.BytesIO(body), name=name, size=len(body), system="旧")
    assert "imports/" not in str(refused.value)
    assert not CaseImport.objects.exists()
    folders = default_storage.listdir("imports")[0] if default_storage.exists("imports") else []
    assert [name for folder in folders for name in default_storage.listdir(f"imports/{folder}")[1]] == []


def test_only_the_hotlines_administrators_import(world: World) -> None:
    for username in ("supervisor", "dispatcher", "urban", "grid"):
        with pytest.raises(NotAllowed):
            upload(world, by=username)
        assert client_of(world, username).get(reverse("desk:imports")).status_code == 403


def test_a_workbook_and_a_mapping_that_was_brought(world: World, monday: Frozen) -> None:
    book = Workbook()
    book.active.append(["号", "说了什么"])
    book.active.append(["1", "路灯坏了。"])
    out = io.BytesIO()
    book.save(out)
    mapping = {"source_system": "别的", "fields": {"source_id": "号", "words": "说了什么"}}
    one = casefiles.store(world.actor("admin"), file=io.BytesIO(out.getvalue()), name="a.xlsx", size=len(out.getvalue()), system="旧",
                          mapping=mapping)
    assert one.mapping["source_system"] == "旧"
    ran(world, one, dry=True)
    assert ran(world, one, dry=False).counts["imported"] == 1
    with pytest.raises(Invalid):
        casefiles.store(world.actor("admin"), file=io.BytesIO(b"a\n1\n"), name="a.csv", size=4, system="旧", mapping={"fields": []})
    other = casefiles.remap(world.actor("admin"), one.pk, {**one.mapping, "fields": {"words": "没有这一列"}})
    with pytest.raises(Invalid, match="没有这些列"):
        casefiles.start(world.actor("admin"), other.pk, dry=True)


def test_a_file_is_forgotten_after_its_days(world: World, monday: Frozen, django_capture_on_commit_callbacks: Any, settings: Any) -> None:
    settings.LIANXIN_IMPORT_DAYS = 3
    one = ran(world, upload(world), dry=True)
    assert default_storage.exists(casefiles.source_path(one))
    assert one.reasons
    with django_capture_on_commit_callbacks(execute=True):
        assert casefiles.forget_old(one.at + timedelta(days=2)) == 0
        assert casefiles.forget_old(one.at + timedelta(days=4)) == 1
    one.refresh_from_db()
    assert (one.name, one.mapping, one.reasons, one.counts["rejected"] > 0) == ("", {}, [], True)
    assert not default_storage.exists(casefiles.source_path(one))
    assert not default_storage.exists(casefiles.rejects_path(one))
    client = client_of(world)
    assert "文件已删除" in client.get(reverse("desk:import_one", args=[one.pk])).content.decode()
    assert client.get(reverse("desk:import_rejects", args=[one.pk])).status_code == 404
    for sql in ("SET name = 'x'", "SET reasons = '[[1, 2]]'", "SET state = 'lost'", "SET fault = 'x'", "SET state = 'failed'"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE transfer_caseimport {sql}")
