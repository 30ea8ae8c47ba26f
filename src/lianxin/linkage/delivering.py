"""The process that sends: `lianxin linkage deliver`, and the part of `lianxin deliver` that speaks to other desks.

The threads and the lines are the kernel's (`lianxin.kernel.sending`); here stands what a message to a desk is. Emergencies go first,
and two threads take nothing else; those of a matter go in their order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from lianxin.kernel import sending as kernel
from lianxin.kernel.clock import now
from lianxin.kernel.sending import SILENT, Fate, Line

from . import clocks, outbox, signing
from .models import Outgoing, Partner
from .sending import Answer, post

log = logging.getLogger(__name__)
TROUBLED: Final = 2  # tries in a row that nothing answered, from which on people read of it
SAID: Final = 10.0  # seconds after which it is written down again that a partner answers
KNOWN: Final = 5.0  # seconds for which a partner's address and keys are not read again


def first_wait() -> float:
    """Seconds before the first message that failed is tried again."""
    return float(settings.LIANXIN_LINKAGE_RETRY_MILLISECONDS / 1000)


def pause(attempts: int, *, urgent: bool) -> float:
    """Seconds before the next try after `attempts` tries."""
    return kernel.pause(attempts, first=first_wait(), urgent=urgent)


@dataclass(slots=True)
class Lines(kernel.Lines):
    """All partners' lines, for all threads, and what is known of the partners."""

    first: Callable[[], float] = first_wait
    read: dict[int, tuple[float, Partner, list[str]]] = field(default_factory=dict)

    def partner(self, partner_id: int) -> tuple[Partner, list[str]]:
        """A partner and its keys, read at most every few seconds."""
        held = self.read.get(partner_id)
        if held is None or time.monotonic() - held[0] > KNOWN:
            partner = Partner.objects.get(pk=partner_id)
            held = self.read[partner_id] = (time.monotonic(), partner, signing.secrets_of(partner))
        return held[1], held[2]


# The first of a matter that is not sent yet, if it is due and nobody else has it; `{0}` narrows it.
_CLAIM: Final = """
SELECT o.* FROM linkage_outgoing o JOIN linkage_partner p ON p.id = o.partner_id
 WHERE o.state = 'waiting' AND o.next_at <= %(at)s AND p.active AND p.url <> '' AND {0}
   AND (o.matter_id IS NULL OR NOT EXISTS (
        SELECT 1 FROM linkage_outgoing e WHERE e.matter_id = o.matter_id AND e.seq < o.seq AND e.state <> 'sent'))
 ORDER BY o.urgent DESC, o.next_at, o.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED
"""
# Each is a statement of its own, so that each reads one index from its beginning: thousands may wait for a partner that is silent.
ANY: Final = _CLAIM.format("true")
OF_MATTER: Final = _CLAIM.format("o.matter_id = %(matter)s")
AN_EMERGENCY: Final = _CLAIM.format("o.urgent")
OF_PARTNERS: Final = _CLAIM.format("o.partner_id = ANY(%(partners)s)")


def _claimed(statement: str, **more: Any) -> Outgoing | None:
    return next(iter(Outgoing.objects.raw(statement, {"at": now(), **more})), None)


def claim(*, urgent: bool, closed: list[int], matter: Any = None) -> Outgoing | None:
    """Lock the message that goes next, in the caller's transaction; None when nothing is due. Nothing but emergencies goes to the
    partners in `closed`; `urgent` takes emergencies only."""
    if urgent:
        return _claimed(AN_EMERGENCY)
    if not closed:
        return _claimed(ANY) if matter is None else _claimed(OF_MATTER, matter=matter)
    found = _claimed(AN_EMERGENCY)
    if found is None:
        others = list(Partner.objects.filter(active=True).exclude(pk__in=closed).values_list("pk", flat=True))
        found = _claimed(OF_PARTNERS, partners=others) if others else None
    return found


