"""Creates: `POST /api/v1/cases` on the web server as the demo runs it, against pgbench committing the same rows.

Both work on the same server with the same settings, take turns, and send the same messages. What pgbench commits is
`ONE_STATEMENT` with the rows that `rows_for` made, under new keys each time: no validation, no HTTP, no Python.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection

from lianxin.cases.actions.intake import Intake, rows_for
from lianxin.cases.actions.writing import ONE_STATEMENT, hexed, statement_parameters
from lianxin.cases.engine import fingerprint
from lianxin.embedded.server import end_with_parent
from lianxin.organisations.actors import Actor, actor_for

from .city import SOUTH, STEP, WEST, BenchCity
from .client import TARGETS
from .parts import Run
from .results import Row, percentile
from .stage import pgbench
from .words import Writer

CLIENTS = (1, 8, 32)
MESSAGES = 60
BAR, TAIL_BAR = 0.15, 250.0
PEER_CREATES, PEER_BAR = 22, 20  # the best-known peer at 32 clients on such a machine
READY_SECONDS = 60.0


@dataclass(slots=True)
class Runs:
    """All runs of one side at one number of clients."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def told(self) -> str:
        return (f"{self.rate:,.0f}/s · p50 {percentile(self.latencies, 0.5):.1f} · "
                f"p99 {percentile(self.latencies, 0.99):.1f} ms")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(*, workers: int = 2) -> Iterator[int]:
    """The web server as `./run demo` starts it: two processes of eight threads. Yields its port. Where only whether it works is
    asked, one process starts in half the time."""
    port = _free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--blocking-threads", "8", "--blocking-threads-idle-timeout", "600",
        "--workers-kill-timeout", "5", "--no-ws", "--log-level", "warning", "lianxin.config.wsgi:application",
    ]
    process = subprocess.Popen(command, env={**os.environ, "LIANXIN_BOUND": "true"}, stdin=subprocess.DEVNULL,
                               start_new_session=True, preexec_fn=lambda: end_with_parent(signal.SIGTERM))
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the web server did not start")
            time.sleep(0.1)
        yield port
    finally:
        for with_signal in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, with_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


def said(city: BenchCity, writer: Writer) -> dict[str, object]:
    """What one request says: words, category, position, a reporter with a telephone."""
    chance = writer.chance
    title, words, place = writer.message()
    return {
        "words": words, "title": title, "channel": "api", "category": chance.choice(city.category_codes),
        "place_text": place, "lon": round(WEST + chance.random() * 4 * STEP * 0.999, 6),
        "lat": round(SOUTH + chance.random() * 3 * STEP * 0.999, 6), "name": "王小明",
        "phone": f"138{chance.randrange(10**8):08}",
    }


def load(port: int, clients: int, seconds: float, city: BenchCity, bodies: list[bytes], runs: Runs, *, target: str = "api") -> None:
    """One run of requests of one kind, into `runs`. Raises RuntimeError when one is refused."""
    done = subprocess.run(
        [sys.executable, "-m", "lianxin.bench.client", str(port), str(clients), str(seconds), target],
        input=b"\n".join([city.token.encode(), *bodies]), stdout=subprocess.PIPE, check=True,
    )
    outcome = json.loads(done.stdout)
    if set(outcome["statuses"]) != {str(TARGETS[target][2])}:
        raise RuntimeError(f"creates were refused: {outcome['statuses']} {outcome['faults']}")
    runs.rates.append(len(outcome["latencies"]) / outcome["seconds"])
    runs.latencies += outcome["latencies"]


def _actor(city: BenchCity) -> Actor:
    operator = city.staff["operator"]
    return actor_for(operator, via="api bench", scopes=frozenset({"*"}), unit=operator.unit)


def script(intake: Intake, by: Actor, *, run: int) -> str:
    """One pgbench script: the statement of `register` with the rows of `intake`, its keys made of pgbench's variables.

    `n` counts up in each client and `client_id` tells clients apart, so keys grow with time as UUIDv7 do; digests
    and hashes are random.
    """
    rows, made = rows_for(intake, by=by)
    key = random.Random(run).randbytes(32)
    submission = {
        "key": hexed(key), "fingerprint": hexed(fingerprint(intake)), "case_id": rows.case["id"],
        "event_id": rows.events[0]["id"], "at": rows.events[0]["at"],
    }
    millisecond = f"{int(time.time() * 1000) >> 16:08x}"
    ids = [row["id"] for row in (rows.case, *rows.reporter, *rows.clocks, *rows.events)]
    random_digest = "\\\\x" + ":d1:d2:d3:d4"
    put = {one: f"{millisecond}-:high-7:low-8:who-{run:06}{place:06}" for place, one in enumerate(ids)}
    put |= {made.number: f"26-8{run:04}:n:who"}
    put |= {value.replace("\\", "\\\\"): random_digest for value in (
        submission["key"], rows.case["tracking_digest"], rows.reporter[0]["phone_hash"])}
    statement = ONE_STATEMENT
    for name, value in statement_parameters(rows, submission).items():
        for real, template in put.items():
            value = value.replace(real, template)
        statement = statement.replace(f"%({name})s", "'" + value.replace("'", "''") + "'")
    digits = "random(1000000000000000, 9999999999999999)"
    return "\n".join([
        "\\set n :n + 1", "\\set high 1000 + :n / 900 % 9000", "\\set low 100 + :n % 900", "\\set who 100 + :client_id",
        *(f"\\set d{number} {digits}" for number in range(1, 5)), statement.strip() + ";", "",
    ])


