"""`lianxin-110-desk`: options, and the supervisor that starts the serving process again whenever it ends by itself."""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO

from .bound import end_with_parent
from .options import VARIABLE, BadOptions, Options
from .orders import BadOrder, auto_of, conduct_of

THREADS = 64  # a screen takes one, a message that nobody answers another
READY_SECONDS = 30.0
QUICK_SECONDS = 2.0
MOST_QUICK_DEATHS = 6  # before it was ready even once


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lianxin-110-desk", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8110)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", type=Path, default=Path("var/110-desk"), help="where its one database lies")
    parser.add_argument("--name", default="110.yueyang", help="its name on the line")
    parser.add_argument("--title", default="", help="its name on the screen")
    parser.add_argument("--peer", default="12345.yueyang", help="the other desk's name on the line")
    parser.add_argument("--peer-title", default="", help="the other desk's name on the screen")
    parser.add_argument("--peer-url", default="http://127.0.0.1:8000")
    parser.add_argument("--secret", action="append", default=[], metavar="whsec_…",
                        help="shared with the other desk; more than one while keys change")
    parser.add_argument("--secret-file", type=Path, help="a file with the secrets, one a line")
    parser.add_argument("--answer-seconds", type=int, default=900)
    parser.add_argument("--emergency-seconds", type=int, default=30)
    parser.add_argument("--negotiate-seconds", type=int, default=600, help="then the first receiver has what stayed unclear")
    parser.add_argument("--misbehave", default="", metavar="ORDERS", help="slow=2,silent=0.1,lose_answer=0.1,duplicate=0.2,reorder=0.2,"
                        "garbage=0.1,refuse_all,crash=after_commit:0.01,clock=400")
    parser.add_argument("--auto", nargs="?", const="on", default="", metavar="SHARES",
                        help="answer by itself: accept=0.7,refuse=0.2,negotiate=0.1,follow_up=0.2,pace=0,offers=0")
    parser.add_argument("--no-browser", action="store_true")
    return parser


def _secrets(given: argparse.Namespace) -> list[str]:
    found = list(given.secret)
    if given.secret_file is not None:
        try:
            found += given.secret_file.read_text(encoding="utf-8").split()
        except OSError as error:
            raise BadOptions(f"{given.secret_file}: {error.strerror}") from None
    for secret in found:
        if not secret.startswith("whsec_"):
            raise BadOptions("a secret begins with whsec_")
        try:
            short = len(base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)) < 16
        except ValueError:
            short = True
        if short:
            raise BadOptions("a secret is whsec_ and at least 16 bytes in base64")
    if not found:
        raise BadOptions("--secret or --secret-file is needed; a new one: whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    return found


def read(arguments: list[str]) -> tuple[Options, bool]:
    """The options, and whether to open a browser. Raises `BadOptions`."""
    given = _parser().parse_args(arguments)
    try:
        conduct_of(given.misbehave)
        auto_of(given.auto)
    except BadOrder as error:
        raise BadOptions(str(error)) from None
    titles = {"110": "110 报警服务台", "119": "119 指挥中心", "120": "120 急救中心", "12345": "12345 热线"}
    short, peer_short = given.name.split(".")[0], given.peer.split(".")[0]
    if given.name == given.peer:
        raise BadOptions("--name and --peer are the same desk")
    return Options(
        data=str(given.data.resolve()), name=given.name, title=given.title or titles.get(short, given.name),
        host=given.host, port=given.port, peer=given.peer, peer_title=given.peer_title or titles.get(peer_short, given.peer),
        peer_url=given.peer_url, secrets=_secrets(given),
        misbehave=given.misbehave, auto=given.auto, answer_seconds=given.answer_seconds, emergency_seconds=given.emergency_seconds,
        negotiate_seconds=given.negotiate_seconds,
    ), not given.no_browser


class Stopped(Exception):
    """A signal asked it to end."""


class Supervisor:
    """One serving process, started anew whenever it ends by itself."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0

    def spawn(self) -> None:
        path = self.options.save()
        log = Path(self.options.data) / "desk.log"
        if log.exists() and log.stat().st_size > 20_000_000:
            log.replace(log.with_suffix(".old"))
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", self.options.host, "--port", str(self.options.port),
            "--workers", "1", "--blocking-threads", str(THREADS), "--blocking-threads-idle-timeout", "600", "--workers-kill-timeout", "2",
            "--no-ws", "--log-level", "error", "lianxin_110_desk.wsgi:application",
        ]
        environment = {**os.environ, VARIABLE: str(path), "DJANGO_SETTINGS_MODULE": "lianxin_110_desk.settings", "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                            start_new_session=True, preexec_fn=end_with_parent)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.options.address + "/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def wait_ready(self) -> None:
        ends, deaths = time.monotonic() + READY_SECONDS, 0
        while not self.ready():
            if self.process is not None and self.process.poll() is not None:
                deaths += 1
                if deaths >= MOST_QUICK_DEATHS or time.monotonic() > ends:
                    raise BadOptions(f"it does not start; see {self.options.data}/desk.log")
                time.sleep(0.2)
                self.spawn()
            if time.monotonic() > ends:
                raise BadOptions(f"not ready within {READY_SECONDS:.0f} s; see {self.options.data}/desk.log")
            time.sleep(0.05)

    def watch(self) -> None:
        """Until a signal comes. It comes back at once; only one that dies again and again gets a pause."""
        begun, quick = time.monotonic(), 0
        self.options = replace(self.options, fresh=False)
        while True:
            assert self.process is not None
            code = self.process.wait()
            self.clear(signal.SIGKILL)
            quick = quick + 1 if time.monotonic() - begun < QUICK_SECONDS else 0
            self.restarts += 1
            say(f"serving process ended with {code}; started again ({self.restarts})")
            time.sleep(min(0.05 * quick, 2.0))
            begun = time.monotonic()
            self.spawn()

    def clear(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def stop(self) -> None:
        self.clear(signal.SIGTERM)
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.clear(signal.SIGKILL)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _hold(data: Path) -> Iterator[IO[str]]:
    """The lock of this data directory. Raises `BadOptions` when another desk has it."""
    with (data / "desk.lock").open("a+") as handle:
        for attempt in range(30):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if attempt == 29:
                    raise BadOptions(f"another desk runs on {data}; choose another --data") from None
                time.sleep(0.1)
        yield handle


def _free(host: str, port: int) -> None:
    reason = ""
    for _attempt in range(30):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return
            except OSError as error:
                reason = error.strerror or str(error)
        time.sleep(0.1)
    raise BadOptions(f"port {port} cannot be used ({reason}); choose another with --port")


def _stopping() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; the exit status."""
    try:
        options, browser = read(sys.argv[1:] if arguments is None else arguments)
        data = Path(options.data)
        os.umask(0o077)  # what it keeps is for its own user
        data.mkdir(parents=True, exist_ok=True)
        _stopping()
        supervisor = Supervisor(options)
        with _hold(data):
            _free(options.host, options.port)
            try:
                supervisor.spawn()
                supervisor.wait_ready()
                (data / "desk.json").write_text(json.dumps({"base_url": options.address, "name": options.name, "peer": options.peer,
                                                            "pid": os.getpid()}), encoding="utf-8")
                say(f"{options.title} · {options.name}   {options.address}/   Ctrl-C stops it")
                if browser and sys.stdout.isatty():
                    webbrowser.open(options.address)
                supervisor.watch()
            finally:
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                supervisor.stop()
    except BadOptions as error:
        say(f"lianxin-110-desk: {error}")
        return 2
    except (Stopped, KeyboardInterrupt):
        return 0
    return 0
