"""One connection to an Asterisk by its Manager Interface (AMI): log in, ask, hear events, notice that it is gone.

The lines are read and written by panoramisk (why that one, and what of it is not used: docs/explanation/adr/0035-asterisk-by-ami.md).
What is added here: characters that arrive in two pieces stay whole, what is sent holds no line break of somebody else's making, and a
command that was not answered when the line broke is over. It is never sent again, for a call put through a minute late goes to
nobody, or to somebody else.
"""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import logging
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

log = logging.getLogger(__name__)

PORT: Final = 5038
PING_EVERY: Final = 10.0  # seconds
PING_WITHIN: Final = 5.0
LARGEST: Final = 1_000_000  # characters without the end of a message: that is no Asterisk


class SwitchError(Exception):
    """The telephone system did not do it."""


class Down(SwitchError):
    """No connection, or it broke before the answer: whether a command was carried out is not known."""


class LoginRefused(Down):
    """The user or the secret is wrong, or the user may not connect from here."""


class Refused(SwitchError):
    """The telephone system said no, and why."""


class Late(SwitchError):
    """No answer in time: whether it was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an AMI listens and who we are there."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Address:
        """From `ami://user:secret@host:5038`, or `amis://` for TLS. Raises ValueError, without the secret in it."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("ami", "amis") or not parts.hostname or not parts.username or port == -1:
            raise ValueError("use ami://user:secret@host:5038, or amis:// for TLS")
        return cls(parts.hostname, port or PORT, unquote(parts.username), unquote(parts.password or ""), parts.scheme == "amis")


def checked(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of an action. Raises ValueError for a line break or another control character: it would begin a field, or an
    action, of somebody else's."""
    for name, value in fields.items():
        if any(not letter.isprintable() for letter in name + value):
            raise ValueError(f"{name}: control characters")
    return dict(fields)


class _Protocol(AMIProtocol):  # type: ignore[misc]
    def __init__(self, owner: Connection) -> None:
        self.owner = owner
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.encoding = "utf-8"
        self.factory = self.owner

    def data_received(self, data: bytes) -> None:
        super().data_received(self.decoder.decode(data).encode())
        if self.queue and len(self.queue[-1]) > LARGEST:
            log.error("a message without an end: closing the connection")
            self.connection_lost(None)


class Connection:
    """A connection that has logged in. `lost` is set when it is gone; there is no way back, `connect` makes a new one. For one
    event loop. Not for several tasks to close, but any number may `ask`."""

    # What panoramisk asks of the maker of a protocol. Nothing is kept for sending again.
    forgetable_actions: tuple[str, ...] = ()
    save_stream = None

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self.awaiting_actions: deque[Any] = deque(maxlen=0)
        self.lost = asyncio.Event()
        self._heard = heard
        self._protocol: Any = None
        self._pinging: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, address: Address, *, events: str = "off", heard: Callable[[Message], None] = lambda _message: None,
                   within: float = 5.0) -> Connection:
        """Connect and log in. `events` names the classes to hear of. Raises Down, LoginRefused or Late."""
        self = cls(heard)
        try:
            async with asyncio.timeout(within):
                await self._connect(address)
                await self._log_in(address, events, within)
        except TimeoutError:
            self.close()
            raise Late(f"{address.host}:{address.port}: no answer in {within:g} s") from None
        except OSError as error:
            self.close()
            raise Down(f"{address.host}:{address.port}: {error.strerror or error}") from None
        except BaseException:
            self.close()
            raise
        self._pinging = asyncio.create_task(self._ping())
        return self

    async def _connect(self, address: Address) -> None:
        loop = asyncio.get_running_loop()
        secure = ssl.create_default_context() if address.tls else None
        _transport, self._protocol = await loop.create_connection(lambda: _Protocol(self), address.host, address.port, ssl=secure)

    async def _log_in(self, address: Address, events: str, within: float) -> None:
        """By challenge, so that the secret does not travel."""
        try:
            challenge = await self.ask({"Action": "Challenge", "AuthType": "MD5"}, within=within)
            key = hashlib.md5((str(challenge.challenge) + address.secret).encode(), usedforsecurity=False).hexdigest()
            await self.ask({"Action": "Login", "AuthType": "MD5", "Username": address.user, "Key": key, "Events": events}, within=within)
        except Refused as error:
            raise LoginRefused(f"{address.host}:{address.port}: {error}") from None

    # What panoramisk calls.
    def dispatch(self, message: Message) -> None:
        try:
            self._heard(message)
        except Exception:
            log.exception("event %s was not understood", message.event)

    def connection_lost(self, _error: object) -> None:
        self.lost.set()
        if self._pinging is not None:
            self._pinging.cancel()

    def close(self) -> None:
        """Hang up. Whoever waits for an answer gets Down."""
        if self._protocol is not None:
            self._protocol.close()
        self.connection_lost(None)

    async def _ping(self) -> None:
        """A peer that is gone without a word is gone within PING_EVERY + PING_WITHIN."""
        while True:
            await asyncio.sleep(PING_EVERY)
            try:
                await self.ask({"Action": "Ping"}, within=PING_WITHIN)
            except SwitchError as error:
                log.warning("no answer to a ping: %s", error)
                self._pinging = None
                self.close()
                return

    async def _answer(self, fields: Mapping[str, str], within: float, *, listed: bool) -> Any:
        action = Action(checked(fields))
        if self.lost.is_set():
            raise Down("no connection")
        future: asyncio.Future[Any] = self._protocol.send(action, as_list=None if listed else False)  # None: it sees by the answer
        gone = asyncio.create_task(self.lost.wait())
        try:
            await asyncio.wait({future, gone}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            self._protocol.responses.pop(action.id, None)
        if future.done():
            return future.result()
        future.cancel()
        if self.lost.is_set():
            raise Down(f"{fields['Action']}: the connection broke before the answer")
        raise Late(f"{fields['Action']}: no answer in {within:g} s")

    async def ask(self, fields: Mapping[str, str], *, within: float) -> Message:
        """One action and its answer. Raises Refused, Late or Down, and ValueError for fields that are none."""
        message = await self._answer(fields, within, listed=False)
        if message.response not in ("Success", "Goodbye"):
            raise Refused(str(message.message) or str(message.response))
        return message

    async def listed(self, fields: Mapping[str, str], *, within: float) -> list[Message]:
        """An action that is answered by a list: its items. Raises as `ask` does."""
        found = await self._answer(fields, within, listed=True)
        messages: list[Message] = found if isinstance(found, list) else [found]
        if messages[0].response not in ("Success", "Follows"):
            raise Refused(str(messages[0].message) or str(messages[0].response))
        return [message for message in messages[1:] if not str(message.event).endswith("Complete")]
