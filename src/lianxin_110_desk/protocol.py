"""What a message of the other desk does here: in order, each once, decided in this database, answered when it is on the disk."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from . import auto, conduct, states, wire
from .models import THEM, US, Handover, JointRule, Matter, Received
from .moving import accepted, closes, code_of, set_state
from .options import options
from .saying import say, write
from .store import find, insert, next_number, update, writing

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body. Anything but 200 is a problem (RFC 9457), and nothing was taken in."""

    status: int
    body: dict[str, Any]

    @property
    def problem(self) -> bool:
        return self.status != 200


class Problem(Exception):
    """The message is not taken in."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.answer = Answer(status, {"type": f"urn:lianxin:problem:{code}", "title": code.replace("_", " "), "status": status,
                                      "code": code, "detail": detail, **more})


def wrong(code: str, **fields: str) -> Problem:
    """No crossing of messages explains it: it stays with the sender, where people see it."""
    return Problem(422, code, next(iter(fields.values())), fields=fields)


def receive(raw: bytes, headers: Mapping[str, str], *, crash: str = "") -> Answer:
    """Take one message in. `crash` names a place at which the process is ordered to end."""
    try:
        message = _read(raw, headers)
        answer = _take(message, crash)
    except Problem as problem:
        logger.info("refused %s: %s", problem.answer.body["code"], problem.answer.status)
        return problem.answer
    conduct.end_at("after_commit", crash)
    return answer


def _read(raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    if len(raw) > wire.LARGEST:
        raise Problem(413, "too_large", f"more than {wire.LARGEST} bytes")
    try:
        wire.verify(raw, headers, options().secrets, conduct.now())
        message = wire.read(raw)
    except wire.Unsigned as fault:
        raise Problem(401, "signature", str(fault)) from None
    except wire.Malformed as fault:
        raise Problem(400, "malformed", str(fault)) from None
    except wire.Invalid as fault:
        raise Problem(422, "invalid", "fields are wrong", fields=fault.fields) from None
    if message["id"].lower() != headers.get("webhook-id", "").lower():
        raise Problem(400, "malformed", "webhook-id is not the message's id")
    if message["from"] != options().peer:
        raise Problem(401, "signature", "unknown sender")
    if message["to"] != options().name:
        raise Problem(422, "invalid", "another desk's", fields={"to": f"this is {options().name}"})
    return message


def _take(message: dict[str, Any], crash: str) -> Answer:
    identity = uuid.UUID(message["id"])
    with writing():
        before = find(Received, message=identity)
        if before is not None:
            if (before.kind, before.seq) != (message["kind"], message.get("seq")):
                raise wrong("id_reused", id="this id belongs to another message")
            return _receipt(identity, "duplicate", before.answer)
        matter: Matter | None = None
        seq: int | None = None
        answer: dict[str, Any] | None = None
        if "matter" in message and message["kind"] not in APART:
            status, matter, seq = _of_matter(message)
        else:
            status, answer = APART[message["kind"]](message)
        insert(Received(message=identity, matter=matter, seq=seq, kind=message["kind"], answer=answer, status=status))
        conduct.end_at("before_commit", crash)
    logger.info("received %s %s %s", message["kind"], seq or "-", status)
    return _receipt(identity, status, answer)


def _receipt(identity: uuid.UUID, status: str, answer: dict[str, Any] | None) -> Answer:
    return Answer(200, {"received": str(identity), "status": status, "answer": answer})


def _of_matter(message: dict[str, Any]) -> tuple[str, Matter, int]:
    seq, kind = message["seq"], message["kind"]
    matter = find(Matter, id=uuid.UUID(message["matter"]))
    expected = matter.received_seq + 1 if matter else 1
    if seq > expected:
        raise Problem(409, "out_of_order", f"number {expected} has not come yet", expected=expected)
    if seq < expected:
        raise wrong("seq_reused", seq=f"number {seq} was another message; the next is {expected}")
    if matter is None:
        if kind != "offer" or message["term"] != 1:
            raise wrong("unknown_matter", matter="not known here")
        matter = _new_matter(message)
    matter.received_seq = seq
    handover = find(Handover, id=uuid.UUID(message["handover"]))
    if handover is not None and handover.matter_id != matter.id:
        raise wrong("unknown_handover", handover="of another matter")
    if kind == "offer":
        if handover is not None:
            raise wrong("known_handover", handover="was offered before")
        handover, status = _offered(matter, message), "applied"
    else:
        if handover is None:
            raise wrong("unknown_handover", handover="not known here")
        status = _applied(matter, handover, message)
        update(handover)
    return status, matter, seq


def _new_matter(message: dict[str, Any]) -> Matter:
    body = message["body"]
    matter = Matter(
        id=uuid.UUID(message["matter"]), holder=THEM, term=1, number=new_number(), words=body["words"],
        first_receiver=US if body["first_receiver"] == code_of(US) else THEM, emergency=bool(body.get("emergency")))
    insert(matter)
    return matter


def new_number() -> str:
    """This desk's own number of a matter: 110-20261127-0001."""
    day = timezone.localtime().strftime("%Y%m%d")
    return f"{options().name.split('.')[0]}-{day}-{next_number('number ' + day):04d}"


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def known(matter: Matter, body: dict[str, Any]) -> None:
    """What the words of a message say about place, caller and category; the caller saves."""
    place, caller, category = body.get("place") or {}, body.get("caller") or {}, body.get("category") or {}
    matter.place = place.get("text") or matter.place
    matter.area = place.get("area") or matter.area
    if place.get("lon") is not None:
        matter.lon, matter.lat = place["lon"], place["lat"]
    if caller:
        matter.caller_shared = caller["shared"]
        matter.caller_name = caller.get("name") or matter.caller_name
        matter.caller_phone = caller.get("phone") or matter.caller_phone
    matter.category = category.get("name") or category.get("code") or matter.category
    matter.their_number = body.get("reference") or matter.their_number
    matter.occurred_at = moment(body.get("occurred_at")) or matter.occurred_at


