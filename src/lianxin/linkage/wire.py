"""What two desks say to each other, version 1: one envelope, one body for each kind of message.

The published JSON Schema and OpenAPI are made of these types. Fields that a reader does not know are ignored, so that a later
version may add some. Times are RFC 3339 with an offset, positions degrees WGS-84, texts plain and without markup.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

VERSION: Final = "1"
PATH: Final = "/linkage/v1/messages"
LARGEST: Final = 256 * 1024  # bytes of one message
NAME: Final = r"^[0-9a-z]+(?:[.-][0-9a-z]+)*$"
CODE: Final = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,59}$"

Name = Annotated[str, Field(max_length=60, pattern=NAME, examples=["110.city"])]
Code = Annotated[str, Field(max_length=60, pattern=CODE)]
Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=12_000)]
Reference = Annotated[str, Field(max_length=60, description="the sender's own number of the matter")]
Badge = Annotated[str, Field(max_length=40, description="who did it, as the sender names its people: a badge, never a name")]


class Kind(StrEnum):
    """What a message is about."""

    OFFER = "offer"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    REFUSE = "refuse"
    NEGOTIATE = "negotiate"
    WITHDRAW = "withdraw"
    WITHDRAWN = "withdrawn"
    SUPPLEMENT = "supplement"
    PHONE = "phone"
    PROGRESS = "progress"
    OUTCOME = "outcome"
    CLOSE = "close"
    PING = "ping"
    QUERY = "query"
    RULE = "rule"


class Mode(StrEnum):
    """`transfer` hands the matter over; `joint` asks for the other side's own part, and the holder stays."""

    TRANSFER = "transfer"
    JOINT = "joint"


class Basis(StrEnum):
    """Why it is offered: clearly theirs; unclear, so that the first receiver takes it if both refuse; an emergency; handed back
    by who had taken it; or what is left to do behind an outcome."""

    CLEAR = "clear"
    UNCLEAR = "unclear"
    EMERGENCY = "emergency"
    RETURNED = "returned"
    FOLLOWUP = "followup"


class Wish(StrEnum):
    """What the caller said to it."""

    AGREES = "agrees"
    ASKED = "asked"
    NOT_ASKED = "not_asked"


class Shared(StrEnum):
    """How much of the caller travels with the matter."""

    FULL = "full"
    MASKED = "masked"
    NONE = "none"


class Agreed(StrEnum):
    """Whose it is, as two desks agreed, from the view of who sends the message."""

    OURS = "ours"
    THEIRS = "theirs"
    UNCLEAR = "unclear"


class Part(BaseModel):
    """A part of a message: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, str_strip_whitespace=True)


class Category(Part):
    """The sender's own category, and what it takes to be the receiver's."""

    code: Code
    name: Short = ""
    theirs: Annotated[str, Field(max_length=60)] = ""


class Place(Part):
    """Where it is. `area` is the statistical code of a county, township or village; the position is WGS-84 in degrees."""

    text: Annotated[str, Field(max_length=300)] = ""
    area: Annotated[str, Field(max_length=12, pattern=r"^\d{0,12}$")] = ""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Place:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat go together")
        return self


class Caller(Part):
    """Who called, as far as the matter needs it: whole, masked, or not at all."""

    shared: Shared
    name: Annotated[str, Field(max_length=60)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""


class Offer(Part):
    """Take this over (or, joint, take your part in it). `first_receiver` is the desk the caller turned to first; `answer_within`
    the seconds after which the sender's desk raises an alarm; `follows` the handover that this one goes back on."""

    emergency: bool = False
    mode: Mode = Mode.TRANSFER
    basis: Basis = Basis.CLEAR
    reason: Short = ""
    words: Long
    category: Category | None = None
    place: Place | None = None
    occurred_at: Annotated[AwareDatetime, Field(
        description="when it happened, or else when the sender's side was told of it")] | None = None
    wish: Wish = Wish.NOT_ASKED
    caller: Caller | None = None
    first_receiver: Name
    reference: Reference = ""
    operator: Badge = ""
    call: Annotated[str, Field(max_length=200, description="reference of the recording at the sender's")] | None = None
    answer_within: Annotated[int, Field(ge=1, le=86_400)] = 900
    follows: uuid.UUID | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Offer:
        if not self.words.strip():
            raise ValueError("words must not be empty")
        return self


class Acknowledge(Part):
    """It lies before a person."""

    operator: Badge = ""


