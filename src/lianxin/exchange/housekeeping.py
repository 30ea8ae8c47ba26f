"""Nightly work: what was sent to other systems, and what they said, goes when its time is over. That it was sent stays."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from . import fetching
from .models import Letter, LetterState, Link

log = logging.getLogger(__name__)


def forget_letters(at: datetime) -> int:
    """Empty what has arrived `LIANXIN_EXCHANGE_SENT_DAYS` ago. Returns how many rows."""
    before = at - timedelta(days=settings.LIANXIN_EXCHANGE_SENT_DAYS)
    return Letter.objects.filter(state=LetterState.SENT, sent_at__lt=before, body__isnull=False).update(body=None)


def forget_words(at: datetime) -> int:
    """Empty prepared replies of cases whose words have outlived their time. Returns how many rows."""
    before = at - timedelta(days=settings.LIANXIN_RETENTION_DAYS["words"])
    return Link.objects.filter(case__closed_at__lt=before, proposal__isnull=False).update(proposal=None)


def keep_house(at: datetime) -> dict[str, int]:
    """Everything a night asks for; returns what each part did."""
    done = {"letters": forget_letters(at), "words": forget_words(at),
            "pictures": fetching.forget(at - timedelta(days=settings.LIANXIN_EXCHANGE_DEAD_DAYS))}
    log.info("exchange housekeeping: %s", done)
    return done
