"""The kit's own endpoint: what the other desk sends is taken as the interface says, and everything that is wrong with it noted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lianxin.linkage.wire import LARGEST, PATH, parse

Said = dict[str, Any]
LOST = 0  # in a plan: the connection is closed without an answer


@dataclass(slots=True)
class Heard:
    """One request of the other desk. `faults` are breaches of the interface; `status` what it was answered, 0 for nothing."""

    at: float
    id: str
    raw: bytes
    message: Said | None
    faults: list[tuple[str, str]]
    status: int = 0


@dataclass(slots=True)
class Planned:
    """The next answers to messages of one kind, whatever they are: a status, or `LOST`."""

    kind: str
    answers: list[tuple[int, Said]]


@dataclass(slots=True)
class Listener:
    """Listens on one address as `name`. `secrets` are those the other desk may sign with."""

    host: str
    port: int
    name: str
    peer: str
    secrets: list[str]
    heard: list[Heard] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    _last: dict[str, int] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Listener:
        """Begin to listen, unless it does already. Raises OSError when the address cannot be used."""
        listener = self
        if self._server is not None:
            return self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                listener._take(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((self.host, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    # --- taking ------------------------------------------------------------------------------------------------------------

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        raw = request.rfile.read(min(length, LARGEST + 1))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.news:
            heard, status, answer = self._judged(request.path, headers, raw)
            heard.status = status
            self.heard.append(heard)
            self.news.notify_all()
        if status == LOST:
            request.close_connection = True
            return
        body = json.dumps(answer, ensure_ascii=False).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json" if status == 200 else "application/problem+json")
        request.send_header("Content-Length", str(len(body)))
        if status in (429, 503):
            request.send_header("Retry-After", "1")
        request.end_headers()
        request.wfile.write(body)

    def _judged(self, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[Heard, int, Said]:
        heard = Heard(time.monotonic(), headers.get("webhook-id", ""), raw, None, [])
        if path != PATH:
            heard.faults.append(("form", f"posted to {path}, not to {PATH}"))
            return heard, 404, {"code": "not_found"}
        if not self._signed(headers, raw):
            heard.faults.append(("signed", "the signature does not verify with the secret that was agreed, or its time is off"))
            return heard, 401, {"code": "signature"}
        try:
            heard.message = json.loads(raw)
            parse(raw)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
            heard.faults.append(("form", f"{(heard.message or {}).get('kind', 'a message')} does not fit the schema: {told}"))
            return heard, 422, {"code": "invalid", "fields": told}
        except ValueError:
            heard.faults.append(("form", "the body is not JSON"))
            return heard, 400, {"code": "malformed"}
        assert heard.message is not None
        message = heard.message
        if message["id"] != heard.id:
            heard.faults.append(("form", "the id in the envelope is not the header webhook-id"))
        if (message["from"], message["to"]) != (self.peer, self.name):
            heard.faults.append(("form", f"from {message['from']} to {message['to']}; the desks are {self.peer} and {self.name}"))
        for plan in self.planned:
            if plan.kind == message["kind"] and plan.answers:
                status, answer = plan.answers.pop(0)
                return heard, status, answer
        return heard, *self._in_order(heard, message)

    def _signed(self, headers: Mapping[str, str], raw: bytes) -> bool:
        for secret in self.secrets:
            try:
                Webhook(secret).verify(raw, dict(headers), json_parse=False)
            except (WebhookVerificationError, ValueError):
                continue
            return True
        return False

    def _in_order(self, heard: Heard, message: Said) -> tuple[int, Said]:
        received: Said = {"received": message["id"], "status": "applied", "answer": None}
        if message["kind"] == "ping":
            return 200, received | {"status": "noted", "answer": {"pong": True}}
        matter = message.get("matter")
        if not matter:
            return 200, received | {"status": "noted"}
        last = self._last.get(matter, 0)
        if message["seq"] > last + 1:
            heard.faults.append(("order", f"{message['kind']} has seq {message['seq']}; after {last} comes {last + 1}"))
            return 409, {"code": "out_of_order", "expected": last + 1}
        if message["seq"] <= last:
            return 200, received | {"status": "duplicate"}
        self._last[matter] = message["seq"]
        return 200, received

    # --- looking -----------------------------------------------------------------------------------------------------------

    def plan(self, kind: str, *answers: int | tuple[int, Said]) -> Planned:
        """The next messages of a kind are answered so, instead of taken: tests of how the other desk sends again."""
        made = Planned(kind, [one if isinstance(one, tuple) else (one, {"code": "busy"}) for one in answers])
        with self.news:
            self.planned.append(made)
        return made

    def last_seq(self, matter: str) -> int:
        """The number of the other desk's last message about a matter that was taken; 0 for none."""
        with self.news:
            return self._last.get(matter, 0)

    def wait(self, want: Callable[[Heard], bool], seconds: float, *, count: int = 1) -> list[Heard]:
        """Every request that `want` is true of, as soon as there are `count` or the time is over."""
        until = time.monotonic() + seconds
        with self.news:
            while True:
                found = [one for one in self.heard if want(one)]
                left = until - time.monotonic()
                if len(found) >= count or left <= 0:
                    return found
                self.news.wait(left)
