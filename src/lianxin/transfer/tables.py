"""The tables of a city's export: which there are, in which order, with which columns, and what is left out and why.

They are read from the models, so that a new table is exported from the day it exists; a test finds a table of the database
that is neither exported nor left out with a reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from django.apps import apps
from django.db import models
from psycopg import sql

# Of the frameworks' tables, those that hold something of the city's. The others are in LEFT_OUT.
BORROWED = ("account_emailaddress", "mfa_authenticator", "socialaccount_socialapp", "socialaccount_socialapp_sites",
            "socialaccount_socialaccount")
LEFT_OUT = {
    "django_migrations": "which migrations were run; the manifest says it",
    "django_content_type": "Django makes it with the tables; nothing of ours refers to it",
    "auth_permission": "Django makes it with the tables; rights come from `organisations_rolegrant`",
    "auth_group": "not used: rights come from `organisations_rolegrant`",
    "auth_group_permissions": "not used: rights come from `organisations_rolegrant`",
    "django_session": "people sign in again",
    "usersessions_usersession": "people sign in again",
    "account_emailconfirmation": "a link that was sent and holds for a short time",
    "socialaccount_socialtoken": "a token of the city's single sign-on, made anew at the next sign-in",
    "lianxin_cache": "counts of how often an address acts, forgotten within the hour",
    "procrastinate_workers": "processes of the installation that was left",
    "procrastinate_events": "what was noted of a job while it ran",
    "procrastinate_periodic_defers": "when a nightly job was last begun; it is begun anew",
}
JOBS = "procrastinate_jobs"
# Jobs that wait or failed; one that runs while the export is made waits in the copy. They get new numbers.
JOB_COLUMNS = ("queue_name", "task_name", "priority", "lock", "queueing_lock", "args", "status", "scheduled_at", "attempts")
# What a table needs before it beside the tables its foreign keys name: triggers look there.
BESIDES = {"organisations_unit": ("organisations_workcalendar",), "cases_clock": ("organisations_workcalendar",),
           "cases_timelimit": ("organisations_workcalendar",), "cases_dutylimit": ("organisations_workcalendar",),
           "care_careentry": ("organisations_rolegrant",)}
# In which order the rows come, where the primary key is not it.
ORDER = {"cases_catalogueversion": ("number",)}
# Triggers that judge a row by how things stand at the moment it is written: years later that moment is over. They are off while
# their table is filled; every other trigger, those of the append-only ledgers among them, stays on.
OF_THE_MOMENT = {"care_visitor_made": "care_careentry"}

# Where triggers that stay on look other rows up, for each row that comes in or at the end: these keep their indexes, however large.
LOOKED_UP = ("cases_catalogueversion", "linkage_matter", "organisations_workcalendar")


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its type as PostgreSQL writes it (`timestamp with time zone`, `bigint[]`)."""

    name: str
    type: str
    null: bool

    def said(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "null": self.null}


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the export. `order` are the columns its rows are sorted by."""

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    needs: frozenset[str] = field(default=frozenset())

    @property
    def file(self) -> str:
        return f"tables/{self.name}.csv"


def _exported(model: type[models.Model]) -> bool:
    name = model._meta.db_table
    return model._meta.managed and not model._meta.proxy and (model.__module__.startswith("lianxin.") or name in BORROWED)


def _table(model: type[models.Model], names: set[str]) -> Table:
    meta = model._meta
    found = [one for one in meta.concrete_fields if one.column is not None]
    needs = {one.related_model._meta.db_table for one in found
             if one.is_relation and one.related_model is not None and not isinstance(one.related_model, str)}
    needs |= set(BESIDES.get(meta.db_table, ()))
    primary = meta.pk.column if meta.pk is not None else found[0].column
    return Table(meta.db_table, tuple(str(one.column) for one in found), ORDER.get(meta.db_table, (str(primary),)),
                 frozenset((needs & names) - {meta.db_table}))


def tables() -> list[Table]:
    """Every exported table, those that others refer to first; the waiting jobs last."""
    found = [model for model in apps.get_models(include_auto_created=True) if _exported(model)]
    names = {model._meta.db_table for model in found}
    by_name = {table.name: table for table in (_table(model, names) for model in found)}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(by_name):
        sorter.add(name, *sorted(by_name[name].needs))
    jobs = Table(JOBS, JOB_COLUMNS, ("id",))
    return [*(by_name[name] for name in sorter.static_order()), jobs]


_COLUMNS = """
SELECT table_class.relname, attname, format_type(atttypid, atttypmod), NOT attnotnull
FROM pg_attribute JOIN pg_class AS table_class ON table_class.oid = attrelid
WHERE table_class.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped AND table_class.relname = ANY(%s)
"""


def columns_of(held: psycopg.Connection[Any], wanted: Sequence[Table]) -> dict[str, list[Column]]:
    """The types of the database's own columns, in the order of the export. Raises KeyError for a column that is not there."""
    seen = {(table, name): Column(name, kind, null)
            for table, name, kind, null in held.execute(_COLUMNS, [[table.name for table in wanted]])}
    return {table.name: [seen[table.name, name] for name in table.columns] for table in wanted}


