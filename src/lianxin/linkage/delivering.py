"""The process that sends: `lianxin linkage deliver`.

A thread takes the first waiting message of a matter by locking its row, posts it, and writes down what became of it in the same
transaction: killed at any point, the lock goes with the connection and the message is sent again, under the same id. Emergencies go
first, and two threads take nothing else. A partner that does not answer is asked by one thread at a time until it does; the others go
on with other partners.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections, transaction
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now

from . import outbox, signing
from .models import Outgoing, Partner
from .sending import Answer, Fate, post

log = logging.getLogger(__name__)
URGENT_THREADS: Final = 2
POLL: Final = 0.5  # seconds
SILENT: Final = 5  # tries in a row that nothing answered, from which on a partner is asked by one thread at a time
TROUBLED: Final = 2  # and from which on people read of it
URGENT: Final = (1, 2, 5, 10, 15)  # times the first wait
LONGEST: Final = 300.0  # seconds
SAID: Final = 10.0  # seconds after which it is written down again that a partner answers
KNOWN: Final = 5.0  # seconds for which a partner's address and keys are not read again


def pause(attempts: int, *, urgent: bool) -> float:
    """Seconds before the next try after `attempts` tries: growing, and never the same for all that failed together."""
    first: float = settings.LIANXIN_LINKAGE_RETRY_MILLISECONDS / 1000
    if urgent:
        grown = min(URGENT[min(attempts, len(URGENT)) - 1] * first, URGENT[-1])
    else:
        grown = min(first * 2.0 ** min(attempts - 1, 20), LONGEST)
    return grown * random.uniform(0.7, 1.0)


# ── Partners ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Line:
    """How one partner answers, as this process has seen it."""

    silent: int = 0
    asking: int = 0
    until: float = 0.0
    said_well: float = 0.0

    @property
    def down(self) -> bool:
        return self.silent >= SILENT


@dataclass(slots=True)
class Lines:
    """All partners' lines, for all threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    by_partner: dict[int, Line] = field(default_factory=dict)
    read: dict[int, tuple[float, Partner, list[str]]] = field(default_factory=dict)

    def closed(self) -> list[int]:
        """Partners to whom nothing but emergencies goes just now."""
        at = time.monotonic()
        with self.lock:
            return [pk for pk, line in self.by_partner.items() if line.until > at or (line.down and line.asking)]

    @contextmanager
    def asking(self, partner_id: int) -> Any:
        with self.lock:
            line = self.by_partner.setdefault(partner_id, Line())
            line.asking += 1
        try:
            yield line
        finally:
            with self.lock:
                line.asking -= 1

    def note(self, line: Line, answer: Answer) -> int:
        """Remember how a partner answered. Returns how often in a row nothing had, before this."""
        with self.lock:
            was = line.silent
            if answer.wait:
                line.until = time.monotonic() + answer.wait
            if answer.reached:
                line.silent = 0
                if answer.fate is not Fate.LATER:
                    line.until = 0.0
                return was
            line.silent += 1
            if line.down and not answer.wait:
                line.until = time.monotonic() + min(pause(line.silent - SILENT + 1, urgent=False), 30.0)
            return was

    def partner(self, partner_id: int) -> tuple[Partner, list[str]]:
        """A partner and its keys, read at most every few seconds."""
        held = self.read.get(partner_id)
        if held is None or time.monotonic() - held[0] > KNOWN:
            partner = Partner.objects.get(pk=partner_id)
            held = self.read[partner_id] = (time.monotonic(), partner, signing.secrets_of(partner))
        return held[1], held[2]


# ── One message ──────────────────────────────────────────────────────────────────────────────────────────────────────────

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


