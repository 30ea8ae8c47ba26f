"""The columns and clocks of a step: how one action sets what it changes, and starts, moves, pauses, meets and stops what is owed.

`Timing` is the part of a step that deals with time; `engine.Step` is the rest. A due time is always limit, extensions and
pauses together after the start (`reset`), so that nothing else can move it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from lianxin.organisations.actors import Actor
from lianxin.organisations.models import WORKING

from . import calendars, clocks, notices
from .models import (
    Assignment,
    Case,
    Clock,
    ClockKind,
    Extension,
    ExtensionDecision,
    State,
    Suspension,
    SuspensionEnd,
    TimeLimit,
)
from .reference import Limits, Reference, reference


class Timing:
    """What a step can do with columns and clocks. The event is made of what the `set` methods have gathered."""

    __slots__ = ()

    case: Case
    by: Actor
    at: datetime
    running: list[Clock]
    mine: Assignment | None
    event_id: uuid.UUID
    _case: dict[str, Any]
    _assignments: dict[uuid.UUID, dict[str, Any]]
    _new_assignments: list[Assignment]
    _clocks: dict[uuid.UUID, dict[str, Any]]
    _new_clocks: list[Clock]

    @property
    def reference(self) -> Reference:
        return reference()

    def set(self, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(self.case, name, value)
        self._case.update(columns)

    def set_assignment(self, assignment: Assignment, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(assignment, name, value)
        if assignment not in self._new_assignments:
            self._assignments.setdefault(assignment.pk, {}).update(columns)

    def limits(self, *, unit_id: int | None = None, at: datetime | None = None) -> Limits:
        """The limits in force now, or at a time: those of a reopened case from its second round on."""
        return clocks.limits_of_case(
            self.reference, category_id=self.case.category_id, kind=self.case.kind, urgency=self.case.urgency,
            at=at or self.at, unit_id=unit_id,
            track=TimeLimit.Case.REOPENED if self.case.round > 1 else TimeLimit.Case.ORDINARY,
        )

    def _owed_in(self, calendar: str, unit_id: int) -> str:
        """The calendar of a duty that a unit owes to the hotline, where the limit names `calendar`."""
        unit = self.reference.units.get(unit_id)
        return calendars.of_duty(calendar, unit.calendar) if unit else calendar

    def start(self, kind: ClockKind, *, minutes: int, calendar: str, assignment: Assignment | None = None) -> Clock:
        """Start a clock now. One of an assignment is the unit's own duty and runs in the unit's own working time."""
        if assignment is not None:
            calendar = self._owed_in(calendar, assignment.unit_id)
        made = clocks.promise(start=self.at, minutes=minutes, calendar=calendar)
        clock = Clock(
            case=self.case, assignment=assignment, kind=kind.value, round=self.case.round, calendar=calendar,
            limit_minutes=minutes, started_at=made.started_at, due_at=made.due_at, provisional=made.provisional,
        )
        self._new_clocks.append(clock)
        self.running.append(clock)
        return clock

    def owe(self, duty: ClockKind, *, unit_id: int | None = None) -> Clock:
        """Start the clock of a duty whose limit depends on nothing but the duty, the urgency and who owes it."""
        limit = self.reference.duty_limit(duty, urgency=self.case.urgency, unit_id=unit_id, at=self.at)
        calendar = limit.calendar if unit_id is None else self._owed_in(limit.calendar, unit_id)
        return self.start(duty, minutes=limit.minutes, calendar=calendar)

    def reset(self, clock: Clock, **columns: Any) -> None:
        """Change what a clock's due time is made of – start, minutes, calendar – and the due time with it."""
        self.set_clock(clock, **columns)
        made = clocks.promise(start=clock.started_at, minutes=clock.total_minutes, calendar=clock.calendar)
        if (made.due_at, made.provisional) != (clock.due_at, clock.provisional):
            self.set_clock(clock, due_at=made.due_at, provisional=made.provisional)

    def bring_forward(self, kind: ClockKind, *, minutes: int, calendar: str, assignment: Assignment | None = None) -> None:
        """Let a running clock fall due `minutes` from now, when that is earlier than it is due anyway. Never later."""
        if assignment is not None:
            calendar = self._owed_in(calendar, assignment.unit_id)
        for clock in self.clocks_of(kind, assignment):
            made = clocks.promise(start=self.at, minutes=minutes, calendar=calendar)
            given = clock.extended_minutes + clock.paused_minutes
            # Pauses and extensions were counted in the clock's own calendar: it keeps that calendar then.
            if made.due_at >= clock.due_at or (given and calendar != clock.calendar):
                continue
            gone = clocks.calendar_named(calendar).between(clock.started_at, self.at)
            self.reset(clock, calendar=calendar, limit_minutes=max(gone + minutes - given, 0))

    def pause(self, clock: Clock, *, reason: str, until: datetime) -> Suspension:
        """Let a resolve clock stand still, at most until a time. The sweep lets it go on then."""
        if self.mine is None:
            raise AssertionError("a pause is asked for by the unit that holds the case")
        self.set_clock(clock, paused_at=self.at, next_at=until)
        self.set(paused=True)
        return Suspension.objects.create(
            case=self.case, clock=clock, assignment=self.mine, event_id=self.event_id, reason=reason, at=self.at,
            by_id=self.by.staff_id, until=until,
        )

    def resume(self, clock: Clock, how: SuspensionEnd) -> None:
        """Let a paused clock go on: it is due later by the working time it stood still, and not a minute more."""
        if clock.paused_at is None:
            return
        minutes = clocks.calendar_named(clock.calendar).between(clock.paused_at, self.at)
        Suspension.objects.filter(clock=clock, ended_at__isnull=True).update(
            ended=how, ended_at=self.at, ended_by_id=self.by.staff_id, ended_event_id=self.event_id, minutes=minutes
        )
        self.reset(clock, paused_at=None, paused_minutes=clock.paused_minutes + minutes)
        self.set(paused=False)

    def set_clock(self, clock: Clock, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(clock, name, value)
        if clock not in self._new_clocks:
            self._clocks.setdefault(clock.pk, {}).update(columns)

    def clocks_of(self, kind: ClockKind, assignment: Assignment | None = None) -> list[Clock]:
        wanted = assignment.pk if assignment is not None else None
        return [c for c in self.running if c.kind == kind and c.assignment_id == wanted]

    def waited(self, kind: ClockKind, since: datetime) -> int:
        """Working minutes from `since` until now, in the calendar of the case's running clock of that kind."""
        calendar = next((clock.calendar for clock in self.clocks_of(kind)), WORKING)
        return clocks.calendar_named(calendar).between(since, self.at)

    def meet(self, kind: ClockKind, assignment: Assignment | None = None) -> None:
        for clock in self.clocks_of(kind, assignment):
            self.resume(clock, SuspensionEnd.ENDED)
            self.set_clock(clock, met_at=self.at)
            self.running.remove(clock)

    def met(self, kind: ClockKind) -> list[Clock]:
        """The case's clocks of a kind that were met in this round."""
        return list(self.case.clocks.filter(
            kind=kind, assignment__isnull=True, round=self.case.round, met_at__isnull=False))

    def unmeet(self, kind: ClockKind) -> None:
        """What met it does not do, or is not this case's any more: the clock runs again towards its first due time."""
        for clock in self.met(kind):
            self.set_clock(clock, met_at=None)
            self.running.append(clock)

    def stop(self, *, assignment: Assignment | None = None, kind: ClockKind | None = None,
             everything: bool = False) -> None:
        """End clocks that are no longer owed: all of the case, those of one assignment, or the case's of one kind."""
        for clock in list(self.running):
            if everything or (assignment is not None and clock.assignment_id == assignment.pk) or (
                kind is not None and clock.assignment_id is None and clock.kind == kind
            ):
                self.resume(clock, SuspensionEnd.ENDED)
                self.set_clock(clock, stopped_at=self.at)
                self.running.remove(clock)
                if clock.kind == ClockKind.EXTENSION:  # nobody has answered, and nobody need any more
                    Extension.objects.filter(case=self.case, decision=ExtensionDecision.WAITING).update(
                        decision=ExtensionDecision.LAPSED, decided_at=self.at, decision_event_id=self.event_id)

    def settle_waiting(self) -> None:
        """A pause and a request for more time are the unit's that has the case in hand: they end when it no longer has."""
        if self.case.state != State.IN_HAND:
            for clock in self.running:
                self.resume(clock, SuspensionEnd.ENDED)
            self.stop(kind=ClockKind.EXTENSION)

    def rearm(self) -> None:
        """When the sweep looks at each touched clock again. One that was set by the step says so itself, a paused one keeps
        the end of its pause, and what a sweep is late with stays due to it."""
        for clock in self.running:
            columns = {} if clock in self._new_clocks else self._clocks.get(clock.pk)
            if columns is None or "next_at" in columns or clock.paused_at is not None:
                continue
            late = clock.next_at is not None and clock.next_at < self.at and "due_at" not in columns
            if not late:
                self.set_clock(clock, next_at=notices.next_of(
                    self.reference, clock, urgency=self.case.urgency, after=self.at))
