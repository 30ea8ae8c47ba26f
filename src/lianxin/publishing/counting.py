"""How many matters there were, by county, kind of matter and month: of all, those too that have no record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils.timezone import localtime

from lianxin.cases.models import Category
from lianxin.kernel.clock import now
from lianxin.places.models import Area

from . import rules
from .models import Dated

UNKNOWN: Final = "-"

# Only months that are over and a week past: from a count that grows day by day the last day's could be taken.
_COUNTED: Final = """
SELECT to_char(date_trunc('month', c.registered_at AT TIME ZONE %(zone)s), 'YYYY-MM') AS month, coalesce(county.code, '-'),
  coalesce(top.code, '-'), count(*)
FROM cases_case c
LEFT JOIN places_area county ON county.id = c.county_id
LEFT JOIN (
  WITH RECURSIVE line AS (
    SELECT id, id AS top FROM cases_category WHERE parent_id IS NULL
    UNION ALL SELECT k.id, line.top FROM cases_category k JOIN line ON line.id = k.parent_id)
  SELECT line.id, k.code FROM line JOIN cases_category k ON k.id = line.top) top ON top.id = c.category_id
WHERE c.state NOT IN ('withdrawn', 'merged') AND c.registered_at < %(until)s
GROUP BY 1, 2, 3
"""


def months() -> dict[str, dict[rules.Cell, int]]:
    """Counts by month, and in it by county and top category."""
    until = rules.shown_time(Dated.MONTH, localtime(now()) - rules.LATEST)
    made: dict[str, dict[rules.Cell, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"zone": settings.TIME_ZONE, "until": until})
        for month, county, category, count in cursor.fetchall():
            made[month][county, category] = count
    return dict(sorted(made.items()))


def rows() -> Iterator[dict[str, Any]]:
    """The table as it is published, with its sums, by month, county and category; see columns.COUNTS."""
    counties = dict(Area.objects.filter(level="county").values_list("code", "name"))
    categories = dict(Category.objects.filter(level=1).values_list("code", "name"))
    for month, counts in months().items():
        for (county, category), count in sorted(rules.suppressed(counts).items()):
            yield {"month": month, "county": county or None, "county_name": counties.get(county), "category": category or None,
                   "category_name": categories.get(category), "registered": count, "withheld": count is None}
