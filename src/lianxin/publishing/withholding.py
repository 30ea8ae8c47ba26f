"""Which numbers of a tree of areas may be shown, so that none that is kept back can be worked out from the others.

A count of one to four is kept back. What is kept back must not follow from the sum above it and its neighbours, so at least two numbers
under one sum are kept back, and together they are never few themselves. Where a sum is kept back, nothing below it is shown: its parts
would add up to it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from .rules import K, small

T = TypeVar("T", bound=Hashable)


def few(count: int) -> bool:
    """One to four: so many people can be guessed. Nothing at all is no one."""
    return small(count) is None


def kept_back(cells: Mapping[T, int]) -> set[T]:
    """Which cells of one row, whose sum is shown, are kept back: the small ones, and as many of the next smallest as it takes."""
    hidden = {key for key, count in cells.items() if few(count)}
    if not hidden:
        return hidden
    others = sorted((count == 0, count, str(key), key) for key, count in cells.items() if key not in hidden)
    for _empty, _count, _said, key in others:
        if len(hidden) > 1 and sum(cells[one] for one in hidden) >= 2 * K:
            break
        hidden.add(key)
    return hidden


def shown(counts: Mapping[int, int], parents: Mapping[int, int | None]) -> set[int]:
    """The areas of a tree whose counts are shown. `counts` hold what lies in an area with all below it; what is in none of an area's
    parts is a part of its own, which nobody may work out either."""
    below: dict[int | None, list[int]] = {}
    for area, parent in parents.items():
        below.setdefault(parent, []).append(area)
    found: set[int] = set()
    waiting = list(below.get(None, ()))
    found.update(area for area in waiting if not few(counts.get(area, 0)))
    while waiting:
        area = waiting.pop()
        parts = below.get(area, [])
        waiting += parts
        if area not in found or not parts:
            continue
        cells: dict[int, int] = {part: counts.get(part, 0) for part in parts}
        cells[-area] = max(counts.get(area, 0) - sum(cells.values()), 0)
        hidden = kept_back(cells)
        found.update(part for part in parts if part not in hidden)
    return found
