"""What a migration may do while the program before it still runs, and the tables are full.

During an upgrade two versions work on one database: the migrations are run first, then the processes are started anew one by one. So a
migration must leave everything the old version reads and writes, and must not lock a large table for longer than a request waits
(`lock_timeout` is five seconds). Each rule says why and what to do instead; a migration that has to break one says so with a reason, in
its class: `why_safe = {"add-index": "…"}`. See docs/explanation/zero-downtime.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

# Beside this module: the last release, its commit and the last migration of each app; an app that nothing used yet is left out.
BASELINE = "baseline.json"
SHORTEST = 20  # letters of a reason
# Tables of a city's own order – areas, units, categories, limits – and others of a few thousand rows at most. Every other table grows
# with the cases and is large.
SMALL = frozenset({
    "places.city", "places.area", "places.site", "organisations.unit", "organisations.staff", "organisations.rolegrant",
    "organisations.workcalendar", "organisations.apitoken", "organisations.accountentry",
    "cases.category", "cases.cataloguerule", "cases.catalogueversion",
    "cases.catalogueproposal", "cases.timelimit", "cases.dutylimit", "cases.noticerule", "cases.phrase", "knowledge.article",
    "linkage.partner", "linkage.partnersecret", "quality.campaign", "quality.checklistitem", "patrols.form", "patrols.round",
    "operations.copy", "publishing.standing", "exchange.system",
})
WHY: dict[str, str] = {
    "not-null": "Processes of the old version insert rows without the new column: give it null=True or db_default.",
    "remove": "The old version still reads and writes what is removed. First a release that no longer uses it, then this.",
    "remove-state": "The new version inserts without a column that is NOT NULL and has no default in the database: make it null first.",
    "rename": "The old version asks for the old name. Add the new one, write both, move the rows, then remove the old one.",
    "type": "Another type rewrites the whole table under an exclusive lock. Add a column, copy in batches, switch over.",
    "set-not-null": "SET NOT NULL reads the whole table under an exclusive lock. First a CHECK (… IS NOT NULL) NOT VALID, validated "
                    "later.",
    "add-index": "CREATE INDEX stops all writes to a large table. Use AddIndexConcurrently in a migration with atomic = False.",
    "remove-index": "DROP INDEX waits for everybody and everybody for it. Use RemoveIndexConcurrently with atomic = False.",
    "add-constraint": "A constraint is checked against every row under a lock. Use AddConstraintNotValid, and ValidateConstraint in a "
                      "migration of its own; a unique one needs its index made concurrently first.",
    "foreign-key": "A foreign key makes an index and checks every row under locks on two tables. Add the column without (db_constraint="
                   "False, db_index=False), then index concurrently, then the constraint NOT VALID.",
    "not-atomic": "CONCURRENTLY cannot run in a transaction: the migration needs atomic = False.",
    "rows-at-once": "All rows in one transaction lock them until its end. Change them in batches: atomic = False, a function marked with "
                    "@in_batches.",
    "sql-lock": "Written SQL that locks a large table or takes away what the old version uses.",
    "validate": "VALIDATE in the migration that adds the constraint reads the table under the lock of adding it: put it into the next.",
    "reason": f"A reason has at least {SHORTEST} letters, and names a rule that is broken.",
}
_SQL = (
    (r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[^;]*?\bON\s+(?:ONLY\s+)?\"?(\w+)", "add-index"),
    (r"\bDROP\s+INDEX\s+(?!CONCURRENTLY)()", "remove-index"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)\"?\s+ADD\s+CONSTRAINT\s+(?:(?!;|NOT\s+VALID).)*(?:;|\Z)", "add-constraint"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)\"?\s+ALTER\s+(?:COLUMN\s+)?\"?\w+\"?\s+(?:SET\s+DATA\s+)?TYPE\b", "type"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)\"?\s+ALTER\s+(?:COLUMN\s+)?\"?\w+\"?\s+SET\s+NOT\s+NULL\b", "set-not-null"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)\"?\s+RENAME\b", "rename"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)\"?\s+DROP\s+(?!CONSTRAINT)", "remove"),
    (r"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?\"?(\w+)", "remove"),
    (r"\b(?:LOCK\s+TABLE|TRUNCATE(?:\s+TABLE)?|VACUUM\s+FULL|CLUSTER|REINDEX\s+TABLE)\s+(?:ONLY\s+)?\"?(\w+)", "sql-lock"),
    (r"^\s*UPDATE\s+(?:ONLY\s+)?\"?(\w+)", "rows-at-once"),
    (r"^\s*DELETE\s+FROM\s+(?:ONLY\s+)?\"?(\w+)", "rows-at-once"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a migration breaks: `where` is app, migration and what of it. `reason` is what its author gave for it."""

    where: str
    what: str
    rule: str
    reason: str = ""

    @property
    def why(self) -> str:
        return WHY[self.rule]


