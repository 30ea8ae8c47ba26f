"""What residents read: quick topics, their own files, limits, where public matters lie."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Count, Q

from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import (
    Attachment,
    Case,
    Category,
    Clock,
    ClockKind,
    Kind,
    Submission,
    Urgency,
)
from lianxin.cases.reference import reference
from lianxin.kernel.language import named
from lianxin.places.models import City
from lianxin.places.queries import children
from lianxin.publishing.models import Stage
from lianxin.publishing.queries import found
from lianxin.worktime import AROUND_THE_CLOCK

COUNTED_FOR = 300  # seconds
OPEN_STAGES: Final = (Stage.RECEIVED, Stage.WITH_UNIT, Stage.HANDED_OVER, Stage.ANSWERED)
DONE_STAGES: Final = (Stage.CLOSED, Stage.DECLINED)


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
class Spot:
    """The public records that lie in one area; `code` is empty for those that say no more than the whole."""

    code: str
    name: str
    total: int
    open: int


def public_spots(**narrowed: Any) -> list[Spot]:
    """The public records counted by the counties of the city, or by the towns of the county that is asked for; in the order of codes.
    `narrowed` is what `publishing.queries.found` takes."""
    held = reference()
    whole = held.places_by_code.get(narrowed.get("county", "")) or next((one for one in held.places.values() if one.level == "city"), None)
    if whole is None:
        return []
    key = hashlib.sha256(repr(sorted(narrowed.items())).encode()).hexdigest()[:32]
    parts: dict[int, tuple[int, int]] = {}
    for area, total, still in cache.get_or_set(f"portal:spots:{key}", lambda: _counted(narrowed), COUNTED_FOR) or ():
        lineage = held.places[area].lineage if area in held.places else ()
        at = lineage.index(whole.id) if whole.id in lineage else 0
        part = lineage[at - 1] if at else whole.id
        before = parts.get(part, (0, 0))
        parts[part] = before[0] + total, before[1] + still
    rest = parts.pop(whole.id, None)
    found_spots = [Spot(held.places[pk].code, held.places[pk].said, total, still) for pk, (total, still) in parts.items()]
    found_spots.sort(key=lambda one: one.code)
    return found_spots + ([Spot("", whole.said, *rest)] if rest else [])


def _counted(narrowed: dict[str, Any]) -> list[tuple[int, int, int]]:
    rows = found(**narrowed).filter(area__isnull=False).order_by().values_list("area_id")
    return list(rows.annotate(total=Count("pk"), still=Count("pk", filter=Q(stage__in=OPEN_STAGES))))
