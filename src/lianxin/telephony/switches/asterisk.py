"""Commands to an Asterisk, as `telephony.commands.Switch` wants them. docs/howto/connect-a-call-centre.md has the dialplan that they
count on: contexts `NAME-out` to dial out from and `NAME-room` for a conversation of three or more.

A call is named by its Linkedid, which is the Uniqueid of the caller's channel. Which channels belong to it is asked of the PBX at every
command: whatever happened meanwhile, that is how things stand.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from django.conf import settings
from panoramisk.message import Message

from ..commands import COMMAND_SECONDS, SwitchFault
from .ami import Address, Connection, Refused, SwitchError
from .standing import Standing

RING_SECONDS: Final = 40
# "PJSIP/8001-0000002a", "Local/8001@agents-00000003;1", "PJSIP/8001": technology, who, what it runs on.
_CHANNEL: Final = re.compile(r"^(?P<technology>[^/]+)/(?P<who>[^@;/]+?)(?:@[^;/]*)?(?:-[0-9a-f]{8}(?:;[12])?)?(?:/n)?$")


def who(channel: str) -> str:
    """The extension or number that a channel, or an interface of a queue, stands for; empty for none."""
    found = _CHANNEL.match(channel)
    return found["who"] if found else ""


def room_of(call: str) -> str:
    """The name of the conversation that a call is moved into; it says which call it is."""
    return f"room{call}"


def call_of(room: str) -> str:
    """The call whose conversation this is; empty for other people's conferences."""
    return room[4:] if room.startswith("room") else ""


@dataclass(frozen=True, slots=True)
class Legs:
    """The channels of a call: the agent's and the caller's, and whether they are in a room already."""

    agent: str
    caller: str
    in_room: bool


def legs(channels: list[Message], call: str, extension: str) -> Legs:
    """Which channels a command is for. Raises Refused when the call, or the agent in it, is not there."""
    own = [one for one in channels if one.linkedid == call]
    agent = next((str(one.channel) for one in own if who(str(one.channel)) == extension and one.uniqueid != call), "")
    caller = next((one for one in own if one.uniqueid == call), None)
    if not agent or caller is None:
        raise Refused("the call is not there any more")
    return Legs(agent, str(caller.channel), caller.application == "ConfBridge")


class Stands(Protocol):
    """What runs a command in time."""

    def do(self, work: Callable[[Connection, float], Awaitable[None]], *, within: float) -> None: ...


class AsteriskSwitch:
    """See `telephony.commands.Switch`. For any number of threads."""

    def __init__(self, standing: Stands, *, interface: str = "PJSIP/{extension}", context: str = "lianxin",
                 within: float = COMMAND_SECONDS) -> None:
        self._standing = standing
        self._interface = interface
        self._out, self._room = f"{context}-out", f"{context}-room"
        self._within = within

    def _do(self, work: Callable[[Connection, float], Awaitable[None]]) -> None:
        try:
            self._standing.do(work, within=self._within)
        except (SwitchError, ValueError) as error:
            raise SwitchFault(f"{type(error).__name__}: {error}") from error

    def _of(self, extension: str) -> str:
        return self._interface.format(extension=extension)

    async def _legs(self, line: Connection, left: float, call: str, extension: str) -> Legs:
        return legs(await line.listed({"Action": "CoreShowChannels"}, within=left), call, extension)

    def ring(self, extension: str, to: str) -> None:
        async def work(line: Connection, left: float) -> None:
            await line.ask({
                "Action": "Originate", "Channel": self._of(extension), "Context": self._out, "Exten": to, "Priority": "1",
                "CallerID": f"<{to}>", "Timeout": str(RING_SECONDS * 1000), "Async": "true",
            }, within=left)

        self._do(work)

    def transfer(self, call: str, to: str, *, extension: str) -> None:
        self._transfer("BlindTransfer", call, to, extension)

    def consult(self, call: str, to: str, *, extension: str) -> None:
        """Ask first: the caller hears music while the agent speaks with `to`; the agent hangs up to hand over."""
        self._transfer("Atxfer", call, to, extension)

    def _transfer(self, action: str, call: str, to: str, extension: str) -> None:
        async def work(line: Connection, left: float) -> None:
            found = await self._legs(line, left, call, extension)
            if found.in_room:  # whoever is in a room is not moved on: the agent leaves, and the others stay together
                raise Refused("a conversation of three is not transferred")
            await line.ask({"Action": action, "Channel": found.agent, "Context": self._out, "Exten": to}, within=left)

        self._do(work)

    def conference(self, call: str, to: str, *, extension: str) -> None:
        """The third rings first; then both are moved into the room. Is that refused, the third is hung up and the two speak on."""

        async def work(line: Connection, left: float) -> None:
            found = await self._legs(line, left, call, extension)
            third = f"lx-{uuid.uuid4()}"
            await line.ask({
                "Action": "Originate", "Channel": f"Local/{to}@{self._out}/n", "ChannelId": third, "OtherChannelId": f"{third}-2",
                "Context": self._room, "Exten": room_of(call), "Priority": "1", "CallerID": "12345",
                "Timeout": str(RING_SECONDS * 1000), "Async": "true",
            }, within=left)
            if found.in_room:
                return
            try:
                await line.ask({
                    "Action": "Redirect", "Channel": found.caller, "Context": self._room, "Exten": room_of(call), "Priority": "1",
                    "ExtraChannel": found.agent, "ExtraContext": self._room, "ExtraExten": room_of(call), "ExtraPriority": "1",
                }, within=left)
            except Refused:
                await line.ask({"Action": "Hangup", "Channel": third}, within=left)
                raise

        self._do(work)

    def hold(self, call: str, *, extension: str) -> None:
        self._notify(call, extension, "hold")

    def resume(self, call: str, *, extension: str) -> None:
        self._notify(call, extension, "talk")

    def _notify(self, call: str, extension: str, event: str) -> None:
        """Holding is the telephone's own doing: it is asked by a SIP NOTIFY of the event `hold` or `talk`."""

        async def work(line: Connection, left: float) -> None:
            await self._legs(line, left, call, extension)
            technology, _slash, endpoint = self._of(extension).partition("/")
            if technology != "PJSIP":
                raise Refused("only PJSIP telephones can be asked to hold")
            await line.ask({"Action": "PJSIPNotify", "Endpoint": endpoint, "Variable": f"Event={event}"}, within=left)

        self._do(work)

    def hang_up(self, call: str, *, extension: str) -> None:
        async def work(line: Connection, left: float) -> None:
            found = await self._legs(line, left, call, extension)
            await line.ask({"Action": "Hangup", "Channel": found.agent, "Cause": "16"}, within=left)

        self._do(work)

    def available(self, extension: str, on: bool, *, reason: str = "") -> None:
        async def work(line: Connection, left: float) -> None:
            await line.ask({
                "Action": "QueuePause", "Interface": self._of(extension), "Paused": "false" if on else "true",
                **({"Reason": reason} if reason and not on else {}),
            }, within=left)

        self._do(work)


def connect() -> AsteriskSwitch:
    """The adapter of this installation, by its settings; it begins to connect at once. Raises ValueError for an address that is
    none."""
    standing = Standing(Address.parse(settings.LIANXIN_SWITCH_URL))
    standing.warm()
    return AsteriskSwitch(standing, interface=settings.LIANXIN_SWITCH_INTERFACE, context=settings.LIANXIN_SWITCH_CONTEXT)
