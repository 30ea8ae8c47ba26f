"""From labelled messages to a model: what is learnt from which messages, in which order, and what it is measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

from .alike import folds, groups
from .features import READ, Block, Floats, Message, characters, learn, message
from .files import TRAIN, VALID, Example, Labelled, classes, numbers
from .learning import Weights, kinship, naive, solve, table, targets
from .measures import Measures, measure
from .model import Classifier
from .opinions import FOLDS, Calibrated, Learnt, Scores, calibrated_apart
from .pooled import pool, pooled_apart
from .pooling import Pooling
from .second import Second
from .seen import fingerprint

SCARCE: Final = 2  # examples a category needs to be learnt at all
SHORT: Final = 8  # characters of a heading that is cut short


@dataclass(frozen=True, slots=True)
class Plan:
    """How to learn. The values are those that did best in the tables of docs/reference/triage.md."""

    blocks: tuple[Block, ...] = (Block("whole", (1, 2)), Block("title", (1, 2), share=0.5))
    ridge: float = 0.4
    read: int = READ  # characters of the detail
    second: bool = True  # with a second opinion on what comes second
    sure: bool = True  # with what the first guess is worth, by the likeliest two
    little: bool = True  # and by how little is read


PLAN: Final = Plan()


@dataclass(frozen=True, slots=True)
class Beside:
    """What a model is taught beside: the tree its labels stand in, and the keyword rules it will be read with.

    `lineage` gives the ancestors of a label, the top first, the label itself not among them; `rules` the score of each
    label (as many as there are labels) for a title and a text.
    """

    lineage: Callable[[str], tuple[str, ...]]
    rules: Callable[[Sequence[str], str, str], Sequence[float]]

    def branches(self, labels: Sequence[str]) -> list[npt.NDArray[np.intp]]:
        """For each depth, the top first, the number of the branch of each label; a label is a branch of its own where its
        lineage is shorter."""
        lineages = [self.lineage(label) for label in labels]
        found = []
        for depth in range(max(map(len, lineages), default=0)):
            names = [lineage[depth] if depth < len(lineage) else label for lineage, label in zip(lineages, labels, strict=True)]
            found.append(np.unique(names, return_inverse=True)[1].astype(np.intp))
        return found

    def scores(self, labels: Sequence[str], messages: Sequence[tuple[str, str]]) -> Floats:
        """n × c, of titles and details."""
        return np.array([self.rules(labels, title, detail) for title, detail in messages])


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and how well it reads messages that it did not learn from; `how` says which. `pooled`: with the rules."""

    classifier: Classifier
    measures: Measures
    how: str
    pooled: Measures | None = None


def train(held: Labelled, *, seed: int = 0, everything: bool = False, beside: Beside | None = None) -> Trained:
    """Learn from what a file holds.

    Where it has parts: learn from `train`, calibrate on `valid` and measure there. Without parts, or with `everything`:
    learn from all of it, calibrate and measure on predictions out of fold, near-duplicates in one fold. What is measured
    is calibrated on the other folds. Order of rows does not matter. Raises Invalid when there is too little to learn from.
    """
    parted = held.parted and not everything
    learnt = sorted(held.of(TRAIN) if parted else held.examples)
    tuned = sorted(held.of(VALID)) if parted else []
    if not learnt:
        raise Invalid(_("part 这一列里没有 train。"))
    labels = classes(learnt)
    _enough(learnt, labels)
    plan = replace(PLAN, second=False, sure=False) if beside else PLAN  # the rules are a second opinion, `ranks` say how sure
    made = Learning(learnt, labels, plan, kinship([beside.lineage(label) for label in labels]) if beside else None)
    fitted = made.fit()
    if tuned:
        unknown = sorted({one.label for one in tuned} - set(labels))
        if unknown:
            raise Invalid(_("valid 里有 train 里没有的类别：%s。") % "、".join(unknown[:5]))
        scores, bare, *little = [fitted.scores(form) for form in (made.read(_whole(tuned)), made.read(_bare(tuned)), *made.little(tuned))]
        truth, how = numbers(tuned, labels), VALID
    else:
        scores, bare, *little = made.read_apart(seed, [made.messages, made.read(_bare(learnt)), *made.little(learnt)])
        truth, how = made.truth, "folds"
    calibrated, calibrated_bare = (Calibrated.on(one, truth, sure=plan.sure, little=little) for one in (scores, bare))
    apart = calibrated_apart(scores, truth, seed, sure=plan.sure, little=little)
    measures = measure(apart, truth, labels)
    pooling, pooled = _pooled(beside, labels, tuned or learnt, apart, calibrated_apart(bare, truth, seed, sure=plan.sure), truth, seed)
    about: dict[str, Any] = {
        "learnt_from": len(learnt), "tuned_on": how, "tuned_on_count": len(truth), "measured": measures.as_json(),
        "ridge": PLAN.ridge, "data": _digest(learnt),
        "per_label": {label: int((made.truth == at).sum()) for at, label in enumerate(labels)},
    }
    classifier = Classifier(
        labels=labels, characters=made.characters, known=tuple(fitted.known), **_rounded(fitted.weights),
        calibration=calibrated.first, bare=calibrated_bare.first, seed=seed, examples=len(learnt),
        seen=frozenset(fingerprint(one.title, one.detail) for one in learnt), about=about, pooling=pooling,
        second=Second(**_rounded(fitted.second), calibration=calibrated.second) if fitted.second and calibrated.second else None)
    return Trained(classifier, measures, how, pooled)


