"""The desk as a process of its own, and a peer that speaks the interface to it: nothing of `lianxin` is between them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from standardwebhooks import Webhook

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, long enough").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"the next secret, also long enough").decode()
US, THEM = "110.yueyang", "12345.yueyang"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What it gives once that is true. The waiting ends with an AssertionError."""
    ends = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < ends, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


class Desk:
    """`lianxin-110-desk` on a directory of its own."""

    def __init__(self, data: Path, peer_url: str, *options: str) -> None:
        self.data, self.port = data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, "-m", "lianxin_110_desk", "--port", str(self.port), "--data", str(data), "--peer-url", peer_url,
                        "--secret", SECRET, "--no-browser", *options]
        self.process: subprocess.Popen[bytes] | None = None
        self.http = requests.Session()
        self.http.trust_env = False

    def start(self) -> Desk:
        self.process = subprocess.Popen(self.command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until(self.up, 40)
        return self

    def up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.process.stdout and self.process.stdout.read().decode()
        with contextlib.suppress(requests.RequestException):
            return self.http.get(self.url + "/healthz", timeout=2).status_code == 200
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)
            if self.process.stdout:
                self.process.stdout.close()

    def get(self, path: str) -> Any:
        answer = self.http.get(self.url + path, timeout=10)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def post(self, path: str, content: dict[str, Any] | None = None, *, status: int = 200) -> Any:
        answer = self.http.post(self.url + path, json=content or {}, timeout=10)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def matter(self, key: Any) -> Any:
        return self.get(f"/api/matters/{key}")

    def act(self, handover: Any, act: str, *, status: int = 200, **fields: Any) -> Any:
        return self.post(f"/api/handovers/{handover}/{act}", fields, status=status)

    def control(self, **order: Any) -> Any:
        return self.post("/control", order)

    def good(self) -> None:
        self.control(reset=True, auto={"on": False})

    def log(self) -> str:
        return (self.data / "desk.log").read_text(encoding="utf-8", errors="replace")


