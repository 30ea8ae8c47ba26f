"""The parts of the bench that need no server: what is counted, what is read, what is written."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

from lianxin.bench.client import request, whole
from lianxin.bench.create import script
from lianxin.bench.parts import MODULES, Run, measure
from lianxin.bench.results import BEGIN, END, Results, Row, percentile
from lianxin.bench.words import Writer
from lianxin.cases.actions import Intake
from lianxin.cases.actions.writing import ONE_STATEMENT
from lianxin.kernel.clock import Frozen
from tests.world import World


@pytest.mark.parametrize("part", MODULES)
def test_each_part_has_its_module_and_its_place_in_the_page(part: str) -> None:
    module = import_module(f"lianxin.bench.{MODULES[part]}")
    assert list(inspect.signature(module.bench).parameters) == ["run"]
    page = (Path(__file__).parents[2] / "docs/reference/bench.md").read_text(encoding="utf-8")
    assert f"`{part}`" in page
    assert f"**{part}" in page


def test_a_part_is_run_by_its_name_and_may_be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    rows = measure("worktime", Run(None, [10], 1.0, True, told.append))  # type: ignore[arg-type]
    assert {row.part for row in rows} == {"worktime"}
    assert told == ["due times, and a loop that steps through days"]


def test_cases_grow_but_never_shrink_until_one_asks_for_fresh_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.bench import fill

    done: list[tuple[str, int]] = []
    monkeypatch.setattr(fill, "grow", lambda _city, *, have, want: done.append(("grow", want - have)))
    monkeypatch.setattr(fill, "empty", lambda: done.append(("empty", 0)))
    run = Run(None, [10, 30], 1.0, True, lambda _what: None)  # type: ignore[arg-type]
    for want in (10, 30, 20):
        run.grow(want)
    run.fresh(10)
    assert done == [("grow", 10), ("grow", 20), ("empty", 0), ("grow", 10)]
    assert run.have == 10


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_were_measured(share: float, wanted: float) -> None:
    assert percentile(list(range(100, 0, -1)), share) == wanted


HEAD = b"HTTP/1.1 201 Created\r\nServer: x\r\n"


@pytest.mark.parametrize(("answer", "status"), [
    (HEAD, 0),
    (HEAD + b"Content-Length: 4\r\n\r\nab", 0),
    (HEAD + b"content-length: 4\r\n\r\nabcd", 201),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", 0),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 201),
    (b"HTTP/1.1 503 Nothing\r\nContent-Length: 0\r\n\r\n", 503),
])
def test_the_client_knows_when_an_answer_has_come_whole(answer: bytes, status: int) -> None:
    assert whole(answer) == status


def test_a_request_says_how_long_its_body_is() -> None:
    body = "路灯".encode()
    assert request(body, "t", "k").endswith(b"Content-Length: 6\r\n\r\n" + body)


def test_results_go_between_the_marks_and_leave_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "bench.md"
    page.write_text(f"# Bench\n\nbefore\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    results = Results([Row("create", "8 clients", "1/s", ratio="16%", bar="≥ 15%", met=True),
                       Row("lists", "queue", "2 ms", met=False)])
    results.write(page, datetime(2026, 11, 25, tzinfo=UTC), 60.0)
    body = page.read_text(encoding="utf-8")
    assert body.startswith("# Bench\n\nbefore\n")
    assert body.endswith("\nafter\n")
    assert "old" not in body
    assert "| create | 8 clients | 1/s |  | 16% | ≥ 15% | met |" in body
    assert "| lists | queue | 2 ms |  |  |  | MISSED |" in body


def test_messages_are_the_same_from_the_same_seed_and_hold_words_of_two_characters() -> None:
    import random

    one, other = Writer(random.Random(1)), Writer(random.Random(1))
    messages = [one.message() for _number in range(200)]
    assert messages == [other.message() for _number in range(200)]
    assert any("路灯" in words for _title, words, _place in messages)


def test_pgbench_commits_the_statement_and_rows_of_register_under_keys_of_its_own(world: World, monday: Frozen) -> None:
    intake = Intake(words="路灯不亮。", name="王小明", phone="13812342201", lon=113.1, lat=29.1, category="010101")
    text = script(intake, world.actor("operator"), run=7)
    sent = text[text.index("WITH reporter"):]
    for line in ONE_STATEMENT.strip().splitlines():
        assert line.split("%(")[0] in sent
    assert "路灯不亮。" in sent
    assert "13812342201" not in sent
    assert "%(" not in sent
    assert sent.count(":d1:d2:d3:d4") == 3  # the submission's key, the tracking digest, the hash of the telephone
    assert "26-80007:n:who" in sent
    assert "\\set n :n + 1" in text
