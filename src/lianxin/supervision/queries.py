"""Reads of supervision: orders in keyset pages, listed matters with their milestones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, OuterRef, Q, Subquery

from lianxin.cases import policy
from lianxin.cases.models import Case, Clock, ClockKind, EventText
from lianxin.cases.queries import cursor_of, time_and_id
from lianxin.organisations.actors import Actor

from .models import Level, Listing, ListingState, Order, OrderState

PAGE = 50


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, newest first; `after` opens the next page."""

    rows: Sequence[Order]
    after: str = ""


def orders_for(actor: Actor, *, state: str = "", level: str = "", after: str = "", limit: int = PAGE) -> OrderPage:
    """Orders about cases that someone may see. Each has `said`, the supervisor's words, and `due_at`, empty when no
    answer is owed."""
    words = EventText.objects.filter(event_id=OuterRef("event_id"), field="demand").values("body")[:1]
    running = Clock.objects.filter(
        case_id=OuterRef("case_id"), kind=ClockKind.SUPERVISION, met_at__isnull=True, stopped_at__isnull=True
    ).values("due_at")[:1]
    found = Order.objects.filter(case__in=Case.objects.filter(policy.visible_to(actor)))
    if state in OrderState.values:
        found = found.filter(state=state)
    if level in Level.values:
        found = found.filter(level=level)
    if position := time_and_id(after):
        at, pk = position
        found = found.filter(Q(issued_at__lt=at) | Q(issued_at=at, pk__lt=pk))
    rows = list(
        found.select_related("case", "unit", "issued_by")
        .annotate(said=Subquery(words), due_at=Subquery(running)).order_by("-issued_at", "-id")[: limit + 1]
    )
    more = len(rows) > limit
    rows = rows[:limit]
    return OrderPage(rows, cursor_of(rows[-1].issued_at, rows[-1].pk) if more else "")


def listings(*, open_only: bool = False, unit_ids: frozenset[int] | None = None) -> list[Listing]:
    """Listed matters with their milestones and number of cases: open ones first by the day they are due, then those
    taken off the list, newest first. The list is public: everyone may read it."""
    found = Listing.objects.select_related("unit").prefetch_related("milestones").annotate(cases=Count("members"))
    if unit_ids is not None:
        found = found.filter(unit_id__in=unit_ids)
    running = list(found.exclude(state=ListingState.DELISTED).order_by("due_on", "issued_at"))
    if open_only:
        return [*running]
    return [*running, *found.filter(state=ListingState.DELISTED).order_by("-delisted_at")[:200]]


def listing_named(year: int, serial: int) -> Listing | None:
    """One listed matter by its number."""
    return (
        Listing.objects.filter(year=year, serial=serial).select_related("unit")
        .prefetch_related("milestones", "entries").first()
    )


def late(listing: Listing, today: date) -> int:
    """How many promises of an open matter are past their day: its milestones', and its own."""
    if listing.state == ListingState.DELISTED:
        return 0
    return sum(m.done_at is None and m.due_on < today for m in listing.milestones.all()) + (listing.due_on < today)
