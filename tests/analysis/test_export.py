"""Exported facts hold no word of anybody, and a second export writes what changed and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from lianxin.analysis import export
from lianxin.analysis.facts_sql import COLUMNS
from lianxin.cases.models import Case, EventText, Reporter
from lianxin.kernel.crypto import keyring

from .conftest import Town

pytestmark = pytest.mark.django_db

# Whatever is exported is in this list, looked at by a person: ids, codes, times and counts of cases.
KNOWN = {
    "case_id", "round", "number", "latest", "master_id", "channel", "kind", "urgency", "state", "outcome", "category_id",
    "area_id", "town_id", "county_id", "unit_id", "registered_at", "closed_at", "ended_at", "ended_as",
    "sign_for_due_at", "sign_for_ended_at",
    "first_contact_due_at", "first_contact_ended_at", "first_contact_met_at", "resolve_due_at", "resolve_ended_at",
    "callback_due_at", "callback_ended_at", "callback_stopped_at", "rulings", "rulings_late", "dispatches",
    "against_catalogue", "returns", "sent_back", "pauses", "extensions", "attempts", "reached", "solved", "satisfaction",
}


def test_the_columns_are_known(town: Town, own_directory: Path) -> None:
    export.export()
    for path in own_directory.glob("*.parquet"):
        described = duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
        assert {row[0] for row in described} == KNOWN == set(COLUMNS)
        assert {row[1] for row in described} == {
            "UUID", "SMALLINT", "VARCHAR", "BOOLEAN", "BIGINT", "TIMESTAMP WITH TIME ZONE"}


def test_no_bytes_of_a_person_leave_the_database(town: Town, own_directory: Path) -> None:
    export.export()
    secrets: set[bytes] = {"王小明".encode(), b"13812342201", "花园社区".encode()}
    for words, digest in Case.objects.values_list("words", "tracking_digest"):
        secrets |= {words.encode()[:24], bytes(digest), bytes(digest).hex().encode()}
    for body in EventText.objects.values_list("body", flat=True):
        secrets.add(body.encode())
    for name, phone, phone_hash, pk in Reporter.objects.values_list("name", "phone", "phone_hash", "pk"):
        secrets |= {bytes(name), bytes(phone), bytes(phone_hash), bytes(phone_hash).hex().encode(), pk.bytes,
                    str(pk).encode()}
    assert keyring() is not None
    assert len(secrets) > 20
    found = sorted(own_directory.iterdir())
    assert any(path.suffix == ".parquet" for path in found)
    # Compressed pages hide what they hold: the same rows are looked at plain as well.
    plain = own_directory / "plain.csv"
    duckdb.sql(f"COPY (SELECT * FROM read_parquet('{own_directory}/*.parquet')) TO '{plain}'")
    for path in (*found, plain):
        held = path.read_bytes()
        assert [secret for secret in secrets if secret and secret in held] == [], path.name


def test_nothing_half_written_stays(town: Town, own_directory: Path) -> None:
    export.export()
    assert {path.suffix for path in own_directory.iterdir()} == {".parquet", ".json", ""}
    assert own_directory.stat().st_mode & 0o077 == 0


def test_a_second_export_writes_the_months_that_changed(town: Town) -> None:
    first = export.export()
    assert (first.written, first.kept) == (1, 0)  # all were registered in October
    assert (again := export.export()).written == 0
    assert again.kept == 1
    town.case("new", "accept")  # in November
    third = export.export()
    assert (third.written, third.kept, third.rows) == (1, 1, first.rows + 1)
    town.take("redone", "record_callback_attempt")
    fourth = export.export()
    assert (fourth.written, fourth.kept) == (1, 1)
    whole = export.export(whole=True)
    assert (whole.written, whole.rows) == (2, fourth.rows)


def test_a_report_that_began_before_an_export_still_finds_its_files(town: Town, own_directory: Path) -> None:
    export.export()
    held = export.read_manifest()
    assert held is not None
    town.take("redone", "record_callback_attempt")
    export.export()
    assert all(path.exists() for path in export.files(held))
    town.take("unreached", "record_callback_attempt")
    export.export()
    assert not any(path.exists() for path in export.files(held))


def test_a_manifest_of_another_format_is_no_export(town: Town, own_directory: Path) -> None:
    export.export()
    manifest = own_directory / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"satisfaction"', '"something_else"'))
    assert export.read_manifest() is None
    assert export.export().written == 1
