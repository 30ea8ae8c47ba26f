"""Two desks and a network between them, in memory, moved by the product's own rules (`lianxin.linkage.protocol`).

What is durable is what a side has committed; `memory` is lost with a crash. The network may lose, double, reorder and delay:
whatever was sent once may arrive at any time, any number of times, or never. The same world is explored to the end for small
bounds (`explore`) and driven at random by a Hypothesis machine (test_model_machine.py). `BROKEN` are rules with a fault in
them, to see that the invariants find it.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from lianxin.linkage.protocol import (
    OUT,
    RULES,
    THEM,
    US,
    Handover,
    Message,
    NotNow,
    OutOfOrder,
    Protocol,
    Record,
    Wrong,
)
from lianxin.linkage.states import TAKEN, UNDECIDED, HandoverState
from lianxin.linkage.wire import Kind, Mode, Status

S = HandoverState


class Broken(AssertionError):
    """An invariant does not hold."""


class Side(NamedTuple):
    """One desk: what it has committed (None: it has never heard of the matter), what it only remembers, and how many messages
    it has taken."""

    record: Record | None
    memory: Record | None = None
    taken: int = 0


class World(NamedTuple):
    """Both sides, what each has ever sent (all of it may arrive again), and how far each knows an answer to be under way."""

    sides: tuple[Side, Side]
    gone: tuple[tuple[Message, ...], tuple[Message, ...]] = ((), ())
    answers: tuple[int, int] = (0, 0)
    steps: int = 0
    offers: int = 0


class Desk:
    """How a side works: read, change and answer in one transaction, and only then let anything out."""

    rules: Protocol = RULES

    def take(self, side: Side, message: Message) -> tuple[Side, bool]:
        """The side after a message, and whether it answers 200. Raises Broken for what two sound desks never send each other."""
        try:
            taken = self.rules.receive(side.record, message)
        except OutOfOrder:
            return side, False
        except Wrong as wrong:
            raise Broken(f"a message is refused for good: {message.kind} {wrong.code}") from wrong
        if taken.status is Status.DUPLICATE:
            return side, True
        return Side(taken.record, None, side.taken + 1), True

    def crash(self, side: Side) -> Side:
        return side

    def settle(self, side: Side) -> Side:
        """What is still to be written down is written down."""
        return side


# ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def start(*, first: str = US) -> World:
    """One side has a matter, the other has never heard of it."""
    return World((Side(RULES.begin(first_receiver=first)), Side(None)))


def with_side(world: World, at: int, side: Side) -> World:
    return world._replace(sides=(side, world.sides[1]) if at == 0 else (world.sides[0], side))


def put(pair: tuple[Any, Any], at: int, value: Any) -> tuple[Any, Any]:
    return (value, pair[1]) if at == 0 else (pair[0], value)


def act(desk: Desk, world: World, at: int, kind: Kind, handover: uuid.UUID, **how: object) -> World:
    """A person of a side does something. Raises NotNow."""
    side = world.sides[at]
    if side.record is None:
        raise NotNow("unknown")
    record = desk.rules.decide(side.record, kind, handover, **how)  # type: ignore[arg-type]
    changed = with_side(world, at, side._replace(record=record))
    return changed._replace(steps=world.steps + 1, offers=world.offers + (kind is Kind.OFFER))


def clock(desk: Desk, world: World, at: int, handover: uuid.UUID) -> World:
    """The time of a handover is up at a side. Raises NotNow."""
    side = world.sides[at]
    if side.record is None:
        raise NotNow("unknown")
    return with_side(world, at, side._replace(record=desk.rules.by_clock(side.record, handover)))._replace(steps=world.steps + 1)


def head(world: World, at: int) -> Message | None:
    record = world.sides[at].record
    return record.outgoing[0] if record is not None and record.outgoing else None


def arrive(desk: Desk, world: World, sender: int, message: Message) -> World:
    """A copy of a message arrives; whether its answer ever does is another step."""
    if message not in world.gone[sender]:
        world = world._replace(gone=put(world.gone, sender, (*world.gone[sender], message)))
    side, answered = desk.take(world.sides[1 - sender], message)
    world = with_side(world, 1 - sender, side)
    if answered and message.seq > world.answers[sender]:
        world = world._replace(answers=put(world.answers, sender, message.seq))
    return world


def answer(desk: Desk, world: World, sender: int) -> World:
    """The answer to the first of a side's messages arrives, if one was given."""
    first, side = head(world, sender), world.sides[sender]
    if first is None or side.record is None or first.seq > world.answers[sender]:
        return world
    return with_side(world, sender, side._replace(record=desk.rules.answered(side.record, first.seq)))


