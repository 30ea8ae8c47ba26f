"""The OpenAPI document: what the operations declare, with the bodies, problems and headers they all share.

`operations_table` is the table of docs/reference/api.md; a test compares the two.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from . import (
    actions,
    articles,
    attachments,
    catalogue,
    city,
    field,
    figures,
    grids,
    hot,
    merging,
    notices,
    quality,
    reads,
    residents,
    suggestions,
    supervision,
    telephony,
    webhooks,
)
from .problems import CONTENT_TYPE
from .service import MODELS, api

# Importing them declares their operations.
DECLARED = (
    actions, articles, attachments, catalogue, city, field, figures, grids, hot, merging, notices, quality, reads, residents, suggestions,
    supervision, telephony, webhooks,
)
REF = "#/components/schemas/{model}"
# They name a row in their query, which may not be there.
NAMES_ANOTHER = ("track", "read_dispatch", "read_figures", "list_areas", "compare_catalogue_versions", "read_coverage", "list_covers",
                 "list_devices")
TAGS = ("cases", "actions", "attachments", "residents", "city", "quality", "supervision", "catalogue", "clocks", "figures", "hot", "field",
        "telephony", "webhooks")


class FieldFault(BaseModel):
    field: str = Field(description="Dotted path of the field.")
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem details, in the language of Accept-Language."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "type": "urn:lianxin:problem:invalid", "title": "有内容要更正", "status": 422, "detail": "有内容需要更正。",
        "code": "invalid", "errors": [{"field": "words", "detail": "请填写这一项。"}]}]})

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldFault]
    current: dict[str, Any] | None = Field(None, description="After a conflict: how things stand now.")


_MEANING = {
    400: "The request cannot be read: malformed JSON or a bad header.", 401: "No valid token or code.",
    403: "The token's scopes or the person's role do not allow it.",
    404: "No such thing, or not the caller's to see.", 409: "Someone was quicker, or the key was used for something else.",
    412: "Another version of tus than 1.0.0.", 413: "Too large.",
    415: "The body is of another media type.", 422: "A field is wrong; `errors` says which.",
    423: "Another request is writing to the same file.", 429: "Too often; see Retry-After.",
    503: "The database does not answer; see Retry-After.",
}
_KEY = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 200},
        "description": "Names this write: sent again with the same body it happens once and is answered the same."}
_MATCH = {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
          "description": "The version seen, as in the ETag. A newer one is a 409 with `current`.", "example": '"3"'}
# Their ids are the keys.
_OWN_IDS = frozenset({"push_items", "tell_call", "begin_upload", "append_to_upload", "end_upload", "upload_protocol"})
_MORE = {"tell_call": [409], "begin_upload": [409, 412, 429], "append_to_upload": [409, 412, 423], "end_upload": [409, 412, 423]}
_NOT_KEYED = _OWN_IDS | frozenset({"read_identity", "see_notice", "read_missed_number", "end_campaign", "listing_step", "suggest", "track"})


def _statuses(operation: dict[str, Any], write: bool) -> list[int]:
    found = [400, 422, 503]
    if operation.get("security"):
        found += [401, 403]
    if "{" in operation["path"] or operation["operationId"] in NAMES_ANOTHER:
        found.append(404)
    if write:
        found += [413, 415]
        if operation["operationId"] not in _NOT_KEYED:
            found.append(409)
    if operation["operationId"] in ("track", "upload") or any("TrackingCode" in s for s in operation.get("security", [])):
        found.append(429)
    return sorted({*found, *_MORE.get(operation["operationId"], [])})


def build() -> dict[str, Any]:
    """The whole document as plain JSON types."""
    made: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1/"), default=str))
    models: list[type[BaseModel]] = [Problem, *MODELS.values()]
    bodies: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _defs, schema = models_json_schema(bodies, ref_template=REF)
    made["components"]["schemas"].update(schema["$defs"])
    made["components"]["responses"] = {
        f"Problem{status}": {"description": said,
                             "content": {CONTENT_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}}
        for status, said in _MEANING.items()
    }
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            write = method != "get"
            operation["path"] = path
            for status in _statuses(operation, write):
                operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
            del operation["path"]
            name = operation["operationId"]
            if write and name not in _NOT_KEYED:
                operation.setdefault("parameters", []).append(_KEY)
            if "/actions/" in path:
                operation["parameters"].append(_MATCH)
    made["paths"] = dict(sorted(made["paths"].items()))
    made["servers"] = [{"url": "/"}]
    made["tags"] = [{"name": name} for name in TAGS]
    return made


@lru_cache(maxsize=1)
def _bytes() -> bytes:
    return json.dumps(build(), ensure_ascii=False).encode()


def view(request: HttpRequest) -> HttpResponse:
    """The document, for everyone."""
    response = HttpResponse(_bytes(), content_type="application/json")
    response["Cache-Control"] = "public, max-age=300"
    return response


def operations_table(document: dict[str, Any]) -> str:
    """Every operation as a line of a Markdown table."""
    lines = ["| operation | method and path | who | what |", "|---|---|---|---|"]
    who = {"BearerToken": "token", "TrackingCode": "tracking code", "DeviceSecret": "telephone"}
    listed = [(TAGS.index(operation["tags"][0]), path, method, operation)
              for path, methods in document["paths"].items() for method, operation in methods.items()]
    for _tag, path, method, operation in sorted(listed, key=lambda entry: entry[:3]):
        keys = [name for one in operation.get("security", []) for name in one]
        said = " ".join(operation.get("description", "").partition("\n\n")[0].split())
        lines.append(f"| `{operation['operationId']}` | `{method.upper()} {path.removeprefix('/api/v1')}` | "
                     f"{' or '.join(who[key] for key in keys) or 'everyone'} | {said} |")
    return "\n".join(lines)
