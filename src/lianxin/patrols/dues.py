"""When a place of a round falls due: from the round and the last time, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil

from django.db.models import F, Max, Q
from django.utils.timezone import make_aware

from lianxin.cases.clocks import calendar_named
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.places import locate
from lianxin.places.models import Area, Site
from lianxin.worktime import AnyCalendar

from .models import Inspection, Round, RoundPlace

MOST_DAYS_OFF = 31  # no calendar closes for longer; one that did would make its places due on a day off


@dataclass(frozen=True, slots=True)
class Due:
    """One place of a round. `opens` is the first day on which it is offered, from half its interval on; `last` the day it was
    done last. Compares as it falls due."""

    round: Round
    place: RoundPlace
    day: date
    opens: date
    at: datetime
    last: datetime | None

    @property
    def site(self) -> Site | None:
        return self.place.site

    @property
    def area(self) -> Area | None:
        return self.place.area

    @property
    def name(self) -> str:
        found = self.place.site or self.place.area
        return found.name if found is not None else ""

    @property
    def code(self) -> str:
        """The site's or the area's."""
        found = self.place.site or self.place.area
        return found.code if found is not None else ""

    @property
    def overdue(self) -> bool:
        return self.at < now()


def due_day(calendar: AnyCalendar, *, last: date, every: int) -> date:
    """`every` days after `last`, or the first working day from then on."""
    day = last + timedelta(days=every)
    for _day in range(MOST_DAYS_OFF):
        if calendar.is_working_day(day):
            return day
        day += timedelta(days=1)
    return last + timedelta(days=every)


def end_of(calendar: AnyCalendar, day: date) -> datetime:
    """When the calendar's work ends on a day; the day's last minute where it has no hours, or works until midnight."""
    spans = calendar.spans_on(day)
    if not spans or spans[-1][1] == time(0, 0):
        return make_aware(datetime.combine(day, time(23, 59)))
    return make_aware(datetime.combine(day, spans[-1][1]))


def lineage_of(place: RoundPlace | Site | Area) -> frozenset[int]:
    """Ids of the areas a place lies in. A site written down under a town or a county also lies in the village or grid that
    its position is in."""
    places = reference().places
    if isinstance(place, RoundPlace):
        found = place.site or place.area
        assert found is not None
        place = found
    if isinstance(place, Area):
        return frozenset(places[place.pk].lineage) if place.pk in places else frozenset()
    held = places.get(place.area_id)
    lineage = frozenset(held.lineage) if held else frozenset()
    if place.lon is not None and place.lat is not None:
        hit = locate.locate(place.lon, place.lat)
        if hit.area_id in places and (held is None or held.id in places[hit.area_id].lineage):
            lineage |= frozenset(places[hit.area_id].lineage)
    return lineage


def _last(rounds: Iterable[Round]) -> Mapping[tuple[int, int | None, int | None], datetime]:
    """When each form was last filled in at each place: form, site, area."""
    forms = {one.form_id for one in rounds}
    rows = Inspection.objects.filter(version__form__in=forms).values_list("version__form", "site", "area").annotate(
        last=Max("at")).order_by()
    return {(form, site, area): last for form, site, area, last in rows}


def in_force(on: date) -> Q:
    """Rounds that are walked on a day."""
    return Q(active=True, form__active=True, valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))


def dues(areas: Iterable[int] | None, *, on: date | None = None) -> list[Due]:
    """Every place of the rounds in force that lies in one of the areas (None: anywhere), soonest due first. Four queries,
    however many places."""
    day = on or today_of(now())
    rounds = {one.pk: one for one in Round.objects.filter(in_force(day)).select_related("form")}
    last = _last(rounds.values())
    wanted = None if areas is None else frozenset(areas)
    found = []
    for place in RoundPlace.objects.filter(round__in=rounds).select_related("site", "area").order_by(F("site__code"), F("area__code")):
        if wanted is None or not wanted.isdisjoint(lineage_of(place)):
            found.append(_due(rounds[place.round_id], place, last.get((rounds[place.round_id].form_id, place.site_id, place.area_id))))
    return sorted(found, key=lambda one: (one.at, one.round.code))


def _due(one: Round, place: RoundPlace, last: datetime | None) -> Due:
    calendar = calendar_named(one.calendar)
    start = one.valid_from - timedelta(days=1)
    done = max(today_of(last), start) if last is not None else start
    day = due_day(calendar, last=done, every=one.every)
    return Due(one, place, day, done + timedelta(days=ceil(one.every / 2)), end_of(calendar, day), last)
