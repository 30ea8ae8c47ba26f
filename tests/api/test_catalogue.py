"""Returns, proposals and versions through the API."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.api.catalogue import Proposing
from lianxin.cases import reference
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine, token
from tests.api.test_actions import ok
from tests.cases.test_returns import give_back, joint, sent
from tests.desk.test_returns import second
from tests.world import World

ASKED = Proposing.model_config["json_schema_extra"]["examples"][0] | {"area": ""}  # type: ignore[index,call-overload]


@pytest.fixture
def settled(world: World, monday: Frozen) -> World:
    case_id = sent(world, "housing", "water", "urban")
    give_back(world, case_id, "urban")
    monday.move(minutes=30)
    joint(world, case_id)
    monday.move(minutes=1)
    second(world)
    return world


def test_the_ledger(settled: World, machines: Any) -> None:
    first = ok(machines("supervisor").get("/returns?limit=2"))
    rest = ok(machines("supervisor").get(first["next"]))
    rows = [*first["items"], *rest["items"]]
    assert rows[0]["unit"]["code"] == "urban"
    assert {row["unit"]["code"] for row in rows} == {"housing", "water", "urban"}
    assert rest["next"] is None
    top = rows[0]
    assert (top["ruling"], top["minutes"], top["bound_units"], top["rule"], top["catalogue_version"]) == (
        "joint", 30, ["housing", "urban"], None, None)
    ruled = next(row for row in rows if row["unit"]["code"] == "housing")
    assert (ruled["rule"]["lead_unit"], ruled["catalogue_version"], ruled["ruled_by"]) == ("housing", 1, "dispatcher甲")
    assert [row["unit"]["code"] for row in ok(machines("water").get("/returns"))["items"]] == ["water"]
    assert [row["ruling"] for row in ok(machines("supervisor").get("/returns?ruling=joint&category=01&unit=urban"))["items"]] == ["joint"]
    counts = ok(machines("supervisor").get("/returns/counts?by=rule"))["items"]
    assert {row["key"]: row["total"] for row in counts} == {"none": 2, "010102~~housing": 1}
    for name, path, status in (("operator", "/returns", 403), ("supervisor", "/returns?after=zzz", 422),
                               ("supervisor", "/returns?ruling=perhaps", 422), ("supervisor", "/returns/counts?by=person", 422)):
        assert machines(name).get(path).status_code == status, path


def test_from_proposal_to_version_and_back(settled: World, machines: Any, monday: Frozen) -> None:
    asked = machines("dispatcher").post("/catalogue/proposals", ASKED, Idempotency_Key="p-1")
    assert asked.status_code == 201
    made = asked.json()
    assert machines("dispatcher").post("/catalogue/proposals", ASKED, Idempotency_Key="p-1").json()["id"] == made["id"]
    other = machines("dispatcher").post("/catalogue/proposals", ASKED | {"lead_unit": "water"}, Idempotency_Key="p-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    again = machines("supervisor").post("/catalogue/proposals", ASKED)
    assert (again.status_code, again.json()["code"]) == (409, "already_proposed")
    assert (made["effect"]["dispatches"], made["effect"]["not_rule"], made["decision"]) == (4, 4, "waiting")
    path = f"/catalogue/proposals/{made['id']}"
    assert machines("dispatcher").post(f"{path}/approve").status_code == 403
    past = machines("supervisor").post(f"{path}/approve", {"on": "2020-01-01"})
    assert (past.status_code, past.json()["errors"][0]["field"]) == (422, "on")
    assert machines("supervisor").post(f"{path}/approve", {"seen": 7}).json()["code"] == "moved_on"
    done = ok(machines("supervisor").post(f"{path}/approve", {"seen": 1}))
    assert (done["decision"], done["version"]) == ("approved", 2)
    assert ok(machines("supervisor").post(f"{path}/approve", {"seen": 1}))["version"] == 2  # said again
    late = machines("supervisor2").post(f"{path}/refuse", {"reason": "不行。"})
    assert (late.status_code, late.json()["code"]) == (409, "decided")
    reference.forget()
    assert ok(machines("operator").get("/dispatch?category=010102"))["lead_unit"]["code"] == "urban"
    changed = ok(machines("operator").get("/catalogue/differences?before=1&after=2"))["items"]
    assert [(bool(one["before"]), bool(one["after"])) for one in changed] == [(True, False), (False, True)]
    assert machines("operator").get("/catalogue/differences?before=1&after=9").status_code == 404
    monday.move(minutes=1)
    assert machines("dispatcher").post("/catalogue/versions/1/restore", {"reason": "x"}).status_code == 403
    assert machines("supervisor").post("/catalogue/versions/1/restore", {"reason": ""}).status_code == 422
    assert machines("supervisor").post("/catalogue/versions/9/restore", {"reason": "x"}).status_code == 404
    back = ok(machines("supervisor").post("/catalogue/versions/1/restore", {"reason": "试行结束。", "seen": 2}))
    assert (back["number"], back["restores"], back["source"]) == (3, 1, "restored")
    listed = ok(machines("operator").get("/catalogue/versions"))["items"]
    assert [one["number"] for one in listed] == [3, 2, 1]
    assert sum(one["in_force"] for one in listed) == 1


def test_refusing_and_listing(settled: World, machines: Any, monday: Frozen) -> None:
    for n, category in enumerate(("010101", "010102", "010103")):
        monday.move(minutes=n)
        assert machines("dispatcher").post("/catalogue/proposals", ASKED | {"category": category}).status_code == 201
    first = ok(machines("operator").get("/catalogue/proposals?limit=2"))
    assert [one["rule"]["category"] for one in first["items"]] == ["010103", "010102"]
    rest = ok(machines("operator").get(first["next"]))
    assert [one["rule"]["category"] for one in rest["items"]] == ["010101"]
    pk = rest["items"][0]["id"]
    assert machines("supervisor").post(f"/catalogue/proposals/{pk}/refuse", {}).status_code == 422
    done = ok(machines("supervisor").post(f"/catalogue/proposals/{pk}/refuse", {"reason": "职责没有变。"}))
    assert (done["decision"], done["reason"], done["version"]) == ("refused", "职责没有变。", None)
    assert [one["id"] for one in ok(machines("operator").get("/catalogue/proposals?decision=refused"))["items"]] == [pk]
    assert machines("supervisor").get("/catalogue/proposals/019a0000-0000-7000-8000-000000000000").status_code == 404
    assert machines("supervisor").get("/catalogue/proposals?after=x").status_code == 422


def test_what_a_token_may_do(settled: World) -> None:
    reading = Machine(token(settled, "dispatcher", "read"))
    assert reading.post("/catalogue/proposals", ASKED).json()["code"] == "scope_missing"
    proposing = Machine(token(settled, "supervisor", "read", "propose_catalogue"))
    made = proposing.post("/catalogue/proposals", ASKED)
    assert made.status_code == 201
    assert proposing.post(f"/catalogue/proposals/{made.json()['id']}/approve").json()["code"] == "scope_missing"
    wrong = proposing.post("/catalogue/proposals", ASKED | {"category": "nothing", "lead_unit": "closed"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "category"


@pytest.mark.parametrize("path", ["/catalogue/versions", "/catalogue/differences?before=1&after=1", "/catalogue/proposals",
                                  "/catalogue/proposals/019a0000-0000-7000-8000-000000000000"])
def test_a_grid_worker_reads_no_catalogue(world: World, path: str) -> None:
    assert Machine(token(world, "grid")).get(path).status_code == 403
    assert Machine(token(world, "urban")).get(path).status_code in (200, 404)
