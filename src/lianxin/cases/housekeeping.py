"""Nightly work: partitions ahead of time, retention, and clearing away what has served its time."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from lianxin.kernel.ids import uuid7_floor

from .files import forget_orphans, forget_unclaimed
from .missed_calls import forget_numbers
from .models import Submission
from .retention import anonymise_due, forget_messages

log = logging.getLogger(__name__)


def _month(at: datetime, ahead: int) -> datetime:
    index = at.year * 12 + at.month - 1 + ahead
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def partitions_between(first: str, last: str) -> Iterator[tuple[str, uuid.UUID, uuid.UUID]]:
    """Name and bounds of the event partition of each month from one to another, both as `2026-11`."""
    start, end = (datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC) for month in (first, last))
    while start <= end:
        yield f"cases_event_{start:%Y%m}", uuid7_floor(start), uuid7_floor(_month(start, 1))
        start = _month(start, 1)


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


def months_ahead(at: datetime, *, most: int = 12) -> int:
    """For how many months after this one there is a partition, without a gap; -1 when this month has none."""
    with connection.cursor() as cursor:
        for offset in range(most + 1):
            cursor.execute("SELECT to_regclass(%s)", [f"cases_event_{_month(at, offset):%Y%m}"])
            if cursor.fetchone()[0] is None:
                return offset - 1
    return most


def forget_submissions(at: datetime) -> int:
    """Submission keys older than the setting's days: a retry that late is a new write."""
    deleted, _rows = Submission.objects.filter(at__lt=at - timedelta(days=settings.LIANXIN_SUBMISSION_DAYS)).delete()
    return deleted


def forget_sessions() -> int:
    """Sign-ins that have expired, and what was noted of the browsers they came from."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session WHERE expire_date < now()")
        count = int(cursor.rowcount)
        cursor.execute("DELETE FROM usersessions_usersession AS seen WHERE last_seen_at < now() - interval '1 day' AND "
                       "NOT EXISTS (SELECT 1 FROM django_session AS held WHERE held.session_key = seen.session_key)")
    return count


def forget_cache() -> int:
    """Entries of the shared cache whose time is over: Django drops them only when someone asks for them again."""
    with connection.cursor() as cursor:
        table = str(settings.CACHES["default"]["LOCATION"])
        cursor.execute("SELECT to_regclass(%s)", [table])
        if cursor.fetchone()[0] is None:
            return 0
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)} WHERE expires < now()")
        return int(cursor.rowcount)


def forget_jobs(at: datetime) -> int:
    """Jobs done long ago. Failed ones stay until somebody has looked at them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs AS job WHERE status IN ('succeeded', 'cancelled', 'aborted') AND NOT EXISTS "
            "(SELECT 1 FROM procrastinate_events AS event WHERE event.job_id = job.id AND event.at >= %s)",
            [at - timedelta(days=settings.LIANXIN_JOB_DAYS)],
        )
        return int(cursor.rowcount)


def forget_files(at: datetime) -> int:
    """Uploads that no case claimed, and contents that a crash left without a row."""
    before = at - timedelta(hours=settings.LIANXIN_UNCLAIMED_HOURS)
    return forget_unclaimed(before) + forget_orphans(before, share=at.toordinal() % 16)


def keep_house(at: datetime) -> dict[str, int]:
    """Everything a night asks for; returns what each part did. One part that fails does not keep the others from
    their work: it is logged, and the first failure is raised at the end, so that the job shows as failed."""
    parts: dict[str, Callable[[], int]] = {
        "partitions": lambda: len(ensure_partitions(at)),
        "submissions": lambda: forget_submissions(at),
        "anonymised": lambda: anonymise_due(at),
        "messages": lambda: forget_messages(at),
        "missed_calls": lambda: forget_numbers(at),
        "files": lambda: forget_files(at),
        "sessions": forget_sessions,
        "cache": forget_cache,
        "jobs": lambda: forget_jobs(at),
    }
    done: dict[str, int] = {}
    failed: Exception | None = None
    for name, part in parts.items():
        try:
            done[name] = part()
        except Exception as error:
            log.exception("housekeeping: %s failed", name)
            failed = failed or error
    log.info("housekeeping: %s", done)
    if failed is not None:
        raise failed
    return done
