"""A connection that stands ready for commands, in a thread of its own: whoever gives one waits for it, but never longer than they
said, whatever the telephone system does or does not do."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from .ami import Address, Connection, Down, Late, LoginRefused, SwitchError

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.5  # seconds until it is tried again; doubled each time
LONGEST_PAUSE: Final = 30.0
AFTER_REFUSAL: Final = 30.0  # a wrong secret does not become right, and systems lock out who tries it over and over
OPEN_WITHIN: Final = 5.0

Work = Callable[[Connection, float], Awaitable[None]]


class Standing:
    """Made once for each process. The connection is opened at once and again whenever it breaks; a command that comes meanwhile
    waits for it within its own time, and is never sent after that."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._process = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._up: asyncio.Event | None = None
        self._hurry: asyncio.Event | None = None
        self._reason = "not connected yet"

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop of this process's thread; a process that was forked gets a new one."""
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._process = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._up, self._hurry = asyncio.Event(), asyncio.Event()
                threading.Thread(target=self._serve, args=(self._loop,), name="switch-connection", daemon=True).start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        keeper = loop.create_task(self._keep())
        try:
            loop.run_forever()
        finally:
            tasks = {keeper, *asyncio.all_tasks(loop)}
            for task in tasks:  # whoever waits for a command is told that it was stopped
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def warm(self) -> None:
        """Begin to connect, without waiting for it."""
        self._running()

    def stop(self) -> None:
        """Hang up and end the thread; the next command begins anew."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._process == os.getpid():
            with contextlib.suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(loop.stop)

    async def _keep(self) -> None:
        assert self._up is not None
        assert self._hurry is not None
        pause = FIRST_PAUSE
        try:
            while True:
                try:
                    self._connection = await Connection.open(self._address, within=OPEN_WITHIN)
                except SwitchError as error:
                    self._reason = str(error)
                    log.warning("no connection to the telephone system: %s", error)
                    refused = isinstance(error, LoginRefused)
                    await self._rest(AFTER_REFUSAL if refused else pause, hurried=not refused)
                    pause = min(LONGEST_PAUSE, pause * 2)
                    continue
                pause = FIRST_PAUSE
                self._up.set()
                await self._connection.lost.wait()
                self._up.clear()
                self._reason = "the connection broke"
                log.warning("the connection to the telephone system broke")
                await self._rest(FIRST_PAUSE, hurried=True)
        finally:
            if self._connection is not None:
                self._connection.close()

    async def _rest(self, seconds: float, *, hurried: bool) -> None:
        """Wait before trying again. A command that waits ends it early, but not before FIRST_PAUSE."""
        assert self._hurry is not None
        await asyncio.sleep(min(seconds, FIRST_PAUSE))
        self._hurry.clear()
        if hurried and seconds > FIRST_PAUSE:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), seconds - FIRST_PAUSE)
        elif seconds > FIRST_PAUSE:
            await asyncio.sleep(seconds - FIRST_PAUSE)

    async def _do(self, work: Work, deadline: float) -> None:
        """`deadline` is on the clock of time.monotonic: what began too late is not begun."""
        assert self._up is not None
        assert self._hurry is not None
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late("the time was over before it could be sent")
        try:
            async with asyncio.timeout(left):
                if not self._up.is_set():
                    self._hurry.set()
                    await self._up.wait()
                assert self._connection is not None
                await work(self._connection, max(0.01, deadline - time.monotonic()))
        except TimeoutError:
            raise (Late("no answer in time") if self._up.is_set() else Down(self._reason)) from None

    def do(self, work: Work, *, within: float) -> None:
        """Run `work(connection, seconds left)` in the connection's thread. Back within `within` seconds, and a little for the
        threads to meet. Raises SwitchError."""
        deadline = time.monotonic() + within
        future: concurrent.futures.Future[Any] = asyncio.run_coroutine_threadsafe(self._do(work, deadline), self._running())
        try:
            future.result(within + 0.02)
        except concurrent.futures.TimeoutError:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                future.cancel()
            raise Late("no answer in time") from None
        except concurrent.futures.CancelledError:
            raise Down("the connection was stopped") from None
