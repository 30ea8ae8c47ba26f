"""Events reach the subscriptions that ask for them and may see their cases: signed, thin, in order, each once."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from standardwebhooks import Webhook

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event
from lianxin.cases.states import TABLE
from lianxin.kernel import sending
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import SYSTEM
from lianxin.webhooks import actions, feeding, keys, queue, types
from lianxin.webhooks.models import Attempt, Delivery, DeliveryState, Seen, Subscription, SubscriptionState
from tests.webhooks.receiver import Receiver
from tests.world import World

pytestmark = pytest.mark.django_db


def subscribed(world: World, url: str = "http://127.0.0.1:9/hook", person: str = "dispatcher", **more: Any) -> Subscription:
    wish = actions.Wish(name="数据平台", url=url, **more)
    made, _secret = actions.create(wish, by=SYSTEM, person=world.staff[person])
    return made


def told(subscription: Subscription) -> list[str]:
    return list(Delivery.objects.filter(subscription=subscription).order_by("id").values_list("type", flat=True))


def dispatched(world: World, category: str = "010101", area: str = "990101001001", unit: str = "urban") -> uuid.UUID:
    case = world.case(words="花园社区路灯不亮三天了，晚上很黑。")
    a.accept(world.on(case, "dispatcher"), category=category, area=area)
    a.dispatch(world.on(case, "dispatcher"), lead_unit=unit)
    return case


def test_a_type_for_every_row_of_the_table() -> None:
    assert [f"case.{row.action}" for row in TABLE] == list(types.types())


def test_only_what_is_asked_for(world: World, monday: Frozen) -> None:
    everything = subscribed(world)
    dispatches = subscribed(world, types=["case.dispatch"])
    water = subscribed(world, units=["water"])
    east, west = subscribed(world, areas=["990101"]), subscribed(world, areas=["990102"])
    feeding.feed()
    dispatched(world)
    feeding.feed()
    assert told(everything) == ["case.register", "case.accept", "case.dispatch"]
    assert told(dispatches) == ["case.dispatch"]
    assert told(water) == []
    assert told(east) == ["case.register", "case.accept", "case.dispatch"]
    assert told(west) == []


def test_only_what_the_account_may_see(world: World, monday: Frozen) -> None:
    urban, water = subscribed(world, person="urban"), subscribed(world, person="water")
    admin = subscribed(world, person="admin")  # keeps the office, sees no case
    feeding.feed()
    case = world.case()
    feeding.feed()  # before any unit has it
    a.accept(world.on(case, "dispatcher"), category="010101", area="990101001001")
    a.dispatch(world.on(case, "dispatcher"), lead_unit="urban")
    feeding.feed()
    assert told(urban) == ["case.accept", "case.dispatch"]
    assert told(water) == told(admin) == []


def test_rights_are_asked_again_when_it_is_sent(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url, person="urban")
    feeding.feed()
    dispatched(world)
    feeding.feed()
    world.staff["urban"].grants.update(ended_at=monday.move(minutes=1))
    sending.drain(queue.QUEUE)
    assert other.asked == 0
    assert set(Delivery.objects.filter(subscription=one).values_list("state", flat=True)) == {DeliveryState.WITHHELD}


def test_what_is_sent_is_signed_and_holds_no_words(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    other.secret = keys.valid(one)[0]
    feeding.feed()
    case = Case.objects.get(pk=dispatched(world))
    queue.once(monday.move(seconds=1))
    assert [body["type"] for body in other.taken] == ["case.register", "case.accept", "case.dispatch"]
    event = Event.objects.get(case=case, action="dispatch")
    assert other.taken[-1] == {
        "type": "case.dispatch", "timestamp": "2026-11-23T02:00:00.000Z", "data": {
            "event_id": str(event.pk), "case_id": str(case.pk), "number": case.number, "action": "dispatch", "from_state": "accepted",
            "to_state": "dispatched", "version": event.version, "public": True, "unit": "hotline", "lead_unit": "urban",
            "category": "010101", "area": "990101001001", "url": f"/api/v1/cases/{case.pk}"}}
    assert other.ids == [str(one.pk) for one in Event.objects.filter(case=case).order_by("id")]
    sent = json.dumps(other.taken, ensure_ascii=False)
    for personal in ("路灯不亮", "王小明", "13812342201", "dispatcher"):
        assert personal not in sent
    kept = json.dumps(list(Attempt.objects.values("request", "response", "error")), ensure_ascii=False)
    assert "secret=1" not in kept
    assert "v1," not in kept


def test_a_failure_keeps_the_order(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    other.answers = [500, -1, 429, 404, 302]
    feeding.feed()
    dispatched(world)
    for _round in range(40):
        queue.once(monday.move(seconds=600))
    assert other.ids == [str(pk) for pk in Event.objects.order_by("id").values_list("pk", flat=True)]
    assert len(other.heads) == len(other.ids) + 1  # what was taken without an answer came twice, under one id
    assert told(one) == ["case.register", "case.accept", "case.dispatch"]
    one.refresh_from_db()
    assert (one.failing_since, one.last_error, one.state) == (None, "", SubscriptionState.ACTIVE)


def test_a_message_that_is_refused_for_a_day_lets_the_next_go(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    feeding.feed()
    dispatched(world)
    first = str(Event.objects.order_by("id").values_list("pk", flat=True)[0])
    for _round in range(60):
        other.answers = [400] if not other.ids else []
        queue.once(monday.move(minutes=30))
        if Delivery.objects.filter(state=DeliveryState.WAITING).count() == 0:
            break
    rows = {str(row.event_id): row.state for row in Delivery.objects.filter(subscription=one)}
    assert rows.pop(first) == DeliveryState.DEAD
    assert set(rows.values()) == {DeliveryState.SENT}
    again = Delivery.objects.get(event_id=first)
    actions.replay(one.pk, again.pk, by=SYSTEM)
    queue.once(monday.move(minutes=1))
    assert other.ids[-1] == first


def test_a_receiver_that_is_silent_for_days_is_disabled_and_loses_nothing(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    feeding.feed()
    dispatched(world)
    other.answers = [503] * 1000
    for _day in range(7):
        queue.once(monday.move(days=1))
    one.refresh_from_db()
    assert one.state == SubscriptionState.DISABLED
    asked = other.asked
    queue.once(monday.move(days=1))
    assert other.asked == asked
    other.answers = []
    actions.turn(one.pk, SubscriptionState.ACTIVE, by=SYSTEM)
    queue.once(monday.move(minutes=1))
    assert [body["type"] for body in other.taken] == ["case.register", "case.accept", "case.dispatch"]


def test_one_that_is_gone_is_disabled_at_once(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    feeding.feed()
    world.case()
    other.answers = [410]
    queue.once(monday.move(minutes=1))
    one.refresh_from_db()
    assert one.state == SubscriptionState.DISABLED


def test_what_was_paused_is_sent_afterwards(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    actions.turn(one.pk, SubscriptionState.PAUSED, by=SYSTEM)
    feeding.feed()
    world.case()
    queue.once(monday.move(minutes=1))
    assert other.asked == 0
    actions.turn(one.pk, SubscriptionState.ACTIVE, by=SYSTEM)
    queue.once(monday.move(minutes=1))
    assert [body["type"] for body in other.taken] == ["case.register"]
    with pytest.raises(Conflict):
        actions.turn(one.pk, SubscriptionState.ACTIVE, by=SYSTEM)


def test_a_key_is_changed_without_a_gap(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    old = keys.valid(one)[0]
    fresh = actions.rotate(one.pk, by=SYSTEM)
    assert keys.valid(one) == [fresh, old]
    with pytest.raises(Conflict):
        actions.rotate(one.pk, by=SYSTEM)
    feeding.feed()
    world.case()
    for known in (old, fresh):
        other.secret = known
        actions.test(one.pk, by=SYSTEM)
    assert len(other.taken) == 2
    monday.move(hours=25)
    assert keys.valid(one) == [fresh]


def test_a_test_is_answered_at_once(world: World, monday: Frozen, other: Receiver) -> None:
    one = subscribed(world, other.url)
    assert actions.test(one.pk, by=SYSTEM).state == DeliveryState.SENT
    other.answers = [500]
    row = actions.test(one.pk, by=SYSTEM)
    assert (row.state, row.status) == (DeliveryState.DEAD, 500)
    assert other.taken[0]["type"] == types.TEST


def test_a_stretch_of_time_is_sent_again(world: World, other: Receiver) -> None:
    start, early = now(), world.case()
    one = subscribed(world, other.url, types=["case.register"])
    feeding.feed()
    world.case()
    queue.once(now())
    assert len(other.ids) == 1
    Delivery.objects.all().delete()  # the log has forgotten
    count = actions.replay_range(one.pk, start, now(), by=SYSTEM)
    assert count == 2
    queue.once(now())
    assert {body["data"]["case_id"] for body in other.taken} == {str(pk) for pk in Case.objects.values_list("pk", flat=True)}
    assert str(early) in {body["data"]["case_id"] for body in other.taken}
    assert len(other.ids) == 2
    with pytest.raises(Invalid):
        actions.replay_range(one.pk, start, start, by=SYSTEM)


def test_addresses_inside_are_refused(world: World, settings: Any) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = []
    for url in ("http://127.0.0.1/x", "http://[::1]/", "http://169.254.169.254/latest", "ftp://example.org/", "nonsense"):
        with pytest.raises(Invalid) as fault:
            subscribed(world, url)
        assert list(fault.value.fields) == ["url"]
    with pytest.raises(Invalid) as fault:
        subscribed(world, "http://10.0.0.1/", types=["case.fly"], units=["nobody"], areas=["1"])
    assert sorted(fault.value.fields) == ["areas", "types", "units", "url"]


def test_an_address_that_leads_inside_later_is_refused(world: World, settings: Any, other: Receiver, monday: Frozen) -> None:
    one = subscribed(world, other.url)
    settings.LIANXIN_OUTBOUND_PRIVATE = []
    row = actions.test(one.pk, by=SYSTEM)
    assert other.asked == 0
    assert "内部网络" in row.last_error


def test_who_may_keep_them(world: World, monday: Frozen) -> None:
    one = subscribed(world)
    assert actions.found(world.actor("admin"), one.pk) == one
    for person in ("dispatcher", "urban", "supervisor"):
        with pytest.raises(NotFound):
            actions.turn(one.pk, SubscriptionState.PAUSED, by=world.actor(person))
        with pytest.raises(NotAllowed):
            actions.create(actions.Wish("x", "http://127.0.0.1/"), by=world.actor(person), person=world.staff["urban"])
    with pytest.raises(Invalid):
        actions.create(actions.Wish("x", "http://127.0.0.1/"), by=SYSTEM, person=world.staff["urban"], unit=world.units["water"])


def test_what_ended_is_told_nothing_and_goes(world: World, monday: Frozen) -> None:
    one = subscribed(world)
    actions.turn(one.pk, SubscriptionState.ENDED, by=SYSTEM)
    world.case()
    assert feeding.feed().events == 0
    assert actions.forget(monday.move(days=31))["subscriptions"] == 1


def test_the_log_is_kept_for_its_days(world: World, monday: Frozen) -> None:
    subscribed(world)
    feeding.feed()
    world.case()
    feeding.feed()
    assert actions.forget(monday.move(days=29))["deliveries"] == 0
    assert actions.forget(monday.move(days=2))["deliveries"] > 0


def test_every_event_is_judged_once(world: World, monday: Frozen) -> None:
    subscribed(world)
    feeding.feed()
    dispatched(world)
    assert feeding.feed(batch=1).events == 3
    assert Seen.objects.count() == 3
    assert feeding.feed() == feeding.Fed()


def test_signatures_fit_the_library(world: World) -> None:
    one = subscribed(world)
    Webhook(keys.valid(one)[0])  # refuses what is no secret
