"""Surges of the city's own cases: counties × branches of categories × days, against the level usual for the weekday.

A merged case counts as the report it is. Days begin where the city's do. The day that runs counts as far as it has come:
what rings then would ring at its end as well.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils.timezone import get_default_timezone, localdate

from lianxin.cases.reference import reference

from .gathering import taken
from .models import HotSurge
from .surges import WINDOW, Series, Surge, surges

SHOWN: Final = 14  # days that are looked at, the running one included


def find_surges(at: datetime) -> int:
    """Work out the surges of the last `SHOWN` days and keep them in place of those kept before. How many there are."""
    today = localdate(at)
    first = today - timedelta(days=WINDOW + SHOWN - 1)
    counts, begun = _counts(first, WINDOW + SHOWN)
    # The days before the city began to count would make everything look like a surge.
    found = [one for one in surges(counts, first) if (one.day - begun).days >= WINDOW] if begun is not None else []
    with transaction.atomic():
        HotSurge.objects.all().delete()
        HotSurge.objects.bulk_create([_row(one) for one in found])
    return len(found)


def _row(surge: Surge) -> HotSurge:
    return HotSurge(county_id=int(surge.place), category_id=int(surge.category), day=surge.day, count=surge.count,
                    expected=surge.expected, chance=surge.chance)


def _counts(first: date, days: int) -> tuple[dict[Series, Any], date | None]:
    """Reports per county, branch and day, counted by the database; and the first day on which there were any."""
    import numpy as np

    begin = datetime.combine(first, time(), get_default_timezone())
    held = reference()
    rows = taken().filter(registered_at__gte=begin, county__isnull=False, category__isnull=False).annotate(
        day=TruncDate("registered_at", tzinfo=get_default_timezone())).values_list("county_id", "category_id", "day").annotate(
        number=Count("pk")).order_by()
    counts: dict[Series, Any] = {}
    begun: date | None = None
    for county, category, day, number in rows:
        branch = branch_of(held.nodes[category].lineage) if category in held.nodes else category
        values = counts.setdefault((str(county), str(branch)), np.zeros(days, dtype=np.int64))
        if 0 <= (offset := (day - first).days) < days:
            values[offset] += number
        begun = min(begun, day) if begun else day
    return counts, begun


def branch_of(lineage: tuple[int, ...]) -> int:
    """The second level of the tree: below it most series are too small for any day to stand out."""
    return lineage[-2] if len(lineage) > 1 else lineage[-1]


