"""The ASGI application of `lianxin live`: `GET /live/stream?token=…` as server-sent events, `GET /live/healthz`.

A stream begins with the event `ready`; then come messages as JSON (topic and ids), `again` when something may have been
missed, a comment every `HEARTBEAT` seconds so that dead connections are noticed, and after `LIFETIME` seconds `renew`: the
page asks Django for a new token, and Django whether the person may still listen. A page on another port or host may connect:
the token is all that opens a stream, no cookie is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from lianxin.kernel.live import opened

from .hub import AGAIN, Full, Hub, Listener
from .listening import Listening

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianxin.config.settings")
if os.environ.get("LIANXIN_BOUND"):  # must not outlive the process that made it; a listener whose database is gone does not heed SIGTERM
    from lianxin.embedded.server import end_with_parent

    end_with_parent(signal.SIGKILL)

MOST = 4000  # streams of one process
HEARTBEAT = 15.0
LIFETIME = 900.0
SLOW = 20.0  # seconds for which a page may leave what is sent to it unread
_PLAIN = [(b"content-type", b"text/plain; charset=utf-8"), (b"access-control-allow-origin", b"*"), (b"cache-control", b"no-store")]
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"access-control-allow-origin", b"*"), (b"cache-control", b"no-store"),
           (b"x-accel-buffering", b"no")]


class Live:
    """One process's application: a hub, and what feeds it while the process serves."""

    def __init__(self) -> None:
        self.hub: Hub | None = None
        self.listening: Listening | None = None
        self.task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    def start(self) -> Hub:
        """Begin to listen, once, in the loop that serves."""
        if self.hub is None:
            self.hub = Hub(MOST)
            self.listening = Listening(self.hub)
            self.task = asyncio.get_running_loop().create_task(self.listening.run())
        return self.hub

    async def stop(self) -> None:
        if self.hub is not None and self.task is not None:
            self.hub.closing.set()
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
        self.hub = self.listening = self.task = None

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        hub = self.start()
        path = scope["path"]
        if scope["method"] != "GET" or path not in ("/live/stream", "/live/healthz"):
            await _say(send, 404, "not found")
        elif path == "/live/healthz":
            well = self.listening is not None and self.listening.connected
            await _say(send, 200 if well else 503, f"{hub.count} streams" if well else "database unavailable")
        else:
            await self._stream(hub, scope, receive, send)

    async def _stream(self, hub: Hub, scope: Message, receive: Receive, send: Send) -> None:
        said = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[-1]
        held = opened(said[:2000])
        if held is None:
            await _say(send, 401, "the token is false or too old")
            return
        try:
            listener = hub.join(*held)
        except Full:
            await _say(send, 503, "too many streams", (b"retry-after", b"30"))
            return
        gone = asyncio.create_task(_gone(receive))
        writing = asyncio.create_task(_write(hub, listener, send))
        closing = asyncio.create_task(hub.closing.wait())
        try:
            await asyncio.wait({gone, writing, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hub.leave(listener)
            for task in (gone, writing, closing):
                task.cancel()
            await asyncio.gather(gone, writing, closing, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(hub: Hub, listener: Listener, send: Send) -> None:
    async def out(text: str, more: bool = True) -> None:
        async with asyncio.timeout(SLOW):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

    await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
    await out("event: ready\ndata: {}\n\n")
    loop = asyncio.get_running_loop()
    end = loop.time() + LIFETIME
    while loop.time() < end:
        messages, missed = await listener.take(min(HEARTBEAT, max(end - loop.time(), 0.01)))
        if missed:
            await out(f"event: {AGAIN}\ndata: {{}}\n\n")
        if messages:
            await out("".join(f"data: {one}\n\n" for one in messages))
        elif not missed:
            await out(": \n\n")
    await out("event: renew\ndata: {}\n\n", more=False)


async def _say(send: Send, status: int, words: str, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*_PLAIN, *headers]})
    await send({"type": "http.response.body", "body": words.encode()})


app = Live()