def in_batches(function: Any) -> Any:
    """Marks a function of RunPython that changes a bounded number of rows in each transaction. The author's word: read it."""
    function.in_batches = True
    return function


def baseline() -> dict[str, Any]:
    """The last release: `commit`, and by app the name of its last migration."""
    held: dict[str, Any] = json.loads(files(__package__).joinpath(BASELINE).read_text(encoding="utf-8"))
    return held


def _label(migration: Migration, model: str) -> str:
    return f"{migration.app_label}.{model}".lower() if "." not in model else model.lower()


def _required(field: Any) -> bool:
    """Whether an insert that does not name the column fails."""
    return bool(not field.null and field.db_default is NOT_PROVIDED and not field.many_to_many and not getattr(field, "generated", False)
                and field.concrete and field.column)


def _field(state: ProjectState, label: str, name: str) -> Any:
    return state.apps.get_model(label)._meta.get_field(name)


class Judge:
    """Looks at migrations in their order. `fresh` are models made since the baseline: nobody uses them yet, they have no rows."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.fresh: set[str] = set()
        self.fresh_tables: set[str] = set()

    def _large(self, label: str) -> bool:
        return label not in self.fresh and label not in SMALL

    def judge(self, migration: Migration, before: ProjectState) -> list[Finding]:
        """What one migration breaks, reasons and all; the state is that before it, and is moved on."""
        found = list(self._operations(migration, migration.operations, before))
        reasons: dict[str, str] = getattr(migration, "why_safe", {})
        name = f"{migration.app_label}.{migration.name}"
        broken = {rule for _what, rule in found}
        faults = [Finding(name, f"why_safe[{rule!r}]", "reason") for rule, said in reasons.items()
                  if rule not in broken or len(said.strip()) < SHORTEST]
        return [Finding(name, what, rule, reasons.get(rule, "")) for what, rule in found] + faults

    def _operations(self, migration: Migration, operations: Iterable[Any], state: ProjectState) -> Iterator[tuple[str, str]]:
        for one in operations:
            if isinstance(one, ops.SeparateDatabaseAndState):
                yield from self._separate(migration, one, state)
            else:
                yield from ((f"{one.__class__.__name__} {self._subject(one)}".strip(), rule)
                            for rule in self._one(migration, one, state))
                one.state_forwards(migration.app_label, state)

    def _separate(self, migration: Migration, one: Any, state: ProjectState) -> Iterator[tuple[str, str]]:
        """The database's part by the rules; of the state's part only what the new version then leaves out when it writes."""
        database = state.clone()
        yield from self._operations(migration, one.database_operations, database)
        for inner in one.state_operations:
            if isinstance(inner, ops.RemoveField) and not any(isinstance(other, ops.RemoveField) for other in one.database_operations):
                field = _field(state, _label(migration, inner.model_name), inner.name)
                if _required(field):
                    yield f"RemoveField {self._subject(inner)}", "remove-state"
            inner.state_forwards(migration.app_label, state)

    @staticmethod
    def _subject(one: Any) -> str:
        model = getattr(one, "model_name", "") or getattr(one, "name", "") or getattr(one, "old_name", "")
        inner = getattr(one, "name", "") if hasattr(one, "model_name") else ""
        thing = getattr(one, "constraint", None) or getattr(one, "index", None)
        return ".".join(part for part in (model, inner or getattr(thing, "name", "")) if part)

    def _one(self, migration: Migration, one: Any, state: ProjectState) -> Iterator[str]:
        match one:
            case ops.CreateModel():
                label = _label(migration, one.name)
                self.fresh.add(label)
                self.fresh_tables.add(str(one.options.get("db_table") or label.replace(".", "_")))
            case AddIndexConcurrently() | RemoveIndexConcurrently():
                if migration.atomic:
                    yield "not-atomic"
            case AddConstraintNotValid():
                pass
            case ops.AddIndex() | ops.RemoveIndex() | ops.AddConstraint():
                yield from self._on_a_table(one, _label(migration, one.model_name))
            case ops.AddField() | ops.RemoveField() | ops.AlterField() | ops.RenameField():
                yield from self._column(migration, one, state)
            case ops.DeleteModel() | ops.RenameModel() | ops.AlterModelTable():
                label = _label(migration, getattr(one, "old_name", None) or one.name)
                if label not in self.fresh:
                    yield "remove" if isinstance(one, ops.DeleteModel) else "rename"
            case ops.RunPython():
                if self._touches_old(migration) and not (getattr(one.code, "in_batches", False) and not migration.atomic):
                    yield "rows-at-once"
            case ops.RunSQL():
                yield from self._sql(one)
            case ValidateConstraint():
                if any(isinstance(other, AddConstraintNotValid) and other.constraint.name == one.name for other in migration.operations):
                    yield "validate"

    def _touches_old(self, migration: Migration) -> bool:
        """A function may do anything; one in a migration that begins an app is about that app's own, empty tables."""
        return not migration.initial

    def _on_a_table(self, one: Any, label: str) -> Iterator[str]:
        if self._large(label):
            yield {"AddIndex": "add-index", "RemoveIndex": "remove-index"}.get(one.__class__.__name__, "add-constraint")

    def _column(self, migration: Migration, one: Any, state: ProjectState) -> Iterator[str]:
        label = _label(migration, one.model_name)
        if label in self.fresh:
            return
        match one:
            case ops.RemoveField():
                if not _field(state, label, one.name).many_to_many:
                    yield "remove"
            case ops.RenameField():
                yield "rename"
            case ops.AddField():
                after = state.clone()
                one.state_forwards(migration.app_label, after)
                yield from self._added(_field(after, label, one.name), label)
            case ops.AlterField():
                after = state.clone()
                one.state_forwards(migration.app_label, after)
                yield from self._altered(_field(state, label, one.name), _field(after, label, one.name), label)

    def _added(self, field: Any, label: str) -> Iterator[str]:
        if _required(field):
            yield "not-null"
        if field.many_to_many:
            return
        if field.is_relation and self._large(label) and (getattr(field, "db_constraint", False) or field.db_index):
            yield "foreign-key"
        elif (field.db_index or field.unique) and self._large(label):
            yield "add-index"

    def _altered(self, before: Any, after: Any, label: str) -> Iterator[str]:
        was, is_ = before.db_type(self.connection), after.db_type(self.connection)
        if was != is_ and not _wider(was, is_):
            yield "type"
        if before.null and not after.null:
            if self._large(label):
                yield "set-not-null"
            if after.db_default is NOT_PROVIDED:
                yield "not-null"  # the old version may still write NULL
        if self._large(label) and (after.db_index or after.unique) and not (before.db_index or before.unique):
            yield "add-index"

    def _sql(self, one: Any) -> Iterator[str]:
        written = one.sql if isinstance(one.sql, str) else "\n".join(part if isinstance(part, str) else part[0] for part in one.sql or ())
        outside = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", written, flags=re.DOTALL)  # bodies of functions run later
        outside = re.sub(r"--[^\n]*", "", outside)
        for pattern, rule in _SQL:
            for match in re.finditer(pattern, outside, re.IGNORECASE | re.DOTALL | re.MULTILINE):
                table = match[1].lower()
                small = table.replace("_", ".", 1) in SMALL
                gone = rule in ("remove", "rename", "type")
                if table not in self.fresh_tables and (gone or not small):
                    yield rule


