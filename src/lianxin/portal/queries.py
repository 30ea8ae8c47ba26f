"""What residents read: quick topics, cases that are public, the city in a few honest numbers."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Q, QuerySet

from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import (
    Attachment,
    Case,
    Category,
    Clock,
    ClockKind,
    Kind,
    Publication,
    State,
    Submission,
    Urgency,
)
from lianxin.cases.queries import cursor_of, read_cursor
from lianxin.cases.reference import reference
from lianxin.kernel.ids import uuid7_floor
from lianxin.kernel.language import named
from lianxin.places.models import City
from lianxin.places.queries import children
from lianxin.quality.models import CallbackAttempt, CallbackOutcome, Rating
from lianxin.worktime import AROUND_THE_CLOCK

PAGE = 20
FIGURES_FOR = 300  # seconds
PERIOD = timedelta(days=30)
LONGEST = timedelta(days=60)  # no limit is longer: keys hold the time, so older rows need not be read


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to pick: its code, and its name in the reader's language."""

    code: str
    name: str


def _plain(name: str, name_en: str, plain: str, plain_en: str) -> str:
    return named(plain or name, plain_en or name_en)


def quick_topics() -> list[Topic]:
    """What people raise most, in their words, in the city's order."""
    found = Category.objects.filter(quick_topic__isnull=False, is_leaf=True, active=True).order_by("quick_topic", "code")
    return [Topic(code, _plain(*names)) for code, *names in
            found.values_list("code", "name", "name_en", "plain_name", "plain_name_en")]


def plain_names(codes: Sequence[str]) -> dict[str, str]:
    """Categories as people call them."""
    wanted = [code for code in codes if code]
    if not wanted:
        return {}
    found = Category.objects.filter(code__in=wanted)
    return {code: _plain(*names) for code, *names in
            found.values_list("code", "name", "name_en", "plain_name", "plain_name_en")}


def areas_under(code: str) -> list[Topic]:
    """The areas right under one, to pick from, by the names people say."""
    if not code:
        return []
    held = reference().places
    return [Topic(one.code, named(one.name, held[one.id].name_en if one.id in held else "")) for one in children(code)]


def counties() -> list[Topic]:
    """The city's counties and districts, to pick one."""
    return areas_under(City.objects.values_list("code", flat=True).first() or "")


def promised(case: Case) -> Clock | None:
    """The clock of the answer itself: the last round's, or that of what another service tells."""
    return Clock.objects.filter(
        case=case, kind__in=[ClockKind.RESOLVE, ClockKind.HANDOVER], assignment__isnull=True).order_by("-started_at", "-id").first()


def own_files(case: Case) -> list[Attachment]:
    """What the reporter added."""
    return list(Attachment.objects.filter(case=case, by_reporter=True, removed_at__isnull=True).order_by("created_at"))


def file_of(case_id: uuid.UUID | None, pk: uuid.UUID) -> Attachment | None:
    """A file of a case that its reporter may open: their own, or one cleared for the public."""
    if case_id is None:
        return None
    return Attachment.objects.filter(Q(by_reporter=True) | Q(public=True), pk=pk, case_id=case_id).first()


def upload_of(pk: uuid.UUID) -> Attachment | None:
    return Attachment.objects.filter(pk=pk, by_reporter=True).first()


def sent_with(key: bytes) -> Case | None:
    """The case that an earlier sending of the same form made."""
    earlier = Submission.objects.filter(key=key).select_related("case").first()
    return earlier.case if earlier else None


def place_path(area_id: int | None) -> str:
    """`岳阳楼区 › 金鹗山街道 › 花板桥社区`: what people call the place; grids are the administration's own."""
    held = reference()
    place = held.places.get(area_id) if area_id is not None else None
    if place is None:
        return ""
    around = [held.places[pk] for pk in reversed(place.lineage)]
    return " › ".join(one.said for one in around if one.level in ("county", "town", "village"))


@dataclass(frozen=True, slots=True)
class Promise:
    """How long an ordinary matter of one kind may take, in working days; an urgent one in hours."""

    kind: str
    days: int
    hours: int = 0


def promises(on: date) -> list[Promise]:
    """The city's own limits for an answer, by kind; urgent matters come first."""
    held, found = reference(), []
    for kind, urgency in [(Kind.HELP, Urgency.URGENT), *((kind, Urgency.NORMAL) for kind in Kind)]:
        try:
            limits = held.limits_for(category_id=None, kind=kind, urgency=urgency, on=on)
        except LookupError:
            continue
        label = Urgency.URGENT.label if urgency == Urgency.URGENT else kind.label
        calendar = calendar_named(limits.calendar)
        working = calendar is not AROUND_THE_CLOCK
        found.append(Promise(str(label), round(limits.resolve / calendar.minutes_a_day) if working else 0,
                             0 if working else round(limits.resolve / 60)))
    return found


def main_categories() -> list[Topic]:
    found = Category.objects.filter(level=1, active=True).order_by("code")
    return [Topic(code, _plain(name, name_en, "", "")) for code, name, name_en in
            found.values_list("code", "name", "name_en")]


@dataclass(frozen=True, slots=True)
class PublicPage:
    rows: list[Case]
    after: str = ""


def _public() -> QuerySet[Case]:
    return Case.objects.filter(publication=Publication.PUBLIC).select_related(
        "public_version__area", "category", "county", "lead_unit"
    )


