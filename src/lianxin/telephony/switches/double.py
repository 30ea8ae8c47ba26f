"""A telephone system without telephones: lines, a queue, extensions and rooms, that tells of them as an Asterisk does.

It is for tests, for `./run demo` and for training. `double_ami` speaks the manager interface for it, on a socket, so the adapter and the
bridge are the same as for a real one. What telephones do – ringing in, picking up, holding, hanging up – are methods; the commands
are those of the dialplan in docs/howto/connect-a-call-centre.md. It can be slow, deaf, contrary and forgetful (`Faults`).
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

from .asterisk import AsteriskSwitch, room_of, who
from .standing import Standing

QUEUE: Final = "hotline"
URL: Final = "ami://lianxin:double@127.0.0.1:5038"
SERVICES: Final = ("110", "119", "120")
Event = dict[str, str]


@dataclass(slots=True)
class Faults:
    """How it misbehaves. `slow` seconds before every answer; `deaf` answers nothing; `refuses` are actions it says no to; `pieces` is the
    number of bytes it sends at a time; `doubled` tells every event twice; `backwards` tells events in pairs, the second first;
    `unstamped` leaves the time off its events; `leaves_after` that many answers the line is cut."""

    slow: float = 0.0
    deaf: bool = False
    refuses: frozenset[str] = frozenset()
    pieces: int = 0
    doubled: bool = False
    backwards: bool = False
    unstamped: bool = False
    leaves_after: int = -1


@dataclass(slots=True)
class Channel:
    """One end of a conversation. `with_` is the bridge or room that it is in."""

    name: str
    uniqueid: str
    linkedid: str
    number: str
    state: str = "Up"
    application: str = ""
    data: str = ""
    bridge: str = ""
    queue: str = ""
    began: float = field(default_factory=time.time)
    held: bool = False

    @property
    def who(self) -> str:
        return who(self.name)

    def told(self, prefix: str = "") -> Event:
        states = {"Down": "0", "Ring": "4", "Ringing": "5", "Up": "6"}
        return {f"{prefix}{name}": value for name, value in {
            "Channel": self.name, "ChannelState": states[self.state], "ChannelStateDesc": self.state,
            "CallerIDNum": self.number or "<unknown>", "CallerIDName": "<unknown>",
            "ConnectedLineNum": "<unknown>", "ConnectedLineName": "<unknown>", "Language": "zh",
            "AccountCode": "", "Context": "from-trunk", "Exten": "12345", "Priority": "1", "Uniqueid": self.uniqueid,
            "Linkedid": self.linkedid,
        }.items()}


@dataclass(slots=True)
class Member:
    """A telephone that the queue may ring. `rings` is the channel that rings there, or that talks."""

    extension: str
    paused: bool = True
    reason: str = ""
    channel: str = ""
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def still(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


class Double:
    """For one event loop. Times in seconds: a telephone rings `rings` until the next is tried, is picked up by itself after `answers`
    (None: only by `pick_up`), and a line outside is answered after `outside`."""

    def __init__(self, *, rings: float = 15.0, answers: float | None = None, outside: float = 1.0, context: str = "lianxin",
                 services: tuple[str, ...] = SERVICES, system: str = "") -> None:
        self.faults = Faults()
        self.rings, self.answers, self.outside, self.context, self.services = rings, answers, outside, context, services
        self.channels: dict[str, Channel] = {}
        self.members: dict[str, Member] = {}
        self.waiting: list[str] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._prefix = f"{system}-" if system else ""
        self._numbers = itertools.count(1)

    # Telling.
    def tell(self, event: str, *parts: Event, **more: str) -> None:
        said: Event = {"Event": event, "Privilege": "call,agent,user,all"}
        if not self.faults.unstamped:
            said["Timestamp"] = f"{time.time():.6f}"
        for part in (*parts, more):
            said |= part
        for listener in tuple(self.listeners):
            listener(said)

    def _new(self, name: str, number: str, *, linked: str = "", uniqueid: str = "", state: str = "Up") -> Channel:
        count = next(self._numbers)
        uniqueid = uniqueid or f"{self._prefix}{int(time.time())}.{count}"
        channel = Channel(name.format(f"{count:08x}"), uniqueid, linked or uniqueid, number, state)
        self.channels[uniqueid] = channel
        self.tell("Newchannel", channel.told())
        return channel

    def named(self, name: str) -> Channel | None:
        """By name or by Uniqueid, as an Asterisk takes both."""
        return self.channels.get(name) or next((one for one in self.channels.values() if one.name == name), None)

    def member(self, extension: str) -> Member:
        if extension not in self.members:
            self.members[extension] = Member(extension)
        return self.members[extension]

    def at(self, extension: str) -> Channel | None:
        """What rings or talks at an extension."""
        member = self.members.get(extension)
        return self.channels.get(member.channel) if member is not None else None

    # What callers do.
    def call_in(self, number: str, *, queue: str = QUEUE) -> Channel:
        """Somebody dials the hotline and waits in the queue."""
        caller = self._new("PJSIP/trunk-{}", number)
        caller.application, caller.data, caller.queue = "Queue", queue, queue
        self.waiting.append(caller.uniqueid)
        self.tell("QueueCallerJoin", caller.told(), Queue=queue, Position=str(len(self.waiting)), Count=str(len(self.waiting)))
        self.distribute()
        return caller

    def distribute(self) -> None:
        """Ring a free telephone for each who waits, longest first."""
        rung = {self.channels[member.channel].linkedid for member in self.members.values() if member.channel in self.channels}
        for uniqueid in self.waiting:
            if uniqueid in rung:
                continue
            free = next((one for one in self.members.values() if not one.paused and not one.channel), None)
            if free is None:
                return
            self._ring(free, self.channels[uniqueid])

    def _ring(self, member: Member, caller: Channel) -> None:
        leg = self._new(f"PJSIP/{member.extension}-{{}}", member.extension, linked=caller.linkedid, state="Ringing")
        member.channel = leg.uniqueid
        self.tell("AgentCalled", caller.told(), leg.told("Dest"), Queue=caller.queue, MemberName=member.extension,
                  Interface=f"PJSIP/{member.extension}")
        loop = asyncio.get_running_loop()
        member.timers.append(loop.call_later(self.rings, self._nobody_came, member, caller))
        if self.answers is not None:
            member.timers.append(loop.call_later(self.answers, self.pick_up, member.extension))

    def _nobody_came(self, member: Member, caller: Channel) -> None:
        leg = self.channels.get(member.channel)
        member.still()
        if leg is None or leg.state != "Ringing":
            return
        self.tell("AgentRingNoAnswer", caller.told(), leg.told("Dest"), Queue=caller.queue, MemberName=member.extension,
                  Interface=f"PJSIP/{member.extension}", RingTime=str(int(self.rings)))
        self._drop(leg)
        # The one who did not come is asked last.
        self.members[member.extension] = self.members.pop(member.extension)
        self.distribute()

    def pick_up(self, extension: str) -> bool:
        """The telephone is picked up; whether it rang."""
        member, leg = self.member(extension), self.at(extension)
        caller = self.channels.get(leg.linkedid) if leg is not None else None
        if leg is None or caller is None or caller is leg or leg.state != "Ringing":
            return False
        member.still()
        leg.state = "Up"
        self.waiting.remove(caller.uniqueid)
        caller.bridge = leg.bridge = f"bridge-{caller.uniqueid}"
        more = {"Queue": caller.queue, "MemberName": extension, "Interface": f"PJSIP/{extension}"}
        self.tell("QueueCallerLeave", caller.told(), Queue=caller.queue, Count=str(len(self.waiting)), Position="1")
        self.tell("AgentConnect", caller.told(), leg.told("Dest"), more, HoldTime=str(int(time.time() - caller.began)), RingTime="1")
        self.tell("UserEvent", caller.told(), UserEvent="LianxinRecording", Recording=f"{caller.uniqueid}.wav")
        return True

    def hold(self, extension: str, on: bool) -> bool:
        """The telephone holds the conversation or takes it up again; whether that was anything to do."""
        leg = self.at(extension)
        if leg is None or leg.state != "Up" or leg.held is on:
            return False
        leg.held = on
        self.tell("Hold" if on else "Unhold", leg.told())
        return True

    def hang_up(self, channel: Channel) -> None:
        """One end is put down. In a bridge the other end goes too; out of a room only this one, but nobody stays alone."""
        if channel.uniqueid not in self.channels:
            return
        if channel.uniqueid in self.waiting:
            self.waiting.remove(channel.uniqueid)
            self.tell("QueueCallerAbandon", channel.told(), Queue=channel.queue, Position="1", OriginalPosition="1",
                      HoldTime=str(int(time.time() - channel.began)))
            self.tell("QueueCallerLeave", channel.told(), Queue=channel.queue, Count=str(len(self.waiting)), Position="1")
        others = [one for one in self.channels.values() if one is not channel and (
            (channel.bridge and one.bridge == channel.bridge) or (one.linkedid == channel.uniqueid and one.state == "Ringing"))]
        room = channel.application == "ConfBridge"
        self._drop(channel)
        if not room or len(others) == 1:
            for other in others:
                self._drop(other)
        self.distribute()

    def _drop(self, channel: Channel) -> None:
        if self.channels.pop(channel.uniqueid, None) is None:
            return
        if channel.application == "ConfBridge":
            self.tell("ConfbridgeLeave", channel.told(), Conference=channel.data)
        for member in self.members.values():
            if member.channel == channel.uniqueid:
                member.still()
                member.channel = ""
        self.tell("Hangup", channel.told(), {"Cause": "16", "Cause-txt": "Normal Clearing"})

    # What the dialplan does.
    def dial(self, to: str, answered: Callable[[Channel], None], *, name: str, uniqueid: str = "", number: str = "") -> bool:
        """Call `to`: a service, or an extension. `answered` is called when it is picked up; whether there is such a number."""
        if to not in self.services and to not in self.members:
            return False
        leg = self._new(name, number or to, uniqueid=uniqueid, state="Ringing")
        if to in self.members and not self.members[to].channel:
            self.members[to].channel = leg.uniqueid

        def picked_up() -> None:
            if leg.uniqueid in self.channels:
                leg.state = "Up"
                answered(leg)

        asyncio.get_running_loop().call_later(self.outside, picked_up)
        return True

    def enter_room(self, channel: Channel, room: str) -> None:
        channel.application, channel.data, channel.bridge, channel.held = "ConfBridge", room, f"room-{room}", False
        self.tell("ConfbridgeJoin", channel.told(), Conference=room, Admin="No", Muted="No")

    def together(self, one: Channel, other: Channel) -> None:
        one.bridge = other.bridge = f"bridge-{one.uniqueid}"
        one.application, other.application = "Dial", "AppDial"

    def transfer(self, agent: Channel, to: str) -> bool:
        """Hand over whoever shares the agent's bridge, and let the agent go; whether there is such a number."""
        caller = next((one for one in self.channels.values() if one is not agent and one.bridge and one.bridge == agent.bridge), None)
        if caller is None or not self.dial(to, lambda leg: self.together(caller, leg), name=f"PJSIP/trunk-{to}-{{}}"):
            return False
        caller.bridge, caller.application = "", "Dial"
        self.tell("BlindTransfer", agent.told("Transferer"), caller.told("Transferee"), Result="Success", IsExternal="Yes",
                  Context=f"{self.context}-out", Extension=to)
        agent.bridge = ""
        self._drop(agent)
        return True

    def room(self, call: str) -> list[Channel]:
        """Who is in the room of a call."""
        return [one for one in self.channels.values() if one.application == "ConfBridge" and one.data == room_of(call)]


def connect() -> AsteriskSwitch:
    """The adapter for a double: the same as for an Asterisk."""
    from .ami import Address

    standing = Standing(Address.parse(settings.LIANXIN_SWITCH_URL or URL))
    standing.warm()
    return AsteriskSwitch(standing, interface=settings.LIANXIN_SWITCH_INTERFACE, context=settings.LIANXIN_SWITCH_CONTEXT)
