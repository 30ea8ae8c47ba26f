"""A double on a socket, and what speaks with it, for the tests of the adapter and the bridge."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from lianxin.telephony.switches.ami import Address
from lianxin.telephony.switches.asterisk import AsteriskSwitch
from lianxin.telephony.switches.bridge import Bridge, Unkept
from lianxin.telephony.switches.double import Double
from lianxin.telephony.switches.double_ami import Server
from lianxin.telephony.switches.events import Told
from lianxin.telephony.switches.standing import Standing

USER, SECRET = "lianxin", "密码 with spaces"
T = TypeVar("T")


def until(true: Callable[[], T], seconds: float = 5.0) -> T:
    """Wait until it is so; what it said then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = true()
        if said:
            return said
        time.sleep(0.01)
    raise AssertionError("it never came")


async def soon(true: Callable[[], T], seconds: float = 5.0) -> T:
    """The same inside an event loop."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = true()
        if said:
            return said
        await asyncio.sleep(0.005)
    raise AssertionError("it never came")


class Hall:
    """A double in a thread of its own, as another machine would be."""

    def __init__(self, **how: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.double = Double(**{"outside": 0.05, "rings": 5.0, **how})
        self.server = Server(self.double, {USER: SECRET})
        self.heard: list[dict[str, str]] = []
        self.double.listeners.append(self.heard.append)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def do(self, work: Callable[[Double], T]) -> T:
        async def now() -> T:
            return work(self.double)

        return self.wait(now())

    def wait(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def said(self, event: str) -> list[dict[str, str]]:
        return [one for one in tuple(self.heard) if one["Event"] == event]

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.server.port, USER, SECRET)

    def talking(self, extension: str = "8001", number: str = "13800002201") -> str:
        """Somebody called and was answered at the extension; the name of the call."""
        def call(double: Double) -> str:
            double.member(extension).paused = False
            caller = double.call_in(number)
            assert double.pick_up(extension)
            return caller.uniqueid

        return self.do(call)

    def close(self) -> None:
        self.wait(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)


@contextmanager
def hall(**how: Any) -> Iterator[Hall]:
    made = Hall(**how)
    made.wait(made.server.start())
    try:
        yield made
    finally:
        made.close()


@contextmanager
def adapter(there: Hall, *, within: float = 2.0, address: Address | None = None) -> Iterator[AsteriskSwitch]:
    standing = Standing(address or there.address)
    try:
        yield AsteriskSwitch(standing, within=within)
    finally:
        standing.stop()


class Kept:
    """A keeper in memory. `away` makes it fail like a database that is not there."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.ids: set[str] = set()
        self.again = 0
        self.away = False
        self.open: set[str] = set()
        self.sitting: list[tuple[str, bool, str]] = []

    def _there(self) -> None:
        if self.away:
            raise Unkept("away")

    def keep(self, told: Told) -> None:
        self._there()
        if told.id in self.ids:
            self.again += 1
            return
        self.ids.add(told.id)
        self.told.append(told)
        if told.kind in ("ended", "missed", "abandoned"):
            self.open.discard(told.call)
        else:
            self.open.add(told.call)

    def open_calls(self) -> list[str]:
        self._there()
        return list(self.open)

    def telephones(self) -> list[tuple[str, bool, str]]:
        self._there()
        return self.sitting

    def kinds(self, call: str = "") -> list[str]:
        return [one.kind for one in self.told if not call or one.call == call]


QUICK = (0.02, 0.1, 0.05)


async def bridged(play: Callable[[Double, Server, Kept], Awaitable[None]], *, keeper: Kept | None = None, queues: tuple[str, ...] = (),
                  secret: str = SECRET, said: list[str] | None = None, **how: Any) -> Kept:
    """Run a scene with a bridge on it; what was kept."""
    double = Double(**{"outside": 0.02, "rings": 5.0, **how})
    server = Server(double, {USER: SECRET})
    await server.start()
    kept = keeper or Kept()
    words: list[str] = said if said is not None else []
    bridge = Bridge(Address("127.0.0.1", server.port, USER, secret), kept, queues=queues, said=words.append, pauses=QUICK)
    running = asyncio.create_task(bridge.run())
    try:
        if secret == SECRET:
            await soon(lambda: any(word.startswith("connected") for word in words))
            await asyncio.sleep(0.05)
        await play(double, server, kept)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await server.stop()
    return kept
