"""Nightly work: partitions ahead of time, old submission keys, retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from lianxin.kernel.ids import uuid7, uuid7_floor

from .models import (
    TERMINAL,
    Attachment,
    Case,
    Event,
    EventText,
    Notification,
    PublicVersion,
    Reporter,
    Submission,
)

GONE = "〔已到保存期限，依法删除〕"


def _month(at: datetime, ahead: int) -> datetime:
    index = at.year * 12 + at.month - 1 + ahead
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def ensure_partitions(at: datetime, *, ahead: int = 3) -> list[str]:
    """Make the event partitions of this month and the next `ahead`. Returns the names of those made.

    Events that came before their month's partition was made lie in `cases_event_default`, which is always there.
    """
    made: list[str] = []
    with connection.cursor() as cursor:
        for offset in range(ahead + 1):
            start, end = _month(at, offset), _month(at, offset + 1)
            name = f"cases_event_{start:%Y%m}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is not None:
                continue
            low, high = uuid7_floor(start), uuid7_floor(end)
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM cases_event_default WHERE id >= %s AND id < %s)", [low, high]
            )
            if cursor.fetchone()[0]:
                continue
            cursor.execute(
                f"CREATE TABLE {name} PARTITION OF cases_event FOR VALUES FROM ('{low}') TO ('{high}')"
            )
            made.append(name)
    return made


def forget_submissions(at: datetime) -> int:
    """Submission keys older than the setting's days: a retry that late is a new write."""
    deleted, _rows = Submission.objects.filter(at__lt=at - timedelta(days=settings.LIANXIN_SUBMISSION_DAYS)).delete()
    return deleted


def due_for_anonymising(at: datetime) -> Q:
    """Ended cases whose personal data's retention has ended."""
    days = settings.LIANXIN_RETENTION_DAYS["reporter"]
    return Q(state__in=TERMINAL, closed_at__lt=at - timedelta(days=days), anonymised_at__isnull=True)


def anonymise_due(at: datetime, *, limit: int = 5000) -> int:
    """Anonymise what is due: identity emptied, words replaced, files and messages removed. Returns how many cases.

    The events stay: they hold no words. PIPL art. 47.
    """
    from .files import remove_files

    count = 0
    for case in Case.objects.filter(due_for_anonymising(at)).order_by("closed_at")[:limit]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lianxin.anonymise', 'on', true)")
            # Asked again under the lock: it may have been reopened since the list was made.
            held = Case.objects.select_for_update().filter(due_for_anonymising(at), pk=case.pk).first()
            if held is None:
                continue
            if held.reporter_id is not None:
                Reporter.objects.filter(pk=held.reporter_id).update(
                    name=None, phone=None, address=None, email=None, phone_hash=None, anonymised_at=at
                )
            EventText.objects.filter(case=held).update(body=GONE, anonymised_at=at)
            PublicVersion.objects.filter(case=held, cleared_at__isnull=True).delete()
            Notification.objects.filter(case=held).delete()
            remove_files(list(Attachment.objects.filter(case=held, removed_at__isnull=True)), at=at)
            version = held.version
            Case.objects.filter(pk=held.pk).update(
                words=GONE, title="", place_text="", lon=None, lat=None, cell=None, anonymised_at=at
            )
            Event.objects.create(
                id=uuid7(), case=held, action="anonymise", at=at, from_state=held.state, to_state=held.state,
                actor_kind="system", via="housekeeping", version=version,
                changes={"case": {"anonymised_at": at.isoformat()}},
            )
            count += 1
    return count
