"""The processes of the run: started, killed without a word, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from lianxin.embedded.server import end_with_parent

READY_SECONDS = 180.0


def answers(url: str) -> bool:
    """Whether it answers 200 within two seconds."""
    try:
        with urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


@dataclass(slots=True)
class Program:
    """One process in a group of its own; `ready` is an address that answers when it works, empty where there is none."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ready: str = ""
    killed: int = 0
    process: subprocess.Popen[bytes] | None = None
    output: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, env={**os.environ, "LIANXIN_BOUND": "true", **self.environment}, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=lambda: end_with_parent(signal.SIGKILL))

    def clear(self, number: int = signal.SIGKILL) -> None:
        """Signal all it made, and wait for it."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)

    def crash(self) -> None:
        """SIGKILL, and start again at once."""
        self.killed += 1
        self.clear()
        self.start()

    def heal(self) -> None:
        """Start again what ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def wait(self) -> None:
        """Until it answers. Raises RuntimeError with what it said when it does not."""
        until(lambda: not self.ready or answers(self.ready), READY_SECONDS, f"{self.name} did not start:\n{self.said()}")

    def said(self) -> str:
        """The end of what it printed."""
        self.output.seek(max(0, self.output.seek(0, os.SEEK_END) - 4000))
        return self.output.read().decode(errors="replace")


def until(fact: Callable[[], object], seconds: float, why: str) -> None:
    """Wait for it. Raises RuntimeError."""
    ends = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > ends:
            raise RuntimeError(why)
        time.sleep(0.1)


@contextmanager
def running(programs: Mapping[str, Program]) -> Iterator[None]:
    """Start all, and end all that is left of them."""
    try:
        for one in programs.values():
            one.start()
        for one in programs.values():
            one.wait()
        yield
    finally:
        for one in reversed(list(programs.values())):
            one.clear(signal.SIGTERM)
            one.clear()
            one.output.close()


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def web(port: int, *, workers: int = 2) -> Program:
    """The hotline's server as the demo starts it."""
    command = python(
        "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers), "--blocking-threads", "8",
        "--blocking-threads-idle-timeout", "600", "--respawn-failed-workers", "--workers-kill-timeout", "5", "--no-ws",
        "--log-level", "warning", "lianxin.config.wsgi:application")
    return Program("web", command, ready=f"http://127.0.0.1:{port}/readyz")


def desk(port: int, *, data: Path, ours: str, theirs: str, our_url: str, secret: str, auto: str = "") -> Program:
    """The other desk: the separate program, with its own database in `data`. With `auto` it decides by itself, in these shares."""
    kept = data / "secrets"
    kept.write_text(secret + "\n")
    command = python("lianxin_110_desk", "--data", str(data), "--port", str(port), "--name", theirs, "--peer", ours, "--peer-url", our_url,
                     "--secret-file", str(kept), "--no-browser", *(["--auto", auto] if auto else []))
    return Program("110 desk", command, ready=f"http://127.0.0.1:{port}/healthz")


def live(port: int) -> Program:
    """The process that tells pages of news."""
    return Program("live", python("lianxin", "live", "--port", str(port)), ready=f"http://127.0.0.1:{port}/live/healthz")
