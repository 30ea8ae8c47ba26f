"""The ledger of returns: who gave back what, why, what was ruled, how long that took. Counts with the entries behind them.

A supervisor, a dispatcher and the leading group see the city or their county, a unit's clerks and head their unit's own.
Counts are no ranking: a unit that returns much may be sent what is not its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Aggregate, Count, FloatField, Q, QuerySet

from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role

from . import policy
from .models import Case, Clock, ClockKind, Return, ReturnRuling, State
from .queries import PAGE, Filters, Page, cursor_of, rows, time_and_id
from .reference import reference
from .search import number_in, walking

ROLES: Final = frozenset({Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER, Role.CLERK, Role.HEAD})
RULINGS: Final = (ReturnRuling.WAITING, ReturnRuling.UPHELD, ReturnRuling.REJECTED, ReturnRuling.JOINT, ReturnRuling.LAPSED)
NO_RULE: Final = "none"
NO_CATEGORY: Final = "none"
# What a count is by → the columns that name a group.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "unit": ("unit__code",), "category": ("category__code",), "reason": ("reason",),
    "rule": ("rule__category__code", "rule__area__code", "rule__lead_unit__code"),
}


def visible_to(actor: Actor) -> Q:
    """The entries an actor may see: what they see of the cases, by the roles that read this ledger."""
    if actor.kind is Kind.SYSTEM:
        return Q()
    scope = policy.scope_of(replace(actor, grants=tuple(grant for grant in actor.grants if grant.role in ROLES)))
    if actor.kind is not Kind.STAFF:
        return Q(pk__in=[])
    if scope.everything:
        return Q()
    return Q(unit_id__in=sorted(scope.unit_ids)) | Q(case__county_id__in=sorted(scope.county_ids))


@dataclass(frozen=True, slots=True)
class Narrow:
    """What the ledger is narrowed by: raised from `since` on and before `until`; codes; `rule` as `rule_key` gives it;
    `category` may be `NO_CATEGORY`."""

    since: datetime | None = None
    until: datetime | None = None
    unit: str = ""
    category: str = ""
    reason: str = ""
    ruling: str = ""
    rule: str = ""
    number: str = ""

    def q(self) -> Q:
        held, query = reference(), Q()
        if self.since:
            query &= Q(raised_at__gte=self.since)
        if self.until:
            query &= Q(raised_at__lt=self.until)
        if self.unit:
            query &= Q(unit_id__in=[unit.id for unit in held.units.values() if unit.code == self.unit])
        if self.category == NO_CATEGORY:
            query &= Q(category__isnull=True)
        elif self.category:
            query &= Q(category_id__in=[node.id for node in held.nodes.values() if node.code.startswith(self.category)])
        if self.reason:
            query &= Q(reason=self.reason)
        if self.ruling:
            query &= Q(ruling=self.ruling)
        if self.number:
            query &= Q(case__number=self.number)
        if self.rule == NO_RULE:
            query &= Q(rule__isnull=True)
        elif self.rule:
            category, area, lead = (*self.rule.split("~"), "", "")[:3]
            query &= Q(rule__category__code=category) if category else Q(rule__category__isnull=True)
            query &= Q(rule__area__code=area) if area else Q(rule__area__isnull=True)
            query &= Q(rule__lead_unit__code=lead, rule__isnull=False)
        return query


def rule_key(category: str | None, area: str | None, lead: str | None) -> str:
    """A rule by what it says, the same from one version to the next; `none` for a dispatch that no rule led to."""
    return "~".join((category or "", area or "", lead)) if lead else NO_RULE


class Median(Aggregate):
    """The middle of the values, PostgreSQL's `percentile_cont(0.5)`."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Tally:
    """The returns of one group: `key` as `Narrow` takes it, how many in all and by ruling, and the median time of the
    rulings in working minutes (None when none was ruled on)."""

    key: str
    total: int
    waiting: int
    upheld: int
    rejected: int
    joint: int
    lapsed: int
    minutes: int | None


