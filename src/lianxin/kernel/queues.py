"""What waits in the outboxes of this installation. Each context that has one adds its reader when the apps are ready; `/metrics` and
`lianxin doctor` ask them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One destination's share of one outbox. `queue` is the context, `code` the destination; `waiting` is not taken yet, `dead` is
    given up until somebody sends it again; `oldest` is the age in seconds of the oldest that waits."""

    queue: str
    code: str
    waiting: int
    dead: int
    oldest: float


QUEUES: list[Callable[[datetime], Iterable[Standing]]] = []


def standings(at: datetime) -> Iterator[Standing]:
    """How every outbox stands. One query each."""
    for reader in QUEUES:
        yield from reader(at)
