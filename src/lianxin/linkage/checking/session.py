"""One run of the kit: the two desks, what the kit sends, what it waits for."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from standardwebhooks.webhooks import Webhook

from lianxin.linkage.wire import PATH, VERSION

from .findings import Failed, wanted
from .hands import Hands
from .listener import Heard, Listener

Said = dict[str, Any]
SLOWEST = 10.0  # seconds for one answer
WORDS = "测试件（联动互通检查）：小区门口两人争吵，已劝开，请派人看看。"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other desk answered; `said` is an empty dict where it was not a JSON object."""

    status: int
    said: Said
    kind: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.said, ensure_ascii=False)[:200]}"


@dataclass(slots=True)
class Session:
    """The kit plays `name`; the other desk is `peer` at `url`. `secrets`: the one in use first, then one it may be rotated to.

    `patience` is how long, in seconds, a program may take to send what it owes; `by_hand` how long a person may.
    """

    url: str
    name: str
    peer: str
    secrets: list[str]
    listener: Listener
    hands: Hands
    patience: float = 15.0
    by_hand: float = 180.0
    number: int = 0
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:4].upper())

    # --- sending -----------------------------------------------------------------------------------------------------------

    def envelope(self, kind: str, body: Said, **more: Any) -> Said:
        return {"version": VERSION, "id": str(uuid.uuid4()), "from": self.name, "to": self.peer, "kind": kind,
                "sent_at": datetime.now(UTC).isoformat(), "body": body, **more}

    def signed(self, id: str, raw: bytes, *, at: datetime | None = None, secret: str = "") -> dict[str, str]:
        """The three headers for a body; `at` now and the secret in use, unless told otherwise."""
        moment = at or datetime.now(UTC)
        signature = Webhook(secret or self.secrets[0]).sign(id, moment, raw.decode())
        return {"webhook-id": id, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}

    def raw(self, raw: bytes, headers: Mapping[str, str]) -> Reply:
        """Post exactly this. Raises Failed when nobody answers in time."""
        began = time.monotonic()
        try:
            reply = requests.post(self.url.rstrip("/") + PATH, data=raw, timeout=SLOWEST, allow_redirects=False,
                                  headers={"Content-Type": "application/json", **headers})
        except requests.RequestException as error:
            raise Failed(f"no answer: {type(error).__name__}: {error}") from error
        try:
            said = reply.json()
        except ValueError:
            said = {}
        return Reply(reply.status_code, said if isinstance(said, dict) else {}, reply.headers.get("Content-Type", ""),
                     time.monotonic() - began)

    def send(self, message: Said, *, at: datetime | None = None, secret: str = "") -> Reply:
        """Post a message, signed."""
        raw = json.dumps(message, ensure_ascii=False).encode()
        return self.raw(raw, self.signed(str(message["id"]), raw, at=at, secret=secret))

    def taken(self, message: Said) -> Reply:
        """Post a message that must be taken. Raises Failed otherwise."""
        reply = self.send(message)
        wanted(reply.status == 200, f"{message['kind']} was answered {reply}; 200 was due")
        wanted(str(reply.said.get("received", "")).lower() == message["id"],
               f"the answer to {message['kind']} does not name the message it received: {reply}")
        return reply

    # --- matters -----------------------------------------------------------------------------------------------------------

    def matter(self) -> Matter:
        """A new matter of the kit's, which it holds."""
        self.number += 1
        return Matter(self, str(uuid.uuid4()), f"TEST-{self.mark}-{self.number}")

    def query(self, matter: str) -> Said:
        """What the other desk says of a matter: holder, term, state, last_seq."""
        reply = self.taken(self.envelope("query", {"matter": matter}))
        answer = reply.said.get("answer")
        wanted(isinstance(answer, dict), f"a query is answered with holder, term, state and last_seq; it was {reply}")
        assert isinstance(answer, dict)
        return answer

    def offered_to_us(self, seconds: float | None = None) -> Matter:
        """Have the other desk offer a new matter. Raises Failed when no offer comes."""
        already = {one.message["id"] for one in self.heard("offer") if one.message}
        self.number += 1
        reference = f"TEST-{self.mark}-{self.number}"
        self.hands.do("offer", handover="", reference=reference, words=WORDS, basis="clear", reason="not_police")
        found = self.listener.wait(
            lambda one: one.status == 200 and one.message is not None and one.message["kind"] == "offer"
            and one.message["id"] not in already, seconds or self.by_hand)
        wanted(found, "no offer came")
        message = found[-1].message
        assert message is not None
        made = Matter(self, message["matter"], str(message["body"].get("reference") or reference), handover=message["handover"],
                      term=message["term"], theirs=True)
        made.body = message["body"]
        return made

    def heard(self, kind: str, matter: str = "") -> list[Heard]:
        """What has come of a kind so far, as often as it came."""
        return [one for one in list(self.listener.heard)
                if one.message and one.message.get("kind") == kind and (not matter or one.message.get("matter") == matter)]


