"""List filter and single check are one rule; seeing comes before doing; identity only for those handling the case."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianxin.cases import actions as a
from lianxin.cases import policy, queries
from lianxin.cases.actions.identity import Identity, read_identity
from lianxin.cases.engine import On
from lianxin.cases.models import Assignment, Case, IdentityReading, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import SYSTEM, Actor, Grant, Kind, actor_for, reporter_for
from lianxin.organisations.models import Role, RoleGrant, UnitKind
from tests.cases.ways import ACTIONS, VILLAGE, at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Many:
    """Cases of every state, place and unit, and who might ask for them."""

    cases: list[Case]
    open_ones: dict[uuid.UUID, list[Assignment]]
    units: list[tuple[int, UnitKind, int | None]]
    areas: list[int]
    staff: list[int]


@pytest.fixture
def many(world: World, monday: Frozen) -> Many:
    dice = random.Random(12345)
    for state in State:
        for area in (VILLAGE, "990102", None):
            case_id = a.register(intake=a.Intake(words="路灯不亮。", area=area, confidential=dice.random() < 0.5),
                                 by=world.actor(dice.choice(("grid", "operator", "urban")))).case_id
            steps = {State.OBJECTED: ("accept", "dispatch", "raise_return"), State.WITHDRAWN: ("withdraw",),
                     State.DECLINED: ("decline",), State.CLOSED: ("answer_on_the_spot",), State.REGISTERED: (),
                     State.ACCEPTED: ("accept",), State.MERGED: ("accept",),
                     State.HANDED_OVER: ("accept", "offer_handover", "release_handover")}.get(
                         state, ("accept", "dispatch", "sign", "reply", "approve"))
            lead = dice.choice(("urban", "housing", "west", "bridge"))
            for step in steps:
                by = lead if step in ("sign", "reply", "raise_return") else "reporter" if step == "withdraw" else ""
                extra = {"lead_unit": lead, "assisting_units": ["water"]} if step == "dispatch" else {}
                if step == "accept":
                    extra["area"] = area
                if step == "reply":
                    extra["means"] = "not_left"
                if step == "raise_return":
                    extra["suggested_unit"] = "water" if lead != "water" else "housing"
                take(world, case_id, step, by=by, **extra)
                if Case.objects.get(pk=case_id).state == state:
                    break
            if state == State.MERGED:
                take(world, world.case(), "merge", duplicates=[str(case_id)])
    cases = list(Case.objects.all())
    assert {case.state for case in cases} == set(State)
    return Many(
        cases, {case.pk: list(Assignment.objects.filter(case=case, ended_at__isnull=True)) for case in cases},
        [(unit.pk, UnitKind(unit.kind), unit.area_id if unit.area and unit.area.level == "county" else
          unit.area.county_id if unit.area else None) for unit in world.units.values()],
        [area.pk for area in world.areas.values()], [person.pk for person in world.staff.values()],
    )


@st.composite
def actors(draw: st.DrawFn, many: Many) -> Actor:
    kind = draw(st.sampled_from((*[Kind.STAFF] * 6, Kind.REPORTER, Kind.SYSTEM, Kind.PARTNER)))
    if kind in (Kind.REPORTER, Kind.PARTNER):
        return Actor(kind, case_id=draw(st.sampled_from([case.pk for case in many.cases] + [None, uuid7()])))
    if kind is not Kind.STAFF:
        return Actor(kind)
    grants = []
    for _ in range(draw(st.integers(0, 3))):
        unit_id, unit_kind, county = draw(st.sampled_from(many.units))
        area = draw(st.sampled_from([None, None, *many.areas]))
        grants.append(Grant(draw(st.sampled_from(list(Role))), unit_id, unit_kind, county, area))
    scopes = draw(st.sampled_from((None, None, frozenset({"*"}), frozenset({"read"}), frozenset({"sign", "accept"}))))
    return Actor(kind, staff_id=draw(st.sampled_from(many.staff)), unit_id=draw(st.sampled_from(many.units))[0],
                 grants=tuple(grants), scopes=scopes)


def test_the_list_and_the_single_check_agree(many: Many) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))
    @given(actors(many))
    def check(actor: Actor) -> None:
        listed = set(Case.objects.filter(policy.visible_to(actor)).values_list("pk", flat=True))
        assert listed == {case.pk for case in many.cases if policy.can_see(actor, case)}
        for case in many.cases:
            seen = case.pk in listed
            for action in ACTIONS:
                mine = policy.own_assignment(actor, many.open_ones[case.pk], action)
                if policy.can(actor, action, case, assignment=mine):
                    assert seen, (action, case.state)
            if policy.can_read_identity(actor, case, many.open_ones[case.pk]):
                assert seen
                assert actor.kind is Kind.STAFF

    check()


def test_lists_show_what_may_be_seen_and_nothing_else(world: World, many: Many) -> None:
    for name in world.staff:
        who = world.actor(name)
        seen = {case.pk for case in many.cases if policy.can_see(who, case)}
        assert {case.pk for case in queries.recent(who, limit=1000).rows} == seen
        open_ones = {case.pk for case in many.cases if case.pk in seen and case.due_at is not None}
        assert {case.pk for case in queries.by_due(who, states=list(State), limit=1000).rows} == open_ones


def test_who_sees_what(world: World, many: Many) -> None:
    everything = {case.pk for case in many.cases}

    def seen(name: str) -> set[uuid.UUID]:
        return set(Case.objects.filter(policy.visible_to(world.actor(name))).values_list("pk", flat=True))

    for name in ("operator", "dispatcher", "reviewer", "callback", "supervisor"):
        assert seen(name) == everything
    assert seen("admin") == set()
    east, west = world.areas["990101"].pk, world.areas["990102"].pk
    in_east = {case.pk for case in many.cases if case.county_id == east}
    assert seen("east_supervisor") == in_east
    for name, county in (("east", east), ("west", west)):
        unit = world.units[name].pk
        assert seen(name) == {c.pk for c in many.cases if c.county_id == county or unit in c.unit_ids}
    for name in ("urban", "housing", "water", "bridge"):
        unit = world.units[name].pk
        assert seen(name) == {c.pk for c in many.cases if unit in c.unit_ids} != everything
    assert seen("grid") == {c.pk for c in many.cases if c.registered_by_id == world.staff["grid"].pk}


def test_a_unit_that_returned_a_case_still_sees_what_became_of_it(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.OBJECTED)
    take(world, case_id, "uphold_return")
    take(world, case_id, "dispatch", lead_unit="housing", assisting_units=[])
    assert policy.can_see(world.actor("urban"), Case.objects.get(pk=case_id))
    with pytest.raises(NotAllowed):
        take(world, case_id, "sign", by="urban")


MAY_READ = {
    State.REGISTERED: {"operator", "dispatcher"}, State.ACCEPTED: {"operator", "dispatcher"},
    State.DISPATCHED: {"urban", "urban2", "water", "west"}, State.IN_HAND: {"urban", "urban2", "water", "west"},
    State.OBJECTED: {"dispatcher"}, State.CALLBACK: {"callback"}, State.MERGED: {"urban", "urban2", "water", "west"},
    State.HANDED_OVER: {"operator", "dispatcher"},
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("confidential", [False, True])
def test_identity_is_for_those_handling_the_case_now(world: World, monday: Frozen, state: State,
                                                     confidential: bool) -> None:
    case_id = at_state(world, state, confidential=False)
    Case.objects.filter(pk=case_id).update(confidential=confidential)
    allowed = MAY_READ.get(state, set())
    if confidential:
        allowed = allowed & {"operator", "dispatcher", "callback"}
    for name in world.staff:
        on = On(case_id, world.actor(name))
        if name in allowed:
            assert read_identity(on, why="电话核实地点").phone == "13812342201"
        else:
            with pytest.raises((NotAllowed, NotFound)):
                read_identity(on, why="想看看")
    for who in (SYSTEM, reporter_for(case_id)):
        with pytest.raises(NotAllowed):
            read_identity(On(case_id, who), why="想看看")
    readings = list(IdentityReading.objects.order_by("staff_id"))
    assert {reading.staff.username for reading in readings} == allowed
    for reading in readings:
        assert (reading.case_id, reading.unit_id, reading.at) == (case_id, reading.staff.unit_id, monday.move())
        assert reading.why == "电话核实地点"
        assert reading.fields == ["name", "phone"]


def test_nobody_reads_an_identity_without_saying_why(world: World, monday: Frozen) -> None:
    case_id = world.case()
    for nothing in ("", "  ", "\x00"):
        with pytest.raises(Invalid) as caught:
            read_identity(world.on(case_id, "operator"), why=nothing)
        assert "why" in caught.value.fields
    assert not IdentityReading.objects.exists()


def test_a_token_reads_no_identity_unless_its_scopes_say_so(world: World, monday: Frozen) -> None:
    case_id = world.case()
    whole = world.actor("operator")
    for scopes in (frozenset(), frozenset({"read"}), frozenset({"accept", "dispatch"})):
        with pytest.raises(NotAllowed):
            read_identity(On(case_id, replace(whole, scopes=scopes)), why="核实")
    assert not IdentityReading.objects.exists()
    for scopes in (frozenset({"*"}), frozenset({policy.READ_IDENTITY})):
        assert read_identity(On(case_id, replace(whole, scopes=scopes)), why="核实").name == "王小明"


def test_a_second_grant_opens_what_the_first_does_not(world: World, monday: Frozen) -> None:
    """A clerk of the unit is told no for a confidential case; as the hotline's caller the same person may read it."""
    case_id = at_state(world, State.IN_HAND)
    Case.objects.filter(pk=case_id).update(confidential=True)
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.DISPATCHER, unit=world.units["hotline"])
    with pytest.raises(NotAllowed) as caught:
        read_identity(world.on(case_id, "urban"), why="核实")
    assert "保密" in str(caught.value)
    fresh = world.case()
    assert read_identity(world.on(fresh, "urban"), why="核实").name == "王小明"


def test_a_caller_does_not_read_who_complained_about_their_own_unit(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CALLBACK)
    RoleGrant.objects.create(staff=world.staff["callback"], role=Role.CLERK, unit=world.units["west"])
    with pytest.raises(NotAllowed):
        read_identity(On(case_id, actor_for(world.staff["callback"])), why="回访")


def test_an_identity_in_clear_says_nothing_of_itself() -> None:
    shown = Identity(name="王小明", phone="13812342201")
    assert "王" not in repr(shown)
    assert "13812342201" not in f"{shown}"
