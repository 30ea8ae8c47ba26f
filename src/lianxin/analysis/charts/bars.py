"""Counts side by side, with what they were before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .svg import WIDTH, Caption, element, fitted, picture, text, width_of

_ROW, _TOP, _NAME = 26, 6, 112


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a count of now, the count of the period before where it is known, and what is written at the right."""

    name: str
    count: int
    before: int | None
    said: str


def bars(rows: Sequence[Bar], *, caption: Caption) -> str:
    """A bar from nothing for each row, in the order given; a tick across it where the period before stood."""
    right = WIDTH - 10 - max((width_of(row.said, 11) for row in rows), default=40)
    most = max((max(row.count, row.before or 0) for row in rows), default=1) or 1
    parts: list[str] = []
    for index, row in enumerate(rows):
        y = _TOP + _ROW * index
        length = row.count / most * (right - _NAME)
        parts.append(text(0, y + 17, fitted(row.name, _NAME - 10, 11)))
        parts.append(element("rect", "c-bar", x=_NAME, y=y + 6, width=max(length, 0.5), height=14))
        if row.before is not None:
            at = _NAME + row.before / most * (right - _NAME)
            parts.append(element("line", "c-before", x1=at, x2=at, y1=y + 2, y2=y + 24))
        parts.append(text(WIDTH, y + 17, row.said, look="c-quiet", anchor="end"))
    return picture(caption, _TOP * 2 + _ROW * max(len(rows), 1), parts)
