"""Attempts to cheat, one for each way a deadline or a figure is bent elsewhere: impossible, or in the open with the old
clock still running. What a cheat leaves behind is read where figures read it: in the rows of the clocks."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from lianxin.cases import actions as a
from lianxin.cases.models import Case, CatalogueRule, CatalogueVersion, Clock, ClockKind, Contact, Event, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION, TABLE, Holder
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lianxin.organisations.models import Role, RoleGrant
from lianxin.quality import actions as q
from tests.cases.ways import at_state, take, walk
from tests.world import World

pytestmark = pytest.mark.django_db


def promise(case_id: uuid.UUID, round: int = 1) -> Clock:
    return Clock.objects.get(case=case_id, kind=ClockKind.RESOLVE, assignment__isnull=True, round=round)


def events(case_id: uuid.UUID) -> int:
    return Event.objects.filter(case=case_id).count()


@pytest.fixture
def overdue(world: World, monday: Frozen) -> uuid.UUID:
    """A complaint in hand whose five working days are over."""
    case_id = at_state(world, State.IN_HAND)
    monday.move(days=10)
    assert promise(case_id).due_at < Frozen().move()
    return case_id


@pytest.mark.parametrize(("action", "fields"), [
    ("suspend", {}), ("ask_extension", {}), ("ask_extension", {"minutes": None, "complex": True})])
def test_what_is_overdue_is_neither_paused_nor_extended(world: World, overdue: uuid.UUID, action: str,
                                                        fields: dict[str, Any]) -> None:
    before, count = promise(overdue), events(overdue)
    with pytest.raises(DomainError):
        take(world, overdue, action, **fields)
    after = promise(overdue)
    assert (after.due_at, after.paused_at, after.extended_minutes) == (before.due_at, None, 0)
    assert events(overdue) == count


def test_a_pause_gives_back_what_it_took_and_no_more(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    before = promise(case_id)
    take(world, case_id, "suspend")
    monday.move(minutes=60)
    take(world, case_id, "resume_work")
    after = promise(case_id)
    assert after.paused_minutes == 60
    assert after.due_at - before.due_at == timedelta(minutes=60)
    told = Event.objects.filter(case=case_id, action__in=["suspend", "resume_work"])
    assert all(event.public for event in told)
    assert differences(case_id) == []


def test_whoever_asks_for_time_does_not_grant_it(world: World, monday: Frozen) -> None:
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.DISPATCHER, unit=world.units["hotline"])
    RoleGrant.objects.create(staff=world.staff["urban2"], role=Role.SUPERVISOR, unit=world.units["hotline"])
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "ask_extension")
    for name in ("urban", "urban2"):  # neither the asker nor a colleague of the unit
        with pytest.raises(DomainError):
            take(world, case_id, "grant_extension", by=name)
    assert promise(case_id).extended_minutes == 0


def test_closing_and_reopening_leaves_the_missed_promise_missed(world: World, overdue: uuid.UUID) -> None:
    walk(world, overdue, ("reply", "approve", "record_callback_attempt", "close", "reopen"))
    first, second = promise(overdue, 1), promise(overdue, 2)
    assert first.met_at is not None
    assert first.met_at > first.due_at
    assert second.started_at > first.due_at
    assert Case.objects.get(pk=overdue).round == 2


def test_withdrawing_does_not_make_a_late_case_timely(world: World, overdue: uuid.UUID) -> None:
    take(world, overdue, "withdraw", by="reporter")
    clock = promise(overdue)
    assert clock.stopped_at is not None
    assert clock.stopped_at > clock.due_at


def test_a_case_is_never_split(world: World, monday: Frozen) -> None:
    """No action makes a case of a case: every case comes from somebody's words."""
    assert [row.action for row in TABLE if row.makes_case] == ["register"]
    assert not any("split" in row.action for row in TABLE)


def test_merging_an_overdue_case_away_leaves_it_overdue(world: World, overdue: uuid.UUID, monday: Frozen) -> None:
    before = promise(overdue)
    master = at_state(world, State.IN_HAND)
    take(world, master, "merge", duplicates=[str(overdue)])
    assert Case.objects.get(pk=overdue).state == State.MERGED
    during = promise(overdue)
    assert (during.pk, during.due_at, during.running) == (before.pk, before.due_at, True)
    walk(world, master, ("reply", "approve"))
    after = promise(overdue)
    assert after.met_at is not None
    assert after.met_at > after.due_at
    assert differences(overdue) == differences(master) == []


