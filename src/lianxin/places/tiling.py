"""Dividing a polygon among named places: pure geometry, the same result on every run.

Nobody publishes boundaries of Chinese towns, villages or grids. What is made here stands in for them: Voronoi cells
of one or more points a place, cut to the parent's polygon, so that the children fill their parent without overlap.
Points come from known positions where there are any and otherwise from a hash of the place's code. Everything is in
WGS-84 degrees on a lattice of 10⁻⁶ degrees (0.1 m).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

LATTICE = 1e-6
ROUNDS = 3
Point = tuple[float, float]


def areal(geometry: BaseGeometry) -> BaseGeometry:
    """Only the polygons of a geometry: cutting along an edge may leave lines and points."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    return shapely.union_all([part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"])


def snapped(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry on the lattice, valid."""
    return areal(shapely.set_precision(geometry, LATTICE))


def chance(code: str) -> random.Random:
    """A generator that belongs to one code: other places' coming and going does not move this one's points."""
    return random.Random(hashlib.sha256(code.encode()).digest())


def point_within(polygon: BaseGeometry, dice: random.Random) -> Point:
    """A point of the polygon's inside, evenly spread."""
    west, south, east, north = polygon.bounds
    for _ in range(200):
        x, y = dice.uniform(west, east), dice.uniform(south, north)
        if shapely.contains_xy(polygon, x, y):
            return x, y
    centre = polygon.representative_point()
    return float(centre.x), float(centre.y)


def pulled_in(polygon: BaseGeometry, point: Point) -> Point:
    """The point itself when it lies inside, else one just inside the border nearest to it."""
    if shapely.contains_xy(polygon, *point):
        return point
    width = min(polygon.bounds[2] - polygon.bounds[0], polygon.bounds[3] - polygon.bounds[1])
    for share in (0.02, 0.005, 0.001):
        inner = polygon.buffer(-width * share)
        if not inner.is_empty:
            near = shapely.shortest_line(inner, shapely.Point(point))
            return tuple(near.coords[0])
    centre = polygon.representative_point()
    return float(centre.x), float(centre.y)


def cells(points: Sequence[Point], polygon: BaseGeometry) -> list[BaseGeometry]:
    """The Voronoi cell of every point, cut to the polygon; in the order of the points."""
    if len(points) == 1:
        return [polygon]
    made = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=polygon.envelope, ordered=True)
    return [areal(part) for part in shapely.intersection(shapely.get_parts(made), polygon, grid_size=LATTICE)]


def _apart(points: list[Point]) -> list[Point]:
    """No two points in one spot: a Voronoi diagram would drop one of them."""
    taken: set[Point] = set()
    result = []
    for x, y in points:
        spot = (round(x, 6), round(y, 6))
        while spot in taken:
            spot = (round(spot[0] + 2e-5, 6), round(spot[1] + 1e-5, 6))
        taken.add(spot)
        result.append(spot)
    return result


def divide(
    polygon: BaseGeometry, codes: Sequence[str], known: Mapping[str, Sequence[Point]] | None = None
) -> dict[str, BaseGeometry]:
    """Share a polygon out among codes. `known` positions stay put, each inside its own place's share.

    The others start at random and are moved to the middle of their cell a few times, which makes cells of like size.
    """
    known = known or {}
    if len(codes) == 1:
        return {codes[0]: polygon}
    owners: list[str] = []
    points: list[Point] = []
    fixed: list[bool] = []
    for code in codes:
        held = [pulled_in(polygon, point) for point in known.get(code, ())]
        for point in held or [point_within(polygon, chance(code))]:
            owners.append(code)
            points.append(point)
            fixed.append(bool(held))
    points = _apart(points)
    parts = cells(points, polygon)
    for _ in range(0 if all(fixed) else ROUNDS):
        points = _apart([
            point if stays or part.is_empty else _middle(part, polygon)
            for point, stays, part in zip(points, fixed, parts, strict=True)
        ])
        parts = cells(points, polygon)
    shares: dict[str, list[BaseGeometry]] = {}
    for code, part in zip(owners, parts, strict=True):
        shares.setdefault(code, []).append(part)
    return {
        code: found[0] if len(found) == 1 else areal(shapely.union_all(found, grid_size=LATTICE))
        for code, found in shares.items()
    }


def _middle(part: BaseGeometry, polygon: BaseGeometry) -> Point:
    centre = part.centroid
    if not shapely.contains_xy(polygon, centre.x, centre.y):
        centre = part.representative_point()
    return float(centre.x), float(centre.y)


def centre_of(geometry: BaseGeometry) -> Point:
    """A position to stand for an area: its centroid, or a point inside when the centroid is not."""
    centre = geometry.centroid
    if not shapely.contains_xy(geometry, centre.x, centre.y):
        centre = geometry.representative_point()
    return round(float(centre.x), 6), round(float(centre.y), 6)


def as_geojson(geometry: BaseGeometry) -> dict[str, Any]:
    """GeoJSON with six decimals: 0.1 m."""
    polygons = [
        [[[round(x, 6), round(y, 6)] for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(geometry)
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}
