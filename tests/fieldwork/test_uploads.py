"""Files in pieces where it goes wrong: the line breaks, the process dies, two write at once, nobody comes back."""

from __future__ import annotations

import io
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from lianxin.cases import files, housekeeping
from lianxin.cases.models import Attachment, Case
from lianxin.fieldwork import uploads
from lianxin.fieldwork.housekeeping import keep_house
from lianxin.fieldwork.models import Upload
from lianxin.fieldwork.uploads import Busy, WrongOffset, _path, append, begin, state_of, whole
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import NotFound, TooLarge
from tests.fieldwork.phones import Phone, codes, item, statuses
from tests.files.samples import photo
from tests.world import World

PHOTO = photo(size=(400, 300))
SIZE = len(PHOTO)


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def phone(world: World, monday: Frozen) -> Phone:
    return Phone.of(world)


def started(phone: Phone, size: int = SIZE) -> uuid.UUID:
    return begin(phone.worker, upload_id=uuid.uuid4(), size=size, name="门口.jpg").pk


def put(phone: Phone, pk: uuid.UUID, offset: int, body: bytes) -> Upload:
    return append(phone.worker, upload_id=pk, offset=offset, read=io.BytesIO(body).read, length=len(body))


def breaking(body: bytes, error: BaseException) -> Callable[[int], bytes]:
    """A line that gives `body` and then breaks."""
    source = io.BytesIO(body)

    def read(size: int) -> bytes:
        got = source.read(size)
        if not got:
            raise error
        return got

    return read


@pytest.mark.django_db
def test_what_came_before_the_line_broke_is_kept(phone: Phone) -> None:
    pk = started(phone)
    with pytest.raises(OSError, match="gone"):
        append(phone.worker, upload_id=pk, offset=0, read=breaking(PHOTO[:700], OSError("gone")), length=SIZE)
    assert state_of(phone.worker, pk).received == 700
    # Fewer bytes than were announced, and no error: kept as well.
    row = append(phone.worker, upload_id=pk, offset=700, read=io.BytesIO(PHOTO[700:900]).read, length=SIZE - 700)
    assert row.received == 900
    assert put(phone, pk, 900, PHOTO[900:]).attachment is not None


@pytest.mark.django_db
def test_bytes_beyond_what_the_row_says_are_written_anew(phone: Phone) -> None:
    """The process died after it wrote to the disk, and before it wrote down that it had."""
    pk = started(phone)
    put(phone, pk, 0, PHOTO[:500])
    with _path(pk).open("ab") as file:
        file.write(b"half a piece that nobody knows of")
    assert state_of(phone.worker, pk).received == 500
    assert put(phone, pk, 500, PHOTO[500:]).attachment is not None
    assert not Upload.objects.get(pk=pk).fault


@pytest.mark.django_db
def test_a_disk_that_lost_something_is_believed(phone: Phone) -> None:
    pk = started(phone)
    put(phone, pk, 0, PHOTO[:500])
    os.truncate(_path(pk), 100)
    with pytest.raises(WrongOffset) as caught:
        put(phone, pk, 500, PHOTO[500:])
    assert caught.value.current == {"offset": 100}
    put(phone, pk, 100, PHOTO[100:500])
    _path(pk).unlink()
    assert state_of(phone.worker, pk).received == 0
    assert put(phone, pk, 0, PHOTO).attachment is not None


