"""The sender: what lies in the outbox goes to the other desk, per matter in order, each when the one before was answered.

A connection that cannot be made, or an answer that does not come, only delays: the waiting grows to a minute, and the first answer
ends it for all. What the other side says it cannot take stays at the head of its matter, where people see it and send it again.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import requests
from django.db import connections
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from . import conduct, garbage, wire
from .live import tell
from .models import Outgoing
from .options import options
from .store import find, update, writing

logger = logging.getLogger(__name__)
SENDERS: Final = 16  # each waits most of its time for the other side's answer
MOST_BUSY: Final = 2 * SENDERS
BREATH: Final = 0.003  # seconds; what is said together is looked for together
LONGEST_WAIT: Final = 60.0
TIMEOUTS: Final = (3.05, 10.0)  # seconds to connect, to be answered
PATIENCE: Final = 3  # times a message is offered that the other side calls wrong
_woken = threading.Event()
_session = threading.local()


@dataclass
class Line:
    """How the line to the other desk is, for the screen."""

    answered_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""
    sent: int = 0
    sendings: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def up(self) -> bool | None:
        if self.answered_at is None and self.failed_at is None:
            return None
        return self.failed_at is None or (self.answered_at is not None and self.answered_at > self.failed_at)

    def answered(self) -> bool:
        """Whether this is the first answer after a failure."""
        with self.lock:
            before = self.up
            self.answered_at, self.failure = timezone.now(), ""
            self.sent += 1
        if before is not True:
            tell("line")
        return before is False

    def failed(self, why: str) -> None:
        with self.lock:
            before = self.up
            self.failed_at, self.failure = timezone.now(), why
        if before is not False:
            tell("line")


line = Line()


def wake() -> None:
    _woken.set()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sending came to. Status 0: no answer."""

    status: int
    body: dict[str, Any]
    wait: float | None = None
    error: str = ""


def _http() -> requests.Session:
    found: requests.Session | None = getattr(_session, "it", None)
    if found is None:
        found = _session.it = requests.Session()
        found.trust_env = False
    return found


def post(content: str | bytes, headers: dict[str, str]) -> Reply:
    """One sending to the other desk; never raises."""
    line.sendings += 1
    url = options().peer_url.rstrip("/") + wire.PATH
    data = content.encode() if isinstance(content, str) else content
    try:
        response = _http().post(url, data=data, headers=headers, timeout=TIMEOUTS, allow_redirects=False)
    except requests.RequestException as error:
        return Reply(0, {}, error=type(error).__name__)
    try:
        body = response.json()
    except ValueError:
        body = {}
    after = response.headers.get("retry-after", "")
    return Reply(response.status_code, body if isinstance(body, dict) else {}, float(after) if after.isdigit() else None,
                 f"{response.status_code} {body.get('code', '') if isinstance(body, dict) else ''}".strip())


def send(row: Outgoing) -> bool:
    """Send one message and write down what came of it. True when it was answered for and the next of its matter may go."""
    now = conduct.conduct()
    if conduct.drawn(now.garbage):
        garbage.send(row, post)
    headers = wire.sign(row.message, row.content, options().secrets, conduct.now())
    if conduct.drawn(now.duplicate):
        post(row.content, headers)
    planned = conduct.crash_at() if now.crash in ("after_send", "any") else ""
    reply = post(row.content, headers)
    conduct.end_at("after_send", planned)
    right = reply.status == 200 and reply.body.get("received") == str(row.message)
    if right:
        _arrived(row)
    else:
        _not_arrived(row, reply)
    return right


def _arrived(row: Outgoing) -> None:
    with writing():
        row.state, row.sent_at, row.attempts, row.last_error = "sent", timezone.now(), row.attempts + 1, ""
        update(row, "state", "sent_at", "attempts", "last_error")
    if line.answered():
        with writing():  # the line is back: nothing waits any longer
            at = timezone.now()
            Outgoing.objects.filter(state="waiting", next_at__gt=at).update(next_at=at)
        wake()