@dataclass(slots=True)
class Matter:
    """One matter on its way between the desks, from the kit's side. `theirs`: the other desk began it."""

    session: Session
    id: str
    reference: str
    handover: str = field(default_factory=lambda: str(uuid.uuid4()))
    term: int = 1
    theirs: bool = False
    seq: int = 0
    body: Said = field(default_factory=dict)

    def message(self, kind: str, body: Said, *, seq: int | None = None, term: int | None = None) -> Said:
        """The next message, or the one with a number that is told; the counter only moves when it is sent."""
        return self.session.envelope(kind, body, matter=self.id, handover=self.handover, seq=seq or self.seq + 1,
                                     term=term or self.term)

    def say(self, kind: str, body: Said | None = None, *, term: int | None = None) -> Reply:
        """Send the next message; it must be taken."""
        reply = self.session.taken(self.message(kind, body or {}, term=term))
        self.seq += 1
        return reply

    def offer_body(self, **more: Any) -> Said:
        return {"emergency": False, "mode": "transfer", "basis": "clear", "reason": "police", "words": WORDS, "wish": "agrees",
                "first_receiver": self.session.name, "reference": self.reference, "operator": "K001", "answer_within": 900, **more}

    def offer(self, **more: Any) -> Reply:
        return self.say("offer", self.offer_body(**more))

    def do(self, what: str, **fields: Any) -> None:
        """Have it done at the other desk."""
        self.session.hands.do(what, handover=self.handover, reference=self.reference, **fields)

    def comes(self, kind: str, *, seconds: float | None = None, handover: str = "") -> Said:
        """The other desk's first message of a kind about this matter. Raises Failed when none comes in time."""
        wait = self.session.by_hand if seconds is None else seconds
        found = self.session.listener.wait(
            lambda one: one.status == 200 and one.message is not None and one.message["kind"] == kind
            and one.message.get("matter") == self.id and (not handover or one.message.get("handover") == handover), wait)
        wanted(found, f"no {kind} came within {wait:.0f} s")
        message = found[0].message
        assert message is not None
        return message

    def stays_away(self, kind: str, *, seconds: float = 1.5) -> None:
        """Raises Failed when a message of a kind comes after all."""
        found = self.session.listener.wait(
            lambda one: one.message is not None and one.message.get("kind") == kind and one.message.get("matter") == self.id, seconds)
        wanted(not found, f"{kind} was sent, and must not be")

    def held_by(self, name: str, term: int) -> None:
        """The other desk says so when it is asked. What it is about to send may still change its mind: it is asked again for
        some seconds."""
        until = time.monotonic() + self.session.patience
        while True:
            answer = self.session.query(self.id)
            if (answer.get("holder"), answer.get("term")) == (name, term):
                return
            if time.monotonic() > until:
                raise Failed(f"asked, it says that {answer.get('holder')} holds the matter in term {answer.get('term')}; "
                             f"it is {name} in term {term}")
            time.sleep(0.2)


def ago(minutes: float) -> datetime:
    """So many minutes before now; a negative number lies ahead."""
    return datetime.now(UTC) - timedelta(minutes=minutes)
