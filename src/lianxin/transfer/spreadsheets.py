"""Lists as a workbook, and a workbook back as rows: every fault with its sheet, row and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from lianxin.city.faults import Fault, Faults
from lianxin.kernel import sheets
from lianxin.kernel.language import listed
from lianxin.kernel.sheets import BadWorkbook, Head, Line, Sheet

from .lists import SHEETS, Cells, ListSheet, choices

ROWS = 20_000
HEAD_WITHIN = 5  # lines in which the names of the columns are looked for
_WIDTHS = {"code": 14, "name": 28, "answer": 60, "words": 60, "duties": 40, "title": 30, "questions": 40, "basis": 30, "roles": 26}


def workbook(wanted: Sequence[ListSheet] = SHEETS, *, empty: bool = False) -> bytes:
    """The lists as they stand, one sheet each, and before them a sheet that explains every column. `empty` leaves the rows out."""
    made = [_explained(wanted)]
    for one in wanted:
        heads = [Head(one.label(column), column.name, _WIDTHS.get(column.name, 16), choices(one, column.name), one.meaning(column))
                 for column in one.table.columns]
        rows = [[row.get(column.name, "") for column in one.table.columns] for row in ([] if empty else one.rows())]
        made.append(Sheet(str(one.title), heads, rows, guarded=True))
    return sheets.written(made)


def _explained(wanted: Sequence[ListSheet]) -> Sheet:
    rows: list[list[str]] = []
    for one in wanted:
        for column in one.table.columns:
            offered = "" if column.name in ("category", "unit", "area") else "、".join(choices(one, column.name))
            if column.name == "roles":
                from lianxin.organisations.models import Role

                offered = "、".join(f"{role.value}（{role.label}）" for role in Role)
            rows.append([str(one.title), one.label(column), column.name, _("必填") if column.needed else "", one.meaning(column), offered])
    return Sheet(_("说明"), [Head(_("工作表"), width=14), Head(_("列")), Head(_("程序里的名字"), width=18), Head(_("必填"), width=8),
                           Head(_("填什么"), width=60), Head(_("可填的值"), width=60)], rows)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a row of a list stands: its sheet, its line, and the column letters by column."""

    sheet: str
    line: int
    letters: dict[str, str]


@dataclass(slots=True)
class Uploaded:
    """What a workbook says, list by list, as text. `lines` has for each list the line of each row, and where its columns are."""

    rows: dict[str, list[Cells]] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    letters: dict[str, dict[str, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


class BadSheets(BadWorkbook):
    """Cells that cannot be taken; nothing was changed. `faults` are whole sentences."""

    default_code = "bad_sheets"

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(_("表格里有 %d 处要更正，什么都没有改动。") % len(faults))


def read(file: BinaryIO) -> Uploaded:
    """Read every sheet that is one of the lists. Raises BadWorkbook for a file that cannot be taken, BadSheets for its cells."""
    found = Uploaded()
    faults: list[str] = []
    with sheets.opened(file) as book:
        for page in book.worksheets:
            if page.sheet_state == "visible" and (one := _which(page.title)) is not None:
                _take(one, page, found, faults)
    if faults:
        raise BadSheets(faults)
    if not found.rows:
        raise BadWorkbook(_("里面没有认得的工作表。请先下载现在的表格，在上面改。"))
    return found


def _which(title: str) -> ListSheet | None:
    """A sheet by its name in any of our languages, or by the key."""
    from django.utils.translation import override

    for one in SHEETS:
        names = {one.key}
        for language in ("zh-hans", "zh-hant", "en"):
            with override(language):
                names.add(str(one.title))
        if title.strip() in names:
            return one
    return None


def _take(one: ListSheet, page: Any, found: Uploaded, faults: list[str]) -> None:
    names = [column.name for column in one.table.columns]
    where: dict[str, int] = {}
    rows: list[Cells] = []
    numbers: list[int] = []
    for line in sheets.lines(page, rows=ROWS):
        if not where:
            where = _head(line, names)
            if not where and line.number >= HEAD_WITHIN:
                break
            continue
        cells = {name: line.cells[at] for name, at in where.items() if at < len(line.cells)}
        if not any(cell.text or cell.fault for cell in cells.values()):
            continue
        faults += [_at(page.title, line.number, sheets.letters(where[name] + 1), cell.fault) for name, cell in cells.items() if cell.fault]
        rows.append({name: cell.text for name, cell in cells.items()})
        numbers.append(line.number)
    missing = [column for column in one.table.columns if column.name not in where and not column.later]
    if missing:
        faults.append(_("“%(sheet)s”：表头不全或被改过，缺少 %(columns)s。请用下载的表格，不要改第 2 行。") % {
            "sheet": page.title, "columns": listed([column.name for column in missing])})
        return
    found.rows[one.key], found.lines[one.key], found.titles[one.key] = rows, numbers, page.title
    found.letters[one.key] = {name: sheets.letters(at + 1) for name, at in where.items()}


def _head(line: Line, names: list[str]) -> dict[str, int]:
    """The places of our columns in a line that names them; empty for a line that does not."""
    said = [cell.text for cell in line.cells]
    return {name: said.index(name) for name in names if name in said} if sum(name in said for name in names) * 2 > len(names) else {}


def _at(sheet: str, line: int, letters: str, words: str) -> str:
    return _("“%(sheet)s”第 %(line)d 行 %(column)s 列：%(fault)s") % {"sheet": sheet, "line": line, "column": letters, "fault": words}


_NAMED = re.compile(r"^([a-z_]+)(?:[:：]| )\s*")


def said(fault: Fault, found: Uploaded) -> str:
    """A fault of the loader as a sentence about the workbook. Lines are those of the sheet already."""
    key = next((one.key for one in SHEETS if one.table.file == fault.file), "")
    title = found.titles.get(key, "") or str(next((one.title for one in SHEETS if one.key == key), fault.file))
    if key not in found.rows or not fault.line:
        return _("“%(sheet)s”：%(fault)s") % {"sheet": title, "fault": fault.reason}
    named = _NAMED.match(fault.reason)
    if named and named[1] in found.letters[key]:
        return _at(title, fault.line, found.letters[key][named[1]], fault.reason)
    return _("“%(sheet)s”第 %(line)d 行：%(fault)s") % {"sheet": title, "line": fault.line, "fault": fault.reason}


def sentences(faults: Faults, found: Uploaded, *, but: Iterable[str] = ()) -> list[str]:
    """Every fault but those that were there before, in the order of sheets and lines."""
    known = set(but)
    return [said(fault, found) for fault in faults.found if fault.reason not in known]
