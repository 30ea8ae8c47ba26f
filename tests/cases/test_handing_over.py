"""A case and the desk of another service: offered, refused, taken over there, taken back, closed there – and never lost."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from lianxin.cases import actions as a
from lianxin.cases import handing_over, narrative, policy, queries, standings
from lianxin.cases.duplicates import which_way
from lianxin.cases.engine import On
from lianxin.cases.families import as_promised
from lianxin.cases.messages import announce_event
from lianxin.cases.models import (
    BESIDE_AN_OFFER,
    OPEN_STATES,
    RUNNING,
    Assignment,
    Case,
    Clock,
    ClockKind,
    DutyLimit,
    Event,
    EventText,
    Notice,
    Notification,
    Outcome,
    State,
)
from lianxin.cases.rebuild import differences
from lianxin.cases.reference import forget
from lianxin.cases.states import BY_ACTION, TABLE, Holder, Transition, transitions_from
from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import SYSTEM, reporter_for
from lianxin.quality import actions as q
from lianxin.supervision.models import Order, OrderState
from tests.cases.desks import CODE, LINK, desk, link, offered, withdrawn, written
from tests.cases.ways import ACTIONS, another, at_state, fields_for, take
from tests.world import EPOCH, World

pytestmark = pytest.mark.django_db

STEPS_OF_THE_LINK = [pytest.param(state, row, id=f"{state}-{row.action}") for state in State for row in transitions_from(state)
                     if row.action in LINK]


def got(case_id: uuid.UUID) -> Case:
    return Case.objects.select_related("lead_unit", "master").get(pk=case_id)


def running(case_id: uuid.UUID) -> set[str]:
    return set(Clock.objects.filter(RUNNING, case=case_id, assignment=None).values_list("kind", flat=True))


def said_to_reporter(case_id: uuid.UUID) -> list[str]:
    return [" ".join((narrative.said(entry.event, internal=False), *entry.texts.values()))
            for entry in queries.timeline(got(case_id), public_only=True)]


def there(world: World, state: State = State.IN_HAND, **intake: Any) -> uuid.UUID:
    """A case that the other desk took while it was in `state`."""
    case_id = at_state(world, state, **intake)
    take(world, case_id, "offer_handover")
    link(case_id, "release_handover")
    return case_id


# The table of the link


@pytest.mark.parametrize(("state", "row"), STEPS_OF_THE_LINK)
def test_every_step_of_the_link_out_of_every_state(world: World, monday: Frozen, state: State, row: Transition) -> None:
    case_id = at_state(world, state)
    before, count = got(case_id), Event.objects.filter(case=case_id).count()
    monday.move(minutes=7)
    done = link(case_id, row.action)
    after, event = got(case_id), Event.objects.get(pk=done.event_id)
    assert Event.objects.filter(case=case_id).count() == count + 1
    assert (event.action, event.from_state, event.to_state, event.actor_kind) == (row.action, state, after.state, "partner")
    assert after.state in (row.targets or (state,))
    assert after.version == before.version + row.bumps == event.version
    assert event.public is row.public
    assert after.linked
    assert (event.data["partner"], event.data["partner_name"], event.via) == (CODE, "试验市110", CODE)
    assert differences(case_id) == []
    # No words of the other desk's reach the reporter but those that are meant for them.
    public = set(EventText.objects.filter(event=event, public=True).values_list("field", "body"))
    assert public == ({("public_answer", LINK[row.action]["public_words"])} if row.action == "close_handover" else set())
    assert LINK[row.action]["words"] not in " ".join(said_to_reporter(case_id))


@pytest.mark.parametrize("state", list(State))
def test_no_step_of_the_link_that_the_table_does_not_hold(world: World, monday: Frozen, state: State) -> None:
    case_id = at_state(world, state)
    count = Event.objects.filter(case=case_id).count()
    for action in LINK:
        if not BY_ACTION[action].leads_from(state):
            with pytest.raises(Conflict) as caught:
                link(case_id, action)
            assert caught.value.code == "wrong_state"
    assert Event.objects.filter(case=case_id).count() == count


def test_what_another_service_has_is_open_and_owed() -> None:
    assert State.HANDED_OVER in OPEN_STATES
    sources = {row.action for row in transitions_from(State.HANDED_OVER) if row.targets}
    assert sources == {"take_back_handover", "close_handover"}
    assert set(BESIDE_AN_OFFER) == {state for state in OPEN_STATES if state not in (
        State.CALLBACK, State.MERGED, State.HANDED_OVER)}


# Who may


def test_the_other_desk_does_its_own_steps_on_its_own_case(world: World, monday: Frozen) -> None:
    mine, other = at_state(world, State.IN_HAND), at_state(world, State.IN_HAND)
    who = desk(mine)
    assert [case.pk for case in Case.objects.filter(policy.visible_to(who))] == [mine]
    for row in TABLE:
        if row.makes_case:
            assert not policy.can_register(who)
        elif row.leads_from(State.IN_HAND):
            assert bool(policy.can(who, row.action, got(mine))) == (Holder.PARTNER in row.holders), row.action
            assert not policy.can(who, row.action, got(other))
    for action in ACTIONS:
        if BY_ACTION[action].leads_from(State.IN_HAND):
            with pytest.raises(NotAllowed):
                ACTIONS[action](On(mine, who), **fields_for(action, world.actor("operator")))
    with pytest.raises(NotFound):
        link(other, "note_handover", by=who)
    assert not policy.can_read_identity(who, got(mine), [])


@pytest.mark.parametrize(("name", "may"), [
    ("operator", True), ("dispatcher", True), ("supervisor", True), ("reviewer", False), ("callback", False), ("urban", False),
    ("grid", False), ("admin", False)])
def test_of_the_staff_the_hotline_does_the_steps_of_the_link(world: World, monday: Frozen, name: str, may: bool) -> None:
    case_id = at_state(world, State.IN_HAND)
    who = world.actor(name)
    if may:
        link(case_id, "note_handover", by=who)
        event = Event.objects.filter(case=case_id).latest("id")
        assert (event.actor_id, event.actor_kind) == (who.staff_id, "staff")
    else:
        with pytest.raises((NotAllowed, NotFound)):
            link(case_id, "note_handover", by=who)
    with pytest.raises(NotAllowed):
        link(case_id, "note_handover", by=reporter_for(case_id))


# Offering


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"partner": "119.nowhere"}, "partner"), ({"partner": "  "}, "partner"), ({"reason": " \n"}, "reason"),
    ({"reason": "长" * 201}, "reason"),
    ({"basis": "whim"}, "basis"), ({"mode": "half"}, "mode"), ({"wish": "maybe"}, "wish"), ({"wish": "against"}, "wish"),
    ({"wish": "against", "basis": "unclear"}, "wish"),
])
def test_what_cannot_be_offered_is_said_field_by_field(world: World, monday: Frozen, fields: dict[str, Any], wrong: str) -> None:
    case_id = at_state(world, State.ACCEPTED)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "offer_handover", **fields)
    assert set(caught.value.fields) == {wrong}
    assert (got(case_id).linkage, got(case_id).linked, offered) == ("", False, [])


def test_without_a_desk_there_is_nobody_to_hand_over_to(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = at_state(world, State.ACCEPTED)
    assert "offer_handover" not in handing_over.not_now(got(case_id))
    for name in ("OFFERS", "PARTNERS"):
        with monkeypatch.context() as without:
            without.setattr(f"lianxin.cases.handing_over.{name}", [])
            without.setattr("lianxin.cases.actions.handing_over.OFFERS", handing_over.OFFERS)
            with pytest.raises(Invalid) as caught:
                a.offer_handover(world.on(case_id, "operator"), partner=CODE, reason="打架。")
            assert "partner" in caught.value.fields
    with monkeypatch.context() as without:
        without.setattr("lianxin.cases.handing_over.PARTNERS", [])
        assert "offer_handover" in handing_over.not_now(got(case_id))


def test_the_offer_goes_to_the_link_as_it_was_said(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.REGISTERED)
    take(world, case_id, "offer_handover", basis="emergency", wish="against", reason="有人落水。", note="在码头。")
    offer = offered[-1]
    assert (offer.partner, offer.reason, offer.basis, offer.emergency, offer.mode, offer.wish, offer.note) == (
        CODE, "有人落水。", "emergency", True, "transfer", "not_asked", "在码头。")
    event = Event.objects.filter(case=case_id).latest("id")
    assert {name: event.data[name] for name in ("partner", "partner_name", "partner_name_en", "wish", "emergency", "mode")} == {
        "partner": CODE, "partner_name": "试验市110", "partner_name_en": "Test City 110", "wish": "against", "emergency": True,
        "mode": "transfer"}
    assert (got(case_id).linkage, got(case_id).linked, got(case_id).state) == ("offered", True, "registered")
    assert written == [("offer_handover", case_id)]
    assert "有人落水" not in " ".join(said_to_reporter(case_id))
    assert "转给试验市110" in said_to_reporter(case_id)[0]


def test_an_emergency_flag_makes_the_basis_one(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    take(world, case_id, "offer_handover", emergency=True, wish="against")
    assert (offered[-1].basis, offered[-1].emergency) == ("emergency", True)


def test_one_transfer_at_a_time_and_a_joint_one_beside_it(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "offer_handover", mode="joint", partner="120.test")
    assert (got(case_id).linkage, got(case_id).linked) == ("", True)
    take(world, case_id, "reply")
    take(world, case_id, "send_back")  # nothing is held up by a joint one
    take(world, case_id, "offer_handover")
    with pytest.raises(Conflict) as caught:
        take(world, case_id, "offer_handover", partner="120.test")
    assert caught.value.code == "handover_open"
    take(world, case_id, "offer_handover", mode="joint", partner="120.test")
    assert [one.mode for one in offered] == ["joint", "transfer", "joint"]
    assert differences(case_id) == []


# While the other desk thinks


@pytest.mark.parametrize("state", list(BESIDE_AN_OFFER))
def test_nothing_final_while_an_offer_is_open(world: World, monday: Frozen, state: State) -> None:
    case_id = at_state(world, state, before="withdraw_handover")
    assert got(case_id).linkage == "offered"
    final = {row.action for row in transitions_from(state) if row.settles}
    assert final, state
    for action in (final & set(ACTIONS)) - {"settle_on_the_spot"}:
        by = "reporter" if action == "withdraw" else ""
        for who in {by, "operator" if action == "withdraw" else by}:
            with pytest.raises(Conflict) as caught:
                take(world, case_id, action, by=who)
            assert caught.value.code == "handover_open", action
            assert ("12345" if who == "reporter" else "先撤回移交") in str(caught.value)
            assert not policy.can(SYSTEM, action, got(case_id))
    assert (got(case_id).state, got(case_id).linkage) == (state, "offered")


def test_the_work_goes_on_while_an_offer_is_open(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.REGISTERED)
    take(world, case_id, "offer_handover")
    for step in ("accept", "dispatch", "sign", "record_contact", "suspend", "add_information", "raise_return", "reject_return",
                 "reply", "send_back", "reply"):
        take(world, case_id, step)
    assert (got(case_id).state, got(case_id).linkage) == (State.REPLIED, "offered")
    # What ends it: the other desk does not take it. Then the answer may go out.
    link(case_id, "tell_handover", step="refused", linkage="")
    take(world, case_id, "approve")
    assert got(case_id).linkage == ""
    assert differences(case_id) == []


def test_a_case_on_offer_is_not_merged_away(world: World, monday: Frozen) -> None:
    case_id, master = at_state(world, State.ACCEPTED), at_state(world, State.ACCEPTED)
    take(world, case_id, "offer_handover")
    with pytest.raises(Invalid) as caught:
        take(world, master, "merge", duplicates=[str(case_id)])
    assert "先撤回移交" in caught.value.fields["duplicates"]
    take(world, case_id, "merge", duplicates=[str(master)])  # the other way round it is
    assert got(master).master_id == case_id


def test_withdrawing_lasts_until_the_other_desk_says_so(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    with pytest.raises(Conflict) as caught:
        take(world, case_id, "withdraw_handover")
    assert caught.value.code == "no_offer"
    take(world, case_id, "offer_handover")
    take(world, case_id, "withdraw_handover")
    assert (withdrawn, got(case_id).linkage) == (["核实后归城管。"], "offered")
    with pytest.raises(Conflict):
        take(world, case_id, "decline", by="operator")
    link(case_id, "tell_handover", step="withdrawn", linkage="")
    assert got(case_id).linkage == ""
    assert "仍由热线负责" in said_to_reporter(case_id)[0]
    assert "归城管" not in " ".join(said_to_reporter(case_id))
    take(world, case_id, "decline")
    assert differences(case_id) == []


def test_a_note_moves_no_case_to_another_desk(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    with pytest.raises(AssertionError):
        link(case_id, "note_handover", linkage="there")
    gone = there(world)
    with pytest.raises(AssertionError):
        link(gone, "note_handover", linkage="")
    with pytest.raises(AssertionError):
        link(gone, "note_handover", step="teleported")


# There


@pytest.mark.parametrize("state", [State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND])
def test_once_there_no_unit_owes_anything(world: World, monday: Frozen, state: State) -> None:
    case_id = at_state(world, state)
    if state == State.IN_HAND:
        take(world, case_id, "suspend")
    take(world, case_id, "offer_handover")
    monday.move(minutes=3)
    link(case_id, "release_handover")
    case = got(case_id)
    assert (case.state, case.linkage, case.lead_unit_id, case.paused) == (State.HANDED_OVER, "there", None, False)
    assert not Assignment.objects.filter(case=case_id, ended_at__isnull=True).exists()
    assert list(Clock.objects.filter(RUNNING, case=case_id).values_list("kind", flat=True)) == ["handover"]
    # Two hours around the clock, as DOMAIN.md's default says.
    assert case.due_at == monday.move() + timedelta(hours=2)
    assert case.accepted_at is not None
    assert queries.tasks_of([world.units["urban"].pk]) == ([], "")
    assert "已转给试验市110，试验市110已接收。" in said_to_reporter(case_id)
    assert differences(case_id) == []


def test_a_reply_that_review_never_passed_is_none(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "offer_handover")
    take(world, case_id, "reply")
    link(case_id, "release_handover")
    resolve = Clock.objects.get(case=case_id, kind=ClockKind.RESOLVE, assignment=None)
    assert (resolve.met_at, resolve.stopped_at is not None) == (None, True)
    assert "已责令停工" not in " ".join(said_to_reporter(case_id))
    assert differences(case_id) == []


def test_written_supervision_lapses_with_the_units_part(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    take(world, case_id, "offer_handover")
    link(case_id, "release_handover")
    assert Order.objects.get(case=case_id).state == OrderState.LAPSED
    assert got(case_id).supervised == 0
    assert differences(case_id) == []


def test_what_the_reporter_adds_reaches_the_link(world: World, monday: Frozen) -> None:
    case_id, apart = there(world), at_state(world, State.IN_HAND)
    written.clear()
    take(world, apart, "add_information")
    take(world, case_id, "add_information")
    take(world, case_id, "attach")
    assert written == [("add_information", case_id), ("attach", case_id)]
    with pytest.raises(Conflict):
        take(world, case_id, "withdraw", by="reporter")


def test_a_tracking_page_says_who_has_it_and_by_when(world: World, monday: Frozen) -> None:
    case_id = there(world)
    assert narrative.headline(got(case_id)).startswith("已转给试验市110，由他们处置。")
    assert "11 月 23 日（周一）12:00" in narrative.headline(got(case_id))
    link(case_id, "tell_handover", step="on_scene")
    assert said_to_reporter(case_id)[0] == "试验市110的人已到现场。"
    monday.move(minutes=121)
    assert "已经超期" in narrative.headline(got(case_id))
    assert got(case_id).overdue_at(monday.move())
    counted = standings.totals(world.actor("supervisor"), at=monday.move())
    assert counted["overdue"] == 1


def test_the_clock_of_a_handover_speaks(world: World, monday: Frozen) -> None:
    case_id = there(world)
    monday.move(minutes=100)  # 20 % of two hours are left at 96 minutes
    sweep()
    monday.move(minutes=20)
    sweep()
    told = sorted((one.level, one.to, one.unit.code if one.unit else "") for one in Notice.objects.filter(
        case=case_id, kind="handover").select_related("unit"))
    assert told == [("escalation", "supervisor", "hotline"), ("escalation", "unit_head", "hotline"), ("reminder", "officer", "hotline")]
    assert list(Event.objects.filter(case=case_id, action__in=("remind", "escalate")).order_by("id").values_list(
        "action", flat=True)) == ["remind", "escalate"]
    assert differences(case_id) == []


def test_the_citys_own_limit_counts(world: World, monday: Frozen) -> None:
    DutyLimit.objects.create(duty="handover", urgency="urgent", calendar="around_the_clock", minutes=30, valid_from=EPOCH)
    forget()
    case_id = at_state(world, State.REGISTERED)
    take(world, case_id, "accept", category="010104")
    take(world, case_id, "offer_handover")
    link(case_id, "release_handover")
    assert got(case_id).due_at == monday.move() + timedelta(minutes=30)


# Back


def test_taken_back_under_new_clocks(world: World, monday: Frozen) -> None:
    case_id = there(world)
    monday.move(minutes=50)
    link(case_id, "take_back_handover", category="010103")
    case = got(case_id)
    assert (case.state, case.linkage, case.round, case.lead_unit_id) == (State.ACCEPTED, "", 1, None)
    assert case.category is not None
    assert case.category.code == "010103"
    assert running(case_id) == {"first_contact", "resolve"}
    own = Clock.objects.get(RUNNING, case=case_id, kind="resolve")
    assert (own.started_at, own.due_at) == (monday.move(), case.due_at)
    handover = Clock.objects.get(case=case_id, kind="handover")
    assert handover.met_at == monday.move()
    assert as_promised(got(case_id)).due_at == own.due_at
    for step in ("dispatch", "sign", "reply", "approve"):
        take(world, case_id, step)
    assert "热线接着办" in " ".join(said_to_reporter(case_id))
    assert differences(case_id) == []


def test_what_nobody_has_named_is_accepted_first(world: World, monday: Frozen) -> None:
    case_id = world.case()
    take(world, case_id, "offer_handover")
    link(case_id, "release_handover")
    link(case_id, "take_back_handover", category=None)
    assert (got(case_id).state, got(case_id).accepted_at) == (State.REGISTERED, None)
    take(world, case_id, "accept")
    take(world, case_id, "offer_handover")  # and over once more
    link(case_id, "release_handover")
    link(case_id, "take_back_handover", category=None, urgency="urgent")
    assert (got(case_id).state, got(case_id).urgency) == (State.ACCEPTED, "urgent")
    assert differences(case_id) == []


# Closed there


def test_the_outcome_there_is_the_answer(world: World, monday: Frozen) -> None:
    case_id = there(world)
    done = link(case_id, "close_handover")
    case = got(case_id)
    assert (case.state, case.linkage, case.outcome, case.due_at, case.linked) == (
        State.CLOSED, "", Outcome.HANDED_OVER, None, True)
    assert not running(case_id)
    assert said_to_reporter(case_id)[0] == "试验市110办完了，结果如下： 民警到场调解，双方和解。"
    assert "训诫" not in " ".join(said_to_reporter(case_id))
    announce_event(str(done.event_id))
    assert Notification.objects.get(event_id=done.event_id).template == "closed_there"
    # The reporter may say what they think of it, and that it is not over: then nobody is called, it is dispatched.
    q.rate(On(case_id, reporter_for(case_id)), solved=True, satisfaction="satisfied")
    q.contest(On(case_id, reporter_for(case_id)), words="又打起来了。")
    assert (got(case_id).state, got(case_id).round, got(case_id).outcome) == (State.ACCEPTED, 2, "")
    link(case_id, "note_handover", step="supplemented")  # what comes late is written down in any state
    assert differences(case_id) == []


@pytest.mark.parametrize("action", ["release_handover", "take_back_handover", "close_handover"])
def test_the_reporter_is_told_by_message(world: World, monday: Frozen, action: str) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "offer_handover")
    done = link(case_id, "release_handover")
    if action != "release_handover":
        done = link(case_id, action)
    announce_event(str(done.event_id))
    sent = Notification.objects.get(event_id=done.event_id)
    assert (sent.status, sent.values["partner_name"]) == (Notification.Status.SENT, "试验市110")


# Families


def family(world: World) -> tuple[uuid.UUID, uuid.UUID]:
    """A master in hand and a case merged under it, then taken by the other desk."""
    master, under = at_state(world, State.IN_HAND), another()
    take(world, master, "merge", duplicates=[str(under)])
    take(world, master, "offer_handover")
    assert link(master, "release_handover").state == State.HANDED_OVER
    return master, under


def test_those_under_a_master_go_and_are_closed_with_it(world: World, monday: Frozen) -> None:
    master, under = family(world)
    assert (got(under).state, got(under).master_id, got(under).lead_unit_id, running(under)) == (
        State.MERGED, master, None, {"handover"})
    assert got(under).due_at == got(master).due_at
    assert narrative.headline(got(under)).startswith("已转给试验市110")
    written.clear()
    take(world, under, "add_information")
    assert written == [("add_information", master)]
    link(master, "close_handover")
    for one in (master, under):
        assert (got(one).state, got(one).outcome, running(one)) == (State.CLOSED, Outcome.HANDED_OVER, set())
        assert "民警到场调解，双方和解。" in said_to_reporter(one)[0]
        assert differences(one) == []
    assert (got(under).master_id, got(master).duplicate_count) == (master, 1)
    closing = Event.objects.filter(case=under).latest("id")
    assert (closing.action, closing.actor_kind) == ("close_with_master", "system")
    # Each is a reporter of their own.
    q.contest(On(under, reporter_for(under)), words="我家门口还有人闹。")
    assert (got(under).state, got(under).master_id, got(master).state) == (State.ACCEPTED, None, State.CLOSED)
    assert differences(under) == []


def test_those_under_a_master_come_back_with_it(world: World, monday: Frozen) -> None:
    master, under = family(world)
    monday.move(minutes=30)
    link(master, "take_back_handover")
    assert (got(under).state, running(under)) == (State.MERGED, {"first_contact", "resolve"})
    for step in ("dispatch", "sign", "reply", "approve"):
        take(world, master, step)
    assert (got(master).state, got(under).state) == (State.CALLBACK, State.CALLBACK)
    for one in (master, under):
        assert differences(one) == []


def test_one_that_was_another_matter_leaves_a_master_that_is_there(world: World, monday: Frozen) -> None:
    master, under = family(world)
    take(world, under, "unmerge")
    assert got(under).state == State.REGISTERED
    assert running(under) == {"first_contact", "resolve"}
    assert (got(master).state, got(master).duplicate_count) == (State.HANDED_OVER, 0)
    link(master, "close_handover")
    assert got(under).state == State.REGISTERED
    for one in (master, under):
        assert differences(one) == []


def test_whoever_is_merged_under_a_master_may_take_theirs_back(world: World, monday: Frozen) -> None:
    master, under = family(world)
    take(world, under, "withdraw", by="reporter")
    link(master, "close_handover")
    assert (got(under).state, got(master).state, got(master).duplicate_count) == (State.WITHDRAWN, State.CLOSED, 0)


def test_who_says_the_same_later_goes_under_it(world: World, monday: Frozen) -> None:
    master, late = there(world), at_state(world, State.DISPATCHED)
    assert which_way(got(late), got(master))[0].pk == master
    with pytest.raises(Invalid) as caught:
        take(world, late, "merge", duplicates=[str(master)])
    assert "只能作主件" in caught.value.fields["duplicates"]
    monday.move(minutes=20)
    take(world, master, "merge", duplicates=[str(late)])
    assert (got(late).state, running(late), got(late).due_at) == (State.MERGED, {"handover"}, monday.move() + timedelta(hours=2))
    link(master, "close_handover")
    assert got(late).outcome == Outcome.HANDED_OVER
    for one in (master, late):
        assert differences(one) == []


# Of before


def test_a_case_from_before_there_were_other_desks(world: World, monday: Frozen) -> None:
    """Its log says nothing of the columns that came later; what it says of them now counts."""
    case_id = at_state(world, State.ACCEPTED)
    assert Event.objects.filter(case=case_id, action="register", changes__case__has_keys=["linkage", "linked"]).exists()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE cases_event SET changes = changes #- '{case,linkage}' #- '{case,linked}' WHERE case_id = %s", [case_id])
    assert differences(case_id) == []
    take(world, case_id, "offer_handover")
    assert differences(case_id) == []
