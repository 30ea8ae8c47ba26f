"""Vector tiles at `/tiles/cases/{z}/{x}/{y}.mvt`, and what there is of them as TileJSON 3.0."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _

from lianxin.places.models import City
from lianxin.publishing.models import Precision, Stage

from . import tallies, tiles
from .answers import as_json, public
from .parameters import choice, fault, said
from .places import COLLECTIONS as PLACES
from .tiling import DEEPEST, EXACT, SHALLOWEST

MEDIA: Final = "application/vnd.mapbox-vector-tile"
FILTERS: Final = ("category", "county", "stage")
AGE: Final = 60  # seconds: as often as the tiles follow the record
KEPT: Final = 1_000  # tiles held in a process
_SPELT: Final = {"open": tiles.OPEN, "done": tiles.DONE}


@dataclass(frozen=True, slots=True)
class Sent:
    """A tile as it goes out: packed, with its entity tag; empty where nothing lies."""

    packed: bytes
    tag: str


_lock: Final = threading.Lock()
_held: Final[OrderedDict[tuple[Any, ...], Sent]] = OrderedDict()


def forget() -> None:
    """Drop what is held: between tests."""
    with _lock:
        _held.clear()


def narrowed(request: HttpRequest) -> tiles.Narrowed:
    """What the address asks for. Raises Invalid for what is unknown."""
    given = said(request, FILTERS)
    for name in ("category", "county"):
        if name in given and not (given[name].isascii() and given[name].isalnum() and len(given[name]) <= 24):
            raise fault(name, _("要一个代码。"))
    stages: set[str] = set()
    for part in given["stage"].split(",") if "stage" in given else ():
        stages.update(_SPELT.get(part) or (choice("stage", part, (*_SPELT, *Stage.values)),))
    return tiles.Narrowed(given.get("category", ""), given.get("county", ""), tuple(one for one in Stage.values if one in stages))


def _made(zoom: int, x: int, y: int, wanted: tiles.Narrowed) -> Sent:
    """The tile as the records stand now; one that was made since they last changed is not made again."""
    key = (City.objects.values_list("loaded_at", flat=True).first(), tallies.version(), zoom, x, y, wanted)
    with _lock:
        if key in _held:
            _held.move_to_end(key)
            return _held[key]
    body = tiles.tile(zoom, x, y, wanted)
    made = Sent(gzip.compress(body, 5, mtime=0) if body else b"", f'"{hashlib.sha256(body).hexdigest()[:24]}"')
    with _lock:
        _held[key] = made
        while len(_held) > KEPT:
            _held.popitem(last=False)
    return made


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and (text == "0" or text[0] != "0") and int(text) <= most):
        raise Http404
    return int(text)


@public
def tile(request: HttpRequest, zoom: str, x: str, y: str) -> HttpResponse:
    """One tile; 204 where it is empty, 404 outside the zooms that are drawn."""
    at = _number(zoom, DEEPEST)
    if at < SHALLOWEST:
        raise Http404
    column, row = _number(x, (1 << at) - 1), _number(y, (1 << at) - 1)
    sent = _made(at, column, row, narrowed(request))
    unchanged = get_conditional_response(request, etag=sent.tag)
    if unchanged is not None and unchanged.status_code == 304:
        response = HttpResponse(status=304)
    elif not sent.packed:
        response = HttpResponse(status=204)
    else:
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(sent.packed if packed else gzip.decompress(sent.packed), content_type=MEDIA)
        if packed:
            response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
    response["ETag"] = sent.tag
    response["Cache-Control"] = f"public, max-age={AGE}, stale-while-revalidate=600"
    return response


def _layers() -> list[dict[str, Any]]:
    stages = ", ".join(Stage.values)
    counts = {"n": _("件数"), "open": _("其中还在办的"), "solved": _("其中说解决了的"), "area": _("区域代码"),
              "category": _("最多的一级类别代码")}
    alone = {"precision": ", ".join(Precision.values), "number": _("只有一件时的公开编号"), "stage": stages}
    each = {"number": _("公开编号"), "stage": stages, "category": _("类别代码"), "opened": _("提出的日子"),
            "dated": _("那个日子是当天、当周还是当月的开头"), "solved": _("说解决了")}
    return [
        {"id": "groups", "minzoom": SHALLOWEST, "maxzoom": EXACT - 1, "description": _("每格一个点"), "fields": counts},
        {"id": "cases", "minzoom": EXACT, "maxzoom": DEEPEST, "description": _("每个位置一个点"), "fields": counts | alone},
        {"id": "records", "minzoom": DEEPEST, "maxzoom": DEEPEST, "description": _("最新的一件一个点"), "fields": each},
    ]


@public
def tilejson(request: HttpRequest) -> HttpResponse:
    """What there is of tiles. The query goes on into their addresses."""
    narrowed(request)
    query = f"?{urlencode(dict(request.GET.items()))}" if request.GET else ""
    content: dict[str, Any] = {
        "tilejson": "3.0.0", "name": _("公开的事"), "scheme": "xyz", "minzoom": SHALLOWEST, "maxzoom": DEEPEST,
        "tiles": [request.build_absolute_uri("/tiles/cases/") + "{z}/{x}/{y}.mvt" + query],
        "attribution": _("位置按规则放宽，不是事情发生的准确地方"), "vector_layers": _layers(),
    }
    extent = PLACES[0].source.extent()
    if extent.box is not None:
        west, south, east, north = (round(number, 5) for number in extent.box)
        content |= {"bounds": [west, south, east, north],
                    "center": [round((west + east) / 2, 5), round((south + north) / 2, 5), 9]}
    return as_json(request, content)


@public
def nothing(_request: HttpRequest, rest: str) -> HttpResponse:
    """Any other address below."""
    raise Http404
