"""Coordinate systems met in China. Everything is stored in WGS-84; whatever comes in says what it is.

GCJ-02 (AMap, Tencent) adds a smooth offset of up to several hundred metres to WGS-84; BD-09 (Baidu) turns GCJ-02
once more. The forward formulas are the published approximations; the inverse is found by iteration.
"""

from __future__ import annotations

from enum import StrEnum
from math import asin, atan2, cos, hypot, isfinite, pi, radians, sin, sqrt

import h3.api.basic_int as h3

_AXIS = 6378245.0  # Krasovsky 1940, metres
_ECCENTRICITY2 = 0.00669342162296594323
_TURN = pi * 3000.0 / 180.0


class CoordinateSystem(StrEnum):
    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def _waves(x: float) -> float:
    return (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0


def _offset(lon: float, lat: float) -> tuple[float, float]:
    """The GCJ-02 offset in degrees at a WGS-84 position."""
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + _waves(x)
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + _waves(x)
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = radians(lat)
    bend = 1.0 - _ECCENTRICITY2 * sin(phi) ** 2
    north = north * 180.0 / (_AXIS * (1.0 - _ECCENTRICITY2) / (bend * sqrt(bend)) * pi)
    east = east * 180.0 / (_AXIS / sqrt(bend) * cos(phi) * pi)
    return east, north


def in_china(lon: float, lat: float) -> bool:
    """The rectangle outside which GCJ-02 equals WGS-84."""
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def wgs84_to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Degrees to degrees; outside the rectangle of China nothing is moved."""
    if not in_china(lon, lat):
        return lon, lat
    east, north = _offset(lon, lat)
    return lon + east, lat + north


def gcj02_to_wgs84(lon: float, lat: float) -> tuple[float, float]:
    """The inverse, to about a millimetre."""
    if not in_china(lon, lat):
        return lon, lat
    east, north = _offset(lon, lat)
    for _round in range(8):
        moved = _offset(lon - east, lat - north)
        settled = abs(moved[0] - east) + abs(moved[1] - north) < 1e-9
        east, north = moved
        if settled:  # three rounds as a rule
            break
    return lon - east, lat - north


def gcj02_to_bd09(lon: float, lat: float) -> tuple[float, float]:
    """Degrees to degrees: a small turn and a shift of some hundred metres."""
    reach = hypot(lon, lat) + 0.00002 * sin(lat * _TURN)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _TURN)
    return reach * cos(angle) + 0.0065, reach * sin(angle) + 0.006


def bd09_to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """The inverse, to about a millimetre."""
    x, y = lon - 0.0065, lat - 0.006
    for _round in range(8):
        there = gcj02_to_bd09(x, y)
        x, y = x - (there[0] - lon), y - (there[1] - lat)
    return x, y


def to_wgs84(lon: float, lat: float, system: CoordinateSystem | str = CoordinateSystem.WGS84) -> tuple[float, float]:
    """Degrees in `system` to WGS-84 degrees (CGCS2000 differs by centimetres and is taken as it is).

    Raises ValueError for what is no position on earth and for a system that is not one of `CoordinateSystem`.
    """
    system = CoordinateSystem(system)  # a plain string would else fall through to "as it is"
    if not (isfinite(lon) and isfinite(lat)) or abs(lon) > 180 or abs(lat) > 90:
        raise ValueError("not a position on earth")
    if system is CoordinateSystem.BD09:
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    if system is CoordinateSystem.GCJ02:
        return gcj02_to_wgs84(lon, lat)
    return lon, lat


def metres_between(lon: float, lat: float, lon2: float, lat2: float) -> float:
    """Great-circle distance of two WGS-84 positions in metres, on a sphere of 6,371 km."""
    a, b = radians(lat), radians(lat2)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon2 - lon) / 2) ** 2
    return 2 * 6_371_000 * asin(sqrt(half))


def cell(lon: float, lat: float, resolution: int = 9) -> int:
    """The H3 cell as an integer that fits PostgreSQL's `bigint` (the top bit of a cell index is always 0)."""
    return int(h3.latlng_to_cell(lat, lon, resolution))


def cells_around(lon: float, lat: float, *, rings: int, resolution: int = 9) -> list[int]:
    """The cell of a position and its neighbours up to `rings` away (resolution 9: about 350 m a ring)."""
    return [int(one) for one in h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), rings)]
