"""Asking the other systems, again and again: which number became of a token, how each request stands, what is new.

One system is asked by one process at a time, each as often as `EVERY` says; what one of them answers, or fails to, concerns no other.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.utils.translation import override

from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.locks import alone
from lianxin.kernel.sending import Outcome

from . import fetching, georeport, hearing, older
from .client import Client, Fault
from .models import Link, System, SystemKind

log = logging.getLogger(__name__)
EVERY: Final = timedelta(seconds=60)
TOKENS: Final = 50  # asked in one round
BATCH: Final = 50  # numbers in one question: an address has its limits
AFTER_END: Final = timedelta(days=1)


def sweep() -> int:
    """Tell the cases their new numbers, then ask every system whose time has come. Returns how many were asked."""
    at = now()
    with override(settings.LANGUAGE_CODE):
        tell_numbers()
        due = System.objects.filter(Q(polled_at__isnull=True) | Q(polled_at__lte=at - EVERY), active=True)
        return sum(poll(pk, at) for pk in list(due.values_list("pk", flat=True)))


def tell_numbers() -> None:
    for pk in list(Link.objects.filter(noted=False).exclude(theirs="").values_list("pk", flat=True)[:500]):
        _one(pk, hearing.tell_number)


def _one(pk: uuid.UUID, do: Callable[..., object], *args: object) -> bool:
    """One link, in a transaction of its own; what cannot be written now is tried again in the next round."""
    try:
        with hearing.held(pk) as link:
            return bool(do(link, *args)) if link is not None else False
    except DomainError as error:
        log.info("a link waits for the next round: %s", error.code)
        return False


def poll(system_id: uuid.UUID, at: datetime) -> int:
    """Ask one system. Returns 0 when another process does so just now, or has since."""
    with alone(f"exchange {system_id}") as mine:
        due = System.objects.filter(Q(polled_at__isnull=True) | Q(polled_at__lte=at - EVERY), pk=system_id, active=True)
        if not mine or not due.exists():
            return 0
        System.objects.filter(pk=system_id).update(polled_at=at)
        ask(System.objects.select_related("agent", "unit").get(pk=system_id))
        return 1


def ask(system: System) -> Outcome | None:
    """Everything that is asked of one system, in turn. Returns what went wrong, None when nothing did."""
    client = Client(system)
    try:
        follow_tokens(client)
        if system.updates:  # first: what they said last belongs to what they closed it with
            updates(client)
            fetching.fetch(system)
        statuses(client)
        if system.kind == SystemKind.OLDER:
            older.pull(client)
        fetching.fetch(system)
    except Fault as fault:
        reached = fault.outcome.reached
        System.objects.filter(pk=system.pk).update(
            last_error=fault.outcome.why[:300], **({} if system.failing_since or reached else {"failing_since": now()}))
        return fault.outcome
    System.objects.filter(pk=system.pk).update(answered_at=now(), failing_since=None, last_error="")
    return None


def _pages(rows: Sequence[tuple[uuid.UUID, str]]) -> Iterator[list[tuple[uuid.UUID, str]]]:
    there = iter(rows)
    while page := list(islice(there, BATCH)):
        yield page


def follow_tokens(client: Client) -> None:
    """`tokens/{token}`: a system that is slow to number a request says nothing yet, or says that it knows no such token yet."""
    found = Link.objects.filter(system=client.system, theirs="").exclude(token="").order_by("id")
    for pk, token in list(found.values_list("pk", "token")[:TOKENS]):
        try:
            rows = client.get(f"tokens/{token}")
        except Fault as fault:
            if fault.status in (400, 404):
                continue
            raise
        theirs = next((row["service_request_id"] for row in rows if row.get("service_request_id")), "")[:120]
        if theirs and not Link.objects.filter(system=client.system, theirs=theirs).exists():
            Link.objects.filter(pk=pk, theirs="").update(theirs=theirs, token="")
            _one(pk, hearing.tell_number)


def followed(system: System) -> list[tuple[uuid.UUID, str]]:
    """The links that are asked about: those that are open, and those that ended within a day."""
    return list(Link.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=now() - AFTER_END), system=system).exclude(
        theirs="").order_by("id").values_list("pk", "theirs"))


def told(client: Client, numbers: Sequence[str]) -> dict[str, dict[str, str]]:
    """What they say of these requests, by number. Servers that take one number at a time are asked one at a time."""
    rows = client.get("requests", service_request_id=",".join(numbers))
    found = {row.get("service_request_id", ""): row for row in rows if row.get("service_request_id", "") in numbers}
    for number in numbers if len(numbers) > 1 and len(found) <= 1 else ():
        if number not in found:
            try:
                rows = client.get(f"requests/{number}")
            except Fault as fault:
                if fault.status in (400, 404):
                    continue
                raise
            if rows and rows[0].get("service_request_id") == number:
                found[number] = rows[0]
    return found


def statuses(client: Client) -> None:
    for page in _pages(followed(client.system)):
        found = told(client, [number for _pk, number in page])
        for pk, number in page:
            if number in found:
                _one(pk, hearing.status, found[number])


def updates(client: Client) -> None:
    """The updates extension, over the last days of what is open."""
    links = {number: pk for pk, number in followed(client.system)}
    if not links:
        return
    since = client.system.answered_at or now() - timedelta(days=7)
    rows = client.get("servicerequestupdates", start_date=georeport.stamp(since - timedelta(days=1)), end_date=georeport.stamp(now()))
    for row in sorted(rows, key=lambda row: row.get("updated_datetime", "")):
        pk = links.get(row.get("service_request_id", ""))
        if pk is not None:
            _one(pk, hearing.update, row)


def settle(system: System) -> None:
    """Ask a system now, whenever it was asked last; for commands and tests."""
    with override(settings.LANGUAGE_CODE):
        tell_numbers()
        ask(System.objects.select_related("agent", "unit").get(pk=system.pk))
