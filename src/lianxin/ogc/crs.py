"""The coordinate systems that are spoken: WGS 84 inside, and what it is turned into and from at the edge.

Source: OGC 18-058r1 (Features, Part 2) for how they are named; the spherical Mercator of EPSG:3857 (IOGP guidance note 7-2, 3.5.1.2).
CGCS2000 (EPSG:4490) and WGS 84 agree within centimetres, far below how well these places are known: numbers are passed on unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atan, degrees, exp, isfinite, log, pi, radians, tan
from typing import Any, Final

from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

RADIUS: Final = 6_378_137.0  # metres, of the sphere of EPSG:3857
EDGE: Final = pi * RADIUS
NORTHMOST: Final = degrees(2 * atan(exp(pi)) - pi / 2)  # 85.05…: where the square map ends
Pair = tuple[float, float]
Box = tuple[float, float, float, float]  # west, south, east, north in WGS 84 degrees


def to_mercator(lon: float, lat: float) -> Pair:
    """Degrees to metres of EPSG:3857; beyond its northern and southern edge, the edge."""
    held = min(max(lat, -NORTHMOST), NORTHMOST)
    return RADIUS * radians(lon), RADIUS * log(tan(pi / 4 + radians(held) / 2))


def from_mercator(x: float, y: float) -> Pair:
    """Metres of EPSG:3857 to degrees."""
    return degrees(x / RADIUS), degrees(2 * atan(exp(y / RADIUS)) - pi / 2)


def _same(x: float, y: float) -> Pair:
    return x, y


def _turned(x: float, y: float) -> Pair:
    return y, x


@dataclass(frozen=True, slots=True)
class Crs:
    """One coordinate system. `lower` and `upper` bound its two axes, `decimals` are about a centimetre."""

    uri: str
    name: str
    of: Callable[[float, float], Pair]
    to: Callable[[float, float], Pair]
    lower: Pair
    upper: Pair
    decimals: int
    wraps: bool = True  # west may lie east of east: the box crosses the antimeridian


CRS84: Final = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "WGS 84, longitude/latitude", _same, _same, (-180, -90), (180, 90),
                   7)
CRS84H: Final = "http://www.opengis.net/def/crs/OGC/0/CRS84h"  # of boxes with heights; nothing here has one
OFFERED: Final = {one.uri: one for one in (
    CRS84,
    Crs("http://www.opengis.net/def/crs/EPSG/0/4326", "WGS 84, latitude/longitude", _turned, _turned, (-90, -180), (90, 180), 7),
    Crs("http://www.opengis.net/def/crs/EPSG/0/4490", "CGCS2000, latitude/longitude", _turned, _turned, (-90, -180), (90, 180), 7),
    Crs("http://www.opengis.net/def/crs/EPSG/0/3857", "Web Mercator, metres", from_mercator, to_mercator, (-EDGE, -EDGE),
        (EDGE, EDGE), 2, wraps=False),
)}


def named(uri: str, parameter: str) -> Crs:
    """Raises Invalid for one that is not offered."""
    found = OFFERED.get(uri)
    if found is None:
        raise Invalid(_("%(parameter)s：没有 %(value)s 这种坐标系。") % {"parameter": parameter, "value": uri[:120]},
                      code="InvalidParameterValue")
    return found


def geometry(shape: dict[str, Any] | None, into: Crs) -> dict[str, Any] | None:
    """A GeoJSON geometry in WGS 84 as one in another system, rounded to about a centimetre."""
    if shape is None:
        return None

    def walk(part: Any) -> Any:
        if isinstance(part[0], int | float):
            x, y = into.to(float(part[0]), float(part[1]))
            return [round(x, into.decimals), round(y, into.decimals)]
        return [walk(each) for each in part]

    return {"type": shape["type"], "coordinates": walk(shape["coordinates"])}


def boxes(numbers: Sequence[float], given_in: Crs) -> tuple[Box, ...]:
    """Four numbers of a system – six with heights – as one box in WGS 84, or two where they cross the antimeridian.

    Raises Invalid for numbers that are no box, or lie outside the system.
    """
    def fault(why: str) -> Invalid:
        return Invalid(f"bbox: {why}", code="InvalidParameterValue")

    if len(numbers) not in (4, 6) or not all(isfinite(one) for one in numbers):
        raise fault(_("要四个数（西、南、东、北），带高程的六个。"))
    if len(numbers) == 6:
        if numbers[2] > numbers[5]:
            raise fault(_("下面的高程大于上面的。"))
        numbers = (*numbers[:2], *numbers[3:5])
    (x1, y1), (x2, y2) = (numbers[0], numbers[1]), (numbers[2], numbers[3])
    for x, y in ((x1, y1), (x2, y2)):
        if not all(low <= number <= high for low, number, high in zip(given_in.lower, (x, y), given_in.upper, strict=True)):
            raise fault(_("有数超出了坐标系的范围。"))
    (west, south), (east, north) = given_in.of(x1, y1), given_in.of(x2, y2)
    if south > north:
        raise fault(_("南边的数大于北边的。"))
    if west <= east:
        return ((west, south, east, north),)
    if not given_in.wraps:
        raise fault(_("西边的数大于东边的。"))
    return ((west, south, 180.0, north), (-180.0, south, east, north))
