"""The OpenAPI document: whole, valid, and the same as docs/reference/api.md says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from lianxin.api import document
from lianxin.api.actions import ROWS
from lianxin.api.register import CaseMade
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine
from tests.api.test_actions import ok
from tests.world import World

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
OPEN = {"upload_protocol", "track", "list_public_cases", "list_listings", "list_articles", "read_article"}
REPORTERS = {"rate"}
BOTH = {"withdraw", "contest", "add_information", "attach", "request_publication", "upload", "download"}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document.build()


def operations(made: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, operation) for path, methods in made["paths"].items() for method, operation in methods.items()]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]
    return [ref for value in node for ref in references(value)] if isinstance(node, list) else []


def test_it_is_whole(made: dict[str, Any]) -> None:
    assert made["openapi"].startswith("3.1")
    assert made["info"]["title"]
    for ref in references(made):
        node: Any = made
        for part in ref.removeprefix("#/").split("/"):
            assert part in node, ref
            node = node[part]
    names = [operation["operationId"] for _p, _m, operation in operations(made)]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in made["tags"]}
    for path, method, operation in operations(made):
        assert path.startswith("/api/v1/"), path
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags
        assert any(status.startswith("2") for status in operation["responses"]), path
        assert {"422", "503"} <= set(operation["responses"])
        templated = set(re.findall(r"{(\w+)}", path))
        assert templated == {p["name"] for p in operation["parameters"] if p["in"] == "path"}, path
        for response in operation["responses"].values():
            assert "$ref" in response or response["description"]
        if method == "get":
            assert "requestBody" not in operation


def test_every_action_and_body_is_described(made: dict[str, Any]) -> None:
    by_name = {operation["operationId"]: (path, operation) for path, _m, operation in operations(made)}
    assert set(ROWS) <= set(by_name)
    for name in ROWS:
        path, operation = by_name[name]
        assert path == f"/api/v1/cases/{{case_id}}/actions/{name}"
        headers = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        assert headers == {"Idempotency-Key", "If-Match"}
        assert {"401", "403", "404", "409", "413", "415", "422"} <= set(operation["responses"])
    for name, (path, operation) in by_name.items():
        schemes = {key for one in operation.get("security", []) for key in one}
        ways = {"TrackingCode"} if name in REPORTERS else {"BearerToken", "TrackingCode"} if name in BOTH else (
            {"DeviceSecret"} if path.startswith("/api/v1/field/") else {"BearerToken"})
        assert schemes == (set() if name in OPEN else ways), name
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            schema = made["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[-1]]
            assert schema["examples"], name
            assert schema["additionalProperties"] is False


def test_create_is_described_as_it_answers(made: dict[str, Any]) -> None:
    operation = made["paths"]["/api/v1/cases"]["post"]
    assert next(iter(operation["responses"])) == "201"
    ref = operation["responses"]["201"]["content"]["application/json"]["schema"]["$ref"]
    described = made["components"]["schemas"][ref.rsplit("/", 1)[-1]]["properties"]
    assert set(described) == set(CaseMade.model_fields)


@pytest.mark.django_db
def test_it_is_there_for_everyone(client: Any, made: dict[str, Any]) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert json.loads(answer.content) == made
    assert "max-age" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_the_framework_and_the_short_way_answer_alike(world: World, machines: Any, monday: Frozen,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    short = machines("operator").post("/cases", {"words": "路灯不亮"})
    monkeypatch.setattr("lianxin.api.register.PATH", "/elsewhere")
    long = machines("operator").post("/cases", {"words": "路灯不亮"})
    assert (short.status_code, set(short.json())) == (long.status_code, set(long.json())) == (201, set(CaseMade.model_fields))


def test_the_page_lists_what_the_document_lists(made: dict[str, Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("<!-- operations -->")[2].partition("<!-- end of operations -->")[0].strip()
    assert table == document.operations_table(made)


def commands() -> list[str]:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return [line for block in blocks for line in re.sub(r"\\\n\s*", " ", block).splitlines() if line.startswith("curl")]


@pytest.mark.django_db
def test_the_examples_of_the_page_run(world: World, machines: Any, monday: Frozen) -> None:
    """Each curl line, in the page's order, as the role it names; `$NAME`s are filled in as a reader would."""
    known: dict[str, str] = {"$BASE": "http://localhost"}
    assert len(commands()) >= 8
    for line in commands():
        for name, value in sorted(known.items(), key=lambda pair: -len(pair[0])):
            line = line.replace(name, value)
        words = shlex.split(line)
        method, url, body, headers = "GET", "", None, {}
        rest = iter(words[1:])
        for word in rest:
            match word:
                case "-s" | "-i":
                    continue
                case "-X":
                    method = next(rest)
                case "-H":
                    name, _colon, value = next(rest).partition(": ")
                    headers[name] = value
                case "-d":
                    body, method = next(rest), "POST"
                case _:
                    url = word
        role = headers.get("Authorization", "").removeprefix("Bearer ").strip("$").lower().removesuffix("_token")
        headers.pop("Authorization", None)
        machine = machines(role) if role else Machine()
        content_type = headers.pop("Content-Type", "application/json")
        answer = machine.send(method, url.removeprefix("http://localhost"), body, Content_Type=content_type, **headers)
        made = ok(answer)
        for key, name in (("id", "$CASE"), ("tracking_code", "$CODE"), ("next", "$NEXT")):
            if name == "$CASE" and name in known:
                continue
            if isinstance(made, dict) and made.get(key):
                known[name] = made[key]
