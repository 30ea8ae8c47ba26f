"""Files that come from outside: typed by their content, bounded, stripped of what they say about the person.

A file is stored by its SHA-256, so the same file is stored once. Photos are decoded and written anew: whatever was
hidden in them is gone, and the place and time they carried are offered to the reporter first (`Offered`).
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO, cast

import pillow_heif
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image, ImageFile, ImageOps

from lianxin.kernel.errors import Invalid, NotFound, TooLarge
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor, Kind

from . import media
from .models import Attachment, Event

pillow_heif.register_heif_opener()
PIXELS = 80_000_000
JPEG_PIXELS = 220_000_000  # decoded at a fraction of it
Image.MAX_IMAGE_PIXELS = JPEG_PIXELS

MEGABYTE = 1024 * 1024
LIMITS = {
    Attachment.MediaKind.PHOTO: 20 * MEGABYTE,
    Attachment.MediaKind.DOCUMENT: 20 * MEGABYTE,
    Attachment.MediaKind.AUDIO: 20 * MEGABYTE,
    Attachment.MediaKind.VIDEO: 100 * MEGABYTE,
}
FILES_PER_CASE = 12
PHOTO_EDGE = 2400
THUMBNAIL_EDGE = 480

_PHOTO_FORMATS = {"JPEG", "PNG", "WEBP", "HEIF", "MPO"}


@dataclass(frozen=True, slots=True)
class Offered:
    """What a photo said of itself before it was stripped: WGS-84 degrees and local time, if any."""

    lon: float | None = None
    lat: float | None = None
    taken_at: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    body: bytes
    thumbnail: bytes
    width: int
    height: int
    offered: Offered


def path_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _degrees(parts: Iterable[float], reference: str) -> float:
    hours, minutes, seconds = (float(part) for part in parts)
    value = hours + minutes / 60 + seconds / 3600
    return -value if reference in ("S", "W") else value


def _offered(image: Image.Image) -> Offered:
    try:
        exif = image.getexif()
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        taken = str(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal, ""))[:19]
        if ExifTags.GPS.GPSLatitude in gps and ExifTags.GPS.GPSLongitude in gps:
            lat = _degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef, "N"))
            lon = _degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef, "E"))
            if abs(lat) <= 90 and abs(lon) <= 180:
                return Offered(round(lon, 6), round(lat, 6), taken)
        return Offered(taken_at=taken)
    except Exception:  # hostile bytes make decoders raise almost anything: what cannot be read is not offered
        return Offered()


def read_photo(body: bytes) -> Photo:
    """Decode, turn upright, shrink and write anew as JPEG without metadata. Raises Invalid for what is no photo."""
    # WeasyPrint, which prints case files in the same process, makes Pillow take half a picture for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(body)) as image:
            if image.format not in _PHOTO_FORMATS:
                raise Invalid(_("这种图片不能用，请换 JPEG、PNG、WebP 或 HEIC 照片。"))
            if image.width * image.height > (JPEG_PIXELS if image.format in ("JPEG", "MPO") else PIXELS):
                raise Invalid(_("这张照片的像素太多，请缩小后再传。"))
            offered = _offered(image)
            image.draft("RGB", (PHOTO_EDGE, PHOTO_EDGE))  # a large JPEG is decoded at the size that is kept
            upright = _flat(ImageOps.exif_transpose(image))
    except Invalid:
        raise
    except Exception as error:
        raise Invalid(_("这张照片打不开，可能已损坏。请重拍或换一张。")) from error
    upright.thumbnail((PHOTO_EDGE, PHOTO_EDGE))
    small = upright.copy()
    small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
    return Photo(_jpeg(upright, 85), _jpeg(small, 75), upright.width, upright.height, offered)


def _flat(image: Image.Image) -> Image.Image:
    """The bare picture: see-through parts white, and nothing of what the file said beside the pixels."""
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        flat = Image.new("RGB", seen.size, "white")
        flat.paste(seen, mask=seen.getchannel("A"))
        return flat
    flat = image.convert("RGB")
    flat.info.clear()  # a JPEG's comment would be written again
    return flat


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


@contextmanager
def _alone_with(sha256: str) -> Iterator[None]:
    """One transaction that no other may share for the same content: storing and deleting it never cross."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(sha256[:15], 16)])
        yield


def _put(body: bytes, sha256: str) -> None:
    """Keep one content under its hash. A file that a crash left half written is written anew."""
    path = path_of(sha256)
    if default_storage.exists(path):
        if default_storage.size(path) == len(body):
            return
        default_storage.delete(path)
    default_storage.save(path, ContentFile(body))


def read_upload(file: BinaryIO, *, size: int) -> bytes:
    """The whole upload, never more than the largest limit. Raises TooLarge and Invalid."""
    largest = max(LIMITS.values())
    if size > largest:
        raise TooLarge(_("文件太大：照片和文件不超过 20 MB，视频不超过 100 MB。"))
    body = file.read(largest + 1)
    if len(body) > largest:
        raise TooLarge(_("文件太大：照片和文件不超过 20 MB，视频不超过 100 MB。"))
    if not body:
        raise Invalid(_("这个文件是空的，请重新选择。"))
    return body


