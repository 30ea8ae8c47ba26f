"""Reads for the desk: what falls due by place, what was found, and the answers as a table. Never by worker."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _

from lianxin.cases.queries import cursor_of, time_and_id
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotFound
from lianxin.kernel.language import listed
from lianxin.organisations.actors import Actor
from lianxin.places.models import Site

from . import engine, forms
from .dues import Due, dues, lineage_of
from .models import CheckIn, FormVersion, Inspection, InspectionPhoto, RoundPlace
from .policy import areas_of, within

PAGE = 50
MOST_DUE = 300
CHECK_INS = 20
MOST_EXPORTED = 20_000
SOON = timedelta(days=3)
OVERDUE, COMING, LATER = "overdue", "soon", "later"


@dataclass(frozen=True, slots=True)
class Board:
    """What falls due: the places of one standing, soonest first, and how many there are of each. `left_out` are those beyond
    those asked for."""

    rows: Sequence[Due]
    counts: Mapping[str, int]
    left_out: int


def standing_of(due: Due, at: datetime) -> str:
    """`overdue`, `soon` within three days, or `later`."""
    return OVERDUE if due.at < at else COMING if due.at < at + SOON else LATER


def due_board(actor: Actor, *, standing: str = "", code: str = "", most: int = MOST_DUE) -> Board:
    """The places somebody answers for, of one round or of all, at most `most` of them."""
    at = now()
    found = [one for one in dues(areas_of(actor)) if not code or one.round.code == code]
    counts = Counter(standing_of(one, at) for one in found)
    wanted = [one for one in found if not standing or standing_of(one, at) == standing]
    return Board(wanted[:most], counts, max(0, len(wanted) - most))


def _places(actor: Actor) -> Q:
    """The condition of inspections at places somebody sees."""
    areas = areas_of(actor)
    if areas is None:
        return Q()
    sites = [site.pk for site in Site.objects.all() if within(lineage_of(site), areas)]
    own = [pk for pk, place in reference().places.items() if within(place.lineage, areas)]
    return Q(site__in=sites) | Q(area__in=own)


def _shown() -> QuerySet[Inspection]:
    return Inspection.objects.select_related("version__form", "site", "area", "case")


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Inspection]
    after: str


def inspections(actor: Actor, *, form: str = "", place: str = "", after: str = "", limit: int = PAGE) -> Page:
    """What was found, the newest first: of one form, and at one place (its code)."""
    found = _shown().filter(_places(actor)).order_by("-at", "-pk")
    if form:
        found = found.filter(version__form__code=form)
    if place:
        found = found.filter(Q(site__code=place) | Q(area__code=place))
    position = time_and_id(after) if after else None
    if position is not None:
        found = found.filter(Q(at__lt=position[0]) | Q(at=position[0], pk__lt=position[1]))
    rows = list(found[:limit + 1])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], cursor_of(last.at, last.pk) if last is not None else "")


def check_ins_at(actor: Actor, place: str) -> list[CheckIn]:
    """The newest check-ins at a site (its code), for those who see it: when and how somebody was there, not who."""
    site = Site.objects.filter(code=place).first()
    if site is None or not within(lineage_of(site), areas_of(actor)):
        return []
    return list(CheckIn.objects.filter(site=site).defer("staff").order_by("-at")[:CHECK_INS])


def access_inspection(actor: Actor, pk: uuid.UUID) -> Inspection:
    """One inspection with its photos. Raises NotFound also for one at a place that is not the reader's to see."""
    row = _shown().filter(pk=pk).first()
    place = row.site or row.area if row is not None else None
    if row is None or place is None or not within(lineage_of(place), areas_of(actor)):
        raise NotFound()
    return row


def photos_of(inspection: Inspection) -> dict[str, InspectionPhoto]:
    """Question → its photo, of those that are still kept."""
    rows = InspectionPhoto.objects.filter(inspection=inspection, attachment__removed_at__isnull=True)
    return {row.question: row for row in rows.select_related("attachment")}


def photos_held() -> Q:
    """The attachments that inspections hold: they belong to no case and stay all the same."""
    return Q(pk__in=InspectionPhoto.objects.values("attachment"))


def access_photo(actor: Actor, inspection_id: uuid.UUID, question: str) -> InspectionPhoto:
    """Raises NotFound."""
    found = photos_of(access_inspection(actor, inspection_id)).get(question)
    if found is None:
        raise NotFound()
    return found


def sites_with_codes(actor: Actor, *, kind: str = "", code: str = "", on_rounds: bool = True) -> list[Site]:
    """Sites whose codes somebody may print, by code."""
    rows = Site.objects.filter(active=True).select_related("area").order_by("code")
    if on_rounds:
        rows = rows.filter(pk__in=RoundPlace.objects.filter(round__active=True, site__isnull=False).values("site"))
    if kind:
        rows = rows.filter(kind=kind)
    if code:
        rows = rows.filter(code=code)
    areas = areas_of(actor)
    return [site for site in rows if areas is None or within(lineage_of(site), areas)]


def _columns(versions: Sequence[FormVersion]) -> dict[str, Mapping[str, Any]]:
    """Questions that the table has a column for, by name: the newest version's, then what older ones asked. Words somebody
    wrote and photos are left out: a name may stand in them."""
    found: dict[str, Mapping[str, Any]] = {}
    for version in versions:
        for question in version.definition["questions"]:
            if question["kind"] in ("one", "many", "number"):
                found.setdefault(question["name"], question)
    return found


def answers_table(actor: Actor, form: str, *, since: date, until: date) -> Iterator[list[str]]:
    """The answers to one form from one day to another, both included: a header, then a row for each inspection, the oldest
    first, at most `MOST_EXPORTED`. No worker stands in it. Raises NotFound for a form there never was."""
    versions = list(FormVersion.objects.filter(form__code=form).order_by("-number"))
    if not versions:
        raise NotFound()
    columns = _columns(versions)
    yield [_("时间"), _("地点代码"), _("地点"), _("版本"), *(forms.words(one) for one in columns.values()), _("发现的问题"), _("工单")]
    start, end = (make_aware(datetime.combine(day, time.min)) for day in (since, until + timedelta(days=1)))
    rows = _shown().filter(_places(actor), version__form__code=form, at__gte=start, at__lt=end).order_by("at", "pk")
    for row in rows[:MOST_EXPORTED].iterator(chunk_size=1_000):
        place = row.site or row.area
        asked = {question["name"]: question for question in row.version.definition["questions"]}
        yield [
            localtime(row.at).strftime("%Y-%m-%d %H:%M"), place.code if place else "", place.name if place else "", str(row.version.number),
            *(forms.said_of(asked[name], row.answers[name]) if name in asked and name in row.answers else "" for name in columns),
            listed(forms.offered(row.version, row.answers)), row.case.number if row.case else "",
        ]


def failed(inspection: Inspection) -> Sequence[str]:
    """The points that failed, in the reader's words."""
    return [forms.words(rule) for rule in engine.offers(inspection.version.definition, inspection.answers)]
