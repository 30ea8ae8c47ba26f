"""Notes and updates: what became of a request, and more from whoever posted it."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.publishing.records import case_number_of
from tests.cases.ways import take
from tests.open311.conftest import App, key_for, tree
from tests.world import World

pytestmark = pytest.mark.django_db


def case_of(number: str) -> Case:
    return Case.objects.get(number=case_number_of(number))


def test_what_became_of_it(app: App, anyone: App, world: World, monday: Frozen) -> None:
    number = app.posted()
    world.case()  # of nobody's business
    for step in ("accept", "dispatch", "sign"):
        monday.move(minutes=10)
        take(world, case_of(number).pk, step)
    notes = app.json(f"requests/{number}/notes.json")
    assert [one["type"] for one in notes] == ["register", "accept", "dispatch", "sign"]
    assert notes == app.json("requests.json", service_request_id=number, extensions="true")[0]["notes"]
    updates = app.json("servicerequestupdates.json")
    assert list(updates[0]) == ["update_id", "service_request_id", "status", "updated_datetime", "description", "media_url",
                                "external_status_code"]
    assert [one["external_status_code"] for one in updates] == ["registered", "accepted", "dispatched", "in_hand"]
    assert {one["service_request_id"] for one in updates} == {number}
    assert {one["status"] for one in updates} == {"open"}
    assert [one["description"] for one in updates] == [one["description"] for one in notes]
    assert app.json("servicerequestupdates.json", start_date="2026-11-23T02:15:00Z") == updates[2:]
    assert app.json("servicerequestupdates.json", end_date="2026-11-23T02:15:00Z") == updates[:2]
    assert app.json("servicerequestupdates.json", service_request_id=number, page_size=2, page=2) == updates[2:]
    assert app.json("servicerequestupdates.json", service_request_id="R-00000-00000") == []
    for far in ("0001-01-01", "1969-07-20T20:17:40Z", "9999-12-31"):
        assert app.json("servicerequestupdates.json", start_date=far) == app.json("requests.json", end_date=far) == []
    found = tree(app.get("servicerequestupdates.xml"))
    assert (found.tag, [one.tag for one in found]) == ("service_request_updates", ["request_update"] * 4)
    assert App(key_for(world, "other")).json("servicerequestupdates.json") == []
    assert "api_key" not in app.get("servicerequestupdates.json", page_size=2)["Link"]
    with CaptureQueriesContext(connection) as asked:
        app.json("servicerequestupdates.json")
    assert len(asked) <= 4


def test_the_answer_is_told_once_it_is_let_through(app: App, world: World, monday: Frozen) -> None:
    number = app.posted(phone="13812342201")
    for step in ("accept", "dispatch", "sign", "record_contact", "reply", "approve"):
        take(world, case_of(number).pk, step)
    told = app.json("servicerequestupdates.json")
    answered = [one for one in told if one["external_status_code"] == "callback"]
    assert answered
    assert answered[-1]["description"].count("\n") >= 1, "with the unit's words"
    assert [one["description"] for one in told] == [one["description"] for one in app.json(f"requests/{number}/notes.json")]


def test_more_from_whoever_posted(app: App, world: World, monday: Frozen) -> None:
    number = app.posted()
    fields = {"service_request_id": number, "description": "现在整条街都不亮了。", "update_id": "u-1", "status": "open",
              "media_url": "https://pictures.example/2.jpg"}
    first = app.post("servicerequestupdates.json", **fields)
    assert first.status_code == 200, first.content.decode()
    assert app.post("servicerequestupdates.json", **fields).content == first.content, "sent again, it is the same"
    [made] = json.loads(first.content)
    last = app.json("servicerequestupdates.json")[-1]
    assert last["update_id"] == made["update_id"]
    assert last["description"].endswith("现在整条街都不亮了。\n图片链接：https://pictures.example/2.jpg")
    found = tree(app.post("servicerequestupdates.xml", service_request_id=number, description="还有一盏。"))
    assert [one.tag for one in found[0]] == ["update_id"]
    assert len(app.json("servicerequestupdates.json")) == 3
    for change, status in (({"description": ""}, 400), ({"description": "字" * 4001}, 400), ({"service_request_id": ""}, 400),
                           ({"service_request_id": "R-00000-00000"}, 404), ({"media_url": "no"}, 400), ({"api_key": "wrong"}, 403)):
        assert app.post("servicerequestupdates.json", **fields | {"update_id": ""} | change).status_code == status, change
    other = App(key_for(world, "other"))
    assert other.post("servicerequestupdates.json", **fields).status_code == 404, "another's request is as none"
    take(world, case_of(number).pk, "decline")
    closed = app.post("servicerequestupdates.json", service_request_id=number, description="还是不亮。")
    assert closed.status_code == 400
    assert app.json(f"requests/{number}.json")[0]["status"] == "closed"
    assert app.json("servicerequestupdates.json")[-1]["status"] == "closed"