class By(StrEnum):
    PERSON = "person"
    DEFAULT = "default"
    PHONE = "phone"


class Accept(Part):
    """Taken: from here on the sender of this message holds the matter, unless the offer was a joint one."""

    operator: Badge = ""
    reference: Reference = ""
    note: Annotated[str, Field(max_length=2_000)] = ""
    by: By = By.PERSON


class Refuse(Part):
    """Not taken, with a reason from the agreed list. `defaulted`: still unclear, and the other side was the first receiver."""

    reason: Code
    words: Annotated[str, Field(max_length=2_000)] = ""
    operator: Badge = ""
    defaulted: bool = False


class Negotiate(Part):
    """What was said about whose it is. `spoke_with` is the other desk's badge; `three_way` that the caller was on the line."""

    words: Annotated[str, Field(max_length=2_000)]
    operator: Badge = ""
    spoke_with: Badge = ""
    three_way: bool = False
    agreed: Agreed = Agreed.UNCLEAR


class Withdraw(Part):
    """Give it back undecided. Answered by `withdrawn`, or by the acceptance that was quicker."""

    reason: Short = ""


class Withdrawn(Part):
    """The offer is over; nothing was taken."""


class Supplement(Part):
    """More that has become known."""

    words: Long = ""
    place: Place | None = None
    caller: Caller | None = None
    operator: Badge = ""

    @model_validator(mode="after")
    def _says_something(self) -> Supplement:
        if not (self.words.strip() or self.place or self.caller):
            raise ValueError("one of words, place and caller is needed")
        return self


