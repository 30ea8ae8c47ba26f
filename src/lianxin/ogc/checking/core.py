"""Part 1, requirements classes "Core", "GeoJSON", "HTML" and "OpenAPI 3.0"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import shape

from . import shapes
from .runner import check
from .site import GEOJSON, HTML, JSON, Site, linked, need, with_query

CRS84 = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "http://www.opengis.net/def/crs/OGC/0/CRS84h")
P1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def both(content: dict[str, Any], where: str) -> None:
    """A link to itself and to its other forms."""
    need(len(linked(content, "self")) == 1, f"{where}: no self link")
    need(linked(content, "alternate"), f"{where}: no alternate link")


def filled(site: Site) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Collections that hold something, with all their features."""
    for one in site.collections:
        if features := site.features(one["id"]):
            yield one["id"], features


@check("/conf/core/http")
def http(site: Site) -> None:
    need(site.fetch("HEAD", site.root, {}).status == 200, "HEAD of the landing page")
    need(site.fetch("HEAD", site.root, {}).body == b"", "HEAD has a body")
    need(site.fetch("POST", site.at("collections"), {}).status == 405, "POST is not refused with 405")


@check("/conf/core/crs84")
def crs84(site: Site) -> None:
    for name, features in filled(site):
        for one in features:
            if one["geometry"]:
                west, south, east, north = shape(one["geometry"]).bounds
                need(-180 <= west <= east <= 180 and -90 <= south <= north <= 90, f"{name} {one['id']}: not WGS 84 longitude/latitude")


@check("/conf/core/root-op, root-success")
def root(site: Site) -> None:
    shapes.fits(site.landing, shapes.LANDING, "landing page")
    both(site.landing, "landing page")
    need(linked(site.landing, "service-desc") or linked(site.landing, "service-doc"), "no service-desc or service-doc")
    for relation in ("conformance", "data"):
        for one in linked(site.landing, relation) or [{}]:
            need(one, f"no {relation} link")
            site.get(one["href"])


@check("/conf/core/api-definition-op, api-definition-success")
def api_definition(site: Site) -> None:
    for relation in ("service-desc", "service-doc"):
        for one in linked(site.landing, relation):
            reply = site.get(one["href"], accept=one["type"])
            need(reply.media == one["type"].partition(";")[0], f"{relation}: {reply.media} instead of {one['type']}")


@check("/conf/core/conformance-op, conformance-success")
def conformance(site: Site) -> None:
    shapes.fits(site.get(site.at("conformance")).json(), shapes.CONFORMANCE, "conformance")
    need(f"{P1}/conf/core" in site.conformance, "Core is not declared")


@check("/conf/core/fc-md-op, fc-md-success, fc-md-links, fc-md-items, fc-md-items-links")
def collections(site: Site) -> None:
    content = site.get(site.at("collections")).json()
    shapes.fits(content, shapes.COLLECTIONS, "collections")
    both(content, "collections")
    need(site.collections, "no collection")
    for one in site.collections:
        media = {link["type"] for link in linked(one, "items")}
        need(GEOJSON in media, f"{one['id']}: no items link for GeoJSON")
        need(HTML in media or f"{P1}/conf/html" not in site.conformance, f"{one['id']}: no items link for HTML")


@check("/conf/core/fc-md-extent")
def extent(site: Site) -> None:
    for one in site.collections:
        boxes = one.get("extent", {}).get("spatial", {}).get("bbox")
        if boxes:
            west, south, east, north = boxes[0]
            bounds = shapely.box(west, south, east, north).buffer(1e-5)
            for feature in site.features(one["id"]):
                inside = not feature["geometry"] or bounds.covers(shape(feature["geometry"]))
                need(inside, f"{one['id']} {feature['id']}: outside the extent")


@check("/conf/core/sfc-md-op, sfc-md-success")
def collection(site: Site) -> None:
    for one in site.collections:
        alone = site.get(site.at(f"collections/{one['id']}")).json()
        shapes.fits(alone, shapes.COLLECTION, one["id"])
        need(alone == one, f"{one['id']}: other content than in the list")
    need(site.get(site.at("collections/no-such-collection"), status=None).status == 404, "an unknown collection is not 404")


@check("/conf/core/fc-op, fc-response, fc-links")
def features(site: Site) -> None:
    for one in site.collections:
        reply = site.get(site.items(one["id"]))
        content = reply.json()
        shapes.fits(content, shapes.FEATURES, one["id"])
        both(content, one["id"])
        for link in (*linked(content, "self"), *linked(content, "alternate")):
            site.get(link["href"], accept=link["type"])


