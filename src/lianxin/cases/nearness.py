"""Cases that may be about the same matter as something said: found along indexes, then weighed one by one.

Where to look: the H3 cells around a position, the village, and – for what is said without a place, or was registered
without one – the rare pieces of the words, in the index of pairs of characters. Each is a stretch of an index bounded in
time or in number, whatever the number of cases. What is found is ranked by the rare pairs it holds, and at most `LOOKED_AT`
are weighed: the words and the places named in them as `likeness` says, the distance, the time between, the category.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import BooleanField, DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Left

from lianxin.kernel.bigrams import fold
from lianxin.kernel.coordinates import cells_around, metres_between

from . import search
from .likeness import LENGTH, Rarity, Text, logit, places_shared, pressed, shared_words
from .models import Case, State
from .reference import reference

RINGS: Final = 2  # H3 cells of resolution 9: about 700 m
MOST: Final = 500  # cases looked at near one place
MOST_FOR_A_PAGE: Final = 2000  # the same for a page of cases
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
    `place` the name of the village both lie in, `words` what both say."""

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
    """Where to look for one that is asked about."""

    cells: frozenset[int]
    areas: frozenset[int]
    pieces: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, one: Asked, text: Text) -> Around:
        placed = one.lon is not None and one.lat is not None
        cells = cells_around(one.lon, one.lat, rings=RINGS) if placed else ()  # type: ignore[arg-type]
        areas = {pk for pk in (village_of(one.area_id), one.area_id) if pk is not None}
        return cls(frozenset(cells), frozenset(areas), rare_pieces(text))

    @property
    def nowhere(self) -> bool:
        return not (self.cells or self.areas)

    def reaches(self, seen: Seen) -> bool:
        """Whether a case lies where this looks: on a page, what others look for is not its own."""
        return self.nowhere or seen.cell in self.cells or seen.area_id in self.areas


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


def _walks(base: QuerySet[Case], around: Sequence[Around]) -> Iterable[QuerySet[Case]]:
    """The stretches of indexes in which cases may lie."""
    # Not the bare column: for the newest few PostgreSQL would else walk through all that the city had in these days.
    newest = ExpressionWrapper(F("registered_at") + Value(timedelta(0)), output_field=DateTimeField()).desc()
    many = len(around) > 1
    most = MOST_FOR_A_PAGE if many else MOST
    cells: frozenset[int] = frozenset().union(*(one.cells for one in around))
    areas: frozenset[int] = frozenset().union(*(one.areas for one in around))
    if cells:
        yield base.filter(cell__in=sorted(cells)).order_by(newest)[:most]
    if areas:
        yield base.filter(area_id__in=sorted(areas)).order_by(newest)[:most]
    asked = [one for one in around if one.nowhere or not many]
    pieces = list(dict.fromkeys(piece for one in asked for piece in one.pieces))[:PIECES_FOR_A_PAGE if many else PIECES]
    if pieces:
        said = " OR ".join([f"lianxin_bigrams({search.SPOKEN}) @> %s"] * len(pieces))
        yield base.filter(RawSQL(f"({said})", [list(piece) for piece in pieces], BooleanField())).order_by(newest)[:most]


def candidates(base: QuerySet[Case], around: Sequence[Around], *, first: datetime, last: datetime) -> list[Seen]:
    """Cases of `base` registered between two instants, in the places and with the pieces looked for: one query of three
    stretches at most, each of its own index."""
    walks = [walk.values_list("pk", "title", Left("words", LENGTH), "place_text", "lon", "lat", "cell", "area_id", "category_id",
                              "master_id", "state", "registered_at")
             for walk in _walks(base.filter(registered_at__range=(first, last)), around)]
    if not walks:
        return []
    rows = walks[0].union(*walks[1:], all=True) if len(walks) > 1 else walks[0]
    return list({row[0]: Seen(*row) for row in rows}.values())


def likeliest(text: Text, seen: Sequence[Seen], *, most: int = LOOKED_AT) -> list[Seen]:
    """Those that hold most of the rare pairs, at most `most`: a cheap look before each is weighed."""
    if len(seen) <= most:
        return list(seen)
    rare = sorted(text.grams.items(), key=lambda item: -item[1])[:24]
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
    """What lies between two cases: time, metres where both have a position, the village both lie in, and what these and the
    category add to the logit of the words."""

    gap: timedelta
    metres: int | None
    village: int | None
    bonus: float

    @classmethod
    def of(cls, one: Asked, seen: Seen) -> _Between:
        gap = abs(one.at - seen.registered_at)
        metres, village, other = _metres(one, seen), village_of(one.area_id), village_of(seen.area_id)
        bonus = next((added for most, added in RECENT if gap <= most), 0.0)
        if metres is not None:
            bonus += next((added for most, added in NEAR if metres <= most), ELSEWHERE)
        elif village is not None and other is not None:
            bonus += ONE_VILLAGE if village == other else ELSEWHERE
        bonus += ONE_KIND if one.category_id is not None and one.category_id == seen.category_id else 0.0
        return cls(gap, metres, village if village == other else None, bonus)

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
    if between.metres is None and between.village is None and (places_shared(mine, theirs) or 0.0) < AGREE:
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
        self.around = [Around.of(one, text) for one, text in zip(asked, self.texts, strict=True)]
        self.theirs: dict[uuid.UUID, Text] = {}

    def candidates(self, base: QuerySet[Case], *, days: int) -> list[Seen]:
        """Cases of `base` in reach of any that is asked about, and of its time."""
        reach = timedelta(days=days)
        return candidates(base, self.around, first=min(one.at for one in self.asked) - reach,
                          last=max(one.at for one in self.asked) + reach)

    def matches(self, number: int, seen: Sequence[Seen], *, least: float) -> Iterable[Match]:
        """Those of the candidates that are alike enough to the one asked about in this place."""
        one, text, near = self.asked[number], self.texts[number], self.around[number]
        mine = [case for case in seen if case.pk != one.case_id and (len(self.asked) == 1 or near.reaches(case))
                and not _elsewhere(one, case)]
        for case in likeliest(text, mine):
            if case.pk not in self.theirs:
                self.theirs[case.pk] = text_of(case, self.rare)
            found = weighed(one, text, case, self.theirs[case.pk], least=least)
            if found is not None:
                yield found
