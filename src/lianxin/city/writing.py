"""Writing a version of the catalogue as catalogue.csv, so that the files hold what was approved at the desk."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date
from typing import TextIO

from lianxin.cases.catalogue.content import Line, content_of
from lianxin.cases.models import CatalogueVersion, Category
from lianxin.organisations.models import Unit
from lianxin.places.models import Area

from .files import CATALOGUE, EACH_COUNTY, EACH_TOWN

_PATTERNS = {"county": EACH_COUNTY, "town": EACH_TOWN}


def _pattern(line: Line, name: str) -> Line:
    """The rule as it would stand for every area of its level, `{area}` for its code."""
    def open_up(unit: str) -> str:
        return unit.replace(line.area, "{area}")

    return replace(line, area=name, lead=open_up(line.lead), assisting=tuple(map(open_up, line.assisting)))


def _readable(pattern: Line, codes: Iterable[str], units: Set[str]) -> bool:
    """Whether the pattern names units that there are, for every area of the level: loading asks for that, also where a
    rule of its own takes the pattern's place."""
    return all({unit.replace("{area}", code) for unit in (pattern.lead, *pattern.assisting)} <= units for code in codes)


def compressed(lines: Iterable[Line], levels: Mapping[str, Sequence[str]], units: Set[str]) -> list[Line]:
    """The same rules with `each county` and `each town` where every area of the level has one: the commonest as the
    pattern, the others by themselves. `levels` are the codes of each level, `units` those of all units."""
    left = list(lines)
    for level, name in _PATTERNS.items():
        codes = set(levels.get(level, ()))
        groups: dict[tuple[str, date | None], list[Line]] = {}
        for line in left:
            if line.area in codes:
                groups.setdefault((line.category, line.valid_from), []).append(line)
        for group in groups.values():
            if len(group) < 2 or {line.area for line in group} != codes:
                continue
            made = {line: _pattern(line, name) for line in group}
            common, count = Counter(made.values()).most_common(1)[0]
            if count > 1 and _readable(common, codes, units):
                kept = {line for line, pattern in made.items() if pattern == common}
                left = [line for line in left if line not in kept]
                left.append(common)
    return sorted(left, key=lambda line: (line.category, line.area not in _PATTERNS.values() and bool(line.area), line.area,
                                          line.valid_from or date.min))


def _rows(lines: Iterable[Line], names: Mapping[str, str]) -> Iterator[list[str]]:
    for line in lines:
        yield [line.category, names.get(line.category, ""), line.area, line.lead, "|".join(line.assisting),
               line.valid_from.isoformat() if line.valid_from else "", line.valid_to.isoformat() if line.valid_to else "",
               line.basis]


def write(version: CatalogueVersion, out: TextIO) -> int:
    """Write a version as catalogue.csv; returns the number of lines after the header."""
    levels: dict[str, list[str]] = {}
    for code, level in Area.objects.filter(active=True, level__in=_PATTERNS).values_list("code", "level"):
        levels.setdefault(level, []).append(code)
    lines = compressed(content_of(version), levels, set(Unit.objects.values_list("code", flat=True)))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in CATALOGUE.columns])
    writer.writerows(_rows(lines, dict(Category.objects.values_list("code", "name"))))
    return len(lines)