class PhoneAgreed(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCLEAR = "unclear"


class Phone(Part):
    """The link was down or slow and the desks spoke by telephone. It decides nothing: the receiver's system still answers."""

    spoke_with: Badge
    at: AwareDatetime
    agreed: PhoneAgreed
    words: Annotated[str, Field(max_length=2_000)] = ""
    operator: Badge = ""


class Done(StrEnum):
    DISPATCHED = "dispatched"
    ON_SCENE = "on_scene"
    WORKING = "working"
    OTHER = "other"


class Progress(Part):
    """What has been done so far by who took it; `reference` is the number it has there (接警单号)."""

    step: Done
    reference: Reference = ""
    words: Annotated[str, Field(max_length=2_000)] = ""
    at: AwareDatetime


class Outcome(Part):
    """How it ended. `public_words` may be read by the caller; `words` are for the other desk. With `follow_up` something is left
    to do, and an offer with the basis `followup` comes behind it."""

    result: Code
    words: Long
    public_words: Annotated[str, Field(max_length=2_000)] = ""
    follow_up: bool = False
    follow_up_words: Annotated[str, Field(max_length=2_000)] = ""
    at: AwareDatetime


class Close(Part):
    """Taken note of; `told` says whether the caller was told."""

    told: bool = False


class Ping(Part):
    """Are you there?"""


class Query(Part):
    """Who holds the matter, as you have it?"""

    matter: uuid.UUID


class RuleAction(StrEnum):
    PROPOSE = "propose"
    APPROVE = "approve"
    REJECT = "reject"


class Takes(StrEnum):
    SENDER = "sender"
    RECEIVER = "receiver"


class Rule(Part):
    """A rule both desks agree on: who takes matters of a category. In force once both have approved it."""

    rule: uuid.UUID
    action: RuleAction
    category: Category | None = None
    takes: Takes | None = None
    words: Annotated[str, Field(max_length=2_000)] = ""


class Envelope(Part):
    """Around every message. `id` is the message's own, equal to the header `webhook-id` and the same whenever it is sent again."""

    version: Literal["1"] = VERSION
    id: uuid.UUID
    sender: Name = Field(alias="from")
    to: Name
    sent_at: AwareDatetime


class OfMatter(Envelope):
    """A message of one matter: number `seq` of this sender's messages about it, counted from 1 without gaps."""

    matter: uuid.UUID
    seq: Annotated[int, Field(ge=1, le=1_000_000)]


class OfHandover(OfMatter):
    """A message of one handover. `term` is the matter's as the sender has it; an acceptance carries the new one."""

    handover: uuid.UUID
    term: Annotated[int, Field(ge=1, le=1_000_000)]


class OfferMessage(OfHandover):
    kind: Literal[Kind.OFFER] = Kind.OFFER
    body: Offer


class AcknowledgeMessage(OfHandover):
    kind: Literal[Kind.ACKNOWLEDGE] = Kind.ACKNOWLEDGE
    body: Acknowledge


class AcceptMessage(OfHandover):
    kind: Literal[Kind.ACCEPT] = Kind.ACCEPT
    body: Accept


class RefuseMessage(OfHandover):
    kind: Literal[Kind.REFUSE] = Kind.REFUSE
    body: Refuse


class NegotiateMessage(OfHandover):
    kind: Literal[Kind.NEGOTIATE] = Kind.NEGOTIATE
    body: Negotiate


class WithdrawMessage(OfHandover):
    kind: Literal[Kind.WITHDRAW] = Kind.WITHDRAW
    body: Withdraw


class WithdrawnMessage(OfHandover):
    kind: Literal[Kind.WITHDRAWN] = Kind.WITHDRAWN
    body: Withdrawn


class SupplementMessage(OfHandover):
    kind: Literal[Kind.SUPPLEMENT] = Kind.SUPPLEMENT
    body: Supplement


class PhoneMessage(OfHandover):
    kind: Literal[Kind.PHONE] = Kind.PHONE
    body: Phone


class ProgressMessage(OfHandover):
    kind: Literal[Kind.PROGRESS] = Kind.PROGRESS
    body: Progress


class OutcomeMessage(OfHandover):
    kind: Literal[Kind.OUTCOME] = Kind.OUTCOME
    body: Outcome


class CloseMessage(OfHandover):
    kind: Literal[Kind.CLOSE] = Kind.CLOSE
    body: Close


class PingMessage(Envelope):
    kind: Literal[Kind.PING] = Kind.PING
    body: Ping = Field(default_factory=Ping)


class QueryMessage(Envelope):
    kind: Literal[Kind.QUERY] = Kind.QUERY
    body: Query


class RuleMessage(Envelope):
    kind: Literal[Kind.RULE] = Kind.RULE
    body: Rule


Message: TypeAlias = Annotated[
    OfferMessage | AcknowledgeMessage | AcceptMessage | RefuseMessage | NegotiateMessage | WithdrawMessage | WithdrawnMessage
    | SupplementMessage | PhoneMessage | ProgressMessage | OutcomeMessage | CloseMessage | PingMessage | QueryMessage | RuleMessage,
    Field(discriminator="kind"),
]
MESSAGES: Final[TypeAdapter[Message]] = TypeAdapter(Message)
BODIES: Final[dict[Kind, type[Part]]] = {
    Kind.OFFER: Offer, Kind.ACKNOWLEDGE: Acknowledge, Kind.ACCEPT: Accept, Kind.REFUSE: Refuse, Kind.NEGOTIATE: Negotiate,
    Kind.WITHDRAW: Withdraw, Kind.WITHDRAWN: Withdrawn, Kind.SUPPLEMENT: Supplement, Kind.PHONE: Phone,
    Kind.PROGRESS: Progress, Kind.OUTCOME: Outcome, Kind.CLOSE: Close, Kind.PING: Ping, Kind.QUERY: Query, Kind.RULE: Rule,
}
OF_A_HANDOVER: Final = frozenset(BODIES) - {Kind.PING, Kind.QUERY, Kind.RULE}


class Status(StrEnum):
    """What became of a message: it changed something, it had come before, or it was noted and changed nothing."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    NOTED = "noted"


class Receipt(Part):
    """The answer with status 200."""

    received: uuid.UUID
    status: Status
    answer: dict[str, Any] | None = None


def parse(raw: bytes | str) -> Message:
    """Read one message. Raises `pydantic.ValidationError`, whose `errors()` name every field that is wrong."""
    return MESSAGES.validate_json(raw)


def envelope(*, id: uuid.UUID, sender: str, to: str, kind: Kind, sent_at: datetime, body: dict[str, Any],
             matter: uuid.UUID | None = None, seq: int | None = None, handover: uuid.UUID | None = None,
             term: int | None = None) -> str:
    """One message as it travels: JSON, checked by the same types that read it. Raises `pydantic.ValidationError`."""
    fields: dict[str, Any] = {
        "version": VERSION, "id": id, "from": sender, "to": to, "kind": kind.value, "sent_at": sent_at, "body": body,
    }
    if kind in OF_A_HANDOVER:
        fields.update(matter=matter, seq=seq, handover=handover, term=term)
    return MESSAGES.validate_python(fields).model_dump_json(by_alias=True)
