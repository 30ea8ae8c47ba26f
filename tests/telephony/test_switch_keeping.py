"""From the line to the database: what a double tells, kept by the bridge as calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from lianxin.kernel.clock import now
from lianxin.telephony import receiving
from lianxin.telephony.models import Agent, AgentSpell, AgentState, Call, CallEvent, CallState
from lianxin.telephony.switches.bridge import Unkept
from lianxin.telephony.switches.events import Told
from lianxin.telephony.switches.keeping import Database
from tests.loops import run
from tests.world import World

from .switching import Kept, bridged
from .test_switch_bridge import a_day

pytestmark = pytest.mark.django_db


@pytest.fixture
def day(world: World) -> list[Told]:
    """What a bridge tells of a day, heard on a real socket."""
    Agent.objects.create(staff=world.staff["operator"], extension="8001")
    return run(bridged(a_day)).told


def test_the_calls_of_a_day_are_kept(day: list[Told]) -> None:
    keeper = Database()
    for told in day:
        keeper.keep(told)
    call = Call.objects.get(system_id=day[0].call)
    assert (call.state, call.line, call.recording) == (CallState.ENDED, "hotline", f"{call.system_id}.wav")
    assert call.answered_at is not None
    assert receiving.number_of(call) == "13800002201"
    assert Agent.objects.get(calls=call).extension == "8001"
    assert Call.objects.exclude(pk=call.pk).get().state == CallState.ABANDONED
    assert keeper.open_calls() == []


def test_told_twice_and_told_as_a_guess_after_a_break_change_nothing(day: list[Told]) -> None:
    keeper = Database()
    for told in day:
        keeper.keep(told)
    before = list(Call.objects.order_by("system_id").values())
    for told in day:
        keeper.keep(told)
        keeper.keep(Told(told.id, told.call, told.kind, told.at + timedelta(seconds=1)))
    assert list(Call.objects.order_by("system_id").values()) == before
    assert CallEvent.objects.count() == len(day)


def test_a_call_without_an_end_is_open_and_ends_when_the_line_is_back(day: list[Told]) -> None:
    keeper = Database()
    for told in [one for one in day if one.kind != "ended"]:
        keeper.keep(told)
    assert keeper.open_calls() == [day[0].call]


def test_an_event_that_will_never_do_is_left_aside() -> None:
    Database().keep(Told("x", "y", "queued", now() + timedelta(hours=1)))
    assert not Call.objects.exists()


def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_named: object) -> None:
        raise OperationalError

    monkeypatch.setattr("lianxin.telephony.switches.keeping.receive", away)
    monkeypatch.setattr("lianxin.telephony.switches.keeping.close_old_connections", lambda: None)
    with pytest.raises(Unkept):
        Database().keep(Told("x", "y", "queued", now()))


def test_which_telephones_the_queue_may_ring(world: World) -> None:
    def sits(who: str, extension: str, state: str, reason: str = "") -> None:
        agent = Agent.objects.create(staff=world.staff[who], extension=extension)
        AgentSpell.objects.create(agent=agent, state=state, reason=reason, began_at=now())

    sits("operator", "8001", AgentState.READY)
    sits("dispatcher", "8002", AgentState.PAUSE, "meal")
    sits("reviewer", "8003", AgentState.WRAP_UP)
    sits("supervisor", "8004", AgentState.ON_CALL)  # rung or not as the telephone says
    assert sorted(Database().telephones()) == [("8001", True, ""), ("8002", False, "meal"), ("8003", False, "wrap_up")]


def test_kept_in_memory_is_what_is_kept() -> None:
    """The keeper of the other tests behaves as this one does."""
    assert {name for name in vars(Database) if not name.startswith("_")} <= set(dir(Kept))
