"""`lianxin switch`: keeps a connection to an Asterisk and hands on what it tells, in order, each event once.

Whatever breaks, it goes on: it connects again, asks how things stand, and tells what was missed. While the database does not answer, events
wait here; if there are more than MOST of them they are let go, and asked for again as things then stand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from panoramisk.message import Message

from .ami import Address, Connection, LoginRefused, Refused, SwitchError
from .events import Told, Translator

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.5  # seconds
LONGEST_PAUSE: Final = 30.0
AFTER_REFUSAL: Final = 30.0
STORE_PAUSE: Final = 1.0  # until an event that could not be kept is tried again
MOST: Final = 20_000
HEARS: Final = "call,agent,user"  # classes of events
ASKS_WITHIN: Final = 10.0
T = TypeVar("T")


class Unkept(Exception):
    """The event could not be kept now and may be later: the database is away."""


class Keeper(Protocol):
    """Where events go. Called from one thread, never twice at once."""

    def keep(self, told: Told) -> None:
        """Keep one event, or leave it aside for good. Raises Unkept to be asked again."""
        ...

    def open_calls(self) -> Iterable[str]:
        """Calls that have not ended as far as anybody was told. Raises Unkept."""
        ...

    def telephones(self) -> Iterable[tuple[str, bool, str]]:
        """Extensions that somebody sits at, whether the queue may ring there, and why not. Raises Unkept."""
        ...


class Bridge:
    """For one event loop; `run` ends when it is cancelled. `interface` is how the system names a telephone; `queues` are the hotline's."""

    def __init__(self, address: Address, keeper: Keeper, *, interface: str = "PJSIP/{extension}", queues: Iterable[str] = (),
                 said: Callable[[str], None] = log.info,
                 pauses: tuple[float, float, float] = (FIRST_PAUSE, LONGEST_PAUSE, AFTER_REFUSAL)) -> None:
        self._address, self._keeper, self._interface, self._queues = address, keeper, interface, tuple(queues)
        self._said = said
        self._pauses = pauses
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="switch-events")
        self._fresh: asyncio.Queue[Message] = asyncio.Queue()

    async def run(self) -> None:
        first, longest, refused = self._pauses
        pause = first
        told = ""
        try:
            while True:
                try:
                    line = await Connection.open(self._address, events=HEARS, heard=self._hear())
                except SwitchError as error:
                    if str(error) != told:  # once, not every half-minute of a long night
                        self._said(f"no connection: {error}")
                    told = str(error)
                    await asyncio.sleep(refused if isinstance(error, LoginRefused) else pause)
                    pause = min(longest, pause * 2)
                    continue
                self._said(f"connected to {self._address.host}:{self._address.port}")
                pause, told = first, ""
                try:
                    await self._follow(line)
                except SwitchError as error:
                    self._said(f"the connection broke: {error}")
                finally:
                    line.close()
                await asyncio.sleep(first)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _hear(self) -> Callable[[Message], None]:
        """What the next connection tells goes into a queue of its own: nothing of the one before mixes with it."""
        fresh: asyncio.Queue[Message] = asyncio.Queue()
        self._fresh = fresh
        return fresh.put_nowait

    async def _follow(self, line: Connection) -> None:
        """Until the connection is gone. Raises SwitchError."""
        fresh = self._fresh
        translator = Translator(queues=self._queues)
        await self._catch_up(line, translator)
        while True:
            if fresh.qsize() > MOST:
                log.error("%d events wait; asking how things stand instead", fresh.qsize())
                return
            message = await self._next(fresh, line)
            for told in self._understood(translator, message):
                await self._keep(told)

    def _understood(self, translator: Translator, message: Message) -> list[Told]:
        try:
            return translator.heard(_Plain(message))
        except Exception:  # whatever is odd about one message must not cost the others
            log.exception("%s was not understood", message.event)
            return []

    async def _next(self, fresh: asyncio.Queue[Message], line: Connection) -> Message:
        """The next message. What came before the line broke is still taken. Raises Down when nothing is left."""
        if not fresh.empty():
            return fresh.get_nowait()
        getting, gone = asyncio.create_task(fresh.get()), asyncio.create_task(line.lost.wait())
        try:
            await asyncio.wait({getting, gone}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
            gone.cancel()
        if not fresh.empty():
            return fresh.get_nowait()
        raise SwitchError("the other side hung up, or does not answer")

    async def _catch_up(self, line: Connection, translator: Translator) -> None:
        """Tell what was missed, and which telephones the queue may ring."""
        open_calls = list(await self._ask(self._keeper.open_calls))
        channels = await line.listed({"Action": "CoreShowChannels"}, within=ASKS_WITHIN)
        waiting: list[Message] = []
        for queue in self._queues or ("",):
            try:
                found = await line.listed({"Action": "QueueStatus", **({"Queue": queue} if queue else {})}, within=ASKS_WITHIN)
            except Refused as error:
                log.warning("the queue %s: %s", queue, error)
                continue
            waiting += [entry for entry in found if entry.event == "QueueEntry"]
        for told in translator.stands([_Plain(one) for one in channels], [_Plain(one) for one in waiting], open_calls):
            await self._keep(told)
        for extension, on, reason in list(await self._ask(self._keeper.telephones)):
            with contextlib.suppress(Refused):  # a telephone that is in no queue
                await line.ask({"Action": "QueuePause", "Interface": self._interface.format(extension=extension),
                                "Paused": "false" if on else "true", "Reason": reason}, within=ASKS_WITHIN)

    async def _keep(self, told: Told) -> None:
        try:
            await self._ask(lambda: self._keeper.keep(told))
        except Exception:  # a fault of ours with one event must not cost the others
            log.exception("%s of %s was left aside", told.kind, told.call)

    async def _ask(self, work: Callable[[], T]) -> T:
        """In the thread that speaks with the database; again and again while it is away."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, work)
            except Unkept as error:
                log.warning("not kept, tried again: %s", error)
                await asyncio.sleep(STORE_PAUSE)


class _Plain(dict[str, str]):
    """A message with plain fields: a field that came several times has its last value."""

    def __init__(self, message: Message) -> None:
        super().__init__({name: value[-1] if isinstance(value, list) else str(value) for name, value in message.items()})
