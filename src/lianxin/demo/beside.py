"""What a demo runs beside web and worker: live updates, the sender, the desks of other services, the telephone."""

from __future__ import annotations

import base64
import csv
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Kinds of other desks that the demo plays, with the port's place behind the main one and the key in demo.json.
DESKS = {"police": "police_desk_url"}
OURS = "12345.yueyang"
SYSTEMS = Path("demo") / "systems.csv"  # of a city's files
TRIED = 50
CALLS_AN_HOUR = "60"  # while somebody at the desk is ready


def free(host: str, after: int) -> Iterator[int]:
    """Ports behind the main one that nobody listens on; any free one when there are none near."""
    for port in range(after + 1, min(after + TRIED, 65_536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
        yield port
    while True:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        yield port


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name, which is its log's too, its command, and what its environment has besides."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Beside:
    """What this demo has beside it. `links` are the other desks by their names: url, secret and kind; `switch` is the port at which
    the stand-in for a telephone system listens, `department` that of a department's own system, which
    `systems`, a file of the city, describes."""

    host: str
    shown: str
    data: Path
    live: int
    links: dict[str, dict[str, str]]
    switch: int
    systems: Path | None = None  # the city's file of the department's system that is played
    department: int = 0

    @classmethod
    def of(cls, *, host: str, shown: str, port: int, data: Path, city: Path) -> Beside:
        """Choose ports, and make or find the secrets; both desks and `prepare_demo` read them from linkage.json."""
        ports = free(host, port)
        live, path = next(ports), data / "linkage.json"
        try:
            earlier: dict[str, dict[str, str]] = json.loads(path.read_text())
        except (OSError, ValueError):
            earlier = {}
        links = {}
        for code, kind in _desks_of(city):
            secret = earlier.get(code, {}).get("secret") or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
            links[code] = {"url": f"http://{shown}:{next(ports)}", "secret": secret, "kind": kind}
        made = cls(host, shown, data, live, links, next(ports))
        if (city / SYSTEMS).is_file():
            made.systems, made.department = city / SYSTEMS, next(ports)
        _closed(path, json.dumps(links, indent=2))
        return made

    @property
    def live_url(self) -> str:
        return f"http://{self.shown}:{self.live}"

    @property
    def urls(self) -> dict[str, str]:
        """What demo.json says besides."""
        more = {"department_url": f"http://{self.shown}:{self.department}"} if self.systems else {}
        return {"live_url": self.live_url, **more, **{DESKS[link["kind"]]: link["url"] for link in self.links.values()}}

    def environment(self, base_url: str) -> dict[str, str]:
        """What the hotline's processes must know. What was set outside stays."""
        named = {"LIANXIN_LIVE_URL": self.live_url, "LIANXIN_LINKAGE_NAME": OURS, "LIANXIN_LINKAGE_URL": base_url,
                 "LIANXIN_OUTBOUND_PRIVATE": "127.0.0.0/8",  # a second demo on this machine may be joined to this one
                 "LIANXIN_PUBLIC_URL": base_url, "LIANXIN_MAIL_URL": "console:",  # mails are read in the worker's and the web's logs
                 "LIANXIN_SWITCH": "double", "LIANXIN_SWITCH_URL": f"ami://lianxin:double@127.0.0.1:{self.switch}"}
        return {name: os.environ.get(name, value) for name, value in named.items()}

    def programs(self, base_url: str) -> list[Program]:
        """The processes, in the order in which they start."""
        # As `lianxin live` does, without a process that only waits.
        found = [Program("live", [
            sys.executable, "-m", "granian", "--interface", "asgi", "--host", self.host, "--port", str(self.live), "--workers", "1",
            "--no-ws", "--backlog", "2048", "--backpressure", "8192", "--respawn-failed-workers", "--workers-kill-timeout", "1",
            "--log-level", "warning", "lianxin.live.app:app"])]
        found.append(Program("deliver", [sys.executable, "-m", "lianxin", "deliver", "--skip-checks"]))
        for code, link in self.links.items():
            name = f"desk-{code.partition('.')[0]}"
            port = link["url"].rpartition(":")[2]
            folder = self.data / name
            folder.mkdir(exist_ok=True)
            _closed(folder / "secrets", link["secret"] + "\n")
            found.append(Program(name, [
                sys.executable, "-m", "lianxin_110_desk", "--data", str(folder), "--host", self.host, "--port", port, "--name", code,
                "--peer", OURS, "--peer-url", base_url, "--secret-file", str(folder / "secrets"), "--no-browser"]))
        if self.systems is not None:
            found.append(Program("department", [
                sys.executable, "-m", "lianxin.demo.department", "--host", self.host, "--port", str(self.department),
                "--data", str(self.data / "department"), "--services", str(self.systems)]))
        system = self.environment(base_url)["LIANXIN_SWITCH"]
        if system == "double":
            found.append(Program("switch-double", [sys.executable, "-m", "lianxin", "switch_double", "--skip-checks", "--calls-per-hour",
                                                     CALLS_AN_HOUR]))
        if system != "none":
            found.append(Program("switch", [sys.executable, "-m", "lianxin", "switch", "--skip-checks"]))
        return found


def _closed(path: Path, text: str) -> None:
    """A file that only its owner reads, whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    os.replace(new, path)


def _desks_of(city: Path) -> Iterator[tuple[str, str]]:
    """Name and kind of each desk of the city's files that the demo plays, one of a kind."""
    try:
        text = (city / "partners.csv").read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return
    seen = set()
    for row in csv.DictReader(line for line in text.splitlines() if not line.lstrip().startswith("#")):
        code, kind = (row.get("code") or "").strip(), (row.get("kind") or "").strip()
        if code and kind in DESKS and kind not in seen:
            seen.add(kind)
            yield code, kind
