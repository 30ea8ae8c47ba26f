"""What telephony takes away when its time is over, and what it ends that never ended."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils.timezone import localtime

from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import SYSTEM

from . import agents, figures, receiving
from .models import AgentSpell, Call, CallEvent, EventKind, HalfHour

log = logging.getLogger(__name__)
RECOUNT = timedelta(days=3)  # events come late now and then; half-hours older than this stand as they were counted


def end_lost(at: datetime) -> int:
    """End calls of which nothing was heard for `LIANXIN_CALL_LOST_HOURS`, as of the last that was, and overdue wrap-ups.
    Returns how many calls."""
    silent = at - timedelta(hours=settings.LIANXIN_CALL_LOST_HOURS)
    lost = list(Call.objects.filter(ended_at__isnull=True).annotate(last_told=Max("events__told_at"), last_at=Max("events__at"))
                .filter(last_told__lt=silent).order_by("began_at")[:1000])
    ended = 0
    for call in lost:
        try:
            receiving.receive(receiving.Said(f"lost:{call.pk}", call.system_id, EventKind.ENDED, call.last_at), by=SYSTEM)
        except DomainError:
            log.exception("call %s could not be ended", call.pk)
        else:
            ended += 1
    for spell in AgentSpell.objects.filter(ended_at__isnull=True, until__lt=at).values_list("pk", flat=True)[:1000]:
        agents.end_wrap_up(spell)
    return ended


def count_half_hours(at: datetime) -> int:
    """Keep the half-hours of the last days, and of every day since the last that was kept. Returns how many."""
    last = HalfHour.objects.aggregate(last=Max("begins_at"))["last"]
    first = Call.objects.order_by("began_at").values_list("began_at", flat=True).first()
    spell = AgentSpell.objects.order_by("began_at").values_list("began_at", flat=True).first()
    since = min((one for one in (first, spell) if one is not None), default=None) if last is None else last
    if since is None:
        return 0
    start = figures.midnight(localtime(min(since, at - RECOUNT)).date())
    oldest = figures.midnight(localtime(at - timedelta(days=settings.LIANXIN_AGENT_SPELL_DAYS)).date())
    return figures.keep(max(start, oldest) if last is not None else start, figures.midnight(localtime(at).date()))


def forget_spells(at: datetime) -> int:
    """Delete agents' states older than `LIANXIN_AGENT_SPELL_DAYS`. Their half-hours are kept."""
    return AgentSpell.objects.filter(ended_at__lt=at - timedelta(days=settings.LIANXIN_AGENT_SPELL_DAYS)).delete()[0]


def empty_calls(at: datetime) -> int:
    """Empty calls that ended `LIANXIN_CALL_DAYS` ago: number, who took it, and what was told of it. Returns how many."""
    before = at - timedelta(days=settings.LIANXIN_CALL_DAYS)
    due = list(Call.objects.filter(ended_at__lt=before, emptied_at__isnull=True).values_list("pk", flat=True)[:50_000])
    for start in range(0, len(due), 1000):
        part = due[start:start + 1000]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lianxin.anonymise', 'on', true)")
            CallEvent.objects.filter(call__in=part).delete()
            AgentSpell.objects.filter(call__in=part).update(call=None)
            Call.objects.filter(pk__in=part).update(number=None, agent=None, emptied_at=at)
    return len(due)


def forget_recordings(at: datetime) -> int:
    """Empty the references to recordings whose retention (class attachment) is over, counted from the end of the call."""
    before = at - timedelta(days=settings.LIANXIN_RETENTION_DAYS["attachment"])
    return Call.objects.filter(ended_at__lt=before, emptied_at__isnull=False).exclude(recording="").update(recording="")


def keep_house(at: datetime) -> dict[str, int]:
    """Everything a night asks for, in this order: what is deleted has been counted. Returns what each part did."""
    done = {"half_hours": count_half_hours(at), "spells": forget_spells(at), "calls": empty_calls(at),
            "recordings": forget_recordings(at)}
    log.info("housekeeping: %s", done)
    return done
