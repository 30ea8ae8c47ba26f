"""What is published about the interface is true: the documents are well-formed, the examples valid, and served to anybody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from lianxin.linkage import published, wire
from lianxin.linkage.examples import EXAMPLES

VALIDATOR = Draft202012Validator(published.schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(published.schema())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid_by_the_schema_and_by_the_types(name: str) -> None:
    VALIDATOR.validate(EXAMPLES[name])
    read = wire.parse(json.dumps(EXAMPLES[name]))
    assert json.loads(wire.MESSAGES.dump_json(read, by_alias=True))["id"] == EXAMPLES[name]["id"]
    assert len(json.dumps(EXAMPLES[name]).encode()) < wire.LARGEST


def test_there_is_an_example_of_every_kind() -> None:
    assert {example["kind"] for example in EXAMPLES.values()} == {kind.value for kind in wire.Kind}
    assert len({example["id"] for example in EXAMPLES.values()}) == len(EXAMPLES)


@pytest.mark.parametrize(("name", "change"), [
    ("offer", {"kind": "shout"}), ("offer", {"seq": 0}), ("offer", {"matter": "x"}), ("accept", {"term": None}), ("offer", {"body": {}}),
    ("refuse", {"body": {}}), ("offer", {"from": "110 yueyang"}), ("ping", {"version": "2"}), ("phone", {"body": {"agreed": "maybe"}}),
])
def test_what_the_types_refuse_the_schema_refuses_too(name: str, change: dict[str, Any]) -> None:
    wrong = {**EXAMPLES[name], **change}
    assert list(VALIDATOR.iter_errors(wrong))
    with pytest.raises(ValueError, match="validation error"):
        wire.parse(json.dumps(wrong))


def _references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(_references(value) for value in part.values()))
    if isinstance(part, list):
        return set().union(*(_references(value) for value in part))
    return set()


def test_the_openapi_document_hangs_together() -> None:
    document = published.openapi("https://12345.example")
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert _references({key: value for key, value in document.items() if key != "components"} | {
        "message": document["components"]["schemas"]["Message"]}) <= names
    assert document["servers"][0]["url"] == "https://12345.example"
    operation = document["paths"][wire.PATH]["post"]
    assert {"200", "400", "401", "409", "413", "422", "429", "503"} <= set(operation["responses"])
    schema = {"$schema": published.DIALECT, "$ref": "#/components/schemas/Message", "components": document["components"]}
    Draft202012Validator.check_schema(schema)
    for name, example in operation["requestBody"]["content"]["application/json"]["examples"].items():
        Draft202012Validator(schema).validate(example["value"])
        assert example["value"] == EXAMPLES[name]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["openapi", "schema"])
def test_both_documents_are_served_to_anybody(name: str) -> None:
    reply = Client().get(f"/linkage/v1/{name}.json")
    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.json() == json.loads(json.dumps(published.openapi() if name == "openapi" else published.schema()))
    assert Client().head(f"/linkage/v1/{name}.json").status_code == 200
