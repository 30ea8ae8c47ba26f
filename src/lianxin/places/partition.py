"""A village shared out among grids so that every point of it belongs to exactly one: checked, mended, split and merged.

Pure geometry in WGS-84 degrees on the lattice of `tiling` (10⁻⁶ degrees, 0.1 m). Lines drawn by hand or rounded by a program
never meet to the last digit: what is missing or twice is a fault where it is wider than `NARROW`, and is mended below that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import cos, hypot, radians
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import split as cut_by

from .tiling import LATTICE, areal, snapped

NARROW = 1.0  # metres
SMALLEST = 100.0  # square metres: less is a slip of the hand, no grid
REACH = 0.0005  # degrees, about 50 m: a line that ends this near to the border is taken to reach it
_METRES_PER_DEGREE = 111_320.0


class FaultKind(StrEnum):
    GAP = "gap"
    OVERLAP = "overlap"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where a village is not shared out rightly. `keys` are the grids that lie twice or stick out; `area` is in square
    metres, `where` the piece itself."""

    kind: FaultKind
    keys: tuple[str, ...]
    area: float
    where: BaseGeometry


def in_metres(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry in metres, true to scale around its own middle: good for measuring what is some kilometres wide."""
    wide = _METRES_PER_DEGREE * cos(radians(geometry.centroid.y if not geometry.is_empty else 0.0))
    return shapely.transform(geometry, lambda points: points * (wide, _METRES_PER_DEGREE))


def area_of(geometry: BaseGeometry) -> float:
    """Square metres."""
    return float(in_metres(geometry).area)


def _wide(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The pieces of an area that somebody would see: wider than `NARROW` somewhere."""
    return [part for part in shapely.get_parts(areal(geometry))
            if not part.is_empty and not in_metres(part).buffer(-NARROW / 2).is_empty]


def _less(one: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    return areal(shapely.difference(one, other, grid_size=LATTICE))


def _joined(parts: list[BaseGeometry]) -> BaseGeometry:
    return areal(shapely.union_all(parts, grid_size=LATTICE))


def faults(village: BaseGeometry, parts: Mapping[str, BaseGeometry]) -> list[Fault]:
    """What is wrong with a village's grids: gaps, grids that lie over one another, grids that stick out. Largest first."""
    if not parts:
        return [Fault(FaultKind.GAP, (), area_of(village), village)]
    found = [Fault(FaultKind.GAP, (), area_of(piece), piece) for piece in _wide(_less(village, _joined(list(parts.values()))))]
    keys = list(parts)
    for place, key in enumerate(keys):
        found += [Fault(FaultKind.OUTSIDE, (key,), area_of(piece), piece) for piece in _wide(_less(parts[key], village))]
        for other in keys[place + 1:]:
            if shapely.intersects(parts[key], parts[other]):
                both = areal(shapely.intersection(parts[key], parts[other], grid_size=LATTICE))
                found += [Fault(FaultKind.OVERLAP, (key, other), area_of(piece), piece) for piece in _wide(both)]
    return sorted(found, key=lambda fault: -fault.area)


def fitted(village: BaseGeometry, parts: Mapping[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    """The same grids cut to the village: what sticks out goes, what lies twice goes to the first, what is missing to the grid
    with the longest border along it. A grid that lies wholly outside comes back empty."""
    result: dict[str, BaseGeometry] = {}
    taken: BaseGeometry = shapely.Polygon()
    for key, part in parts.items():
        result[key] = _less(areal(shapely.intersection(part, village, grid_size=LATTICE)), taken)
        taken = _joined([taken, result[key]])
    left: dict[str, list[BaseGeometry]] = {}
    for piece in shapely.get_parts(_less(village, taken)):
        if not piece.is_empty:
            left.setdefault(_neighbour(piece, result), []).append(piece)
    for key, pieces in left.items():
        result[key] = _joined([result[key], *pieces])
    return result


def _neighbour(piece: BaseGeometry, parts: Mapping[str, BaseGeometry]) -> str:
    """The grid that has the longest border along a piece; where none touches it, the nearest."""
    edge = piece.boundary

    def nearness(key: str) -> tuple[float, float, str]:
        if parts[key].is_empty:
            return 0.0, float("inf"), key
        return -shapely.intersection(edge, parts[key].boundary, grid_size=LATTICE).length, piece.distance(parts[key]), key

    return min(parts, key=nearness)


class CannotCut(ValueError):
    """A line does not divide a grid. `reason` is one of `not_simple`, `misses`, `too_small`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def _stretched(line: BaseGeometry, by: float) -> BaseGeometry:
    """A line made longer at both ends by some degrees."""
    points = [tuple(point[:2]) for point in line.coords]

    def beyond(end: tuple[float, ...], before: tuple[float, ...]) -> tuple[float, float]:
        x, y = end[0] - before[0], end[1] - before[1]
        length = hypot(x, y)
        return end[0] + x / length * by, end[1] + y / length * by

    return shapely.LineString([beyond(points[0], points[1]), *points, beyond(points[-1], points[-2])])


def split(grid: BaseGeometry, line: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    """A grid in two along a line, the larger first. Only the longest stretch of the line that lies inside cuts. Raises CannotCut."""
    line = shapely.remove_repeated_points(line, LATTICE)
    if line.length == 0 or not line.is_simple:
        raise CannotCut("not_simple")
    inside = [part for part in shapely.get_parts(shapely.intersection(_stretched(line, REACH), grid))
              if part.geom_type == "LineString" and part.length > 0]
    if not inside:
        raise CannotCut("misses")
    chord = _stretched(max(inside, key=lambda part: float(part.length)), LATTICE / 5)
    whole = max(shapely.get_parts(grid), key=lambda part: float(shapely.intersection(part, chord).length))
    pieces = [part for part in cut_by(whole, chord).geoms if part.area > 0]
    if len(pieces) < 2:
        raise CannotCut("misses")
    smaller = snapped(min(pieces, key=lambda part: float(part.area)))
    larger = _less(grid, smaller)
    if min(area_of(smaller), area_of(larger)) < SMALLEST:
        raise CannotCut("too_small")
    return (larger, smaller) if larger.area >= smaller.area else (smaller, larger)


def touch(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two grids share a stretch of border, not a corner only."""
    shared = shapely.intersection(one.boundary, other.boundary, grid_size=LATTICE)
    return bool(shared.length * _METRES_PER_DEGREE > NARROW)


def merged(parts: list[BaseGeometry]) -> BaseGeometry:
    """Grids made one, without the hairlines between them."""
    return _joined(parts)


def same(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two shapes are one and the same but for rounding."""
    return not _wide(_less(one, other)) and not _wide(_less(other, one))


def described(fault: Fault) -> dict[str, Any]:
    """A fault as a GeoJSON feature: what, which grids, how many square metres."""
    from .tiling import as_geojson

    return {"type": "Feature", "geometry": as_geojson(fault.where),
            "properties": {"fault": fault.kind.value, "grids": list(fault.keys), "square_metres": round(fault.area)}}
