"""Reminders and written supervision: numbers without gaps, clocks that only move forward, an answer someone else accepts."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import Case, Clock, ClockKind, State, Supervised, Suspension
from lianxin.cases.rebuild import differences
from lianxin.desk.reading import choices_for
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, NotAllowed
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant
from lianxin.supervision import actions as s
from lianxin.supervision.models import Level, Order, OrderState
from lianxin.supervision.queries import orders_for
from tests.cases.ways import at_state, take, walk
from tests.world import World

pytestmark = pytest.mark.django_db


def _clock(case_id: uuid.UUID, kind: ClockKind) -> Clock:
    return Clock.objects.filter(case=case_id, kind=kind, assignment__isnull=True).latest("started_at")


def test_numbers_run_without_gaps_in_each_book(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "urge")
    take(world, case_id, "urge")
    take(world, case_id, "supervise")
    assert list(Order.objects.order_by("issued_at", "id").values_list("level", "year", "serial")) == [
        ("reminder", 2026, 1), ("reminder", 2026, 2), ("written", 2026, 1)]
    monday.move(days=60)
    take(world, at_state(world, State.IN_HAND), "urge")
    assert Order.objects.latest("issued_at").number == "催办〔2027〕1 号"


def test_a_refused_order_uses_no_number(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    with pytest.raises(Conflict) as caught:
        take(world, case_id, "supervise")
    assert caught.value.code == "supervised_already"
    other = at_state(world, State.IN_HAND)
    take(world, other, "supervise")
    assert Order.objects.get(case=other).serial == 2


def test_supervision_brings_forward_and_never_postpones(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.DISPATCHED)  # a complaint: five working days
    before = _clock(case_id, ClockKind.RESOLVE).due_at
    take(world, case_id, "supervise")
    after = _clock(case_id, ClockKind.RESOLVE)
    assert after.due_at < before  # three working days
    assert Case.objects.get(pk=case_id).due_at == after.due_at
    late = at_state(world, State.IN_HAND)
    monday.move(days=9)  # a day before it would have been over anyway
    due = _clock(late, ClockKind.RESOLVE).due_at
    take(world, late, "supervise")
    assert _clock(late, ClockKind.RESOLVE).due_at == due  # what is overdue stays overdue
    assert differences(case_id) == differences(late) == []


def test_a_reminder_moves_no_clock(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    before = list(Clock.objects.filter(case=case_id).values_list("pk", "due_at"))
    take(world, case_id, "urge")
    assert list(Clock.objects.filter(case=case_id).values_list("pk", "due_at")) == before
    assert Case.objects.get(pk=case_id).supervised == Supervised.REMINDER


def test_an_answer_is_owed_given_refused_and_accepted(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    owed = _clock(case_id, ClockKind.SUPERVISION)
    assert owed.due_at > owed.started_at
    take(world, case_id, "answer_supervision")
    owed.refresh_from_db()
    assert owed.met_at is not None
    monday.move(minutes=5)
    take(world, case_id, "refuse_supervision_answer")
    assert Order.objects.get(case=case_id).state == OrderState.OPEN
    again = _clock(case_id, ClockKind.SUPERVISION)
    assert again.pk != owed.pk
    assert again.running
    take(world, case_id, "answer_supervision", by="urban_head")
    take(world, case_id, "accept_supervision_answer")
    order = Order.objects.get(case=case_id)
    assert (order.state, order.answered_by, order.settled_by) == (
        OrderState.SETTLED, world.staff["urban_head"], world.staff["supervisor"])
    assert Case.objects.get(pk=case_id).supervised == Supervised.NONE
    with pytest.raises(Conflict) as caught:
        take(world, case_id, "answer_supervision")
    assert caught.value.code == "no_such_order"
    assert differences(case_id) == []


def test_only_the_unit_that_holds_the_case_answers(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    for name in ("water", "west", "dispatcher", "supervisor", "leader"):
        with pytest.raises(NotAllowed):
            take(world, case_id, "answer_supervision", by=name)
    take(world, case_id, "redispatch")  # to housing: the answer goes with the case
    take(world, case_id, "answer_supervision", by="housing")
    assert Order.objects.get(case=case_id).answered_by == world.staff["housing"]


def test_a_case_that_ends_takes_its_order_with_it(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    take(world, case_id, "withdraw")
    assert not _clock(case_id, ClockKind.SUPERVISION).running
    actor = world.actor("supervisor")
    assert [one.case_id for one in orders_for(actor).rows] == [case_id]
    assert orders_for(actor, state="open").rows == []


@pytest.mark.parametrize(("name", "sees"), [
    ("supervisor", True), ("leader", True), ("urban", True), ("urban_head", True), ("housing", False),
    ("east_supervisor", True), ("bridge", False)])
def test_orders_are_seen_by_those_who_see_the_case(world: World, monday: Frozen, name: str, sees: bool) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    actor: Actor = world.actor(name)
    assert [one.case_id for one in orders_for(actor).rows] == ([case_id] if sees else [])


def test_orders_come_in_pages(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    for _ in range(5):
        monday.move(minutes=1)
        take(world, case_id, "urge")
    actor, seen, after = world.actor("supervisor"), [], ""
    for _ in range(3):
        page = orders_for(actor, limit=2, after=after)
        seen += [one.serial for one in page.rows]
        after = page.after
    assert seen == [5, 4, 3, 2, 1]
    assert after == ""
    assert {one.said for one in orders_for(actor).rows} == {"明天到期，请抓紧。"}  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_two_supervisors_at_once_get_two_numbers(world: World) -> None:
    cases = [at_state(world, State.IN_HAND) for _ in range(2)]
    failed: list[BaseException] = []

    def issue(case_id: uuid.UUID) -> None:
        try:
            s.urge(On(case_id, world.actor("supervisor")), words="请抓紧。")
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=issue, args=(case_id,)) for case_id in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(Order.objects.filter(level=Level.REMINDER).values_list("serial", flat=True)) == [1, 2]


def test_supervision_of_a_paused_case_does_not_move_its_pause(world: World, monday: Frozen) -> None:
    """Whatever is paused keeps its pause; the case is due no later for it."""
    case_id = at_state(world, State.IN_HAND)
    a.record_contact(world.on(case_id, "urban"), means="phone", reached=True)
    resolve = _clock(case_id, ClockKind.RESOLVE)
    take(world, case_id, "suspend")
    take(world, case_id, "supervise")
    now = _clock(case_id, ClockKind.RESOLVE)
    assert now.paused_at is not None
    assert now.due_at <= resolve.due_at
    assert now.next_at == Suspension.objects.get(case=case_id).until  # the pause ends when it was said to
    monday.move(minutes=1)
    assert now.due_at - now.started_at <= timedelta(days=14)
    assert differences(case_id) == []


def test_nobody_judges_the_answer_of_a_case_of_their_own_unit(world: World, monday: Frozen) -> None:
    """Who answers as a clerk and supervises too is refused with the reason, before the database has to."""
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.SUPERVISOR, unit=world.units["hotline"])
    s.answer_supervision(world.on(case_id, "urban"), words="已查明。")
    for act in (lambda on: s.accept_supervision_answer(on), lambda on: s.refuse_supervision_answer(on, reason="不够。")):
        with pytest.raises(NotAllowed) as caught:
            act(world.on(case_id, "urban"))
        assert "督办答复须由其他单位的人员认定" in str(caught.value)
    s.accept_supervision_answer(world.on(case_id, "supervisor"))


@pytest.mark.parametrize("answered", [False, True])
def test_an_order_ends_with_its_case(world: World, monday: Frozen, answered: bool) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    if answered:
        take(world, case_id, "answer_supervision")
    for step in ("reply", "approve", "record_callback_attempt", "close"):
        take(world, case_id, step)
    case, order = Case.objects.get(pk=case_id), Order.objects.get(case=case_id)
    assert (case.state, case.supervised, order.state) == (State.CLOSED, Supervised.NONE, OrderState.LAPSED)
    assert differences(case_id) == []
    boss = world.actor("supervisor")
    assert [one.state for one in orders_for(boss, state="lapsed").rows] == ["lapsed"]
    assert orders_for(boss, state="open").rows == orders_for(boss, state="answered").rows == []
    take(world, case_id, "contest")
    take(world, case_id, "record_callback_attempt", solved=False)
    take(world, case_id, "supervise")  # nothing of before stands in the way
    assert Case.objects.get(pk=case_id).supervised == Supervised.WRITTEN


def test_only_the_next_step_of_a_written_supervision_is_offered(world: World, monday: Frozen) -> None:
    steps = {"supervise", "answer_supervision", "accept_supervision_answer", "refuse_supervision_answer"}
    case_id = walk(world, world.case(), ("accept", "dispatch"))

    def offered() -> set[str]:
        case = Case.objects.get(pk=case_id)
        assignments = list(case.assignments.all())
        return {choice.action for name in ("urban", "supervisor") for choice in choices_for(world.actor(name), case, assignments)
                } & steps

    assert offered() == {"supervise"}
    take(world, case_id, "supervise")
    assert offered() == {"answer_supervision"}
    take(world, case_id, "answer_supervision")
    assert offered() == {"accept_supervision_answer", "refuse_supervision_answer"}
    take(world, case_id, "accept_supervision_answer")
    assert offered() == {"supervise"}
