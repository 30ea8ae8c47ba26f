"""What was learnt, what it scores, and what those scores are worth: the first opinion, and beside it what tells what comes second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from .alike import folds
from .calibration import Calibration, calibrate, sureness
from .features import Floats, Known, Message
from .learning import Weights, table
from .second import behind

FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Scores:
    """Of n messages, n × c each; higher is likelier. `second` is None where there is no second opinion."""

    first: Floats
    second: Floats | None

    def of(self, chosen: npt.NDArray[np.bool_]) -> Scores:
        return Scores(self.first[chosen], None if self.second is None else self.second[chosen])

    def put(self, chosen: npt.NDArray[np.bool_], found: Scores) -> None:
        """Fill in those of the chosen messages."""
        self.first[chosen] = found.first
        if self.second is not None and found.second is not None:
            self.second[chosen] = found.second


@dataclass(frozen=True, slots=True)
class Learnt:
    """The n-grams that are known, and what they speak for."""

    known: list[Known]
    weights: Weights
    second: Weights | None

    def scores(self, messages: Sequence[Message]) -> Scores:
        features = table(self.known, messages)
        return Scores(self.weights.scores(features), None if self.second is None else self.second.scores(features))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Both opinions' calibrations."""

    first: Calibration
    second: Calibration | None

    @classmethod
    def on(cls, scores: Scores, truth: npt.NDArray[np.intp], *, sure: bool = True) -> Calibrated:
        """`sure`: with what the first guess is worth."""
        first = calibrate(scores.first, truth)
        if sure:
            first = replace(first, sure=sureness(first.probabilities(scores.first), truth))
        return cls(first, None if scores.second is None else calibrate(scores.second, truth))

    def probabilities(self, scores: Scores) -> Floats:
        """n × c; each row adds up to 1."""
        first = chances = self.first.probabilities(scores.first)
        if self.second is not None and scores.second is not None:
            chances = behind(first, self.second.probabilities(scores.second))
        return self.first.told(first, chances)


def calibrated_apart(scores: Scores, truth: npt.NDArray[np.intp], seed: int, *, sure: bool = True) -> Floats:
    """Probabilities of which none was calibrated on its own label."""
    fold = folds(np.arange(len(truth)), FOLDS, seed)
    chances = np.empty_like(scores.first)
    for number in range(FOLDS):
        apart, here = fold != number, fold == number
        if here.any():
            chances[here] = Calibrated.on(scores.of(apart), truth[apart], sure=sure).probabilities(scores.of(here))
    return chances
