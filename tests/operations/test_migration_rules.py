"""Every way in which a migration stops an installation that runs is found; what is done the slow way passes; and ours pass."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from lianxin.operations import migration_rules as rules

CHECK = models.CheckConstraint(condition=models.Q(n__gte=0), name="n_is_positive")
UNIQUE = models.UniqueConstraint(fields=["n"], name="n_once")
INDEX = models.Index(fields=["n"], name="by_n")


def state() -> ProjectState:
    """A large table `cases.matter`, a small one `places.area`."""
    made = ProjectState()
    for app, name in (("cases", "Matter"), ("places", "Area")):
        made.add_model(ModelState(app, name, [
            ("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField()), ("maybe", models.IntegerField(null=True)),
            ("word", models.CharField(max_length=20)), ("spare", models.IntegerField(db_default=0))], {"indexes": [INDEX]}))
    return made


def judged(*operations: Any, app: str = "cases", atomic: bool = True, why_safe: dict[str, str] | None = None,
           initial: bool = False) -> list[rules.Finding]:
    made = type("Migration", (migrations.Migration,), {
        "operations": list(operations), "atomic": atomic, "why_safe": why_safe or {}, "initial": initial})("0009_trial", app)
    return rules.Judge(connection).judge(made, state())


def broken(*operations: Any, **more: Any) -> list[str]:
    return [one.rule for one in judged(*operations, **more)]


def add(field: models.Field[Any, Any], model: str = "matter") -> migrations.AddField:
    return migrations.AddField(model, "fresh", field)


def alter(name: str, field: models.Field[Any, Any]) -> migrations.AlterField:
    return migrations.AlterField("matter", name, field)


def fill(_apps: Any, _editor: Any) -> None:
    """All rows at once."""


BAD: list[tuple[str, list[Any], str]] = [
    ("a column that old inserts lack", [add(models.IntegerField())], "not-null"),
    ("a default that Django alone knows", [add(models.IntegerField(default=0))], "not-null"),
    ("a column with an index", [add(models.IntegerField(null=True, db_index=True))], "add-index"),
    ("a unique column", [add(models.IntegerField(null=True, unique=True))], "add-index"),
    ("a reference", [add(models.ForeignKey("places.Area", models.PROTECT, null=True))], "foreign-key"),
    ("a column that goes", [migrations.RemoveField("matter", "n")], "remove"),
    ("a table that goes", [migrations.DeleteModel("Matter")], "remove"),
    ("a column renamed", [migrations.RenameField("matter", "n", "m")], "rename"),
    ("a table renamed", [migrations.RenameModel("Matter", "Affair")], "rename"),
    ("a table named otherwise", [migrations.AlterModelTable("Matter", "other")], "rename"),
    ("another type", [alter("n", models.BigIntegerField())], "type"),
    ("a shorter text", [alter("word", models.CharField(max_length=10))], "type"),
    ("empty no more", [alter("maybe", models.IntegerField(db_default=0))], "set-not-null"),
    ("empty no more, and no default", [alter("maybe", models.IntegerField())], "not-null"),
    ("an index by altering", [alter("n", models.IntegerField(db_index=True))], "add-index"),
    ("an index", [migrations.AddIndex("matter", INDEX)], "add-index"),
    ("an index that goes", [migrations.RemoveIndex("matter", "by_n")], "remove-index"),
    ("a check", [migrations.AddConstraint("matter", CHECK)], "add-constraint"),
    ("a unique constraint", [migrations.AddConstraint("matter", UNIQUE)], "add-constraint"),
    ("concurrently in a transaction", [AddIndexConcurrently("matter", INDEX)], "not-atomic"),
    ("the same, taken away", [RemoveIndexConcurrently("matter", "by_n")], "not-atomic"),
    ("added and validated at once", [AddConstraintNotValid("matter", CHECK),
                                     ValidateConstraint("matter", "n_is_positive")], "validate"),
    ("all rows", [migrations.RunPython(fill)], "rows-at-once"),
    ("all rows, in SQL", [migrations.RunSQL("UPDATE cases_matter SET n = 0")], "rows-at-once"),
    ("all rows gone", [migrations.RunSQL("DELETE FROM cases_matter")], "rows-at-once"),
    ("an index in SQL", [migrations.RunSQL("CREATE UNIQUE INDEX x ON cases_matter (n)")], "add-index"),
    ("a constraint in SQL", [migrations.RunSQL("ALTER TABLE cases_matter ADD CONSTRAINT c CHECK (n > 0)")], "add-constraint"),
    ("a type in SQL", [migrations.RunSQL("ALTER TABLE cases_matter ALTER COLUMN n SET DATA TYPE bigint")], "type"),
    ("NOT NULL in SQL", [migrations.RunSQL("ALTER TABLE cases_matter ALTER n SET NOT NULL")], "set-not-null"),
    ("a name in SQL", [migrations.RunSQL("ALTER TABLE cases_matter RENAME COLUMN n TO m")], "rename"),
    ("a column dropped in SQL", [migrations.RunSQL("ALTER TABLE cases_matter DROP COLUMN n")], "remove"),
    ("a table dropped in SQL", [migrations.RunSQL("DROP TABLE IF EXISTS cases_matter")], "remove"),
    ("a lock", [migrations.RunSQL("LOCK TABLE cases_matter IN ACCESS EXCLUSIVE MODE")], "sql-lock"),
    ("emptied", [migrations.RunSQL("TRUNCATE cases_matter")], "sql-lock"),
    ("several statements", [migrations.RunSQL(["SELECT 1", ("CREATE INDEX x ON cases_matter (n)", None)])], "add-index"),
    ("hidden in the database's half", [migrations.SeparateDatabaseAndState([migrations.RemoveField("matter", "n")], [])], "remove"),
    ("left out of what is written", [migrations.SeparateDatabaseAndState([], [migrations.RemoveField("matter", "n")])], "remove-state"),
]


@pytest.mark.parametrize(("what", "operations", "rule"), BAD, ids=[one[0] for one in BAD])
def test_what_stops_an_installation_is_found(db: None, what: str, operations: list[Any], rule: str) -> None:
    assert rule in broken(*operations)


def test_every_rule_has_an_example() -> None:
    assert {rule for _what, _operations, rule in BAD} | {"reason"} == set(rules.WHY)


@rules.in_batches
def slowly(_apps: Any, _editor: Any) -> None:
    """A bounded number of rows in each transaction."""


GOOD: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("an empty column", [add(models.IntegerField(null=True))], {}),
    ("a default in the database", [add(models.IntegerField(db_default=0))], {}),
    ("many to many", [add(models.ManyToManyField("places.Area"))], {}),
    ("a longer text", [alter("word", models.CharField(max_length=40))], {}),
    ("an unbounded text", [alter("word", models.TextField())], {}),
    ("words for people only", [alter("word", models.CharField(max_length=20, choices=[("a", "b")], verbose_name="c"))], {}),
    ("an index of a small table", [migrations.AddIndex("area", INDEX)], {"app": "places"}),
    ("a check of a small table", [migrations.AddConstraint("area", CHECK)], {"app": "places"}),
    ("an index, concurrently", [AddIndexConcurrently("matter", INDEX)], {"atomic": False}),
    ("a check, not valid", [AddConstraintNotValid("matter", CHECK)], {}),
    ("and validated later", [ValidateConstraint("matter", "n_is_positive")], {}),
    ("rows in batches", [migrations.RunPython(slowly)], {"atomic": False}),
    ("a table of its own", [migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField())]),
                            migrations.AddIndex("new", INDEX), migrations.AddConstraint("new", CHECK),
                            migrations.AddField("new", "m", models.IntegerField()),
                            migrations.RunSQL("CREATE INDEX x ON cases_new (n); UPDATE cases_new SET n = 0")], {}),
    ("concurrently, in SQL", [migrations.RunSQL("CREATE INDEX CONCURRENTLY x ON cases_matter (n)")], {"atomic": False}),
    ("not valid, in SQL", [migrations.RunSQL("ALTER TABLE cases_matter ADD CONSTRAINT c CHECK (n > 0) NOT VALID")], {}),
    ("a function that will do it", [migrations.RunSQL(
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE cases_matter SET n = 0; $$; -- DROP TABLE cases_matter")], {}),
    ("an unused column first leaves the program", [
        migrations.SeparateDatabaseAndState([], [migrations.RemoveField("matter", "spare")])], {}),
    ("the first of an app", [migrations.RunPython(fill)], {"initial": True}),
]


@pytest.mark.parametrize(("what", "operations", "more"), GOOD, ids=[one[0] for one in GOOD])
def test_what_is_done_the_slow_way_passes(db: None, what: str, operations: list[Any], more: dict[str, Any]) -> None:
    assert broken(*operations, **more) == []


def test_an_exception_says_why(db: None) -> None:
    index = migrations.AddIndex("matter", INDEX)
    [said] = judged(index, why_safe={"add-index": "The table came with the release before and nothing writes to it yet."})
    assert said.reason.startswith("The table")
    assert [(one.rule, one.reason) for one in judged(index, why_safe={"add-index": "it is fine"})] == [
        ("add-index", "it is fine"), ("reason", "")], "too short to be one"
    assert broken(migrations.AddConstraint("area", CHECK), app="places", why_safe={"add-index": "Nothing here adds any index at all."}) == [
        "reason"], "a reason for what is not done"


def test_ours_can_be_run_while_the_last_release_works() -> None:
    out = io.StringIO()
    call_command("check_migrations", stdout=out)
    assert "!!" not in out.getvalue()


def test_the_command_fails_and_records(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    monkeypatch.setattr(rules, "judge", lambda *_all: [rules.Finding("cases.0009", "AddIndex matter.by_n", "add-index")])
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_migrations", stdout=out)
    assert rules.WHY["add-index"] in out.getvalue()
    monkeypatch.setattr(rules, "__file__", str(tmp_path / "x.py"))
    call_command("check_migrations", record="abc", stdout=out)
    held = (tmp_path / rules.BASELINE).read_text()
    assert '"abc"' in held
    assert all(f'"{app}": "{name}"' in held for app, name in rules.leaves(loader).items())


def test_the_baseline_is_of_this_program() -> None:
    held = rules.baseline()["migrations"]
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert [key for key in held.items() if key not in loader.disk_migrations] == []
