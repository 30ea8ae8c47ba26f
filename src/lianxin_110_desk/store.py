"""The one way to write: a lock of this process around one transaction, and what is to happen once it is on the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models, transaction

from .models import Keep

_lock = threading.RLock()
Row = TypeVar("Row", bound=models.Model)


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


@cache
def _insertion(model: Any) -> tuple[str, tuple[Any, ...]]:
    fields = tuple(field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField))
    names = ", ".join(f'"{field.column}"' for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({", ".join(["%s"] * len(fields))})', fields


@cache
def _change(model: Any, names: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
    key = model._meta.pk
    fields = tuple(model._meta.get_field(name) for name in names) or tuple(
        field for field in model._meta.concrete_fields if not field.primary_key)
    changes = ", ".join(f'"{field.column}" = %s' for field in fields)
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE "{key.column}" = %s', (*fields, key)


def _values(row: models.Model, fields: tuple[Any, ...]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection=connection) for field in fields]


def insert(row: Any) -> None:
    """A new row, by a statement that is written once: composing it anew costs ten times what SQLite needs for it."""
    kind: Any = type(row)
    statement, fields = _insertion(kind)
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(row, fields))
        if row.pk is None:
            row.pk = cursor.lastrowid
    row._state.adding = False


def update(row: Any, *names: str) -> None:
    """These fields of a row, or all of them."""
    kind: Any = type(row)
    statement, fields = _change(kind, names)
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(row, fields))


@cache
def _search(model: Any, names: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
    fields = tuple(model._meta.get_field(name) for name in names)
    wanted = " AND ".join(f'"{field.column}" = %s' for field in fields)
    return f'SELECT * FROM "{model._meta.db_table}" WHERE {wanted} LIMIT 1', fields


def find(model: type[Row], **values: Any) -> Row | None:
    """The row with these values, or none."""
    statement, fields = _search(model, tuple(values))
    given = [field.get_db_prep_value(value, connection) for field, value in zip(fields, values.values(), strict=True)]
    return next(iter(model._default_manager.raw(statement, given)), None)