def _not_arrived(row: Outgoing, reply: Reply) -> None:
    error = reply.error or f"{reply.status}"
    if reply.status == 200:
        error = "200 without a receipt"
    logger.info("not sent %s %s: %s", row.kind, row.seq or "-", error)
    expected = reply.body.get("expected")
    if reply.status == 409 and isinstance(expected, int) and row.seq is not None and 1 <= expected <= row.seq:
        _back_to(row, expected)
        return
    if reply.status in (0, 429) or reply.status >= 500:
        line.failed(error)
    dead = reply.status in (400, 413, 422) and row.attempts + 1 >= PATIENCE
    wait = reply.wait or min(LONGEST_WAIT, 0.25 * 2 ** min(row.attempts, 9))
    with writing():
        Outgoing.objects.filter(pk=row.pk).exclude(state="sent").update(
            state="dead" if dead else "waiting", attempts=F("attempts") + 1, last_error=error[:300],
            next_at=timezone.now() + timedelta(seconds=wait))
    if dead:
        tell("dead")


def _back_to(row: Outgoing, expected: int) -> None:
    """The other side misses an earlier one: go on from there."""
    soon = timezone.now() + timedelta(seconds=0.0 if expected < (row.seq or 0) else 0.25)
    with writing():
        Outgoing.objects.filter(matter=row.matter_id, seq__gte=expected, seq__lte=row.seq).update(state="waiting", next_at=soon)
        Outgoing.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, last_error=f"409 expected {expected}")
    wake()


def again(message: str) -> bool:
    """Send what lies dead once more. Whether there was such a message."""
    with writing():
        found = Outgoing.objects.filter(message=message).exclude(state="sent").update(state="waiting", attempts=0, next_at=timezone.now())
    wake()
    return bool(found)


def due(limit: int = 64) -> list[Outgoing]:
    """The first waiting message of each matter, if its time has come."""
    earlier = Outgoing.objects.filter(matter=OuterRef("matter"), seq__lt=OuterRef("seq")).exclude(state="sent")
    return list(Outgoing.objects.filter(Q(matter__isnull=True) | ~Exists(earlier), state="waiting", next_at__lte=timezone.now())
                .order_by("next_at")[:limit])


def _next_of(row: Outgoing) -> Outgoing | None:
    if row.matter_id is None:
        return None
    return find(Outgoing, matter=row.matter_id, seq=(row.seq or 0) + 1, state="waiting")


class Sender(threading.Thread):
    """Hands the heads of all matters to a few threads; one matter is with one of them at a time."""

    def __init__(self) -> None:
        super().__init__(name="sender", daemon=True)
        self.pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="sending")
        self.busy: set[str] = set()
        self.lock = threading.Lock()

    def run(self) -> None:
        while True:
            _woken.clear()
            try:
                handed = self.hand_out()
            except Exception:
                logger.exception("sender")
                handed, pause = 0, 1.0
            else:
                pause = 0.2
            if not handed:
                _woken.wait(pause)
            time.sleep(BREATH)

    def hand_out(self) -> int:
        """How many were handed to a thread. Only as many are read as there is room for, beside those that are being sent."""
        handed, busy = 0, len(self.busy)
        if busy >= MOST_BUSY:
            return 0
        for row in due(MOST_BUSY):
            key = str(row.matter_id or row.message)
            with self.lock:
                if key in self.busy or len(self.busy) >= MOST_BUSY:
                    continue
                self.busy.add(key)
            handed += 1
            self.pool.submit(self.go, key, row)
        return handed

    def go(self, key: str, row: Outgoing) -> None:
        """This matter's messages until one is not answered for."""
        try:
            following: Outgoing | None = row
            while following is not None:
                row = following
                if conduct.drawn(conduct.conduct().reorder) and (second := _next_of(row)) is not None:
                    post(second.content, wire.sign(second.message, second.content, options().secrets, conduct.now()))
                following = _next_of(row) if send(row) else None
        except Exception:
            logger.exception("sending %s", row.kind)
            time.sleep(0.5)
        finally:
            with self.lock:
                self.busy.discard(key)
            wake()


def start() -> None:
    connections.close_all()
    Sender().start()