def test_units_do_not_merge(world: World, monday: Frozen) -> None:
    case_id, other = at_state(world, State.IN_HAND), at_state(world, State.IN_HAND)
    for name in ("urban", "urban_head", "housing"):
        with pytest.raises((NotAllowed, NotFound)):
            take(world, case_id, "merge", by=name, duplicates=[str(other)])


@pytest.mark.parametrize("category", ["010101", "010102", "010103", "010104", "010105"])
def test_no_other_category_gives_more_time(world: World, monday: Frozen, category: str) -> None:
    case_id = at_state(world, State.ACCEPTED)
    before = promise(case_id).due_at
    try:
        take(world, case_id, "correct", category=category)
    except Invalid:
        assert category == "010102"
    assert promise(case_id).due_at <= before


def test_redispatching_starts_no_new_promise(world: World, overdue: uuid.UUID) -> None:
    before = promise(overdue)
    take(world, overdue, "redispatch")
    after = promise(overdue)
    assert (after.pk, after.due_at, after.started_at) == (before.pk, before.due_at, before.started_at)


def test_a_return_starts_no_new_promise(world: World, overdue: uuid.UUID) -> None:
    before = promise(overdue)
    walk(world, overdue, ("raise_return", "uphold_return"))
    take(world, overdue, "dispatch", lead_unit="housing", assisting_units=[])
    assert promise(overdue).due_at == before.due_at


def test_a_contact_of_yesterday_meets_the_clock_of_today(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.DISPATCHED)
    assigned = Frozen().move()
    monday.move(days=4)
    now = Frozen().move()
    take(world, case_id, "record_contact", contacted_at=assigned + timedelta(minutes=5))
    clock = Clock.objects.get(case=case_id, kind=ClockKind.FIRST_CONTACT)
    assert clock.met_at == now
    assert clock.met_at > clock.due_at
    assert Contact.objects.get(case=case_id).recorded_at == now
    with pytest.raises(Invalid):
        take(world, case_id, "record_contact", contacted_at=assigned - timedelta(days=1))


def test_nobody_of_the_unit_judges_its_own_case(world: World, monday: Frozen) -> None:
    for role in (Role.REVIEWER, Role.CALLBACK):
        RoleGrant.objects.create(staff=world.staff["urban2"], role=role, unit=world.units["hotline"])
    case_id = at_state(world, State.REPLIED)
    with pytest.raises(NotAllowed):
        take(world, case_id, "approve", by="urban2")
    take(world, case_id, "approve")
    with pytest.raises(NotAllowed):
        take(world, case_id, "record_callback_attempt", by="urban2")
    assert BY_ACTION["rate"].holders == {Holder.REPORTER}
    for name in ("urban", "urban2", "dispatcher", "supervisor", "stranger", "system"):
        with pytest.raises((NotAllowed, NotFound)):
            take(world, case_id, "rate", by=name)


def test_a_closing_without_contact_cannot_be(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    with pytest.raises(Invalid) as caught:
        a.reply(world.on(case_id, "urban"), public_answer="已办好。", solved=True)
    assert "means" in caught.value.fields
    with pytest.raises(Conflict):
        q.close(world.on(case_id, "callback"))


def test_the_catalogue_of_the_past_stays(world: World, monday: Frozen) -> None:
    version = CatalogueVersion.objects.get()
    rule = CatalogueRule.objects.filter(version=version).first()
    assert rule is not None
    tries = (
        lambda: CatalogueRule.objects.filter(pk=rule.pk).update(lead_unit=world.units["water"]),
        lambda: CatalogueRule.objects.filter(pk=rule.pk).delete(),
        lambda: CatalogueVersion.objects.filter(pk=version.pk).update(in_force_from=Frozen().move() - timedelta(days=9)),
    )
    for cheat in tries:
        with pytest.raises(DatabaseError), transaction.atomic():
            cheat()
