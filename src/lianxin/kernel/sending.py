"""Sending what lies in an outbox, whoever it is for: desks of other services, departments' systems, subscribers.

A thread takes the row that goes next by locking it, sends it, and writes down what became of it in the same transaction: killed at any
point, the lock goes with the connection and the row is sent again. A destination that does not answer is asked by one thread at a time
until it does; the others go on with other destinations. What a row is and where it goes, a `Queue` says; nothing here has a table.

`lianxin deliver` runs every queue that was registered with `register`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar

from django.db import DatabaseError, InterfaceError, connection, connections, transaction

from .clock import now

log = logging.getLogger(__name__)
Row = TypeVar("Row")
POLL: Final = 0.5  # seconds between looks at what has become due
SILENT: Final = 5  # tries in a row that nothing answered, from which on a destination is asked by one thread at a time
URGENT: Final = (1, 2, 5, 10, 15)  # times the first wait
LONGEST: Final = 300.0  # seconds between two tries
LONGEST_SILENCE: Final = 30.0  # seconds for which a silent destination is left alone
LONGEST_WAIT: Final = 3_600.0  # seconds of Retry-After that are believed
SOON: Final = frozenset({408, 425, 429})  # answers by which a server means "later"


class Fate(Enum):
    """Taken; something before it is missing; not now; never."""

    SENT = "sent"
    BACK = "back"
    LATER = "later"
    DEAD = "dead"


class Result(Protocol):
    """What came back. `why` is for people, `wait` seconds the other side asks for; `reached` whether anything answered at all."""

    @property
    def fate(self) -> Fate: ...
    @property
    def why(self) -> str: ...
    @property
    def wait(self) -> float | None: ...
    @property
    def reached(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A `Result` for queues that need no more than that."""

    fate: Fate
    why: str = ""
    wait: float | None = None
    reached: bool = True


def pause(attempts: int, *, first: float, urgent: bool = False, longest: float = LONGEST) -> float:
    """Seconds before the next try after `attempts` tries, the first after `first` seconds: growing, and never the same for all that
    failed together."""
    if urgent:
        grown = min(URGENT[min(attempts, len(URGENT)) - 1] * first, URGENT[-1])
    else:
        grown = min(first * 2.0 ** min(attempts - 1, 20), longest)
    return grown * random.uniform(0.7, 1.0)


