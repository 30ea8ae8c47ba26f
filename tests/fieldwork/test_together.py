"""The same items at the same moment, on connections of their own: each is done once."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.cases.models import Case, Event
from lianxin.fieldwork import devices, inbox
from lianxin.fieldwork.models import Receipt
from lianxin.kernel.errors import DomainError
from tests.cases.test_together import at_once
from tests.fieldwork.phones import Phone, item, statuses
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("senders", [2, 6])
def test_one_batch_from_several_connections(world: World, senders: int) -> None:
    """The telephone gave up waiting and sent again, while the first request was still being worked at."""
    phone = Phone.of(world)
    sent = [item(body={"words": f"第{n}件：路灯不亮"}) for n in range(5)]
    answers = at_once(*[lambda: phone.push(*sent)] * senders)
    assert all(not isinstance(one, DomainError) for one in answers), answers
    final = phone.push(*sent)
    assert statuses(final) == ["accepted"] * 5
    for one in answers:
        assert [result for result in one if result.status != "waiting"] == final[:len([r for r in one if r.status != "waiting"])]
    assert list(Case.objects.order_by("pk").values_list("words", flat=True)) == [one["body"]["words"] for one in sent]
    assert Receipt.objects.count() == 5


def test_refused_from_several_connections(world: World) -> None:
    phone = Phone.of(world)
    sent = item("dance")
    answers = at_once(*[lambda: phone.push(sent)] * 4)
    assert all(one == answers[0] for one in answers)
    assert Receipt.objects.count() == 1


def test_two_telephones_of_one_worker(world: World) -> None:
    one, other = Phone.of(world), Phone.of(world, name="新手机")
    mine, theirs = [item(body={"words": f"一{n}"}) for n in range(6)], [item(body={"words": f"二{n}"}) for n in range(6)]
    at_once(lambda: one.push(*mine), lambda: other.push(*theirs))
    said = list(Case.objects.order_by("pk").values_list("words", flat=True))
    assert [words for words in said if words[0] == "一"] == [sent["body"]["words"] for sent in mine]
    assert [words for words in said if words[0] == "二"] == [sent["body"]["words"] for sent in theirs]


def test_settled_twice_at_once(world: World) -> None:
    phone = Phone.of(world)
    old = item("dance")
    phone.push(old)
    one, other = item(settles=old["id"]), item("abandon", {"item": old["id"], "why": "算了"})
    answers = at_once(lambda: phone.push(one), lambda: phone.push(other))
    assert [statuses(answer) for answer in answers] == [["accepted"], ["accepted"]]
    assert inbox.body_of(Receipt.objects.get(pk=old["id"])) is None


def test_shut_out_while_it_sends(world: World) -> None:
    """What has a receipt is done, what has none is not: whatever the moment."""
    phone = Phone.of(world)
    sent = [item(body={"words": f"第{n}件"}) for n in range(30)]
    admin = world.actor("admin")

    def lose() -> Any:
        return devices.shut_out(device_id=phone.worker.device_id, by=admin, why="丢了")

    at_once(lambda: phone.push(*sent), lose)
    done = Receipt.objects.count()
    assert Case.objects.count() == Event.objects.filter(action="register").count() == done
    devices.give_back(device_id=phone.worker.device_id, by=admin)
    assert statuses(phone.push(*sent)) == ["accepted"] * 30
    assert list(Case.objects.order_by("pk").values_list("words", flat=True)) == [one["body"]["words"] for one in sent]
