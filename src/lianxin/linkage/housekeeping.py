"""Nightly work: what was said about a matter goes when its time is over. The ledger of who did what when stays."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from .models import Handover, HandoverStep, Outgoing, Received

log = logging.getLogger(__name__)
ANSWERED_DAYS = 60  # for so long a message sent again is known: longer than any sender goes on trying


def _over(prefix: str, at: datetime) -> Q:
    """Rows whose matter has outlived its words: with its case, or by itself where it never became one."""
    before = at - timedelta(days=settings.LIANXIN_RETENTION_DAYS["words"])
    case = f"{prefix}matter__case"
    return Q(**{f"{case}__closed_at__lt": before}) | Q(**{f"{case}__isnull": True, f"{prefix}ended_at__lt": before})


def forget_words(at: datetime) -> int:
    """Empty offers and the words of the ledger. Returns how many rows."""
    over = Handover.objects.filter(_over("", at), ended_at__isnull=False, anonymised_at__isnull=True)
    offers = over.update(payload=None, anonymised_at=at)
    said = HandoverStep.objects.filter(
        _over("handover__", at), anonymised_at__isnull=True, handover__ended_at__isnull=False).values("pk")
    return offers + HandoverStep.objects.filter(pk__in=said).update(words=None, anonymised_at=at)


def forget_messages(at: datetime) -> int:
    """Empty what has arrived: `LIANXIN_LINKAGE_SENT_DAYS` after it was answered nobody asks for it again. Returns how many rows."""
    before = at - timedelta(days=settings.LIANXIN_LINKAGE_SENT_DAYS)
    return Outgoing.objects.filter(state="sent", sent_at__lt=before, body__isnull=False).update(body=None)


def forget_answers(at: datetime) -> int:
    """Delete what was answered to messages that have no matter: pings and questions. Those of a matter stay with it."""
    count, _models = Received.objects.filter(matter__isnull=True, at__lt=at - timedelta(days=ANSWERED_DAYS)).delete()
    return count


def keep_house(at: datetime) -> dict[str, int]:
    """Everything a night asks for; returns what each part did."""
    done = {"words": forget_words(at), "messages": forget_messages(at), "answers": forget_answers(at)}
    log.info("linkage housekeeping: %s", done)
    return done
