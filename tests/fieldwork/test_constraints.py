"""What the database itself refuses of telephones, receipts and uploads, tried with plain SQL."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from lianxin.fieldwork import devices
from lianxin.fieldwork.models import Device, Receipt, Upload
from lianxin.fieldwork.uploads import append, begin
from lianxin.kernel.clock import Frozen
from tests.fieldwork.phones import Phone, item
from tests.files.samples import photo
from tests.world import World

pytestmark = pytest.mark.django_db

# Constraint → table, a SET clause and a WHERE clause that must be refused.
TRIALS: list[tuple[str, str, str, str]] = [
    ("device_shut_out_by_somebody", "fieldwork_device", "shut_out_by_id = NULL", "shut_out_at IS NOT NULL"),
    ("device_shut_out_by_somebody", "fieldwork_device", "why = ''", "shut_out_at IS NOT NULL"),
    ("device_shut_out_by_somebody", "fieldwork_device", "shut_out_at = now()", "shut_out_at IS NULL"),
    ("device_shut_out_by_somebody", "fieldwork_device", "why = 'x'", "shut_out_at IS NULL"),
    ("fieldwork_device_waiting_check", "fieldwork_device", "waiting = -1", "true"),
    ("receipt_status_known", "fieldwork_receipt", "status = 'eaten'", "status = 'refused' AND body IS NOT NULL"),
    ("receipt_keeps_what_was_not_taken", "fieldwork_receipt", "body = '\\x00'", "status = 'accepted'"),
    ("receipt_keeps_what_was_not_taken", "fieldwork_receipt", "settled_at = now()", "status = 'accepted'"),
    ("receipt_keeps_what_was_not_taken", "fieldwork_receipt", "body = NULL", "status = 'refused' AND settled_at IS NULL"),
    ("receipt_keeps_what_was_not_taken", "fieldwork_receipt", "settled_at = now()", "status = 'refused' AND body IS NOT NULL"),
    ("upload_within_its_size", "fieldwork_upload", "received = size + 1", "attachment_id IS NULL"),
    ("upload_whole_when_kept", "fieldwork_upload", "received = size - 1", "attachment_id IS NOT NULL"),
    ("upload_kept_or_faulty", "fieldwork_upload", "fault = 'x'", "attachment_id IS NOT NULL"),
    ("upload_kept_or_faulty", "fieldwork_upload", "fault = 'x'", "received < size"),
    ("fieldwork_upload_received_check", "fieldwork_upload", "received = -1", "attachment_id IS NULL"),
]


@pytest.fixture
def full(world: World, monday: Frozen, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    phone, lost = Phone.of(world), Phone.of(world, name="丢了的")
    devices.shut_out(device_id=lost.worker.device_id, by=world.actor("admin"), why="丢了")  # type: ignore[arg-type]
    refused = item("dance")
    phone.push(item(), refused, item("dance"), item("abandon", {"item": refused["id"], "why": "算了"}))
    body = photo()
    for read in (len(body), 10):
        pk = begin(phone.worker, upload_id=uuid.uuid4(), size=len(body), name="a.jpg").pk
        parts = iter([body[:read]])
        append(phone.worker, upload_id=pk, offset=0, read=lambda _size, parts=parts: next(parts, b""), length=read)  # type: ignore[misc]


@pytest.mark.parametrize(("name", "table", "change", "where"), TRIALS)
def test_the_database_refuses(full: None, name: str, table: str, change: str, where: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}")
        assert cursor.fetchone()[0] > 0, "nothing to try it on"
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            cursor.execute(f"UPDATE {table} SET {change} WHERE {where}")
    assert name in str(caught.value)


def test_every_check_of_these_tables_is_tried(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid::regclass::text = ANY(%s)",
                       [[model._meta.db_table for model in (Device, Receipt, Upload)]])
        # A size below nothing is one that `received` cannot be within.
        assert {row[0] for row in cursor.fetchall()} == {"fieldwork_upload_size_check"} | {name for name, *_trial in TRIALS}
