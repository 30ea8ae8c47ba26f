"""Whole numbers through a day, side by side: how many of something, how sure that is, and how many there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .svg import WIDTH, Caption, element, number, picture, text, ticks, width_of

HEIGHT = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 6, 12, 24


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch of time. `low` and `high` are the bounds of `value`; `mark` is what it is held against; `few` says that it rests on
    too little: it is drawn hollow."""

    label: str
    value: float
    low: float
    high: float
    mark: float | None = None
    few: bool = False


def columns(shown: Sequence[Column], *, caption: Caption, every: int = 1) -> str:
    """A column from nothing for each, with its bounds as a line and a short bar across at `mark`. Every `every`-th label is written,
    or fewer where there is no room."""
    scale = ticks(0, max((max(one.high, one.mark or 0, 1) for one in shown), default=1), 5)
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    step = (right - _LEFT) / max(len(shown), 1)

    def y(value: float) -> float:
        return floor - value / scale[-1] * (floor - _TOP)

    parts: list[str] = []
    for tick in scale:
        parts.append(element("line", "c-grid" if tick else "c-axis", x1=_LEFT, x2=right, y1=y(tick), y2=y(tick)))
        parts.append(text(_LEFT - 5, y(tick) + 4, number(tick), look="c-quiet", size=10, anchor="end"))
    wide = max(step * 0.72, 1)
    for index, one in enumerate(shown):
        middle = _LEFT + step * (index + 0.5)
        if one.value:
            parts.append(element("rect", "c-few" if one.few else "c-bar", x=middle - wide / 2, y=y(one.value), width=wide,
                                 height=max(floor - y(one.value), 0.5)))
        if one.high > one.low:
            parts.append(element("line", "c-centre", x1=middle, x2=middle, y1=y(one.high), y2=y(one.low)))
        if one.mark is not None:
            parts.append(element("line", "c-before", x1=middle - step / 2, x2=middle + step / 2, y1=y(one.mark), y2=y(one.mark)))
    room = max(every, -(-int(max((width_of(one.label, 10) for one in shown), default=0) + 6) // max(int(step), 1)))
    parts += [text(_LEFT + step * index, floor + 15, one.label, look="c-quiet", size=10, anchor="middle")
              for index, one in enumerate(shown) if index % room == 0 and index + 1 < len(shown)]
    return picture(caption, HEIGHT, parts)
