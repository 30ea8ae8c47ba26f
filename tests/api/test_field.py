"""The field's sync protocol over HTTP: pull, push, faults."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from lianxin.fieldwork import devices
from lianxin.fieldwork.models import Receipt
from lianxin.kernel.clock import Frozen, now
from tests.api.conftest import Machine, token
from tests.world import World

pytestmark = pytest.mark.django_db


def telephone(world: World, username: str = "grid", name: str = "旧手机") -> tuple[Machine, devices.Enrolled]:
    made = devices.enrol(staff=world.staff[username], name=name, by=world.actor(username))
    return Machine(made.secret), made


def item(kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "kind": kind, "made_at": now().isoformat(), "body": body, **more}


def push(machine: Machine, *items: dict[str, Any], sent_at: Any = None, **more: Any) -> Any:
    return machine.post("/field/items", {"sent_at": (sent_at or now()).isoformat(), "version": "t1", "waiting": len(items),
                                         "items": list(items), **more})


def test_all_is_given_first_and_then_what_changed(world: World, monday: Frozen) -> None:
    phone, made = telephone(world)
    first = phone.get("/field/changes")
    assert first.status_code == 200, first.content
    body = first.json()
    assert {"me", "settings", "categories"} <= set(body["sections"])
    assert body["sections"]["me"]["device"] == {"id": str(made.device.pk), "name": "旧手机"}
    assert body["sections"]["me"]["grids"] == [{"code": "990101001", "name": "桥头街道", "level": "town"}]
    again = phone.get(f"/field/changes?since={body['cursor']}").json()
    assert (again["sections"], again["cursor"]) == ({}, body["cursor"])
    world.staff["grid"].name = "李网格"
    world.staff["grid"].save()
    assert set(phone.get(f"/field/changes?since={body['cursor']}").json()["sections"]) == {"me"}
    assert set(phone.get("/field/changes?since=rubbish").json()["sections"]) == set(body["sections"])


def test_an_unknown_kind_is_refused_kept_and_given_up(world: World, monday: Frozen) -> None:
    phone, _made = telephone(world)
    sent = item("dance", {"how": "早上三点"})
    result = push(phone, sent).json()["results"][0]
    assert (result["status"], result["problem"]["code"]) == ("refused", "kind_unknown")
    assert push(phone, sent).json()["results"][0] == result
    row = Receipt.objects.get(pk=sent["id"])
    assert row.body is not None
    assert "早上三点".encode() not in bytes(row.body)
    gone = push(phone, item("abandon", {"item": sent["id"], "why": "写错了"})).json()["results"][0]
    assert gone["status"] == "accepted", gone
    row.refresh_from_db()
    assert (row.body, row.settled_at) == (None, now())


def test_whom_it_lets_in(world: World, monday: Frozen) -> None:
    phone, made = telephone(world)
    assert Machine("lxd_nobody").get("/field/changes").json()["code"] == "device_unknown"
    assert Machine().get("/field/changes").json()["code"] == "unauthenticated"
    assert Machine(made.secret).get("/me").status_code == 401  # opens the field only
    assert Machine(token(world, "operator")).get("/field/changes").json()["code"] == "no_field_role"
    assert Machine(token(world, "grid", "read")).get("/field/changes").status_code == 200
    assert push(Machine(token(world, "grid", "read")), item("abandon", {})).status_code == 403
    assert push(Machine(token(world, "grid", "field")), item("abandon", {})).status_code == 200
    devices.shut_out(device_id=made.device.pk, by=world.actor("admin"), why="丢了")
    lost = phone.get("/field/changes")
    assert (lost.status_code, lost.json()["code"]) == (401, "device_shut_out")
    devices.give_back(device_id=made.device.pk, by=world.actor("admin"))
    assert phone.get("/field/changes").status_code == 200
    world.staff["grid"].is_active = False
    world.staff["grid"].save()
    assert phone.get("/field/changes").json()["code"] == "account_closed"


def test_seen_at_most_once_a_minute(world: World, monday: Frozen) -> None:
    phone, made = telephone(world)
    first = now()
    phone.get("/field/changes")
    monday.move(seconds=40)
    phone.get("/field/changes")
    made.device.refresh_from_db()
    assert made.device.seen_at == first
    monday.move(seconds=20)
    push(phone, item("dance", {}))
    made.device.refresh_from_db()
    assert (made.device.seen_at, made.device.version, made.device.waiting) == (first + timedelta(minutes=1), "t1", 0)


def test_what_is_the_same_for_everybody_is_made_once_and_anew_when_it_changes(world: World, monday: Frozen,
                                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.cases import reference
    from lianxin.cases.models import Category
    from lianxin.fieldwork import registry

    asked: list[str] = []
    give = registry.SECTIONS["categories"]
    monkeypatch.setitem(registry.SECTIONS, "categories", lambda worker: asked.append("") or give(worker))
    phone, other = telephone(world)[0], telephone(world, name="新手机")[0]
    first = phone.get("/field/changes").json()
    assert other.get("/field/changes").json()["sections"]["categories"] == first["sections"]["categories"]
    assert len(asked) == 1
    assert phone.get("/field/changes", Accept_Language="en").json()["sections"]["categories"]
    assert len(asked) == 2
    Category.objects.filter(code="010101").update(name="路灯照明")
    reference.forget()
    changed = phone.get(f"/field/changes?since={first['cursor']}").json()["sections"]
    assert set(changed) == {"categories"}
    assert "路灯照明" in {one["name"] for one in changed["categories"]}


def test_a_section_that_fails_leaves_the_others(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.fieldwork import registry

    phone = telephone(world)[0]
    first = phone.get("/field/changes").json()
    me = registry.SECTIONS["me"]
    monkeypatch.setitem(registry.SECTIONS, "me", lambda _worker: 1 / 0)
    broken = phone.get("/field/changes").json()
    assert (broken["failed"], set(broken["sections"])) == (["me"], set(first["sections"]) - {"me"})
    assert phone.get(f"/field/changes?since={first['cursor']}").json() | {"now": ""} == {
        "cursor": first["cursor"], "now": "", "failed": ["me"], "sections": {}}
    monkeypatch.setitem(registry.SECTIONS, "me", me)
    assert set(phone.get(f"/field/changes?since={broken['cursor']}").json()["sections"]) == {"me"}


def test_a_worker_signs_out_on_the_telephone(world: World, monday: Frozen) -> None:
    phone, made = telephone(world)
    other, _made = telephone(world, name="另一台")
    assert phone.send("DELETE", "/field/device").status_code == 204
    made.device.refresh_from_db()
    assert (made.device.shut_out_by_id, made.device.why) == (world.staff["grid"].pk, "本人在手机上退出")
    assert phone.get("/field/changes").json()["code"] == "device_shut_out"
    assert phone.send("DELETE", "/field/device").status_code == 401
    assert other.get("/field/changes").status_code == 200
    assert Machine(token(world, "grid", "field", "read")).send("DELETE", "/field/device").status_code == 404
