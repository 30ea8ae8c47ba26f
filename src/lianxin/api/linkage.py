"""`/linkage/v1/`: where the desks of other services post their messages, and where anybody reads how.

Machines with a signature: no session, no cookie, no form protection. Every fault is problem details (RFC 9457), in Chinese or in
what `Accept-Language` asks for.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from lianxin.faces.limits import allow, client_address
from lianxin.faces.machines import declared_length
from lianxin.kernel.errors import DomainError, NotFound, TooLarge
from lianxin.linkage import inbound, published, wire

from . import problems

log = logging.getLogger(__name__)
PREFIX = "/linkage/"
ROOT = "/linkage/v1/"
UNSIGNED_A_MINUTE = 120  # per address; signed messages are not counted


def answer(request: HttpRequest) -> HttpResponseBase:
    """One request below `/linkage/`. Raises what `problems.of` turns into an answer."""
    match request.path_info.removeprefix(ROOT):
        case "messages":
            return _messages(request)
        case "openapi.json":
            return _document(request, "openapi")
        case "schema.json":
            return _document(request, "schema")
    raise NotFound()


def _messages(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        response = problems.problem(405, detail=problems.WrongMethod.default_message)
        response["Allow"] = "POST"
        return response
    try:
        receipt = inbound.receive(_body(request), {name.lower(): value for name, value in request.headers.items()})
    except DomainError as error:
        return _refused(request, error)
    return HttpResponse(receipt.model_dump_json(), content_type="application/json")


def _body(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise problems.WrongMediaType()
    if declared_length(request) > wire.LARGEST:
        raise TooLarge(_("内容超过 256 kB。"))
    try:
        return bytes(request.body)
    except UnreadablePostError:
        raise inbound.Malformed() from None


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A problem, with what a program at the other end goes on from: the number that is expected, the fields that are wrong."""
    if error.status == 401:
        allow("linkage-unsigned", client_address(request), per_minute=UNSIGNED_A_MINUTE)
    response = problems.problem(error.status, code=error.code, detail=error.message, errors=[
        {"field": name, "detail": said} for name, said in error.fields.items()])
    more: dict[str, Any] = {}
    if isinstance(error, inbound.Gap):
        more["expected"] = error.expected
    if error.fields:
        more["fields"] = error.fields
    if more:
        response.content = json.dumps({**json.loads(response.content), **more}, ensure_ascii=False).encode()
    if error.status == 401:
        del response["WWW-Authenticate"]  # no bearer token opens this
    return response


@cache
def _published(name: str, base: str) -> bytes:
    document = published.openapi(base) if name == "openapi" else published.schema()
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _document(request: HttpRequest, name: str) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        response = problems.problem(405, detail=problems.WrongMethod.default_message)
        response["Allow"] = "GET, HEAD"
        return response
    kind = "application/vnd.oai.openapi+json" if name == "openapi" else "application/schema+json"
    response = HttpResponse(_published(name, settings.LIANXIN_LINKAGE_URL), content_type=kind)
    response["Cache-Control"] = "max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    return response
