"""The one way to write: a lock of this process around one transaction, and what is to happen once it is on the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from .models import Keep

_lock = threading.RLock()


@contextmanager
def writing() -> Iterator[None]:
    """One write transaction. SQLite has one writer; waiting here is fair and cheaper than its busy loop."""
    with _lock, transaction.atomic():
        yield


def afterwards(do: Callable[[], Any]) -> None:
    """Once this transaction is durable."""
    transaction.on_commit(do)


def kept(name: str, default: Any) -> Any:
    found = Keep.objects.filter(name=name).values_list("value", flat=True).first()
    return default if found is None else found


def keep(name: str, value: Any) -> None:
    Keep.objects.update_or_create(name=name, defaults={"value": value})


def next_number(name: str) -> int:
    """1, 2, 3 … of this name; call it while writing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO desk_keep (name, value) VALUES (%s, '1') "
            "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING value", [name])
        return int(cursor.fetchone()[0])
