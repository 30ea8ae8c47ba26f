"""The API described as OpenAPI 3.0: made from the collections, so that what is described is what is there."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _

from . import crs
from .answers import GEOJSON, HTML, JSON, OPENAPI
from .catalogue import COLLECTIONS, CONFORMANCE
from .parameters import FORMATS
from .sources import DEFAULT, MOST, Collection, Property

Schema = dict[str, Any]
_TEXT: Final[Schema] = {"type": "string"}
_PAGE: Final[Schema] = {HTML: {"schema": _TEXT}}
_FAULTS: Final = {"400": "Invalid", "404": "NotFound", "406": "NotAcceptable", "500": "ServerError"}


def _object(required: tuple[str, ...], **properties: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": properties}
    return made | {"required": list(required)} if required else made


def _list(of: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": of, **more}


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _geometry(kind: str) -> Schema:
    depth = {"Point": 0, "MultiPolygon": 3}[kind]
    coordinates: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
    for _level in range(depth):
        coordinates = _list(coordinates)
    return _object(("type", "coordinates"), type={"type": "string", "enum": [kind]}, coordinates=coordinates) | {"nullable": True}


def _schemas() -> Schema:
    """The shapes of the standard (`landingPage.yaml` and its neighbours), and of our own features."""
    made = {
        "link": _object(("href", "rel", "type"), href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, hreflang=_TEXT),
        "exception": _object(("code",), code=_TEXT, description=_TEXT),
        "landingPage": _object(("links",), title=_TEXT, description=_TEXT, links=_list(_ref("schemas", "link"))),
        "confClasses": _object(("conformsTo",), conformsTo=_list({"type": "string", "enum": list(CONFORMANCE)}),
                               links=_list(_ref("schemas", "link"))),
        "extent": _object(
            (), spatial=_object((), bbox=_list(_list({"type": "number"}, minItems=4, maxItems=6), minItems=1),
                                crs={"type": "string", "enum": [crs.CRS84.uri, crs.CRS84H]}),
            temporal=_object((), interval=_list(_list({"type": "string", "format": "date-time", "nullable": True}, minItems=2, maxItems=2),
                                                minItems=1), trs=_TEXT)),
        "collection": _object(
            ("id", "links"), id={"type": "string", "enum": list(COLLECTIONS)}, title=_TEXT, description=_TEXT,
            links=_list(_ref("schemas", "link")), extent=_ref("schemas", "extent"), itemType={"type": "string", "enum": ["feature"]},
            crs=_list(_TEXT), storageCrs=_TEXT),
        "collections": _object(("links", "collections"), links=_list(_ref("schemas", "link")),
                               collections=_list(_ref("schemas", "collection"))),
    }
    for one in COLLECTIONS.values():
        feature = _object(
            ("type", "id", "geometry", "properties"), type={"type": "string", "enum": ["Feature"]}, id=_TEXT,
            geometry=_geometry(one.geometry),
            properties=_object((), **{field.name: field.schema() | {"title": str(field.title)} for field in one.properties}),
            links=_list(_ref("schemas", "link")))
        made[f"{one.id}-feature"] = feature
        made[f"{one.id}-features"] = _object(
            ("type", "features"), type={"type": "string", "enum": ["FeatureCollection"]},
            timeStamp={"type": "string", "format": "date-time"}, numberMatched={"type": "integer", "minimum": 0},
            numberReturned={"type": "integer", "minimum": 0}, links=_list(_ref("schemas", "link")),
            features=_list(_ref("schemas", f"{one.id}-feature"), maxItems=MOST))
    return made


def _query(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, "style": "form", "explode": False}


def _parameters() -> Schema:
    systems = list(crs.OFFERED)
    return {
        "f": _query("f", _("要哪一种形式；不写时看 Accept。"), {"type": "string", "enum": list(FORMATS)}),
        "bbox": _query("bbox", _("只要与这个框相交的：西、南、东、北，带高程时六个数；没有位置的总在内。西大于东表示跨过 180° 经线。"),
                       {"type": "array", "items": {"type": "number"},
                        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]}),
        "bbox-crs": _query("bbox-crs", _("框用的坐标系。"),
                           {"type": "string", "format": "uri", "enum": [*systems, crs.CRS84H], "default": crs.CRS84.uri}),
        "crs": _query("crs", _("答复里用的坐标系。"), {"type": "string", "format": "uri", "enum": systems, "default": crs.CRS84.uri}),
        "datetime": _query(
            "datetime", _("只要这个时间里的：RFC 3339 的一个时间，或两个中间加 /，一头可以是 ..；没有时间的总在内。"), _TEXT),
        "limit": _query("limit", _("最多要几个；超过上限按上限给。"),
                        {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}),
        "after": _query("after", _("照 next 链接里的。"), _TEXT),
        "before": _query("before", _("照 prev 链接里的。"), _TEXT),
    }


def _responses(schema: str, *, media: str = JSON, missing: bool = False, filtered: bool = False) -> Schema:
    content = {media: {"schema": _ref("schemas", schema) if schema else {"type": "object"}}, **_PAGE}
    made: Schema = {"200": {"description": "OK", "content": content}}
    if filtered:
        made["200"]["headers"] = {"Content-Crs": {"schema": _TEXT}}
    return made | {code: _ref("responses", name) for code, name in _FAULTS.items() if missing or code != "404"}


def _get(summary: str, operation: str, tag: str, parameters: list[Schema], responses: Schema) -> Schema:
    return {"get": {"summary": summary, "operationId": operation, "tags": [tag], "parameters": parameters, "responses": responses}}


def _filter(field: Property) -> Schema:
    return _query(field.name, str(field.title), field.schema(null=False) | ({"maxLength": 60} if field.kind == "string" else {}))


def _features(one: Collection) -> Schema:
    common = [_ref("parameters", name) for name in ("bbox", "bbox-crs", "crs", "datetime", "limit", "after", "before", "f")]
    base = f"/collections/{one.id}/items"
    feature = {"name": "featureId", "in": "path", "required": True, "description": _("要素的标识"), "schema": _TEXT}
    return {
        base: _get(str(one.title), f"{one.id}.items", one.id, [*common, *(_filter(field) for field in one.filters.values())],
                   _responses(f"{one.id}-features", media=GEOJSON, filtered=True)),
        f"{base}/{{featureId}}": _get(
            _("%(title)s中的一个") % {"title": one.title}, f"{one.id}.item", one.id,
            [feature, _ref("parameters", "crs"), _ref("parameters", "f")],
            _responses(f"{one.id}-feature", media=GEOJSON, missing=True, filtered=True)),
    }


def document(server: str, title: str) -> Schema:
    """The whole description; `server` is the address of this face, without a slash at its end."""
    f = [_ref("parameters", "f")]
    which = {"name": "collectionId", "in": "path", "required": True, "description": _("图层的标识"),
             "schema": {"type": "string", "enum": list(COLLECTIONS)}}
    paths: Schema = {
        "/": _get(_("起点"), "landing", "capabilities", f, _responses("landingPage")),
        "/conformance": _get(_("符合哪些标准"), "conformance", "capabilities", f, _responses("confClasses")),
        "/api": _get(_("接口说明"), "api", "capabilities", f, _responses("", media=OPENAPI)),
        "/collections": _get(_("图层"), "collections", "capabilities", f, _responses("collections")),
        "/collections/{collectionId}": _get(
            _("一个图层"), "collection", "capabilities", [which, *f], _responses("collection", missing=True)),
    }
    for one in COLLECTIONS.values():
        paths |= _features(one)
    fault = {"content": {JSON: {"schema": _ref("schemas", "exception")}, **_PAGE}}
    said = {"Invalid": _("参数不对"), "NotFound": _("没有这个资源"), "NotAcceptable": _("没有这种形式"), "ServerError": _("系统出了问题")}
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1.0.0",
                 "description": _("区域、地点和公开的事，按 OGC API – Features 提供，QGIS 等地图软件可以直接打开。")},
        "servers": [{"url": server}],
        "tags": [{"name": "capabilities"}, *({"name": one.id, "description": str(one.title)} for one in COLLECTIONS.values())],
        "paths": paths,
        "components": {
            "schemas": _schemas(), "parameters": _parameters(),
            "responses": {name: {"description": said[name], **fault} for name in _FAULTS.values()},
        },
    }
