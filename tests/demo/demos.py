"""A whole demo in processes of its own, for the tests that look at it from outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

YUEYANG = Path(__file__).parents[2] / "cities" / "yueyang"
HILL = Path(__file__).parents[1] / "city" / "hill"  # three villages: loaded in a moment
START_SECONDS = 240.0  # of a first start on a machine with much else to do


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A directory every user may enter, as /srv is: the database's own user must reach what is in it."""
    made = Path(tempfile.mkdtemp(prefix="lianxin-demo-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


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
    telephone: bool = False  # whether a telephone system is played as well: two programs more
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start and wait for /readyz; returns the seconds it took."""
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("LIANXIN_DATA", "LIANXIN_DATABASE_URL", "LIANXIN_LOG_LEVEL", "LIANXIN_SWITCH")}
        if not self.telephone:
            environment["LIANXIN_SWITCH"] = "none"
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
