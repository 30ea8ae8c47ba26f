"""How long it usually takes: the median and the middle half, with those that are still waiting taken along.

The mean of what is finished flatters: what takes long is not finished yet, and one case of a year drowns a hundred of a day. So the
quantiles are those of the product-limit estimate (Kaplan and Meier 1958): a case that still waits says "longer than so far", and counts
as that. Without any that wait it is the ordinary median.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# With fewer finished ones a quarter of them is a case or two: no typical time is said.
LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Span:
    """`cases` that took `hours` whole hours from being said to the first closing; when not `ended`, that have waited so long."""

    hours: int
    ended: bool
    cases: int = 1


@dataclass(frozen=True, slots=True)
class Typical:
    """Hours until a quarter, half and three quarters were closed; None where so many are not yet. `ended` and `waiting` count what it
    rests on; `few` says that it rests on too little to be told."""

    quarter: int | None
    half: int | None
    three_quarters: int | None
    ended: int
    waiting: int

    @property
    def few(self) -> bool:
        return self.ended < LEAST


def typical(spans: Iterable[Span]) -> Typical:
    """The quantiles of some spans. A case that ended in the hour in which another was last seen waiting ended first."""
    ended: dict[int, int] = {}
    waiting: dict[int, int] = {}
    for span in spans:
        held = ended if span.ended else waiting
        held[span.hours] = held.get(span.hours, 0) + span.cases
    at_risk = sum(ended.values()) + sum(waiting.values())
    left = 1.0
    found: list[int | None] = [None, None, None]
    bounds = (0.75, 0.5, 0.25)
    for hours in sorted({*ended, *waiting}):
        if done := ended.get(hours, 0):
            left *= 1 - done / at_risk
            for index, bound in enumerate(bounds):
                if found[index] is None and left <= bound + 1e-12:
                    found[index] = hours
        at_risk -= done + waiting.get(hours, 0)
    return Typical(found[0], found[1], found[2], sum(ended.values()), sum(waiting.values()))
