"""The list of exported tables is the database's own: nothing forgotten, nothing in the wrong order, no trigger unknown."""

from __future__ import annotations

import io
import re

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from lianxin.transfer import importing
from lianxin.transfer.tables import BESIDES, JOBS, LEFT_OUT, LOOKED_UP, OF_THE_MOMENT, tables

# Triggers that judge a row as it is inserted, and stay on: what they look at is there already (`tables.BESIDES`) and keeps its indexes
# (`tables.LOOKED_UP`).
STAY_ON = {
    "cases_cataloguerule_is_whole", "cases_catalogueversion_follows", "clock_calendar_known", "duty_limit_calendar_known",
    "time_limit_calendar_known", "unit_calendar_known", "linkage_matter_holder_agrees",
}


def _asked(query: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


@pytest.mark.django_db
def test_every_table_is_exported_or_left_out_with_a_reason() -> None:
    there = {name for [name] in _asked("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                                       "AND relkind IN ('r', 'p') AND NOT relispartition")}
    exported = {table.name for table in tables()}
    assert there - exported - LEFT_OUT.keys() == set()
    assert exported & LEFT_OUT.keys() == set()


@pytest.mark.django_db
def test_every_column_is_exported() -> None:
    there: dict[str, set[str]] = {}
    for table, column in _asked("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"):
        there.setdefault(table, set()).add(column)
    for table in tables():
        if table.name != JOBS:
            assert set(table.columns) == there[table.name], table.name


@pytest.mark.django_db
def test_a_table_comes_after_those_its_foreign_keys_name() -> None:
    place = {table.name: number for number, table in enumerate(tables())}
    for table, other in _asked("SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint "
                               "WHERE contype = 'f' AND conparentid = 0 AND conrelid <> confrelid"):
        if table in place and table != JOBS:
            assert other in place, f"{table} is exported and refers to {other}, which is not"
            assert place[other] < place[table]
    for table, others in BESIDES.items():
        assert all(place[other] < place[table] for other in others)


@pytest.mark.django_db
def test_every_trigger_that_sees_an_insert_is_known() -> None:
    found = {name for [name] in _asked("SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal "
                                       "AND tgtype & 4 <> 0 AND tgname NOT LIKE 'procrastinate%'")}
    assert found == STAY_ON | OF_THE_MOMENT.keys()
    functions = " ".join(body for [body] in _asked(
        "SELECT prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal AND tgtype & 4 <> 0 "
        f"AND tgname IN ({', '.join(map(repr, sorted(STAY_ON)))})"))
    # By its primary key, which no import takes away, a case may be looked up as well.
    assert set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z_]+)", functions)) == {*LOOKED_UP, "cases_case"}


@given(rows=st.lists(st.lists(st.text(alphabet='a"\n,', max_size=6), min_size=2, max_size=2), max_size=20), size=st.integers(1, 40),
       block=st.integers(1, 9))
def test_a_csv_file_is_cut_between_records_only(rows: list[list[str]], size: int, block: int) -> None:
    import csv

    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    body = out.getvalue().encode()
    blocks = iter([body[at:at + block] for at in range(0, len(body), block)])
    before = importing.CHUNK
    importing.CHUNK = size
    try:
        parts = [(first, b"".join(chunk)) for first, chunk in importing._chunks(blocks)]
    finally:
        importing.CHUNK = before
    assert b"".join(part for _first, part in parts) == body
    assert [first for first, _part in parts] == [number == 0 for number in range(len(parts))]
    read = [row for _first, part in parts for row in csv.reader(io.StringIO(part.decode(), newline=""))]
    assert read == rows
