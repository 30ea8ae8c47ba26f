"""One at a time across processes, without a transaction or a row that stands locked meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(name: str, *, wait: bool = False) -> Iterator[bool]:
    """Whether nobody else is at what is called so. The lock is the connection's: it goes with a process that is killed. With `wait` it is
    waited for, as long as for any lock, and the same is raised."""
    with connection.cursor() as cursor:
        ask = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
        cursor.execute(f"SELECT {ask}(hashtextextended(%s, 0))", [name])
        mine = wait or bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine and not connection.needs_rollback and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def in_turn(key: bytes) -> None:
    """Wait until nobody else is at what this key names – a digest, of which eight bytes count – and hold it until the transaction
    ends: for rows that may not be there yet, and so cannot be locked themselves. Waited for as long as for any lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key[:8], "big", signed=True)])
