"""Grids in the database: split, merged, drawn anew, renamed – whole or not at all, with their history, seen by every process."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import shapely
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.kernel.coordinates import CoordinateSystem, wgs84_to_gcj02
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound
from lianxin.places import drawing, grid_history, grids, locate, maps, partition, tiling
from lianxin.places.models import Area, BoundaryVersion, City, GridChange, Site
from tests.fieldwork.town import VILLAGE, divided
from tests.world import World

ACROSS = "113.1,28.99\n113.1,29.21"


def by(world: World) -> dict[str, Any]:
    return {"village": VILLAGE, "by_id": world.staff["bridge"].pk, "why": "分工调整"}


def is_whole() -> None:
    assert grids.faults_of(grids.held(VILLAGE)) == []


@pytest.fixture
def halves(world: World, monday: Frozen) -> list[Area]:
    return divided(world)


def cut(world: World, grid: Area, name: str = "新网格", *, version: int = 0, seed: int = 1) -> grids.Changed:
    west, south, east, north = grids.shape_of(grid).bounds
    line = shapely.LineString([(west - 0.01, (south + north) / 2), (east + 0.01, (south + north) / 2 + 0.001 * seed)])
    return grids.split(version=version, grid=grid.code, line=line, name=name, **by(world))


def test_a_grid_is_split_and_the_village_stays_whole(world: World, halves: list[Area]) -> None:
    done = cut(world, halves[0])
    code = f"{VILLAGE}003"
    assert done.made == ((code, halves[0].code),)
    assert [(one.code, one.name, one.synthetic) for one in grids.held(VILLAGE).grids] == [
        (halves[0].code, "第1网格", True), (halves[1].code, "第2网格", True), (code, "新网格", True)]
    new = Area.objects.get(code=code)
    assert (new.county_id, new.town_id, new.village_id) == (halves[0].county_id, halves[0].town_id, halves[0].village_id)
    is_whole()


def test_two_grids_are_merged_and_the_code_is_not_used_again(world: World, halves: list[Area]) -> None:
    done = grids.merge(version=0, grid=halves[0].code, other=halves[1].code, **by(world))
    assert done.ended == ((halves[1].code, halves[0].code),)
    assert [one.code for one in grids.held(VILLAGE).grids] == [halves[0].code]
    is_whole()
    assert cut(world, Area.objects.get(code=halves[0].code), version=2).made == ((f"{VILLAGE}003", halves[0].code),)
    is_whole()


def test_every_process_sees_the_new_grids(world: World, halves: list[Area], django_capture_on_commit_callbacks: Any) -> None:
    """Another process has forgotten nothing: it sees by the marker that it must read again."""
    held, layer = locate.index(), maps.layer("grid", VILLAGE)
    with django_capture_on_commit_callbacks(execute=False):
        cut(world, halves[0])
    locate._checked = 0.0
    assert locate.index() is not held
    x, y = Area.objects.get(code=f"{VILLAGE}003").lon, Area.objects.get(code=f"{VILLAGE}003").lat
    assert x is not None
    assert y is not None
    assert locate.locate(x, y).code == f"{VILLAGE}003"
    assert maps.layer("grid", VILLAGE).tag != layer.tag


def test_a_case_keeps_its_area_and_a_new_one_gets_the_new_grid(world: World, halves: list[Area]) -> None:
    point = grids.shape_of(halves[1]).representative_point()
    old = Case.objects.get(pk=world.case(lon=point.x, lat=point.y))
    assert old.area_id == halves[1].pk
    grids.merge(version=0, grid=halves[0].code, other=halves[1].code, **by(world))
    locate._checked = 0.0
    locate.forget()
    assert Case.objects.get(pk=old.pk).area_id == halves[1].pk
    new = Case.objects.get(pk=world.case(lon=point.x, lat=point.y))
    assert new.area_id == halves[0].pk


def test_history_says_what_it_was_who_when_and_why(world: World, halves: list[Area], monday: Frozen) -> None:
    before = halves[0].boundary
    cut(world, halves[0])
    monday.move(days=1)
    grids.rename(version=2, grid=halves[0].code, name="渔场网格", **by(world))
    village = world.areas[VILLAGE]
    told = grid_history.history(village)
    assert [(was.change.version, was.change.step, was.change.why) for was in told] == [
        (3, "renamed", "分工调整"), (2, "split", "分工调整"), (1, "loaded", "")]
    assert told[0].change.by == world.staff["bridge"]
    periods = BoundaryVersion.objects.filter(area=halves[0]).order_by("valid_from")
    loaded = City.objects.get().loaded_at
    assert [(one.name, one.valid_from, one.valid_to) for one in periods] == [
        ("第1网格", loaded, told[1].change.at), ("第1网格", told[1].change.at, told[0].change.at),
        ("渔场网格", told[0].change.at, None)]
    assert periods[0].boundary == before
    then = grid_history.at_time(village, told[1].change.at - timedelta(seconds=1))
    assert [one.area.code for one in then] == [halves[0].code, halves[1].code]
    assert [one.name for one in grid_history.at_time(village, told[0].change.at)] == ["渔场网格", "第2网格", "新网格"]


@pytest.mark.parametrize("sql", [
    "UPDATE places_gridchange SET why = 'x'", "DELETE FROM places_gridchange",
    "DELETE FROM places_boundaryversion", "UPDATE places_boundaryversion SET name = 'x'",
    "UPDATE places_boundaryversion SET valid_to = NULL", "UPDATE places_boundaryversion SET valid_to = now() WHERE valid_to IS NOT NULL",
    "UPDATE places_boundaryversion SET boundary = '{}' , valid_to = now() WHERE valid_to IS NULL",
])
def test_history_is_never_altered(world: World, halves: list[Area], sql: str) -> None:
    cut(world, halves[0])
    with pytest.raises(DatabaseError, match="never altered"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_who_saw_an_older_version_is_told_how_it_stands(world: World, halves: list[Area]) -> None:
    cut(world, halves[0])
    with pytest.raises(Conflict) as error:
        grids.merge(version=0, grid=halves[0].code, other=halves[1].code, **by(world))
    assert "bridge甲" in str(error.value)
    assert error.value.current["version"] == 2
    assert len(error.value.current["grids"]["features"]) == 3
    assert GridChange.objects.count() == 2


Redrawn = Callable[[list[Area]], list[dict[str, Any]]]


def feature(grid: Area | None, polygon: Any, name: str = "") -> dict[str, Any]:
    return {"type": "Feature", "geometry": shapely.geometry.mapping(polygon),
            "properties": {"code": grid.code if grid else None, "name": name or (grid.name if grid else "")}}


def redraw(world: World, features: list[dict[str, Any]], version: int = 0) -> grids.Changed:
    drawn = drawing.features_of(json.dumps({"type": "FeatureCollection", "features": features}))
    return grids.redraw(version=version, drawn=drawn, **by(world))


def test_grids_are_drawn_anew_with_a_new_one(world: World, halves: list[Area]) -> None:
    done = redraw(world, [feature(halves[0], shapely.box(113.0, 29.0, 113.05, 29.2)),
                          feature(halves[1], shapely.box(113.05, 29.0, 113.2, 29.1)),
                          feature(None, shapely.box(113.05, 29.100004, 113.2, 29.2), "湖边网格")])
    assert done.made == ((f"{VILLAGE}003", ""),)
    is_whole()
    total = shapely.union_all([grids.shape_of(one) for one in grids.held(VILLAGE).grids])
    assert total.equals(grids.shape_of(world.areas[VILLAGE]))  # the 40 cm between them were put right
    assert all(one.synthetic for one in grids.held(VILLAGE).grids)  # as the village's own outline is


def test_grids_of_a_surveyed_village_are_not_derived_when_drawn(world: World, halves: list[Area]) -> None:
    Area.objects.filter(code=VILLAGE).update(synthetic=False)
    redraw(world, [feature(halves[0], shapely.box(113.0, 29.0, 113.05, 29.2)), feature(halves[1], shapely.box(113.05, 29.0, 113.2, 29.2))])
    assert not any(one.synthetic for one in grids.held(VILLAGE).grids)


@pytest.mark.parametrize(("west", "east", "words"), [
    (shapely.box(113.0, 29.0, 113.05, 29.2), shapely.box(113.06, 29.0, 113.2, 29.2), "没有划进任何网格"),
    (shapely.box(113.0, 29.0, 113.07, 29.2), shapely.box(113.06, 29.0, 113.2, 29.2), "重叠"),
    (shapely.box(112.9, 29.0, 113.05, 29.2), shapely.box(113.05, 29.0, 113.2, 29.2), "伸到了村外"),
])
def test_what_does_not_share_out_the_village_is_refused_with_the_place(
    world: World, halves: list[Area], west: Any, east: Any, words: str,
) -> None:
    with pytest.raises(grids.Misdrawn, match=words) as error:
        redraw(world, [feature(halves[0], west), feature(halves[1], east)])
    (found,) = error.value.current["faults"]["features"]
    assert found["properties"]["square_metres"] > 1_000_000
    assert shapely.geometry.shape(found["geometry"]).area > 0
    assert "113." in str(error.value) or "112.9" in str(error.value)
    assert GridChange.objects.count() == 0
    assert City.objects.get().grids_version == 0


def one_of(kind: str, coordinates: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}}]})


@pytest.mark.parametrize(("features", "words"), [
    ("", "第 1 行"), ("[]", "FeatureCollection"), ("{", "第 1 行"), ('{"type": "FeatureCollection", "features": []}', "至少有一个"),
    ('{"type": "FeatureCollection", "features": [1]}', "不是 GeoJSON"),
    (one_of("Point", [1, 2]), "Polygon"), (one_of("Polygon", [[[1, 2]]]), "合格"),
    (one_of("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]), "交叉"),
    (one_of("Polygon", [[[0, 0], [999, 1], [1, 0], [0, 0]]]), "超出"),
    ("[" * 100_000, "第"),
])
def test_what_is_no_drawing_is_refused_in_words(features: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as error:
        drawing.features_of(features)
    assert set(error.value.fields) == {"features"}


@pytest.mark.parametrize(("text", "words"), [
    ("", "画线"), ("113.1,29.1", "两个点"), ("113.1,29.1\nhier", "第 2 点"), ("113.1,29.1\n900,1", "超出"),
    ('{"type": "Polygon", "coordinates": [[[0,0],[1,1],[1,0],[0,0]]]}', "LineString"), ('{"type": "LineString"}', "合格"),
])
def test_what_is_no_line_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as error:
        drawing.line_of(text)
    assert set(error.value.fields) == {"line"}


def test_a_line_may_be_typed_or_drawn_and_says_its_coordinate_system() -> None:
    plain = drawing.line_of(ACROSS)
    assert drawing.line_of("113.1 28.99；113.1，29.21").equals(plain)
    drawn = {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[113.1, 28.99], [113.1, 29.21]]}}
    assert drawing.line_of(json.dumps(drawn)).equals(plain)
    amap = [wgs84_to_gcj02(113.1, 28.99), wgs84_to_gcj02(113.1, 29.21)]
    moved = drawing.line_of("\n".join(f"{x},{y}" for x, y in amap), CoordinateSystem.GCJ02)
    assert moved.equals_exact(plain, 1e-6)


@pytest.mark.parametrize(("change", "field"), [
    (lambda w, g: grids.split(version=0, grid="none", line=drawing.line_of(ACROSS), name="x", **by(w)), "grid"),
    (lambda w, g: grids.split(version=0, grid=g[0].code, line=drawing.line_of("1,1\n2,2"), name="x", **by(w)), "line"),
    (lambda w, g: grids.split(version=0, grid=g[0].code, line=drawing.line_of(ACROSS), name="第2网格", **by(w)), "name"),
    (lambda w, g: grids.split(version=0, grid=g[0].code, line=drawing.line_of(ACROSS), name=" ", **by(w)), "name"),
    (lambda w, g: grids.merge(version=0, grid=g[0].code, other=g[0].code, **by(w)), "other"),
    (lambda w, g: grids.merge(version=0, grid=g[0].code, other=g[1].code, **{**by(w), "why": " "}), "why"),
    (lambda w, g: grids.rename(version=0, grid=g[0].code, name="第2网格", **by(w)), "name"),
    (lambda w, g: grids.rename(version=0, grid=g[0].code, name="长" * 81, **by(w)), "name"),
    (lambda w, g: redraw(w, [feature(g[0], shapely.box(113, 29, 113.2, 29.2))]), "features"),
    (lambda w, g: redraw(w, [feature(g[0], grids.shape_of(g[0])), feature(g[1], grids.shape_of(g[1]))]), "features"),
    (lambda w, g: redraw(w, [feature(g[0], grids.shape_of(g[0])), feature(g[0], grids.shape_of(g[1]))]), "features"),
])
def test_a_change_that_cannot_be_says_which_field(world: World, halves: list[Area], change: Any, field: str) -> None:
    with pytest.raises(Invalid) as error:
        change(world, halves)
    assert set(error.value.fields) == {field}
    assert GridChange.objects.count() == 0
    assert grids.held(VILLAGE).version == 0


def test_grids_apart_are_not_merged(world: World, monday: Frozen) -> None:
    made = divided(world, 6)
    pair = next((a, b) for a in made for b in made if a != b and not partition.touch(grids.shape_of(a), grids.shape_of(b)))
    with pytest.raises(Invalid, match="不相邻"):
        grids.merge(version=0, grid=pair[0].code, other=pair[1].code, **by(world))


def test_only_villages_have_grids(world: World) -> None:
    for code in ("990101001", "nowhere"):
        with pytest.raises(NotFound):
            grids.held(code)


def test_sites_go_with_the_land(world: World, halves: list[Area]) -> None:
    point = grids.shape_of(halves[1]).representative_point()
    placed = Site.objects.create(code="s1", name="小学", kind="school", area=halves[1], lon=point.x, lat=point.y)
    somewhere = Site.objects.create(code="s2", name="市场", kind="market", area=halves[1])
    grids.merge(version=0, grid=halves[0].code, other=halves[1].code, **by(world))
    placed.refresh_from_db()
    somewhere.refresh_from_db()
    assert (placed.area_id, somewhere.area_id) == (halves[0].pk, world.areas[VILLAGE].pk)


def test_the_first_grids_of_a_village_are_drawn(world: World, monday: Frozen) -> None:
    assert [fault.kind for fault in grids.faults_of(grids.held(VILLAGE))] == ["gap"]
    redraw(world, [feature(None, grids.shape_of(world.areas[VILLAGE]), "全村网格")])
    is_whole()


class Sequences(TestCase):
    """Random changes by random hands: after each, the village is shared out exactly, and history covers all the time."""

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["split", "merge", "rename"]), st.integers(0, 2**32)), min_size=1, max_size=7))
    def test_random_changes(self, steps: list[tuple[str, int]]) -> None:
        world = World.make()
        divided(world, 3)
        for what, chance in steps:
            dice, found = random.Random(chance), grids.held(VILLAGE)
            grid = dice.choice(found.grids)
            try:
                if what == "split":
                    polygon = grids.shape_of(grid)
                    line = shapely.LineString([tiling.point_within(polygon, dice), tiling.point_within(polygon, dice)])
                    grids.split(version=found.version, grid=grid.code, line=line, name=f"网格{chance}", **by(world))
                elif what == "merge":
                    other = dice.choice(found.grids)
                    grids.merge(version=found.version, grid=grid.code, other=other.code, **by(world))
                else:
                    grids.rename(version=found.version, grid=grid.code, name=f"改名{chance}", **by(world))
            except Conflict:
                raise
            except DomainError:
                pass
            after = grids.held(VILLAGE)
            assert grids.faults_of(after) == []
            if after.version:
                standing = BoundaryVersion.objects.filter(valid_to__isnull=True)
                assert {one.area_id: one.boundary for one in standing} == {one.pk: one.boundary for one in after.grids}
        locate.forget()
        dice = random.Random(1)
        for _each in range(20):
            x, y = tiling.point_within(grids.shape_of(world.areas[VILLAGE]), dice)
            hit = locate.locate(x, y)
            inside = [one for one in grids.held(VILLAGE).grids if grids.shape_of(one).buffer(-1e-5).contains(shapely.Point(x, y))]
            assert hit.level == "grid"
            assert [one.code for one in inside] in ([], [hit.code])
