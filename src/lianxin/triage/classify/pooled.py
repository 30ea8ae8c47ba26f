"""Fitting how a model and the keyword rules go together, on messages that the model did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from .alike import folds
from .features import Floats
from .pooling import FLOOR, LEAST, RANKS, Line, Pooling, odds

FOLDS: Final = 5


def pool(chances: Floats, found: Floats, truth: npt.NDArray[np.intp], branches: Sequence[npt.NDArray[np.intp]] = ()) -> Pooling:
    """Fit on predictions of messages that the model did not learn from. `branches` give for each depth, the top first, the
    branch of each label."""
    experts = np.stack([np.log(chances + LEAST), np.log(found + FLOOR)])
    row = np.arange(len(truth))

    def loss(said: Floats) -> tuple[float, Floats]:
        weight = np.exp(said)
        raised = np.tensordot(weight, experts, 1)
        raised -= raised.max(axis=1, keepdims=True)
        whole = np.exp(raised)
        sums = whole.sum(axis=1, keepdims=True)
        value = float((np.log(sums[:, 0]) - raised[row, truth]).mean())
        slope = ((whole / sums * experts).sum(axis=2) - experts[:, row, truth]).mean(axis=1)
        return value, slope * weight

    fitted = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-4, 4)] * 2)
    model, rules = (round(float(one), 4) for one in np.exp(fitted.x))
    shares = Pooling(model, rules, ()).shares(chances, found)
    best = np.argsort(-shares, axis=1, kind="stable")[:, :RANKS]
    ranks = [_line(shares[row, best[:, rank]], best[:, rank] == truth) if rank < best.shape[1] else (1.0, 0.0) for rank in range(RANKS)]
    return Pooling(model, rules, tuple(ranks), tuple(_branch(shares, truth, branch) for branch in branches))


def _branch(shares: Floats, truth: npt.NDArray[np.intp], branch: npt.NDArray[np.intp]) -> Line:
    mass = shares @ np.eye(int(branch.max()) + 1)[branch]
    return _line(mass.max(axis=1), mass.argmax(axis=1) == branch[truth])


def _line(share: Floats, right: npt.NDArray[np.bool_]) -> Line:
    """Platt's line with his doubt: a guess that was always right may yet be wrong."""
    odd = odds(share)
    yes, no = int(right.sum()), int((~right).sum())
    wanted = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(said: Floats) -> tuple[float, Floats]:
        raised = said[0] * odd + said[1]
        wrong = 1 / (1 + np.exp(-raised)) - wanted
        return float((np.logaddexp(0, raised) - wanted * raised).mean()), np.array([(wrong * odd).mean(), wrong.mean()])

    fitted = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, 10), (-10, 10)])
    return round(float(fitted.x[0]), 4), round(float(fitted.x[1]), 4)


def pooled_apart(chances: Floats, found: Floats, truth: npt.NDArray[np.intp], seed: int) -> Floats:
    """What is told of each message (n × c, nothing beyond the third guess) by what was fitted on other messages."""
    fold = folds(np.arange(len(truth)), FOLDS, seed)
    told = np.zeros_like(chances)
    for number in range(FOLDS):
        apart, here = fold != number, np.flatnonzero(fold == number)
        if len(here):
            made = pool(chances[apart], found[apart], truth[apart])
            shares = made.shares(chances[here], found[here])
            for place, share in zip(here.tolist(), shares, strict=True):
                best = np.argsort(-share, kind="stable")[:RANKS]
                told[place, best] = made.told(share[best].tolist())
    return told
