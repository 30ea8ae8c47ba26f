"""Which area a position lies in: inside, on borders, outside, given in other coordinate systems."""

from __future__ import annotations

import random
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from lianxin.kernel.coordinates import gcj02_to_bd09, to_wgs84, wgs84_to_gcj02
from lianxin.places import tiling
from lianxin.places.locate import Index, Source


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}


# Two counties side by side; the western one has two towns, of which one is divided into villages and grids.
ROWS = [
    Source(1, "c", "市", "city", None, False, None),
    Source(2, "w", "西县", "county", 1, False, box(113.0, 29.0, 113.2, 29.2)),
    Source(3, "e", "东县", "county", 1, False, box(113.2, 29.0, 113.4, 29.2)),
    Source(4, "w1", "南镇", "town", 2, True, box(113.0, 29.0, 113.2, 29.1)),
    Source(5, "w2", "北镇", "town", 2, True, box(113.0, 29.1, 113.2, 29.2)),
    Source(6, "w1a", "甲村", "village", 4, True, box(113.0, 29.0, 113.1, 29.1)),
    Source(7, "w1b", "乙村", "village", 4, True, box(113.1, 29.0, 113.2, 29.1)),
    Source(8, "w1a1", "甲一", "grid", 6, True, box(113.0, 29.0, 113.05, 29.1)),
    Source(9, "w1a2", "甲二", "grid", 6, True, box(113.05, 29.0, 113.1, 29.1)),
]
INDEX = Index(ROWS)


@pytest.mark.parametrize(("lon", "lat", "code", "level"), [
    (113.02, 29.05, "w1a1", "grid"), (113.07, 29.05, "w1a2", "grid"), (113.15, 29.05, "w1b", "village"),
    (113.1, 29.15, "w2", "town"), (113.3, 29.1, "e", "county"),
])
def test_the_finest_area_is_found(lon: float, lat: float, code: str, level: str) -> None:
    hit = INDEX.locate(lon, lat)
    assert (hit.inside, hit.code, hit.level) == (True, code, level)


def test_the_areas_around_come_with_it() -> None:
    hit = INDEX.locate(113.02, 29.05)
    spots = [hit.county, hit.town, hit.village, hit.grid]
    assert [spot.name for spot in spots if spot] == ["西县", "南镇", "甲村", "甲一"]
    assert hit.synthetic
    assert hit.county is not None
    assert not hit.county.synthetic
    assert INDEX.locate(113.3, 29.1).town is None


@pytest.mark.parametrize(("lon", "lat", "code"), [
    (113.05, 29.05, "w1a1"),  # two grids: the lower code
    (113.1, 29.05, "w1a2"),  # a grid and a village: the deeper
    (113.2, 29.05, "w1b"),  # a village and a county: the deeper
    (113.2, 29.2, "w2"), (113.0, 29.0, "w1a1"), (113.4, 29.2, "e"),  # corners
])
def test_a_point_on_a_border_has_one_answer_every_time(lon: float, lat: float, code: str) -> None:
    assert {INDEX.locate(lon, lat).code for _round in range(5)} == {code}
    assert Index(reversed(ROWS)).locate(lon, lat).code == code


@pytest.mark.parametrize(("lon", "lat", "county", "metres"), [
    (113.5, 29.1, "东县", 9_727), (112.9, 29.1, "西县", 9_727), (113.1, 29.0 - 0.01, "西县", 973),
])
def test_outside_says_how_far_off(lon: float, lat: float, county: str, metres: int) -> None:
    hit = INDEX.locate(lon, lat)
    assert (hit.inside, hit.code, hit.nearest_county) == (False, "", county)
    assert hit.distance == pytest.approx(metres, rel=0.2)


@pytest.mark.parametrize(("lon", "lat"), [(float("nan"), 29.0), (113.0, float("inf")), (0.0, 0.0), (-180.0, 90.0)])
def test_what_is_no_place_here_is_outside(lon: float, lat: float) -> None:
    assert INDEX.locate(lon, lat).inside is False


