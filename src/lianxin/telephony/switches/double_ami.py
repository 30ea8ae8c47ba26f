"""The manager interface of a double: the same lines as an Asterisk's, on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable

from .asterisk import who
from .double import QUEUE, Channel, Double, Event

GREETING = "Asterisk Call Manager/9.0.0\r\n"
LONGEST = 64 * 1024
Answer = list[Event]


def lines(message: Event) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in message.items()) + "\r\n"


def ok(words: str = "", **more: str) -> Answer:
    return [{"Response": "Success", **({"Message": words} if words else {}), **more}]


def no(words: str) -> Answer:
    return [{"Response": "Error", "Message": words}]


class Session:
    """One client. Knows who logged in and what they want to hear."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.double = server, server.double
        self.reader, self.writer = reader, writer
        self.challenge = ""
        self.authenticated = False
        self.events = False
        self.answered = 0
        self._kept: Event | None = None

    def hear(self, event: Event) -> None:
        if not self.events or self.writer.is_closing():
            return
        faults = self.double.faults
        batch = [event] * (2 if faults.doubled else 1)
        if faults.backwards:
            if self._kept is None:
                self._kept = event
                return
            batch, self._kept = [*batch, self._kept], None
        self.send("".join(lines(one) for one in batch))

    def send(self, text: str) -> None:
        data = text.encode()
        if not self.double.faults.pieces:
            self.writer.write(data)
            return
        self.server.queue_pieces(self, data, self.double.faults.pieces)

    async def serve(self) -> None:
        self.send(GREETING)
        self.double.listeners.append(self.hear)
        try:
            while True:
                raw = await self.reader.readuntil(b"\r\n\r\n")
                action = {name.strip().lower(): value.strip() for name, _colon, value in
                          (line.partition(":") for line in raw.decode("utf-8", "replace").split("\r\n") if line)}
                if not await self.answer(action):
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            self.double.listeners.remove(self.hear)
            self.close()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.writer.close()

    async def answer(self, action: Event) -> bool:
        """Carry out one action and answer it; False ends the session."""
        faults = self.double.faults
        name = action.get("action", "").lower()
        if faults.slow:
            await asyncio.sleep(faults.slow)
        if faults.deaf:
            return True
        if 0 <= faults.leaves_after <= self.answered and name not in ("challenge", "login"):
            return False
        messages = self._messages(name, action)
        for message in messages:
            if "actionid" in action:
                message["ActionID"] = action["actionid"]
        self.send("".join(lines(message) for message in messages))
        self.answered += 1
        if name in ("logoff", "login") and not self.authenticated:
            with contextlib.suppress(ConnectionError):
                await self.writer.drain()
            return False
        return True

    def _messages(self, name: str, action: Event) -> Answer:
        if name in {one.lower() for one in self.double.faults.refuses}:
            return no("Permission denied")
        if name == "challenge":
            self.challenge = secrets.token_hex(5)
            return [{"Response": "Success", "Challenge": self.challenge}]
        if name == "login":
            return self._log_in(action)
        if not self.authenticated:
            return no("Permission denied")
        if name == "logoff":
            self.authenticated = False
            return [{"Response": "Goodbye", "Message": "Thanks for all the fish."}]
        handler = HANDLERS.get(name)
        return handler(self.double, action) if handler is not None else no("Invalid/unknown command")

    def _log_in(self, action: Event) -> Answer:
        secret = self.server.users.get(action.get("username", ""), "")
        key = hashlib.md5((self.challenge + secret).encode(), usedforsecurity=False).hexdigest()
        given = action.get("key", "")
        if not secret or not self.challenge or not secrets.compare_digest(given.encode(), key.encode()):
            return no("Authentication failed")
        self.authenticated = True
        self.events = action.get("events", "on") != "off"
        return ok("Authentication accepted")


class Server:
    """Listens for managers. `users` are names with secrets."""

    def __init__(self, double: Double, users: dict[str, str]) -> None:
        self.double, self.users = double, users
        self.sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._pieces: dict[Session, asyncio.Queue[bytes]] = {}
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = await asyncio.start_server(self._client, host, port or self.port, limit=LONGEST)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.sessions.add(session)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await session.serve()
        except asyncio.CancelledError:  # `stop`: nobody waits for this task
            pass
        finally:
            self.sessions.discard(session)
            self._pieces.pop(session, None)

    def queue_pieces(self, session: Session, data: bytes, size: int) -> None:
        """Send a few bytes at a time, in order, with a breath between them: the reader sees half lines and half characters."""
        if session not in self._pieces:
            self._pieces[session] = asyncio.Queue()
            task = asyncio.get_running_loop().create_task(self._send_pieces(session, size))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._pieces[session].put_nowait(data)

    async def _send_pieces(self, session: Session, size: int) -> None:
        queue = self._pieces[session]
        with contextlib.suppress(ConnectionError):
            while not session.writer.is_closing():
                data = await queue.get()
                for start in range(0, len(data), size):
                    session.writer.write(data[start:start + size])
                    await session.writer.drain()
                    await asyncio.sleep(0)

    def cut(self) -> None:
        """Every line breaks, without a word."""
        for session in tuple(self.sessions):
            session.writer.transport.abort()

    async def stop(self) -> None:
        """Nobody listens any more; `start` does again, at the same port."""
        if self._server is not None:
            self._server.close()
            self.cut()
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None


