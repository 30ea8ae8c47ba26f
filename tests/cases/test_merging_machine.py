"""Families in any order of steps: merged, taken apart, replied, sent back, answered, withdrawn, reopened – always sound."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import OPEN_STATES, TERMINAL, WITH_UNIT, Assignment, Case, Clock, ClockKind, Event, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import DomainError
from tests.cases.desks import LINK
from tests.cases.ways import ACTIONS, STEPS, actor, another, fields_for
from tests.world import World

pytestmark = pytest.mark.django_db

STEP = ("accept", "dispatch", "dispatch", "sign", "sign", "sign", "record_contact", "raise_return", "uphold_return", "reject_return",
        "rule_jointly", "redispatch", "reply", "reply", "reply", "approve", "approve", "send_back",
        "rate", "reopen", "record_callback_attempt",
        "close", "withdraw", "correct", "unmerge", "unmerge",
        "offer_handover", "offer_handover", "release_handover", "take_back_handover", "close_handover")
BEFORE_REPLY = (State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED)
cases = st.integers(0, 4)
taken: set[tuple[str, str]] = set()


class FamilyMachine(RuleBasedStateMachine):
    """Five cases about one matter. `world` and `frozen` are set by the test."""

    world: World
    frozen: Frozen

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.cases: list[uuid.UUID] = []
        self.promised: dict[tuple[uuid.UUID, int], Any] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(urgent=st.booleans(), accepted=st.integers(0, 3))
    def register(self, *, urgent: bool, accepted: int) -> None:
        self.cases = [self.world.accepted("010104" if urgent and n == 0 else "010102") if n < accepted else another()
                      for n in range(5)]

    def _do(self, case_id: uuid.UUID, action: str, name: str, fields: dict[str, Any]) -> None:
        count = Event.objects.count()
        run = getattr(a, action) if action in LINK else ACTIONS[action]
        try:
            with transaction.atomic():
                run(On(case_id, actor(self.world, case_id, name)), **fields)
            taken.add((action, Case.objects.get(pk=case_id).state))
        except DomainError:
            assert Event.objects.count() == count

    @rule(master=cases, others=st.lists(cases, min_size=1, max_size=3))
    def merge(self, *, master: int, others: list[int]) -> None:
        self._do(self.cases[master], "merge", "dispatcher", {
            "duplicates": [str(self.cases[other]) for other in others], "reason": "同一个工地。"})

    @rule(which=cases, choice=st.integers(0, 99), minutes=st.sampled_from((0, 1, 45, 600, 20_000)))
    def step(self, *, which: int, choice: int, minutes: int) -> None:
        """One of the steps that the table allows this case now."""
        self.frozen.move(minutes=minutes)
        open_now = [one for one in STEP if BY_ACTION[one].leads_from(Case.objects.get(pk=self.cases[which]).state)]
        if open_now:
            self._step(self.cases[which], open_now[choice % len(open_now)])

    def _step(self, case_id: uuid.UUID, action: str) -> None:
        if action in LINK:
            if action != "release_handover" or Case.objects.get(pk=case_id).linkage == "offered":
                self._do(case_id, action, "operator", LINK[action])
            return
        name = STEPS[action][0]
        if name == "urban":
            lead = Assignment.objects.filter(case__in=(case_id, Case.objects.get(pk=case_id).master_id), role="lead",
                                             ended_at__isnull=True).select_related("unit").first()
            name = lead.unit.code if lead is not None else name
        self._do(case_id, action, name, fields_for(action, actor(self.world, case_id, name)))

    @rule(which=cases)
    def onwards(self, *, which: int) -> None:
        """Straight through to the reply, so that families get answered."""
        for action in ("accept", "dispatch", "sign", "reply"):
            if BY_ACTION[action].leads_from(Case.objects.get(pk=self.cases[which]).state):
                self._step(self.cases[which], action)

    @invariant()
    def every_case_is_sound(self) -> None:
        found = {case.pk: case for case in Case.objects.filter(pk__in=self.cases).select_related("master")}
        for case in found.values():
            assert differences(case.pk) == []
            leads = Assignment.objects.filter(case=case, role="lead", ended_at__isnull=True)
            assert leads.count() == (1 if case.state in WITH_UNIT else 0), case.state
            assert (case.closed_at is not None) == (case.state in TERMINAL)
            assert (case.due_at is not None) == (case.state in OPEN_STATES)
            under = [one for one in found.values() if one.state == State.MERGED and one.master_id == case.pk]
            assert case.duplicate_count >= len(under)
            if under:
                assert case.state in (*BEFORE_REPLY, State.REPLIED, State.HANDED_OVER)
                self._family(case, under)
            self._promises(case)
        for case in found.values():
            if case.state == State.MERGED:
                assert case.master is not None
                assert case.master.state not in (State.MERGED, State.CALLBACK, *TERMINAL)
                assert case.accepted_at is not None
                assert not Assignment.objects.filter(case=case, ended_at__isnull=True).exists()

    def _family(self, master: Case, under: list[Case]) -> None:
        own = Clock.objects.filter(case=master, kind="resolve", assignment=None, met_at=None, stopped_at=None).first()
        dues = []
        for case in under:
            assert case.lead_unit_id == master.lead_unit_id
            assert set(master.unit_ids) <= set(case.unit_ids)
            there = Clock.objects.filter(case=case, kind="handover", assignment=None, met_at=None, stopped_at=None)
            assert there.exists() == (master.state == State.HANDED_OVER)
            if there.exists():
                assert case.due_at == there[0].due_at
                continue
            clock = Clock.objects.get(case=case, kind="resolve", assignment=None, round=case.round, stopped_at=None)
            assert (clock.met_at is not None) == (master.state == State.REPLIED)
            dues.append(clock.due_at)
        if own is not None and dues:
            assert master.due_at == min([own.due_at, *dues])

    def _promises(self, case: Case) -> None:
        """No resolve clock of a round is due later than it was promised, whatever the case is merged with."""
        for clock in Clock.objects.filter(case=case, kind=ClockKind.RESOLVE, assignment=None):
            key = (clock.pk, 0)
            # Accepting sets the limit by the category for the first time: until then it is provisional.
            if case.state == State.REGISTERED:
                self.promised.pop(key, None)
                continue
            assert clock.due_at <= self.promised.get(key, clock.due_at)
            self.promised[key] = clock.due_at


@pytest.fixture
def machine(world: World, monday: Frozen) -> type[FamilyMachine]:
    return type("Machine", (FamilyMachine,), {"world": world, "frozen": monday})


def test_no_order_of_steps_breaks_a_family(machine: type[FamilyMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(
        max_examples=14, stateful_step_count=25, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    ))
    assert {"merge", "unmerge", "reply", "approve", "withdraw", "send_back"} <= {action for action, _to in taken}


