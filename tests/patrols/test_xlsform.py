"""Reading forms: what is understood, what is refused and on which line, and that a spreadsheet says the same as its CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from lianxin.patrols.xlsform import SHEETS
from tests.patrols.made import CHOICES, HEAD, REPORTS, SETTINGS, SURVEY, form_of, read, text_of

YUEYANG = Path(__file__).parents[2] / "cities" / "yueyang" / "forms"


def test_a_form_is_taken_apart() -> None:
    form = form_of()
    questions = {one["name"]: one for one in form.definition["questions"]}
    assert (form.code, form.title, form.title_en) == ("exits", "消防通道", "Fire exits")
    assert [one["kind"] for one in form.definition["questions"]] == [
        "one", "group", "many", "photo", "number", "photo", "number", "note", "text"]
    assert [one["name"] for one in form.definition["questions"] if one.get("required")] == ["clear", "by", "photo", "missing"]
    inside = {"required": ["clear"], "properties": {"clear": {"const": "no"}}}
    assert questions["by"]["shown"] == questions["photo"]["shown"] == questions["blocked"]["shown"] == inside, "the group's condition"
    assert "shown" not in questions["missing"]
    assert questions["by"]["choices"] == [{"name": "goods", "label": "杂物", "label_en": "Goods"},
                                          {"name": "bikes", "label": "电动车", "label_en": "E-bikes"}]
    assert questions["missing"]["schema"]["allOf"][0]["type"] == "integer"
    assert questions["missing"]["constraint_message"] == "填 0 到 50 的整数"
    assert dict(form.categories) == {"010101": 20, "010102": 21}


def workbook(text: str) -> bytes:
    """The same sheets as a spreadsheet, with an empty row between, as people leave them."""
    book = Workbook()
    book.remove(book.active)
    sheet = None
    for row in csv.reader(io.StringIO(text)):
        if row[0]:
            sheet = book.create_sheet(row[0])
            sheet.append(row[1:])
            sheet.append([])
        else:
            assert sheet is not None
            sheet.append([int(cell) if cell.isdigit() and not cell.startswith("0") else cell for cell in row[1:]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_says_the_same() -> None:
    form, faults = read(name="exits.xlsx", body=workbook(text_of()))
    assert faults == []
    assert form is not None
    assert (form.definition, form.digest) == (form_of().definition, form_of().digest)


def test_a_fault_of_a_spreadsheet_names_its_row() -> None:
    survey = (SURVEY[0], "select_one nothing,other,别的？,Other?,,,,,")
    _form, faults = read(name="exits.xlsx", body=workbook(text_of(survey=survey, reports=REPORTS[:1])))
    assert [line for line, _reason in faults] == [4]


@pytest.mark.parametrize("body", [b"", b"no spreadsheet", b"PK\x03\x04 half of one"])
def test_what_is_no_spreadsheet_is_a_fault(body: bytes) -> None:
    form, faults = read(name="exits.xlsx", body=body)
    assert form is None
    assert faults


def test_what_is_no_utf8_is_a_fault() -> None:
    form, faults = read(body=b"settings,form_title\n" + "消防".encode("gbk"))
    assert form is None
    assert "UTF-8" in faults[0][1]


def one(row: str) -> str:
    """A form whose second question is `row`, on line 5."""
    return text_of(survey=(SURVEY[0], row), reports=REPORTS[:1])


# What is wrong → the line of its fault, and a word of the reason.
FAULTS = {
    "an unknown type": (one("geopoint,where,在哪里？,Where?,,,,,"), 5, "geopoint"),
    "a range": (one("range,much,多少？,How much?,,,,,"), 5, "range"),
    "no label": (one("text,more,,,,,,,"), 5, "label"),
    "a name that is none": (one("text,More,还有吗？,More?,,,,,"), 5, "name"),
    "a name twice": (one("text,clear,还有吗？,More?,,,,,"), 5, "clear"),
    "an unknown list": (one("select_one things2,by,什么？,What?,,,,,"), 5, "things2"),
    "required that is neither": (one("text,more,还有吗？,More?,,perhaps,,,"), 5, "required"),
    "a question that comes later": (one("text,more,还有吗？,More?,,,${later} = 'x',,"), 5, "later"),
    "itself in a condition": (one("text,more,还有吗？,More?,,,${more} != '',,"), 5, "more"),
    "a choice that is not offered": (one("text,more,还有吗？,More?,,,${clear} = 'maybe',,"), 5, "maybe"),
    "a choice as a number": (one("text,more,还有吗？,More?,,,${clear} > 3,,"), 5, "clear"),
    "a function": (one("integer,more,几个？,How many?,,,,. < count(${clear}),"), 5, "constraint"),
    "another question in a constraint": (one("integer,more,几个？,How many?,,,,. < ${clear},"), 5, "constraint"),
    "a bracket left open": (one("text,more,还有吗？,More?,,,(${clear} = 'no',,"), 5, "relevant"),
    "something behind the end": (one("text,more,还有吗？,More?,,,${clear} = 'no' 'x',,"), 5, "relevant"),
    "a constraint on a note": (one("note,more,看这里。,Look here.,,,,. = 'x',"), 5, "note"),
    "a group that never ends": (one("begin_group,more,还有,More,,,,,"), 5, "end_group"),
    "a group that never began": (one("end_group,,,,,,,,"), 5, "begin_group"),
    "a cell too many": (one("text,more,还有吗？,More?,,,,,,,x"), 5, "多一格"),
    "an unknown column": (text_of(head=HEAD + ",calculation"), 3, "calculation"),
    "an unknown sheet": (text_of() + "entities,list_name\n,x\n", 22, "entities"),
    "a sheet twice": (text_of() + "choices,list_name\n,x\n", 22, "choices"),
    "no survey": ("settings,form_title,form_id\n,消防通道,exits\n", 0, "survey"),
    "no settings": (text_of(settings=SETTINGS[:1]), 0, "settings"),
    "another form_id": (text_of(settings=(SETTINGS[0], "消防通道,Fire exits,other")), 2, "form_id"),
    "no title": (text_of(settings=(SETTINGS[0], ",Fire exits,exits")), 2, "form_title"),
    "only a note": (text_of(survey=("note,thanks,谢谢。,Thank you.,,,,,",), reports=REPORTS[:1]), 0, "至少"),
    "a rule without a category": (text_of(survey=SURVEY[:1], reports=(REPORTS[0], "r,${clear} = 'no',报,Report,堵了。,")), 11, "category"),
    "a rule of an unknown question": (text_of(survey=SURVEY[:1], reports=(REPORTS[0], "r,${x} = 1,报,Report,堵了。,010101")), 11, "when"),
    "a choice twice": (text_of(survey=SURVEY[:1], choices=(*CHOICES[:2], CHOICES[1]), reports=REPORTS[:1]), 7, "yes"),
    "a choice without words": (text_of(survey=SURVEY[:1], choices=(*CHOICES[:2], "yes_no,no,,No"), reports=REPORTS[:1]), 7, "label"),
    "a quote left open": (text_of() + ',"text', 22, "CSV"),
    "words before any sheet": (",a,b\n", 1, "表名"),
}


@pytest.mark.parametrize(("text", "line", "word"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_its_line_and_reason(text: str, line: int, word: str) -> None:
    form, faults = read(text)
    assert form is None
    assert [at for at, reason in faults if word in reason] == [line], faults


def test_the_standard_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this program would take and XLSForm does not is a fault too: a name that XML cannot bear is such a thing."""
    import re

    monkeypatch.setattr("lianxin.patrols.xlsform.NAME", re.compile(r"[a-z0-9_ ]+"))
    form, faults = read(one("text,9 lives,还有吗？,More?,,,,,"))
    assert form is None
    assert [(line, "XLSForm" in reason) for line, reason in faults] == [(5, True)]


