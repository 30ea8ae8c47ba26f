"""示范系统: a department's own system for the demo, small and honest about it. It speaks Open311 GeoReport v2 with the updates extension,
is a program of its own that knows nothing of the hotline's, and keeps what it was sent in one file.

Nobody works in it, so it goes on by the clock: a team on its way after `SENT`, closed after `DONE` seconds – unless somebody has closed
the request on its page with words of their own. `python -m lianxin.demo.department --help`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from lianxin.embedded.server import end_with_parent

SENT: Final = 15.0  # seconds after a request has come
DONE: Final = 45.0
MOST: Final = 64 * 1024  # bytes of a form
ON_THE_WAY: Final = "（示范系统）已派人到现场。"
SOLVED: Final = "（示范系统）已到现场处理完毕，请核实。"
Row = dict[str, Any]


def services_of(path: Path) -> list[Row]:
    """The services of the first system that a city's `demo/systems.csv` names. Raises OSError, KeyError and StopIteration."""
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    code = next(iter(rows))["code"]
    return [{"service_code": row["service"], "service_name": row["service_name"], "description": "", "metadata": False,
             "type": "realtime", "keywords": "", "group": row["name"]} for row in rows if row["code"] == code]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Department:
    """What the department has. `requests` by number: the fields it was sent, when it came, the words and the time it was closed with."""

    services: list[Row]
    file: Path
    clock: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    requests: dict[str, Row] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        try:
            self.requests = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.requests = {}

    def _keep(self) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.requests, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(new, self.file)

    def take(self, fields: dict[str, list[str]]) -> str:
        """A new request. Raises KeyError for an unknown service and ValueError for one without words."""
        service = next((one for one in self.services if one["service_code"] == fields.get("service_code", [""])[0]), None)
        if service is None:
            raise KeyError("service_code")
        words = fields.get("description", [""])[0]
        if not words:
            raise ValueError("description")
        with self.lock:
            number = f"CG{len(self.requests) + 1:05d}"
            self.requests[number] = {
                "service_code": service["service_code"], "service_name": service["service_name"], "description": words,
                "address": fields.get("address_string", [""])[0], "lat": fields.get("lat", [""])[0], "long": fields.get("long", [""])[0],
                "media": fields.get("media_url", []), "at": self.clock(), "closed": None, "words": "", "told": []}
            self._keep()
        return number

    def close(self, number: str, words: str) -> None:
        """Somebody at the department closes a request. Raises KeyError."""
        with self.lock:
            if self.requests[number]["closed"] is None:
                self.requests[number] |= {"closed": self.clock(), "words": words}
                self._keep()

    def hear(self, fields: dict[str, list[str]]) -> str:
        """An update of the hotline's. Raises KeyError."""
        with self.lock:
            told = self.requests[fields["service_request_id"][0]]["told"]
            key = fields.get("update_id", [""])[0]
            if key not in [one["id"] for one in told]:
                told.append({"id": key, "words": fields.get("description", [""])[0], "media": fields.get("media_url", [])})
                self._keep()
        return key or str(len(told))

    def _ended(self, row: Row) -> tuple[float, str] | None:
        """When and with which words it was closed: by a person, else by the clock."""
        if row["closed"] is not None:
            return row["closed"], row["words"]
        return (row["at"] + DONE, SOLVED) if self.clock() >= row["at"] + DONE else None

    def shown(self, number: str) -> Row:
        """A request as GeoReport has it. Raises KeyError."""
        row = self.requests[number]
        ended = self._ended(row)
        return {"service_request_id": number, "status": "closed" if ended else "open", "status_notes": ended[1] if ended else "",
                "service_code": row["service_code"], "service_name": row["service_name"], "description": row["description"],
                "requested_datetime": _stamp(row["at"]), "updated_datetime": _stamp(ended[0] if ended else row["at"]),
                "address": row["address"], "lat": row["lat"] or None, "long": row["long"] or None, "media_url": None}

    def updates(self) -> list[Row]:
        """What the department has to say, of every request."""
        now = self.clock()
        return [{"update_id": f"{number}-1", "service_request_id": number, "status": "open", "description": ON_THE_WAY,
                 "updated_datetime": _stamp(row["at"] + SENT), "media_url": None}
                for number, row in list(self.requests.items()) if now >= row["at"] + SENT]

    def page(self) -> str:
        """What lies there, for people, newest first."""
        rows = []
        for number, row in reversed(self.requests.items()):
            ended = self._ended(row)
            media = "".join(f'<a href="{escape(url)}">照片 photo</a> ' for url in row["media"] if url.startswith(("http://", "https://")))
            told = "".join(f"<p>12345：{escape(one['words'])}</p>" for one in row["told"])
            act = f"<p><strong>已办结 closed</strong>：{escape(ended[1])}</p>" if ended else (
                f'<form method="post" action="/close"><input type="hidden" name="number" value="{number}">'
                f'<label>结果 result <input name="words" required maxlength="400" size="40"></label> <button>办结 close</button></form>')
            rows.append(f"<li><h2>{number} · {escape(row['service_name'])}</h2><p>{escape(row['description'])}</p>"
                        f"<p>{escape(row['address'])} {media}</p>{told}{act}</li>")
        return (f'<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                f"<title>示范系统</title><h1>{escape(self.services[0]['group'])}</h1><p>示范系统：演示部门自己的业务系统，"
                f"没有人值守时 {DONE:.0f} 秒后自动办结。"
                f"An example of a department's own system; it closes by itself after {DONE:.0f} s.</p>"
                f"<ul>{''.join(rows) or '<li>还没有 nothing yet</li>'}</ul></html>")


