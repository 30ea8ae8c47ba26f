"""Stored once by content, shared until the last one goes, removed after the commit, on disk or on S3."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction

from lianxin.cases import files
from lianxin.cases.models import Attachment
from lianxin.kernel.clock import Frozen, now
from lianxin.organisations.actors import Actor, Kind
from tests.files import samples
from tests.files.conftest import contents

RESIDENT = Actor(kind=Kind.REPORTER, via="web")
Commits = Any


def keep(body: bytes, name: str = "a") -> Attachment:
    return files.store(file=io.BytesIO(body), name=name, size=len(body), by=RESIDENT)[0]


def remove(*attachments: Attachment) -> None:
    files.remove_files(list(attachments), at=now())


@pytest.mark.django_db
def test_the_same_content_is_stored_once_and_goes_with_the_last(
    disk: Path, django_capture_on_commit_callbacks: Commits
) -> None:
    first, second = keep(samples.pdf(), "甲.pdf"), keep(samples.pdf(), "乙.pdf")
    assert first.sha256 == second.sha256
    assert contents(disk) == {first.sha256}
    with django_capture_on_commit_callbacks(execute=True):
        remove(first)
    assert files.open_file(second).read() == samples.pdf()
    first.refresh_from_db()
    assert first.name == ""
    with pytest.raises(FileNotFoundError):
        files.open_file(first)
    with django_capture_on_commit_callbacks(execute=True):
        remove(second)
    assert contents(disk) == set()


@pytest.mark.django_db
def test_a_photo_that_is_anothers_thumbnail_is_shared_too(
    disk: Path, django_capture_on_commit_callbacks: Commits
) -> None:
    photo = keep(samples.photo(size=(900, 600)))
    Attachment.objects.create(kind="photo", name="b", content_type="image/jpeg", size=1, sha256=photo.thumbnail_sha256)
    with django_capture_on_commit_callbacks(execute=True):
        remove(photo)
    assert contents(disk) == {photo.thumbnail_sha256}


@pytest.mark.django_db(transaction=True)
def test_a_removal_that_is_undone_costs_no_file(disk: Path) -> None:
    held = keep(samples.pdf())
    with transaction.atomic():
        remove(held)
        transaction.set_rollback(True)
    held.refresh_from_db()
    assert files.open_file(held).read() == samples.pdf()


@pytest.mark.django_db
def test_a_file_half_written_by_a_crash_is_written_anew(disk: Path) -> None:
    held = keep(samples.pdf())
    path = disk / files.path_of(held.sha256)
    path.write_bytes(samples.pdf()[:20])
    again = keep(samples.pdf())
    assert files.open_file(again).read() == samples.pdf()
    assert contents(disk) == {held.sha256}


@pytest.mark.django_db
def test_what_the_storage_has_lost_is_said(disk: Path) -> None:
    held = keep(samples.pdf())
    (disk / files.path_of(held.sha256)).unlink()
    with pytest.raises(files.FileGone) as caught:
        files.open_file(held)
    assert (caught.value.status, caught.value.code) == (404, "file_gone")


@pytest.mark.django_db(transaction=True)
def test_storing_and_removing_the_same_content_at_once_loses_nothing(disk: Path) -> None:
    faults: list[BaseException] = []

    def work() -> None:
        try:
            for _round in range(6):
                mine = keep(samples.pdf())
                assert files.open_file(mine).read() == samples.pdf()
                remove(mine)
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert contents(disk) == set()


@pytest.mark.django_db
def test_uploads_nobody_claimed_go_after_a_day(
    disk: Path, monday: Frozen, world: Any, django_capture_on_commit_callbacks: Commits
) -> None:
    from lianxin.cases.housekeeping import forget_files

    case_id = world.case()
    claimed, stale = keep(samples.pdf()), keep(samples.wav())
    Attachment.objects.filter(pk=claimed.pk).update(case_id=case_id)
    monday.move(hours=23)
    fresh = keep(samples.mp3())
    with django_capture_on_commit_callbacks(execute=True):
        assert forget_files(now()) == 0
    monday.move(hours=2)
    with django_capture_on_commit_callbacks(execute=True):
        assert forget_files(now()) == 1
    assert set(Attachment.objects.values_list("pk", flat=True)) == {claimed.pk, fresh.pk}
    assert contents(disk) == {claimed.sha256, fresh.sha256}
    assert stale.sha256 not in contents(disk)


@pytest.mark.django_db
def test_contents_without_a_row_are_found_within_sixteen_nights(disk: Path) -> None:
    held = keep(samples.pdf())
    for name in ("00" + "a" * 62, "7f" + "b" * 62, "ff" + "c" * 62):
        path = disk / files.path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left by a crash")
    assert sum(files.forget_orphans(now() - timedelta(hours=24), share=share) for share in range(16)) == 0, "too young"
    assert sum(files.forget_orphans(now() + timedelta(hours=1), share=share) for share in range(16)) == 3
    assert contents(disk) == {held.sha256}


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 of the test's own, reached through the installation's settings."""
    import importlib.util

    import boto3
    from moto import mock_aws

    from lianxin.config import settings as module

    for name, value in {"BUCKET": "attachments", "REGION": "us-east-1", "KEY": "key", "SECRET": "secret",
                        "PREFIX": "yueyang"}.items():
        monkeypatch.setenv(f"LIANXIN_FILES_S3_{name}", value)
    spec = importlib.util.spec_from_file_location("settings_with_s3", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")
        client.create_bucket(Bucket="attachments")
        settings.STORAGES = {**settings.STORAGES, "default": fresh.STORAGES["default"]}
        yield client


def names(bucket: Any) -> set[str]:
    return {entry["Key"] for entry in bucket.list_objects_v2(Bucket="attachments").get("Contents", [])}


@pytest.mark.django_db
def test_attachments_on_s3(disk: Path, bucket: Any, django_capture_on_commit_callbacks: Commits) -> None:
    photo = keep(samples.photo(tags=samples.exif()))
    twin = keep(samples.photo(tags=samples.exif()))
    film = keep(samples.film(b"mp42"))
    assert type(default_storage._wrapped).__name__ == "S3Storage"
    assert contents(disk) == set()
    assert names(bucket) == {f"yueyang/{files.path_of(sha)}" for sha in (photo.sha256, photo.thumbnail_sha256, film.sha256)}
    assert files.open_file(photo).read().startswith(b"\xff\xd8\xff")
    assert files.open_file(photo, thumbnail=True).read().startswith(b"\xff\xd8\xff")
    assert b"".join(files.open_file(film)) == files.media.recognise(samples.film(b"mp42")).body
    with django_capture_on_commit_callbacks(execute=True):
        remove(photo, film)
    assert len(names(bucket)) == 2, "the twin still shows the photo"
    bucket.put_object(Bucket="attachments", Key=f"yueyang/{files.path_of(film.sha256)}", Body=b"left")
    assert sum(files.forget_orphans(now() + timedelta(hours=1), share=share) for share in range(16)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        remove(twin)
    assert names(bucket) == set()
    twin.refresh_from_db()
    with pytest.raises(files.FileGone):
        files.open_file(twin)


@pytest.mark.django_db
def test_s3_that_has_lost_a_file_says_so(bucket: Any) -> None:
    held = keep(samples.pdf())
    bucket.delete_object(Bucket="attachments", Key=f"yueyang/{files.path_of(held.sha256)}")
    with pytest.raises(files.FileGone):
        files.open_file(held)
