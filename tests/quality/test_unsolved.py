"""Unsolved: redone once by itself, then a supervisor decides. Contested: heard again. Closed: only with proof."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianxin.cases import actions as a
from lianxin.cases.actions.history import closed_by_import
from lianxin.cases.engine import On
from lianxin.cases.models import Case, Clock, Event, EventText, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import TABLE
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed
from lianxin.organisations.actors import SYSTEM, Actor, Grant
from lianxin.organisations.models import Role, UnitKind
from lianxin.quality.actions import reopen_unsolved
from lianxin.quality.models import CallbackAttempt, Contest
from tests.cases.desks import LINK, link
from tests.cases.ways import at_state, take, walk
from tests.quality.proof import unproved
from tests.world import World

pytestmark = pytest.mark.django_db
REDO = ("sign", "reply", "approve")
NO_ANSWER: dict[str, Any] = {"outcome": "no_answer", "solved": None, "truthful": None, "satisfaction": ""}


@pytest.fixture
def called(world: World, monday: Frozen) -> Any:
    """A case that waits for its callback, nobody having called."""
    return walk(world, world.case(), ("accept", "dispatch", "sign", "reply", "approve"))


def now_of(case_id: Any) -> Case:
    return Case.objects.get(pk=case_id)


@pytest.mark.parametrize(("action", "fields"), [
    ("record_callback_attempt", {"solved": False, "satisfaction": "dissatisfied"}),
    ("record_callback_attempt", {"solved": True, "satisfaction": "dissatisfied", "justified": True, "note": "只修了一半。"}),
    ("rate", {"solved": False, "satisfaction": "dissatisfied"}),
])
def test_the_first_time_it_is_redone_by_itself_and_then_a_supervisor_decides(
    world: World, called: Any, action: str, fields: dict[str, Any], monday: Frozen,
) -> None:
    done = take(world, called, action, **fields)
    case = now_of(called)
    assert (case.state, case.round, case.for_supervisor) == (State.DISPATCHED, 2, False)
    assert (done.state, done.version) == (case.state, case.version)
    last = Event.objects.filter(case=called).order_by("-id").first()
    assert last is not None
    assert (last.action, last.actor_kind, last.pk) == ("reopen_unsolved", "system", done.event_id)
    assert case.assignments.get(ended_at__isnull=True).unit.code == "urban", "the same handler"
    walk(world, called, REDO)
    monday.move(minutes=5)
    take(world, called, action, **fields)
    case = now_of(called)
    assert (case.state, case.round, case.for_supervisor) == (State.CALLBACK, 2, True)
    assert Clock.objects.filter(case=called, kind="callback", round=2, met_at__isnull=True, stopped_at__isnull=True).count() == 1
    assert differences(called) == []


def test_only_a_supervisor_decides_then(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt", solved=False)
    walk(world, called, REDO)
    take(world, called, "record_callback_attempt", solved=False)
    for action in ("close", "reopen"):
        with pytest.raises(NotAllowed):
            take(world, called, action)
    with pytest.raises(Conflict):
        reopen_unsolved(On(called, SYSTEM))
    take(world, called, "reopen", by="supervisor", reason="请局领导带队再办一次。")
    case = now_of(called)
    assert (case.state, case.round, case.for_supervisor) == (State.DISPATCHED, 3, False)
    walk(world, called, REDO)
    take(world, called, "record_callback_attempt", solved=True)
    take(world, called, "close")
    assert now_of(called).outcome == "solved"
    assert differences(called) == []


def test_a_supervisor_closes_only_what_is_theirs_to_decide(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt", solved=True)
    with pytest.raises(NotAllowed):
        take(world, called, "close", by="supervisor")


def test_a_supervisor_of_the_unit_itself_does_not_decide(world: World, called: Any, monday: Frozen) -> None:
    case_id = world.case(area="990101001001")
    take(world, case_id, "accept")
    take(world, case_id, "dispatch", lead_unit="east", assisting_units=[])
    for _ in range(2):
        take(world, case_id, "sign", by="east")
        take(world, case_id, "reply", by="east")
        take(world, case_id, "approve")
        take(world, case_id, "record_callback_attempt", solved=False)
    assert now_of(case_id).for_supervisor
    with pytest.raises(NotAllowed):
        take(world, case_id, "close", by="east_supervisor", explanation="办不了。")
    take(world, case_id, "close", by="supervisor", explanation="已说明办不了的原因。")


def test_a_key_sent_again_is_answered_the_same(world: World, called: Any) -> None:
    first = take(world, called, "rate", key=b"r" * 32, solved=False)
    again = take(world, called, "rate", key=b"r" * 32, solved=False)
    assert again.replayed
    assert (again.event_id, again.state, again.version) == (first.event_id, first.state, first.version)
    assert now_of(called).round == 2


@pytest.mark.parametrize("fields", [
    {"solved": True, "satisfaction": "satisfied", "justified": True, "note": "x"},
    {"solved": True, "satisfaction": "dissatisfied", "justified": True, "note": " "},
    {**NO_ANSWER, "justified": False},
])
def test_a_good_reason_belongs_to_dissatisfaction_and_is_said(world: World, called: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        take(world, called, "record_callback_attempt", **fields)
    assert not CallbackAttempt.objects.exists()


def test_a_reason_that_is_none_leaves_it_where_it_is(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt", solved=True, satisfaction="dissatisfied", justified=False)
    assert now_of(called).state == State.CALLBACK


def closed(world: World, case_id: Any) -> Any:
    take(world, case_id, "record_callback_attempt", solved=True)
    take(world, case_id, "close")
    return case_id


def test_a_closing_is_contested_once_a_round_and_in_time(world: World, called: Any, monday: Frozen, settings: Any) -> None:
    settings.LIANXIN_CONTEST_DAYS = 15
    closed(world, called)
    monday.move(days=15)
    take(world, called, "contest")
    case = now_of(called)
    assert (case.state, case.round, case.closed_at, case.outcome, case.for_supervisor) == (State.CALLBACK, 1, None, "", False)
    clock = Clock.objects.get(case=called, kind="callback", met_at__isnull=True, stopped_at__isnull=True)
    assert clock.started_at == Event.objects.get(case=called, action="contest").at
    assert case.due_at == clock.due_at
    part = case.assignments.get(ended_at__isnull=True, role="lead")
    assert (part.unit.code, part.state) == ("urban", "handled")
    assert differences(called) == []
    monday.move(hours=1)
    closed(world, called)  # spoken with again, and content now
    with pytest.raises(Conflict) as caught:
        take(world, called, "contest")
    assert caught.value.code == "contested_already"


def test_too_late_is_too_late(world: World, called: Any, monday: Frozen) -> None:
    closed(world, called)
    monday.move(days=15, seconds=1)
    with pytest.raises(Conflict) as caught:
        take(world, called, "contest")
    assert caught.value.code == "too_late"
    take(world, called, "rate", solved=False)  # a rating is written down, and reopens nothing any more
    assert now_of(called).state == State.CLOSED


def test_a_contest_in_a_later_round_is_for_the_supervisor(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt", solved=False)
    walk(world, called, REDO)
    closed(world, called)
    take(world, called, "contest")
    case = now_of(called)
    assert (case.state, case.round, case.for_supervisor) == (State.CALLBACK, 2, True)
    with pytest.raises(NotAllowed):
        take(world, called, "close")
    assert differences(called) == []


def test_a_contested_case_is_not_closed_again_unheard(world: World, called: Any, monday: Frozen, settings: Any) -> None:
    settings.LIANXIN_CALLBACK_ATTEMPTS = 2
    closed(world, called)
    monday.move(hours=1)
    take(world, called, "contest")
    for _ in range(2):
        with pytest.raises(Conflict):
            take(world, called, "close", explanation="已说明。")
        monday.move(hours=6)
        take(world, called, "record_callback_attempt", **NO_ANSWER)
    with pytest.raises(Invalid):  # the reporter said no: that is not unreached
        take(world, called, "close", explanation="")
    take(world, called, "close", explanation="多次联系不上，书面说明已放在查询页。")
    assert now_of(called).outcome == "explained"


def test_what_no_unit_had_waits_for_dispatch_when_contested(world: World, monday: Frozen) -> None:
    case_id = world.accepted("010103")
    a.answer_on_the_spot(world.on(case_id, "operator"), public_answer="水费可以在网上交。")
    take(world, case_id, "contest")
    case = now_of(case_id)
    assert (case.state, case.round, case.outcome) == (State.ACCEPTED, 2, "")
    assert differences(case_id) == []


def test_a_bad_rating_after_an_unreached_closing_reopens(world: World, monday: Frozen) -> None:
    case_id = walk(world, world.case(phone="", name=""), ("accept", "dispatch", "sign"))
    take(world, case_id, "reply", means="not_left")
    walk(world, case_id, ("approve", "close"))
    assert now_of(case_id).outcome == "unreached"
    monday.move(days=2)
    take(world, case_id, "rate", solved=False, satisfaction="dissatisfied")
    assert (now_of(case_id).state, now_of(case_id).round) == (State.DISPATCHED, 2)


# Every way to CLOSED, with what proves it. A new way fails the test until it is thought about.
WAYS = {"answer_on_the_spot", "settle_on_the_spot", "close", "close_unasked", "close_imported", "close_handover", "close_with_master"}


def test_every_way_to_closed_is_known() -> None:
    assert {row.action for row in TABLE if State.CLOSED in row.targets} == WAYS


def test_answering_on_the_spot_says_how_the_reporter_was_told(world: World, monday: Frozen) -> None:
    for channel in ("web", "api", "field", "open311"):
        case_id = world.case(channel=channel)
        for means in (None, "", "pigeon", "not_left"):  # a telephone was left
            with pytest.raises(Invalid) as caught:
                take(world, case_id, "answer_on_the_spot", means=means)
            assert "means" in caught.value.fields
        for at in (monday.move() + timedelta(hours=1), monday.move() - timedelta(days=1)):
            with pytest.raises(Invalid) as caught:
                take(world, case_id, "answer_on_the_spot", contacted_at=at)
            assert "contacted_at" in caught.value.fields
        take(world, case_id, "answer_on_the_spot", means="message")
        assert unproved(now_of(case_id)) == ""
    heard = world.accepted("010103")
    a.answer_on_the_spot(world.on(heard, "operator"), public_answer="可以在网上交。")
    assert Event.objects.get(case=heard, action="answer_on_the_spot").data["means"] == "phone"
    nobody = world.case(phone="", name="")
    take(world, nobody, "answer_on_the_spot", means="not_left")
    assert unproved(now_of(nobody)) == ""


def test_what_another_service_settled_was_there_and_its_reporters_are_told_its_outcome(world: World, monday: Frozen) -> None:
    master, under = at_state(world, State.DISPATCHED), at_state(world, State.DISPATCHED)
    take(world, master, "merge", duplicates=[str(under)])
    with pytest.raises(DomainError):  # it was never there: nothing of theirs closes it
        link(master, "close_handover")
    take(world, master, "offer_handover")
    with pytest.raises(DomainError):  # offered is not taken
        link(master, "close_handover")
    link(master, "release_handover")
    link(master, "close_handover")
    for case_id, action in ((master, "close_handover"), (under, "close_with_master")):
        assert unproved(now_of(case_id)) == ""
        closing = Event.objects.filter(case=case_id).latest("id")
        assert (closing.action, closing.to_state, closing.public) == (action, State.CLOSED, True)
        assert EventText.objects.get(event_id=closing.pk, field="public_answer").body == LINK["close_handover"]["public_words"]
        assert differences(case_id) == []


def test_closing_rests_on_a_reply_that_rests_on_a_contact(world: World, called: Any) -> None:
    assert unproved(now_of(closed(world, called))) == ""
    case_id = walk(world, world.case(), ("accept", "dispatch", "sign"))
    for action in ("close", "approve"):
        with pytest.raises(DomainError):
            take(world, case_id, action)
    with pytest.raises(Invalid):
        take(world, case_id, "reply", means="")


def test_an_import_says_that_it_is_one(monday: Frozen) -> None:
    changed, _note = closed_by_import(uuid7_(), {}, [], closed_at=monday.move(), note="")
    assert changed["case"]["outcome"] == "imported"


def uuid7_() -> Any:
    from lianxin.kernel.ids import uuid7

    return uuid7()


def actor_of(world: World, role: Role, unit: str) -> Actor:
    """Someone who works for the hotline in `role` and belongs to a unit that handled the case."""
    hotline = world.units["hotline"]
    return Actor(world.actor("operator").kind, staff_id=world.staff["water"].pk, unit_id=world.units[unit].pk,
                 grants=(Grant(role, hotline.pk, UnitKind.HOTLINE),))


@pytest.mark.parametrize(("action", "role", "state"), [
    ("approve", Role.REVIEWER, State.REPLIED), ("send_back", Role.REVIEWER, State.REPLIED),
    ("record_callback_attempt", Role.CALLBACK, State.CALLBACK), ("close", Role.CALLBACK, State.CALLBACK),
    ("reopen", Role.CALLBACK, State.CALLBACK),
])
def test_nobody_judges_their_own_units_case(world: World, monday: Frozen, action: str, role: Role, state: State) -> None:
    from tests.cases.ways import ACTIONS, fields_for

    case_id = at_state(world, state)
    for unit in ("urban", "water", "west"):
        who = actor_of(world, role, unit)
        with pytest.raises(NotAllowed):
            ACTIONS[action](On(case_id, who), **fields_for(action, who))
    stranger = actor_of(world, role, "housing")
    ACTIONS[action](On(case_id, stranger), **fields_for(action, stranger))


def test_staff_cannot_rate_or_contest(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CLOSED)
    for name in ("urban", "urban_head", "callback", "reviewer", "supervisor", "admin", "stranger", "system"):
        for action in ("rate", "contest"):
            with pytest.raises(DomainError):
                take(world, case_id, action, by=name)
    assert not Contest.objects.exists()


def test_a_contact_written_down_late_meets_the_clock_when_it_was_written(world: World, monday: Frozen) -> None:
    case_id = walk(world, world.case(), ("accept", "dispatch", "sign"))
    began = monday.move()
    monday.move(days=4)
    take(world, case_id, "record_contact", contacted_at=began + timedelta(minutes=5))
    clock = Clock.objects.get(case=case_id, kind="first_contact")
    assert clock.met_at is not None
    assert clock.met_at > clock.due_at, "the contact is back-dated, the clock is not"
    take(world, case_id, "reply", means="phone", contacted_at=began + timedelta(minutes=6))
    resolve = Clock.objects.get(case=case_id, kind="resolve", assignment__isnull=True)
    assert resolve.met_at == Event.objects.get(case=case_id, action="reply").at


def test_the_code_is_not_told_to_a_unit(world: World, monday: Frozen) -> None:
    """Who registers for somebody else could rate in their place: a unit's staff and a grid worker never see the code."""
    for name in ("urban", "grid", "east"):
        made = a.register(intake=a.Intake(words="路灯不亮。", phone="13812342201", channel="field"), by=world.actor(name))
        assert (made.tracking_code, bool(made.number)) == ("", True)
        again = a.register(intake=a.Intake(words="路灯又不亮。"), by=world.actor(name), key=b"k" * 31 + name[:1].encode())
        assert again.tracking_code == ""
    for name in ("operator", "dispatcher"):
        assert a.register(intake=a.Intake(words="路灯不亮。"), by=world.actor(name)).tracking_code
