"""What was learnt, what it scores, and what those scores are worth: the first opinion, and beside it what tells what comes second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from .alike import folds
from .calibration import Calibration, calibrate, scanty, sureness
from .features import Floats, Known, Message
from .learning import Weights, table
from .second import behind
from .sureness import Counts

FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Scores:
    """Of n messages, n × c each; higher is likelier. `second` is None where there is no second opinion. `known`: how many n-grams of
    each are."""

    first: Floats
    second: Floats | None
    known: Counts

    def of(self, chosen: npt.NDArray[np.bool_]) -> Scores:
        return Scores(self.first[chosen], None if self.second is None else self.second[chosen], self.known[chosen])

    def put(self, chosen: npt.NDArray[np.bool_], found: Scores) -> None:
        """Fill in those of the chosen messages."""
        self.first[chosen], self.known[chosen] = found.first, found.known
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
        return Scores(self.weights.scores(features), None if self.second is None else self.second.scores(features),
                      np.diff(features.indptr).astype(np.intp))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Both opinions' calibrations."""

    first: Calibration
    second: Calibration | None

    @classmethod
    def on(cls, scores: Scores, truth: npt.NDArray[np.intp], *, sure: bool = True, little: Sequence[Scores] = ()) -> Calibrated:
        """`sure`: with what the first guess is worth; `little`: the same messages, of each of which little was read."""
        first = calibrate(scores.first, truth)
        if sure:
            worth = sureness(first.probabilities(scores.first), truth)
            if little:
                worth = scanty(worth, [(first.probabilities(one.first), one.known) for one in little], truth)
            first = replace(first, sure=worth)
        return cls(first, None if scores.second is None else calibrate(scores.second, truth))

    def probabilities(self, scores: Scores) -> Floats:
        """n × c; each row adds up to 1."""
        first = chances = self.first.probabilities(scores.first)
        if self.second is not None and scores.second is not None:
            chances = behind(first, self.second.probabilities(scores.second))
        return self.first.told(first, chances, scores.known)


def calibrated_apart(scores: Scores, truth: npt.NDArray[np.intp], seed: int, *, sure: bool = True, little: Sequence[Scores] = (),
                     told: Scores | None = None) -> Floats:
    """Probabilities of which none was calibrated on its own label; of another form of the messages where `told` is given."""
    fold = folds(np.arange(len(truth)), FOLDS, seed)
    chances = np.empty_like(scores.first)
    for number in range(FOLDS):
        apart, here = fold != number, fold == number
        if here.any():
            fitted = Calibrated.on(scores.of(apart), truth[apart], sure=sure, little=[one.of(apart) for one in little])
            chances[here] = fitted.probabilities((told or scores).of(here))
    return chances
