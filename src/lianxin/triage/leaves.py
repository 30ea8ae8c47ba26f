"""How well the leaves of the city's tree are read: by the rules, by a model, and by both together, each out of fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lianxin.cases.reference import reference

from . import keywords
from .belief import apart, believed
from .classify import Classifier
from .classify.alike import folds, groups
from .classify.features import Floats, characters, message
from .classify.files import Example, Labelled, classes, numbers
from .classify.measures import FIGURES, Read, Truth
from .classify.training import SCARCE, train
from .learnt import beside, enough
from .reading import SHOWN

FOLDS: Final = 3
PARTS: Final = 200  # messages of a fold that are looked at for several matters, as they are and in pairs


@dataclass(frozen=True, slots=True)
class Row:
    """One way of reading: its figures in each fold."""

    name: str
    folds: dict[str, list[float]] = field(default_factory=dict)

    def told(self) -> Iterator[tuple[str, float, float]]:
        """Name, mean over the folds and its standard error (standard deviation of the folds ÷ √folds)."""
        for name, values in self.folds.items():
            yield name, float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)


def measure(examples: Sequence[Example], *, seed: int = 0) -> list[Row]:
    """Three folds, near-duplicates in one. Each is read by what was learnt, pooled and calibrated on the other two; the rules
    learn nothing. Last: offers to split, on messages as they are and on two of different top categories in a row."""
    examples = sorted(examples)
    labels = classes(examples)
    truth = numbers(examples, labels)
    fold = folds(groups([message(one.title, one.detail, characters()) for one in examples]), FOLDS, seed)
    rows = {name: Row(name) for name in ("rules", "model", "together", "together, without headings", "splits")}
    for number in range(FOLDS):
        here = np.flatnonzero(fold == number)
        rest = enough([examples[at] for at in np.flatnonzero(fold != number)], SCARCE)
        if not len(here):
            continue
        classifier = train(Labelled(rest, 0, False), seed=seed, beside=beside(reference())).classifier
        chosen = [examples[at] for at in here]
        bare = [Example("", one.detail or one.title, one.label) for one in chosen]
        for name, (read, said) in {
            "rules": (_rules, chosen), "model": (_model, chosen), "together": (_together, chosen),
            "together, without headings": (_together, bare),
        }.items():
            _add(rows[name], _told(classifier, said, labels, read), truth[here])
        for name, value in _splits(classifier, chosen, seed).items():
            rows["splits"].folds.setdefault(name, []).append(value)
    return list(rows.values())


def _add(row: Row, told: Floats, truth: Truth) -> None:
    read = Read.of(told, truth)
    for name, find in FIGURES.items():
        row.folds.setdefault(name, []).append(find(read))


Reading = Callable[[Classifier, Example], list[tuple[str, float]]]


def _told(classifier: Classifier, examples: Sequence[Example], labels: Sequence[str], read: Reading) -> Floats:
    """The three likeliest of each message; one that no label stands for takes a column of its own."""
    place = {label: at for at, label in enumerate(labels)}
    told = np.zeros((len(examples), len(labels) + SHOWN))
    for row, one in enumerate(examples):
        for rank, (code, chance) in enumerate(read(classifier, one)):
            told[row, place.get(code, len(labels) + rank)] = chance
    return told


def _whole(one: Example) -> str:
    return f"{one.title}\n{one.detail}" if one.title else one.detail


def _rules(_classifier: Classifier, one: Example) -> list[tuple[str, float]]:
    return [(said.code, said.score) for said in keywords.suggest(_whole(one), SHOWN)]


def _model(classifier: Classifier, one: Example) -> list[tuple[str, float]]:
    return [(guess.label, guess.probability) for guess in classifier.read(one.title, one.detail).guesses]


def _together(classifier: Classifier, one: Example) -> list[tuple[str, float]]:
    held = reference()
    belief = believed(held, classifier, one.title, one.detail, keywords.in_force(held).read(_whole(one)))
    best = belief.leaves()[:SHOWN]
    return [(held.nodes[pk].code, chance)
            for (pk, _share, _above), chance in zip(best, belief.told([share for _pk, share, _above in best]), strict=True)]


def _splits(classifier: Classifier, examples: Sequence[Example], seed: int) -> dict[str, float]:
    held = reference()
    rules = keywords.in_force(held)

    def top(code: str) -> str:
        return held.nodes[held.nodes_by_code[code].lineage[-1]].code

    drawn = [examples[at] for at in np.random.default_rng(seed).permutation(len(examples))[:PARTS]]
    offered = sum(bool(apart(held, classifier, rules, one.detail)) for one in drawn)
    pairs = found = right = 0
    for one, two in zip(drawn, [*drawn[1:], drawn[0]], strict=True):
        if top(one.label) == top(two.label):
            continue
        pairs += 1
        said = apart(held, classifier, rules, f"{one.detail}\n{two.detail}")
        found += bool(said)
        right += [top(each.guess.label) for each in said] == [top(one.label), top(two.label)]
    return {"offered on one": offered / len(drawn), "offered on two": found / max(pairs, 1), "cut right": right / max(found, 1)}
