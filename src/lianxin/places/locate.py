"""Which area a position lies in, answered in memory: a prepared STR tree of the finest boundaries a city has.

The tree is built when first asked for and again when the city was loaded anew or a grid was changed; the check costs one
query at most every `FRESH_FOR` seconds. Every answer inside the city is made beforehand: finding one costs no allocation
but the point.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, isfinite, radians
from typing import Any

import numpy
import shapely
from shapely.geometry import shape

from .models import Area, City

FRESH_FOR = 5.0
SEAM = 0.0003  # degrees, about 30 m: drawn borders may leave hairlines between them
_METRES_PER_DEGREE = 111_320.0
_DEPTH = {"city": 0, "county": 1, "town": 2, "village": 3, "grid": 4}


@dataclass(frozen=True, slots=True)
class Spot:
    """One area a position lies in."""

    id: int
    code: str
    name: str
    synthetic: bool


@dataclass(frozen=True, slots=True)
class AreaHit:
    """Where a position lies. `inside` is None when the city has no boundaries and nothing can be said.

    `area_id`, `code` and `level` are the finest area found; `county` … `grid` the areas around it. `synthetic` says
    that the finest boundary was derived, not surveyed. Outside, `nearest_county` and `distance` (metres) say how far
    off the city is.
    """

    inside: bool | None
    area_id: int | None = None
    code: str = ""
    level: str = ""
    synthetic: bool = False
    county: Spot | None = None
    town: Spot | None = None
    village: Spot | None = None
    grid: Spot | None = None
    nearest_county: str = ""
    distance: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """One area as the index needs it; `boundary` is a GeoJSON geometry."""

    id: int
    code: str
    name: str
    level: str
    parent_id: int | None
    synthetic: bool
    boundary: dict[str, Any] | None


class Index:
    """An immutable index of one city's areas: pure, shared by threads."""

    def __init__(self, rows: Iterable[Source], marker: tuple[Any, ...] = ()) -> None:
        self.marker = marker
        areas = {row.id: row for row in rows}
        drawn = {row.id for row in areas.values() if row.boundary is not None}
        children: dict[int, list[int]] = {}
        for row in areas.values():
            if row.parent_id is not None:
                children.setdefault(row.parent_id, []).append(row.id)
        # An area whose children are all drawn is answered by them; the rest of the tree catches what they leave.
        finest = {pk for pk in drawn if not children.get(pk) or not drawn.issuperset(children[pk])}
        self._finest = _Layer(areas, sorted(finest))
        self._above = _Layer(areas, sorted(drawn - finest))
        counties = [row for row in areas.values() if row.level == "county" and row.boundary is not None]
        outer = counties or [areas[pk] for pk in sorted(drawn)]
        self._outer = [(row.name, shape(row.boundary)) for row in outer]

    def __len__(self) -> int:
        return len(self._finest.hits)

    def locate(self, lon: float, lat: float) -> AreaHit:
        """The finest area that holds a WGS-84 position."""
        if not self._outer or not (isfinite(lon) and isfinite(lat)):
            return AreaHit(inside=None if not self._outer else False)
        point = shapely.Point(lon, lat)
        hit = self._finest.at(point, lon, lat)
        if hit is None:
            hit = self._above.at(point, lon, lat)
            if hit is None or hit.level == "county":
                hit = self._finest.beside(point) or hit
        if hit is not None:
            return hit
        name, degrees = min(((name, polygon.distance(point)) for name, polygon in self._outer), key=lambda pair: pair[1])
        return AreaHit(inside=False, nearest_county=name,
                       distance=round(degrees * _METRES_PER_DEGREE * max(cos(radians(lat)), 0.2)))


class _Layer:
    """Some areas' polygons in one tree."""

    def __init__(self, areas: dict[int, Source], chosen: list[int]) -> None:
        self.hits = [_answer(areas, areas[pk]) for pk in chosen]
        self._polygons = numpy.array([shape(areas[pk].boundary) for pk in chosen], dtype=object)
        shapely.prepare(self._polygons)
        self._tree = shapely.STRtree(self._polygons)

    def at(self, point: Any, lon: float, lat: float) -> AreaHit | None:
        found = self._tree.query(point)
        best: AreaHit | None = None
        for place in found:
            if shapely.intersects_xy(self._polygons[place], lon, lat):
                hit = self.hits[place]
                # On a border two areas hold the point: the deeper wins, then the lower code, so answers repeat.
                if best is None or (-_DEPTH[hit.level], hit.code) < (-_DEPTH[best.level], best.code):
                    best = hit
        return best

    def beside(self, point: Any) -> AreaHit | None:
        """The area nearest to a point on a hairline between areas."""
        found = self._tree.query_nearest(point, max_distance=SEAM)
        return min((self.hits[place] for place in found), key=lambda hit: hit.code, default=None)


def _answer(areas: dict[int, Source], area: Source) -> AreaHit:
    around: dict[str, Spot] = {}
    at: Source | None = area
    while at is not None:
        if at.level != "city":
            around[at.level] = Spot(at.id, at.code, at.name, at.synthetic)
        at = areas.get(at.parent_id) if at.parent_id is not None else None
    return AreaHit(True, area.id, area.code, area.level, area.synthetic, **around)  # type: ignore[arg-type]


_lock = threading.Lock()
_held: Index | None = None
_checked = 0.0


def _marker() -> tuple[Any, ...]:
    return City.objects.values_list("loaded_at", "content_hash", "grids_version").first() or ()


def _read(marker: tuple[Any, ...]) -> Index:
    rows = Area.objects.filter(active=True).values_list(
        "id", "code", "name", "level", "parent_id", "synthetic", "boundary"
    )
    return Index((Source(*row) for row in rows.iterator(chunk_size=500)), marker)


def index() -> Index:
    """The index in force now."""
    global _held, _checked
    held = _held
    if held is not None and time.monotonic() - _checked < FRESH_FOR:
        return held
    with _lock:
        marker = _marker()
        if _held is None or _held.marker != marker:
            _held = _read(marker)
        _checked = time.monotonic()
        return _held


def forget() -> None:
    """Drop the index: after a load in this process, and between tests."""
    global _held
    _held = None


def locate(lon: float, lat: float) -> AreaHit:
    """The finest area that holds a WGS-84 position."""
    return index().locate(lon, lat)
