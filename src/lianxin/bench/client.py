"""The load: many connections kept alive, one process, plain sockets, so that it takes little from what it measures.

`python -m lianxin.bench.client PORT CLIENTS SECONDS [TARGET]` reads request bodies from standard input, one a line (JSON
objects for `api`, forms for `open311`), and prints one JSON object: seconds, latencies in milliseconds, answers by status,
one body of each unwanted status.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
import uuid
from dataclasses import dataclass, field
from itertools import cycle


@dataclass(slots=True)
class Connection:
    socket: socket.socket
    began: float = 0.0
    buffer: bytes = b""


@dataclass(slots=True)
class Outcome:
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)


def whole(buffer: bytes) -> int:
    """The status of a complete answer, or 0 while more is to come."""
    head, mark, body = buffer.partition(b"\r\n\r\n")
    if not mark:
        return 0
    lower = head.lower()
    length = lower.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    ended = len(body) >= int(length) if length else body.endswith(b"0\r\n\r\n")
    return int(head[9:12]) if ended else 0


# Where a request goes, what it is sent as, and the status that means that a case was made.
TARGETS = {
    "api": ("/api/v1/cases", "application/json", 201),
    "open311": ("/open311/v2/requests.json", "application/x-www-form-urlencoded", 200),
}


def request(body: bytes, token: str, key: str, target: str = "api") -> bytes:
    path, kind, _status = TARGETS[target]
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def run(*, port: int, clients: int, seconds: float, token: str, bodies: list[bytes], target: str = "api") -> Outcome:
    """Each client sends its next request when its last one is answered. Raises OSError when the server goes away."""
    outcome = Outcome()
    selector = selectors.DefaultSelector()
    supply = cycle(bodies)
    prefix, number = uuid.uuid4().hex, 0

    def send(connection: Connection) -> None:
        nonlocal number
        number += 1
        connection.buffer = b""
        connection.began = time.perf_counter()
        connection.socket.sendall(request(next(supply), token, f"{prefix}-{number}", target))

    for _number in range(clients):
        made = socket.create_connection(("127.0.0.1", port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(made, selectors.EVENT_READ, Connection(made))
    started = time.perf_counter()
    for held in list(selector.get_map().values()):
        send(held.data)
    waiting = clients
    while waiting:
        for held, _events in selector.select():
            connection: Connection = held.data
            received = connection.socket.recv(65536)
            if not received:
                raise ConnectionError("the server closed a connection")
            connection.buffer += received
            status = whole(connection.buffer)
            if not status:
                continue
            at = time.perf_counter()
            outcome.latencies.append((at - connection.began) * 1000)
            outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
            if status != TARGETS[target][2] and status not in outcome.faults:
                outcome.faults[status] = connection.buffer.partition(b"\r\n\r\n")[2].decode(errors="replace")[:500]
            if at - started < seconds:
                send(connection)
            else:
                waiting -= 1
    outcome.seconds = time.perf_counter() - started
    for held in list(selector.get_map().values()):
        held.data.socket.close()
    return outcome


def main(arguments: list[str]) -> int:
    port, clients, seconds = int(arguments[0]), int(arguments[1]), float(arguments[2])
    token, *bodies = sys.stdin.buffer.read().splitlines()
    outcome = run(port=port, clients=clients, seconds=seconds, token=token.decode(), bodies=bodies, target=(arguments[3:] or ["api"])[0])
    json.dump({"seconds": outcome.seconds, "latencies": outcome.latencies, "statuses": outcome.statuses,
               "faults": outcome.faults}, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
