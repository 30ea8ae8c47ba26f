"""Field work by program: what the team lead's pages do, under the scope `field_work`."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.api import document
from lianxin.fieldwork import devices
from lianxin.kernel.clock import Frozen
from lianxin.places import grids
from lianxin.places.models import Area
from tests.api.conftest import Machine, token
from tests.fieldwork.town import VILLAGE, staffed
from tests.world import World

CHANGES = f"/grids/villages/{VILLAGE}/changes"


@pytest.fixture
def four(world: World, monday: Frozen) -> list[Area]:
    return staffed(world)


@pytest.fixture
def lead(world: World, four: list[Area]) -> Machine:
    return Machine(token(world, "lead"))


def split(grid: Area, **more: Any) -> dict[str, Any]:
    west, south, east, north = grids.shape_of(grid).bounds
    middle = (south + north) / 2
    return {"step": "split", "version": 0, "grid": grid.code, "name": "湖边网格", "why": "住户多了",
            "line": {"type": "LineString", "coordinates": [[west, middle], [east, middle]]}} | more


def test_grids_are_read_and_changed(four: list[Area], lead: Machine) -> None:
    assert len(lead.get(f"/grids/villages/{VILLAGE}").json()["grids"]["features"]) == 4
    made = lead.post(CHANGES, split(four[0]))
    assert made.status_code == 200, made.content
    assert (made.json()["version"], len(made.json()["grids"]["features"])) == (2, 5)
    again = lead.post(CHANGES, split(four[0]))
    assert (again.status_code, again.json()["code"], again.json()["current"]["version"]) == (409, "version", 2)
    told = lead.get(CHANGES).json()["items"]
    assert [(one["version"], one["step"], one["by"], len(one["grids"])) for one in told] == [
        (2, "split", "lead甲", 2), (1, "loaded", None, 4)]


def test_what_does_not_fit_says_where(four: list[Area], lead: Machine) -> None:
    features = lead.get(f"/grids/villages/{VILLAGE}").json()["grids"]
    features["features"][0]["geometry"] = features["features"][1]["geometry"]
    refused = lead.post(CHANGES, {"step": "redraw", "version": 0, "why": "x", "features": features})
    assert (refused.status_code, refused.json()["code"]) == (422, "grids_misdrawn")
    assert refused.json()["current"]["faults"]["features"][0]["properties"]["square_metres"] > 0
    for broken in (split(four[0], line=None), split(four[0], step="merge"), split(four[0], coordinate_system="mars"),
                   split(four[0], features=1), {"step": "redraw", "version": 0, "why": "x"}):
        assert lead.post(CHANGES, broken).status_code == 422, broken


def test_coverage_assignment_and_cover(world: World, four: list[Area], lead: Machine) -> None:
    today = lead.get("/grids/coverage").json()
    assert [one["standing"] for one in today["grids"]] == ["held"] * 4
    assert [one["username"] for one in today["grids"][0]["responsible"]] == ["grid", "grid3"]
    done = lead.post("/grids/workers/grid/areas", {"areas": [four[3].code], "seen": four[0].code})
    assert done.json() == {"username": "grid", "areas": [four[3].code], "seen": four[3].code}
    said = {"absent": "grid2", "stand_in": "grid", "starts_on": "2026-11-23", "ends_on": "2026-11-24"}
    made = lead.post("/grids/covers", said, Idempotency_Key="one")
    assert made.status_code == 201, made.content
    assert lead.post("/grids/covers", said, Idempotency_Key="one").json()["id"] == made.json()["id"]
    assert lead.post("/grids/covers", said).status_code == 409
    assert [one["absent"] for one in lead.get("/grids/covers").json()["items"]] == ["grid2"]
    assert lead.post(f"/grids/covers/{made.json()['id']}/end").json()["ended_at"]
    assert lead.post(f"/grids/covers/{made.json()['id']}/end").status_code == 409


def test_telephones(world: World, four: list[Area], lead: Machine) -> None:
    made = devices.enrol(staff=world.staff["grid"], name="华为", by=world.actor("grid")).device
    assert [one["name"] for one in lead.get("/grids/devices").json()["items"]] == ["华为"]
    steps = f"/grids/devices/{made.pk}/steps"
    assert lead.post(steps, {"step": "shut_out"}).status_code == 422
    assert lead.post(steps, {"step": "shut_out", "why": "丢了"}).json()["why"] == "丢了"
    assert lead.post(steps, {"step": "give_back"}).json()["shut_out_at"] is None
    assert Machine(token(world, "urban_head")).post(steps, {"step": "shut_out", "why": "x"}).status_code == 403


@pytest.mark.parametrize("path", [f"/grids/villages/{VILLAGE}", CHANGES, "/grids/coverage", "/grids/covers", "/grids/devices"])
def test_for_those_who_organise_it(world: World, four: list[Area], path: str) -> None:
    assert Machine().get(path).status_code == 401
    assert Machine(token(world, "grid")).get(path).status_code == 403
    assert Machine(token(world, "lead", "read")).get(path).status_code == 403  # organising asks for its scope
    assert Machine(token(world, "lead", "read", "field_work")).get(path).status_code == 200


def test_writing_needs_the_scope(world: World, four: list[Area]) -> None:
    reader = Machine(token(world, "lead", "read"))
    assert reader.post(CHANGES, split(four[0])).status_code == 403


def test_they_are_in_the_document() -> None:
    names = {operation["operationId"] for path in document.build()["paths"].values() for operation in path.values()}
    assert {"read_grids", "change_grids", "list_grid_changes", "read_coverage", "assign_grids", "list_covers", "arrange_cover",
            "end_cover", "list_devices", "device_step"} <= names
