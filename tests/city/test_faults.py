"""Every way a city's file can be wrong: named by file, line and reason, all at once, with nothing half loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps

from lianxin.city.faults import BadCity
from lianxin.city.load import check, load
from tests.city.conftest import HILL, append, edit


@dataclass(frozen=True, slots=True)
class Spoilt:
    """One edit, and the fault it makes: file, line (0: the file as a whole), a part of the reason."""

    name: str
    edit: Callable[[Path], object]
    file: str
    line: int
    reason: str


def replaced(file: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: edit(folder / file, old, new)


def added(file: str, *lines: str) -> Callable[[Path], object]:
    return lambda folder: append(folder / file, *lines)


def gone(file: str) -> Callable[[Path], object]:
    return lambda folder: (folder / file).unlink()


def written(file: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(data)


def gbk(file: str) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes((folder / file).read_text(encoding="utf-8").encode("gb18030"))


U, C, L, K, S, T = "units.csv", "categories.csv", "catalogue.csv", "keywords.csv", "staff.csv", "time_limits.csv"
D = "calendars.yaml"
A, B, W = "areas/areas.csv", "areas/boundaries.geojsonl", "knowledge/water.yaml"
TABLE = (
    # whole files
    Spoilt("no city.yaml", gone("city.yaml"), "city.yaml", 0, "缺少这个文件"),
    Spoilt("no units", gone(U), U, 0, "缺少这个文件"),
    Spoilt("empty file", written(S, b""), S, 0, "空文件"),
    Spoilt("wrong encoding", gbk(U), U, 2, "UTF-8"),
    Spoilt("wrong encoding of areas", gbk(A), A, 1, "UTF-8"),
    Spoilt("a null byte", replaced(C, "停水,No water,0101", "停\0水,No water,0101"), C, 4, "空字符"),
    Spoilt("an open quote", added(K, '010103,村务咨询,"村务'), K, 4, "不是合格的 CSV"),
    # columns and cells
    Spoilt("missing column", replaced(U, "calendar,duties", "duties"), U, 1, "缺少列：calendar"),
    Spoilt("unknown column", replaced(S, "roles,area", "roles,area,salary"), S, 1, "不认识的列：salary"),
    Spoilt("column twice", replaced(K, "category,name,words", "category,name,words,words"), K, 1, "列写了两次：words"),
    Spoilt("too many cells", added(S, "x,X,water,clerk,,,"), S, 7, "表头有 5 格"),
    Spoilt("an empty cell that is needed", replaced(U, "water,云山市水利局,", "water,,"), U, 3, "name 不能为空"),
    Spoilt("bad code", replaced(S, "water1,水生", "水 1,水生"), S, 4, "代码只用"),
    Spoilt("too long", replaced(U, "云山县,County", "长" * 41 + ",County"), U, 4, "太长"),
    Spoilt("bad number", replaced(T, "30,60,1440", "半小时,60,1440"), T, 2, "sign_for"),
    Spoilt("number out of range", replaced(T, "240,420,6300", "240,420,999999"), T, 4, "525600"),
    Spoilt("bad date", replaced(T, "紧急,2021-01-01", "紧急,2021-02-30"), T, 2, "不是日期"),
    Spoilt("bad yes or no", replaced(C, "urgent,no,no", "urgent,maybe,no"), C, 5, "yes 或 no"),
    Spoilt("unknown kind of unit", replaced(U, "city_department", "department"), U, 3, "不在可选项内"),
    Spoilt("unknown urgency", replaced(C, "urgent,no", "burning,no"), C, 5, "不在可选项内"),
    Spoilt("unknown calendar of a limit", replaced(T, "around_the_clock", "always"), T, 2, "calendar：没有 always"),
    Spoilt("unknown calendar of a unit", replaced(U, "990201001,hall", "990201001,barn"), U, 5, "calendar：没有 barn"),
    Spoilt("bad weight", replaced(K, "没水:2", "没水:many"), K, 2, "权重"),
    # references
    Spoilt("duplicate unit", added(U, "water,又一个,,,city_department,,,,,,"), U, 6, "与第 3 行重复"),
    Spoilt("unknown parent of a unit", replaced(U, "town_government,county", "town_government,nobody"), U, 5, "没有 nobody"),
    Spoilt("units in a circle", replaced(U, "county_government,,990201", "county_government,town,990201"), U, 4, "绕成了圈"),
    Spoilt("unit in an unknown area", replaced(U, "hotline,,9902,", "hotline,,7777,"), U, 2, "没有 7777"),
    Spoilt("government without area", replaced(U, "county,990201001", "county,"), U, 5, "写明 area"),
    Spoilt("unit closed before it opened", replaced(U, "供水,,", "供水,2025-01-01,2024-01-01"), U, 3, "应晚于"),
    Spoilt("no hotline", replaced(U, ",hotline,,", ",utility,,"), U, 0, "热线中心"),
    Spoilt("duplicate category", added(C, "010101,停水,No water,0101,help,,,,,,,"), C, 7, "与第 4 行重复"),
    Spoilt("unknown parent of a category", replaced(C, "Village affairs,0101", "Village affairs,0199"), C, 6, "没有 0199"),
    Spoilt("code not under its parent", replaced(C, "0101,水电,Water and power,01", "0201,水电,Water and power,01"), C, 3, "开头"),
    Spoilt("leaf without kind", replaced(C, "0101,enquiry", "0101,"), C, 6, "写明 kind"),
    Spoilt("topic place twice", replaced(C, "urgent,no,no,,,,", "urgent,no,no,,,1,"), C, 5, "quick_topic 与第 4 行重复"),
    Spoilt("keywords for a branch", added(K, "0101,水电,水电"), K, 4, "不是末级事项"),
    Spoilt("keywords under another name", replaced(K, "水管破裂,水管", "水管,水管"), K, 3, "里叫"),
    Spoilt("limit for an unknown category", added(T, "0909,,,ordinary,working,1,1,1,,2021-01-01,"), T, 6, "没有 0909"),
    Spoilt("first contact later than reply", replaced(T, "120,240,1260", "120,2400,1260"), T, 5, "不能长于"),
    Spoilt("no limit for all", replaced(T, ",,,complex", "010101,,,complex"), T, 0, "缺少不限事项的时限：complex"),
    Spoilt("limits that overlap", added(T, ",,urgent,ordinary,working,60,60,60,,2026-01-01,"), T, 6, "与第 2 行的有效期重叠"),
    Spoilt("limit twice", added(T, ",,urgent,ordinary,working,60,60,60,,2021-01-01,"), T, 6, "与第 2 行重复"),
    # the catalogue
    Spoilt("rule for an unknown category", added(L, "0909,,,water,,,,"), L, 6, "没有 0909"),
    Spoilt("rule with an unknown lead", replaced(L, "水管破裂,,water", "水管破裂,,watter"), L, 3, "没有这些单位：watter"),
    Spoilt("rule with an unknown assisting unit", replaced(L, "water,town", "water,tawn"), L, 2, "没有这些单位：tawn"),
    Spoilt("rule in an unknown area", added(L, "010101,停水,990299,water,,,,"), L, 6, "没有 990299"),
    Spoilt("unit both leading and assisting", replaced(L, "water,town", "water,water"), L, 2, "既主办又协办"),
    Spoilt("rule twice", added(L, "010101,停水,,county,,,,"), L, 6, "与第 2 行是同一事项"),
    Spoilt("rules that overlap", added(L, "010101,停水,,county,,2026-01-01,,"), L, 6, "与第 2 行的有效期重叠"),
    Spoilt("a gap", replaced(L, "010102,水管破裂,,water,,,,供水条例\n", ""), L, 0, "事项 010102（水管破裂）在 990201 没有承办单位"),
    Spoilt("a gap: the unit is closed", replaced(U, "供水,,", "供水,,2024-01-01"), L, 0, "在 990201 没有承办单位"),
    Spoilt("a gap to come", replaced(L, "water,,,,供水条例", "water,,,2030-01-01,供水条例"), L, 0, "从 2030-01-01 起没有承办单位"),
    # people
    Spoilt("person twice", added(S, "water1,水二,water,clerk,"), S, 7, "与第 4 行重复"),
    Spoilt("unknown role", replaced(S, "水生,water,clerk", "水生,water,king"), S, 4, "“king”不在可选项内"),
    Spoilt("unknown unit of a person", replaced(S, "水生,water", "水生,fire"), S, 4, "没有 fire"),
    Spoilt("hotline role elsewhere", replaced(S, "水生,water,clerk", "水生,water,operator"), S, 4, "热线中心的岗位"),
    Spoilt("nobody in a role", replaced(S, "boss,高管,hot,administrator", "boss,高管,hot,operator"), S, 0, "没有人担任"),
    Spoilt("person in an unknown area", replaced(S, "town,clerk|grid_worker,", "town,clerk|grid_worker,12"), S, 5, "没有 12"),
    # phrases, articles, the city itself
    Spoilt("route twice", added("decline_routes.csv", "court,x,y,,"), "decline_routes.csv", 3, "与第 2 行重复"),
    Spoilt("broken yaml", replaced(W, "questions: [今天停水吗]", "questions: [今天停水吗"), "water.yaml", 6, "不是合格的 YAML"),
    Spoilt("unknown key of an article", replaced(W, "  title: 水费怎么交", "  titel: 水费怎么交"), "water.yaml", 9, "titel"),
    Spoilt("article of an unknown unit", replaced(W, "unit: water", "unit: fire"), "water.yaml", 1, "没有 fire"),
    Spoilt("article twice", replaced(W, "code: water-bill", "code: water-off"), "water.yaml", 9, "与第 1 行重复"),
    Spoilt("city without a name", replaced("city.yaml", "name: 云山市", "name:"), "city.yaml", 1, "name 不能为空"),
    Spoilt("everyday words that are no list", added("city.yaml", "everyday_words: 南湖"), "city.yaml", 1, "everyday_words"),
    Spoilt("an everyday word of one character", added("city.yaml", "everyday_words: [湖]"), "city.yaml", 1, "everyday_words"),
    Spoilt("unknown key of the city", added("city.yaml", "mayor: 某人"), "city.yaml", 1, "mayor"),
    # calendars
    Spoilt("calendars that are no mapping", written(D, b"- code: x\n"), D, 0, "键: 值"),
    Spoilt("empty calendars", written(D, b""), D, 0, "键: 值"),
    Spoilt("broken calendars", replaced(D, "day: [08:30-12:00, 14:30-17:30]", "day: [08:30-12:00"), D, 11, "不是合格的 YAML"),
    Spoilt("unknown part of calendars", added(D, "holidays: []"), D, 1, "不认识的键：holidays"),
    Spoilt("unknown key of a calendar", replaced(D, "week:", "weeks:"), D, 6, "不认识的键：weeks"),
    Spoilt("calendar without a name", replaced(D, "name: 村镇大厅", "name:"), D, 6, "name 不能为空"),
    Spoilt("calendar twice", replaced(D, "code: hall", "code: working"), D, 6, "与第 2 行重复"),
    Spoilt("code of a calendar too long", replaced(D, "code: hall", "code: " + "h" * 21), D, 6, "最多 20"),
    Spoilt("a bad code of a calendar", replaced(D, "code: hall", "code: 大厅"), D, 6, "代码只用"),
    Spoilt("unknown base", replaced(D, "    base: legal\n    day:", "    base: lunar\n    day:"), D, 6, "不在可选项内"),
    Spoilt("bad span", replaced(D, "[08:30-12:00, 14:30", "[8:30-12:00, 14:30"), D, 6, "“8:30-12:00”不是时段"),
    Spoilt("a span that ends before it starts", replaced(D, "14:30-17:30", "17:30-14:30"), D, 6, "不是时段"),
    Spoilt("spans that overlap", replaced(D, "14:30-17:30", "11:30-17:30"), D, 6, "重叠"),
    Spoilt("a span that is a number", replaced(D, "[09:00-11:00]", "[10:00]"), D, 12, "不是时段"),
    Spoilt("no spans on a working day", replaced(D, "day: [08:30-12:00, 14:30-17:30]", "day: []"), D, 6, "day 不能为空"),
    Spoilt("spans that are no list", replaced(D, "wed: [08:30-12:00]", "wed: 08:30-12:00"), D, 12, "应是一列时段"),
    Spoilt("unknown weekday", replaced(D, "wed:", "wednesday:"), D, 12, "不认识的键：wednesday"),
    Spoilt("week that is no mapping", replaced(D, "    week:\n      wed: [08:30-12:00]\n      sat: [09:00-11:00]\n", "    week: [wed]\n"),
           D, 6, "week 应是"),
    Spoilt("period without hours", replaced(D, "        day: [08:00-12:00, 15:00-18:00]\n", ""), D, 15, "day 或 week"),
    Spoilt("period that ends before it starts", replaced(D, "to: 2027-10-01", "to: 2027-06-01"), D, 6, "to 不晚于 from"),
    Spoilt("period without a start", replaced(D, "      - from: 2027-06-01\n        to", "      - to"), D, 15, "from 不能为空"),
    Spoilt("bad day of a period", replaced(D, "to: 2027-10-01", "to: October"), D, 15, "to 不是日期"),
    Spoilt("single day without a reason", replaced(D, "        reason: 赶集\n", ""), D, 19, "reason 不能为空"),
    Spoilt("single day twice", replaced(D, "published_years:", "      - {date: 2026-12-09, spans: [], reason: 又}\npublished_years:"),
           D, 6, "2026-12-09 写了两次"),
    Spoilt("round the clock with hours", replaced(D, "code: hall", "code: around_the_clock"), D, 6, "总是全天候"),
    Spoilt("working around the clock", replaced(D, "base: legal\n  - code: hall", "base: around_the_clock\n  - code: hall"),
           D, 2, "只能是 legal"),
    Spoilt("year twice", added(D, "  - {year: 2027, basis: 又, holidays: [2027-01-01, 2027-05-01, 2027-05-02, 2027-10-01/2027-10-03]}"),
           D, 27, "2027 写了两次"),
    Spoilt("no year", replaced(D, "year: 2027", "year: next"), D, 23, "year 应是年份"),
    Spoilt("year without its notice", replaced(D, "    basis: 试验用的放假安排\n", ""), D, 23, "basis 不能为空"),
    Spoilt("year that is not whole", replaced(D, ", 2027-10-01/2027-10-07", ""), D, 23, "缺法定节日：2027-10-01"),
    Spoilt("day of another year", replaced(D, "2027-01-01/2027-01-03", "2027-01-01, 2028-01-02"), D, 23, "不属于这一年：2028-01-02"),
    Spoilt("off and worked", replaced(D, "worked: [2027-01-30]", "worked: [2027-01-02]"), D, 23, "既放假又上班：2027-01-02"),
    Spoilt("worked on a weekday", replaced(D, "worked: [2027-01-30]", "worked: [2027-01-29]"), D, 23, "不是周末"),
    Spoilt("bad run of days", replaced(D, "2027-02-05/2027-02-11", "2027-02-05/2027-01-11"), D, 23, "不是日期"),
    Spoilt("holidays that are no list", replaced(D, "worked: [2027-01-30]", "worked: 2027-01-30"), D, 23, "worked 应是一列日期"),
    Spoilt("a year that the State Council set otherwise", added(
        D, "  - {year: 2026, basis: 通知, holidays: [2026-01-01, 2026-05-01/2026-05-02, 2026-10-01/2026-10-03]}"),
        D, 27, "与国务院公布的放假安排不一致：2026-01-02"),
    # areas, boundaries, sites
    Spoilt("no areas", gone(A), A, 1, "没有这个文件"),
    Spoilt("duplicate area", added(A, "990201001003,又一村,,,village,990201001,,,,1,0"), A, 12, "与第 7 行重复"),
    Spoilt("unknown parent of an area", replaced(A, "Lower Slope,village,990201001", "Lower Slope,village,99"), A, 7, "上级 99"),
    Spoilt("a village above its town", replaced(A, "town,990201,松林", "town,990201001003,松林"), A, 4, "不能放在"),
    Spoilt("two cities", added(A, "9903,别市,,,city,,,,,0,0"), A, 12, "只有一个 city"),
    Spoilt("unknown level", replaced(A, "grid,990201001003", "block,990201001003"), A, 11, "level 只能是"),
    Spoilt("half a position", replaced(A, "121.025,31.005,1,0\n990201001001001", "121.025,,1,0\n990201001001001"), A, 7, "一起填"),
    Spoilt("swapped position", replaced(A, "121.0025,31.005", "31.005,121.0025"), A, 8, "坐标超出范围"),
    Spoilt("broken line of boundaries", added(B, "{"), B, 11, "GeoJSON"),
    Spoilt("boundary of an unknown area", added(B, '{"type":"Feature","properties":{"code":"77"},"geometry":{"type":"Polygon",'
           '"coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}}'), B, 11, "代码 77"),
    Spoilt("boundary that crosses itself", added(B, '{"type":"Feature","properties":{"code":"9902"},"geometry":{"type":'
           '"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}}'), B, 11, "边界不合法"),
    Spoilt("site in an unknown area", replaced("areas/sites.csv", "990201001,121.012", "8,121.012"), "areas/sites.csv", 3, "代码 8"),
    Spoilt("site of an unknown kind", replaced("areas/sites.csv", "school,上坡完小", "castle,上坡完小"), "areas/sites.csv", 2, "kind"),
)


def told(folder: Path) -> set[tuple[str, int, str]]:
    return {(fault.file, fault.line, fault.reason) for fault in check(folder)}


@pytest.mark.parametrize("spoilt", TABLE, ids=lambda spoilt: spoilt.name)
def test_each_fault_is_named(spoilt: Spoilt, hill: Path) -> None:
    spoilt.edit(hill)
    found = told(hill)
    assert any(file == spoilt.file and line == spoilt.line and spoilt.reason in reason for file, line, reason in found), found


def test_the_city_itself_has_none() -> None:
    assert check(HILL) == []


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = check(tmp_path / "nowhere")
    assert "没有这个目录" in str(fault)


# Of each file one fault a line, so that they can stand side by side.
TOGETHER = (
    "too many cells", "bad date", "unknown kind of unit", "too long", "unknown parent of a unit",
    "unknown urgency", "leaf without kind", "bad weight", "rule for an unknown category", "bad number",
    "first contact later than reply", "limit for an unknown category", "number out of range",
    "hotline role elsewhere", "route twice", "unknown key of an article", "unknown key of the city",
    "unknown level", "half a position", "broken line of boundaries", "site of an unknown kind",
)


def spoil_much(folder: Path) -> list[Spoilt]:
    chosen = [spoilt for spoilt in TABLE if spoilt.name in TOGETHER]
    for spoilt in chosen:
        spoilt.edit(folder)
    return chosen


def test_all_faults_are_told_at_once(hill: Path) -> None:
    chosen = spoil_much(hill)
    assert len(chosen) >= 20
    found = told(hill)
    for spoilt in chosen:
        assert any(file == spoilt.file and line == spoilt.line and spoilt.reason in reason for file, line, reason in found), (
            spoilt, found)
    in_order = check(hill)
    assert in_order == sorted(in_order)


def rows() -> dict[str, list[object]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models() if model.__module__.startswith("lianxin.")
    }


@pytest.mark.django_db
def test_nothing_is_half_loaded(hill: Path) -> None:
    empty = rows()
    spoil_much(hill)
    with pytest.raises(BadCity) as caught:
        load(hill)
    assert len(caught.value.faults) >= 20
    assert rows() == empty
    load(HILL)
    before = rows()
    with pytest.raises(BadCity):
        load(hill)
    assert rows() == before


@pytest.mark.django_db
def test_a_fault_in_the_middle_of_writing_undoes_all(hill: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.city import store

    def broken(*_args: object) -> int:
        raise OSError

    monkeypatch.setattr(store, "staff", broken)
    before = rows()
    with pytest.raises(OSError):
        load(hill)
    assert rows() == before
    monkeypatch.undo()
    assert load(hill).changed, "the city is not taken for loaded"


@pytest.mark.django_db
def test_the_command_says_it_all(hill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import CommandError, call_command

    edit(hill / S, "water,clerk", "water,king")
    edit(hill / U, "供水,,", "供水,2025-01-01,2024-01-01")
    for options in ({"check": True}, {"check": False}):
        with pytest.raises(CommandError, match="处错误"):
            call_command("load", "city", str(hill), **options)
        said = capsys.readouterr().err
        assert "staff.csv 第 4 行" in said
        assert "units.csv 第 3 行" in said