def crash(desk: Desk, world: World, at: int) -> World:
    return with_side(world, at, desk.crash(world.sides[at]))


def settle(desk: Desk, world: World, at: int) -> World:
    return with_side(world, at, desk.settle(world.sides[at]))


# ── What always holds ────────────────────────────────────────────────────────────────────────────────────────────────────


def check(before: World, world: World) -> None:
    """Raises Broken. Everything here holds after every step, whatever the network did."""
    left, right = (side.record for side in world.sides)
    holding = [record for record in (left, right) if record is not None and record.holds]
    if not holding:
        raise Broken("nobody holds the matter")
    if sum(record.unconditional for record in holding) > 1:
        raise Broken("both hold the matter")
    highest = max(record.term for record in (left, right) if record is not None)
    if sum(record.term == highest for record in holding) != 1:
        raise Broken("not exactly one holds the newest term")
    for at in (0, 1):
        _grown(before.sides[at].record, world.sides[at].record)
        _numbered(world, at)
    if quiet(world):
        _agree(world)


def _grown(old: Record | None, new: Record | None) -> None:
    if old is None or new is None:
        return
    if not old.term <= new.term <= old.term + 1:
        raise Broken("a term went back, or two at once")
    if (old.term, old.holder) != (new.term, new.holder) and old.term == new.term:
        raise Broken("the holder changed within a term")
    if not old.received_seq <= new.received_seq <= old.received_seq + 1:
        raise Broken("a number was skipped or went back")
    for one in old.handovers:
        now = new.find(one.id)
        if now is None or (one.state not in UNDECIDED and now.state in UNDECIDED):
            raise Broken("a decision was undone")
        if one.state in TAKEN and now.state not in TAKEN:
            raise Broken("what was taken is not taken any more")


def _numbered(world: World, at: int) -> None:
    side = world.sides[at]
    if side.record is None:
        return
    numbers = [message.seq for message in side.record.outgoing]
    if numbers != list(range(side.record.sent_seq - len(numbers) + 1, side.record.sent_seq + 1)):
        raise Broken("outgoing numbers have a gap")
    if side.taken != side.record.received_seq:
        raise Broken("a message was taken twice, or skipped")
    if sum(one.state in UNDECIDED for one in side.record.handovers) > 1:
        raise Broken("two offers of one matter are open")
    other = world.sides[1 - at].record
    if side.record.received_seq > (other.sent_seq if other is not None else 0):
        raise Broken("something was received that was never sent")


def quiet(world: World) -> bool:
    """Nothing is waiting to be sent, and nothing is only in somebody's memory."""
    return all(side.memory is None and (side.record is None or not side.record.outgoing) for side in world.sides)


def _agree(world: World) -> None:
    left, right = (side.record for side in world.sides)
    if left is None or right is None:
        if (left or right or Record(US)).sent_seq:
            raise Broken("all is said, and one side has never heard of it")
        return
    if left.holder == right.holder:
        raise Broken("all is said, and they do not name the same holder")
    if left.term != right.term:
        raise Broken("all is said, and the terms differ")
    if (left.sent_seq, left.received_seq) != (right.received_seq, right.sent_seq):
        raise Broken("all is said, and something never arrived")
    if {_seen(one) for one in left.handovers} != {_seen(one, other=True) for one in right.handovers}:
        raise Broken("all is said, and they differ about a handover")


