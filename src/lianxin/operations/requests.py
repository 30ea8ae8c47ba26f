"""The outermost middleware: every request has a number, which its answer, its lines in the log and its calls to others carry; and when
it has been answered, one line says what was asked by the route's pattern, never by the address – an address holds case numbers, codes
and what people search for – and who asked not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from lianxin.kernel import request_ids

from . import telemetry

log = logging.getLogger("lianxin.requests")
ROUTE = "lianxin.route"  # in `request.META`: the pattern, where a face resolves its addresses without Django
NUMBER = "lianxin.number"  # likewise: its number, for what Django logs when everything else is over
QUIET = frozenset({"healthz", "readyz", "metrics"})  # asked every few seconds by machines: a line only when they fail
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(request: HttpRequest) -> str:
    """The pattern of the address that was asked, such as `desk/cases/<uuid:case_id>/`; `static` for files, `-` for what there is not."""
    said = request.META.get(ROUTE)
    if said:
        return str(said)
    match = request.resolver_match
    if match is not None:
        return match.route or "/"
    return "static" if request.path_info.startswith("/static/") else "-"


class Numbered:
    """Gives each request its number. `X-Request-ID` of a proxy in front is kept where it is a UUID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        number = request_ids.taken(request.META.get("HTTP_X_REQUEST_ID", "")) or request_ids.fresh()
        request.META[NUMBER] = number
        started = time.perf_counter()
        with request_ids.under(number) as events:
            if telemetry.on():
                with telemetry.request(request.META) as span:
                    response = self.get_response(request)
                    telemetry.answered(span, _method(request), route_of(request), response.status_code)
            else:
                response = self.get_response(request)
            response.headers[request_ids.HEADER] = number
            if settings.LIANXIN_LOG_REQUESTS and log.isEnabledFor(logging.INFO):
                _tell(request, response.status_code, time.perf_counter() - started, events)
        return response


def _method(request: HttpRequest) -> str:
    return str(request.method) if request.method in METHODS else "other"


def _tell(request: HttpRequest, status: int, seconds: float, events: list[str]) -> None:
    route = route_of(request)
    if route in QUIET and status < 400:
        return
    method, ms = _method(request), round(seconds * 1000, 1)
    extra: dict[str, object] = {"method": method, "route": route, "status": status, "ms": ms}
    if events:
        extra["events"] = events
    log.info("%s %s %s %s ms", method, route, status, ms, extra=extra)
