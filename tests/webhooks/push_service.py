"""A push service and a browser: takes what is pushed over HTTP and opens it with the browser's key (RFC 8291)."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Service:
    url: str = ""
    status: int = 201
    body: bytes = b""
    taken: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    def subscription(self) -> dict[str, Any]:
        """What the browser's `PushSubscription.toJSON()` gives."""
        public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.url, "expirationTime": None, "keys": {"p256dh": plain(public), "auth": plain(self.auth)}}


@contextmanager
def push_service() -> Iterator[Service]:
    held = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if held.status == 201:
                held.heads.append({name.lower(): value for name, value in self.headers.items()})
                held.taken.append(json.loads(http_ece.decrypt(body, private_key=held.key, auth_secret=held.auth)))
            self.send_response(held.status)
            self.send_header("Content-Length", str(len(held.body)))
            self.end_headers()
            self.wfile.write(held.body)

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_address[1]}/push/abc"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
