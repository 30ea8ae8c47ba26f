"""Photos of a case to a unit's own system: what its clerks see here too, decoded and written anew when they came, so that nothing of the
telephone is left in them – and only where the system's setting says so, never of a case told in confidence.

By a link: unguessable, for some days, and only as long as the system has the case. Or with the request, as the specification's `media`.
"""

from __future__ import annotations

import base64
import hmac
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from lianxin.cases import files
from lianxin.cases.models import Attachment
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import lookup_hash
from lianxin.kernel.errors import NotFound

from . import disclosing
from .models import Letter, Link, Photo, Photos, Picture

MOST: Final = 6  # with one letter
PATH: Final = "/api/v1/exchange/photos/"
_KEY: Final = re.compile(r"([0-9a-f]{32})-([A-Za-z0-9_-]{43})\.jpg")


@dataclass(frozen=True, slots=True)
class Media:
    """What goes with one letter: addresses, or names and contents."""

    urls: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()


def to_send(link: Link, *, event_id: uuid.UUID | None = None) -> list[Attachment]:
    """The photos of a case that go with the next letter of a link: those that have not gone yet, of one event if it is named."""
    if link.system.photos == Photos.NONE or link.case.confidential or link.incoming:
        return []
    found = Attachment.objects.filter(case_id=link.case_id, kind=Attachment.MediaKind.PHOTO, removed_at__isnull=True).exclude(
        pk__in=Photo.objects.filter(link=link).values("attachment")).exclude(
        pk__in=Picture.objects.filter(link__system=link.system_id, attachment__isnull=False).values("attachment"))
    if event_id is not None:
        found = found.filter(event_id=event_id)
    return list(found.order_by("created_at", "id")[:MOST])


def put(link: Link, letter: Letter, chosen: Iterable[Attachment], *, staff_id: int | None) -> None:
    """Let photos go with a letter, in the caller's transaction, and write down that they do."""
    made = Photo.objects.bulk_create(
        [Photo(link=link, letter=letter, attachment=one, until=_until(now())) for one in chosen])
    if made:
        disclosing.record_photos(link, len(made), staff_id=staff_id)


def _until(at: datetime) -> datetime:
    return at + timedelta(days=settings.LIANXIN_EXCHANGE_PHOTO_DAYS)


def renew(letter_id: uuid.UUID) -> None:
    """Links hold from the sending on."""
    Photo.objects.filter(letter_id=letter_id).update(until=_until(now()))


def media_of(letter: Letter, link: Link) -> Media:
    """What goes with a letter as things stand now: the setting, the case and the files may have changed since it was put."""
    if link.system.photos == Photos.NONE or link.case.confidential or link.ended_at is not None:
        return Media()
    rows = list(Photo.objects.filter(letter=letter, attachment__removed_at__isnull=True).select_related("attachment").order_by("id"))
    if link.system.photos == Photos.LINK:
        renew(letter.pk)
        return Media(urls=tuple(address_of(row) for row in rows))
    bodies: list[tuple[str, bytes]] = []
    for number, row in enumerate(rows, start=1):
        try:
            with files.open_file(row.attachment) as file:
                bodies.append((f"photo-{number}.jpg", file.read()))  # its own name may say whose it is
        except files.FileGone:
            continue
    return Media(files=tuple(bodies))


def _signed(pk: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(lookup_hash(pk.hex, purpose="exchange_photo")).decode().rstrip("=")


def address_of(photo: Photo) -> str:
    """Where a photo is fetched: the same at every try, and nobody can guess it."""
    return f"{settings.LIANXIN_PUBLIC_URL}{PATH}{photo.pk.hex}-{_signed(photo.pk)}.jpg"


def opened(key: str) -> Attachment:
    """The photo behind the last part of its address, for whoever has it; the first time is written down, every time counted. Raises
    NotFound, whatever is wrong with it: made up, over, or the system no longer has the case."""
    match = _KEY.fullmatch(key)
    if match is None or not hmac.compare_digest(match[2], _signed(uuid.UUID(match[1]))):
        raise NotFound()
    found = Photo.objects.select_related("link__system", "link__case", "attachment").filter(pk=uuid.UUID(match[1])).first()
    at = now()
    if found is None or found.until <= at or not _holds(found):
        raise NotFound()
    with transaction.atomic():  # counted and not written down, it would never be written down
        Photo.objects.filter(pk=found.pk).update(opened=F("opened") + 1, opened_at=at)
        if not found.opened:
            disclosing.record_opened(found.link)
    return found.attachment


def _holds(photo: Photo) -> bool:
    link = photo.link
    return (link.system.active and link.system.photos == Photos.LINK and link.ended_at is None and not link.case.confidential
            and link.case.anonymised_at is None and photo.attachment.removed_at is None)
