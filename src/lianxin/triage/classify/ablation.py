"""What each part of the way of learning is worth: every variant judged on the same folds, near-duplicates together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .calibration import calibrate
from .features import Block, Floats
from .files import Example, Labelled, classes
from .learning import Weights, solve
from .measures import Measures, Read, Truth, accuracy, draws, ece, macro_f1, measure
from .opinions import calibrated_apart
from .training import PLAN, SHORT, Learning, Plan


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of learning, named as in the table."""

    name: str
    plan: Plan = PLAN
    how: type[Learning] = Learning


@dataclass(frozen=True, slots=True)
class Row:
    """What a variant does out of fold; `less` is its macro-F1 minus that of the first variant, with the standard error of
    the paired difference; `seconds` of CPU for all folds."""

    name: str
    measures: Measures
    less: float
    less_error: float
    seconds: float


class Doubting(Learning):
    """Confident learning (Northcutt et al. 2021): a message whose label is unlikely by what the others teach counts a tenth."""

    def weights(self, features: Any, wanted: Floats) -> Weights:
        likely = _inner(features, wanted, self.plan.ridge)[np.arange(len(wanted)), wanted.argmax(axis=1)]
        return solve(features, wanted, self.plan.ridge, np.where(likely < 0.05, 0.1, 1.0))


class Softened(Learning):
    """Every label is taken as three tenths of what the others teach about it."""

    def weights(self, features: Any, wanted: Floats) -> Weights:
        soft = 2 * _inner(features, wanted, self.plan.ridge) - 1
        return solve(features, 0.7 * wanted + 0.3 * soft, self.plan.ridge)


class Balanced(Learning):
    """Rare categories count as much as frequent ones."""

    def weights(self, features: Any, wanted: Floats) -> Weights:
        label = wanted.argmax(axis=1)
        count = np.bincount(label, minlength=wanted.shape[1])
        return solve(features, wanted, self.plan.ridge, len(label) / (count[label] * wanted.shape[1]))


def _inner(features: Any, wanted: Floats, ridge: float) -> Floats:
    """Probabilities of each message by what four fifths of the others teach."""
    fold = np.arange(len(wanted)) % 5
    scores = np.zeros_like(wanted)
    for number in range(5):
        scores[fold == number] = solve(features[fold != number], wanted[fold != number], ridge).scores(features[fold == number])
    return calibrate(scores, wanted.argmax(axis=1)).probabilities(scores)


class _Library(Learning):
    """A linear model of scikit-learn on the same features."""

    def make(self) -> Any:
        raise NotImplementedError

    def weights(self, features: Any, wanted: Floats) -> Weights:
        made = self.make().fit(features, wanted.argmax(axis=1))
        if hasattr(made, "coef_"):
            return Weights(made.coef_.T, made.intercept_)
        return Weights(made.feature_log_prob_.T, np.zeros(wanted.shape[1]))


class Support(_Library):
    """A linear support vector machine."""

    def make(self) -> Any:
        from sklearn.svm import LinearSVC

        return LinearSVC(C=0.5, random_state=0)


class Logistic(_Library):
    """Multinomial logistic regression."""

    def make(self) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=30, max_iter=200)


class Bayes(_Library):
    """Complement naive Bayes."""

    def make(self) -> Any:
        from sklearn.naive_bayes import ComplementNB

        return ComplementNB(alpha=0.1)


def _blocks(change: Callable[[Block], Block | None]) -> Plan:
    return replace(PLAN, blocks=tuple(made for block in PLAN.blocks if (made := change(block)) is not None))


VARIANTS: Final[tuple[Variant, ...]] = (
    Variant("as trained"),
    Variant("without a second opinion", replace(PLAN, second=False)),
    Variant("as sure as the scores say", replace(PLAN, sure=False)),
    Variant("as sure of little as of enough", replace(PLAN, little=False)),
    Variant("without telling weights", _blocks(lambda one: replace(one, telling=0.0))),
    Variant("telling weights to the power of 1", _blocks(lambda one: replace(one, telling=1.0))),
    Variant("without the title's own block", _blocks(lambda one: one if one.zone == "whole" else None)),
    Variant("pairs only, no single characters", _blocks(lambda one: replace(one, sizes=(2,)))),
    Variant("1–3 characters", _blocks(lambda one: replace(one, sizes=(1, 2, 3)))),
    Variant("300 characters of the detail", replace(PLAN, read=300)),
    Variant("3,000 characters of the detail", replace(PLAN, read=3_000)),
    Variant("ridge 0.2", replace(PLAN, ridge=0.2)),
    Variant("ridge 0.8", replace(PLAN, ridge=0.8)),
    Variant("doubtful labels count a tenth", how=Doubting),
    Variant("labels softened by 0.3", how=Softened),
    Variant("categories balanced", how=Balanced),
    Variant("linear SVM (C 0.5)", how=Support),
    Variant("logistic regression (C 30)", how=Logistic),
    Variant("complement naive Bayes", how=Bayes),
)


