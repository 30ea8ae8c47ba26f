"""Which area a position lies in, answered in memory: a prepared STR tree of the finest boundaries a city has.

The tree is built when first asked for and again when the city was loaded anew.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from math import cos, radians
from typing import Any

import shapely
from shapely.geometry import shape

from .models import Area, City

FRESH_FOR = 5.0
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class AreaHit:
    """Where a position lies. `inside` is None when the city has no boundaries and nothing can be said.

    `area_id` is the finest area found. Outside, `nearest_county` and `distance` (metres) say how far off it is.
    """

    inside: bool | None
    area_id: int | None = None
    code: str = ""
    level: str = ""
    nearest_county: str = ""
    distance: float = 0.0


@dataclass(frozen=True, slots=True)
class _Index:
    marker: tuple[Any, ...]
    tree: shapely.STRtree
    polygons: list[Any]
    areas: list[tuple[int, str, str, str]]
    counties: list[tuple[str, Any]] = field(default_factory=list)


_DEPTH = {"city": 0, "county": 1, "town": 2, "village": 3, "grid": 4}
_lock = threading.Lock()
_held: _Index | None = None
_checked = 0.0


def _marker() -> tuple[Any, ...]:
    return City.objects.values_list("loaded_at", "content_hash").first() or ()


def _build(marker: tuple[Any, ...]) -> _Index:
    areas: list[tuple[int, str, str, str]] = []
    polygons: list[Any] = []
    counties: list[tuple[str, Any]] = []
    rows = Area.objects.filter(boundary__isnull=False, active=True).values_list(
        "id", "code", "level", "name", "boundary"
    )
    for pk, code, level, name, boundary in rows.iterator(chunk_size=500):
        polygon = shape(boundary)
        shapely.prepare(polygon)
        areas.append((pk, code, level, name))
        polygons.append(polygon)
        if level == "county":
            counties.append((name, polygon))
    return _Index(marker, shapely.STRtree(polygons), polygons, areas, counties)


def _index() -> _Index:
    global _held, _checked
    held = _held
    if held is not None and time.monotonic() - _checked < FRESH_FOR:
        return held
    with _lock:
        marker = _marker()
        if _held is None or _held.marker != marker:
            _held = _build(marker)
        _checked = time.monotonic()
        return _held


def forget() -> None:
    """Drop the index: after a load in this process, and between tests."""
    global _held
    _held = None


def locate(lon: float, lat: float) -> AreaHit:
    """The finest area that holds a WGS-84 position."""
    index = _index()
    if not index.polygons:
        return AreaHit(inside=None)
    point = shapely.Point(lon, lat)
    hits = index.tree.query(point, predicate="intersects")
    if len(hits):
        best = max(hits, key=lambda i: (_DEPTH[index.areas[i][2]], index.areas[i][1]))
        pk, code, level, _name = index.areas[best]
        return AreaHit(inside=True, area_id=pk, code=code, level=level)
    shapes = index.counties or [(row[3], polygon) for row, polygon in zip(index.areas, index.polygons, strict=True)]
    name, degrees = min(((name, polygon.distance(point)) for name, polygon in shapes), key=lambda item: item[1])
    return AreaHit(inside=False, nearest_county=name,
                   distance=degrees * _METRES_PER_DEGREE * max(cos(radians(lat)), 0.2))
