"""The weekly joint review: what was refused, negotiated, defaulted, sent back and forth or looked at too late – by category, with
numerators and denominators. It counts matters, never people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.timezone import localdate, make_aware

from lianxin.cases.models import Category
from lianxin.kernel.clock import now

from .models import Direction, Handover, HandoverStep, Partner, Term, TermList
from .states import HandoverState
from .wire import Kind, Mode

PING_PONG = 2  # changes of hands from which a matter went back and forth
LISTED = 200
REFUSED = (HandoverState.REFUSED.value, HandoverState.DEFAULTED.value)


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday, local days; `until` is exclusive."""

    first: date

    @property
    def since(self) -> datetime:
        return make_aware(datetime.combine(self.first, time.min))

    @property
    def until(self) -> datetime:
        return make_aware(datetime.combine(self.first + timedelta(days=7), time.min))

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)

    @property
    def before(self) -> date:
        return self.first - timedelta(days=7)

    @property
    def after(self) -> date:
        return self.first + timedelta(days=7)


def week_of(day: date | None = None) -> Week:
    """The week that holds a day, by default the last whole one."""
    wanted = day or localdate(now()) - timedelta(days=7)
    return Week(wanted - timedelta(days=wanted.weekday()))


@dataclass(slots=True)
class Line:
    """The figures of one category: each out of `offers`, those made in the week, but for `back_and_forth`, which is out of
    `matters`. `category` is None for what nobody had given one of ours; `theirs` is then the partner's word."""

    category: Category | None
    theirs: str = ""
    offers: int = 0
    out: int = 0
    refused: int = 0
    negotiated: int = 0
    defaulted: int = 0
    late: int = 0
    matters: int = 0
    back_and_forth: int = 0

    @property
    def key(self) -> str:
        return self.category.code if self.category is not None else f"~{self.theirs}"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for refusing: how often each side gave it."""

    code: str
    said: str
    times: int
    by_us: int

    @property
    def by_them(self) -> int:
        return self.times - self.by_us


@dataclass(frozen=True, slots=True)
class Review:
    week: Week
    whole: Line
    lines: list[Line] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def _of(week: Week, partner: Partner | None) -> QuerySet[Handover]:
    found = Handover.objects.filter(offered_at__gte=week.since, offered_at__lt=week.until)
    return found if partner is None else found.filter(matter__partner=partner)


def _steps(**narrow: object) -> Exists:
    return Exists(HandoverStep.objects.filter(handover=OuterRef("pk"), **narrow))


_NEGOTIATED, _LATE = _steps(kind=Kind.NEGOTIATE.value), _steps(kind="late")


def _changes(week: Week, partner: Partner | None) -> dict[object, int]:
    """How often each matter that moved in the week has changed hands so far, by matter: accepted transfers."""
    moved = _of(week, partner).values("matter")
    rows = (Handover.objects.filter(matter__in=moved, mode=Mode.TRANSFER.value, decided_at__lt=week.until)
            .exclude(state__in=[*REFUSED, HandoverState.WITHDRAWN.value]).values("matter")
            .annotate(times=Count("pk")).values_list("matter", "times"))
    return dict(rows)


def _keyed(lines: dict[str, Line], categories: dict[int, Category], category_id: int | None, theirs: str) -> Line:
    category = categories.get(category_id or 0)
    fresh = Line(category, "" if category is not None else theirs)
    return lines.setdefault(fresh.key, fresh)


def review(week: Week, partner: Partner | None = None) -> Review:
    """The figures of a week, of one partner or of all. Four queries."""
    rows = list(_of(week, partner).annotate(was_negotiated=_NEGOTIATED, was_late=_LATE).values_list(
        "matter", "matter__case__category", "category", "category_theirs", "direction", "state", "was_negotiated", "was_late", "refusal"))
    categories = Category.objects.in_bulk({row[1] or row[2] for row in rows if row[1] or row[2]})
    changes, whole = _changes(week, partner), Line(None)
    lines: dict[str, Line] = {}
    seen: dict[object, Line] = {}
    reasons: dict[str, list[int]] = {}
    for matter, real, named, theirs, direction, state, negotiated, late, refusal in rows:
        line = _keyed(lines, categories, real or named, theirs)
        for one in (line, whole):
            one.offers += 1
            one.out += direction == Direction.OUT
            one.refused += state == HandoverState.REFUSED
            one.defaulted += state == HandoverState.DEFAULTED
            one.negotiated += negotiated
            one.late += late
            if matter not in seen:
                one.matters += 1
                one.back_and_forth += changes.get(matter, 0) >= PING_PONG
        seen.setdefault(matter, line)
        if state in REFUSED:
            count = reasons.setdefault(refusal, [0, 0])
            count[0] += 1
            count[1] += direction == Direction.IN
    ordered = sorted(lines.values(), key=lambda one: (-(one.refused + one.defaulted + one.negotiated + one.back_and_forth), -one.offers))
    return Review(week, whole, ordered, _reasons(reasons))


def _reasons(counts: dict[str, list[int]]) -> list[Reason]:
    words = {term.code: term.said for term in Term.objects.filter(list=TermList.REFUSAL, code__in=counts)}
    return sorted((Reason(code, words.get(code, code), times, by_us) for code, (times, by_us) in counts.items()),
                  key=lambda one: -one.times)


def behind(week: Week, which: str, *, partner: Partner | None = None, category: str = "") -> list[Handover]:
    """The handovers behind one number, newest first. `which` is `offers`, `refused`, `negotiated`, `defaulted`, `late` or
    `back_and_forth`; `category` a `Line.key`."""
    found = _of(week, partner).select_related("matter__partner", "matter__case__category", "category")
    wanted = {
        "offers": Q(), "refused": Q(state=HandoverState.REFUSED), "defaulted": Q(state=HandoverState.DEFAULTED),
        "negotiated": Q(_NEGOTIATED), "late": Q(_LATE),
        "back_and_forth": Q(matter__in=[pk for pk, times in _changes(week, partner).items() if times >= PING_PONG]),
    }[which]
    found = found.filter(wanted)
    if category.startswith("~"):
        found = found.filter(matter__case__category__isnull=True, category__isnull=True, category_theirs=category[1:])
    elif category:
        found = found.filter(Q(matter__case__category__code=category)
                             | Q(matter__case__category__isnull=True, category__code=category))
    if which == "back_and_forth":  # each matter once: its last
        found = found.annotate(last=Window(RowNumber(), partition_by=F("matter"), order_by=F("offered_at").desc())).filter(last=1)
    return list(found.order_by("-offered_at")[:LISTED])


WHICH = ("offers", "refused", "negotiated", "defaulted", "late", "back_and_forth")


def partners() -> Iterable[Partner]:
    return Partner.objects.filter(active=True).order_by("-emergencies", "service", "code")
