"""From scores to probabilities one can rely on: softmax(slope · score + offset), fitted where the weights were not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .features import Floats

HOLD: Final = 5.0  # how firmly the offsets are held at 0, in messages' worth of log-likelihood


@dataclass(frozen=True, slots=True)
class Calibration:
    """One slope for all categories (Platt's and Guo's temperature, 1 ÷ T), one offset for each."""

    slope: float
    offset: Floats

    def probabilities(self, scores: Floats) -> Floats:
        """n × c; each row adds up to 1."""
        raised = self.slope * np.asarray(scores, dtype=np.float64) + self.offset
        raised = np.exp(raised - raised.max(axis=-1, keepdims=True))
        shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
        return shares


def calibrate(scores: Floats, labels: npt.NDArray[np.intp]) -> Calibration:
    """The slope and offsets that make the labels likeliest, rounded to four digits so that a model is the same file on
    every machine."""
    from scipy.optimize import minimize

    count = scores.shape[1]
    wanted = np.eye(count)[labels]

    def loss(said: Floats) -> tuple[float, Floats]:
        slope, offset = float(np.exp(said[0])), said[1:]
        raised = slope * scores + offset
        raised -= raised.max(axis=1, keepdims=True)
        whole = np.exp(raised)
        sums = whole.sum(axis=1, keepdims=True)
        wrong = whole / sums - wanted
        value = -float(((raised - np.log(sums)) * wanted).sum()) + HOLD / 2 * float(offset @ offset)
        return value, np.concatenate([[slope * float((wrong * scores).sum())], wrong.sum(axis=0) + HOLD * offset])

    found = minimize(loss, np.concatenate([[np.log(4.0)], np.zeros(count)]), jac=True, method="L-BFGS-B")
    return Calibration(round(float(np.exp(found.x[0])), 4), np.round(found.x[1:], 4))