def _wider(was: str | None, is_: str | None) -> bool:
    """Whether PostgreSQL changes one type to the other without reading the rows: a longer or unbounded text."""
    first, second = (re.fullmatch(r"varchar\((\d+)\)", one or "") for one in (was, is_))
    if first and second:
        return int(second[1]) >= int(first[1])
    return bool(first) and is_ in ("text", "varchar")


def judge(loader: MigrationLoader, connection: Any, since: dict[str, str]) -> list[Finding]:
    """Every rule broken by our migrations that are newer than `since` (the last migration of each app), in the order they run."""
    judging, state, found = Judge(connection), ProjectState(real_apps=loader.unmigrated_apps), []
    seen = _up_to(loader, since)
    order: list[tuple[str, str]] = []
    for leaf in sorted(loader.graph.leaf_nodes()):
        order += [key for key in loader.graph.forwards_plan(leaf) if key not in order]
    # What was released first, then what is new: as an installation meets it.
    for key in sorted(order, key=lambda one: (one not in seen, order.index(one))):
        migration = loader.get_migration(*key)
        if key in seen or not migration.__module__.startswith("lianxin."):
            for one in migration.operations:
                one.state_forwards(migration.app_label, state)
        else:
            found += judging.judge(migration, state)
    return found


def _up_to(loader: MigrationLoader, since: dict[str, str]) -> set[tuple[str, str]]:
    """Everything the baseline had applied."""
    held: set[tuple[str, str]] = set()
    for app, name in since.items():
        if (app, name) in loader.graph.nodes:
            held.update(loader.graph.forwards_plan((app, name)))
    return held


def leaves(loader: MigrationLoader) -> dict[str, str]:
    """The last migration of each of our apps."""
    return {app: name for app, name in sorted(loader.graph.leaf_nodes())
            if loader.get_migration(app, name).__module__.startswith("lianxin.")}


