"""The square map of EPSG:3857 cut into tiles: which tile and which of its 4096 × 4096 places a position lies in.

Source: the tile scheme of OpenStreetMap and TileJSON 3.0 (x to the east, y to the south from the north-western corner).
"""

from __future__ import annotations

from math import atan, degrees, floor, log, pi, radians, sinh, tan
from typing import Final

EXTENT: Final = 4096  # places along an edge of a tile
SHALLOWEST: Final = 4  # zooms that are drawn: from
DEEPEST: Final = 14  # to
EXACT: Final = 13  # from here on a point stands for one position
BINS: Final = 16  # points along an edge of a tile below that
AREA_FROM: Final = 11  # from here on a tally says in which area it lies


def place(lon: float, lat: float, zoom: int = DEEPEST) -> tuple[int, int, int, int]:
    """Tile column and row, and the place in the tile, of a position in WGS 84 degrees."""
    side = EXTENT << zoom
    across = min(max(floor((lon + 180) / 360 * side), 0), side - 1)
    down = min(max(floor((0.5 - log(tan(pi / 4 + radians(lat) / 2)) / (2 * pi)) * side), 0), side - 1)
    return across // EXTENT, down // EXTENT, across % EXTENT, down % EXTENT


def corner(x: float, y: float, zoom: int) -> tuple[float, float]:
    """The north-western corner of a tile in WGS 84 degrees; parts of a tile are places inside it."""
    tiles = 1 << zoom
    return x / tiles * 360 - 180, degrees(atan(sinh(pi * (1 - 2 * y / tiles))))


# The same in SQL: columns `gx` and `gy`, places from the corner of the whole map at the deepest zoom.
SIDE: Final = EXTENT << DEEPEST
GX_SQL: Final = f"least(greatest(floor(({{lon}} + 180) / 360 * {SIDE}), 0), {SIDE - 1})::int"
GY_SQL: Final = f"least(greatest(floor((0.5 - ln(tan(pi() / 4 + radians({{lat}}) / 2)) / (2 * pi())) * {SIDE}), 0), {SIDE - 1})::int"