def test_another_version_when_something_is_asked_otherwise() -> None:
    same = form_of(text_of(settings=(SETTINGS[0] + ",version", SETTINGS[1] + ",2026-12")))
    assert same.digest == form_of().digest, "the sheet's own version is no question"
    for changed in (text_of(survey=(SURVEY[0].replace("通畅", "畅通"), *SURVEY[1:])), text_of(survey=SURVEY[:-1]),
                    text_of(settings=(SETTINGS[0], SETTINGS[1].replace("消防通道", "消防"))),
                    text_of(reports=REPORTS[:2])):
        assert form_of(changed).digest != form_of().digest


@pytest.mark.parametrize("path", sorted(YUEYANG.iterdir()), ids=lambda path: path.name)
def test_the_forms_of_yueyang(path: Path) -> None:
    """Each reads without fault, is short, asks in both languages, and has a point that can be reported."""
    from lianxin.patrols.xlsform import read_form

    faults: list[object] = []
    form = read_form(path, lambda line, reason: faults.append((line, reason)))
    assert faults == []
    assert form is not None
    assert 4 <= len(form.definition["questions"]) <= 12
    assert form.definition["rules"]
    for said in (*form.definition["questions"], *form.definition["rules"], *(
            choice for question in form.definition["questions"] for choice in question.get("choices", ()))):
        assert said["label"]
        assert said["label_en"]


def test_every_sheet_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "forms.md").read_text(encoding="utf-8")
    for sheet, columns in SHEETS.items():
        section = page.partition(f"\n### `{sheet}`\n")[2].partition("\n#")[0]
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(columns), sheet
