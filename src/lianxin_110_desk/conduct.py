"""How this desk misbehaves now: ordered on the screen or by `POST /control`, kept over crashes, drawn anew for every message."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from .orders import CRASHES, Conduct

_lock = threading.Lock()
_now: list[Conduct] = []
_random = random.Random()


def conduct() -> Conduct:
    """As ordered now."""
    with _lock:
        if not _now:
            from .store import kept

            _now.append(Conduct().changed(kept("conduct", {})))
        return _now[0]


def order(change: dict[str, Any], *, anew: bool = False) -> Conduct:
    """Take an order and keep it. Raises `BadOrder`."""
    from .store import keep, writing

    wanted = (Conduct() if anew else conduct()).changed(change)
    with writing():
        keep("conduct", asdict(wanted))
    with _lock:
        _now[:] = [wanted]
    return wanted


def drawn(share: float) -> bool:
    return share > 0 and _random.random() < share


def crash_at() -> str:
    """Where the process is to end while this message is dealt with; an empty string: nowhere. A crash ordered once is forgotten first."""
    now = conduct()
    if not now.crash or not drawn(now.crash_share):
        return ""
    place = _random.choice(CRASHES[1:4]) if now.crash == "any" else now.crash
    if now.crash_once:
        order({"crash": ""})
    return place


def end_at(place: str, planned: str) -> None:
    """End the process without any farewell when this is the planned place."""
    if place and place == planned:
        os._exit(70)


def now() -> datetime:
    """The time as this desk believes it."""
    return timezone.now() + timedelta(seconds=conduct().clock)