def _rounded(weights: Weights) -> dict[str, Any]:
    """As the file holds them."""
    return {"weights": weights.features.astype(np.float16).astype(np.float32),
            "bias": weights.bias.astype(np.float32).astype(np.float64)}


def _whole(examples: Sequence[Example]) -> list[tuple[str, str]]:
    return [(one.title, one.detail) for one in examples]


def _bare(examples: Sequence[Example]) -> list[tuple[str, str]]:
    """What is left of messages where nobody wrote a title; one that is only a title then is the message."""
    return [("", one.detail or one.title) for one in examples]


def _pooled(beside: Beside | None, labels: Sequence[str], examples: Sequence[Example], chances: Floats, bare: Floats,
            truth: npt.NDArray[np.intp], seed: int) -> tuple[Pooling | None, Measures | None]:
    """How the model goes together with the rules, with titles and without, and how well both read, each message by what was
    fitted on others."""
    if beside is None:
        return None, None
    found, branches = beside.scores(labels, _whole(examples)), beside.branches(labels)
    without = pool(bare, beside.scores(labels, _bare(examples)), truth, branches)
    return (replace(pool(chances, found, truth, branches), bare=without),
            measure(pooled_apart(chances, found, truth, seed), truth, labels))


def _enough(examples: Sequence[Example], labels: Sequence[str]) -> None:
    count = dict.fromkeys(labels, 0)
    for one in examples:
        count[one.label] += 1
    scarce = [label for label in labels if count[label] < SCARCE]
    if scarce:
        raise Invalid(_("这些类别的例子不到 %(least)d 条：%(names)s。请补上，或者从文件里去掉。") % {
            "least": SCARCE, "names": "、".join(scarce[:10])})


def _digest(examples: Sequence[Example]) -> str:
    """SHA-256 of what was learnt from, so that one can see whether two models saw the same."""
    whole = hashlib.sha256()
    for one in examples:
        for part in (one.title, one.detail, one.label):
            whole.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return whole.hexdigest()


class Learning:
    """Messages made ready to learn from, and what is learnt from all of them or from some."""

    def __init__(self, examples: Sequence[Example], labels: Sequence[str], plan: Plan, kin: Floats | None = None) -> None:
        self.plan = plan
        self.characters = characters()
        self.messages = self.read((one.title, one.detail) for one in examples)
        self.truth = numbers(examples, labels)
        self.wanted = targets(self.truth, np.eye(len(labels)) if kin is None else kin)

    def fit(self, chosen: npt.NDArray[np.bool_] | None = None) -> Learnt:
        """What is learnt from the chosen messages, n-grams and their weights too."""
        messages = self._of(chosen)
        truth, wanted = (self.truth, self.wanted) if chosen is None else (self.truth[chosen], self.wanted[chosen])
        known = [learn(block, messages, truth, wanted.shape[1]) for block in self.plan.blocks]
        features = table(known, messages)
        return Learnt(known, self.weights(features, wanted), naive(features, truth, wanted.shape[1]) if self.plan.second else None)

    def weights(self, features: Any, wanted: Floats) -> Weights:
        """From the features of the chosen messages."""
        return solve(features, wanted, self.plan.ridge)

    def read(self, messages: Iterable[tuple[str, str]]) -> list[Message]:
        """Titles and details as this plan reads them."""
        return [message(title, detail, self.characters, most=self.plan.read) for title, detail in messages]

    def little(self, examples: Sequence[Example]) -> list[list[Message]]:
        """Forms of these messages in which little stands: the heading alone, and that cut short; none where the plan does not ask."""
        if not (self.plan.sure and self.plan.little):
            return []
        return [self.read(((one.title or one.detail)[:most], "") for one in examples) for most in (None, SHORT)]

    def read_apart(self, seed: int, readings: Sequence[Sequence[Message]]) -> list[Scores]:
        """For each of several forms of the messages the scores of every message by what was learnt from the other folds, of their own
        form."""
        fold = folds(groups(self.messages), FOLDS, seed)
        scores = [Scores(np.zeros_like(self.wanted), np.zeros_like(self.wanted) if self.plan.second else None,
                         np.zeros(len(self.wanted), dtype=np.intp)) for _reading in readings]
        for number in range(FOLDS):
            here = fold == number
            if here.any():
                learnt = self.fit(~here)
                for found, read in zip(scores, readings, strict=True):
                    found.put(here, learnt.scores([read[at] for at in np.flatnonzero(here).tolist()]))
        return scores

    def _of(self, chosen: npt.NDArray[np.bool_] | None) -> list[Message]:
        return self.messages if chosen is None else [self.messages[at] for at in np.flatnonzero(chosen).tolist()]
