"""Who looks at the screen hears at once what changed: server-sent events, out of the one serving process."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

MOST_SCREENS: Final = 24
BEAT_SECONDS: Final = 10.0
LIFE_SECONDS: Final = 900.0  # then the browser connects anew: no thread is held by a screen that went away unnoticed

_lock = threading.Lock()
_screens: set[queue.Queue[str]] = set()


def tell(kind: str, **what: Any) -> None:
    """To every screen; one that does not keep up misses events, and reads everything anew with the next."""
    line = json.dumps({"kind": kind, **what})
    with _lock:
        for screen in _screens:
            try:
                screen.put_nowait(line)
            except queue.Full:
                continue


def stream() -> Iterator[bytes] | None:
    """The events of one screen; None when there are too many screens already."""
    mine: queue.Queue[str] = queue.Queue(maxsize=200)
    with _lock:
        if len(_screens) >= MOST_SCREENS:
            return None
        _screens.add(mine)
    return _events(mine)


def _events(mine: queue.Queue[str]) -> Iterator[bytes]:
    ends = time.monotonic() + LIFE_SECONDS
    try:
        yield b"retry: 1000\n\n"
        while time.monotonic() < ends:
            try:
                yield f"data: {mine.get(timeout=BEAT_SECONDS)}\n\n".encode()
            except queue.Empty:
                yield b": still here\n\n"
    finally:
        with _lock:
            _screens.discard(mine)