def test_a_city_without_boundaries_says_nothing() -> None:
    assert Index([Source(1, "c", "市", "city", None, False, None)]).locate(113.0, 29.0).inside is None


def test_a_hairline_between_drawn_areas_belongs_to_a_neighbour() -> None:
    gap = [row for row in ROWS if row.code not in ("w1b",)]
    gap.append(Source(7, "w1b", "乙村", "village", 4, True, box(113.1001, 29.0, 113.2, 29.1)))
    assert Index(gap).locate(113.10005, 29.05).code in ("w1a2", "w1b", "w1")
    assert Index(gap).locate(113.10005, 29.05).inside is True


@given(st.floats(113.0, 113.4), st.floats(29.0, 29.2))
@settings(max_examples=300)
def test_every_point_inside_lies_in_its_whole_line(lon: float, lat: float) -> None:
    hit = INDEX.locate(lon, lat)
    assert hit.inside is True
    by_id = {row.id: row for row in ROWS}
    for spot in (hit.county, hit.town, hit.village, hit.grid):
        if spot is not None:
            assert shape(by_id[spot.id].boundary).buffer(1e-9).covers(shapely.Point(lon, lat))


@given(st.floats(113.01, 113.39), st.floats(29.01, 29.19))
@settings(max_examples=200)
def test_positions_in_other_systems_come_to_the_same_place(lon: float, lat: float) -> None:
    shifted = wgs84_to_gcj02(lon, lat)
    back = to_wgs84(*shifted, "gcj02")
    assert back == pytest.approx((lon, lat), abs=1e-7)
    assert to_wgs84(*gcj02_to_bd09(*shifted), "bd09") == pytest.approx((lon, lat), abs=1e-6)


def test_a_shift_that_nobody_declared_would_put_it_elsewhere() -> None:
    """Near a border the same numbers mean two places: so the system goes with every position."""
    lon, lat = 113.0499, 29.05
    assert INDEX.locate(lon, lat).code == "w1a1"
    assert INDEX.locate(*wgs84_to_gcj02(lon, lat)).code == "w1a2"
    assert INDEX.locate(*to_wgs84(*wgs84_to_gcj02(lon, lat), "gcj02")).code == "w1a1"


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_a_polygon_is_shared_out_whole_without_overlap_and_the_same_every_time(count: int) -> None:
    whole = shapely.Polygon([(113, 29), (113.3, 29.02), (113.28, 29.2), (113.1, 29.12), (113.02, 29.25)])
    codes = [f"{number:03d}" for number in range(count)]
    parts = tiling.divide(whole, codes, {"000": [(113.05, 29.05)]} if count > 1 else None)
    assert set(parts) == set(codes)
    assert all(part.is_valid and part.area > 0 for part in parts.values())
    assert sum(part.area for part in parts.values()) == pytest.approx(whole.area, rel=1e-3)
    assert shapely.union_all(list(parts.values())).area == pytest.approx(whole.area, rel=1e-3)
    assert all(part.equals(again) for part, again in zip(
        parts.values(), tiling.divide(whole, codes, {"000": [(113.05, 29.05)]} if count > 1 else None).values(), strict=True))
    if count > 1:
        assert parts["000"].buffer(1e-6).contains(shapely.Point(113.05, 29.05)), "a known place lies in its own share"


@pytest.mark.django_db
def test_every_point_of_a_village_belongs_to_exactly_one_grid() -> None:
    from lianxin.city.load import load
    from lianxin.places.locate import locate
    from lianxin.places.models import Area
    from tests.city.conftest import HILL

    load(HILL)
    dice = random.Random(9902)
    for village in Area.objects.filter(level="village"):
        grids = [shape(grid.boundary) for grid in Area.objects.filter(parent=village)]
        for _point in range(200):
            lon, lat = tiling.point_within(shape(village.boundary), dice)
            hit = locate(lon, lat)
            assert hit.village is not None
            assert hit.grid is not None
            assert hit.village.id == village.pk
            assert sum(grid.contains(shapely.Point(lon, lat)) for grid in grids) == 1
