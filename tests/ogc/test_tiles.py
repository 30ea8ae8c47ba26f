"""Vector tiles: the counts are those of the records whatever happened to them, and a tile says no more than they do."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from itertools import product
from typing import Any

import mapbox_vector_tile
import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from lianxin.cases.models import Case
from lianxin.ogc import tallies, tiling
from lianxin.ogc.models import DrawnRecord, TileTally
from lianxin.publishing.models import Record, Stage
from tests.ogc.conftest import Town

STAGES = list(Stage.values)


def fetched(client: Client, zoom: int, lon: float, lat: float, **query: str) -> dict[str, list[dict[str, Any]]]:
    """Layers of the tile that a position lies in: name → features."""
    x, y, _px, _py = tiling.place(lon, lat, zoom)
    answer = client.get(f"/tiles/cases/{zoom}/{x}/{y}.mvt", query)
    assert answer.status_code in (200, 204), answer.content
    if answer.status_code == 204:
        return {}
    layers = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    return {name: layer["features"] for name, layer in layers.items()}


def total(layer: list[dict[str, Any]], name: str = "n") -> int:
    return sum(one["properties"][name] for one in layer)


@given(st.floats(-180, 179.999), st.floats(-85, 85), st.integers(0, 14))
def test_a_position_lies_in_the_tile_it_is_put_in(lon: float, lat: float, zoom: int) -> None:
    x, y, px, py = tiling.place(lon, lat, zoom)
    west, north = tiling.corner(x + px / tiling.EXTENT, y + py / tiling.EXTENT, zoom)
    east, south = tiling.corner(x + (px + 1) / tiling.EXTENT, y + (py + 1) / tiling.EXTENT, zoom)
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


@pytest.mark.django_db
def test_the_database_puts_positions_where_the_program_does() -> None:
    chance = random.Random(7)
    points = [(chance.uniform(-180, 180), chance.uniform(-85, 85)) for _each in range(300)] + [(180.0, 0.0), (0.0, 89.9), (0.0, -89.9)]
    gx, gy = tiling.GX_SQL.format(lon="lon"), tiling.GY_SQL.format(lat="lat")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {gx}, {gy} FROM unnest(%s::float8[], %s::float8[]) AS p (lon, lat)",
                       [[lon for lon, _lat in points], [lat for _lon, lat in points]])
        found = cursor.fetchall()
    for (lon, lat), (across, down) in zip(points, found, strict=True):
        x, y, px, py = tiling.place(lon, lat)
        assert abs(across - (x * tiling.EXTENT + px)) <= 1  # the last bit of two libraries' tangents
        assert abs(down - (y * tiling.EXTENT + py)) <= 1


def _held() -> Counter[tuple[Any, ...]]:
    names = [field.attname for field in TileTally._meta.concrete_fields if field.attname != "id"]
    return Counter(TileTally.objects.values_list(*names))


def test_what_was_followed_step_by_step_is_what_a_whole_count_gives(town: Town) -> None:
    chance = random.Random(3)
    for revision in range(1, 9):
        for _each in range(12):
            placed = {} if chance.random() < 0.3 else {"lon": 113 + chance.random(), "lat": 29 + chance.random() / 2, "precision": "cell"}
            town.records(category=chance.choice(["010101", "010102", None]), stage=chance.choice(STAGES), revision=revision,
                         solved=chance.choice([True, False, None]), **placed)
        some = list(Record.objects.order_by("?")[:8])
        for record in some[:4]:
            record.stage, record.revision = chance.choice(STAGES), revision
            record.lon, record.lat = chance.choice([(None, None), (113.2, 29.2), (record.lon, record.lat)])
            record.save()
        for record in some[4:]:
            record.delete()
        town.stand(revision)
        tallies.refresh()
    step_by_step = _held()
    drawn = set(DrawnRecord.objects.values_list("case_id", "x", "y", "spot", "stage"))
    tallies.refresh(whole=True)
    assert _held() == step_by_step
    assert set(DrawnRecord.objects.values_list("case_id", "x", "y", "spot", "stage")) == drawn
    assert len(drawn) == Record.objects.filter(lon__isnull=False).count()


def test_a_refresh_without_news_changes_nothing(town: Town) -> None:
    town.records(5)
    town.stand()
    first = tallies.refresh()
    again = tallies.refresh()
    assert (first.drawn, again.drawn, again.gone) == (5, 0, 0)
    assert again.version == first.version


def test_a_revision_that_is_not_committed_yet_is_left_for_the_next_time(town: Town) -> None:
    town.records(2, revision=1)
    town.records(3, revision=2)
    town.stand(1)
    assert tallies.refresh().drawn == 2
    town.stand(2)
    assert tallies.refresh().drawn == 3


def test_every_zoom_shows_every_record_once(town: Town, client: Client) -> None:
    town.records(7, stage="with_unit")
    town.records(4, stage="closed", solved=True, category="010102", lon=113.1003, lat=29.1003, precision="cell")
    town.records(1, stage="declined", lon=None, lat=None)
    town.stand()
    tallies.refresh()
    for zoom in range(tiling.SHALLOWEST, tiling.DEEPEST + 1):
        layers = fetched(client, zoom, 113.1, 29.1)
        layer = layers["groups" if zoom < tiling.EXACT else "cases"]
        assert (total(layer), total(layer, "open"), total(layer, "solved")) == (11, 7, 4)
        assert {one["properties"]["category"] for one in layer} == {"01"}
        assert ("records" in layers) == (zoom == tiling.DEEPEST)
        if zoom < tiling.EXACT:
            assert total(layer, "g01") == 11
        # The other tiles around hold none of them.
        x, y, _px, _py = tiling.place(113.1, 29.1, zoom)
        assert client.get(f"/tiles/cases/{zoom}/{x + 1}/{y}.mvt").status_code == 204


FILTERED: list[tuple[dict[str, str], int]] = [
    ({"stage": "open"}, 3), ({"stage": "done"}, 8), ({"stage": "closed"}, 6), ({"stage": "closed,received"}, 9),
    ({"category": "01"}, 10), ({"category": "0101"}, 10), ({"category": "010101"}, 8), ({"category": "010102", "stage": "open"}, 0),
    ({"county": "990101"}, 9), ({"county": "990102"}, 2), ({"county": "990101", "category": "010101"}, 6), ({"county": "1"}, 0),
    ({"category": "77"}, 0), ({"county": "990102", "stage": "declined"}, 0),
]


def test_filters_count_what_they_name(town: Town, client: Client) -> None:
    town.records(3, stage="received")
    town.records(3, stage="closed")
    town.records(2, stage="closed", county=town.world.areas["990102"])
    town.records(2, stage="declined", category="010102")
    town.records(1, stage="closed", category=None)
    town.stand()
    tallies.refresh()
    for (query, expected), zoom in product(FILTERED, (5, 11, 13, 14)):
        layers = fetched(client, zoom, 113.1, 29.1, **query)
        assert total(next(iter(layers.values()), [])) == expected, (query, zoom)
        if zoom == tiling.DEEPEST:
            assert len(layers.get("records", [])) == expected


def test_points_stand_where_the_records_say(town: Town, client: Client) -> None:
    town.records(2, lon=113.123456, lat=29.054321, precision="cell")
    town.stand()
    tallies.refresh()
    layers = fetched(client, 14, 113.123456, 29.054321)
    _x, _y, px, py = tiling.place(113.123456, 29.054321, 14)
    (one,) = layers["cases"]
    assert one["geometry"]["coordinates"] == [px, py]
    assert one["properties"] == {"n": 2, "open": 0, "solved": 0, "area": "990101001001", "category": "01", "precision": "cell"}
    assert {tuple(each["geometry"]["coordinates"]) for each in layers["records"]} == {(px, py)}


def test_the_newest_stand_alone_and_one_that_is_alone_is_named(town: Town, client: Client) -> None:
    town.records(310, stage="closed")
    (alone,) = town.records(1, stage="received", lon=113.101, lat=29.101, precision="cell", day=-30)
    town.stand()
    tallies.refresh()
    layers = fetched(client, 14, 113.1, 29.1)
    assert len(layers["records"]) == 300
    assert {one["properties"]["opened"] for one in layers["records"]} >= {"2027-08-06"}
    named = [one["properties"] for one in layers["cases"] if "number" in one["properties"]]
    assert [(one["number"], one["stage"], one["n"]) for one in named] == [(alone.number, "received", 1)]


def test_a_tile_says_nothing_of_the_case_behind_it(town: Town, client: Client) -> None:
    records = town.records(3, title="路灯坏了", body="花园社区三栋门口", cleared=True, dated="exact")
    town.stand()
    tallies.refresh()
    x, y, _px, _py = tiling.place(113.1, 29.1, 14)
    body = client.get(f"/tiles/cases/14/{x}/{y}.mvt").content
    for record in records:
        case = Case.objects.get(pk=record.case_id)
        assert record.number.encode() in body
        for secret in (str(case.pk), case.pk.hex, case.number, "路灯坏了", "三栋"):
            assert secret.encode() not in body


def test_caches_are_told_what_they_need(town: Town, client: Client) -> None:
    town.records(80)
    town.stand()
    tallies.refresh()
    x, y, _px, _py = tiling.place(113.1, 29.1, 9)
    path = f"/tiles/cases/9/{x}/{y}.mvt"
    first = client.get(path)
    assert first["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert first["Cache-Control"].startswith("public, max-age=60")
    assert first["Access-Control-Allow-Origin"] == "*"
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == first.content
    head = client.head(path)
    assert (head.content, head["Content-Length"]) == (b"", first["Content-Length"])
    town.records(1, revision=2)
    town.stand(2)
    tallies.refresh()
    assert client.get(path)["ETag"] != first["ETag"]


ADDRESSES = [
    ("3/0/0", 404), ("15/0/0", 404), ("9/512/0", 404), ("9/0/512", 404), ("9/-1/0", 404), ("9/01/0", 404), ("9/a/0", 404), ("9/٣/0", 404),
    ("9/0/0?x=1", 400), ("9/0/0?stage=gone", 400), ("9/0/0?stage=", 400), ("9/0/0?category=%27", 400), ("9/0/0?county=a&county=b", 400),
    ("9/0/0?stage=open", 204),
]


def test_an_address_that_means_nothing_is_refused(db: None, client: Client) -> None:
    for asked, status in ADDRESSES:
        path, _mark, query = asked.partition("?")
        assert client.get(f"/tiles/cases/{path}.mvt?{query}").status_code == status, asked



def test_tilejson_names_the_layers_and_passes_the_filters_on(town: Town, client: Client) -> None:
    told = client.get("/tiles/cases.json?county=990101&stage=open").json()
    assert told["tilejson"] == "3.0.0"
    assert told["tiles"] == ["http://testserver/tiles/cases/{z}/{x}/{y}.mvt?county=990101&stage=open"]
    assert (told["minzoom"], told["maxzoom"]) == (4, 14)
    assert told["bounds"] == [113.0, 29.0, 114.0, 29.5]
    assert [layer["id"] for layer in told["vector_layers"]] == ["groups", "cases", "records"]
    assert all(layer["fields"] for layer in told["vector_layers"])
    assert client.get("/tiles/cases.json?zoom=1").status_code == 400
