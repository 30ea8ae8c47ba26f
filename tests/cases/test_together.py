"""Several at once, on connections of their own: one wins, the others are told, nothing happens twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from lianxin.cases import actions as a
from lianxin.cases.engine import Done, On
from lianxin.cases.messages import announce_event
from lianxin.cases.models import Assignment, Case, Event, Notification, State, Submission
from lianxin.cases.rebuild import differences
from lianxin.kernel.errors import Conflict, DomainError, Invalid
from lianxin.organisations.actors import reporter_for
from tests.cases.gateways import Counting
from tests.cases.ways import ACTIONS, actor, at_state, fields_for, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run each on its own connection, all from the same moment. Returns values, or the domain error that came."""
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            return job()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def step(world: World, case_id: uuid.UUID, action: str, name: str, *, version: int | None = None,
         key: bytes | None = None, **fields: Any) -> Callable[[], Done]:
    """One action, ready to run: whatever it needs is read before."""
    who = actor(world, case_id, name)
    values = fields_for(action, who) | fields
    return lambda: ACTIONS[action](On(case_id, who, version=version, key=key), **values)


def parted(results: list[Any]) -> tuple[list[Done], list[DomainError]]:
    return [r for r in results if isinstance(r, Done)], [r for r in results if isinstance(r, DomainError)]


def test_two_on_one_case(world: World) -> None:
    # Two clerks sign, both having seen the same version.
    case_id = at_state(world, State.DISPATCHED)
    seen = Case.objects.get(pk=case_id).version
    won, lost = parted(at_once(step(world, case_id, "sign", "urban", version=seen),
                               step(world, case_id, "sign", "urban2", version=seen)))
    assert len(won) == len(lost) == 1
    assert isinstance(lost[0], Conflict)
    assert lost[0].current == {"version": seen + 1, "state": "in_hand", "seen": seen}
    # The same without a version: the state has moved on.
    case_id = at_state(world, State.DISPATCHED)
    won, lost = parted(at_once(step(world, case_id, "sign", "urban"), step(world, case_id, "sign", "urban2")))
    assert len(won) == len(lost) == 1
    assert (lost[0].code, lost[0].current["state"]) == ("wrong_state", "in_hand")
    # Reviewers of different minds.
    case_id = at_state(world, State.REPLIED)
    won, lost = parted(at_once(step(world, case_id, "approve", "reviewer"), step(world, case_id, "send_back", "reviewer")))
    assert len(won) == len(lost) == 1
    assert Case.objects.get(pk=case_id).state == won[0].state
    # Two dispatchers add the same assisting unit.
    case_id = at_state(world, State.IN_HAND)
    won, lost = parted(at_once(*[step(world, case_id, "add_assisting", "dispatcher") for _ in range(2)]))
    assert len(won) == len(lost) == 1
    assert isinstance(lost[0], Invalid)
    assert Assignment.objects.filter(case=case_id, unit=world.units["east"]).count() == 1
    # The reporter rates twice.
    case_id = at_state(world, State.CALLBACK)
    won, lost = parted(at_once(*[step(world, case_id, "rate", "reporter") for _ in range(2)]))
    assert len(won) == len(lost) == 1
    assert lost[0].code == "rated_already"
    for case in Case.objects.all():
        assert differences(case.pk) == []


def test_dispatch_and_withdraw_race(world: World) -> None:
    for _round in range(6):
        case_id = at_state(world, State.ACCEPTED)
        results = at_once(step(world, case_id, "dispatch", "dispatcher"), step(world, case_id, "withdraw", "reporter"))
        dispatched, withdrawn = results
        assert isinstance(withdrawn, Done)  # from either state one may withdraw
        case = Case.objects.get(pk=case_id)
        assert case.state == State.WITHDRAWN
        assert not Assignment.objects.filter(case=case, ended_at__isnull=True).exists()
        assert Assignment.objects.filter(case=case).exists() == isinstance(dispatched, Done)
        if not isinstance(dispatched, Done):
            assert (dispatched.code, dispatched.current["state"]) == ("wrong_state", "withdrawn")
        assert differences(case_id) == []


