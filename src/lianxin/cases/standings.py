"""Where everything stands: counts of open cases, each the length of a list that the desk can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from lianxin.organisations.actors import Actor

from . import policy
from .models import Case, Outcome, State
from .queries import MARKS, OWED

SOON = timedelta(days=1)
UNREACHED_DAYS = 30
BY = ("lead_unit", "county")
# Open, each matter once: a merged case is counted with its master, which is due when the earliest of them is.
STANDING = Q(due_at__isnull=False) & ~Q(state=State.MERGED)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many open cases stand in a state, how many of them are overdue or due within a day."""

    state: str
    total: int
    overdue: int
    soon: int


def _counts(at: datetime) -> dict[str, Count]:
    """What a board counts of open cases: overdue, about to be, bounced, redone, reopened, paused, under supervision."""
    return {
        "total": Count("id"),
        "overdue": Count("id", filter=Q(due_at__lt=at, paused=False) & OWED),
        "soon": Count("id", filter=Q(due_at__gte=at, due_at__lt=at + SOON, paused=False) & OWED),
        "returned": Count("id", filter=Q(returns__gt=0)),
        "redone": Count("id", filter=MARKS["redone"]),
        "reopened": Count("id", filter=Q(round__gt=1)),
        "paused": Count("id", filter=MARKS["paused"]),
        "for_supervisor": Count("id", filter=MARKS["for_supervisor"]),
        "supervised": Count("id", filter=MARKS["supervised"]),
    }


def _scope(actor: Actor, unit_id: int | None) -> QuerySet[Case]:
    """The cases a board is about: all that may be seen, or those one unit leads."""
    seen = Case.objects.filter(policy.visible_to(actor))
    return (seen if unit_id is None else seen.filter(lead_unit_id=unit_id)).order_by()


def standings(actor: Actor, *, at: datetime, unit_id: int | None = None) -> list[Standing]:
    """Open cases by state, from the indexes. One query."""
    counts = _counts(at)
    found = _scope(actor, unit_id).filter(STANDING).values("state").annotate(
        total=counts["total"], overdue=counts["overdue"], soon=counts["soon"]
    )
    return [Standing(row["state"], row["total"], row["overdue"], row["soon"]) for row in found]


def totals(actor: Actor, *, at: datetime, unit_id: int | None = None) -> dict[str, int]:
    """The board in one line. `unreached` counts cases of the last 30 days that closed with nobody reached."""
    found = _scope(actor, unit_id).filter(STANDING).aggregate(**_counts(at))
    found["unreached"] = _unreached(_scope(actor, unit_id), at).count()
    return found


def _unreached(cases: QuerySet[Case], at: datetime) -> QuerySet[Case]:
    return cases.filter(outcome=Outcome.UNREACHED, closed_at__gte=at - timedelta(days=UNREACHED_DAYS))


def standings_by(actor: Actor, column: str, *, at: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Open cases by lead unit or county with every count of `totals`, most overdue first. `column` is one of the two."""
    if column not in BY:
        raise ValueError(column)
    name = f"{column}__name"
    listed = list(
        _scope(actor, None).filter(STANDING)
        .exclude(**{f"{column}__isnull": True})
        .values(name, f"{name}_en", f"{column}__code", key=F(f"{column}_id"))
        .annotate(**_counts(at))
        .order_by("-overdue", "-total")[:limit]
    )
    unreached = dict(
        _unreached(_scope(actor, None), at).filter(**{f"{column}_id__in": [row["key"] for row in listed]})
        .values_list(f"{column}_id").annotate(number=Count("id"))
    )
    for row in listed:
        row["unreached"] = unreached.get(row["key"], 0)
    return listed
