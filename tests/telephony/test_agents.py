"""An agent's states: by their own hand, by calls, by the clock."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed
from lianxin.telephony import agents, housekeeping
from lianxin.telephony.agents import TABLE, Step
from lianxin.telephony.models import Agent, AgentSpell, AgentState
from tests.telephony.ways import rings, seated, told
from tests.world import World

pytestmark = pytest.mark.django_db


def state(world: World, username: str = "operator") -> AgentState | None:
    return agents.standing(world.staff[username].pk).state


def test_every_state_is_reached_and_can_be_left() -> None:
    reached: set[AgentState | None] = {None}
    for _each in range(len(AgentState) + 1):
        reached |= {after for (before, _step), after in TABLE.items() if before in reached}
    assert reached == {None, *AgentState}
    for one in AgentState:
        assert any(before is one and after is not one for (before, _step), after in TABLE.items())
    assert {step for _before, step in TABLE} == set(Step)


def test_a_day_at_the_telephone(world: World, monday: Frozen) -> None:
    operator = seated(world, ready=False)
    assert state(world) == "pause", "nobody is rung before they say so"
    assert agents.be_ready(operator).state == "ready"
    rings()
    assert state(world) == "ready"
    told("answered", extension="8001")
    assert state(world) == "on_call"
    for step in (lambda: agents.be_ready(operator), lambda: agents.pause(operator, reason="rest"), lambda: agents.leave(operator)):
        with pytest.raises(Conflict):
            step()
    told("ended")
    standing = agents.standing(world.staff["operator"].pk)
    assert (standing.state, standing.until) == ("wrap_up", now() + timedelta(seconds=settings.LIANXIN_WRAP_UP_SECONDS))
    assert agents.be_ready(operator).state == "ready"
    assert agents.pause(operator, reason="meal").reason == "meal"
    assert agents.leave(operator).state is None
    assert AgentSpell.objects.filter(ended_at__isnull=True).count() == 0


def test_a_wrap_up_ends_by_itself_whether_or_not_its_job_runs(world: World, monday: Frozen) -> None:
    seated(world)
    rings()
    told("answered", extension="8001")
    told("ended")
    spell = AgentSpell.objects.get(state="wrap_up")
    assert ProcrastinateJob.objects.filter(task_name="telephony.end_wrap_up", args={"spell": spell.pk}).exists()
    assert not agents.end_wrap_up(spell.pk), "not yet"
    monday.move(seconds=settings.LIANXIN_WRAP_UP_SECONDS + 30)
    assert state(world) == "ready", "for everybody who asks"
    housekeeping.end_lost(now())
    spell.refresh_from_db()
    assert spell.ended_at == spell.until
    assert AgentSpell.objects.get(ended_at__isnull=True).began_at == spell.until
    assert not agents.end_wrap_up(spell.pk), "done once"


def test_a_wrap_up_without_a_clock_waits_for_its_key(world: World, monday: Frozen, settings: object) -> None:
    settings.LIANXIN_WRAP_UP_SECONDS = 0  # type: ignore[attr-defined]
    operator = seated(world)
    rings()
    told("answered", extension="8001")
    told("ended")
    monday.move(hours=1)
    assert state(world) == "wrap_up"
    assert agents.be_ready(operator).state == "ready"


def test_a_transfer_moves_the_caller_and_the_states(world: World, monday: Frozen) -> None:
    seated(world)
    seated(world, "dispatcher", "8002")
    rings()
    told("answered", extension="8001")
    monday.move(seconds=20)
    told("transferred", extension="8001", to="8002")
    assert (state(world), state(world, "dispatcher")) == ("wrap_up", "ready")
    monday.move(seconds=2)
    told("answered", extension="8002")
    assert (state(world), state(world, "dispatcher")) == ("wrap_up", "on_call")
    told("ended")
    assert state(world, "dispatcher") == "wrap_up"


def test_events_told_late_leave_nobody_on_a_call(world: World, monday: Frozen) -> None:
    seated(world)
    told("ended", at=now())
    told("answered", at=now() - timedelta(minutes=1), extension="8001")
    assert state(world) == "ready"


def test_one_sits_at_an_extension(world: World, monday: Frozen) -> None:
    seated(world)
    seated(world, "dispatcher", "8001")
    assert (state(world), state(world, "dispatcher")) == (None, "ready")
    rings()
    told("answered", extension="8001")
    with pytest.raises(Conflict):
        agents.sit_down(world.actor("operator"), extension="8001")
    with pytest.raises(Invalid):
        agents.sit_down(world.actor("operator"), extension="800 1")
    with pytest.raises(Invalid):
        agents.be_ready(world.actor("operator"))
    with pytest.raises(Invalid):
        agents.pause(world.actor("dispatcher"), reason="tired")
    with pytest.raises(NotAllowed):
        agents.sit_down(world.actor("urban"), extension="8009")


def test_the_database_keeps_one_state(world: World, monday: Frozen) -> None:
    seated(world)
    agent = Agent.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        AgentSpell.objects.create(agent=agent, state="ready", began_at=now())


steps = st.sampled_from(["sit", "ready", "pause", "leave", "ring", "answer", "hold", "end", "wait"])


@hypothesis_settings(max_examples=30)
@given(st.lists(steps, max_size=12))
def test_whatever_is_done_one_state_stands_and_time_has_no_holes(done: list[str]) -> None:
    from datetime import UTC, datetime

    from lianxin.kernel.clock import frozen

    with frozen(datetime(2026, 11, 23, 2, 0, tzinfo=UTC)) as clock, transaction.atomic():
        world = World.make()
        operator = seated(world)
        calls = itertools.count()
        call = "c0"
        for step in done:
            clock.move(seconds=7)
            try:
                match step:
                    case "sit":
                        agents.sit_down(operator, extension="8001")
                    case "ready":
                        agents.be_ready(operator)
                    case "pause":
                        agents.pause(operator, reason="rest")
                    case "leave":
                        agents.leave(operator)
                    case "ring":
                        call = f"c{next(calls)}"
                        rings(call)
                    case "answer":
                        told("answered", call, extension="8001")
                    case "hold":
                        told("held", call, extension="8001")
                    case "end":
                        told("ended", call)
                    case "wait":
                        clock.move(seconds=200)
            except DomainError:
                pass
        spells = list(AgentSpell.objects.order_by("began_at", "pk"))
        assert sum(spell.ended_at is None for spell in spells) <= 1
        for earlier, later in itertools.pairwise(spells):
            assert earlier.ended_at is not None
            assert earlier.ended_at <= later.began_at
        transaction.set_rollback(True)
