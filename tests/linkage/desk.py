"""Another desk on a real socket: it checks signatures with the library, and answers as it is told to."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from lianxin.kernel.ids import uuid7
from lianxin.linkage import outbox, wire
from lianxin.linkage.models import Direction, Handover, Holder, Matter, Partner

from .peer import SECRET

Reply = tuple[int, dict[str, Any], dict[str, str]]


@dataclass
class Heard:
    """One request as it came."""

    raw: bytes
    headers: dict[str, str]
    at: float

    @property
    def message(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))


@dataclass
class OtherDesk:
    """`replies` are given out first, one a request; then every message is taken. `None` in it: the connection breaks unanswered."""

    url: str = ""
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    heard: list[Heard] = field(default_factory=list)
    replies: list[Reply | None] = field(default_factory=list)
    slow: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, heard: Heard) -> Reply | None:
        with self.lock:
            self.heard.append(heard)
            if self.replies:
                return self.replies.pop(0)
        for secret in self.secrets:
            try:
                Webhook(secret).verify(heard.raw, heard.headers)
            except Exception:
                continue
            return 200, {"received": heard.message["id"], "status": "applied", "answer": None}, {}
        return 401, {"code": "signature", "detail": "no"}, {}

    def said(self) -> list[tuple[str, int | None]]:
        """Kinds and numbers in the order they came."""
        return [(one.message["kind"], one.message.get("seq")) for one in self.heard]


@contextmanager
def serving(desk: OtherDesk | None = None, *, tls: ssl.SSLContext | None = None) -> Iterator[OtherDesk]:
    """Serve a desk on a free port."""
    desk = desk or OtherDesk()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            reply = desk.reply(Heard(raw, {name.lower(): value for name, value in self.headers.items()}, time.monotonic()))
            if desk.slow:
                time.sleep(desk.slow)
            if reply is None:
                self.close_connection = True
                return
            with suppress(BrokenPipeError, ConnectionResetError):
                self.answer(*reply)

        def answer(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
            said = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(said)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def handle(self) -> None:
            with suppress(OSError):  # a handshake that fails is seen by who called
                super().handle()

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    desk.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def matter_with(partner: Partner, *, emergency: bool = False) -> Handover:
    """A matter of ours with an offer that is only a row: what is put for it lies in the outbox."""
    matter = Matter.objects.create(id=uuid7(), partner=partner, holder=Holder.US, first_receiver=Holder.US)
    return Handover.objects.create(id=uuid7(), matter=matter, direction=Direction.OUT, basis="clear", emergency=emergency)


def say(handover: Handover, words: str = "补充：门口有人。", kind: wire.Kind = wire.Kind.SUPPLEMENT) -> Any:
    return outbox.put(handover.matter, kind, wire.Supplement(words=words), handover=handover)


def until(true: Callable[[], bool], *, seconds: float = 20.0) -> bool:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return true()
