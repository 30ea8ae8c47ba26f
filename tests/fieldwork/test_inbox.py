"""Items: done once, answered the same for ever, in order; what cannot be taken is kept, what goes wrong is tried again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from pydantic import BaseModel

from lianxin.cases.models import Case, Event
from lianxin.fieldwork import devices, inbox, registry
from lianxin.fieldwork.devices import AccountClosed, DeviceShutOut
from lianxin.fieldwork.models import Receipt
from lianxin.fieldwork.registry import Item, Kind, Worker
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, TooMany
from lianxin.organisations.models import Role, RoleGrant, Staff
from tests.fieldwork.phones import WORDS, Phone, codes, item, statuses
from tests.world import World

pytestmark = pytest.mark.django_db


class Anything(BaseModel):
    n: int = 0


@pytest.fixture
def phone(world: World, monday: Frozen) -> Phone:
    return Phone.of(world)


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], list[Item[Any]]]:
    """Register a handler of the kind `try`; returns the items it was given."""

    def register(handle: Callable[[Worker, Item[Any]], Any]) -> list[Item[Any]]:
        seen: list[Item[Any]] = []

        def run(worker: Worker, one: Item[Any]) -> dict[str, Any]:
            seen.append(one)
            answer: dict[str, Any] = handle(worker, one) or {}
            return answer

        monkeypatch.setitem(registry.KINDS, "try", Kind("try", Anything, run, frozenset()))
        return seen

    return register


def raising(error: BaseException) -> Callable[..., Any]:
    def handle(_worker: Worker, _item: Item[Any]) -> dict[str, Any]:
        raise error

    return handle


def test_done_once_and_answered_the_same(phone: Phone, monday: Frozen) -> None:
    sent = item()
    first = phone.push(sent)
    assert statuses(first) == ["accepted"], first
    monday.move(days=3)
    for _again in range(3):
        assert phone.push(sent) == first
    assert Case.objects.count() == 1
    row = Receipt.objects.get()
    assert (row.device_id, row.staff_id, row.kind, row.status, row.body) == (
        phone.worker.device_id, phone.worker.staff_id, "report", "accepted", None)


def test_the_order_of_fields_is_no_other_content(phone: Phone) -> None:
    sent = item()
    first = phone.push(sent)
    assert phone.push(dict(reversed(sent.items()))) == first


@pytest.mark.parametrize("change", [
    {"kind": "add"}, {"body": {"words": "别的"}}, {"made_at": "2026-11-23T00:00:00+00:00"}, {"settles": str(uuid.uuid4())},
    {"files": [{"id": str(uuid.uuid4()), "role": "report"}]},
])
def test_the_same_id_for_something_else(phone: Phone, change: dict[str, Any]) -> None:
    sent = item()
    first = phone.push(sent)
    other = phone.push(sent | change)
    assert (statuses(other), codes(other)) == (["refused"], ["id_reused"])
    assert phone.push(sent) == first
    assert (Case.objects.count(), Receipt.objects.count()) == (1, 1)


def test_another_workers_id(world: World, phone: Phone) -> None:
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.GRID_WORKER, unit=world.units["bridge"])
    sent = item()
    phone.push(sent)
    assert codes(Phone.of(world, "urban").push(sent)) == ["id_reused"]
    # A second telephone of the same worker, to which the queue was carried over, gets the first one's answer.
    assert statuses(Phone.of(world, name="新手机").push(sent)) == ["accepted"]
    assert Case.objects.count() == 1


def test_twice_in_one_batch(phone: Phone) -> None:
    sent = item()
    both = phone.push(sent, sent, sent | {"body": {"words": "别的"}})
    assert both[0] == both[1]
    assert codes(both) == ["", "", "id_reused"]
    assert Case.objects.count() == 1


def test_fifty_and_one(phone: Phone) -> None:
    with pytest.raises(Invalid) as caught:
        phone.push(*(item() for _each in range(51)))
    assert caught.value.code == "too_many_items"
    assert Receipt.objects.count() == 0


# What was sent → the code it is refused with.
CROOKED: dict[str, tuple[dict[str, Any], str]] = {
    "no such kind": ({"kind": "dance"}, "kind_unknown"),
    "a kind that is too long": ({"kind": "x" * 30}, "invalid"),
    "a kind that is a number": ({"kind": 7}, "invalid"),
    "no time": ({"made_at": None}, "invalid"),
    "a time without zone": ({"made_at": "2026-11-23T10:00:00"}, "invalid"),
    "a time that is none": ({"made_at": "yesterday"}, "invalid"),
    "a body that is a list": ({"body": []}, "invalid"),
    "a field that nobody knows": ({"mood": "good"}, "invalid"),
    "a body's field that nobody knows": ({"body": {"words": WORDS, "mood": "good"}}, "invalid"),
    "NUL in the words": ({"body": {"words": "路灯\x00不亮"}}, "invalid"),
    "NUL in a name": ({"body": {"words": WORDS, "a\x00b": 1}}, "invalid"),
    "half a character": ({"body": {"words": "路灯\ud83d"}}, "invalid"),
    "too many files": ({"files": [{"id": str(uuid.uuid4()), "role": "report"} for _each in range(13)]}, "invalid"),
    "no words": ({"body": {"words": ""}}, "invalid"),
    "no such category": ({"body": {"words": WORDS, "category": "999999"}}, "invalid"),
    "nothing to settle": ({"settles": str(uuid.uuid4())}, "settles_unknown"),
}


@pytest.mark.parametrize("name", CROOKED)
def test_crooked_items_are_refused_kept_and_hold_nobody_up(phone: Phone, name: str) -> None:
    change, code = CROOKED[name]
    sent = item() | change
    results = phone.push(sent, item())
    assert (statuses(results), codes(results)) == (["refused", "accepted"], [code, ""])
    row = Receipt.objects.get(pk=sent["id"])
    held = inbox.body_of(row)
    assert held is not None
    assert held["body"] == sent["body"]
    assert phone.push(sent) == results[:1]
    assert Case.objects.count() == 1


def test_words_that_look_like_nul_are_words(phone: Phone) -> None:
    assert statuses(phone.push(item(body={"words": "写的是 \\u0000 这几个字"}))) == ["accepted"]


def test_a_conflict_shows_how_things_stand_and_keeps_both(phone: Phone, handled: Any) -> None:
    handled(raising(Conflict(current={"version": 4, "state": "closed", "at": now()})))
    sent = item("try", {"n": 1})
    result, = phone.push(sent)
    assert (result.status, result.answer) == ("conflict", {})
    assert result.problem is not None
    assert result.problem["current"] == {"version": 4, "state": "closed", "at": "2026-11-23T02:00:00Z"}
    row = Receipt.objects.get()
    assert inbox.body_of(row) == {key: value for key, value in sent.items() if key != "id"}
    assert phone.push(sent) == [result]


def test_made_anew_it_is_settled(phone: Phone, handled: Any) -> None:
    handled(raising(Conflict()))
    old = item("try", {"n": 1})
    phone.push(old)
    seen = handled(lambda _worker, _item: {"done": True})
    new = item("try", {"n": 2}, settles=old["id"])
    assert statuses(phone.push(new)) == ["accepted"]
    assert len(seen) == 1
    row = Receipt.objects.get(pk=old["id"])
    assert (row.body, row.settled_at, row.answer["current"]) == (None, now(), {})
    assert statuses(phone.push(old)) == ["conflict"]  # its answer stays what it was
    assert statuses(phone.push(item("try", {"n": 3}, settles=old["id"]))) == ["accepted"]


def test_made_anew_and_refused_again(phone: Phone, handled: Any) -> None:
    """The second holds what the first said: one of them waits for the worker, not both."""
    handled(raising(Conflict()))
    old, new = item("try", {"n": 1}), item("try", {"n": 2})
    phone.push(old)
    assert statuses(phone.push(new | {"settles": old["id"]})) == ["conflict"]
    assert [row.body is None for row in Receipt.objects.order_by("received_at", "made_at").filter(pk=old["id"])] == [True]
    assert Receipt.objects.get(pk=new["id"]).body is not None


def test_given_up_says_why(phone: Phone, handled: Any) -> None:
    handled(raising(Invalid(fields={"n": "不对"})))
    old = item("try", {"n": 1})
    phone.push(old)
    gone = item("abandon", {"item": old["id"], "why": " 已当面说清 "})
    result, = phone.push(gone)
    assert (result.status, result.answer) == ("accepted", {"item": old["id"]})
    row = Receipt.objects.get(pk=old["id"])
    assert (row.body, row.answer["given_up"]) == (None, "已当面说清")
    assert phone.push(gone) == [result]
    for wrong in ({"item": str(uuid.uuid4()), "why": "x"}, {"item": gone["id"], "why": "x"}):
        assert codes(phone.push(item("abandon", wrong))) == ["settles_unknown"]
    assert codes(phone.push(item("abandon", {"item": old["id"], "why": " "}))) == ["invalid"]


@pytest.mark.parametrize("error", [
    RuntimeError("a fault of ours"), OperationalError("gone"), ValueError("what"), TooMany(), Conflict(code="held_by_another"),
])
def test_a_fault_of_ours_is_tried_again_and_the_rest_waits(phone: Phone, handled: Any, error: Exception) -> None:
    handled(raising(error))
    first, broken, last = item(), item("try"), item()
    results = phone.push(first, broken, last)
    assert statuses(results) == ["accepted", "waiting", "waiting"]
    assert codes(results)[2] == "after_another"
    assert (Receipt.objects.count(), Case.objects.count()) == (1, 1)
    handled(lambda _worker, _item: {"done": True})
    assert statuses(phone.push(first, broken, last)) == ["accepted", "accepted", "accepted"]
    assert (Receipt.objects.count(), Case.objects.count()) == (3, 2)


def test_what_a_failed_handler_did_is_undone(world: World, phone: Phone, handled: Any) -> None:
    def half(_worker: Worker, _item: Item[Any]) -> dict[str, Any]:
        world.case()
        raise Invalid(fields={"n": "不对"})

    handled(half)
    assert statuses(phone.push(item("try"))) == ["refused"]
    assert (Case.objects.count(), Event.objects.count()) == (0, 0)
    assert Receipt.objects.count() == 1


def test_a_value_that_the_database_refuses(phone: Phone, handled: Any) -> None:
    def handle(_worker: Worker, _item: Item[Any]) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        return {}

    handled(handle)
    assert statuses(phone.push(item("try"), item())) == ["refused", "accepted"]


def test_shut_out_between_two_items(world: World, phone: Phone, handled: Any) -> None:
    handled(lambda worker, _item: devices.shut_out(device_id=worker.device_id, by=world.actor("admin"), why="丢了") and {})
    first, second, third = item(), item("try"), item()
    with pytest.raises(DeviceShutOut):
        phone.push(first, second, third)
    # Within one transaction the item that found it shut out is undone – here the shutting out with it.
    assert set(Receipt.objects.values_list("pk", flat=True)) == {uuid.UUID(first["id"])}
    assert Case.objects.count() == 1


def test_shut_out_and_given_back_it_goes_on_where_it_stopped(world: World, phone: Phone) -> None:
    first, second = item(), item()
    before = phone.push(first)
    devices.shut_out(device_id=phone.worker.device_id, by=world.actor("admin"), why="丢了")
    with pytest.raises(DeviceShutOut):
        phone.push(first, second)
    assert Case.objects.count() == 1
    devices.give_back(device_id=phone.worker.device_id, by=world.actor("admin"))
    assert phone.push(first, second)[0] == before[0]
    assert Case.objects.count() == 2


def test_a_closed_account_sends_nothing_more(world: World, phone: Phone) -> None:
    Staff.objects.filter(pk=world.staff["grid"].pk).update(is_active=False)
    with pytest.raises(AccountClosed):
        phone.push(item())
    assert (Receipt.objects.count(), Case.objects.count()) == (0, 0)


DAY = timedelta(days=1)


@pytest.mark.parametrize("wrong", [-3650 * DAY, -DAY, -timedelta(minutes=3), timedelta(0), DAY, 3650 * DAY])
@pytest.mark.parametrize("ago", [timedelta(0), timedelta(minutes=90), timedelta(hours=20)])
def test_the_telephones_clock_may_be_wrong(phone: Phone, handled: Any, monday: Frozen, wrong: timedelta, ago: timedelta) -> None:
    """What counts is how long ago it was made: by the telephone's own clock, whatever that shows."""
    monday.move(days=2)
    seen = handled(lambda _worker, _item: {})
    theirs = now() + wrong
    phone.push(item("try", {}, made_at=theirs - ago), sent_at=theirs)
    assert seen[0].at == now() - ago
    row = Receipt.objects.get()
    assert (row.at, row.made_at) == (now() - ago, theirs - ago)


