"""Public news to residents and offices: asked twice, ended with one click, told once, and nothing known of anybody."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from lianxin.kernel import clock, outside
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import SYSTEM
from lianxin.publishing.models import Record
from lianxin.publishing.records import refresh
from lianxin.webhooks import channels, following, news, push, telling
from lianxin.webhooks.models import Channel, Follow, FollowState, NewsItem, Pace, PushKey
from tests.portal.way import said
from tests.publishing.made import VILLAGE, raised
from tests.webhooks.push_service import push_service
from tests.webhooks.receiver import Receiver
from tests.world import World

pytestmark = pytest.mark.django_db
ADDRESS = "tuwei@example.cn"
SITE = "https://12345.example"


@pytest.fixture
def october() -> Iterator[Frozen]:
    with clock.frozen(datetime(2026, 10, 12, 2, 0, tzinfo=UTC)) as frozen:
        yield frozen


@pytest.fixture(autouse=True)
def _mail_is_on(settings: Any) -> None:
    cache.clear()
    settings.LIANXIN_MAIL_URL, settings.LIANXIN_PUBLIC_URL = "console:", SITE


def ask(client: Client, email: str = ADDRESS, **more: str) -> Any:
    return client.post("/follow/", {"email": email, "pace": "at_once", "area": "", "category": ""} | more)


def link(kind: str) -> str:
    found = re.search(rf"{SITE}(/follow/{kind}/[^\s>]+)", mail.outbox[-1].body)
    assert found
    return found.group(1)


def followed(client: Client, **more: str) -> Follow:
    assert ask(client, **more).status_code == 302
    assert client.post(link("confirm")).status_code == 200
    return Follow.objects.get()


def published(world: World, watch: Frozen, count: int = 5) -> list[Record]:
    """As many records that appear together, a day later."""
    before = set(Record.objects.values_list("pk", flat=True))
    raised(world, count)
    watch.move(days=1)
    refresh()
    news.gather()
    return list(Record.objects.exclude(pk__in=before))


def test_nobody_follows_who_has_not_confirmed(world: World, october: Frozen, client: Client) -> None:
    news.gather()
    assert ask(client).status_code == 302
    page = client.get(link("confirm"))
    assert "确认订阅" in said(page)
    assert Follow.objects.get().state == FollowState.PENDING, "a program that follows links confirms nothing"
    published(world, october)
    assert telling.tell_due() == 0
    october.move(hours=30)
    assert following.forget(clock.now()) == 1
    assert client.post(link("confirm")).status_code == 404
    assert not Follow.objects.exists()


def test_an_address_is_sealed_and_known_by_a_keyed_hash_alone(world: World, october: Frozen, client: Client) -> None:
    row = followed(client)
    assert ADDRESS.encode() not in bytes(row.address)
    assert following.address_of(row) == ADDRESS
    for text in (mail.outbox[0].body, link("confirm")):
        assert "tuwei" not in text


def test_what_is_new_is_told_once(world: World, october: Frozen, client: Client) -> None:
    news.gather()
    followed(client)
    mail.outbox.clear()
    made = published(world, october)
    assert telling.tell_due() == 1
    assert telling.tell_due() == 0
    (letter,) = mail.outbox
    assert letter.to == [ADDRESS]
    assert letter.subject == "5 件事有新进展：全市 · 所有事项"
    for record in made:
        assert f"{SITE}/public/{record.number}/" in letter.body
    head = letter.extra_headers
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert head["List-Unsubscribe"] == f"<{SITE}{link('end')}>"
    assert letter.alternatives == [] if hasattr(letter, "alternatives") else True
    assert "<img" not in letter.body


def test_only_what_was_asked_for(world: World, october: Frozen, client: Client) -> None:
    news.gather()
    followed(client, area="990102")
    mail.outbox.clear()
    published(world, october)  # all of it in the east
    assert telling.tell_due() == 0
    assert mail.outbox == []


def test_daily_news_wait_for_their_hour(world: World, october: Frozen, client: Client, settings: Any) -> None:
    settings.LIANXIN_NEWS_HOUR = 18
    news.gather()
    followed(client, pace=Pace.DAILY)
    published(world, october)  # the next day at ten
    october.set(datetime(2026, 10, 13, 2, 0, tzinfo=UTC))
    assert telling.tell_due() == 1, "yesterday's hour has passed"
    published(world, october)
    october.set(datetime(2026, 10, 13, 9, 0, tzinfo=UTC))
    assert telling.tell_due() == 0
    october.set(datetime(2026, 10, 14, 10, 1, tzinfo=UTC))
    assert telling.tell_due() == 1


def test_one_click_ends_it_and_forgets_the_address(world: World, october: Frozen, client: Client) -> None:
    news.gather()
    followed(client)
    published(world, october)
    telling.tell_due()
    address = link("end")
    outside = Client(enforce_csrf_checks=True)
    assert outside.get(address).status_code == 200
    assert Follow.objects.exists(), "a program that follows links ends nothing"
    answer = outside.post(address, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not Follow.objects.exists()
    assert "已取消" in said(outside.post(address)), "twice does no harm"
    assert outside.post("/follow/end/made-up/").status_code == 404


def test_all_of_an_address_end_together(world: World, october: Frozen, client: Client) -> None:
    followed(client)
    ask(client, category="01")
    client.post(link("confirm"))
    first = Follow.objects.order_by("asked_at").first()
    assert first is not None
    assert following.end(following.ending(first), all_of_them=True) == 2


def test_nobody_learns_who_follows(world: World, october: Frozen, client: Client) -> None:
    followed(client)
    again, other = ask(client), ask(client, email="somebody@example.cn")
    assert (again.status_code, again.headers["Location"]) == (other.status_code, other.headers["Location"])


def test_an_address_is_not_asked_without_end(world: World, october: Frozen, client: Client) -> None:
    answers = [ask(client, **more).status_code for more in ({}, {}, {"category": "01"}, {}, {"area": "990101"})]
    assert answers == [302, 302, 302, 429, 429]
    assert len(mail.outbox) == 3
    cache.clear()
    october.move(hours=25)
    assert ask(client).status_code == 302


@pytest.mark.parametrize("fields", [{"email": "nonsense"}, {"email": ""}, {"pace": "hourly"}, {"area": "1"}, {"category": "99\x00"},
                                    {"email": "a@b.cn\nBcc: c@d.cn"}, {"email": f"a@{'邮' * 60}.cn"}])
def test_what_is_wrong_is_said(world: World, client: Client, fields: dict[str, str]) -> None:
    answer = ask(client, **fields)
    assert answer.status_code in (302, 422)
    assert len(mail.outbox) == (1 if answer.status_code == 302 else 0)
    assert all("c@d.cn" not in address for letter in mail.outbox for address in letter.recipients())


def test_without_mail_it_is_not_offered(world: World, client: Client, settings: Any) -> None:
    settings.LIANXIN_MAIL_URL = ""
    page = said(client.get("/follow/"))
    assert "还没有开通邮件" in page
    assert ask(client).status_code == 422


def test_a_mailbox_that_takes_nothing_is_given_up(world: World, october: Frozen, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    news.gather()
    followed(client)
    published(world, october)

    def refused(*_args: Any, **_more: Any) -> None:
        raise OSError("550 no such mailbox")

    monkeypatch.setattr("lianxin.webhooks.mails._send", refused)
    for _day in range(30):
        october.move(hours=13)
        telling.tell_due()
    assert not Follow.objects.exists()


def test_a_stage_is_told_once_and_old_ones_are_forgotten(world: World, october: Frozen, client: Client) -> None:
    published(world, october)
    assert not NewsItem.objects.exists(), "what was public before is no news"
    published(world, october)
    assert NewsItem.objects.count() == 5
    refresh(whole=True)
    assert news.gather() == 0
    october.move(days=100)
    assert news.forget(clock.now()) == 0, "the last of each record stays"


# ── Browsers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_browser_is_told(world: World, october: Frozen, client: Client) -> None:
    news.gather()
    with push_service() as service:
        sent = {"subscription": service.subscription(), "area": VILLAGE, "category": "", "pace": "at_once"}
        for _twice in range(2):
            assert client.post("/follow/push/", json.dumps(sent), content_type="application/json").status_code == 200
        row = Follow.objects.get()
        assert service.url.encode() not in bytes(row.address)
        published(world, october)
        assert telling.tell_due() == 1
        (told,) = service.taken
        assert (told["title"], told["body"]) == ("5 件事有新进展", "花园社区 · 所有事项")
        assert told["url"] == f"{SITE}/public/?area={VILLAGE}"
        key = PushKey.objects.get()
        assert key.public in service.heads[0]["authorization"]
        assert push.keys() == key, "made once and kept"
        service.status = 410
        published(world, october)
        assert telling.tell_due() == 0
        assert not Follow.objects.exists(), "the browser has taken its consent back"


def test_a_browser_leaves(world: World, client: Client) -> None:
    with push_service() as service:
        client.post("/follow/push/", json.dumps({"subscription": service.subscription()}), content_type="application/json")
        assert Follow.objects.count() == 1
        client.post("/follow/push/end/", json.dumps({"endpoint": service.url}), content_type="application/json")
        assert not Follow.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"subscription": 1}', '{"subscription": {"endpoint": "https://a.cn/", "keys": {}}}',
                                  '{"subscription": {"endpoint": "http://169.254.169.254/", "keys": {"p256dh": "a", "auth": "b"}}}',
                                  '{"subscription": {"endpoint": "https://[", "keys": {"p256dh": "a", "auth": "b"}}}',
                                  '{"subscription": {"endpoint": "https://a.cn/\\ud800", "keys": {"p256dh": "\\ud800", "auth": "b"}}}',
                                  '{"area": "\\ud800"}', '{"category": "\\ud800"}'])
def test_what_no_browser_says_is_refused(world: World, client: Client, body: str) -> None:
    assert client.post("/follow/push/", body, content_type="application/json").status_code == 422


@pytest.mark.parametrize("endpoint", ["\\ud800", "\\u0000", "https://["])
def test_what_no_browser_follows_with_is_ended_without_a_fault(world: World, client: Client, endpoint: str) -> None:
    answer = client.post("/follow/push/end/", f'{{"endpoint": "{endpoint}"}}', content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_asked_twice_in_one_moment_an_address_follows_once(settings: Any) -> None:
    World.make()
    start = Barrier(3)

    def one(_turn: int) -> int:
        start.wait()
        try:
            return int(ask(Client()).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, range(3))) == [302] * 3
    assert Follow.objects.get().asked == 3


def test_an_answer_without_end_keeps_nobody_waiting(world: World, october: Frozen, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may name a push service, also one that never stops talking."""
    monkeypatch.setattr(push, "LARGEST", 1_000)
    news.gather()
    with push_service() as service:
        service.body = b"x" * 1_001
        sent = {"subscription": service.subscription(), "pace": "at_once"}
        client.post("/follow/push/", json.dumps(sent), content_type="application/json")
        published(world, october)
        assert telling.tell_due() == 0
        assert (len(service.taken), Follow.objects.get().failures) == (1, 1)


