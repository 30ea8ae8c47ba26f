"""The grids of a village and how they are changed: split along a line, merged, drawn anew, renamed – each whole or not at all.

Every point of a village belongs to one grid and one only. Splitting and merging keep that by themselves; what is drawn anew is
checked first. Whoever changes says which version of the village's grids they saw: somebody who was quicker is not overwritten.
Who may change what is not asked here: `fieldwork.boundaries` does that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound
from lianxin.kernel.text import clean_text

from . import gazetteer, grid_history, locate, maps, partition
from .drawing import Drawn
from .models import Area, AreaLevel, City, GridChange, GridStep, Site
from .partition import CannotCut, Fault, FaultKind
from .tiling import as_geojson, centre_of

SHOWN_FAULTS = 20


class Misdrawn(Invalid):
    """The grids that were drawn do not share out the village. `faults` are the places; `current["faults"]` the same as GeoJSON."""

    default_code = "grids_misdrawn"

    def __init__(self, faults: Sequence[Fault], names: Mapping[str, str]) -> None:
        self.faults = list(faults[:SHOWN_FAULTS])
        said = [_said(fault, names) for fault in self.faults[:3]]
        if len(faults) > len(said):
            said.append(_("一共 %d 处，图上都标出来了。") % len(faults))
        words = "".join(said)
        super().__init__(words, fields={"features": words}, current={"faults": {
            "type": "FeatureCollection", "features": [partition.described(fault) for fault in self.faults]}})


def _said(fault: Fault, names: Mapping[str, str]) -> str:
    point = fault.where.representative_point()
    held = {"n": f"{fault.area:,.0f}", "lon": f"{point.x:.5f}", "lat": f"{point.y:.5f}",
            "a": names.get(fault.keys[0], "") if fault.keys else "", "b": names.get(fault.keys[-1], "") if fault.keys else ""}
    if fault.kind is FaultKind.GAP:
        return _("有 %(n)s 平方米没有划进任何网格，在 %(lon)s, %(lat)s 附近。") % held
    if fault.kind is FaultKind.OVERLAP:
        return _("“%(a)s”和“%(b)s”重叠了 %(n)s 平方米，在 %(lon)s, %(lat)s 附近。") % held
    return _("“%(a)s”有 %(n)s 平方米伸到了村外，在 %(lon)s, %(lat)s 附近。") % held


@dataclass(frozen=True, slots=True)
class Held:
    """A village and its grids as they stand; `version` counts the changes."""

    village: Area
    grids: tuple[Area, ...]
    version: int


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did: `made` are new grids with the code of the one they were cut from (empty where they were drawn),
    `ended` those that are no more with the code of the one that has their land now."""

    change: GridChange
    made: tuple[tuple[str, str], ...] = ()
    ended: tuple[tuple[str, str], ...] = ()


def held(village: str) -> Held:
    """A village and its grids by code. Raises NotFound for what is no village of the city."""
    found = Area.objects.filter(code=village, level=AreaLevel.VILLAGE, active=True).select_related("town", "county").first()
    if found is None:
        raise NotFound(_("没有这个村或社区。"))
    return _held(found)


def _held(village: Area) -> Held:
    rows = Area.objects.filter(parent=village, level=AreaLevel.GRID, active=True).order_by("code")
    return Held(village, tuple(rows), grid_history.version_of(village.pk))


def shape_of(area: Area) -> BaseGeometry:
    return shape(area.boundary) if area.boundary is not None else shapely.Polygon()


def faults_of(found: Held) -> list[Fault]:
    """What is wrong with a village's grids as they stand: nothing, unless the city's own files were drawn badly."""
    if found.village.boundary is None:
        return []
    return partition.faults(shape_of(found.village), {grid.code: shape_of(grid) for grid in found.grids})


def as_features(found: Held) -> dict[str, Any]:
    """A village's grids as the GeoJSON that drawing anew takes."""
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"code": grid.code, "name": grid.name, "synthetic": grid.synthetic, "lon": grid.lon,
                                           "lat": grid.lat}, "geometry": grid.boundary}
        for grid in found.grids if grid.boundary is not None]}


def _why(why: str) -> str:
    said = clean_text(why, max_length=200, multiline=False)
    if not said:
        raise Invalid(fields={"why": str(_("请写明原因。"))})
    return said


def _locked(village: str, version: int) -> Held:
    """The village as it stands, nobody else changing grids until the transaction ends. The city's row comes first, as in
    loading a city: the two never wait for each other. Raises Conflict when the caller saw an older version."""
    list(City.objects.select_for_update().order_by("id"))
    found = held(village)
    if found.version != version:
        raise conflict(found)
    if found.village.boundary is None:
        raise Invalid(_("这个村还没有边界，不能划网格。"))
    grid_history.begin(found.village, found.grids, at=now())
    return found


