"""Which numbers of a tree of areas may be shown, so that none that is kept back can be worked out from the others.

A count of one to four is kept back. What is kept back must not follow from the sum above it and its neighbours, so at least two numbers
under one sum are kept back, and together they are never few themselves. Where a larger number is kept back for another's sake, enough of
its own parts are kept back too: all of them would add up to it. Below a small number nothing is shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from .rules import K, small

T = TypeVar("T", bound=Hashable)


def few(count: int) -> bool:
    """One to four: so many people can be guessed. Nothing at all is no one."""
    return small(count) is None


def kept_back(cells: Mapping[T, int], *, sum_told: bool = True) -> set[T]:
    """Which cells of one row are kept back: the small ones, and as many of the next smallest as it takes. Where the sum is told and none
    is small, all are shown; where it is not, at least one is kept back, or the cells would tell it."""
    hidden = {key for key, count in cells.items() if few(count)}
    if sum_told and not hidden:
        return hidden
    least, together = (2, 2 * K) if sum_told else (1, K)
    others = sorted((count == 0, count, str(key), key) for key, count in cells.items() if key not in hidden)
    for _empty, _count, _said, key in others:
        if len(hidden) >= least and sum(cells[one] for one in hidden) >= together:
            break
        hidden.add(key)
    return hidden


def shown(counts: Mapping[int, int], parents: Mapping[int, int | None]) -> set[int]:
    """The areas of a tree whose counts are shown. `counts` hold what lies in an area with all below it; what is in none of an area's
    parts is a part of its own, which nobody may work out either."""
    below: dict[int | None, list[int]] = {}
    for area, parent in parents.items():
        below.setdefault(parent, []).append(area)
    waiting = list(below.get(None, ()))
    found = {area for area in waiting if not few(counts.get(area, 0))}
    while waiting:
        area = waiting.pop()
        parts = below.get(area, [])
        whole = counts.get(area, 0)
        if not parts or ((few(whole) or not whole) and area not in found):
            continue  # of a small number, and of nothing that is not told, no part is shown
        cells: dict[int, int] = {part: counts.get(part, 0) for part in parts}
        cells[-area] = max(whole - sum(cells.values()), 0)
        hidden = kept_back(cells, sum_told=area in found)
        found.update(part for part in parts if part not in hidden)
        waiting += parts
    return found
