"""What the model in force and the city's rules believe together of one message: a share for every category they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lianxin.cases.reference import Reference

from .classify import Classifier, Guess, Matter, matters
from .classify.model import Weighed
from .classify.pooling import USUAL, Pooling
from .keywords import Found, Rules, alone

SURE: Final = (0.5, 0.9)  # as `matters.CLEAR`, `CLEARER`, where some hundred leaves are told apart: there less is clear
_held: tuple[object, tuple[str, ...], Taught] | None = None


@dataclass(frozen=True, slots=True)
class Taught:
    """The category of each label that is the code of one, or the name; and which labels those are."""

    nodes: tuple[int, ...]
    places: npt.NDArray[np.intp]
    leaves: bool  # at least one is a leaf: then the rules are weighed in

    @property
    def known(self) -> dict[int, int]:
        """For a category its place among `nodes`."""
        return {pk: at for at, pk in enumerate(self.nodes)}


def taught(held: Reference, labels: tuple[str, ...]) -> Taught:
    """Of several categories of one name the one nearest the top. Kept until the city's categories or the model change."""
    global _held
    kept = _held
    if kept is not None and kept[0] == held.marker and kept[1] == labels:
        return kept[2]
    active = sorted((node for node in held.nodes.values() if node.active), key=lambda node: -len(node.lineage))
    named = {node.name: node.id for node in active} | {node.code: node.id for node in active}
    first: dict[int, int] = {}  # where a code and a name mean one category, the first of them
    for place, label in enumerate(labels):
        if label in named:
            first.setdefault(named[label], place)
    made = Taught(tuple(first), np.array(list(first.values()), dtype=np.intp), any(held.nodes[pk].is_leaf for pk in first))
    _held = held.marker, labels, made
    return made


@dataclass(frozen=True, slots=True)
class Belief:
    """Shares by category: of leaves, and of branches where the model was taught no leaf below them. `pooling` says how
    probable the likeliest are; without one the shares are the model's own probabilities."""

    held: Reference
    shares: Mapping[int, float]
    weighed: Weighed
    taught: Taught
    rules: Mapping[int, Found]
    pooling: Pooling | None

    def leaves(self) -> list[tuple[int, float, int | None]]:
        """Leaves with their shares, the likeliest first, and the branch that stood for each. A branch is shared out among the
        leaves below it for which the rules found words."""
        found: list[tuple[int, float, int | None]] = []
        below: dict[int, list[int]] = {}
        for pk in self.rules:
            above = next((one for one in self.held.nodes[pk].lineage[1:] if one in self.shares), None)
            if above is not None and pk not in self.shares:
                below.setdefault(above, []).append(pk)
        for pk, share in self.shares.items():
            if self.held.nodes[pk].is_leaf:
                found.append((pk, share, None))
        for above, leaves in below.items():
            squares = {pk: self.rules[pk].score ** 2 for pk in leaves}
            total = sum(squares.values())
            found += [(pk, self.shares[above] * squares[pk] / total, above) for pk in leaves]
        return sorted(found, key=lambda one: (-one[1], self.held.nodes[one[0]].code))

    def told(self, ranked: Sequence[float]) -> list[float]:
        """How probable the likeliest leaves are."""
        return list(ranked) if self.pooling is None else self.pooling.told(ranked)

    def words(self, pk: int, above: int | None = None) -> tuple[str, ...]:
        """What speaks for a category: the rules' words, then the model's that are not among them."""
        said = list(self.rules[pk].words) if pk in self.rules else []
        at = self.taught.known.get(pk if above is None else above)
        for word in self.weighed.words(int(self.taught.places[at])) if at is not None else ():
            if not any(set(word) & set(one) for one in said):
                said.append(word)
        return tuple(said[:5])

    def guess(self, clear: float) -> Guess | None:
        """The likeliest category as far down the tree as it is at least `clear` probable; None where not even the top is."""
        masses: dict[int, dict[int, float]] = {}  # by depth from the top
        for pk, share in self.shares.items():
            lineage = self.held.nodes[pk].lineage[::-1]
            for depth, one in enumerate(lineage):
                masses.setdefault(depth, {})
                masses[depth][one] = masses[depth].get(one, 0.0) + share
        made: Guess | None = None
        for depth, nodes in sorted(masses.items()):
            best = max(nodes, key=lambda pk: (nodes[pk], pk))
            share = nodes[best]
            if self.pooling is not None:
                share = self.pooling.told([share])[0] if self.held.nodes[best].is_leaf else self.pooling.branch(share, depth)
            if share < clear:
                break
            likeliest = max((pk for pk in self.shares if best in self.held.nodes[pk].lineage), key=lambda pk: self.shares[pk])
            made = Guess(self.held.nodes[best].code, share, self.words(likeliest))
        return made


def believed(held: Reference, classifier: Classifier, title: str, detail: str, rules: Mapping[int, Found]) -> Belief:
    """What a model was taught and what the rules found, pooled. A leaf that the model knows nothing of, neither itself nor a
    branch above it, counts in the pool as if the model found it as likely as any. A model that knows no leaf is not
    pooled: the rules only say what it leaves open."""
    known = taught(held, tuple(classifier.labels))
    weighed = classifier.weigh(title, detail)
    chances = np.asarray(weighed.chances, dtype=np.float64)[known.places]
    nodes, place = list(known.nodes), known.known
    if not known.leaves:
        said = {pk: share for pk, share in alone(rules).items() if not any(one in place for one in held.nodes[pk].lineage)}
        return Belief(held, dict(zip(nodes, chances.tolist(), strict=True)) | said, weighed, known, rules, None)
    pooling = (classifier.pooling or USUAL).of_title(title)
    scores = np.zeros(len(nodes))
    for pk, found in rules.items():
        above = next((one for one in held.nodes[pk].lineage if one in place), None)
        if above is None:
            nodes.append(pk)
            scores = np.append(scores, found.score)
        else:
            scores[place[above]] = max(scores[place[above]], found.score)
    even = np.full(len(nodes) - len(chances), 1 / (len(classifier.labels) + 1))
    shares = pooling.shares(np.concatenate([chances, even]), scores)
    return Belief(held, dict(zip(nodes, shares.tolist(), strict=True)), weighed, known, rules, pooling)


def apart(held: Reference, classifier: Classifier, rules: Rules, text: str) -> tuple[Matter, ...]:
    """The matters of a text that clearly holds more than one; their labels are codes of categories."""
    def read(part: str, clear: float) -> Guess | None:
        return believed(held, classifier, "", part, rules.read(part)).guess(clear)

    def alike(one: Guess, other: Guess) -> bool:
        first, second = held.nodes_by_code[one.label], held.nodes_by_code[other.label]
        return first.id in second.lineage or second.id in first.lineage

    return matters(read, text, alike, SURE) if taught(held, tuple(classifier.labels)).leaves else matters(read, text, alike)
