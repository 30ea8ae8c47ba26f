"""Files sent before there is a case. Each belongs to the form it was chosen in: only that form's key claims it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from lianxin.cases import files
from lianxin.cases.engine import submission_key
from lianxin.cases.models import Attachment
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.language import named
from lianxin.places.locate import locate

from .access import RESIDENT

SALT = "lianxin.portal.upload"
SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """One stored file as the form carries it. `lon`/`lat` (WGS-84 degrees, inside the city) and `taken_at`
    (`2026-11-20 14:30`) are what the photo said before it was stripped; the reporter decides whether they are used."""

    id: uuid.UUID
    name: str
    kind: str
    lon: float | None = None
    lat: float | None = None
    taken_at: str = ""
    place: str = ""

    @property
    def key(self) -> str:
        return self.id.hex

    @property
    def token(self) -> str:
        return signing.dumps(
            [self.id.hex, self.name, self.kind, self.lon, self.lat, self.taken_at, self.place], salt=SALT, compress=True
        )

    @property
    def has_thumbnail(self) -> bool:
        return self.kind == Attachment.MediaKind.PHOTO

    @property
    def offers_place(self) -> bool:
        return self.lon is not None


def read_token(token: str) -> Upload | None:
    """The upload a form carries; None when the token is not ours or a day old."""
    try:
        pk, name, kind, lon, lat, taken_at, place = signing.loads(token, salt=SALT, max_age=SECONDS)
        return Upload(uuid.UUID(hex=pk), name, kind, lon, lat, taken_at, place)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def form_key(submission: str) -> bytes:
    return submission_key("upload", submission)


def _taken(said: str) -> str:
    """EXIF's `2026:11:20 14:30:05` as people write it."""
    day, _space, hour = said.partition(" ")
    parts = day.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts) or parts[0] == "0000":
        return ""
    return f"{parts[0]}-{parts[1]}-{parts[2]} {hour[:5]}".strip()


def receive(file: UploadedFile[Any], *, submission: str) -> Upload:
    """Store one file for a form. Raises Invalid and TooLarge in plain words; the same file again is the same upload."""
    key = form_key(submission)
    if Attachment.objects.filter(upload_key=key).count() >= files.FILES_PER_CASE:
        raise Invalid(_("一次最多 %d 个文件。先提交，之后还可以再补。") % files.FILES_PER_CASE)
    with transaction.atomic():
        attachment, offered = files.store(file=file, name=file.name or "", size=file.size or 0, by=RESIDENT)  # type: ignore[arg-type]
        earlier = Attachment.objects.filter(upload_key=key, sha256=attachment.sha256).order_by("created_at").first()
        if earlier is not None:
            attachment.delete()
            attachment = earlier
        else:
            Attachment.objects.filter(pk=attachment.pk).update(upload_key=key)
    lon, lat, place = offered.lon, offered.lat, ""
    if lon is not None and lat is not None:
        hit = locate(lon, lat)
        spot = hit.village or hit.town or hit.county
        place = named(spot.name) if spot else ""
        if hit.inside is False:
            lon = lat = None
    return Upload(attachment.pk, attachment.name, attachment.kind, lon, lat, _taken(offered.taken_at), place)


@dataclass(frozen=True, slots=True)
class Received:
    """What came of the files of one request: those stored, and a sentence for each that was not."""

    stored: tuple[Upload, ...]
    faults: tuple[str, ...]


def receive_all(sent: Iterable[UploadedFile[Any]], *, submission: str) -> Received:
    stored: list[Upload] = []
    faults: list[str] = []
    for file in sent:
        try:
            one = receive(file, submission=submission)
        except DomainError as error:
            faults.append(_("“%(name)s”没有收下：%(why)s") % {"name": file.name or _("文件"), "why": error})
        else:
            stored.append(one)
    return Received(tuple(stored), tuple(faults))


def carried_by(tokens: Iterable[str], *, dropped: str, submission: str) -> tuple[list[Upload], bool]:
    """The files a form carries that are still there, and whether one has been lost: its token or the file itself is
    too old, or it belongs to another form."""
    sent = list(tokens)
    read = [one for token in sent if (one := read_token(token)) is not None]
    wanted = list({one.id: one for one in read if one.key != dropped}.values())
    own = set(Attachment.objects.filter(
        pk__in=[one.id for one in wanted], upload_key=form_key(submission), by_reporter=True
    ).values_list("pk", flat=True)) if wanted else set()
    alive = [one for one in wanted if one.id in own]
    return alive, len(read) < len(sent) or len(alive) < len(wanted)


LOST = _lazy("有的文件放得太久，已经失效，请重新添加。写好的内容都在。")
