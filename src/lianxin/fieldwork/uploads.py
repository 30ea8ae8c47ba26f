"""Files in pieces: what came is kept on the disk, so that a photo goes on where the signal was lost.

The row says how many bytes are surely there; the pieces' file may hold more after a crash, and what is more is written
anew. One request at a time writes to a file: whoever holds its lock. When all has come, the file is checked and kept like
every other (`cases.files`), also when the process died just before that: whoever asks next finishes it.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils.translation import gettext_lazy as _

from lianxin.cases import files
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound, TooLarge, TooMany
from lianxin.kernel.text import clean_text

from .models import Upload
from .registry import Worker

MEGABYTE = 1024 * 1024
LARGEST = 100 * MEGABYTE
PIECE = MEGABYTE  # at most so much is lost when a process dies in the middle
CHUNK = 64 * 1024
UNDER_WAY = 400  # files of one worker that no item has claimed
BYTES_UNDER_WAY = 1024 * MEGABYTE
TYPES = ("image/", "audio/", "video/", "application/pdf")


class WrongOffset(Conflict):
    """The piece does not begin where the file ends."""

    default_code = "wrong_offset"
    default_message = _("这一段接不上已收到的部分，请先问清收到了多少。")


class Busy(DomainError):
    """Another request is writing to the same file."""

    status: ClassVar[int] = 423
    default_code = "upload_busy"
    default_message = _("这个文件正在由另一个请求上传，请稍后再试。")


def folder() -> Path:
    """Where pieces lie: one directory that every web process of the installation shares."""
    return Path(settings.MEDIA_ROOT) / "pieces"


def _path(upload_id: uuid.UUID) -> Path:
    return folder() / upload_id.hex[-2:] / upload_id.hex


@contextmanager
def _alone(upload_id: uuid.UUID) -> Iterator[int]:
    """The pieces' file, open, held by this request only. Raises Busy."""
    path = _path(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Busy() from None
        try:
            if os.stat(path).st_ino == os.fstat(handle).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(handle)  # removed by whoever held it before
    try:
        yield handle
    finally:
        os.close(handle)


def _drop(upload_id: uuid.UUID) -> None:
    _path(upload_id).unlink(missing_ok=True)


def _mine(worker: Worker, upload_id: uuid.UUID) -> Upload:
    row = Upload.objects.filter(pk=upload_id, staff_id=worker.staff_id).first()
    if row is None:
        raise NotFound(_("没有这个上传，请从头上传。"))
    return row


def begin(worker: Worker, *, upload_id: uuid.UUID, size: int, name: str, content_type: str = "") -> Upload:
    """A new upload of `size` bytes; the same id again is the same upload. Raises TooLarge, Invalid, TooMany, and Conflict
    for an id that is another's or was of another size."""
    found = Upload.objects.filter(pk=upload_id).first()
    if found is None:
        if size > LARGEST:
            raise TooLarge(_("文件太大：照片和文件不超过 20 MB，视频不超过 100 MB。"))
        if size < 1:
            raise Invalid(_("这个文件是空的，请重新选择。"))
        if content_type and not content_type.startswith(TYPES):
            raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"), code="file_type")
        _room(worker, size)
        row = Upload(pk=upload_id, device_id=worker.device_id, staff_id=worker.staff_id, size=size, created_at=now(),
                     name=clean_text(name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1], max_length=120, multiline=False))
        Upload.objects.bulk_create([row], ignore_conflicts=True)
        found = Upload.objects.get(pk=upload_id)
    if found.staff_id != worker.staff_id or found.size != size:
        raise Conflict(_("这个编号已用于另一个文件。"), code="id_reused")
    return _settled(worker, found)


def _room(worker: Worker, size: int) -> None:
    open_ones = Upload.objects.filter(staff_id=worker.staff_id, claimed_by__isnull=True)
    held = open_ones.aggregate(bytes=Sum("size"))["bytes"] or 0
    if held + size > BYTES_UNDER_WAY or open_ones.count() >= UNDER_WAY:
        raise TooMany(_("还有很多文件没有随内容发出，请先发送已有的内容。"), code="too_many_uploads")


def state_of(worker: Worker, upload_id: uuid.UUID) -> Upload:
    """How much of a file is here. Raises NotFound for one that is not there or another's."""
    return _settled(worker, _mine(worker, upload_id))


def append(worker: Worker, *, upload_id: uuid.UUID, offset: int, read: Callable[[int], bytes], length: int | None) -> Upload:
    """Take the bytes from `offset` on, as far as they come: `read(n)` gives at most n, and nothing at the end. What came
    before the line broke is kept. Raises NotFound, WrongOffset, Busy, and TooLarge for more than the file should have."""
    row = _mine(worker, upload_id)
    if row.attachment_id is None and not row.fault:
        with _alone(upload_id) as handle:
            row = _mine(worker, upload_id)
            if row.attachment_id is None and not row.fault:
                _write(row, handle, offset=offset, read=read, length=length)
                if row.received == row.size:
                    _finish(worker, row, handle)
                return row
    if offset != row.received:
        raise WrongOffset(current={"offset": row.received})
    return row


