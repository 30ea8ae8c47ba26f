"""A second opinion on what comes second.

Weights that were learnt to tell categories apart learn of two that are near each other that what speaks for one speaks against the
other: a message about rubbish that is surely 城乡建设 is then the least likely of all to be 环境保护. Naive Bayes learns each category for
itself and puts the neighbour second. So the first guess stays as it is, with its probability, and the others are told by both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .calibration import Calibration
from .features import Floats
from .sureness import towards

SHARE: Final = 0.3  # of naive Bayes' probability that is added


@dataclass(frozen=True, slots=True)
class Second:
    """What naive Bayes learnt: a row for each n-gram, as in the model beside which it stands, and a column for each label."""

    weights: npt.NDArray[np.float32]
    bias: Floats
    calibration: Calibration

    def behind(self, first: Floats, scores: Floats) -> Floats:
        """`behind` with this opinion's own probabilities, from its scores."""
        return behind(first, self.calibration.probabilities(scores))


def behind(first: Floats, other: Floats) -> Floats:
    """Of two opinions (… × c each, adding up to 1) one: the likeliest of `first` as likely as it was, what is left of 1 shared out
    among the others by both. None of them comes to the first guess's height: where it would, both go so far only."""
    place = first.argmax(axis=-1)[..., None]
    most = np.take_along_axis(first, place, axis=-1)
    both = first + SHARE * other
    np.put_along_axis(both, place, 0.0, axis=-1)
    whole = both.sum(axis=-1, keepdims=True)
    shared = both * np.divide(1 - most, whole, out=np.zeros_like(whole), where=whole > 0)
    np.put_along_axis(shared, place, most, axis=-1)
    return towards(first, shared)
