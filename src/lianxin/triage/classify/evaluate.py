"""A model against messages whose category is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

from .files import Labelled
from .measures import Measures, measure
from .model import Classifier
from .seen import fingerprint


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
    place = {label: at for at, label in enumerate(labels)}
    truth = np.array([place[one.label] for one in examples], dtype=np.intp)
    chances = classifier.probabilities([(one.title, one.detail) for one in examples])
    sure = float(settings.LIANXIN_TRIAGE_SURE)
    dares = chances.max(axis=1) >= sure
    right = chances.argmax(axis=1) == truth
    learnt = classifier.seen
    seen = sum(fingerprint(one.title, one.detail) in learnt for one in examples)
    return Evaluation(measure(chances, truth, labels), sure, float(1 - dares.mean()),
                      float(right[dares].mean()) if dares.any() else 0.0, seen, unknown)
