"""The way in for /open311/: no session, no cookie, no form protection; every fault in the specification's form, never a page."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import activate

from lianxin.faces.machines import declared_length, language_of, take_in
from lianxin.kernel.errors import TooLarge

from . import errors, views


class Gate:
    """Middleware: answers /open311/ itself and passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(views.PREFIX):
            return self.get_response(request)
        language = language_of(request)
        activate(language)
        head = request.method == "HEAD"
        if head:
            request.method = "GET"
        response = self._preflight(request) if request.method == "OPTIONS" else self._answered(request)
        if head:
            request.method = "HEAD"
            length = str(len(response.content))
            response.content = b""
            response["Content-Length"] = length
        response["Content-Language"] = language
        response["Access-Control-Allow-Origin"] = "*"  # nothing here is by cookie
        response["Vary"] = "Accept, Accept-Language, Authorization"
        response.headers.setdefault("Cache-Control", self._kept(request, response))
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    @staticmethod
    def _answered(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()  # raises DisallowedHost
            if declared_length(request) > settings.LIANXIN_REQUEST_LIMIT:
                raise TooLarge()
            response = views.respond(request)
        except Exception as error:
            response = errors.of(error, views.form_of(request))
        if response.status_code == 413:
            take_in(request)
        return response

    @staticmethod
    def _preflight(request: HttpRequest) -> HttpResponse:
        """What a browser asks before another site's page may post."""
        allowed = views.methods_of(request.path_info)
        if not allowed:
            return errors.of(errors.Absent(), views.form_of(request))
        made = HttpResponse(status=204, headers={"Allow": ", ".join(allowed), "Access-Control-Allow-Methods": ", ".join(allowed)})
        made["Access-Control-Allow-Headers"] = "Accept-Language, Authorization, Content-Type, Idempotency-Key"
        made["Access-Control-Max-Age"] = "86400"
        return made

    @staticmethod
    def _kept(request: HttpRequest, response: HttpResponse) -> str:
        """What anyone may read may be kept a minute; what came with a key, and any fault, never."""
        own = request.method != "GET" or "api_key" in request.GET or "HTTP_AUTHORIZATION" in request.META
        return "no-store" if own or response.status_code != 200 else f"public, max-age={views.FRESH}"
