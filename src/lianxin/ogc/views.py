"""OGC API – Features at `/ogc/`: each resource as JSON for programs and as a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now
from lianxin.kernel.language import named
from lianxin.places.models import City

from . import crs, links, parameters
from .answers import GEOJSON, HTML, JSON, OPENAPI, as_json, as_page, form_of, public
from .catalogue import COLLECTIONS, CONFORMANCE
from .document import document
from .links import Link, address, link
from .sources import Collection, Extent, Feature


def title() -> str:
    """What this face calls itself: the city's name with what is offered."""
    city = City.objects.values_list("name", "name_en").first()
    return _("%(city)s公开地图数据") % {"city": named(*city) if city else ""}


def _answer(request: HttpRequest, template: str, content: dict[str, Any], shown: Sequence[Link], **more: Any) -> HttpResponse:
    """The content in the form that was asked for; a page gets it as `content`, and whatever it needs `more`."""
    if form_of(request) == "html":
        return as_page(request, template, {"content": content, "links": shown, "heading": title(), **more})
    return as_json(request, content, links=shown)


@public
def landing(request: HttpRequest) -> HttpResponse:
    """Where a client begins."""
    parameters.said(request, ("f",))
    shown = [
        *links.own(request, "landing"),
        link("service-desc", address(request, "api", f="json"), OPENAPI, _("接口说明（OpenAPI 3.0）")),
        link("service-doc", address(request, "api", f="html"), HTML, _("接口说明，网页")),
        link("conformance", address(request, "conformance"), JSON, _("符合哪些标准")),
        link("data", address(request, "collections"), JSON, _("图层")),
        link("related", request.build_absolute_uri("/tiles/cases.json"), JSON, _("公开的事的矢量瓦片（TileJSON）")),
    ]
    content = {
        "title": title(), "links": shown,
        "description": _("区域、地点和公开的事，按 OGC API – Features 提供，QGIS 等地图软件可以直接打开。"),
    }
    return _answer(request, "ogc/landing.html", content, shown)


@public
def conformance(request: HttpRequest) -> HttpResponse:
    """The conformance classes, by their exact names."""
    parameters.said(request, ("f",))
    shown = links.own(request, "conformance")
    return _answer(request, "ogc/conformance.html", {"links": shown, "conformsTo": list(CONFORMANCE)}, shown)


@public
def api(request: HttpRequest) -> HttpResponse:
    """The API as OpenAPI 3.0, and the same to read."""
    parameters.said(request, ("f",))
    made = document(request.build_absolute_uri("/ogc"), title())
    if form_of(request) == "html":
        shown = [link("self", address(request, "api", f="html"), HTML, _("这一份，网页")),
                 link("alternate", address(request, "api", f="json"), OPENAPI, _("这一份，JSON"))]
        return as_page(request, "ogc/api.html", {"content": made, "links": shown, "heading": title(), "operations": _operations(made)})
    return as_json(request, made, media=OPENAPI)


