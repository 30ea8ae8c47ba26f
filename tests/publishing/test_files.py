"""The files: the same records in every format, whole or not at all, and nothing in them that is not public."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.publishing import columns, counting, files
from lianxin.publishing.models import Record
from lianxin.publishing.records import refresh
from tests.cases.ways import walk
from tests.publishing.made import VILLAGE, raised
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(world: World, october: Frozen) -> None:
    """Five that are alike, and one whose words are cleared and begin like a formula."""
    raised(world, 5, lon=113.1234567, lat=29.1234567, name="王小明", phone="13812342201")
    case_id = walk(world, world.case(area=VILLAGE, publication_title="=1+1", publication_body="路灯坏了，\n“三天”没人修\\修。"), ["accept"])
    walk(world, case_id, ["clear_publication"])
    record = Case.objects.get(pk=case_id).public_version
    record.title, record.body, record.answer = "=1+1", "路灯坏了，\n“三天”没人修\\修。", "@SUM(1)"
    record.save()
    Case.objects.filter(pk=case_id).update(answer_publication="public")
    october.move(days=1)
    refresh()
    assert Record.objects.count() == 6


def test_every_format_holds_the_same_records(public: None) -> None:
    made = files.write()
    lines = [json.loads(line) for line in made.path(made.files[1]).read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 6 == made.files[0].rows == made.files[1].rows == made.files[2].rows == made.files[3].rows
    body = made.path(made.files[0]).read_bytes()
    assert body.startswith(files.BOM)
    table = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert list(table[0]) == columns.names(columns.RECORDS) == list(lines[0])
    by_number = {row["number"]: row for row in table}
    for line in lines:
        row = by_number[line["number"]]
        for name in ("stage", "category", "area", "precision", "dated"):
            assert (row[name] or None) == line[name]
        assert datetime.fromisoformat(row["opened_at"]) == datetime.fromisoformat(line["opened_at"])
        assert row["opened_at"].endswith("+08:00")
    cleared = next(line for line in lines if line["cleared"])
    assert (cleared["title"], cleared["body"]) == ("=1+1", "路灯坏了，\n“三天”没人修\\修。")
    assert by_number[cleared["number"]]["title"] == "'=1+1", "a spreadsheet would reckon"
    assert (cleared["answer"], by_number[cleared["number"]]["answer"]) == ("@SUM(1)", "'@SUM(1)")
    assert by_number[cleared["number"]]["body"] == cleared["body"]
    collection = json.loads(made.path(made.files[2]).read_bytes())
    assert {one["id"] for one in collection["features"]} == set(by_number)
    assert all(one["geometry"] is None or one["geometry"]["type"] == "Point" for one in collection["features"])
    with duckdb.connect() as duck:
        found = duck.execute(f"SELECT number, title, cleared, opened_at, lon FROM '{made.path(made.files[3])}' ORDER BY number").fetchall()
    held = Record.objects.order_by("number").values_list("number", "title", "cleared", "opened_at", "lon")
    assert found == [(number, title or None, cleared, opened, lon) for number, title, cleared, opened, lon in held]


def test_nothing_of_a_reporter_is_in_any_file(public: None) -> None:
    made = files.write()
    keys = [str(pk) for pk in Case.objects.values_list("pk", flat=True)]
    hidden = list(Case.objects.exclude(publication="public").values_list("number", flat=True))
    assert len(hidden) == 5
    for one in made.files:
        body = made.path(one).read_bytes()
        for word in ("王小明", "13812342201", "113.1234567", "打桩", *keys, *hidden):
            assert word.encode() not in body, (one.name, word)


def test_hashes_sizes_and_packed_files_are_true(public: None) -> None:
    made = files.write()
    assert files.read_manifest() == made
    assert [one.name for one in made.files] == ["records.csv", "records.jsonl", "records.geojson", "records.parquet", "counts.csv",
                                                "counts.jsonl", "dictionary.json"]
    for one in made.files:
        body = made.path(one).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (one.size, one.sha256)
        assert (one.packed > 0) is (one.kind in files.PACKED)
        if one.packed:
            assert gzip.decompress(made.path(one, packed=True).read_bytes()) == body
    assert (made.first, made.last) == ("2026-10-12", "2026-10-12")


def test_nothing_changed_writes_nothing_and_a_broken_writing_leaves_what_was(
        public: None, open_data: Path, monkeypatch: pytest.MonkeyPatch, october: Frozen) -> None:
    made = files.write()
    assert files.write() == made
    october.move(days=1)
    monkeypatch.setattr(files, "write_parquet", lambda *_paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        files.write()
    assert files.read_manifest() == made
    assert made.path(made.files[0]).is_file()
    assert [path.name for path in open_data.iterdir() if path.is_dir()] == [made.folder]
    monkeypatch.undo()
    later = files.write()
    assert later.folder != made.folder
    assert made.path(made.files[0]).is_file(), "whoever is reading goes on reading"
    october.move(days=1)
    files.write()
    assert not made.path(made.files[0]).exists()


def test_an_empty_city_has_whole_files(world: World, october: Frozen) -> None:
    refresh()
    made = files.write()
    assert json.loads(made.path(made.files[2]).read_bytes()) == {"type": "FeatureCollection", "features": []}
    with duckdb.connect() as duck:
        assert duck.execute(f"SELECT count(*) FROM '{made.path(made.files[3])}'").fetchall() == [(0,)]
        named = [row[0] for row in duck.execute(f"DESCRIBE SELECT * FROM '{made.path(made.files[3])}'").fetchall()]
    assert named == columns.names(columns.RECORDS)
    assert made.first == ""


def test_commas_come_between_lines_of_many_blocks(tmp_path: Path) -> None:
    out = files._Out(tmp_path / "x", packed=False)
    commas = files._Commas(out)
    for block in (b'{"a":1}\n', b'{"a":2}\n{"a":3}\n', b"", b'{"a":4}\n'):
        commas.take(block)
    out.done(4)
    assert json.loads(b"[" + (tmp_path / "x").read_bytes() + b"]") == [{"a": n} for n in (1, 2, 3, 4)]


def test_months_are_counted_when_they_are_over(world: World, october: Frozen) -> None:
    raised(world, 7)
    raised(world, 3, category="010101", area="990102")
    world.accepted("010102", area="990102", confidential=True)
    october.set(datetime(2026, 11, 5, tzinfo=UTC))
    made = files.write()
    counts = made.named("counts.csv")
    assert counts is not None
    assert counts.rows == 0
    october.set(datetime(2026, 11, 8, tzinfo=UTC))
    files.write()
    told = {(row["county"], row["category"]): row["registered"] for row in counting.rows()}
    assert told == {("990101", "01"): None, ("990101", None): None, ("990102", "01"): None, ("990102", None): None,
                    (None, "01"): 11, (None, None): 11}, "from the east's 7 the west's 4 would follow"
