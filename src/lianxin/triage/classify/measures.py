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


@dataclass(frozen=True, slots=True)
class Read:
    """What came of n messages: the truth, the first guess and how sure it was, and whether the truth was among the first three.
    `size` is the number of labels."""

    truth: Truth
    said: Truth
    sure: Floats
    three: npt.NDArray[np.bool_]
    size: int

    @classmethod
    def of(cls, chances: Floats, truth: Truth) -> Read:
        """From n × c; a truth beyond the labels is one that the model has never heard of."""
        said, width = chances.argmax(axis=1), chances.shape[1]
        own = np.take_along_axis(chances, np.minimum(truth, width - 1)[:, None], axis=1)
        before = (chances > own) | ((chances == own) & (np.arange(width) < truth[:, None]))
        return cls(truth, said, chances.max(axis=1), (before.sum(axis=1) < 3) & (truth < width), max(width, int(truth.max()) + 1))

    def drawn(self, chosen: npt.NDArray[np.intp]) -> Read:
        return Read(self.truth[chosen], self.said[chosen], self.sure[chosen], self.three[chosen], self.size)

    def counts(self) -> tuple[Truth, Truth, Truth]:
        """For each label how often it was said rightly, how often it was said, how often it was true."""
        return (np.bincount(self.truth[self.said == self.truth], minlength=self.size), np.bincount(self.said, minlength=self.size),
                np.bincount(self.truth, minlength=self.size))


def _f1(right: Truth, said: Truth, true: Truth) -> Floats:
    """For each label; not a number for one that is neither true nor said."""
    whole = (said + true).astype(np.float64)
    share: Floats = np.divide(2 * right, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def accuracy(read: Read) -> float:
    return float((read.said == read.truth).mean())


def macro_f1(read: Read) -> float:
    """The mean of the labels' F1, of those that are true or said at least once."""
    return float(np.nanmean(_f1(*read.counts())))


def top3(read: Read) -> float:
    return float(read.three.mean())


def ece(read: Read) -> float:
    """Expected calibration error (Naeini et al. 2015) of the first guess, in ten bins of equal width."""
    right = (read.said == read.truth).astype(np.float64)
    place = np.minimum((read.sure * BINS).astype(np.intp), BINS - 1)
    gap = np.bincount(place, weights=right - read.sure, minlength=BINS)
    return float(np.abs(gap).sum() / len(read.truth))


def accuracy_at_80(read: Read) -> float:
    """Accuracy on the 80 % of the messages whose first guess is surest."""
    surest = np.argsort(-read.sure, kind="stable")[:max(1, int(SUREST * len(read.truth)))]
    return float((read.said == read.truth)[surest].mean())


FIGURES: Final[dict[str, Callable[[Read], float]]] = {
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
    read = Read.of(chances, truth)
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for chosen in draws(len(truth), 0):
        drawn = read.drawn(chosen)
        for name, find in FIGURES.items():
            found[name].append(find(drawn))
    figures = {}
    for name, find in FIGURES.items():
        low, high = np.percentile(found[name], [2.5, 97.5])
        figures[name] = Figure(find(read), float(low), float(high), float(np.std(found[name])))
    return Measures(len(truth), figures, tuple(_for_labels(read, labels)))


def _for_labels(read: Read, labels: Sequence[str]) -> list[ForLabel]:
    right, said, true = read.counts()
    each = _f1(right, said, true)
    return [
        ForLabel(label, int(true[at]), float(right[at] / said[at]) if said[at] else 0.0, float(right[at] / true[at]),
                 float(each[at]))
        for at, label in enumerate(labels) if at < len(true) and true[at]
    ]