def handler_of(department: Department) -> type[BaseHTTPRequestHandler]:
    """The HTTP side: `/open311/v2/…json`, and `/` for people."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _form(self) -> dict[str, list[str]]:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MOST:
                raise ValueError("too long")
            return parse_qs(self.rfile.read(length).decode(errors="replace"))

        def _say(self, status: int, body: str, kind: str = "application/json", **heads: str) -> None:
            said = body.encode()
            self.send_response(status)
            for name, value in {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(said)), **heads}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def _rows(self, rows: list[Row], status: int = 200) -> None:
            self._say(status, json.dumps(rows, ensure_ascii=False))

        def _fault(self, status: int, words: str) -> None:
            self._rows([{"code": status, "description": words}], status)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path, asked = parts.path.removeprefix("/open311/v2/").removesuffix(".json"), parse_qs(parts.query)
            if parts.path == "/":
                return self._say(200, department.page(), "text/html")
            if path == "services":
                return self._rows(department.services)
            if path == "servicerequestupdates":
                return self._rows(department.updates())
            if path == "requests":
                wanted = ",".join(asked.get("service_request_id", [])).split(",") if "service_request_id" in asked else department.requests
                return self._rows([department.shown(one) for one in wanted if one in department.requests])
            number = path.removeprefix("requests/")
            return self._rows([department.shown(number)]) if number in department.requests else self._fault(404, "not found")

        def do_POST(self) -> None:
            path = urlsplit(self.path).path
            try:
                fields = self._form()
                if path == "/open311/v2/requests.json":
                    return self._rows([{"service_request_id": department.take(fields), "service_notice": "", "account_id": None}], 201)
                if path == "/open311/v2/servicerequestupdates.json":
                    return self._rows([{"update_id": department.hear(fields)}])
                if path == "/close":
                    department.close(fields.get("number", [""])[0], fields.get("words", [""])[0][:400])
                    return self._say(303, "", "text/plain", Location="/")
            except (KeyError, ValueError) as error:
                return self._fault(400, f"{error} is missing or not known")
            return self._fault(404, "not found")

        def log_message(self, *_args: Any) -> None:
            return

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(prog="lianxin.demo.department", description="A department's own system, to try the exchange with")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder for what it was sent")
    parser.add_argument("--services", type=Path, required=True, help="demo/systems.csv of a city")
    options = parser.parse_args()
    end_with_parent(signal.SIGTERM)
    options.data.mkdir(parents=True, exist_ok=True)
    department = Department(services_of(options.services), options.data / "requests.json")
    server = ThreadingHTTPServer((options.host, options.port), handler_of(department))
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_args: os._exit(0))  # every request is on the disk before it is answered
    server.serve_forever()


if __name__ == "__main__":
    main()
