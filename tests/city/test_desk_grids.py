"""Loading a city again: grids that were changed in the application stay, and what the files change is written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from lianxin.city.faults import BadCity
from lianxin.city.load import load
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.places import grid_history, grids, locate
from lianxin.places.models import Area, GridChange
from tests.city.conftest import append, edit

pytestmark = pytest.mark.django_db
UPPER, MIDDLE = "990201001001", "990201001002"


@pytest.fixture
def loaded(hill: Path) -> Path:
    load(hill)
    return hill


def person() -> int:
    return Staff.objects.create(username="desk", name="网格长").pk


def split(village: str = MIDDLE) -> str:
    found = grids.held(village)
    west, south, east, north = grids.shape_of(found.village).bounds
    line = shapely.LineString([(west - 0.01, (south + north) / 2), (east + 0.01, (south + north) / 2)])
    done = grids.split(village=village, version=found.version, grid=found.grids[0].code, line=line, name="新网格", why="分工",
                       by_id=person())
    return done.made[0][0]


def reload(hill: Path, **more: bool) -> list[str]:
    """Load the files again; what the load told."""
    told: list[str] = []
    load(hill, tell=told.append, **more)
    return told


def codes(village: str) -> list[str]:
    return [grid.code for grid in grids.held(village).grids]


def is_whole(village: str) -> None:
    assert grids.faults_of(grids.held(village)) == []


def outline(hill: Path, code: str, polygon: shapely.Geometry) -> None:
    file = hill / "areas" / "boundaries.geojsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for feature in lines:
        if feature["properties"]["code"] == code:
            feature["geometry"] = json.loads(shapely.to_geojson(polygon))
    file.write_text("".join(json.dumps(feature) + "\n" for feature in lines), encoding="utf-8")


def test_what_was_drawn_here_is_kept_and_said(loaded: Path) -> None:
    new = split()
    edit(loaded / "areas" / "areas.csv", "中坡村第1网格", "中坡村大网格")
    told = reload(loaded)
    assert [line for line in told if "中坡村" in line and "--replace-grids" in line]
    assert codes(MIDDLE) == [f"{MIDDLE}001", new]
    assert Area.objects.get(code=f"{MIDDLE}001").name == "中坡村第1网格"
    is_whole(MIDDLE)
    assert locate.locate(121.015, 31.0075).code in (f"{MIDDLE}001", new)


def test_other_changes_of_the_files_are_taken_all_the_same(loaded: Path) -> None:
    split()
    edit(loaded / "areas" / "areas.csv", "上坡村第1网格", "上坡村林场网格")
    told = reload(loaded)
    assert Area.objects.get(code=f"{UPPER}001").name == "上坡村林场网格"
    assert [line for line in told if "--replace-grids" in line and "上坡" in line] == []
    was = grid_history.history(Area.objects.get(code=UPPER))
    assert [(one.change.step, [row.name for row in one.boundaries]) for one in was] == [
        ("loaded", ["上坡村林场网格"]), ("loaded", ["上坡村第1网格", "上坡村第2网格"])]


def test_the_files_are_taken_when_they_are_to_replace(loaded: Path) -> None:
    new = split()
    reload(loaded, replace_grids=True)
    assert codes(MIDDLE) == [f"{MIDDLE}001"]
    assert not Area.objects.get(code=new).active
    is_whole(MIDDLE)
    steps = [one.change.step for one in grid_history.history(Area.objects.get(code=MIDDLE))]
    assert steps == ["loaded", "split", "loaded"]
    edit(loaded / "areas" / "areas.csv", "中坡村第1网格", "中坡村大网格")
    reload(loaded)  # and from now on the files' again
    assert Area.objects.get(code=f"{MIDDLE}001").name == "中坡村大网格"


def test_grids_follow_a_village_whose_outline_moves(loaded: Path) -> None:
    split()
    outline(loaded, MIDDLE, shapely.box(121.008, 31.0, 121.019, 31.011))
    told = reload(loaded)
    assert [line for line in told if "随村界调整" in line and "中坡村" in line]
    is_whole(MIDDLE)
    assert [one.change.step for one in grid_history.history(Area.objects.get(code=MIDDLE))] == ["fitted", "split", "loaded"]
    again = GridChange.objects.count()
    append(loaded / "areas" / "areas.csv")
    edit(loaded / "areas" / "areas.csv", "Lower Slope", "Low Slope")
    reload(loaded)
    assert GridChange.objects.count() == again


def test_a_grid_of_the_files_that_was_merged_away_does_not_come_back(loaded: Path) -> None:
    grids.merge(village=UPPER, version=0, grid=f"{UPPER}001", other=f"{UPPER}002", why="人少", by_id=person())
    edit(loaded / "areas" / "areas.csv", "Lower Slope", "Low Slope")
    reload(loaded)
    assert codes(UPPER) == [f"{UPPER}001"]
    is_whole(UPPER)


def test_a_first_load_writes_no_history(loaded: Path) -> None:
    assert not GridChange.objects.exists()


def test_grids_given_at_the_desk_are_not_taken_away(loaded: Path) -> None:
    grant = RoleGrant.objects.filter(role=Role.GRID_WORKER, ended_at__isnull=True).select_related("staff", "unit").first()
    assert grant is not None
    grant.ended_at = grant.granted_at
    grant.save()
    given = RoleGrant.objects.create(staff=grant.staff, unit=grant.unit, role=Role.GRID_WORKER, granted_by_id=person(),
                                     area=Area.objects.get(code=f"{UPPER}001"))
    edit(loaded / "areas" / "areas.csv", "Lower Slope", "Low Slope")
    reload(loaded)
    standing = RoleGrant.objects.filter(staff=grant.staff, role=Role.GRID_WORKER, ended_at__isnull=True)
    assert [one.pk for one in standing] == [given.pk]


TOWN = "town1,镇长,town,clerk|grid_worker,"


def test_a_worker_may_have_several_grids_in_the_file(hill: Path) -> None:
    edit(hill / "staff.csv", TOWN, f"{TOWN}{UPPER}001|{MIDDLE}")
    load(hill)
    held = RoleGrant.objects.filter(staff__username="town1", role=Role.GRID_WORKER, ended_at__isnull=True)
    assert sorted(grant.area.code for grant in held if grant.area) == [f"{UPPER}001", MIDDLE]


def test_an_area_that_is_not_there_is_a_fault_of_its_line(hill: Path) -> None:
    edit(hill / "staff.csv", TOWN, f"{TOWN}{MIDDLE}|nowhere")
    with pytest.raises(BadCity) as error:
        load(hill)
    assert "nowhere" in str(error.value.faults[0])
