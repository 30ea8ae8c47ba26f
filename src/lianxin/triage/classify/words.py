"""The words a guess rests on: n-grams brought back to their places and grown together to spans of the text."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from .features import BREAK, Floats, Message

MOST: Final = 5  # spans shown
SHORTEST: Final = 2  # characters in one
LONGEST: Final = 8
SHARE: Final = 0.25  # of the strongest character: weaker ones end a span


def spans(message: Message, pull: Floats) -> tuple[str, ...]:
    """The strongest spans of `message`, strongest first, as they stand in it. `pull` is how much each read character
    speaks for the guess; what speaks against it is below 0."""
    if not len(pull) or pull.max() <= 0:
        return ()
    strong = (pull > SHARE * float(pull.max())) & (message.read != BREAK)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], strong, [False]]).astype(np.int8)))
    found: dict[str, float] = {}
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        begin, end = _cut(pull, begin, end)
        if end - begin >= SHORTEST:
            words = message.text[int(message.at[begin]):int(message.at[end - 1]) + 1]
            found[words] = found.get(words, 0.0) + float(pull[begin:end].sum())
    ranked = sorted(found, key=lambda words: (-found[words], words))
    kept: list[str] = []
    for words in ranked:
        if not any(words in one or one in words for one in kept):
            kept.append(words)
    return tuple(kept[:MOST])


def _cut(pull: npt.NDArray[np.float64], begin: int, end: int) -> tuple[int, int]:
    """The strongest stretch of at most `LONGEST` characters."""
    if end - begin <= LONGEST:
        return begin, end
    sums = np.convolve(pull[begin:end], np.ones(LONGEST), mode="valid")
    start = begin + int(sums.argmax())
    return start, start + LONGEST
