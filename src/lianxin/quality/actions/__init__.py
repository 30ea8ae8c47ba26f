"""Every write of this context. `ACTIONS` names those that people take; the system takes the others."""

from __future__ import annotations

from collections.abc import Callable

from .calling import rate, record_callback_attempt
from .closing import close, close_unasked, contest, reopen, reopen_unsolved
from .reviewing import approve, send_back

ACTIONS: dict[str, Callable[..., object]] = {
    "approve": approve,
    "send_back": send_back,
    "record_callback_attempt": record_callback_attempt,
    "reopen": reopen,
    "contest": contest,
    "close": close,
    "rate": rate,
}

__all__ = [
    "ACTIONS", "approve", "close", "close_unasked", "contest", "rate", "record_callback_attempt", "reopen",
    "reopen_unsolved", "send_back",
]
