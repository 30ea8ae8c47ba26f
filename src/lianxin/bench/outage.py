"""The load after an outage: every telephone comes back at once and sends what it has, each over its own connection.

`python -m lianxin.bench.outage PORT` reads telephones from standard input, one JSON object a line: `secret`, `bodies` (what it
sends, one after the other) and `faults`, by the number of a body what happens to it: `lost` (the line breaks when it is sent,
and it is sent again) or `twice` (it is sent on two connections at the same moment). It prints one JSON object: seconds, the
time from first try to answer of each body in milliseconds, answers by status, and the results of the items by their ids.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from .client import whole

AGAIN = 0.3  # seconds until a telephone whose line broke tries again
PATIENCE = 600.0  # seconds for all of them
PATH = "/api/v1/field/items"


@dataclass(slots=True)
class Telephone:
    """One telephone and how far it has come."""

    secret: str
    bodies: list[bytes]
    faults: dict[int, str]
    at: int = 0
    began: float = 0.0
    tries: int = 0


@dataclass(slots=True)
class Line:
    """One connection. A `doubled` one sends the same once more and hears nothing that counts."""

    telephone: Telephone
    doubled: bool = False
    buffer: bytes = b""
    rest: bytes = b""


@dataclass(slots=True)
class Outcome:
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    again: int = 0


def request(body: bytes, secret: str) -> bytes:
    return (f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Outage:
    """The end of an outage."""

    def __init__(self, port: int, telephones: list[Telephone]) -> None:
        self.port, self.telephones = port, telephones
        self.outcome = Outcome()
        self.selector = selectors.DefaultSelector()
        self.later: list[tuple[float, Telephone]] = []
        self.left = len(telephones)
        self.doubles = 0

    def run(self) -> Outcome:
        started = time.perf_counter()
        for telephone in self.telephones:
            telephone.began = started
            self._send(telephone)
        while self.left or self.doubles:
            if time.perf_counter() - started > PATIENCE:
                raise TimeoutError(f"{self.left} telephones have no answer")
            for held, events in self.selector.select(0.05):
                line: Line = held.data
                made = held.fileobj
                assert isinstance(made, socket.socket)
                try:
                    self._go_on(made, line, events)
                except OSError:
                    self._broke(made, line)
            due = time.perf_counter()
            ready = [telephone for at, telephone in self.later if at <= due]
            self.later = [entry for entry in self.later if entry[0] > due]
            for telephone in ready:
                self._send(telephone)
        self.outcome.seconds = time.perf_counter() - started
        return self.outcome

    def _open(self, line: Line) -> None:
        made = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.connect_ex(("127.0.0.1", self.port))
        line.rest = request(line.telephone.bodies[line.telephone.at], line.telephone.secret)
        self.selector.register(made, selectors.EVENT_WRITE, line)

    def _send(self, telephone: Telephone) -> None:
        telephone.tries += 1
        self._open(Line(telephone))
        if telephone.tries == 1 and telephone.faults.get(telephone.at) == "twice":
            self.doubles += 1
            self._open(Line(telephone, doubled=True))

    def _go_on(self, made: socket.socket, line: Line, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            line.rest = line.rest[made.send(line.rest):]
            if not line.rest:
                telephone = line.telephone
                if not line.doubled and telephone.tries == 1 and telephone.faults.get(telephone.at) == "lost":
                    raise ConnectionAbortedError
                self.selector.modify(made, selectors.EVENT_READ, line)
            return
        received = made.recv(262_144)
        if not received:
            raise ConnectionResetError
        line.buffer += received
        status = whole(line.buffer)
        if status:
            self._close(made)
            self._heard(line, status)

    def _heard(self, line: Line, status: int) -> None:
        telephone, outcome = line.telephone, self.outcome
        body = line.buffer.partition(b"\r\n\r\n")[2]
        if line.doubled:
            self.doubles -= 1
            return
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        waiting = True
        if status == 200:
            results = json.loads(body)["results"]
            outcome.results.update((one["id"], one) for one in results)
            waiting = any(one["status"] == "waiting" for one in results)
        elif len(outcome.faults) < 5:
            outcome.faults.append(body.decode(errors="replace")[:300])
        if waiting:
            self._again(telephone)
            return
        outcome.latencies.append((time.perf_counter() - telephone.began) * 1000)
        telephone.at, telephone.tries, telephone.began = telephone.at + 1, 0, time.perf_counter()
        if telephone.at < len(telephone.bodies):
            self._send(telephone)
        else:
            self.left -= 1

    def _broke(self, made: socket.socket, line: Line) -> None:
        self._close(made)
        if line.doubled:
            self.doubles -= 1
        else:
            self._again(line.telephone)

    def _again(self, telephone: Telephone) -> None:
        self.outcome.again += 1
        self.later.append((time.perf_counter() + AGAIN, telephone))

    def _close(self, made: socket.socket) -> None:
        self.selector.unregister(made)
        made.close()


def main(arguments: list[str]) -> int:
    telephones = []
    for text in sys.stdin:
        said = json.loads(text)
        telephones.append(Telephone(said["secret"], [body.encode() for body in said["bodies"]],
                                    {int(at): fault for at, fault in said["faults"].items()}))
    outcome = Outage(int(arguments[0]), telephones).run()
    json.dump({"seconds": outcome.seconds, "latencies": outcome.latencies, "statuses": outcome.statuses,
               "results": outcome.results, "faults": outcome.faults, "again": outcome.again}, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
