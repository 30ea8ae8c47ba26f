"""What goes wrong is said as problem details: never HTML, never a trace, never a 500 from bad input."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import DataError, IntegrityError, OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lianxin.api import reads, register, residents, suggestions
from lianxin.api.actions import BODIES, EXAMPLES, ROWS
from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine
from tests.api.test_actions import ok
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "路灯不亮。"
DEEP = "[" * 100_000
BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/cases", "", 422, "invalid"),
    ("POST", "/cases", "{", 400, "malformed_json"),
    ("POST", "/cases", '{"words": "x"', 400, "malformed_json"),
    ("POST", "/cases", b"\xff\xfe", 400, "malformed_json"),
    ("POST", "/cases", '{"words": "\\ud800"}', 400, "malformed_json"),
    ("POST", "/cases", DEEP, 400, "malformed_json"),
    ("POST", "/cases", '{"words": ' + DEEP, 400, "malformed_json"),
    ("POST", "/cases", '{"words": "x", "lon": ' + "9" * 5000 + "}", 400, "malformed_json"),
    ("POST", "/cases", '{"words": "x", "lon": NaN, "lat": 1}', 422, "invalid"),
    ("POST", "/cases", '{"words": "x", "lon": 1e400, "lat": 1}', 422, "invalid"),
    ("POST", "/cases", [], 422, "invalid"),
    ("POST", "/cases", None, 422, "invalid"),
    ("POST", "/cases", {"words": 5}, 422, "invalid"),
    ("POST", "/cases", {"words": ""}, 422, "invalid"),
    ("POST", "/cases", {"words": "\u0000\u202e\u200b"}, 422, "invalid"),
    ("POST", "/cases", {"words": "长" * 12_001}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "accept": "yes"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "accept": True}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "color": "red"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "category": "01"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "category": "01\u0000"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "area": "nowhere"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "lon": 113.1}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "lon": 10, "lat": 50}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "lon": 113.1, "lat": 29.1, "coordinate_system": "mars"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "phone": "12"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "email": "nobody"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "channel": "import"}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "attachments": ["x"]}, 422, "invalid"),
    ("POST", "/cases", {"words": WORDS, "attachments": [str(uuid.UUID(int=n)) for n in range(13)]}, 422, "invalid"),
    ("DELETE", "/cases", None, 405, "method_not_allowed"),
    ("PATCH", "/me", None, 405, "method_not_allowed"),
    ("GET", "/nothing", None, 404, "not_found"),
    ("GET", "/", None, 404, "not_found"),
    ("GET", "/api/v2/cases", None, 404, "not_found"),
    ("GET", "/cases/not-a-uuid", None, 404, "not_found"),
    ("GET", f"/cases/{uuid.UUID(int=7)}", None, 404, "not_found"),
    ("GET", "/cases/%00", None, 404, "not_found"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/actions/sign", {}, 404, "not_found"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/actions/explode", {}, 404, "not_found"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/actions/anonymise", {}, 404, "not_found"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/actions/sign", {"version": 0}, 422, "invalid"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/actions/record_contact",
     {"means": "phone", "reached": True, "contacted_at": "2026-11-23T10:00:00"}, 422, "invalid"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/actions/reply", {"public_answer": "好。", "solved": 1}, 422, "invalid"),
    ("POST", f"/cases/{uuid.UUID(int=7)}/identity", {"why": ""}, 422, "invalid"),
    ("POST", "/tracking", {"code": ""}, 422, "invalid"),
    ("POST", "/tracking", {"code": "\u0000"}, 404, "not_found"),
    ("GET", "/attachments/" + str(uuid.UUID(int=7)), None, 404, "not_found"),
]


def faulty(answer: Any) -> dict[str, Any]:
    """The problem in an answer, after everything that must be true of one."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content[:200]
    assert answer.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:lianxin:problem:{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert isinstance(body["errors"], list)
    for word in ("Traceback", "<html", "psycopg", "SELECT"):
        assert word not in answer.content.decode()
    return body


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), BAD)
def test_bad_requests(world: World, machines: Any, monday: Frozen, method: str, path: str, body: Any, status: int,
                      code: str) -> None:
    machine = machines("operator")
    sent = "null" if body is None and method == "POST" else body
    answer = machine.send(method, path, sent)
    said = faulty(answer)
    assert (said["status"], said["code"]) == (status, code), said
    if status == 422:
        assert said["errors"] or body in ("", None, []) or isinstance(body, str), said
    assert Case.objects.count() == 0


