"""A town's field work for programs: the grids of a village and their changes, who has which, covers, telephones."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases.reference import today_of
from lianxin.fieldwork import boundaries, cover, devices, leads, staffing
from lianxin.fieldwork.coverage import Line, coverage
from lianxin.fieldwork.models import Cover, Device
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import CoordinateSystem
from lianxin.kernel.errors import Invalid
from lianxin.places import drawing, grid_history, grids
from lianxin.places.models import BoundaryVersion

from .choices import SystemName
from .register import Code, moment
from .requests import key_of, read
from .service import ApiRequest, answer, api, takes
from .tokens import READ

Name = Annotated[str, StringConstraints(max_length=80)]
Why = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class VillageGrids(Schema):
    """The grids of a village as they stand."""

    village: str
    name: str
    synthetic: bool = Field(description="The village's own outline is derived, not surveyed.")
    version: int = Field(description="Counts the changes. Sent with a change: whoever has seen an older one is told.")
    grids: dict[str, Any] = Field(description="GeoJSON FeatureCollection; `code`, `name`, `synthetic` among the properties.")


def _village(found: grids.Held) -> dict[str, Any]:
    return {"village": found.village.code, "name": found.village.name, "synthetic": found.village.synthetic,
            "version": found.version, "grids": grids.as_features(found)}


@api.get("/grids/villages/{village}", response=VillageGrids, operation_id="read_grids", summary="村的网格 grids of a village",
         tags=["field"])
def read_grids(request: ApiRequest, village: str) -> HttpResponse:
    """Borders and names. For those who organise the town's field work."""
    request.auth.need(READ)
    return answer(_village(grids.held(leads.access_village(request.auth.actor, village[:24]).code)))


class GridOfChange(Schema):
    code: str
    name: str
    synthetic: bool
    valid_from: datetime
    valid_to: datetime | None = Field(description="Null while it holds.")
    boundary: dict[str, Any] = Field(description="GeoJSON geometry, WGS-84.")


class GridChangeOut(Schema):
    version: int
    step: str = Field(description="loaded, fitted, split, merged, redrawn, renamed.")
    at: datetime
    by: str | None = Field(description="Name of whoever did it; null for the city's files.")
    why: str
    grids: list[GridOfChange] = Field(description="Those it made or altered, as they became.")


class GridChanges(Schema):
    items: list[GridChangeOut]


def _boundary(one: BoundaryVersion) -> dict[str, Any]:
    return {"code": one.area.code, "name": one.name, "synthetic": one.synthetic, "valid_from": moment(one.valid_from),
            "valid_to": moment(one.valid_to), "boundary": one.boundary}


@api.get("/grids/villages/{village}/changes", response=GridChanges, operation_id="list_grid_changes",
         summary="网格改动 changes of grids", tags=["field"])
def list_grid_changes(request: ApiRequest, village: str) -> HttpResponse:
    """What the grids were, who changed them, when and why; newest first, 200 at most."""
    request.auth.need(READ)
    held = leads.access_village(request.auth.actor, village[:24])
    return answer({"items": [
        {"version": was.change.version, "step": was.change.step, "at": moment(was.change.at),
         "by": was.change.by.name if was.change.by else None, "why": was.change.why,
         "grids": [_boundary(one) for one in was.boundaries]} for was in grid_history.history(held)]})


