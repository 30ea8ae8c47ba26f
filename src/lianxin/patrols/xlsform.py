"""Reading a form: an XLSForm as a spreadsheet (.xlsx) or as CSV, and what it becomes for `engine`.

XLSForm (https://xlsform.org) is what offices already write in a spreadsheet. `pyxform` judges whether a file is one; of what
it allows this program understands a part, and refuses the rest by name: docs/reference/forms.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from django.utils.translation import gettext as _

from lianxin.kernel.language import listed

from .engine import LONGEST, MOST_PHOTOS
from .expressions import CHOSEN, MANY, NUMBERS, PHOTO, TEXTS, Asked, Schema, compile_condition

ENGLISH = "::English (en)"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
FURTHEST = 1_000_000_000
MOST_QUESTIONS, MOST_CHOICES = 80, 40
_SAID = ("label", "hint", "constraint_message")
SHEETS: Mapping[str, tuple[str, ...]] = {
    "survey": ("type", "name", "label", f"label{ENGLISH}", "hint", f"hint{ENGLISH}", "required", "relevant", "constraint",
               "constraint_message", f"constraint_message{ENGLISH}"),
    "choices": ("list_name", "name", "label", f"label{ENGLISH}"),
    "settings": ("form_title", "form_title_en", "form_id", "version"),
    # Not XLSForm's: what a failed point may become. Other programs pass over sheets they do not know.
    "reports": ("name", "when", "label", f"label{ENGLISH}", "words", "category"),
}
_PLAIN = {"text": TEXTS, "integer": NUMBERS, "decimal": NUMBERS, "image": PHOTO, "note": "note"}
_LIMITS = {"label": 200, "hint": 300, "constraint_message": 100, "words": 500}
Fault = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a sheet: `line` as the spreadsheet, or the CSV file, counts it."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass(frozen=True, slots=True)
class FormFile:
    """A form as its file says it."""

    code: str
    title: str
    title_en: str
    definition: dict[str, Any]
    categories: Mapping[str, int] = field(default_factory=dict)  # codes that its rules name, with their lines

    @property
    def digest(self) -> str:
        """SHA-256 of all that is asked, in hexadecimal: another one makes another version."""
        said = json.dumps([self.title, self.title_en, self.definition], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


def read_form(path: Path, fault: Fault) -> FormFile | None:
    """The form of one file; None and faults (line from 1, 0 the whole file; reason) when it is none."""
    told: list[int] = []

    def tell(line: int, reason: str) -> None:
        told.append(line)
        fault(line, reason)

    sheets = _xlsx(path, tell) if path.suffix == ".xlsx" else _csv(path, tell)
    _known_columns(sheets, tell)
    if told:
        return None
    found = _Form(path.stem, sheets, tell).read()
    if not told:
        _standard(sheets, tell)
    return None if told else found


def _csv(path: Path, fault: Fault) -> dict[str, list[SheetRow]]:
    """pyxform's CSV: the first cell of a line names a sheet, and that line or the next holds its columns."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        fault(0, _("不是 UTF-8 编码，请另存为 UTF-8"))
        return {}
    sheets: dict[str, list[SheetRow]] = {}
    sheet, header = "", None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            at, line = line, reader.line_num + 1
            first, rest = (cells[0].strip() if cells else ""), [cell.strip() for cell in cells[1:]]
            if first:
                sheet, header = first.lower(), None
                if sheet in sheets:
                    fault(at, _("%s 写了两次") % sheet)
                sheets[sheet] = []
            if not any(rest):
                continue
            if not sheet:
                fault(at, _("第一格应是表名：%s") % listed(SHEETS))
                break
            if header is None:
                header = rest
                sheets[sheet].append(SheetRow(at, {name: name for name in header if name}))
            elif any(cell and (place >= len(header) or not header[place]) for place, cell in enumerate(rest)):
                fault(at, _("这一行比表头多一格"))
            else:
                sheets[sheet].append(SheetRow(at, {name: cell for name, cell in zip(header, rest, strict=False) if name and cell}))
    except csv.Error as error:
        fault(reader.line_num, _("不是合格的 CSV：%s") % error)
    return sheets


def _xlsx(path: Path, fault: Fault) -> dict[str, list[SheetRow]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException
    from pyxform.xls2json_backends import xlsx_value_to_str

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, TypeError, ValueError) as error:
        fault(0, _("这个表格打不开：%s") % error)
        return {}
    sheets: dict[str, list[SheetRow]] = {}
    for name in book.sheetnames:
        rows = list(enumerate(book[name].iter_rows(max_row=1_000, max_col=30, values_only=True), start=1))
        said = [(line, ["" if cell is None else xlsx_value_to_str(cell).strip() for cell in row]) for line, row in rows]
        said = [(line, row) for line, row in said if any(row)]
        if said:
            header = said[0][1]
            sheets[name.lower()] = [SheetRow(said[0][0], {cell: cell for cell in header if cell}), *(
                SheetRow(line, {column: cell for column, cell in zip(header, row, strict=False) if column and cell})
                for line, row in said[1:])]
    book.close()
    return sheets