def wait_of(header: str | None) -> float | None:
    """Seconds that a `Retry-After` asks for, given as seconds or as a date; None where it says nothing that can be read."""
    if not header:
        return None
    if header.isascii() and header.isdigit() and len(header) < 10:
        return min(float(header), LONGEST_WAIT)
    try:
        return min(max((parsedate_to_datetime(header) - now()).total_seconds(), 0.0), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None


def meaning(status: int, why: str = "", *, retry_after: str | None = None) -> Outcome:
    """What a status says where 2xx is "taken": 5xx, redirects and `SOON` are tried again, every other refusal is for good."""
    if 200 <= status < 300:
        return Outcome(Fate.SENT)
    if status in SOON or status >= 500 or status < 400:
        return Outcome(Fate.LATER, why, wait=wait_of(retry_after), reached=status in SOON)
    return Outcome(Fate.DEAD, why)


# ── Destinations ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Line:
    """How one destination answers, as this process has seen it."""

    silent: int = 0
    asking: int = 0
    until: float = 0.0
    said_well: float = 0.0

    @property
    def down(self) -> bool:
        return self.silent >= SILENT


@dataclass(slots=True)
class Lines:
    """The lines to all destinations of a queue, by their keys, for all threads. `first` is the first wait in seconds."""

    first: Callable[[], float]
    lock: threading.Lock = field(default_factory=threading.Lock)
    by_destination: dict[Any, Line] = field(default_factory=dict)

    def closed(self) -> list[Any]:
        """Destinations to which nothing but what is urgent goes just now."""
        at = time.monotonic()
        with self.lock:
            return [pk for pk, line in self.by_destination.items() if line.until > at or (line.down and line.asking)]

    @contextmanager
    def asking(self, destination: Any) -> Iterator[Line]:
        with self.lock:
            line = self.by_destination.setdefault(destination, Line())
            line.asking += 1
        try:
            yield line
        finally:
            with self.lock:
                line.asking -= 1

    def note(self, line: Line, result: Result) -> int:
        """Remember how a destination answered. Returns how often in a row nothing had, before this."""
        with self.lock:
            was = line.silent
            if result.wait:
                line.until = time.monotonic() + result.wait
            if result.reached:
                line.silent = 0
                if result.fate is not Fate.LATER:
                    line.until = 0.0
                return was
            line.silent += 1
            if line.down and not result.wait:
                line.until = time.monotonic() + min(pause(line.silent - SILENT + 1, first=self.first()), LONGEST_SILENCE)
            return was


# ── One row ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Queue(ABC, Generic[Row]):
    """An outbox. `name` is the threads' and the log's, `channel` the NOTIFY that wakes them, `due` a statement that yields a row when
    something is due at `%s`; `urgent_threads` take nothing but what is urgent."""

    name: str
    channel: str
    due: str
    urgent_threads: int = 0

    @abstractmethod
    def first(self) -> float:
        """Seconds before what failed is tried again."""

    @abstractmethod
    def claim(self, *, urgent: bool, closed: list[Any], after: Any) -> Row | None:
        """Lock the row that goes next (FOR UPDATE SKIP LOCKED), in the caller's transaction; None when nothing is due. Nothing but
        what is urgent goes to the destinations in `closed`; `urgent` asks for that only; `after` is what `order` said of the row
        before, for one that goes behind it."""

    @abstractmethod
    def destination(self, row: Row) -> Any:
        """The key of where it goes."""

    def ahead(self, row: Row) -> bool:
        """Write down that a row is about to be sent, to be committed before it is: True when that was done now, and the row is claimed
        again. For what must not be sent twice."""
        return False

    @abstractmethod
    def prepare(self, row: Row) -> Any:
        """What is to be sent, opened and whole; may raise whatever it likes: the row is put off and the others go on."""

    @abstractmethod
    def send(self, row: Row, prepared: Any) -> Result:
        """Send it. Whatever happens is an answer; what is raised all the same is a fault of ours, and puts the row off."""

    @abstractmethod
    def write_down(self, row: Row, result: Result | None) -> None:
        """Write down what became of a row; `result` is None when it could not be prepared, or sending it met a fault of ours."""

    def order(self, row: Row) -> Any:
        """What this row's order is kept within; None when it has none, and the thread looks for anything."""
        return None

    def standing(self, line: Line, destination: Any, result: Result, silent: int) -> None:
        """After the commit: write down for people how a destination answers. `silent`: how often in a row nothing had."""
        return

    def lines(self) -> Lines:
        return Lines(self.first)


def send_one(queue: Queue[Row], lines: Lines, *, urgent: bool = False, after: Any = None) -> Row | None:
    """Send the row that goes next and write down what became of it. Returns it, None when nothing is due."""
    with transaction.atomic():
        row = queue.claim(urgent=urgent, closed=lines.closed(), after=after)
        if row is None:
            return None
        if queue.ahead(row):
            return row
        try:
            prepared = queue.prepare(row)
        except Exception:  # a key that is missing, a body of another version: it must not hold up the others
            log.exception("%s: a row cannot be made ready", queue.name)
            queue.write_down(row, None)
            return row
        destination = queue.destination(row)
        with lines.asking(destination) as line:
            try:
                result = queue.send(row, prepared)
            except DatabaseError:
                raise  # nothing can be written down in this transaction any more
            except Exception:  # the row was claimed because it goes next: not put off, it would be the next one for ever
                log.exception("%s: a row cannot be sent", queue.name)
                queue.write_down(row, None)
                return row
            silent = lines.note(line, result)
        queue.write_down(row, result)
    queue.standing(line, destination, result, silent)
    return row


def drain(queue: Queue[Row], lines: Lines | None = None, *, most: int = 100_000) -> int:
    """Send everything that is due, in this thread. Returns how many tries were made."""
    lines, count = queue.lines() if lines is None else lines, 0
    while count < most and send_one(queue, lines) is not None:
        count += 1
    return count


def wake(channel: str, said: str = "") -> None:
    """Tell the threads of a queue, at the commit of this transaction, that something waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, said])


# ── The process ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Sender(Generic[Row]):
    """The threads of one queue. `start`, then `stop`, which waits for what is on its way. `sweep` is called every `every` seconds by
    a thread of its own."""

    def __init__(self, queue: Queue[Row], *, threads: int, sweep: Callable[[], object] | None = None, every: float = 1.0) -> None:
        self.queue = queue
        self.lines = queue.lines()
        self.count = max(1, threads)
        self.sweep = sweep
        self.every = every
        self.stopping = threading.Event()
        self.news = threading.Condition()
        self.generation = 0
        self.threads: list[threading.Thread] = []
        self.sent = 0

    def start(self) -> None:
        work: list[tuple[str, Callable[[], None]]] = [("listen", self._listen)]
        work += [(f"urgent-{at}", lambda: self._work(urgent=True)) for at in range(self.queue.urgent_threads)]
        work += [(f"send-{at}", lambda: self._work(urgent=False)) for at in range(self.count)]
        if self.sweep is not None:
            work.append(("sweep", self._sweep))
        self.threads = [threading.Thread(target=self._alive, args=(one,), name=f"{self.queue.name}-{name}", daemon=True)
                        for name, one in work]
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
            self.news.notify(len(self.threads) if everybody else 1 + self.queue.urgent_threads)

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
            row = send_one(self.queue, self.lines, urgent=urgent)
            while row is not None and not self.stopping.is_set():
                self.sent += 1
                self.wake()  # where one was, more may be
                after = self.queue.order(row)
                row = None if after is None else send_one(self.queue, self.lines, urgent=urgent, after=after)
                seen = -1
            with self.news:
                while self.generation == seen and not self.stopping.is_set():
                    self.news.wait(POLL * 4)

    def _listen(self) -> None:
        """Hear of new rows at once, and look twice a second for what has become due."""
        wrapper = connection
        wrapper.ensure_connection()
        raw: Any = wrapper.connection
        raw.execute(f"LISTEN {self.queue.channel}")
        while not self.stopping.is_set():
            heard = sum(1 for _heard in raw.notifies(timeout=POLL, stop_after=1))
            if heard or raw.execute(self.queue.due, [now()]).fetchone():
                self.wake()

    def _sweep(self) -> None:
        assert self.sweep is not None
        while not self.stopping.wait(self.every):
            self.sweep()


# ── All queues of an installation ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Registered:
    """A queue as `lianxin deliver` runs it: `sender` makes the threads, `once` sends what is due now and says how many tries that
    were."""

    name: str
    sender: Callable[[], Sender[Any]]
    once: Callable[[datetime], int]


QUEUES: dict[str, Registered] = {}


def register(name: str, *, sender: Callable[[], Sender[Any]], once: Callable[[datetime], int]) -> None:
    """Let `lianxin deliver` run a queue. Called from an app's `ready`; the same name again replaces it."""
    QUEUES[name] = Registered(name, sender, once)
