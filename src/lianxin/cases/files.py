"""Files that come from outside: typed by their content, bounded, stripped of what they say about the person.

A file is stored by its SHA-256, so the same file is stored once. Photos are decoded and written anew: whatever was
hidden in them is gone, and the place and time they carried are offered to the reporter first (`Offered`).
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

import pillow_heif
import puremagic
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lianxin.kernel.errors import Invalid, TooLarge
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor, Kind

from .models import Attachment

pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = 80_000_000

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
_TYPES = {
    ".pdf": (Attachment.MediaKind.DOCUMENT, "application/pdf"),
    ".mp3": (Attachment.MediaKind.AUDIO, "audio/mpeg"),
    ".m4a": (Attachment.MediaKind.AUDIO, "audio/mp4"),
    ".wav": (Attachment.MediaKind.AUDIO, "audio/wav"),
    ".ogg": (Attachment.MediaKind.AUDIO, "audio/ogg"),
    ".amr": (Attachment.MediaKind.AUDIO, "audio/amr"),
    ".mp4": (Attachment.MediaKind.VIDEO, "video/mp4"),
    ".mov": (Attachment.MediaKind.VIDEO, "video/quicktime"),
    ".3gp": (Attachment.MediaKind.VIDEO, "video/3gpp"),
    ".webm": (Attachment.MediaKind.VIDEO, "video/webm"),
}


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
    except (ValueError, TypeError, ZeroDivisionError, SyntaxError, KeyError):
        return Offered()


def read_photo(body: bytes) -> Photo:
    """Decode, turn upright, shrink and write anew as JPEG without metadata. Raises Invalid for what is no photo."""
    try:
        with Image.open(io.BytesIO(body)) as image:
            if image.format not in _PHOTO_FORMATS:
                raise Invalid(_("这种图片不能用，请换 JPEG、PNG、WebP 或 HEIC 照片。"))
            offered = _offered(image)
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except Invalid:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Invalid(_("这张照片打不开，可能已损坏。请重拍或换一张。")) from error
    upright.thumbnail((PHOTO_EDGE, PHOTO_EDGE))
    small = upright.copy()
    small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
    return Photo(_jpeg(upright, 85), _jpeg(small, 75), upright.width, upright.height, offered)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _looks_like_photo(head: bytes) -> bool:
    return (
        head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim", b"heis"))
    )


def _other_type(body: bytes) -> tuple[Attachment.MediaKind, str]:
    head = body[:16]
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        suffix = ".m4a" if brand in (b"M4A ", b"M4B ") else ".mov" if brand == b"qt  " else ".mp4"
        return _TYPES[".3gp" if brand.startswith(b"3g") else suffix]
    try:
        found = {match.extension.lower() for match in puremagic.magic_string(body[:8192])}
    except (puremagic.PureError, ValueError):
        found = set()
    if body.startswith(b"%PDF-"):
        return _TYPES[".pdf"]
    for suffix, kind in _TYPES.items():
        if suffix != ".pdf" and suffix in found:
            return kind
    raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"))


def _put(body: bytes) -> str:
    sha256 = hashlib.sha256(body).hexdigest()
    path = path_of(sha256)
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(body))
    return sha256


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
    thumbnail = ""
    width = height = None
    if _looks_like_photo(body[:16]):
        kind, content_type = Attachment.MediaKind.PHOTO, "image/jpeg"
        if len(body) > LIMITS[kind]:
            raise TooLarge(_("照片太大，请不超过 20 MB。"))
        photo = read_photo(body)
        body, offered, width, height = photo.body, photo.offered, photo.width, photo.height
        thumbnail = _put(photo.thumbnail)
    else:
        kind, content_type = _other_type(body)
        if len(body) > LIMITS[kind]:
            raise TooLarge(_("文件太大：照片和文件不超过 20 MB，视频不超过 100 MB。"))
    sha256 = _put(body)
    attachment = Attachment.objects.create(
        kind=kind, name=clean_text(name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1], max_length=120, multiline=False),
        content_type=content_type, size=len(body), sha256=sha256, thumbnail_sha256=thumbnail, width=width,
        height=height, by_reporter=by.kind is Kind.REPORTER, uploaded_by_id=by.staff_id,
    )
    return attachment, offered


def open_file(attachment: Attachment, *, thumbnail: bool = False) -> BinaryIO:
    """Raises FileNotFoundError when retention has removed it."""
    sha256 = attachment.thumbnail_sha256 if thumbnail else attachment.sha256
    if attachment.removed_at is not None or not sha256:
        raise FileNotFoundError(sha256)
    return cast(BinaryIO, default_storage.open(path_of(sha256), "rb"))


def remove_files(attachments: list[Attachment], *, at: datetime) -> None:
    """Mark files removed and delete the content no other attachment shares."""
    for attachment in attachments:
        Attachment.objects.filter(pk=attachment.pk).update(removed_at=at, name="")
        for sha256 in filter(None, (attachment.sha256, attachment.thumbnail_sha256)):
            shared = (
                Attachment.objects.filter(removed_at__isnull=True, sha256=sha256)
                | Attachment.objects.filter(removed_at__isnull=True, thumbnail_sha256=sha256)
            )
            if not shared.exists():
                default_storage.delete(path_of(sha256))


def forget_unclaimed(before: datetime) -> int:
    """Uploads that never became part of a case. Returns how many were removed."""
    stale = list(Attachment.objects.filter(case__isnull=True, created_at__lt=before, removed_at__isnull=True))
    remove_files(stale, at=before)
    Attachment.objects.filter(pk__in=[one.pk for one in stale]).delete()
    return len(stale)


def attachment_ids(values: Iterable[str]) -> tuple[uuid.UUID, ...]:
    """Ids from a form; raises Invalid for what is none."""
    try:
        return tuple(uuid.UUID(value) for value in values if value)
    except ValueError:
        raise Invalid(_("附件编号不对，请重新上传。")) from None
