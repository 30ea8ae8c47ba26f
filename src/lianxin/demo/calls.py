"""Four weeks of calls that nobody made, so that the staffing plan has a log to read.

They are played one by one: callers come at random at the rate of the hour, wait for the operators who are there, and hang up when
they have had enough. Such calls have no number, nobody who took them and no events: they stand as old calls do when their time is over.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from typing import Final

from django.db import transaction
from django.utils.timezone import localdate

from lianxin.cases.clocks import calendar_named
from lianxin.kernel.clock import now
from lianxin.organisations.models import WORKING
from lianxin.telephony import figures
from lianxin.telephony.models import Call, CallState, HalfHour, Line
from lianxin.telephony.switches.double import QUEUE
from lianxin.telephony.switches.ringing import PROFILE

WORKDAY: Final = 560  # calls a day
REST_DAY: Final = 220
PATIENCE: Final = 75.0  # seconds, mean
TALK: Final = 165.0  # seconds; half of the calls are shorter than 0.8 of it
WRAP_UP: Final = 30.0
DAYS: Final = range(1, 29)  # days ago


@dataclass(frozen=True, slots=True)
class Played:
    """One call, in seconds since midnight; `answered` is None for one whose caller hung up."""

    came: float
    answered: float | None
    ended: float


def operators_at(hour: int, workday: bool) -> int:
    """Who sits there: fewer at night, and a little too few at ten."""
    if hour < 7 or hour >= 22:
        return 2
    return 5 if workday and 8 <= hour < 18 else 3


def played(dice: random.Random, *, workday: bool) -> list[Played]:
    """One day."""
    a_day = WORKDAY if workday else REST_DAY
    free: list[float] = []  # when each operator is free again
    calls: list[Played] = []
    came = 0.0
    while True:
        hour = min(23, int(came // 3600))
        came += dice.expovariate(a_day * PROFILE[hour] / sum(PROFILE) / 3600)
        if came >= 86_400:
            return calls
        there = operators_at(int(came // 3600), workday)
        free = [*free, *[0.0] * (there - len(free))] if len(free) < there else heapq.nsmallest(there, free)
        heapq.heapify(free)
        answered = max(came + dice.uniform(2, 7), free[0])
        patience = dice.expovariate(1 / PATIENCE)
        if answered - came > patience:
            calls.append(Played(came, None, came + patience))
            continue
        talked = dice.lognormvariate(log(TALK * 0.8), 0.67)
        heapq.heapreplace(free, answered + talked + WRAP_UP)
        calls.append(Played(came, answered, answered + talked))


def half_hours(day: date, calls: list[Played], *, workday: bool) -> list[HalfHour]:
    midnight = figures.midnight(day)
    halves = []
    for number in range(48):
        here = [call for call in calls if int(call.came // 1800) == number]
        taken = [call for call in here if call.answered is not None]
        talk = sum(call.ended - call.answered for call in taken if call.answered is not None)
        there = operators_at(number // 2, workday) * 1800
        halves.append(HalfHour(
            begins_at=midnight + timedelta(minutes=30 * number), offered=len(here), answered=len(taken), abandoned=len(here) - len(taken),
            answered_in_15=sum(call.answered is not None and call.answered - call.came <= 15 for call in here), talk_seconds=round(talk),
            wrap_up_seconds=round(len(taken) * WRAP_UP), on_call_seconds=round(talk),
            ready_seconds=max(0, round(there - talk - len(taken) * WRAP_UP)),
        ))
    return halves


def seed() -> int:
    """Write the weeks, once. Returns how many calls."""
    if HalfHour.objects.exists():
        return 0
    dice = random.Random(12345)
    at, today, calendar = now(), localdate(now()), calendar_named(WORKING)
    made: list[Call] = []
    halves: list[HalfHour] = []
    for back in reversed(DAYS):
        day = today - timedelta(days=back)
        workday = calendar.is_working_day(day)
        calls, midnight = played(dice, workday=workday), figures.midnight(day)
        halves += half_hours(day, calls, workday=workday)
        made += [
            Call(system_id=f"demo.{day:%Y%m%d}.{number}", line=QUEUE, began_at=midnight + timedelta(seconds=call.came),
                 state=CallState.ABANDONED if call.answered is None else CallState.ENDED, emptied_at=at,
                 answered_at=None if call.answered is None else midnight + timedelta(seconds=call.answered),
                 ended_at=midnight + timedelta(seconds=call.ended))
            for number, call in enumerate(calls)]
    with transaction.atomic():
        Line.objects.get_or_create(code=QUEUE, defaults={"name": "市民热线", "name_en": "The hotline"})
        Call.objects.bulk_create(made, batch_size=2000)
        HalfHour.objects.bulk_create(halves)
    return len(made)
