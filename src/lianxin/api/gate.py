"""The way in for `/api/` and `/linkage/`: no session, no cookie, no form protection – and every fault as problem details.

The other faces' middleware (sessions, messages, sign-in, locale from cookies) serves people in browsers. A machine
with a bearer token needs none of it, so its requests leave the chain here, just after the security headers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, get_resolver
from django.utils.translation import activate

from lianxin.faces.machines import declared_length, language_of, take_in
from lianxin.kernel.errors import TooLarge
from lianxin.operations.requests import ROUTE

from . import linkage, problems, register

PREFIX = "/api/"
ROOT = "/api/v1/"


class Gate:
    """Middleware: answers `/api/` and `/linkage/` itself and passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith((PREFIX, linkage.PREFIX)):
            return self.get_response(request)
        language = language_of(request)
        activate(language)
        head = request.method == "HEAD"
        if head:
            request.method = "GET"
        try:
            response = _answer(request)
        except Exception as error:
            response = problems.of(error)
        if response.status_code == 413:
            take_in(request)
        if head:
            request.method = "HEAD"
            response = _without_body(response)
        if response.status_code >= 400 and response.headers.get("Content-Type") != problems.CONTENT_TYPE:
            response = _made_plain(response)
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(response, HttpResponse) and not head:  # else it would go out in chunks
            response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers["Content-Language"] = language
        return response


def _answer(request: HttpRequest) -> HttpResponseBase:
    request.get_host()  # raises DisallowedHost
    if declared_length(request) > settings.LIANXIN_REQUEST_LIMIT:
        raise TooLarge()
    path = request.path_info
    if path.startswith(linkage.PREFIX):
        request.META[ROUTE] = linkage.ROOT[1:]
        return linkage.answer(request)
    if path == register.PATH and request.method == "POST":
        request.META[ROUTE] = register.PATH[1:]
        return register.view(request)
    if not path.startswith(ROOT):
        raise Http404
    try:
        match = get_resolver("lianxin.api.urls").resolve("/" + path.removeprefix(ROOT))
    except Resolver404:
        raise Http404 from None
    request.META[ROUTE] = ROOT[1:] + match.route
    view: Callable[..., HttpResponseBase] = match.func
    return view(request, *match.args, **match.kwargs)


def _without_body(response: HttpResponseBase) -> HttpResponse:
    """The same headers for HEAD, and nothing else."""
    made = HttpResponse(status=response.status_code, headers=dict(response.headers))
    if isinstance(response, HttpResponse):
        made.headers["Content-Length"] = str(len(response.content))
    else:
        response.close()  # a file; to close anything else would say that the request is over
    return made


def _made_plain(response: HttpResponseBase) -> HttpResponse:
    """A fault that a library answered in its own words, as a problem with the same status and headers."""
    known = {405: problems.WrongMethod.default_message}
    made = problems.problem(response.status_code, detail=known.get(response.status_code, ""))
    kept: dict[str, Any] = {"Allow": response.headers.get("Allow"), "Retry-After": response.headers.get("Retry-After")}
    for name, value in kept.items():
        if value is not None:
            made[name] = value
    return made
