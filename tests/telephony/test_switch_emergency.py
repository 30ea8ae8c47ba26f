"""The emergency key against a telephone system on a socket: 110 joins, or the operator reads at once that they must dial."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lianxin.kernel.clock import now
from lianxin.telephony import commands
from lianxin.telephony.models import Agent, Call, CallState
from tests.world import World

from .switching import SECRET, USER, Hall, hall, until
from .test_switch_commands import BAD

pytestmark = pytest.mark.django_db


@contextmanager
def wired(settings: Any, there: Hall) -> Iterator[Any]:
    """The installation's own adapter, as `LIANXIN_SWITCH=double` makes it."""
    settings.LIANXIN_SWITCH = "double"
    settings.LIANXIN_SWITCH_URL = f"ami://{USER}:{SECRET.replace(' ', '%20')}@127.0.0.1:{there.server.port}"
    commands.switch.cache_clear()
    adapter: Any = commands.switch()
    try:
        until(lambda: there.server.sessions)  # it connects by itself, before anybody needs it
        yield adapter
    finally:
        adapter._standing.stop()
        commands.switch.cache_clear()


def on_the_telephone(world: World, there: Hall) -> Call:
    agent = Agent.objects.create(staff=world.staff["operator"], extension="8001")
    return Call.objects.create(system_id=there.talking(), state=CallState.TALKING, agent=agent, began_at=now(), answered_at=now())


def test_110_joins_the_call(world: World, settings: Any) -> None:
    with hall() as there, wired(settings, there):
        call = on_the_telephone(world, there)
        told = commands.emergency(world.staff["operator"].pk, "110")
        assert (told.done, told.how, told.call) == (True, "conference", str(call.pk))
        assert told.milliseconds < 300
        assert until(lambda: len(there.do(lambda double: double.room(call.system_id))) == 3)


def test_without_a_call_110_is_rung_from_the_extension(world: World, settings: Any) -> None:
    with hall() as there, wired(settings, there):
        Agent.objects.create(staff=world.staff["operator"], extension="8001")
        there.do(lambda double: double.member("8001"))
        assert commands.emergency(world.staff["operator"].pk, "110").how == "ring"
        assert until(lambda: any(one.who == "trunk-110" for one in there.do(lambda double: list(double.channels.values()))))


@pytest.mark.parametrize("fault", BAD)
def test_whatever_the_system_does_the_operator_reads_at_once_that_they_must_dial(
    world: World, settings: Any, fault: str) -> None:
    with hall() as there, wired(settings, there) as adapter:
        on_the_telephone(world, there)
        adapter.available("8001", True)
        BAD[fault](there)
        for _again in range(3):  # and again, however often they press
            began = time.monotonic()
            told = commands.emergency(world.staff["operator"].pk, "110")
            assert time.monotonic() - began < 0.6  # 0.3, and what busy cores add
            assert (told.done, told.how) == (False, "dial")
            assert "110" in str(told.words)
