"""Fetching the pictures that another system names: through the guard, looked at, decoded and written anew, and made files of the case."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import requests
from django.utils.translation import gettext as _

from lianxin.cases import files, media
from lianxin.cases.models import Attachment
from lianxin.kernel import outside
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.sending import SOON, pause
from lianxin.organisations.actors import SYSTEM

from . import hearing
from .models import Fetching, Link, Photo, Picture, System
from .pictures import LONGEST, address_of

ROUND: Final = 20  # fetched when a system is asked
TRIES: Final = 8
FIRST: Final = 30.0  # seconds before the second try
SECONDS: Final = 60.0  # for one picture


class _Refused(Exception):
    """It cannot be had; the message says why."""


class _Later(Exception):
    """Perhaps next time."""


def fetch(system: System) -> int:
    """Fetch what waits of one system, outside of any transaction. Returns how many became files of their cases."""
    due = Picture.objects.filter(link__system=system, state=Fetching.WAITING, next_at__lte=now())
    return sum(_one(row) for row in list(due.select_related("link__system__agent").order_by("id")[:ROUND]))


def _one(row: Picture) -> bool:
    """One picture. What cannot be had now is tried again, and what never can be is written down on the case."""
    at = now()
    try:
        body = _taken(address_of(row))
        if _sent_from_here(row.link, body):
            return _settle(row, Fetching.OURS)
        return _keep(row, body)
    except _Later as fault:
        if row.tries + 1 < TRIES:
            wait = timedelta(seconds=pause(row.tries + 1, first=FIRST))
            Picture.objects.filter(pk=row.pk).update(tries=row.tries + 1, next_at=at + wait, fault=str(fault)[:200])
            return False
        return _give_up(row, str(fault))
    except _Refused as fault:
        return _give_up(row, str(fault))


def _taken(address: str) -> bytes:
    """What lies there: a photo of bounded size, or a fault. Nothing of ours goes along – no key, no cookie."""
    try:
        url = outside.checked(address, longest=LONGEST)
    except Invalid as error:
        raise _Refused(str(error.message)) from error
    try:
        with (outside.session(seconds=SECONDS) as session,
              session.get(url, stream=True, timeout=(outside.CONNECT, outside.READ)) as reply):
            if reply.status_code != 200:
                fault = _Later if reply.status_code >= 500 or reply.status_code in SOON else _Refused
                raise fault(_("对方应答 %s。") % reply.status_code)
            body = outside.read(reply, files.LIMITS[Attachment.MediaKind.PHOTO])
    except (requests.exceptions.RequestException, OSError) as error:
        raise _Later(_("联不通：%s") % type(error).__name__) from error
    except ValueError as error:  # longer than a photo may be
        raise _Refused(_("照片太大，请不超过 20 MB。")) from error
    if not media.looks_like_photo(body[:16]):
        raise _Refused(_("不是照片。"))
    return body


def _sent_from_here(link: Link, body: bytes) -> bool:
    return Photo.objects.filter(link=link, attachment__sha256=hashlib.sha256(body).hexdigest()).exists()


def _keep(row: Picture, body: bytes) -> bool:
    """The photo, decoded and written anew, as a file of the case that came from the system; a prepared reply that waited for one goes."""
    agent = hearing.agent_of(row.link.system)
    try:
        made, _offered = files.store(file=io.BytesIO(body), name="photo.jpg", size=len(body), by=agent or SYSTEM)
    except DomainError as error:
        raise _Refused(str(error.message)) from error
    with _held(row) as link:
        if link is None:
            return False
        hearing.note(link, "photo", photos=[made.pk])
        Picture.objects.filter(pk=row.pk).update(state=Fetching.KEPT, attachment=made, address=None, fault="")
        hearing.reply_now(link)
    return True


def _give_up(row: Picture, why: str) -> bool:
    with _held(row) as link:
        if link is not None:
            Picture.objects.filter(pk=row.pk).update(state=Fetching.REFUSED, address=None, fault=why[:200])
            hearing.note(link, "photo_lost", why)
    return False


def _settle(row: Picture, state: Fetching) -> bool:
    Picture.objects.filter(pk=row.pk).update(state=state, address=None, fault="")
    return False


@contextmanager
def _held(row: Picture) -> Iterator[Link | None]:
    """The link of a picture that still waits, locked behind its case; None where somebody else was quicker."""
    with hearing.held(row.link_id) as link:
        waits = Picture.objects.filter(pk=row.pk, state=Fetching.WAITING).exists()
        yield link if waits else None


def forget(before: datetime) -> int:
    """Give up what nobody asks for any more: of links that ended before then. Returns how many."""
    return Picture.objects.filter(state=Fetching.WAITING, link__ended_at__lt=before).update(state=Fetching.REFUSED, address=None)
