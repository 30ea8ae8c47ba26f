"""The number of what runs now – a request, a job – so that a line of the log, an answer and a call to another system can be laid
side by side.

A number that comes from outside is believed only in the form of a UUID, with hyphens or without: anything longer or freer could be
somebody's telephone, name or citizen number, and it is written to the log.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .ids import uuid7

HEADER = "X-Request-ID"
_FORM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVENTS = 20  # of one request that its line names; an import writes thousands

_current: ContextVar[str] = ContextVar("lianxin_request_id", default="")
_events: ContextVar[list[str] | None] = ContextVar("lianxin_request_events", default=None)
# Whoever traces adds the headers of the trace here (operations/telemetry.py); nobody does where tracing is off.
CARRIERS: list[Callable[[dict[str, str]], None]] = []


def fresh() -> str:
    """A new number: 32 hexadecimal digits that sort by time."""
    return uuid7().hex


def taken(said: str) -> str:
    """The number that somebody in front gave, in small letters; empty when it has not the form of one."""
    plain = said.strip().lower()
    return plain if _FORM.fullmatch(plain) else ""


def current() -> str:
    """The number of what runs now; empty outside any request or job."""
    return _current.get()


@contextmanager
def under(number: str) -> Iterator[list[str]]:
    """Everything inside runs under this number. Yields the ids of the events written meanwhile, filled as they are."""
    written: list[str] = []
    held, seen = _current.set(number), _events.set(written)
    try:
        yield written
    finally:
        _current.reset(held)
        _events.reset(seen)


def wrote(event_id: uuid.UUID | str) -> None:
    """Remember an event of the log that was written just now: its id leads from the request to the jobs that follow from it."""
    written = _events.get()
    if written is not None and len(written) < EVENTS:
        written.append(str(event_id))


def carried() -> dict[str, str]:
    """Headers for a call to another system: this request's number, and where we trace, the trace it belongs to."""
    headers = {HEADER: number} if (number := _current.get()) else {}
    for carrier in CARRIERS:
        carrier(headers)
    return headers