def test_the_same_write_sent_three_times_at_once_happens_once(world: World) -> None:
    case_id = at_state(world, State.IN_HAND)
    count = Event.objects.filter(case=case_id).count()
    sent = [step(world, case_id, "add_information", "reporter", key=b"a" * 32) for _ in range(3)]
    won, lost = parted(at_once(*sent))
    assert not lost
    assert len({done.event_id for done in won}) == 1
    assert sorted(done.replayed for done in won) == [False, True, True]
    assert Event.objects.filter(case=case_id).count() == count + 1
    # A step that moves the case: the second finds the state changed, and yet is answered as the first.
    case_id = at_state(world, State.IN_HAND)
    won, lost = parted(at_once(*[step(world, case_id, "reply", "urban", key=b"b" * 32) for _ in range(3)]))
    assert not lost
    assert {(done.event_id, done.state, done.version) for done in won} == {(won[0].event_id, "replied", won[0].version)}
    # Registering.
    before = Case.objects.count()
    intake = a.Intake(words="路灯不亮。", phone="13812342201")
    made = at_once(*[lambda: a.register(intake=intake, by=RESIDENT, key=b"c" * 32) for _ in range(3)])
    assert len({(one.case_id, one.number, one.tracking_code) for one in made}) == 1
    assert sorted(one.replayed for one in made) == [False, True, True]
    assert Case.objects.count() == before + 1
    # The same key for two cases: a mistake of the client's, said as such.
    first, second = world.case(), world.case()
    won, lost = parted(at_once(step(world, first, "accept", "operator", key=b"d" * 32),
                               step(world, second, "accept", "operator", key=b"d" * 32)))
    assert len(won) == len(lost) == 1
    assert lost[0].code == "key_reused"
    assert Submission.objects.filter(key=b"d" * 32).count() == 1
    assert {case.state for case in Case.objects.filter(pk__in=(first, second))} == {"registered", "accepted"}


def test_waiting_in_vain_is_told_and_nothing_is_written(world: World) -> None:
    case_id = at_state(world, State.DISPATCHED)
    count = Event.objects.count()
    held, done = threading.Event(), threading.Event()
    who = world.actor("urban")

    def hold() -> None:
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=case_id)
            held.set()
            done.wait(timeout=30)

    def impatient(key: bytes | None) -> Callable[[], Any]:
        def run() -> Any:
            held.wait(timeout=30)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            try:
                return a.sign(On(case_id, who, key=key))
            finally:
                if key is None:
                    done.set()
        return run

    def both() -> list[Any]:
        found = []
        for key in (b"e" * 32, None):
            try:
                found.append(impatient(key)())
            except DomainError as error:
                found.append(error)
        return found

    _none, results = at_once(hold, both)
    for result in results:
        assert isinstance(result, Conflict)
        assert result.code == "held_by_another"
        assert str(result)
    assert Event.objects.count() == count
    assert take(world, case_id, "sign").state == "in_hand"


def test_two_workers_announce_the_same_event(world: World, settings: Any) -> None:
    settings.LIANXIN_MESSAGE_GATEWAY = "tests.cases.gateways.Counting"
    Counting.sent.clear()
    case_id = at_state(world, State.DISPATCHED)
    event = Event.objects.get(case=case_id, action="dispatch")
    at_once(*[lambda: announce_event(str(event.pk)) for _ in range(3)])
    notification = Notification.objects.get(event_id=event.pk)
    assert (notification.status, notification.attempts) == ("sent", 1)
    assert [phone for phone, _text in Counting.sent] == ["13812342201"]


def test_a_busy_case_stays_whole(world: World) -> None:
    """Eight people, each with something to say about the same case."""
    case_id = at_state(world, State.IN_HAND)
    count = Event.objects.filter(case=case_id).count()
    reporter = reporter_for(case_id)
    jobs: list[Callable[[], Any]] = [
        *[lambda: a.add_information(On(case_id, reporter), words="还在响。") for _ in range(2)],
        step(world, case_id, "record_contact", "urban"), step(world, case_id, "record_contact", "west"),
        step(world, case_id, "assist_sign", "water"), step(world, case_id, "assist_reply", "west"),
        step(world, case_id, "hand_to_colleague", "urban"), step(world, case_id, "reply", "urban"),
    ]
    won, lost = parted(at_once(*jobs))
    assert len(won) + len(lost) == len(jobs)
    assert all(error.code == "wrong_state" for error in lost)
    assert Event.objects.filter(case=case_id).count() == count + len(won)
    assert Case.objects.get(pk=case_id).state == State.REPLIED
    assert differences(case_id) == []
