"""Registering over HTTP: the hot path."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from lianxin.api import tokens
from lianxin.cases.models import Case, Event
from lianxin.cases.rebuild import differences
from lianxin.faces import machines as door
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import ApiToken, Role, RoleGrant
from tests.api.conftest import Machine, token
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "桥头街道花园社区路灯不亮三天了，晚上很黑。"


def test_a_case_is_made(machines: Any, monday: Frozen) -> None:
    answer = machines("operator").post("/cases", {"words": WORDS, "lon": 113.1, "lat": 29.1, "phone": "13812342201"})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    case = Case.objects.get(pk=made["id"])
    assert (case.number, case.words, case.channel, case.state) == (made["number"], WORDS, "api", "registered")
    assert case.area is not None
    assert case.area.code == "990101001001"
    assert answer.headers["Location"] == f"/api/v1/cases/{made['id']}"
    assert made["due_at"].endswith("+08:00")
    assert "set-cookie" not in {name.lower() for name in answer.headers}
    assert differences(case.pk) == []


def test_accepted_in_the_same_breath(machines: Any, monday: Frozen) -> None:
    answer = machines("operator").post("/cases", {"words": WORDS, "category": "010102", "accept": True, "channel": "phone"})
    assert answer.json()["state"] == "accepted"
    refused = machines("grid").post("/cases", {"words": WORDS, "category": "010102", "accept": True})
    assert refused.status_code == 403


def test_accepting_reaches_as_far_as_the_grant(world: World, monday: Frozen) -> None:
    RoleGrant.objects.create(staff=world.staff["east"], role=Role.OPERATOR, unit=world.units["east"])
    east = Machine(token(world, "east"))
    body = {"words": WORDS, "category": "010102", "accept": True, "lat": 29.1}
    assert east.post("/cases", body | {"lon": 113.1}).json()["state"] == "accepted"
    assert east.post("/cases", body | {"lon": 113.7}).status_code == 403
    assert Case.objects.count() == 1


def test_three_sends_make_one_case_and_one_answer(machines: Any, monday: Frozen) -> None:
    body = {"words": WORDS, "category": "010102", "accept": True}
    operator = machines("operator")
    first = operator.post("/cases", body, Idempotency_Key="call-1")
    operator.act(first.json()["id"], "decline", route="court", explanation="请走诉讼。")
    monday.move(hours=3)
    for _again in range(2):
        again = operator.post("/cases", body, Idempotency_Key="call-1")
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = operator.post("/cases", body | {"words": "另一件事"}, Idempotency_Key="call-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert Case.objects.count() == 1
    # The same key of another token is another key.
    assert machines("dispatcher").post("/cases", body, Idempotency_Key="call-1").status_code == 201


def test_a_token_is_needed(world: World, monday: Frozen) -> None:
    for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer lx_no"},
                    {"Authorization": "Bearer " + "x" * 5000}):
        answer = Machine().post("/cases", {"words": WORDS}, **headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert Case.objects.count() == 0


def test_scopes_and_roles(world: World, monday: Frozen) -> None:
    assert Machine(token(world, "operator", "read")).post("/cases", {"words": WORDS}).status_code == 403
    assert Machine(token(world, "operator", "register")).post("/cases", {"words": WORDS}).status_code == 201
    assert Machine(token(world, "reviewer")).post("/cases", {"words": WORDS}).status_code == 403
    # Narrowed to a unit the person holds no role in, a token may do nothing.
    assert Machine(token(world, "operator", unit="urban")).post("/cases", {"words": WORDS}).status_code == 403


def test_revoked_within_five_seconds(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(door.time, "monotonic", lambda: clock[0])
    machine = Machine(token(world, "operator"))
    assert machine.post("/cases", {"words": WORDS}).status_code == 201
    ApiToken.objects.update(revoked_at=monday.move(seconds=1))
    clock[0] += 5
    assert machine.post("/cases", {"words": WORDS}).status_code == 401


def test_expired_at_once_and_leavers_out(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(token(world, "operator", expires_at=monday.move(minutes=1)))
    monday.move(seconds=-1)
    assert machine.post("/cases", {"words": WORDS}).status_code == 201
    monday.move(seconds=1)
    assert machine.post("/cases", {"words": WORDS}).status_code == 401
    gone = Machine(token(world, "dispatcher"))
    world.staff["dispatcher"].is_active = False
    world.staff["dispatcher"].save()
    assert gone.post("/cases", {"words": WORDS}).status_code == 401


def test_last_use_is_written_once_a_minute(world: World, monday: Frozen) -> None:
    machine = Machine(token(world, "operator"))
    first = monday.move(seconds=1)
    machine.post("/cases", {"words": WORDS})
    monday.move(seconds=30)
    tokens.forget()
    machine.post("/cases", {"words": WORDS})
    assert ApiToken.objects.get().last_used_at == first
    later = monday.move(seconds=31)
    tokens.forget()
    machine.post("/cases", {"words": WORDS})
    assert ApiToken.objects.get().last_used_at == later


def test_one_statement_once_everything_is_known(world: World, monday: Frozen) -> None:
    from django.db import connection

    machine = Machine(token(world, "operator"))
    machine.post("/cases", {"words": WORDS, "lon": 113.1, "lat": 29.1})
    with CaptureQueriesContext(connection, ) as queries:
        machine.post("/cases", {"words": WORDS, "lon": 113.1, "lat": 29.1, "phone": "13812342201"})
    # A prepared statement is sent by its name: the driver has no text of it to show. tests/cases/test_writing.py has it.
    said = [(query["sql"] or "PREPARED").split()[0] for query in queries]
    assert [one for one in said if one not in ("SAVEPOINT", "RELEASE")] == ["PREPARED"]
    assert Event.objects.count() == 2
