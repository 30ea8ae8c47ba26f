"""Of every request: the language and the seat from cookies, and a strict content security policy on every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from . import conduct, queries
from .options import options
from .words import LANGUAGES

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
          "base-uri 'none'; frame-ancestors 'none'")


def cookie(name: str) -> str:
    """Cookies of two desks on one machine do not mix: browsers do not tell ports apart."""
    return f"desk{options().port}_{name}"


def screen(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        language = request.COOKIES.get(cookie("language"), "zh")
        request.language = language if language in LANGUAGES else "zh"  # type: ignore[attr-defined]
        request.badge = request.COOKIES.get(cookie("badge"), "")[:40] or f"{options().name.split('.')[0]}-01"  # type: ignore[attr-defined]
        response = respond(request)
        response.headers["Content-Security-Policy"] = POLICY
        if request.path.startswith("/static/"):
            return response
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def context(request: HttpRequest) -> dict[str, Any]:
    """What every page shows."""
    return {
        "desk": options(), "language": getattr(request, "language", "zh"), "badge": getattr(request, "badge", ""),
        "conduct": conduct.conduct(), "line": queries.line_state(),
    }
