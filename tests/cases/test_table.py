"""The table of transitions, tested as a table."""

from __future__ import annotations

import inspect

import pytest

from lianxin.cases import actions as a
from lianxin.cases.models import OPEN_STATES, TERMINAL, WITH_UNIT, Case, Event, State
from lianxin.cases.policy import HOTLINE_ROLES
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION, TABLE, Holder, Transition, transitions_from
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.organisations.models import Role
from tests.cases.desks import LINK
from tests.cases.ways import ACTIONS, STEPS, WITHOUT_ACTION, actor, at_state, fields_for, take
from tests.world import RESIDENT, World

OF_THE_GRID = ("settle_on_the_spot", "answer_check")  # a worker sees only their own
ROWS = [pytest.param(row, id=row.action) for row in TABLE]
OUT_OF = [pytest.param(state, row, id=f"{state}-{row.action}") for state in State for row in transitions_from(state)
          if row.action not in WITHOUT_ACTION]


def test_every_state_can_be_reached() -> None:
    reached: set[State] = set()
    growing = {state for row in TABLE if row.makes_case for state in row.targets}
    while growing - reached:
        reached |= growing
        growing = {target for row in TABLE for target in row.targets if any(s in reached for s in row.sources)}
    assert reached == set(State)


def test_endings_are_left_by_declared_rows_only() -> None:
    leaving = {(row.action, state) for row in TABLE for state in TERMINAL if state in row.sources and row.targets}
    assert leaving == {("reopen", State.CLOSED), ("reopen_unsolved", State.CLOSED), ("contest", State.CLOSED)}
    assert set(OPEN_STATES) | set(TERMINAL) == set(State)
    assert not set(OPEN_STATES) & set(TERMINAL)
    assert set(WITH_UNIT) <= set(OPEN_STATES)


def test_every_open_state_can_be_left_towards_an_ending() -> None:
    ends = set(TERMINAL)
    while more := {s for s in State for row in transitions_from(s) if s not in ends and set(row.targets) & ends}:
        ends |= more
    assert ends == set(State)


def test_actions_are_named_once() -> None:
    assert len(BY_ACTION) == len(TABLE)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_whole(row: Transition) -> None:
    assert str(row.label).strip()
    assert row.holders <= set(Holder)
    assert row.holders
    assert row.roles <= set(Role)
    assert len(set(row.sources)) == len(row.sources)
    assert not set(row.requires) & set(row.optional)
    # Every role of a row has a holder through which it can act, and every staff holder a role that can hold it.
    if row.makes_case:
        return
    for role in row.roles:
        assert (role in HOTLINE_ROLES and Holder.HOTLINE in row.holders) or (
            role in (Role.CLERK, Role.HEAD, Role.TEAM_LEAD, Role.GRID_WORKER) and row.for_a_unit) or (
            role is Role.GRID_WORKER and Holder.GRID in row.holders), role
    if Holder.HOTLINE in row.holders:
        assert row.roles & HOTLINE_ROLES
    if row.for_a_unit:
        assert Role.CLERK in row.roles
    if Holder.GRID in row.holders:
        assert Role.GRID_WORKER in row.roles
    if not row.roles:
        assert row.holders <= {Holder.REPORTER, Holder.SYSTEM}
    if Holder.PARTNER in row.holders:
        assert row.action in LINK


def test_every_row_has_its_action_and_every_action_its_row() -> None:
    assert set(ACTIONS) == set(BY_ACTION) - WITHOUT_ACTION
    assert set(STEPS) == set(ACTIONS)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_table_names_the_fields_its_action_takes(action: str) -> None:
    taken = {name for name, one in inspect.signature(inspect.unwrap(ACTIONS[action])).parameters.items()
             if one.kind is inspect.Parameter.KEYWORD_ONLY}
    row = BY_ACTION[action]
    # How a face passes files is not the table's matter.
    assert taken - {"purpose"} - ({"attachments"} if action == "reply" else set()) == {
        *row.requires, *row.optional}


@pytest.mark.parametrize("state", list(State))
def test_no_two_buttons_of_a_state_share_a_key(state: State) -> None:
    keys = [row.key for row in transitions_from(state) if row.key]
    assert len(keys) == len(set(keys))


@pytest.mark.django_db
@pytest.mark.parametrize("action", sorted(name for name in ACTIONS if BY_ACTION[name].requires))
def test_a_required_field_that_is_missing_is_named(world: World, monday: Frozen, action: str) -> None:
    row = BY_ACTION[action]
    case_id = at_state(world, row.sources[-1] if action in ("assist_reply", "reply") else row.sources[0], before=action)
    who = actor(world, case_id, STEPS[action][0])
    before = Event.objects.filter(case=case_id).count()
    for name in row.requires:
        whole = fields_for(action, who)
        empty: tuple[object, ...] = ("", None) if not isinstance(whole[name], list) else ([],)
        for nothing in (*empty, *(("  \n ",) if isinstance(whole[name], str) else ())):
            with pytest.raises(Invalid) as caught:
                take(world, case_id, action, **(whole | {name: nothing}))
            assert name in caught.value.fields, (name, nothing)
            assert str(caught.value)
    assert Event.objects.filter(case=case_id).count() == before
    assert differences(case_id) == []


@pytest.mark.django_db
def test_registering_without_words_names_them(world: World, monday: Frozen) -> None:
    for nothing in ("", " \n", "\x00\x07"):
        with pytest.raises(Invalid) as caught:
            a.register(intake=a.Intake(words=nothing), by=RESIDENT)
        assert "words" in caught.value.fields
    assert not Case.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "row"), OUT_OF)
def test_every_way_out_of_every_state_is_taken(world: World, monday: Frozen, state: State, row: Transition) -> None:
    case_id = at_state(world, state, before=row.action)
    before = Case.objects.get(pk=case_id)
    assert before.state == state
    count = Event.objects.filter(case=case_id).count()
    monday.move(minutes=7)
    done = take(world, case_id, row.action)
    after = Case.objects.get(pk=case_id)
    event = Event.objects.get(pk=done.event_id)
    assert Event.objects.filter(case=case_id).count() == count + 1
    assert (event.action, event.from_state, event.to_state) == (row.action, state, after.state)
    assert after.state in (row.targets or (state,))
    assert after.version == before.version + row.bumps == done.version == event.version
    assert event.public is row.public
    assert event.at == Frozen().move()
    assert after.words == before.words
    assert differences(case_id) == []


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_no_way_out_that_the_table_does_not_hold(world: World, monday: Frozen, state: State) -> None:
    case_id = at_state(world, state)
    count = Event.objects.filter(case=case_id).count()
    for action in ACTIONS:
        if BY_ACTION[action].leads_from(state):
            continue
        blind = state in (State.REGISTERED, State.ACCEPTED, State.DECLINED, State.WITHDRAWN)  # no unit sees it yet
        with pytest.raises(DomainError) as caught:
            take(world, case_id, action, by="dispatcher" if (blind and BY_ACTION[action].for_a_unit) or action in OF_THE_GRID else "")
        assert caught.value.code == "wrong_state", action
        assert caught.value.current["state"] == state
    assert Event.objects.filter(case=case_id).count() == count
