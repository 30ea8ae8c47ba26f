"""The interface as documents that programs read: OpenAPI 3.1 and JSON Schema 2020-12, made of the types of `wire`."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from .examples import EXAMPLES
from .wire import LARGEST, MESSAGES, PATH, VERSION, Receipt

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/components/schemas/{model}"
SAID: Final = (
    "Messages between the desks of 12345, 110, 119, 120, utilities and neighbouring cities: who holds a matter, and what became of "
    "it. Each desk serves this one address and posts to that of the other. Every request is signed after Standard Webhooks.")


def schema() -> dict[str, Any]:
    """JSON Schema of one message."""
    return {"$schema": DIALECT, "$id": "urn:lianxin:linkage:v1:message", "title": "A message between two desks", "description": SAID,
            **MESSAGES.json_schema(by_alias=True), "examples": list(EXAMPLES.values())}


def openapi(base: str = "") -> dict[str, Any]:
    """The OpenAPI document; `base` is where this desk is reached from outside."""
    message = MESSAGES.json_schema(by_alias=True, ref_template=_REFERENCE)
    parts: dict[str, Any] = message.pop("$defs")
    _by_model, receipts = models_json_schema([(Receipt, "serialization")], by_alias=True, ref_template=_REFERENCE)
    parts |= receipts["$defs"]
    parts |= {"Message": message, "Problem": PROBLEM}
    return {
        "openapi": "3.1.0", "jsonSchemaDialect": DIALECT,
        "info": {"title": "Linkage of service desks", "version": VERSION, "description": SAID,
                 "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"}},
        "servers": [{"url": base or "/", "description": "this desk"}],
        "paths": {PATH: {"post": _post()}},
        "components": {"schemas": dict(sorted(parts.items()))},
    }


def _post() -> dict[str, Any]:
    return {
        "operationId": "message", "summary": "Say one thing",
        "description": "Taken whole or not at all. The same message sent again is answered the same and changes nothing.",
        "parameters": [_header(name, said, example) for name, said, example in (
            ("webhook-id", "the id of the message; the same in every try", "01935f3c-7000-7000-8000-000000000001"),
            ("webhook-timestamp", "seconds since 1970 at which this try was sent; five minutes off at most", "1795785245"),
            ("webhook-signature", "one or more `v1,` + base64 of HMAC-SHA256 over `id.timestamp.body`, separated by spaces",
             "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="))],
        "requestBody": {"required": True, "description": f"At most {LARGEST // 1024} kB, UTF-8.", "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Message"},
            "examples": {name: {"value": value} for name, value in EXAMPLES.items()}}}},
        "responses": {
            "200": {"description": "Taken.", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Receipt"}, "examples": ANSWERS}}},
            **{status: _problem(said) for status, said in REFUSALS.items()},
        },
    }


def _header(name: str, said: str, example: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": said, "schema": {"type": "string"}, "example": example}


def _problem(said: str) -> dict[str, Any]:
    made: dict[str, Any] = {"description": said, "content": {"application/problem+json": {
        "schema": {"$ref": "#/components/schemas/Problem"}}}}
    if "Retry-After" in said:
        made["headers"] = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
    return made


_RECEIVED: Final = EXAMPLES["offer"]["id"]
ANSWERS: Final[dict[str, Any]] = {
    "applied": {"value": {"received": _RECEIVED, "status": "applied", "answer": None}},
    "duplicate": {"value": {"received": _RECEIVED, "status": "duplicate", "answer": None}},
    "ping": {"value": {"received": EXAMPLES["ping"]["id"], "status": "noted", "answer": {"pong": True}}},
    "query": {"value": {"received": EXAMPLES["query"]["id"], "status": "noted", "answer": {
        "holder": EXAMPLES["accept"]["from"], "term": 2, "state": "in_progress", "last_seq": 2}}},
}
REFUSALS: Final[dict[str, str]] = {
    "400": "Not JSON, or not UTF-8 (`malformed`). Sending it again is no use.",
    "401": "No signature fits, the clock is off, or `from` is unknown (`signature`).",
    "409": "A message before this one is missing (`out_of_order`): go on from `expected`.",
    "413": f"More than {LARGEST // 1024} kB (`too_large`).",
    "415": "Not `application/json`.",
    "422": "A field is wrong (`invalid`, with `fields`), or the message fits nothing this desk knows of the matter (`unknown_matter`, "
           "`unknown_handover`, `known_handover`, `wrong_side`, `not_in_this_state`, `stale_term`, `id_reused`, `seq_reused`).",
    "429": "Too many requests without a signature that fits: wait as `Retry-After` says.",
    "503": "Not now, and not the sender's fault: wait as `Retry-After` says and send it again.",
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "object", "title": "Problem", "description": "Problem details, RFC 9457.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:lianxin:problem:out_of_order"]},
        "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
        "code": {"type": "string", "description": "what a program goes by"},
        "expected": {"type": "integer", "description": "with `out_of_order`: the number to go on with"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}, "description": "with `invalid`: what is wrong where"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {
            "field": {"type": "string"}, "detail": {"type": "string"}}}},
    },
    "examples": [{"type": "urn:lianxin:problem:out_of_order", "title": "情况刚有变化", "status": 409,
                  "detail": "前面还有消息没有收到：请从 expected 的序号起重发。", "code": "out_of_order", "expected": 3, "errors": []}],
}
