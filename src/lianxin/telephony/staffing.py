"""How many operators each half-hour needs, from the hotline's own call log.

Calls, work and patience are read from what was; what will be, nobody knows. So every number stands with what it rests on: how many
days, how many calls, and how many operators the 95 % bounds of the calls would need. docs/explanation/staffing.md says why and with
what formulas.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from lianxin.cases.clocks import calendar_named
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.kernel.shares import poisson
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import WORKING, Role

from . import figures
from .erlang import MOST, Load, Service, operators_for, patience_from, service
from .models import Call, CallState, HalfHour

PLANNERS = (Role.SUPERVISOR, Role.LEADER)
HALF_SECONDS: Final = 1800
KINDS: Final = ("workday", "restday")
BOUNDS: Final = {"weeks": (1, 26), "share": (50, 99), "within": (1, 300), "shrinkage": (0, 60)}
FEWEST_GIVEN_UP: Final = 20  # hung-up calls from which a patience is worked out


def plans(by: Actor) -> bool:
    """Whether somebody plans who sits when: the hotline's supervisors and those who lead it."""
    return by.holds_in_hotline(*PLANNERS)


@dataclass(frozen=True, slots=True)
class Asked:
    """`share` per cent of all calls answered within `within` seconds, on days of a kind, by the log of the last `weeks` weeks;
    `shrinkage` per cent of paid time is spent away from the telephone. Raises Invalid, naming every field that is wrong."""

    kind: str = "workday"
    weeks: int = 4
    share: int = 80
    within: int = figures.ANSWER_SECONDS
    shrinkage: int = 30

    def __post_init__(self) -> None:
        faults = {name: str(_("请填 %(low)d 到 %(high)d 之间的整数。") % {"low": low, "high": high})
                  for name, (low, high) in BOUNDS.items() if not low <= getattr(self, name) <= high}
        if self.kind not in KINDS:
            faults["kind"] = str(_("请选工作日或休息日。"))
        if faults:
            raise Invalid(fields=faults)


