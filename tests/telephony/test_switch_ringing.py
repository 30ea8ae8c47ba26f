"""The callers who are made up, and the commands that run them and the bridge."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from lianxin.telephony.switches.ami import Address
from lianxin.telephony.switches.asterisk import AsteriskSwitch
from lianxin.telephony.switches.double import Double
from lianxin.telephony.switches.ringing import PROFILE, Callers, Ringing
from lianxin.telephony.switches.standing import Standing
from tests.loops import run

from .switching import until

QUICK = Callers(an_hour=360_000, patience=0.01, talk=0.01, shortest_patience=0, shortest_talk=0, numbers=("0730001", "0730002"))


def heard(double: Double) -> Counter[str]:
    found: Counter[str] = Counter()
    double.listeners.append(lambda event: found.update([event["Event"]]))
    return found


async def ring(double: Double, callers: Callers, seconds: float) -> None:
    running = asyncio.create_task(Ringing(double, callers, seed=1).run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_nobody_rings_while_nobody_is_ready() -> None:
    async def scene() -> Counter[str]:
        double = Double()
        found = heard(double)
        double.member("8001")
        await ring(double, QUICK, 0.2)
        return found

    assert run(scene()) == {}


def test_callers_wait_and_those_whose_patience_ends_hang_up() -> None:
    async def scene() -> tuple[Counter[str], list[str]]:
        double = Double(answers=None)  # nobody picks up
        found = heard(double)
        numbers: list[str] = []
        double.listeners.append(lambda event: numbers.append(event["CallerIDNum"]) if event["Event"] == "QueueCallerJoin" else None)
        double.member("8001").paused = False
        await ring(double, QUICK, 1.5)
        return found, numbers

    found, numbers = run(scene())
    assert found["QueueCallerJoin"] >= 3
    assert found["QueueCallerAbandon"] >= 2
    assert found["AgentConnect"] == 0
    assert numbers[:3] == ["0730001", "0730002", "0730001"]


def test_callers_who_are_answered_talk_and_hang_up() -> None:
    async def scene() -> tuple[Counter[str], int]:
        double = Double(answers=0.05)
        found = heard(double)
        double.member("8001").paused = False
        await ring(double, Callers(an_hour=360_000, patience=5.0, talk=0.05, shortest_talk=0), 1.5)
        return found, len(double.channels)

    found, left = run(scene())
    assert found["AgentConnect"] >= 2
    assert found["Hangup"] >= 4
    assert left <= 8  # no more wait than a demonstration bears


def test_the_day_has_its_shape_and_its_mean() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    callers = Callers(an_hour=60, even=False)
    assert callers.rate(datetime(2026, 11, 23, 10, tzinfo=zone)) > 5 * callers.rate(datetime(2026, 11, 23, 3, tzinfo=zone))
    assert sum(PROFILE) / 24 == pytest.approx(1, abs=0.05)
    assert Callers(an_hour=60).rate(datetime(2026, 11, 23, 3, tzinfo=zone)) == pytest.approx(1 / 60)


def test_the_double_is_a_program_that_listens_and_ends_when_told() -> None:
    port = random.Random().randrange(20_000, 40_000)
    address = Address("127.0.0.1", port, "somebody", "else")
    running = subprocess.Popen(
        [sys.executable, "-m", "lianxin", "switch_double", "--calls-per-hour", "0"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "LIANXIN_SWITCH_URL": f"ami://somebody:else@127.0.0.1:{port}", "PYTHONUNBUFFERED": "1"})
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == f"listening on 127.0.0.1:{port}\n"
        standing = Standing(address)
        AsteriskSwitch(standing, within=5).available("8001", True)
        standing.stop()
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    finally:
        running.kill()
        running.wait()
    assert until(lambda: running.poll() is not None)


@pytest.mark.parametrize("name", ["switch", "switch_double"])
def test_an_address_that_is_none_is_said(name: str, settings: object) -> None:
    settings.LIANXIN_SWITCH_URL = "http://pbx"  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="LIANXIN_SWITCH_URL: use ami://"):
        call_command(name)


def test_callers_that_cannot_be_are_refused() -> None:
    with pytest.raises(CommandError, match="--talk"):
        call_command("switch_double", talk=0.0)
    with pytest.raises(CommandError, match="--calls-per-hour"):
        call_command("switch_double", calls_per_hour=-1.0)
