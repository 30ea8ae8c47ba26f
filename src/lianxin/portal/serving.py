"""A file of any size to whoever asks, whole, packed or a part of it (RFC 9110, sections 8.8, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, parse_http_date_safe, quote_etag

BLOCK: Final = 1 << 16
# Longer numbers are of no file there is, and Python would not read them.
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


def part_asked(said: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the one part that a `Range` asks for; None where it asks for none that is understood – then the whole
    goes out. Raises ValueError where the part lies behind the end."""
    match = _RANGE.fullmatch(said.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        length = int(match[2])
        if length == 0 or size == 0:
            raise ValueError("an empty part")
        return max(size - length, 0), size - 1
    first, last = int(match[1]), int(match[2] or size - 1)
    if match[2] and int(match[2]) < first:
        return None  # no range at all: RFC 9110, section 14.1.2
    if first >= size:
        raise ValueError("behind the end")
    return first, min(last, size - 1)


def _blocks(file: IO[bytes], length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (block := file.read(min(BLOCK, length))):
            length -= len(block)
            yield block


def _takes_gzip(request: HttpRequest) -> bool:
    for said in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _semicolon, rest = said.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", rest)
    return False


def _still_fits(request: HttpRequest, etag: str, at: datetime) -> bool:
    """Whether the part that is asked for belongs to this file: `If-Range` names the file that the asker has the beginning of."""
    said = request.headers.get("If-Range", "")
    if not said or said == etag:
        return True
    return not said.startswith(('"', "W/")) and parse_http_date_safe(said) == int(at.timestamp())


def serve(request: HttpRequest, path: Path, *, packed: Path | None, content_type: str, sha256: str, at: datetime) -> HttpResponseBase:
    """The file, or the part asked for. `packed` is its gzip, if there is one; `sha256` makes the entity tags, `at` is when it last
    changed. Raises FileNotFoundError."""
    asked = request.headers.get("Range", "")
    zipped = packed if packed is not None and not asked and _takes_gzip(request) else None
    etag = quote_etag(sha256[:32] + ("-gz" if zipped else ""))
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag, last_modified=int(at.timestamp()))
    if response is None:
        response = _body(asked if _still_fits(request, etag, at) else "", zipped or path, content_type)
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Last-Modified"] = http_date(at.timestamp())
    response["Accept-Ranges"] = "bytes"
    if packed is not None:
        patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _body(asked: str, path: Path, content_type: str) -> HttpResponseBase:
    size = path.stat().st_size
    try:
        part = part_asked(asked, size) if asked else None
    except ValueError:
        refused = HttpResponse(status=416, content_type="text/plain")
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    file = path.open("rb")
    if part is None:
        whole = FileResponse(file, content_type=content_type)
        whole["Content-Length"] = str(size)
        return whole
    first, last = part
    file.seek(first)
    response = StreamingHttpResponse(_blocks(file, last - first + 1), status=206, content_type=content_type)
    response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Content-Length"] = str(last - first + 1)
    response._resource_closers.append(file.close)  # type: ignore[attr-defined]
    return response
