"""Another system on a real socket: a small GeoReport v2 server that behaves, or not, as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Asked:
    method: str
    path: str
    fields: dict[str, str]
    headers: dict[str, str]
    media: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class OtherSystem:
    """`faults` are given out first, one for each request to `spoils`: a status, raw bytes (200), or None – the connection breaks. With
    `after` set, a POST is taken before its fault is given out. `slow`: how often a token is not known yet; None: no tokens."""

    url: str = ""
    formats: tuple[str, ...] = ("json", "xml")
    services: Rows = field(default_factory=lambda: [
        {"service_code": "LAMP", "service_name": "路灯维修", "group": "市政"},
        {"service_code": "NOISE", "service_name": "噪声", "group": "环境"}])
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    updates: Rows | None = None
    faults: list[int | bytes | None] = field(default_factory=list)
    spoils: str = "POST requests"
    after: bool = False
    slow: int | None = None
    lists: bool = True
    pictures: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    breaks_off: bool = False  # in the middle of a picture
    wait: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def posts(self, path: str = "requests") -> list[Asked]:
        return [one for one in self.asked if one.method == "POST" and one.path == path]

    def close(self, number: str, words: str = "已修好。", status: str = "closed") -> None:
        self.requests[number] |= {"status": status, "status_notes": words, "updated_datetime": "2026-05-07T10:00:00+08:00"}

    def ask(self, number: str, words: str, *, code: str = "LAMP", at: str = "2026-05-06T09:00:00+08:00", **more: Any) -> None:
        """A request that somebody made there."""
        self.requests[number] = {"service_request_id": number, "status": "open", "service_code": code, "service_name": code,
                                 "description": words, "requested_datetime": at, "updated_datetime": at, **more}

    def put(self, name: str, body: bytes, status: int = 200) -> str:
        """A picture that lies there; its address."""
        self.pictures[name] = (status, body)
        return f"{self.url}/{name}"

    def answer(self, asked: Asked) -> tuple[int, Rows | bytes | None]:
        with self.lock:
            self.asked.append(asked)
            fault: Any = ...
            if self.faults and f"{asked.method} {asked.path}".startswith(self.spoils):
                fault = self.faults.pop(0)
            if fault is not ... and not self.after:
                return self._spoilt(fault)
            status, rows = self._answer(asked)
            return (status, rows) if fault is ... else self._spoilt(fault)

    def _spoilt(self, fault: int | bytes | None) -> tuple[int, Rows | bytes | None]:
        return (200, fault) if fault is None or isinstance(fault, bytes) else (fault, [{"code": fault, "description": "no"}])

    def _answer(self, asked: Asked) -> tuple[int, Rows]:
        if asked.method == "GET" and asked.path in ("services", "requests"):
            return 200, self.services if asked.path == "services" else self._list(asked.fields)
        if (asked.method, asked.path) == ("POST", "requests"):
            return self._post(asked.fields)
        if asked.path == "servicerequestupdates" and self.updates is not None:
            if asked.method == "POST":
                self.updates.append({**asked.fields, "update_id": f"U{len(self.updates)}"})
            return 200, self.updates
        kind, _slash, key = asked.path.partition("/")
        if kind == "requests" and key in self.requests:
            return 200, [self.requests[key]]
        if kind == "tokens" and key in self.tokens:
            if self.slow:
                self.slow -= 1
                return 200, [{"token": key}]
            return 200, [{"token": key, "service_request_id": self.tokens[key]}]
        return 404, [{"code": 404, "description": "not found"}]

    def _post(self, fields: dict[str, str]) -> tuple[int, Rows]:
        if not any(one["service_code"] == fields.get("service_code") for one in self.services):
            return 400, [{"code": 400, "description": "service_code was not found"}]
        number = f"N{len(self.requests) + 1}"
        self.ask(number, fields.get("description", ""), code=fields["service_code"], lat=fields.get("lat"), long=fields.get("long"))
        if self.slow is None:
            return 201, [{"service_request_id": number, "service_notice": "", "account_id": None}]
        self.tokens[f"t{number}"] = number
        return 201, [{"token": f"t{number}"}]

    def _list(self, fields: dict[str, str]) -> Rows:
        wanted = fields.get("service_request_id")
        if wanted:
            return [self.requests[one] for one in wanted.split(",") if one in self.requests]
        return list(self.requests.values()) if self.lists else []


def _xml(rows: Rows) -> bytes:
    inner = ["".join(f"<{name}>{escape(str(value or ''))}</{name}>" for name, value in row.items()) for row in rows]
    return f'<?xml version="1.0" encoding="utf-8"?><rows>{"".join(f"<row>{one}</row>" for one in inner)}</rows>'.encode()


@contextmanager
def serving(given: OtherSystem | None = None) -> Iterator[OtherSystem]:
    """Serve a system on a free port."""
    system = given or OtherSystem()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.serve("GET", urlsplit(self.path).query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"]
            if not kind.startswith("multipart/"):
                return self.serve("POST", body.decode())
            parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=HTTP)
            named = [(part.get_param("name", header="content-disposition"), part) for part in parts.iter_parts()]
            shown = [(part.get_filename() or "", part.get_payload(decode=True)) for _name, part in named if part.get_filename()]
            fields = [(str(name), part.get_payload(decode=True).decode()) for name, part in named if not part.get_filename()]
            return self.serve("POST", urlencode(fields), shown)

        def serve(self, method: str, said: str, shown: Any = ()) -> None:
            whole = urlsplit(self.path).path.removeprefix("/v2/")
            if whole in system.pictures:
                system.asked.append(Asked(method, whole, dict.fromkeys(parse_qs(said)), {}))
                return self.plain(*system.pictures[whole])
            path, _dot, form = whole.rpartition(".")
            fields = {name: values[0] for name, values in parse_qs(said).items()}
            time.sleep(system.wait)
            if form not in system.formats:
                return self.answer(404, [{"code": 404, "description": "format"}], system.formats[0])
            media = parse_qs(said).get("media_url", [])
            heads = {name.lower(): value for name, value in self.headers.items()}
            status, rows = system.answer(Asked(method, path, fields, heads, media, list(shown)))
            return self.answer(status, rows, form)

        def answer(self, status: int, rows: Rows | bytes | None, form: str) -> None:
            if rows is None:
                self.close_connection = True
                return
            said = rows if isinstance(rows, bytes) else _xml(rows) if form == "xml" else json.dumps(rows).encode()
            with suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8" if form == "xml" else "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def plain(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) * (2 if system.breaks_off else 1)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = system.breaks_off

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    system.url = f"http://127.0.0.1:{server.server_address[1]}/v2"
    try:
        yield system
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
