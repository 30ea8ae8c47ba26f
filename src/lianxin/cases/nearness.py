"""Cases that may be about the same matter as something said: found along indexes, then weighed one by one.

Where to look: the H3 cells around a position, the village, and – for what is said without a place, or was registered
without one – the rare pieces of the words, in the index of pairs of characters. Each is a stretch of an index bounded in
time or in number, whatever the number of cases. What is found is ranked by the rare pairs it holds, and at most `LOOKED_AT`
are weighed: the words and the places named in them as `likeness` says, the distance, the time between, the category.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Left

from lianxin.kernel.bigrams import fold
from lianxin.kernel.coordinates import cells_around, metres_between

from . import search
from .likeness import FACTORS, LENGTH, UNSURE, Rarity, Text, at_most, logit, places_shared, pressed, shared_words
from .models import Case, State
from .reference import reference

RINGS: Final = 2  # H3 cells of resolution 9: about 700 m
MOST: Final = 500  # cases looked at near one place
MOST_FOR_A_PAGE: Final = 5000  # the same for a page of cases
LOOKED_AT: Final = 50  # cases weighed for one that is asked about
PIECES: Final = 8  # rare pieces of three characters that are asked for
PIECES_FOR_A_PAGE: Final = 40
FAR: Final = 1500  # metres: of one village or not, two positions further apart are two places
AGREE: Final = 0.5  # so much of the places one names the other names too, where no position or village is common

# What is added to the logit of the words. Not learnt: the labelled messages have no positions, and their time is a year.
NEAR: Final = ((50, 3.0), (300, 2.5), (700, 2.0), (FAR, 1.0))  # metres apart, at most
ONE_VILLAGE, ELSEWHERE = 2.5, -1.5
RECENT: Final = ((timedelta(hours=48), 1.5), (timedelta(days=7), 1.0), (timedelta(days=14), 0.5))
ONE_KIND = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What alike cases are looked for: words and place, and the case itself where there is one already."""

    words: str
    at: datetime
    lon: float | None = None
    lat: float | None = None
    area_id: int | None = None
    category_id: int | None = None
    case_id: uuid.UUID | None = None
    family: uuid.UUID | None = None
    title: str = ""
    place_text: str = ""

    @classmethod
    def of(cls, case: Case) -> Asked:
        return cls(case.words, case.registered_at, case.lon, case.lat, case.area_id, case.category_id, case.pk,
                   case.master_id if case.state == State.MERGED else case.pk, case.title, case.place_text)


class Seen(NamedTuple):
    """What is read of a case before it is known whether it is alike."""

    pk: uuid.UUID
    title: str
    words: str
    place_text: str
    lon: float | None
    lat: float | None
    cell: int | None
    area_id: int | None
    category_id: int | None
    master_id: uuid.UUID | None
    state: str
    registered_at: datetime

    @classmethod
    def of(cls, case: Case) -> Seen:
        return cls(*(getattr(case, name) for name in cls._fields))

    @property
    def spoken(self) -> str:
        return f"{self.place_text} {self.title} {self.words}"


@dataclass(frozen=True, slots=True)
class Match:
    """One case that is alike: `score` 0 to 1, `gap` the time between, `metres` the distance where both have a position,
    `place` the name of the village both lie in where there is no distance, `words` what both say."""

    seen: Seen
    score: float
    gap: timedelta
    metres: int | None = None
    place: str = ""
    words: tuple[str, ...] = field(default=())


def village_of(area_id: int | None) -> int | None:
    """The village an area is or lies in; None for anything wider."""
    held = reference().places
    place = held.get(area_id or 0)
    return next((pk for pk in place.lineage if held[pk].level == "village"), None) if place else None


def _names(area_id: int | None) -> set[str]:
    """Names of the places a case is known to lie in: that both name them says nothing about the matter."""
    held = reference().places
    return {fold(held[pk].name) for pk in held[area_id].lineage} if area_id in held else set()


def text_of(one: Asked | Seen, rarity: Rarity) -> Text:
    """The words of a case, ready to be compared. Where it is, in words, is named first."""
    words = f"{one.place_text} {one.words}" if one.place_text and one.place_text not in one.words else one.words
    return Text.of(words, title=one.title, names=_names(one.area_id), rarity=rarity)


class Around(NamedTuple):
    """Where to look for one that is asked about. `vague` says that no position and no village places it."""

    cells: frozenset[int]
    areas: frozenset[int]
    pieces: tuple[tuple[str, str], ...]
    vague: bool

    @classmethod
    def of(cls, one: Asked, text: Text, *, alone: bool) -> Around:
        """On a page, what lies in a town or a county is not looked through for one that has a position."""
        placed = one.lon is not None and one.lat is not None
        cells = cells_around(one.lon, one.lat, rings=RINGS) if placed else ()  # type: ignore[arg-type]
        village = village_of(one.area_id)
        areas = {pk for pk in (village, one.area_id) if pk is not None} if village or alone or not placed else ()
        return cls(frozenset(cells), frozenset(areas), rare_pieces(text), not (placed or village))


