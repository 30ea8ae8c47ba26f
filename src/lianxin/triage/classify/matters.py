"""Several matters in one message: an offer to split it, never a split."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from .model import Classifier, Guess

CLEAR: Final = 0.8  # from which probability a part of a message is a matter of its own
CLEARER: Final = 0.95  # the same where the writer set nothing between the parts
LEAST: Final = 12  # characters that can be one
MOST: Final = 12  # parts that are looked at
READ: Final = 3_000  # characters of the message
_NUMBER: Final = r"[一二三四五六七八九十]|\d{1,2}"
_PARAGRAPH: Final = re.compile(
    rf"(?:_x000D_|[\r\n])+\s*|(?=(?<!\d)(?:{_NUMBER})[、．]|[（(](?:{_NUMBER})[)）]|[①②③④⑤⑥⑦⑧⑨]"
    r"|另外|此外|还有一[件个]|再就是|另有)")
_SENTENCE: Final = re.compile(r"(?<=[。！？!?；;])")


@dataclass(frozen=True, slots=True)
class Matter:
    """One part of a message that reads as a matter of its own."""

    text: str
    guess: Guess


def reader(classifier: Classifier) -> Callable[[str, float], Guess | None]:
    """How `matters` reads with a model alone."""
    def read(part: str, clear: float) -> Guess | None:
        guess = classifier.read("", part).guesses[0]
        return guess if guess.probability >= clear else None

    return read


def matters(read: Callable[[str, float], Guess | None], text: str,
            alike: Callable[[Guess, Guess], bool] = lambda one, other: one.label == other.label,
            sure: tuple[float, float] = (CLEAR, CLEARER)) -> tuple[Matter, ...]:
    """The matters of `text` in its order; empty when it is one matter, or not clearly more than one. `read` says what a part
    is about when that is at least so probable, `alike` whether two guesses are of one matter, `sure` how probable a part has to be
    where the writer marked the parts and where not.

    The message is cut where its writer cut it: at paragraphs, numbers and words such as 另外, and where there are none, at
    sentences. Parts in a row that read alike are one; what is not clear stays with the part before it. At least two must
    read differently, each surely. A message that comes back to a matter after another is one story and stays whole.
    """
    parts, marked = _parts(text[:READ])
    clear = sure[0] if marked else sure[1]
    if len(parts) < 2:
        return ()
    found: list[Matter] = []
    before = ""  # what stands before the first matter goes with it
    for part in parts:
        guess = read(part, clear) if len(part.strip()) >= LEAST else None
        if guess is None or not guess.words:
            if found:
                found[-1] = Matter(found[-1].text + part, found[-1].guess)
            else:
                before += part
        elif found and alike(guess, found[-1].guess):
            found[-1] = Matter(found[-1].text + part, found[-1].guess)
        else:
            found.append(Matter(part if found else before + part, guess))
    if len(found) < 2 or any(alike(one.guess, other.guess) for one, other in combinations(found, 2)):
        return ()
    # Each is read again as a whole: what does not stay clear, or does not stay itself, was no matter of its own.
    again: list[Matter] = []
    for one in found:
        guess = read(one.text, clear)
        if guess is None or not alike(guess, one.guess):
            return ()
        again.append(Matter(one.text.strip(), guess))
    return tuple(again)


def _parts(text: str) -> tuple[list[str], bool]:
    """The parts, and whether the writer marked them."""
    parts = [one for one in _PARAGRAPH.split(text) if one.strip()]
    marked = len(parts) > 1
    if not marked:
        parts = [one for one in _SENTENCE.split(text) if one.strip()]
    return (parts if len(parts) <= MOST else list(_joined(parts))), marked


def _joined(parts: list[str]) -> Iterator[str]:
    """The shortest neighbours together, until there are few enough."""
    parts = list(parts)
    while len(parts) > MOST:
        place = min(range(len(parts) - 1), key=lambda at: len(parts[at]) + len(parts[at + 1]))
        parts[place:place + 2] = [parts[place] + parts[place + 1]]
    yield from parts
