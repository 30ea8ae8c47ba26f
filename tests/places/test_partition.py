"""Random splits, merges and new village borders keep the partition exact: every point in one grid and one only."""

from __future__ import annotations

import math
import random

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from lianxin.places import partition, tiling
from lianxin.places.locate import Index, Source
from lianxin.places.partition import CannotCut, FaultKind

CORNERS = [(113.1, 29.3), (113.13, 29.297), (113.141, 29.31), (113.128, 29.316), (113.132, 29.331), (113.104, 29.335), (113.096, 29.32)]
VILLAGE = tiling.snapped(shapely.Polygon(CORNERS))


def ragged(seed: int) -> BaseGeometry:
    """A village with a wild outline, as real ones are."""
    dice = random.Random(seed)
    ring = []
    for step in range(60):
        angle, reach = step / 60 * 2 * math.pi, dice.uniform(0.008, 0.02)
        ring.append((113.2 + reach * math.cos(angle), 29.2 + reach * math.sin(angle)))
    return tiling.snapped(shapely.make_valid(shapely.Polygon(ring)))


def shared_out(village: BaseGeometry, count: int) -> dict[str, BaseGeometry]:
    return {code: tiling.snapped(part) for code, part in tiling.divide(village, [f"g{n}" for n in range(count)]).items()}


def whole(village: BaseGeometry, grids: dict[str, BaseGeometry], dice: random.Random) -> None:
    """Nothing missing, nothing twice, and whoever asks where a point lies hears one grid."""
    assert partition.faults(village, grids) == []
    rows = [Source(1, "v", "村", "village", None, False, tiling.as_geojson(village))]
    rows += [Source(n, code, code, "grid", 1, True, tiling.as_geojson(part)) for n, (code, part) in enumerate(grids.items(), 2)]
    index = Index(rows)
    for _each in range(30):
        x, y = tiling.point_within(village, dice)
        hit = index.locate(x, y)
        assert hit.level == "grid"
        inside = [code for code, part in grids.items() if part.buffer(-1e-5).contains(shapely.Point(x, y))]
        assert len(inside) <= 1
        assert not inside or hit.code == inside[0]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.lists(st.tuples(st.booleans(), st.integers(0, 2**32)), min_size=1, max_size=8))
def test_random_splits_and_merges_keep_the_partition(seed: int, steps: list[tuple[bool, int]]) -> None:
    village = ragged(seed)
    grids = shared_out(village, 3)
    made = 0
    for splits, chance in steps:
        dice = random.Random(chance)
        if splits:
            code = dice.choice(sorted(grids))
            a, b = tiling.point_within(grids[code], dice), tiling.point_within(grids[code], dice)
            try:
                pieces = partition.split(grids[code], shapely.LineString([a, b]))
            except CannotCut:
                continue
            made += 1
            grids[code], grids[f"n{made}"] = pieces
        elif len(grids) > 1:
            code = dice.choice(sorted(grids))
            beside = [other for other in sorted(grids) if other != code and partition.touch(grids[code], grids[other])]
            if not beside:
                continue
            other = dice.choice(beside)
            grids[code] = partition.merged([grids[code], grids.pop(other)])
        whole(village, grids, dice)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_grids_are_fitted_to_a_new_border(before: int, after: int) -> None:
    """The city's files move a village's border: what was drawn inside follows, and the village is whole again."""
    grids = shared_out(ragged(before), 4)
    village = ragged(after)
    fit = partition.fitted(village, grids)
    assert set(fit) == set(grids)
    whole(village, {code: part for code, part in fit.items() if not part.is_empty}, random.Random(after))


def test_a_gap_an_overlap_and_what_sticks_out_are_found_with_their_size() -> None:
    west, east = shapely.box(113.0, 29.0, 113.01, 29.02), shapely.box(113.01, 29.0, 113.02, 29.02)
    village = shapely.box(113.0, 29.0, 113.02, 29.02)
    assert partition.faults(village, {"w": west, "e": east}) == []
    gap = partition.faults(village, {"w": shapely.box(113.0, 29.0, 113.009, 29.02), "e": east})
    assert [(one.kind, one.keys) for one in gap] == [(FaultKind.GAP, ())]
    assert gap[0].area == pytest.approx(0.001 * 0.02 * 111_320**2 * math.cos(math.radians(29.01)), rel=0.01)
    twice = partition.faults(village, {"w": shapely.box(113.0, 29.0, 113.011, 29.02), "e": east})
    assert [(one.kind, one.keys) for one in twice] == [(FaultKind.OVERLAP, ("w", "e"))]
    out = partition.faults(village, {"w": shapely.box(112.99, 29.0, 113.01, 29.02), "e": east})
    assert [(one.kind, one.keys) for one in out] == [(FaultKind.OUTSIDE, ("w",))]
    assert [one.kind for one in partition.faults(village, {})] == [FaultKind.GAP]


def test_less_than_a_metre_is_rounding_and_is_mended() -> None:
    village = shapely.box(113.0, 29.0, 113.02, 29.02)
    parts = {"w": shapely.box(113.0, 29.0, 113.009995, 29.02), "e": shapely.box(113.01, 29.0, 113.02, 29.02)}
    assert partition.faults(village, parts) == []
    fit = partition.fitted(village, parts)
    assert shapely.union_all(list(fit.values())).equals(village)


@pytest.mark.parametrize(("line", "reason"), [
    ([(113.5, 29.3), (113.6, 29.3)], "misses"),
    ([(113.11, 29.31), (113.12, 29.32), (113.11, 29.32), (113.12, 29.31)], "not_simple"),
    ([(113.11, 29.31), (113.11, 29.31)], "not_simple"),
    ([(113.11, 29.31), (113.111, 29.311)], "misses"),
    ([(113.09603, 29.3203), (113.09603, 29.3197)], "too_small"),
])
def test_a_line_that_does_not_divide_is_refused(line: list[tuple[float, float]], reason: str) -> None:
    with pytest.raises(CannotCut) as error:
        partition.split(VILLAGE, shapely.LineString(line))
    assert error.value.reason == reason


def test_a_line_that_ends_just_before_the_border_reaches_it() -> None:
    larger, smaller = partition.split(VILLAGE, shapely.LineString([(113.0964, 29.3202), (113.12, 29.32), (113.1302, 29.3202)]))
    assert larger.area + smaller.area == pytest.approx(VILLAGE.area)


def test_grids_that_meet_in_a_corner_do_not_touch() -> None:
    assert not partition.touch(shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2))
    assert partition.touch(shapely.box(0, 0, 1, 1), shapely.box(1, 0.5, 2, 2))
