"""How this installation stands: what `/readyz`, `/metrics` and `lianxin doctor` ask. Each is one small question."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from lianxin.cases import keys
from lianxin.cases.housekeeping import months_ahead
from lianxin.kernel.crypto import KeyringError

from .models import Copy, CopyKind

ALIVE = 60  # seconds; a worker says every ten that it is there
_migrated = False


def pending_migrations() -> list[tuple[str, str]]:
    """App and name of the migrations of this program that the database has not had. One that is ahead of it – because a newer
    version is being brought in beside this one – lacks none."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    applied = set(MigrationRecorder(connection).applied_migrations())
    return sorted(key for key, one in loader.disk_migrations.items()
                  if key not in applied and not (one.replaces and set(map(tuple, one.replaces)) <= applied))


def known_migrations() -> set[tuple[str, str]]:
    """Every migration this program has, those that others stand for included."""
    disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return set(disk) | {(app, name) for one in disk.values() for app, name in one.replaces}


def migrated() -> bool:
    """Whether the tables are those of this program: read until it is so, then known for as long as the process lives."""
    global _migrated
    if not _migrated:
        _migrated = not pending_migrations()
    return _migrated


def unready() -> str:
    """Why this process cannot work, for machines; empty when it can."""
    try:
        if not migrated():
            return "the database lacks migrations: run lianxin migrate"
        keys.verify()
    except KeyringError:
        return "keyring missing or not this database's"
    except Exception:
        return "database unavailable"
    return ""


def workers_alive() -> int:
    """Worker processes that gave a sign of life within a minute."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - %s * interval '1 second'", [ALIVE])
        return int(cursor.fetchone()[0])


def oldest_jobs() -> dict[str, float]:
    """By queue, how many seconds the oldest job that is due has been waiting; queues in which none waits are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT job.queue_name, extract(epoch FROM now() - min(coalesce(job.scheduled_at, ("
            "SELECT min(event.at) FROM procrastinate_events event WHERE event.job_id = job.id)))) FROM procrastinate_jobs job "
            "WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now()) GROUP BY job.queue_name")
        return {str(queue): max(0.0, float(seconds or 0)) for queue, seconds in cursor.fetchall()}


def failed_jobs() -> int:
    """Jobs that were given up on and wait for somebody to look."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
        return int(cursor.fetchone()[0])


def partitions_ahead(at: datetime) -> int:
    """For how many months after this one the log of events has its own table."""
    return months_ahead(at)


def last_backup() -> Copy | None:
    """The newest backup that was made and verified."""
    return Copy.objects.filter(kind=CopyKind.BACKUP).order_by("-at").first()
