"""Coordinate systems against independent pairs of boundaries, and by their laws."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from math import cos, hypot, inf, nan, radians
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

from lianxin.kernel.coordinates import (
    CoordinateSystem,
    bd09_to_gcj02,
    cell,
    cells_around,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_china,
    metres_between,
    to_wgs84,
    wgs84_to_gcj02,
)

ROOT = Path(__file__).resolve().parents[2]
PLACES = Path(os.environ.get("LIANXIN_SHARED_DATA") or ROOT.parent / "shared" / "data") / "places"
LON, LAT = st.floats(74, 134), st.floats(18, 53)
YUEYANG = (113.1329, 29.3702)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Flat distance, good for short ones."""
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * 111_320


# Pairs given with public implementations (eviltransform, coordtransform), longitude before latitude.
PAIRS = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]


@pytest.mark.parametrize(("wgs", "gcj"), PAIRS)
def test_known_pairs(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    assert metres(wgs84_to_gcj02(*wgs), gcj) < 0.0001
    assert metres(gcj02_to_wgs84(*gcj), wgs) < 0.001
    assert metres(to_wgs84(*gcj, "gcj02"), wgs) < 0.001


def test_a_known_pair_of_baidu() -> None:
    assert metres(gcj02_to_bd09(116.404, 39.915), (116.41036949371029, 39.92133699351021)) < 0.0001


def counties(name: str) -> dict[str, BaseGeometry]:
    features = json.loads((PLACES / f"counties_{name}.geojson").read_text())["features"]
    return {feature["properties"]["name"]: shape(feature["geometry"]) for feature in features}


def vertices(county: BaseGeometry) -> Iterator[tuple[float, float]]:
    for polygon in county.geoms:
        yield from polygon.exterior.coords


@pytest.mark.skipif(not PLACES.is_dir(), reason=f"the county boundaries in two systems are not here: {PLACES}")
def test_county_boundaries_of_two_publishers_meet_once_converted() -> None:
    """One is WGS-84, the other GCJ-02; they were simplified differently, so that they meet within a hundred metres."""
    wgs, gcj = counties("wgs84"), counties("gcj02")
    assert len(wgs) == len(gcj) == 9
    for name, county in wgs.items():
        edge = county.boundary
        raw = [Point(at).distance(edge) for at in vertices(gcj[name])]
        converted = [Point(to_wgs84(*at, CoordinateSystem.GCJ02)).distance(edge) for at in vertices(gcj[name])]
        assert median(raw) * 111_320 > 300, name
        assert median(converted) * 111_320 < 200, name


@given(LON, LAT)
def test_there_and_back(lon: float, lat: float) -> None:
    at = (lon, lat)
    assert metres(gcj02_to_wgs84(*wgs84_to_gcj02(*at)), at) < 0.001
    assert metres(bd09_to_gcj02(*gcj02_to_bd09(*at)), at) < 0.001
    assert metres(to_wgs84(*gcj02_to_bd09(*wgs84_to_gcj02(*at)), CoordinateSystem.BD09), at) < 0.002
    assert metres(to_wgs84(*wgs84_to_gcj02(*at), CoordinateSystem.GCJ02), at) < 0.001


@given(LON, LAT)
def test_the_offsets_are_of_the_known_size(lon: float, lat: float) -> None:
    assert 20 < metres(wgs84_to_gcj02(lon, lat), (lon, lat)) < 1500
    assert 300 < metres(gcj02_to_bd09(lon, lat), (lon, lat)) < 1500


def test_yueyang_is_where_it_is() -> None:
    lon, lat = wgs84_to_gcj02(*YUEYANG)
    assert 0.003 < lon - YUEYANG[0] < 0.008
    assert -0.006 < lat - YUEYANG[1] < -0.001


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_every_position_on_earth_is_taken(lon: float, lat: float) -> None:
    for system in CoordinateSystem:
        assert all(abs(degrees) < 400 for degrees in to_wgs84(lon, lat, system))
    assert to_wgs84(lon, lat) == to_wgs84(lon, lat, "cgcs2000") == (lon, lat)
    if not in_china(lon, lat):
        assert to_wgs84(lon, lat, CoordinateSystem.GCJ02) == (lon, lat)


@pytest.mark.parametrize("at", [(181, 0), (0, 91), (nan, 0), (0, inf), (29.37, 113.13)])
def test_what_is_no_position_is_refused(at: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="position"):
        to_wgs84(*at)


def test_a_system_may_be_named_and_must_be_known() -> None:
    gcj = wgs84_to_gcj02(*YUEYANG)
    assert to_wgs84(*gcj, "gcj02") == to_wgs84(*gcj, CoordinateSystem.GCJ02) != gcj
    with pytest.raises(ValueError, match="mars"):
        to_wgs84(*gcj, "mars")


@given(st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 15))
def test_cells_fit_a_bigint(lon: float, lat: float, resolution: int) -> None:
    assert 0 < cell(lon, lat, resolution) < 2**63


def test_cells_of_neighbours() -> None:
    here = cell(*YUEYANG)
    assert here in cells_around(*YUEYANG, rings=0)
    assert len(set(cells_around(*YUEYANG, rings=2))) == 19
    assert cell(YUEYANG[0] + 0.0035, YUEYANG[1]) in cells_around(*YUEYANG, rings=2)
    assert cell(YUEYANG[0] + 0.1, YUEYANG[1]) not in cells_around(*YUEYANG, rings=2)


def test_distance_on_the_sphere() -> None:
    assert metres_between(113.0, 29.0, 113.0, 30.0) == pytest.approx(111_195, abs=5)
    assert metres_between(113.0, 29.0, 113.0, 29.0) == 0
