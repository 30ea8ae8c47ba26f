"""The telephone system's face over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.kernel.clock import Frozen, now
from lianxin.telephony.models import Call
from tests.api.conftest import Machine, _no_tokens_kept, token  # noqa: F401
from tests.telephony.ways import NUMBER, seated, switchboard
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def pbx(world: World) -> Machine:
    switchboard(world)
    return Machine(token(world, "switchboard", "tell_call", "read"))


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"{kind}-1", "call": "1732587600.41", "kind": kind, "at": now().isoformat(), **more}


def test_a_call_is_told_event_by_event(world: World, pbx: Machine, monday: Frozen) -> None:
    seated(world)
    sent = event("ringing", queue="12345", number=NUMBER, extension="8001")
    first = pbx.post("/telephony/events", sent)
    assert first.status_code == 200, first.content
    assert first.json() == {"call": str(Call.objects.get().pk), "state": "ringing", "agent_known": True}
    again = pbx.post("/telephony/events", sent)
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (200, first.json(), "true")
    clash = pbx.post("/telephony/events", {**sent, "number": "13700000000"})
    assert (clash.status_code, clash.json()["code"]) == (409, "key_reused")
    monday.move(seconds=3)
    assert pbx.post("/telephony/events", event("answered", agent="operator")).json()["state"] == "talking"
    figures = pbx.get("/telephony/figures").json()
    assert (figures["waiting"], figures["agents"]["on_call"], figures["today"]["answered_in_15"]) == (0, 1, 1)


def test_faults_say_what_is_wrong(world: World, pbx: Machine, monday: Frozen) -> None:
    for body, field in (({"kind": "dance"}, "kind"), ({"at": "yesterday"}, "at"), ({"at": "2026-11-23T10:00:00"}, "at"),
                        ({"number": "12"}, "number"), ({"id": ""}, "id"), ({"caller": "x"}, "caller"),
                        ({"at": "2027-01-01T00:00:00Z"}, "at"), ({"at": "2020-01-01T00:00:00Z"}, "at")):
        answer = pbx.post("/telephony/events", {**event("ringing"), **body})
        assert answer.status_code == 422, answer.content
        assert field in {error["field"] for error in answer.json()["errors"]}, answer.content
    assert pbx.post("/telephony/events", "{").status_code == 400
    assert not Call.objects.exists()


def test_who_may(world: World, pbx: Machine, monday: Frozen) -> None:
    assert Machine().post("/telephony/events", event("ringing")).status_code == 401
    assert Machine(token(world, "switchboard", "read")).post("/telephony/events", event("ringing")).json()["code"] == "scope_missing"
    for username in ("operator", "admin"):
        assert Machine(token(world, username)).post("/telephony/events", event("ringing")).status_code == 403
    assert Machine(token(world, "urban")).get("/telephony/figures").status_code == 403
    assert Machine(token(world, "supervisor")).get("/telephony/figures").status_code == 200
    assert pbx.get("/cases").json()["items"] == [], "the telephone system sees no cases"