def _seen(one: Handover, *, other: bool = False) -> tuple[object, ...]:
    return one.id, one.state, one.mode, (one.direction == OUT) != other


# ── To the end ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Bounds:
    """How much persons do in one life of a matter: steps of either side together, and offers among them. Ours waits for the answer
    to a message before it sends the next; with `ahead` neither side does."""

    steps: int
    offers: int
    ahead: bool = False
    modes: tuple[str, ...] = (Mode.TRANSFER.value, Mode.JOINT.value)
    first: str = US


@dataclass(frozen=True)
class Explored:
    """What was seen: worlds, moves from one to the next, quiet ones among them, and the fault with the way to it, if there is one."""

    worlds: int
    moves: int
    quiet: int
    fault: str = ""
    way: tuple[str, ...] = ()


# An addition and a record of a telephone call change no state; one of them stands for both.
ACTS = (Kind.ACKNOWLEDGE, Kind.ACCEPT, Kind.REFUSE, Kind.NEGOTIATE, Kind.WITHDRAW, Kind.PROGRESS, Kind.OUTCOME, Kind.CLOSE)


def moves(desk: Desk, world: World, bounds: Bounds) -> Iterator[tuple[str, World | Broken]]:
    """Every next step: of persons and clocks, and all that `passing` yields. A step that breaks something at once yields why."""
    if world.steps < bounds.steps:
        for at in (0, 1):
            yield from _acts(desk, world, at, "ab"[at], bounds)
    yield from passing(desk, world, bounds)


def passing(desk: Desk, world: World, bounds: Bounds) -> Iterator[tuple[str, World | Broken]]:
    """What happens without anybody doing anything: messages and answers arrive, a side crashes, a side writes down."""
    for at in (0, 1):
        name = "ab"[at]
        for message in on_the_way(world, at, ahead=bounds.ahead):
            try:
                yield f"{message.kind} {message.seq} of {name} arrives", arrive(desk, world, at, message)
            except Broken as broken:
                yield f"{message.kind} {message.seq} of {name} arrives", broken
        yield f"{name} is answered", answer(desk, world, at)
        yield f"{name} crashes", crash(desk, world, at)
        yield f"{name} writes down", settle(desk, world, at)


def on_the_way(world: World, sender: int, *, ahead: bool) -> tuple[Message, ...]:
    """All that may arrive from a side: what it has ever sent, and what it is sending now."""
    record, gone = world.sides[sender].record, world.gone[sender]
    sending = record.outgoing[:None if ahead else 1] if record is not None else ()
    return (*gone, *(message for message in sending if message not in gone))


def _acts(desk: Desk, world: World, at: int, name: str, bounds: Bounds) -> Iterator[tuple[str, World]]:
    record = world.sides[at].record
    if record is None:
        return
    if world.offers < bounds.offers:
        behind = next((one.id for one in reversed(record.handovers) if one.direction != OUT and one.state in TAKEN), None)
        for mode in bounds.modes:
            made: Any = world.offers + 1  # a number stands for the id: it is hashed a million times
            with suppress(NotNow):
                yield f"{name} offers ({mode})", act(desk, world, at, Kind.OFFER, made, mode=mode, follows=behind)
    for one in record.handovers:
        for kind in ACTS:
            with suppress(NotNow):
                yield f"{name}: {kind} {one.id}", act(desk, world, at, kind, one.id)
        with suppress(NotNow):
            yield f"{name}: time is up {one.id}", clock(desk, world, at, one.id)


def explore(desk: Desk, bounds: Bounds) -> Explored:
    """Breadth first through every world within the bounds, each looked at once. Stops at the first fault, with the shortest way to it."""
    first = start(first=bounds.first)
    came: dict[World, tuple[World | None, str]] = {first: (None, "")}
    waiting = deque([first])
    seen = calm = 0
    while waiting:
        world = waiting.popleft()
        calm += quiet(world)
        if not quiet(world) and all(found == world for _said, found in passing(desk, world, bounds)):
            return Explored(len(came), seen, calm, "something waits that will never arrive", _way(came, world))
        for said, found in moves(desk, world, bounds):
            seen += 1
            if found == world or found in came:
                continue
            try:
                if isinstance(found, Broken):
                    raise found
                check(world, found)
            except Broken as broken:
                return Explored(len(came), seen, calm, str(broken), (*_way(came, world), said))
            came[found] = (world, said)
            waiting.append(found)
    return Explored(len(came), seen, calm)


