"""`./run demo` as a whole: it starts, serves, heals, stops, and loses nothing that was answered with success."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from lianxin.embedded.server import place_of

YUEYANG = Path(__file__).parents[2] / "cities" / "yueyang"
HILL = Path(__file__).parents[1] / "city" / "hill"  # three villages: loaded in a moment
START_SECONDS = 150.0
pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Callable[[], Any], seconds: float, why: Callable[[], object]) -> None:
    """Wait for `what()` to be true; fails with what `why` says then when it does not come."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            pytest.fail(str(why()))
        time.sleep(0.1)


def processes_of(data: Path) -> dict[int, str]:
    """Every living process that names this data directory in its command or its environment, with its command."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        own = str(data).encode()
        if command and (own in command or b"LIANXIN_DATA=" + own + b"\0" in environment):
            found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    found.pop(os.getpid(), None)
    return found


@dataclass
class Demo:
    """One demo in a directory of its own."""

    data: Path
    options: tuple[str, ...] = ("--no-cases",)
    port: int = field(default_factory=free_port)
    city: Path = HILL
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start and wait for /readyz; returns the seconds it took."""
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("LIANXIN_DATA", "LIANXIN_DATABASE_URL", "LIANXIN_LOG_LEVEL")}
        begun = time.monotonic()
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lianxin.demo.supervisor", "--port", str(self.port), "--data", str(self.data),
                 "--city", str(self.city), "--no-browser", *self.options],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )
        until(lambda: self.answers() or self.process is None or self.process.poll() is not None, START_SECONDS,
              self.log)
        assert self.process.poll() is None, self.log()
        return time.monotonic() - begun

    def log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.base + "/readyz", timeout=10) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def token(self, role: str = "operator") -> str:
        accounts = json.loads((self.data / "demo.json").read_text())["accounts"]
        return str(next(account["api_token"] for account in accounts if account["role"] == role))

    def create(self, key: str, token: str) -> tuple[int, dict[str, Any], bool]:
        """Register one case through the API; (status, answer, replayed). Status 0 when nobody answered."""
        request = urllib.request.Request(
            self.base + "/api/v1/cases", method="POST",
            data=json.dumps({"words": f"路灯不亮，第 {key} 件。", "phone": "07300000000"}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, json.load(reply), reply.headers.get("Idempotent-Replayed") == "true"
        except urllib.error.HTTPError as error:
            return error.code, {}, False
        except (OSError, ValueError, HTTPException):  # killed in the middle of its answer, too
            return 0, {}, False

    def children(self, name: str) -> list[int]:
        return [pid for pid, command in processes_of(self.data).items() if re.search(name, command)]

    def interrupt(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(40) == 0, self.log()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory every user may enter, as /srv is."""
    made = Path(tempfile.mkdtemp(prefix="lianxin-demo-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    made = Demo(folder / "demo")
    yield made
    made.end()


def test_works_under_a_closed_home(folder: Path) -> None:
    """As root the server runs as somebody else, who cannot enter a home closed with 0700: nothing is opened for it."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    demo = Demo(home / "demo")
    try:
        demo.start()
        assert demo.create("one", demo.token())[0] == 201
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        demo.interrupt()
    finally:
        demo.end()
        shutil.rmtree(place_of(demo.data).root, ignore_errors=True)


def test_starts_says_who_there_is_and_leaves_nothing_behind(demo: Demo) -> None:
    demo.options, demo.city = (), YUEYANG
    demo.start()
    told = json.loads((demo.data / "demo.json").read_text())
    assert told["base_url"] == demo.base
    assert {account["role"] for account in told["accounts"]} == {
        "operator", "dispatcher", "clerk", "reviewer", "callback", "supervisor", "head", "leader", "grid_worker",
        "administrator"}
    assert all(set(account) == {"username", "password", "role", "unit", "api_token"} for account in told["accounts"])
    until(lambda: all(account["username"] in demo.log() for account in told["accounts"]), 5, demo.log)
    # The database has no network address, and its directory is closed to everybody else.
    place = place_of(demo.data)
    settings = (place.data / "postgresql.conf").read_text()
    assert "listen_addresses = ''" in settings
    for directory in (place.root, place.data, place.socket):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((demo.data / "keyring.json").stat().st_mode) == 0o600
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=False).stdout
    ours = {pid for pid, command in processes_of(demo.data).items() if "postgres" in command.split(" ")[0]}
    assert ours
    assert not [line for line in listening.splitlines() if any(f"pid={pid}," in line for pid in ours)]
    demo.interrupt()
    until(lambda: not processes_of(demo.data), 10, lambda: f"left running: {processes_of(demo.data)}")
    told_before = len(demo.log())
    demo.start()
    again = demo.log()[told_before:]
    for done_before in ("migrating", "cases to try it with", "写入"):
        assert done_before not in again, f"the second start does it again: {done_before}"
    assert json.loads((demo.data / "demo.json").read_text()) == told
    demo.interrupt()


@pytest.mark.parametrize("victim", ["web", "worker", "postgres", "supervisor"])
def test_kill_in_the_middle_loses_nothing_that_was_answered(demo: Demo, victim: str) -> None:
    demo.start()
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
    until(lambda: len(answered) >= 40, 60, demo.log)
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
    until(lambda: len(answered) >= before + 40, 90, demo.log)
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
    demo.interrupt()


def test_ten_seconds_without_a_database(demo: Demo) -> None:
    """The server's processes stand still in the middle of requests: nobody sees a stack trace, and a request sent
    again with its key makes one case."""
    demo.start()
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
    demo.interrupt()


def test_two_side_by_side_and_one_at_a_time_on_one_directory(demo: Demo, folder: Path) -> None:
    other = Demo(folder / "other")
    demo.start()
    try:
        other.start()
        first, second = demo.create("same", demo.token()), other.create("same", other.token())
        assert first[0] == second[0] == 201
        assert demo.create("other", other.token())[0] == 401, "a token of one installation opens another"
        refused = subprocess.run(
            [sys.executable, "-m", "lianxin.demo.supervisor", "--port", str(free_port()), "--data", str(demo.data),
             "--no-browser"], capture_output=True, text=True, check=False, timeout=60,
        )
        assert refused.returncode == 1
        assert str(demo.data) in refused.stdout
    finally:
        other.end()
    until(demo.answers, 20, demo.log)
    taken = subprocess.run(
        [sys.executable, "-m", "lianxin.demo.supervisor", "--port", str(demo.port), "--data", str(folder / "third"),
         "--no-browser"], capture_output=True, text=True, check=False, timeout=60,
    )
    assert taken.returncode == 1
    assert str(demo.port) in taken.stdout
    demo.interrupt()
