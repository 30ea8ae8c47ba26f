"""Category from words, by the city's own keyword list: simple, quick, and it shows its reasons."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import sqrt

from lianxin.cases.models import Category
from lianxin.cases.reference import Reference, reference

_READ_LIMIT = 2_000  # characters; what a message is about stands near its beginning
_EARLY = 40


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One category with a share of belief in 0…1 and the words that made it."""

    code: str
    name: str
    path: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    """The keyword list by first character, and for each word its categories with their weights."""

    marker: tuple[object, ...]
    by_first: dict[str, tuple[str, ...]]
    weights: dict[str, tuple[tuple[int, float], ...]]


_lock = threading.Lock()
_held: _Rules | None = None


def forget() -> None:
    """Drop the list: between tests."""
    global _held
    _held = None


def _rules(held: Reference) -> _Rules:
    global _held
    rules = _held
    if rules is not None and rules.marker == held.marker:
        return rules
    with _lock:
        rows: dict[str, list[tuple[int, float]]] = {}
        for pk, words in Category.objects.filter(is_leaf=True, active=True).values_list("id", "keywords"):
            if pk in held.nodes:
                for word, weight in words.items():
                    rows.setdefault(word.lower(), []).append((pk, float(weight)))
        by_first: dict[str, list[str]] = {}
        weights: dict[str, tuple[tuple[int, float], ...]] = {}
        for word, found in rows.items():
            by_first.setdefault(word[0], []).append(word)
            # A longer word says more; a word shared by several categories says less about each.
            length = 1 + 0.5 * min(len(word) - 2, 3)
            weights[word] = tuple((pk, weight * length / sqrt(len(found))) for pk, weight in found)
        rules = _held = _Rules(held.marker, {first: tuple(words) for first, words in by_first.items()}, weights)
        return rules


def suggest(text: str, limit: int = 3) -> list[Suggestion]:
    """The likeliest leaf categories; empty when no keyword of the city's list is in the text.

    A word counts more when it stands in the first sentence and, less and less, when it is said again.
    """
    held = reference()
    rules = _rules(held)
    text = text[:_READ_LIMIT].lower()
    found: dict[str, list[int]] = {}
    for at, character in enumerate(text):
        for word in rules.by_first.get(character, ()):
            if text.startswith(word, at):
                found.setdefault(word, []).append(at)
    scores: dict[int, float] = {}
    reasons: dict[int, list[str]] = {}
    for word, places in found.items():
        weight = (1.6 if places[0] < _EARLY else 1.0) * (0.75 + 0.25 * min(len(places), 3))
        for pk, base in rules.weights[word]:
            scores[pk] = scores.get(pk, 0.0) + base * weight
            reasons.setdefault(pk, []).append(word)
    ranked = sorted(scores.items(), key=lambda item: (-item[1], held.nodes[item[0]].code))
    total = sum(score * score for _pk, score in ranked[:8]) + 1.0
    result = []
    for pk, score in ranked[:limit]:
        node = held.nodes[pk]
        path = " › ".join(held.nodes[i].said for i in reversed(node.lineage))
        words = tuple(sorted(reasons[pk], key=lambda word: (-len(word), found[word][0]))[:5])
        result.append(Suggestion(node.code, node.said, path, score * score / total, words))
    return result
