"""How alike any two messages of a stream are: by their words, by the trouble apart from the place, by the place.

A score in 0…1 for every pair worth looking at; who wrote a message never counts. The words are runs of two or three
characters (TF-IDF; Salton & Buckley 1988), the trouble is compared in a space of fewer dimensions in which different
words for one thing lie near each other (latent semantic analysis; Deerwester et al. 1990). Texts that share a template
but name different places, routes or districts are different matters: that weighs more than the words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log
from typing import Any, Final

import numpy as np

from .messages import READ, Message
from .names import HEAD, Place, Reader, plain
from .themes import Themes

# Words of asking and complaining: they make two letters alike and say nothing about the matter.
_FORMAL: Final = re.compile(
    r"(?:20)?[12]\d年度?|[一二三四五六七八九十\d]+(?:期|栋|单元)|[A-Z]\d{0,2}(?:区|县|市)|西地省|咨询|关于|请问|询问|建议|希望|恳请|恳求|请求|强烈|要求|反映|投诉|举报|反应|"
    "再次|相关|有关|问题|何时|什么时候|什么|为什么|为何|怎么|怎样|如何|能否|可否|是否|可以|尽快|加快|力度|步伐|情况|政府|领导|部门|解决|"
    "处理|一下|请|的|了|吗|呢|吧|市"
)
DIMENSIONS: Final = 100
WORTH: Final = 0.07  # cosine of the words from which a pair without a common name is looked at
COMMON: Final = 150  # a name in more messages than this tells no place apart
PAIRED: Final = 100  # messages with one name, up to which all of them are looked at in pairs
FEWEST: Final = 2000  # a smaller stream is weighed as if it had so many messages, or what many raise would seem common
BLOCK: Final = 512
LEAST: Final = 0.02  # a lower score counts as none
UNKNOWN_GAP: Final = 60.0  # days, where a message has no time


@dataclass(frozen=True, slots=True)
class Weights:
    """What each sign of likeness is worth, on the logit scale. Set on hand-made topics (docs/reference/hot-issues.md)."""

    title: float = 2.5
    text: float = 4.5
    trouble: float = 3.0
    name: float = -1.0  # a shared name alone: the same place has many troubles
    name_trouble: float = 2.5  # a shared name and the same trouble
    names_differ: float = -2.5
    one_named: float = -1.2
    districts_differ: float = -2.2
    lines_differ: float = -1.8
    gap: float = -0.8  # times log(1 + days between) / 5
    base: float = -3.2
    most_differing: float = -3.0  # whatever the words: the most for a pair whose names, or routes, differ


WEIGHTS: Final = Weights()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of places in the list of messages, left < right, and their score in 0…1. `themes` tells groups that are only of one
    kind."""

    left: Any
    right: Any
    score: Any
    themes: Themes | None = None


def pairs(messages: Sequence[Message], reader: Reader) -> Pairs:
    """All pairs that may be one matter; time grows with the number of pairs that share rare words or a name."""
    if len(messages) < 2:
        nothing = np.zeros(0, dtype=int)
        return Pairs(nothing, nothing, np.zeros(0))
    places = [reader.of(message) for message in messages]
    known = _Names(messages, places)
    words = _Words(messages, places, known)
    left, right = _worth(words, known)
    signs = _Signs(places, known, messages)
    score = _score(words, signs, left, right)
    kept = score >= LEAST
    titles = [_core(plain(message.title)) for message in messages]
    return Pairs(left[kept], right[kept], score[kept], Themes(known.head, titles, FEWEST))


