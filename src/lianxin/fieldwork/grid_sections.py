"""Sections of the place: the grids of a worker with their borders, and what is in them. Small enough for a telephone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lianxin.cases.reference import reference
from lianxin.places import maps
from lianxin.places.locate import index, locate
from lianxin.places.models import Area, AreaLevel, Site

from .registry import Worker, section

MOST_GRIDS = 200
MOST_PLACES = 500
KEPT = 256  # areas of workers: the same until the city or a grid changes
# Degrees; what may be lost at the scale of a telephone: about 5 m where a worker has few grids, 20 m where they have a town.
FINE, COARSE, FEW = 0.00005, 0.0002, 12


def _below(area_ids: tuple[int, ...], *levels: AreaLevel) -> list[int]:
    """Areas of some levels that are, or lie in, one of these."""
    own = set(area_ids)
    return [place.id for place in reference().places.values() if place.level in levels and not own.isdisjoint(place.lineage)]


@section("grids")
def grids(worker: Worker) -> dict[str, Any]:
    """GeoJSON of the worker's grids, of villages where they are not divided; derived borders are marked `synthetic`."""
    return _grids(worker.area_ids, _as_of())


@section("places")
def places(worker: Worker) -> list[dict[str, Any]]:
    """Sites and villages of the worker's grids: code, name, kind, position in WGS-84 degrees where it is known."""
    return _places(worker.area_ids, _as_of())


def _as_of() -> tuple[Any, ...]:
    """What the city's two pictures were made of: they are read anew some seconds apart."""
    return index().marker, reference().marker


def forget() -> None:
    """Drop what was made: between tests."""
    _grids.cache_clear()
    _places.cache_clear()


@lru_cache(maxsize=KEPT)
def _grids(area_ids: tuple[int, ...], _marker: tuple[Any, ...]) -> dict[str, Any]:
    within = _below(area_ids, AreaLevel.VILLAGE, AreaLevel.GRID)
    divided = Area.objects.filter(level=AreaLevel.GRID, active=True, parent__in=within).values("parent_id")
    found = list(Area.objects.filter(pk__in=within, active=True, boundary__isnull=False).exclude(pk__in=divided)
                 .order_by("code")[:MOST_GRIDS])
    return maps.collection(found, FINE if len(found) <= FEW else COARSE)


@lru_cache(maxsize=KEPT)
def _places(area_ids: tuple[int, ...], _marker: tuple[Any, ...]) -> list[dict[str, Any]]:
    known = reference().places
    own = set(area_ids)

    def mine(area_id: int | None) -> bool:
        return area_id in known and not own.isdisjoint(known[area_id].lineage)

    around = {pk for area in own if area in known for pk in known[area].lineage}
    within = _below(area_ids, AreaLevel.TOWN, AreaLevel.VILLAGE, AreaLevel.GRID)
    villages = [
        {"code": area.code, "name": area.short_name or area.name, "kind": "village", "lon": area.lon, "lat": area.lat}
        for area in Area.objects.filter(active=True, level=AreaLevel.VILLAGE, pk__in=around.union(within)).order_by("code")]
    sites = []
    for site in Site.objects.filter(active=True, area__in=around.union(within)).order_by("code"):
        at = locate(site.lon, site.lat).area_id if site.lon is not None and site.lat is not None else site.area_id
        if mine(at) or mine(site.area_id):
            sites.append({"code": site.code, "name": site.name, "kind": site.kind, "lon": site.lon, "lat": site.lat})
    return [*villages, *sites][:MOST_PLACES]
