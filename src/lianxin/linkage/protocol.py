"""Who holds a matter: the rules two desks keep, as pure functions over what one side has written down about one matter.

The record of a side is what its database holds. `decide` is what a person, or a clock, of this side does; `receive` what a message
of the other side does. Both give the record as it is to be committed, with the messages to send at its end, so that a crash leaves
either all of a step or nothing of it. The real desk loads a `Record` from its rows (`threads`), the model in the tests holds it in
memory; the rules are these lines in both (docs/explanation/exactly-one-holder.md).
"""

from __future__ import annotations

import uuid
from typing import Final, NamedTuple

from .states import BY_KIND, NOT_TAKEN, TAKEN, UNDECIDED, HandoverState, Who, after
from .wire import Kind, Mode, Status

US: Final = "us"
THEM: Final = "them"
OUT: Final = "out"
IN: Final = "in"
STALE: Final = "stale_term"
S = HandoverState


class Message(NamedTuple):
    """What the rules read of a message. `first` says which of the two desks the caller turned to: `us` is who sends it."""

    kind: str
    handover: uuid.UUID
    seq: int
    term: int
    mode: str = Mode.TRANSFER.value
    follows: uuid.UUID | None = None
    first: str = US
    defaulted: bool = False
    reason: str = ""


class Handover(NamedTuple):
    """One offer as one side knows it. `direction` is `out` where this side offered."""

    id: uuid.UUID
    direction: str
    mode: str
    state: str
    follows: uuid.UUID | None = None

    @property
    def role(self) -> Who:
        return Who.OFFEROR if self.direction == OUT else Who.RECEIVER


class Record(NamedTuple):
    """What one side has written down about one matter. `outgoing` are its messages that were not answered yet, in their order."""

    holder: str
    term: int = 1
    first_receiver: str = US
    sent_seq: int = 0
    received_seq: int = 0
    handovers: tuple[Handover, ...] = ()
    outgoing: tuple[Message, ...] = ()

    def find(self, key: uuid.UUID | None) -> Handover | None:
        return next((one for one in self.handovers if one.id == key), None)

    @property
    def undecided(self) -> Handover | None:
        """The offer that waits for an answer; there is at most one."""
        return next((one for one in self.handovers if one.state in UNDECIDED), None)

    @property
    def holds(self) -> bool:
        return self.holder == US

    @property
    def unconditional(self) -> bool:
        """Holds it, and has not left it to the other side to take it over."""
        waiting = self.undecided
        return self.holds and not (waiting is not None and waiting.direction == OUT and waiting.mode == Mode.TRANSFER)


class Taken(NamedTuple):
    """What became of a message: the record to commit, and the handover's state before and after (`before` None: a new offer)."""

    record: Record
    status: Status
    before: str | None = None
    state: str | None = None
    refusal: str = ""
    also_closed: uuid.UUID | None = None


class NotNow(Exception):
    """This side may not do this now: `not_holder`, `one_open`, `known`, `unknown`, `unknown_follows` or `not_in_this_state`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OutOfOrder(Exception):
    """A message before this one has not come yet: `expected` is the number that is waited for."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"expected {expected}")
        self.expected = expected