def schema_of(columns: dict[str, list[Column]]) -> str:
    """SHA-256 of every table, column and type: two databases with the same can take each other's rows."""
    total = hashlib.sha256()
    for name in sorted(columns):
        for one in sorted(columns[name], key=lambda one: one.name):
            total.update(f"{name}\t{one.name}\t{one.type}\t{one.null}\n".encode())
    return total.hexdigest()


def migrations_of(held: psycopg.Connection[Any]) -> dict[str, str]:
    """The last migration of each of our apps."""
    names = {config.label for config in apps.get_app_configs() if config.name.startswith("lianxin.")}
    rows = held.execute("SELECT app, max(name) FROM django_migrations WHERE app = ANY(%s) GROUP BY app ORDER BY app", [sorted(names)])
    return dict(rows.fetchall())


def select(table: Table) -> sql.Composed:
    """The rows of a table as they are exported."""
    if table.name == JOBS:
        return sql.SQL(
            "SELECT queue_name, task_name, priority, lock, queueing_lock, args, CASE status WHEN 'failed' THEN status ELSE 'todo' END "
            "AS status, scheduled_at, attempts FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') ORDER BY id"
        ).format()
    return sql.SQL("SELECT {columns} FROM {table} ORDER BY {order}").format(
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)), table=sql.Identifier(table.name),
        order=sql.SQL(", ").join(map(sql.Identifier, table.order)))


_SEQUENCES = """
SELECT sequence.relname, owner.relname, column_of.attname
FROM pg_class AS sequence
LEFT JOIN pg_depend ON pg_depend.objid = sequence.oid AND pg_depend.classid = 'pg_class'::regclass
  AND pg_depend.refclassid = 'pg_class'::regclass AND pg_depend.deptype IN ('a', 'i')
LEFT JOIN pg_class AS owner ON owner.oid = pg_depend.refobjid
LEFT JOIN pg_attribute AS column_of ON column_of.attrelid = owner.oid AND column_of.attnum = pg_depend.refobjsubid
WHERE sequence.relkind = 'S' AND sequence.relnamespace = 'public'::regnamespace ORDER BY sequence.relname
"""


def sequences_of(held: psycopg.Connection[Any], wanted: Iterable[Table]) -> dict[str, int]:
    """The last number each counter of an exported table gave, and those of counters that stand alone. A counter is named by its
    table and column, for its own name may differ from database to database."""
    names = {table.name for table in wanted} - {JOBS}
    found: dict[str, int] = {}
    for sequence, table, column in held.execute(_SEQUENCES).fetchall():
        if table is not None and table not in names:
            continue
        row = held.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))).fetchone()
        if row is not None and row[1]:
            found[f"{table}.{column}" if table else sequence] = row[0]
    return found
