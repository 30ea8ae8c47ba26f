"""What a plain regular expression cannot match without: so that a long text is searched only where it may match.

Knows the part of the language that the rules use: characters, `[sets]`, `(?:groups|alternatives)`, look-arounds, `.`,
`?`, `{m}`, `{m,n}`, `$` and `\\d`, `\\n`. Raises ValueError for anything that may repeat without a bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

# The commonest characters of written Chinese: a search that stops at each of them saves little.
_COMMON = frozenset("的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
                    "没好家小多天去都看起还么老想面样把手开点被从前现没回动两事同车关站水气电路钱房活别围受打")
_PAIR, _RARE, _OFTEN = 1, 20, 400  # what it costs to wake at a pair, at a rare character, at a common one
_WIDEST_SET = 60
_CROWDED = 200  # places that wake the same, from which they are looked at all at once
_ANY: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """A set of characters (None: any) or a group of alternatives, repeated `low` to `high` times."""

    characters: frozenset[str] | None
    group: tuple[tuple[_Item, ...], ...] | None
    low: int
    high: int


class _Reader:
    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def alternatives(self) -> tuple[tuple[_Item, ...], ...]:
        found: list[tuple[_Item, ...]] = []
        items: list[_Item] = []
        while (character := self.peek()) and character != ")":
            if character == "|":
                self.at += 1
                found.append(tuple(items))
                items = []
            else:
                items += self.item()
        return (*found, tuple(items))

    def item(self) -> list[_Item]:
        character = self.peek()
        self.at += 1
        characters: frozenset[str] | None = _ANY
        group = None
        if character == "(":
            opened = next((kind for kind in ("?:", "?!", "?=", "?<!", "?<=") if self.source.startswith(kind, self.at)), None)
            if opened is None:
                raise ValueError(f"a group that is kept at {self.at} of {self.source}")
            self.at += len(opened)
            group = self.alternatives()
            self.at += 1
            if opened != "?:":
                return []
        elif character == "[":
            characters = self.set()
        elif character == "$":
            return []
        elif character == "\\":
            characters = self.escaped()
        elif character in "*+":
            raise ValueError(f"repeats without a bound at {self.at} of {self.source}")
        elif character != ".":
            characters = frozenset(character)
        low, high = self.times()
        return [_Item(characters, group, low, high)]

    def escaped(self) -> frozenset[str]:
        character = self.peek()
        self.at += 1
        return frozenset("0123456789" if character == "d" else "\n" if character == "n" else character)

    def set(self) -> frozenset[str] | None:
        end = self.source.index("]", self.at)
        inside, self.at = self.source[self.at : end], end + 1
        if inside.startswith("^") or "-" in inside:
            return _ANY
        return frozenset(inside)

    def times(self) -> tuple[int, int]:
        if self.peek() == "?":
            self.at += 1
            return 0, 1
        if self.peek() in ("*", "+"):
            raise ValueError(f"repeats without a bound at {self.at} of {self.source}")
        if self.peek() != "{":
            return 1, 1
        end = self.source.index("}", self.at)
        low, _comma, high = self.source[self.at + 1 : end].partition(",")
        self.at = end + 1
        if _comma and not high:
            raise ValueError(f"repeats without a bound at {self.at} of {self.source}")
        return int(low), int(high or low)


def _cost(needed: frozenset[str]) -> int:
    return sum(_PAIR if len(one) == 2 else _OFTEN if one in _COMMON else _RARE for one in needed)


def _needed_by(items: tuple[_Item, ...]) -> frozenset[str]:
    ways: list[frozenset[str]] = []
    for item in items:
        if item.low and item.group is not None:
            try:
                ways.append(_needed(item.group))
            except ValueError:  # one of its alternatives may be empty: the rest of the expression has to tell
                continue
        elif item.low and item.characters is not None:
            ways.append(item.characters)
    for one, two in pairwise(items):
        if (one.characters and two.characters and one.low == one.high == 1 and two.low
                and len(one.characters) * len(two.characters) <= _WIDEST_SET):
            ways.append(frozenset(a + b for a in one.characters for b in two.characters))
    ways = [way for way in ways if way]
    if not ways:
        raise ValueError("matches without any certain character")
    return min(ways, key=_cost)


def _needed(alternatives: tuple[tuple[_Item, ...], ...]) -> frozenset[str]:
    return frozenset().union(*(_needed_by(items) for items in alternatives))


def _width(alternatives: tuple[tuple[_Item, ...], ...]) -> int:
    return max(sum((_width(item.group) if item.group is not None else 1) * item.high for item in items)
               for items in alternatives)


def needed(source: str) -> tuple[frozenset[str], int]:
    """One or two characters, one of which stands in all that `source` matches; and the most characters it matches.

    Raises ValueError where it may repeat without a bound or match without a certain character.
    """
    reader = _Reader(source)
    alternatives = reader.alternatives()
    return _needed(alternatives), _width(alternatives)


class Points:
    """A text and its code points, for several searches."""

    def __init__(self, text: str) -> None:
        import numpy

        self.text = text
        points = numpy.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=numpy.uint32)
        self.points: Any = numpy.where(points < 0x10000, points, 0)


class Search:
    """Many expressions looked for at once. `kinds` gives each code point a number (0: no part of any needed pair or
    character), `wakes[one, next]` which expressions two numbers in a row wake: a place in `woken`, 0 for none."""

    def __init__(self, sources: Sequence[str]) -> None:
        import numpy

        self.patterns = tuple(re.compile(source) for source in sources)
        waked: dict[str, list[int]] = {}
        reaches = []
        for number, source in enumerate(sources):
            keys, reach = needed(source)
            reaches.append(reach)
            for key in keys:
                waked.setdefault(key, []).append(number)
        self._reaches = tuple(reaches)
        numbers = {character: number for number, character in enumerate(sorted(set("".join(waked))), start=1)}
        self._kinds = numpy.zeros(0x10000, dtype=numpy.int16)
        self._wakes = numpy.zeros((len(numbers) + 1, len(numbers) + 1), dtype=numpy.int32)
        self._woken: list[tuple[int, ...]] = [()]
        for character, number in numbers.items():
            self._kinds[ord(character)] = number
        for key in sorted(waked, key=len):  # what one character wakes, a pair that begins with it wakes as well, and first
            first = numbers[key[0]]
            place = first if len(key) == 1 else (first, numbers[key[1]])
            before = waked.get(key[0], []) if len(key) == 2 else []
            self._woken.append((*before, *waked[key]))
            self._wakes[place] = len(self._woken) - 1
        self._wakers = numpy.zeros((len(sources), len(self._woken)), dtype=bool)
        for place, numbers_woken in enumerate(self._woken):
            self._wakers[list(numbers_woken), place] = True

    def windows(self, said: Points) -> Iterator[tuple[int, int, int]]:
        """Number of an expression and a span in which it may match; the spans of one lie apart from each other. Expressions in
        the order in which they are woken."""
        import numpy

        kinds = self._kinds[said.points]
        wakes = self._wakes[kinds, numpy.append(kinds[1:], 0)]
        places = numpy.flatnonzero(wakes)
        which = wakes[places]
        found: dict[int, list[tuple[int, int]]] = {}
        began: dict[int, tuple[int, int]] = {}  # where it is woken first, and which of those woken there it is
        crowded = numpy.flatnonzero(numpy.bincount(which) > _CROWDED) if len(places) > _CROWDED else ()
        at_once = {number for one in crowded for number in self._woken[one]}
        for number in at_once:
            found[number], began[number] = self._spans(number, places, which)
        if at_once:
            rest = ~numpy.isin(which, crowded)
            places, which = places[rest], which[rest]
        self._step(found, began, at_once, zip(places.tolist(), which.tolist(), strict=True))
        for number in sorted(found, key=began.__getitem__) if at_once else found:
            for start, end in found[number]:
                yield number, start, end

    def _spans(self, number: int, places: Any, which: Any) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        """The spans of an expression from all places at once: for one that is woken everywhere."""
        import numpy

        here = numpy.flatnonzero(self._wakers[number][which])
        at, reach = places[here], self._reaches[number]
        apart = numpy.flatnonzero(numpy.diff(at) > 2 * reach)
        starts, ends = at[numpy.append(0, apart + 1)] - reach, at[numpy.append(apart, len(at) - 1)] + reach
        return (list(zip(numpy.maximum(starts, 0).tolist(), ends.tolist(), strict=True)),
                (int(at[0]), self._woken[int(which[here[0]])].index(number)))

    def _step(self, found: dict[int, list[tuple[int, int]]], began: dict[int, tuple[int, int]], done: set[int],
              woken_at: Iterable[tuple[int, int]]) -> None:
        """The same place by place, for the expressions that are not `done`."""
        reaches, woken = self._reaches, self._woken
        for at, which in woken_at:
            for order, number in enumerate(woken[which]):
                if number in done:
                    continue
                reach = reaches[number]
                spans = found.get(number)
                if spans is None:
                    found[number] = [(max(at - reach, 0), at + reach)]
                    began[number] = (at, order)
                elif spans[-1][1] >= at - reach:
                    spans[-1] = (spans[-1][0], at + reach)
                else:
                    spans.append((at - reach, at + reach))
