"""One vector tile of public cases: read from the tallies or, for what they do not know, from the records laid out by tile.

Zooms 4–12 hold the layer `groups`: a point for each sixteenth of the tile's edges that has something in it, at the mean of the positions
shown. From 13 on the layer `cases` holds one point per position; at 14 `records` holds the newest records one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import mapbox_vector_tile
from django.db import connection
from django.utils.timezone import localtime
from shapely import Point

from lianxin.cases.models import Category
from lianxin.places.models import Area
from lianxin.publishing.models import Stage

from .tiling import AREA_FROM, BINS, DEEPEST, EXACT, EXTENT

OPEN: Final = (Stage.RECEIVED, Stage.WITH_UNIT, Stage.HANDED_OVER, Stage.ANSWERED)
DONE: Final = (Stage.CLOSED, Stage.DECLINED)
NEWEST: Final = 300  # records shown one by one in a tile


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a tile is asked for. `category` is a code; `stages` are those that count, in the order of `Stage`; all when empty."""

    category: str = ""
    county: str = ""
    stages: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[str, ...]:
        return self.stages or tuple(Stage.values)


@dataclass(slots=True)
class Spot:
    """What lies at one point of a tile. `x` and `y` are sums of positions over `weight` records."""

    n: int = 0
    open: int = 0
    solved: int = 0
    x: int = 0
    y: int = 0
    weight: int = 0
    areas: set[int] = field(default_factory=set)
    precision: str = ""
    groups: dict[str, int] = field(default_factory=dict)

    @property
    def top(self) -> str:
        return max(self.groups, key=lambda code: (self.groups[code], code), default="")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`Narrowed` in the database's words. None of `county` or `categories` is every one; `depth` is that of the tallies which know it."""

    county: int | None
    code: str
    depth: int
    categories: list[int] | None


def _wanted(narrowed: Narrowed) -> Wanted | None:
    """None for a county or category that is not there: nothing is drawn then."""
    county = None
    if narrowed.county:
        county = Area.objects.filter(code=narrowed.county, level="county").values_list("pk", flat=True).first()
        if county is None:
            return None
    if not narrowed.category:
        return Wanted(county, "", 1, None)
    level = Category.objects.filter(code=narrowed.category).values_list("level", flat=True).first()
    if level is None:
        return None
    below = list(Category.objects.filter(code__startswith=narrowed.category).values_list("pk", flat=True))
    return Wanted(county, narrowed.category, level, below)


_COUNTS: Final = (*Stage.values, "solved")
_TOTAL: Final = " + ".join(Stage.values)
_SUMS: Final = ", ".join(f"sum({name})" for name in _COUNTS)
_HERE: Final = "x BETWEEN %(x1)s AND %(x2)s AND y BETWEEN %(y1)s AND %(y2)s"
# One position's tallies, and the same from records of some categories.
_TALLIED: Final = ("SELECT x, y, spot, category AS code, area_id, precision, " + ", ".join(_COUNTS)
                   + f" FROM ogc_tiletally WHERE zoom = {DEEPEST} AND depth = 1 AND {_HERE}")
_LIVE: Final = ("SELECT x, y, spot, %(code)s AS code, coalesce(area_id, 0) AS area_id, precision, "
                + ", ".join(f"(stage = '{stage}')::int AS {stage}" for stage in Stage.values)
                + f", (stage = 'closed' AND coalesce(solved, false))::int AS solved FROM ogc_drawnrecord "
                f"WHERE category_id = ANY(%(categories)s) AND {_HERE}")


def _summed(zoom: int, wanted: Wanted) -> str:
    """The statement for one tile: place in it, category, area, precision, counts, and the sums of the positions they stand at."""
    county = " AND county_id = %(county)s" if wanted.county is not None else ""
    if zoom < EXACT and wanted.depth <= 2:
        code = " AND category = %(code)s" if wanted.code else ""
        return (f"SELECT spot, category, area_id, precision, {_SUMS}, sum(sum_x), sum(sum_y) FROM ogc_tiletally "
                f"WHERE zoom = %(zoom)s AND {_HERE} AND depth = %(depth)s{code}{county} GROUP BY 1, 2, 3, 4")
    shift, size = DEEPEST - zoom, EXTENT // BINS
    if wanted.depth > 1:
        within = _LIVE
    else:
        within = _TALLIED + (" AND category = %(code)s" if wanted.code else "")
    px, py = (f"((({axis} * {EXTENT} + {part}) >> {shift}) & {EXTENT - 1})"
              for axis, part in (("x", f"spot %% {EXTENT}"), ("y", f"spot / {EXTENT}")))
    exact = zoom >= EXACT
    place = f"py * {EXTENT} + px" if exact else f"py / {size} * {BINS} + px / {size}"
    return (f"SELECT {place}, code, {'area_id' if zoom >= AREA_FROM else '0'}, {'precision' if exact else chr(39) * 2}, {_SUMS}, "
            f"sum(px * ({_TOTAL})), sum(py * ({_TOTAL})) FROM (SELECT *, {px} AS px, {py} AS py FROM ({within}{county}) held) laid "
            "GROUP BY 1, 2, 3, 4")