def _operations(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Paths with their parameters looked up, for the page."""
    held = made["components"]["parameters"]
    return [{"path": path, "summary": one["get"]["summary"],
             "parameters": [held[said["$ref"].rsplit("/", 1)[-1]] if "$ref" in said else said for said in one["get"].get("parameters", ())]}
            for path, one in made["paths"].items()]


def _extent(extent: Extent, timed: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if extent.box is not None:
        made["spatial"] = {"bbox": [[round(number, 6) for number in extent.box]], "crs": crs.CRS84.uri}
    if timed and extent.since is not None:
        made["temporal"] = {"interval": [[one and one.isoformat().replace("+00:00", "Z") for one in (extent.since, extent.until)]],
                            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"}
    return made


def _described(request: HttpRequest, one: Collection) -> dict[str, Any]:
    """A collection as it stands in the list and on its own."""
    made: dict[str, Any] = {
        "id": one.id, "title": str(one.title), "description": str(one.description), "itemType": "feature",
        "crs": list(crs.OFFERED), "storageCrs": crs.CRS84.uri,
        "links": [
            *links.own(request, "collection", one.id),
            link("items", address(request, "items", one.id, f="json"), GEOJSON, _("要素，GeoJSON")),
            link("items", address(request, "items", one.id, f="html"), HTML, _("要素，网页")),
        ],
    }
    if extent := _extent(one.source.extent(), one.timed):
        made["extent"] = extent
    return made


@public
def collections(request: HttpRequest) -> HttpResponse:
    """The collections."""
    parameters.said(request, ("f",))
    shown = links.own(request, "collections")
    content = {"links": shown, "collections": [_described(request, one) for one in COLLECTIONS.values()]}
    return _answer(request, "ogc/collections.html", content, shown)


def _collection(name: str) -> Collection:
    found = COLLECTIONS.get(name)
    if found is None:
        raise Http404
    return found


@public
def collection(request: HttpRequest, name: str) -> HttpResponse:
    """One collection."""
    one = _collection(name)
    parameters.said(request, ("f",))
    content = _described(request, one)
    return _answer(request, "ogc/collection.html", content, content["links"], properties=one.properties)


def _page_of(request: HttpRequest, feature: Feature) -> list[Link]:
    return [link("related", request.build_absolute_uri(feature.page), HTML, _("本站的页面"))] if feature.page else []


def _geojson(feature: Feature, into: crs.Crs) -> dict[str, Any]:
    return {"type": "Feature", "id": feature.id, "geometry": crs.geometry(feature.geometry, into), "properties": feature.properties}


@public
def items(request: HttpRequest, name: str) -> HttpResponse:
    """One page of a collection's features."""
    one = _collection(name)
    given = parameters.said(request, (*parameters.FEATURES, *one.filters))
    asked = parameters.asked(one, given)
    found = one.source.page(asked)
    shown = links.of_items(request, one.id, given, after=found.after, before=found.before)
    headers = {"Content-Crs": f"<{asked.into.uri}>"}
    if form_of(request) == "html":
        return as_page(request, "ogc/items.html", {
            "collection": one, "links": shown, "heading": title(), "found": found, "given": given,
            "rows": [(feature, [(field, feature.properties[field.name]) for field in one.properties[1:]]) for feature in found.features],
            "onward": {said["rel"]: said["href"] for said in shown}}, headers=headers)
    content: dict[str, Any] = {
        "type": "FeatureCollection", "timeStamp": now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberReturned": len(found.features), "links": shown,
    }
    if found.matched is not None:
        content["numberMatched"] = found.matched
    content["features"] = [_geojson(feature, asked.into) for feature in found.features]
    return as_json(request, content, media=GEOJSON, links=shown, headers=headers)


@public
def item(request: HttpRequest, name: str, feature_id: str) -> HttpResponse:
    """One feature."""
    one = _collection(name)
    given = parameters.said(request, ("crs", "f"))
    into = crs.named(given["crs"], "crs") if "crs" in given else crs.CRS84
    feature = one.source.one(feature_id) if "\x00" not in feature_id else None
    if feature is None:
        raise Http404
    shown = [*links.own(request, "item", one.id, feature.id, media=GEOJSON, query=given),
             link("collection", address(request, "collection", one.id, f="json"), JSON, _("所属图层")), *_page_of(request, feature)]
    headers = {"Content-Crs": f"<{into.uri}>"}
    if form_of(request) == "html":
        return as_page(request, "ogc/item.html", {
            "collection": one, "feature": feature, "links": shown, "heading": title(), "geometry": crs.geometry(feature.geometry, into),
            "rows": [(field, feature.properties[field.name]) for field in one.properties]}, headers=headers)
    return as_json(request, {**_geojson(feature, into), "links": shown}, media=GEOJSON, links=shown, headers=headers)


@public
def nothing(_request: HttpRequest, rest: str) -> HttpResponse:
    """Any other address below."""
    raise Http404