def public_cases(*, county: str = "", area: str = "", category: str = "", text: str = "", after: str = "",
                 limit: int = PAGE) -> PublicPage:
    """Cleared cases, those still open first (newest first), then by closing time. Text is looked for in the cleared
    words only: the reporter's own words must not be found out by searching."""
    found = _public()
    if county:
        found = found.filter(county__code=county)
    if area:
        found = found.filter(public_version__area__code=area)
    if category:
        found = found.filter(category__code__startswith=category)
    for word in text.replace("\x00", "").split()[:6]:
        found = found.filter(Q(public_version__title__icontains=word) | Q(public_version__body__icontains=word))
    position = read_cursor(after)
    if position and len(position) == 2:
        with contextlib.suppress(ValueError):  # made up by hand: the first page
            found = found.filter(_beyond(*position))
    listed = list(found.order_by(F("closed_at").desc(nulls_first=True), "-id")[: limit + 1])
    last = listed[limit - 1] if len(listed) > limit else None
    return PublicPage(listed[:limit], cursor_of(last.closed_at or "", last.pk) if last else "")


def _beyond(closed: str, pk: str) -> Q:
    if not closed:
        return Q(closed_at__isnull=True, id__lt=uuid.UUID(pk)) | Q(closed_at__isnull=False)
    at = datetime.fromisoformat(closed)
    return Q(closed_at__lt=at) | Q(closed_at=at, id__lt=uuid.UUID(pk))


def public_case(number: str) -> Case | None:
    return _public().filter(number=number).first()


@dataclass(frozen=True, slots=True)
class Spot:
    """All public cases of one area, at the area's own position: where exactly is nobody's business."""

    code: str
    name: str
    lon: float
    lat: float
    synthetic: bool
    total: int
    open: int


def public_spots(*, box: tuple[float, float, float, float] | None = None, county: str = "", category: str = "",
                 limit: int = 2_000) -> list[Spot]:
    """Public cases counted by area. `box` is west, south, east, north in WGS-84 degrees."""
    found = Case.objects.filter(publication=Publication.PUBLIC, public_version__lon__isnull=False)
    if box is not None:
        west, south, east, north = box
        found = found.filter(public_version__lon__range=(west, east), public_version__lat__range=(south, north))
    if county:
        found = found.filter(county__code=county)
    if category:
        found = found.filter(category__code__startswith=category)
    area = "public_version__area__"
    rows = (
        found.order_by().values_list(f"{area}code", f"{area}name", f"{area}name_en", "public_version__lon",
                                     "public_version__lat", f"{area}synthetic")
        .annotate(total=Count("id"), still=Count("id", filter=Q(closed_at__isnull=True)))
        .order_by("-total", f"{area}code")[:limit]
    )
    return [Spot(code or "", named(name or "", name_en or ""), lon, lat, bool(synthetic), total, still)
            for code, name, name_en, lon, lat, synthetic, total, still in rows]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many. `low` and `high` are Wilson's 95 % bounds in percent (Wilson 1927)."""

    part: int
    whole: int

    @property
    def percent(self) -> float:
        return 100 * self.part / self.whole if self.whole else 0.0

    @property
    def bounds(self) -> tuple[int, int]:
        if not self.whole:
            return 0, 100
        z, n, p = 1.96, self.whole, self.part / self.whole
        middle, reach = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return round(100 * max((middle - reach) / scale, 0)), round(100 * min((middle + reach) / scale, 1))


@dataclass(frozen=True, slots=True)
class Figures:
    """The last thirty days. `answered` of those whose answer was due in them; `solved` of those who were asked."""

    since: datetime
    registered: int
    in_hand: int
    answered: Share
    on_time: Share
    solved: Share


def _count_figures(at: datetime) -> dict[str, Any]:
    since = at - PERIOD
    clocks = Clock.objects.filter(kind=ClockKind.RESOLVE, assignment__isnull=True, stopped_at__isnull=True,
                                  due_at__gte=since, due_at__lte=at, id__gte=uuid7_floor(since - LONGEST))
    due = clocks.aggregate(
        whole=Count("id"), met=Count("id", filter=Q(met_at__isnull=False)),
        on_time=Count("id", filter=Q(met_at__lte=F("due_at"))),
    )
    # What each reporter said last, by telephone or on the tracking page.
    said: dict[uuid.UUID, tuple[datetime, bool]] = {}
    reached = CallbackAttempt.objects.filter(id__gte=uuid7_floor(since), at__gte=since, outcome=CallbackOutcome.REACHED,
                                              solved__isnull=False)
    rated = Rating.objects.filter(id__gte=uuid7_floor(since), at__gte=since)
    for rows in (reached, rated):
        for case_id, when, solved in rows.values_list("case_id", "at", "solved"):
            if case_id not in said or said[case_id][0] < when:
                said[case_id] = (when, bool(solved))
    return {
        "since": since,
        "registered": Case.objects.filter(registered_at__gte=since).count(),
        "in_hand": Case.objects.filter(
            state__in=[State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED,
                       State.HANDED_OVER]).count(),
        "answered": (due["met"], due["whole"]), "on_time": (due["on_time"], due["whole"]),
        "solved": (sum(solved for _at, solved in said.values()), len(said)),
    }


def figures(at: datetime) -> Figures:
    """Counted at most every five minutes for the whole installation."""
    held = cache.get("portal:figures")
    if held is None:
        held = _count_figures(at)
        cache.set("portal:figures", held, FIGURES_FOR)
    return Figures(held["since"], held["registered"], held["in_hand"], Share(*held["answered"]),
                   Share(*held["on_time"]), Share(*held["solved"]))
