"""Names of places in running text: counties, towns, villages, roads, sites, with short forms and slips of the pen.

A name is looked for as it is, without what people leave out (街道, 镇, 村, 社区) and, where four characters or more of it
stand in the text, with one character wrong. A short form that is also a common word (和平, 幸福) counts only where the
words around it speak of a place or its town or county is named. How well it reads is in docs/reference/triage-words.md.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .files import Tables
from .models import Area, City, Site
from .name_words import AROUND_AFTER, AROUND_BEFORE, CONFUSED, SUFFIXES, TAILS, TELLING, WORDS

_DEPTH = {"county": 1, "town": 2, "village": 3, "site": 4}
_READ_LIMIT = 12_000
_ASKED = 200  # places looked through for what an ambiguous name may mean
_CLOSE = 0.75  # readings of one name that score this near are equally likely: ask


@dataclass(frozen=True, slots=True)
class PlaceHit:
    """One place named in a text: the span it was read from, its area, its position if it has one.

    `said` is what stands in the text, blanks left out, `form` the name it was read as: they differ where `slip` says that one
    character is wrong. `ambiguous` holds the codes of other places the same words may mean as well: ask which.
    """

    name: str
    level: str
    code: str
    area_id: int
    area_code: str
    path: str
    start: int
    end: int
    lon: float | None
    lat: float | None
    approximate: bool
    score: float
    ambiguous: tuple[str, ...] = ()
    slip: bool = False
    said: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says of places. `clear` is the place it names without doubt; where the first name stands for several,
    there is none, and `choices` are all of them, to ask which. `hits` are the places to show, the choices first."""

    hits: tuple[PlaceHit, ...]
    clear: PlaceHit | None
    choices: tuple[PlaceHit, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A place as the gazetteer needs it; `forms` are all ways to name it, `area_id` is its own or the area it lies in."""

    name: str
    level: str
    code: str
    area_id: int
    lon: float | None
    lat: float | None
    approximate: bool
    forms: frozenset[str]
    full: frozenset[str]  # of the forms, those that are the whole name


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    form: str
    slip: bool


def short_forms(name: str, level: str) -> set[str]:
    """A place's name and what people say for it: 金鹗山街道 → 金鹗山, 岳阳楼区 → 楼区."""
    forms = {name}
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            forms.add(name.removesuffix(suffix))
            break
    if level == "county" and len(name) == 4 and name.endswith("区") and not name.endswith("新区"):
        forms.add(name[-2:])
    return {form for form in forms if len(form) >= 2}


def _stem(form: str) -> str:
    tail = next((tail for tail in TAILS if form.endswith(tail)), "")
    return form.removesuffix(tail)


def _may_be_slip(form: str, place: int, said: str) -> bool:
    """Whether `said` may stand for the character at `place` of a name by mistake."""
    meant = form[place]
    if not "\u4e00" <= said <= "\u9fff" or said in TELLING or meant in TELLING:
        return False
    if any(said in group and meant in group for group in CONFUSED):
        return True
    # 张家湾 and 李家湾 are two places; so are 黄泥塘 and 白泥塘: without a likeness, a longer rest has to agree.
    return len(_stem(form)) >= 4 and form[place + 1 : place + 2] != "家" and 0 < place < len(_stem(form))


def _triples(form: str) -> tuple[str, str, str, str]:
    return form[:3], form[:2] + form[3:4], form[:1] + form[2:4], form[1:4]


class Gazetteer:
    """An immutable index of one city's names: pure, shared by threads. `parents` is area id → id of the area above; `everyday`
    are short forms that in this city are common words as well."""

    def __init__(self, entries: Iterable[Entry], parents: dict[int, int | None], codes: dict[int, str],
                 names: dict[int, str], everyday: Iterable[str] = ()) -> None:
        self._codes = codes
        self._words = WORDS.union(everyday)
        self._entries: dict[str, list[Entry]] = {}
        for entry in entries:
            for form in entry.forms:
                self._entries.setdefault(form, []).append(entry)
        self._lineage = {pk: tuple(self._line(pk, parents)) for pk in parents}
        self._paths = {pk: " › ".join(names[one] for one in reversed(line[:-1] or line)) for pk, line in self._lineage.items()}
        by_pair: dict[str, list[str]] = {}
        self._slips: tuple[dict[str, list[str]], ...] = ({}, {}, {}, {})
        for form in self._entries:
            by_pair.setdefault(form[:2], []).append(form)
            if len(form) >= 4 and len(_stem(form)) >= 3:
                # One wrong character leaves at least one of these triples of the first four whole.
                for keyed, triple in zip(self._slips, _triples(form), strict=True):
                    keyed.setdefault(triple, []).append(form)
        self._by_pair = {pair: tuple(sorted(forms, key=len, reverse=True)) for pair, forms in by_pair.items()}

    @staticmethod
    def _line(pk: int, parents: dict[int, int | None]) -> Iterator[int]:
        at: int | None = pk
        while at is not None:
            yield at
            at = parents.get(at)

    def _slip_at(self, text: str, at: int) -> _Span | None:
        """The longest name that stands at a place of the text with one character wrong."""
        best = ""
        for keyed, triple in zip(self._slips, _triples(text[at : at + 4]), strict=True):
            for form in keyed.get(triple, ()):
                said = text[at : at + len(form)]
                if len(said) == len(form) > len(best):
                    wrong = [place for place, character in enumerate(form) if character != said[place]]
                    if len(wrong) == 1 and _may_be_slip(form, wrong[0], said[wrong[0]]):
                        best = form
        return _Span(at, at + len(best), best, slip=True) if best else None

    def _spans(self, text: str) -> list[_Span]:
        spans: list[_Span] = []
        at = 0
        while at < len(text) - 1:
            span: _Span | None = None
            for form in self._by_pair.get(text[at : at + 2], ()):
                if text.startswith(form, at):
                    span = _Span(at, at + len(form), form, slip=False)
                    break
            if at < len(text) - 3 and (span is None or span.end - at < 4):
                slip = self._slip_at(text, at)
                if slip is not None and (span is None or slip.end > span.end + 1):
                    span = slip
            if span is None:
                at += 1
            else:
                spans.append(span)
                at = span.end
        return spans

    def _areas_of(self, spans: list[_Span]) -> dict[str, set[int]]:
        """Form → ids of the areas it names."""
        return {span.form: {entry.area_id for entry in self._entries[span.form] if entry.level != "site"} for span in spans}

    def _speaks_of_a_place(self, text: str, span: _Span, named: set[int], before: set[int]) -> bool:
        """Whether a short form that may be a common word is meant as a name: `named` areas anywhere in the text, `before`
        right before it."""
        if all(span.form in entry.full for entry in self._entries[span.form]):
            return True
        lines = [self._lineage[entry.area_id][1:] for entry in self._entries[span.form]]
        if any(not named.isdisjoint(line[:1]) or not before.isdisjoint(line) for line in lines):
            return True
        return bool(AROUND_AFTER.match(text, span.end) or (
            span.form not in self._words and AROUND_BEFORE.search(text[max(span.start - 2, 0) : span.start])))

    def _doubtful(self, span: _Span) -> bool:
        return span.form in self._words or (len(span.form) == 2 and all(
            entry.level == "village" for entry in self._entries[span.form]))

    def find(self, text: str, *, limit: int = 5) -> list[PlaceHit]:
        """Places named in a text, most specific and most consistent first; an ambiguous name gives several hits."""
        text = re.sub(r"\s", "", text[:_READ_LIMIT])
        spans = self._spans(text)
        areas = self._areas_of(spans)
        sure = {pk for span in spans if not self._doubtful(span) for pk in areas[span.form]}
        before = {span.end: areas[span.form] for span in spans}
        spans = [span for span in spans if not self._doubtful(span) or self._speaks_of_a_place(
            text, span, sure, before.get(span.start, set()))]
        times = Counter(pk for form in {span.form for span in spans} for pk in areas[form])
        hits: dict[tuple[str, str], PlaceHit] = {}
        read: set[str] = set()
        for span in spans:
            if span.form in read and not span.slip:
                continue
            read.add(span.form)
            for hit in self._readings(span, text[span.start : span.end], areas[span.form], times):
                key = (hit.level, hit.code)
                if key not in hits or hits[key].score < hit.score:
                    hits[key] = hit
        return sorted(hits.values(), key=lambda hit: (-hit.score, hit.code))[:limit]

    def read(self, text: str, *, limit: int = 5) -> Reading:
        """`find`, with the question to ask where the first name stands for several places."""
        hits = self.find(text, limit=_ASKED)
        first = hits[0] if hits else None
        if first is None or not first.ambiguous:
            return Reading(tuple(hits[:limit]), first, ())
        meant = {first.code, *first.ambiguous}
        choices = tuple(hit for hit in hits if hit.code in meant)
        rest = (hit for hit in hits if hit.code not in meant)
        return Reading((*choices, *rest)[: max(limit, len(choices))], None, choices)

    def _readings(self, span: _Span, said: str, own: set[int], times: Counter[int]) -> list[PlaceHit]:
        """All that the words of one span may mean, each with its score; `times` is how many names stand for an area."""
        entries = self._entries[span.form]
        found = []
        for entry in entries:
            line = self._lineage[entry.area_id]
            above = line if entry.level == "site" else line[1:]
            score = _DEPTH[entry.level] + 0.5 * (span.end - span.start) + 3.0 * sum(times[pk] > (pk in own) for pk in above)
            score += (1.0 if span.form in entry.full else 0.0) - 0.2 * min(len(entries) - 1, 10)
            score -= 2.0 if span.slip else 0.0
            if entry.level == "village" and span.form not in entry.full and len(span.form) == 2:
                score -= 1.5  # two characters alone are a town's rather than a village's
            if entry.level != "site" and span.form not in entry.full and not own.isdisjoint(above):
                score -= 2.5  # 金鹗山 alone may mean the street or a community in it: the street holds both
            found.append(PlaceHit(entry.name, entry.level, entry.code, entry.area_id, self._codes[entry.area_id],
                                  self._paths[entry.area_id], span.start, span.end, entry.lon, entry.lat,
                                  entry.approximate, score, slip=span.slip, said=said, form=span.form))
        best = max(hit.score for hit in found)
        likely = [hit for hit in found if best - hit.score < _CLOSE]
        if len(likely) < 2:
            return found
        return [replace(hit, ambiguous=tuple(other.code for other in likely if other.code != hit.code)) if hit in likely else hit
                for hit in found]


_Row = tuple[int, str, str, str, str, "int | None", Iterable[str], "float | None", "float | None", bool]
_SiteRow = tuple[str, str, Iterable[str], int, "float | None", "float | None", bool]


def _made(areas: Iterable[_Row], sites: Iterable[_SiteRow], settings: dict[str, Any]) -> Gazetteer:
    parents: dict[int, int | None] = {}
    codes: dict[int, str] = {}
    names: dict[int, str] = {}
    entries: list[Entry] = []
    for pk, code, name, short, level, parent, aliases, lon, lat, synthetic in areas:
        parents[pk], codes[pk], names[pk] = parent, code, name
        if level != "city":
            forms = short_forms(name, level) | (short_forms(short, level) if short else set()) | set(aliases)
            entries.append(Entry(name, level, code, pk, lon, lat, synthetic, frozenset(forms), frozenset({name, short} - {""})))
    for code, name, aliases, area, lon, lat, approximate in sites:
        whole = frozenset(form for form in {name, *aliases} if len(form) >= 2)
        entries.append(Entry(name, "site", code, area, lon, lat, approximate, whole, whole))
    return Gazetteer(entries, parents, codes, names, settings.get("everyday_words") or ())


def of_tables(tables: Tables, settings: dict[str, Any]) -> Gazetteer:
    """The gazetteer of a city's files and its `city.yaml`, without a database; the ids are the places in the file."""
    ids = {code: number for number, code in enumerate(tables.areas, start=1)}
    return _made(((ids[row.code], row.code, row.name, row.short_name, row.level, ids.get(row.parent), row.aliases, row.lon, row.lat,
                   row.synthetic) for row in tables.areas.values() if row.level != "grid"),
                 ((row.code, row.name, row.aliases, ids[row.area], row.lon, row.lat, row.approximate)
                  for row in tables.sites.values()), settings)


_lock = threading.Lock()
_held: tuple[tuple[object, ...], Gazetteer] | None = None


def forget() -> None:
    """Drop the names: after a load in this process, and between tests."""
    global _held
    _held = None


def _gazetteer() -> Gazetteer:
    global _held
    marker = City.objects.values_list("loaded_at", "content_hash", "grids_version").first() or ()
    held = _held
    if held is not None and held[0] == marker:
        return held[1]
    with _lock:
        areas = Area.objects.filter(active=True).exclude(level="grid").values_list(
            "id", "code", "name", "short_name", "level", "parent_id", "aliases", "lon", "lat", "synthetic")
        sites = Site.objects.filter(active=True).values_list("code", "name", "aliases", "area_id", "lon", "lat", "approximate")
        settings = City.objects.values_list("settings", flat=True).first() or {}
        _held = (marker, _made(areas, sites, settings))
        return _held[1]


def read(text: str, *, limit: int = 5) -> Reading:
    """What a text says of places, with all that an ambiguous name may mean."""
    return _gazetteer().read(text, limit=limit)


def find(text: str, *, limit: int = 5) -> list[PlaceHit]:
    """Places named in a text, most specific and most consistent first; an ambiguous name gives several hits.

    A village scores higher when its town or county is named too; a longer name beats a shorter one. Of hits with
    `ambiguous` the words do not say which is meant.
    """
    return _gazetteer().find(text, limit=limit)
