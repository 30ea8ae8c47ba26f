"""Who listens to what, and what waits for each. Knows nothing of PostgreSQL and of HTTP; used from one event loop."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field

WAITING = 64  # messages that may wait for one page; one that reads no faster is told to look again instead
PER_PERSON = 20  # streams of one person: a shared worker needs one for each browser
AGAIN = "again"  # something was missed: look at everything again


class Full(Exception):
    """No more streams, for this person or at all."""


@dataclass(eq=False, slots=True)
class Listener:
    """One stream. `waiting` keeps each message once, in order."""

    staff_id: int
    topics: frozenset[str]
    waiting: dict[str, None] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    missed: bool = False

    def put(self, message: str) -> None:
        if self.missed:
            return
        if len(self.waiting) >= WAITING and message not in self.waiting:
            self.miss()
            return
        self.waiting[message] = None
        self.woken.set()

    def miss(self) -> None:
        """What waits is given up for one word: look again."""
        self.waiting.clear()
        self.missed = True
        self.woken.set()

    async def take(self, seconds: float) -> tuple[list[str], bool]:
        """What has come, and whether something was missed. After `seconds` without anything: nothing."""
        try:
            await asyncio.wait_for(self.woken.wait(), seconds)
        except TimeoutError:
            return [], False
        self.woken.clear()
        messages, missed = list(self.waiting), self.missed
        self.waiting.clear()
        self.missed = False
        return messages, missed


class Hub:
    """All streams of this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.by_topic: dict[str, set[Listener]] = {}
        self.people: Counter[int] = Counter()
        self.closing = asyncio.Event()

    @property
    def count(self) -> int:
        return self.people.total()

    def join(self, staff_id: int, topics: frozenset[str]) -> Listener:
        """A new stream. Raises Full."""
        if self.count >= self.most or self.people[staff_id] >= PER_PERSON:
            raise Full
        made = Listener(staff_id, topics)
        for topic in topics:
            self.by_topic.setdefault(topic, set()).add(made)
        self.people[staff_id] += 1
        return made

    def leave(self, listener: Listener) -> None:
        for topic in listener.topics:
            held = self.by_topic.get(topic)
            if held is not None:
                held.discard(listener)
                if not held:
                    del self.by_topic[topic]
        self.people[listener.staff_id] -= 1
        if self.people[listener.staff_id] <= 0:
            del self.people[listener.staff_id]

    def pass_on(self, payload: str) -> None:
        """Give one message to those who listen to its topic. What is no message of ours is left."""
        try:
            topic = json.loads(payload)["topic"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        for listener in self.by_topic.get(topic, ()) if isinstance(topic, str) else ():
            listener.put(payload)

    def missed(self) -> None:
        """Everybody looks again: nobody knows what was told in the meantime."""
        for listeners in self.by_topic.values():
            for listener in listeners:
                listener.miss()
