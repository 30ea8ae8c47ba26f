"""`lianxin bench --quick` measures everything there is to measure and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lianxin.bench.create import CLIENTS
from lianxin.bench.parts import SHOWN
from lianxin.bench.results import BEGIN, END

PAGES = (
    "dispatcher's queue", "clerk's list", "one case", "county view, its supervisor", "filter: category", "filter: unit",
    "filter: overdue", "live line of the queue", "overview", "search: common word", "search: rare word",
    "search: common word, one county",
)
ENDPOINTS = 10


def _numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*\.?\d*", text)]


@pytest.mark.slow
def test_a_quick_run_fills_every_row_of_the_table(tmp_path: Path) -> None:
    page = tmp_path / "bench.md"
    before = set(Path(tempfile.gettempdir()).glob("lianxin-bench-*"))
    environment = {name: value for name, value in os.environ.items() if name != "LIANXIN_DATA"}
    done = subprocess.run([sys.executable, "-m", "lianxin", "bench", "--quick", "--write", str(page)], env=environment,
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    body = page.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines() if line.startswith("| ")]
    by_part: dict[str, dict[str, list[str]]] = {}
    for part, what, *rest in rows[1:]:
        by_part.setdefault(part, {})[what] = rest
    assert list(by_part) == list(SHOWN)

    for clients in CLIENTS:
        ours, against, ratio, bar, _met = by_part["create"][f"{clients} client{'s' if clients > 1 else ''} over HTTP"]
        rate, _p, p50, _q, p99 = _numbers(ours)
        assert rate > 0
        assert 0 < p50 <= p99
        assert _numbers(against)[0] > 0
        assert _numbers(ratio)[0] > 0
        assert "15%" in bar
    assert "fsync on" in by_part["create"]["durability, both sides"][0]

    pages = by_part["lists"] | by_part["search"]
    for what in PAGES:
        ours, against, ratio, *_rest = pages[f"{what}, 3,000"]
        _p, p50, _q, p95, database = _numbers(ours)
        assert 0 < p50 <= p95
        assert 0 < database < p95
        assert against.startswith("1,000: p50")
        assert _numbers(ratio)[0] > 0
    [imported] = by_part["import"].values()
    assert _numbers(imported[0])[0] > 0
    assert _numbers(imported[1])[0] > 0

    assert len(by_part["queries"]) == ENDPOINTS
    for what, (told, *_rest) in by_part["queries"].items():
        queries, cpu, whole, database = _numbers(told)
        assert 1 <= queries <= 25, what
        assert cpu > 0
        assert 0 < database <= whole

    assert set(Path(tempfile.gettempdir()).glob("lianxin-bench-*")) <= before


@pytest.mark.parametrize("arguments", [["--only", "lists,nothing"], ["--sizes", "many"], ["--sizes", "0"]])
def test_what_cannot_be_measured_is_said(arguments: list[str]) -> None:
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError):
        call_command("bench", *arguments)
