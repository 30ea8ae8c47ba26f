"""The words a guess rests on: n-grams brought back to their places and grown together to spans of the text."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from .features import Floats, Message

MOST: Final = 5  # spans shown
LONGEST: Final = 8  # characters in one
SHARE: Final = 0.3  # of the strongest n-gram: weaker ones are not shown, nor do they join others
_HAN: Final = 0x3400  # from here on a code is a Chinese character


def spans(message: Message, begin: npt.NDArray[np.intp], size: npt.NDArray[np.intp], pull: Floats) -> tuple[str, ...]:
    """The strongest spans of `message`, strongest first, as they stand in it.

    `begin`, `size` and `pull` tell of each n-gram where it stands among the characters read, how long it is, and how much
    it speaks for the guess. Strong n-grams of two characters or more that overlap are one span; single characters show
    nothing. What is no word (two letters, a number) is left out.
    """
    several = size >= 2
    begin, size, pull = begin[several], size[several], pull[several]
    if not len(pull) or pull.max() <= 0:
        return ()
    strong = pull > SHARE * float(pull.max())
    found: dict[str, float] = {}
    first, last, force = 0, 0, 0.0
    for start, end, one in sorted(zip(begin[strong].tolist(), (begin + size)[strong].tolist(), pull[strong].tolist(), strict=True)):
        if start < last and end - first <= LONGEST:
            last, force = max(last, end), force + one
            continue
        _keep(found, message, first, last, force)
        first, last, force = start, end, one
    _keep(found, message, first, last, force)
    kept: list[str] = []
    for words in sorted(found, key=lambda words: (-found[words], words)):
        if not any(words in one or one in words for one in kept):
            kept.append(words)
    return tuple(kept[:MOST])


def _keep(found: dict[str, float], message: Message, first: int, last: int, force: float) -> None:
    """A span that stands there twice is as strong as where it is strongest."""
    if (message.read[first:last] >= _HAN).sum() >= 2:
        words = message.text[int(message.at[first]):int(message.at[last - 1]) + 1]
        found[words] = max(found.get(words, 0.0), force)
