"""Subscriptions on the desk and over the API."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from lianxin.kernel.clock import Frozen, now
from lianxin.webhooks import feeding, queue
from lianxin.webhooks.models import Channel, Delivery, Subscription, SubscriptionState
from tests.api.conftest import Machine, token
from tests.portal.way import said
from tests.webhooks.receiver import Receiver
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(world: World, client: Client) -> Client:
    cache.clear()
    client.force_login(world.staff["admin"])
    return client


def made(admin: Client, url: str, **more: Any) -> Subscription:
    page = admin.post("/desk/webhooks/", {"name": "数据平台", "username": "dispatcher", "url": url} | more)
    assert page.status_code == 200
    assert re.search(r"whsec_[A-Za-z0-9+/=]{40,}", page.content.decode()), "the secret is shown once"
    return Subscription.objects.get()


def test_the_desk_from_empty_to_the_end(world: World, admin: Client, monday: Frozen, other: Receiver) -> None:
    assert "还没有系统订阅事件" in said(admin.get("/desk/webhooks/"))
    one = made(admin, other.url, units="urban", areas="990101", types=["case.register", "case.dispatch"])
    assert (one.units, one.areas, one.types) == (["urban"], ["990101"], ["case.register", "case.dispatch"])
    at = f"/desk/webhooks/{one.pk}/"
    assert "还没有发过" in said(admin.get(at))
    assert "已送达" in said(admin.post(f"{at}do/test/", follow=True))
    row = Delivery.objects.get()
    assert "webhook-id" in said(admin.get(f"{at}log/{row.pk}/"))
    assert admin.get(f"{at}log/999999/").status_code == 404
    changed = admin.post(at, {"name": "数据平台", "url": other.url, "units": "", "areas": "", "types": []}, follow=True)
    assert "已改" in said(changed)
    feeding.feed()
    world.case()
    queue.once(monday.move(seconds=2))
    event = Delivery.objects.get(type="case.register")
    assert "已放回发送队列" in said(admin.post(f"{at}do/again/", {"delivery": event.pk}, follow=True))
    assert "新密钥" in said(admin.post(f"{at}do/rotate/"))
    for step, words in (("pause", "已暂停"), ("resume", "已恢复")):
        assert words in said(admin.post(f"{at}do/{step}/", follow=True))
    assert admin.post(f"{at}do/stretch/", {"since": "", "until": ""}).status_code == 422
    assert "已排好" in said(admin.post(f"{at}do/stretch/", {"since": "2026-11-22T00:00", "until": "2026-11-24T00:00"}, follow=True))
    assert "没有这一步" in said(admin.post(f"{at}do/fly/", follow=True))
    assert "订阅已取消" in said(admin.post(f"{at}do/end/", follow=True))
    assert admin.get(at).status_code == 404


def test_what_is_wrong_is_said_beside_its_field(world: World, admin: Client, settings: Any) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = []
    page = admin.post("/desk/webhooks/", {"name": "x", "username": "nobody", "url": "http://127.0.0.1/", "units": "nowhere"})
    assert page.status_code == 422
    assert "没有这个在职人员" in said(page)
    page = admin.post("/desk/webhooks/", {"name": "x", "username": "dispatcher", "url": "http://127.0.0.1/", "units": "nowhere"})
    assert page.status_code == 422
    assert "内部网络" in said(page)
    assert "nowhere" in said(page)
    assert not Subscription.objects.exists()


def test_others_do_not_get_in(world: World, client: Client, admin: Client) -> None:
    one = made(admin, "http://127.0.0.1:9/")
    for person in ("dispatcher", "urban", "supervisor"):
        client.force_login(world.staff[person])
        for address in ("/desk/webhooks/", f"/desk/webhooks/{one.pk}/", "/desk/channels/"):
            assert client.get(address).status_code == 403, (person, address)
        assert client.post(f"/desk/webhooks/{one.pk}/do/end/").status_code == 403


def test_keepers_are_told_of_one_that_was_disabled(world: World, admin: Client, monday: Frozen) -> None:
    one = made(admin, "http://127.0.0.1:9/")
    Subscription.objects.update(state=SubscriptionState.DISABLED, state_at=now())
    assert "长时间没有收下任何消息" in said(admin.get("/desk/notices/"))
    assert "1" in said(admin.get("/desk/notices/count/"))
    admin.get(f"/desk/webhooks/{one.pk}/")
    assert "长时间没有收下任何消息" not in said(admin.get("/desk/notices/"))


def test_channels_on_the_desk(world: World, admin: Client, other: Receiver) -> None:
    assert "还没有" in said(admin.get("/desk/channels/"))
    fields = {"name": "工作群", "unit": "urban", "address": other.url.replace("http", "json"), "area": "", "category": "", "pace": "daily"}
    assert "syslog" not in said(admin.post("/desk/channels/", fields | {"address": "syslog://"}))
    page = admin.post("/desk/channels/", fields, follow=True)
    assert "已加上" in said(page)
    assert other.url.split("//")[1] not in page.content.decode(), "the address is not shown again"
    one = Channel.objects.get()
    assert "测试消息已发出" in said(admin.post(f"/desk/channels/{one.pk}/test/", follow=True))
    assert other.taken
    for step, words in (("pause", "已暂停"), ("resume", "已恢复"), ("fly", "没有这一步"), ("end", "地址也删了")):
        assert words in said(admin.post(f"/desk/channels/{one.pk}/{step}/", follow=True))
    assert not Channel.objects.exists()


# ── The API ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_api_from_subscribing_to_replaying(world: World, other: Receiver) -> None:
    cache.clear()
    machine = Machine(token(world, "urban", "webhooks"))
    assert {"type": "case.dispatch", "label": "派单"} in machine.get("/webhooks/types").json()["items"]
    answer = machine.post("/webhooks", {"name": "城管平台", "url": other.url})
    assert answer.status_code == 201
    one = answer.json()
    other.secret = one["secret"]
    at = f"/webhooks/{one['id']}"
    assert machine.post(f"{at}/steps", {"step": "test"}).json()["delivered"] is True
    assert [each["id"] for each in machine.get("/webhooks").json()["items"]] == [one["id"]]
    assert "secret" not in machine.get(at).json()
    changed = machine.send("PUT", at, {"name": "城管平台", "url": other.url, "types": ["case.dispatch"]})
    assert changed.json()["types"] == ["case.dispatch"]
    log = machine.get(f"{at}/deliveries?limit=1").json()
    assert (log["items"][0]["kind"], log["items"][0]["tries"][0]["status"], log["next"]) == ("test", 200, None)
    feeding.feed()
    since = datetime.now(UTC).isoformat()
    replayed = machine.post(f"{at}/steps", {"step": "replay", "since": "2026-01-01T00:00:00Z", "until": since})
    assert replayed.json()["replayed"] == 0
    assert machine.post(f"{at}/steps", {"step": "replay"}).status_code == 422
    assert machine.post(f"{at}/deliveries/1/replay").status_code == 404
    assert machine.post(f"{at}/steps", {"step": "rotate"}).json()["secret"].startswith("whsec_")
    assert machine.post(f"{at}/steps", {"step": "pause"}).json()["state"] == "paused"
    assert machine.post(f"{at}/steps", {"step": "pause"}).status_code == 409
    assert machine.post(f"{at}/steps", {"step": "end"}).json()["state"] == "ended"
    assert machine.get(at).status_code == 404


def test_tokens_without_the_scope_and_others_subscriptions(world: World, other: Receiver) -> None:
    one = Machine(token(world, "urban", "webhooks")).post("/webhooks", {"name": "x", "url": other.url}).json()
    assert Machine(token(world, "urban", "read")).get("/webhooks").status_code == 403
    stranger = Machine(token(world, "water", "webhooks"))
    assert stranger.get("/webhooks").json()["items"] == []
    assert stranger.get(f"/webhooks/{one['id']}").status_code == 404
    faults = stranger.post("/webhooks", {"name": "x", "url": "http://10.0.0.1/", "types": ["case.fly"]})
    assert faults.status_code == 422
    assert {fault["field"] for fault in faults.json()["errors"]} == {"url", "types"}
