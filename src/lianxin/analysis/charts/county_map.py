"""A city's counties: how many cases came from each as a circle, and whether a rate there differs beyond chance as a shade."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shapely.geometry import MultiPolygon, Polygon, shape

from .svg import WIDTH, Caption, element, path_of, picture, text, width_of

Shade = Literal["", "high", "low"]
_LAND = {"": "c-land", "high": "c-land-high", "low": "c-land-low"}
_MOST, _LEAST = 20.0, 2.5  # radii
_PAD = 8


@dataclass(frozen=True, slots=True)
class Region:
    """One county. `geometry` is GeoJSON in WGS-84 degrees, `count` its cases. `shade` says that its rate lies beyond chance
    above or below the whole; `made` that its border was derived, not surveyed: it is drawn dashed."""

    name: str
    geometry: dict[str, Any]
    count: int
    shade: Shade = ""
    made: bool = False


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


def county_map(regions: Sequence[Region], *, caption: Caption) -> str:
    """Areas of circles are as the counts. Names stand where there is room; the table beside it has them all."""
    if not regions:
        return picture(caption, 40, ())
    shapes = [shape(region.geometry) for region in regions]
    west, south, east, north = _bounds(shapes)
    squeeze = math.cos(math.radians((south + north) / 2))  # a degree of longitude is that much shorter here
    scale = (WIDTH - 2 * _PAD) / max((east - west) * squeeze, 1e-9)
    height = min((north - south) * scale, WIDTH * 1.3)
    scale = min(scale, height / max(north - south, 1e-9))
    aside = (WIDTH - (east - west) * squeeze * scale) / 2

    def place(lon: float, lat: float) -> tuple[float, float]:
        return aside + (lon - west) * squeeze * scale, _PAD + (north - lat) * scale

    parts: list[str] = []
    # Surveyed counties first: a district that was carved out of one lies on top of it.
    for index in sorted(range(len(regions)), key=lambda i: regions[i].made):
        region = regions[index]
        outline = " ".join(path_of([place(*point[:2]) for point in ring], closed=True) for ring in _rings(shapes[index]))
        parts.append(element("path", _LAND[region.shade], d=outline, fill_rule="evenodd"))
        if region.made:
            parts.append(element("path", "c-made", d=outline))
    most = max((region.count for region in regions), default=0) or 1
    centres = [place(*_middle(part)) for part in shapes]
    radii = [max(_MOST * math.sqrt(region.count / most), _LEAST) if region.count else 0.0 for region in regions]
    order = sorted(range(len(regions)), key=lambda i: -radii[i])
    for index in order:
        if radii[index]:
            cx, cy = centres[index]
            parts.append(element("circle", "c-circle", cx=cx, cy=cy, r=radii[index]))
    parts += _words(regions, centres, radii, order, height + 2 * _PAD)
    return picture(caption, height + 2 * _PAD, parts)


def _words(regions: Sequence[Region], centres: Sequence[tuple[float, float]], radii: Sequence[float],
           order: Sequence[int], height: float) -> list[str]:
    """A count in each circle that is wide enough, and names where they cover nothing."""
    parts: list[str] = []
    taken = [_Box(x - r, y - r, x + r, y + r) for (x, y), r in zip(centres, radii, strict=True) if r > 4]
    for index in order:
        region, (cx, cy), radius = regions[index], centres[index], radii[index]
        count = str(region.count)
        inside = bool(radius) and width_of(count, 11) < radius * 1.8
        if inside:
            parts.append(text(cx, cy + 4, count, look="c-on", size=11, anchor="middle", bold=True))
        said = region.name if inside else f"{region.name} {count}"
        wide = width_of(said, 10)
        for x, y in ((cx, cy + radius + 11), (cx, cy - radius - 4), (cx + radius + wide / 2 + 3, cy + 4),
                     (cx - radius - wide / 2 - 3, cy + 4), (cx, cy + radius + 23), (cx, cy - radius - 16)):
            box = _Box(x - wide / 2, y - 9, x + wide / 2, y + 2)
            if box.left >= 0 and box.right <= WIDTH and box.top >= 0 and box.bottom <= height and not any(
                    box.meets(other) for other in taken):
                taken.append(box)
                parts.append(text(x, y, said, look="c-halo", size=10, anchor="middle"))
                break
    return parts


def _bounds(shapes: Sequence[Any]) -> tuple[float, float, float, float]:
    boxes = [part.bounds for part in shapes]
    return (min(box[0] for box in boxes), min(box[1] for box in boxes), max(box[2] for box in boxes),
            max(box[3] for box in boxes))


def _polygons(part: Any) -> list[Polygon]:
    if isinstance(part, Polygon):
        return [part]
    return list(part.geoms) if isinstance(part, MultiPolygon) else []


def _rings(part: Any) -> list[Sequence[tuple[float, ...]]]:
    return [ring.coords for polygon in _polygons(part) for ring in (polygon.exterior, *polygon.interiors)]


def _middle(part: Any) -> tuple[float, float]:
    """A point well inside the largest piece."""
    pieces = _polygons(part)
    inside = max(pieces, key=lambda piece: piece.area).representative_point() if pieces else part.centroid
    return float(inside.x), float(inside.y)
