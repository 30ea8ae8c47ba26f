"""What is said of an issue, from its reports: how many, by how many, where, since when, whose, and whether it rises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import localdate

from lianxin.cases.reference import reference
from lianxin.places.models import Area

from .gathering import Report, middle
from .issues import RECENT, direction
from .models import DAYS, HotIssue


@dataclass(frozen=True, slots=True)
class Counted:
    """The columns of an issue that come from its cases."""

    area_id: int | None
    category_id: int | None
    unit_id: int | None
    lon: float | None
    lat: float | None
    first_at: datetime
    last_at: datetime
    cases: int
    reporters: int
    anonymous: int
    days: list[int]
    trend: str
    counted_at: datetime

    @property
    def voices(self) -> int:
        return self.reporters + self.anonymous

    def onto(self, issue: HotIssue) -> HotIssue:
        for name in (*self.__slots__, "voices"):
            setattr(issue, name, getattr(self, name))
        return issue


def counted(reports: Sequence[Report], at: datetime) -> Counted:
    """At least one report. People are told apart by the keyed hash of their number and only their number is kept; a report
    without one counts as one voice."""
    people = {one.person for one in reports if one.person is not None}
    today = localdate(at)
    ago = [(today - localdate(one.at)).days for one in reports]
    by_day = Counter(ago)
    recent = sum(days < RECENT for days in ago)
    before = sum(RECENT <= days < 2 * RECENT for days in ago)
    first, last = min(one.at for one in reports), max(one.at for one in reports)
    area = _area(one.area or one.county for one in reports)
    position = middle(reports) or _position(area)
    return Counted(
        area_id=area, category_id=_most(one.category for one in reports), unit_id=_most(one.unit for one in reports),
        lon=position[0] if position else None, lat=position[1] if position else None, first_at=first, last_at=last,
        cases=len({one.head for one in reports}), reporters=len(people), anonymous=sum(one.person is None for one in reports),
        days=[by_day[days] for days in range(DAYS - 1, -1, -1)],
        trend=direction(recent, before, today - localdate(first)), counted_at=at,
    )


def _most(values: Iterable[int | None]) -> int | None:
    """What most have, of those that have any; the lower id where two are level."""
    known = Counter(value for value in values if value is not None)
    return min(known, key=lambda value: (-known[value], value)) if known else None


def _area(values: Iterable[int | None]) -> int | None:
    """The smallest area in which more than half of those lie that are placed at all."""
    placed = [held for value in values if value is not None and (held := reference().places.get(value))]
    inside = Counter(key for place in placed for key in place.lineage)
    holding = [key for key, count in inside.items() if 2 * count > len(placed)]
    return max(holding, key=lambda key: (len(reference().places[key].lineage), -key), default=None)


def _position(area_id: int | None) -> tuple[float, float] | None:
    if area_id is None:
        return None
    lon, lat = Area.objects.values_list("lon", "lat").get(pk=area_id)
    return (lon, lat) if lon is not None and lat is not None else None