def conflict(found: Held) -> Conflict:
    """Somebody was quicker: who, when, what."""
    last = grid_history.last_change(found.village.pk)
    words = _("这个村的网格刚被改过。请看过现在的样子再改，您写的还在。")
    if last is not None and last.by is not None:
        words = _("这个村的网格刚被%(name)s改过（%(step)s）。请看过现在的样子再改，您写的还在。") % {
            "name": last.by.name, "step": last.get_step_display()}
    return Conflict(words, code="version", current={
        "version": found.version, "step": last.step if last else None, "at": last.at.isoformat() if last else None,
        "grids": as_features(found)})


def _grid(found: Held, code: str, field: str) -> Area:
    grid = next((one for one in found.grids if one.code == code), None)
    if grid is None:
        words = _("这个网格不在这个村里。")
        raise Invalid(words, fields={field: words})
    return grid


def _name(found: Held, name: str, field: str, *, apart_from: Sequence[Area] = ()) -> str:
    said = clean_text(name, max_length=81, multiline=False)
    fault = ""
    if not said or len(said) > 80:
        fault = _("网格要有名字，最多 80 字。")
    elif any(one.name == said for one in found.grids if one not in apart_from):
        fault = _("这个村已有叫“%s”的网格。") % said
    if fault:
        raise Invalid(fault, fields={field: fault})
    return said


def _new_codes(village: Area, count: int) -> list[str]:
    """The village's code and three digits, none used twice: not even that of a grid that is no more."""
    used = Area.objects.filter(parent=village).values_list("code", flat=True)
    tails = [int(code[len(village.code):]) for code in used
             if code.startswith(village.code) and code[len(village.code):].isascii() and code[len(village.code):].isdigit()]
    first = max(tails, default=0) + 1
    return [f"{village.code}{serial:03d}" for serial in range(first, first + count)]


def _made(found: Held, code: str, name: str, geometry: BaseGeometry, *, synthetic: bool) -> Area:
    village = found.village
    lon, lat = centre_of(geometry)
    return Area.objects.create(
        code=code, name=name, level=AreaLevel.GRID, parent=village, county_id=village.county_id, town_id=village.town_id,
        village=village, lon=lon, lat=lat, boundary=as_geojson(geometry), synthetic=synthetic)


def _shaped(grid: Area, *, name: str, geometry: BaseGeometry, synthetic: bool) -> None:
    grid.name, grid.boundary, grid.synthetic = name, as_geojson(geometry), synthetic
    grid.lon, grid.lat = centre_of(geometry)
    grid.save(update_fields=["name", "boundary", "synthetic", "lon", "lat"])


def _end(grid: Area) -> None:
    grid.active = False
    grid.save(update_fields=["active"])


def move_sites(village: Area) -> None:
    """Sites that stood in a grid of the village stand in the grid that holds them now; without a position, or outside of all,
    in the village itself."""
    rows = list(Area.objects.filter(parent=village, level=AreaLevel.GRID, active=True, boundary__isnull=False).order_by("code"))
    shapes = [(grid, shape_of(grid)) for grid in rows]
    for site in Site.objects.filter(area__parent=village, area__level=AreaLevel.GRID):
        at = (next((grid for grid, polygon in shapes if shapely.intersects_xy(polygon, site.lon, site.lat)), village)
              if site.lon is not None and site.lat is not None else
              next((grid for grid in rows if grid.pk == site.area_id), village))
        if at.pk != site.area_id:
            site.area = at
            site.save(update_fields=["area"])


def _settled(found: Held, step: GridStep, *, by_id: int, why: str, ended: Sequence[Area] = (),
             altered: Sequence[Area] = ()) -> GridChange:
    change = grid_history.write(found.village, step=step, at=now(), by_id=by_id, why=why, ended=ended, altered=altered)
    if step is not GridStep.RENAMED:
        move_sites(found.village)
    grid_history.touch_city()
    for part in (locate, maps, gazetteer):
        transaction.on_commit(part.forget)
    return change


_CUTS = {
    "not_simple": gettext_lazy("这条线自己交叉了，或者只有一个点，请重画。"),
    "misses": gettext_lazy("这条线没有把网格切开：请从网格的一边画到另一边。"),
    "too_small": gettext_lazy("切下来的一块不到 100 平方米，太小了，请重画。"),
}


def split(*, village: str, version: int, grid: str, line: BaseGeometry, name: str, why: str, by_id: int,
          kept_name: str = "") -> Changed:
    """拆分: cut a grid in two. The larger part keeps the code – and its name, or `kept_name` – the smaller is new, `name`d.

    Raises NotFound, Invalid and Conflict."""
    reason = _why(why)
    with transaction.atomic():
        found = _locked(village, version)
        whole = _grid(found, grid, "grid")
        said = _name(found, name, "name", apart_from=[whole] if kept_name else [])
        kept = _name(found, kept_name, "kept_name", apart_from=[whole]) if kept_name else whole.name
        if said == kept:
            words = _("两个网格不能同名。")
            raise Invalid(words, fields={"name": words})
        try:
            larger, smaller = partition.split(shape_of(whole), line)
        except CannotCut as error:
            words = str(_CUTS[error.reason])
            raise Invalid(words, fields={"line": words}) from None
        _shaped(whole, name=kept, geometry=larger, synthetic=whole.synthetic)
        fresh = _made(found, _new_codes(found.village, 1)[0], said, smaller, synthetic=whole.synthetic)
        change = _settled(found, GridStep.SPLIT, by_id=by_id, why=reason, altered=[whole, fresh])
    return Changed(change, made=((fresh.code, whole.code),))


