"""Rates of several units, counties or categories, each with the range that chance leaves open: no bars, no order of rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .svg import WIDTH, Caption, element, fitted, per_cent, picture, text, ticks, width_of

_ROW, _TOP, _BOTTOM, _NAME = 26, 10, 24, 112


@dataclass(frozen=True, slots=True)
class Interval:
    """One row. `value`, `low` and `high` are shares from 0 to 1; `said` is written at the right, such as `23/25`. Without
    a value only `said` is written: the cases are too few."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    said: str


def intervals(rows: Sequence[Interval], *, caption: Caption, whole: float | None = None, whole_name: str = "") -> str:
    """A dot with its range for each row, in the order given; a dashed line at the rate of the whole."""
    right = WIDTH - 10 - max((width_of(row.said, 10) for row in rows if row.value is not None), default=40)
    height = _TOP + _ROW * max(len(rows), 1) + _BOTTOM
    floor = height - _BOTTOM
    shown = [value for row in rows if row.value is not None for value in (row.low, row.value, row.high) if value is not None]
    shown += [whole] if whole is not None else []
    scale = [tick for tick in ticks(max(min(shown, default=0.0), 0.0), min(max(shown, default=1.0), 1.0), 4)
             if -1e-9 <= tick <= 1 + 1e-9]
    low, high = scale[0], scale[-1]

    def x(value: float) -> float:
        return _NAME + (value - low) / ((high - low) or 1) * (right - 8 - _NAME)

    parts: list[str] = []
    for tick in scale:
        parts.append(element("line", "c-grid", x1=x(tick), x2=x(tick), y1=_TOP, y2=floor))
        parts.append(text(x(tick), floor + 14, per_cent(tick), look="c-quiet", size=10, anchor="middle"))
    if whole is not None:
        parts.append(element("line", "c-centre", x1=x(whole), x2=x(whole), y1=_TOP - 4, y2=floor))
    for index, row in enumerate(rows):
        y = _TOP + _ROW * (index + 0.5)
        parts.append(text(0, y + 4, fitted(row.name, _NAME - 10, 11)))
        if row.value is None:
            parts.append(text(_NAME, y + 4, row.said, look="c-quiet", size=10))
            continue
        if row.low is not None and row.high is not None:
            parts.append(element("line", "c-range", x1=x(row.low), x2=x(row.high), y1=y, y2=y))
        parts.append(element("circle", "c-dot", cx=x(row.value), cy=y, r=4.5))
        parts.append(text(WIDTH, y + 4, row.said, look="c-quiet", size=10, anchor="end"))
    return picture(caption, height, parts)
