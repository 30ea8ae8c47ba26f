"""Category from words, by the city's own keyword list and the names of its categories: simple, quick, and it shows its reasons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import sqrt
from typing import Final

from django.utils.translation import gettext as _

from lianxin.cases.models import Category
from lianxin.cases.reference import Reference, reference

_READ_LIMIT = 2_000  # characters; what a message is about stands near its beginning
_EARLY = 40
_NAMED: Final = 2.0  # what a category's own name weighs, all pairs of its characters together, were no other name like it


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One category with a share of belief in 0…1 and the words that made it."""

    code: str
    name: str
    path: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A category that can be suggested: what it is known by, its name, and its keywords with their weights."""

    key: int
    name: str
    words: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """How much a text speaks for a category, 0 and up, and on demand the words that do, strongest first: of a hundred categories
    that a long text touches, three are shown."""

    score: float
    tell: Callable[[], tuple[str, ...]]

    @property
    def words(self) -> tuple[str, ...]:
        return self.tell()


@dataclass(frozen=True, slots=True)
class Rules:
    """The keywords by their first two characters, or by the first where one of a single character begins with it; for each word its
    categories with their weights; the pairs of characters of the categories' names likewise, and the names."""

    by_start: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, tuple[tuple[int, float], ...]]
    pairs: Mapping[str, tuple[tuple[int, float], ...]]
    names: Mapping[int, str]

    @classmethod
    def of(cls, leaves: Iterable[Leaf]) -> Rules:
        rows: dict[str, list[tuple[int, float]]] = {}
        pairs: dict[str, list[tuple[int, float]]] = {}
        names: dict[int, str] = {}
        for leaf in leaves:
            names[leaf.key] = leaf.name.lower()
            for word, weight in leaf.words.items():
                rows.setdefault(word.lower(), []).append((leaf.key, float(weight)))
            own = _pairs(names[leaf.key])
            for pair in own:
                pairs.setdefault(pair, []).append((leaf.key, _NAMED / sqrt(len(own))))
        by_first: dict[str, list[str]] = {}
        weights: dict[str, tuple[tuple[int, float], ...]] = {}
        for word, found in rows.items():
            by_first.setdefault(word[0], []).append(word)
            # A longer word says more; a word shared by several categories says less about each.
            length = 1 + 0.5 * min(len(word) - 2, 3)
            weights[word] = tuple((key, weight * length / sqrt(len(found))) for key, weight in found)
        by_start: dict[str, tuple[str, ...]] = {}
        for first, words in by_first.items():
            single = first in words
            for start in {word[: 1 if single else 2] for word in words}:
                by_start[start] = tuple(word for word in words if word.startswith(start))
        return cls(by_start, weights,
                   {pair: tuple((key, weight / sqrt(len(found))) for key, weight in found) for pair, found in pairs.items()}, names)

    def read(self, text: str) -> dict[int, Found]:
        """The categories of which a keyword, or a part of the name, is in the first 2,000 characters.

        A keyword counts more when it stands in the first sentence and, less and less, when it is said again; a pair of
        characters of a name counts once.
        """
        text = text[:_READ_LIMIT].lower()
        pairs = [one + two for one, two in pairwise(text)]
        found: dict[str, list[int]] = {}
        for starts in (text, pairs):
            for at, start in enumerate(starts):
                if start in self.by_start:
                    for word in self.by_start[start]:
                        if text.startswith(word, at):
                            found.setdefault(word, []).append(at)
        scores: dict[int, float] = {}
        reasons: dict[int, list[str]] = {}
        for word, places in found.items():
            weight = (1.6 if places[0] < _EARLY else 1.0) * (0.75 + 0.25 * min(len(places), 3))
            for key, base in self.weights[word]:
                scores[key] = scores.get(key, 0.0) + base * weight
                reasons.setdefault(key, []).append(word)
        for pair in dict.fromkeys(pairs):
            for key, base in self.pairs.get(pair, ()):
                scores[key] = scores.get(key, 0.0) + base
        return {key: Found(score, partial(self._words, key, text, reasons.get(key, ()), found)) for key, score in scores.items()}

    def _words(self, key: int, text: str, keywords: Iterable[str], found: Mapping[str, list[int]]) -> tuple[str, ...]:
        """The keywords, longest first, then what of the name stands in the text; nothing that is part of a longer one."""
        said: list[str] = []
        for part in (*sorted(keywords, key=lambda word: (-len(word), found[word][0])), *_parts(self.names[key], text)):
            if not any(part in word for word in said):
                said.append(part)
        return tuple(said[:5])