def _known_columns(sheets: Mapping[str, list[SheetRow]], fault: Fault) -> None:
    """Each sheet's first row holds its columns; what is not understood is a fault, for it would be lost in silence."""
    for name, rows in sheets.items():
        columns = SHEETS.get(name)
        line = rows[0].line if rows else 0
        if columns is None:
            fault(line, _("不认识的表：%(name)s（可用：%(known)s）") % {"name": name, "known": listed(SHEETS)})
            continue
        for column in rows[0].cells if rows else ():
            if column not in columns:
                fault(line, _("%(sheet)s 表里不认识的列：%(column)s") % {"sheet": name, "column": column})
    for name in ("survey", "settings"):
        if len(sheets.get(name, ())) < 2:
            fault(0, _("缺少 %s 表，或表里没有内容") % name)


def _standard(sheets: Mapping[str, list[SheetRow]], fault: Fault) -> None:
    """Whether the standard's own reader takes it."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    book: dict[str, Any] = {"sheet_names": [name for name in sheets if name != "reports"]}
    for name in book["sheet_names"]:
        book[f"{name}_header"] = [dict.fromkeys(sheets[name][0].cells)]
        book[name] = [dict(row.cells) for row in sheets[name][1:]]
    try:
        convert(xlsform=book, form_name="data")
    except PyXFormError as error:
        words = str(error)
        numbered = re.search(r"\[row : (\d+)\]", words)
        rows = sheets["survey"]
        place = int(numbered[1]) - 1 if numbered else 0
        fault(rows[place].line if 0 < place < len(rows) else 0, _("不合 XLSForm：%s") % words)


class _Form:
    """Takes one file's sheets apart; every fault is told with its line."""

    def __init__(self, stem: str, sheets: Mapping[str, list[SheetRow]], fault: Fault) -> None:
        self.stem, self.sheets, self.fault = stem, sheets, fault
        self.asked: dict[str, Asked] = {}
        self.names: set[str] = set()
        self.groups: list[tuple[int, list[Schema]]] = []
        self.categories: dict[str, int] = {}
        self.lists = self._lists()

    def _rows(self, name: str) -> list[SheetRow]:
        return self.sheets.get(name, [])[1:]

    def _said(self, row: SheetRow, *names: str) -> dict[str, str]:
        """Words and their English, where there are any."""
        found = {}
        for name in names:
            for column, key in ((name, name), (name + ENGLISH, f"{name}_en")):
                if len(row[column]) > _LIMITS[name]:
                    self.fault(row.line, _("%(key)s 太长：最多 %(limit)s 个字") % {"key": column, "limit": _LIMITS[name]})
                elif row[column]:
                    found[key] = row[column]
        return found

    def _name(self, row: SheetRow, taken: set[str]) -> str:
        name = row["name"]
        if not NAME.fullmatch(name):
            self.fault(row.line, _("name 应是小写字母开头的字母、数字和下划线，最多 40 个：%s") % (name or "—"))
        elif name in taken:
            self.fault(row.line, _("%s 写了两次") % name)
        taken.add(name)
        return name

    def _lists(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        taken: dict[str, set[str]] = {}
        for row in self._rows("choices"):
            group = row["list_name"]
            if not row["label"]:
                self.fault(row.line, _("%s 不能为空") % "label")
            name = self._name(row, taken.setdefault(group, set()))
            found.setdefault(group, []).append({"name": name, **self._said(row, "label")})
            if len(found[group]) == MOST_CHOICES + 1:
                self.fault(row.line, _("%(name)s 的选项太多：最多 %(limit)s 个") % {"name": group, "limit": MOST_CHOICES})
        return found

    def read(self) -> FormFile:
        settings = self._rows("settings")
        if len(settings) > 1:
            self.fault(settings[1].line, _("settings 表只能有一行"))
        about = settings[0]
        title, title_en = about["form_title"], about["form_title_en"]
        if not title or len(title) > 60 or len(title_en) > 120:
            self.fault(about.line, _("form_title 不能为空，最多 60 个字"))
        if about["form_id"] != self.stem or not NAME.fullmatch(self.stem):
            self.fault(about.line, _("form_id 应和文件名一样：%s") % self.stem)
        questions = [one for row in self._rows("survey") if (one := self._question(row)) is not None]
        if self.groups:
            self.fault(self.groups[-1][0], _("begin_group 没有对应的 end_group"))
        if not self.asked:
            self.fault(0, _("至少要有一个问题"))
        if len(questions) > MOST_QUESTIONS:
            self.fault(0, _("问题太多：最多 %s 个") % MOST_QUESTIONS)
        if sum(one["kind"] == PHOTO for one in questions) > MOST_PHOTOS:
            self.fault(0, _("照片太多：一张表最多 %s 张") % MOST_PHOTOS)
        rules = [self._rule(row) for row in self._rows("reports")]
        return FormFile(self.stem, title, title_en, {"questions": questions, "rules": rules}, self.categories)

    def _question(self, row: SheetRow) -> dict[str, Any] | None:
        kind, _space, group = row["type"].replace("begin group", "begin_group").replace("end group", "end_group").partition(" ")
        if kind == "end_group":
            if not self.groups:
                self.fault(row.line, _("end_group 没有对应的 begin_group"))
            else:
                self.groups.pop()
            return None
        name = self._name(row, self.names)
        shown = self._shown(row)
        question: dict[str, Any] = {"name": name, **self._said(row, *_SAID)}
        if kind == "begin_group":
            self.groups.append((row.line, shown))
            question["kind"] = "group"
        else:
            self._answer(row, kind, group.strip(), question)
        conditions = [one for _line, held in self.groups for one in held] if kind == "begin_group" else \
            [one for _line, held in self.groups for one in held] + shown
        if conditions:
            question["shown"] = conditions[0] if len(conditions) == 1 else {"allOf": conditions}
        if question["kind"] == "group" and not row["label"]:
            return None
        if not row["label"]:
            self.fault(row.line, _("%s 不能为空") % "label")
        return question

    def _shown(self, row: SheetRow) -> list[Schema]:
        try:
            return [compile_condition(row["relevant"], self.asked)] if row["relevant"] else []
        except ValueError as error:
            self.fault(row.line, f"relevant: {error}")
            return []

    def _answer(self, row: SheetRow, kind: str, group: str, question: dict[str, Any]) -> None:
        """What the answer must be, and what conditions further down may say of it."""
        name = question["name"]
        question["kind"] = {"select_one": CHOSEN, "select_multiple": MANY}.get(kind) or _PLAIN.get(kind, "")
        if not question["kind"]:
            self.fault(row.line, _("不支持的题型：%(type)s（可用：%(known)s）") % {
                "type": row["type"] or "—", "known": listed((*_PLAIN, "select_one", "select_multiple", "begin_group"))})
            return
        offered: tuple[str, ...] = ()
        if question["kind"] in (CHOSEN, MANY):
            choices = self.lists.get(group)
            if not choices:
                self.fault(row.line, _("choices 表里没有 %s 这组选项") % (group or "—"))
                return
            question["choices"] = choices
            offered = tuple(one["name"] for one in choices)
        question["required"] = self._yes(row)
        if question["kind"] == "note":
            for column in ("required", "constraint"):
                if row[column]:
                    self.fault(row.line, _("%s 不能用在 note 上") % column)
            return
        asked = Asked(question["kind"], frozenset(offered))
        question["schema"] = _schema(kind, offered)
        if row["constraint"]:
            try:
                question["schema"] = {"allOf": [question["schema"], compile_condition(row["constraint"], {}, own=asked)]}
            except ValueError as error:
                self.fault(row.line, f"constraint: {error}")
        if question["kind"] == NUMBERS:
            question["whole"] = kind == "integer"
        self.asked[name] = asked

    def _yes(self, row: SheetRow) -> bool:
        said = row["required"].lower()
        if said not in ("", "yes", "no", "true", "false"):
            self.fault(row.line, _("required 应写成 yes 或 no"))
        return said in ("yes", "true")

    def _rule(self, row: SheetRow) -> dict[str, Any]:
        """A point that failed, and the report it may become."""
        rule: dict[str, Any] = {"name": self._name(row, self.names), **self._said(row, "label", "words"), "category": row["category"]}
        for column in ("when", "label", "words", "category"):
            if not row[column]:
                self.fault(row.line, _("%s 不能为空") % column)
        try:
            rule["when"] = compile_condition(row["when"], self.asked) if row["when"] else {}
        except ValueError as error:
            self.fault(row.line, f"when: {error}")
        self.categories.setdefault(row["category"], row.line)
        return rule


def _schema(kind: str, offered: Iterable[str]) -> Schema:
    """One answer, before any constraint of its own."""
    names = list(offered)
    schemas: dict[str, Schema] = {
        "text": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "integer": {"type": "integer", "minimum": -FURTHEST, "maximum": FURTHEST},
        "decimal": {"type": "number", "minimum": -FURTHEST, "maximum": FURTHEST},
        "image": {"type": "integer", "minimum": 1, "maximum": MOST_PHOTOS},
        "select_one": {"enum": names},
        "select_multiple": {"type": "array", "items": {"enum": names}, "minItems": 1, "uniqueItems": True},
    }
    return schemas[kind]
