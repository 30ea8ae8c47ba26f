"""What waits is sent, in order, until it was answered – whatever the other side and this process do meanwhile."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from standardwebhooks import Webhook

from lianxin.kernel.clock import now
from lianxin.linkage import delivering, outbox, sending, signing
from lianxin.linkage.delivering import Lines, Sender, deliver_one, drain, pause
from lianxin.linkage.models import Outgoing, Partner

from .desk import OtherDesk, matter_with, say, serving, until
from .peer import SECRET, partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def other() -> Any:
    with serving() as desk:
        yield desk


@pytest.fixture
def there(other: OtherDesk) -> Partner:
    return partner(url=other.url)


def row(pk: Any) -> Outgoing:
    return Outgoing.objects.get(pk=pk)


def test_messages_of_a_matter_go_in_their_order_and_are_signed(other: OtherDesk, there: Partner) -> None:
    handover = matter_with(there)
    put = [say(handover, f"第{n}条") for n in range(3)]
    assert drain() == 3
    assert other.said() == [("supplement", 1), ("supplement", 2), ("supplement", 3)]
    assert {row(one.pk).state for one in put} == {"sent"}
    first = other.heard[0]
    assert first.headers["webhook-id"] == str(put[0].pk) == first.message["id"]
    assert first.headers["content-type"] == "application/json"
    there.refresh_from_db()
    assert there.answered_at is not None


def test_a_message_that_was_answered_but_not_written_down_goes_again_the_same(
        other: OtherDesk, there: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between the answer and the commit."""
    put = say(matter_with(there))

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "sent", dies)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        deliver_one(Lines())
    monkeypatch.undo()
    assert row(put.pk).state == "waiting"
    time.sleep(1.1)  # another second in the time that is signed
    assert drain() == 1
    before, after = other.heard
    assert before.raw == after.raw
    assert before.headers["webhook-id"] == after.headers["webhook-id"]
    assert before.headers["webhook-timestamp"] != after.headers["webhook-timestamp"]


@pytest.mark.parametrize(("status", "headers"), [
    (503, {"Retry-After": "30"}), (429, {"Retry-After": "30"}), (500, {}), (302, {"Location": "/x"})])
def test_what_is_not_taken_now_is_sent_later_and_those_behind_it_too(
        other: OtherDesk, there: Partner, status: int, headers: dict[str, str]) -> None:
    handover = matter_with(there)
    first, second = say(handover), say(handover)
    other.replies.append((status, {"code": "unavailable"}, headers))
    assert drain() == 1
    off, behind = row(first.pk), row(second.pk)
    assert (off.state, off.attempts) == ("waiting", 1)
    assert off.next_at > now() + timedelta(seconds=20 if headers.get("Retry-After") else 0.3)
    assert behind.next_at == off.next_at
    assert str(status) in off.last_error
    Outgoing.objects.update(next_at=now())
    assert drain() == 2
    assert other.said() == [("supplement", 1), ("supplement", 1), ("supplement", 2)]


