"""The open data: a page for people, a catalogue for machines, the files."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe
from shapely.geometry import shape

from lianxin.places.models import Area, AreaLevel
from lianxin.publishing import catalogue as dcat
from lianxin.publishing import files, rules
from lianxin.publishing.columns import TABLES

from ..serving import serve

KEPT = "public, max-age=300"
# What a browser should show rather than keep.
SHOWN = ("json",)


def _base(request: HttpRequest) -> str:
    return settings.LIANXIN_PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


@lru_cache(maxsize=2)
def _bounds(_area: int, boundary: str) -> list[float] | None:
    return [round(one, 4) for one in shape(json.loads(boundary)).bounds]


def _box() -> list[float] | None:
    found = Area.objects.filter(level=AreaLevel.CITY, boundary__isnull=False).values_list("pk", "boundary").first()
    return _bounds(found[0], json.dumps(found[1])) if found else None


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """What there is, how big and how old, what each column means, how it was made public and what may be done with it."""
    manifest = files.read_manifest()
    sets = [{"code": name, "title": dcat.TITLES[name], "words": dcat.MEANINGS[name], "columns": columns,
             "files": [one for one in manifest.files if one.table == name] if manifest else []} for name, columns in TABLES.items()]
    return render(request, "portal/data.html", {
        "manifest": manifest, "sets": sets, "least": rules.K, "licence": settings.LIANXIN_OPEN_DATA_LICENCE,
        "licence_name": settings.LIANXIN_OPEN_DATA_LICENCE_NAME, "contact": settings.LIANXIN_OPEN_DATA_CONTACT,
    })


def _open(response: HttpResponseBase) -> HttpResponseBase:
    """Any page of any site may read it."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = "ETag, Content-Range, Content-Length, Last-Modified"
    response["Cache-Control"] = KEPT
    return response


@require_safe
def catalogue(request: HttpRequest) -> HttpResponseBase:
    """`/data/catalog.jsonld`: DCAT 3."""
    made = dcat.catalogue(_base(request), files.read_manifest(), box=_box())
    return _open(JsonResponse(made, content_type="application/ld+json", json_dumps_params={"ensure_ascii": False, "indent": 1}))


@require_safe
def manifest(request: HttpRequest) -> HttpResponseBase:
    """`/data/manifest.json`: the files with sizes and hashes, for those who fetch them by a script."""
    held = files.read_manifest()
    said: dict[str, Any] = {"licence": settings.LIANXIN_OPEN_DATA_LICENCE, "files": []}
    if held is not None:
        said |= {"made_at": held.at.isoformat(), "revision": held.revision, "first": held.first or None, "last": held.last or None}
        said["files"] = [
            {"name": one.name, "url": f"{_base(request)}/data/{one.name}", "media_type": one.media_type, "rows": one.rows,
             "bytes": one.size, "sha256": one.sha256} for one in held.files]
    return _open(JsonResponse(said, json_dumps_params={"ensure_ascii": False, "indent": 1}))


@require_safe
def file(request: HttpRequest, name: str) -> HttpResponseBase:
    """One of the files: whole, packed, or the part asked for."""
    held = files.read_manifest()
    found = held.named(name) if held else None
    if held is None or found is None:
        raise Http404
    charset = "; charset=utf-8" if found.kind in ("csv", "jsonl") else ""
    try:
        response = serve(request, held.path(found), packed=held.path(found, packed=True) if found.packed else None,
                         content_type=found.media_type + charset, sha256=found.sha256, at=held.at)
    except FileNotFoundError:
        raise Http404 from None
    if found.kind not in SHOWN:
        response["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return _open(response)
