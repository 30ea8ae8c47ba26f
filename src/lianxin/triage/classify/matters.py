"""Several matters in one message: an offer to split it, never a split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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


def matters(classifier: Classifier, text: str) -> tuple[Matter, ...]:
    """The matters of `text` in its order; empty when it is one matter, or not clearly more than one.

    The message is cut where its writer cut it: at paragraphs, numbers and words such as 另外, and where there are none, at
    sentences. Parts in a row that read alike are one; what is not clear stays with the part before it. At least two must
    read differently, each surely. A message that comes back to a matter after another is one story and stays whole.
    """
    parts, marked = _parts(text[:READ])
    clear = CLEAR if marked else CLEARER
    if len(parts) < 2:
        return ()
    found: list[Matter] = []
    for part in parts:
        guess = classifier.read("", part).guesses[0]
        unclear = len(part.strip()) < LEAST or guess.probability < clear or not guess.words
        if found and (unclear or guess.label == found[-1].guess.label):
            found[-1] = Matter(found[-1].text + part, found[-1].guess)
        elif not unclear:
            found.append(Matter(part, guess))
    if len(found) < 2 or len({one.guess.label for one in found}) < len(found):
        return ()
    # Each is read again as a whole: what does not stay clear, or does not stay itself, was no matter of its own.
    again = [Matter(one.text.strip(), classifier.read("", one.text).guesses[0]) for one in found]
    stays = all(now.guess.label == one.guess.label and now.guess.probability >= clear
                for now, one in zip(again, found, strict=True))
    return tuple(again) if stays else ()


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
