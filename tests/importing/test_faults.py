"""Broken files and mappings, repeated rows, and a process killed in the middle."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lianxin.cases.importing import Import
from lianxin.cases.mapping import Mapping, MappingError
from lianxin.cases.models import Case, Reporter
from lianxin.cases.rebuild import differences
from lianxin.cases.records import FileError
from tests.world import World

pytestmark = pytest.mark.django_db

PLAIN: dict[str, Any] = {"source_system": "old", "fields": {"source_id": "id", "words": "words"}}


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def refused(path: Path) -> list[tuple[int, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def test_each_bad_row_is_told_with_its_line(world: World, tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv", "id,words,category,phone,lon,lat,registered_at",
        "1,路灯不亮,010101,13812342201,,,2026-01-05T10:00:00+08:00",
        '2,"两行的\n内容",010101,,,,2026-01-05T10:00:00+08:00',
        "3,,010101,,,,2026-01-05T10:00:00+08:00",
        "4,没有这一类,99,,,,2026-01-05T10:00:00+08:00",
        "5,外地,,,2.35,48.85,2026-01-05T10:00:00+08:00",
        "6,半个位置,,,113.1,,2026-01-05T10:00:00+08:00",
        "7,将来,,,,,2126-01-05T10:00:00+08:00",
        "8,没时区,,,,,2026-01-05T10:00:00",
        "1,又一次,,,,,2026-01-05T10:00:00+08:00",
        "9,列太多,,,,,2026-01-05T10:00:00+08:00,x",
        "10,位置,,,113.1,29.1,2026-01-05T10:00:00+08:00",
    )
    raw = PLAIN | {"accept": True, "fields": PLAIN["fields"] | {
        "category": "category", "phone": "phone", "lon": "lon", "lat": "lat",
        "registered_at": {"column": "registered_at", "format": "iso"}}}
    rejects = tmp_path / "r.csv"
    summary = Import(file, Mapping.of(raw), rejects=rejects).run()
    assert (summary.read, summary.imported, summary.rejected) == (11, 3, 8)
    assert sorted(line for line, _reason in refused(rejects)) == [5, 6, 7, 8, 9, 10, 11, 12]
    reasons = dict(refused(rejects))
    assert "第 2 行重复" in reasons[11]
    assert "8 列" in reasons[12]
    assert "时区" in reasons[10]
    assert "不在本市" in reasons[7]
    assert Reporter.objects.count() == 1
    assert Case.objects.get(source_id="2").words == "两行的\n内容"
    assert Case.objects.get(source_id="10").area is not None
    for case in Case.objects.all():
        assert differences(case.pk) == []


def test_an_empty_date_as_other_systems_write_it_costs_its_own_row_only(world: World, tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv", "id,words,registered_at,target_at",
        "1,路灯不亮,0001-01-01T00:00:00+00:00,",
        "2,路灯不亮,2026-01-05T10:00:00+08:00,9999-12-31T00:00:00+08:00",
        "3,路灯不亮,1900-01-01T00:00:00+08:00,",
        "4,路灯不亮,2026-01-05T10:00:00+08:00,2026-02-05T10:00:00+08:00",
    )
    times = {name: {"column": name, "format": "iso"} for name in ("registered_at", "target_at")}
    rejects = tmp_path / "rejects.csv"
    done = Import(file, Mapping.of(PLAIN | {"fields": PLAIN["fields"] | times}), rejects=rejects).run()
    assert (done.imported, done.rejected) == (1, 3)
    assert [line for line, _why in refused(rejects)] == [2, 3, 4]
    assert Case.objects.get().source_id == "4"


def test_lines_of_json(world: World, tmp_path: Path) -> None:
    markup = "<script>alert(1)</script>"
    rows = [{"id": 1, "words": "甲\u0000乙\u202e丙"}, {"id": 2, "words": None}, [1], {"id": 3, "words": markup}]
    body = "\n".join([*(json.dumps(row) for row in rows), "{broken"]).encode()
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(body))
    rejects = tmp_path / "r.csv"
    summary = Import(file, Mapping.of(PLAIN), rejects=rejects).run()
    assert (summary.imported, summary.rejected) == (2, 3)
    assert Case.objects.get(source_id="1").words == "甲乙丙"
    assert Case.objects.get(source_id="3").words == markup


def test_rows_without_an_id_are_known_by_their_content(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "words", "同一句话", "同一句话", "另一句话")
    mapping = Mapping.of({"source_system": "old", "fields": {"words": "words"}})
    assert Import(file, mapping).run().imported == 3
    write(file, "words", "另一句话", "同一句话", "同一句话", "第四句")
    again = Import(file, mapping).run()
    assert (again.imported, again.there_before) == (1, 3)


def test_the_same_ids_from_another_system_are_other_cases(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,words", "1,路灯不亮")
    assert Import(file, Mapping.of(PLAIN)).run().imported == 1
    assert Import(file, Mapping.of(PLAIN), system="other").run().imported == 1
    assert set(Case.objects.values_list("source_system", flat=True)) == {"old", "other"}


@pytest.mark.parametrize(("raw", "told"), [
    ([], "键"),
    ({"source_system": "a"}, "words"),
    ({"source_system": "a", "fields": {"words": "w", "colour": "c"}}, "colour"),
    ({"source_system": "a", "fields": {"words": "w", "registered_at": "t"}}, "format"),
    ({"source_system": "a", "fields": {"words": {"column": "w", "zone": "Mars/Base"}}}, "Mars"),
    ({"source_system": "a", "fields": {"words": {"kolumn": "w"}}}, "kolumn"),
    ({"fields": {"words": "w"}}, "source_system"),
])
def test_a_mapping_that_cannot_be_used_says_why(raw: object, told: str) -> None:
    with pytest.raises(MappingError, match=told):
        Mapping.of(raw)


def test_files_that_cannot_be_read_say_why(world: World, tmp_path: Path) -> None:
    with pytest.raises(FileError):
        Import(tmp_path / "none.csv", None).run()
    with pytest.raises(FileError, match=r"jsonl"):
        Import(write(tmp_path / "a.ods", "x"), None).run()
    with pytest.raises(FileError, match="重复"):
        Import(write(tmp_path / "b.csv", "words,words", "1,2"), None).run()
    with pytest.raises(MappingError, match="id"):
        Import(write(tmp_path / "c.csv", "words", "1"), Mapping.of(PLAIN)).run()
    cut = tmp_path / "d.csv.gz"
    cut.write_bytes(gzip.compress(b"id,words\n" + os.urandom(4000).hex().encode())[:900])
    with pytest.raises(FileError, match="不完整"):
        Import(cut, Mapping.of(PLAIN)).run()
    with pytest.raises(CommandError, match=r"none\.csv"):
        call_command("import", "cases", str(tmp_path / "none.csv"), rejects=tmp_path / "r.csv")


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_and_run_again(world: World, tmp_path: Path) -> None:
    rows = 6_000
    file = write(tmp_path / "a.csv", "id,words", *(f"{i},第 {i} 件：路灯不亮已经三天了" for i in range(rows)))
    mapping = tmp_path / "m.yaml"
    mapping.write_text(json.dumps(PLAIN))
    held = connection.settings_dict
    url = f"postgresql://{held['USER']}:{quote(held['PASSWORD'] or '')}@/{held['NAME']}?host={held['HOST']}"
    if held["PORT"]:
        url += f"&port={held['PORT']}"
    command = [sys.executable, "-m", "django", "import", "cases", str(file), "--mapping", str(mapping),
               "--rejects", str(tmp_path / "r.csv")]
    process = subprocess.Popen(command, env={**os.environ, "LIANXIN_DATABASE_URL": url,
                                             "DJANGO_SETTINGS_MODULE": "lianxin.config.settings"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while Case.objects.count() < 500 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = Case.objects.count()
    assert 500 <= there < rows
    assert there % 500 == 0
    summary = Import(file, Mapping.read(mapping)).run()
    assert (summary.there_before, summary.imported) == (there, rows - there)
    assert Case.objects.count() == rows
    assert Case.objects.values("source_id").distinct().count() == rows
