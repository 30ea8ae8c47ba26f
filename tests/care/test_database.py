"""The database holds the register's rules, whoever writes: every constraint and every guard is tried with plain SQL."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from lianxin.care import actions, queries
from lianxin.care.models import CareEntry
from lianxin.care.visiting import record_visit
from lianxin.kernel.clock import now
from tests.care.made import Register, days

pytestmark = pytest.mark.django_db

E, V, S, A = "care_careentry", "care_carevisit", "care_carestep", "care_careaccess"
TRIALS = [
    ("care_consent_how_known", E, "consent_how = 'nodded'", "true"),
    ("care_told_known", E, "told = 'score', told_at = now()", "true"),
    ("care_consent_at_most_a_year", E, "consent_until = consent_on + 367", "true"),
    ("care_consent_at_most_a_year", E, "consent_until = consent_on - 1", "true"),
    ("care_spoken_consent_has_a_witness", E, "witness = NULL", "consent_how = 'spoken'"),
    ("care_spoken_consent_has_a_witness", E, "witness = '\\x01'", "consent_how = 'paper'"),
    ("care_interval_in_days", E, "interval_days = 0", "true"),
    ("care_interval_in_days", E, "interval_days = 93", "true"),
    ("care_stand_in_has_an_end", E, "stand_in_until = NULL", "stand_in_id IS NOT NULL"),
    ("care_stand_in_has_an_end", E, "stand_in_until = now()", "stand_in_id IS NULL"),
    ("care_stand_in_is_another", E, "stand_in_id = visitor_id, stand_in_until = now()", "stand_in_id IS NULL"),
    ("care_told_has_a_time", E, "told_at = now()", "told = ''"),
    ("care_told_has_a_time", E, "told_at = NULL", "told <> ''"),
    ("care_visitor_of_the_unit", E, "visitor_id = (SELECT id FROM organisations_staff WHERE username = 'grid_west')", "true"),
    ("care_visitor_of_the_unit", E, "visitor_id = (SELECT id FROM organisations_staff WHERE username = 'lead')", "true"),
    ("care_visitor_of_the_unit", E,
     "stand_in_id = (SELECT id FROM organisations_staff WHERE username = 'keeper'), stand_in_until = now()", "true"),
]
# An inserted copy of a row with one column otherwise: (constraint, table, column, value).
COPIES = [
    ("care_outcome_known", V, "outcome", "'score'"), ("care_visit_not_in_the_future", V, "at", "recorded_at + interval '1 second'"),
    ("care_access_page_known", A, "page", "'export'"), ("care_access_daily", A, "at", "at"),
    ("care_step_kind_known", S, "kind", "'scored'"), ("care_step_by_somebody", S, "by_id", "NULL"),
    ("care_step_by_somebody", S, "kind", "'lapsed'"), ("care_entry_made_once", S, "at", "at"),
    ("care_entry_ends_once", S, "kind", "'withdrawn'"),
]
REFUSED = [
    f"UPDATE {S} SET at = now()", f"DELETE FROM {S}", f"UPDATE {A} SET staff_id = staff_id + 0, at = now()", f"DELETE FROM {A}",
    f"UPDATE {V} SET outcome = 'done'", f"UPDATE {V} SET at = at - interval '1 day'", f"UPDATE {V} SET note = NULL",
    f"DELETE FROM {V}", f"DELETE FROM {E} WHERE NOT EXISTS (SELECT 1 FROM {V} WHERE entry_id = {E}.id)",
]


@pytest.fixture
def full(register: Register) -> Register:
    """Entries with and without stand-in, told and not, a spoken consent; a visit, steps, looks; one entry withdrawn."""
    first = register.entry(consent=register.consent(how="spoken", witness="甲"))
    second, gone = register.entry(), register.entry()
    actions.give(by=register.by("keeper"), pk=second.pk, version=1, to=register.world.staff["grid2"], until=days(3))
    for _each in range(2):
        record_visit(by=register.by("grid"), pk=first.pk, at=now(), outcome="not_at_home", note="没人")
    queries.register(register.by("keeper"))
    actions.withdraw(by=register.by("keeper"), pk=gone.pk)
    return register


def _refusal(sql: str) -> psycopg.Error:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause


@pytest.mark.parametrize(("name", "table", "change", "where"), TRIALS)
def test_what_may_not_be_is_refused(full: Register, name: str, table: str, change: str, where: str) -> None:
    assert _refusal(f"UPDATE {table} SET {change} WHERE {where}").diag.constraint_name == name


@pytest.mark.parametrize(("name", "table", "column", "value"), COPIES)
def test_what_may_not_be_written_is_refused(full: Register, name: str, table: str, column: str, value: str) -> None:
    model = next(model for model in apps.get_app_config("care").get_models() if model._meta.db_table == table)
    columns = [field.column for field in model._meta.concrete_fields]
    of = {"care_entry_ends_once": "kind = 'withdrawn'", "care_entry_made_once": "kind = 'made'"}.get(name, "true")
    values = ", ".join("gen_random_uuid()" if one == "id" else value if one == column else one for one in columns)
    sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {of} LIMIT 1"
    assert _refusal(sql).diag.constraint_name == name


@pytest.mark.parametrize("sql", REFUSED)
def test_ledgers_and_visits_stay_and_nothing_is_deleted_without_the_ledger(full: Register, sql: str) -> None:
    assert _refusal(sql).sqlstate == "23001"  # restrict_violation


def test_a_note_may_be_sealed_anew(full: Register) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {V} SET note = note || '\\x00'")
        assert cursor.rowcount == 2


def test_every_constraint_and_every_guard_is_tried() -> None:
    tried = {one[0] for one in TRIALS} | {one[0] for one in COPIES}
    ours = {constraint.name for model in apps.get_app_config("care").get_models() for constraint in model._meta.constraints
            if isinstance(constraint, models.CheckConstraint | models.UniqueConstraint)}
    assert ours <= tried
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal "
                       "AND tgrelid::regclass::text ~ '^care_'")
        assert set(cursor.fetchall()) == {
            (S, "care_step_stays"), (A, "care_access_stays"), (V, "care_visit_stays"), (V, "care_visit_ends"), (E, "care_entry_ends"),
            (E, "care_visitor_made"), (E, "care_visitor_changed")}


def test_an_entry_and_its_visits_go_together(full: Register) -> None:
    """Even with the ledger's word, an entry whose visits stay is not deleted."""
    entry = CareEntry.objects.filter(visits__isnull=False).first()
    assert entry is not None
    actions._step(entry, actions.CareStepKind.WITHDRAWN, full.by("keeper"))
    assert _refusal(f"DELETE FROM {E} WHERE id = '{entry.pk}'; SET CONSTRAINTS ALL IMMEDIATE").sqlstate == "23503"