def store(*, file: BinaryIO, name: str, size: int, by: Actor) -> tuple[Attachment, Offered]:
    """Keep one upload that does not belong to a case yet. Raises TooLarge and Invalid in plain words."""
    body = read_upload(file, size=size)
    offered = Offered()
    small = b""
    width = height = None
    if media.looks_like_photo(body[:16]):
        kind, content_type = Attachment.MediaKind.PHOTO, "image/jpeg"
        if len(body) > LIMITS[kind]:
            raise TooLarge(_("照片太大，请不超过 20 MB。"))
        photo = read_photo(body)
        body, small, offered, width, height = photo.body, photo.thumbnail, photo.offered, photo.width, photo.height
    else:
        medium = media.recognise(body)
        kind, content_type = medium.kind, medium.content_type
        if len(body) > LIMITS[kind]:
            raise TooLarge(_("文件太大：照片和文件不超过 20 MB，视频不超过 100 MB。"))
        body = medium.body
    sha256 = hashlib.sha256(body).hexdigest()
    thumbnail = hashlib.sha256(small).hexdigest() if small else ""
    with ExitStack() as held:
        for one, content in sorted(pair for pair in ((sha256, body), (thumbnail, small)) if pair[0]):
            held.enter_context(_alone_with(one))
            _put(content, one)
        attachment = Attachment.objects.create(
            kind=kind, name=clean_text(name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1], max_length=120, multiline=False),
            content_type=content_type, size=len(body), sha256=sha256, thumbnail_sha256=thumbnail, width=width,
            height=height, by_reporter=by.kind is Kind.REPORTER, uploaded_by_id=by.staff_id,
        )
    return attachment, offered


class FileGone(NotFound, FileNotFoundError):
    """The content is no longer kept: its retention has ended, or the storage has lost it."""

    default_code = "file_gone"
    default_message = _("这个文件已不再保存。")


def open_file(attachment: Attachment, *, thumbnail: bool = False) -> BinaryIO:
    """Raises FileGone, which is a FileNotFoundError too."""
    sha256 = attachment.thumbnail_sha256 if thumbnail else attachment.sha256
    if attachment.removed_at is not None or not sha256:
        raise FileGone()
    try:
        return cast(BinaryIO, default_storage.open(path_of(sha256), "rb"))
    except FileNotFoundError as error:
        raise FileGone() from error


def _kept(sha256: str) -> bool:
    """Whether any attachment still shows this content."""
    return Attachment.objects.filter(
        Q(sha256=sha256) | Q(thumbnail_sha256=sha256), removed_at__isnull=True
    ).exists()


def _drop(sha256: str) -> bool:
    """Delete a content that no attachment shows any more. Returns whether it was deleted."""
    with _alone_with(sha256):
        if _kept(sha256):
            return False
        default_storage.delete(path_of(sha256))
        return True


def _drop_later(hashes: Iterable[str]) -> None:
    # After the commit: a transaction that is undone must not have cost anybody a file.
    for sha256 in {sha256 for sha256 in hashes if sha256}:
        transaction.on_commit(partial(_drop, sha256), robust=True)


def remove_files(attachments: list[Attachment], *, at: datetime) -> None:
    """Mark files removed and, once that is committed, delete the content no other attachment shares."""
    for attachment in attachments:
        Attachment.objects.filter(pk=attachment.pk).update(removed_at=at, name="")
        _drop_later((attachment.sha256, attachment.thumbnail_sha256))


# Files without a case that another context answers for: each gives the condition of those it holds (`fieldwork.apps`).
HELD: list[Callable[[], Q]] = []


def forget(stale: list[Attachment]) -> None:
    """Delete files that belong to no case, and their content once that is committed."""
    Attachment.objects.filter(pk__in=[one.pk for one in stale], case__isnull=True).delete()
    _drop_later(sha256 for one in stale for sha256 in (one.sha256, one.thumbnail_sha256))


def claim(ids: Iterable[uuid.UUID], case_id: uuid.UUID, *, by: Actor) -> int:
    """Files that `by` has just uploaded become part of the registration of a case, in the caller's transaction. Returns how many."""
    event_id = Event.objects.filter(case_id=case_id, action="register").values_list("id", flat=True).get()
    return Attachment.objects.filter(pk__in=list(ids), case__isnull=True, uploaded_by_id=by.staff_id).update(
        case_id=case_id, event_id=event_id, purpose="report")


def claimed(ids: set[uuid.UUID], case_id: uuid.UUID) -> bool:
    """Whether all these files belong to the case."""
    return Attachment.objects.filter(pk__in=ids, case_id=case_id).count() == len(ids)


def forget_unclaimed(before: datetime) -> int:
    """Uploads that never became part of a case and that nobody else holds. Returns how many were removed."""
    with transaction.atomic():
        unclaimed = Attachment.objects.select_for_update(skip_locked=True).filter(case__isnull=True, created_at__lt=before)
        for held in HELD:
            unclaimed = unclaimed.exclude(held())
        stale = list(unclaimed)
        forget(stale)
    return len(stale)


def forget_orphans(before: datetime, *, share: int) -> int:
    """Delete contents older than `before` that no attachment shows: what a crash between two steps left behind.

    Looks at one sixteenth of the storage, `share` (0 to 15), so that a night's work stays small.
    """
    count = 0
    for first in (f"{share:x}{digit:x}" for digit in range(16)):
        if not _exists_folder(first):
            continue
        for second in default_storage.listdir(first)[0]:
            for name in default_storage.listdir(f"{first}/{second}")[1]:
                path = f"{first}/{second}/{name}"
                if default_storage.get_modified_time(path) < before and not _kept(name):
                    count += _drop(name)
    return count


def _exists_folder(name: str) -> bool:
    try:
        return bool(default_storage.listdir(name)[0])
    except FileNotFoundError:
        return False
