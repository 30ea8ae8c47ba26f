"""Many messages of one kind that are not one matter: a theme.

What names a place in common is held together by it. A group of several messages that names none has to be alike throughout,
or most of its titles have to share two words that stand apart from each other – what it is about, and what is wanted of it:
人才 … 补贴. All about taxis, or all about the housing fund, share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

LEAST: Final = 6  # messages from which a group may be a theme
ALIKE: Final = 0.35  # mean score of all pairs from which a group is alike throughout
SHARE: Final = 0.7  # of the titles that share two words
PLACED: Final = 0.5  # of the messages that name one place
GAP: Final = 2  # characters between two words; what is nearer may be one word, such as 公积金贷款
COMMON: Final = 0.05  # a word in more titles than this share of all tells nothing

Words = Mapping[str, Sequence[int]]  # pairs of Chinese characters, and where they stand


class Themes:
    """Tells themes among groups of one stream. `heads` are the names of places of each message."""

    def __init__(self, heads: Sequence[frozenset[str]], titles: Sequence[str], fewest: int) -> None:
        """A stream of fewer than `fewest` messages is weighed as one of so many."""
        self._heads = heads
        self._words = [_words(title) for title in titles]
        often = Counter(word for words in self._words for word in words)
        most = COMMON * max(len(titles), fewest)
        self._common = frozenset(word for word, count in often.items() if count > most)

    def theme(self, members: Sequence[int], likeness: float) -> bool:
        """Whether these messages are only of one kind; `likeness` is the mean score of their pairs."""
        if len(members) < LEAST or likeness >= ALIKE:
            return False
        names = Counter(name for index in members for name in self._heads[index])
        return max(names.values(), default=0) < PLACED * len(members) and not self._two_words(members)

    def _two_words(self, members: Sequence[int]) -> bool:
        least = SHARE * len(members)
        held = [self._words[index] for index in members]
        often = Counter(word for words in held for word in words if word not in self._common)
        many = sorted(word for word, count in often.items() if count >= least)
        return any(sum(_apart(words, one, other) for words in held) >= least for one, other in combinations(many, 2))


def _words(title: str) -> Words:
    found: dict[str, list[int]] = {}
    for at in range(len(title) - 1):
        if all("\u4e00" <= character <= "\u9fff" for character in title[at:at + 2]):
            found.setdefault(title[at:at + 2], []).append(at)
    return found


def _apart(words: Words, one: str, other: str) -> bool:
    return any(abs(first - second) >= 2 + GAP for first in words.get(one, ()) for second in words.get(other, ()))
