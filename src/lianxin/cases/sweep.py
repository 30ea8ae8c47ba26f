"""The sweep: what the clocks have to do at this minute – pauses that end, reminders, escalations, circulars.

It reads the clocks whose next moment has come from a partial index, so it costs what is due and not what is open. Each case is
done in a transaction of its own, under the case's lock, and looked at again there: run twice, late, by two workers at once, or
killed in the middle, everything is said once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.organisations.actors import SYSTEM
from lianxin.places.models import City

from . import notices
from .actions.pausing import lapse_suspension
from .actions.telling import JUST_AFTER, TELL, due_now, level_of, tell_of_missed_call
from .engine import On, told_when_held
from .models import RUNNING, Case, Clock, NoticeRule
from .reference import forget, reference, today_of

log = logging.getLogger(__name__)
BATCH = 500
# By then no process works with the rules as they were before a load.
SETTLED = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: cases that spoke, pauses that ended, missed calls that spoke; `held` were another's just then and
    are due again in a minute. `armed` are clocks that wait for another moment since the rules have changed."""

    cases: int = 0
    pauses: int = 0
    calls: int = 0
    held: int = 0
    armed: int = 0


def due(at: datetime, batch: int = BATCH) -> Iterator[list[Clock]]:
    """The clocks whose next moment has come, earliest first, in batches."""
    after: tuple[datetime, uuid.UUID] | None = None
    while True:
        found = Clock.objects.filter(RUNNING, next_at__lte=at)
        if after is not None:
            found = found.filter(Q(next_at__gt=after[0]) | Q(next_at=after[0], pk__gt=after[1]), next_at__gte=after[0])
        page = list(found.only("id", "case_id", "next_at").order_by("next_at", "id")[:batch])
        if not page:
            return
        yield page
        assert page[-1].next_at is not None  # it was asked for
        after = (page[-1].next_at, page[-1].pk)


def _of_case(case_id: uuid.UUID) -> tuple[int, int]:
    """Let the clocks of one case do what is due. Returns whether it spoke and whether a pause ended, as 0 or 1."""
    with told_when_held(), transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case_id)
        at, held = now(), reference()
        clocks = list(Clock.objects.filter(RUNNING, case=case, next_at__lte=at))
        paused = [clock for clock in clocks if clock.paused_at is not None]
        if paused:
            lapse_suspension(On(case_id, SYSTEM))
        told = due_now(held, clocks, urgency=case.urgency, at=at)
        if told:
            TELL[level_of(told)](On(case_id, SYSTEM))
        else:  # nothing to say, such as a reminder that came too late: wait for what is next
            for clock in clocks:
                if clock.paused_at is None:
                    following = notices.next_of(held, clock, urgency=case.urgency, after=at + JUST_AFTER)
                    Clock.objects.filter(pk=clock.pk).update(next_at=following)
        return bool(told), bool(paused)


def _of_missed_call(clock_id: uuid.UUID) -> int:
    with transaction.atomic():
        at = now()
        clock = Clock.objects.select_for_update(skip_locked=True).filter(RUNNING, pk=clock_id, next_at__lte=at).first()
        return bool(tell_of_missed_call(reference(), clock, at=at)) if clock is not None else 0


def sweep(*, batch: int = BATCH) -> Swept:
    """Everything that is due now. Safe to run at any time and beside another."""
    armed = arm_clocks()
    at, seen = now(), set[uuid.UUID]()
    cases = pauses = calls = held = 0
    failed: Exception | None = None
    for page in due(at, batch):
        for clock in page:
            subject = clock.case_id or clock.pk
            if subject in seen:
                continue
            seen.add(subject)
            try:
                if clock.case_id is None:
                    calls += _of_missed_call(clock.pk)
                else:
                    spoke, ended = _of_case(clock.case_id)
                    cases, pauses = cases + spoke, pauses + ended
            except Conflict as error:
                held += 1
                log.info("sweep: %s is held by another (%s)", subject, error.code)
            except Exception as error:  # one case, or one call, that cannot be told of keeps no other from its moment
                log.exception("sweep: %s failed", subject)
                failed = failed or error
    done = Swept(cases, pauses, calls, held, armed)
    if done != Swept():
        log.info("sweep: %s cases spoke, %s pauses ended, %s missed calls, %s held, %s armed again", cases, pauses, calls, held,
                 armed)
    if failed is not None:
        raise failed  # so that the job shows as failed
    return done


def _unsettled(at: datetime) -> list[NoticeRule]:
    """Rules for which the running clocks wait though they are not in force, or do not wait though they are."""
    today = today_of(at)
    return [rule for rule in NoticeRule.objects.all() if rule.armed != notices.in_force(rule, today)]


_ARM = """
    UPDATE cases_clock AS clock SET next_at = new.next_at
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[]) AS new (id, was, next_at)
    WHERE clock.id = new.id AND clock.next_at IS NOT DISTINCT FROM new.was AND clock.met_at IS NULL
      AND clock.stopped_at IS NULL AND clock.paused_at IS NULL
"""


def arm_clocks(*, batch: int = 2000) -> int:
    """Make the next moments of the running clocks again when the rules in force have changed; returns how many changed.

    What a clock has yet to say by the rules as they were stays due; nothing that lies in the past becomes so.
    """
    changed = _unsettled(now())
    loaded = City.objects.values_list("loaded_at", flat=True).first()
    if not changed or (loaded is not None and timedelta(0) <= now() - loaded < SETTLED):
        return 0
    forget()
    held, at, last, count = reference(), now(), uuid.UUID(int=0), 0
    while True:
        page = list(Clock.objects.filter(RUNNING, pk__gt=last).select_related("case").only(
            "id", "kind", "calendar", "started_at", "due_at", "limit_minutes", "paused_minutes", "extended_minutes", "paused_at",
            "next_at", "case__urgency").order_by("pk")[:batch])
        if not page:
            break
        last = page[-1].pk
        new = [(clock, notices.next_of(held, clock, urgency=clock.case.urgency if clock.case else "normal", after=at))
               for clock in page if clock.paused_at is None and not (clock.next_at is not None and clock.next_at <= at)]
        moved = [(clock, following) for clock, following in new if following != clock.next_at]
        if moved:
            with connection.cursor() as cursor:
                cursor.execute(_ARM, [[clock.pk for clock, _next in moved], [clock.next_at for clock, _next in moved],
                                      [following for _clock, following in moved]])
                count += cursor.rowcount
    today = today_of(at)
    for rule in changed:
        NoticeRule.objects.filter(pk=rule.pk).update(armed=notices.in_force(rule, today))
    return count