class _Words:
    """Vectors of the titles, of the texts, and of the trouble (names taken out)."""

    def __init__(self, messages: Sequence[Message], places: Sequence[Place], known: _Names) -> None:
        titles = [plain(message.title) for message in messages]
        texts = [place.text[:READ] for place in places]
        named = [head | frozenset(place.names) for head, place in zip(known.head, places, strict=True)]
        self.title = _vectors([_core(title) for title in titles], 3)
        self.text = _vectors([_core(text) for text in texts], 2)
        self.trouble = _dense(
            _vectors([_core(_without(title, names)) for title, names in zip(titles, named, strict=True)], 3),
            _vectors([_core(_without(text, names)) for text, names in zip(texts, named, strict=True)], 2),
        )


def _core(text: str) -> str:
    return _FORMAL.sub(" ", text)


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted(names, key=lambda name: (-len(name), name)):
        text = text.replace(name, " ")
    return text


def _counted(texts: Sequence[str], longest: int) -> Any:
    """How often each run of two to `longest` characters without a blank stands in each text: one row for each text. All
    texts are read at once, as numbers: a run is its characters' code points side by side, 21 bits each."""
    from scipy.sparse import coo_matrix

    joined = np.frombuffer("".join(f"{text} " for text in texts).encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    row = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    runs, rows = [], []
    run, whole = joined << 42, joined != ord(" ")
    for size in range(2, longest + 1):
        run, whole = run[:-1] | joined[size - 1:] << 21 * (3 - size), whole[:-1] & (joined[size - 1:] != ord(" "))
        runs.append(run[whole])
        rows.append(row[:len(whole)][whole])
    known, column = np.unique(np.concatenate(runs), return_inverse=True)
    found = np.concatenate(rows)
    counts = coo_matrix((np.ones(len(found), dtype=np.float32), (found, column)), shape=(len(texts), max(1, len(known))))
    return counts.tocsr()


def _vectors(texts: Sequence[str], longest: int) -> Any:
    """Rows of length 1, or 0 where nothing is left of the text."""
    from scipy.sparse import diags
    from sklearn.preprocessing import normalize

    counts = _counted(texts, longest)
    counts.data = 1 + np.log(counts.data)
    messages = np.bincount(counts.indices, minlength=counts.shape[1])
    rare = np.log((1 + max(len(texts), FEWEST)) / (1 + messages)) + 1
    return normalize(counts @ diags(rare.astype(np.float32)))


def _dense(titles: Any, texts: Any) -> Any:
    """The messages in `DIMENSIONS` dimensions, rows of length 1; the same every time (fixed seed)."""
    from scipy.sparse import hstack
    from sklearn.utils.extmath import randomized_svd

    together = hstack([titles, texts]).tocsr()
    size = min(DIMENSIONS, min(together.shape) - 1)
    if size < 1 or together.nnz == 0:
        return np.zeros((together.shape[0], 1), dtype=np.float32)
    left, values, _right = randomized_svd(together, size, n_iter=2, random_state=0)
    vectors = left * values
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)


class _Names:
    """Which names of all the messages stand where: in the head (title, or the beginning where the title names nothing)
    and anywhere in the text."""

    def __init__(self, messages: Sequence[Message], places: Sequence[Place]) -> None:
        known = frozenset(name for place in places for name in place.names)
        begun: dict[str, set[int]] = defaultdict(set)
        for name in known:
            begun[name[:2]].add(len(name))
        self.anywhere = [_occurring(place.text[:READ + HEAD], known, begun) for place in places]
        self.head = [
            _occurring(plain(message.title), known, begun) or _occurring(plain(message.detail)[:HEAD], known, begun)
            for message in messages
        ]
        self.count = Counter(name for names in self.anywhere for name in names)
        self.worth = {name: min(1.0, max(0.0, log(COMMON / count) / log(COMMON / 3))) for name, count in self.count.items()}

    def best(self, names: frozenset[str]) -> float:
        return max((self.worth.get(name, 0.0) for name in names), default=0.0)


def _occurring(text: str, known: frozenset[str], begun: Mapping[str, set[int]]) -> frozenset[str]:
    """The known names in a text. `begun` has the lengths of those that begin with two characters."""
    return frozenset(part for start in range(len(text) - 1) for size in begun.get(text[start:start + 2], ())
                     if (part := text[start:start + size]) in known)


