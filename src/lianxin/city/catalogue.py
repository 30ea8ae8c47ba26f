"""The dispatch catalogue as written down: rules for each county or town written out, gaps found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from lianxin.cases.catalogue.content import Line
from lianxin.kernel.language import listed

from .faults import Faults
from .files import EACH_COUNTY, EACH_TOWN
from .tables import Row

_LEVELS = {EACH_COUNTY: "county", EACH_TOWN: "town"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule by codes; an empty category or area means any. `own` is false when written out from a pattern."""

    category: str
    area: str
    lead: str
    assisting: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    basis: str
    line: int
    own: bool

    def key(self) -> tuple[str, str, date | None]:
        return (self.category, self.area, self.valid_from)

    def said(self) -> Line:
        """What it says, whatever line of which file it stands on."""
        return Line(self.category, self.area, self.lead, self.assisting, self.valid_from, self.valid_to, self.basis)


def expand(rows: list[Row], *, units: set[str], levels: Mapping[str, str], faults: Faults) -> list[Rule]:
    """Every rule by itself. A row that names an area takes the place of one written out by `each …`."""
    made: dict[tuple[str, str, date | None], Rule] = {}
    for row in rows:
        area = row["area"]
        if area in _LEVELS:
            codes = [code for code, level in levels.items() if level == _LEVELS[area]]
        elif area and area not in levels:
            faults.add(row.file, row.line, _("%(name)s：没有 %(value)s") % {"name": "area", "value": area})
            continue
        else:
            codes = [area]
        unknown: set[str] = set()
        for code in codes:
            named = [unit.replace("{area}", code) for unit in (row["lead"], *row["assisting"])]
            unknown.update(unit for unit in named if unit not in units)
            rule = Rule(row["category"], code, named[0], tuple(dict.fromkeys(named[1:])), row["valid_from"],
                        row["valid_to"], row["basis"], row.line, area not in _LEVELS)
            if rule.lead in rule.assisting:
                faults.add(row.file, row.line, _("%s 不能既主办又协办") % rule.lead)
            other = made.get(rule.key())
            if other is not None and other.own == rule.own:
                faults.add(row.file, row.line, _("与第 %s 行是同一事项、同一区域") % other.line)
            if other is None or rule.own:
                made[rule.key()] = rule
        if unknown:
            shown = sorted(unknown)
            several = _("没有这些单位：%(first)s等，共 %(count)s 个") if len(shown) > 5 else _("没有这些单位：%(first)s")
            faults.add(row.file, row.line, several % {"first": listed(shown[:5]), "count": len(shown)})
    return list(made.values())


def gaps(
    rules: list[Rule], *, categories: Mapping[str, str], leaves: set[str], counties: list[str],
    units: Mapping[str, Row], today: date,
) -> list[tuple[str, str]]:
    """(leaf, county) pairs for which no rule in force names a unit that is open."""
    answered: set[tuple[str, str]] = set()
    for rule in rules:
        lead = units[rule.lead]
        in_force = (rule.valid_from is None or rule.valid_from <= today) and (
            rule.valid_to is None or today < rule.valid_to)
        is_open = (lead["active_from"] is None or lead["active_from"] <= today) and (
            lead["active_to"] is None or today < lead["active_to"])
        if in_force and is_open:
            answered.add((rule.category, rule.area))
    missing = []
    for leaf in sorted(leaves):
        line = [leaf]
        while categories.get(line[-1]) and len(line) <= len(categories):
            line.append(categories[line[-1]])
        line.append("")
        if any((category, "") in answered for category in line):
            continue
        missing += [(leaf, county) for county in counties
                    if not any((category, county) in answered for category in line)]
    return missing
