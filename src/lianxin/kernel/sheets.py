"""Spreadsheets (XLSX) in and out: what strangers send is bounded before it is opened, what goes out holds no formula.

A workbook is a ZIP of XML. Before openpyxl sees it, its parts are counted and measured, and any part that declares a document
type is refused: neither a bomb of ZIP nor one of XML entities gets as far as a parser.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, BinaryIO, Final

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from .errors import Invalid

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PACKED: Final = 20 * 1024 * 1024  # bytes of an upload
UNPACKED: Final = 100 * 1024 * 1024
PARTS: Final = 500
COLUMNS: Final = 256
ROWS: Final = 100_000
LAST: Final = 1_048_576  # the last row that the format knows
_BLOCK: Final = 1024 * 1024
_DECLARED: Final = (b"<!DOCTYPE", b"<!ENTITY")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
FORMULAS: Final = "=+-@\t\r"


class BadWorkbook(Invalid):
    """The file as a whole cannot be taken; the message says why."""

    default_code = "bad_workbook"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says as text, and what is wrong with it when it says nothing that can be taken."""

    text: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a sheet, counted from 1 as the spreadsheet program counts."""

    number: int
    cells: tuple[Cell, ...]

    def __bool__(self) -> bool:
        return any(cell.text or cell.fault for cell in self.cells)


def letters(column: int) -> str:
    """The letters of a column counted from 1: 28 is AB."""
    return str(get_column_letter(column))


def _measured(file: BinaryIO, *, packed: int, unpacked: int) -> None:
    """Raises BadWorkbook for what is no workbook, too large, or declares a document type."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > packed:
        raise BadWorkbook(_("文件太大：表格不超过 %d MB。") % (packed // 1024 // 1024))
    if file.read(4) != b"PK\x03\x04":
        raise BadWorkbook(_("这不是 .xlsx 表格。旧式 .xls 请在表格软件里另存为 .xlsx。"))
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as parts:
            infos = parts.infolist()
            if len(infos) > PARTS or sum(info.file_size for info in infos) > unpacked:
                raise BadWorkbook(_("这个表格展开后太大，没有打开。请删去用不着的工作表和图片，或分成几份。"))
            if "[Content_Types].xml" not in parts.namelist() or any("vbaProject" in info.filename for info in infos):
                raise BadWorkbook(_("这不是普通的 .xlsx 表格（带宏的也不收），请另存为 .xlsx。"))
            for info in infos:
                if info.filename.endswith((".xml", ".rels", ".vml")):
                    _plain(parts, info)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadWorkbook(_("这个表格打不开，可能已损坏或加了密码。")) from error
    file.seek(0)


def _plain(parts: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    with parts.open(info) as part:
        before = b""
        while block := part.read(_BLOCK):
            seen = before + block
            if any(word in seen for word in _DECLARED) or (not before and seen.startswith(_WIDE)):
                raise BadWorkbook(_("这个表格里有不该有的内容（XML 实体），没有打开。"))
            before = seen[-16:]


@contextmanager
def opened(file: BinaryIO, *, packed: int = PACKED, unpacked: int = UNPACKED) -> Iterator[Any]:
    """An openpyxl workbook to read, row by row. Raises BadWorkbook."""
    _measured(file, packed=packed, unpacked=unpacked)
    try:
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, OSError, SyntaxError) as error:
        raise BadWorkbook(_("这个表格打不开，可能已损坏或加了密码。")) from error
    try:
        yield book
    finally:
        book.close()


def lines(sheet: Any, *, columns: int = COLUMNS, rows: int | None = ROWS) -> Iterator[Line]:
    """The rows of a sheet that say anything, whatever size the sheet claims for itself. Raises BadWorkbook for more than `rows`."""
    if not hasattr(sheet, "iter_rows"):
        raise BadWorkbook(_("“%s”是图表，不是表格。") % sheet.title)
    sheet.reset_dimensions()
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):  # rows that are not there are empty ones, as wide as nothing
            line = Line(number, tuple(map(_cell, row[:columns])))
            if (line and rows is not None and number > rows) or number > LAST:
                raise BadWorkbook(_("“%(sheet)s”的行太多：最多 %(rows)d 行。") % {"sheet": sheet.title, "rows": rows or LAST})
            if line:
                yield line
    except (KeyError, ValueError, TypeError, IndexError, SyntaxError, zipfile.BadZipFile) as error:
        raise BadWorkbook(_("“%s”读不出来，表格可能已损坏。") % sheet.title) from error


def _cell(cell: Any) -> Cell:
    value = cell.value
    kind = getattr(cell, "data_type", "n")
    if kind == "f" or (isinstance(value, str) and kind != "s" and value.startswith("=")):
        return Cell(fault=_("是公式，请粘贴为数值"))
    if kind == "e":
        return Cell(fault=_("是错误值（%s）") % value)
    return Cell(said(value))


def said(value: object) -> str:
    """A cell's value as the text that a CSV file would hold: days as 2026-01-31, times with seconds, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).replace("_x000D_", "").replace("\r\n", "\n").strip()


@dataclass(frozen=True, slots=True)
class Head:
    """A column of a sheet that is written: its heading, below it what a program calls it, width in characters, and the list of
    values that may be chosen in it (the name of one of `Sheet.lists`)."""

    title: str
    name: str = ""
    width: int = 16
    choices: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its heads and its rows. `guarded` locks the heads while every other cell stays open for writing."""

    title: str
    heads: Sequence[Head]
    rows: Iterable[Sequence[object]]
    guarded: bool = False
    hidden: bool = False
    extra: int = field(default=2000)  # empty rows below that the choices hold for


_BOLD = Font(bold=True)
_PALE = Font(size=9, color="808080")
_HEAD = PatternFill("solid", fgColor="E7EFEE")
_OPEN = Protection(locked=False)


def neutral(value: object) -> object:
    """A value for a CSV file: a text that a spreadsheet program would take for a formula gets an apostrophe before it."""
    return f"'{value}" if _leads(value) else value


def _leads(value: object) -> bool:
    """Whether a spreadsheet program would take this text for a formula."""
    return isinstance(value, str) and value != "" and value[0] in FORMULAS


def written(sheets: Sequence[Sheet]) -> bytes:
    """A workbook. Every text is written as text: none is a formula, whatever it begins with."""
    book = Workbook()
    book.remove(book.active)
    options = _Options()
    for sheet in sheets:
        _write(book, sheet, options)
    options.write(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_NO_TITLE: Final = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def streamed(sheets: Iterable[Sheet], out: BinaryIO) -> None:
    """Write a workbook to a file that can be sought in, row by row: memory stays the same however many rows there are. Each sheet is
    asked for when the one before is written. Every text is written as text, as `written` does; heads have no second line."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.title.translate(_NO_TITLE)[:31])
        page.freeze_panes = "A2"
        for column, head in enumerate(sheet.heads, start=1):
            page.column_dimensions[letters(column)].width = head.width
        page.append([_headed(page, head) for head in sheet.heads])
        cells: dict[tuple[int, type, bool], Any] = {}
        last = 1
        for row in sheet.rows:
            page.append([_held(page, cells, column, value) for column, value in enumerate(row)])
            last += 1
        if sheet.heads:
            page.auto_filter.ref = f"A1:{letters(len(sheet.heads))}{last}"
    book.save(out)


def _held(page: Any, cells: dict[tuple[int, type, bool], Any], column: int, value: object) -> object:
    """A value as a row takes it. A row is written when it is appended, so that a column's cell serves the next row too: making one
    for every value takes most of the time."""
    if value is None or isinstance(value, bool | int | float):
        return value
    look = (column, type(value), _leads(value))  # a cell keeps its look: what was written refers to it
    cell = cells.get(look)
    if cell is None:
        cell = cells[look] = WriteOnlyCell(page)
    _put(cell, value)
    return cell


def _headed(page: Any, head: Head) -> Any:
    cell = WriteOnlyCell(page)
    _put(cell, head.title)
    cell.font, cell.fill, cell.alignment = _BOLD, _HEAD, Alignment(wrap_text=True, vertical="top")
    return cell


class _Options:
    """The lists of values that may be chosen, each a column of a hidden sheet."""

    TITLE = "_"

    def __init__(self) -> None:
        self._columns: dict[tuple[str, ...], int] = {}

    def range(self, choices: tuple[str, ...]) -> str:
        at = letters(self._columns.setdefault(choices, len(self._columns) + 1))
        return f"'{self.TITLE}'!${at}$1:${at}${len(choices)}"

    def write(self, book: Workbook) -> None:
        if not self._columns:
            return
        sheet = book.create_sheet(self.TITLE)
        sheet.sheet_state = "hidden"
        for choices, column in self._columns.items():
            for row, value in enumerate(choices, start=1):
                _put(sheet.cell(row, column), value)


def _put(cell: Any, value: object) -> None:
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)[:32_767]
        cell.data_type = "s"  # a text that begins with = is a text
        if _leads(value):
            cell.quotePrefix = True
    elif isinstance(value, datetime):  # a spreadsheet knows no time zones: what the clock on the wall said
        cell.value = (localtime(value) if value.tzinfo is not None else value).replace(tzinfo=None)
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif isinstance(value, date):
        cell.value, cell.number_format = value, "yyyy-mm-dd"
    elif value is None or isinstance(value, bool | int | float):
        cell.value = value
    else:
        _put(cell, str(value))


def _write(book: Workbook, sheet: Sheet, options: _Options) -> None:
    page = book.create_sheet(sheet.title)
    named = any(head.name for head in sheet.heads)
    for column, head in enumerate(sheet.heads, start=1):
        top = page.cell(1, column)
        _put(top, head.title)
        top.font, top.fill, top.alignment = _BOLD, _HEAD, Alignment(wrap_text=True, vertical="top")
        if named:
            below = page.cell(2, column)
            _put(below, head.name)
            below.font, below.fill = _PALE, _HEAD
        page.column_dimensions[letters(column)].width = head.width
        if sheet.guarded:
            page.column_dimensions[letters(column)].protection = _OPEN
    first = 3 if named else 2
    last = first - 1
    for last, row in enumerate(sheet.rows, start=first):
        for column, value in enumerate(row, start=1):
            cell = page.cell(last, column)
            _put(cell, value)
            if sheet.guarded:
                cell.protection = _OPEN
    page.freeze_panes = f"A{first}"
    if sheet.guarded:
        _guard(page)
        for column, head in enumerate(sheet.heads, start=1):
            _offer(page, head, f"{letters(column)}{first}:{letters(column)}{last + sheet.extra}", options)
    elif sheet.heads:
        page.auto_filter.ref = f"A{first - 1}:{letters(len(sheet.heads))}{max(last, first - 1)}"
    if sheet.hidden:
        page.sheet_state = "hidden"


def _guard(page: Any) -> None:
    """Heads are locked; rows may be added, deleted, sorted, and everything may be formatted. There is no password."""
    page.protection.sheet = True
    for name in ("formatCells", "formatColumns", "formatRows", "insertRows", "deleteRows", "sort", "autoFilter"):
        setattr(page.protection, name, False)


def _offer(page: Any, head: Head, where: str, options: _Options) -> None:
    if not head.choices and not head.hint:
        return
    rule = DataValidation(type="list" if head.choices else None, formula1=options.range(head.choices) if head.choices else None,
                          allow_blank=True)
    if head.choices:
        rule.showErrorMessage = True
        rule.errorTitle, rule.error = head.title[:32], _("请从下拉列表里选。")
    if head.hint:
        rule.showInputMessage = True
        rule.promptTitle, rule.prompt = head.title[:32], head.hint[:255]
    page.add_data_validation(rule)
    rule.add(where)
