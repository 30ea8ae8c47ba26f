"""Traces: nothing unless a collector is named; then requests, jobs and SQL, without addresses, parameters or words."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from lianxin.kernel import request_ids
from lianxin.operations import jobs, telemetry
from tests.api.conftest import Machine, token
from tests.operations.test_logs import PERSONAL, _Context, _walk, as_
from tests.world import World

__all__ = ["as_"]
pytest.importorskip("opentelemetry.sdk")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def spans(db: None, settings: Any) -> Iterator[Any]:
    """What has been traced, all of it."""
    settings.LIANXIN_TRACES_PERCENT = 100
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    telemetry.trace_with(SimpleSpanProcessor(kept))
    yield _Spans(kept)
    telemetry.stop()


class _Spans:
    def __init__(self, kept: Any) -> None:
        self.kept = kept

    def __iter__(self) -> Any:
        return iter(self.kept.get_finished_spans())


def test_off_by_default_and_nothing_is_imported() -> None:
    assert not telemetry.on()
    code = ("import django, sys; django.setup(); from django.test import Client; "
            "from lianxin.operations import telemetry; assert not telemetry.on(); "
            "assert not [name for name in sys.modules if name.startswith('opentelemetry')]")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_trace_goes_in_and_out(client: Client, spans: Any) -> None:
    headers: dict[str, str] = {}
    with telemetry.request({"HTTP_TRACEPARENT": PARENT}) as span:
        headers = request_ids.carried()
        telemetry.answered(span, "GET", "trial/", 500)
    assert headers["traceparent"].startswith(f"00-{TRACE}-")
    assert headers["traceparent"] != PARENT
    client.get("/", headers={"traceparent": PARENT})
    seen = list(spans)
    assert {f"{one.context.trace_id:032x}" for one in seen} == {TRACE}
    asked = next(one for one in seen if one.name == "GET /")
    assert asked.attributes["http.response.status_code"] == 200
    assert len(asked.attributes["lianxin.request"]) == 32
    assert [one.status.status_code.name for one in seen if one.name == "GET trial/"] == ["ERROR"]


def test_a_share_of_what_begins_here(client: Client, settings: Any, db: None) -> None:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    settings.LIANXIN_TRACES_PERCENT = 0
    kept = InMemorySpanExporter()
    telemetry.trace_with(SimpleSpanProcessor(kept))
    try:
        client.get("/")
        assert kept.get_finished_spans() == ()
        client.get("/", headers={"traceparent": PARENT})
        assert kept.get_finished_spans() != ()
    finally:
        telemetry.stop()


def test_nothing_personal_is_traced(world: World, as_: Any, spans: Any) -> None:
    case_id = _walk(world, as_)
    secret = token(world, "operator")
    Machine(secret).post("/cases", {"words": PERSONAL["words"], "phone": PERSONAL["phone"]})
    with pytest.raises(RuntimeError):
        jobs.numbered(_fails, _Context(), None)
    written = "\n".join(one.to_json() for one in spans)
    names = {one.name for one in spans}
    assert {"POST api/v1/cases", "job cases.announce", "SELECT", "WITH"} <= names, names
    assert "GET desk/cases/<uuid:case_id>/" in names
    hidden = {what: said for what, said in {**PERSONAL, "id": str(case_id), "secret": secret, "piece": "凉粉"}.items()
              if said in written or said.encode("unicode_escape").decode() in written}
    assert hidden == {}
    assert "exception.message" not in written


def _fails() -> None:
    raise RuntimeError(PERSONAL["words"])


def test_what_runs_by_itself_is_not_traced(spans: Any, django_user_model: Any) -> None:
    list(django_user_model.objects.all())
    assert list(spans) == []


def test_a_collector_gets_them(settings: Any, client: Client, db: None) -> None:
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_said: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.LIANXIN_TRACES_URL = f"http://127.0.0.1:{server.server_port}/v1/traces"
    settings.LIANXIN_TRACES_NAME = "a-city"
    settings.LIANXIN_TRACES_PERCENT = 100
    try:
        telemetry.start()
        client.get("/about/")
        telemetry.flush()
    finally:
        telemetry.stop()
        server.shutdown()
        server.server_close()
    assert [path for path, _body in got] == ["/v1/traces"]
    assert b"a-city" in got[0][1]
    assert b"GET about/" in got[0][1]


def test_without_the_packages_it_says_so(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LIANXIN_TRACES_URL = "http://127.0.0.1:4318/v1/traces"
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ImproperlyConfigured, match="telemetry"):
        telemetry.start()
    assert not telemetry.on()
