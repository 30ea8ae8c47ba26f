"""Coroutines in tests.

Playwright's synchronous interface keeps an event loop running in the tests' own thread from the first browser test of a process
to its end, and where one runs `asyncio.run` refuses. So coroutines are run in a thread of their own, whatever came before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives or raises.

    What it asks the database goes over a connection of its own, closed at the end: it sees what was committed, not the
    transaction of the test.
    """
    async def there() -> T:
        connections.all()  # made here, not yet open: tasks begun by the work have these and not ones nobody could close
        try:
            return await work
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1, thread_name_prefix="loop") as thread:
        return thread.submit(lambda: asyncio.run(there())).result()
