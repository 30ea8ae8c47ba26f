"""Reading a CSV file by its list of columns: types, faults with line numbers, meanings for the documentation."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from lianxin.kernel.language import listed

from .faults import Faults

Reader = Callable[[str], Any]
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]*\Z")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, what it means (for docs/reference/city-files.md), whether a cell may be empty. `later` is a
    column that came after cities had written their files: a file may lack it."""

    name: str
    meaning: str
    read: Reader
    needed: bool = False
    later: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One file of a city. An optional file may be absent."""

    file: str
    meaning: str
    columns: tuple[Column, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line, typed. Empty cells are the reader's idea of nothing: "", None, () or False."""

    file: str
    line: int
    cells: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.cells[name]


def words(limit: int) -> Reader:
    def read(cell: str) -> str:
        if len(cell) > limit:
            raise ValueError(_("太长：最多 %s 个字") % limit)
        return cell

    return read


def code(limit: int) -> Reader:
    def read(cell: str) -> str:
        if cell and (len(cell) > limit or not _CODE.match(cell)):
            raise ValueError(_("代码只用字母、数字、点、横线，最多 %s 位") % limit)
        return cell

    return read


def choice(allowed: Iterable[str]) -> Reader:
    known = tuple(allowed)

    def read(cell: str) -> str:
        if cell and cell not in known:
            raise ValueError(_("“%(cell)s”不在可选项内：%(known)s") % {"cell": cell, "known": listed(known)})
        return cell

    return read


def many(one: Reader, separator: str = "|") -> Reader:
    def read(cell: str) -> tuple[Any, ...]:
        return tuple(one(part.strip()) for part in cell.split(separator) if part.strip())

    return read


def option(cell: str) -> tuple[str, str, str]:
    """`left=左边/Left`: key, name, and the name in English or nothing."""
    key, equals, names = cell.partition("=")
    name, _slash, english = names.partition("/")
    if not equals or not name.strip() or not _CODE.match(key.strip()):
        raise ValueError(_("“%s”应写成 key=名称/English name") % cell)
    return key.strip(), name.strip(), english.strip()


def day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError:
        raise ValueError(_("“%s”不是日期，应写成 2026-01-31") % cell) from None


def yes_no(cell: str) -> bool:
    if cell not in ("", "yes", "no"):
        raise ValueError(_("“%s”应写成 yes 或 no") % cell)
    return cell == "yes"


def minutes(cell: str) -> int | None:
    """A whole number from 1 to 525,600: a year in minutes."""
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", cell) or not 1 <= int(cell) <= 525_600:
        raise ValueError(_("“%s”不是 1 到 525600 之间的整数分钟") % cell)
    return int(cell)


def minutes_from_zero(cell: str) -> int | None:
    """A whole number from 0 to 525,600; 0 is at once."""
    return 0 if cell == "0" else minutes(cell)


def days(cell: str) -> int | None:
    """A whole number from 1 to 366."""
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", cell) or not 1 <= int(cell) <= 366:
        raise ValueError(_("“%s”不是 1 到 366 之间的整数天数") % cell)
    return int(cell)


def seconds(cell: str) -> int | None:
    """A whole number from 1 to 2,678,400: a month in seconds."""
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,7}", cell) or not 1 <= int(cell) <= 2_678_400:
        raise ValueError(_("“%s”不是 1 到 2678400 之间的整数秒") % cell)
    return int(cell)


def matching(pattern: str, limit: int) -> Reader:
    """A text that fits a regular expression."""
    known = re.compile(pattern)

    def read(cell: str) -> str:
        if cell and (len(cell) > limit or not known.fullmatch(cell)):
            raise ValueError(_("“%(cell)s”的写法不对，应符合 %(pattern)s，最多 %(limit)s 位")
                             % {"cell": cell, "pattern": pattern, "limit": limit})
        return cell

    return read


def share(cell: str) -> Decimal | None:
    """`0.2`: a part of one, at most three places, with neither end."""
    if not cell:
        return None
    if not re.fullmatch(r"0?\.[0-9]{1,3}", cell) or not Decimal(cell):
        raise ValueError(_("“%s”应是 0 和 1 之间的小数，如 0.2") % cell)
    return Decimal(cell)


def position(cell: str) -> int | None:
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", cell) or int(cell) < 1:
        raise ValueError(_("“%s”不是 1 到 999 之间的序号") % cell)
    return int(cell)


def text_of(path: Path, faults: Faults, *, file: str = "") -> str | None:
    """What a file says, or nothing and a fault under the name `file`, its own when not given."""
    data = path.read_bytes()
    file = file or path.name
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(file, data[: error.start].count(b"\n") + 1, _("不是 UTF-8 编码，请另存为 UTF-8"))
        return None
    if "\0" in text:
        faults.add(file, text[: text.index("\0")].count("\n") + 1, _("含有空字符，文件可能已损坏"))
        return None
    return text


def read_table(directory: Path, table: Table, faults: Faults) -> list[Row]:
    """All rows that can be read; what cannot is in `faults`. Empty lines and lines beginning with # are skipped."""
    path = directory / table.file
    if not path.is_file():
        if not table.optional:
            faults.add(table.file, 0, _("缺少这个文件"))
        return []
    text = text_of(path, faults, file=table.file)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            at, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                if not _header_fits(table, header, at, faults):
                    return []
                continue
            if len(cells) != len(header):
                faults.add(table.file, at, _("有 %(found)s 格，表头有 %(wanted)s 格")
                           % {"found": len(cells), "wanted": len(header)})
                continue
            row = row_of(table, dict(zip(header, cells, strict=True)), at, faults)
            if row is not None:
                rows.append(row)
    except csv.Error as error:
        faults.add(table.file, reader.line_num, _("不是合格的 CSV：%s") % error)
    if header is None:
        faults.add(table.file, 0, _("是空文件：至少要有表头"))
    return rows


def _header_fits(table: Table, header: list[str], line: int, faults: Faults) -> bool:
    names = [column.name for column in table.columns]
    missing = [column.name for column in table.columns if column.name not in header and not column.later]
    unknown = [name for name in header if name not in names]
    twice = sorted({name for name in header if header.count(name) > 1})
    for found, reason in ((missing, _("缺少列：%s")), (unknown, _("不认识的列：%s")), (twice, _("列写了两次：%s"))):
        if found:
            faults.add(table.file, line, reason % listed(found))
    return not (missing or unknown or twice)


def row_of(table: Table, cells: dict[str, str], line: int, faults: Faults) -> Row | None:
    """One row by its columns' readers; None and the faults of its cells when it cannot be read."""
    values: dict[str, Any] = {}
    good = True
    for column in table.columns:
        cell = cells.get(column.name, "").strip()
        if column.needed and not cell:
            faults.add(table.file, line, _("%s 不能为空") % column.name)
            good = False
            continue
        try:
            values[column.name] = column.read(cell)
        except ValueError as error:
            faults.add(table.file, line, f"{column.name}: {error}")
            good = False
    return Row(table.file, line, values) if good else None