def ablate(held: Labelled, *, seed: int) -> Iterator[Row]:
    """Every variant over all messages of the file, whatever their part, out of fold."""
    examples = sorted(held.examples)
    labels = classes(examples)
    first: Floats | None = None
    for variant in VARIANTS:
        began = time.process_time()
        learning = variant.how(examples, labels, variant.plan)
        scores, *little = learning.read_apart(seed, [learning.messages, *learning.little(examples)])
        seconds = time.process_time() - began
        chances = calibrated_apart(scores, learning.truth, seed, sure=variant.plan.sure, little=little)
        first = chances if first is None else first
        less, error = _difference(chances, first, learning.truth, seed)
        yield Row(variant.name, measure(chances, learning.truth, labels), less, error, seconds)


def _difference(one: Floats, other: Floats, truth: Truth, seed: int) -> tuple[float, float]:
    """Macro-F1 of one minus that of the other, and its standard error, from a bootstrap over messages."""
    if one is other:
        return 0.0, 0.0
    first, second = Read.of(one, truth), Read.of(other, truth)
    found = [macro_f1(first.drawn(chosen)) - macro_f1(second.drawn(chosen)) for chosen in draws(len(truth), seed)]
    return macro_f1(first) - macro_f1(second), float(np.std(found))


@dataclass(frozen=True, slots=True)
class Slice:
    """Messages of one kind, and how well they are read out of fold."""

    name: str
    n: int
    accuracy: float
    error: float
    sure: float  # mean probability of the first guess
    ece: float


LENGTHS: Final = (50, 100, 200, 400, 800, 1_600)


def fairness(held: Labelled, *, seed: int) -> Iterator[Slice]:
    """Whom the model serves worse: by length of the message, without its title, in traditional characters."""
    import opencc

    traditional: Any = opencc.OpenCC("s2tw").convert
    changes: dict[str, Callable[[Example], tuple[str, str]]] = {
        "all, without their titles": lambda one: ("", one.detail or one.title),
        "all, titles alone": lambda one: (one.title or one.detail, ""),
        "all, eight characters of the title": lambda one: ((one.title or one.detail)[:SHORT], ""),
        "all, twelve characters of the middle": lambda one: (_middle(one), ""),
        "all, in traditional characters": lambda one: (traditional(one.title), traditional(one.detail)),
    }
    examples = sorted(held.examples)
    learning = Learning(examples, classes(examples), PLAN)
    forms = learning.little(examples)
    scores, *read = learning.read_apart(seed, [learning.messages, *forms, *(
        learning.read(map(change, examples)) for change in changes.values())])
    little, changed = read[:len(forms)], read[len(forms):]
    chances = calibrated_apart(scores, learning.truth, seed, little=little)
    lengths = np.array([len(one.detail) for one in examples])
    for low, high in zip((0, *LENGTHS), (*LENGTHS, None), strict=True):
        chosen = (lengths >= low) & ((lengths < high) if high else True)
        if chosen.any():
            yield _slice(f"{low}–{high - 1} characters" if high else f"{low} characters and more", chances[chosen], learning.truth[chosen])
    yield _slice("all", chances, learning.truth)
    for (name, change), told in zip(changes.items(), changed, strict=True):
        bare = not any(change(one)[0] for one in examples)
        yield _slice(name, calibrated_apart(told if bare else scores, learning.truth, seed, little=little, told=told), learning.truth)


def _middle(one: Example) -> str:
    text = one.detail or one.title
    return text[len(text) // 2:][:12]


def _slice(name: str, chances: Floats, truth: Truth) -> Slice:
    read = Read.of(chances, truth)
    right = accuracy(read)
    return Slice(name, len(truth), right, (right * (1 - right) / len(truth)) ** 0.5, float(read.sure.mean()), ece(read))
