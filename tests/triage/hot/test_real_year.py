"""The command on a year of real messages: quick enough, and good enough on hand-made topics."""

from __future__ import annotations

import csv
import gzip
import json
import os
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.triage.hot.letters import OTHERS, PARKING, PLANT, letters

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("LIANXIN_SHARED_DATA") or ROOT.parent / "shared" / "data")
STREAM = SHARED / "requests" / "stream.csv.gz"
TOPICS = ROOT / "tests" / "triage" / "data" / "hot_topics.csv"

needs_year = pytest.mark.skipif(
    not SHARED.is_dir() and os.environ.get("CI", "").lower() not in ("1", "true"),
    reason=f"the real files are not here: no folder {SHARED} (set LIANXIN_SHARED_DATA to where they are)",
)


def hot(*arguments: object) -> dict[str, Any]:
    out = StringIO()
    call_command("triage", "hot", *map(str, arguments), "--json", stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


@needs_year
def test_the_year_against_hand_made_topics_in_time(tmp_path: Path) -> None:
    state = tmp_path / "state.gz"
    begun = time.process_time()
    measured = hot(STREAM, "--topics", TOPICS, "--state", state)
    assert time.process_time() - begun < 60  # seconds of computing: 30 s on two cores
    for half in ("tune", "check"):
        assert measured[half]["f1"] >= 0.85, measured
    assert measured["check"]["precision"] >= 0.88, measured
    said = hot(STREAM, "--state", state)
    clusters = said["clusters"]
    assert isinstance(clusters, list)
    with gzip.open(STREAM, "rt", encoding="utf-8-sig", newline="") as text:
        known = {row["id"] for row in csv.DictReader(text)}
    ids = [key for cluster in clusters for key in cluster["ids"]]
    assert len(ids) == len(set(ids))
    assert set(ids) <= known
    reporters = [cluster["reporters"] for cluster in clusters]
    assert reporters == sorted(reporters, reverse=True)
    assert reporters[0] > 40


@needs_year
def test_shuffled_days_of_the_year_ring_no_more_than_stated() -> None:
    said: dict[str, Any] = hot(STREAM, "--surges")
    assert said["rang_shuffled_mean"] <= said["stated_false_per_day"] * said["days"]
    assert said["rang"] == len(said["surges"]) > 0


def test_month_by_month_finds_what_all_at_once_does(tmp_path: Path) -> None:
    every = letters(PLANT, PARKING, OTHERS)
    path = tmp_path / "letters.csv"
    with path.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["id", "reporter", "created", "title", "detail"])
        for number, one in enumerate(every):
            created = ("2026-01-31 08:00:00", "2026/2/1 8:00")[number % 2]
            rows.writerow([one.id, one.voice, created, one.title, one.detail])
    at_once, by_month = (
        sorted(sorted(cluster["ids"]) for cluster in hot(path, *options)["clusters"]) for options in ((), ("--by-month",)))
    assert at_once == by_month == [["m000", "m001", "m002", "m003"], ["m004", "m005", "m006"]]


def test_messages_without_a_time_have_no_surges(tmp_path: Path) -> None:
    timeless = tmp_path / "timeless.csv"
    timeless.write_text("id,title,detail,created\n1,a,b,soon\n", encoding="utf-8")
    with pytest.raises(CommandError):
        hot(timeless, "--surges")


def test_a_file_that_is_not_there_or_lacks_columns_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        hot(tmp_path / "none.csv")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("id,words\n1,a\n", encoding="utf-8")
    with pytest.raises(CommandError, match="title"):
        hot(wrong)
    twice = tmp_path / "twice.csv"
    twice.write_text("id,title,detail\n1,a,b\n1,a,b\n", encoding="utf-8")
    with pytest.raises(CommandError, match="1"):
        hot(twice)
