"""Text as numbers: characters brought to one form, their n-grams, and the weights of these.

An n-gram of one to four characters is one integer: sixteen bits a character, exact, without a hash and without a
dictionary of strings. Every character keeps its place, so that what a reading rests on can be shown in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint16]
Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

PLANE: Final = 0x10000  # characters beyond the first plane are all read as one
BREAK: Final = 0x20  # what stands for anything that is neither letter, sign nor digit
DIGIT: Final = ord("0")
_OTHER: Final = 0xFFFD
ZONES: Final = ("title", "whole")
LONGEST: Final = 4  # characters in an n-gram
TITLE: Final = 200  # characters of a title that are read
READ: Final = 1_000  # characters of the detail that are read: what a message is about stands at its beginning
FIRST: Final = 40  # characters of a first sentence that stand in for a title
SENTENCE: Final = 6  # characters that make a sentence
FIRM: Final = 1.0  # messages that an n-gram is thought to have been seen in besides, with the usual labels
TOLD: Final = 0.3  # what an n-gram weighs that tells nothing
_SENTENCE: Final = re.compile(r"[。！？!?；;，,：:\n]+")
_GREETING: Final = re.compile(r"\s*(?:尊敬|敬爱|各位|您好|你好|领导)")
_LINE: Final = "_x000D_"  # what spreadsheets make of a line break
_BLANK: Final = " " * len(_LINE)


@cache
def characters() -> Codes:
    """For every character of the first plane the one it is read as.

    Full-width as half-width (NFKC, where that is one character), capitals as small letters, traditional as simplified
    (OpenCC, character by character), digits as 0, everything that is no letter as a break.
    """
    import opencc

    plain = [_plain(chr(code)) for code in range(PLANE)]
    simple = opencc.OpenCC("t2s").convert("\n".join(plain)).split("\n")
    table = np.full(PLANE, BREAK, dtype=np.uint16)
    for code, one in enumerate(simple):
        if one != " ":
            table[code] = ord(one) if len(one) == 1 and ord(one) < PLANE else _OTHER
    return table


def _plain(one: str) -> str:
    if unicodedata.category(one) in ("Cs", "Cc", "Co", "Cn"):
        return " "
    folded = unicodedata.normalize("NFKC", one).lower()
    one = folded if len(folded) == 1 else one
    kind = unicodedata.category(one)
    return "0" if kind[0] == "N" and kind != "Nl" else one if kind[0] == "L" else " "


def codes(text: str, table: Codes) -> Codes:
    """One code for each character of `text`, in place."""
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return table[np.minimum(raw, _OTHER)]


def kept(found: Codes) -> Places:
    """The places that are read: a run of breaks or of digits counts once."""
    if not len(found):
        return np.zeros(0, dtype=np.intp)
    runs = (found == BREAK) | (found == DIGIT)
    stays = np.ones(len(found), dtype=bool)
    stays[1:] = ~(runs[1:] & (found[1:] == found[:-1]))
    return np.flatnonzero(stays)


@dataclass(frozen=True, slots=True)
class Block:
    """One family of n-grams: where in a message, how long, which are known, and its share in the whole."""

    zone: str  # one of ZONES
    sizes: tuple[int, ...]  # characters, 1–4
    share: float = 1.0
    least: int = 2  # messages an n-gram must stand in to be learnt
    most: int = 150_000  # n-grams learnt, those in most messages first
    telling: float = 0.6  # how much more an n-gram weighs that tells of the label; 0: rarity alone

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, said: dict[str, Any]) -> Block:
        return cls(**{**said, "sizes": tuple(said["sizes"])})


def grams(read: Codes, sizes: tuple[int, ...]) -> list[tuple[int, Keys]]:
    """For each size the n-grams in order; those across a break are 0."""
    wide = read.astype(np.uint64)
    blank = read == BREAK
    found = []
    for size in sizes:
        count = len(read) - size + 1
        if count <= 0:
            continue
        key = wide[:count].copy()
        crossing = blank[:count].copy()
        for step in range(1, size):
            key = (key << np.uint64(16)) | wide[step:step + count]
            crossing |= blank[step:step + count]
        key[crossing] = 0
        found.append((size, key))
    return found


def counted(read: Codes, sizes: tuple[int, ...]) -> tuple[Keys, npt.NDArray[np.intp]]:
    """The n-grams of a text, each once, ascending, with how often."""
    parts = [key for _size, key in grams(read, sizes)]
    if not parts:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.intp)
    keys, counts = np.unique(np.concatenate(parts), return_counts=True)
    return (keys[1:], counts[1:]) if len(keys) and keys[0] == 0 else (keys, counts)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is read. `text` is the title, a line break and the detail; `read` are the codes of the places `at`
    in `text`, and those from `title[0]` to before `title[1]` are the title."""

    text: str
    read: Codes
    at: Places
    title: tuple[int, int]

    def zone(self, name: str) -> Codes:
        return self.read[slice(*self.title)] if name == "title" else self.read


