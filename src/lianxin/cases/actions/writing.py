"""The rows of new cases, and the two ways they reach the tables: one statement for one case, COPY for many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


@dataclass(slots=True)
class Rows:
    """Rows by table, each a dict of every column."""

    case: dict[str, Any]
    reporter: list[dict[str, Any]] = field(default_factory=list)
    clocks: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)


def hexed(value: bytes | None) -> str | None:
    """Bytes as PostgreSQL reads them in text."""
    return None if value is None else "\\x" + value.hex()


# One statement for all rows of one case: `jsonb_populate_recordset` types each row as its own table's.
ONE_STATEMENT = """
WITH reporter AS (
  INSERT INTO cases_reporter SELECT * FROM jsonb_populate_recordset(NULL::cases_reporter, %(reporter)s)
), kase AS (
  INSERT INTO cases_case SELECT * FROM jsonb_populate_recordset(NULL::cases_case, %(case)s)
), clock AS (
  INSERT INTO cases_clock SELECT * FROM jsonb_populate_recordset(NULL::cases_clock, %(clocks)s)
), event AS (
  INSERT INTO cases_event SELECT * FROM jsonb_populate_recordset(NULL::cases_event, %(events)s)
), submission AS (
  INSERT INTO cases_submission SELECT * FROM jsonb_populate_recordset(NULL::cases_submission, %(submission)s)
)
INSERT INTO procrastinate_jobs (queue_name, task_name, args)
SELECT 'messages', 'cases.announce', job FROM jsonb_array_elements(%(jobs)s::jsonb) AS job
"""


# Chinese as it is: half as long as in escapes, here and in PostgreSQL's parser. One encoder: `dumps` makes its own each time.
_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def statement_parameters(rows: Rows, submission: dict[str, Any] | None) -> dict[str, str]:
    """What `ONE_STATEMENT` takes, each a JSON array."""
    return {
        "reporter": _json(rows.reporter),
        "case": _json([rows.case]),
        "clocks": _json(rows.clocks),
        "events": _json(rows.events),
        "submission": _json([submission] if submission else []),
        "jobs": _json(rows.jobs),
    }


class _Prepared(ServerBindingCursor):  # type: ignore[misc, unused-ignore]
    """A cursor whose statement is parsed and planned once in each connection. Django's own never are."""

    def execute(self, query: Any, params: Any = None, **_options: Any) -> Any:
        return super().execute(query, params, prepare=True)  # type: ignore[misc]


def prepared() -> CursorWrapper:
    """`connection.cursor()` for one statement that is worth preparing: watched and counted like every other."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: Any = _Prepared(connection.connection)  # type: ignore[call-arg]
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


def write_one(rows: Rows, submission: dict[str, Any] | None) -> None:
    """All rows of one case in one statement. Must run inside a transaction or autocommit: it is atomic either way."""
    with prepared() as cursor:
        cursor.execute(ONE_STATEMENT, statement_parameters(rows, submission))


TABLES = (("reporter", "cases_reporter"), ("case", "cases_case"), ("clocks", "cases_clock"),
          ("events", "cases_event"), ("texts", "cases_eventtext"))


def by_table(rows: Sequence[Rows]) -> dict[str, list[dict[str, Any]]]:
    """The rows of many cases, gathered under the names in `TABLES`."""
    batches: dict[str, list[dict[str, Any]]] = {name: [] for name, _table in TABLES}
    for one in rows:
        batches["reporter"].extend(one.reporter)
        batches["case"].append(one.case)
        batches["clocks"].extend(one.clocks)
        batches["events"].extend(one.events)
        batches["texts"].extend(one.texts)
    return batches


def register_many(*, rows: Sequence[Rows]) -> int:
    """Write checked rows of many cases through COPY, in the caller's transaction. Returns the number of cases."""
    batches = by_table(rows)
    with connection.cursor() as cursor:
        for name, table in TABLES:
            batch = batches[name]
            if not batch:
                continue
            columns = list(batch[0])
            names = ", ".join(f'"{column}"' for column in columns)
            in_order = itemgetter(*columns)
            documents = [column for column in columns if isinstance(batch[0][column], dict)]
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in batch:
                    copy.write_row(in_order({**row, **{name: _json(row[name]) for name in documents}} if documents else row))
    return len(rows)
