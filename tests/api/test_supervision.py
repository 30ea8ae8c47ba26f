"""Orders and listed matters over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from lianxin.supervision.models import Listing
from tests.api.conftest import Machine, token
from tests.api.test_actions import ok
from tests.cases.ways import at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db


def _fields(case_id: Any, **more: Any) -> dict[str, Any]:
    return {"title": "反复停水", "criteria": "三十天不停水。", "unit": "urban", "leader_name": "李某", "leader_title": "副局长",
            "due_on": "2026-12-31", "cases": [Case.objects.get(pk=case_id).number]} | more


def test_orders_are_listed_in_pages(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    for action in ("urge", "urge", "supervise"):
        monday.move(minutes=1)
        take(world, case_id, action)
    machine = Machine(token(world, "supervisor"))
    first = ok(machine.get("/supervision/orders?limit=2"))
    assert [one["level"] for one in first["items"]] == ["written", "reminder"]
    assert first["items"][0]["due_at"]
    assert first["items"][0]["demand"] == "请书面说明原因和办结时间。"
    assert [one["number"] for one in ok(machine.get(first["next"]))["items"]] == ["催办〔2026〕1 号"]
    assert [one["level"] for one in ok(machine.get("/supervision/orders?state=open"))["items"]] == ["written"]
    assert ok(Machine(token(world, "housing")).get("/supervision/orders"))["items"] == []
    assert machine.get("/supervision/orders?state=none").status_code == 422


def test_a_matter_is_listed_once_and_taken_through(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    supervisor, urban, callback = (Machine(token(world, name)) for name in ("supervisor", "urban", "callback"))
    made = supervisor.post("/supervision/listings", _fields(case_id), Idempotency_Key="k1")
    assert made.status_code == 201
    again = supervisor.post("/supervision/listings", _fields(case_id), Idempotency_Key="k1")
    assert again.json()["id"] == made.json()["id"]
    assert supervisor.post("/supervision/listings", _fields(case_id, title="别的事"), Idempotency_Key="k1").status_code == 409
    assert Listing.objects.count() == 1
    path = f"/supervision/listings/{made.json()['id']}/steps"
    planned = ok(urban.post(path, {"step": "plan", "version": 1, "plan": "换管。",
                                   "milestones": [{"title": "换管", "due_on": "2026-12-20"}]}))
    assert urban.post(path, {"step": "plan", "version": 1, "plan": "换管。", "milestones": []}).status_code in (409, 422)
    done = ok(urban.post(path, {"step": "milestone", "version": 2, "milestone": planned["milestones"][0]["id"], "words": "验收单"}))
    asked = ok(urban.post(path, {"step": "request", "version": done["version"], "words": "好了。"}))
    assert supervisor.post(path, {"step": "confirm", "version": asked["version"], "words": "好了。"}).status_code == 403
    ended = ok(callback.post(path, {"step": "confirm", "version": asked["version"], "words": "走访过了。"}))
    assert (ended["state"], ended["finding"]) == ("delisted", "走访过了。")
    assert [one["title"] for one in ok(Machine().get("/supervision/listings"))["items"]] == ["反复停水"]


def test_scopes_and_roles_are_asked_for(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    assert Machine(token(world, "supervisor", "read")).post("/supervision/listings", _fields(case_id)).status_code == 403
    assert Machine(token(world, "urban")).post("/supervision/listings", _fields(case_id)).status_code == 403
    assert Machine(token(world, "supervisor")).post("/supervision/listings", _fields(case_id, due_on="2020-01-01")).status_code == 422
    nowhere = "/supervision/listings/019a0000-0000-7000-8000-000000000000/steps"
    assert Machine(token(world, "urban")).post(nowhere, {"step": "request", "version": 1, "words": "x"}).status_code == 404


def test_a_place_that_was_not_given_is_refused(world: World) -> None:
    assert Machine(token(world, "supervisor")).get("/supervision/orders?after=zzz").status_code == 422


def test_the_board_over_http(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    at_state(world, State.REGISTERED)
    machine = Machine(token(world, "supervisor"))
    board = ok(machine.get("/standings"))
    assert (board["totals"]["total"], board["totals"]["supervised"], board["rows"]) == (2, 1, [])
    assert [(row["key"]["code"], row["total"], row["supervised"]) for row in ok(machine.get("/standings?by=unit"))["rows"]] == [
        ("urban", 1, 1)]
    assert ok(machine.get("/standings?by=county"))["rows"][0]["total"] >= 1
    assert machine.get("/standings?by=person").status_code == 422
