"""`./run demo`: PostgreSQL, web, worker and what stands beside them, as one thing that starts, heals and stops together.

The supervisor has one thread and holds `demo.lock` in the data directory. Its children are bound to its life: when
it dies, however it dies, Linux tells them to stop. A child that dies is started again. Nothing is kept in memory
that a new start needs.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from lianxin.embedded.server import EmbeddedServer, EmbeddedServerError, end_with_parent

from .beside import Beside

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
CHINESE = any(os.environ.get(name, "").startswith("zh") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))


def say(chinese: str, english: str) -> None:
    sys.stdout.write((chinese if CHINESE else english) + "\n")
    sys.stdout.flush()


def give_up(chinese: str, english: str) -> NoReturn:
    say(chinese, english)
    raise SystemExit(1)


class Stopped(Exception):
    """A signal asked the supervisor to end."""


@dataclass(slots=True)
class Child:
    """One process of the demo, in a group of its own, so that what it made ends with it."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    # What Linux sends it when the supervisor dies. A worker whose database is gone does not heed SIGTERM.
    when_orphaned: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = field(default=0)

    def start(self) -> None:
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=lambda: end_with_parent(self.when_orphaned),
            )

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def clear(self, with_signal: int) -> None:
        """Signal everything in the group; what the process had made may outlive it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, with_signal)

    def restart(self) -> None:
        """Start again; the pause grows when it keeps dying at once, so that the machine stays usable."""
        self.clear(signal.SIGKILL)
        self.quick_deaths = self.quick_deaths + 1 if time.monotonic() - self.started < 5 else 0
        time.sleep(min(5.0, 0.2 * self.quick_deaths))
        self.start()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run demo")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--data", type=Path, help="data directory; default var/demo")
    parser.add_argument("--city", type=Path, help="directory of the city's files; default cities/yueyang")
    parser.add_argument("--no-cases", action="store_true", help="start with an empty city")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    return parser.parse_args(arguments)


def _hold(data: Path) -> IO[str]:
    """The lock of this data directory; gives up when another demo has it."""
    handle = (data / "demo.lock").open("a+")
    for _attempt in range(50):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.1)
            continue
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        return handle
    handle.seek(0)
    pid = handle.read().strip()
    give_up(f"{data} 上已有一个演示在运行（进程 {pid}）。先停掉它，或用 --data 换一个目录。",
            f"A demo already runs on {data} (process {pid}). Stop it, or choose another --data.")


def _port_free(host: str, port: int) -> None:
    """Gives up when somebody listens there; processes of a demo killed a moment ago get time to leave."""
    for attempt in range(50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return
            except OSError as error:
                reason = error
        if attempt == 0 and isinstance(reason, PermissionError):
            break
        time.sleep(0.1)
    give_up(f"端口 {port} 不能用（{reason.strerror}）。用 --port 换一个。",
            f"Port {port} cannot be used ({reason.strerror}). Choose another with --port.")


def answers(url: str) -> bool:
    """Whether the address answers 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