def _limit(clients: int, seconds: float, scripts: list[Path], directory: Path, runs: Runs) -> None:
    for log in directory.glob("log.*"):
        log.unlink()
    command = [
        str(pgbench()), "--no-vacuum", "--client", str(clients), "--jobs", str(min(clients, 2)), "--time",
        str(max(round(seconds), 1)), "--define", "n=1000000", "--log", "--log-prefix", str(directory / "log"),
        *(part for script in scripts for part in ("--file", str(script))), settings.LIANXIN_DATABASE_URL,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rate = next((line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps = ")), None)
    if done.returncode or rate is None:
        raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]}")
    runs.rates.append(float(rate))
    for log in directory.glob("log.*"):
        runs.latencies += [int(line.split(" ", 3)[2]) / 1000 for line in log.read_text().splitlines()]


def _durable() -> str:
    """The settings that make a commit durable, the same for both sides; they must be on."""
    names = ("fsync", "synchronous_commit", "full_page_writes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(names)])
        found = dict(cursor.fetchall())
    if set(found.values()) != {"on"}:
        raise RuntimeError(f"the server is not durable: {found}")
    return ", ".join(f"{name} on" for name in names)


def measure(city: BenchCity, *, seconds: float, rounds: int, workers: int = 2) -> list[Row]:
    """Both sides by turns at each number of clients; the rate is the median of the rounds."""
    durable = _durable()
    writer = Writer(random.Random(311))
    messages = [said(city, writer) for _number in range(MESSAGES)]
    bodies = [json.dumps(message, ensure_ascii=False).encode() for message in messages]
    by = _actor(city)
    ours = {clients: Runs() for clients in CLIENTS}
    limit = {clients: Runs() for clients in CLIENTS}
    with served(workers=workers) as port, tempfile.TemporaryDirectory(prefix="lianxin-pgbench-") as name:
        directory = Path(name)
        for clients in CLIENTS:  # each thread opens its connection, each process reads the city
            load(port, clients, min(seconds, 0.5), city, bodies, Runs())
        for _round in range(rounds):
            for clients in CLIENTS:
                load(port, clients, seconds, city, bodies, ours[clients])
                run = int(time.time()) % 10_000  # apart from every other run, and never twice in one
                scripts = []
                for number, message in enumerate(messages):
                    path = directory / f"{number}.sql"
                    path.write_text(script(Intake(**message), by, run=run), encoding="utf-8")  # type: ignore[arg-type]
                    scripts.append(path)
                _limit(clients, seconds, scripts, directory, limit[clients])
    return _rows(ours, limit, durable)


def _rows(ours: dict[int, Runs], limit: dict[int, Runs], durable: str) -> list[Row]:
    rows = []
    for clients in CLIENTS:
        ratio = ours[clients].rate / limit[clients].rate
        tail = percentile(ours[clients].latencies, 0.99)
        last = clients == CLIENTS[-1]
        rows.append(Row(
            "create", f"{clients} client{'s' if clients > 1 else ''} over HTTP", ours[clients].told(),
            f"pgbench, the same rows: {limit[clients].told()}", f"{ratio:.0%}",
            f"≥ {BAR:.0%}" + (f", p99 ≤ {TAIL_BAR:.0f} ms" if last else ""),
            ratio >= BAR and (not last or tail <= TAIL_BAR),
        ))
    times = ours[CLIENTS[-1]].rate / PEER_CREATES
    rows.append(Row("create", f"{CLIENTS[-1]} clients, the best-known peer", f"{ours[CLIENTS[-1]].rate:,.0f}/s",
                    f"{PEER_CREATES}/s on such a machine", f"{times:.0f} ×", f"≥ {PEER_BAR} ×", times >= PEER_BAR))
    rows.append(Row("create", "durability, both sides", durable))
    return rows


def bench(run: Run) -> list[Row]:
    run.fresh(run.sizes[0])
    run.tell("creates over HTTP and pgbench, by turns")
    return measure(run.city, seconds=run.seconds, rounds=1 if run.quick else 3, workers=run.workers)