@dataclass(frozen=True, slots=True)
class Line:
    """One half-hour of the day. `calls` is the mean of a day with its bounds, `most` the busiest day's, `total` of all days; `work` the
    mean seconds of a call with its wrap-up, `own_work` whether from this half-hour alone. `operators` are needed at the telephones,
    `fewest` and `most_operators` at the bounds; `scheduled` has the shrinkage on top. `expected` is what callers then meet. `present`
    were there on average, and `in_time` is the share that was answered within 15 s, None where nobody called. `few` says that it rests
    on too few calls to be leant on."""

    at: time
    calls: float
    low: float
    high: float
    most: int
    total: int
    work: float
    own_work: bool
    operators: int
    fewest: int
    most_operators: int
    scheduled: int
    expected: Service
    present: float
    in_time: float | None
    few: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a day of this kind, in order; half-hours in which nobody called need nobody. `patience` is None where too few hung up
    to know it: then callers are taken to wait for ever, and the numbers are on the high side. `until` is the last day counted."""

    asked: Asked
    since: date | None
    until: date | None
    days: int
    offered: int
    answered: int
    given_up: int
    work: float | None
    patience: float | None
    lines: tuple[Line, ...]

    @property
    def few_days(self) -> bool:
        return self.days < 10

    @property
    def hours(self) -> float:
        """Hours of operators to schedule in one day."""
        return sum(line.scheduled for line in self.lines) / 2


def plan(by: Actor, asked: Asked, *, today: date) -> Plan:
    """The plan by the log of whole days before `today`. Three queries, four where days have not been counted yet. Raises NotAllowed."""
    if not plans(by):
        raise NotAllowed(_("排班测算给热线的督办员和负责人看。"))
    start, end = figures.midnight(today - timedelta(weeks=asked.weeks)), figures.midnight(today)
    halves = _of_kind(_halves(start, end), asked.kind)
    days = sorted({localtime(half.begins_at).date() for half in halves})
    offered, answered = sum(half.offered for half in halves), sum(half.answered for half in halves)
    given_up, patience = _patience(start, end)
    since, until = (days[0], days[-1]) if days else (None, None)
    if not answered:
        return Plan(asked, since, until, len(days), offered, answered, given_up, None, patience, ())
    work = _work(halves)
    by_time: dict[time, list[HalfHour]] = {}
    for half in halves:
        by_time.setdefault(localtime(half.begins_at).time(), []).append(half)
    lines = tuple(_line(at, by_time[at], asked, work, patience) for at in sorted(by_time))
    return Plan(asked, since, until, len(days), offered, answered, given_up, work, patience, lines)


def _halves(start: datetime, end: datetime) -> list[HalfHour]:
    """Every half-hour from the first day on which somebody called: before that there was no log."""
    kept = {half.begins_at: half for half in HalfHour.objects.filter(begins_at__gte=start, begins_at__lt=end)}
    if len(kept) < (end - start) // figures.HALF:
        for half in figures.count(start, end):
            kept.setdefault(half.begins_at, half)
    first = min((at for at, half in kept.items() if half.offered), default=None)
    if first is None:
        return []
    day = figures.midnight(localtime(first).date())
    return [kept[at] for at in sorted(kept) if at >= day]


def _of_kind(halves: Iterable[HalfHour], kind: str) -> list[HalfHour]:
    calendar = calendar_named(WORKING)
    wanted = kind == "workday"
    known: dict[date, bool] = {}
    found = []
    for half in halves:
        day = localtime(half.begins_at).date()
        if day not in known:
            known[day] = calendar.is_working_day(day) is wanted
        if known[day]:
            found.append(half)
    return found


def _patience(start: datetime, end: datetime) -> tuple[int, float | None]:
    """How many hung up, and the mean seconds of patience by all waits of that time; None where too few did."""
    over = Call.objects.filter(began_at__gte=start, began_at__lt=end).filter(Q(answered_at__isnull=False) | Q(ended_at__isnull=False))
    found = over.aggregate(waited=Sum(Coalesce("answered_at", "ended_at") - F("began_at")),
                           given_up=Count("pk", filter=Q(state=CallState.ABANDONED)))
    waited, given_up = found["waited"], int(found["given_up"] or 0)
    if waited is None or given_up < FEWEST_GIVEN_UP:
        return given_up, None
    return given_up, patience_from(given_up, waited.total_seconds())


def _work(halves: Iterable[HalfHour]) -> float:
    """Mean seconds of a call with its wrap-up; not less than one."""
    halves = list(halves)
    seconds = sum(half.talk_seconds + half.wrap_up_seconds for half in halves)
    return max(1.0, seconds / max(1, sum(half.answered for half in halves)))


def _line(at: time, halves: list[HalfHour], asked: Asked, work_of_all: float, patience: float | None) -> Line:
    total = sum(half.offered for half in halves)
    answered = sum(half.answered for half in halves)
    low, high = poisson(total, len(halves)) if total else (0.0, 0.0)
    own = answered >= settings.LIANXIN_SMALL_NUMBERS
    work = _work(halves) if own else work_of_all

    def load(calls: float) -> Load:
        return Load(calls / HALF_SECONDS, work, patience)

    def needed(calls: float) -> int:
        try:
            return operators_for(load(calls), share=asked.share / 100, within=float(asked.within))
        except ValueError:  # a log that cannot be true
            return MOST

    calls = total / len(halves)
    operators = needed(calls)
    over = sum(half.answered + half.abandoned + half.missed for half in halves)
    return Line(
        at, calls, low, high, max(half.offered for half in halves), total, work, own, operators, needed(low), needed(high),
        math.ceil(operators / (1 - asked.shrinkage / 100) - 1e-9), service(load(calls), operators, float(asked.within)),
        sum(half.agents for half in halves) / len(halves),
        sum(half.answered_in_15 for half in halves) / over if over else None, total < settings.LIANXIN_SMALL_NUMBERS,
    )
