"""The open data as others get it: the page, the catalogue, the files whole, packed and in parts."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from lianxin.kernel import clock
from lianxin.places.models import Area
from lianxin.portal.serving import part_asked
from lianxin.publishing import files
from lianxin.publishing.catalogue import CONTEXT
from lianxin.publishing.files import Manifest
from lianxin.publishing.records import refresh
from tests.portal.way import said
from tests.publishing.made import raised
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> None:
    settings.LIANXIN_OPEN_DATA_DIR = str(tmp_path / "open")
    settings.LIANXIN_PUBLIC_URL = "https://12345.example"


@pytest.fixture
def made(world: World) -> Iterator[Manifest]:
    with clock.frozen(datetime(2026, 10, 12, 2, tzinfo=UTC)) as frozen:
        raised(world, 6)
        frozen.move(days=1)
        refresh()
        yield files.write()


def body(response: HttpResponseBase) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]


def test_the_page_before_there_is_anything(world: World, client: Client) -> None:
    page = said(client.get("/data/"))
    assert "文件还没有生成" in page
    assert "每一列是什么意思" in page
    assert client.get("/data/records.csv").status_code == 404
    assert json.loads(body(client.get("/data/catalog.jsonld")))["dcat:dataset"] == []


def test_the_page_says_what_there_is(made: Manifest, client: Client) -> None:
    page = client.get("/data/").content.decode()
    for one in made.files:
        assert f'href="/data/{one.name}"' in page
    for word in ("2026-10-12", "CC BY 4.0", "SHA-256", "应当答复的时间"):
        assert word in page
    assert 'href="/data/"' in client.get("/").content.decode()


def test_a_file_whole_and_packed_is_the_same(made: Manifest, client: Client) -> None:
    for one in made.files:
        plain = client.get(f"/data/{one.name}")
        whole = body(plain)
        assert hashlib.sha256(whole).hexdigest() == one.sha256
        assert plain["Content-Length"] == str(one.size)
        assert plain["Access-Control-Allow-Origin"] == "*"
        packed = client.get(f"/data/{one.name}", headers={"accept-encoding": "gzip, br"})
        if one.packed:
            assert packed["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in packed["Vary"]
            assert gzip.decompress(body(packed)) == whole
            assert packed["ETag"] != plain["ETag"]
            assert "Content-Encoding" not in client.get(f"/data/{one.name}", headers={"accept-encoding": "gzip;q=0"})
        else:
            assert "Content-Encoding" not in packed
        head = client.head(f"/data/{one.name}")
        assert (head["Content-Length"], head["ETag"], body(head)) == (plain["Content-Length"], plain["ETag"], b"")


def test_what_is_known_is_not_sent_again(made: Manifest, client: Client) -> None:
    first = client.get("/data/records.parquet")
    assert client.get("/data/records.parquet", headers={"if-none-match": first["ETag"]}).status_code == 304
    assert client.get("/data/records.parquet", headers={"if-modified-since": first["Last-Modified"]}).status_code == 304
    assert client.get("/data/records.parquet", headers={"if-none-match": '"other"'}).status_code == 200


def test_a_part_is_a_part(made: Manifest, client: Client) -> None:
    whole = body(client.get("/data/records.csv"))
    size = len(whole)
    for asked, first, last in (("bytes=0-9", 0, 9), ("bytes=10-", 10, size - 1), ("bytes=-7", size - 7, size - 1),
                               (f"bytes=5-{size + 99}", 5, size - 1)):
        got = client.get("/data/records.csv", headers={"range": asked, "accept-encoding": "gzip"})
        assert (got.status_code, got["Content-Range"]) == (206, f"bytes {first}-{last}/{size}")
        assert body(got) == whole[first : last + 1]
    behind = client.get("/data/records.csv", headers={"range": f"bytes={size}-"})
    assert (behind.status_code, behind["Content-Range"]) == (416, f"bytes */{size}")
    for odd in ("bytes=9-3", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=x", "bytes=" + "9" * 40 + "-"):
        assert body(client.get("/data/records.csv", headers={"range": odd})) == whole, odd
    etag = client.get("/data/records.csv")["ETag"]
    assert client.get("/data/records.csv", headers={"range": "bytes=0-0", "if-range": etag}).status_code == 206
    assert client.get("/data/records.csv", headers={"range": "bytes=0-0", "if-range": '"older"'}).status_code == 200


@pytest.mark.parametrize(("said_", "size", "part"), [
    ("bytes=0-0", 1, (0, 0)), ("bytes=-5", 3, (0, 2)), ("", 3, None), ("bytes=1-0", 3, None)])
def test_parts(said_: str, size: int, part: tuple[int, int] | None) -> None:
    assert part_asked(said_, size) == part


@pytest.mark.parametrize("name", ["manifest.part", "records.csv.gz", "..%2fmanifest.json", ".lock", "x"])
def test_no_other_file_is_served(made: Manifest, client: Client, name: str) -> None:
    assert client.get(f"/data/{name}").status_code == 404


# What DCAT-AP 3.0.0 has as mandatory, and what it recommends of a data set that people have to be able to find and use.
WANTED = {
    "dcat:Catalog": ("dct:title", "dct:description", "dct:publisher", "dcat:dataset", "dct:license", "dct:language", "dct:modified",
                     "foaf:homepage"),
    "dcat:Dataset": ("dct:title", "dct:description", "dct:publisher", "dcat:contactPoint", "dcat:distribution", "dcat:keyword",
                     "dct:accrualPeriodicity", "dct:modified", "dct:identifier", "dcat:version", "dcat:landingPage", "dct:spatial"),
    "dcat:Distribution": ("dcat:accessURL", "dcat:downloadURL", "dcat:mediaType", "dct:format", "dcat:byteSize", "dct:license",
                          "spdx:checksum", "dct:modified"),
    "foaf:Organization": ("foaf:name",), "spdx:Checksum": ("spdx:algorithm", "spdx:checksumValue"),
}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name != "@context":
                yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_the_catalogue_has_what_dcat_asks_for(made: Manifest, world: World, client: Client) -> None:
    response = client.get("/data/catalog.jsonld")
    assert response["Content-Type"] == "application/ld+json"
    document = json.loads(body(response))
    seen = set()
    for node in nodes(document):
        seen.add(node.get("@type"))
        for name in node:
            assert name.startswith("@") or name.partition(":")[0] in CONTEXT, name
        for name in WANTED.get(node.get("@type", ""), ()):
            assert node.get(name), (node.get("@id"), name)
    assert set(WANTED) <= seen
    assert len(document["dcat:dataset"]) == 2
    for one in (one for data in document["dcat:dataset"] for one in data["dcat:distribution"]):
        got = client.get(one["dcat:downloadURL"].removeprefix("https://12345.example"))
        assert hashlib.sha256(body(got)).hexdigest() == one["spdx:checksum"]["spdx:checksumValue"]
        assert str(len(body(client.get("/data/" + one["dct:title"])))) == one["dcat:byteSize"]
    boundary = Area.objects.get(level="city").boundary
    assert boundary
    assert "POLYGON((113.0 29.0" in document["dcat:dataset"][0]["dct:spatial"]["dcat:bbox"]["@value"]


def test_the_manifest_says_where_and_how_big(made: Manifest, client: Client) -> None:
    held = json.loads(body(client.get("/data/manifest.json")))
    assert [(one["name"], one["bytes"], one["sha256"]) for one in held["files"]] == [(one.name, one.size, one.sha256) for one in made.files]
    assert held["revision"] == made.revision
    assert "folder" not in json.dumps(held)
