"""`/metrics`: who may read it, and that it says what is."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from lianxin.api import metrics
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine, token
from tests.world import World

pytestmark = pytest.mark.django_db


def read(client: Client, **more: Any) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", **more)
    assert answer.status_code == 200
    return {(sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.content.decode()) for sample in family.samples}


def test_it_says_what_is(world: World, machines: Any, client: Client, monday: Frozen) -> None:
    before = read(client)
    world.accepted()
    world.case()
    monday.move(days=20)
    machines("operator").post("/cases", {"words": "路灯不亮"})
    machines("operator").send("BREW", "/cases")
    client.get("/healthz")
    after = read(client)
    assert after["lianxin_open_cases", "accepted"] == 1
    assert after["lianxin_open_cases", "registered"] == 2
    assert after["lianxin_overdue_cases", "registered"] == 1
    assert after["lianxin_database_up",] == 1
    assert after["lianxin_database_bytes",] > 1_000_000
    assert after["lianxin_jobs", "messages", "waiting"] >= 1
    made = ("lianxin_requests_total", "201", "POST", "api")
    assert after[made] == before.get(made, 0) + 1
    assert after["lianxin_requests_total", "405", "api", "other"] >= 1
    assert after["lianxin_request_seconds_count", "GET", "operations"] >= 1


def test_only_this_machine_and_administrators(world: World, client: Client, monday: Frozen) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.get("/metrics", **elsewhere).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    for username, status in (("admin", 200), ("supervisor", 403)):
        secret = token(world, username)
        assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}, **elsewhere).status_code == status
    assert client.get("/metrics", headers={"Authorization": "Bearer lx_x"}, **elsewhere).status_code == 403


def test_declared_proxies_are_believed(world: World, client: Client, settings: Any) -> None:
    settings.LIANXIN_TRUSTED_PROXIES = 1
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200


def test_without_a_database_it_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise OperationalError

    monkeypatch.setattr(metrics, "standings", away)
    found = read(client)
    assert found["lianxin_database_up",] == 0
    assert ("lianxin_database_bytes",) not in found


@pytest.mark.parametrize(("path", "face"), [("/", "portal"), ("/desk/", "desk"), ("/api/v1/cases", "api"), ("", "portal"),
                                           ("/static/a.css", "static"), ("/readyz", "operations")])
def test_faces(path: str, face: str) -> None:
    assert metrics.face_of(path) == face


def test_the_api_knows_no_other_methods(world: World, machines: Any) -> None:
    answer = machines("operator").send("DELETE", "/cases")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    assert Machine().send("PUT", "/tracking").status_code == 405
    seen, looked = machines("operator").get("/me"), machines("operator").send("HEAD", "/me")
    assert (looked.status_code, looked.content, looked.headers["Content-Length"]) == (200, b"", str(len(seen.content)))


def test_probes_are_asked_without_a_certificate(db: None, client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert {client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")} == {200}
    assert client.get("/api/v1/openapi.json").status_code == 301
