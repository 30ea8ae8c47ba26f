"""A trained model: read from its file without running anything in it, and reading messages with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .calibration import Calibration
from .features import Codes, Floats, Known, Message, grams, message
from .pooling import Pooling
from .second import Second
from .words import spans

SHOWN: Final = 3  # guesses
WORDED: Final = 0.01  # what is less likely than this has no words to speak of


@dataclass(frozen=True, slots=True)
class Guess:
    """One category with its calibrated probability, 0–1, and the words of the message that speak for it."""

    label: str
    probability: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The likeliest categories, best first."""

    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The n-grams of a message that a block knows, each once (`column`, `value`), and every place where one stands: where
    it begins, how long it is, which it is."""

    column: npt.NDArray[np.intp]
    value: npt.NDArray[np.float32]
    begin: npt.NDArray[np.intp]
    size: npt.NDArray[np.intp]
    which: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Classifier:
    """What was learnt. `weights` has a row for each n-gram of all blocks in a row and a column for each label."""

    labels: tuple[str, ...]
    characters: Codes
    known: tuple[Known, ...]
    weights: npt.NDArray[np.float32]
    bias: Floats
    calibration: Calibration
    seed: int
    examples: int  # messages learnt from
    seen: frozenset[int] = frozenset()  # their fingerprints
    about: dict[str, Any] = field(default_factory=dict)  # how it was made and measured, for people
    pooling: Pooling | None = None  # how it goes together with the keyword rules, where it was taught beside them
    bare: Calibration | None = None  # for messages without a title
    second: Second | None = None  # tells what comes second

    def weigh(self, title: str, detail: str) -> Weighed:
        """Read one message as far as to how likely each label is."""
        one = message(title, detail, self.characters)
        found = self._found(one)
        chances = self._told(title, [(part.column, part.value) for part in found])
        return Weighed(chances, one, tuple(found), self)

    def _told(self, title: str, found: Sequence[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]) -> Floats:
        """The probability of each label, from the n-grams found and how much each counts."""
        calibration = self.calibration if title.strip() or self.bare is None else self.bare
        first = chances = calibration.probabilities(_summed(self.weights, self.bias, found))
        if self.second:
            chances = self.second.behind(first, _summed(self.second.weights, self.second.bias, found))
        return calibration.told(first, chances, sum(len(column) for column, _value in found))

    def read(self, title: str, detail: str) -> Reading:
        """Read one message: the three likeliest labels, with their words."""
        weighed = self.weigh(title, detail)
        best = np.argsort(-weighed.chances, kind="stable")[:SHOWN]
        return Reading(tuple(
            Guess(self.labels[at], float(weighed.chances[at]), weighed.words(at) if weighed.chances[at] >= WORDED else ())
            for at in best.tolist()))

    def probabilities(self, messages: Sequence[tuple[str, str]]) -> Floats:
        """For each (title, detail) the probability of each label, in their order."""
        chances = np.empty((len(messages), len(self.labels)))
        for place, (title, detail) in enumerate(messages):
            one, start, found = message(title, detail, self.characters), 0, []
            for block in self.known:
                column, value = block.row(one)
                found.append((column + start, value))
                start += len(block.keys)
            chances[place] = self._told(title, found)
        return chances

    def _found(self, one: Message) -> list[Found]:
        result, start = [], 0
        for block in self.known:
            result.append(_occurrences(block, one, start))
            start += len(block.keys)
        return result

    def words(self, one: Message, found: Sequence[Found], label: int) -> tuple[str, ...]:
        """What speaks for `label` against the mean of the others."""
        others = len(self.labels) - 1
        begins, sizes, pulls = [], [], []
        for part in found:
            row = self.weights[part.column]
            pull = part.value * (row[:, label] - (row.sum(axis=1) - row[:, label]) / others)
            begins.append(part.begin)
            sizes.append(part.size)
            pulls.append(pull[part.which])
        return spans(one, np.concatenate(begins), np.concatenate(sizes), np.concatenate(pulls))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A message read: the probability of each label, in their order, and on demand the words that speak for one."""

    chances: Floats
    message: Message
    found: tuple[Found, ...]
    by: Classifier

    def words(self, label: int) -> tuple[str, ...]:
        return self.by.words(self.message, self.found, label)


def _summed(weights: npt.NDArray[np.float32], bias: Floats,
            found: Sequence[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]) -> Floats:
    scores = bias.copy()
    for column, value in found:
        scores += value @ weights[column]
    return scores


def _occurrences(block: Known, one: Message, start: int) -> Found:
    offset = one.title[0] if block.block.zone == "title" else 0
    parts = grams(one.zone(block.block.zone), block.block.sizes)
    nothing = np.zeros(0, dtype=np.intp)
    if not parts:
        return Found(nothing, np.zeros(0, dtype=np.float32), nothing, nothing, nothing)
    key = np.concatenate([found for _size, found in parts])
    begin = np.concatenate([np.arange(len(found)) for _size, found in parts])
    size = np.concatenate([np.full(len(found), long) for long, found in parts])
    column, here = block.find(key)
    single, back, counts = np.unique(column, return_inverse=True, return_counts=True)
    return Found(single + start, block.values(single, counts), begin[here] + offset, size[here], back)
