"""One matter, several reporters: handled once, and each keeps number, clock, answer, callback and rating."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lianxin.cases import actions as a
from lianxin.cases import policy, queries, standings
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.actions.merging import MOST
from lianxin.cases.engine import On
from lianxin.cases.models import (
    Assignment,
    Case,
    Clock,
    ClockKind,
    Contact,
    Event,
    Extension,
    IdentityReading,
    State,
    Suspension,
)
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import reporter_for
from lianxin.organisations.models import RoleGrant
from tests.cases.ways import another, at_state, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


def got(case_id: uuid.UUID) -> Case:
    return Case.objects.get(pk=case_id)


def clock(case_id: uuid.UUID, kind: ClockKind) -> Clock:
    return Clock.objects.filter(case=case_id, kind=kind, assignment=None).latest("started_at")


def merge(world: World, master: uuid.UUID, *duplicates: uuid.UUID, by: str = "dispatcher") -> None:
    a.merge(world.on(master, by), duplicates=[str(one) for one in duplicates], reason="同一个工地。")


def sound(*cases: uuid.UUID) -> None:
    for one in cases:
        assert differences(one) == []
    for case in Case.objects.filter(duplicate_count__gt=0):
        assert case.duplicate_count >= case.duplicates.count()


def handled(world: World, master: uuid.UUID, *, approve: bool = True, unit: str = "urban") -> None:
    """From accepted to answered, by one unit."""
    a.dispatch(world.on(master, "dispatcher"), lead_unit=unit)
    a.sign(world.on(master, unit))
    a.reply(world.on(master, unit), public_answer="已责令停工，今晚有人值守。", solved=True, means="phone")
    if approve:
        take(world, master, "approve")


def test_a_merged_case_has_no_work_of_its_own_and_its_promises_run_on(world: World, monday: Frozen) -> None:
    late = at_state(world, State.IN_HAND)
    promised = {c.kind: (c.pk, c.due_at) for c in Clock.objects.filter(case=late, assignment=None)}
    monday.move(days=30)
    master = world.accepted()
    merge(world, master, late)
    case = got(late)
    assert (case.state, case.master_id, case.lead_unit_id) == (State.MERGED, master, None)
    assert not Assignment.objects.filter(case=late, ended_at__isnull=True).exists()
    for kind, (pk, due) in promised.items():
        now = Clock.objects.get(pk=pk)
        assert (now.kind, now.due_at, now.met_at, now.stopped_at) == (kind, due, None, None)
    assert case.due_at == promised["resolve"][1]
    assert queries.tasks_of([world.units["urban"].pk]) == ([], "")
    sound(master, late)


def test_merging_away_an_overdue_case_makes_the_master_overdue(world: World, monday: Frozen) -> None:
    late = world.accepted()
    monday.move(days=30)
    master = world.accepted()
    before = got(master).due_at
    merge(world, master, late)
    assert got(master).due_at == got(late).due_at < monday.move() < before
    # And its own promise is what it was: only its place in the lists has moved.
    assert clock(master, ClockKind.RESOLVE).due_at == before
    a.dispatch(world.on(master, "dispatcher"), lead_unit="urban")
    a.sign(world.on(master, "urban"))
    assert Assignment.objects.get(case=master).due_at == got(late).due_at
    listed = queries.by_due(world.actor("supervisor"), states=["in_hand"])
    assert [case.pk for case in listed.rows] == [master]
    # Taken out again, the master is due at its own time, and the other is as late as it was.
    a.unmerge(world.on(late, "dispatcher"), reason="是另一个工地。")
    assert got(master).due_at == before
    assert got(late).due_at < monday.move()
    sound(master, late)


def test_an_urgent_duplicate_makes_the_master_urgent_until_it_leaves(world: World, monday: Frozen) -> None:
    urgent, master = world.accepted("010104"), world.accepted()
    own = clock(master, ClockKind.RESOLVE).due_at
    merge(world, master, urgent)
    assert (got(master).urgency, got(master).due_at) == ("urgent", got(urgent).due_at)
    assert clock(master, ClockKind.RESOLVE).due_at == own
    a.unmerge(world.on(urgent, "dispatcher"), reason="两回事。")
    assert (got(master).urgency, got(master).due_at, got(urgent).urgency) == ("normal", own, "urgent")
    sound(master, urgent)


def test_handling_once_answers_all(world: World, monday: Frozen) -> None:
    master, one, two = world.accepted(), another(), another()
    merge(world, master, one, two)
    a.dispatch(world.on(master, "dispatcher"), lead_unit="urban", assisting_units=["water"])
    for case in (got(one), got(two)):
        assert (case.state, case.lead_unit_id) == (State.MERGED, world.units["urban"].pk)
        assert {world.units["urban"].pk, world.units["water"].pk} <= set(case.unit_ids)
        assert policy.can_see(world.actor("water"), case)
        assert case.category_id == got(master).category_id
    a.sign(world.on(master, "urban"))
    monday.move(minutes=60)
    a.record_contact(world.on(one, "urban"), means="phone", reached=True)
    monday.move(minutes=60)
    a.reply(world.on(master, "urban"), public_answer="已责令停工，今晚有人值守。", solved=True, means="phone")
    at = monday.move()
    assert clock(one, ClockKind.RESOLVE).met_at == clock(two, ClockKind.RESOLVE).met_at == at
    # The first contact of each is a contact with each.
    assert clock(one, ClockKind.FIRST_CONTACT).met_at is not None
    assert clock(two, ClockKind.FIRST_CONTACT).met_at is None
    assert got(one).state == State.MERGED
    monday.move(minutes=30)
    take(world, master, "send_back")
    assert clock(one, ClockKind.RESOLVE).met_at is None
    assert clock(one, ClockKind.RESOLVE).stopped_at is None
    a.reply(world.on(master, "urban"), public_answer="已责令停工，今晚有人值守，电话 8601。", solved=True)
    take(world, master, "approve")
    for pk in (one, two):
        case = got(pk)
        assert (case.state, case.master_id, case.lead_unit_id) == (State.CALLBACK, master, world.units["urban"].pk)
        assert clock(pk, ClockKind.CALLBACK).met_at is None
        told = [entry.texts.get("public_answer") for entry in queries.timeline(case, public_only=True)]
        assert "已责令停工，今晚有人值守，电话 8601。" in told
        part = Assignment.objects.get(case=pk, ended_at__isnull=True)
        assert (part.unit.code, part.state, part.clocks.count()) == ("urban", "handled", 0)
    sound(master, one, two)
    # Each is closed by its own callback; who says that it is not solved is a case of their own from there on.
    take(world, one, "record_callback_attempt")
    take(world, one, "close")
    assert (got(one).state, got(one).outcome, got(two).state) == (State.CLOSED, "solved", State.CALLBACK)
    take(world, two, "rate", solved=False, satisfaction="dissatisfied")
    if got(two).state == State.CALLBACK:
        take(world, two, "reopen")
    again = got(two)
    assert (again.state, again.round, again.master_id, again.lead_unit_id) == (
        State.DISPATCHED, 2, None, world.units["urban"].pk)
    assert got(master).state == State.CALLBACK
    assert got(master).duplicate_count == 2
    sound(master, one, two)


def test_a_contact_may_be_one_with_several_and_is_written_down_for_each(world: World, monday: Frozen) -> None:
    master, one, two = world.accepted(), another(), another()
    merge(world, master, one, two)
    a.dispatch(world.on(master, "dispatcher"), lead_unit="urban")
    a.sign(world.on(master, "urban"))
    a.record_contact(world.on(master, "urban"), means="phone", reached=True)
    assert not Contact.objects.filter(case__in=(one, two)).exists()
    a.record_contact(world.on(master, "urban"), means="message", reached=True, duplicates=[got(one).number])
    assert [c.means for c in Contact.objects.filter(case=one)] == ["message"]
    assert Event.objects.filter(case=one, action="record_contact", public=True).count() == 1
    assert clock(one, ClockKind.FIRST_CONTACT).met_at is not None
    assert clock(two, ClockKind.FIRST_CONTACT).met_at is None
    # Not for a case that is not under it, and nothing is written when one of them is wrong.
    count = Event.objects.count()
    stranger = another()
    with pytest.raises(Invalid) as caught:
        a.record_contact(world.on(master, "urban"), means="message", reached=True, duplicates=[str(two), str(stranger), "x"])
    assert got(stranger).number in caught.value.fields["duplicates"]
    assert Event.objects.count() == count + 1  # the stranger's registration
    # A contact before the reporter had said anything proves nothing.
    monday.move(minutes=60)
    late = another()
    merge(world, master, late)
    with pytest.raises(Invalid) as caught:
        a.record_contact(world.on(late, "urban"), means="phone", reached=True, contacted_at=got(late).registered_at.replace(
            hour=0, minute=0))
    assert "contacted_at" in caught.value.fields
    sound(master, one, two, late)


@pytest.mark.parametrize("state", [State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED])
def test_unmerging_restores(world: World, monday: Frozen, state: State) -> None:
    case_id, master = at_state(world, state), at_state(world, State.IN_HAND)
    before = got(case_id)
    due = {c.kind: c.due_at for c in Clock.objects.filter(case=case_id, assignment=None, kind__in=("resolve", "first_contact"))}
    merge(world, master, case_id)
    monday.move(minutes=90)
    a.unmerge(world.on(case_id, "dispatcher"), reason="是另一个工地。")
    after = got(case_id)
    wanted = {State.REGISTERED: State.REGISTERED, State.ACCEPTED: State.ACCEPTED}.get(state, State.DISPATCHED)
    assert (after.state, after.master_id, after.lead_unit_id) == (wanted, None, before.lead_unit_id)
    assert (after.category_id, after.kind, after.urgency, after.accepted_at is None) == (
        before.category_id, before.kind, before.urgency, before.accepted_at is None)
    assert set(after.unit_ids) == set(before.unit_ids)
    assert {c.kind: c.due_at for c in Clock.objects.filter(
        case=case_id, assignment=None, kind__in=("resolve", "first_contact"))} == due
    if wanted == State.DISPATCHED:
        parts = Assignment.objects.filter(case=case_id, ended_at__isnull=True)
        assert {(p.unit.code, p.role, p.state) for p in parts} == {
            ("urban", "lead", "assigned"), ("water", "assist", "assigned"), ("west", "assist", "assigned")}
        assert Clock.objects.get(case=case_id, kind="sign_for", assignment=parts.get(role="lead")).started_at == monday.move()
    assert got(master).duplicate_count == 0
    sound(case_id, master)


def test_unmerging_after_the_reply_owes_the_answer_again(world: World, monday: Frozen) -> None:
    one, master = world.accepted(), world.accepted()
    merge(world, master, one)
    handled(world, master, approve=False)
    assert clock(one, ClockKind.RESOLVE).met_at is not None
    a.unmerge(world.on(one, "dispatcher"), reason="两回事。")
    assert (got(one).state, clock(one, ClockKind.RESOLVE).met_at) == (State.ACCEPTED, None)
    assert got(one).due_at == clock(one, ClockKind.RESOLVE).due_at
    take(world, master, "approve")
    assert got(one).state == State.ACCEPTED
    sound(one, master)


@pytest.mark.parametrize("end", ["withdraw", "decline", "answer_on_the_spot"])
@pytest.mark.parametrize("merged_first", [True, False])
def test_a_master_that_ends_leaves_the_others_to_the_oldest(world: World, monday: Frozen, end: str, merged_first: bool) -> None:
    master = world.case() if merged_first else world.accepted()
    monday.move(minutes=1)
    oldest = another()
    monday.move(minutes=1)
    rest = [another(), another()]
    merge(world, master, *rest, oldest)
    take(world, master, end)
    heir = got(oldest)
    assert (heir.state, heir.master_id, heir.duplicate_count) == (
        State.REGISTERED if merged_first else State.ACCEPTED, None, 2)
    assert [(got(one).state, got(one).master_id) for one in rest] == [(State.MERGED, oldest)] * 2
    assert got(master).duplicate_count == 0
    assert got(master).state in ("withdrawn", "declined", "closed")
    sound(master, oldest, *rest)


@pytest.mark.parametrize("state", [State.DISPATCHED, State.IN_HAND, State.OBJECTED, State.REPLIED])
def test_with_a_unit_the_oldest_goes_to_the_same_units(world: World, monday: Frozen, state: State) -> None:
    master = at_state(world, state if state != State.REPLIED else State.IN_HAND) if state != State.OBJECTED else at_state(
        world, State.OBJECTED)
    one, two = another(), another()
    merge(world, master, one, two)
    if state == State.REPLIED:
        take(world, master, "reply")
    a.withdraw(On(master, reporter_for(master)), reason="不用办了。")
    heir = got(one)
    if state == State.OBJECTED:  # whose it is was still open
        assert (heir.state, heir.lead_unit_id) == (State.ACCEPTED, None)
    else:
        assert (heir.state, heir.lead_unit_id) == (State.DISPATCHED, world.units["urban"].pk)
        assert set(Assignment.objects.filter(case=one, ended_at__isnull=True).values_list("unit__code", "role")) == {
            ("urban", "lead"), ("water", "assist"), ("west", "assist")}
    assert clock(one, ClockKind.RESOLVE).met_at is None
    assert clock(two, ClockKind.RESOLVE).met_at is None
    assert got(two).lead_unit_id == heir.lead_unit_id
    sound(master, one, two)


def test_the_units_of_the_master_change_and_those_under_it_follow(world: World, monday: Frozen) -> None:
    master, one = world.accepted(), another()
    merge(world, master, one)
    a.dispatch(world.on(master, "dispatcher"), lead_unit="urban")
    assert policy.can_see(world.actor("urban"), got(one))
    a.redispatch(world.on(master, "dispatcher"), lead_unit="housing", reason="归住建局。")
    assert got(one).lead_unit_id == world.units["housing"].pk
    assert policy.can_see(world.actor("housing"), got(one))
    a.sign(world.on(master, "housing"))
    take(world, master, "raise_return", by="housing", suggested_unit="urban")
    take(world, master, "uphold_return")
    assert got(one).lead_unit_id is None
    assert [e.data["because"] for e in Event.objects.filter(case=one, action="follow_master").order_by("id")] == [
        "dispatch", "redispatch", "uphold_return"]
    sound(master, one)


def test_a_case_with_others_under_it_brings_them_along(world: World, monday: Frozen) -> None:
    first, under, second = world.accepted(), another(), world.accepted()
    merge(world, first, under)
    merge(world, second, first)
    assert {got(pk).master_id for pk in (first, under)} == {second}
    assert (got(first).duplicate_count, got(second).duplicate_count) == (0, 2)
    # Under what lies under it, nothing goes: not its own master, not anybody else.
    for wrong in (second, another()):
        with pytest.raises(Conflict) as caught:
            merge(world, first, wrong)
        assert caught.value.code == "wrong_state"
    handled(world, second)
    assert {got(pk).state for pk in (first, under, second)} == {State.CALLBACK}
    sound(first, under, second)


def test_what_cannot_be_merged_is_named_and_nothing_happens(world: World, monday: Frozen) -> None:
    master, good, taken, other = world.accepted(), another(), another(), world.accepted()
    merge(world, other, taken)
    closed, answered = at_state(world, State.CLOSED), at_state(world, State.REPLIED)
    serious = world.accepted()
    Case.objects.filter(pk=serious).update(supervised=2)
    count = Event.objects.count()
    for wrong in (master, taken, closed, answered, serious):
        with pytest.raises(Invalid) as caught:
            merge(world, master, good, wrong)
        assert got(wrong).number in caught.value.fields["duplicates"]
    for nothing in ("26-0000001-1", "随便", str(uuid.uuid4()), "\x00"):
        with pytest.raises(Invalid) as caught:
            a.merge(world.on(master, "dispatcher"), duplicates=[str(good), nothing], reason="同一件事。")
        assert "duplicates" in caught.value.fields
    assert Event.objects.count() == count
    assert got(good).state == State.REGISTERED
    # Named twice, by number and by id, in full width and with spaces: once.
    number = got(good).number
    a.merge(world.on(master, "dispatcher"), duplicates=[str(good), number, f" {number} "], reason="同一件事。")
    assert got(master).duplicate_count == 1
    Case.objects.filter(pk=master).update(supervised=2)  # a supervised matter may take in another one


def test_who_may_merge(world: World, monday: Frozen) -> None:
    master, one = world.accepted(area="990101001001"), a.register(
        intake=a.Intake(words="西县的路灯不亮。", area="990102"), by=RESIDENT).case_id
    for name in ("urban", "reviewer", "callback", "supervisor"):
        with pytest.raises((NotAllowed, NotFound)):
            merge(world, master, one, by=name)
    # A dispatcher of one county does not see, and does not take, the other county's case.
    RoleGrant.objects.filter(staff=world.staff["dispatcher"]).update(area=world.areas["990101"])
    with pytest.raises(Invalid) as caught:
        merge(world, master, one)
    assert "没有找到" in caught.value.fields["duplicates"]
    merge(world, master, one, by="operator")
    with pytest.raises((NotAllowed, NotFound)):
        a.unmerge(world.on(one, "operator"), reason="两回事。")
    assert got(one).state == State.MERGED


def test_no_more_than_two_hundred(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 200
    monkeypatch.setattr("lianxin.cases.actions.merging.MOST", 2)
    master, one, two, three = world.accepted(), another(), another(), another()
    merge(world, master, one)
    with pytest.raises(Invalid):
        merge(world, master, two, three)
    merge(world, master, two)
    with pytest.raises(Invalid):
        merge(world, master, three)
    sound(master, one, two, three)


def test_a_reporter_takes_back_their_own_and_the_others_stay(world: World, monday: Frozen) -> None:
    master, one, two = world.accepted(), another(), another()
    merge(world, master, one, two)
    a.withdraw(On(one, reporter_for(one)), reason="已经好了。")
    assert (got(one).state, got(one).master_id, got(master).duplicate_count) == (State.WITHDRAWN, None, 1)
    assert got(two).state == State.MERGED
    sound(master, one, two)


def test_the_identity_of_each_is_read_by_who_handles_the_master_and_written_down(world: World, monday: Frozen) -> None:
    master = world.accepted()
    open_one, secret = another(), a.register(
        intake=a.Intake(words="工地打桩。", phone="13900003303", confidential=True), by=RESIDENT).case_id
    merge(world, master, open_one, secret)
    assert read_identity(world.on(open_one, "dispatcher"), why="核实").phone == "13800002202"
    a.dispatch(world.on(master, "dispatcher"), lead_unit="urban")
    a.sign(world.on(master, "urban"))
    assert read_identity(world.on(open_one, "urban"), why="联系").phone == "13800002202"
    with pytest.raises(NotAllowed):
        read_identity(world.on(secret, "urban"), why="联系")
    with pytest.raises(DomainError):
        read_identity(world.on(open_one, "housing"), why="看看")
    with pytest.raises(NotAllowed):  # with the unit now
        read_identity(world.on(open_one, "dispatcher"), why="核实")
    assert list(IdentityReading.objects.filter(case=open_one).values_list("staff__username", flat=True).order_by("id")) == [
        "dispatcher", "urban"]
    assert not IdentityReading.objects.filter(case=secret).exists()


def test_standings_count_the_matter_once(world: World, monday: Frozen) -> None:
    master, one = world.accepted(), world.accepted()
    a.dispatch(world.on(one, "dispatcher"), lead_unit="urban")
    a.dispatch(world.on(master, "dispatcher"), lead_unit="urban")
    merge(world, master, one)
    by_unit: list[dict[str, Any]] = standings.standings_by(world.actor("supervisor"), "lead_unit", at=monday.move())
    assert [(row["lead_unit__code"], row["total"]) for row in by_unit] == [("urban", 1)]
    open_now = {row.state: row.total for row in standings.standings(world.actor("supervisor"), at=monday.move())}
    assert open_now == {State.DISPATCHED: 1}
    # It is found by its number, and says where it went.
    found = queries.recent(world.actor("dispatcher"), filters=queries.Filters(text=got(one).number))
    assert [(case.pk, case.master_id) for case in found.rows] == [(one, master)]


def test_a_pause_and_a_request_for_time_end_with_the_units_part(world: World, monday: Frozen) -> None:
    """Merging is no way to keep a clock standing, nor to have a late answer to a request that is nobody's any more."""
    paused, asking, master = (at_state(world, State.IN_HAND) for _ in range(3))
    promised = {pk: clock(pk, ClockKind.RESOLVE).due_at for pk in (paused, asking)}
    take(world, paused, "record_contact")
    take(world, paused, "suspend")
    take(world, asking, "ask_extension")
    assert got(paused).paused
    merge(world, master, paused, asking)
    assert not got(paused).paused
    for pk in (paused, asking):
        assert clock(pk, ClockKind.RESOLVE).paused_at is None
        assert clock(pk, ClockKind.RESOLVE).due_at == promised[pk]
        assert not Clock.objects.filter(case=pk, kind=ClockKind.EXTENSION, met_at=None, stopped_at=None).exists()
    assert [one.decision for one in Extension.objects.filter(case=asking)] == ["lapsed"]
    assert not Suspension.objects.filter(case=paused, ended_at__isnull=True).exists()
    sound(paused, asking, master)