def _counts() -> dict[str, Any]:
    return {"total": Count("id"), "minutes": Median("minutes", filter=Q(ruled_by__isnull=False)),
            **{ruling.value: Count("id", filter=Q(ruling=ruling)) for ruling in RULINGS}}


def _tally(key: str, found: dict[str, Any]) -> Tally:
    minutes = found["minutes"]
    return Tally(key, found["total"], minutes=round(minutes) if minutes is not None else None,
                 **{ruling.value: found[ruling.value] for ruling in RULINGS})


def entries(actor: Actor, narrow: Narrow) -> QuerySet[Return]:
    return Return.objects.filter(visible_to(actor), narrow.q())


def total(actor: Actor, narrow: Narrow) -> Tally:
    """All of it. One query."""
    return _tally("", entries(actor, narrow).aggregate(**_counts()))


def tallies(actor: Actor, narrow: Narrow, by: str) -> list[Tally]:
    """Counted by `unit`, `category`, `reason` or `rule`, the most first. One query."""
    columns = GROUPS[by]
    found = entries(actor, narrow).order_by().values(*columns).annotate(**_counts()).order_by("-total", *columns)
    return [_tally(rule_key(*(row[name] for name in columns)) if by == "rule" else row[columns[0]] or NO_CATEGORY, row)
            for row in found]


@dataclass(frozen=True, slots=True)
class Entries:
    """One page of entries, newest first; `after` opens the next."""

    rows: list[Return]
    after: str = ""


def page(actor: Actor, narrow: Narrow, *, after: str = "", limit: int = PAGE) -> Entries:
    """Entries with their case, unit, rule and ruler. Two queries at most."""
    found = entries(actor, narrow).select_related(
        "case", "unit", "category", "suggested_unit", "ruled_by", "rule__category", "rule__area", "rule__lead_unit",
        "rule__version")
    if position := time_and_id(after):
        at, pk = position
        found = found.filter(Q(raised_at__lt=at) | Q(raised_at=at, id__lt=pk), raised_at__lte=at)
    listed = list(found.order_by("-raised_at", "-id")[: limit + 1])
    more = len(listed) > limit
    return Entries(listed[:limit], cursor_of(listed[limit - 1].raised_at, listed[limit - 1].pk) if more else "")


def to_rule(actor: Actor, *, filters: Filters, after: str = "", limit: int = PAGE) -> Page:
    """Cases with a return to be ruled on, in the order in which the ruling is due. What filters say of what is due is
    meant of the ruling."""
    cases = Case.objects.filter(policy.visible_to(actor), replace(filters, overdue_at=None, due_before=None, due_from=None).q())
    clocks = Clock.objects.filter(kind=ClockKind.RULING, met_at__isnull=True, stopped_at__isnull=True,
                                  case__state=State.OBJECTED, case__in=cases)
    before = filters.overdue_at or filters.due_before
    if before is not None:
        clocks = clocks.filter(due_at__lt=before)
    if filters.due_from is not None:
        clocks = clocks.filter(due_at__gte=filters.due_from)
    if number := number_in(filters.text):
        clocks = clocks.filter(case__number=number)
    elif filters.text:
        clocks = walking(clocks, filters.text)
    if position := time_and_id(after):
        at, pk = position
        clocks = clocks.filter(Q(due_at__gt=at) | Q(due_at=at, id__gt=pk), due_at__gte=at)
    heads = list(clocks.order_by("due_at", "id").values_list("case_id", "due_at", "id")[: limit + 1])
    found = {case.pk: case for case in rows(Case.objects.filter(pk__in=[case_id for case_id, _due, _pk in heads[:limit]]))}
    listed = []
    for case_id, due, _pk in heads[:limit]:
        if case := found.get(case_id):
            case.ruling_due = due
            listed.append(case)
    return Page(listed, cursor_of(*heads[limit - 1][1:]) if len(heads) > limit else "")
