"""A system that is told of events: a real HTTP server that keeps what it took and fails when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Receiver:
    """`answers` are the next statuses, 200 when they are used up; a negative one closes the connection without an answer, after
    the message was taken."""

    url: str = ""
    secret: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0

    @property
    def ids(self) -> list[str]:
        """The ids that were taken, each when it came first."""
        return list(dict.fromkeys(head["webhook-id"] for head in self.heads if "webhook-id" in head))


@contextmanager
def receiver() -> Iterator[Receiver]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            held.asked += 1
            status = held.answers.pop(0) if held.answers else 200
            heads = {name.lower(): value for name, value in self.headers.items()}
            if held.secret:
                at = datetime.fromtimestamp(int(heads["webhook-timestamp"]), tz=UTC)  # the library's own check knows no stopped clock
                wanted = Webhook(held.secret).sign(heads["webhook-id"], at, body.decode())
                assert wanted in heads["webhook-signature"].split(" "), "a signature that fits"
                assert "cookie" not in heads
            if 200 <= status < 300 or status < 0:
                held.taken.append(json.loads(body))
                held.heads.append(heads)
            if status < 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Set-Cookie", "secret=1")
            if status == 429:
                self.send_header("Retry-After", "1")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
