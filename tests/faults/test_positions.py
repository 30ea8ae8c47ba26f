"""Positions outside the city, and positions in another system than the one we keep, at the desk and through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.kernel.coordinates import wgs84_to_gcj02
from tests.api.conftest import token
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db

PEKING = {"lon": 116.39, "lat": 39.9}
EDGE = (113.1995, 29.1)  # in the village by some fifty metres: the systems lie some five hundred apart


def register(world: World, **fields: Any) -> Any:
    client = Client(headers={"Authorization": f"Bearer {token(world, 'operator')}"})
    return client.post("/api/v1/cases", json.dumps({"words": "路灯不亮。"} | fields), content_type="application/json")


def test_outside_the_city_through_the_api(world: World, monday: Frozen) -> None:
    answer = register(world, **PEKING)
    assert answer.status_code == 422
    assert "lon" in json.dumps(answer.json(), ensure_ascii=False)
    assert "不在本市" in answer.json()["detail"]
    assert Case.objects.count() == 0


def test_outside_the_city_at_the_desk(world: World, as_: SignIn, monday: Frozen) -> None:
    said = {"words": "路灯不亮。", "name": "王小明", "submission": "s", "do": "register"} | {n: str(v) for n, v in PEKING.items()}
    page = as_("operator").post("/desk/call/", said)
    assert page.status_code == 422
    text = page.content.decode()
    for shown in ("不在本市", "路灯不亮。", "王小明"):
        assert shown in text
    assert Case.objects.count() == 0
    assert as_("operator").post("/desk/call/", said | {"lon": "", "lat": ""}).status_code == 302


@pytest.mark.parametrize(("declared", "village"), [("gcj02", True), ("wgs84", False), (None, False)])
def test_a_position_of_a_chinese_map_is_what_it_says_it_is(world: World, monday: Frozen, declared: str | None, village: bool) -> None:
    """Declared as GCJ-02 it falls where it was meant; taken for WGS-84 it would fall into the next area."""
    lon, lat = wgs84_to_gcj02(*EDGE)
    system = {} if declared is None else {"coordinate_system": declared}
    assert register(world, lon=lon, lat=lat, **system).status_code == 201
    case = Case.objects.get()
    assert (case.area == world.areas["990101001001"]) is village
    assert (case.lon == pytest.approx(EDGE[0], abs=1e-5)) is village


def test_a_system_nobody_knows(world: World, monday: Frozen) -> None:
    assert register(world, lon=113.1, lat=29.1, coordinate_system="mars").status_code == 422
