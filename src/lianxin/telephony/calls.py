"""A call is what its events say, whatever order they came in and however often.

`TABLE` is the state machine; `picture` runs it over all events of a call, sorted by when they happened. An end is an end:
whatever else is told of a call that is over says how it was, not that it goes on. What follows from a change – the agent's
state, the pages that are told, the call back that is owed – is worked out from the picture before and the picture after, so an
event told twice does nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .models import CallState, EventKind

S, K = CallState, EventKind
_ANY = (None, S.QUEUED, S.RINGING, S.TALKING, S.HELD, S.CONFERENCE, S.TRANSFERRED)


@dataclass(frozen=True, slots=True)
class Row:
    """`kind`, told of a call in one of `before` (None: of which nothing is known), makes it `after`. In other states it
    changes nothing."""

    kind: EventKind
    before: tuple[CallState | None, ...]
    after: CallState


TABLE: tuple[Row, ...] = (
    Row(K.QUEUED, (None, S.QUEUED, S.RINGING, S.TRANSFERRED), S.QUEUED),
    Row(K.RINGING, (None, S.QUEUED, S.RINGING, S.TRANSFERRED), S.RINGING),
    Row(K.ANSWERED, (None, S.QUEUED, S.RINGING, S.TALKING, S.HELD, S.TRANSFERRED), S.TALKING),
    Row(K.HELD, _ANY, S.HELD),
    Row(K.RESUMED, _ANY, S.TALKING),
    Row(K.CONFERENCED, _ANY, S.CONFERENCE),
    Row(K.TRANSFERRED, _ANY, S.TRANSFERRED),
    Row(K.RECORDING, (None,), S.TALKING),  # told before anything else: what is recorded is being talked
    Row(K.MISSED, (*_ANY, S.ENDED), S.MISSED),
    Row(K.ABANDONED, (*_ANY, S.ENDED, S.MISSED), S.ABANDONED),
    Row(K.ENDED, _ANY, S.ENDED),
)
NEXT: dict[tuple[CallState | None, EventKind], CallState] = {(before, row.kind): row.after for row in TABLE for before in row.before}
ENDS = (K.MISSED, K.ABANDONED, K.ENDED)
SPOKEN = (K.HELD, K.RESUMED, K.CONFERENCED)  # nobody does these to a call that was not answered
_RANK = {kind: rank for rank, kind in enumerate(EventKind)}
RING_TOGETHER = timedelta(seconds=2)  # telephones that begin to ring so close together ring for the same caller at once


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, as it counts: `key` is the telephone system's name of it, agents are ids of `Agent`."""

    key: str
    kind: EventKind
    at: datetime
    line: str = ""
    agent_id: int | None = None
    to_agent_id: int | None = None
    recording: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A call as its events say. `agent_id` has it, or had it last; `rings_at` are those whose telephones ring now."""

    state: CallState
    began_at: datetime
    line: str = ""
    agent_id: int | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    recording: str = ""
    rings_at: frozenset[int] = frozenset()

    @property
    def unanswered(self) -> bool:
        return self.state in (S.MISSED, S.ABANDONED)


def _order(event: Happened) -> tuple[bool, datetime, int, str]:
    return event.kind in ENDS, event.at, _RANK[event.kind], event.key


def _first(events: Iterable[Happened], *kinds: EventKind) -> datetime | None:
    return min((event.at for event in events if event.kind in kinds), default=None)


def picture(events: Sequence[Happened]) -> Picture:
    """What a call is, by all that has been told of it: at least one event, in any order. Pure."""
    told = sorted({event.key: event for event in events}.values(), key=_order)
    state: CallState | None = None
    line, agent, recording = "", None, ""
    for event in told:
        after = NEXT.get((state, event.kind))
        if after is not None:
            state = after
            if event.kind is K.TRANSFERRED:
                agent = event.to_agent_id or agent
            elif event.kind in (K.RINGING, K.ANSWERED) and event.agent_id is not None:
                agent = event.agent_id
        line = line or event.line
        recording = event.recording or recording
    assert state is not None
    answered = _first(told, K.ANSWERED) or _first(told, *SPOKEN)
    ended = _first(told, *ENDS)
    if ended is not None:
        # Hung up without a word is given up by the caller; whatever is said of one that was answered, it was.
        state = S.ENDED if answered is not None else S.ABANDONED if state is S.ENDED else state
        ended = max(ended, answered) if answered else ended
        agent = agent if answered else None  # whose telephone rang in vain is nobody's business
    return Picture(
        state, min(event.at for event in told), line, agent, _first(told, K.RINGING), answered, ended, recording,
        _ringing(told) if state is S.RINGING else frozenset(),
    )


def _ringing(told: Sequence[Happened]) -> frozenset[int]:
    rings = [event for event in told if event.kind is K.RINGING and event.agent_id is not None]
    if not rings:
        return frozenset()
    last = rings[-1].at
    return frozenset(event.agent_id for event in rings if event.agent_id is not None and event.at >= last - RING_TOGETHER)
