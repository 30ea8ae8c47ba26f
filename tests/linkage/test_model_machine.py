"""The same world driven at random, for longer lives than can be explored to the end: Hypothesis looks for a way to a fault.

Messages are lost, doubled, delayed and overtake each other; either side crashes between any two steps; the line is down for as long
as the machine likes, while people go on working. At the end the network is fair, and both sides must agree.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from lianxin.linkage.protocol import OUT, THEM, US, Message, NotNow
from lianxin.linkage.states import TAKEN
from lianxin.linkage.wire import Kind, Mode

from .model import BROKEN, Desk, World, act, answer, arrive, check, clock, crash, head, quiet, settle
from .model import start as begun

SIDES = st.sampled_from((0, 1))
KINDS = st.sampled_from((
    Kind.ACKNOWLEDGE, Kind.ACCEPT, Kind.ACCEPT, Kind.REFUSE, Kind.NEGOTIATE, Kind.WITHDRAW, Kind.PROGRESS, Kind.OUTCOME, Kind.CLOSE,
    Kind.SUPPLEMENT, Kind.PHONE))


def machine(desk: Desk, *, ahead: bool = False) -> type[RuleBasedStateMachine]:
    """Two desks that work as `desk` does. With `ahead` they do not wait for answers before they send on."""

    class Two(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.before: World = begun()
            self.world: World = begun()
            self.flying: list[tuple[int, Message]] = []
            self.line_up = True

        def move(self, world: World) -> None:
            self.before, self.world = self.world, world
            check(self.before, self.world)

        @rule(first=st.sampled_from((US, THEM)))
        @precondition(lambda self: self.world == begun())
        def begin(self, first: str) -> None:
            self.before = self.world = begun(first=first)

        @rule(at=SIDES, mode=st.sampled_from((Mode.TRANSFER.value, Mode.TRANSFER.value, Mode.JOINT.value)))
        def offer(self, at: int, mode: str) -> None:
            record = self.world.sides[at].record
            behind = None
            if record is not None:
                behind = next((one.id for one in reversed(record.handovers) if one.direction != OUT and one.state in TAKEN), None)
            made: Any = self.world.offers + 1
            with suppress(NotNow):
                self.move(act(desk, self.world, at, Kind.OFFER, made, mode=mode, follows=behind))

        @rule(at=SIDES, kind=KINDS, which=st.integers(0, 2), defaulted=st.booleans())
        def person(self, at: int, kind: Kind, which: int, defaulted: bool) -> None:
            """From a page that may be old: any handover ever, the newest first."""
            record = self.world.sides[at].record
            if record is None or which >= len(record.handovers):
                return
            with suppress(NotNow):
                self.move(act(desk, self.world, at, kind, record.handovers[-1 - which].id, defaulted=defaulted))

        @rule(at=SIDES)
        def time_is_up(self, at: int) -> None:
            record = self.world.sides[at].record
            if record is not None and record.undecided is not None:
                with suppress(NotNow):
                    self.move(clock(desk, self.world, at, record.undecided.id))

        @rule(at=SIDES)
        @precondition(lambda self: self.line_up)
        def send(self, at: int) -> None:
            record = self.world.sides[at].record
            if record is not None:
                self.flying += [(at, message) for message in record.outgoing[:None if ahead else 1]]

        @rule(which=st.integers(0, 30), copies=st.integers(0, 2))
        @precondition(lambda self: self.flying and self.line_up)
        def network(self, which: int, copies: int) -> None:
            """One of the messages on the way is lost, arrives, or arrives and stays on the way."""
            sender, message = self.flying.pop(which % len(self.flying))
            if copies:
                self.move(arrive(desk, self.world, sender, message))
            if copies == 2:
                self.flying.append((sender, message))

        @rule(at=SIDES)
        @precondition(lambda self: self.line_up)
        def answered(self, at: int) -> None:
            self.move(answer(desk, self.world, at))

        @rule(at=SIDES)
        def writes_down(self, at: int) -> None:
            self.move(settle(desk, self.world, at))

        @rule(at=SIDES)
        def crash(self, at: int) -> None:
            self.move(crash(desk, self.world, at))

        @rule()
        def outage(self) -> None:
            """The line goes down with everything on it, or comes back."""
            self.line_up = not self.line_up
            if not self.line_up:
                self.flying.clear()

        def teardown(self) -> None:
            """The line is up and fair, and nobody does anything more: both sides come to name the same holder."""
            for _step in range(500):
                if quiet(self.world):
                    break
                for at in (0, 1):
                    self.move(settle(desk, self.world, at))
                    if (first := head(self.world, at)) is not None:
                        self.move(arrive(desk, self.world, at, first))
                        self.move(settle(desk, self.world, 1 - at))
                        self.move(answer(desk, self.world, at))
            assert quiet(self.world), "something waits that never arrives"
            check(self.before, self.world)

    return Two


def run(desk: Desk, *, examples: int, ahead: bool = False, shrink: bool = True) -> None:
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    run_state_machine_as_test(machine(desk, ahead=ahead), settings=settings(
        max_examples=examples, stateful_step_count=60, deadline=None, derandomize=True, database=None, phases=phases,
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck), print_blob=False))


def test_two_sound_desks_always_agree() -> None:
    run(Desk(), examples=150)


def test_they_agree_where_neither_waits_for_answers() -> None:
    run(Desk(), examples=100, ahead=True)


# What only a rare crossing shows is found by the exploration (test_model.py).
@pytest.mark.parametrize("name", sorted(set(BROKEN) - {"ClosesByHalf", "TakesAnyOrder", "WithdrawsAlone"}))
def test_the_machine_finds_each_fault(name: str) -> None:
    with pytest.raises(Exception, match=r"hold|unconditional|all is said|refused for good|taken twice|skipped|gap|waits|went back"):
        run(BROKEN[name], examples=3_000, shrink=False)  # ends at the first; the shortest way is the exploration's