def _offered(matter: Matter, message: dict[str, Any]) -> Handover:
    """A new offer. It is refused at once when it rests on another term, or when this desk is ordered to refuse everything."""
    body = message["body"]
    stale = (matter.held_by_us or message["term"] != matter.term
             or matter.handovers.filter(state__in=states.UNDECIDED).exists())
    refusal = "stale_term" if stale else "other" if conduct.conduct().refuse_all else ""
    seconds = body.get("answer_within", 900)
    handover = Handover(
        id=uuid.UUID(message["handover"]), matter=matter, direction="in", mode=body.get("mode", "transfer"),
        basis=body.get("basis", "clear"), emergency=bool(body.get("emergency")), reason=body.get("reason", ""), words=body["words"],
        wish=body.get("wish", "not_asked"), follows=body.get("follows"), offered_at=moment(message["sent_at"]) or timezone.now(),
        due_at=timezone.now() + timedelta(seconds=seconds), auto_at=None if refusal else auto.first_at())
    if refusal:
        set_state(handover, states.REFUSED)
        handover.refusal = refusal
    insert(handover)
    matter.emergency = matter.emergency or handover.emergency
    known(matter, body)
    write(THEM, "offer", matter, handover, body, message=uuid.UUID(message["id"]), operator=body.get("operator", ""))
    if refusal:
        say("refuse", matter, handover, {"reason": refusal, "words": "", "defaulted": False})
    return handover


def _applied(matter: Matter, handover: Handover, message: dict[str, Any]) -> str:
    kind, body, identity = message["kind"], message["body"], uuid.UUID(message["id"])
    by = states.OFFEROR if handover.incoming else states.RECEIVER
    who, _sources, _target = states.TABLE[kind]
    if by not in who:
        raise wrong("wrong_side", kind=f"{kind} is not for the desk that {'offered' if by == states.OFFEROR else 'was asked'}")
    status = "applied" if states.counts(kind, handover.state, by) else "noted"
    if status == "noted" and handover.state not in states.CROSSED.get(kind, ()):
        raise wrong("not_in_this_state", kind=f"{kind} while {handover.state}")
    if status == "applied":
        _move(matter, handover, message)
    write(THEM, kind, matter, handover, body, message=identity, operator=body.get("operator", ""), status=status)
    if status == "applied" and kind == "withdraw":
        say("withdrawn", matter, handover, {})
    return status


def _move(matter: Matter, handover: Handover, message: dict[str, Any]) -> None:
    kind, body = message["kind"], message["body"]
    if kind == "accept":
        if message["term"] != matter.term + (handover.mode == "transfer"):
            raise wrong("stale_term", term=f"the matter is at {matter.term}")
        accepted(matter, handover, THEM)
    elif kind == "refuse":
        handover.refusal = body["reason"]
        set_state(handover, states.after(kind, handover.state, defaulted=bool(body.get("defaulted"))))
    elif kind == "withdraw":
        set_state(handover, states.WITHDRAWN)
    elif kind == "close":
        closes(matter, handover)
    else:
        set_state(handover, states.after(kind, handover.state))
    if kind in ("supplement", "accept", "progress"):
        known(matter, body)
    if kind == "outcome":
        handover.result = body["result"]
        handover.auto_at = auto.first_at()


def _ping(message: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    return "noted", {"pong": True}


def _query(message: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    matter = Matter.objects.filter(id=message["body"]["matter"]).first()
    if matter is None:
        return "noted", {"holder": None, "term": None, "state": None, "last_seq": 0}
    last = matter.handovers.order_by("received_at").last()
    return "noted", {"holder": code_of(matter.holder), "term": matter.term, "state": last.state if last else None,
                     "last_seq": matter.received_seq}


def _rule(message: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    body = message["body"]
    rule = JointRule.objects.filter(id=body["rule"]).first()
    if rule is None:
        category = body.get("category")
        if body["action"] != "propose" or not category or not body.get("takes"):
            raise wrong("unknown_rule", rule="not proposed before, or without category and takes")
        rule = JointRule(id=uuid.UUID(body["rule"]), category=category.get("name") or category["code"], code=category["code"],
                         takes=THEM if body["takes"] == "sender" else US, words=body.get("words", ""), proposed_by=THEM)
    rule.theirs = "reject" if body["action"] == "reject" else "approve"
    rule.save()
    return "applied", None


APART = {"ping": _ping, "query": _query, "rule": _rule}
