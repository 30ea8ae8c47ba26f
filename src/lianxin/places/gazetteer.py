"""Names of places in running text: counties, towns, villages, roads, sites, with the usual short forms."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from .models import Area, City, Site

_SUFFIXES = ("街道办事处", "社区居委会", "村委会", "街道", "社区", "办事处", "管理区", "自治县", "镇", "乡", "村", "区", "县", "市")
_DEPTH = {"city": 0, "county": 1, "town": 2, "village": 3, "site": 4}


@dataclass(frozen=True, slots=True)
class PlaceHit:
    """One place named in a text: the span it was read from, its area, its position if it has one."""

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


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    level: str
    code: str
    area_id: int
    lon: float | None
    lat: float | None
    approximate: bool


@dataclass(frozen=True, slots=True)
class _Names:
    marker: tuple[object, ...]
    by_first: dict[str, tuple[str, ...]]
    entries: dict[str, tuple[_Entry, ...]]
    lineage: dict[int, tuple[int, ...]]
    codes: dict[int, str]
    names: dict[int, str]


_lock = threading.Lock()
_held: _Names | None = None


def forget() -> None:
    """Drop the names: after a load in this process, and between tests."""
    global _held
    _held = None


def short_forms(name: str, level: str) -> set[str]:
    """A place's name and what people say for it: 金鹗山街道 → 金鹗山, 岳阳楼区 → 楼区."""
    forms = {name}
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            forms.add(name.removesuffix(suffix))
            break
    if level == "county" and len(name) >= 4:
        forms.add(name[-2:])
    return {form for form in forms if len(form) >= 2}


def _names() -> _Names:
    global _held
    marker = City.objects.values_list("loaded_at", "content_hash").first() or ()
    if _held is not None and _held.marker == marker:
        return _held
    with _lock:
        entries: dict[str, list[_Entry]] = {}
        parents: dict[int, int | None] = {}
        codes: dict[int, str] = {}
        names: dict[int, str] = {}
        rows = Area.objects.filter(active=True).exclude(level="grid").values_list(
            "id", "code", "name", "short_name", "level", "parent_id", "aliases", "lon", "lat", "synthetic"
        )
        for pk, code, name, short, level, parent, aliases, lon, lat, synthetic in rows:
            parents[pk], codes[pk], names[pk] = parent, code, name
            if level == "city":
                continue
            entry = _Entry(name, level, code, pk, lon, lat, synthetic)
            for form in short_forms(name, level) | (short_forms(short, level) if short else set()) | set(aliases):
                entries.setdefault(form, []).append(entry)
        for code, name, aliases, area, lon, lat, approximate in Site.objects.values_list(
            "code", "name", "aliases", "area_id", "lon", "lat", "approximate"
        ):
            entry = _Entry(name, "site", code, area, lon, lat, approximate)
            for form in {name, *aliases}:
                if len(form) >= 2:
                    entries.setdefault(form, []).append(entry)
        lineage: dict[int, tuple[int, ...]] = {}
        for pk in parents:
            line, at = [pk], parents[pk]
            while at is not None:
                line.append(at)
                at = parents[at]
            lineage[pk] = tuple(line)
        by_first: dict[str, list[str]] = {}
        for form in entries:
            by_first.setdefault(form[0], []).append(form)
        _held = _Names(
            marker, {c: tuple(sorted(forms, key=len, reverse=True)) for c, forms in by_first.items()},
            {form: tuple(found) for form, found in entries.items()}, lineage, codes, names,
        )
        return _held


def find(text: str, *, limit: int = 5) -> list[PlaceHit]:
    """Places named in a text, most specific and most consistent first; an ambiguous name gives several hits.

    A village scores higher when its town or county is named too; a longer name beats a shorter one.
    """
    held = _names()
    text = re.sub(r"\s", "", text[:12_000])
    spans: list[tuple[int, int, str]] = []
    at = 0
    while at < len(text):
        form = next((f for f in held.by_first.get(text[at], ()) if text.startswith(f, at)), None)
        if form is None:
            at += 1
        else:
            spans.append((at, at + len(form), form))
            at += len(form)
    areas = {form: {entry.area_id for entry in held.entries[form] if entry.level != "site"} for _s, _e, form in spans}
    hits: dict[tuple[str, str], PlaceHit] = {}
    for start, end, form in spans:
        rivals = len(held.entries[form])
        named = {pk for other, found in areas.items() if other != form for pk in found}
        for entry in held.entries[form]:
            line = held.lineage[entry.area_id]
            above = line if entry.level == "site" else line[1:]
            score = _DEPTH[entry.level] + 0.5 * (end - start) + 3.0 * sum(pk in named for pk in above)
            score += (1.0 if form == entry.name else 0.0) - 0.2 * min(rivals - 1, 10)
            if entry.level != "site" and form != entry.name and not areas[form].isdisjoint(above):
                score -= 1.5  # 金鹗山 alone may mean the street or a community in it: the street holds both
            path = " › ".join(held.names[pk] for pk in reversed(line[:-1] or line))
            hit = PlaceHit(entry.name, entry.level, entry.code, entry.area_id, held.codes[entry.area_id], path, start,
                           end, entry.lon, entry.lat, entry.approximate, score)
            key = (entry.level, entry.code)
            if key not in hits or hits[key].score < score:
                hits[key] = hit
    return sorted(hits.values(), key=lambda hit: (-hit.score, hit.code))[:limit]
