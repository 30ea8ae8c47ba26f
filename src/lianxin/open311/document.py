"""An OpenAPI description of the endpoint: for clients that are generated, and for tests that make requests up."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from lianxin.services.models import Datatype

from .asked import CAP
from .discovery import base_of
from .queries import DESCRIPTION

_NULL: Final = {"type": "null"}


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, _NULL]}


_STRING: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


def _array(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


SCHEMAS: Final[dict[str, Any]] = {
    "Service": _object({
        "service_code": _STRING, "service_name": _STRING, "description": _maybe(_STRING), "metadata": {"type": "boolean"},
        "type": {"type": "string", "enum": ["realtime", "batch", "blackbox"]}, "keywords": _maybe(_STRING), "group": _maybe(_STRING)}),
    "Value": _object({"key": _STRING, "name": _STRING}),
    "Attribute": _object({
        "variable": {"type": "boolean"}, "code": _STRING, "datatype": {"type": "string", "enum": list(Datatype.values)},
        "required": {"type": "boolean"}, "datatype_description": _maybe(_STRING), "order": {"type": "integer", "minimum": 1},
        "description": _STRING, "values": _array("Value")}),
    "ServiceDefinition": _object({"service_code": _STRING, "attributes": _array("Attribute")}),
    "Note": _object({"datetime": _TIME, "description": _STRING, "type": _STRING}),
    "Request": _object({
        "service_request_id": _STRING, "status": {"type": "string", "enum": ["open", "closed"]}, "status_notes": _maybe(_STRING),
        "service_name": _maybe(_STRING), "service_code": _STRING, "description": _maybe({"type": "string", "maxLength": DESCRIPTION}),
        "agency_responsible": _maybe(_STRING), "service_notice": _maybe(_STRING), "requested_datetime": _TIME,
        "updated_datetime": _maybe(_TIME), "expected_datetime": _maybe(_TIME), "address": _maybe(_STRING), "address_id": _maybe(_STRING),
        "zipcode": _maybe(_STRING), "lat": _maybe({"type": "number"}), "long": _maybe({"type": "number"}),
        "media_url": _maybe({"type": "string", "format": "uri"}),
        "extended_attributes": {"type": "object"}, "notes": _array("Note")},
        ["service_request_id", "status", "service_code", "requested_datetime"]),
    "Posted": _object({"service_request_id": _STRING, "token": _STRING, "service_notice": _maybe(_STRING), "account_id": _maybe(_STRING)},
                      []),
    "Token": _object({"service_request_id": _STRING, "token": _STRING}, ["token"]),
    "Update": _object({
        "update_id": _STRING, "service_request_id": _STRING, "status": {"type": "string", "enum": ["open", "closed"]},
        "updated_datetime": _TIME, "description": _STRING, "media_url": _maybe(_STRING), "external_status_code": _STRING}),
    "UpdateMade": _object({"update_id": _STRING}),
    "Error": _object({"code": {"type": "integer"}, "description": _STRING}),
    "Discovery": _object({
        "changeset": _STRING, "contact": _STRING, "key_service": _STRING,
        "endpoints": {"type": "array", "minItems": 1, "items": _object({
            "specification": _STRING, "url": {"type": "string", "format": "uri"}, "changeset": _STRING,
            "type": {"type": "string", "enum": ["production", "test"]}, "formats": {"type": "array", "items": _STRING}})}}),
}


def _answer(schema: dict[str, Any], words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}, "text/xml": {"schema": _STRING}}}


def _responses(schema: dict[str, Any], words: str, *faults: int) -> dict[str, Any]:
    said = {400: "The request cannot be answered as it is.", 403: "api_key missing or wrong.", 404: "There is no such thing.",
            405: "Not this method.", 413: "Too large."}
    return {"200": _answer(schema, words), **{str(one): _answer(_array("Error"), said[one]) for one in (400, 404, *faults)}}


def _query(name: str, words: str, schema: dict[str, Any] | None = None, example: Any = None) -> dict[str, Any]:
    made = {"name": name, "in": "query", "description": words, "required": False, "schema": schema or _STRING}
    return made | ({"example": example} if example is not None else {})


def _path(name: str, words: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "path", "description": words, "required": True, "schema": schema or {"type": "string", "minLength": 1}}


FORMAT: Final = _path("format", "xml or json.", {"type": "string", "enum": ["xml", "json"]})
JURISDICTION: Final = _query("jurisdiction_id", "The city's id; may be left out.")
KEY: Final = _query("api_key", "With it, the requests that were posted with it are told exactly.")
EXTENSIONS: Final = _query("extensions", "Notes and how exact a record is, with each request.", {"type": "boolean"})
_PAGING: Final = [_query("page", "From 1.", {"type": "integer", "minimum": 1}),
                  _query("page_size", f"At most {CAP}.", {"type": "integer", "minimum": 1, "maximum": CAP})]
_DATES: Final = [_query("start_date", "Earliest time, W3C format; at most 90 days before end_date.", _TIME),
                 _query("end_date", "Latest time.", _TIME)]

_POSTED: Final = {
    "api_key": _STRING, "jurisdiction_id": _STRING, "service_code": _STRING, "lat": {"type": "number"}, "long": {"type": "number"},
    "address_string": _STRING, "address_id": _STRING, "email": _STRING, "device_id": _STRING, "account_id": _STRING,
    "first_name": _STRING, "last_name": _STRING, "phone": _STRING, "description": {"type": "string", "maxLength": DESCRIPTION},
    "media_url": _STRING,
}
_UPDATE: Final = {"api_key": _STRING, "jurisdiction_id": _STRING, "service_request_id": _STRING, "update_id": _STRING,
                  "description": {"type": "string", "maxLength": DESCRIPTION}, "status": _STRING, "updated_datetime": _STRING,
                  "media_url": _STRING}


def _get(name: str, words: str, schema: dict[str, Any], *parameters: dict[str, Any], faults: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"operationId": name, "summary": words, "security": [], "parameters": [FORMAT, JURISDICTION, *parameters],
            "responses": _responses(schema, words, *faults)}


def _post(name: str, words: str, schema: dict[str, Any], fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    form = {"type": "object", "properties": fields, "required": required}
    several = {"type": "object", "properties": fields | {"media": {"type": "string", "format": "binary"}}, "required": required}
    content: dict[str, Any] = {"application/x-www-form-urlencoded": {"schema": form}}
    if name == "post_request":
        content["multipart/form-data"] = {"schema": several}
    return {"operationId": name, "summary": words, "parameters": [FORMAT], "requestBody": {"required": True, "content": content},
            "responses": _responses(schema, words, 403, 413)}


def paths() -> dict[str, Any]:
    """Every operation, by address below the endpoint."""
    service_code, number = _path("service_code", "A service's code."), _path("service_request_id", "A request's id.")
    return {
        "/discovery.{format}": {"get": _get("discovery", "What this endpoint is.", {"$ref": "#/components/schemas/Discovery"})},
        "/services.{format}": {"get": _get("list_services", "The services.", _array("Service"))},
        "/services/{service_code}.{format}": {"get": _get(
            "service_definition", "What is asked of a service.", {"$ref": "#/components/schemas/ServiceDefinition"}, service_code)},
        "/requests.{format}": {
            "get": _get("list_requests", "Requests, newest first.", _array("Request"),
                        _query("service_request_id", "Ids with commas; overrides everything else."),
                        _query("service_code", "Codes with commas."), *_DATES,
                        _query("status", "open, closed, or both with a comma.",
                               {"type": "string", "enum": ["open", "closed", "open,closed"]}),
                        _query("updated_after", "Changed since.", _TIME), _query("updated_before", "Changed until.", _TIME),
                        *_PAGING, EXTENSIONS, KEY, faults=(403,)),
            "post": _post("post_request", "A new request.", _array("Posted"), _POSTED, ["service_code"])},
        "/requests/{service_request_id}.{format}": {"get": _get(
            "get_request", "One request, as a list of one.", _array("Request"), number, EXTENSIONS, KEY, faults=(403,))},
        "/requests/{service_request_id}/notes.{format}": {"get": _get(
            "get_notes", "What became of one request, oldest first.", _array("Note"), number, KEY, faults=(403,))},
        "/tokens/{token}.{format}": {"get": _get(
            "get_token", "The id behind a token.", _array("Token"), _path("token", "As POST answered it."), KEY, faults=(403,))},
        "/servicerequestupdates.{format}": {
            "get": _get("list_updates", "What became of the requests posted with this key, oldest first.", _array("Update"),
                        _query("service_request_id", "Ids with commas."), *_DATES, *_PAGING, KEY, faults=(403,)),
            "post": _post("post_update", "More about a request posted with this key.", _array("UpdateMade"), _UPDATE,
                          ["service_request_id", "description"])},
    }


def document(request: HttpRequest) -> dict[str, Any]:
    """The whole document, with this endpoint's own address."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Open311 GeoReport v2", "version": "2", "description":
                 "http://wiki.open311.org/GeoReport_v2 with the extensions page, page_size, updated_after, updated_before, notes and "
                 "service request updates. Faults are lists of code and description."},
        "servers": [{"url": base_of(request)}],
        "security": [{"api_key": []}],
        "paths": paths(),
        "components": {"schemas": SCHEMAS, "securitySchemes": {
            "api_key": {"type": "apiKey", "in": "query", "name": "api_key"}}},
    }
