"""Missed calls: one entry a number while it waits, called back by what is due, every reading written down, and forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from lianxin.cases import keys, missed_calls
from lianxin.cases.models import Case, Clock, IdentityReading, MissedCall, MissedCallTry
from lianxin.cases.readings import readings
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.actors import Actor, actor_for
from tests.api.conftest import Machine, token
from tests.desk.conftest import as_  # noqa: F401
from tests.privacy.search import in_database
from tests.world import World

pytestmark = pytest.mark.django_db
NUMBER = "13777776543"


def telephony(world: World) -> Actor:
    return actor_for(world.staff["operator"], via="telephony", scopes=frozenset({missed_calls.REPORT}))


def rung(world: World, phone: str = NUMBER, **more: Any) -> MissedCall:
    made = missed_calls.report(by=telephony(world), phone=phone, **more)
    return MissedCall.objects.get(pk=made.id)


def test_a_call_back_is_owed_within_the_hour_around_the_clock(world: World, monday: Frozen) -> None:
    monday.set(monday.move() + timedelta(hours=14))  # midnight
    clock = Clock.objects.get(missed_call=rung(world, line="12345"))
    assert (clock.kind, clock.calendar, clock.due_at - clock.started_at) == ("missed_call", "around_the_clock", timedelta(hours=1))


def test_one_number_is_one_entry_while_it_waits_and_its_time_runs_from_the_first(world: World, monday: Frozen) -> None:
    first = rung(world, at=now() - timedelta(minutes=10))
    monday.move(minutes=20)
    again = missed_calls.report(by=telephony(world), phone="+86 137-7777-6543")
    assert (again.id, again.joined) == (first.pk, True)
    first.refresh_from_db()
    assert (first.rings, first.last_at) == (2, now())
    assert Clock.objects.filter(missed_call=first).count() == 1
    assert again.due_at == first.first_at + timedelta(hours=1)
    assert rung(world, phone="13700000000").pk != first.pk
    missed_calls.record_try(world.actor("operator"), first.pk, outcome="reached")
    later = rung(world)
    assert (later.pk == first.pk, later.rings) == (False, 1), "what is over is not counted on"


def test_a_report_sent_again_changes_nothing(world: World, monday: Frozen) -> None:
    made = missed_calls.report(by=telephony(world), phone=NUMBER, key=b"a" * 32)
    again = missed_calls.report(by=telephony(world), phone=NUMBER, key=b"a" * 32)
    assert (again.id, again.replayed, again.due_at) == (made.id, True, made.due_at)
    assert MissedCall.objects.get().rings == 1


@pytest.mark.django_db(transaction=True)
def test_a_report_sent_twice_in_one_moment_counts_once() -> None:
    by, start = telephony(World.make()), Barrier(3)

    def one(_turn: int) -> bool:
        start.wait()
        try:
            return missed_calls.report(by=by, phone=NUMBER, key=b"a" * 32).replayed
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(one, range(3))) == [False, True, True]
    assert MissedCall.objects.get().rings == 1


@pytest.mark.parametrize("phone", ["", "12", "abc", "1" * 21])
def test_what_is_no_number_is_refused(world: World, monday: Frozen, phone: str) -> None:
    with pytest.raises(Invalid) as caught:
        rung(world, phone=phone)
    assert "phone" in caught.value.fields


def test_who_reports_and_who_calls_back(world: World, monday: Frozen) -> None:
    entry = rung(world)
    with pytest.raises(NotAllowed):
        missed_calls.report(by=world.actor("operator"), phone=NUMBER)  # a person is no telephone system
    for name in ("dispatcher", "reviewer", "callback", "supervisor", "admin", "urban", "grid", "leader"):
        for attempt in (lambda who: missed_calls.waiting(who), lambda who: missed_calls.read_number(who, entry.pk),
                        lambda who: missed_calls.record_try(who, entry.pk, outcome="busy")):
            with pytest.raises(NotAllowed):
                attempt(world.actor(name))
    assert not IdentityReading.objects.exists()


def test_the_number_is_sealed_and_every_reading_written_down(world: World, monday: Frozen) -> None:
    entry = rung(world)
    assert in_database([NUMBER]) == []
    assert missed_calls.read_number(world.actor("operator"), entry.pk) == NUMBER
    one = IdentityReading.objects.get()
    assert (one.missed_call_id, one.case_id, one.staff, one.fields) == (entry.pk, None, world.staff["operator"], ["phone"])
    assert [row.number for row in readings(world.actor("admin"))] == [""]
    assert len(list(readings(world.actor("supervisor")))) == 1
    assert list(readings(world.actor("east_supervisor"))) == []
    assert in_database([NUMBER]) == []


def test_after_enough_tries_it_ends_as_unreached(world: World, monday: Frozen, settings: Any) -> None:
    settings.LIANXIN_MISSED_CALL_ATTEMPTS = 3
    entry, who = rung(world), world.actor("operator")
    for count in (1, 2):
        missed_calls.record_try(who, entry.pk, outcome="no_answer", key=bytes([count]) * 32)
        missed_calls.record_try(who, entry.pk, outcome="no_answer", key=bytes([count]) * 32)  # pressed twice
        assert MissedCallTry.objects.count() == count
        assert len(missed_calls.waiting(who)[0].tried) == count
    ended = missed_calls.record_try(who, entry.pk, outcome="busy")
    assert (ended.outcome, ended.ended_at) == ("unreached", now())
    clock = Clock.objects.get(missed_call=entry)
    assert (clock.met_at, clock.stopped_at) == (None, now())
    assert missed_calls.waiting(who) == []
    with pytest.raises(Conflict):
        missed_calls.record_try(who, entry.pk, outcome="reached")
    with pytest.raises(Conflict):
        missed_calls.read_number(who, entry.pk)


def test_the_list_is_in_order_of_what_is_due(world: World, monday: Frozen) -> None:
    late = rung(world, phone="13700000001", at=now() - timedelta(minutes=50))
    fresh = rung(world, phone="13700000002")
    middle = rung(world, phone="13700000003", at=now() - timedelta(minutes=20))
    assert [one.id for one in missed_calls.waiting(world.actor("operator"))] == [late.pk, middle.pk, fresh.pk]


def test_numbers_are_forgotten_and_keys_turned_over(world: World, monday: Frozen, settings: Any) -> None:
    settings.LIANXIN_MISSED_CALL_DAYS = 30
    waits, done = rung(world, phone="13700000001"), rung(world)
    missed_calls.record_try(world.actor("operator"), done.pk, outcome="wrong_number")
    assert sum(keys.usage().values()) == 2, "a rotation knows of them"
    monday.move(days=30)
    assert missed_calls.forget_numbers(now()) == 0
    monday.move(seconds=1)
    assert missed_calls.forget_numbers(now()) == 1
    done.refresh_from_db()
    waits.refresh_from_db()
    assert (done.phone, done.phone_hash, done.anonymised_at) == (None, None, now())
    assert waits.phone is not None, "somebody still has to call"


def test_at_the_desk_a_call_back_becomes_a_case(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    entry = rung(world)
    client: Client = as_("operator")
    page = client.get(reverse("desk:missed_calls")).content.decode()
    assert NUMBER not in page
    assert reverse("desk:missed_number", args=[entry.pk]) in page
    shown = client.post(reverse("desk:missed_number", args=[entry.pk]))
    assert NUMBER in shown.content.decode()
    gone = client.post(reverse("desk:missed_try", args=[entry.pk]), {"outcome": "reached", "phone": NUMBER, "submission": "1"})
    assert gone.url == f"/desk/call/#phone={NUMBER}&missed={entry.pk}"
    made = client.post(reverse("desk:call"), {"submission": "c1", "words": "刚才没打通，路灯不亮。", "phone": NUMBER,
                                              "missed": str(entry.pk), "category": "010101"})
    assert made.status_code == 302
    entry.refresh_from_db()
    assert (entry.outcome, entry.case) == ("reached", Case.objects.get())
    assert Clock.objects.get(missed_call=entry).met_at is not None


def test_who_calls_again_is_not_called_back(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    entry = rung(world)
    as_("operator").post(reverse("desk:call"), {"submission": "c2", "words": "路灯不亮。", "phone": "137 7777 6543"})
    entry.refresh_from_db()
    assert (entry.outcome, entry.case) == ("called_again", Case.objects.get())


def test_others_are_refused_at_the_desk(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    entry = rung(world)
    for name in ("dispatcher", "callback", "urban"):
        client = as_(name)
        assert client.get(reverse("desk:missed_calls")).status_code == 403
        assert client.post(reverse("desk:missed_number", args=[entry.pk])).status_code == 403
    assert not IdentityReading.objects.exists()


def test_the_telephone_system_reports_over_the_api(world: World, monday: Frozen) -> None:
    machine = Machine(token(world, "operator", "report_missed_call"))
    body = {"phone": NUMBER, "at": now().isoformat(), "line": "12345"}
    made = machine.post("/missed-calls", body, Idempotency_Key="m-1")
    assert (made.status_code, made.json()["joined"]) == (201, False)
    again = machine.post("/missed-calls", body, Idempotency_Key="m-1")
    assert (again.status_code, again.json()["id"], again.headers["Idempotent-Replayed"]) == (201, made.json()["id"], "true")
    assert machine.get("/missed-calls").status_code == 403
    assert machine.post("/missed-calls", {"phone": "x"}).status_code == 422
    assert machine.post("/missed-calls", {"phone": NUMBER, "at": "2030-01-01T00:00:00Z"}).status_code == 422
    desk = Machine(token(world, "operator", "call_back"))
    items = desk.get("/missed-calls").json()["items"]
    assert [item["id"] for item in items] == [made.json()["id"]]
    assert NUMBER not in str(items)
    assert desk.post(f"/missed-calls/{items[0]['id']}/number").json() == {"phone": NUMBER}
    assert IdentityReading.objects.count() == 1
    assert desk.post(f"/missed-calls/{items[0]['id']}/tries", {"outcome": "vanished"}).status_code == 422
    assert desk.post(f"/missed-calls/{items[0]['id']}/tries", {"outcome": "reached"}).json()["ended"] is True
    assert Machine(token(world, "urban", "report_missed_call")).post("/missed-calls", {"phone": NUMBER}).status_code == 403
