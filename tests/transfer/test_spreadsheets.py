"""An office's lists as workbooks: down and up again changes nothing, wrong cells are named, and nothing is ever half applied."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from lianxin.cases.catalogue.content import content_of, newest
from lianxin.cases.models import Category, TimeLimit
from lianxin.city.load import load
from lianxin.kernel import sheets
from lianxin.kernel.clock import Frozen
from lianxin.kernel.sheets import MEDIA, BadWorkbook, Head, Sheet
from lianxin.knowledge.models import Article, Version
from lianxin.organisations.actors import Actor, actor_for
from lianxin.organisations.models import AccountEntry, RoleGrant, Staff, Unit
from lianxin.transfer import applying
from lianxin.transfer.lists import BY_KEY, SHEETS
from lianxin.transfer.spreadsheets import BadSheets, Uploaded, read, workbook
from tests.city.conftest import HILL

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(monday: Frozen) -> Actor:
    """The small city, and its administrator."""
    load(HILL)
    grant = RoleGrant.objects.filter(role="administrator", unit__kind="hotline", ended_at__isnull=True).select_related("staff").first()
    assert grant is not None
    return actor_for(grant.staff)


def book(body: bytes) -> Any:
    return load_workbook(io.BytesIO(body))


def uploaded(made: Any) -> Uploaded:
    out = io.BytesIO()
    made.save(out)
    out.seek(0)
    return read(out)


def column(page: Any, name: str) -> int:
    return next(cell.column for cell in page[2] if cell.value == name)


def row_of(page: Any, name: str, value: str) -> int:
    at = column(page, name)
    return next(row for row in range(3, page.max_row + 1) if page.cell(row, at).value == value)


def test_down_and_up_again_changes_nothing(city: Actor) -> None:
    found = read(io.BytesIO(workbook()))
    assert set(found.rows) == {sheet.key for sheet in SHEETS}
    assert all(found.rows[sheet.key] for sheet in SHEETS)
    plan = applying.prepare(found, by=city)
    assert not plan.changes, plan.lists
    entries, versions, catalogue = AccountEntry.objects.count(), Version.objects.count(), newest()
    applying.apply(found, by=city, stands=plan.stands)
    assert (AccountEntry.objects.count(), Version.objects.count(), newest()) == (entries, versions, catalogue)


def test_the_sheets_guard_their_heads_and_offer_what_may_be_chosen(city: Actor) -> None:
    made = book(workbook())
    assert made.sheetnames[0] == "说明"
    assert made.sheetnames[1:-1] == [str(sheet.title) for sheet in SHEETS]
    page = made["单位"]
    assert page.protection.sheet
    assert page["A1"].protection.locked
    assert page["A2"].protection.locked
    assert not page["A3"].protection.locked
    assert not page.protection.insertRows  # allowed
    kinds = [rule for rule in page.data_validations.dataValidation if rule.type == "list"]
    hidden = made["_"]
    assert hidden.sheet_state == "hidden"
    offered = {tuple(cell.value for cell in line if cell.value) for line in hidden.iter_cols()}
    assert ("hotline", "city_department", "county_government", "county_bureau", "town_government", "utility") in offered
    assert kinds
    explained = {(row[0].value, row[2].value) for row in made["说明"].iter_rows(min_row=2)}
    assert explained == {(str(sheet.title), one.name) for sheet in SHEETS for one in sheet.table.columns}


def test_every_list_is_changed_through_the_loaders_own_rules(city: Actor) -> None:
    made = book(workbook())
    unit, leaf = made["单位"], made["事项"]
    row = row_of(unit, "kind", "city_department")
    code = unit.cell(row, column(unit, "code")).value
    unit.cell(row, column(unit, "short_name")).value = "=1+1"
    unit.cell(row, column(unit, "short_name")).data_type = "s"
    row = next(at for at in range(3, leaf.max_row + 1) if leaf.cell(at, column(leaf, "kind")).value)
    category = leaf.cell(row, column(leaf, "code")).value
    leaf.cell(row, column(leaf, "plain_name")).value = "改过的名字"
    people = made["人员"]
    line = people.max_row + 1
    for name, value in (("username", "zhao.min"), ("name", "赵敏"), ("unit", code), ("roles", "clerk|head")):
        people.cell(line, column(people, name)).value = value
    article = made["知识库"]
    article.cell(3, column(article, "answer")).value = "新的口径。"
    number = article.cell(3, column(article, "code")).value
    words = made["关键词"]
    words.cell(3, column(words, "words")).value = "新词:2 旧词"
    worded = words.cell(3, column(words, "category")).value
    found = uploaded(made)
    before = Unit.objects.get(code=code).short_name
    plan = applying.prepare(found, by=city)
    assert Unit.objects.get(code=code).short_name == before  # a plan changes nothing
    assert not Staff.objects.filter(username="zhao.min").exists()
    told = {one.key: (one.added, one.changed, one.closed) for one in plan.lists}
    assert told["staff"] == (["zhao.min"], [], [])
    assert told["units"] == ([], [code], [])
    applying.apply(found, by=city, stands=plan.stands)
    assert Unit.objects.get(code=code).short_name == "=1+1"  # a text, not a formula
    assert Category.objects.get(code=category).plain_name == "改过的名字"
    assert Category.objects.get(code=worded).keywords == {"新词": 2, "旧词": 1}
    assert Version.objects.filter(article__code=number, state="approved").get().answer == "新的口径。"
    person = Staff.objects.get(username="zhao.min")
    assert set(RoleGrant.objects.filter(staff=person, ended_at__isnull=True).values_list("role", flat=True)) == {"clerk", "head"}
    assert [entry.step for entry in AccountEntry.objects.filter(staff=person)] == ["made"]
    again = book(workbook([BY_KEY["units"]]))["单位"]
    assert again.cell(row_of(again, "code", code), column(again, "short_name")).data_type == "s"


def test_people_who_are_not_in_the_list_are_left_alone_and_changes_are_written_down(city: Actor) -> None:
    made = book(workbook([BY_KEY["staff"]]))
    people = made["人员"]
    count = RoleGrant.objects.filter(ended_at__isnull=True).count()
    row = row_of(people, "roles", "clerk")
    username = people.cell(row, column(people, "username")).value
    people.cell(row, column(people, "roles")).value = "head"
    people.delete_rows(row + 1)
    found = uploaded(made)
    plan = applying.prepare(found, by=city)
    assert [(one.key, one.change.changed, one.change.closed) for one in plan.lists] == [("staff", 1, 0)]
    applying.apply(found, by=city, stands=plan.stands)
    assert RoleGrant.objects.filter(ended_at__isnull=True).count() == count
    entry = AccountEntry.objects.get(staff__username=username, step="changed")
    assert (entry.by_id, entry.why) == (city.staff_id, "XLSX：+head -clerk")


def test_limits_in_force_are_not_rewritten_but_followed(city: Actor, monday: Frozen) -> None:
    made = book(workbook([BY_KEY["time_limits"]]))
    page = made["办理时限"]
    page.cell(3, column(page, "resolve")).value = 99_999
    with pytest.raises(BadSheets) as refused:
        applying.prepare(uploaded(made), by=city)
    assert any("第 3 行" in fault and "已经生效" in fault for fault in refused.value.faults)
    made = book(workbook([BY_KEY["time_limits"]]))
    page = made["办理时限"]
    start = date(2026, 12, 1)
    last = page.max_row + 1
    for cell in page[3]:
        page.cell(last, cell.column).value = cell.value
    page.cell(3, column(page, "valid_to")).value = start
    page.cell(last, column(page, "valid_from")).value = start
    page.cell(last, column(page, "valid_to")).value = None
    found, count = uploaded(made), TimeLimit.objects.count()
    applying.apply(found, by=city, stands=applying.prepare(found, by=city).stands)
    assert TimeLimit.objects.count() == count + 1


@pytest.mark.parametrize(("sheet", "name", "value", "words"), [
    ("单位", "kind", "palace", "不在可选项内"), ("单位", "parent", "nowhere", "没有 nowhere"), ("单位", "code", "a b", "代码只用"),
    ("单位", "name", None, "name 不能为空"), ("单位", "active_from", "昨天", "不是日期"), ("单位", "name", "=A1", "是公式"),
    ("派单目录", "lead", "nobody", "没有这些单位"), ("人员", "roles", "king", "不在可选项内"), ("人员", "unit", "nowhere", "没有 nowhere"),
    ("办理时限", "resolve", "soon", "整数分钟"), ("事项", "quick_topic", "x", "序号"), ("关键词", "category", "nope", "没有 nope"),
    ("知识库", "valid_from", None, "不能为空"), ("知识库", "public", "maybe", "yes 或 no"),
])
def test_a_wrong_cell_is_named_by_sheet_row_and_column(city: Actor, sheet: str, name: str, value: object, words: str) -> None:
    made = book(workbook())
    page = made[sheet]
    cell = page.cell(4, column(page, name))
    cell.value = value
    with pytest.raises(BadSheets) as refused:
        applying.prepare(uploaded(made), by=city)
    told = [fault for fault in refused.value.faults if words in fault]
    assert told, refused.value.faults
    assert any(f"“{sheet}”第 4 行" in fault for fault in told)


def test_heads_that_were_changed_and_books_of_something_else(city: Actor) -> None:
    made = book(workbook())
    made["单位"]["A2"].value = "kode"
    with pytest.raises(BadSheets, match="1 处") as refused:
        uploaded(made)
    assert "缺少 code" in refused.value.faults[0]
    other = Workbook()
    with pytest.raises(BadWorkbook, match="没有认得的工作表"):
        uploaded(other)


def test_what_was_changed_meanwhile_is_not_overwritten(city: Actor) -> None:
    made = book(workbook([BY_KEY["units"]]))
    page = made["单位"]
    page.cell(3, column(page, "duties")).value = "新的职责"
    found = uploaded(made)
    plan = applying.prepare(found, by=city)
    Unit.objects.filter(code=page.cell(4, 1).value).update(short_name="别人改的")
    from lianxin.kernel.errors import Conflict

    with pytest.raises(Conflict, match="有人改了"):
        applying.apply(found, by=city, stands=plan.stands)
    assert not Unit.objects.filter(duties="新的职责").exists()


def test_a_fault_in_the_last_list_takes_everything_back(city: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    made = book(workbook())
    made["单位"].cell(3, column(made["单位"], "duties")).value = "新的职责"
    people = made["人员"]
    last = people.max_row + 1
    for name, value in (("username", "x"), ("name", "一字"), ("unit", people.cell(3, column(people, "unit")).value), ("roles", "clerk")):
        people.cell(last, column(people, name)).value = value  # a username of one letter: the accounts refuse it
    found = uploaded(made)
    with pytest.raises(BadSheets) as refused:
        applying.prepare(found, by=city)
    assert f"第 {last} 行" in refused.value.faults[0]
    with pytest.raises(BadSheets):
        applying.apply(found, by=city, stands="")
    assert not Unit.objects.filter(duties="新的职责").exists()


# --- files that mean harm --------------------------------------------------------------------------------------------

def packed(parts: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in parts.items():
            made.writestr(name, body)
    out.seek(0)
    return out


def parts_of(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as made:
        return {name: made.read(name) for name in made.namelist()}


def test_bombs_and_broken_books_are_refused_before_they_are_opened() -> None:
    plain = parts_of(sheets.written([Sheet("单位", [Head("a", "code")], [["x"]])]))
    lol = (b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>')
    external = b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet/>'
    name = "xl/worksheets/sheet1.xml"
    for body, words in (
        (io.BytesIO(b"not a book"), "不是 .xlsx"), (io.BytesIO(b""), "不是 .xlsx"), (io.BytesIO(b"PK\x03\x04 broken"), "打不开"),
        (packed({"a.txt": b"x"}), "不是普通的"), (packed({**plain, name: lol}), "实体"), (packed({**plain, name: external}), "实体"),
        (packed({**plain, name: "\ufeff<worksheet/>".encode("utf-16")}), "实体"),
        (packed({**plain, "xl/vbaProject.bin": b"x"}), "带宏"),
        (packed({**plain, "xl/media/zero": b"\0" * (120 * 1024 * 1024)}), "展开后太大"),
        (packed({**plain, **{f"xl/{number}.xml": b"" for number in range(600)}}), "展开后太大"),
        (packed({**plain, name: b"<worksheet><sheetData><row r='1'>"}), "读不出来|打不开|没有认得"),
        (packed({**plain, "xl/workbook.xml": b"<workbook/>"}), "打不开|没有认得"),
        (packed({key: part for key, part in plain.items() if key != "xl/workbook.xml"}), "打不开"),
    ):
        with pytest.raises(BadWorkbook, match=words):
            read(body)


def test_a_sheet_that_claims_to_be_huge_is_read_as_it_is() -> None:
    plain = parts_of(sheets.written([Sheet("单位", [Head("a", "code")], [["x"]])]))
    name = next(key for key in plain if key.startswith("xl/worksheets/sheet"))
    huge = plain[name].replace(b'ref="A1:A3"', b'ref="A1:XFD1048576"')
    assert huge != plain[name]
    with sheets.opened(packed({**plain, name: huge})) as opened:
        assert [line.cells[0].text for line in sheets.lines(opened.worksheets[0])] == ["a", "code", "x"]
    far = plain[name].replace(b'r="A3"', b'r="A20000"').replace(b'<row r="3"', b'<row r="20000"')
    with sheets.opened(packed({**plain, name: far})) as opened, pytest.raises(BadWorkbook, match="行太多"):
        list(sheets.lines(opened.worksheets[0], rows=1000))


# --- the page --------------------------------------------------------------------------------------------------------

def test_the_page_shows_a_plan_and_applies_just_that(city: Actor) -> None:
    client = Client()
    client.force_login(Staff.objects.get(pk=city.staff_id))
    address = reverse("desk:spreadsheets")
    assert "全部清单" in client.get(address).content.decode()
    down = client.get(reverse("desk:spreadsheet_file"), {"list": "units"})
    assert down["Content-Type"] == MEDIA
    made = book(down.content)
    assert made.sheetnames[:2] == ["说明", "单位"]
    made["单位"].cell(3, column(made["单位"], "duties")).value = "新的职责"
    out = io.BytesIO()
    made.save(out)
    shown = client.post(address, {"file": SimpleUploadedFile("单位.xlsx", out.getvalue())})
    assert shown.status_code == 200
    assert "会改动什么" in shown.content.decode()
    assert not Unit.objects.filter(duties="新的职责").exists()
    packed_plan = shown.context["packed"]
    other = Client()
    second = Staff.objects.create(username="second", name="第二人", unit=Unit.objects.get(kind="hotline", parent=None))
    RoleGrant.objects.create(staff=second, role="administrator", unit=second.unit)
    other.force_login(second)
    assert other.post(reverse("desk:apply_spreadsheet"), {"packed": packed_plan}).status_code == 403
    assert client.post(reverse("desk:apply_spreadsheet"), {"packed": packed_plan + "x"}).status_code == 409
    RoleGrant.objects.filter(staff=second).delete()
    shown = client.post(address, {"file": SimpleUploadedFile("单位.xlsx", out.getvalue())})
    done = client.post(reverse("desk:apply_spreadsheet"), {"packed": shown.context["packed"]}, follow=True)
    assert "改动 1" in done.content.decode()
    assert Unit.objects.filter(duties="新的职责").count() == 1

    for body, words in ((b"x", "不是 .xlsx"), (out.getvalue(), "没有要改的")):
        answer = client.post(address, {"file": SimpleUploadedFile("a.xlsx", body)})
        assert words in answer.content.decode()
    assert client.post(address).status_code == 422


def test_only_the_hotlines_administrators(city: Actor) -> None:
    unit = Unit.objects.filter(kind="city_department").first()
    assert unit is not None
    person = Staff.objects.create(username="local", name="某人", unit=unit)
    RoleGrant.objects.create(staff=person, role="administrator", unit=unit)
    client = Client()
    client.force_login(person)
    for name in ("spreadsheets", "spreadsheet_file"):
        assert client.get(reverse(f"desk:{name}")).status_code == 403
    assert client.post(reverse("desk:apply_spreadsheet")).status_code == 403


def test_the_catalogue_written_out_is_the_catalogue(city: Actor, tmp_path: Path) -> None:
    version = newest()
    assert version is not None
    made = book(workbook([BY_KEY["catalogue"]]))
    page = made["派单目录"]
    assert page.max_row - 2 <= len(content_of(version))
    assert Article.objects.exists()
