"""A platform of before, beside this one: its requests become cases here, once each.

Read by the time of asking, in windows that the specification allows; the last days are read again each time, so that what is published
there late still comes. What it had closed before it was first seen stays there.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from lianxin.cases.actions import Intake, register
from lianxin.cases.models import Case, Channel
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.sending import Fate, Outcome
from lianxin.organisations.actors import Actor, Kind

from . import georeport, hearing, mapping
from .client import Client, Fault
from .models import Link, System

log = logging.getLogger(__name__)
IMPORTER: Final = Actor(kind=Kind.SYSTEM, via="exchange")
AGAIN: Final = timedelta(days=3)
WINDOW: Final = timedelta(days=30)
SMALLEST: Final = timedelta(minutes=1)
MARK: Final = "〔12345 "  # a request that came from here is not taken as new


def pull(client: Client) -> int:
    """Take every request that is new. Returns how many became cases. Raises Fault."""
    system, until = client.system, now()
    start = (system.read_to - AGAIN) if system.read_to is not None else until - AGAIN
    taken = 0
    while start < until:
        end = min(start + WINDOW, until)
        rows, end = _window(client, start, end)
        for row in sorted(rows, key=lambda row: row.get("requested_datetime", "")):
            taken += take(system, row)
        System.objects.filter(pk=system.pk).update(read_to=end)
        start = end
    return taken


def _window(client: Client, start: datetime, end: datetime) -> tuple[list[dict[str, str]], datetime]:
    """The requests from `start`, and up to when they are whole: a window that holds more than one answer may is made smaller."""
    while True:
        rows = client.get("requests", start_date=georeport.stamp(start), end_date=georeport.stamp(end), page_size=str(georeport.MOST))
        if len(rows) < georeport.MOST:
            return rows, end
        if end - start <= SMALLEST:
            raise Fault(Outcome(Fate.LATER, _("对方一分钟内的工单超过一次能取的数量，取不全。")))
        end = start + (end - start) / 2


def take(system: System, row: dict[str, str]) -> bool:
    """One request becomes a case, unless it is here already, was closed when first seen, or says nothing. Returns whether it did."""
    theirs = row.get("service_request_id", "")[:120]
    if not theirs or Link.objects.filter(system=system, theirs=theirs).exists():
        return False
    if georeport.status(row) == georeport.CLOSED or MARK in row.get("description", ""):
        return False
    earlier = Case.objects.filter(source_system=system.code, source_id=theirs).first()  # from a file, before the two were joined
    try:
        with transaction.atomic():
            case_id = earlier.pk if earlier is not None else register(intake=_intake(system, row, theirs), by=IMPORTER).case_id
            link = Link.objects.create(system=system, case_id=case_id, incoming=True, theirs=theirs, noted=True,
                                       turn=Link.objects.filter(system=system, case_id=case_id).count() + 1)
            hearing.note(link, "imported")
            hearing.status(link, row)
    except DomainError as error:
        log.warning("%s: request %s was not taken: %s", system.code, theirs, error.code)
        mapping.WORDS.note(system, _("工单 %s 没有收下") % theirs, inbound=True)
        return False
    return True


def _intake(system: System, row: dict[str, str], theirs: str) -> Intake:
    lon, lat = georeport.degrees(row)
    asked = georeport.moment(row.get("requested_datetime", ""))
    category = mapping.ours(system, row.get("service_code", "")) or None
    words = row.get("description", "") or row.get("service_name", "")
    return Intake(
        words=words, channel=Channel.IMPORT.value, category=category, place_text=row.get("address", ""), lon=lon, lat=lat,
        outside_allowed=True, name=" ".join(part for part in (row.get("last_name", ""), row.get("first_name", "")) if part),
        phone=row.get("phone", ""), email=row.get("email", ""), message_consent=False, source_system=system.code, source_id=theirs,
        registered_at=min(asked, now()) if asked is not None else None)
