"""Who handled such cases until now, for where that and the dispatch catalogue say different things."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from lianxin.cases.models import Case
from lianxin.cases.reference import Body, reference

LOOKED_AT: Final = 200  # newest cases of the category
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
    rows = Case.objects.filter(category_id=category_id).order_by("-id").values_list("lead_unit_id", "county_id")[:LOOKED_AT]
    leads = Counter(unit for unit, county in rows if unit is not None and county_id in (None, county))
    total = sum(leads.values())
    if total < LEAST:
        return None
    (unit_id, cases), *_others = leads.most_common(1)
    unit = reference().units.get(unit_id)
    return Usual(unit, cases, total) if unit is not None and cases / total >= MOST else None
