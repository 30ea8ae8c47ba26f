"""Nightly work: what telephones left behind is cleared away. Receipts stay, so that no item is ever done twice."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from .models import Receipt
from .uploads import forget_abandoned

log = logging.getLogger(__name__)


def forget_bodies(at: datetime) -> int:
    """What could not be taken and was never settled: its content is deleted after `LIANXIN_FIELD_UNSETTLED_DAYS`."""
    before = at - timedelta(days=settings.LIANXIN_FIELD_UNSETTLED_DAYS)
    rows = Receipt.objects.filter(body__isnull=False, received_at__lt=before)
    return rows.update(body=None, settled_at=at)


def forget_answers(at: datetime) -> int:
    """Why an item was not taken, and why it was given up, when the words' retention has ended. The code stays."""
    before = at - timedelta(days=settings.LIANXIN_RETENTION_DAYS["words"])
    count = 0
    for row in Receipt.objects.filter(settled_at__lt=before, answer__has_key="detail").only("pk", "answer").iterator():
        Receipt.objects.filter(pk=row.pk).update(answer={"code": row.answer.get("code", "")})
        count += 1
    return count


def keep_house(at: datetime) -> dict[str, int]:
    """Everything a night asks for; returns what each part did."""
    done = {
        "uploads": forget_abandoned(at, days=settings.LIANXIN_FIELD_UPLOAD_DAYS),
        "bodies": forget_bodies(at), "answers": forget_answers(at),
    }
    log.info("field housekeeping: %s", done)
    return done