class Thread:
    """One matter as the peer has it: what it sent about it, and what it knows."""

    def __init__(self, peer: Peer, key: uuid.UUID | None = None) -> None:
        self.peer, self.key = peer, key or uuid.uuid4()
        self.handover = uuid.uuid4()
        self.seq, self.term = 0, 1

    def message(self, kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The next message of this matter; what is given replaces the fields of the envelope."""
        self.seq += 1
        return {"version": "1", "id": str(uuid.uuid4()), "from": THEM, "to": US, "kind": kind, "sent_at": datetime.now(UTC).isoformat(),
                "matter": str(self.key), "seq": self.seq, "handover": str(self.handover), "term": self.term, "body": body, **more}

    def say(self, kind: str, body: dict[str, Any] | None = None, *, status: int = 200, **more: Any) -> Any:
        return self.peer.send(self.message(kind, body or {}, **more), status=status)

    def offer(self, **body: Any) -> Any:
        """A new offer; everything but the words has a default."""
        more = {name: body.pop(name) for name in ("term",) if name in body}
        return self.say("offer", {
            "emergency": False, "mode": "transfer", "basis": "clear", "reason": "治安", "words": "楼下有人持械争吵。", "wish": "agrees",
            "place": {"text": "金鹗山街道花板桥社区", "area": "430602", "lon": 113.13, "lat": 29.37}, "first_receiver": THEM,
            "caller": {"shared": "full", "name": "演练人", "phone": "13800000000"}, "reference": "YY20261127000123", "operator": "A017",
            "answer_within": 900, **body}, **more)

    def again(self) -> Thread:
        """A further handover of the same matter."""
        self.handover = uuid.uuid4()
        return self


class Peer:
    """The other desk: an HTTP server that checks and keeps what comes, and a client that signs. `answer` may be replaced."""

    def __init__(self) -> None:
        self.desk: Desk | None = None
        self.secret = SECRET
        self.got: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.expected: dict[str, int] = {}
        self.ids: set[str] = set()
        self.answer: Callable[[dict[str, Any]], tuple[int, dict[str, Any], dict[str, str]] | None] = lambda message: None
        self.lock = threading.Lock()
        self.http = requests.Session()
        self.http.trust_env = False
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                if peer.server is None:  # closed: connections that were open answer no longer
                    self.close_connection = True
                    return
                status, content, headers = peer.receive(raw, dict(self.headers.items()))
                data = json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", "content-length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_what: Any) -> None:
                pass

        self.port = free_port()
        self.make = lambda: ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server: ThreadingHTTPServer | None = None
        self.url = f"http://127.0.0.1:{self.port}"

    def open(self) -> Peer:
        self.server = self.make()
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def close(self) -> None:
        if self.server is not None:
            closing, self.server = self.server, None
            closing.shutdown()
            closing.server_close()

    def receive(self, raw: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Signature, order, once – as the interface asks of every receiver."""
        try:
            message = Webhook(self.secret).verify(raw, headers)
        except Exception as error:
            with self.lock:
                self.refused.append(type(error).__name__)
            return (400 if isinstance(error, ValueError) else 401), {"code": "unauthorized"}, {}
        if not {"id", "kind", "body", "from"} <= set(message) or (message["kind"] == "offer" and "words" not in message["body"]):
            self.refused.append("invalid")
            return 422, {"code": "invalid"}, {}
        ordered = self.answer(message)
        if ordered is not None:
            return ordered
        with self.lock:
            receipt = {"received": message["id"], "status": "duplicate", "answer": None}
            if message["id"] in self.ids:
                return 200, receipt, {}
            if message.get("matter"):
                expected = self.expected.get(message["matter"], 1)
                if message["seq"] > expected:
                    self.refused.append("out_of_order")
                    return 409, {"code": "out_of_order", "expected": expected}, {}
                self.expected[message["matter"]] = expected + 1
            self.ids.add(message["id"])
            self.got.append(message)
            return 200, {**receipt, "status": "applied"}, {}

    def of(self, thread: Thread | Any) -> list[dict[str, Any]]:
        key = str(getattr(thread, "key", thread))
        return [message for message in list(self.got) if message.get("matter") == key]

    def kinds(self, thread: Thread | Any) -> list[str]:
        return [message["kind"] for message in self.of(thread)]

    def wait(self, thread: Thread | Any, *kinds: str, seconds: float = 15.0) -> dict[str, Any]:
        """The last message of a matter, once its messages are these."""
        until(lambda: self.kinds(thread) == list(kinds) or (len(self.kinds(thread)) > len(kinds) and 1 / 0), seconds)
        return self.of(thread)[-1]

    def headers(self, raw: bytes | str, key: str, *, secret: str = "", at: datetime | None = None) -> dict[str, str]:
        moment = at or datetime.now(UTC)
        text = raw if isinstance(raw, str) else raw.decode()
        return {"webhook-id": key, "webhook-timestamp": str(int(moment.timestamp())), "content-type": "application/json",
                "webhook-signature": Webhook(secret or self.secret).sign(key, moment, text)}

    def send(self, message: dict[str, Any], *, status: int = 200, raw: str | None = None, **how: Any) -> Any:
        """Post one message to the desk; the JSON of the answer."""
        answer = self.post(raw if raw is not None else json.dumps(message, ensure_ascii=False), message["id"], **how)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def post(self, raw: str | bytes, key: str, *, timeout: float = 10.0, **how: Any) -> requests.Response:
        assert self.desk is not None
        data = raw.encode() if isinstance(raw, str) else raw
        return self.http.post(self.desk.url + "/linkage/v1/messages", data=data, headers=self.headers(raw, key, **how), timeout=timeout)

    def insist(self, message: dict[str, Any], seconds: float = 20.0) -> Any:
        """Send until it is answered for, as an outbox does."""
        raw = json.dumps(message, ensure_ascii=False)

        def sent() -> Any:
            with contextlib.suppress(requests.RequestException, ValueError):
                answer = self.post(raw, message["id"])
                if answer.status_code == 200:
                    return answer.json()
                assert answer.status_code >= 500, answer.text
            return None

        return until(sent, seconds)


def hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


@contextlib.contextmanager
def both(data: Path, *options: str) -> Iterator[tuple[Desk, Peer]]:
    """A desk and its peer, running."""
    peer = Peer().open()
    desk = Desk(data, peer.url, *options)
    peer.desk = desk
    try:
        desk.start()
        yield desk, peer
    finally:
        desk.stop()
        peer.close()
