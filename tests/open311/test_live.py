"""A live endpoint, spoken to by programs that know nothing of it: our own examination, two clients from PyPI, made-up requests.

One server and one city for all of it: starting them is what takes long.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from civicbot.http import HttpTransport, RateLimiter
from civicbot.open311 import Open311Client
from civicbot.open311 import ValidationError as Refused
from civicbot.registry import Endpoint
from georeport import GeoReport
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lianxin.cases import reference
from lianxin.kernel.clock import now
from lianxin.open311 import services
from lianxin.open311.checking import Finding, Session, Verdict, as_markdown, examine, over_http
from lianxin.open311.management.commands.open311 import HEAD
from lianxin.open311.rules import RULES
from lianxin.services.models import ServiceAttribute
from tests.open311.conftest import key_for
from tests.open311.made import recorded
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "open311-conformance.md"
EXAMPLES = int(os.environ.get("OPEN311_EXAMPLES", "4"))
# What every answer is judged by, whatever was sent. Not among them: that whatever breaks a schema is refused – an empty argument, says
# the specification, is as one that was not sent.
CHECKS = (schemathesis.checks.not_a_server_error, schemathesis.checks.status_code_conformance,
          schemathesis.checks.content_type_conformance, schemathesis.checks.response_schema_conformance,
          schemathesis.checks.response_headers_conformance)


def a_city(world: World) -> None:
    for place, datatype in enumerate(("singlevaluelist", "multivaluelist", "string", "number", "datetime", "text")):
        options = [["one", "一盏", "One"], ["many", "一片", "Many"]] if datatype.endswith("list") else []
        ServiceAttribute.objects.create(category=world.categories["010101"], code=f"q{place}", datatype=datatype, required=place == 0,
                                        position=place + 1, question=f"问{place}？", options=options)
    ServiceAttribute.objects.create(category=world.categories["010102"], code="told", datatype="text", variable=False, question="小心。")
    for number in range(8):
        recorded(world, days=number + 1, category="010101" if number % 2 else "010102", stage="closed" if number % 3 == 0 else "with_unit",
                 closed=number if number % 3 == 0 else None, words="路灯不亮，<很黑> & 怕摔" if number == 2 else "",
                 due_at=now() + timedelta(days=2))
    reference.forget()
    services.forget()


def test_programs_that_know_nothing_of_us(live_server: Any) -> None:
    world = World.make()
    a_city(world)
    key = key_for(world)
    root = f"{live_server.url}/open311/v2"
    examined(root, key)
    robot(root, key)
    wrapper(root, key)
    made_up(root, key)


def examined(root: str, key: str) -> None:
    """The page of the reference says what comes of it."""
    found = examine(Session(over_http(root), key=key, post=True, place={"lat": "29.1", "long": "113.1"}), RULES)
    assert [(one.rule.name, one.note) for one in found if one.verdict is not Verdict.KEPT] == []
    assert PAGE.read_text(encoding="utf-8") == HEAD + as_markdown(found), "lianxin open311 check … --write"


def robot(root: str, key: str) -> None:
    """civicbot 0.4: validates against the endpoint's own definitions before it posts."""
    client = Open311Client(Endpoint("here", "Here", root, write=True), HttpTransport(rate_limiter=RateLimiter(0.0)))
    assert len(client.list_services()) == 8
    with pytest.raises(Refused):
        client.create_request("010101", lat=29.1, lng=113.1, description="路灯", validate_remote=True)
    sent = client.create_request("010101", lat=29.1, lng=113.1, description="路灯不亮", attributes={"q0": "one", "q1": ["one", "many"]},
                                 api_key=key, validate_remote=True, dry_run=False, confirm="SEND", phone="13812342201")
    number = sent.response[0]["service_request_id"]
    assert (client.get_request(number) or {})["service_code"] == "010101"
    assert client.get_token(number)[0]["service_request_id"] == number
    assert [one["service_request_id"] for one in client.list_requests(service_request_ids=[number, "none"])] == [number]
    listed = client.list_requests(status="open", page_size=3)
    assert len(listed) == 3
    assert client.get_request(listed[0]["service_request_id"]) == listed[0]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.conf.settings.LIANXIN_OPEN311_BATCH", ["0101"])
        later = client.create_request("010103", address_string="花园社区", description="停水了", api_key=key, dry_run=False, confirm="SEND")
        token = later.response[0]["token"]
        assert client.get_token(token) == [{"token": token}]
    assert client.get_token(token)[0]["service_request_id"].startswith("R-")


def wrapper(root: str, key: str) -> None:
    """georeport 0.3: in both formats the same."""
    for form in ("json", "xml"):
        client = GeoReport(root, jurisdiction="9901", api_key=key, output_format=form)
        assert [one["service_code"] for one in client.get_service_list()][:2] == ["010101", "010102"]
        assert client.get_service_definition("010101")["service_code"] == "010101"
        assert len(client.get_service_requests(service_code="010101", status="open")) == 3
        rows = client.get_service_requests()
        assert len(rows) == 8
        assert client.get_service_request(rows[0]["service_request_id"]) == rows[0]


def made_up(root: str, key: str) -> None:
    """Requests that schemathesis makes up from our OpenAPI description, good ones and bad ones."""
    schema, answered = schemathesis.openapi.from_url(f"{root}/openapi.json"), set[int]()
    for result in schema.get_all_operations():
        operation = result.ok()
        strategies = [operation.as_strategy(generation_mode=mode) for mode in (schemathesis.GenerationMode.POSITIVE,
                                                                              schemathesis.GenerationMode.NEGATIVE)]

        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 10,
                  phases=[Phase.generate])
        @given(case=st.one_of(strategies), known=st.booleans())
        def tried(case: Any, known: bool) -> None:
            response = case.call(params={"api_key": key} if known else None)
            answered.add(response.status_code)
            case.validate_response(response, checks=list(CHECKS))

        tried()
    assert {200, 404} <= answered <= {200, 400, 403, 404, 405, 413}, answered


def test_what_is_broken_is_found() -> None:
    """An endpoint that answers nonsense keeps no rule, and nothing of it ends the examination."""
    from lianxin.open311.checking import Answer

    answers = [b"[]", b"{}", b"nonsense", b'[{"service_code": 1}]', b"<services/>"]

    def send(method: str, path: str, _more: dict[str, Any]) -> Answer:
        return Answer(200, {"content-type": "application/json"}, answers[(len(path) + len(method)) % len(answers)])

    found: list[Finding] = examine(Session(send, key="x", post=True), RULES)
    assert Verdict.KEPT not in {one.verdict for one in found}
    assert len(found) == len(RULES)
    assert json.dumps(as_markdown(found))
