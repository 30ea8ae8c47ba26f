"""`POST /linkage/v1/messages`: the other desk's messages come in here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from django.db import DatabaseError
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from .. import conduct, protocol
from .. import wire as wires

logger = logging.getLogger(__name__)
SILENCE_SECONDS = 60.0
_silent = threading.BoundedSemaphore(20)  # so that messages nobody answers do not take every thread


class Broken(RuntimeError):
    """Ordered: the connection breaks here."""


def _breaking() -> Iterator[bytes]:
    yield b"{"
    raise Broken


def broken() -> StreamingHttpResponse:
    """An answer that stops in the middle: the server closes the connection."""
    response = StreamingHttpResponse(_breaking(), content_type="application/json")
    response.headers["Content-Length"] = "512"
    return response


def _silence() -> StreamingHttpResponse:
    """Hold the connection without a word, as long as it is ordered and the other side would wait."""
    if _silent.acquire(blocking=False):
        try:
            ends = time.monotonic() + SILENCE_SECONDS
            while time.monotonic() < ends and conduct.conduct().silent:
                time.sleep(0.1)
        finally:
            _silent.release()
    return broken()


@csrf_exempt
def messages(request: HttpRequest) -> HttpResponseBase:
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if request.content_type != "application/json":
        return JsonResponse({"type": "urn:lianxin:problem:media_type", "title": "media type", "status": 415, "code": "media_type",
                             "detail": "application/json only"}, status=415, content_type="application/problem+json")
    now = conduct.conduct()
    if conduct.drawn(now.silent):
        return _silence()
    crash = conduct.crash_at()
    length = request.headers.get("content-length", "0")
    raw = request.read(wires.LARGEST + 1) if length.isdigit() and int(length) > wires.LARGEST else request.body
    try:
        answer = protocol.receive(raw, request.headers, crash=crash)
    except DatabaseError:  # not the sender's fault: it comes again
        logger.exception("could not be written")
        answer = protocol.Answer(503, {"type": "urn:lianxin:problem:unavailable", "title": "unavailable", "status": 503,
                                       "code": "unavailable", "detail": "not now; nothing was taken in"})
    if now.slow:
        time.sleep(now.slow)
    if conduct.drawn(now.lose_answer):
        return broken()
    return JsonResponse(answer.body, status=answer.status, headers={"Retry-After": "1"} if answer.status == 503 else None,
                        content_type="application/problem+json" if answer.problem else "application/json")


def schema(request: HttpRequest) -> FileResponse:
    return FileResponse(wires.SCHEMA.open("rb"), content_type="application/schema+json")
