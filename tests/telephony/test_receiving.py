"""Taking in what the telephone system tells: once, in any order, with what follows from it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from lianxin.cases import keys
from lianxin.cases.models import MissedCall
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.actors import SYSTEM
from lianxin.telephony import housekeeping, receiving
from lianxin.telephony.models import AgentSpell, Call, CallEvent, CallState, EventKind, Line
from tests.privacy.search import in_database
from tests.telephony.ways import NUMBER, rings, said, seated, switchboard, told
from tests.world import World

pytestmark = pytest.mark.django_db
COLUMNS = ("state", "line", "agent_id", "began_at", "ringing_at", "answered_at", "ended_at", "recording")


def columns(call: Call) -> tuple[Any, ...]:
    return (*(getattr(call, name) for name in COLUMNS), receiving.number_of(call))


def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr("lianxin.kernel.live.tell", lambda topic, **ids: found.append({"topic": topic, **ids}))
    return found


def test_a_call_from_its_queue_to_its_recording(world: World, monday: Frozen) -> None:
    seated(world)
    call = rings()
    assert (call.state, call.line, call.agent and call.agent.extension) == ("ringing", "12345", "8001")
    monday.move(seconds=4)
    assert told("answered", extension="8001").state == "talking"
    monday.move(seconds=90)
    told("ended")
    done = told("recording", recording="https://rec.example/1.wav", at=now())
    assert (done.state, (done.ended_at - done.answered_at).seconds, done.recording) == ("ended", 90, "https://rec.example/1.wav")
    assert receiving.number_of(done) == NUMBER
    assert Line.objects.get().code == "12345"
    assert not MissedCall.objects.exists()


KINDS = [kind.value for kind in EventKind]


@hypothesis_settings(max_examples=40)
@given(st.data())
def test_the_database_comes_to_the_same_call_in_any_order(data: st.DataObject) -> None:
    with transaction.atomic():
        world = World.make()
        seated(world)
        seated(world, "dispatcher", "8002")
        base = now() - timedelta(minutes=3)
        drawn = data.draw(st.lists(st.tuples(
            st.sampled_from(KINDS), st.integers(0, 9), st.sampled_from(["", "8001", "8002", "9999"]),
            st.sampled_from(["", NUMBER, "13700000000"]), st.sampled_from(["", "a.wav", "b.wav"]), st.sampled_from(["", "12345"])),
            min_size=1, max_size=7))
        events = [said(kind, at=base + timedelta(seconds=second), extension=extension, number=number, recording=recording, line=line)
                  for kind, second, extension, number, recording, line in drawn]
        sent = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))]))
        seen = []
        for index, order in enumerate((events, sent)):
            for event in order:
                receiving.receive(replace(event, call=f"c{index}", id=f"{index}{event.id}"), by=SYSTEM)
            seen.append(columns(Call.objects.get(system_id=f"c{index}")))
            for username in ("operator", "dispatcher"):
                assert AgentSpell.objects.filter(agent__staff=world.staff[username], ended_at__isnull=True).count() == 1
        assert seen[0] == seen[1]
        assert CallEvent.objects.count() == 2 * len(events)
        transaction.set_rollback(True)


def test_told_again_it_changes_nothing_and_told_otherwise_it_is_refused(world: World, monday: Frozen) -> None:
    event = said("ringing", number=NUMBER)
    first = receiving.receive(event, by=SYSTEM)
    monday.move(minutes=1)
    again = receiving.receive(event, by=SYSTEM)
    assert (again.call_id, again.state, again.replayed) == (first.call_id, CallState.RINGING, True)
    with pytest.raises(Conflict) as caught:
        receiving.receive(replace(event, number="13700000000"), by=SYSTEM)
    assert caught.value.code == "key_reused"
    assert (Call.objects.count(), CallEvent.objects.count()) == (1, 1)


def test_who_may_tell(world: World, monday: Frozen) -> None:
    assert receiving.receive(said("queued"), by=switchboard(world)).state is CallState.QUEUED
    for by in (world.actor("operator"), world.actor("admin"), replace(switchboard(world), scopes=frozenset({"read"})),
               replace(switchboard(world), scopes=None)):
        with pytest.raises(NotAllowed):
            receiving.receive(said("queued"), by=by)


def test_what_cannot_be_taken_is_named_field_by_field(world: World, monday: Frozen) -> None:
    with pytest.raises(Invalid) as caught:
        receiving.receive(said("dance", call="", id="x" * 65, number="call me", at=now() + timedelta(hours=1)), by=SYSTEM)
    assert set(caught.value.fields) == {"kind", "call", "id", "at"}, "a number without digits is none"
    with pytest.raises(Invalid) as caught:
        receiving.receive(said("queued", number="12", at=now().replace(tzinfo=None)), by=SYSTEM)
    assert set(caught.value.fields) == {"number", "at"}
    with pytest.raises(Invalid):
        receiving.receive(said("queued", at=now() - timedelta(days=settings.LIANXIN_CALL_DAYS, hours=1)), by=SYSTEM)
    assert not Call.objects.exists()


def test_a_clock_that_runs_ahead_a_little_is_set_right(world: World, monday: Frozen) -> None:
    assert told("queued", at=now() + timedelta(minutes=2)).began_at == now()


def test_an_extension_where_nobody_sits_is_no_reason_to_lose_a_call(world: World, monday: Frozen) -> None:
    taken = receiving.receive(said("ringing", extension="7777"), by=SYSTEM)
    assert (taken.agent_known, taken.state) == (False, CallState.RINGING)
    seated(world)
    assert receiving.receive(said("answered", agent="operator"), by=SYSTEM).agent_known


def owed() -> None:
    """Run the jobs that wait, as the worker does."""
    for job in ProcrastinateJob.objects.filter(task_name="telephony.owe_call_back").order_by("id"):
        receiving.owe_call_back(uuid.UUID(job.args["call"]))


@pytest.mark.parametrize("end", ["abandoned", "missed", "ended"])
def test_a_call_nobody_took_is_called_back_once(world: World, monday: Frozen, end: str) -> None:
    seated(world)
    rings()
    began = now()
    monday.move(seconds=40)
    call = told(end, extension="8001")
    assert (call.state, call.agent_id) == ("missed" if end == "missed" else "abandoned", None)
    owed()
    told("ended")
    owed()
    owed()
    entry = MissedCall.objects.get()
    assert (entry.rings, entry.first_at, entry.line) == (1, began, "12345")
    call.refresh_from_db()
    assert call.missed_call_id == entry.pk


def test_what_was_told_late_owes_nothing(world: World, monday: Frozen) -> None:
    seated(world)
    told("ended", at=now(), number=NUMBER)
    told("answered", at=now() - timedelta(seconds=30), extension="8001")
    owed()
    assert not MissedCall.objects.exists()


def test_news_that_it_was_answered_ends_the_entry(world: World, monday: Frozen) -> None:
    seated(world)
    rings()
    told("ended")
    owed()
    monday.move(minutes=2)
    assert told("answered", at=now(), extension="8001").state == "ended"
    assert MissedCall.objects.get().outcome == "called_again"


def test_who_calls_again_and_is_answered_waits_no_longer(world: World, monday: Frozen) -> None:
    seated(world)
    rings("c1")
    told("abandoned", "c1")
    owed()
    monday.move(minutes=1)
    rings("c2")
    told("answered", "c2", extension="8001")
    assert MissedCall.objects.get().outcome == "called_again"
    rings("c3", number="13700000000")
    told("abandoned", "c3")
    rings("c4", number="13700000000", extension="8002")
    told("answered", "c4", extension="8002")
    owed()
    assert MissedCall.objects.count() == 1, "answered before the call back was written down"


def test_a_withheld_number_cannot_be_called_back(world: World, monday: Frozen) -> None:
    told("queued")
    told("abandoned")
    owed()
    assert (MissedCall.objects.count(), Call.objects.get().state) == (0, "abandoned")


def test_the_number_stands_nowhere_in_clear_and_goes_when_its_time_is_over(world: World, monday: Frozen) -> None:
    seated(world)
    rings()
    told("answered", extension="8001")
    told("transferred", to=NUMBER, extension="8001")
    told("ended")
    assert in_database([NUMBER]) == []
    assert {event.to for event in CallEvent.objects.all()} == {""}, "a long number is not written down"
    assert keys.usage()
    call = Call.objects.get()
    monday.move(days=settings.LIANXIN_CALL_DAYS, hours=1)
    assert housekeeping.empty_calls(now()) == 1
    call.refresh_from_db()
    assert (call.number, call.agent_id, call.emptied_at, CallEvent.objects.count()) == (None, None, now(), 0)
    assert call.answered_at is not None
    with pytest.raises(Conflict):
        told("recording", recording="late.wav")


def test_what_is_told_stays(world: World, monday: Frozen) -> None:
    from tests.cases.test_log import _refused

    rings()
    assert _refused("UPDATE telephony_callevent SET at = at - interval '1 hour'")
    assert _refused("DELETE FROM telephony_callevent")
    assert not _refused("DELETE FROM telephony_callevent", anonymising=True)
    assert _refused("UPDATE telephony_callevent SET at = at", anonymising=True)


def test_a_call_that_never_ended_is_ended(world: World, monday: Frozen) -> None:
    seated(world)
    rings()
    answered = told("answered", extension="8001").answered_at
    monday.move(hours=settings.LIANXIN_CALL_LOST_HOURS - 1)
    assert housekeeping.end_lost(now()) == 0
    monday.move(hours=2)
    assert housekeeping.end_lost(now()) == 1
    call = Call.objects.get()
    assert (call.state, call.ended_at) == ("ended", answered)
    assert housekeeping.end_lost(now()) == 0


def test_pages_are_told_with_ids_only(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    seated(world)
    found = heard(monkeypatch)
    call = rings()
    mine = [one for one in found if one["topic"] == f"agent:{world.staff['operator'].pk}"]
    assert mine
    assert {one.get("call") for one in mine} == {call.pk}
    assert {"topic": "queue"} in found
    assert NUMBER not in json.dumps(found, default=str)


@pytest.fixture
def listening() -> Iterator[Any]:
    import psycopg

    parameters = connection.get_connection_params()
    with psycopg.connect(**{name: value for name, value in parameters.items() if name in ("dbname", "user", "host", "port")},
                         autocommit=True) as held:
        held.execute("LISTEN lianxin_live")
        yield held


@pytest.mark.django_db(transaction=True)
def test_news_goes_out_when_it_is_true_and_not_before(listening: Any) -> None:
    world = World.make()
    seated(world)
    list(listening.notifies(timeout=0.3))
    call = rings()
    messages = [json.loads(one.payload) for one in listening.notifies(timeout=1, stop_after=10)]
    assert {"topic": f"agent:{world.staff['operator'].pk}", "call": str(call.pk)} in messages
    with transaction.atomic():
        told("answered", extension="8001")
        transaction.set_rollback(True)
    assert list(listening.notifies(timeout=0.3)) == []