def _pairs(text: str) -> frozenset[str]:
    return frozenset(one + two for one, two in pairwise(text) if not (one.isspace() or two.isspace()))


def _parts(name: str, text: str) -> list[str]:
    """The longest parts of a name, of two characters and more, that are in the text."""
    parts: list[str] = []
    begin = 0
    while begin < len(name) - 1:
        end = begin + 2
        if name[begin:end] not in text:
            begin += 1
            continue
        while end < len(name) and name[begin:end + 1] in text:
            end += 1
        parts.append(name[begin:end])
        begin = end - 1
    return sorted(parts, key=len, reverse=True)


def weighted(cell: str) -> dict[str, float]:
    """`路灯 灯坏:2` → {"路灯": 1.0, "灯坏": 2.0}. Raises ValueError, in words."""
    found: dict[str, float] = {}
    for part in cell.split():
        word, _colon, weight = part.rpartition(":") if ":" in part else (part, "", "1")
        try:
            value = float(weight)
        except ValueError:
            value = 0.0
        if not word or not 0 < value <= 10:
            raise ValueError(_("“%s”：权重应是 0 到 10 之间的数") % part)
        if word.lower() in found:
            raise ValueError(_("“%s”写了两次") % word)
        if len(word) > 40:
            raise ValueError(_("“%s”太长") % word)
        found[word.lower()] = value
    return found


_lock = threading.Lock()
_held: tuple[object, Rules] | None = None  # with the marker of the reference they were made from


def forget() -> None:
    """Drop the list: between tests."""
    global _held
    _held = None


def in_force(held: Reference) -> Rules:
    """The city's rules; their keys are the categories' ids."""
    global _held
    rules = _held
    if rules is not None and rules[0] == held.marker:
        return rules[1]
    with _lock:
        rows = Category.objects.filter(is_leaf=True, active=True).values_list("id", "name", "keywords")
        made = Rules.of(Leaf(pk, name, words) for pk, name, words in rows if pk in held.nodes)
        _held = held.marker, made
        return made


def suggest(text: str, limit: int = 3) -> list[Suggestion]:
    """The likeliest leaf categories; empty when no keyword of the city's list and nothing of a category's name is in the text."""
    held = reference()
    return shares(held, in_force(held).read(text), limit)


def shares(held: Reference, found: Mapping[int, Found], limit: int) -> list[Suggestion]:
    """What the rules believe alone, the likeliest first."""
    said = alone(found)
    ranked = sorted(found, key=lambda pk: (-said[pk], held.nodes[pk].code))
    return [suggestion(held, pk, said[pk], found[pk].words) for pk in ranked[:limit]]


def alone(found: Mapping[int, Found]) -> dict[int, float]:
    """The share of belief of each category where nothing but the rules speaks of it, below 1 together."""
    total = sum(sorted((one.score * one.score for one in found.values()), reverse=True)[:8]) + 1.0
    return {pk: one.score * one.score / total for pk, one in found.items()}


def suggestion(held: Reference, pk: int, score: float, words: tuple[str, ...]) -> Suggestion:
    node = held.nodes[pk]
    return Suggestion(node.code, node.said, " › ".join(held.nodes[i].said for i in reversed(node.lineage)), score, words[:5])
