"""Pages of public figures: what they say, in every language, in frames of other sites, as files, on little money's telephone."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from lianxin.analysis.figures import Figure
from lianxin.kernel.clock import Frozen, now
from lianxin.publishing.performance import PublicRow
from tests.portal.test_pages import weight
from tests.portal.way import said
from tests.publishing.facts import called, episode, stand_at
from tests.world import World

pytestmark = pytest.mark.django_db
VILLAGE, TOWN, EAST, WEST, CITY = "990101001001", "990101001", "990101", "990102", "9901"
PAGES = ("/area/", f"/area/{CITY}/", f"/area/{EAST}/", f"/area/{VILLAGE}/", "/performance/", "/performance/?period=2026-10")
FRAMES = (f"/embed/area/{VILLAGE}/", "/embed/performance/")


def fill(world: World) -> None:
    """A village with forty that were called in the last weeks and twelve before; a west with two."""
    housing = world.units["housing"].pk
    rows = [called(VILLAGE, now() - timedelta(days=10), unit_id=housing) for _each in range(30)]
    rows += [called(VILLAGE, now() - timedelta(days=12), solved=False, unit_id=housing) for _each in range(10)]
    rows += [called(VILLAGE, now() - timedelta(days=120), unit_id=housing) for _each in range(12)]
    rows += [episode(EAST, now() - timedelta(days=50)) for _each in range(6)]
    rows += [episode(WEST, now() - timedelta(days=50), 9) for _each in range(2)]
    stand_at(now(), rows)


@pytest.fixture
def lived(world: World, monday: Frozen) -> None:
    fill(world)


def test_how_is_my_village_doing(lived: None, client: Client) -> None:
    text = said(client.get(f"/area/{VILLAGE}/"))
    for told in ("花园社区怎么样", "52 人次", "52 件", "没有", "一半在4 天之内办结", "80.8%：52 件里有 42 件",
                 "每周一数一次", "再往前 52 周", "怎么数的"):
        assert told in text, told


def test_an_area_shows_what_is_inside_in_the_order_of_codes(lived: None, client: Client) -> None:
    body = client.get(f"/area/{CITY}/").content.decode()
    assert body.index(f'href="/area/{EAST}/"') < body.index(f'href="/area/{WEST}/"')
    text = said(client.get(f"/area/{CITY}/"))
    assert "不分名次" in text
    assert "西县 太少，不公布" in text
    assert "东区 太少，不公布" in text  # it would tell of the other
    assert "免得认出是谁反映的" in said(client.get(f"/area/{WEST}/"))


def test_a_place_is_found_by_its_name(world: World, client: Client) -> None:
    assert client.get("/area/?q=花园社区")["Location"] == f"/area/{VILLAGE}/"
    assert "没有找到" in said(client.get("/area/?q=月球"))
    assert f'href="/area/{EAST}/"' in client.get("/area/").content.decode()
    world.namesakes(count=1)
    asked = said(client.get("/area/?q=花园社区"))
    assert "是哪一处" in asked
    assert "西县" in asked
    for odd in ("/area/nowhere/", "/area/nowhere/figures.csv", f"/area/{CITY}/figures.exe", "/embed/area/nowhere/"):
        assert client.get(odd).status_code == 404, odd


def test_each_rate_shows_what_it_is_made_of(lived: None, client: Client) -> None:
    text = said(client.get("/performance/"))
    for told in ("解决率", "75.0%：40 件里有 30 件，可信区间 59.8%–85.8%", "诉求人说已解决的 ÷ 联系上的诉求人", "没联系上的不算进去",
                 "各单位", "市住建局", "按名称排，不分名次", "没有可比的数"):
        assert told in text, told
    for odd in ("2026-11", "2026-W47", "yesterday", "%00x", "1800", "2026-11-01..2026-11-02"):
        assert client.get(f"/performance/?period={odd}").status_code == 404, odd


def test_the_numbers_behind_can_be_had(lived: None, client: Client) -> None:
    page = client.get("/performance/").content.decode()
    links = re.findall(r'href="(/[^"]+figures\.\w+[^"]*)"', page + client.get(f"/area/{VILLAGE}/").content.decode())
    assert len(links) == 4
    for link in links:
        sent = client.get(link)
        assert sent.status_code == 200
        assert sent["Access-Control-Allow-Origin"] == "*"
        assert "attachment" in sent["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(client.get("/performance/figures.csv").content.decode("utf-8-sig"))))
    one = next(row for row in rows if row["figure"] == "resolution" and row["scope"] == "city")
    assert (one["numerator"], one["denominator"]) == ("30", "40")
    rows = list(csv.DictReader(io.StringIO(client.get(f"/area/{CITY}/figures.csv").content.decode("utf-8-sig"))))
    assert {row["code"]: (row["registered"], row["note"]) for row in rows if row["scope"] == "part"} == {
        EAST: ("", "kept_back"), WEST: ("", "kept_back")}


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_page_answers_in_every_language(lived: None, client: Client, language: str) -> None:
    client.post("/language/", {"language": language, "next": "/"})
    for address in PAGES:
        page = client.get(address)
        assert page.status_code == 200, address
        assert f'lang="{language}"' in page.content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*src=)", page.content.decode()), address
    for address in FRAMES:
        body = Client().get(f"{address}?lang={language}&theme=dark").content.decode()
        assert f'lang="{language}" data-theme="dark"' in body


@pytest.mark.parametrize("address", FRAMES)
def test_frames_are_open_to_all_and_ask_for_nothing(lived: None, client: Client, address: str) -> None:
    client.post("/language/", {"language": "en", "next": "/"})
    page = client.get(address, headers={"Accept-Language": "zh-TW,zh;q=0.9"})
    body = page.content.decode()
    assert re.search(r"frame-ancestors \*(;|$)", page["Content-Security-Policy"])
    assert "X-Frame-Options" not in page
    assert not page.cookies
    assert "Cookie" not in page.get("Vary", "")
    assert "public" in page["Cache-Control"]
    assert not re.search(r"<script|<form|<input", body)
    assert 'lang="zh-hant"' in body  # the browser's wish, not the cookie: what is kept for all is no one's
    assert "<script>" not in client.get(f"{address}?theme=%22%3E%3Cscript%3E&lang=xx").content.decode()


@pytest.mark.parametrize("address", ["/", "/public/", "/area/9901/", "/performance/", "/track/"])
def test_no_other_page_may_be_framed(lived: None, client: Client, address: str) -> None:
    page = client.get(address)
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(("address", "most"), [(f"/area/{CITY}/", 7), ("/performance/", 6), ("/area/", 4), ("/embed/performance/", 4)])
def test_how_many_queries_a_page_takes(lived: None, client: Client, django_assert_max_num_queries: Any, address: str, most: int) -> None:
    client.get(address)
    with django_assert_max_num_queries(most):
        client.get(address)


@pytest.mark.parametrize("address", [*PAGES, *FRAMES, "/public/", "/public/map/"])
def test_each_page_is_light(lived: None, client: Client, address: str) -> None:
    assert weight(client.get(address).content.decode()) < 100_000


def test_the_old_address_leads_on(client: Client, world: World) -> None:
    assert client.get("/city/")["Location"] == "/performance/"


def test_a_row_of_nothing_but_too_few_says_it_once() -> None:
    codes = ("response", "resolution", "satisfaction")
    figure = Figure("resolution", 3, 4, 0.75, 0.3, 0.95, small=True)
    rows = [PublicRow("a", "东局", "", dict.fromkeys(codes)), PublicRow("b", "西局", "", dict.fromkeys(codes) | {"resolution": figure})]
    shown = render_to_string("portal/_group.html", {"rows": rows, "title": "各单位", "key": "unit", "in_rows": codes})
    east, west = (re.sub(r"\s+", " ", row) for row in shown.split("<tr>")[2:])
    assert east.count("件数太少，不公布") == 1
    assert '<td colspan="3">' in east
    assert west.count("件数太少，不公布") == 2
    assert west.count("<td") == 3
