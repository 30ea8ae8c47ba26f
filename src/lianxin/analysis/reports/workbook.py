"""A document's tables as a workbook: a sheet for each, every number that has one with its numerator and denominator as numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import override

from lianxin.kernel.sheets import Head, Sheet, streamed

from .document import Cell, Document, Table

_TITLE = 31  # characters that a sheet's name may have


def as_xlsx(document: Document) -> bytes:
    out = io.BytesIO()
    with override(document.language):
        streamed(_sheets(document), out)
    return out.getvalue()


def _sheets(document: Document) -> Iterator[Sheet]:
    yield Sheet(_("说明"), (Head(document.title, width=80),), [(document.subtitle,), (document.stand,)])
    taken: set[str] = set()
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield _sheet(block, _unlike(block.caption or section.title, taken))


def _unlike(title: str, taken: set[str]) -> str:
    """A name of a sheet that no other has: as a spreadsheet program compares them, whatever their case."""
    name, number = title[:_TITLE], 2
    while name.casefold() in taken:
        tail = f" {number}"
        name, number = f"{title[:_TITLE - len(tail)]}{tail}", number + 1
    taken.add(name.casefold())
    return name


def _sheet(table: Table, title: str) -> Sheet:
    wide = [max((len(row[at].parts) for row in table.rows if at < len(row)), default=0) for at in range(len(table.head))]
    heads: list[Head] = []
    for at, name in enumerate(table.head):
        heads.append(Head(name or table.caption, width=24 if at == 0 else 16))
        if wide[at] > 1:
            heads += [Head(_("%s：分子") % name, width=12), Head(_("%s：分母") % name, width=12)]
    return Sheet(title, heads, [_row(row, wide) for row in table.rows])


def _row(row: Sequence[Cell], wide: list[int]) -> list[object]:
    made: list[object] = []
    for cell, parts in zip(row, wide, strict=False):
        counts = [_number(words) for words, _cases in cell.parts]
        if parts > 1:
            made += [cell.text or cell.note, *[*counts, None, None][:2]]
        elif counts and not cell.text:
            made.append(counts[0])
        else:
            made.append(cell.plain)
    return made


def _number(words: str) -> object:
    """A count as a number; what is none stays as it is said."""
    plain = words.replace(",", "").replace(" ", "")
    return int(plain) if plain.isascii() and plain.isdigit() else words