def test_headers_that_cannot_be_read(world: World, machines: Any, monday: Frozen) -> None:
    machine = machines("operator")
    for headers, status, code in (
        ({"Content_Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"Idempotency_Key": "x" * 201}, 400, "bad_idempotency_key"),
        ({"Idempotency_Key": ""}, 400, "bad_idempotency_key"),
        ({"Idempotency_Key": "a b"}, 400, "bad_idempotency_key"),
        ({"Host": "evil.example"}, 400, "bad_request"),
    ):
        said = faulty(machine.post("/cases", {"words": WORDS}, **headers))
        assert (said["status"], said["code"]) == (status, code), headers
    assert Case.objects.count() == 0


def test_too_large(world: World, machines: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert faulty(machines("operator").post("/cases", {"words": "长" * 2000}))["code"] == "too_large"
    settings.LIANXIN_REQUEST_LIMIT = 500
    assert faulty(machines("operator").post("/cases", {"words": "长" * 200}))["status"] == 413


def test_in_the_callers_language(world: World, machines: Any) -> None:
    for said, expected in (("en-GB,en;q=0.9", "en"), ("zh-TW", "zh-hant"), ("zh-CN", "zh-hans"), ("", "zh-hans"),
                           ("tlh", "zh-hans"), ("*", "zh-hans"), ("x" * 5000, "zh-hans")):
        answer = machines("operator").get("/nothing", Accept_Language=said)
        assert answer.headers["Content-Language"] == expected
        faulty(answer)
    assert faulty(machines("operator").get("/nothing", Accept_Language="zh-CN"))["title"] == "没有找到"


def test_the_database_away(world: World, machines: Any, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    machine = machines("operator")
    ok(machine.get("/me"))
    monkeypatch.setattr(register, "register", away)
    answer = machine.post("/cases", {"words": WORDS})
    assert faulty(answer)["status"] == 503
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.setattr("lianxin.cases.queries.recent", away)
    assert faulty(machine.get("/cases"))["status"] == 503


def test_our_own_mistakes_show_no_trace(world: World, machines: Any, monkeypatch: pytest.MonkeyPatch,
                                        caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(register, "register", broken)
    answer = machines("operator").post("/cases", {"words": WORDS})
    assert faulty(answer)["status"] == 500
    assert "secret" not in answer.content.decode()
    assert any(record.exc_info for record in caplog.records if record.name == "lianxin.api")


def test_the_log_quotes_no_rows(world: World, machines: Any, monkeypatch: pytest.MonkeyPatch,
                                caplog: pytest.LogCaptureFixture) -> None:
    quoted = "Failing row contains (我叫王小明)"
    for fault, status in ((DataError, 422), (IntegrityError, 500)):
        def refused(*_args: object, fault: type[Exception] = fault, **_more: object) -> None:
            raise fault(quoted)

        monkeypatch.setattr(register, "register", refused)
        assert faulty(machines("operator").post("/cases", {"words": WORDS}))["status"] == status
    assert "王小明" not in caplog.text
    assert "IntegrityError" in caplog.text


def test_hostile_words_are_kept_harmless(world: World, machines: Any, monday: Frozen) -> None:
    said = "<script>alert(1)</script>\u202e\u0000'; DROP TABLE cases_case; --\r\n第二行"
    made = ok(machines("operator").post("/cases", {"words": said, "title": said, "place_text": said, "name": said[:60]}))
    words = ok(machines("operator").get(f"/cases/{made['id']}"))["words"]
    assert words == "<script>alert(1)</script>'; DROP TABLE cases_case; --\n第二行"
    assert len(ok(machines("operator").post("/cases", {"words": "长" * 12_000}))["number"]) > 8


# Any JSON at all, and bodies that are nearly right.
_LEAVES = (st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.uuids().map(str)
           | st.sampled_from(["", "\x00", "\ud800", "housing", "010102", "phone", "reached", "9" * 400, "2026-11-23T10:00Z"]))
_ANY = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
                    max_leaves=12)


@st.composite
def nearly(draw: st.DrawFn, names: list[str], example: dict[str, Any]) -> Any:
    """An example with some of its fields replaced by anything."""
    body = dict(example)
    for name in draw(st.lists(st.sampled_from([*names, "version", "nonsense"]), max_size=3)):
        body[name] = draw(_ANY)
    return body


def _sent(body: Any) -> str:
    return json.dumps(body)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_json_makes_a_500(world: World, machines: Any, monday: Frozen, data: st.DataObject) -> None:
    case_id = world.accepted()
    action = data.draw(st.sampled_from(["register", "track", "read_identity", "suggest", *ROWS]))
    path, names, example = {
        "register": ("/cases", list(register.NewCase.model_fields), {"words": WORDS}),
        "track": ("/tracking", ["code"], {"code": "K7QM3-9XTPA"}),
        "suggest": ("/suggestions", list(suggestions.SuggestFields.model_fields), {"words": WORDS}),
        "read_identity": (f"/cases/{case_id}/identity", ["why"], {"why": "核对"}),
    }.get(action) or (f"/cases/{case_id}/actions/{action}", list(BODIES[action].model_fields), EXAMPLES[action])
    body = data.draw(_ANY | nearly(names, example))
    who = data.draw(st.sampled_from(["operator", "dispatcher", "reviewer", "housing", "callback"]))
    answer = machines(who).send("POST", path, _sent(body))
    assert answer.status_code < 500, (path, body, answer.content)
    if answer.status_code >= 400:
        faulty(answer)


_READS: dict[str, list[str]] = {
    "/cases": [*reads.CaseQuery.model_fields], "/tasks": [*reads.TaskQuery.model_fields],
    "/public/cases": [*residents.PublicQuery.model_fields], "/areas": ["parent"], "/phrases": ["list"],
    "/areas/at": ["lon", "lat", "coordinate_system"], "/dispatch": ["category", "area"], "/standings": ["x"],
}
_VALUES = st.text(max_size=30) | st.integers().map(str) | st.floats().map(str) | st.sampled_from(
    ["", "\x00", "%", "true", "me", "due", "recent", "010102", "WyJ4Il0", "2026-11-24T00:00:00Z", "0001-01-01T00:00:00+08:00",
     "9999-12-31T23:59:59-12:00", "-1e308", "113.1", "29.1", "in_hand", "()", "a' OR 1=1", "\\"])


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_query_and_no_header_makes_a_500(world: World, machines: Any, monday: Frozen, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(_READS)))
    query = data.draw(st.lists(st.tuples(st.sampled_from(_READS[path]), _VALUES), max_size=4))
    said = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
    headers = data.draw(st.dictionaries(st.sampled_from(["Accept_Language", "If_Match", "Idempotency_Key", "Accept"]), said))
    if data.draw(st.booleans()):
        answer = machines("housing").get(f"{path}?{urlencode(query)}", **headers)
    else:
        answer = machines("operator").post(f"/cases/{world.case()}/actions/accept", {"category": "010102"}, **headers)
    assert answer.status_code < 500, (path, query, headers, answer.content)
    if answer.status_code >= 400:
        faulty(answer)


def test_the_database_refuses_nothing_that_a_schema_let_pass(world: World, machines: Any, monday: Frozen,
                                                             caplog: pytest.LogCaptureFixture) -> None:
    """Every free text of every action with a NUL, an override mark and its full length."""
    for name, model in BODIES.items():
        for field in model.model_fields:
            for said in ("\x00", "a\x00b", "\u202e", "长" * 300, "长" * 10_000):
                case_id = world.accepted()
                answer = machines("dispatcher").act(case_id, name, **(EXAMPLES[name] | {field: said}))
                assert answer.status_code < 500, (name, field)
    assert not [record for record in caplog.records if record.name == "lianxin.api"]
    assert Machine().post("/tracking", {"code": "长" * 40}).status_code == 404


def test_answers_say_how_long_they_are(world: World) -> None:
    from django.test import Client

    answer = Client().get("/api/v1/openapi.json")
    assert int(answer["Content-Length"]) == len(answer.content)
    refused = Client().get("/api/v1/cases")
    assert int(refused["Content-Length"]) == len(refused.content) > 0


@pytest.mark.parametrize("path", ["/api/v1/cases", "/linkage/v1/messages", "/open311/v2/requests.json", "/"])
@pytest.mark.parametrize(("length", "too_large"), [("\u00b2", False), ("x", False), ("9" * 5_000, True)])
def test_a_length_that_is_none_is_no_fault_of_ours(world: World, path: str, length: str, too_large: bool) -> None:
    from django.test import Client

    answer = Client(raise_request_exception=False).post(path, b"", content_type="application/json", CONTENT_LENGTH=length)
    assert answer.status_code == 413 if too_large else answer.status_code < 500