def spots(zoom: int, x: int, y: int, narrowed: Narrowed, wanted: Wanted) -> dict[int, Spot]:
    """What lies where in a tile, by the place in it."""
    tallied = zoom < EXACT and wanted.depth <= 2
    shift = 0 if tallied else DEEPEST - zoom
    with connection.cursor() as cursor:
        cursor.execute(_summed(zoom, wanted), {
            "zoom": zoom, "x1": x << shift, "x2": (x + 1 << shift) - 1, "y1": y << shift, "y2": (y + 1 << shift) - 1,
            "depth": wanted.depth, "code": wanted.code, "categories": wanted.categories, "county": wanted.county})
        rows = cursor.fetchall()
    found: dict[int, Spot] = {}
    counted = frozenset(narrowed.counted)
    for place, code, area, precision, *counts in rows:
        by_stage = dict(zip(Stage.values, map(int, counts), strict=False))
        n = sum(by_stage[stage] for stage in counted)
        if n <= 0:
            continue
        spot = found.setdefault(place, Spot(precision=precision))
        spot.n += n
        spot.open += sum(by_stage[stage] for stage in OPEN if stage in counted)
        spot.solved += int(counts[-3]) if Stage.CLOSED in counted else 0
        spot.x, spot.y, spot.weight = spot.x + int(counts[-2]), spot.y + int(counts[-1]), spot.weight + sum(by_stage.values())
        spot.areas.add(area)
        spot.groups[code] = spot.groups.get(code, 0) + n
    return found


def _records(x: int, y: int, narrowed: Narrowed, wanted: Wanted, *, at: list[int] | None = None,
             limit: int = NEWEST) -> list[tuple[Any, ...]]:
    """Records of a tile of the deepest zoom, newest first; `at` only those at some places."""
    where = ["x = %(x)s", "y = %(y)s"]
    where += ["stage = ANY(%(stages)s)"] if narrowed.stages else []
    where += ["county_id = %(county)s"] if wanted.county is not None else []
    where += ["category_id = ANY(%(categories)s)"] if wanted.categories is not None else []
    where += ["spot = ANY(%(at)s)"] if at is not None else []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number, spot, stage, category_id, solved, dated, opened_at FROM ogc_drawnrecord WHERE {' AND '.join(where)} "
            "ORDER BY opened_at DESC, number LIMIT %(limit)s",
            {"x": x, "y": y, "stages": list(narrowed.stages), "county": wanted.county, "categories": wanted.categories, "at": at,
             "limit": limit})
        return list(cursor.fetchall())


def _point(x: float, y: float) -> Point:
    """The encoder counts rows from below."""
    return Point(round(x), EXTENT - round(y))


def _area_codes(found: Iterable[Spot]) -> Mapping[int, str]:
    wanted = {area for spot in found if len(spot.areas) == 1 for area in spot.areas if area}
    return dict(Area.objects.filter(pk__in=wanted).values_list("pk", "code")) if wanted else {}


def _said(spot: Spot, codes: Mapping[int, str]) -> dict[str, Any]:
    (area,) = spot.areas if len(spot.areas) == 1 else (0,)
    return {"n": spot.n, "open": spot.open, "solved": spot.solved, "area": codes.get(area, ""), "category": spot.top}


def _groups(found: Mapping[int, Spot]) -> list[dict[str, Any]]:
    codes = _area_codes(found.values())
    return [{"geometry": _point(spot.x / spot.weight, spot.y / spot.weight),
             "properties": _said(spot, codes) | {f"g{code}": n for code, n in sorted(spot.groups.items()) if code}}
            for _place, spot in sorted(found.items())]


def _cases(zoom: int, x: int, y: int, found: Mapping[int, Spot], narrowed: Narrowed, wanted: Wanted) -> list[dict[str, Any]]:
    """A point per position. One that stands there alone is named, where a place in the tile is a position: at the deepest zoom."""
    single = sorted(place for place, spot in found.items() if spot.n == 1) if zoom == DEEPEST else []
    alone = {row[1]: row for row in _records(x, y, narrowed, wanted, at=single, limit=len(single))} if single else {}
    codes = _area_codes(found.values())
    made = []
    for place, spot in sorted(found.items()):
        said = _said(spot, codes) | {"precision": spot.precision}
        if place in alone:
            said |= {"number": alone[place][0], "stage": alone[place][2]}
        made.append({"geometry": _point(place % EXTENT, place // EXTENT), "properties": said})
    return made


def _newest(x: int, y: int, narrowed: Narrowed, wanted: Wanted) -> list[dict[str, Any]]:
    rows = _records(x, y, narrowed, wanted)
    codes = dict(Category.objects.filter(pk__in={row[3] for row in rows}).values_list("pk", "code")) if rows else {}
    made = []
    for number, spot, stage, category, solved, dated, opened_at in rows:
        said = {"number": number, "stage": stage, "category": codes.get(category, ""), "opened": localtime(opened_at).date().isoformat(),
                "dated": dated}
        if solved is not None:
            said["solved"] = solved
        made.append({"geometry": _point(spot % EXTENT, spot // EXTENT), "properties": said})
    return made


def tile(zoom: int, x: int, y: int, narrowed: Narrowed) -> bytes:
    """The tile as Mapbox Vector Tile 2.1; empty where nothing lies."""
    wanted = _wanted(narrowed)
    found = spots(zoom, x, y, narrowed, wanted) if wanted is not None else {}
    if not found or wanted is None:
        return b""
    if zoom < EXACT:
        layers = [("groups", _groups(found))]
    else:
        layers = [("cases", _cases(zoom, x, y, found, narrowed, wanted))]
        if zoom == DEEPEST:
            layers.append(("records", _newest(x, y, narrowed, wanted)))
    made: bytes = mapbox_vector_tile.encode(
        [{"name": name, "features": features} for name, features in layers], default_options={"extents": EXTENT})
    return made
