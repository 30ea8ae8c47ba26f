"""What an Asterisk tells, as the events that `POST /api/v1/telephony/events` takes.

Every event gets an id that follows from what happened – the call, the kind, and the channel, queue or moment that makes it one of
several – and from nothing that a reconnect changes. So the same news heard twice, from two bridges or after a break, is one event.

Only calls of the hotline are told of: those that came into one of its queues. What its people telephone otherwise is nobody's business.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from .asterisk import call_of, who

NAMESPACE: Final = uuid.UUID("6f2d8a52-6a0e-5d4b-9c1c-9d0f7c5b1e35")
MOST: Final = 10_000  # calls remembered
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """One event of ours. Names as in the API; what does not belong to its kind is empty."""

    id: str
    call: str
    kind: str
    at: datetime
    queue: str = ""
    number: str = ""
    extension: str = ""
    to: str = ""
    recording: str = ""


def id_of(call: str, kind: str, *what: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "\n".join((call, kind, *what))))


@dataclass(slots=True)
class Seen:
    """What a connection has heard of one call. Only to tell apart what one message does not: everything that is in an id comes
    from the message itself."""

    queue: str = ""
    answered: bool = False
    abandoned: bool = False
    over: bool = False
    parties: dict[str, str] = field(default_factory=dict)  # in the room: channel's Uniqueid → who


class Translator:
    """Messages of one connection, in the order in which they came. `now` says when, for systems that do not write it on their
    messages (`timestampevents` in manager.conf); `queues` are the hotline's, all of the system's when it is empty."""

    def __init__(self, *, queues: Iterable[str] = (), now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._queues = frozenset(queues)
        self._now = now
        self.calls: dict[str, Seen] = {}
        self._tapes: dict[str, str] = {}  # recordings that began before anybody answered

    def known(self, calls: Iterable[str]) -> None:
        """Calls that are the hotline's, from before this connection. What is known of them is that they may have been answered."""
        for call in calls:
            self.calls.setdefault(call, Seen(answered=True))

    def heard(self, message: Fields) -> list[Told]:
        """The events that one message stands for: none, one, or two."""
        handler = _HANDLERS.get(message.get("Event", ""))
        if handler is None:
            return []
        return handler(self, message, moment_of(message) or self._now())

    def _ours(self, message: Fields, prefix: str = "") -> tuple[str, Seen] | None:
        call = message.get(f"{prefix}Linkedid", "")
        seen = self.calls.get(call)
        return (call, seen) if seen is not None else None

    def _joins(self, message: Fields, at: datetime) -> list[Told]:
        queue, call = message.get("Queue", ""), message.get("Linkedid", "")
        if not call or (self._queues and queue not in self._queues):
            return []
        self.calls.setdefault(call, Seen()).queue = queue
        return [Told(id_of(call, "queued", message.get("Uniqueid", ""), queue), call, "queued", at, queue=queue,
                     number=number_of(message))]

    def _rings(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message)
        if found is None:
            return []
        call, seen = found
        leg = message.get("DestUniqueid", "")
        return [Told(id_of(call, "ringing", leg), call, "ringing", at, queue=message.get("Queue", seen.queue),
                     number=number_of(message), extension=agent_of(message))]

    def _nobody_came(self, message: Fields, at: datetime) -> list[Told]:
        """The telephone rang long enough: the caller is back in the queue."""
        found = self._ours(message)
        if found is None or found[1].answered:
            return []
        call, seen = found
        return [Told(id_of(call, "queued", message.get("DestUniqueid", "")), call, "queued", at,
                     queue=message.get("Queue", seen.queue))]

    def _answered(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message)
        if found is None:
            return []
        call, seen = found
        seen.answered = True
        told = [Told(id_of(call, "answered", message.get("DestUniqueid", "")), call, "answered", at,
                     queue=message.get("Queue", seen.queue), number=number_of(message), extension=agent_of(message))]
        tape = self._tapes.pop(call, "")
        return told + ([_recorded(call, tape, at)] if tape else [])

    def _abandons(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message)
        if found is None:
            return []
        call, seen = found
        seen.abandoned = True
        return [Told(id_of(call, "abandoned"), call, "abandoned", at, queue=message.get("Queue", seen.queue), number=number_of(message))]

    def _holds(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message)
        if found is None:
            return []
        kind = "held" if message["Event"] == "Hold" else "resumed"
        moment = message.get("Timestamp") or at.isoformat()
        return [Told(id_of(found[0], kind, message.get("Uniqueid", ""), moment), found[0], kind, at,
                     extension=who(message.get("Channel", "")))]

    def _transferred_blindly(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message, "Transferer")
        if found is None or message.get("Result") != "Success":
            return []
        to = message.get("Extension", "")
        return [Told(id_of(found[0], "transferred", message.get("TransfererUniqueid", ""), to), found[0], "transferred", at,
                     extension=who(message.get("TransfererChannel", "")), to=to)]

    def _transferred_after_asking(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message, "OrigTransferer")
        if found is None or message.get("Result") != "Success":
            return []
        kind = "conferenced" if message.get("DestType") == "Threeway" else "transferred"
        to = message.get("SecondTransfererConnectedLineNum") or who(message.get("TransferTargetChannel", ""))
        leg = message.get("OrigTransfererUniqueid", "")
        return [Told(id_of(found[0], kind, leg, to), found[0], kind, at, extension=who(message.get("OrigTransfererChannel", "")), to=to)]

    def _enters_room(self, message: Fields, at: datetime) -> list[Told]:
        call = call_of(message.get("Conference", ""))
        seen = self.calls.get(call)
        if seen is None:
            return []
        leg = message.get("Uniqueid", "")
        seen.parties[leg] = who(message.get("Channel", ""))
        if message.get("Linkedid") == call and not message.get("Channel", "").startswith("Local/"):
            return []  # the caller and the agent, whom the command moved there
        return [Told(id_of(call, "conferenced", leg), call, "conferenced", at, to=seen.parties[leg])]

    def _leaves_room(self, message: Fields, at: datetime) -> list[Told]:
        """An agent who leaves a caller with somebody has handed them over."""
        call = call_of(message.get("Conference", ""))
        seen = self.calls.get(call)
        leg = message.get("Uniqueid", "")
        if seen is None:
            return []
        left = seen.parties.pop(leg, "")
        others = [name for other, name in seen.parties.items() if other != call]
        if leg == call or call not in seen.parties or not others or message.get("Channel", "").startswith("Local/"):
            return []
        return [Told(id_of(call, "transferred", leg, others[0]), call, "transferred", at, extension=left, to=others[0])]

    def _recording(self, message: Fields, at: datetime) -> list[Told]:
        """`UserEvent(LianxinRecording,Recording: …)` in the dialplan. One that begins before the queue counts from the answer."""
        call, name = message.get("Linkedid", ""), message.get("Recording", "")
        if message.get("UserEvent") != "LianxinRecording" or not name or not call:
            return []
        seen = self.calls.get(call)
        if seen is not None and seen.answered:
            return [_recorded(call, name, at)]
        if len(self._tapes) < MOST:
            self._tapes[call] = name
        return []

    def _hangs_up(self, message: Fields, at: datetime) -> list[Told]:
        found = self._ours(message)
        if found is None or message.get("Uniqueid") != found[0]:
            return []  # somebody's channel, not the caller's
        call, seen = found
        seen.over = True
        self._tapes.pop(call, None)
        self._forget()
        if seen.abandoned:
            return []
        kind = "ended" if seen.answered else "missed"
        return [Told(id_of(call, kind), call, kind, at, queue=seen.queue, number=number_of(message))]

    def _forget(self) -> None:
        """Calls that are over stay for what is told late, but not for ever."""
        if len(self.calls) > MOST:
            for call in [call for call, seen in self.calls.items() if seen.over][:MOST // 2]:
                del self.calls[call]
        if len(self._tapes) >= MOST:  # of calls that never came to a queue
            self._tapes.clear()

    def stands(self, channels: Iterable[Fields], waiting: Iterable[Fields], told_open: Iterable[str]) -> list[Told]:
        """What was missed while there was no connection, from how things stand now: `channels` as CoreShowChannels lists them,
        `waiting` the QueueEntry of QueueStatus, `told_open` the calls that have not ended as far as anybody was told."""
        at = self._now()
        channels = list(channels)
        there = {one.get("Uniqueid", "") for one in channels}
        told: list[Told] = []
        for entry in waiting:
            call = entry.get("Uniqueid", "")
            queue = entry.get("Queue", "")
            if call and (not self._queues or queue in self._queues):
                self.calls.setdefault(call, Seen()).queue = queue
                since = at.timestamp() - _seconds(entry.get("Wait", ""))
                told.append(Told(id_of(call, "queued", call, queue), call, "queued", datetime.fromtimestamp(since, UTC), queue=queue,
                                 number=number_of(entry)))
        for call in told_open:
            if call not in there:
                self.calls.pop(call, None)
                told.append(Told(id_of(call, "ended"), call, "ended", at))
            else:
                self.calls.setdefault(call, Seen(answered=True))
        for call in [call for call in self.calls if call not in there]:
            del self.calls[call]
        return told + self._talking(channels, at)

    def _talking(self, channels: list[Fields], at: datetime) -> list[Told]:
        """Calls whose caller shares a bridge with an extension: answered, if nobody was told."""
        told: list[Told] = []
        for caller in channels:
            call, bridge = caller.get("Uniqueid", ""), caller.get("BridgeId", "")
            if not bridge or call not in self.calls:
                continue
            for one in channels:
                if one.get("BridgeId") == bridge and one.get("Linkedid") == call and one.get("Uniqueid") != call:
                    self.calls[call].answered = True
                    if caller.get("Application") == "Queue":
                        since = datetime.fromtimestamp(at.timestamp() - _seconds(one.get("Duration", "")), UTC)
                        told.append(Told(id_of(call, "answered", one.get("Uniqueid", "")), call, "answered", since,
                                         extension=who(one.get("Channel", ""))))
        return told


def _recorded(call: str, name: str, at: datetime) -> Told:
    return Told(id_of(call, "recording", name), call, "recording", at, recording=name)


def moment_of(message: Fields) -> datetime | None:
    """When it happened, where the system says so."""
    try:
        return datetime.fromtimestamp(float(message["Timestamp"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _seconds(clock: str) -> float:
    """Of "00:01:30", or of "90"."""
    total = 0.0
    for part in clock.split(":"):
        total = total * 60 + (float(part) if part.isdecimal() else 0)
    return total


def number_of(message: Fields) -> str:
    """The caller's number, empty when it is withheld or is none."""
    number = message.get("CallerIDNum", "")
    return number if number.strip("+").isdigit() else ""


def agent_of(message: Fields) -> str:
    return who(message.get("Interface", "")) or who(message.get("DestChannel", ""))


_HANDLERS: Final[dict[str, Callable[[Translator, Fields, datetime], list[Told]]]] = {
    "QueueCallerJoin": Translator._joins, "AgentCalled": Translator._rings, "AgentRingNoAnswer": Translator._nobody_came,
    "AgentConnect": Translator._answered, "QueueCallerAbandon": Translator._abandons, "Hold": Translator._holds,
    "Unhold": Translator._holds, "BlindTransfer": Translator._transferred_blindly,
    "AttendedTransfer": Translator._transferred_after_asking, "ConfbridgeJoin": Translator._enters_room,
    "ConfbridgeLeave": Translator._leaves_room, "UserEvent": Translator._recording, "Hangup": Translator._hangs_up,
}
