"""The statement of one case, COPY of many and the plain way through the models write the same rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, models, transaction

from lianxin.cases.actions import Intake
from lianxin.cases.actions.intake import rows_for
from lianxin.cases.actions.writing import TABLES, Rows, register_many, write_one
from lianxin.cases.models import Case, Clock, Event, Reporter, Submission
from lianxin.kernel.clock import Frozen
from tests.world import World

SUBMISSION = {"key": "\\x" + "01" * 32, "fingerprint": "\\x" + "02" * 32}


def _written() -> dict[str, list[str]]:
    """Every row of the tables, as JSON; and the jobs, without what their table gives them itself."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in [table for _name, table in TABLES] + ["cases_submission"]:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")
            found[table] = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT queue_name, task_name, args::text, status::text FROM procrastinate_jobs ORDER BY id")
        found["jobs"] = [json.dumps(row) for row in cursor.fetchall()]
    return found


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    if isinstance(field, models.BinaryField) and value is not None:
        return bytes.fromhex(value.removeprefix("\\x"))
    return field.to_python(value)


def _plainly(rows: Rows, submission: dict[str, Any]) -> None:
    from lianxin.cases.tasks import announce

    batches: list[tuple[type[models.Model], list[dict[str, Any]]]] = [
        (Reporter, rows.reporter), (Case, [rows.case]), (Clock, rows.clocks), (Event, rows.events), (Submission, [submission])]
    for model, batch in batches:
        columns = {field.attname: field for field in model._meta.concrete_fields}
        for row in batch:
            model(**{name: _value(columns[name], value) for name, value in row.items()}).save(force_insert=True)
    for job in rows.jobs:
        announce.defer(**job)


@pytest.mark.parametrize("fields", [
    {"words": "只有一句话。"},
    {"words": "路灯坏了：\"花园社区\" 3 号楼\n'很黑' \\ 一周 😀 %s {}", "title": "路灯", "phone": "13812342201", "name": "王小明",
     "address": "花园路 1 号", "email": "a@b.cn", "lon": 113.1, "lat": 29.1, "place_text": "3 号楼", "confidential": True},
    {"words": "楼下打桩。", "category": "010102", "accept": True, "channel": "phone", "area": "990101001001", "urgency": "urgent"},
])
def test_three_ways_write_the_same_rows(world: World, monday: Frozen, fields: dict[str, Any]) -> None:
    rows, made = rows_for(Intake(**fields), by=world.actor("operator"))
    submission = {**SUBMISSION, "case_id": str(made.case_id), "event_id": rows.events[0]["id"], "at": rows.events[0]["at"]}
    results = []
    for write in (lambda: write_one(rows, submission), lambda: _plainly(rows, submission)):
        with transaction.atomic():
            write()
            results.append(_written())
            transaction.set_rollback(True)
    statement, plain = results
    assert statement == plain
    assert len(statement["cases_case"]) == 1
    assert len(statement["cases_submission"]) == 1

    with transaction.atomic():
        register_many(rows=[rows])
        copied = _written()
        transaction.set_rollback(True)
    assert {name: copied[name] for _name, name in TABLES} == {name: statement[name] for _name, name in TABLES}


def test_the_statement_is_one_is_counted_and_is_prepared(
    world: World, monday: Frozen, django_assert_num_queries: Any) -> None:
    rows, _made = rows_for(Intake(words="一句话。"), by=world.actor("operator"))
    with django_assert_num_queries(1):
        write_one(rows, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%jsonb_populate_recordset%'")
        assert cursor.fetchone() == (1,)


def test_a_job_sends_no_notification(world: World) -> None:
    """One NOTIFY in the transaction of every create makes commits wait for one another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'procrastinate_jobs_notify_queue_job_inserted_v1'")
        assert cursor.fetchall() == [("D",)]
