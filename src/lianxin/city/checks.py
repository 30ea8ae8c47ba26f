"""Checks that several files of a city share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from .faults import Faults
from .tables import Row


def known(faults: Faults, row: Row, name: str, codes: Iterable[str]) -> bool:
    """Whether a cell is empty or a code that is there."""
    value = row[name]
    if value and value not in codes:
        faults.add(row.file, row.line, _("%(name)s：没有 %(value)s") % {"name": name, "value": value})
        return False
    return True


def once(rows: list[Row], key: tuple[str, ...], faults: Faults) -> list[Row]:
    """The rows whose key no earlier row has; the others are faults."""
    seen: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        value = tuple(row[name] for name in key)
        first = seen.setdefault(value, row)
        if first is not row:
            shown = " ".join(str(part) for part in value if part)
            faults.add(row.file, row.line, _("%(shown)s 与第 %(line)s 行重复") % {"shown": shown, "line": first.line})
    return list(seen.values())


def dates(faults: Faults, row: Row, start: str, end: str) -> None:
    """An end comes after its beginning."""
    if row[start] and row[end] and row[end] <= row[start]:
        faults.add(row.file, row.line, _("%(end)s 应晚于 %(start)s") % {"start": start, "end": end})


def overlaps(faults: Faults, rows: Iterable[Row], key: tuple[str, ...]) -> None:
    """Rows for the same thing may follow one another, but not hold on the same day."""
    lines: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        lines.setdefault(tuple(row[name] for name in key), []).append(row)
    for same in lines.values():
        same.sort(key=lambda row: row["valid_from"] or date.min)
        for earlier, later in pairwise(same):
            starts = later["valid_from"] or date.min
            if starts != (earlier["valid_from"] or date.min) and (earlier["valid_to"] or date.max) > starts:
                faults.add(later.file, later.line, _("与第 %s 行的有效期重叠：请给前一行写上 valid_to") % earlier.line)
