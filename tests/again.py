"""What many tests begin with: made once by its own code, and then put there again as the rows it was.

`World.make` writes a dozen kinds of rows through Django's models, which costs more than many a test that begins with it. The
first time in a process its rows are written down as statements; from then on they are put there by one round trip. They are
real inserts: every constraint and trigger sees them.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from lianxin.kernel import clock

# The rows of a table as one statement. Columns that are computed are left out.
_ROWS = """
SELECT format('INSERT INTO %%I (%%s) SELECT %%s FROM json_populate_recordset(NULL::%%I, %%L);', name, columns, columns, name, rows)
FROM (SELECT %(table)s AS name,
  (SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute
   WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
  (SELECT json_agg(one)::text FROM {table} one) AS rows) AS written"""
# When the rows are made the first time. Where this stands in them, it is now when they are put there again.
_THEN = datetime(1999, 12, 31, 23, 59, 58, 123457, tzinfo=UTC)
_IN_ROWS = "1999-12-31T23:59:58.123457+00:00"
_OF_DJANGO = {"django_migrations", "django_content_type", "auth_permission"}


@dataclass(frozen=True, slots=True)
class _Kept:
    rows: str
    made: bytes


_kept: dict[Any, _Kept] = {}


class _Undo(Exception):
    pass


def _filled() -> set[str]:
    """Tables that have rows."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        cursor.execute(" UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM {connection.ops.quote_name(name)})" for name in names))
        return {name for (name,) in cursor.fetchall()} - _OF_DJANGO


def _keep(make: Callable[[], Any]) -> _Kept:
    rows = []
    try:
        with transaction.atomic(), clock.frozen(_THEN):
            made = make()
            with connection.cursor() as cursor:
                for table in sorted(_filled()):
                    cursor.execute(_ROWS.format(table=connection.ops.quote_name(table)), {"table": table})
                    rows.append(cursor.fetchone()[0])
            raise _Undo
    except _Undo:
        return _Kept("\n".join(rows), pickle.dumps(made))


def again(make: Callable[[], Any], moved: Callable[[Any, datetime], None]) -> Any:
    """What `make()` gives, with its rows in the database. `moved` is given it and the moment to set where it carries one."""
    if make not in _kept:
        if _filled():  # whose rows are whose could not be told
            return make()
        _kept[make] = _keep(make)
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_kept[make].rows.replace(_IN_ROWS, now.isoformat()))
    made = pickle.loads(_kept[make].made)
    moved(made, now)
    return made
