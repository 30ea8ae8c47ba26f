"""When a running clock speaks: the moments of the city's notice rules, as times.

The next of them is kept on the clock (`Clock.next_at`), so that the sweep finds what is due by an index and never looks
at what is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Protocol

from .clocks import calendar_named
from .models import NoticeRule
from .reference import Reference, today_of


class Timed(Protocol):
    """What a moment is computed from: a clock, or a row that will be one."""

    kind: str
    calendar: str
    started_at: datetime
    due_at: datetime
    limit_minutes: int
    paused_minutes: int
    extended_minutes: int


def rules_for(reference: Reference, *, kind: str, urgency: str, on: date) -> Iterator[NoticeRule]:
    """The rules in force on a day for one kind of clock of a case of one urgency."""
    for rule in reference.notice_rules:
        if in_force(rule, on) and (not rule.kinds or kind in rule.kinds) and (not rule.urgency or rule.urgency == urgency):
            yield rule


def moment(rule: NoticeRule, clock: Timed) -> datetime:
    """When one rule speaks for one clock: so much of its time left, or so many minutes after it fell due."""
    calendar = calendar_named(clock.calendar)
    if rule.share_left is None:
        return calendar.add(clock.due_at, rule.minutes_after or 0).at
    given = clock.limit_minutes + clock.extended_minutes
    left = int(given * rule.share_left)
    return calendar.add(clock.started_at, given + clock.paused_minutes - left).at


def spoken(reference: Reference, clock: Timed, *, urgency: str, since: datetime, at: datetime) -> list[NoticeRule]:
    """The rules whose moment for this clock lies from `since` to `at`, both included: what a sweep at `at` has to say.

    A reminder that comes after the clock fell due is left out: it would say what is no longer so.
    """
    return [
        rule for rule in rules_for(reference, kind=clock.kind, urgency=urgency, on=today_of(at))
        if not (rule.share_left is not None and at >= clock.due_at) and since <= moment(rule, clock) <= at
    ]


def in_force(rule: NoticeRule, on: date) -> bool:
    return rule.valid_from <= on and (rule.valid_to is None or on < rule.valid_to)


def next_of(reference: Reference, clock: Timed, *, urgency: str, after: datetime | None = None) -> datetime | None:
    """The first moment not before `after` at which any rule speaks for the clock; None when none does any more."""
    since = after or clock.started_at
    rules = rules_for(reference, kind=clock.kind, urgency=urgency, on=today_of(since))
    return next((at for rule in rules if (at := moment(rule, clock)) >= since), None)  # the rules speak in this order
