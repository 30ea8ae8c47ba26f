"""A bad line between two desks: messages lost before or after they were applied, doubled, and delayed past later ones.

`python -m lianxin.bench.lossy SEED LOST DOUBLED DELAYED PORT=PORT [PORT=PORT …]` passes what comes to each first port on to the second
one of this machine, badly: of the messages posted, the share LOST is lost, half on the way there and half on the way back. A delayed
one is lost to the sender too and comes to the receiver seconds later, when the sender has long sent it again. `GET /lossy` on any of
the ports answers with the counts. Everything else passes unharmed.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from asyncio import StreamReader, StreamWriter
from collections import Counter
from contextlib import suppress

PATIENCE = 30.0  # seconds for one answer
LATEST = 2.5  # seconds by which a delayed message comes late
LARGEST = 1 << 20


class Broken(Exception):
    """One of the two ends went away in the middle."""


async def _message(reader: StreamReader) -> bytes:
    """One HTTP message with a Content-Length, whole; empty when nothing came."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Broken from error
        return b""
    length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    if not length:  # to the end of the connection, as some servers answer
        return head + (await reader.read(LARGEST) if head.startswith(b"HTTP/") and b"\r\ntransfer-encoding" in head.lower() else b"")
    try:
        return head + await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise Broken from error


def _alone(message: bytes) -> bytes:
    """The same, on a connection of its own."""
    head, mark, body = message.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([*lines, b"Connection: close"]) + mark + body


class Line:
    """All lines of one run. `doubled` and `delayed` are shares beside `lost`, from 0 to 1 in all."""

    def __init__(self, seed: int, lost: float, doubled: float, delayed: float) -> None:
        self.chance = random.Random(seed)
        self.shares = (lost / 2, lost / 2, doubled, delayed)
        self.counts: Counter[str] = Counter()
        self.late: set[asyncio.Task[None]] = set()

    def fate(self) -> str:
        drawn, below = self.chance.random(), 0.0
        for name, share in zip(("lost_before", "lost_after", "doubled", "delayed"), self.shares, strict=True):
            below += share
            if drawn < below:
                return name
        return "passed"

    async def over(self, port: int, message: bytes) -> bytes:
        """Send it to the real port; its whole answer. Raises Broken."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise Broken from error
        try:
            writer.write(_alone(message))
            await writer.drain()
            answer = await asyncio.wait_for(_message(reader), PATIENCE)
        except (OSError, TimeoutError) as error:
            raise Broken from error
        finally:
            writer.close()
        if not answer:
            raise Broken
        return answer

    async def _later(self, port: int, message: bytes) -> None:
        await asyncio.sleep(self.chance.uniform(0.2, LATEST))
        with suppress(Broken):
            await self.over(port, message)

    async def _through(self, port: int, message: bytes) -> bytes:
        """What the sender is to read; empty where the line breaks."""
        if not message.startswith(b"POST "):
            return await self.over(port, message)
        fate = self.fate()
        self.counts[fate] += 1
        self.counts["messages"] += 1
        if fate == "lost_before":
            return b""
        if fate == "delayed":
            task = asyncio.get_running_loop().create_task(self._later(port, message))
            self.late.add(task)
            task.add_done_callback(self.late.discard)
            return b""
        if fate == "doubled":
            answers = await asyncio.gather(self.over(port, message), self.over(port, message), return_exceptions=True)
            whole = [answer for answer in answers if isinstance(answer, bytes)]
            if not whole:
                raise Broken
            return whole[0]
        answer = await self.over(port, message)
        return b"" if fate == "lost_after" else answer

    async def serve(self, port: int, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection: one message and its answer."""
        try:
            message = await _message(reader)
            if message.startswith(b"GET /lossy "):
                body = json.dumps(dict(self.counts)).encode()
                answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            else:
                answer = await self._through(port, message) if message else b""
            if answer:
                writer.write(_alone(answer))
                await writer.drain()
        except (Broken, OSError):
            self.counts["nobody_there"] += 1
        finally:
            writer.close()


async def run(line: Line, ports: list[tuple[int, int]]) -> None:
    """Serve until cancelled."""
    servers = []
    for here, there in ports:
        async def taken(reader: StreamReader, writer: StreamWriter, there: int = there) -> None:
            await line.serve(there, reader, writer)

        servers.append(await asyncio.start_server(taken, "127.0.0.1", here, limit=LARGEST, backlog=512))
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main(arguments: list[str]) -> int:
    seed, lost, doubled, delayed, *ports = arguments
    pairs = [(int(here), int(there)) for here, _mark, there in (pair.partition("=") for pair in ports)]
    with suppress(KeyboardInterrupt):
        asyncio.run(run(Line(int(seed), float(lost), float(doubled), float(delayed)), pairs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
