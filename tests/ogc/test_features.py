"""OGC API – Features: the standard's own test suite, and what it leaves open."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from itertools import chain, product
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from lianxin.ogc import crs
from lianxin.ogc.catalogue import COLLECTIONS, CONFORMANCE
from lianxin.ogc.checking import core, runner, systems
from lianxin.ogc.checking.site import Failed, Reply, Site
from tests.ogc.conftest import Town

assert core
assert systems


def through(client: Client) -> Any:
    """Asks this program without a server between."""
    def fetch(method: str, url: str, headers: Mapping[str, str]) -> Reply:
        answer = client.generic(method, url.removeprefix("http://testserver"), headers=dict(headers))
        return Reply(url, answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    return fetch


@pytest.fixture
def site(town: Town, client: Client) -> Site:
    town.records(7, stage="with_unit")
    town.records(5, stage="closed", lon=113.7, lat=29.2, precision="cell", county=town.world.areas["990102"], area=None, day=3)
    town.records(2, stage="closed", lon=None, lat=None, precision="city", area=None, category=None, dated="month")
    town.stand()
    return Site("http://testserver/ogc/", through(client))


@pytest.mark.parametrize("name", list(runner.TESTS))
def test_the_standards_test(site: Site, name: str) -> None:
    runner.TESTS[name](site)


def test_the_suite_names_what_is_declared_and_all_of_it_passes(site: Site) -> None:
    outcomes = runner.run(site)
    assert {one.said for one in outcomes} == {"passed"}
    assert {runner.CLASSES[one.conformance_class] for one in outcomes} == set(CONFORMANCE) == set(site.conformance)
    assert runner.markdown(outcomes).count("passed") == len(runner.TESTS)


# What a server could get wrong, as a change of one answer of ours: the suite must see it.
def _json(change: Any) -> Any:
    def changed(reply: Reply) -> Reply:
        content = reply.json()
        change(content)
        return Reply(reply.url, reply.status, reply.headers, json.dumps(content).encode())
    return changed


def _status(status: int) -> Any:
    return lambda reply: Reply(reply.url, status, reply.headers, reply.body)


def _header(name: str, value: str) -> Any:
    return lambda reply: Reply(reply.url, reply.status, {**reply.headers, name: value}, reply.body)


def _without_link(rel: str) -> Any:
    return _json(lambda content: content.update(links=[one for one in content["links"] if one["rel"] != rel]))


WRONGS = [
    ("/conf/core/root", "/ogc/", _without_link("conformance")),
    ("/conf/core/root", "/ogc/", _json(lambda content: content["links"][0].pop("rel"))),
    ("/conf/core/conformance", "/ogc/conformance", _json(lambda content: content["conformsTo"].pop(0))),
    ("/conf/core/fc-md-op", "/ogc/collections", _json(lambda content: content["collections"][0].update(links=[]))),
    ("/conf/core/fc-md-extent", "/ogc/collections",
     _json(lambda content: content["collections"][-1]["extent"]["spatial"].update(bbox=[[0, 0, 1, 1]]))),
    ("/conf/core/sfc-md", "/ogc/collections/sites", _json(lambda content: content.update(title="other"))),
    ("/conf/core/sfc-md", "/ogc/collections/no-such-collection", _status(200)),
    ("/conf/core/fc-limit", "limit=4", _json(lambda content: content["features"].pop())),
    ("/conf/core/fc-limit", "limit=0", _status(200)),
    ("/conf/core/fc-bbox", "bbox=-30.0", _json(lambda content: content["features"].clear())),
    ("/conf/core/fc-bbox", "bbox=1%2C4%2C3%2C2", _status(200)),
    ("/conf/core/fc-time-", "datetime=..%2F2", _json(lambda content: content["features"].pop())),
    ("/conf/core/fc-time-", "datetime=yesterday", _status(200)),
    ("/conf/core/fc-timeStamp", "limit=1000", _json(lambda content: content.update(numberMatched=1_000))),
    ("/conf/core/fc-timeStamp", "limit=1000", _json(lambda content: content.update(timeStamp="now"))),
    ("/conf/core/f-op", "/items/9901", _without_link("collection")),
    ("/conf/core/query-param", "unknownQueryParameter", _status(200)),
    ("/conf/geojson", "/items", _header("content-type", "application/json")),
    ("/conf/html", "/ogc/conformance", _header("content-type", "application/json")),
    ("/conf/oas30/oas-definition", "/ogc/api", _json(lambda content: content.update(openapi="3.1.0"))),
    ("/conf/oas30/oas-definition", "/ogc/api", _json(lambda content: content["components"]["schemas"].pop("link"))),
    ("/conf/oas30/oas-impl", "/ogc/api", _json(lambda content: content["paths"].pop("/collections"))),
    ("/conf/crs/crs-uri", "/ogc/collections", _json(lambda content: content["collections"][0].pop("storageCrs"))),
    ("/conf/crs/default-crs", "/items", _header("content-crs", "")),
    ("/conf/crs/crs-parameter,", "EPSG%2F0%2F4326", _json(lambda content: content["features"][0]["geometry"].update(
        coordinates=[[[[113.0, 29.0], [113.5, 29.0], [113.5, 29.5], [113.0, 29.0]]]]))),
    ("/conf/crs/crs-parameter-invalid", "EPSG%2F0%2F0", _status(200)),
    ("/conf/crs/bbox-crs", "bbox-crs=http", _json(lambda content: content["features"].clear())),
]


def test_the_suite_sees_what_is_wrong(site: Site) -> None:
    right = site.fetch
    unseen = []
    for name, where, wrong in WRONGS:
        def fetch(method: str, url: str, headers: Mapping[str, str], where: str = where, wrong: Any = wrong) -> Reply:
            reply = right(method, url, headers)
            hit = url.endswith("/ogc/") if where == "/ogc/" else where in url
            return wrong(reply) if hit and method == "GET" else reply

        (test,) = (test for known, test in runner.TESTS.items() if known.startswith(name))
        try:
            test(Site(site.root, fetch))
        except (Failed, KeyError):
            continue
        unseen.append((name, where))
    assert unseen == []


FORMS = [
    ("*/*", "", "application/geo+json"), ("", "", "application/geo+json"), ("text/html", "", "text/html"),
    ("application/geo+json, text/html;q=0.5", "", "application/geo+json"), ("text/html, application/json;q=0.9", "", "text/html"),
    ("text/html;q=0, */*;q=0.1", "", "application/geo+json"), ("text/html", "f=json", "application/geo+json"),
    ("application/json", "f=html", "text/html"), ("image/png, */*;q=0.8", "", "application/geo+json"),
]


def test_the_form_is_what_was_asked_for(town: Town, client: Client) -> None:
    for accept, query, media in FORMS:
        answer = client.get(f"/ogc/collections/sites/items?{query}", headers={"Accept": accept} if accept else {})
        assert answer["Content-Type"].partition(";")[0] == media, (accept, query)
        assert "Accept" in answer["Vary"]



def test_a_form_that_there_is_none_of(town: Town, client: Client) -> None:
    answer = client.get("/ogc/", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (406, "NotAcceptable")


def test_any_site_may_read_and_none_may_write(town: Town, client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    asked = strict.options("/ogc/collections", headers={"Origin": "https://map.example", "Access-Control-Request-Method": "GET"})
    assert (asked.status_code, asked["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(strict, method)("/ogc/collections/cases/items")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    for path in ("/ogc/", "/ogc/nothing", "/ogc/collections?x=1", "/tiles/cases.json"):
        answer = client.get(path)
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in answer["Access-Control-Expose-Headers"]
        assert not answer.cookies


def test_caches(site: Site, client: Client) -> None:
    path = "/ogc/collections/cases/items?limit=3"
    first = client.get(path)
    assert first["Cache-Control"] == "public, max-age=60"
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get("/ogc/collections/cases/items?limit=4")["ETag"] != first["ETag"]
    head = client.head(path)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", first["ETag"])
    packed = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    kept = json.loads(gzip.decompress(packed.content))
    assert [one["id"] for one in kept["features"]] == [one["id"] for one in first.json()["features"]]
    assert 'rel="next"' in first["Link"]
    assert client.get("/ogc/", headers={"Accept": "text/html"})["Cache-Control"] == "private, no-cache"


REFUSED = [
    ("bbox=1,2,3", "bbox"), ("bbox=113,29,114", "bbox"), ("bbox=113,30,114,29", "bbox"), ("bbox=113,29,114,99", "bbox"),
    ("bbox=113,29,114,29e9", "bbox"), ("bbox=113,29,5,114,30,1", "bbox"), ("bbox=113;29;114;30", "bbox"),
    ("bbox=１,2,3,4", "bbox"), ("bbox=113,29,114,30&bbox-crs=x", "bbox-crs"), ("crs=EPSG:4326", "crs"), ("limit=0", "limit"),
    ("limit=", "limit"), ("limit=1e2", "limit"), ("limit=٣", "limit"), ("limit=1&limit=2", "limit"), ("datetime=2026-13-01", "datetime"),
    ("datetime=2026-11-01T00:00:00", "datetime"), ("datetime=2026-11-02/2026-11-01", "datetime"), ("datetime=../..", "datetime"),
    ("datetime=a/b/c", "datetime"), ("after=x", "after"), ("before=x", "before"), ("after=a&before=b", "before"),
    ("stage=somewhere", "stage"), ("cleared=1", "cleared"), ("area=%00", "area"), ("nothing=1", "nothing"),
    ("category=" + "1" * 61, "category"),
    ("bbox=2000000,1,3,4&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857&x=", "x"), ("f=xml", "f"),
    ("bbox=20000000,3000000,-20000000,3100000&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857", "bbox"),
    ("after=WyIyMDI2LTExLTAxVDAwOjAwOjAwKzAwOjAwIl0", "after"), ("after=WyIwMDAxLTAxLTAxVDAwOjAwOjAwIiwiYSJd", "after"),
]


def test_a_parameter_that_makes_no_sense_is_named_and_refused(town: Town, client: Client) -> None:
    for query, name in REFUSED:
        for collection in ("cases", "sites") if name in ("bbox", "limit", "datetime", "after", "before") else ("cases",):
            answer = client.get(f"/ogc/collections/{collection}/items?{query}", headers={"Accept-Language": "en"})
            assert answer.status_code == 400, query
            assert answer.json()["code"].startswith("InvalidParameter")
            assert name in answer.json()["description"], query



ABSENT = ["nothing", "collections/nothing", "collections/nothing/items", "collections/cases/items/R-1",
                                  "collections/cases/items/%00", "collections/areas-county/items/990199", "collections/cases/nothing"]


def test_what_is_not_there(town: Town, client: Client) -> None:
    for path in ABSENT:
        answer = client.get(f"/ogc/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
        page = client.get(f"/ogc/{path}", headers={"Accept": "text/html"})
        assert (page.status_code, "没有这个资源" in page.content.decode()) == (404, True)



def ids(client: Client, collection: str, **query: str) -> list[str]:
    answer = client.get(f"/ogc/collections/{collection}/items", query)
    assert answer.status_code == 200, answer.content
    assert answer.json()["numberMatched"] == len(answer.json()["features"])
    return [one["id"] for one in answer.json()["features"]]


def test_only_places_that_everybody_finds_are_shown(town: Town, client: Client) -> None:
    assert ids(client, "sites") == ["park-1", "road-1"]
    assert ids(client, "sites", kind="park") == ["park-1"]
    assert ids(client, "sites", approximate="true") == ["road-1"]
    assert ids(client, "sites", county="990101", area="990101001001") == ["park-1"]
    assert client.get("/ogc/collections/sites/items?kind=other").status_code == 400
    assert client.get("/ogc/collections/sites/items/thing-1").status_code == 404
    one = client.get("/ogc/collections/sites/items/park-1").json()
    assert one["properties"] == {"code": "park-1", "name": "花园公园", "kind": "park", "area": "990101001001", "county": "990101",
                                 "approximate": False}


def test_areas_say_what_was_derived_and_lie_in_one_another(town: Town, client: Client) -> None:
    assert ids(client, "areas-county") == ["990101", "990102"]
    assert ids(client, "areas-village", county="990101", synthetic="true") == ["990101001001"]
    assert ids(client, "areas-village", synthetic="false") == []
    assert ids(client, "areas-town", parent="990101") == ["990101001"]
    grid = client.get("/ogc/collections/areas-grid/items/990101001001-1").json()
    assert (grid["properties"]["synthetic"], grid["geometry"]["type"]) == (True, "MultiPolygon")


FOUND = [
    ({"stage": "with_unit"}, 7), ({"county": "990102"}, 5), ({"area": "990101"}, 9), ({"area": "990101001"}, 7), ({"area": "9901"}, 14),
    ({"category": "01"}, 12), ({"category": "010101", "stage": "closed"}, 5), ({"category": "02"}, 0), ({"cleared": "true"}, 0),
    ({"datetime": "2026-10-01"}, 2), ({"datetime": "2026-10-01/2026-10-02"}, 4), ({"datetime": "2026-10-04T00:00:00+08:00"}, 2),
    ({"bbox": "113.6,29.1,113.8,29.3"}, 7), ({"bbox": "113.6,29.1,113.8,29.3", "county": "990102"}, 5),
]


def test_cases_by_what_they_are(site: Site, client: Client) -> None:
    for query, count in FOUND:
        assert len(ids(client, "cases", **query)) == count, query



def test_pages_over_records_of_one_day_leave_none_out_either_way(town: Town, client: Client) -> None:
    for day in (0, 0, 0, 4, 4, 9):
        town.records(2, day=day)
    for limit in (1, 3, 7):
        walked_both_ways(client, limit, ids(client, "cases"))


def walked_both_ways(client: Client, limit: int, whole: list[str]) -> None:
    there, page = [], client.get(f"/ogc/collections/cases/items?limit={limit}").json()
    while True:
        there.append([one["id"] for one in page["features"]])
        further = [one["href"] for one in page["links"] if one["rel"] == "next"]
        if not further:
            break
        page = client.get(further[0]).json()
    assert [*chain.from_iterable(there)] == whole
    back = [there[-1]]
    while before := [one["href"] for one in page["links"] if one["rel"] == "prev"]:
        page = client.get(before[0]).json()
        back.append([one["id"] for one in page["features"]])
        assert [one for one in page["links"] if one["rel"] == "next"]
    assert [*chain.from_iterable(reversed(back))] == whole


def test_a_case_is_what_its_record_says_and_no_more(town: Town, client: Client) -> None:
    (record,) = town.records(1, stage="with_unit", day=1)
    answer = client.get(f"/ogc/collections/cases/items/{record.number}")
    told = answer.json()
    assert told["geometry"] == {"type": "Point", "coordinates": [113.1, 29.1]}
    assert told["properties"] | {"category_name_en": None} == {
        "number": record.number, "case_number": None, "stage": "with_unit", "category": "010101", "category_name": "路灯",
        "category_name_en": None, "kind": "help", "area": "990101001001", "area_name": "花园社区", "county": "990101",
        "precision": "village", "unit": None, "unit_name": None, "dated": "day", "opened_at": "2026-10-02T00:00:00+08:00", "due_at": None,
        "closed_at": None, "on_time": None, "solved": None, "cleared": False, "title": None, "body": None, "answer": None,
        "changed_at": "2026-10-01T00:00:00+08:00"}
    assert str(record.case_id) not in answer.content.decode()
    assert record.case.number not in answer.content.decode()


def test_words_are_there_only_where_they_were_cleared(town: Town, client: Client) -> None:
    (record,) = town.records(1, cleared=True, dated="exact", title="路灯坏了", body="三栋门口的路灯不亮。")
    told = client.get(f"/ogc/collections/cases/items/{record.number}").json()["properties"]
    assert (told["title"], told["case_number"]) == ("路灯坏了", "26-00000000-0")
    assert client.get("/ogc/collections/cases/items/26-00000000-0").status_code == 404


def test_coordinates_are_where_the_tables_of_the_registry_have_them() -> None:
    # The example of IOGP's guidance note 7-2 (EPSG:1024): 24°22'54.433" N 100°20'00.000" W.
    x, y = crs.to_mercator(-100.33333333, 24.381786944)
    assert (round(x, 2), round(y, 2)) == (-11169055.58, 2800000.00)
    lon, lat = crs.from_mercator(-11169055.58, 2800000.00)
    assert (round(lon, 6), round(lat, 6)) == (-100.333333, 24.381787)


def test_every_page_is_whole_in_every_language(site: Site, client: Client) -> None:
    paths = ("", "conformance", "api", "collections", "collections/cases", "collections/cases/items", "collections/areas-grid/items",
             "collections/cases/items?stage=declined", "collections/sites/items/park-1")
    for language, path in product(("zh-hans", "en", "zh-hant"), paths):
        client.cookies["django_language"] = language
        page = client.get(f"/ogc/{path}", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert f'<html lang="{language}"' in page.content.decode()
        assert "<script>" not in page.content.decode()


def test_a_page_costs_a_few_statements_however_many_cases_it_shows(site: Site, client: Client, django_assert_max_num_queries: Any) -> None:
    client.get("/ogc/collections/cases/items")
    with django_assert_max_num_queries(4):
        client.get("/ogc/collections/cases/items?limit=10")


def test_a_database_that_is_away_is_said_so(town: Town, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: Any, _asked: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(type(COLLECTIONS["cases"].source), "page", away)
    answer = client.get("/ogc/collections/cases/items")
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "15", "Unavailable")
