"""The queue of letters to other systems, as `lianxin deliver` runs it.

GeoReport v2 has no way to say that a request was posted before. So a request is armed – written down and committed – before it is
posted; where nobody can know whether it arrived (a crash, an answer that broke off, a fault there), it is looked for by our mark in what
they list before it is posted once more. Where they do not list it, it is not posted again: a person decides.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from lianxin.kernel import sending as kernel
from lianxin.kernel.clock import now
from lianxin.kernel.sending import SILENT, Fate, Line, Outcome, pause

from . import georeport, outbox, photos
from .client import Client, Fault
from .following import mark_of, service_of
from .models import Letter, Link, Sort, System

TROUBLED: Final = 2
SAID: Final = 10.0  # seconds after which it is written down again that a system answers
AROUND: Final = timedelta(hours=1)  # before the first try, from which on theirs are looked through

# The first of a link that is not sent yet, if it is due and nobody else has it; not to systems that do not answer.
CLAIM: Final = """
SELECT l.* FROM exchange_letter l JOIN exchange_system s ON s.id = l.system_id
 WHERE l.state = 'waiting' AND l.next_at <= %(at)s AND s.active AND NOT (l.system_id = ANY(%(closed)s))
   AND NOT EXISTS (SELECT 1 FROM exchange_letter e WHERE e.link_id = l.link_id AND e.id < l.id AND e.state <> 'sent')
   AND (l.sort = 'request' OR EXISTS (SELECT 1 FROM exchange_link k WHERE k.id = l.link_id AND k.theirs <> ''))
   AND (%(link)s::uuid IS NULL OR l.link_id = %(link)s)
 ORDER BY l.next_at, l.id LIMIT 1 FOR UPDATE OF l SKIP LOCKED