class GridChangeFields(BaseModel):
    """`split` takes `grid`, `line`, `name` (of the smaller part) and perhaps `kept_name`; `merge` takes `grid`, which stays, and
    `other`, which goes, perhaps `name`; `rename` takes `grid` and `name`; `redraw` takes `features`, all grids of the village: those
    there are by their code, new ones without."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "step": "split", "version": 0, "grid": "990101001001001", "name": "湖边网格", "why": "住户多了，一个人跑不过来",
        "line": {"type": "LineString", "coordinates": [[113.0, 29.1], [113.2, 29.1]]}}]})

    step: Literal["split", "merge", "rename", "redraw"]
    version: int = Field(ge=0, le=2**31)
    why: Why
    grid: Code = ""
    other: Code = ""
    name: Name = ""
    kept_name: Name = ""
    line: dict[str, Any] | None = Field(None, description="GeoJSON LineString.")
    features: dict[str, Any] | None = Field(None, description="GeoJSON FeatureCollection.")
    coordinate_system: SystemName = "wgs84"


@api.post("/grids/villages/{village}/changes", response=VillageGrids, operation_id="change_grids", summary="改网格 change grids",
          tags=["field"], openapi_extra=takes(GridChangeFields))
def change_grids(request: ApiRequest, village: str) -> HttpResponse:
    """One change, whole or not at all: the village stays shared out exactly. Grids drawn anew that leave gaps or lie over one
    another are refused with `grids_misdrawn`; `current.faults` is GeoJSON of where, with square metres. Sent again it is a
    conflict, since the version has moved on; `current` then says how it stands. Scope: `field_work`."""
    request.auth.need(leads.SCOPE)
    said, by = read(request, GridChangeFields), request.auth.actor
    system = CoordinateSystem(said.coordinate_system)
    held = leads.access_village(by, village[:24]).code
    given: dict[str, Any] = {"village": held, "version": said.version, "why": said.why, "by": by}
    if said.step == "split":
        line = drawing.line_of(_json(said.line, "line"), system)
        boundaries.split(**given, grid=said.grid, line=line, name=said.name, kept_name=said.kept_name)
    elif said.step == "merge":
        boundaries.merge(**given, grid=said.grid, other=said.other, name=said.name)
    elif said.step == "rename":
        boundaries.rename(**given, grid=said.grid, name=said.name)
    else:
        boundaries.redraw(**given, drawn=drawing.features_of(_json(said.features, "features"), system))
    return answer(_village(grids.held(held)))


def _json(value: dict[str, Any] | None, field: str) -> str:
    if value is None:
        raise Invalid(fields={field: str(_("请填写这一项。"))})
    return json.dumps(value)


class ResponsibleOut(Schema):
    username: str
    name: str
    instead_of: str = Field(description="Whom they stand in for today; empty for their own grid.")
    on_duty_since: datetime | None = Field(description="Their own check-in of today.")


class GridToday(Schema):
    code: str
    name: str
    village: str
    standing: str = Field(description="held, covered (somebody stands in), away (nobody stands in), nobody.")
    responsible: list[ResponsibleOut]
    cases: int = Field(description="Open parts of cases of the town in this grid.")
    checks: int
    late: int
    due_at: datetime | None = Field(description="When the next of them is due.")


class CoverageOut(Schema):
    unit: str
    grids: list[GridToday]


def _line(line: Line, village: str) -> dict[str, Any]:
    return {
        "code": line.place.code, "name": line.place.name, "village": village, "standing": line.standing.value,
        "responsible": [{"username": one.staff.username, "name": one.staff.name, "instead_of": one.instead_of,
                         "on_duty_since": moment(one.since)} for one in line.responsible],
        "cases": line.work.cases, "checks": line.work.checks, "late": line.work.late, "due_at": moment(line.work.due_at)}


@api.get("/grids/coverage", response=CoverageOut, operation_id="read_coverage", summary="今天的网格 grids today", tags=["field"])
def read_coverage(request: ApiRequest, unit: Code = "") -> HttpResponse:
    """Who has each grid of a town today, and what is open there: by place."""
    request.auth.need(READ)
    held = leads.access_unit(request.auth.actor, unit)
    found = coverage(held, leads.need(request.auth.actor), at=now())
    return answer({"unit": held.code, "grids": [
        _line(line, village.place.code) for village in found.villages for line in village.lines]})


class AreasFields(BaseModel):
    """`seen` are the areas they had when you looked, by code in order, separated by commas; `*` is the whole unit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"unit": "bridge", "areas": ["990101001001001", "990101001001002"], "seen": "990101001001001"}]})

    unit: Code = ""
    areas: Annotated[list[Code], Field(min_length=1, max_length=500)]
    seen: Annotated[str, StringConstraints(max_length=20_000)]


class WorkerAreas(Schema):
    username: str
    areas: list[str]
    seen: str


@api.post("/grids/workers/{username}/areas", response=WorkerAreas, operation_id="assign_grids", summary="分工 whose grids",
          tags=["field"], openapi_extra=takes(AreasFields))
def assign_grids(request: ApiRequest, username: str) -> HttpResponse:
    """From now on these areas are the worker's in the unit, and no others; what they had stays as history. A village holds its
    grids. Sent again it is a conflict. Scope: `field_work`."""
    request.auth.need(leads.SCOPE)
    said = read(request, AreasFields)
    unit = leads.access_unit(request.auth.actor, said.unit)
    held = staffing.assign(unit=unit, worker=username[:60], areas=said.areas, seen=said.seen, by=request.auth.actor)
    return answer({"username": username, "areas": [grant.area.code for grant in held if grant.area], "seen": staffing.seen_by(held)})


class CoverOut(Schema):
    id: UUID
    unit: str
    absent: str
    stand_in: str | None = Field(description="Null while nobody stands in.")
    starts_on: date
    ends_on: date = Field(description="The last day, included.")
    arranged_by: str
    arranged_at: datetime
    ended_at: datetime | None = Field(description="When it was called off.")


class Covers(Schema):
    items: list[CoverOut]


