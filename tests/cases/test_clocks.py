"""Due times: the table of limits on the Chinese calendar, and what moves them."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lianxin.cases import actions as a
from lianxin.cases import reference
from lianxin.cases.models import Assignment, Case, Clock, State, TimeLimit
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from tests.cases.ways import at_state, take
from tests.world import EPOCH, RESIDENT, World

pytestmark = pytest.mark.django_db
HERE = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


def due(case_id: uuid.UUID, kind: str, unit: str = "") -> datetime:
    """The due time of the newest clock of a kind: the case's own, or a unit's."""
    clocks = Clock.objects.filter(case=case_id, kind=kind)
    clocks = clocks.filter(assignment__unit__code=unit) if unit else clocks.filter(assignment__isnull=True)
    return clocks.latest("started_at", "id").due_at.astimezone(HERE)


def opened(world: World, *, kind: str = "help", urgency: str = "normal") -> uuid.UUID:
    return a.register(intake=a.Intake(words="有一件事。", category="010105", kind=kind, urgency=urgency, accept=True,
                                      phone="13812342201"), by=world.actor("operator")).case_id


# start, kind, urgency → sign for, first contact, resolve. A working day is 9–12 and 13–17.
DUE = [
    ("2026-11-23 10:00", "enquiry", "normal", "11-23 15:00", "11-24 10:00", "11-24 10:00"),
    ("2026-11-23 10:00", "suggestion", "normal", "11-23 15:00", "11-24 10:00", "11-24 10:00"),
    ("2026-11-23 10:00", "help", "normal", "11-23 15:00", "11-24 10:00", "11-26 10:00"),
    ("2026-11-23 10:00", "complaint", "normal", "11-23 15:00", "11-24 10:00", "11-30 10:00"),
    ("2026-11-23 10:00", "report", "normal", "11-23 15:00", "11-24 10:00", "11-30 10:00"),
    ("2026-11-23 10:00", "help", "urgent", "11-23 10:30", "11-23 11:00", "11-24 10:00"),
    # Over lunch, after hours, over a weekend, from within one.
    ("2026-11-23 12:20", "enquiry", "normal", "11-23 17:00", "11-24 12:00", "11-24 12:00"),
    ("2026-11-23 18:30", "enquiry", "normal", "11-24 14:00", "11-24 17:00", "11-24 17:00"),
    ("2026-11-27 16:30", "help", "normal", "11-30 13:30", "11-30 16:30", "12-02 16:30"),
    ("2026-11-28 12:00", "help", "normal", "11-30 14:00", "11-30 17:00", "12-02 17:00"),
    ("2026-11-28 23:50", "complaint", "urgent", "11-29 00:20", "11-29 00:50", "11-29 23:50"),
    # Spring Festival 15–23 February: Saturday the 14th is worked.
    ("2026-02-13 16:00", "enquiry", "normal", "02-14 12:00", "02-14 16:00", "02-14 16:00"),
    ("2026-02-14 16:00", "help", "normal", "02-24 12:00", "02-24 16:00", "02-26 16:00"),
    ("2026-02-17 03:00", "report", "urgent", "02-17 03:30", "02-17 04:00", "02-18 03:00"),
    # National Day 1–7 October: Saturday the 10th is worked.
    ("2026-09-30 16:00", "enquiry", "normal", "10-08 12:00", "10-08 16:00", "10-08 16:00"),
    ("2026-10-09 16:00", "enquiry", "normal", "10-10 12:00", "10-10 16:00", "10-10 16:00"),
    ("2026-10-08 10:00", "complaint", "normal", "10-08 15:00", "10-09 10:00", "10-14 10:00"),
]


@pytest.mark.parametrize(("start", "kind", "urgency", "sign", "contact", "resolve"), DUE)
def test_limits_on_the_calendar(world: World, monday: Frozen, start: str, kind: str, urgency: str, sign: str,
                                contact: str, resolve: str) -> None:
    monday.set(local(start))
    case_id = opened(world, kind=kind, urgency=urgency)
    take(world, case_id, "dispatch", assisting_units=["water"])
    assert due(case_id, "sign_for", "urban") == local(f"2026-{sign}")
    assert due(case_id, "sign_for", "water") == local(f"2026-{sign}")
    assert due(case_id, "first_contact") == local(f"2026-{contact}")
    assert due(case_id, "resolve") == local(f"2026-{resolve}")
    assert due(case_id, "resolve", "water") == local(f"2026-{resolve}")
    case = Case.objects.get(pk=case_id)
    assert case.due_at == local(f"2026-{resolve}")
    assert not case.due_provisional
    assert not Clock.objects.filter(case=case, provisional=True).exists()
    for clock in Clock.objects.filter(case=case):
        assert clock.calendar == ("around_the_clock" if urgency == "urgent" else "working")


def test_what_rests_on_a_year_not_published_says_so(world: World, monday: Frozen) -> None:
    monday.set(local("2026-12-28 10:00"))
    inside = opened(world, kind="help")
    assert (Case.objects.get(pk=inside).due_at, Case.objects.get(pk=inside).due_provisional) == (
        local("2026-12-31 10:00"), False)
    monday.set(local("2026-12-31 16:00"))
    across = opened(world, kind="enquiry")
    case = Case.objects.get(pk=across)
    assert (case.due_at, case.due_provisional) == (local("2027-01-01 16:00"), True)
    assert Clock.objects.get(case=case, kind="resolve").provisional
    urgent = opened(world, urgency="urgent")
    case = Case.objects.get(pk=urgent)
    assert (case.due_at, case.due_provisional) == (local("2027-01-01 16:00"), False)
    take(world, across, "answer_on_the_spot")
    case = Case.objects.get(pk=across)
    assert (case.due_at, case.due_provisional) == (None, False)


def test_a_case_without_a_category_has_its_limits_from_the_first_word(world: World, monday: Frozen) -> None:
    case_id = a.register(intake=a.Intake(words="有一件事。"), by=RESIDENT).case_id
    assert Case.objects.get(pk=case_id).due_at == local("2026-11-26 10:00")  # as help, until someone has read it
    monday.move(hours=5)
    take(world, case_id, "accept", category="010103")
    assert due(case_id, "resolve") == local("2026-11-24 10:00")  # from the first word, not from the acceptance
    other = a.register(intake=a.Intake(words="另一件事。"), by=RESIDENT).case_id
    take(world, other, "accept", category="010102")
    assert due(other, "resolve") == local("2026-11-30 15:00")  # accepting settles what it is, later too


def test_correcting_never_moves_a_due_time_later(world: World, monday: Frozen) -> None:
    case_id = opened(world, kind="help")
    assert due(case_id, "resolve") == local("2026-11-26 10:00")
    take(world, case_id, "correct", category="010102")
    assert Case.objects.get(pk=case_id).kind == "complaint"
    assert due(case_id, "resolve") == local("2026-11-26 10:00")
    monday.move(hours=3)
    take(world, case_id, "correct", category="010103")
    assert due(case_id, "resolve") == local("2026-11-24 10:00")
    take(world, case_id, "correct", category="010104")
    assert Case.objects.get(pk=case_id).urgency == "urgent"
    assert due(case_id, "first_contact") == local("2026-11-23 11:00")
    take(world, case_id, "correct", category="010102", urgency="normal")
    assert due(case_id, "first_contact") == local("2026-11-23 11:00")
    assert differences(case_id) == []


def test_no_row_of_corrections_gains_time(world: World, monday: Frozen) -> None:
    dice = random.Random(7)
    for state in (State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED):
        case_id = at_state(world, state)
        for _step in range(12):
            before = {clock.pk: clock.due_at for clock in Clock.objects.filter(case=case_id)}
            monday.move(minutes=dice.choice((1, 600, 3000)))
            take(world, case_id, "correct", category=dice.choice(("010101", "010102", "010103", "010104", "010105")),
                 kind=dice.choice((None, "enquiry", "report")), urgency=dice.choice((None, "normal", "urgent")))
            after = {clock.pk: clock.due_at for clock in Clock.objects.filter(case=case_id)}
            assert set(after) == set(before)
            assert all(after[pk] <= before[pk] for pk in before)
        assert differences(case_id) == []


def test_a_returned_case_gains_no_time(world: World, monday: Frozen) -> None:
    case_id = opened(world, kind="complaint")
    resolve = Clock.objects.get(case=case_id, kind="resolve", assignment__isnull=True)
    take(world, case_id, "dispatch", assisting_units=[])
    monday.move(hours=1)
    take(world, case_id, "raise_return")
    lead = Clock.objects.get(case=case_id, kind="sign_for")
    assert (lead.met_at, lead.stopped_at) == (None, monday.move())
    assert Case.objects.get(pk=case_id).due_at == resolve.due_at
    monday.move(days=1)
    take(world, case_id, "uphold_return")
    assert Case.objects.get(pk=case_id).due_at == resolve.due_at
    take(world, case_id, "dispatch", lead_unit="housing", assisting_units=[])
    assert due(case_id, "sign_for", "housing") == local("2026-11-24 16:00")
    take(world, case_id, "sign", by="housing")
    monday.move(minutes=10)
    take(world, case_id, "redispatch", lead_unit="water")
    now = Clock.objects.get(case=case_id, kind="resolve", assignment__isnull=True)
    assert (now.pk, now.started_at, now.due_at) == (resolve.pk, resolve.started_at, resolve.due_at)
    assert due(case_id, "sign_for", "water") == local("2026-11-24 16:10")
    assert differences(case_id) == []


def test_a_unit_that_had_not_signed_gets_a_new_clock_when_its_return_is_rejected(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.DISPATCHED)
    take(world, case_id, "raise_return")
    monday.move(hours=4)
    assert take(world, case_id, "reject_return").state == "dispatched"
    assert due(case_id, "sign_for", "urban") == local("2026-11-24 10:00")
    assert Assignment.objects.get(case=case_id, role="lead").due_at == local("2026-11-24 10:00")
    signed = at_state(world, State.OBJECTED)
    assert take(world, signed, "reject_return").state == "in_hand"


def test_an_answer_sent_back_has_the_first_due_time_again(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    first = Case.objects.get(pk=case_id).due_at
    for _round in range(2):
        monday.move(hours=2)
        take(world, case_id, "reply")
        clock = Clock.objects.get(case=case_id, kind="resolve", assignment__isnull=True)
        assert clock.met_at == monday.move()
        assert Case.objects.get(pk=case_id).due_at == first  # it orders the reviewers' queue
        monday.move(days=3)
        take(world, case_id, "send_back")
        clock.refresh_from_db()
        assert (clock.met_at, clock.due_at) == (None, first)
        assert Case.objects.get(pk=case_id).due_at == first
        assert Assignment.objects.get(case=case_id, role="lead").due_at == first
    assert differences(case_id) == []


def test_contact_is_met_when_it_is_recorded_and_only_when_reached(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    monday.move(hours=1)
    take(world, case_id, "record_contact", reached=False)
    clock = Clock.objects.get(case=case_id, kind="first_contact")
    assert clock.met_at is None
    take(world, case_id, "record_contact", contacted_at=monday.move() - timedelta(minutes=30))
    clock.refresh_from_db()
    assert clock.met_at == monday.move()
    assert Assignment.objects.get(case=case_id, role="lead").contacted_at == monday.move() - timedelta(minutes=30)


def test_the_clocks_of_a_reopened_case(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CLOSED)
    monday.set(local("2026-11-27 16:00"))
    take(world, case_id, "reopen")
    assert due(case_id, "sign_for", "urban") == local("2026-11-30 10:00")
    assert due(case_id, "first_contact") == local("2026-11-30 12:00")
    assert due(case_id, "resolve") == local("2026-12-02 16:00")
    assert Clock.objects.filter(case=case_id, round=2).count() == 3
    # Its later dispatches are a reopened case's too.
    take(world, case_id, "redispatch", lead_unit="housing", assisting_units=["water"])
    assert due(case_id, "sign_for", "housing") == local("2026-11-30 10:00")
    assert due(case_id, "resolve", "water") == local("2026-12-02 16:00")
    take(world, case_id, "raise_return", by="housing", suggested_unit="urban")
    take(world, case_id, "reject_return")
    assert due(case_id, "sign_for", "housing") == local("2026-11-30 10:00")
    assert differences(case_id) == []


def test_what_was_urgent_stays_urgent_when_it_is_reopened(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CLOSED)
    urgent = world.case()
    take(world, urgent, "accept", category="010104")
    take(world, urgent, "answer_on_the_spot")
    monday.move(days=1)
    take(world, urgent, "reopen", by="supervisor")
    assert due(urgent, "resolve") == monday.move(days=1).astimezone(HERE)
    # Unless the city has a row of its own for it.
    TimeLimit.objects.create(urgency="urgent", track="reopened", calendar="around_the_clock", sign_for=15,
                             first_contact=30, resolve=600, valid_from=EPOCH)
    reference.forget()
    take(world, urgent, "answer_on_the_spot")
    take(world, urgent, "reopen", by="supervisor")
    assert due(urgent, "resolve") == monday.move(minutes=600).astimezone(HERE)
    take(world, case_id, "reopen")
    assert due(case_id, "resolve") > due(urgent, "resolve")


def test_a_limit_of_its_own_for_a_category(world: World, monday: Frozen) -> None:
    TimeLimit.objects.create(category=world.categories["010101"], urgency="normal", calendar="working", sign_for=60,
                             first_contact=120, resolve=240, valid_from=EPOCH)
    reference.forget()
    case_id = a.register(intake=a.Intake(words="路灯不亮。", category="010101"), by=RESIDENT).case_id
    assert due(case_id, "resolve") == local("2026-11-23 15:00")
    assert due(case_id, "first_contact") == local("2026-11-23 12:00")


@pytest.mark.parametrize("state", [State.CLOSED, State.DECLINED, State.WITHDRAWN])
def test_an_ended_case_owes_nothing(world: World, monday: Frozen, state: State) -> None:
    case_id = at_state(world, state)
    assert not Clock.objects.filter(case=case_id, met_at__isnull=True, stopped_at__isnull=True).exists()
    assert Case.objects.get(pk=case_id).due_at is None
