"""The city's own tables as the API gives them: categories, areas, units, lists to choose from, the catalogue's answer."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import ConfigDict, Field, StringConstraints

from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import CoordinateSystem, to_wgs84
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.places.locate import locate
from lianxin.places.queries import children

from . import shapes
from .choices import SystemName
from .queries import open_units, phrases
from .register import Code, moment
from .service import ApiRequest, answer, api
from .shapes import Named
from .tokens import READ


class GrantOut(Schema):
    role: str
    unit: Named


class Me(Schema):
    """Who the token is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": "city app", "name": "王芳", "scopes": ["read"]}]})

    token: str
    name: str
    unit: Named | None
    grants: list[GrantOut]
    scopes: list[str]
    expires_at: datetime | None


@api.get("/me", response=Me, operation_id="read_me", summary="我是谁 who the token is", tags=["city"])
def me(request: ApiRequest) -> HttpResponse:
    """The person and unit the token acts as, its roles and scopes. Needs no scope."""
    caller, units = request.auth, reference().units
    unit_id = caller.actor.unit_id
    return answer({
        "token": caller.title, "name": caller.actor.name,
        "unit": shapes.named(units.get(unit_id)) if unit_id is not None else None,
        "grants": [{"role": g.role.value, "unit": shapes.named(units.get(g.unit_id))} for g in caller.actor.grants],
        "scopes": sorted(caller.scopes), "expires_at": moment(caller.expires_at),
    })


class CategoryOut(Schema):
    code: str
    name: str
    name_en: str
    parent: str | None
    leaf: bool = Field(description="Only leaves carry cases.")
    kind: str
    urgency: str
    field_matter: bool = Field(description="The reply needs a photo.")


class Categories(Schema):
    items: list[CategoryOut]


@api.get("/categories", response=Categories, operation_id="list_categories", summary="事项目录 categories", tags=["city"])
def categories(request: ApiRequest) -> HttpResponse:
    """The whole tree of categories in force, by code."""
    request.auth.need(READ)
    nodes = reference().nodes
    return answer({"items": [
        {"code": n.code, "name": n.name, "name_en": n.name_en,
         "parent": nodes[n.lineage[1]].code if len(n.lineage) > 1 else None, "leaf": n.is_leaf, "kind": n.kind,
         "urgency": n.urgency, "field_matter": n.field_matter}
        for n in sorted(nodes.values(), key=lambda n: n.code) if n.active
    ]})


class AreaOut(Schema):
    code: str
    name: str
    level: str
    lon: float | None = Field(description="A point inside it, WGS-84 degrees.")
    lat: float | None
    synthetic: bool = Field(description="Its boundary is derived, not surveyed.")


class Areas(Schema):
    items: list[AreaOut]


@api.get("/areas", response=Areas, operation_id="list_areas", summary="下级区划 areas under one", tags=["city"])
def areas(request: ApiRequest, parent: Code = "") -> HttpResponse:
    """The areas right under `parent`; under the city itself when silent."""
    request.auth.need(READ)
    held = reference()
    if not parent:
        parent = next((p.code for p in held.places.values() if p.level == "city"), "")
    elif parent not in held.places_by_code:
        raise NotFound(_("没有这个地点，请从列表中选择。"))
    return answer({"items": [
        {"code": c.code, "name": c.name, "level": c.level, "lon": c.lon, "lat": c.lat, "synthetic": c.synthetic}
        for c in children(parent)
    ]})


class Spot(Schema):
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    coordinate_system: SystemName = "wgs84"


class Where(Schema):
    inside: bool
    area: Named | None
    path: list[Named] = Field(description="From the city down to the area.")
    nearest_county: str | None = Field(description="The nearest county, for a position outside the city.")
    metres: int | None = Field(description="How far away that is.")
    lon: float = Field(description="WGS-84 degrees.")
    lat: float


@api.get("/areas/at", response=Where, operation_id="locate", summary="位置在哪 which area holds a position", tags=["city"])
def area_at(request: ApiRequest, spot: Query[Spot]) -> HttpResponse:
    """The finest area that holds a position, whatever system it is given in."""
    request.auth.need(READ)
    try:
        lon, lat = to_wgs84(spot.lon, spot.lat, CoordinateSystem(spot.coordinate_system))
    except ValueError:
        raise Invalid(_("位置的坐标不对，请重新选择地点。"), fields={"lon": str(_("坐标或坐标系不对。"))}) from None
    hit, held = locate(lon, lat), reference()
    place = held.places.get(hit.area_id) if hit.area_id is not None else None
    return answer({
        "inside": bool(hit.inside), "area": shapes.named(place),
        "path": [shapes.named(held.places[pk]) for pk in reversed(place.lineage)] if place else [],
        "nearest_county": hit.nearest_county or None, "metres": hit.distance if not hit.inside else None,
        "lon": lon, "lat": lat,
    })


class UnitOut(Schema):
    code: str
    name: str
    kind: str
    parent: str | None
    area: str | None


class Units(Schema):
    items: list[UnitOut]


@api.get("/units", response=Units, operation_id="list_units", summary="单位 units", tags=["city"])
def units(request: ApiRequest) -> HttpResponse:
    """The units that are open today, by code."""
    request.auth.need(READ)
    return answer({"items": [
        {"code": u.code, "name": u.name, "kind": u.kind, "parent": u.parent.code if u.parent else None,
         "area": u.area.code if u.area else None}
        for u in open_units(today_of(now()))
    ]})


class PhraseOut(Schema):
    code: str
    name: str
    name_en: str


class Phrases(Schema):
    items: list[PhraseOut]


@api.get("/phrases", response=Phrases, operation_id="list_phrases", summary="可选理由 choices of a list", tags=["city"])
def phrase_list(request: ApiRequest, list: Literal["decline_route", "return_reason"]) -> HttpResponse:
    """The city's lawful routes for a decline, or its reasons for a return."""
    request.auth.need(READ)
    return answer({"items": [{"code": p.code, "name": p.name, "name_en": p.name_en} for p in phrases(list)]})


class Responsible(Schema):
    """What the dispatch catalogue says. `lead_unit` is null where it says nothing."""

    lead_unit: Named | None
    assisting_units: list[Named]
    basis: str
    catalogue_version: int


@api.get("/dispatch", response=Responsible, operation_id="read_dispatch", summary="派单目录 who is responsible",
         tags=["city"])
def dispatch(request: ApiRequest, category: Annotated[str, StringConstraints(min_length=1, max_length=12)],
             area: Code = "") -> HttpResponse:
    """The most specific rule in force today for a category and an area."""
    request.auth.need(READ)
    held = reference()
    node, place = held.nodes_by_code.get(category), held.places_by_code.get(area)
    if node is None:
        raise NotFound(_("没有这个事项，请从列表中选择。"))
    if area and place is None:
        raise NotFound(_("没有这个地点，请从列表中选择。"))
    found = held.responsible(category_id=node.id, area_id=place.id if place else None, on=today_of(now()))
    return answer({
        "lead_unit": shapes.named(found.lead) if found else None,
        "assisting_units": [shapes.named(u) for u in found.assisting] if found else [],
        "basis": found.basis if found else "", "catalogue_version": held.version,
    })