def _cover(one: Cover) -> dict[str, Any]:
    return {"id": str(one.pk), "unit": one.unit.code, "absent": one.absent.username,
            "stand_in": one.stand_in.username if one.stand_in else None, "starts_on": one.starts_on.isoformat(),
            "ends_on": one.ends_on.isoformat(), "arranged_by": one.arranged_by.username, "arranged_at": moment(one.arranged_at),
            "ended_at": moment(one.ended_at)}


class CoverQuery(Schema):
    unit: str = Field("", max_length=24)
    since: date | None = Field(None, description="Those that end on this day or later; today when silent.")


@api.get("/grids/covers", response=Covers, operation_id="list_covers", summary="代班 who stands in", tags=["field"])
def list_covers(request: ApiRequest, query: Query[CoverQuery]) -> HttpResponse:
    """A town's covers, those that start last first."""
    request.auth.need(READ)
    unit = leads.access_unit(request.auth.actor, query.unit)
    return answer({"items": [_cover(one) for one in cover.covers_for(unit, since=query.since or today_of(now()))]})


class CoverFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"unit": "bridge", "absent": "grid", "stand_in": "grid2", "starts_on": "2026-12-01", "ends_on": "2026-12-05"}]})

    unit: Code = ""
    absent: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    stand_in: Annotated[str, StringConstraints(max_length=60)] = ""
    starts_on: date
    ends_on: date


@api.post("/grids/covers", response={201: CoverOut}, operation_id="arrange_cover", summary="安排代班 arrange cover", tags=["field"],
          openapi_extra=takes(CoverFields))
def arrange_cover(request: ApiRequest) -> HttpResponse:
    """Somebody of the town stands in for another grid worker, from one day to another; without `stand_in` it says only that they
    are away. Scope: `field_work`."""
    request.auth.need(leads.SCOPE)
    said = read(request, CoverFields)
    unit = leads.access_unit(request.auth.actor, said.unit)
    made = cover.arrange(unit=unit, absent=said.absent, stand_in=said.stand_in, starts_on=said.starts_on, ends_on=said.ends_on,
                         by=request.auth.actor, key=key_of(request, request.auth.name))
    return answer(_cover(made), status=201)


@api.post("/grids/covers/{uuid:cover_id}/end", response=CoverOut, operation_id="end_cover", summary="取消代班 call off cover",
          tags=["field"])
def end_cover(request: ApiRequest, cover_id: UUID) -> HttpResponse:
    """At once. Sent again it is a conflict. Scope: `field_work`."""
    request.auth.need(leads.SCOPE)
    return answer(_cover(cover.call_off(cover_id=cover_id, by=request.auth.actor)))


class DeviceOut(Schema):
    id: UUID
    name: str
    worker: str
    enrolled_at: datetime
    seen_at: datetime | None
    version: str
    waiting: int = Field(description="How many items it said were not sent yet.")
    shut_out_at: datetime | None
    why: str


class Devices(Schema):
    items: list[DeviceOut]


def _device(one: Device) -> dict[str, Any]:
    return {"id": str(one.pk), "name": one.name, "worker": one.staff.username, "enrolled_at": moment(one.enrolled_at),
            "seen_at": moment(one.seen_at), "version": one.version, "waiting": one.waiting, "shut_out_at": moment(one.shut_out_at),
            "why": one.why}


@api.get("/grids/devices", response=Devices, operation_id="list_devices", summary="手机 telephones", tags=["field"])
def list_devices(request: ApiRequest, unit: Code = "") -> HttpResponse:
    """The telephones of a town's field workers; of their secrets nothing."""
    request.auth.need(READ)
    held = leads.access_unit(request.auth.actor, unit)
    return answer({"items": [_device(one) for one in devices.of_unit(held.pk)]})


class DeviceFields(BaseModel):
    """`shut_out` needs the reason."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"step": "shut_out", "why": "手机丢了"}]})

    step: Literal["shut_out", "give_back"]
    why: Annotated[str, StringConstraints(max_length=200)] = ""


@api.post("/grids/devices/{uuid:device_id}/steps", response=DeviceOut, operation_id="device_step", summary="停用或恢复手机 a telephone",
          tags=["field"], openapi_extra=takes(DeviceFields))
def device_step(request: ApiRequest, device_id: UUID) -> HttpResponse:
    """Shut a telephone out – it may read and send nothing from then on – or give it back. For whoever leads the town's field
    work. Scope: `field_work`."""
    request.auth.need(leads.SCOPE)
    said = read(request, DeviceFields)
    if said.step == "shut_out":
        return answer(_device(devices.shut_out(device_id=device_id, by=request.auth.actor, why=said.why)))
    return answer(_device(devices.give_back(device_id=device_id, by=request.auth.actor)))