def test_silence_and_a_broken_connection_are_no_answer(other: OtherDesk, there: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    put, lines = say(matter_with(there)), Lines()
    other.replies.append(None)
    assert drain(lines) == 1
    assert row(put.pk).last_error.startswith("联不通")
    monkeypatch.setattr(sending, "READ", 0.2)
    other.slow = 0.6
    Outgoing.objects.update(next_at=now())
    assert drain(lines) == 1
    assert row(put.pk).last_error == "对方没有在限定时间内应答。"
    there.refresh_from_db()
    assert there.failing_since is not None
    other.slow = 0.0
    Outgoing.objects.update(next_at=now())
    assert drain(lines) == 1
    assert row(put.pk).state == "sent"
    there.refresh_from_db()
    assert (there.failing_since, there.last_error) == (None, "")


def test_only_a_receipt_of_this_message_counts_as_taken(other: OtherDesk, there: Partner) -> None:
    put = say(matter_with(there))
    for body in ({"welcome": "to the login page"}, {"received": "01935f3c-7000-7000-8000-000000000001", "status": "applied"}):
        other.replies.append((200, body, {}))
        Outgoing.objects.update(next_at=now())
        drain()
        assert row(put.pk).state == "waiting"


def test_what_is_refused_for_good_stays_with_its_reason_and_holds_up_its_matter_only(other: OtherDesk, there: Partner) -> None:
    handover, another = matter_with(there), matter_with(there)
    dead, behind = say(handover), say(handover)
    free = say(another)
    Outgoing.objects.filter(pk=free.pk).update(next_at=now() + timedelta(seconds=1))
    other.replies.append((422, {"code": "invalid", "detail": "有内容要更正", "fields": {"body.words": "太长"}}, {}))
    assert drain() == 1
    assert row(dead.pk).state == "dead"
    assert "422 invalid 有内容要更正 body.words: 太长" in row(dead.pk).last_error
    Outgoing.objects.update(next_at=now())
    assert drain() == 1
    assert (row(free.pk).state, row(behind.pk).state) == ("sent", "waiting")
    stands = outbox.standings(now())
    assert [(one.waiting, one.dead) for one in stands] == [(1, 1)]

    assert outbox.resend(dead.pk) == 2
    assert outbox.resend(dead.pk) == 0
    other.heard.clear()
    assert drain() == 2
    assert other.said() == [("supplement", 1), ("supplement", 2)]
    assert not Outgoing.objects.exclude(state="sent").exists()


def test_a_desk_that_lost_its_latest_messages_gets_them_again(other: OtherDesk, there: Partner) -> None:
    """Their backup was restored: they go on from an earlier number."""
    handover = matter_with(there)
    for n in range(3):
        say(handover, f"第{n}条")
    drain()
    other.heard.clear()
    say(handover, "第3条")
    other.replies.append((409, {"code": "out_of_order", "expected": 2}, {}))
    assert drain() == 4
    assert [seq for _kind, seq in other.said()] == [4, 2, 3, 4]


def test_what_they_lack_and_is_emptied_here_becomes_a_dead_letter(other: OtherDesk, there: Partner) -> None:
    handover = matter_with(there)
    old, last = say(handover), say(handover)
    Outgoing.objects.filter(pk=old.pk).update(state="sent", sent_at=now(), body=None)
    other.replies.append((409, {"code": "out_of_order", "expected": 1}, {}))
    assert drain() == 1
    assert row(last.pk).state == "dead"


@pytest.mark.parametrize("expected", [1, 7])
def test_a_desk_that_contradicts_itself_makes_no_endless_loop(other: OtherDesk, there: Partner, expected: int) -> None:
    put = say(matter_with(there))
    other.replies += [(409, {"code": "out_of_order", "expected": expected}, {})] * 5
    assert drain(most=10) == 1
    assert row(put.pk).state == ("waiting" if expected == 1 else "dead")


def test_emergencies_go_first(other: OtherDesk, there: Partner) -> None:
    plain = [say(matter_with(there)) for _n in range(3)]
    urgent = say(matter_with(there, emergency=True))
    drain()
    assert [one.message["id"] for one in other.heard] == [str(urgent.pk), *(str(one.pk) for one in plain)]


def test_while_the_key_is_changed_either_key_fits(other: OtherDesk, there: Partner) -> None:
    _row, new = signing.add_secret(there)
    for held in ([SECRET], [new]):
        other.secrets = held
        say(matter_with(there))
        assert drain() == 1
    assert len(other.heard[-1].headers["webhook-signature"].split(" ")) == 2
    signing.retire_secret(there, SECRET[-4:])
    say(matter_with(there))
    drain()
    Webhook(new).verify(other.heard[-1].raw, other.heard[-1].headers)
    assert len(other.heard[-1].headers["webhook-signature"].split(" ")) == 1


def test_without_a_key_or_an_address_nothing_is_lost(other: OtherDesk, there: Partner) -> None:
    put = say(matter_with(there))
    there.secrets.update(valid_to=now())
    assert drain() == 1
    assert (row(put.pk).state, row(put.pk).last_error) == ("waiting", "没有有效的密钥。")
    Partner.objects.update(url="")
    Outgoing.objects.update(next_at=now())
    assert drain() == 0
    assert other.heard == []


def test_a_message_that_cannot_be_opened_does_not_hold_up_the_others(other: OtherDesk, there: Partner) -> None:
    broken, sound = say(matter_with(there)), say(matter_with(there))
    Outgoing.objects.filter(pk=broken.pk).update(body=b"\x01\x02k1nonsense")
    assert drain() == 2
    assert (row(broken.pk).state, row(sound.pk).state) == ("waiting", "sent")


def test_waits_grow_and_those_of_emergencies_stay_short(settings: Any) -> None:
    settings.LIANXIN_LINKAGE_RETRY_MILLISECONDS = 1000
    for attempts, most in ((1, 1), (2, 2), (3, 5), (4, 10), (5, 15), (50, 15)):
        assert most * 0.7 <= pause(attempts, urgent=True) <= most
    for attempts, most in ((1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (500, 300)):
        assert most * 0.7 <= pause(attempts, urgent=False) <= most


def test_a_silent_desk_does_not_keep_the_others_waiting(there: Partner, other: OtherDesk) -> None:
    away = partner("119.hill", url="http://127.0.0.1:9")
    for _n in range(12):
        say(matter_with(away))
    put = [say(matter_with(there)) for _n in range(5)]
    lines = Lines()
    drain(lines)
    assert {row(one.pk).state for one in put} == {"sent"}
    tried = Outgoing.objects.filter(partner=away, attempts__gt=0).count()
    assert tried == delivering.SILENT  # the rest wait until one comes through
    urgent = say(matter_with(away, emergency=True))
    assert deliver_one(lines) is not None
    assert row(urgent.pk).attempts == 1  # an emergency is tried all the same


def test_a_desk_that_is_back_gets_everything_at_once(other: OtherDesk, there: Partner) -> None:
    Partner.objects.update(url="http://127.0.0.1:9")
    for _n in range(delivering.SILENT):
        say(matter_with(there))
    lines = Lines()
    drain(lines)
    Partner.objects.update(url=other.url)
    lines.read.clear()
    lines.by_destination[there.pk].until = 0.0
    first = Outgoing.objects.order_by("next_at")[0]
    Outgoing.objects.filter(pk=first.pk).update(next_at=now())
    Outgoing.objects.exclude(pk=first.pk).update(next_at=now() + timedelta(minutes=5))
    drain(lines)
    assert Outgoing.objects.filter(state="sent").count() == delivering.SILENT


def test_what_is_put_in_a_transaction_that_fails_is_never_sent(other: OtherDesk, there: Partner) -> None:
    handover = matter_with(there)
    with transaction.atomic():
        say(handover)
        transaction.set_rollback(True)
    assert drain() == 0


# ── The process ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_the_process_sends_at_once_and_keeps_every_order(other: OtherDesk) -> None:
    there = partner(url=other.url)
    sender = Sender(threads=4)
    sender.start()
    try:
        assert until(lambda: _listening())
        handover = matter_with(there, emergency=True)
        started = time.monotonic()
        with transaction.atomic():
            say(handover)
        assert until(lambda: len(other.heard) == 1)
        assert other.heard[0].at - started < 1.0
        handovers = [matter_with(there) for _n in range(20)]
        for n in range(4):
            for one in handovers:
                with transaction.atomic():
                    one.matter.refresh_from_db()
                    say(one, f"第{n}条")
        assert until(lambda: not Outgoing.objects.exclude(state="sent").exists())
    finally:
        sender.stop()
    by_matter: dict[str, list[int]] = {}
    for one in other.heard[1:]:
        by_matter.setdefault(one.message["matter"], []).append(one.message["seq"])
    assert len(by_matter) == 20
    assert all(numbers == [1, 2, 3, 4] for numbers in by_matter.values())
    assert not any(thread.is_alive() for thread in sender.threads)


def _listening() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%' "
                       "OR query LIKE 'SELECT 1 FROM linkage_outgoing%%'")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_overtake_each_other(other: OtherDesk) -> None:
    there = partner(url=other.url)
    handovers = [matter_with(there) for _n in range(6)]
    for n in range(5):
        for one in handovers:
            say(one, f"第{n}条")
    senders = [Sender(threads=3), Sender(threads=3)]
    for sender in senders:
        sender.start()
    try:
        assert until(lambda: not Outgoing.objects.exclude(state="sent").exists())
    finally:
        for sender in senders:
            sender.stop()
    assert len(other.heard) == 30  # nothing twice either
    for one in handovers:
        numbers = [heard.message["seq"] for heard in other.heard if heard.message["matter"] == str(one.matter_id)]
        assert numbers == [1, 2, 3, 4, 5]


@pytest.mark.django_db(transaction=True)
def test_the_process_outlives_its_database_connections(other: OtherDesk) -> None:
    there = partner(url=other.url)
    sender = Sender(threads=2)
    sender.start()
    try:
        assert until(lambda: _listening())
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        say(matter_with(there))
        assert until(lambda: len(other.heard) == 1)
    finally:
        sender.stop()