class Messages(kernel.Queue[Outgoing]):
    """The outbox of the linkage."""

    name = "linkage"
    channel = outbox.CHANNEL
    due = "SELECT 1 FROM linkage_outgoing WHERE state = 'waiting' AND next_at <= %s LIMIT 1"
    urgent_threads = 2

    def __init__(self, lines: Lines | None = None) -> None:
        self.known = Lines() if lines is None else lines

    def lines(self) -> Lines:
        return self.known

    def first(self) -> float:
        return first_wait()

    def claim(self, *, urgent: bool, closed: list[int], after: Any) -> Outgoing | None:
        return claim(urgent=urgent, closed=closed, matter=after)

    def destination(self, row: Outgoing) -> int:
        return row.partner_id

    def order(self, row: Outgoing) -> Any:
        return row.matter_id

    def prepare(self, row: Outgoing) -> tuple[Partner, list[str], str]:
        partner, secrets = self.known.partner(row.partner_id)
        return partner, secrets, outbox.envelope_of(row, partner)

    def send(self, row: Outgoing, prepared: tuple[Partner, list[str], str]) -> Answer:
        partner, secrets, raw = prepared
        return post(partner, row.pk, raw, urgent=row.urgent, secrets=secrets)

    def write_down(self, row: Outgoing, result: kernel.Result | None) -> None:
        if result is None:
            result = Answer(Fate.LATER, _("这条消息打不开，请看日志。"))
        assert isinstance(result, Answer)
        _write_down(row, result)

    def standing(self, line: Line, destination: int, result: kernel.Result, silent: int) -> None:
        _standing(line, destination, result, silent)


def deliver_one(lines: Lines, *, urgent: bool = False, matter: Any = None) -> Outgoing | None:
    """Send the message that goes next and write down what became of it. Returns it, None when nothing is due."""
    return kernel.send_one(Messages(lines), lines, urgent=urgent, after=matter)


def _write_down(row: Outgoing, answer: Answer) -> None:
    at = now()
    if answer.fate is Fate.SENT:
        return outbox.sent(row, at)
    if answer.fate is Fate.DEAD:
        log.warning("%s %s to partner %s was refused: %s", row.kind, row.pk, row.partner_id, answer.why)
        return outbox.give_up(row, answer.why)
    if answer.fate is Fate.BACK and answer.expected != row.seq and row.matter_id is not None:
        try:
            return outbox.go_back(row, answer.expected, at)
        except ValueError:
            return outbox.give_up(row, answer.why)
    wait = max(pause(row.attempts + 1, urgent=row.urgent), answer.wait or 0.0)
    outbox.put_off(row, answer.why, at, at + timedelta(seconds=wait))
    return None


def _standing(line: Line, partner_id: int, answer: kernel.Result, silent: int) -> None:
    """Write down for people how a partner answers: when that changes, and now and then. `silent`: how often in a row it had not."""
    at = now()
    if not answer.reached:
        if silent + 1 == TROUBLED:
            Partner.objects.filter(pk=partner_id, failing_since__isnull=True).update(failing_since=at)
        if silent + 1 >= TROUBLED:
            Partner.objects.filter(pk=partner_id).exclude(last_error=answer.why[:300]).update(last_error=answer.why[:300])
        return
    if silent >= TROUBLED or time.monotonic() - line.said_well > SAID:
        line.said_well = time.monotonic()
        Partner.objects.filter(pk=partner_id).update(answered_at=at, failing_since=None, last_error="")
    if silent >= SILENT and outbox.hurry(partner_id, at):
        outbox.wake(partner_id)


def drain(lines: Lines | None = None, *, most: int = 100_000) -> int:
    """Send everything that is due, in this thread. Returns how many tries were made."""
    return kernel.drain(Messages(lines), most=most)


class Sender(kernel.Sender[Outgoing]):
    """The threads of `lianxin linkage deliver`."""

    def __init__(self, *, threads: int | None = None, sweep: Callable[[], object] | None = None) -> None:
        super().__init__(Messages(), threads=threads or settings.LIANXIN_LINKAGE_THREADS, sweep=sweep)


def swept_sender(threads: int | None = None) -> Sender:
    """The sender as a process runs it: the handovers' clocks are looked at beside it."""
    return Sender(threads=threads, sweep=lambda: clocks.sweep(now()))


def once(at: datetime) -> int:
    """Look at the clocks, then send what is due. Returns how many tries were made."""
    clocks.sweep(at)
    return drain()