class Supervisor:
    """The whole demo on one data directory and one port."""

    def __init__(self, options: argparse.Namespace) -> None:
        home = Path(os.environ.get("LIANXIN_HOME") or Path(__file__).resolve().parents[3])
        self.checkout = Path(__file__).resolve().parents[3]
        self.data: Path = (options.data or home / "var" / "demo").resolve()
        self.city: Path = (options.city or self.checkout / "cities" / "yueyang").resolve()
        self.host: str = options.host
        self.port: int = options.port
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        self.base_url = f"http://{shown}:{self.port}"
        self.shown = shown
        self.cases: bool = not options.no_cases
        self.server: EmbeddedServer | None = None
        self.children: list[Child] = []

    @cached_property
    def beside(self) -> Beside:
        """Chosen when the data directory and the main port are this demo's."""
        return Beside.of(host=self.host, shown=self.shown, port=self.port, data=self.data, city=self.city)

    def environment(self) -> dict[str, str]:
        hosts = {"localhost", "127.0.0.1", "[::1]", self.host, *os.environ.get("LIANXIN_ALLOWED_HOSTS", "").split()}
        if self.host in ("0.0.0.0", "::"):
            hosts.add("*")
        url = os.environ.get("LIANXIN_DATABASE_URL") or (self.server.url() if self.server else "")
        return {
            **os.environ, "LIANXIN_DATA": str(self.data), "LIANXIN_DATABASE_URL": url,
            "LIANXIN_ALLOWED_HOSTS": " ".join(sorted(hosts)), "LIANXIN_COOKIE_PREFIX": f"lianxin{self.port}",
            "DJANGO_SETTINGS_MODULE": "lianxin.config.settings", "PYTHONUNBUFFERED": "1", "LIANXIN_BOUND": "true",
            **self.beside.environment(self.base_url),
        }

    def prepare(self) -> None:
        if not os.environ.get("LIANXIN_DATABASE_URL"):
            say("启动 PostgreSQL …", "starting PostgreSQL …")
            self.server = EmbeddedServer(self.data)
            self.server.start()
        command = [sys.executable, "-m", "lianxin", "prepare_demo", "--base-url", self.base_url, "--city", str(self.city)]
        if not self.cases:
            command.append("--no-cases")
        command += [f"--url={name}={url}" for name, url in self.beside.urls.items()]
        prepared = subprocess.Popen(command, env=self.environment(), stdin=subprocess.DEVNULL, start_new_session=True,
                                    preexec_fn=lambda: end_with_parent(signal.SIGTERM))
        try:
            if prepared.wait():
                give_up("数据库没有准备好，原因见上。", "The database could not be prepared; the reason is above.")
        except BaseException:
            prepared.kill()
            raise

    def spawn(self) -> None:
        logs = self.data / "log"
        logs.mkdir(exist_ok=True)
        environment = self.environment()
        python = sys.executable
        web = [
            python, "-m", "granian", "--interface", "wsgi", "--host", self.host, "--port", str(self.port),
            "--workers", "2", "--blocking-threads", "8", "--blocking-threads-idle-timeout", "600",
            "--respawn-failed-workers", "--respawn-interval", "1", "--workers-kill-timeout", "5", "--no-ws",
            "--log-level", "warning", "lianxin.config.wsgi:application",
        ]
        # prepare_demo has checked the system already.
        worker = [python, "-m", "lianxin", "procrastinate", "--skip-checks", "worker", "--concurrency", "4",
                  "--fetch-job-polling-interval", "1", "--shutdown-graceful-timeout", "5"]
        programs = [("web", web, signal.SIGTERM), ("worker", worker, signal.SIGKILL)]
        programs += [(one.name, one.command, signal.SIGKILL) for one in self.beside.programs(self.base_url)]
        for name, command, orphaned in programs:
            log = logs / f"{name}.log"
            if log.exists() and log.stat().st_size > 20_000_000:
                log.replace(log.with_suffix(".old"))
            self.children.append(Child(name, command, environment, log, orphaned))
            self.children[-1].start()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self.base_url + "/readyz"):
            self.heal()
            if time.monotonic() > deadline:
                give_up(f"网页服务没有在 {READY_SECONDS:.0f} 秒内就绪，见 {self.data}/log/web.log",
                        f"The web server was not ready in {READY_SECONDS:.0f} s; see {self.data}/log/web.log")
            time.sleep(0.1)

    def heal(self) -> None:
        """Start again what died."""
        if self.server is not None and not self.server.alive():
            say("PostgreSQL 停了，重新启动", "PostgreSQL ended; starting it again")
            self.server.start()
        for child in self.children:
            if child.died():
                say(f"{child.name} 停了，重新启动", f"{child.name} ended; starting it again")
                child.restart()

    def announce(self) -> None:
        accounts = json.loads((self.data / "demo.json").read_text())["accounts"]
        say("\n账号（也写在 demo.json）", "\nAccounts (also in demo.json)")
        for account in accounts:
            sys.stdout.write("  {username:<16} {password:<18} {role:<14} {unit}\n".format(**account))
        say(f"\n{self.base_url}/  ·  {self.base_url}/desk/    Ctrl-C 停止", f"\n{self.base_url}/  ·  "
            f"{self.base_url}/desk/    Ctrl-C stops everything")
        if key := next((one["api_token"] for one in accounts if one["role"] == "outside_app"), ""):
            say(f"{self.base_url}/open311/v2/    Open311，api_key={key}", f"{self.base_url}/open311/v2/    Open311, api_key={key}")
        if url := self.beside.urls.get("department_url"):
            say(f"{url}/    部门自己的系统（示范）：派给它那个单位的工单会过去",
                f"{url}/    a department's own system (example): its unit's cases go there")
        for name, link in self.beside.links.items():
            say(f"{link['url']}/    对方服务台 {name}，在另一个窗口打开", f"{link['url']}/    the other desk {name}, for a second window")

    def stop(self) -> None:
        """Web first, then worker, then the database they write to."""
        for child in self.children:
            child.clear(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, deadline - time.monotonic()))
            child.clear(signal.SIGKILL)
        if self.server is not None:
            self.server.stop()

    def serve(self, *, browser: bool) -> None:
        self.prepare()
        self.spawn()
        self.wait_ready()
        self.announce()
        if browser and sys.stdout.isatty():
            webbrowser.open(self.base_url)
        while True:
            time.sleep(0.5)
            self.heal()


def _stopping() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


@contextlib.contextmanager
def _unmoved() -> Iterator[None]:
    """Further signals do not cut the stopping short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    yield


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit status."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    supervisor = Supervisor(options)
    supervisor.data.mkdir(parents=True, exist_ok=True)
    _stopping()
    try:
        with _hold(supervisor.data):
            _port_free(supervisor.host, supervisor.port)
            try:
                supervisor.serve(browser=not options.no_browser)
            finally:
                with _unmoved():
                    say("正在停止 …", "stopping …")
                    supervisor.stop()
    except Stopped:
        return 0
    except EmbeddedServerError as error:
        say(str(error), str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