def _way(came: dict[World, tuple[World | None, str]], world: World) -> tuple[str, ...]:
    way: list[str] = []
    at: World | None = world
    while at is not None:
        at, said = came[at]
        way.append(said)
    return tuple(reversed(way[:-1]))


# ── With a fault ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class ReleasesAtSend(Protocol):
    """Who offers a matter lets go of it at once."""

    def _offer(self, record: Record, handover: uuid.UUID, mode: str, follows: uuid.UUID | None) -> Record:
        made = super()._offer(record, handover, mode, follows)
        return made._replace(holder=THEM) if mode == Mode.TRANSFER else made


class AcceptsBlindly(Protocol):
    """Accepts from a page that is old, without looking at how the handover and the term stand."""

    def _allowed(self, kind: Kind, known: Handover, defaulted: bool) -> HandoverState:
        if kind is Kind.ACCEPT and known.direction != OUT and known.state not in TAKEN:
            return S.ACCEPTED
        return super()._allowed(kind, known, defaulted)


class WithdrawsAlone(Protocol):
    """Withdrawing is believed without the other side's confirmation."""

    def _allowed(self, kind: Kind, known: Handover, defaulted: bool) -> HandoverState:
        state = super()._allowed(kind, known, defaulted)
        return S.WITHDRAWN if kind is Kind.WITHDRAW else state


class DefaultsAlone(Protocol):
    """When the time is up, the desk that offered takes the matter back by itself."""

    def by_clock(self, record: Record, handover: uuid.UUID) -> Record:
        known = record.find(handover)
        if known is not None and known.direction == OUT and known.state in UNDECIDED and record.first_receiver == US:
            return self._moved(record, handover, S.DEFAULTED)
        return super().by_clock(record, handover)


class AppliesAgain(Protocol):
    """Does not know a message again that came before."""

    def _come_before(self, record: Record, message: Message) -> bool:
        return False


class TakesAnyOrder(Protocol):
    """Takes a message though one before it is missing."""

    def _too_early(self, record: Record, message: Message) -> bool:
        return False


class ClosesByHalf(Protocol):
    """Taking a matter back closes the handover it went over with only where no outcome has come yet."""

    def followed(self, record: Record, known: Handover) -> uuid.UUID | None:
        behind = super().followed(record, known)
        one = record.find(behind)
        return None if one is not None and one.state == S.OUTCOME_RETURNED else behind


class ForgetsOutbox(Desk):
    """Sends from memory: what was not answered yet is gone after a crash."""

    def crash(self, side: Side) -> Side:
        return side if side.record is None else side._replace(record=side.record._replace(outgoing=()))


class AnswersFirst(Desk):
    """Answers before it has committed."""

    def take(self, side: Side, message: Message) -> tuple[Side, bool]:
        if side.memory is not None:
            return side, False
        after, answered = super().take(side, message)
        return (side._replace(memory=after.record), True) if answered and after != side else (after, answered)

    def settle(self, side: Side) -> Side:
        return side if side.memory is None else Side(side.memory, None, side.taken + 1)

    def crash(self, side: Side) -> Side:
        return side._replace(memory=None)


def _with(rules: type[Protocol]) -> Desk:
    desk = Desk()
    desk.rules = rules()
    return desk


BROKEN: dict[str, Desk] = {
    **{rules.__name__: _with(rules) for rules in (
        ReleasesAtSend, AcceptsBlindly, WithdrawsAlone, DefaultsAlone, AppliesAgain, TakesAnyOrder, ClosesByHalf)},
    "ForgetsOutbox": ForgetsOutbox(),
    "AnswersFirst": AnswersFirst(),
}
