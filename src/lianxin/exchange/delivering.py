"""The part of `lianxin deliver` that speaks to other systems: threads that send, and one that asks."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.translation import activate

from lianxin.kernel import sending as kernel

from . import polling
from .models import Letter
from .sending import Letters


def _sweep() -> None:
    activate(settings.LANGUAGE_CODE)  # what is written down is in the city's language
    polling.sweep()


def sender() -> kernel.Sender[Letter]:
    return kernel.Sender(Letters(), threads=settings.LIANXIN_EXCHANGE_THREADS, sweep=_sweep, every=2.0)


def once(at: datetime) -> int:
    """Send what is due, and ask whose time has come. Returns how many tries were made."""
    count = kernel.drain(Letters())
    polling.sweep()
    return count
