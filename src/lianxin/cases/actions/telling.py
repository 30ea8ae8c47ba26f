"""提醒、上报、通报: what the clocks of one case have to say, said once, in one event, to those the city's rules name."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Conflict
from lianxin.organisations.models import UnitKind

from .. import notices
from ..engine import Step, action
from ..families import acting
from ..models import Assignment, Case, Clock, ClockKind, Notice, NoticeLevel, NoticeRule, State, Urgency
from ..reference import Reference

# Who answers for a duty that no unit owes: the hotline itself.
OF_THE_HOTLINE = frozenset({ClockKind.RULING, ClockKind.EXTENSION, ClockKind.CALLBACK, ClockKind.HANDOVER, ClockKind.MISSED_CALL})
ORDER = (NoticeLevel.REMINDER, NoticeLevel.ESCALATION, NoticeLevel.CIRCULAR)
NOTHING = "nothing_to_tell"
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Owner:
    """The unit that owes a duty, and who has it in hand there."""

    unit_id: int | None
    officer_id: int | None = None


def hotline_of(reference: Reference) -> int | None:
    """The hotline itself: the first of its units, those of its sections came later."""
    return min((unit.id for unit in reference.units.values() if unit.kind == UnitKind.HOTLINE), default=None)


def owner_of(reference: Reference, case: Case | None, clock: Clock, assignments: Sequence[Assignment]) -> Owner:
    """Who owes what a clock counts: the unit of its assignment; for the case's own clocks the lead unit while it has the
    case, else the hotline."""
    if clock.assignment_id is not None:
        part = next((one for one in assignments if one.pk == clock.assignment_id), None)
        return Owner(part.unit_id, part.officer_id) if part else Owner(None)
    if case is not None and clock.kind not in OF_THE_HOTLINE and case.lead_unit_id is not None:
        lead = next((one for one in assignments if one.role == "lead"), None)
        if lead is not None:
            return Owner(lead.unit_id, lead.officer_id)
        if case.state == State.MERGED:
            return Owner(case.lead_unit_id)
    return Owner(hotline_of(reference))


@dataclass(frozen=True, slots=True)
class Told:
    """One clock and one rule that speaks for it now."""

    clock: Clock
    rule: NoticeRule


def due_now(reference: Reference, clocks: Iterable[Clock], *, urgency: str, at: datetime) -> list[Told]:
    """What these running clocks have to say at an instant and have not said yet. One query when anything is due."""
    found = [
        Told(clock, rule) for clock in clocks
        if clock.paused_at is None and clock.next_at is not None and clock.next_at <= at
        for rule in notices.spoken(reference, clock, urgency=urgency, since=clock.next_at, at=at)
    ]
    if not found:
        return []
    said = set(Notice.objects.filter(clock__in={one.clock.pk for one in found}).values_list("clock_id", "rule", "due_at"))
    return [one for one in found if (one.clock.pk, one.rule.code, one.clock.due_at) not in said]


def level_of(told: Sequence[Told]) -> NoticeLevel:
    """The gravest of what is said."""
    return max((NoticeLevel(one.rule.level) for one in told), key=ORDER.index)


def write(told: Sequence[Told], owners: dict[uuid.UUID, Owner], *, at: datetime, event_id: uuid.UUID | None) -> None:
    """The rows people find on their desks. What is there already stays as it is."""
    Notice.objects.bulk_create(
        [
            Notice(clock=one.clock, case_id=one.clock.case_id, event_id=event_id, rule=one.rule.code, level=one.rule.level,
                   kind=one.clock.kind, to=to, unit_id=owners[one.clock.pk].unit_id,
                   officer_id=owners[one.clock.pk].officer_id if to == "officer" else None, due_at=one.clock.due_at, at=at)
            for one in told for to in dict.fromkeys(one.rule.to)
        ],
        ignore_conflicts=True,
    )


def _tell(step: Step) -> None:
    """Say what is due of this case's clocks, and let each wait for its next moment. Raises Conflict when nothing is."""
    urgency = step.case.urgency
    told = due_now(step.reference, step.running, urgency=urgency, at=step.at)
    if not told:
        raise Conflict(_("没有到时间要说的事。"), code=NOTHING)
    assignments = list(acting(step.case, step.assignments))
    owners = {one.clock.pk: owner_of(step.reference, step.case, one.clock, assignments) for one in told}
    write(told, owners, at=step.at, event_id=step.event_id)
    units = step.reference.units
    step.data.update(notices=[
        {"clock": str(one.clock.pk), "kind": one.clock.kind, "rule": one.rule.code, "level": one.rule.level,
         "to": list(one.rule.to), "due": one.clock.due_at.isoformat(),
         "unit": units[unit_id].code if (unit_id := owners[one.clock.pk].unit_id) in units else ""}
        for one in told
    ])
    for clock in step.running:
        if clock.paused_at is None and clock.next_at is not None and clock.next_at <= step.at:
            step.set_clock(clock, next_at=notices.next_of(step.reference, clock, urgency=urgency, after=step.at + JUST_AFTER))


@action("remind")
def remind(step: Step) -> None:
    """到期提醒: a share of the time is left, as the city's rule says."""
    _tell(step)


@action("escalate")
def escalate(step: Step) -> None:
    """超时上报: the time has run out."""
    _tell(step)


@action("circulate")
def circulate(step: Step) -> None:
    """超时通报: it ran out long ago."""
    _tell(step)


TELL = {NoticeLevel.REMINDER: remind, NoticeLevel.ESCALATION: escalate, NoticeLevel.CIRCULAR: circulate}


def tell_of_missed_call(reference: Reference, clock: Clock, *, at: datetime) -> int:
    """Say what the clock of a call that nobody took has to say: it has no case, and no log. Returns how many rules spoke.
    The caller holds the clock's lock."""
    told = due_now(reference, [clock], urgency=Urgency.NORMAL, at=at)
    write(told, {clock.pk: owner_of(reference, None, clock, ())}, at=at, event_id=None)
    following = notices.next_of(reference, clock, urgency=Urgency.NORMAL, after=at + JUST_AFTER)
    Clock.objects.filter(pk=clock.pk).update(next_at=following)
    return len(told)
