"""Learning the weights: least squares with a ridge, one column for each category, by conjugate gradients.

With n messages, features X (n × v, sparse), targets Y (n × c, +1 for the category and −1 for the others) and a weight for
each message, minimise Σ wᵢ‖xᵢW + b − yᵢ‖² + λ(‖W‖² + ‖b‖²). Solved in the dual, (XXᵀ + 1 + λ diag(1/w)) A = Y, W = XᵀA
(Saunders, Gammerman and Vovk 1998), which needs n × c numbers beside the features and no random step. On the messages of
docs/reference/triage.md it is no worse than a support vector machine or logistic regression, at about the same cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from .features import Floats, Known, Message

TOLERANCE: Final = 1e-4  # of the residual, relative
STEPS: Final = 500
MANY: Final = 30  # categories from which one factorisation is quicker than steps for each
KIN: Final = 0.3
FIRM: Final = 0.3
AT_ONCE: Final = 5_000  # messages whose n × n numbers are held at once


@dataclass(frozen=True, slots=True)
class Weights:
    """One row for each feature, one column for each category; and what is added to each category."""

    features: Floats
    bias: Floats

    def scores(self, table: Any) -> Floats:
        """n × c; higher is likelier."""
        scored: Floats = table @ self.features + self.bias
        return scored


def table(known: Sequence[Known], messages: Sequence[Message]) -> Any:
    """All messages as one sparse matrix, the blocks side by side."""
    sides = []
    for block in known:
        rows = [block.row(one) for one in messages]
        starts = np.cumsum([0, *(len(columns) for columns, _values in rows)])
        columns = np.concatenate([columns for columns, _values in rows]) if rows else np.zeros(0, dtype=np.intp)
        values = np.concatenate([values for _columns, values in rows]) if rows else np.zeros(0, dtype=np.float32)
        sides.append(sparse.csr_matrix((values.astype(np.float64), columns, starts), shape=(len(rows), len(block.keys))))
    return sparse.hstack(sides, format="csr")


def targets(labels: npt.NDArray[np.intp], kin: Floats) -> Floats:
    """n × c from `kin` (c × c): for each label how much of every other is taken for it, 1 for itself."""
    wanted: Floats = 2 * kin[labels] - 1
    return wanted


def kinship(lineages: Sequence[Sequence[str]]) -> Floats:
    """Of labels in a tree, each with its ancestors: leaves that share a branch teach each other, `KIN` for each ancestor in
    common. A leaf with five examples so learns from its branch too."""
    every = sorted({one for lineage in lineages for one in lineage})
    place = {one: at for at, one in enumerate(every)}
    member = np.zeros((len(lineages), len(every)))
    for at, lineage in enumerate(lineages):
        member[at, [place[one] for one in lineage]] = 1
    kin: Floats = KIN * (member @ member.T) + np.eye(len(lineages))
    return kin


def solve(features: Any, wanted: Floats, ridge: float, weight: Floats | None = None) -> Weights:
    """The weights that fit `wanted` (n × c) best."""
    if wanted.shape[1] >= MANY and len(wanted) <= AT_ONCE:
        return _solved(features, wanted, ridge, weight)
    across = features.T.tocsr()
    diagonal = ridge / (np.ones(len(wanted)) if weight is None else weight)[:, None]
    answer, left = np.zeros_like(wanted), wanted.copy()
    way = left.copy()
    size = (left * left).sum(0)
    enough = TOLERANCE**2 * size
    for _step in range(STEPS):
        if (size <= enough).all():
            break
        image = features @ (across @ way) + way.sum(0) + diagonal * way
        pace = np.divide(size, (way * image).sum(0), out=np.zeros_like(size), where=size > enough)
        answer += pace * way
        left -= pace * image
        now = (left * left).sum(0)
        way = left + np.divide(now, size, out=np.zeros_like(size), where=size > enough) * way
        size = now
    return Weights(across @ answer, answer.sum(0))


def naive(features: Any, labels: npt.NDArray[np.intp], count: int) -> Weights:
    """Multinomial naive Bayes on the same features: how much of what stands in the messages of a label is each n-gram, with
    `FIRM` of every n-gram seen besides; as far as it differs from the mean of the labels."""
    member = np.eye(count)[labels]
    seen = np.asarray(features.T @ member) + FIRM
    told = np.log(seen / seen.sum(axis=0))
    usual = np.log((member.sum(axis=0) + 1) / (len(labels) + count))
    return Weights(told - told.mean(axis=1, keepdims=True), usual - usual.mean())


def _solved(features: Any, wanted: Floats, ridge: float, weight: Floats | None) -> Weights:
    """The same without steps: Cholesky's factorisation serves all categories."""
    system = np.asarray((features @ features.T).todense()) + 1.0
    system[np.diag_indices_from(system)] += ridge / (np.ones(len(wanted)) if weight is None else weight)
    answer: Floats = linalg.cho_solve(linalg.cho_factor(system, overwrite_a=True), wanted)
    return Weights(features.T @ answer, answer.sum(0))
