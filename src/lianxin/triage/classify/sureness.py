"""How sure a first guess is, told by the likeliest two.

One slope for all scores takes a guess at 80 % before a single rival for one at 80 % before many. So what a first guess is worth is told by
its log odds (Platt 1999) and by how much of the rest its rival holds; the latter the less, the nearer the guess is to one half, since
what is read in a few words or in none has many rivals and is no surer for it. What is left of 1 goes to the others as they stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from .features import Floats

NEARLY: Final = 0.999  # of the way to where another guess would be as likely as the first
LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Sureness:
    """Log odds that the first guess is right: `own` times its log odds, and `rival` times what the second says, and `offset`."""

    own: float
    rival: float
    offset: float

    def told(self, first: Floats, chances: Floats) -> Floats:
        """`chances` (… × c, each adding up to 1) with its likeliest as probable as the likeliest two of `first` say. The order stays."""
        raised = signs(first) @ np.array([self.own, self.rival]) + self.offset
        sure = 1 / (1 + np.exp(-raised))[..., None]
        place = chances.argmax(axis=-1)[..., None]
        left = 1 - np.take_along_axis(chances, place, axis=-1)
        aim = chances * np.divide(1 - sure, left, out=np.zeros_like(sure), where=left > 0)
        np.put_along_axis(aim, place, np.where(left > 0, sure, 1.0), axis=-1)
        return towards(chances, aim)


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