def _write(row: Upload, handle: int, *, offset: int, read: Callable[[int], bytes], length: int | None) -> None:
    sure = min(row.received, os.fstat(handle).st_size)  # less than the row says only after the disk lost something
    if offset != sure:
        if sure != row.received:
            _note(row, sure)
        raise WrongOffset(current={"offset": sure})
    if length is not None and offset + length > row.size:
        raise TooLarge(_("发来的比文件应有的多。"))
    os.ftruncate(handle, sure)
    os.lseek(handle, sure, os.SEEK_SET)
    row.received = sure
    left, unsure = row.size - sure, 0
    try:
        while left > 0 and (chunk := read(min(CHUNK, left))):
            _write_all(handle, chunk)
            left -= len(chunk)
            unsure += len(chunk)
            if unsure >= PIECE:
                os.fsync(handle)
                _note(row, row.received + unsure)
                unsure = 0
    finally:
        if unsure:
            os.fsync(handle)
            _note(row, row.received + unsure)
    if left == 0 and read(1):
        raise TooLarge(_("发来的比文件应有的多。"))


def _write_all(handle: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest):]


def _note(row: Upload, received: int) -> None:
    if not Upload.objects.filter(pk=row.pk).update(received=received):
        raise NotFound(_("没有这个上传，请从头上传。"))
    row.received = received


def _finish(worker: Worker, row: Upload, handle: int) -> None:
    """Make an attachment of what is whole, or write down why it is none. Holds the file's lock."""
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(0)
        try:
            with transaction.atomic():
                made, _offered = files.store(file=file, name=row.name, size=row.size, by=worker.actor)
                Upload.objects.filter(pk=row.pk).update(attachment=made, received=row.size, name="")
            row.attachment, row.name = made, ""  # the attachment's from here on
        except (Invalid, TooLarge) as error:
            row.fault = str(error.message)[:300]
            Upload.objects.filter(pk=row.pk).update(fault=row.fault)
    _drop(row.pk)


def _settled(worker: Worker, row: Upload) -> Upload:
    """Finish what is whole and was not kept yet. A file whose pieces are gone begins anew."""
    if row.attachment_id is not None or row.fault:
        return row
    if row.received == row.size or not _path(row.pk).exists():
        try:
            with _alone(row.pk) as handle:
                row = _mine(worker, row.pk)
                if row.attachment_id is not None or row.fault:
                    return row
                sure = min(row.received, os.fstat(handle).st_size)
                if sure < row.received:
                    _note(row, sure)
                elif row.received == row.size:
                    _finish(worker, row, handle)
        except Busy:
            pass
    return row


def whole(worker: Worker, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Upload]:
    """The worker's uploads among these, those that are whole finished."""
    rows = Upload.objects.filter(pk__in=ids, staff_id=worker.staff_id)
    return {row.pk: _settled(worker, row) if row.received == row.size else row for row in rows}


def end(worker: Worker, upload_id: uuid.UUID) -> None:
    """The telephone gives the file up. Raises NotFound, Busy, and Conflict for a file that an item has claimed."""
    _mine(worker, upload_id)
    with _alone(upload_id):
        with transaction.atomic():
            row = Upload.objects.select_for_update().filter(pk=upload_id, staff_id=worker.staff_id).first()
            if row is not None:
                if row.claimed_by is not None:
                    raise Conflict(_("这个文件已经用在一条内容里了。"), code="file_used")
                _forget(row)
        _drop(upload_id)


def _forget(row: Upload) -> None:
    attachment = row.attachment
    row.delete()
    if attachment is not None and attachment.case_id is None:
        files.forget([attachment])


def held() -> Q:
    """The attachments that uploads are, and that this context clears away itself (`cases.files.HELD`)."""
    return Q(Exists(Upload.objects.filter(attachment=OuterRef("pk"))))


def forget_abandoned(at: datetime, *, days: int) -> int:
    """Files that no item has claimed for `days`, rows of those that have long become part of a case, and pieces that a
    crash left without a row. Returns how many uploads were forgotten."""
    before = at - timedelta(days=days)
    count = 0
    for pk in Upload.objects.filter(claimed_by__isnull=True, created_at__lt=before).values_list("pk", flat=True):
        try:
            with _alone(pk):
                with transaction.atomic():
                    row = Upload.objects.select_for_update().filter(pk=pk, claimed_by__isnull=True).first()
                    if row is not None:
                        _forget(row)
                        count += 1
                _drop(pk)
        except Busy:
            continue
    done, _rows = Upload.objects.filter(claimed_by__isnull=False, created_at__lt=before,
                                        attachment__case__isnull=False).delete()
    _forget_pieces(at - timedelta(days=1))
    return count + done


def _forget_pieces(before: datetime) -> None:
    for path in sorted(folder().glob("*/*")):
        try:
            pk = uuid.UUID(path.name)
            if path.stat().st_mtime >= before.timestamp() or Upload.objects.filter(
                    pk=pk, attachment__isnull=True, fault="").exists():
                continue
            with _alone(pk):
                _drop(pk)
        except (ValueError, FileNotFoundError, Busy):
            continue
