"""docs/reference/data-model.md: tables, columns, constraints, indexes and retention, from the models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from lianxin.cases import schema_sql
from lianxin.cases.models import Reporter, RetentionClass
from lianxin.cases.retention import BY_CONSENT, PERSONAL

from .markdown import code, codes, page, sentence, table

CONTEXTS = ("places", "organisations", "cases", "quality", "supervision", "analysis", "analysis.reports", "knowledge", "triage",
            "triage.hot", "fieldwork", "patrols", "care", "telephony", "linkage", "publishing", "services", "exchange", "webhooks",
            "operations", "ogc", "transfer", "desk")
# What the nightly job does when a class's days are over.
RETENTION: dict[RetentionClass, str] = {
    RetentionClass.REPORTER: "emptied; the row stays, so that the case still shows that somebody raised it",
    RetentionClass.WORDS: "replaced or emptied; a public version that staff cleared stays public, one only asked for is deleted",
    RetentionClass.ATTACHMENT: "the file is deleted from storage unless another case holds the same; the row says when",
    RetentionClass.MESSAGE: "the row is deleted",
    RetentionClass.LEDGER: "kept: who read an identity, when and why stays provable",
}


def tables() -> list[type[models.Model]]:
    """Our models, context by context, in the order they are defined."""
    return [model for name in CONTEXTS if apps.is_installed(f"lianxin.{name}")
            for model in apps.get_app_config(name.rpartition(".")[2]).get_models()]


def _type(field: Any) -> str:
    if isinstance(field, ArrayField):
        return _type(field.base_field) + "[]"
    kind = str(field.db_type(connection) or field.get_internal_type())
    return {"timestamp with time zone": "timestamptz", "double precision": "double"}.get(kind, kind)


def _column(field: Any) -> tuple[str, str, str, str]:
    notes = []
    if field.primary_key:
        notes.append("primary key")
    elif field.unique:
        notes.append("unique")
    if field.is_relation and field.related_model is not None:
        other = field.related_model
        notes.append(f"→ [{other._meta.db_table}](#{other._meta.db_table})" if other in tables() or other is field.model
                     else f"→ `{other._meta.db_table}`")
    if getattr(field, "choices", None):
        notes.append("one of " + codes(value for value, _label in field.choices))
    return code(field.column), _type(field), "" if field.null else "not null", "; ".join(notes)


def _condition(constraint: models.CheckConstraint, model: type[models.Model]) -> str:
    """The condition as PostgreSQL gets it, without quotes and table names that say nothing."""
    from django.db.models.sql.query import Query

    query = Query(model=model, alias_cols=False)
    where = query.build_where(cast(Any, constraint.condition))
    sql, parameters = where.as_sql(query.get_compiler(connection=connection), connection)
    for value in parameters:
        shown = f"'{value}'" if isinstance(value, str) else str(value)
        sql = sql.replace("%s", shown, 1)
    return re.sub(r'"([a-z_]+)"', r"\1", sql)


def _unique(constraint: models.UniqueConstraint) -> str:
    words = "unique " + ", ".join(constraint.fields)
    if constraint.nulls_distinct is False:
        words += ", empty ones alike"
    if constraint.condition is not None:
        words += " – for some rows only"
    return words


def _table(model: type[models.Model]) -> str:
    meta = model._meta
    parts = [f"### {meta.db_table}", sentence(model) if model.__doc__ and not model.__doc__.startswith(model.__name__ + "(") else "",
             table(("column", "type", "", ""), (_column(field) for field in meta.concrete_fields))]
    rules = []
    for constraint in meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            rules.append((code(constraint.name), code(_condition(constraint, model))))
        elif isinstance(constraint, models.UniqueConstraint):
            rules.append((code(constraint.name), _unique(constraint)))
    if rules:
        parts.append(table(("constraint", "holds"), rules))
    return "\n\n".join(part for part in parts if part)


def _columns(names: Iterable[str]) -> str:
    """`table.column` of fields named by app, model and column."""
    found = (name.split(".") for name in names)
    return codes(f"{apps.get_model(label, model)._meta.db_table}.{column}" for label, model, column in found)


def _retention() -> str:
    days = settings.LIANXIN_RETENTION_DAYS
    rows = []
    for kind, done in RETENTION.items():
        when = f"{days[kind.value]} days after the case ended" if kind.value in days else "–"
        rows.append((code(kind.value), kind.label, _columns(name for name, held in PERSONAL.items() if held == kind), when, done))
    return table(("class", "", "columns", "when (default)", "what happens"), rows)


def _triggers() -> str:
    guards = schema_sql.GUARD + schema_sql.CATALOGUE_GUARD
    found = re.findall(r"CREATE TRIGGER (\w+) BEFORE ([A-Z, ]+?)(?: OF ([a-z_, ]+))? ON (\w+)", guards)
    return table(("trigger", "on", "refuses"), (
        (code(name), code(on), what.lower().strip() + (f" of {codes(columns.split(', '))}" if columns else ""))
        for name, what, columns, on in found
    ))


def render() -> str:
    sealed = [field.column for field in Reporter._meta.concrete_fields
              if isinstance(field, models.BinaryField) and field.name != "phone_hash"]
    return page(
        "Data model", "the models of each context",
        "One PostgreSQL database. Times are `timestamptz` in UTC, positions WGS-84 degrees, keys of everything about a case "
        "UUIDv7: they sort by time. Contexts depend one way – places, organisations, cases, then the rest – and one "
        "context writes another's tables only through its actions.",
        "## What the database itself refuses",
        "Besides the constraints under each table, triggers hold what no constraint can say:", _triggers(),
        "The nightly anonymising is the one exception to the second and third: it says so for its own transaction "
        "(`lianxin.anonymise`). The log and the ledger of readings know no exception.",
        "`cases_event` is partitioned by month of its key. Partitions are made three months ahead each night; "
        "`cases_event_default` catches what has none.",
        "## Personal data",
        f"{codes(sealed)} of `cases_reporter` are ciphertext (AES-256-GCM; the keys lie in the keyring file, never in the "
        "database), each bound to its row and column. `phone_hash` is a keyed hash for exact look-up. Every column that can "
        "hold something about a reporter has a retention class; a test finds the one that has none:",
        _retention(),
        f"{_columns(BY_CONSENT)} are ciphertext likewise and have no days: they are kept while their person's consent holds, and go "
        "with their row when it is taken back or has ended ([care-register.md](../howto/care-register.md)).",
        "The days are settings, for all classes or for each: see [settings.md](settings.md). How to look into it: "
        "[keys-and-retention.md](../howto/keys-and-retention.md).",
        "## Tables", *(_table(model) for model in tables()),
    )
