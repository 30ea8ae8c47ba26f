"""Who may do what: every action × every state × every actor, against the table read by other eyes than the policy's."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from django.db import transaction

from lianxin.cases import actions as a
from lianxin.cases import policy
from lianxin.cases.engine import On
from lianxin.cases.models import Assignment, Case, Event, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION, Holder
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import SYSTEM, Actor, actor_for, reporter_for
from lianxin.organisations.models import Role, RoleGrant
from tests.cases.ways import ACTIONS, PRELUDES, VILLAGE, actor, at_state, fields_for, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db

HOTLINE = {"operator": Role.OPERATOR, "dispatcher": Role.DISPATCHER, "reviewer": Role.REVIEWER,
           "callback": Role.CALLBACK, "supervisor": Role.SUPERVISOR, "east_supervisor": Role.SUPERVISOR}
CLERKS = ("urban", "urban2", "housing", "water", "west", "east", "bridge")
NAMES = (*HOTLINE, *CLERKS, "urban_head", "leader", "grid", "admin", "reporter", "stranger", "system")


class _Undo(Exception):
    pass


def _expected(name: str, action: str, state: State, parts: dict[str, str]) -> bool:
    """What the table says. `parts` is the open assignments: unit code (each clerk is named as theirs) → role."""
    row = BY_ACTION[action]
    if state not in row.sources:
        return False
    if HOTLINE.get(name) is Role.SUPERVISOR and action == "close":
        return False  # only what was redone in vain: tests/quality
    if name in HOTLINE:
        return HOTLINE[name] in row.roles and Holder.HOTLINE in row.holders
    if name in CLERKS and Role.CLERK in row.roles:
        held = parts.get(name.rstrip("2"))
        return (held == "lead" and Holder.LEAD in row.holders) or (held == "assist" and Holder.ASSIST in row.holders)
    if name == "grid" and Holder.GRID in row.holders:
        return False  # neither its reporter nor asked to look: below
    if name == "urban_head" and Role.HEAD in row.roles:
        return parts.get("urban") == "lead" and Holder.LEAD in row.holders
    return (name == "reporter" and Holder.REPORTER in row.holders) or (
        name == "system" and Holder.SYSTEM in row.holders)


def _tried(who: Actor, case_id: uuid.UUID, action: str) -> str:
    """`done`, `objected` (let through, but something else was missing) or `refused`; nothing remains of it."""
    try:
        with transaction.atomic():
            ACTIONS[action](On(case_id, who), **fields_for(action, who))
            raise _Undo
    except _Undo:
        return "done"
    except (NotAllowed, NotFound):
        return "refused"
    except Conflict as error:
        return "refused" if error.code == "wrong_state" else "objected"
    except Invalid:
        return "objected"


@pytest.mark.parametrize("state", list(State))
def test_every_actor_may_do_what_the_table_says_and_nothing_else(world: World, monday: Frozen, state: State) -> None:
    case_id = at_state(world, state)
    case = Case.objects.get(pk=case_id)
    holding = case.master if state == State.MERGED else case
    open_ones = list(Assignment.objects.filter(case=holding, ended_at__isnull=True).select_related("unit"))
    parts = {one.unit.code: one.role for one in open_ones}
    count = Event.objects.count()
    wrong: list[str] = []
    taken: set[str] = set()
    people = {name: actor(world, case_id, name) for name in NAMES}
    known = {name: policy.known(who, case) for name, who in people.items()}
    for action in ACTIONS:
        for name, who in people.items():
            expected = _expected(name, action, state, parts)
            mine = policy.own_assignment(who, open_ones, action)
            decision = policy.can(who, action, case, assignment=mine)
            assert policy.can(who, action, case, assignment=mine, held=known[name]) == decision, (name, action)
            happened = _tried(who, case_id, action)
            if expected != bool(decision) or expected != (happened != "refused"):
                wrong.append(f"{name} {action}: expected {expected}, policy {bool(decision)}, {happened}")
            if not decision and not str(decision.reason):
                wrong.append(f"{name} {action}: refused without a reason")
            if happened == "done":
                taken.add(action)
    assert wrong == []
    assert taken == {action for action in ACTIONS if BY_ACTION[action].leads_from(state)} - set(PRELUDES) - {"settle_on_the_spot"}
    assert Event.objects.count() == count
    assert differences(case_id) == []


def test_a_token_may_do_what_its_scopes_name_and_its_person_may(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    case = Case.objects.get(pk=case_id)
    person = world.staff["dispatcher"]
    whole = actor_for(person, via="api")
    for action in ACTIONS:
        free = bool(policy.can(whole, action, case))
        named = replace(whole, scopes=frozenset({action}))
        others = replace(whole, scopes=frozenset(ACTIONS) - {action})
        assert bool(policy.can(replace(whole, scopes=frozenset({"*"})), action, case)) is free
        assert bool(policy.can(named, action, case)) is free
        assert not policy.can(others, action, case)
        assert not policy.can(replace(whole, scopes=frozenset()), action, case)
    reader = replace(whole, scopes=frozenset({"read"}))
    with pytest.raises(NotAllowed):
        a.dispatch(On(case_id, reader), lead_unit="urban")
    with pytest.raises(NotAllowed):
        a.register(intake=a.Intake(words="路灯不亮。"), by=reader)
    scoped = replace(whole, scopes=frozenset({"dispatch"}))
    assert a.dispatch(On(case_id, scoped), lead_unit="urban").state == "dispatched"


def test_a_token_of_one_unit_acts_in_that_unit_only(world: World, monday: Frozen) -> None:
    person = world.staff["water"]
    RoleGrant.objects.create(staff=person, role=Role.CLERK, unit=world.units["housing"])
    case_id = world.accepted()
    take(world, case_id, "dispatch", lead_unit="housing", assisting_units=[])
    water = actor_for(person, via="api", scopes=frozenset({"*"}), unit=world.units["water"])
    housing = actor_for(person, via="api", scopes=frozenset({"*"}), unit=world.units["housing"])
    with pytest.raises(NotFound):
        a.sign(On(case_id, water))
    a.sign(On(case_id, housing))


def test_a_clerk_of_two_units_acts_for_the_one_that_holds_the_case(world: World, monday: Frozen) -> None:
    person = world.staff["water"]
    RoleGrant.objects.create(staff=person, role=Role.CLERK, unit=world.units["housing"])
    RoleGrant.objects.create(staff=person, role=Role.GRID_WORKER, unit=world.units["urban"])
    case_id = world.accepted()
    take(world, case_id, "dispatch", lead_unit="urban", assisting_units=["housing"])
    with pytest.raises(NotAllowed):  # a grid worker of the lead unit is not its clerk
        a.sign(world.on(case_id, "water"))
    done = a.record_contact(world.on(case_id, "water"), means="phone", reached=True)
    event = Event.objects.get(pk=done.event_id)
    assert event.unit_id == world.units["housing"].pk
    assert event.assignment_id == Assignment.objects.get(case=case_id, unit=world.units["housing"]).pk


def test_ended_grants_count_for_nothing(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    RoleGrant.objects.filter(staff=world.staff["dispatcher"]).update(ended_at=monday.move())
    with pytest.raises(NotFound):
        take(world, case_id, "dispatch")


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CALLBACK])
@pytest.mark.parametrize("through", ["grant", "home"])
def test_nobody_checks_the_work_of_a_unit_of_their_own(world: World, monday: Frozen, role: Role, through: str) -> None:
    """Not through a second grant either, and not for a unit that only had a part once."""
    person = world.staff["reviewer" if role is Role.REVIEWER else "callback"]
    action = "approve" if role is Role.REVIEWER else "record_callback_attempt"
    case_id = at_state(world, State.REPLIED if role is Role.REVIEWER else State.CALLBACK)
    take(world, case_id, action)
    case_id = at_state(world, State.REPLIED if role is Role.REVIEWER else State.CALLBACK)
    if through == "grant":
        RoleGrant.objects.create(staff=person, role=Role.CLERK, unit=world.units["west"])
    else:
        person.unit = world.units["west"]
        person.save()
    with pytest.raises(NotAllowed):
        take(world, case_id, action)


def test_nobody_reviews_their_own_reply(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED)
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.REVIEWER, unit=world.units["hotline"])
    for action in ("approve", "send_back"):
        with pytest.raises(DomainError):
            take(world, case_id, action, by="urban")
    assert Case.objects.get(pk=case_id).state == State.REPLIED


def test_a_hotline_role_narrowed_to_a_county_reaches_that_county(world: World, monday: Frozen) -> None:
    for username, area in (("dispatcher", "990101"), ("operator", "990102")):
        RoleGrant.objects.filter(staff=world.staff[username]).update(area=world.areas[area])
    case_id = world.case(area=VILLAGE)
    with pytest.raises(NotFound):
        take(world, case_id, "accept", by="operator")
    take(world, case_id, "accept", by="dispatcher")


@pytest.mark.parametrize("name", ["grid", "urban", "reporter"])
def test_only_who_may_accept_accepts_in_the_same_breath(world: World, monday: Frozen, name: str) -> None:
    by = RESIDENT if name == "reporter" else world.actor(name)
    intake = a.Intake(words="路灯不亮。", category="010101", accept=True)
    with pytest.raises(NotAllowed):
        a.register(intake=intake, by=by)
    with pytest.raises(NotAllowed):
        a.register(intake=intake, by=replace(world.actor("operator"), scopes=frozenset({"register"})))
    assert a.register(intake=replace(intake, accept=False), by=by).state == "registered"
    assert a.register(intake=intake, by=world.actor("dispatcher")).state == "accepted"
    assert a.register(intake=intake, by=SYSTEM).state == "accepted"


@pytest.mark.parametrize("name", ["reviewer", "callback", "supervisor", "admin"])
def test_who_has_no_part_in_registering_does_not_register(world: World, monday: Frozen, name: str) -> None:
    with pytest.raises(NotAllowed):
        a.register(intake=a.Intake(words="路灯不亮。"), by=world.actor(name))


def test_a_reporter_reaches_their_own_case_only(world: World, monday: Frozen) -> None:
    mine, other = world.case(), world.case()
    with pytest.raises(NotFound):
        a.add_information(On(other, reporter_for(mine)), words="这不是我的事。")
    nobody = Actor(kind=RESIDENT.kind)
    with pytest.raises(NotFound):
        a.withdraw(On(mine, nobody), reason="撤回。")