@pytest.mark.parametrize(("made_at", "sent_at"), [
    ("9999-12-31T23:59:59+00:00", "1970-01-01T00:00:00+00:00"),
    ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"),
    ("1970-01-01T00:00:00+00:00", "2026-11-25T02:00:00+00:00"),
    ("2026-11-25T02:00:00+00:00", "1970-01-01T00:00:00+00:00"),
])
def test_a_clock_that_jumped_in_between(phone: Phone, handled: Any, monday: Frozen, made_at: str, sent_at: str) -> None:
    """Not before the telephone was let in, and not later than now: more nobody can know."""
    enrolled = now()
    monday.move(days=2)
    seen = handled(lambda _worker, _item: {})
    assert statuses(phone.push(item("try", {}, made_at=datetime.fromisoformat(made_at)),
                               sent_at=datetime.fromisoformat(sent_at))) == ["accepted"]
    assert enrolled <= seen[0].at <= now()


def test_in_order(phone: Phone) -> None:
    sent = [item(body={"words": f"第{n}件：路灯不亮"}) for n in range(8)]
    phone.push(*sent[:3])
    phone.push(*sent[:6])  # the answer was lost
    phone.push(*sent)
    assert list(Case.objects.order_by("pk").values_list("words", flat=True)) == [one["body"]["words"] for one in sent]


def test_a_program_without_telephone(world: World, monday: Frozen) -> None:
    from lianxin.fieldwork.workers import worker_for

    program = Phone("", worker_for(world.actor("grid")))
    assert statuses(program.push(item())) == ["accepted"]
    assert Receipt.objects.get().device_id is None