def rare_pieces(text: Text, *, most: int = PIECES) -> tuple[tuple[str, str], ...]:
    """Pieces of three characters of which both pairs are rare, as these pairs: names of places first, then what stands first.
    They are asked of the index where no place says where to look."""
    found: dict[tuple[str, str], bool] = {}
    for run in text.body.split():
        for start in range(len(run) - 2):
            pair = (run[start:start + 2], run[start + 1:start + 3])
            if all(text.grams.get(gram, 0.0) >= 1.0 for gram in pair):
                found.setdefault(pair, all(gram in text.placed for gram in pair))
    return tuple(sorted(found, key=lambda pair: not found[pair])[:most])


def _each(base: QuerySet[Case], column: str, values: Iterable[int], *, alone: bool) -> tuple[str, list[Any]]:
    """SQL of the newest cases of each cell or area: for each one stretch of its index, read in its own order and no further
    than wanted. Nothing else of the city's is read."""
    inner = base.filter(RawSQL(f"cases_case.{column} = looked.at_one", [], BooleanField())).order_by("-registered_at")
    sql, parameters = inner[:MOST if alone else LOOKED_AT].query.sql_with_params()
    return (f"SELECT near.* FROM unnest(%s::bigint[]) AS looked (at_one) CROSS JOIN LATERAL ({sql}) AS near "
            "ORDER BY near.registered_at DESC LIMIT %s", [sorted(values), *parameters, MOST if alone else MOST_FOR_A_PAGE])


def _saying(base: QuerySet[Case], pieces: Sequence[tuple[str, str]], *, alone: bool) -> tuple[str, list[Any]]:
    """SQL of the newest cases that hold any of these pieces."""
    # Not the bare column: for the newest few PostgreSQL would else walk through all that the city had in these days.
    newest = ExpressionWrapper(F("registered_at") + Value(timedelta(0)), output_field=DateTimeField()).desc()
    said = " OR ".join([f"lianxin_bigrams({search.SPOKEN}) @> %s"] * len(pieces))
    found = base.filter(RawSQL(f"({said})", [list(piece) for piece in pieces], BooleanField())).order_by(newest)
    sql, parameters = found[:MOST if alone else MOST_FOR_A_PAGE].query.sql_with_params()
    return sql, list(parameters)


def _pieces(around: Sequence[Around]) -> list[tuple[str, str]]:
    """What is asked of the index of pairs: of one alone all its pieces, on a page as many of each that no place is known of."""
    asked = [one for one in around if one.vague or len(around) == 1]
    each = PIECES if len(around) == 1 else max(PIECES_FOR_A_PAGE // max(len(asked), 1), 1)
    return list(dict.fromkeys(piece for one in asked for piece in one.pieces[:each]))


def candidates(base: QuerySet[Case], around: Sequence[Around], *, first: datetime, last: datetime) -> list[Seen]:
    """Cases of `base` registered between two instants, in the places and with the pieces looked for: one query of three
    parts at most, each of its own index."""
    held = base.filter(registered_at__range=(first, last)).values_list(
        "pk", "title", Left("words", LENGTH), "place_text", "lon", "lat", "cell", "area_id", "category_id", "master_id", "state",
        "registered_at")
    alone = len(around) == 1
    cells: frozenset[int] = frozenset().union(*(one.cells for one in around))
    areas: frozenset[int] = frozenset().union(*(one.areas for one in around))
    pieces = _pieces(around)
    try:
        parts = [_each(held, column, values, alone=alone) for column, values in (("cell", cells), ("area_id", areas)) if values]
        parts += [_saying(held, pieces, alone=alone)] if pieces else []
    except EmptyResultSet:  # nothing that this person may see
        return []
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"({sql})" for sql, _values in parts), [value for _sql, values in parts for value in values])
        return list({row[0]: Seen(*row) for row in cursor.fetchall()}.values())


def likeliest(text: Text, seen: Sequence[Seen], *, most: int = LOOKED_AT) -> list[Seen]:
    """Those that hold most of the rare pairs, at most `most`: a cheap look before each is weighed."""
    if len(seen) <= most:
        return list(seen)
    rare = sorted(text.grams.items(), key=lambda item: (-item[1], item[0]))[:24]
    ranked = []
    for number, one in enumerate(seen):
        spoken = one.spoken
        ranked.append((sum(weight for gram, weight in rare if gram in spoken), one.registered_at, number))
    return [seen[number] for _weight, _at, number in sorted(ranked, reverse=True)[:most]]


