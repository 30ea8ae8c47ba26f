"""Who handled such cases until now, for where that and the dispatch catalogue say different things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Count

from lianxin.cases.models import Case
from lianxin.cases.reference import Body, reference

LOOKED_AT: Final = 1_000  # newest cases of the category, wherever they are
LEAST: Final = 20  # below that so few cases say nothing
MOST: Final = 0.6  # from this share on one unit is who usually handles it


@dataclass(frozen=True, slots=True)
class Usual:
    """The unit that led `cases` of the newest `of` cases of a category, in a county where one is named."""

    unit: Body
    cases: int
    of: int


def usual(category_id: int, county_id: int | None) -> Usual | None:
    """None where no unit led most of them, or there were too few to say. One query by index, whatever the size of the table."""
    newest = Case.objects.filter(category_id=category_id).order_by("-id").values("pk")[:LOOKED_AT]
    led = Case.objects.filter(pk__in=newest, lead_unit__isnull=False)
    if county_id is not None:
        led = led.filter(county_id=county_id)
    leads = list(led.values_list("lead_unit_id").annotate(cases=Count("pk")).order_by("-cases"))
    total = sum(cases for _unit, cases in leads)
    if total < LEAST:
        return None
    unit_id, cases = leads[0]
    unit = reference().units.get(unit_id)
    return Usual(unit, cases, total) if unit is not None and cases / total >= MOST else None
