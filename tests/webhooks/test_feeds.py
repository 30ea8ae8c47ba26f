"""Feeds: valid Atom, the same ids for ever, pages that lead on, 304 while nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from lxml import etree

from lianxin.kernel import clock
from lianxin.kernel.clock import Frozen
from lianxin.publishing.models import Record
from lianxin.publishing.records import refresh
from lianxin.webhooks import feeds
from tests.publishing.made import VILLAGE, raised
from tests.world import World

pytestmark = pytest.mark.django_db
A = {"a": feeds.ATOM}


@pytest.fixture
def october() -> Iterator[Frozen]:
    cache.clear()
    with clock.frozen(datetime(2026, 10, 12, 2, 0, tzinfo=UTC)) as frozen:
        yield frozen


def fetched(client: Client, address: str, **headers: str) -> tuple[Any, Any]:
    answer = client.get(address, headers=headers)
    return answer, etree.fromstring(answer.content) if answer.status_code == 200 else None


def test_what_rfc_4287_asks_for(world: World, october: Frozen, client: Client) -> None:
    raised(world, 5)
    october.move(days=1)
    refresh()
    answer, feed = fetched(client, "/feeds/all.atom")
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert feed.tag == f"{{{feeds.ATOM}}}feed"
    for name in ("id", "title", "updated", "author/a:name"):
        assert len(feed.xpath(f"a:{name}", namespaces=A)) == 1, name
    links = {link.get("rel"): link.get("href") for link in feed.xpath("a:link", namespaces=A)}
    assert links["self"] == "http://testserver/feeds/all.atom"
    assert {"alternate", "first"} <= links.keys()
    entries = feed.xpath("a:entry", namespaces=A)
    assert len(entries) == 5
    for entry in entries:
        for name in ("id", "title", "updated", "published", "summary"):
            assert len(entry.xpath(f"a:{name}", namespaces=A)) == 1, name
        assert datetime.fromisoformat(entry.xpath("string(a:updated)", namespaces=A)).minute == 0, "to the hour"
        assert entry.xpath("a:link[@rel='alternate']/@href", namespaces=A)
    ids = {entry.xpath("string(a:id)", namespaces=A) for entry in entries}
    assert ids == {f"urn:lianxin:9901:record:{number}" for number in Record.objects.values_list("number", flat=True)}
    page = answer.content.decode()
    for key in Record.objects.values_list("pk", flat=True):
        assert str(key) not in page


def test_ids_stay_and_nothing_is_sent_twice(world: World, october: Frozen, client: Client) -> None:
    raised(world, 5)
    october.move(days=1)
    refresh()
    first, feed = fetched(client, "/feeds/all.atom")
    again, _nothing = fetched(client, "/feeds/all.atom", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    raised(world, 5)
    october.move(days=1)
    refresh()
    later, more = fetched(client, "/feeds/all.atom", If_None_Match=first.headers["ETag"])
    assert later.status_code == 200
    old, new = ({one.text for one in each.xpath("a:entry/a:id", namespaces=A)} for each in (feed, more))
    assert old < new
    assert len(new) == 10


def test_by_area_and_category(world: World, october: Frozen, client: Client) -> None:
    raised(world, 5)
    raised(world, 5, category="010105")
    october.move(days=1)
    refresh()
    for address, count in (("/feeds/all.atom", 10), (f"/feeds/area/{VILLAGE}.atom", 10), ("/feeds/area/990102.atom", 0),
                           ("/feeds/category/010105.atom", 5), ("/feeds/category/01.atom", 10),
                           (f"/feeds/area/{VILLAGE}/category/010105.atom", 5)):
        _answer, feed = fetched(client, address)
        assert len(feed.xpath("a:entry", namespaces=A)) == count, address
    for address in ("/feeds/area/1.atom", "/feeds/category/x.atom"):
        assert client.get(address).status_code == 404
    assert client.get("/feeds/all.atom?after=made-up").status_code in (400, 404, 422)


def test_pages_lead_on(world: World, october: Frozen, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    raised(world, 5)
    october.move(days=1)
    refresh()
    address, seen, pages = "/feeds/all.atom", list[str](), 0
    while address:
        _answer, feed = fetched(client, address)
        seen += [one.text for one in feed.xpath("a:entry/a:id", namespaces=A)]
        following = feed.xpath("string(a:link[@rel='next']/@href)", namespaces=A)
        address, pages = following.removeprefix("http://testserver"), pages + 1
    assert (len(seen), len(set(seen)), pages) == (5, 5, 3)


def test_an_empty_city_has_a_feed(world: World, october: Frozen, client: Client) -> None:
    answer, feed = fetched(client, "/feeds/all.atom")
    assert answer.status_code == 200
    assert feed.xpath("string(a:updated)", namespaces=A)


def test_pages_say_where_the_feed_is(world: World, october: Frozen, client: Client) -> None:
    for address in ("/", "/public/", "/follow/"):
        assert b'rel="alternate" type="application/atom+xml" href="/feeds/all.atom"' in client.get(address).content
    assert f'href="/feeds/area/{VILLAGE}.atom"' in client.get(f"/follow/?area={VILLAGE}").content.decode()