def test_one_that_cannot_be_told_holds_up_nobody(world: World, october: Frozen, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    news.gather()
    followed(client)
    ask(client, email="other@example.cn")
    client.post(link("confirm"))
    mail.outbox.clear()
    first = Follow.objects.order_by("next_at")[0]
    Follow.objects.filter(pk=first.pk).update(address=b"no sealed value")
    published(world, october)
    assert telling.tell_due() == 1
    assert len(mail.outbox) == 1
    first.refresh_from_db()
    assert (first.failures, first.next_at > clock.now()) == (1, True)


def test_the_worker_keeps_out_of_the_way(client: Client) -> None:
    answer = client.get("/follow/worker.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "fetch" not in answer.content.decode().replace("It fetches", ""), "no page is served through it"
    assert "Service-Worker-Allowed" not in answer.headers, "its folder bounds it"


# ── Offices ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _channel(world: World, address: str, by: str = "admin", unit: str = "urban", **more: Any) -> Channel:
    return channels.create(by=world.actor(by), name="工作群", unit=world.units[unit], address=address,
                           about=following.topic(**more), pace=Pace.AT_ONCE)


def test_an_office_is_told_through_its_own_service(world: World, october: Frozen, other: Receiver) -> None:
    news.gather()
    made = _channel(world, other.url.replace("http://", "json://"))
    assert b"127.0.0.1" not in bytes(made.address)
    published(world, october)
    assert telling.tell_due() == 1
    assert other.taken[0]["title"] == "5 件事有新进展"
    assert f"{SITE}/public/R-" in other.taken[0]["message"]
    other.answers = [500]
    published(world, october)
    assert telling.tell_due() == 0
    made.refresh_from_db()
    assert (made.failures, bool(made.last_error)) == (1, True)


@pytest.mark.parametrize("address", ["syslog://", "file:///etc/passwd", "json://169.254.169.254/", "nonsense", "dbus://", "json://",
                                     "mailtos://u:p@example.org?smtp=10.1.2.3"])
def test_addresses_that_act_here_or_lead_inside_are_refused(world: World, address: str) -> None:
    with pytest.raises(Invalid) as fault:
        _channel(world, address)
    assert "address" in fault.value.fields


def test_a_name_that_answers_otherwise_when_apprise_asks_gets_nowhere(
        world: World, other: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was outside at the typing and at the look before sending, and inside at the sending itself."""
    settings.LIANXIN_OUTBOUND_PRIVATE = []
    with outside.guarded():
        pass  # from here on the process's resolver is ours
    real, answers = outside._resolve, iter(["93.184.216.34", "93.184.216.34"])

    def turned(host: Any, port: Any, *more: Any, **named: Any) -> list[Any]:
        if host != "rebind.example":
            return real(host, port, *more, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), int(port)))]

    monkeypatch.setattr(outside, "_resolve", turned)
    made = _channel(world, other.url.replace("http://127.0.0.1", "json://rebind.example"))
    with pytest.raises(channels.Unsent, match="内部网络"):
        channels.test(made.pk, by=world.actor("admin"))
    assert other.taken == []


def test_channels_are_kept_by_administrators(world: World) -> None:
    with pytest.raises(NotAllowed):
        _channel(world, "wecombot://abc", by="urban")
    made = _channel(world, "wecombot://693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa")
    with pytest.raises(NotFound):
        channels.delete(made.pk, by=world.actor("dispatcher"))
    channels.turn(made.pk, False, by=world.actor("admin"))
    assert not Channel.objects.get().active
    channels.delete(made.pk, by=world.actor("admin"))
    assert channels.listed(SYSTEM).count() == 0
