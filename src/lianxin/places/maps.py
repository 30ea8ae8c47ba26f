"""Areas as GeoJSON for maps: simplified along shared borders, small, cacheable, with the synthetic ones marked."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import shape

from . import locate
from .models import Area
from .tiling import areal, as_geojson

# Degrees; what may be lost at the scale a level is looked at: about 200 m, 80 m, 20 m.
_TOLERANCE = {"county": 0.002, "town": 0.0008, "village": 0.0002, "grid": 0.0}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, ready to send: GeoJSON as gzip, and its entity tag."""

    packed: bytes
    tag: str

    @property
    def text(self) -> bytes:
        return gzip.decompress(self.packed)


def simplified(shapes: list[Any], tolerance: float) -> list[Any]:
    """Shapes with fewer corners, neighbours still touching. Areas drawn badly are left as they are."""
    if not shapes or tolerance <= 0:
        return shapes
    if shapely.coverage_is_valid(shapes, gap_width=0):
        return list(shapely.coverage_simplify(shapes, tolerance))
    # Rounding left hairlines: on a coarser lattice neighbours share their corners again, as near as maps show.
    return [areal(shapely.simplify(part, tolerance / 2)) for part in shapes]


def features(level: str, parent: str | None = None) -> dict[str, Any]:
    """A FeatureCollection of one level, of the whole city or right under one area."""
    rows = Area.objects.filter(level=level, active=True, boundary__isnull=False).order_by("code")
    if parent is not None:
        rows = rows.filter(parent__code=parent)
    found = list(rows.values_list("code", "name", "short_name", "name_en", "county__code", "lon", "lat", "boundary",
                                  "synthetic", "overlay"))
    shapes = simplified([shape(row[7]) for row in found], _TOLERANCE[level])
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": code, "name": short or name, "name_en": name_en, "level": level,
                               "county": county or "", "lon": lon, "lat": lat, "synthetic": synthetic, "overlay": overlay},
                "geometry": _rounded(as_geojson(part)),
            }
            for (code, name, short, name_en, county, lon, lat, _boundary, synthetic, overlay), part
            in zip(found, shapes, strict=True)
        ],
    }


def collection(areas: Iterable[Area], tolerance: float) -> dict[str, Any]:
    """A FeatureCollection of some areas with their names, simplified by so many degrees, neighbours still touching."""
    found = [area for area in areas if area.boundary is not None]
    shapes = simplified([shape(area.boundary) for area in found], tolerance)
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": _rounded(as_geojson(part)),
             "properties": {"code": area.code, "name": area.short_name or area.name, "level": area.level, "lon": area.lon,
                            "lat": area.lat, "synthetic": area.synthetic}}
            for area, part in zip(found, shapes, strict=True)
        ],
    }


def _rounded(geometry: dict[str, Any]) -> dict[str, Any]:
    """Five decimals, about a metre: a map shows no more."""
    def shorter(value: Any) -> Any:
        return round(value, 5) if isinstance(value, float) else [shorter(part) for part in value]

    return {"type": geometry["type"], "coordinates": shorter(geometry["coordinates"])}


_lock = threading.Lock()
_held: dict[tuple[str, str | None], Layer] = {}
_marker: tuple[Any, ...] | None = None
_MOST = 200


def layer(level: str, parent: str | None = None) -> Layer:
    """The layer as sent, made once for every load of the city."""
    global _marker
    marker = locate.index().marker
    with _lock:
        if marker != _marker or len(_held) > _MOST:
            _held.clear()
            _marker = marker
        held = _held.get((level, parent))
        if held is None:
            text = json.dumps(features(level, parent), ensure_ascii=False, separators=(",", ":")).encode()
            held = Layer(gzip.compress(text, 9, mtime=0), f'"{hashlib.sha256(text).hexdigest()[:20]}"')
            _held[(level, parent)] = held
        return held


def forget() -> None:
    """Drop the layers: after a load in this process, and between tests."""
    global _marker
    with _lock:
        _held.clear()
        _marker = None