def merge(*, village: str, version: int, grid: str, other: str, why: str, by_id: int, name: str = "") -> Changed:
    """合并: two grids that share a border become one, with the code – and name, or `name` – of the first.

    Raises NotFound, Invalid and Conflict."""
    reason = _why(why)
    with transaction.atomic():
        found = _locked(village, version)
        stays, goes = _grid(found, grid, "grid"), _grid(found, other, "other")
        if stays == goes:
            words = _("请选择两个不同的网格。")
            raise Invalid(words, fields={"other": words})
        if not partition.touch(shape_of(stays), shape_of(goes)):
            words = _("“%(a)s”和“%(b)s”不相邻，不能合并。") % {"a": stays.name, "b": goes.name}
            raise Invalid(words, fields={"other": words})
        said = _name(found, name, "name", apart_from=[stays, goes]) if name else stays.name
        _shaped(stays, name=said, geometry=partition.merged([shape_of(stays), shape_of(goes)]),
                synthetic=stays.synthetic or goes.synthetic)
        _end(goes)
        change = _settled(found, GridStep.MERGED, by_id=by_id, why=reason, ended=[goes], altered=[stays])
    return Changed(change, ended=((goes.code, stays.code),))


def rename(*, village: str, version: int, grid: str, name: str, why: str, by_id: int) -> Changed:
    """改名. Raises NotFound, Invalid and Conflict."""
    reason = _why(why)
    with transaction.atomic():
        found = _locked(village, version)
        one = _grid(found, grid, "grid")
        one.name = _name(found, name, "name", apart_from=[one])
        one.save(update_fields=["name"])
        change = _settled(found, GridStep.RENAMED, by_id=by_id, why=reason, altered=[one])
    return Changed(change)


def _checked(found: Held, drawn: Sequence[Drawn]) -> dict[str, Drawn]:
    """What was drawn, by code – new ones under `new1`, `new2` … Raises Invalid for grids that lack or are twice, and Misdrawn."""
    listed: dict[str, Drawn] = {}
    known = {grid.code: grid for grid in found.grids}
    for number, one in enumerate(drawn, start=1):
        key = one.code or f"new{number}"
        if one.code and one.code not in known:
            raise Invalid(fields={"features": _("代码 %s 不是这个村现有的网格；新网格不要写代码。") % one.code})
        if key in listed:
            raise Invalid(fields={"features": _("代码 %s 出现了两次。") % one.code})
        if not one.name and one.code:
            one = Drawn(one.code, known[one.code].name, one.polygon)
        if not one.name or len(one.name) > 80:
            raise Invalid(fields={"features": _("第 %d 个网格没有名字，或者超过 80 字。") % number})
        if any(other.name == one.name for other in listed.values()):
            raise Invalid(fields={"features": _("有两个网格都叫“%s”。") % one.name})
        listed[key] = one
    if missing := [grid.name for grid in found.grids if grid.code not in listed]:
        raise Invalid(fields={"features": _("少了网格：%s。要撤掉一个网格，请用“合并”。") % "、".join(missing)})
    faults = partition.faults(shape_of(found.village), {key: one.polygon for key, one in listed.items()})
    if faults:
        raise Misdrawn(faults, {key: one.name for key, one in listed.items()})
    return listed


def redraw(*, village: str, version: int, drawn: Sequence[Drawn], why: str, by_id: int) -> Changed:
    """重新画界: all grids of the village as they are to be: those there are by their code, new ones without. They must cover
    the village, and nothing twice; what differs by less than a metre is put right.

    The lines are as good as the village's own: derived where that is. Raises NotFound, Invalid, Misdrawn and Conflict."""
    reason = _why(why)
    with transaction.atomic():
        found = _locked(village, version)
        listed = _checked(found, drawn)
        shapes = partition.fitted(shape_of(found.village), {key: one.polygon for key, one in listed.items()})
        known = {grid.code: grid for grid in found.grids}
        altered: list[Area] = []
        fresh = [key for key in listed if key not in known]
        for key, grid in known.items():
            if grid.name != listed[key].name or not partition.same(shape_of(grid), shapes[key]):
                _shaped(grid, name=listed[key].name, geometry=shapes[key], synthetic=found.village.synthetic)
                altered.append(grid)
        for key, code in zip(fresh, _new_codes(found.village, len(fresh)), strict=True):
            altered.append(_made(found, code, listed[key].name, shapes[key], synthetic=found.village.synthetic))
        if not altered:
            raise Invalid(_("和现在的一样，没有改动。"), fields={"features": _("和现在的一样，没有改动。")})
        change = _settled(found, GridStep.REDRAWN, by_id=by_id, why=reason, altered=altered)
    return Changed(change, made=tuple((grid.code, "") for grid in altered if grid.code not in known))


__all__ = ["Changed", "DomainError", "Held", "Misdrawn", "as_features", "faults_of", "held", "merge", "redraw", "rename", "split"]
