"""The bad line does what it says: it loses, doubles and delays, and tells how much."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lianxin.bench.lossy import Line
from tests.demo.demos import free_port, until

MESSAGES = 150


@pytest.mark.parametrize("lost", [0.0, 0.2, 1.0])
def test_shares_are_kept_and_half_of_the_lost_come_there(lost: float) -> None:
    line = Line(1, lost, 0.0, 0.0)
    fates = Counter(line.fate() for _n in range(4000))
    assert abs(fates["lost_before"] + fates["lost_after"] - 4000 * lost) <= 4000 * 0.03
    assert abs(fates["lost_before"] - fates["lost_after"]) <= 4000 * 0.05
    assert [Line(1, 0.2, 0.1, 0.1).fate() for _n in range(9)] == [Line(1, 0.2, 0.1, 0.1).fate() for _n in range(9)]


@contextmanager
def receiver() -> Iterator[tuple[int, list[int]]]:
    came: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["n"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1], came
    server.shutdown()
    server.server_close()
    thread.join()


def send(port: int, n: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/x", data=json.dumps({"n": n}).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return bool(reply.read() == b"ok")
    except (OSError, HTTPException):
        return False


def test_a_sender_that_repeats_itself_gets_everything_through() -> None:
    port = free_port()
    with receiver() as (there, came):
        process = subprocess.Popen([sys.executable, "-m", "lianxin.bench.lossy", "7", "0.3", "0.1", "0.1", f"{port}={there}"])
        try:
            until(lambda: process.poll() is not None or send(port, -1), 20, lambda: "the line did not open")
            tries = 0
            for n in range(MESSAGES):
                tries += 1
                while not send(port, n):
                    tries += 1
            time.sleep(2.7)  # until the last delayed one has come
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/lossy", timeout=5) as reply:
                counts = json.load(reply)
        finally:
            process.terminate()
            process.wait()
    times = Counter(came)
    assert set(range(MESSAGES)) <= set(times)
    assert counts["messages"] >= tries
    assert min(counts[fate] for fate in ("lost_before", "lost_after", "doubled", "delayed")) > 0
    # What was lost on the way back, doubled or delayed came more than once.
    assert sum(times.values()) == counts["messages"] - counts["lost_before"] + counts["doubled"]
    assert max(came.index(n) - n for n in range(MESSAGES)) > 0
    assert came != sorted(came), "none came late"
