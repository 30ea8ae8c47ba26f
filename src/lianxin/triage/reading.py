"""What a message is about: the model in force, and the city's keyword rules where it has learnt nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from lianxin.cases.reference import Node, Reference, reference

from . import keywords, store
from .keywords import Suggestion
from .models import LearntModel

WIDE: Final = 12  # so many of the rules' categories are looked at before they are weighed
LEAST: Final = 0.02  # what is less likely is not shown


@dataclass(frozen=True, slots=True)
class Heard:
    """The likeliest categories, best first. `abstains` says that nobody should take the first without looking; `model` is
    the version that read, None where the rules read alone."""

    found: tuple[Suggestion, ...]
    abstains: bool
    model: LearntModel | None

    @property
    def first(self) -> Suggestion | None:
        """The category to fill in; None where none is sure enough."""
        return None if self.abstains or not self.found else self.found[0]


def heard(text: str, limit: int = 3) -> Heard:
    """Read a message of up to 12,000 characters.

    A model that was taught the leaves says the leaf. One that was taught a branch only, or the top, says how likely the
    branch is, and the rules share that out among the leaves below it for which they found words. A category without
    examples is the rules' alone, with their own share of belief.
    """
    rules = keywords.suggest(text, limit=WIDE)
    held, in_force = reference(), store.in_force()
    if in_force is None:
        return _judged(rules[:limit], None)
    model, classifier = in_force
    said: dict[int, tuple[float, tuple[str, ...]]] = {}
    known = _nodes(held, tuple(classifier.labels))
    for guess in classifier.read("", text).guesses:
        if guess.label in known:
            said[known[guess.label]] = (guess.probability, tuple(guess.words))
    taught = frozenset(known.values())
    found = [_suggestion(held, held.nodes[pk], chance, words) for pk, (chance, words) in said.items()
             if held.nodes[pk].is_leaf]
    found += _below(held, rules, said, taught)
    found.sort(key=lambda one: (-one.score, one.code))
    return _judged([one for one in found if one.score >= LEAST][:limit], model)


def several(text: str) -> tuple[tuple[str, str], ...]:
    """The matters of a message that clearly holds more than one, in its order: the words of each, and what it is about.
    Empty for one matter, and where no model reads."""
    in_force = store.in_force()
    if in_force is None:
        return ()
    from .classify import matters

    held = reference()
    known = _nodes(held, tuple(in_force[1].labels))
    return tuple((one.text, held.nodes[known[one.guess.label]].said if one.guess.label in known else one.guess.label)
                 for one in matters(in_force[1], text))


def _judged(found: Sequence[Suggestion], model: LearntModel | None) -> Heard:
    return Heard(tuple(found), not found or found[0].score < settings.LIANXIN_TRIAGE_SURE, model)


def _nodes(held: Reference, labels: tuple[str, ...]) -> dict[str, int]:
    """The category of each label that is the code of one, or the name; of several of a name the one nearest the top."""
    active = sorted((node for node in held.nodes.values() if node.active), key=lambda node: -len(node.lineage))
    found = {node.name: node.id for node in active} | {node.code: node.id for node in active}
    return {label: found[label] for label in labels if label in found}


def _below(held: Reference, rules: Sequence[Suggestion], said: dict[int, tuple[float, tuple[str, ...]]],
           taught: frozenset[int]) -> list[Suggestion]:
    """The rules' leaves that the model was not taught: a share of their branch where it was taught that, else as they are."""
    branch: dict[str, int | None] = {}
    for one in rules:
        node = held.nodes_by_code[one.code]
        if node.id not in taught:
            branch[one.code] = next((pk for pk in node.lineage[1:] if pk in taught), None)
    sums: dict[int | None, float] = {}
    for one in rules:
        if one.code in branch:
            sums[branch[one.code]] = sums.get(branch[one.code], 0.0) + one.score
    result = []
    for one in rules:
        if one.code not in branch:
            continue
        above = branch[one.code]
        if above is None:
            result.append(one)
        else:
            chance, words = said.get(above, (0.0, ()))
            share = chance * one.score / sums[above]
            result.append(Suggestion(one.code, one.name, one.path, share, tuple(dict.fromkeys((*one.words, *words)))[:5]))
    return result


def _suggestion(held: Reference, node: Node, chance: float, words: tuple[str, ...]) -> Suggestion:
    return Suggestion(node.code, node.said, " › ".join(held.nodes[pk].said for pk in reversed(node.lineage)), chance, words[:5])
