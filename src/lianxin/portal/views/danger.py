"""The rules by which the page itself warns of danger: a file named by what it holds, fetched once and kept."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from lianxin.triage.danger import browser_rules


@dataclass(frozen=True, slots=True)
class _Rules:
    text: bytes
    packed: bytes
    digest: str


@cache
def _rules() -> _Rules:
    text = json.dumps(browser_rules(), ensure_ascii=False, separators=(",", ":")).encode()
    return _Rules(text, gzip.compress(text, mtime=0), sha256(text).hexdigest()[:16])


def address() -> str:
    """Where the rules in force stand; it changes with what they say."""
    return reverse("portal:danger", args=[_rules().digest])


@require_safe
def danger(request: HttpRequest, digest: str) -> HttpResponse:
    """`/say/danger.<hash>.json`, kept by browsers for a year. A page from before a change of the rules is led to those in force."""
    held = _rules()
    if digest != held.digest:
        moved = redirect(address())
        moved["Cache-Control"] = "no-store"
        return moved
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(held.packed if packed else held.text, content_type="application/json")
    if packed:
        response["Content-Encoding"] = "gzip"
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    patch_vary_headers(response, ("Accept-Encoding",))
    return response
