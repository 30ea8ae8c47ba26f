"""Lines and areas that somebody drew on a map or typed: GeoJSON, or plain coordinates, in the coordinate system that is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lianxin.kernel.coordinates import CoordinateSystem, to_wgs84
from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text

from .tiling import snapped

LONGEST = 2_000_000  # characters
CORNERS = 20_000
_PAIR = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One grid as drawn: `code` is empty for a new one."""

    code: str
    name: str
    polygon: BaseGeometry


def _fault(field: str, words: str) -> Invalid:
    return Invalid(words, fields={field: words})


def _moved(geometry: BaseGeometry, system: CoordinateSystem, field: str) -> BaseGeometry:
    """The geometry in WGS-84. Raises Invalid for what lies off the earth."""
    def each(points: Any) -> Any:
        return numpy.array([to_wgs84(float(x), float(y), system) for x, y in points]).reshape(-1, 2)

    try:
        return shapely.transform(shapely.force_2d(geometry), each)
    except ValueError:
        raise _fault(field, _("坐标超出范围。经度在前，纬度在后，单位是度。")) from None


def line_of(text: str, system: CoordinateSystem = CoordinateSystem.WGS84) -> BaseGeometry:
    """A line from a GeoJSON LineString (or a feature of one), or from `lon,lat` on lines of their own, or parted by semicolons.
    Raises Invalid with what is wrong with the field `line`."""
    said = text.strip()
    if not said:
        raise _fault("line", _("请在图上画线，或者写出线上的点。"))
    if len(said) > LONGEST:
        raise _fault("line", _("太长了。"))
    if said.startswith("{"):
        geometry = _geometry(_json(said, "line"), "line")
        if geometry.geom_type != "LineString":
            raise _fault("line", _("这里要一条线（LineString），不是 %s。") % geometry.geom_type)
        return _moved(geometry, system, "line")
    points = []
    for number, part in enumerate(filter(None, (part.strip() for part in re.split(r"[\n;；]", said))), start=1):
        match = _PAIR.fullmatch(part)
        if match is None:
            raise _fault("line", _("第 %(n)d 点“%(text)s”看不懂：每点写成“经度,纬度”，例如 113.1,29.37。")
                         % {"n": number, "text": clean_text(part, max_length=40, multiline=False)})
        points.append((float(match[1]), float(match[2])))
    if not 2 <= len(points) <= CORNERS:
        raise _fault("line", _("一条线至少要两个点。"))
    return _moved(shapely.LineString(points), system, "line")


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise _fault(field, _("不是完整的 GeoJSON：第 %d 行有错。") % line) from None


def _geometry(value: Any, field: str) -> BaseGeometry:
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = value.get("geometry")
    try:
        geometry = shape(value)
        if geometry.is_empty:
            raise ValueError
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise _fault(field, _("有一处图形不是合格的 GeoJSON。")) from None
    if int(shapely.get_num_coordinates(geometry)) > CORNERS:
        raise _fault(field, _("图形的点太多，最多 %d 个。") % CORNERS)
    return geometry


def features_of(value: str | dict[str, Any], system: CoordinateSystem = CoordinateSystem.WGS84) -> list[Drawn]:
    """Grids from a GeoJSON FeatureCollection: polygons with `code` (none for a new grid) and `name` among their properties.
    Raises Invalid with what is wrong with the field `features`."""
    if isinstance(value, str) and len(value) > LONGEST:
        raise _fault("features", _("太长了。"))
    found = _json(value, "features") if isinstance(value, str) else value
    listed = found.get("features") if isinstance(found, dict) and found.get("type") == "FeatureCollection" else None
    if not isinstance(listed, list) or not listed:
        raise _fault("features", _("要一个 GeoJSON FeatureCollection，里面至少有一个网格。"))
    return list(_drawn(listed, system))


def _drawn(listed: list[Any], system: CoordinateSystem) -> Iterator[Drawn]:
    corners = 0
    for number, feature in enumerate(listed, start=1):
        if not isinstance(feature, dict):
            raise _fault("features", _("第 %d 个图形不是 GeoJSON Feature。") % number)
        properties = feature.get("properties")
        said = properties if isinstance(properties, dict) else {}
        name = clean_text(str(said.get("name") or ""), max_length=81, multiline=False)
        geometry = _geometry(feature, "features")
        if geometry.geom_type not in ("Polygon", "MultiPolygon"):
            raise _fault("features", _("第 %(n)d 个图形要是面（Polygon），不是 %(kind)s。") % {"n": number, "kind": geometry.geom_type})
        corners += int(shapely.get_num_coordinates(geometry))
        if corners > CORNERS:
            raise _fault("features", _("图形的点太多，最多 %d 个。") % CORNERS)
        polygon = _moved(geometry, system, "features")
        if not polygon.is_valid:
            raise _fault("features", _("“%(name)s”的边界自己交叉了：%(why)s。") % {
                "name": name or number, "why": shapely.is_valid_reason(polygon)})
        polygon = snapped(polygon)
        if polygon.is_empty:
            raise _fault("features", _("“%s”太小了。") % (name or number))
        yield Drawn(clean_text(str(said.get("code") or ""), max_length=24, multiline=False), name, polygon)