@check("/conf/core/fc-limit-definition, fc-limit-response; next and prev links")
def limit(site: Site) -> None:
    for name, features in filled(site):
        size = max(len(features) // 3, 1)
        whole = [one["id"] for one in features]
        if size < len(features) <= 40 * size:
            pages = list(site.pages(site.items(name, limit=str(size))))
            need(all(len(page["features"]) <= size for page in pages), f"{name}: more than limit={size}")
            walked = [one["id"] for page in pages for one in page["features"]]
            need(walked == whole, f"{name}: page by page other features than at once")
            need(len(set(walked)) == len(walked), f"{name}: a feature comes twice")
            back = linked(pages[-1], "prev")
            if back:
                before, last_but_one = site.get(back[0]["href"]).json()["features"], pages[-2]["features"]
                need([one["id"] for one in before] == [one["id"] for one in last_but_one], f"{name}: prev leads elsewhere")
        for wrong in ("0", "-1", "a", "1.5"):
            need(site.get(site.items(name, limit=wrong), status=None).status == 400, f"{name}: limit={wrong} is not refused")
        need(site.get(site.items(name, limit="1000000"), status=None).status == 200, f"{name}: a limit beyond the maximum is refused")


@check("/conf/core/fc-bbox-definition, fc-bbox-response")
def bbox(site: Site) -> None:
    for name, features in filled(site):
        drawn = [shape(one["geometry"]) for one in features if one["geometry"]]
        if not drawn:
            continue
        west, south, east, north = shapely.total_bounds(drawn)
        for box in ((west, south, (west + east) / 2, (south + north) / 2), (west, south, east, north), (-30.0, -30.0, -29.0, -29.0)):
            area = shapely.box(*box)
            expected = [one["id"] for one in features if not one["geometry"] or shape(one["geometry"]).intersects(area)]
            asked = ",".join(repr(float(number)) for number in box)
            need([one["id"] for one in site.features(name, bbox=asked)] == expected, f"{name}: bbox={asked}: other features")
            six = ",".join(map(repr, (*map(float, box[:2]), 0.0, *map(float, box[2:]), 100.0)))
            need([one["id"] for one in site.features(name, bbox=six)] == expected, f"{name}: bbox={six}: other features")
        # From east of the data over the antimeridian to the west of it: nothing but what has no place.
        around = f"{float(east) + 1!r},-80,{float(west) - 1!r},80"
        need([one["id"] for one in site.features(name, bbox=around)] == [one["id"] for one in features if not one["geometry"]],
             f"{name}: bbox={around} over the antimeridian")
        over = f"{float(west) - 1!r},-80,-179,80"
        need(len(site.features(name, bbox=over)) == len(features), f"{name}: bbox={over} over the antimeridian")
        for wrong in ("1,2,3", "1,2,3,4,5", "a,2,3,4", "1,4,3,2", "", "1,2,3,91", "nan,1,2,3"):
            need(site.get(site.items(name, bbox=wrong), status=None).status == 400, f"{name}: bbox={wrong} is not refused")


def _times(features: list[dict[str, Any]]) -> list[datetime]:
    """The property that `datetime` is about: the first date-time that each feature has."""
    found = []
    for one in features:
        said = next((value for value in one["properties"].values() if isinstance(value, str) and MOMENT.fullmatch(value)), None)
        if said is None:
            return []
        found.append(datetime.fromisoformat(said.replace("Z", "+00:00")).astimezone(UTC))
    return found


@check("/conf/core/fc-time-definition, fc-time-response")
def time(site: Site) -> None:
    for name, features in filled(site):
        times = _times(features)
        if not times:
            timeless = site.features(name, datetime="2018-02-12T23:20:50Z")
            need(len(timeless) == len(features), f"{name}: datetime leaves out what has no time")
            continue
        middle = sorted(times)[len(times) // 2]
        said = middle.isoformat().replace("+00:00", "Z")
        far = (middle + timedelta(days=40_000)).isoformat().replace("+00:00", "Z")
        for asked, fits in (
            (said, [at == middle for at in times]), (f"../{said}", [at <= middle for at in times]),
            (f"/{said}", [at <= middle for at in times]), (f"{said}/..", [at >= middle for at in times]),
            (f"{said}/", [at >= middle for at in times]), (f"{said}/{far}", [at >= middle for at in times]),
        ):
            expected = [one["id"] for one, fit in zip(features, fits, strict=True) if fit]
            need([one["id"] for one in site.features(name, datetime=asked)] == expected, f"{name}: datetime={asked}: other features")
        for wrong in ("yesterday", "2018-02-30T00:00:00Z", f"{far}/{said}", "../..", "", "2018-02-12T23:20:50"):
            need(site.get(site.items(name, datetime=wrong), status=None).status == 400, f"{name}: datetime={wrong} is not refused")


@check("/conf/core/fc-timeStamp, fc-numberMatched, fc-numberReturned")
def numbers(site: Site) -> None:
    for one in site.collections:
        pages = list(site.pages(site.items(one["id"], limit="1000")))
        count = sum(len(page["features"]) for page in pages)
        for page in pages:
            need(MOMENT.fullmatch(page.get("timeStamp", "")), f"{one['id']}: timeStamp")
            need(page.get("numberReturned", len(page["features"])) == len(page["features"]), f"{one['id']}: numberReturned")
            need(page.get("numberMatched", count) == count, f"{one['id']}: numberMatched is {page.get('numberMatched')}, found {count}")


@check("/conf/core/f-op, f-success, f-links")
def feature(site: Site) -> None:
    for name, features in filled(site):
        for listed in (features[0], features[-1]):
            alone = site.get(f"{site.items(name)}/{listed['id']}").json()
            shapes.fits(alone, shapes.FEATURE, name)
            both(alone, name)
            need(linked(alone, "collection"), f"{name}: no collection link")
            need(all(alone[key] == listed[key] for key in ("id", "geometry", "properties")),
                 f"{name} {listed['id']}: alone another than in the list")
        need(site.get(f"{site.items(name)}/no-such-feature", status=None).status == 404, f"{name}: an unknown feature is not 404")


@check("/conf/core/query-param-unknown, query-param-invalid")
def parameters(site: Site) -> None:
    name = site.collections[0]["id"]
    for url in (site.root, site.at("conformance"), site.at("collections"), site.at(f"collections/{name}"), site.items(name)):
        reply = site.get(with_query(url, unknownQueryParameter="1"), status=400)
        shapes.fits(reply.json(), shapes.EXCEPTION, url)
        site.get(with_query(url, f="no-such-form"), status=400)


@check("/conf/geojson/definition, content")
def geojson(site: Site) -> None:
    for name, features in filled(site):
        for url in (site.items(name), f"{site.items(name)}/{features[0]['id']}"):
            need(site.get(url, accept=GEOJSON).media == GEOJSON, f"{url}: not {GEOJSON}")
    for url in (site.root, site.at("conformance"), site.at("collections")):
        need(site.get(url, accept=JSON).media == JSON, f"{url}: not {JSON}")


@check("/conf/html/definition, content")
def html(site: Site) -> None:
    for name, features in filled(site):
        for url in (site.root, site.at("conformance"), site.at("collections"), site.at(f"collections/{name}"), site.items(name),
                    f"{site.items(name)}/{features[0]['id']}"):
            content, page = site.get(url).json(), site.get(url, accept=HTML)
            need(page.media == HTML, f"{url}: not {HTML}")
            text = page.body.decode().replace("&amp;", "&")
            for one in content["links"]:
                if one["rel"] not in ("self", "alternate", "next", "prev"):
                    need(one["href"] in text, f"{url}: the page lacks the link {one['href']}")
    for name, features in filled(site):
        text = site.get(site.items(name), accept=HTML).body.decode()
        need(str(features[0]["id"]) in text, f"{name}: the page lacks the features")


OPENAPI = "application/vnd.oai.openapi+json;version=3.0"


@check("/conf/oas30/oas-definition-1, oas-definition-2")
def openapi(site: Site) -> None:
    said = linked(site.landing, "service-desc")
    need(said and said[0]["type"].replace(" ", "") == OPENAPI, f"service-desc is not {OPENAPI}")
    made = site.description
    need(re.fullmatch(r"3\.0\.\d+", made.get("openapi", "")), "openapi is not 3.0.x")
    need({"info", "paths"} <= made.keys() and {"title", "version"} <= made["info"].keys(), "info or paths are missing")
    text = json.dumps(made)
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', text)):
        at: Any = made
        for part in reference.removeprefix("#/").split("/"):
            need(isinstance(at, dict) and part in at, f"{reference} leads nowhere")
            at = at[part]
    for path, one in made["paths"].items():
        need(one["get"].get("responses"), f"{path}: no responses")
        declared = {each["name"] for each in one["get"].get("parameters", ()) if each.get("in") == "path"}
        need(set(re.findall(r"{(\w+)}", path)) == declared, f"{path}: path parameters are not declared")


@check("/conf/oas30/oas-impl, completeness, exceptions-codes, security")
def described(site: Site) -> None:
    paths = site.description["paths"]
    wanted = ["/", "/conformance", "/collections"] + [f"/collections/{one['id']}/items" for one in site.collections]
    for path in wanted:
        need(path in paths, f"{path} is not described")
        need({"200", "400"} <= paths[path]["get"]["responses"].keys(), f"{path}: its answers are not described")
        site.get(site.at(path.lstrip("/")))
    held = site.description.get("components", {}).get("parameters", {})
    for one in site.collections:
        said = paths[f"/collections/{one['id']}/items"]["get"]["parameters"]
        named = {held[each["$ref"].rsplit("/", 1)[-1]]["name"] if "$ref" in each else each["name"] for each in said}
        need({"limit", "bbox", "datetime"} <= named, f"{one['id']}: limit, bbox or datetime is not described")
    if not site.description.get("security"):
        need(site.get(site.root).status == 200, "needs a key that is not described")


