"""Exports as other Chinese systems write them: GB18030 and XLSX, with a preview that says what each column becomes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from lianxin.cases.importing import Import
from lianxin.cases.mapping import Mapping
from lianxin.cases.models import Case, Category
from lianxin.cases.previewing import FieldSeen, Preview, preview
from lianxin.cases.records import FileError, opened
from lianxin.places.models import Area
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
ORDERS = ROOT / "examples/mappings/hotline-orders.yaml"
CITY = ROOT / "examples/mappings/city-management.yaml"
HEAD = ("工单编号", "来电时间", "诉求人", "联系电话", "来电号码", "诉求标题", "诉求内容", "补充内容", "诉求类型", "诉求分类", "紧急程度",
        "所属区域", "事发地址", "承办单位", "办理时限", "办结时间", "办结意见")
ROWS = (
    ("YY20260203001", "2026-02-03 09:12:00", "李先生", "13800001101", "13800001101", "路灯不亮", "洞庭大道路灯三天不亮，晚上很黑。", "",
     "求助", "路灯照明", "一般", "岳阳楼区", "洞庭大道", "城管局", "2026-02-06 17:30:00", "2026-02-05 10:00:00", "已换灯泡。"),
    ("YY20260204002", "2026/02/04 22:40", "匿名", "", "0", "半夜施工", "金鹗中路工地半夜还在打桩。", "每天都这样。",
     "投诉", "夜间施工", "特急", "市本级", "金鹗中路", "住建局", "-", "-", ""),
    ("YY20260205003", "2026-02-05 08:00:00", "王女士", "13800001103", "", "问医保", "异地医保怎么办？", "",
     "咨询", "医疗保险", "一般", "屈原区", "", "医保局", "", "", ""),
)


def csv_of(path: Path, encoding: str) -> Path:
    path.write_bytes("".join(",".join(row) + "\r\n" for row in (HEAD, *ROWS)).encode(encoding))
    return path


def xlsx_of(path: Path, *rows: tuple[Any, ...], sheet: str = "工单") -> Path:
    book = Workbook()
    page = book.active
    page.title = sheet
    for row in (HEAD, *(rows or ROWS)):
        page.append(row)
    other = book.create_sheet("说明")
    other.append(("导出人", "热线中心"))
    book.save(path)
    return path


def seen(found: Preview, name: str) -> FieldSeen:
    return next(one for one in found.fields if one.name == name)


@pytest.fixture
def city(world: World) -> World:
    """The codes that the sample mapping names."""
    above = Category.objects.filter(level=1).first()
    assert above is not None
    for code, name in (("010216", "路灯照明"), ("010503", "夜间施工")):
        Category.objects.update_or_create(code=code, defaults={"name": name, "name_en": name, "level": 3, "is_leaf": True, "parent": above,
                                                               "kind": "help"})
    Area.objects.create(code="430602", name="岳阳楼区", level="county", parent=world.areas["9901"], lon=113.1, lat=29.3)
    return world


@pytest.mark.parametrize("form", ["gb18030", "utf-8", "utf-8-sig", "xlsx"])
def test_every_form_of_the_same_export_is_read_alike(form: str, tmp_path: Path) -> None:
    path = xlsx_of(tmp_path / "a.xlsx") if form == "xlsx" else csv_of(tmp_path / "a.csv", form)
    with opened(path, encoding="auto") as source:
        assert source.columns == HEAD
        assert source.encoding == {"gb18030": "gb18030", "xlsx": "XLSX"}.get(form, "utf-8-sig")
        assert [tuple(record.values[name] for name in HEAD) for record in source.records] == list(ROWS)


def test_the_preview_says_what_each_column_becomes_and_what_has_no_place(city: World, tmp_path: Path) -> None:
    found = preview(csv_of(tmp_path / "a.csv", "gb18030"), Mapping.read(ORDERS))
    assert (found.records, found.broken, found.encoding) == (3, 0, "gb18030")
    category = seen(found, "category")
    assert category.columns == ("诉求分类",)
    assert ("路灯照明", "010216") in category.examples
    assert dict(category.unmapped) == {"医疗保险": 1}
    assert dict(seen(found, "area").unmapped) == {"屈原区": 1}
    assert seen(found, "registered_at").examples[0] == ("2026-02-03 09:12:00", "2026-02-03T09:12:00+08:00")
    assert seen(found, "registered_at").unmapped.total() == 0
    assert seen(found, "channel").constant == "import"
    assert found.unread == [("承办单位", "城管局")]
    assert not Case.objects.exists()


def test_a_code_the_city_does_not_have_is_told(world: World, tmp_path: Path) -> None:
    found = preview(csv_of(tmp_path / "a.csv", "utf-8"), Mapping.read(ORDERS))
    assert dict(seen(found, "category").unmapped) == {"路灯照明": 1, "夜间施工": 1, "医疗保险": 1}


def test_the_export_becomes_cases_and_the_rest_says_why(city: World, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    summary = Import(xlsx_of(tmp_path / "a.xlsx"), Mapping.read(ORDERS), rejects=rejects).run()
    assert (summary.read, summary.imported, summary.closed, summary.rejected) == (3, 2, 1, 1)
    case = Case.objects.get(source_id="YY20260204002")
    assert case.words == "金鹗中路工地半夜还在打桩。\n每天都这样。"
    assert case.urgency == "urgent"
    assert "没有对应项" in rejects.read_text(encoding="utf-8-sig")
    again = Import(csv_of(tmp_path / "a.csv", "gb18030"), Mapping.read(ORDERS)).run()
    assert (again.there_before, again.imported) == (2, 0)


def test_the_city_management_mapping_takes_positions_in_their_own_system() -> None:
    row = {"案卷编号": "A1", "上报时间": "2026-03-01 08:00:00", "问题描述": "路灯不亮。", "大类名称": "公用设施", "小类名称": "路灯",
           "发生位置": "金鹗中路", "经度": "113.10", "纬度": "29.37", "案卷等级": "紧急",
           "处置截止时间": "", "结案时间": "", "处置结果": ""}
    intake = Mapping.read(CITY).intake(row, source_id="A1", source_system="x")
    assert (intake.coordinate_system, intake.lon, intake.category, intake.urgency) == ("gcj02", 113.10, "010216", "urgent")
    assert intake.title == "公用设施 · 路灯"
    other = row | {"小类名称": "别的", "经度": "0", "纬度": "0"}
    assert Mapping.read(CITY).intake(other, source_id="A1", source_system="x").category == "010202"


def test_cells_that_are_no_values_go_to_the_rejects_and_sheets_are_chosen_by_name(city: World, tmp_path: Path) -> None:
    path = xlsx_of(tmp_path / "a.xlsx", ROWS[0], (*ROWS[1][:6], "=1+1", *ROWS[1][7:]))
    rejects = tmp_path / "rejects.csv"
    summary = Import(path, Mapping.read(ORDERS), rejects=rejects, sheet="工单").run()
    assert (summary.imported, summary.rejected) == (1, 1)
    assert "是公式" in rejects.read_text(encoding="utf-8-sig")
    with pytest.raises(FileError, match="没有工作表“别的”"):
        Import(path, Mapping.read(ORDERS), sheet="别的").run()
    for body, words in ((b"x", "不是 .xlsx"), (b"", "不是 .xlsx")):
        (tmp_path / "b.xlsx").write_bytes(body)
        with pytest.raises(FileError, match=words):
            Import(tmp_path / "b.xlsx", Mapping.read(ORDERS)).run()


def test_the_command_tells_the_preview(city: World, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command("import", "cases", str(csv_of(tmp_path / "a.csv", "gb18030")), mapping=ORDERS, preview=True, stdout=out)
    told = out.getvalue()
    for words in ("gb18030", "诉求分类", "医疗保险", "没有用到的列", "承办单位"):
        assert words in told
    assert not Case.objects.exists()
    with pytest.raises(CommandError, match=r"none\.csv"):
        call_command("import", "cases", str(tmp_path / "none.csv"), preview=True)
