"""Part 2, requirements class "Coordinate Reference Systems by Reference"."""

from __future__ import annotations

import re
from math import log, pi, radians, tan
from typing import Any

import shapely
from shapely.geometry import shape

from .core import CRS84, filled
from .runner import check
from .site import Site, need

KNOWN = re.compile(r"http://www\.opengis\.net/def/crs/[A-Za-z0-9]+/[0-9.]+/[A-Za-z0-9]+")
MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
TURNED = ("http://www.opengis.net/def/crs/EPSG/0/4326", "http://www.opengis.net/def/crs/EPSG/0/4490")


def offered(site: Site, name: str) -> list[str]:
    (one,) = (each for each in site.collections if each["id"] == name)
    return list(one.get("crs", ()))


def moved(point: tuple[float, float], into: str) -> tuple[float, float]:
    """A position in one of the systems that can be judged here, computed from its definition."""
    lon, lat = point
    if into == MERCATOR:
        return 6_378_137.0 * radians(lon), 6_378_137.0 * log(tan(pi / 4 + radians(lat) / 2))
    return (lat, lon) if into in TURNED else point


def corner(geometry: dict[str, Any]) -> tuple[float, float]:
    """The first position of a geometry."""
    at = geometry["coordinates"]
    while isinstance(at[0], list):
        at = at[0]
    return at[0], at[1]


@check("/conf/crs/crs-uri, fc-md-crs-list, storageCrs")
def listed(site: Site) -> None:
    for one in site.collections:
        need(one.get("crs"), f"{one['id']}: no crs")
        need(one["crs"][0] in CRS84 or any(uri in CRS84 for uri in one["crs"]), f"{one['id']}: not the default system")
        need(all(KNOWN.fullmatch(uri) for uri in one["crs"]), f"{one['id']}: a system is not named by its address")
        need(one.get("storageCrs") in one["crs"], f"{one['id']}: storageCrs is not one that is offered")


@check("/conf/crs/default-crs, crs-parameter-default")
def default(site: Site) -> None:
    for name, features in filled(site):
        for url in (site.items(name), f"{site.items(name)}/{features[0]['id']}"):
            header = site.get(url).headers.get("content-crs", "")
            need(header.strip("<>") in CRS84 and header.startswith("<"), f"{url}: Content-Crs is {header!r}")


@check("/conf/crs/crs-parameter, crs-parameter-transform")
def parameter(site: Site) -> None:
    for name, features in filled(site):
        known = {one["id"]: one["geometry"] for one in features}
        for uri in offered(site, name):
            reply = site.get(site.items(name, crs=uri, limit="10"))
            need(reply.headers.get("content-crs") == f"<{uri}>", f"{name}: Content-Crs is not <{uri}>")
            for one in reply.json()["features"]:
                if one["geometry"]:
                    x, y = moved(corner(known[one["id"]]), uri)
                    near_x, near_y = corner(one["geometry"])
                    within = 0.02 if uri == MERCATOR else 1e-6
                    need(abs(x - near_x) <= within and abs(y - near_y) <= within, f"{name} {one['id']}: elsewhere in {uri}")
            alone = site.get(f"{site.items(name)}/{features[0]['id']}?crs={uri}")
            need(alone.headers.get("content-crs") == f"<{uri}>", f"{name}: a feature's Content-Crs is not <{uri}>")


@check("/conf/crs/crs-parameter-invalid, bbox-crs-parameter-invalid")
def invalid(site: Site) -> None:
    wrong = "http://www.opengis.net/def/crs/EPSG/0/0"
    for one in site.collections:
        need(site.get(site.items(one["id"], crs=wrong), status=None).status == 400, f"{one['id']}: crs={wrong} is not refused")
        need(site.get(site.items(one["id"], **{"bbox": "1,1,2,2", "bbox-crs": wrong}), status=None).status == 400,
             f"{one['id']}: bbox-crs={wrong} is not refused")


@check("/conf/crs/bbox-crs-parameter, bbox-crs-parameter-default")
def bbox(site: Site) -> None:
    for name, features in filled(site):
        drawn = [shape(one["geometry"]) for one in features if one["geometry"]]
        if not drawn:
            continue
        west, south, east, north = (float(number) for number in shapely.total_bounds(drawn))
        plain = (west, south, (west + east) / 2, (south + north) / 2)
        expected = [one["id"] for one in site.features(name, bbox=",".join(map(repr, plain)))]
        for uri in offered(site, name):
            box = (*moved(plain[:2], uri), *moved(plain[2:], uri))
            found = site.features(name, **{"bbox": ",".join(map(repr, box)), "bbox-crs": uri})
            need([one["id"] for one in found] == expected, f"{name}: another result by bbox-crs={uri}")
