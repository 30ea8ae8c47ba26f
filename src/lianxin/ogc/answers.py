"""How every address under `/ogc/` answers: the form that is asked for, errors in it, entity tags, HEAD, and any site's scripts let in."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final

from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import activate, get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from lianxin.faces.errors import OUTAGES, RETRY_SECONDS
from lianxin.faces.machines import language_of
from lianxin.kernel.errors import DomainError, Invalid

from .parameters import FORMATS, choice

JSON, GEOJSON, HTML = "application/json", "application/geo+json", "text/html"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
METHODS: Final = "GET, HEAD, OPTIONS"
SHOWN_HEADERS: Final = "ETag, Link, Content-Crs, Content-Language"
MACHINE: Final = frozenset({JSON, GEOJSON, "application/vnd.oai.openapi+json", "application/vnd.mapbox-vector-tile",
                           "application/x-protobuf", "application/*"})
SMALL: Final = 1_000  # bytes: below that packing costs more than it saves
View = Callable[..., HttpResponse]


class NotAcceptable(DomainError):
    status = 406
    default_code = "NotAcceptable"


def _accepted(header: str) -> str:
    """`json` or `html`, whichever an Accept header prefers; JSON where it does not mind. Raises NotAcceptable where it wants neither."""
    best, choice_made = -1.0, ""
    for part in header.split(","):
        media, *extras = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for extra in extras:
            if extra.startswith("q="):
                try:
                    weight = float(extra[2:])
                except ValueError:
                    weight = 0.0
        form = "html" if media in (HTML, "application/xhtml+xml", "text/*") else "json" if media in MACHINE or media == "*/*" else ""
        if form and weight > max(best, 0.0):
            best, choice_made = weight, form
    if not choice_made:
        raise NotAcceptable(_("这里只有 JSON 和网页两种。"))
    return choice_made


def form_of(request: HttpRequest) -> str:
    """`json` or `html`: what `f` says, else what Accept prefers. Raises Invalid for another `f`."""
    if "f" in request.GET:
        return choice("f", request.GET["f"], FORMATS)
    return _accepted(request.headers.get("Accept") or "*/*")


def public(view: View) -> View:
    """Anybody may read it from anywhere; nothing else can be done with it. Faults are told in the form that was asked for."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse(status=204, headers={"Allow": METHODS, "Access-Control-Allow-Methods": METHODS,
                                                         "Access-Control-Allow-Headers": "Accept, Accept-Language, If-None-Match",
                                                         "Access-Control-Max-Age": "86400"})
        elif request.method not in ("GET", "HEAD"):
            response = HttpResponseNotAllowed(["GET", "HEAD", "OPTIONS"])
        else:
            response = _safely(view, request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = SHOWN_HEADERS
        patch_vary_headers(response, ("Accept", "Accept-Language", "Accept-Encoding"))
        if request.method == "HEAD":
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return answered


def _safely(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        if form_of(request) == "json":  # a page is in the language that its reader chose on the site
            activate(language_of(request))
        return view(request, *args, **kwargs)
    except DomainError as error:
        status = 400 if isinstance(error, Invalid) else error.status
        return fault(request, status, error.code, str(error.message))
    except Http404:
        return fault(request, 404, "NotFound", _("没有这个资源。"))
    except DataError:
        return fault(request, 400, "InvalidParameterValue", _("有不能用的字符。"))
    except OUTAGES:
        response = fault(request, 503, "Unavailable", _("现在连不上数据库，通常一两分钟就好。"))
        response["Retry-After"] = str(RETRY_SECONDS)
        return response


def fault(request: HttpRequest, status: int, code: str, description: str) -> HttpResponse:
    """An error as the standard's `exception.yaml` has it, or as a page."""
    try:
        form = form_of(request)
    except DomainError:
        form = "json"
    if form == "html":
        response = render(request, "ogc/fault.html", {"status": status, "description": description}, status=status)
    else:
        text = json.dumps({"code": code, "description": description}, ensure_ascii=False)
        response = HttpResponse(text, status=status, content_type=JSON)
    response["Cache-Control"] = "no-store"
    return response


def send(request: HttpRequest, body: bytes, media: str, *, told: bytes | None = None, age: int = 60,
         headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A body with its entity tag, packed where the client takes that; 304 where it has it already. `told` is what the tag is of,
    where the body holds something that changes each time."""
    etag = f'W/"{hashlib.sha256(body if told is None else told).hexdigest()[:24]}"'
    found = get_conditional_response(request, etag=etag)
    if found is not None and found.status_code == 304:
        response: HttpResponse = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type=media)
        if len(body) >= SMALL and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.content = gzip.compress(body, 5, mtime=0)
            response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
        for name, value in (headers or {}).items():
            response[name] = value
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache" if media.startswith(HTML) else f"public, max-age={age}"
    response["Content-Language"] = get_language() or ""
    return response


def as_page(request: HttpRequest, template: str, context: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The same as a page of the site."""
    body = render_to_string(template, dict(context), request).encode()
    return send(request, body, f"{HTML}; charset=utf-8", headers=headers)


def as_json(request: HttpRequest, content: Mapping[str, Any], *, media: str = JSON, links: Sequence[Mapping[str, str]] = (),
            headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Content as JSON, its links in the Link header as well. A `timeStamp` is no part of what the entity tag is of."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    told = None
    if "timeStamp" in content:
        told = json.dumps({name: value for name, value in content.items() if name != "timeStamp"}, ensure_ascii=False).encode()
    shown = ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links)
    return send(request, text, media, told=told, headers={**({"Link": shown} if shown else {}), **(headers or {})})