def message(title: str, detail: str, table: Codes, *, most: int = READ) -> Message:
    """Bring a message to the form it is read in: of the detail the first `most` characters. Where there is no title, the
    first sentence that is more than a greeting serves as one."""
    title, detail = title.strip()[:TITLE], detail.strip().replace(_LINE, _BLANK)[:most]
    text = f"{title}\n{detail}" if title else detail
    begin, end = (0, len(title)) if title else _first_sentence(detail)
    found = codes(text, table)
    at = kept(found)
    ends = np.searchsorted(at, [begin, end])
    return Message(text, found[at], at, (int(ends[0]), int(ends[1])))


def _first_sentence(detail: str) -> tuple[int, int]:
    begin = 0
    for match in _SENTENCE.finditer(detail):
        end = match.start()
        if end - begin >= SENTENCE and not _GREETING.match(detail, begin, end):
            return begin, min(end, begin + FIRST)
        begin = match.end()
    return (0, min(len(detail), FIRST)) if len(detail) - begin < SENTENCE else (begin, min(len(detail), begin + FIRST))


@dataclass(frozen=True, slots=True)
class Known:
    """What a block has learnt: its n-grams ascending, and how much each weighs."""

    block: Block
    keys: Keys
    weight: npt.NDArray[np.float32]

    def row(self, found: Message) -> tuple[Places, npt.NDArray[np.float32]]:
        """Columns and values of one message; their squares add up to the block's share."""
        keys, counts = counted(found.zone(self.block.zone), self.block.sizes)
        column, here = self.find(keys)
        return column, self.values(column, counts[here])

    def find(self, keys: Keys) -> tuple[Places, Places]:
        """The columns of those n-grams that are known, and which of `keys` these are."""
        if not len(self.keys):
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        column = np.searchsorted(self.keys, keys)
        column[column == len(self.keys)] = 0
        here = np.flatnonzero(self.keys[column] == keys)
        return column[here], here

    def values(self, column: Places, counts: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Of the n-grams that stand in one message, each so often."""
        value = (1 + np.log(counts)).astype(np.float32) * self.weight[column]
        length = float(np.sqrt(np.dot(value, value)))
        return value * np.float32(self.block.share ** 0.5 / length) if length else value


def learn(block: Block, messages: Sequence[Message], labels: npt.NDArray[np.intp], count: int) -> Known:
    """The n-grams of a block that stand in at least `least` messages, with their weight: how rare each is,
    1 + ln((1 + n) ÷ (1 + df)), times how much it tells of the label, (0.3 + KL) to the power of `telling`.

    KL is the divergence, in nats, of the labels among the messages that hold the n-gram from the labels of all messages
    (expected information, as in feature selection), with `FIRM` messages' worth of doubt added to each n-gram.
    """
    found = [counted(one.zone(block.zone), block.sizes)[0] for one in messages]
    every = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
    keys, place, spread = np.unique(every, return_inverse=True, return_counts=True)
    said = np.repeat(labels, [len(one) for one in found])
    chosen = np.flatnonzero(spread >= block.least)
    if len(chosen) > block.most:
        chosen = np.sort(chosen[np.argsort(-spread[chosen], kind="stable")[:block.most]])
    weight = 1 + np.log((1 + len(messages)) / (1 + spread[chosen]))
    if block.telling:
        usual = np.bincount(labels, minlength=count) / len(labels)
        told = np.zeros(len(keys))
        for label in np.flatnonzero(usual).tolist():
            here = np.bincount(place[said == label], minlength=len(keys))
            share = (here + FIRM * usual[label]) / (spread + FIRM)
            told += share * np.log(share / usual[label])
        weight *= (TOLD + told[chosen]) ** block.telling
    return Known(block, keys[chosen], weight.astype(np.float32))
