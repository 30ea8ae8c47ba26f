"""A desk that breaks one rule: it stands before a good one, in both directions, and changes what passes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from standardwebhooks.webhooks import Webhook

Said = dict[str, Any]
# What the kit is answered: status, body, and the message it sent (empty where it was not JSON) → status and body.
Answers = Callable[[int, Said, Said], tuple[int, Said]]
# What the desk sends: the message → the messages that come to the kit instead.
Comings = Callable[[Said], list[Said]]


def as_it_is(status: int, body: Said, _message: Said) -> tuple[int, Said]:
    return status, body


@dataclass(slots=True)
class Spoiler:
    """`answer` spoils answers to the kit, `going` the headers of what the kit sends, `coming` what the desk sends. `secret` signs
    again what was changed."""

    secret: str
    desk: str = ""
    kit: str = ""
    answer: Answers = as_it_is
    going: Callable[[dict[str, str]], dict[str, str]] = dict
    coming: Comings = lambda message: [message]
    anew: bool = False  # what is sent again gets another id
    unsigned: bool = False
    memory: Said = field(default_factory=dict)

    def set(self, **spoils: Any) -> None:
        """Only these; everything else is good again."""
        self.answer, self.going, self.coming, self.anew, self.unsigned = as_it_is, dict, lambda message: [message], False, False
        self.memory.clear()
        for name, value in spoils.items():
            setattr(self, name, value)

    def to_desk(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, bytes]:
        try:
            message = json.loads(raw)
        except ValueError:
            message = {}
        reply = requests.post(self.desk + path, data=raw, headers=self.going(headers), timeout=10)
        status, body = self.answer(reply.status_code, reply.json(), message)
        return status, json.dumps(body).encode()

    def to_kit(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, bytes]:
        message, answered = json.loads(raw), (200, json.dumps({"received": json.loads(raw)["id"], "status": "applied"}).encode())
        for one in self.coming(json.loads(raw)):
            told = headers
            if self.unsigned:
                told = {**headers, "webhook-signature": "v1,AAAA"}
            elif one != message:
                body = json.dumps(one).encode()
                at = datetime.now(UTC)
                told = {**headers, "webhook-id": one["id"], "webhook-timestamp": str(int(at.timestamp())),
                        "webhook-signature": Webhook(self.secret).sign(one["id"], at, body.decode())}
                raw = body
            try:
                reply = requests.post(self.kit + path, data=raw, headers=told, timeout=10)
            except requests.ConnectionError:
                return 503, b"{}"
            answered = reply.status_code, reply.content
            if answered[0] == 200 and one["id"] != message["id"]:
                answered = 200, json.dumps({"received": message["id"], "status": "applied"}).encode()
        return answered


@contextmanager
def serving(take: Callable[[str, dict[str, str], bytes], tuple[int, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name.lower(): value for name, value in self.headers.items()
                    if name.lower().startswith("webhook-") or name.lower() == "content-type"}
            status, body = take(self.path, kept, raw)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
