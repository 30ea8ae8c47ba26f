"""Nightly work: check-ins whose time is over are deleted; of old inspections words and photos go, what was found stays."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from lianxin.cases.files import remove_files

from .models import CheckIn, Inspection

log = logging.getLogger(__name__)
_PERSONAL = ("text", "photo")


def forget_check_ins(at: datetime) -> int:
    """Check-ins older than `LIANXIN_CHECK_IN_DAYS`. Returns how many were deleted."""
    deleted, _rows = CheckIn.objects.filter(at__lt=at - timedelta(days=settings.LIANXIN_CHECK_IN_DAYS)).delete()
    return deleted


def clear_inspections(at: datetime, *, limit: int = 20_000) -> int:
    """Take words and photos out of inspections older than the retention of words. Photos of one that became a case stay with
    the case as long as it does. Returns how many."""
    before = at - timedelta(days=settings.LIANXIN_RETENTION_DAYS["words"])
    count = 0
    for pk in Inspection.objects.filter(at__lt=before, cleared_at__isnull=True).order_by("at").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            row = Inspection.objects.select_for_update().select_related("version").get(pk=pk)
            kinds = {question["name"]: question["kind"] for question in row.version.definition["questions"]}
            row.answers = {name: answer for name, answer in row.answers.items() if kinds.get(name) not in _PERSONAL}
            row.cleared_at = at
            row.save(update_fields=["answers", "cleared_at"])
            own = [photo.attachment for photo in row.photos.select_related("attachment")
                   if photo.attachment.case_id is None and photo.attachment.removed_at is None]
            remove_files(own, at=at)
            count += 1
    return count


def keep_house(at: datetime) -> dict[str, int]:
    """Everything a night asks for; returns what each part did."""
    done = {"check_ins": forget_check_ins(at), "inspections": clear_inspections(at)}
    log.info("patrols housekeeping: %s", done)
    return done