@pytest.mark.django_db
@pytest.mark.parametrize("ask", ["state", "begin", "append", "push"])
def test_died_between_the_last_byte_and_keeping_it(phone: Phone, monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    pk = started(phone)
    with monkeypatch.context() as dying:
        dying.setattr(files, "store", breaking(b"", MemoryError()))
        dying.setattr(files, "store", lambda **_more: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            put(phone, pk, 0, PHOTO)
    row = Upload.objects.get(pk=pk)
    assert (row.received, row.attachment_id, row.fault) == (SIZE, None, "")
    match ask:
        case "state":
            state_of(phone.worker, pk)
        case "begin":
            begin(phone.worker, upload_id=pk, size=SIZE, name="门口.jpg")
        case "append":
            put(phone, pk, SIZE, b"")
        case "push":
            assert statuses(phone.push(item(files=[{"id": str(pk), "role": "report"}]))) == ["accepted"]
    row.refresh_from_db()
    assert row.attachment is not None
    assert not _path(pk).exists()
    assert Attachment.objects.count() == 1


@pytest.mark.django_db
def test_a_long_piece_is_safe_before_its_end(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies in the middle of a long piece costs no more than the last `PIECE`."""
    monkeypatch.setattr(uploads, "PIECE", 1000)
    monkeypatch.setattr(uploads, "CHUNK", 300)
    pk = started(phone)
    seen: list[int] = []

    def read(size: int) -> bytes:
        seen.append(Upload.objects.get(pk=pk).received)
        return source.read(size)

    source = io.BytesIO(PHOTO)
    append(phone.worker, upload_id=pk, offset=0, read=read, length=SIZE)
    assert max(seen) > 0
    assert all(later - earlier <= 1200 for earlier, later in pairwise(seen))


@pytest.mark.django_db
def test_more_than_announced_is_refused_and_what_belongs_is_kept(phone: Phone) -> None:
    pk = started(phone)
    with pytest.raises(TooLarge):
        append(phone.worker, upload_id=pk, offset=0, read=io.BytesIO(PHOTO + b"more").read, length=None)
    assert state_of(phone.worker, pk).attachment is not None


@pytest.mark.django_db
def test_a_file_of_an_item_that_was_not_taken_is_free_for_the_next(phone: Phone) -> None:
    pk = started(phone)
    put(phone, pk, 0, PHOTO)
    file = [{"id": str(pk), "role": "report"}]
    old = item(body={"words": "x", "category": "999999"}, files=file)
    assert statuses(phone.push(old)) == ["refused"]
    assert statuses(phone.push(item(files=file, settles=old["id"]))) == ["accepted"]


@pytest.mark.django_db
def test_nightly_work_leaves_what_is_waited_for(phone: Phone, monday: Frozen, settings: Any) -> None:
    whole_one, half, used = started(phone), started(phone), started(phone)
    put(phone, whole_one, 0, PHOTO)
    put(phone, half, 0, PHOTO[:100])
    put(phone, used, 0, photo(size=(200, 100)) + b"\0" * (SIZE - len(photo(size=(200, 100)))))
    assert statuses(phone.push(item(files=[{"id": str(used), "role": "report"}]))) == ["accepted"]
    monday.move(days=3)
    housekeeping.forget_files(now())  # a day is over, but these are the field's
    keep_house(now())
    assert Upload.objects.count() == 3
    assert state_of(phone.worker, half).received == 100
    monday.move(days=settings.LIANXIN_FIELD_UPLOAD_DAYS)
    stray = _path(uuid.uuid4())
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"what a crash left")
    os.utime(stray, (0, 0))
    assert keep_house(now())["uploads"] == 3
    assert (Upload.objects.count(), Attachment.objects.count(), Case.objects.count()) == (0, 1, 1)
    assert [path for path in uploads.folder().rglob("*") if path.is_file()] == []
    with pytest.raises(NotFound):
        state_of(phone.worker, whole_one)
    # The telephone still has the picture and begins anew.
    begin(phone.worker, upload_id=whole_one, size=SIZE, name="门口.jpg")
    assert put(phone, whole_one, 0, PHOTO).attachment is not None


@pytest.mark.django_db(transaction=True)
def test_two_write_to_one_file(world: World, monday: Frozen) -> None:
    """One of them writes, the other is told to come again; the file is whole and there once."""
    phone = Phone.of(world)
    pk = started(phone)
    going, told = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        yield PHOTO[:1000]
        going.set()
        assert told.wait(20)
        yield PHOTO[1000:]

    def run() -> None:
        parts = slow()
        try:
            append(phone.worker, upload_id=pk, offset=0, read=lambda _size: next(parts, b""), length=SIZE)
        finally:
            connection.close()

    first = threading.Thread(target=run)
    first.start()
    assert going.wait(20)
    for attempt in (lambda: put(phone, pk, 0, PHOTO), lambda: uploads.end(phone.worker, pk)):
        with pytest.raises(Busy):
            attempt()
    state_of(phone.worker, pk)
    told.set()
    first.join(20)
    assert whole(phone.worker, [pk])[pk].attachment is not None
    assert Attachment.objects.count() == 1
    held = Attachment.objects.get()
    assert default_storage.size(files.path_of(held.sha256)) == held.size


@pytest.mark.django_db(transaction=True)
def test_one_file_for_two_items_at_once(world: World, monday: Frozen) -> None:
    from tests.cases.test_together import at_once

    phone = Phone.of(world)
    pk = started(phone)
    put(phone, pk, 0, PHOTO)
    one, other = (item(files=[{"id": str(pk), "role": "report"}]) for _each in range(2))
    results = at_once(lambda: phone.push(one), lambda: phone.push(other))
    assert sorted(statuses(results[0] + results[1])) in (["accepted", "refused"], ["accepted", "waiting"])
    assert codes(phone.push(one) + phone.push(other)).count("file_used") == 1
    assert Case.objects.count() == 1


def test_the_time_of_the_test_is_not_the_disks() -> None:
    """`forget_pieces` compares with the disk's own clock."""
    assert abs(time.time() - now().timestamp()) < timedelta(days=1).total_seconds()
