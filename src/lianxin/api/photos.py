"""Photos of cases that went to a department's own system by a link. Whoever has the link may fetch them while it holds; no token."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase

from lianxin.cases import files
from lianxin.exchange import photos


def photo(_request: HttpRequest, key: str) -> HttpResponseBase:
    """One photo. Not for keeping on the way, nor for search engines. Raises NotFound for every link that does not hold."""
    found = photos.opened(key)
    return FileResponse(files.open_file(found), content_type="image/jpeg", headers={
        "Cache-Control": "private, no-store", "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff"})
