"""Telling the owner of an article what was said against it: when it is said, when the answer is nearly due, and when it is late.

Each once. A notice is to a post: the clerks and heads of the unit that owes the answer; that it is late, the hotline's keepers as
well. It is seen when the first of them has opened it.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.telling import hotline_of
from lianxin.cases.clocks import calendar_named
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotFound
from lianxin.organisations.actors import Actor, Kind

from . import rights
from .models import Moment, Notice, Report, ReportState

SHARE_LEFT = 0.2  # of the working time: DOMAIN's reminder
SHOWN = 50


def tell_reported(report: Report) -> None:
    """Written with the report itself."""
    Notice.objects.create(report=report, unit_id=report.unit_id, moment=Moment.REPORTED, at=report.reported_at)


def reminded_at(report: Report) -> datetime:
    """When a fifth of the working time for the answer is left."""
    calendar = calendar_named(report.calendar)
    given = calendar.between(report.reported_at, report.due_at)
    return calendar.add(report.reported_at, given - int(given * SHARE_LEFT)).at


def _waiting(moment: Moment, at: datetime) -> list[Report]:
    """Open reports on which a moment has come that was not told of. One that fell due is not called nearly due."""
    found = Report.objects.filter(state=ReportState.OPEN).exclude(notices__moment=moment)
    if moment is Moment.OVERDUE:
        return list(found.filter(due_at__lte=at))
    return [report for report in found.filter(due_at__gt=at) if reminded_at(report) <= at]


def tell_due() -> int:
    """Say what is due now; safe beside another. Returns how many notices."""
    at = now()
    made = [Notice(report=report, unit_id=report.unit_id, moment=moment, at=at)
            for moment in (Moment.REMINDER, Moment.OVERDUE) for report in _waiting(moment, at)]
    Notice.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _to(actor: Actor) -> Q | None:
    """The notices that are to a person; None for who is told nothing."""
    if actor.kind is not Kind.STAFF:
        return None
    units = {grant.unit_id for grant in actor.grants if grant.role in rights.WRITERS}
    found = Q(unit_id__in=units) if units else None
    if rights.is_keeper(actor):
        kept = Q(moment=Moment.OVERDUE) | Q(unit_id=hotline_of(reference()))
        found = kept if found is None else found | kept
    return found


def is_told(actor: Actor) -> bool:
    return _to(actor) is not None


def _unseen(actor: Actor) -> QuerySet[Notice]:
    """Those that wait to be opened: what was answered meanwhile waits no more."""
    to = _to(actor)
    return Notice.objects.none() if to is None else Notice.objects.filter(to, seen_at__isnull=True, report__state=ReportState.OPEN)


def inbox(actor: Actor, *, unseen: bool = False, moment: str = "", after: tuple[datetime, uuid.UUID] | None = None,
          limit: int = SHOWN) -> list[Notice]:
    """The newest notices to a person; `after` is the time and id of the last that was shown before."""
    to = _to(actor)
    found = _unseen(actor) if unseen or to is None else Notice.objects.filter(to)
    if moment:
        found = found.filter(moment=moment)
    if after is not None:
        found = found.filter(Q(at__lt=after[0]) | Q(at=after[0], pk__lt=after[1]))
    return list(found.select_related("report__version__article", "unit", "seen_by").order_by("-at", "-id")[:limit])


def unseen_count(actor: Actor, *, most: int) -> int:
    """How many wait to be opened, counted up to `most`."""
    return len(_unseen(actor).values_list("pk")[:most])


def open_notice(actor: Actor, pk: uuid.UUID) -> Notice:
    """One notice, marked as seen by this person when nobody has before. Raises NotFound for one that is not to them."""
    to = _to(actor)
    found = Notice.objects.filter(to, pk=pk).first() if to is not None else None
    if found is None:
        raise NotFound(_("没有找到这条提醒。"))
    Notice.objects.filter(pk=pk, seen_at__isnull=True).update(seen_at=now(), seen_by_id=actor.staff_id)
    return Notice.objects.select_related("report__version__article").get(pk=pk)


def open_all(actor: Actor) -> int:
    """Mark what waits as seen by this person; returns how many."""
    return _unseen(actor).update(seen_at=now(), seen_by_id=actor.staff_id)
