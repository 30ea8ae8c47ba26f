"""Ways in which somebody might make a missed promise look kept: each is refused, or done in the open with the old clock shown."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lianxin.cases import actions as a
from lianxin.cases.clocks import calendar_named
from lianxin.cases.engine import On
from lianxin.cases.models import Case, Clock, Extension, State, Suspension
from lianxin.cases.queries_clocks import clock_lines, state_of
from lianxin.cases.rebuild import differences
from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import DomainError, Invalid
from tests.cases.test_clocks import local
from tests.cases.test_pausing import in_hand, resolve
from tests.cases.ways import ACTIONS as EVERY
from tests.cases.ways import STEPS, actor, fields_for, take
from tests.world import World

pytestmark = pytest.mark.django_db


def overdue(world: World, monday: Frozen) -> uuid.UUID:
    """A case in hand that fell due an hour ago."""
    case_id = in_hand(world)
    monday.set(local("2026-11-30 11:00"))
    return case_id


def test_pausing_does_not_dodge_a_deadline_that_has_passed(world: World, monday: Frozen) -> None:
    case_id = overdue(world, monday)
    with pytest.raises(Invalid, match="期限已过"):
        take(world, case_id, "suspend")
    assert state_of(resolve(case_id), monday.move()) == "overdue"


def test_pausing_a_minute_before_gains_that_minute_and_no_more(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-30 09:59"))
    take(world, case_id, "suspend", until=local("2026-12-08 17:00"))
    monday.set(local("2026-12-07 10:00"))
    take(world, case_id, "resume_work")
    assert resolve(case_id).due_at == local("2026-12-07 10:01")
    monday.move(minutes=2)
    take(world, case_id, "reply")
    assert state_of(resolve(case_id), monday.move()) == "met_late"


def test_more_time_is_not_asked_for_after_it_has_run_out(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-30 10:00"))  # at the very minute
    with pytest.raises(Invalid, match="期限已过"):
        take(world, case_id, "ask_extension")
    assert not Extension.objects.exists()


def test_closing_and_reopening_leaves_the_missed_clock_of_the_first_round(world: World, monday: Frozen) -> None:
    case_id = overdue(world, monday)
    for step in ("reply", "approve", "record_callback_attempt", "close"):
        take(world, case_id, step)
    take(world, case_id, "reopen")
    take(world, case_id, "sign")
    lines = [line for line in clock_lines(Case.objects.get(pk=case_id), at=monday.move())
             if line.clock.kind == "resolve" and line.clock.assignment_id is None]
    assert [(line.clock.round, line.state, line.over) for line in lines] == [(1, "met_late", 60), (2, "running", 0)]
    assert lines[0].clock.due_at == local("2026-11-30 10:00")
    assert differences(case_id) == []


def test_another_category_or_kind_gains_no_time(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    for fields in ({"category": "010105", "kind": "complaint"}, {"kind": "report"}, {"urgency": "normal"}):
        take(world, case_id, "correct", **fields)
        assert resolve(case_id).due_at <= local("2026-11-30 10:00")
    before = resolve(case_id).due_at
    monday.set(local("2026-12-01 10:00"))
    take(world, case_id, "correct", category="010102", kind="complaint")
    assert resolve(case_id).due_at == before
    assert state_of(resolve(case_id), monday.move()) == "overdue"


def test_a_back_dated_contact_does_not_meet_a_clock_in_the_past(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-25 10:00"))  # the first contact was due on the 24th at 10:00
    take(world, case_id, "record_contact", contacted_at=local("2026-11-23 10:30"))
    clock = Clock.objects.get(case=case_id, kind="first_contact")
    assert (clock.met_at, state_of(clock, monday.move())) == (monday.move(), "met_late")
    with pytest.raises(Invalid):
        take(world, case_id, "record_contact", contacted_at=local("2026-11-23 09:00"))  # before it was dispatched


def test_a_redispatch_or_a_return_gives_no_new_time_to_answer(world: World, monday: Frozen) -> None:
    case_id = overdue(world, monday)
    before = resolve(case_id)
    take(world, case_id, "raise_return")
    take(world, case_id, "uphold_return")
    take(world, case_id, "dispatch", lead_unit="housing", assisting_units=[])
    take(world, case_id, "redispatch", lead_unit="bridge")
    after = resolve(case_id)
    assert (after.pk, after.started_at, after.due_at) == (before.pk, before.started_at, before.due_at)
    assert state_of(after, monday.move()) == "overdue"


def test_sending_back_does_not_wash_a_late_answer_clean(world: World, monday: Frozen) -> None:
    case_id = overdue(world, monday)
    take(world, case_id, "reply")
    take(world, case_id, "send_back")
    assert resolve(case_id).due_at == local("2026-11-30 10:00")
    with pytest.raises(Invalid):
        take(world, case_id, "suspend")


def test_a_pause_is_not_stretched_by_a_sweep_that_never_came(world: World, monday: Frozen) -> None:
    """The unit cannot resume before the end and pause again without it being counted."""
    case_id = in_hand(world)
    for _twice in range(2):
        take(world, case_id, "suspend")
        monday.move(days=1)
        take(world, case_id, "resume_work")
    with pytest.raises(Invalid):
        take(world, case_id, "suspend")
    assert [one.minutes for one in Suspension.objects.filter(case=case_id)] == [420, 420]


class ClockMachine(RuleBasedStateMachine):
    """Any steps in any order around one case in hand: its promised time adds up, and moves later only for a reason on record."""

    world: World
    frozen: Frozen

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.frozen.set(local("2026-11-23 10:00"))
        self.case_id = in_hand(self.world)
        take(self.world, self.case_id, "record_contact")
        self.seen = self._picture()

    def _picture(self) -> dict[uuid.UUID, tuple[datetime, int, int]]:
        return {one.pk: (one.due_at, one.paused_minutes, one.extended_minutes) for one in Clock.objects.filter(case=self.case_id)}

    def _try(self, action: str, **fields: Any) -> None:
        case = Case.objects.get(pk=self.case_id)
        name = STEPS[action][0]
        if name == "urban" and case.lead_unit is not None:
            name = case.lead_unit.code
        who = actor(self.world, self.case_id, name)
        try:
            with transaction.atomic():
                EVERY[action](On(self.case_id, who), **(fields_for(action, who) | fields))
        except DomainError:
            pass

    @rule(minutes=st.sampled_from((1, 59, 300, 1440, 4321)))
    def wait(self, *, minutes: int) -> None:
        self.frozen.move(minutes=minutes)

    @rule()
    def swept(self) -> None:
        sweep()

    @rule(reason=st.sampled_from(("outside", "reporter")), hours=st.sampled_from((1, 30, 200, 300)))
    def suspend(self, *, reason: str, hours: int) -> None:
        self._try("suspend", waits_for=reason, until=self.frozen.move() + timedelta(hours=hours))

    @rule(action=st.sampled_from(("resume_work", "lift_suspension", "add_information", "grant_extension", "refuse_extension",
                                  "redispatch", "sign", "raise_return", "reject_return", "uphold_return", "dispatch", "reply",
                                  "send_back", "reject_return")))
    def step(self, *, action: str) -> None:
        self._try(action)

    @rule(minutes=st.sampled_from((1, 420, 2100, 9999)))
    def ask(self, *, minutes: int) -> None:
        self._try("ask_extension", minutes=minutes)

    @rule(category=st.sampled_from(("010101", "010102", "010103", "010104")), urgency=st.sampled_from((None, "urgent", "normal")))
    def correct(self, *, category: str, urgency: str | None) -> None:
        self._try("correct", category=category, urgency=urgency)

    @invariant()
    def it_adds_up(self) -> None:
        if not hasattr(self, "case_id"):
            return
        for one in Clock.objects.filter(case=self.case_id):
            assert one.due_at == calendar_named(one.calendar).add(one.started_at, one.total_minutes).at
            before = self.seen.get(one.pk)
            if before is not None and one.due_at > before[0]:
                assert one.paused_minutes > before[1] or one.extended_minutes > before[2]
            if before is not None:
                assert one.paused_minutes >= before[1]
                assert one.extended_minutes >= before[2]
        promise = resolve(self.case_id)
        pauses = Suspension.objects.filter(clock=promise)
        assert sum(one.minutes or 0 for one in pauses) == promise.paused_minutes
        assert sum(one.granted_minutes or 0 for one in Extension.objects.filter(clock=promise)) == promise.extended_minutes
        case = Case.objects.get(pk=self.case_id)
        running = pauses.filter(ended_at__isnull=True).exists()
        assert case.paused == (promise.paused_at is not None) == running
        assert not running or case.state == State.IN_HAND
        waiting = Extension.objects.filter(case=case, decision="waiting").exists()
        assert waiting == Clock.objects.filter(case=case, kind="extension", met_at__isnull=True, stopped_at__isnull=True).exists()
        assert differences(self.case_id) == []
        self.seen = self._picture()


@pytest.fixture
def machine(world: World, monday: Frozen) -> type[ClockMachine]:
    return type("Machine", (ClockMachine,), {"world": world, "frozen": monday})


@pytest.mark.slow
def test_no_sequence_of_steps_moves_a_promise_without_a_reason(machine: type[ClockMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(
        max_examples=17, stateful_step_count=25, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck)))
    assert a.ACTIONS["suspend"]