"""


def first_wait() -> float:
    """Seconds before the first letter that failed is tried again."""
    return float(settings.LIANXIN_EXCHANGE_RETRY_MILLISECONDS / 1000)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a letter: the kernel's, and what they call it; `unclear` when it may have been taken all the same."""

    outcome: Outcome
    theirs: str = ""
    token: str = ""
    unclear: bool = False

    @property
    def fate(self) -> Fate:
        return self.outcome.fate

    @property
    def why(self) -> str:
        return self.outcome.why

    @property
    def wait(self) -> float | None:
        return self.outcome.wait

    @property
    def reached(self) -> bool:
        return self.outcome.reached


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter opened, with whom it goes to."""

    client: Client
    link: Link
    fields: dict[str, str]


class Letters(kernel.Queue[Letter]):
    """The outbox of the exchange."""

    name = "exchange"
    channel = outbox.CHANNEL
    due = "SELECT 1 FROM exchange_letter WHERE state = 'waiting' AND next_at <= %s LIMIT 1"

    def __init__(self) -> None:
        self.armed: set[uuid.UUID] = set()  # by this process, and not tried since

    def first(self) -> float:
        return first_wait()

    def claim(self, *, urgent: bool, closed: list[Any], after: Any) -> Letter | None:
        return next(iter(Letter.objects.raw(CLAIM, {"at": now(), "closed": closed, "link": after})), None)

    def destination(self, row: Letter) -> uuid.UUID:
        return row.system_id

    def order(self, row: Letter) -> Any:
        return row.link_id

    def ahead(self, row: Letter) -> bool:
        if row.sort != Sort.REQUEST or row.armed_at is not None:
            return False
        Letter.objects.filter(pk=row.pk).update(armed_at=now())
        photos.renew(row.pk)  # they may fetch them before they answer
        self.armed.add(row.pk)
        return True

    def prepare(self, row: Letter) -> Ready:
        link = Link.objects.select_related("system", "case").get(pk=row.link_id)  # not locked: a person at the desk must not wait
        return Ready(Client(link.system), link, outbox.body_of(row))

    def send(self, row: Letter, prepared: Ready) -> Answer:
        try:
            if row.sort == Sort.UPDATE:
                return self._update(row, prepared)
            return self._request(row, prepared)
        except Fault as fault:
            return Answer(fault.outcome, unclear=fault.unclear)

    def _update(self, row: Letter, ready: Ready) -> Answer:
        """They tell a copy by its update_id."""
        ready.client.post("servicerequestupdates", {**ready.fields, "service_request_id": ready.link.theirs}, key=row.pk,
                          media=photos.media_of(row, ready.link))
        return Answer(Outcome(Fate.SENT))

    def _request(self, row: Letter, ready: Ready) -> Answer:
        fresh = row.pk in self.armed
        self.armed.discard(row.pk)
        if not fresh and not ready.link.system.idempotent:
            there = look(ready.client, ready.link, since=row.made_at - AROUND)
            if there:
                return Answer(Outcome(Fate.SENT), theirs=there)
        service = service_of(ready.link)
        if not service:
            return Answer(Outcome(Fate.LATER, _("对照表里没有这件工单的事项。")))
        rows = ready.client.post("requests", {**ready.fields, **service}, key=row.pk, media=photos.media_of(row, ready.link))
        theirs = next((one["service_request_id"] for one in rows if one.get("service_request_id")), "")
        token = next((one["token"] for one in rows if one.get("token")), "")
        if not theirs and not token:
            return Answer(Outcome(Fate.LATER, _("对方收下了，但没有给编号。")), unclear=True)
        return Answer(Outcome(Fate.SENT), theirs=theirs, token=token)

    def write_down(self, row: Letter, result: kernel.Result | None) -> None:
        at = now()
        if result is None:
            return outbox.put_off(row, _("这条消息打不开，请看日志。"), at + timedelta(seconds=pause(row.attempts + 1, first=first_wait())),
                                  armed=row.armed_at is not None)
        assert isinstance(result, Answer)
        if result.fate is Fate.SENT:
            return self._sent(row, result)
        too_long = at - row.made_at > timedelta(days=settings.LIANXIN_EXCHANGE_DEAD_DAYS)
        if result.fate is Fate.DEAD or too_long:
            return outbox.give_up(row, result.why)
        wait = max(pause(row.attempts + 1, first=first_wait()), result.wait or 0.0)
        return outbox.put_off(row, result.why, at + timedelta(seconds=wait), armed=result.unclear)

    def _sent(self, row: Letter, result: Answer) -> None:
        theirs, token = result.theirs[:120], result.token[:120]
        if theirs and Link.objects.filter(system_id=row.system_id, theirs=theirs).exclude(pk=row.link_id).exists():
            return outbox.give_up(row, _("对方给的编号 %s 已经属于另一件工单。") % theirs)
        outbox.sent(row, now())
        if theirs or token:  # the case hears of it in a transaction of its own, see polling.py
            Link.objects.filter(pk=row.link_id).update(theirs=theirs, token="" if theirs else token)
        return None

    def standing(self, line: Line, destination: Any, result: kernel.Result, silent: int) -> None:
        stands(line, destination, result, silent)


def look(client: Client, link: Link, *, since: Any) -> str:
    """Their number of a request that may have been posted: found by our mark among what was asked since then; empty when it is not
    there. Raises Fault, also where they list more than can be looked through."""
    service = service_of(link).get("service_code", "")
    rows = client.get("requests", start_date=georeport.stamp(since), end_date=georeport.stamp(now() + AROUND), service_code=service,
                      page_size=str(georeport.MOST))
    mark = mark_of(link)
    found = next((row.get("service_request_id", "") for row in rows if mark in row.get("description", "")), "")
    if not found and len(rows) >= georeport.MOST:
        raise Fault(Outcome(Fate.DEAD, _("不知道对方收到没有，对方列出的太多，查不到。请人工核对后再重发。")))
    if not found and rows and not any(row.get("description") for row in rows):
        raise Fault(Outcome(Fate.DEAD, _("不知道对方收到没有，对方不列出内容，查不到。请人工核对后再重发。")))
    return found


def stands(line: Line, system_id: uuid.UUID, result: kernel.Result, silent: int) -> None:
    """Write down for people how a system answers: when that changes, and now and then."""
    at = now()
    if not result.reached:
        if silent + 1 >= TROUBLED:
            System.objects.filter(pk=system_id, failing_since__isnull=True).update(failing_since=at)
            System.objects.filter(pk=system_id).exclude(last_error=result.why[:300]).update(last_error=result.why[:300])
        return
    if silent >= TROUBLED or time.monotonic() - line.said_well > SAID:
        line.said_well = time.monotonic()
        System.objects.filter(pk=system_id).update(answered_at=at, failing_since=None, last_error="")
    if silent >= SILENT and outbox.hurry(system_id, at):
        kernel.wake(outbox.CHANNEL)