def _worth(words: _Words, known: _Names) -> tuple[Any, Any]:
    """Pairs worth looking at: alike in words, or with one rare name."""
    from scipy.sparse import hstack

    both = hstack([words.title, words.text]).tocsr() * np.sqrt(0.5)
    turned = both.T.tocsc()
    number = both.shape[0]
    codes = []
    for begin in range(0, number, BLOCK):
        near = (both[begin:begin + BLOCK] @ turned).tocoo()
        row = near.row.astype(np.int64) + begin
        kept = (near.data >= WORTH) & (near.col > row)
        codes.append(row[kept] * number + near.col[kept])
    by_name: dict[str, list[int]] = defaultdict(list)
    for index, names in enumerate(known.anywhere):
        for name in names:
            if known.count[name] <= PAIRED:
                by_name[name].append(index)
    named = {one * number + other for indices in by_name.values() for one, other in combinations(indices, 2)}
    code = np.unique(np.concatenate([*codes, np.fromiter(named, dtype=np.int64, count=len(named))]))
    return code // number, code % number


class _Signs:
    """Agreement and disagreement of two messages about the place, and the time between them."""

    def __init__(self, places: Sequence[Place], known: _Names, messages: Sequence[Message]) -> None:
        self._places, self._known = places, known
        self._days = [message.at.toordinal() if message.at else None for message in messages]

    def of(self, one: int, other: int) -> tuple[float, float, float, float, float, float]:
        """Worth of a name in both heads; then 0 or 1: names differ, one only is named, districts differ, lines differ;
        then days between."""
        names, anywhere, best = self._known.head, self._known.anywhere, self._known.best
        shared = best(names[one] & names[other])
        met = max(shared, best((names[one] & anywhere[other]) | (names[other] & anywhere[one]))) >= 0.05
        first, second = self._places[one], self._places[other]
        since, until = self._days[one], self._days[other]
        return (
            shared,
            float(bool(names[one]) and bool(names[other]) and not met),
            float(bool(names[one]) != bool(names[other]) and not met),
            float(bool(first.districts) and bool(second.districts) and not first.districts & second.districts),
            float(first.lines != second.lines and not first.lines & second.lines),
            abs(since - until) if since is not None and until is not None else UNKNOWN_GAP,
        )


def _score(words: _Words, signs: _Signs, left: Any, right: Any) -> Any:
    found = np.array([signs.of(one, other) for one, other in zip(left.tolist(), right.tolist(), strict=True)],
                     dtype=np.float64).reshape(-1, 6)
    name, differ, one_named, districts, lines, gap = found.T
    trouble = np.einsum("ij,ij->i", words.trouble[left], words.trouble[right])
    logit = (
        WEIGHTS.base
        + WEIGHTS.title * _cosines(words.title, left, right)
        + WEIGHTS.text * _cosines(words.text, left, right)
        + WEIGHTS.trouble * trouble
        + WEIGHTS.name * name
        + WEIGHTS.name_trouble * name * trouble
        + WEIGHTS.names_differ * differ
        + WEIGHTS.one_named * one_named
        + WEIGHTS.districts_differ * districts
        + WEIGHTS.lines_differ * lines
        + WEIGHTS.gap * np.log1p(gap) / 5
    )
    apart = (differ > 0) | (lines > 0)
    logit[apart] = np.minimum(logit[apart], WEIGHTS.most_differing)
    return 1 / (1 + np.exp(-logit))


def _cosines(vectors: Any, left: Any, right: Any) -> Any:
    found = np.empty(len(left))
    for begin in range(0, len(left), 50_000):
        part = slice(begin, begin + 50_000)
        found[part] = np.asarray(vectors[left[part]].multiply(vectors[right[part]]).sum(axis=1)).ravel()
    return found
