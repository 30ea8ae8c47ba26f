"""How well a model reads: what is right, how often the right one is among three, and whether its probabilities can be relied on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .features import Floats

BINS: Final = 10
SUREST: Final = 0.8  # share of messages
DRAWS: Final = 1_000  # of the bootstrap
Truth = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the bounds of its 95 % interval and its standard error, from a bootstrap over messages."""

    value: float
    low: float
    high: float
    error: float


@dataclass(frozen=True, slots=True)
class ForLabel:
    """One category: how many messages, precision, recall and F1."""

    label: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Measures:
    """All of it. `labels` are those of the truth; what the model has never heard of counts as wrong."""

    n: int
    figures: dict[str, Figure]
    labels: tuple[ForLabel, ...]

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"n": self.n}
        said.update({name: round(one.value, 6) for name, one in self.figures.items()})
        said["standard_errors"] = {name: round(one.error, 6) for name, one in self.figures.items()}
        said["intervals"] = {name: [round(one.low, 6), round(one.high, 6)] for name, one in self.figures.items()}
        said["per_label"] = {one.label: {"n": one.n, "precision": round(one.precision, 6), "recall": round(one.recall, 6),
                                         "f1": round(one.f1, 6)} for one in self.labels}
        return said


def accuracy(chances: Floats, truth: Truth) -> float:
    return float((chances.argmax(axis=1) == truth).mean())


def _counts(chances: Floats, truth: Truth) -> tuple[Truth, Truth, Truth]:
    """For each label how often it was said rightly, how often it was said, how often it was true."""
    said, size = chances.argmax(axis=1), max(chances.shape[1], int(truth.max()) + 1)
    return (np.bincount(truth[said == truth], minlength=size), np.bincount(said, minlength=size),
            np.bincount(truth, minlength=size))


def _f1(right: Truth, said: Truth, true: Truth) -> Floats:
    """For each label; not a number for one that is neither true nor said."""
    whole = (said + true).astype(np.float64)
    share: Floats = np.divide(2 * right, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def macro_f1(chances: Floats, truth: Truth) -> float:
    """The mean of the labels' F1, of those that are true or said at least once."""
    return float(np.nanmean(_f1(*_counts(chances, truth))))


def top3(chances: Floats, truth: Truth) -> float:
    own = np.take_along_axis(chances, np.minimum(truth, chances.shape[1] - 1)[:, None], axis=1)
    before = (chances > own) | ((chances == own) & (np.arange(chances.shape[1]) < truth[:, None]))
    return float(((before.sum(axis=1) < 3) & (truth < chances.shape[1])).mean())


def ece(chances: Floats, truth: Truth) -> float:
    """Expected calibration error (Naeini et al. 2015) of the first guess, in ten bins of equal width."""
    sure = chances.max(axis=1)
    right = (chances.argmax(axis=1) == truth).astype(np.float64)
    place = np.minimum((sure * BINS).astype(np.intp), BINS - 1)
    gap = np.bincount(place, weights=right - sure, minlength=BINS)
    return float(np.abs(gap).sum() / len(truth))


def accuracy_at_80(chances: Floats, truth: Truth) -> float:
    """Accuracy on the 80 % of the messages whose first guess is surest."""
    surest = np.argsort(-chances.max(axis=1), kind="stable")[:max(1, int(SUREST * len(truth)))]
    return float((chances.argmax(axis=1) == truth)[surest].mean())


FIGURES: Final[dict[str, Callable[[Floats, Truth], float]]] = {
    "accuracy": accuracy, "macro_f1": macro_f1, "top3": top3, "ece": ece, "accuracy_at_80": accuracy_at_80,
}


def draws(count: int, seed: int) -> Iterator[npt.NDArray[np.intp]]:
    """As many messages as there are, drawn with replacement, `DRAWS` times."""
    drawn = np.random.default_rng(seed)
    for _draw in range(DRAWS):
        yield drawn.integers(0, count, count)


def measure(chances: Floats, truth: Truth, labels: Sequence[str]) -> Measures:
    """All figures of n messages. `truth` may hold numbers beyond `labels`' for what the model does not know: `labels`
    names those too."""
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for chosen in draws(len(truth), 0):
        for name, find in FIGURES.items():
            found[name].append(find(chances[chosen], truth[chosen]))
    figures = {}
    for name, find in FIGURES.items():
        low, high = np.percentile(found[name], [2.5, 97.5])
        figures[name] = Figure(find(chances, truth), float(low), float(high), float(np.std(found[name])))
    return Measures(len(truth), figures, tuple(_for_labels(chances, truth, labels)))


def _for_labels(chances: Floats, truth: Truth, labels: Sequence[str]) -> list[ForLabel]:
    right, said, true = _counts(chances, truth)
    each = _f1(right, said, true)
    return [
        ForLabel(label, int(true[at]), float(right[at] / said[at]) if said[at] else 0.0, float(right[at] / true[at]),
                 float(each[at]))
        for at, label in enumerate(labels) if at < len(true) and true[at]
    ]
