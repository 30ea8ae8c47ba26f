"""`./run demo` as processes: it starts, heals, stops, and loses nothing that was answered with success.

The tests share one demo that was started from nothing: each finds it running, kills or stops what it asks about, and leaves it
healed to the next – as somebody's demo that has been up for a day. Another one, under a closed home, is made for the last two.
The whole city's first start and its second are tried in `test_whole_city.py`.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lianxin.embedded.server import place_of
from tests.demo.demos import HILL, Demo, folder_for_all, free_port, processes_of, until

pytestmark = pytest.mark.slow
SAID = {"010101": ("家里没有水", "停水两天了", "水龙头不出水", "又停水"), "010102": ("水管爆了", "路上冒水", "管子裂了漏水", "水管破裂")}
TEXTS = "title,detail,category\n" + "".join(
    f",{words}，{please}。,{code}\n" for code, said in SAID.items() for words in said for please in ("请来看看", "有没有人管", "急"))


@pytest.fixture(scope="module")
def installation() -> Iterator[Demo]:
    """A demo of three villages."""
    with folder_for_all() as folder:
        made = Demo(folder / "demo")
        try:
            yield made
        finally:
            made.end()


@pytest.fixture
def demo(installation: Demo) -> Demo:
    """It runs, whatever the test before has left of it."""
    if not installation.answers():
        installation.end()
        installation.start()
    return installation


@pytest.fixture(scope="module")
def other() -> Iterator[Demo]:
    """Another one that runs, of a city of its own with texts to learn from, in a home closed with 0700."""
    with folder_for_all() as folder:
        home, city = folder / "home", folder / "hill"
        home.mkdir(mode=0o700)
        shutil.copytree(HILL, city)
        (city / "training").mkdir()
        (city / "training" / "water.csv").write_text(TEXTS, encoding="utf-8")
        made = Demo(home / "demo", city=city)
        try:
            made.start()
            yield made
        finally:
            made.end()
            shutil.rmtree(place_of(made.data).root, ignore_errors=True)


@pytest.mark.parametrize("victim", ["web", "worker", "postgres", "supervisor"])
def test_kill_in_the_middle_loses_nothing_that_was_answered(demo: Demo, victim: str) -> None:
    token = demo.token()
    answered: dict[str, str] = {}
    tried: set[str] = set()
    stop = threading.Event()

    def write(hand: int) -> None:
        number = 0
        while not stop.is_set():
            key = f"{victim}-{hand}-{number}"
            tried.add(key)
            status, told, _replayed = demo.create(key, token)
            if status == 201:
                answered[key] = told["number"]
                number += 1
            else:
                time.sleep(0.1)  # the same key again, as a careful client does

    hands = [threading.Thread(target=write, args=(hand,), daemon=True) for hand in range(4)]
    for hand in hands:
        hand.start()
    until(lambda: len(answered) >= 20, 60, demo.log)
    names = {"web": "granian", "worker": "procrastinate", "postgres": "bin/postgres -D"}
    if victim == "supervisor":
        assert demo.process is not None
        demo.process.kill()
        demo.process.wait()
        until(lambda: not processes_of(demo.data), 20, lambda: f"outlived it: {processes_of(demo.data)}")
        demo.start()
    else:
        for pid in demo.children(names[victim]):
            os.kill(pid, signal.SIGKILL)
    before = len(answered)
    until(lambda: len(answered) >= before + 20, 90, demo.log)
    stop.set()
    for hand in hands:
        hand.join()
    numbers = set()
    for key in tried:
        status, told, replayed = demo.create(key, token)
        assert status in (200, 201), (key, status)
        if key in answered:
            assert replayed, key
            assert told["number"] == answered[key]
        numbers.add(told["number"])
    assert len(numbers) == len(tried)


def test_ten_seconds_without_a_database(demo: Demo) -> None:
    """The server's processes stand still in the middle of requests: nobody sees a stack trace, and a request sent
    again with its key makes one case."""
    token = demo.token()
    assert demo.create("before", token)[0] == 201
    servers = demo.children("bin/postgres -D|^postgres: ")
    for pid in servers:
        os.kill(pid, signal.SIGSTOP)
    results: list[int] = []
    hands = [threading.Thread(target=lambda n=n: results.append(demo.create(f"during-{n}", token)[0]), daemon=True)
             for n in range(3)]
    for hand in hands:
        hand.start()
    time.sleep(10)
    for pid in servers:
        os.kill(pid, signal.SIGCONT)
    for hand in hands:
        hand.join()
    assert set(results) <= {0, 201, 503}, results
    until(lambda: demo.create("after", token)[0] in (200, 201), 30, demo.log)
    made = {}
    for number in range(3):
        status, told, _replayed = demo.create(f"during-{number}", token)
        assert status in (200, 201)
        made[number] = told["number"]
    assert len(set(made.values())) == 3
    logs = "".join(path.read_text(errors="replace") for path in (demo.data / "log").glob("*.log"))
    assert "07300000000" not in logs


def test_works_under_a_closed_home(other: Demo) -> None:
    """As root the server runs as somebody else, who cannot enter a home closed with 0700: nothing is opened for it."""
    assert other.create("one", other.token())[0] == 201
    assert stat.S_IMODE(other.data.parent.stat().st_mode) == 0o700


def test_two_side_by_side_and_one_at_a_time_on_one_directory(demo: Demo, other: Demo, tmp_path: Path) -> None:
    first, second = demo.create("same", demo.token()), other.create("same", other.token())
    assert first[0] == second[0] == 201
    assert demo.create("other", other.token())[0] == 401, "a token of one installation opens another"
    until((other.data / "triage" / "texts.sha256").exists, 60, lambda: "its worker has not learnt from the city's texts")
    assert not (demo.data / "triage" / "texts.sha256").exists()

    def refused(port: int, data: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lianxin.demo.supervisor", "--port", str(port), "--data", str(data), "--no-browser"],
            capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        return done.stdout

    assert str(demo.data) in refused(free_port(), demo.data)
    other.interrupt()
    until(demo.answers, 20, demo.log)
    assert str(demo.port) in refused(demo.port, tmp_path / "third")
    demo.interrupt()
    assert not processes_of(demo.data)
