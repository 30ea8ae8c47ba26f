"""How sure a first guess is, told by the likeliest two.

One slope for all scores takes a guess at 80 % before a single rival for one at 80 % before many. So what a first guess is worth is told by
its log odds (Platt 1999) and by how much of the rest its rival holds; the latter the less, the nearer the guess is to one half, since
what is read in a few words or in none has many rivals and is no surer for it. What is left of 1 goes to the others as they stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .features import Floats

NEARLY: Final = 0.999  # of the way to where another guess would be as likely as the first
LEAST: Final = 1e-6
ENOUGH: Final = 64  # known n-grams, of all blocks, from which on no more is asked for: a heading of sixteen characters has as many
Counts = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sureness:
    """Log odds that the first guess is right: `own` times its log odds, and `rival` times what the second says, and `offset`.
    The less is read, the nearer these odds come to `little`, what a guess is worth of which nothing was read; None: they do not."""

    own: float
    rival: float
    offset: float
    little: float | None = None

    def odds(self, first: Floats, known: Counts | int = ENOUGH) -> Floats:
        """The log odds of the likeliest of `first`, of which so many n-grams are known."""
        usual: Floats = signs(first) @ np.array([self.own, self.rival]) + self.offset
        if self.little is None:
            return usual
        missing = lack(known)
        return usual * (1 - missing) + self.little * missing

    def told(self, first: Floats, chances: Floats, known: Counts | int = ENOUGH) -> Floats:
        """`chances` (… × c, each adding up to 1) with its likeliest as probable as the likeliest two of `first` say, and how much was
        `known`. The order stays."""
        sure = 1 / (1 + np.exp(-self.odds(first, known)))[..., None]
        place = chances.argmax(axis=-1)[..., None]
        left = 1 - np.take_along_axis(chances, place, axis=-1)
        aim = chances * np.divide(1 - sure, left, out=np.zeros_like(sure), where=left > 0)
        np.put_along_axis(aim, place, np.where(left > 0, sure, 1.0), axis=-1)
        return towards(chances, aim)


def lack(known: Counts | int) -> Floats:
    """How much of `ENOUGH` is lacking: 1 where no n-gram is known, 0 where enough are."""
    missing: Floats = np.maximum(1 - np.sqrt(np.asarray(known) / ENOUGH), 0)
    return missing


def signs(chances: Floats) -> Floats:
    """The log odds of the likeliest, and the logarithm of the second's share in the rest, by how far the likeliest is above one half
    (… × 2)."""
    ranked = np.sort(chances, axis=-1)
    most = np.clip(ranked[..., -1], LEAST, 1 - LEAST)
    rest = ranked[..., :-1].sum(axis=-1)
    share = np.divide(ranked[..., -2], rest, out=np.ones_like(rest), where=rest > 0)
    found: Floats = np.stack([np.log(most / (1 - most)), np.maximum(2 * most - 1, 0) * np.log(np.maximum(share, LEAST))], axis=-1)
    return found


def towards(now: Floats, aim: Floats) -> Floats:
    """From `now` to `aim` (… × c each, adding up to 1) as far as the likeliest of `now` stays the likeliest."""
    place = now.argmax(axis=-1)[..., None]
    gap = np.take_along_axis(now, place, axis=-1) - now
    ahead = aim - np.take_along_axis(aim, place, axis=-1)
    way = np.divide(NEARLY * gap, ahead + gap, out=np.ones_like(gap), where=ahead > 0)
    told: Floats = now + way.min(axis=-1, keepdims=True) * (aim - now)
    return told
