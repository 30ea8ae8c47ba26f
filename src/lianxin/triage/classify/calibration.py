"""From scores to probabilities one can rely on: softmax(slope · score + offset), fitted where the weights were not; and what the
first guess is then worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from .features import Floats
from .sureness import ENOUGH, Counts, Sureness, lack, signs

HOLD: Final = 5.0  # how firmly the offsets are held at 0, and sureness at what the scores say, in messages' worth of log-likelihood


@dataclass(frozen=True, slots=True)
class Calibration:
    """One slope for all categories (Platt's and Guo's temperature, 1 ÷ T), one offset for each. `sure`: what the first guess is
    worth, None for as much as these say."""

    slope: float
    offset: Floats
    sure: Sureness | None = None

    def probabilities(self, scores: Floats) -> Floats:
        """n × c; each row adds up to 1."""
        raised = self.slope * np.asarray(scores, dtype=np.float64) + self.offset
        raised = np.exp(raised - raised.max(axis=-1, keepdims=True))
        shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
        return shares

    def told(self, first: Floats, chances: Floats, known: Counts | int = ENOUGH) -> Floats:
        """What is told in the end, of these probabilities and what became of them by a second opinion, where so many n-grams are
        known."""
        return self.sure.told(first, chances, known) if self.sure else chances


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


def sureness(chances: Floats, labels: npt.NDArray[np.intp]) -> Sureness:
    """The line that makes it likeliest which first guesses are right, held near what `chances` say, rounded likewise."""
    parts = np.column_stack([signs(chances), np.ones(len(chances))])
    return Sureness(*_line(parts, chances.argmax(axis=1) == labels, np.array([1.0, 0.0, 0.0])))


def scanty(usual: Sureness, read: Sequence[tuple[Floats, Counts]], labels: npt.NDArray[np.intp]) -> Sureness:
    """`usual` with what it is worth where little is read: fitted on readings of these messages of which little was read, each with
    how many n-grams were known. What is told where enough is known stays as it is."""
    odds = np.concatenate([usual.odds(chances) for chances, _known in read])
    missing = np.concatenate([lack(known) for _chances, known in read])
    right = np.concatenate([chances.argmax(axis=1) == labels for chances, _known in read])
    return replace(usual, little=_line(missing[:, None], right, np.zeros(1), odds * (1 - missing))[0])


def _line(parts: Floats, right: npt.NDArray[np.bool_], usual: Floats, before: Floats | float = 0.0) -> list[float]:
    """What to multiply `parts` (n × k) with so that their sum, and `before`, tells as log odds what is right; held near `usual`."""
    from scipy.optimize import minimize

    wanted = right.astype(np.float64)

    def loss(said: Floats) -> tuple[float, Floats]:
        raised = before + parts @ said
        wrong = 1 / (1 + np.exp(-raised)) - wanted
        return (float((np.logaddexp(0, raised) - wanted * raised).sum()) + HOLD / 2 * float(((said - usual) ** 2).sum()),
                parts.T @ wrong + HOLD * (said - usual))

    found = minimize(loss, usual, jac=True, method="L-BFGS-B").x
    return [round(float(one), 4) for one in found]
