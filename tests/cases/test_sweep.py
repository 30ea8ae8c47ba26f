"""The sweep: everything is said once, to the right people, whether it runs twice, late, by two workers, or is killed."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from lianxin.cases import reference, sweep
from lianxin.cases.actions import telling
from lianxin.cases.models import Case, Clock, Event, MissedCall, Notice, NoticeRule, State, Suspension
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen, now
from lianxin.places.models import City
from tests.cases.test_clocks import local
from tests.cases.test_pausing import in_hand, resolve
from tests.cases.ways import at_state, take
from tests.world import EPOCH, World

pytestmark = pytest.mark.django_db
SPEAKING = ("remind", "escalate", "circulate")


def notices(case_id: uuid.UUID, kind: str = "resolve") -> list[tuple[str, str, str]]:
    """Level, to whom, of which unit."""
    return sorted((one.level, one.to, one.unit.code if one.unit else "")
                  for one in Notice.objects.filter(case=case_id, kind=kind).select_related("unit"))


def spoken(case_id: uuid.UUID) -> list[str]:
    return list(Event.objects.filter(case=case_id, action__in=SPEAKING).order_by("id").values_list("action", flat=True))


def alone(world: World) -> uuid.UUID:
    """A complaint in the hands of `urban` alone, whose reporter was contacted: only the answer is owed."""
    case_id = world.accepted()
    take(world, case_id, "dispatch", assisting_units=[])
    take(world, case_id, "sign")
    take(world, case_id, "record_contact")
    assert [one.kind for one in Clock.objects.filter(sweep.RUNNING, case=case_id)] == ["resolve"]
    return case_id


# Due on Monday the 30th at 10:00: 20 % of five days left is one working day before, five days after is the 7th of December.
@pytest.mark.parametrize(("at", "told"), [
    ("2026-11-27 09:59", []),
    ("2026-11-27 10:00", [("reminder", "officer", "urban")]),
    ("2026-11-30 10:00", [("escalation", "supervisor", "urban"), ("escalation", "unit_head", "urban")]),
    ("2026-12-07 09:59", [("escalation", "supervisor", "urban"), ("escalation", "unit_head", "urban")]),
    ("2026-12-07 10:00", [("circular", "leader", "urban"), ("circular", "supervisor", "urban"),
                          ("escalation", "supervisor", "urban"), ("escalation", "unit_head", "urban")]),
])
def test_a_late_sweep_says_what_is_still_so(world: World, monday: Frozen, at: str, told: list[tuple[str, str, str]]) -> None:
    case_id = alone(world)
    monday.set(local(at))
    sweep.sweep()
    assert notices(case_id) == told
    assert len(spoken(case_id)) == bool(told)  # one event, however much it says
    before = Notice.objects.count(), Event.objects.count()
    assert sweep.sweep() == sweep.Swept()
    assert (Notice.objects.count(), Event.objects.count()) == before
    assert differences(case_id) == []


def test_minute_by_minute_each_is_said_at_its_moment(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    monday.set(local("2026-11-27 09:00"))
    for _hour in range(11 * 24):
        sweep.sweep()
        monday.move(hours=1)
    assert spoken(case_id) == list(SPEAKING)
    assert [one.at for one in Event.objects.filter(case=case_id, action__in=SPEAKING).order_by("id")] == [
        local("2026-11-27 10:00"), local("2026-11-30 10:00"), local("2026-12-07 10:00")]
    assert Notice.objects.get(case=case_id, to="officer").officer == world.staff["urban"]
    assert resolve(case_id).next_at is None
    events = Event.objects.filter(case=case_id, action__in=SPEAKING)
    assert not events.filter(public=True).exists()
    assert set(Notice.objects.filter(case=case_id).values_list("event_id", flat=True)) == {one.pk for one in events}


def test_who_owes_a_duty_is_told_of_it(world: World, monday: Frozen) -> None:
    cases = {state: at_state(world, state) for state in (
        State.REGISTERED, State.DISPATCHED, State.IN_HAND, State.OBJECTED, State.REPLIED, State.MERGED)}
    take(world, cases[State.REPLIED], "approve")
    monday.move(days=14)
    sweep.sweep()
    told = {(state, one.kind, one.to, one.unit.code if one.unit else "") for state, case_id in cases.items()
            for one in Notice.objects.filter(case=case_id, to="unit_head").select_related("unit")}
    assert {(kind, unit) for state, kind, _to, unit in told if state == State.REGISTERED} == {
        ("resolve", "hotline"), ("first_contact", "hotline")}
    assert {(kind, unit) for state, kind, _to, unit in told if state == State.DISPATCHED} == {
        ("sign_for", "urban"), ("sign_for", "water"), ("resolve", "urban"), ("resolve", "water"), ("resolve", "west"),
        ("first_contact", "urban")}
    assert ("ruling", "hotline") in {(kind, unit) for state, kind, _to, unit in told if state == State.OBJECTED}
    assert {(kind, unit) for state, kind, _to, unit in told if state == State.REPLIED} == {
        ("callback", "hotline"), ("sign_for", "water"), ("resolve", "water"), ("resolve", "west")}  # who assists still owes
    assert {(kind, unit) for state, kind, _to, unit in told if state == State.MERGED} == {
        ("resolve", "urban"), ("first_contact", "urban")}
    assert all(differences(case_id) == [] for case_id in cases.values())


def test_a_pause_over_goes_on_by_itself_and_is_not_reminded_meanwhile(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    monday.set(local("2026-11-26 10:00"))
    take(world, case_id, "suspend", until=local("2026-12-01 10:00"))
    monday.set(local("2026-12-01 09:59"))
    assert sweep.sweep() == sweep.Swept()
    monday.move(days=1)  # a day of downtime
    assert sweep.sweep() == sweep.Swept(pauses=1)
    row = Suspension.objects.get(case=case_id)
    assert (row.ended, row.ended_at) == ("lapsed", monday.move())
    # The time stood still until the sweep: that is what happened, and what the reporter was shown.
    assert resolve(case_id).paused_minutes == 419 + 3 * 420 == row.minutes
    assert resolve(case_id).due_at == local("2026-12-04 09:59")
    assert spoken(case_id) == []
    monday.set(local("2026-12-03 09:59"))
    sweep.sweep()
    assert notices(case_id) == [("reminder", "officer", "urban")]
    assert differences(case_id) == []


def test_a_new_due_time_is_spoken_of_again(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    monday.set(local("2026-11-27 11:00"))
    sweep.sweep()
    take(world, case_id, "ask_extension", minutes=840)
    take(world, case_id, "grant_extension")
    assert resolve(case_id).next_at == local("2026-11-30 15:12")  # 20 % of seven days is 588 minutes
    monday.set(local("2026-12-01 10:00"))
    sweep.sweep()
    assert notices(case_id) == [("reminder", "officer", "urban")] * 2


def test_a_step_just_before_a_late_sweep_takes_nothing_away(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    monday.set(local("2026-11-30 10:30"))  # fell due half an hour ago, nobody has swept
    take(world, case_id, "ask_colleague")
    take(world, case_id, "correct", kind="report")
    sweep.sweep()
    assert ("escalation", "unit_head", "urban") in notices(case_id)


def test_what_is_done_is_not_spoken_of(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    take(world, case_id, "reply")
    monday.move(days=30)
    sweep.sweep()
    assert notices(case_id) == []


def missed(at: Any) -> Clock:
    call = MissedCall.objects.create(first_at=at, last_at=at, phone=b"x", phone_hash=uuid.uuid4().bytes * 2)
    clock = Clock(missed_call=call, kind="missed_call", calendar="around_the_clock", limit_minutes=60, started_at=at,
                  due_at=at + timedelta(hours=1))
    clock.next_at = at + timedelta(minutes=48)
    clock.save()
    return clock


def test_a_call_that_nobody_returned_is_told_without_a_case(world: World, monday: Frozen) -> None:
    clock = missed(monday.move())
    monday.move(minutes=48)
    assert sweep.sweep() == sweep.Swept(calls=1)
    assert list(Notice.objects.values_list("level", "to", "unit__code", "case")) == [("reminder", "officer", "hotline", None)]
    monday.move(days=3)
    assert sweep.sweep().calls == 1
    assert sweep.sweep() == sweep.Swept()
    clock.refresh_from_db()
    assert clock.next_at is None
    assert Event.objects.count() == 0


def test_killed_in_the_middle_it_goes_on_where_it_was(world: World, monday: Frozen) -> None:
    cases = [alone(world) for _each in range(4)]
    monday.set(local("2026-11-30 10:00"))
    real, count = telling.write, 0

    def dies(*args: Any, **more: Any) -> None:
        nonlocal count
        real(*args, **more)
        count += 1
        if count == 3:
            raise SystemExit

    with patch.object(telling, "write", dies), pytest.raises(SystemExit):
        sweep.sweep()
    assert sum(bool(spoken(case_id)) for case_id in cases) == 2
    assert sweep.sweep().cases == 2
    assert all(spoken(case_id) == ["escalate"] and len(notices(case_id)) == 2 for case_id in cases)


def test_one_case_that_cannot_be_told_of_keeps_no_other_from_its_moment(world: World, monday: Frozen) -> None:
    cases = [alone(world) for _each in range(4)]
    monday.set(local("2026-11-30 10:00"))
    real, count = telling.write, 0

    def fails(*args: Any, **more: Any) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise LookupError("a row is broken")
        real(*args, **more)

    with patch.object(telling, "write", fails), pytest.raises(LookupError):
        sweep.sweep()
    assert sum(bool(spoken(case_id)) for case_id in cases) == 3


def test_a_call_that_cannot_be_told_of_keeps_no_case_from_its_moment(world: World, monday: Frozen) -> None:
    missed(monday.move())
    case_id = alone(world)
    monday.set(local("2026-11-30 10:00"))
    with patch.object(sweep, "tell_of_missed_call", side_effect=LookupError("a row is broken")), pytest.raises(LookupError):
        sweep.sweep()
    assert spoken(case_id) == ["escalate"]
    assert sweep.sweep().calls == 1


def test_a_case_that_somebody_holds_waits_a_minute_and_no_other_does(world: World, monday: Frozen) -> None:
    first, second = alone(world), alone(world)
    monday.set(local("2026-11-30 10:00"))
    real = sweep._of_case

    def held(case_id: uuid.UUID) -> tuple[int, int]:
        from lianxin.kernel.errors import Conflict

        if case_id == first:
            raise Conflict("held", code="held_by_another")
        return real(case_id)

    with patch.object(sweep, "_of_case", held):
        assert sweep.sweep(batch=1) == sweep.Swept(cases=1, held=1)
    assert (spoken(first), spoken(second)) == ([], ["escalate"])
    assert sweep.sweep() == sweep.Swept(cases=1)


def settled(at: Any) -> None:
    """As if the city had been loaded a while ago."""
    City.objects.update(loaded_at=at - timedelta(minutes=1))
    reference.forget()


def test_when_the_rules_change_running_clocks_wait_for_other_moments(world: World, monday: Frozen) -> None:
    case_id, paused = alone(world), in_hand(world)
    take(world, paused, "suspend")
    waits = resolve(paused).next_at
    assert resolve(case_id).next_at == local("2026-11-27 10:00")
    sweep.sweep()
    assert not NoticeRule.objects.filter(armed=False).exists()
    NoticeRule.objects.create(code="half", level="reminder", kinds=["resolve"], share_left="0.500", to=["unit_head"], valid_from=EPOCH)
    NoticeRule.objects.filter(code="reminder").update(valid_to=local("2026-11-23 00:00").date())
    settled(monday.move())
    done = sweep.sweep()
    assert done.armed >= 2
    assert resolve(case_id).next_at == local("2026-11-25 14:30")
    assert resolve(paused).next_at == waits
    assert set(NoticeRule.objects.values_list("code", "armed")) == {
        ("half", True), ("reminder", False), ("escalation", True), ("circular", True)}
    assert sweep.sweep().armed == 0
    monday.set(local("2026-11-27 10:00"))
    sweep.sweep()
    assert notices(case_id) == [("reminder", "unit_head", "urban")]


def test_a_new_rule_says_nothing_of_the_past_and_a_changed_one_loses_nothing(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    sweep.sweep()
    monday.set(local("2026-11-30 10:00"))
    NoticeRule.objects.create(code="early", level="reminder", share_left="0.900", to=["leader"], valid_from=EPOCH)
    NoticeRule.objects.create(code="next_day", level="circular", minutes_after=420, to=["leader"], valid_from=EPOCH)
    settled(monday.move())
    sweep.sweep()
    assert notices(case_id) == [("escalation", "supervisor", "urban"), ("escalation", "unit_head", "urban")]
    monday.set(local("2026-12-01 10:00"))
    sweep.sweep()
    assert ("circular", "leader", "urban") in notices(case_id)


def test_a_rule_of_tomorrow_is_waited_for_from_tomorrow(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    NoticeRule.objects.create(code="half", level="reminder", share_left="0.500", to=["unit_head"],
                              valid_from=local("2026-11-24 00:00").date())
    settled(monday.move())
    sweep.sweep()
    assert resolve(case_id).next_at == local("2026-11-27 10:00")
    monday.set(local("2026-11-24 00:00"))
    assert sweep.sweep().armed > 0
    assert resolve(case_id).next_at == local("2026-11-25 14:30")


def test_rules_loaded_a_moment_ago_are_left_to_settle(world: World, monday: Frozen) -> None:
    alone(world)
    sweep.sweep()
    NoticeRule.objects.create(code="half", level="reminder", share_left="0.500", to=["unit_head"], valid_from=EPOCH)
    City.objects.update(loaded_at=monday.move())
    assert sweep.sweep().armed == 0
    monday.move(seconds=11)
    assert sweep.sweep().armed > 0


def test_it_asks_as_much_as_is_due(world: World, monday: Frozen) -> None:
    for _each in range(6):
        alone(world)
    sweep.sweep()
    with CaptureQueriesContext(connection, ) as idle:
        sweep.sweep()
    assert len(idle) <= 3
    plan = " ".join(str(row) for row in _plan())
    assert "clock_next" in plan


def _plan() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")  # so few rows are any index's to read
        query = Clock.objects.filter(sweep.RUNNING, next_at__lte=now()).order_by("next_at", "id")[:500].query
        sql, parameters = query.sql_with_params()
        cursor.execute("EXPLAIN " + sql, parameters)
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_say_everything_once(world: World, monday: Frozen) -> None:
    cases = [alone(world) for _each in range(12)]
    calls = [missed(monday.move()) for _each in range(3)]
    monday.set(local("2026-11-30 10:00"))
    start, faults, done = threading.Barrier(2), list[BaseException](), list[sweep.Swept]()

    def work() -> None:
        try:
            start.wait()
            done.append(sweep.sweep(batch=5))
        except BaseException as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(one.cases for one in done) == len(cases)
    assert sum(one.calls for one in done) == len(calls)
    for case_id in cases:
        assert spoken(case_id) == ["escalate"]
        assert notices(case_id) == [("escalation", "supervisor", "urban"), ("escalation", "unit_head", "urban")]
        assert Case.objects.get(pk=case_id).version == Event.objects.filter(case=case_id).latest("id").version
        assert differences(case_id) == []
    assert Notice.objects.filter(case__isnull=True).count() == 4 * len(calls)  # both have run out
