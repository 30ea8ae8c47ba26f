"""The schemas of the standard (schemas.opengis.net/ogcapi/features/part1/1.0/openapi/schemas), in JSON Schema's words."""

from __future__ import annotations

from typing import Any, Final

from jsonschema import Draft202012Validator

from .site import Failed

Schema = dict[str, Any]
LINK: Final[Schema] = {"type": "object", "required": ["href", "rel", "type"], "properties": {
    "href": {"type": "string", "minLength": 1}, "rel": {"type": "string"}, "type": {"type": "string"}, "hreflang": {"type": "string"},
    "title": {"type": "string"}, "length": {"type": "integer"}}}
LINKS: Final[Schema] = {"type": "array", "items": LINK}
LANDING: Final[Schema] = {"type": "object", "required": ["links"], "properties": {
    "title": {"type": "string"}, "description": {"type": "string"}, "links": LINKS}}
CONFORMANCE: Final[Schema] = {"type": "object", "required": ["conformsTo"], "properties": {
    "conformsTo": {"type": "array", "items": {"type": "string", "format": "uri"}, "minItems": 1}}}
EXTENT: Final[Schema] = {"type": "object", "properties": {
    "spatial": {"type": "object", "properties": {
        "bbox": {"type": "array", "minItems": 1, "items": {
            "type": "array", "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}], "items": {"type": "number"}}},
        "crs": {"type": "string"}}},
    "temporal": {"type": "object", "properties": {
        "interval": {"type": "array", "minItems": 1, "items": {
            "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["string", "null"]}}},
        "trs": {"type": "string"}}}}}
COLLECTION: Final[Schema] = {"type": "object", "required": ["id", "links"], "properties": {
    "id": {"type": "string"}, "title": {"type": "string"}, "description": {"type": "string"}, "links": LINKS, "extent": EXTENT,
    "itemType": {"type": "string"}, "crs": {"type": "array", "items": {"type": "string"}}, "storageCrs": {"type": "string"}}}
COLLECTIONS: Final[Schema] = {"type": "object", "required": ["links", "collections"], "properties": {
    "links": LINKS, "collections": {"type": "array", "items": COLLECTION}}}
EXCEPTION: Final[Schema] = {"type": "object", "required": ["code"], "properties": {
    "code": {"type": "string"}, "description": {"type": "string"}}}
GEOMETRY: Final[Schema] = {"oneOf": [{"type": "null"}, {"type": "object", "required": ["type", "coordinates"], "properties": {
    "type": {"enum": ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]},
    "coordinates": {"type": "array"}}}, {"type": "object", "required": ["type", "geometries"]}]}
FEATURE: Final[Schema] = {"type": "object", "required": ["type", "geometry", "properties"], "properties": {
    "type": {"const": "Feature"}, "id": {"type": ["string", "integer"]}, "geometry": GEOMETRY, "properties": {"type": ["object", "null"]},
    "links": LINKS}}
FEATURES: Final[Schema] = {"type": "object", "required": ["type", "features"], "properties": {
    "type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": FEATURE}, "links": LINKS,
    "timeStamp": {"type": "string"}, "numberMatched": {"type": "integer", "minimum": 0},
    "numberReturned": {"type": "integer", "minimum": 0}}}


def fits(content: Any, schema: Schema, where: str) -> None:
    """Raise Failed where the content is not of that shape."""
    for error in Draft202012Validator(schema).iter_errors(content):
        raise Failed(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message[:160]}")