def deliver_one(lines: Lines, *, urgent: bool = False, matter: Any = None) -> Outgoing | None:
    """Send the message that goes next and write down what became of it. Returns it, None when nothing is due."""
    with transaction.atomic():
        row = claim(urgent=urgent, closed=lines.closed(), matter=matter)
        if row is None:
            return None
        partner, secrets = lines.partner(row.partner_id)
        try:
            raw = outbox.envelope_of(row, partner)
        except Exception:  # a key that is missing, a body of another version: it must not hold up the others
            log.exception("%s %s cannot be made ready", row.kind, row.pk)
            _write_down(row, Answer(Fate.LATER, _("这条消息打不开，请看日志。")))
            return row
        with lines.asking(row.partner_id) as line:
            answer = post(partner, row.pk, raw, urgent=row.urgent, secrets=secrets)
            silent = lines.note(line, answer)
        _write_down(row, answer)
    _standing(line, row.partner_id, answer, silent)
    return row


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


def _standing(line: Line, partner_id: int, answer: Answer, silent: int) -> None:
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
    lines, count = lines or Lines(), 0
    while count < most and deliver_one(lines) is not None:
        count += 1
    return count


# ── The process ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Sender:
    """The threads of `lianxin linkage deliver`. `start`, then `stop`, which waits for what is on its way."""

    def __init__(self, *, threads: int | None = None, sweep: Callable[[], object] | None = None) -> None:
        self.lines = Lines()
        self.count: int = threads or settings.LIANXIN_LINKAGE_THREADS
        self.sweep = sweep
        self.stopping = threading.Event()
        self.news = threading.Condition()
        self.generation = 0
        self.threads: list[threading.Thread] = []
        self.sent = 0

    def start(self) -> None:
        work: list[tuple[str, Callable[[], None]]] = [("listen", self._listen)]
        work += [(f"urgent-{at}", lambda: self._work(urgent=True)) for at in range(URGENT_THREADS)]
        work += [(f"send-{at}", lambda: self._work(urgent=False)) for at in range(max(1, self.count))]
        if self.sweep is not None:
            work.append(("sweep", self._sweep))
        self.threads = [threading.Thread(target=self._alive, args=(one,), name=f"linkage-{name}", daemon=True) for name, one in work]
        for thread in self.threads:
            thread.start()

    def stop(self, *, timeout: float = 30.0) -> None:
        self.stopping.set()
        self.wake(everybody=True)
        until = time.monotonic() + timeout
        for thread in self.threads:
            thread.join(max(0.1, until - time.monotonic()))

    def wake(self, *, everybody: bool = False) -> None:
        with self.news:
            self.generation += 1
            self.news.notify(len(self.threads) if everybody else 1 + URGENT_THREADS)

    def _alive(self, work: Callable[[], None]) -> None:
        """A thread goes on after whatever happens: the database away, a fault of ours."""
        while not self.stopping.is_set():
            try:
                work()
            except (DatabaseError, InterfaceError) as error:
                log.warning("the database does not answer: %s", type(error).__name__)
                self.stopping.wait(1.0)
            except Exception:
                log.exception("a thread that sends met a fault of ours")
                self.stopping.wait(1.0)
            finally:
                connections.close_all()

    def _work(self, *, urgent: bool) -> None:
        while not self.stopping.is_set():
            seen = self.generation
            row = deliver_one(self.lines, urgent=urgent)
            while row is not None and not self.stopping.is_set():
                self.sent += 1
                self.wake()  # where one was, more may be
                row = deliver_one(self.lines, urgent=urgent, matter=row.matter_id) if row.matter_id is not None else None
                seen = -1
            with self.news:
                while self.generation == seen and not self.stopping.is_set():
                    self.news.wait(POLL * 4)

    def _listen(self) -> None:
        """Hear of new messages at once, and look twice a second for what has become due."""
        wrapper = connection
        wrapper.ensure_connection()
        raw: Any = wrapper.connection
        raw.execute(f"LISTEN {outbox.CHANNEL}")
        due = "SELECT 1 FROM linkage_outgoing WHERE state = 'waiting' AND next_at <= %s LIMIT 1"
        while not self.stopping.is_set():
            heard = sum(1 for _heard in raw.notifies(timeout=POLL, stop_after=1))
            if heard or raw.execute(due, [now()]).fetchone():
                self.wake()

    def _sweep(self) -> None:
        assert self.sweep is not None
        while not self.stopping.wait(1.0):
            self.sweep()