def _events(_double: Double, _action: Event) -> Answer:
    return ok(Events="On")


def _ping(_double: Double, _action: Event) -> Answer:
    return ok(Ping="Pong", Timestamp=f"{time.time():.6f}")


def _show_channels(double: Double, _action: Event) -> Answer:
    found: Answer = [{"Response": "Success", "EventList": "start", "Message": "Channels will follow"}]
    for one in double.channels.values():
        seconds = int(time.time() - one.began)
        found.append({"Event": "CoreShowChannel", **one.told(), "BridgeId": one.bridge, "Application": one.application,
                      "ApplicationData": one.data, "Duration": f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"})
    return [*found, {"Event": "CoreShowChannelsComplete", "EventList": "Complete", "ListItems": str(len(found) - 1)}]


def _queue_status(double: Double, action: Event) -> Answer:
    found: Answer = [{"Response": "Success", "EventList": "start", "Message": "Queue status will follow"},
                     {"Event": "QueueParams", "Queue": QUEUE, "Calls": str(len(double.waiting))}]
    found += [{"Event": "QueueMember", "Queue": QUEUE, "Name": one.extension, "Location": f"PJSIP/{one.extension}",
               "Paused": str(int(one.paused)), "PausedReason": one.reason} for one in double.members.values()]
    for place, uniqueid in enumerate(double.waiting, start=1):
        caller = double.channels[uniqueid]
        if action.get("queue", caller.queue) == caller.queue:
            found.append({"Event": "QueueEntry", "Queue": caller.queue, "Position": str(place), "Channel": caller.name,
                          "Uniqueid": uniqueid, "CallerIDNum": caller.number, "Wait": str(int(time.time() - caller.began))})
    return [*found, {"Event": "QueueStatusComplete", "EventList": "Complete", "ListItems": str(len(found) - 1)}]


def _pause(double: Double, action: Event) -> Answer:
    extension = who(action.get("interface", ""))
    if not extension:
        return no("Need 'Interface' parameter.")
    member = double.member(extension)
    member.paused, member.reason = action.get("paused", "").lower() in ("true", "1", "yes"), action.get("reason", "")
    double.tell("QueueMemberPause", Queue=QUEUE, MemberName=extension, Interface=action["interface"], Paused=str(int(member.paused)),
                PausedReason=member.reason)
    double.distribute()
    return ok("Interface unpaused successfully" if not member.paused else "Interface paused successfully")


def _goes_on(double: Double, action: Event, prefix: str = "") -> Callable[[Channel], None]:
    """What a channel does when it comes to the context and extension that an action names."""
    context, exten = action.get(f"{prefix}context", ""), action.get(f"{prefix}exten", "")

    def go(channel: Channel) -> None:
        if context == f"{double.context}-room":
            double.enter_room(channel, exten)
        elif context == f"{double.context}-out":
            double.dial(exten, lambda leg: double.together(channel, leg), name=f"PJSIP/trunk-{exten}-{{}}")

    return go


def _originate(double: Double, action: Event) -> Answer:
    channel = action.get("channel", "")
    local = channel.startswith("Local/")
    name = f"{channel.removesuffix('/n')}-{{}};1" if local else f"{channel}-{{}}"
    number = who(channel)
    if not number or not (local or number in double.members):
        return no("Extension does not exist.")
    double.dial(number, _goes_on(double, action), name=name, uniqueid=action.get("channelid", ""))
    return ok("Originate successfully queued")


def _redirect(double: Double, action: Event) -> Answer:
    channel, extra = double.named(action.get("channel", "")), double.named(action.get("extrachannel", ""))
    if channel is None:
        return no("Channel does not exist")
    if "extrachannel" in action and extra is None:
        return no("ExtraChannel does not exist")
    for one, prefix in ((channel, ""), (extra, "extra")):
        if one is not None:
            if one.held:
                one.held = False
                double.tell("Unhold", one.told())
            _goes_on(double, action, prefix)(one)
    return ok("Dual Redirect successful" if extra is not None else "Redirect successful")


def _transfer(double: Double, action: Event) -> Answer:
    channel = double.named(action.get("channel", ""))
    if channel is None:
        return no("No such channel")
    if action.get("context") != f"{double.context}-out" or not double.transfer(channel, action.get("exten", "")):
        return no("Transfer failed")
    return ok("Transfer succeeded")


def _hangup(double: Double, action: Event) -> Answer:
    channel = double.named(action.get("channel", ""))
    if channel is None:
        return no("No such channel")
    double.hang_up(channel)
    return ok("Channel Hungup")


def _notify(double: Double, action: Event) -> Answer:
    extension, wish = action.get("endpoint", ""), action.get("variable", "")
    if extension not in double.members:
        return no("Unable to retrieve endpoint")
    if wish == "Event=hold":
        double.hold(extension, True)
    elif wish == "Event=talk" and not double.pick_up(extension):
        double.hold(extension, False)
    return ok("NOTIFY sent")


HANDLERS: dict[str, Callable[[Double, Event], Answer]] = {
    "ping": _ping, "events": _events, "coreshowchannels": _show_channels, "queuestatus": _queue_status, "queuepause": _pause,
    "originate": _originate, "redirect": _redirect, "blindtransfer": _transfer, "atxfer": _transfer, "hangup": _hangup,
    "pjsipnotify": _notify,
}
