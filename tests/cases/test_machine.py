"""A state machine drives the real actions against the real database: right ones and wrong ones, by anybody."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import TERMINAL, WITH_UNIT, Assignment, AssignmentRole, Case, Clock, Event, Return, State
from lianxin.cases.queries import came_back
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION, transitions_from
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import DomainError
from tests.cases.desks import LINK, desk
from tests.cases.ways import ACTIONS, STEPS, VILLAGE, WITHOUT_ACTION, actor, fields_for, upload
from tests.quality.proof import unproved
from tests.world import RESIDENT, World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PEOPLE = ("operator", "dispatcher", "reviewer", "callback", "supervisor", "urban", "urban2", "housing", "water", "west",
          "east", "grid", "admin", "reporter", "stranger", "system")
UNITS = ("urban", "housing", "water", "west", "east", "bridge", "closed", "nobody")
units = st.sampled_from(UNITS)
some_units = st.lists(units, max_size=2)
words = st.sampled_from(("", "  ", "已处理。", "<script>alert(1)</script>", "长" * 10_001, "a\x00b"))
# Other values than the valid ones, for the fields that have some.
VARIANTS: dict[str, st.SearchStrategy[Any]] = {
    "lead_unit": units, "assisting_units": some_units, "suggested_unit": st.none() | units,
    "category": st.sampled_from(("010101", "010102", "010103", "010104", "010105", "01", "999999", "")),
    "area": st.sampled_from(("990101001001", "990102", "9901", "nowhere")),
    "urgency": st.sampled_from(("normal", "urgent", "whenever")), "kind": st.sampled_from(("help", "complaint", "rumour")),
    "means": st.sampled_from(("phone", "visit", "not_left", "pigeon")), "reached": st.booleans(), "solved": st.booleans(),
    "outcome": st.sampled_from(("reached", "no_answer", "refused", "vanished")),
    "satisfaction": st.sampled_from(("satisfied", "dissatisfied", "furious", "")),
    "officer": st.sampled_from(("urban", "urban2", "housing", "grid", "nobody")),
    "partner": st.sampled_from(("110.test", "120.test", "nobody", "")), "mode": st.sampled_from(("transfer", "joint", "half")),
    "wish": st.sampled_from(("agrees", "against", "maybe")), "emergency": st.booleans(),
    "service": st.sampled_from(("110", "119", "911")), "reason": words, "public_answer": words, "note": words,
    "explanation": words, "title": words,
}
# `reason` is a code in a return, and words elsewhere.
CODES = {"raise_return": {"reason": st.sampled_from(("not_ours", "too_hard"))}}
ONWARDS = {
    State.REGISTERED: ("accept", "accept", "accept", "decline", "answer_on_the_spot"), State.ACCEPTED: ("dispatch",),
    State.DISPATCHED: ("sign", "sign", "raise_return", "redispatch"),
    State.IN_HAND: ("reply", "reply", "reply", "raise_return", "redispatch", "assist_sign"),
    State.OBJECTED: ("uphold_return", "reject_return", "rule_jointly"), State.REPLIED: ("approve", "approve", "send_back"),
    State.CALLBACK: ("record_callback_attempt", "close", "reopen", "rate"), State.CLOSED: ("reopen", "rate", "contest"),
}
FOLLOWING = ("reopen_unsolved", "close_unasked")
taken: set[tuple[str, str, str]] = set()


class CaseMachine(RuleBasedStateMachine):
    """One case, from its first word on. `world` and `frozen` are set by the test."""

    world: World
    frozen: Frozen

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.case_id: uuid.UUID | None = None
        self.unit_ids: set[int] = set()
        self.version = self.count = 0
        self.log: list[tuple[uuid.UUID, str, int]] = []
        self.ended: set[uuid.UUID] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(field=st.sampled_from((False, False, False, True)), phone=st.booleans(),
                category=st.sampled_from((None, "010102", "010101", "010104")),
                accept=st.booleans(), confidential=st.booleans(), area=st.sampled_from((None, VILLAGE, "990102")))
    def register(self, *, field: bool, phone: bool, category: str | None, accept: bool, confidential: bool,
                 area: str | None) -> None:
        accept = accept and category is not None
        by = self.world.actor("operator") if accept else self.world.actor("grid") if field else RESIDENT
        self.case_id = a.register(by=by, intake=a.Intake(
            words="楼下工地半夜还在打桩。", phone="13812342201" if phone else "", area=area, category=category, accept=accept,
            confidential=confidential, channel="field" if field else "phone",
            attachments=(upload(by),) if field and not accept else ())).case_id
        self.count = 2 if accept else 1
        self.words = Case.objects.get(pk=self.case_id).words

    def _act(self, action: str, name: str, fields: dict[str, Any], version: int | None) -> None:
        assert self.case_id is not None
        who = desk(self.case_id) if name == "desk" else actor(self.world, self.case_id, name)
        run = getattr(a, action) if action in LINK else ACTIONS[action]
        before = Case.objects.get(pk=self.case_id)
        count = Event.objects.filter(case=self.case_id).count()
        try:
            with transaction.atomic():
                done = run(On(self.case_id, who, version=version), **fields)
        except DomainError:
            assert Event.objects.filter(case=self.case_id).count() == count
            assert Case.objects.filter(pk=self.case_id, state=before.state, version=before.version).exists()
            return
        row, after = BY_ACTION[action], Case.objects.get(pk=self.case_id)
        assert row.leads_from(before.state)
        assert (done.state, done.version) == (after.state, after.version)
        last = Event.objects.filter(case=self.case_id).order_by("-id")[0]
        if last.action in FOLLOWING:  # what the system does at once after what a reporter said
            assert (last.from_state, action in ("rate", "record_callback_attempt")) == (before.state, True)
            assert after.version == before.version + row.bumps + 1
            row, before_state = BY_ACTION[last.action], last.from_state
            self.count += 1
        else:
            before_state = before.state
            assert after.version == before.version + row.bumps
        assert after.state in (row.targets or (before_state,))
        self.count += 1
        taken.add((action, before.state, after.state))

    def _likely(self, action: str) -> None:
        """With valid fields, by someone who may."""
        assert self.case_id is not None
        case, row, name = Case.objects.get(pk=self.case_id), BY_ACTION[action], STEPS[action][0]
        if row.for_a_unit and name != "dispatcher":
            role = AssignmentRole.ASSIST if action.startswith("assist_") else AssignmentRole.LEAD
            held = Assignment.objects.filter(case=case, role=role, ended_at__isnull=True).select_related("unit").first()
            name = held.unit.code if held is not None else name
        self._act(action, name, fields_for(action, actor(self.world, self.case_id, name)), case.version)

    @rule(choice=st.integers(0, 99), minutes=st.sampled_from((0, 1, 45, 600, 20_000)))
    def onwards(self, *, choice: int, minutes: int) -> None:
        """The next step of the long way, or one of its turns."""
        self.frozen.move(minutes=minutes)
        steps = ONWARDS.get(State(Case.objects.get(pk=self.case_id).state), ("refuse_publication",))
        self._likely(steps[choice % len(steps)])

    @rule(choice=st.integers(0, 99))
    def beside(self, *, choice: int) -> None:
        """Anything that the table allows now and that does not end the case."""
        rows = [row for row in transitions_from(Case.objects.get(pk=self.case_id).state)
                if row.action not in WITHOUT_ACTION and not set(row.targets) & set(TERMINAL)]
        self._likely(rows[choice % len(rows)].action)

    @rule(choice=st.integers(0, 99), ours=st.booleans())
    def from_the_other_desk(self, *, choice: int, ours: bool) -> None:
        """A message of the other desk, or a step of the link taken here: now and then one that is not allowed."""
        assert self.case_id is not None
        linkage = Case.objects.get(pk=self.case_id).linkage
        likely = {"offered": ("release_handover", "note_handover", "tell_handover"),
                  "there": ("take_back_handover", "take_back_handover", "close_handover", "tell_handover")}.get(linkage, ())
        if choice < 20 or likely:
            action = (*likely, *likely, *LINK)[choice % (2 * len(likely) + len(LINK))]
            answered = {"linkage": ""} if linkage == "offered" and action in ("note_handover", "tell_handover") else {}
            self._act(action, "operator" if ours else "desk", LINK[action] | answered, None)

    @rule(choice=st.integers(0, 7))
    def give_up(self, *, choice: int) -> None:
        """Now and then the reporter has had enough."""
        if choice == 7:
            self._likely("withdraw")

    @rule(data=st.data(), action=st.sampled_from(sorted(ACTIONS)), name=st.sampled_from(PEOPLE),
          version=st.sampled_from((None, 0, 1, 3)))
    def anything(self, *, data: st.DataObject, action: str, name: str, version: int | None) -> None:
        """Any step by anybody with anything."""
        assert self.case_id is not None
        fields = fields_for(action, actor(self.world, self.case_id, name))
        variants = VARIANTS | CODES.get(action, {})
        row = BY_ACTION[action]
        for field in data.draw(st.lists(st.sampled_from((*row.requires, *row.optional) or ("",)), max_size=2)):
            if field in variants:
                fields[field] = data.draw(variants[field])
        self._act(action, name, fields, version)

    @precondition(lambda self: self.case_id is not None)
    @invariant()
    def the_case_is_sound(self) -> None:
        case = Case.objects.get(pk=self.case_id)
        assert differences(case.pk) == []
        open_leads = list(Assignment.objects.filter(case=case, role="lead", ended_at__isnull=True))
        assert len(open_leads) == (1 if case.state in WITH_UNIT else 0)
        assert case.lead_unit_id == (open_leads[0].unit_id if open_leads else case.lead_unit_id)
        running = list(Clock.objects.filter(case=case, met_at__isnull=True, stopped_at__isnull=True)
                       .values_list("kind", "assignment_id", "assignment__ended_at"))
        assert len(running) == len({(kind, part) for kind, part, _ended in running})
        assert all(ended is None for _kind, _part, ended in running)
        put_back = Event.objects.filter(case=case, action__in=("send_back", "reject_return", "reopen", "reopen_unsolved"))
        assert Case.objects.filter(came_back(), pk=case.pk).exists() == put_back.exists()
        ended = case.state in TERMINAL
        assert ended == (case.closed_at is not None)
        assert (case.state == State.CLOSED) == (case.outcome != "")
        assert (case.state == State.HANDED_OVER) == (case.linkage == "there") == any(kind == "handover" for kind, _part, _end in running)
        assert not case.linkage or case.linked
        assert unproved(case) == ""
        assert not case.for_supervisor or case.state == State.CALLBACK
        if ended:
            assert not running
            assert not Assignment.objects.filter(case=case, ended_at__isnull=True).exists()
            assert case.due_at is None
        else:
            assert case.due_at is not None
        assert self.unit_ids <= set(case.unit_ids)
        assert len(case.unit_ids) == len(set(case.unit_ids))
        assert set(Assignment.objects.filter(case=case).values_list("unit_id", flat=True)) == set(case.unit_ids)
        assert case.version >= self.version
        assert case.words == self.words
        assert Return.objects.filter(case=case).count() == case.returns
        log = list(Event.objects.filter(case=case).order_by("id").values_list("id", "action", "version"))
        assert len(log) == self.count
        assert log[: len(self.log)] == self.log
        assert [v for _pk, _action, v in log] == sorted(v for _pk, _action, v in log)
        self.unit_ids, self.version, self.log = set(case.unit_ids), case.version, log


@pytest.fixture
def machine(world: World, monday: Frozen) -> type[CaseMachine]:
    return type("Machine", (CaseMachine,), {"world": world, "frozen": monday})


def test_no_sequence_of_steps_breaks_a_case(machine: type[CaseMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(
        max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    ))
    # It must have gone somewhere: into every state that lasts, and by half of the table's moves. Many of the others need
    # one of them first; they have machines of their own (clocks, families) and tables of preludes.
    assert {State.ACCEPTED, State.CLOSED, State.HANDED_OVER, *WITH_UNIT} <= {to for _action, _source, to in taken}
    assert len({action for action, _source, _to in taken}) >= len(ACTIONS) // 2
