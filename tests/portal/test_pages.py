"""Every page answers in every language, with few queries, light, and with the emergency numbers first."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lianxin.cases.models import Category
from lianxin.portal.saying import first_words
from tests.portal.test_public import published
from tests.portal.way import said, send
from tests.world import World

pytestmark = pytest.mark.django_db
PAGES = ("/", "/say/", "/track/", "/public/", "/public/map/", "/area/", "/performance/", "/data/",
         "/about/", "/privacy/", "/accessibility/")
OWN = ("/answer/", "/mine/", "/mine/add/", "/mine/withdraw/", "/mine/rate/", "/mine/publish/")


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_page_in_every_language(world: World, client: Client, language: str) -> None:
    case = published(world)
    client.post("/language/", {"language": language, "next": "/"})
    send(client)
    for address in (*PAGES, *OWN, f"/public/{case.number}/"):
        page = client.get(address)
        assert page.status_code == 200, address
        body = page.content.decode()
        assert f'lang="{language}"' in body
        for service in ("110", "119", "120"):
            assert body.index(f"tel:{service}") < body.index('id="main"')
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*src=)", body), address


def test_an_empty_city_says_so(world: World, client: Client) -> None:
    assert "还没有公开的事" in said(client.get("/"))
    assert "还没有可以算的" in said(client.get("/performance/"))
    assert "还没有可以算的" in said(client.get("/area/9901/"))
    assert "这里还没有公开的事" in said(client.get("/public/map/"))


def test_quick_topics_in_plain_words(world: World, client: Client) -> None:
    Category.objects.filter(code="010101").update(quick_topic=1, plain_name="路灯不亮", plain_name_en="Street light out")
    assert "路灯不亮" in said(client.get("/"))
    assert 'href="/say/?topic=010101"' in client.get("/").content.decode()
    client.post("/language/", {"language": "en", "next": "/"})
    assert "Street light out" in said(client.get("/"))


@pytest.mark.parametrize(("address", "most"), [
    ("/", 6), ("/say/", 6), ("/track/", 0), ("/public/", 8), ("/mine/", 12), ("/answer/", 1), ("/public/map/", 6),
])
def test_how_many_queries_a_page_takes(world: World, client: Client, django_assert_max_num_queries: Any,
                                       address: str, most: int) -> None:
    for _turn in range(6):
        published(world)
    send(client)
    client.get(address)
    with django_assert_max_num_queries(most):
        client.get(address)


def test_a_longer_list_takes_no_more_queries(world: World, client: Client) -> None:
    from django.db import connection

    published(world)
    client.get("/public/")
    with CaptureQueriesContext(connection) as few:
        client.get("/public/")
    for _turn in range(12):
        published(world)
    with CaptureQueriesContext(connection) as many:
        client.get("/public/")
    assert len(many) == len(few)


def weight(page: str) -> int:
    """Bytes of our own script and style a page loads at first, compressed."""
    total = 0
    for name in set(re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js|mjs))"', page)):
        found = finders.find(name)
        assert found, name
        total += len(gzip.compress(Path(str(found)).read_bytes()))
    return total


@pytest.mark.parametrize("address", ["/", "/say/", "/track/"])
def test_the_first_load_is_light(world: World, client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert "maplibre" not in "".join(re.findall(r"<(?:script|link)[^>]*>", page))
    assert weight(page) < 100_000


def test_own_pages_are_kept_by_nobody(world: World, client: Client) -> None:
    send(client)
    for address in OWN:
        assert "no-store" in client.get(address)["Cache-Control"]


def test_limits_on_the_about_page_are_the_citys_own(world: World, client: Client) -> None:
    text = said(client.get("/about/"))
    assert "紧急 24 小时" in text
    assert "投诉 5 个工作日" in text


def test_first_words_make_a_heading() -> None:
    assert first_words("路灯坏了三天。晚上很黑。") == "路灯坏了三天"
    assert len(first_words("长" * 90)) == 40
    assert first_words("") == ""


def test_the_source_is_linked_where_the_city_says_where_it_is(client: Client, world: World,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    assert "源代码" not in client.get("/").content.decode()
    monkeypatch.setattr(settings, "LIANXIN_SOURCE_URL", "https://example.org/lianxin")
    assert '<a href="https://example.org/lianxin">源代码</a>' in client.get("/").content.decode()
