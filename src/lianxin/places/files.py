"""Reading the files areas and sites come in, with every fault named by file, line and reason."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError
from shapely.geometry import shape

from lianxin.kernel.language import listed

from .build import split

LEVELS = ("city", "county", "town", "village", "grid")
SITE_KINDS = ("road", "school", "hospital", "market", "park", "estate", "station", "office", "other")
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,23}")
_SITE_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
Report = Callable[[str, int, str], None]


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One line of `areas.csv`. Degrees WGS-84."""

    code: str
    name: str
    short_name: str
    name_en: str
    level: str
    parent: str
    aliases: tuple[str, ...]
    lon: float | None
    lat: float | None
    synthetic: bool
    overlay: bool


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One line of `sites.csv`. Degrees WGS-84."""

    code: str
    name: str
    kind: str
    aliases: tuple[str, ...]
    area: str
    lon: float | None
    lat: float | None
    approximate: bool


@dataclass(slots=True)
class Tables:
    """What the files say, faulty lines left out."""

    areas: dict[str, AreaRow] = field(default_factory=dict)
    boundaries: dict[str, dict[str, Any]] = field(default_factory=dict)
    sites: dict[str, SiteRow] = field(default_factory=dict)


def _lines(file: Path, name: str, needed: tuple[str, ...], report: Report) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as content:
            reader = csv.DictReader(content)
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            if missing:
                report(name, 1, _("缺少列：%s") % listed(missing))
                return
            for row in reader:
                if None in row:
                    report(name, reader.line_num, _("这一行的列比表头多，含逗号的内容要加引号"))
                    continue
                yield reader.line_num, {key: (value or "").strip() for key, value in row.items()}
    except UnicodeDecodeError:
        report(name, 1, _("不是 UTF-8 编码，请另存为 UTF-8"))
    except (OSError, csv.Error) as fault:
        report(name, 1, _("读不了：%s") % fault)


def _position(row: dict[str, str]) -> tuple[float | None, float | None]:
    """Longitude and latitude, both or neither. Raises ValueError with the reason."""
    if not row.get("lon") and not row.get("lat"):
        return None, None
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
    except (ValueError, KeyError):
        raise ValueError(_("lon 和 lat 要一起填，写成度数，如 113.1,29.37")) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(_("坐标超出范围：%(lon)s,%(lat)s（经度在前，WGS-84）") % {"lon": row["lon"], "lat": row["lat"]})
    return lon, lat


def _flag(row: dict[str, str], column: str, *, default: bool = False) -> bool:
    text = row.get(column, "").lower()
    if text in ("1", "true", "yes", "是"):
        return True
    if text in ("0", "false", "no", "否"):
        return False
    if text == "":
        return default
    raise ValueError(_("%(column)s 只能写 1 或 0，不能写“%(cell)s”") % {"column": column, "cell": row[column]})


def _not_one_of(column: str, known: Iterable[str], cell: str) -> str:
    return _("%(column)s 只能是 %(known)s，不能是“%(cell)s”") % {"column": column, "known": listed(known), "cell": cell}


def _area(row: dict[str, str]) -> AreaRow:
    if not _CODE.fullmatch(row["code"]):
        raise ValueError(_("代码只能用数字、字母、点和横线，最多 %(limit)d 位：“%(cell)s”") % {"limit": 24, "cell": row["code"]})
    if not row["name"] or len(row["name"]) > 80:
        raise ValueError(_("名称要有，最多 80 字"))
    if row["level"] not in LEVELS:
        raise ValueError(_not_one_of("level", LEVELS, row["level"]))
    if (row["level"] == "city") != (row["parent"] == ""):
        raise ValueError(_("只有 city 没有上级（parent），其余都要有"))
    aliases = split(row.get("aliases", ""))
    if any(len(alias) > 80 for alias in aliases):
        raise ValueError(_("别名最多 80 字"))
    lon, lat = _position(row)
    return AreaRow(row["code"], row["name"], row.get("short_name", ""), row.get("name_en", ""), row["level"],
                   row["parent"], aliases, lon, lat, _flag(row, "synthetic"), _flag(row, "overlay"))


def read_areas(file: Path, name: str, report: Report) -> dict[str, AreaRow]:
    """`areas.csv`: checks each line, then that every parent exists one or more levels up and there is one city."""
    found: dict[str, AreaRow] = {}
    at: dict[str, int] = {}
    for line, row in _lines(file, name, ("code", "name", "level", "parent"), report):
        try:
            area = _area(row)
        except ValueError as fault:
            report(name, line, str(fault))
            continue
        if area.code in found:
            report(name, line, _("代码 %(code)s 与第 %(line)s 行重复") % {"code": area.code, "line": at[area.code]})
            continue
        found[area.code], at[area.code] = area, line
    for code, area in list(found.items()):
        above = found.get(area.parent)
        if area.level == "city":
            continue
        if above is None:
            report(name, at[code], _("%(name)s 的上级 %(parent)s 不在表里") % {"name": area.name, "parent": area.parent})
        elif LEVELS.index(above.level) >= LEVELS.index(area.level):
            report(name, at[code], _("%(name)s（%(level)s）不能放在 %(above)s（%(above_level)s）下") % {
                "name": area.name, "level": area.level, "above": above.name, "above_level": above.level})
    cities = [code for code, area in found.items() if area.level == "city"]
    if len(cities) != 1:
        report(name, at[cities[1]] if len(cities) > 1 else 1, _("要有且只有一个 city，现有 %d 个") % len(cities))
    return found


def read_boundaries(file: Path, name: str, areas: dict[str, AreaRow], report: Report) -> dict[str, dict[str, Any]]:
    """`boundaries.geojsonl`: one GeoJSON feature a line, `properties.code` naming the area."""
    found: dict[str, dict[str, Any]] = {}
    with file.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, start=1):
            if not text.strip():
                continue
            try:
                feature = json.loads(text)
                code = feature["properties"]["code"]
                geometry = feature["geometry"]
                if geometry["type"] not in ("Polygon", "MultiPolygon"):
                    raise ValueError(_("只收 Polygon 和 MultiPolygon，不收 %s") % geometry["type"])
                polygon = shape(geometry)
                west, south, east, north = polygon.bounds
                if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
                    raise ValueError(_("坐标超出范围（经度在前，WGS-84）"))
                if not polygon.is_valid:
                    raise ValueError(_("边界不合法：%s") % shapely.is_valid_reason(polygon))
            except (json.JSONDecodeError, KeyError, TypeError, IndexError, ShapelyError):
                report(name, number, _("不是一行一个的 GeoJSON Feature，或缺少 properties.code"))
                continue
            except ValueError as fault:
                report(name, number, str(fault) or _("边界不合法"))
                continue
            if code not in areas:
                report(name, number, _("代码 %s 不在 areas.csv 里") % code)
            elif code in found:
                report(name, number, _("代码 %s 的边界出现了两次") % code)
            else:
                found[code] = geometry
    return found


def read_sites(file: Path, name: str, areas: dict[str, AreaRow], report: Report) -> dict[str, SiteRow]:
    """`sites.csv`: named places people say on the phone."""
    found: dict[str, SiteRow] = {}
    for line, row in _lines(file, name, ("code", "name", "kind", "area"), report):
        try:
            if not _SITE_CODE.fullmatch(row["code"]):
                raise ValueError(_("代码只能用数字、字母、点和横线，最多 %(limit)d 位：“%(cell)s”") % {"limit": 40, "cell": row["code"]})
            if not 2 <= len(row["name"]) <= 120:
                raise ValueError(_("名称 2 到 120 字"))
            if row["kind"] not in SITE_KINDS:
                raise ValueError(_not_one_of("kind", SITE_KINDS, row["kind"]))
            if row["area"] not in areas:
                raise ValueError(_("区划代码 %s 不在 areas.csv 里") % row["area"])
            if row["code"] in found:
                raise ValueError(_("代码 %s 重复") % row["code"])
            lon, lat = _position(row)
            site = SiteRow(row["code"], row["name"], row["kind"], split(row.get("aliases", "")), row["area"], lon, lat,
                           _flag(row, "approximate", default=True))
        except ValueError as fault:
            report(name, line, str(fault))
            continue
        found[site.code] = site
    return found
