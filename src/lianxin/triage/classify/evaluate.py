"""A model against messages whose category is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

from .files import Labelled, numbers
from .matters import matters, reader
from .measures import Measures, measure
from .model import Classifier
from .seen import fingerprint

SPLIT: Final = 400  # characters of a detail, at most, on which splits are measured


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`abstained`: share below `sure`; `right_of_the_rest`: accuracy of the others, 0 when there are none; `seen`: how many
    of the messages the model learnt from; `unknown`: categories it never heard of."""

    measures: Measures
    sure: float
    abstained: float
    right_of_the_rest: float
    seen: int
    unknown: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {**self.measures.as_json(), "sure": self.sure, "abstained": round(self.abstained, 6),
                "accuracy_when_sure": round(self.right_of_the_rest, 6), "seen": self.seen, "unknown_labels": list(self.unknown)}


def evaluate(classifier: Classifier, held: Labelled, *, part: str = "") -> Evaluation:
    """Read every message of the file, or of one part of it. Raises Invalid when there is none."""
    examples = held.of(part) if part else held.examples
    if not examples:
        raise Invalid(_("part 这一列里没有 %s。") % part)
    unknown = tuple(sorted({one.label for one in examples} - set(classifier.labels)))
    labels = classifier.labels + unknown
    truth = numbers(examples, labels)
    chances = classifier.probabilities([(one.title, one.detail) for one in examples])
    sure = float(settings.LIANXIN_TRIAGE_SURE)
    dares = chances.max(axis=1) >= sure
    right = chances.argmax(axis=1) == truth
    seen = sum(fingerprint(one.title, one.detail) in classifier.seen for one in examples)
    return Evaluation(measure(chances, truth, labels), sure, float(1 - dares.mean()),
                      float(right[dares].mean()) if dares.any() else 0.0, seen, unknown)


@dataclass(frozen=True, slots=True)
class Splits:
    """Offers to split: on `n` messages as they are, taken as one matter each, and on as many pairs of two categories
    written one after the other. `cut_right`: of the offers on pairs, those that name just the two categories, in order."""

    n: int
    offered: int
    pairs: int
    pairs_offered: int
    cut_right: int


def splits(classifier: Classifier, held: Labelled, *, part: str = "") -> Splits:
    """Measured on details of at most `SPLIT` characters. Raises Invalid when there are none."""
    examples = [one for one in (held.of(part) if part else held.examples) if one.detail and len(one.detail) <= SPLIT]
    if not examples:
        raise Invalid(_("part 这一列里没有 %s。") % part)
    other = np.random.default_rng(0).permutation(len(examples))
    first = reader(classifier)
    offered = sum(bool(matters(first, one.detail)) for one in examples)
    pairs = found = right = 0
    for one, at in zip(examples, other.tolist(), strict=True):
        two = examples[at]
        if one.label == two.label:
            continue
        pairs += 1
        said = matters(first, f"{one.detail}\n{two.detail}")
        found += bool(said)
        right += [each.guess.label for each in said] == [one.label, two.label]
    return Splits(len(examples), offered, pairs, found, right)
