"""Public map layers and the list of areas under an area. No login: this is open data."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from . import maps, queries

_CACHE = "public, max-age=3600, stale-while-revalidate=86400"
_PLURALS = {"counties": "county", "towns": "town"}


def _send(request: HttpRequest, layer: maps.Layer) -> HttpResponse:
    if request.headers.get("If-None-Match") == layer.tag:
        response: HttpResponse = HttpResponseNotModified()
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(layer.packed, content_type="application/geo+json")
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(layer.packed))
    else:
        response = HttpResponse(layer.text, content_type="application/geo+json")
    response["ETag"] = layer.tag
    response["Cache-Control"] = _CACHE
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


@require_safe
def whole_city(request: HttpRequest, name: str) -> HttpResponse:
    """`/places/counties.geojson`, `/places/towns.geojson`."""
    if name not in _PLURALS:
        raise Http404
    return _send(request, maps.layer(_PLURALS[name]))


@require_safe
def within(request: HttpRequest, parent: str) -> HttpResponse:
    """`/places/within/<code>.geojson`: the areas right under a county (towns) or town (villages) or village (grids)."""
    level = queries.level_below(parent)
    if level is None:
        raise Http404
    return _send(request, maps.layer(level, parent))


@require_safe
def children(_request: HttpRequest, parent: str) -> HttpResponse:
    """`/places/children/<code>.json`: code and name of the areas right under an area, for picking one."""
    if not queries.exists(parent):
        raise Http404
    response = JsonResponse({"areas": [vars_of(child) for child in queries.children(parent)]})
    response["Cache-Control"] = _CACHE
    return response


def vars_of(child: queries.Child) -> dict[str, object]:
    return {"code": child.code, "name": child.name, "level": child.level, "lon": child.lon, "lat": child.lat,
            "synthetic": child.synthetic}
