"""The one source of "now": domain code asks here, so that tests can say what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_shared: list[datetime] = []


def now() -> datetime:
    """The current instant, aware, in UTC."""
    if _shared:
        return _shared[-1]
    return datetime.now(UTC)


class Frozen:
    """A stopped clock that tests move on by hand."""

    def move(self, **delta: float) -> datetime:
        """Advance by a timedelta's keywords; returns the new now."""
        _shared[-1] = _shared[-1] + timedelta(**delta)
        return _shared[-1]

    def set(self, at: datetime) -> None:
        _shared[-1] = _aware(at)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[Frozen]:
    """Stop the clock at `at` for every thread of this process."""
    _shared.append(_aware(at))
    try:
        yield Frozen()
    finally:
        _shared.pop()