def _metres(one: Asked, seen: Seen) -> int | None:
    if one.lon is None or one.lat is None or seen.lon is None or seen.lat is None:
        return None
    return round(metres_between(one.lon, one.lat, seen.lon, seen.lat))


def _elsewhere(one: Asked, seen: Seen) -> bool:
    """Whether two positions lie further apart than one place reaches."""
    metres = _metres(one, seen)
    return metres is not None and metres > FAR


@dataclass(frozen=True, slots=True)
class _Between:
    """What lies between two cases: time, metres where both have a position, else the village both lie in, and what these and
    the category add to the logit of the words."""

    gap: timedelta
    metres: int | None
    village: int | None
    bonus: float

    @classmethod
    def of(cls, one: Asked, seen: Seen) -> _Between:
        gap = abs(one.at - seen.registered_at)
        metres, common = _metres(one, seen), None
        bonus = next((added for most, added in RECENT if gap <= most), 0.0)
        if metres is not None:
            bonus += next((added for most, added in NEAR if metres <= most), ELSEWHERE)
        elif (village := village_of(one.area_id)) is not None and (other := village_of(seen.area_id)) is not None:
            bonus += ONE_VILLAGE if village == other else ELSEWHERE
            common = village if village == other else None
        bonus += ONE_KIND if one.category_id is not None and one.category_id == seen.category_id else 0.0
        return cls(gap, metres, common, bonus)

    def score(self, mine: Text, theirs: Text) -> float:
        return pressed(logit(mine, theirs) + self.bonus)

    def match(self, seen: Seen, score: float, words: tuple[str, ...]) -> Match:
        place = reference().places[self.village].said if self.village is not None else ""
        return Match(seen, score, self.gap, self.metres, place, words)


def compared(one: Asked, mine: Text, seen: Seen, theirs: Text) -> Match:
    """How one case is like what was asked for, however little."""
    between = _Between.of(one, seen)
    return between.match(seen, between.score(mine, theirs), shared_words(mine, theirs))


def weighed(one: Asked, mine: Text, seen: Seen, theirs: Text, *, least: float) -> Match | None:
    """The same; None below the score `least`, and where they share no word that says something, or nothing places them
    together: no distance, no village, no name of a place that both give."""
    between = _Between.of(one, seen)
    wanted = -math.log(1 / least - 1) - between.bonus - at_most(mine, theirs)  # of the names of places
    if wanted > FACTORS.places:
        return None
    places = places_shared(mine, theirs)
    if between.metres is None and between.village is None and (places or 0.0) < AGREE:
        return None
    if wanted > FACTORS.places * (UNSURE if places is None else places):
        return None
    score = between.score(mine, theirs)
    if score < least:
        return None
    words = shared_words(mine, theirs)
    return between.match(seen, score, words) if words else None


class Search:
    """One look for all that are asked about together: the words of each case are prepared once."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.asked = asked
        self.rare = search.rarity()
        self.texts = [text_of(one, self.rare) for one in asked]
        self.around = [Around.of(one, text, alone=len(asked) == 1) for one, text in zip(asked, self.texts, strict=True)]
        self.reach = timedelta(0)
        self.seen: list[Seen] = []
        self.by_cell: dict[int | None, list[Seen]] = {}
        self.by_area: dict[int | None, list[Seen]] = {}
        self.theirs: dict[uuid.UUID, Text] = {}

    def look(self, base: QuerySet[Case], *, days: int) -> None:
        """Find the cases of `base` in reach of any that is asked about, and of its time."""
        self.reach = timedelta(days=days)
        self.seen = candidates(base, self.around, first=min(one.at for one in self.asked) - self.reach,
                               last=max(one.at for one in self.asked) + self.reach)
        for case in self.seen:
            self.by_cell.setdefault(case.cell, []).append(case)
            self.by_area.setdefault(case.area_id, []).append(case)

    def _reached(self, near: Around) -> Iterable[Seen]:
        """Those that lie where this one looks: on a page, what others look for is not its own."""
        if near.vague or len(self.asked) == 1:
            return self.seen
        found = [case for cell in near.cells for case in self.by_cell.get(cell, ())]
        found += [case for area in near.areas for case in self.by_area.get(area, ())]
        return {case.pk: case for case in found}.values() if near.areas else found

    def matches(self, number: int, *, least: float) -> Iterable[Match]:
        """Those found that are alike enough to the one asked about in this place."""
        one, text, near = self.asked[number], self.texts[number], self.around[number]
        mine = [case for case in self._reached(near)
                if case.pk != one.case_id and abs(case.registered_at - one.at) <= self.reach and not _elsewhere(one, case)]
        for case in likeliest(text, mine):
            if case.pk not in self.theirs:
                self.theirs[case.pk] = text_of(case, self.rare)
            found = weighed(one, text, case, self.theirs[case.pk], least=least)
            if found is not None:
                yield found