class Wrong(Exception):
    """No crossing of messages explains this one. It is not consumed, so that people of the other side see that it stays."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Where a message may find its handover when another crossed it on the way: it changes nothing there. Everything else that the table
# does not list is a fault of the sender.
_DECIDED: Final = (*TAKEN, *NOT_TAKEN)
CROSSED: Final[dict[Kind, tuple[HandoverState, ...]]] = {
    Kind.ACKNOWLEDGE: tuple(S),
    Kind.NEGOTIATE: tuple(S),
    Kind.PHONE: tuple(S),
    Kind.WITHDRAW: _DECIDED,
    Kind.PROGRESS: (S.OUTCOME_RETURNED, S.CLOSED),
    Kind.OUTCOME: (S.OUTCOME_RETURNED, S.CLOSED),
    Kind.CLOSE: (S.CLOSED,),
}
_PERSONS: Final = frozenset(Kind) - {Kind.WITHDRAWN, Kind.PING, Kind.QUERY, Kind.RULE}


class Protocol:
    """The rules. The methods with an underscore are what the model's broken variants break."""

    def begin(self, *, first_receiver: str = US) -> Record:
        """A matter of this side that it has not offered to anybody yet."""
        return Record(US, first_receiver=first_receiver)

    # ── What this side does ──────────────────────────────────────────────────────────────────────────────────────────────

    def decide(self, record: Record, kind: Kind, handover: uuid.UUID, *, mode: str = Mode.TRANSFER.value,
               follows: uuid.UUID | None = None, defaulted: bool = False, reason: str = "") -> Record:
        """The record after this side's step, its message last in `outgoing`. Raises NotNow."""
        if kind not in _PERSONS:
            raise NotNow("not_in_this_state")
        if kind is Kind.OFFER:
            return self._offer(record, handover, mode, follows)
        known = record.find(handover)
        if known is None:
            raise NotNow("unknown")
        state = self._allowed(kind, known, defaulted)
        if kind is Kind.ACCEPT:
            record = self._accepted(record, known, US)
        record = self._moved(record, handover, state)
        return self._say(record, kind, handover, defaulted=defaulted, reason=reason)

    def _offer(self, record: Record, handover: uuid.UUID, mode: str, follows: uuid.UUID | None) -> Record:
        if not record.holds:
            raise NotNow("not_holder")
        if record.undecided is not None:
            raise NotNow("one_open")
        if record.find(handover) is not None:
            raise NotNow("known")
        behind = record.find(follows)
        if follows is not None and (behind is None or behind.direction != IN or behind.state not in TAKEN):
            raise NotNow("unknown_follows")
        made = Handover(handover, OUT, mode, S.OFFERED.value, follows)
        record = record._replace(handovers=(*record.handovers, made))
        return self._say(record, Kind.OFFER, handover, mode=mode, follows=follows, first=record.first_receiver)

    def _allowed(self, kind: Kind, known: Handover, defaulted: bool) -> HandoverState:
        """The state this side's step leads to, from the table. Raises NotNow."""
        state = after(kind, known.state, by=known.role, defaulted=defaulted)
        if state is None:
            raise NotNow("not_in_this_state")
        return state

    # ── What the other side says ─────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, record: Record | None, message: Message) -> Taken:
        """What a message changes. `record` is None where this side has never heard of the matter.

        Raises OutOfOrder, and Wrong for what no crossing explains; then nothing has changed.
        """
        if record is None:
            if message.seq != 1:
                raise OutOfOrder(1)
            if message.kind != Kind.OFFER or message.term != 1:
                raise Wrong("unknown_matter")
            record = Record(THEM, first_receiver=THEM if message.first == US else US)
        if self._come_before(record, message):
            return Taken(record, Status.DUPLICATE)
        if self._too_early(record, message):
            raise OutOfOrder(record.received_seq + 1)
        record = record._replace(received_seq=message.seq)
        if message.kind == Kind.OFFER:
            return self._offered(record, message)
        return self._apply(record, Kind(message.kind), message)

    def _come_before(self, record: Record, message: Message) -> bool:
        return message.seq <= record.received_seq

    def _too_early(self, record: Record, message: Message) -> bool:
        return message.seq > record.received_seq + 1

    def _offered(self, record: Record, message: Message) -> Taken:
        if record.find(message.handover) is not None:
            raise Wrong("known_handover")
        stale = record.holds or message.term != record.term or record.undecided is not None
        state = S.REFUSED if stale else S.OFFERED
        made = Handover(message.handover, IN, message.mode, state.value, message.follows)
        record = record._replace(handovers=(*record.handovers, made))
        if not stale:
            return Taken(record, Status.APPLIED, None, state.value)
        record = self._say(record, Kind.REFUSE, message.handover, reason=STALE)
        return Taken(record, Status.APPLIED, None, state.value, refusal=STALE)

    def _apply(self, record: Record, kind: Kind, message: Message) -> Taken:
        known = record.find(message.handover)
        if known is None:
            raise Wrong("unknown_handover")
        other = Who.RECEIVER if known.role is Who.OFFEROR else Who.OFFEROR
        state = self._after(kind, known, other, message.defaulted)
        if state is None:
            return Taken(record, Status.NOTED, known.state, known.state)
        closes = None
        if kind is Kind.ACCEPT:
            self._fits(record, known, message)
            closes = self.followed(record, known)
            record = self._accepted(record, known, THEM)
        record = self._moved(record, known.id, state)
        if kind is Kind.WITHDRAW:
            return self._confirm(record, known)
        return Taken(record, Status.APPLIED, known.state, state.value, also_closed=closes)

    def _after(self, kind: Kind, known: Handover, other: Who, defaulted: bool) -> HandoverState | None:
        if BY_KIND[kind].who not in (other, Who.EITHER):
            raise Wrong("wrong_side")
        state = after(kind, known.state, by=other, defaulted=defaulted)
        if state is None and known.state not in CROSSED.get(kind, ()):
            raise Wrong("not_in_this_state")
        return state

    def _confirm(self, record: Record, known: Handover) -> Taken:
        """Nothing was taken: say so, and the offer is over on this side."""
        record = self._moved(record, known.id, S.WITHDRAWN)
        return Taken(self._say(record, Kind.WITHDRAWN, known.id), Status.APPLIED, known.state, S.WITHDRAWN.value)

    def _fits(self, record: Record, known: Handover, message: Message) -> None:
        """An acceptance carries the term it makes; that of a joint offer leaves it."""
        if message.term != record.term + (known.mode == Mode.TRANSFER):
            raise Wrong(STALE)

    # ── Both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def followed(self, record: Record, known: Handover) -> uuid.UUID | None:
        """The handover that ends when this one is taken: the one it goes back on, if it is not closed already."""
        behind = record.find(known.follows)
        if behind is None or behind.direction == known.direction or behind.state not in TAKEN or behind.state == S.CLOSED:
            return None
        return behind.id

    def _accepted(self, record: Record, known: Handover, holder: str) -> Record:
        """The matter goes over, unless the offer was a joint one; the handover that this one goes back on is closed with it."""
        behind = self.followed(record, known)
        if behind is not None:
            record = self._moved(record, behind, S.CLOSED)
        if known.mode != Mode.TRANSFER:
            return record
        return record._replace(holder=holder, term=record.term + 1)

    def _moved(self, record: Record, key: uuid.UUID, state: HandoverState) -> Record:
        return record._replace(handovers=tuple(
            one._replace(state=state.value) if one.id == key else one for one in record.handovers))

    def _say(self, record: Record, kind: Kind, handover: uuid.UUID, *, mode: str = Mode.TRANSFER.value,
             follows: uuid.UUID | None = None, first: str = US, defaulted: bool = False, reason: str = "") -> Record:
        said = Message(kind.value, handover, record.sent_seq + 1, record.term, mode, follows, first, defaulted, reason)
        return record._replace(sent_seq=said.seq, outgoing=(*record.outgoing, said))

    def answered(self, record: Record, seq: int) -> Record:
        """The first of the outgoing messages was answered with 200; an answer to any other changes nothing."""
        if record.outgoing and record.outgoing[0].seq == seq:
            return record._replace(outgoing=record.outgoing[1:])
        return record

    def by_clock(self, record: Record, handover: uuid.UUID) -> Record:
        """Still unclear when the time is up: the desk that was asked takes it if the caller turned to it first, and refuses it else."""
        if record.first_receiver == US:
            return self.decide(record, Kind.ACCEPT, handover)
        return self.decide(record, Kind.REFUSE, handover, defaulted=True, reason="defaulted")


RULES: Final = Protocol()
