"""Callers for a double: made-up people who ring, wait, talk and sometimes give up.

They come at random (Poisson), at the rate of the hour; each has a patience and a matter of some length (exponential, like the models
of `erlang`). They begin to ring only while a telephone of the queue is ready, so a demonstration in which nobody sits down stays silent.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from .double import Channel, Double

# Calls in each hour of the day over the mean: two peaks, few at night. Made up after the usual shape of a city's hotline.
PROFILE: Final = (0.25, 0.15, 0.1, 0.1, 0.1, 0.2, 0.4, 0.9, 1.7, 2.1, 2.0, 1.6, 1.1, 1.2, 1.8, 1.9, 1.7, 1.4, 1.2, 1.2, 1.1, 0.9, 0.6, 0.4)
AHEAD: Final = 1  # nobody is rung by more callers at once than telephones are free, and this many


@dataclass(frozen=True, slots=True)
class Callers:
    """How they are: calls an hour on the mean of a day, mean seconds of patience and of talk, and the fewest seconds of each, so that
    one sees them come. With `even` every hour is the same.
    `numbers` are dealt out in turn; without any, those of the demonstration's made-up cases are."""

    an_hour: float = 60.0
    patience: float = 90.0
    talk: float = 150.0
    shortest_patience: float = 2.0
    shortest_talk: float = 5.0
    even: bool = True
    numbers: Sequence[str] = ()

    def rate(self, at: datetime) -> float:
        """Calls a second."""
        return self.an_hour / 3600 * (1.0 if self.even else PROFILE[at.hour])


class Ringing:
    """For one event loop and one double."""

    def __init__(self, double: Double, callers: Callers, *, seed: int | None = None, zone: str = "Asia/Shanghai") -> None:
        self.double, self.callers = double, callers
        self._dice = random.Random(seed)
        self._zone = ZoneInfo(zone)
        self._dealt = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                rate = self.callers.rate(datetime.now(self._zone))
                await asyncio.sleep(self._dice.expovariate(rate) if rate > 0 else 60.0)
                if rate > 0 and self.wanted():
                    self._follow(self.double.call_in(self._number()))
        finally:
            for task in tuple(self._tasks):
                task.cancel()

    def wanted(self) -> bool:
        """Whether somebody is ready to be rung, and not more callers wait than a demonstration bears."""
        ready = sum(not member.paused for member in self.double.members.values())
        return ready > 0 and len(self.double.waiting) <= ready + AHEAD

    def _number(self) -> str:
        numbers = self.callers.numbers or [f"0730000{index:04}" for index in range(1, 100)]
        self._dealt += 1
        return numbers[(self._dealt - 1) % len(numbers)]

    def _follow(self, caller: Channel) -> None:
        task = asyncio.get_running_loop().create_task(self._live(caller))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, caller: Channel) -> None:
        """Wait as long as the patience lasts, then talk as long as the matter takes, then hang up."""
        patience, talk = self._dice.expovariate(1 / self.callers.patience), self._dice.expovariate(1 / self.callers.talk)
        loop = asyncio.get_running_loop()
        until = loop.time() + max(self.callers.shortest_patience, patience)
        while caller.uniqueid in self.double.waiting and loop.time() < until:
            await asyncio.sleep(0.2)
        if caller.uniqueid not in self.double.waiting:
            await asyncio.sleep(max(self.callers.shortest_talk, talk))
            while caller.application == "ConfBridge" and len(self.double.room(caller.linkedid)) > 1:
                await asyncio.sleep(5.0)  # who is put through to 110 stays until that is settled
        self.double.hang_up(caller)
