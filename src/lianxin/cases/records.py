"""Records out of CSV and JSONL files, gzip or plain, and of XLSX sheets, each with the number of the line it starts on."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from lianxin.kernel import sheets
from lianxin.kernel.errors import Invalid
from lianxin.kernel.language import listed
from lianxin.kernel.text import from_json

FIELD_LIMIT = 4 * 1024 * 1024  # characters in one CSV field
WORKBOOK = 200 * 1024 * 1024  # bytes of an .xlsx
_BLOCK = 1024 * 1024
_GZIP = b"\x1f\x8b"


class FileError(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `fault` is set instead of `values` when the record itself is broken."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(slots=True)
class Source:
    """An opened file: its column names (empty for JSONL), its records, and how far it has been read."""

    raw: BinaryIO
    size: int
    columns: tuple[str, ...]
    records: Iterator[Record]
    encoding: str = ""

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self.raw.tell()


@contextmanager
def opened(path: Path, *, encoding: str = "utf-8-sig", delimiter: str = ",", sheet: str = "") -> Iterator[Source]:
    """Open a `.csv` or `.jsonl` file, gzip or not, or a sheet of an `.xlsx`. The encoding `auto` is UTF-8 where all of the file is, else
    GB18030. Raises FileError."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    with raw:
        if path.name.lower().endswith(".xlsx"):
            with _workbook(path, raw, sheet) as source:
                yield source
            return
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if encoding == "auto":
            encoding = _guessed(path, raw, packed=packed)
        stream: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
        try:
            text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
        except LookupError as error:
            raise FileError(str(error)) from error
        name = path.name.lower().removesuffix(".gz")
        size = path.stat().st_size
        try:
            if name.endswith((".jsonl", ".ndjson")):
                yield Source(raw, size, (), _json_lines(text), encoding)
            elif name.endswith((".csv", ".tsv", ".txt")):
                columns, records = _csv(text, "\t" if name.endswith(".tsv") else delimiter)
                yield Source(raw, size, columns, records, encoding)
            else:
                raise FileError(_("%(path)s：只认 .csv、.jsonl（可以再加 .gz）和 .xlsx。") % {"path": path})
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(_("%(path)s：压缩文件不完整。") % {"path": path}) from error
        finally:
            text.detach()


def _guessed(path: Path, raw: BinaryIO, *, packed: bool) -> str:
    """`utf-8-sig` when every byte of the file is UTF-8, else `gb18030`. The file is read once and put back to its beginning."""
    stream: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(_("%(path)s：压缩文件不完整。") % {"path": path}) from error
    finally:
        raw.seek(0)
    return "utf-8-sig"


@contextmanager
def _workbook(path: Path, raw: BinaryIO, title: str) -> Iterator[Source]:
    """A sheet of a workbook: its first row that says anything holds the names of the columns."""
    try:
        with sheets.opened(raw, packed=WORKBOOK, unpacked=5 * WORKBOOK) as book:
            if title and title not in book.sheetnames:
                raise FileError(_("%(path)s 里没有工作表“%(sheet)s”，有的是：%(all)s。") % {
                    "path": path, "sheet": title, "all": listed(book.sheetnames)})
            found = sheets.lines(book[title] if title else book.worksheets[0], rows=None)
            head = next(found, None)
            if head is None:
                raise FileError(_("文件是空的，没有列名。"))
            names = [cell.text for cell in head.cells]
            while names and not names[-1]:
                names.pop()
            columns = _column_names(tuple(names))
            yield Source(raw, path.stat().st_size, columns, _sheet_records(found, columns), "XLSX")
    except Invalid as error:
        raise FileError(f"{path}: {error}") from error


def _sheet_records(found: Iterator[sheets.Line], columns: tuple[str, ...]) -> Iterator[Record]:
    for line in found:
        cells = line.cells[: len(columns)]
        values = {name: cell.text for name, cell in zip(columns, cells, strict=False)}
        faults = [_("“%(column)s”%(fault)s") % {"column": name, "fault": cell.fault}
                  for name, cell in zip(columns, cells, strict=False) if cell.fault]
        yield Record(line.number, {**dict.fromkeys(columns, ""), **values}, fault=listed(faults) if faults else "")


def _column_names(columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(columns)) != len(columns):
        raise FileError(_("列名有重复：%(names)s。") % {"names": ", ".join(columns)})
    return columns


def rows(path: Path, columns: Sequence[str], *, encoding: str = "utf-8-sig") -> Iterator[tuple[int, dict[str, str]]]:
    """Every record of a file that must be whole, with the line it starts on: at least these columns by name, empty where a
    JSON line lacks one. Raises Invalid, with the line, for what cannot be read."""
    try:
        with opened(path, encoding=encoding) as source:
            missing = [name for name in columns if name not in source.columns] if source.columns else []
            if missing:
                raise Invalid(_("%(file)s 缺少列：%(columns)s。") % {"file": path, "columns": listed(missing)})
            for record in source.records:
                if record.fault:
                    raise Invalid(_("%(path)s 第 %(line)d 行：%(fault)s") % {
                        "path": path, "line": record.line, "fault": record.fault})
                yield record.line, {**dict.fromkeys(columns, ""), **record.values}
    except FileError as error:
        raise Invalid(str(error)) from error
    except (OSError, UnicodeError) as error:
        raise Invalid(_("%(path)s 读不出来：%(error)s。") % {"path": path, "error": error}) from error


def _readable(value: str) -> bool:
    return not any("\udc80" <= char <= "\udcff" for char in value) if not value.isascii() else True


def _csv(text: io.TextIOWrapper, delimiter: str) -> tuple[tuple[str, ...], Iterator[Record]]:
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(text, delimiter=delimiter)
    header = next(reader, None)
    if not header:
        raise FileError(_("文件是空的，没有列名。"))
    columns = _column_names(tuple(name.strip() for name in header))
    return columns, _csv_records(reader, columns)


def _csv_records(reader: Iterator[list[str]], columns: tuple[str, ...]) -> Iterator[Record]:
    last = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            line, last = last + 1, reader.line_num  # type: ignore[attr-defined]
            yield Record(line, fault=_("这一行不是正确的 CSV：%(error)s。") % {"error": error})
            continue
        if row is None:
            return
        line, last = last + 1, reader.line_num  # type: ignore[attr-defined]
        if not row:
            continue
        if len(row) != len(columns):
            yield Record(line, dict(zip(columns, row, strict=False)), fault=_(
                "这一行有 %(found)s 列，应有 %(wanted)s 列。") % {"found": len(row), "wanted": len(columns)})
        elif not all(map(_readable, row)):
            yield Record(line, dict(zip(columns, row, strict=True)), fault=_("这一行有读不出的字符，请核对文件编码。"))
        else:
            yield Record(line, dict(zip(columns, row, strict=True)))


def _json_lines(text: io.TextIOWrapper) -> Iterator[Record]:
    for line, body in enumerate(text, 1):
        if not body.strip():
            continue
        if not _readable(body):
            yield Record(line, fault=_("这一行有读不出的字符，请核对文件编码。"))
            continue
        try:
            values = from_json(body)
        except ValueError:
            yield Record(line, {"": body.rstrip("\r\n")}, fault=_("这一行不是正确的 JSON。"))
            continue
        if not isinstance(values, dict):
            yield Record(line, {"": body.rstrip("\r\n")}, fault=_("这一行不是 JSON 对象。"))
            continue
        yield Record(line, {key: _plain(value) for key, value in values.items()})


def _plain(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
