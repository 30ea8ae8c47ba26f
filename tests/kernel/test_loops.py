"""Coroutines of tests run wherever a loop is running already."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from django.db import connection

from tests.loops import run

TESTS = Path(__file__).parents[1]


async def seven() -> int:
    await asyncio.sleep(0)
    return 7


async def fails() -> None:
    await asyncio.sleep(0)
    raise LookupError("seven")


def test_it_gives_and_raises_what_the_coroutine_does() -> None:
    assert run(seven()) == 7
    with pytest.raises(LookupError, match="seven"):
        run(fails())


def test_where_a_loop_is_running_too() -> None:
    async def around() -> int:
        unused = seven()
        with pytest.raises(RuntimeError, match="running event loop"):
            asyncio.run(unused)
        unused.close()
        return run(seven())

    assert run(around()) == 7


@pytest.mark.django_db(transaction=True)
def test_its_connection_is_another_and_is_closed() -> None:
    async def session() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    async def with_a_task() -> set[int]:
        return {await asyncio.create_task(session()), await session()}

    theirs = list(run(with_a_task()))

    def there() -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [theirs])
            return [pid for (pid,) in cursor.fetchall()]

    deadline = time.monotonic() + 10  # a server's process ends a moment after its client has left
    while there():
        assert time.monotonic() < deadline, "left open, or the test's own"
        time.sleep(0.02)


RUNS = re.compile(r"asyncio\.(run|Runner)\(|from asyncio import .*\b(run|Runner)\b")


def test_every_test_runs_them_so() -> None:
    """`asyncio.run` passes alone and fails behind a browser test: nobody would see it before the whole run."""
    found = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if RUNS.search(path.read_text("utf-8"))}
    assert found == {"loops.py", "kernel/test_loops.py"}
