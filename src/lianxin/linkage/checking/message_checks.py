"""Rules of single messages: signatures, form, order, answers to questions. No person is needed at the other desk."""

from __future__ import annotations

import base64
import json
import os
import uuid

from .findings import Untried, check, wanted
from .session import Reply, Session, ago

SIGNING, MESSAGES, ORDER, ERRORS = "signing", "messages", "order", "errors"
TOO_BIG = 300 * 1024


def _refused(reply: Reply, *statuses: int) -> None:
    due = " or ".join(map(str, statuses))
    wanted(reply.status in statuses, f"answered {reply}; {due} was due")


def _stranger() -> str:
    return "whsec_" + base64.b64encode(os.urandom(24)).decode()


@check("sign.good", "A message that is signed well is taken", read=SIGNING)
def good(session: Session) -> None:
    reply = session.taken(session.envelope("ping", {}))
    wanted("pong" in str(reply.said.get("answer")), f"ping was answered {reply}; pong was due")


@check("sign.missing", "A message without a signature is refused with 401", read=SIGNING)
def missing(session: Session) -> None:
    message = session.envelope("ping", {})
    _refused(session.raw(json.dumps(message).encode(), {}), 401)


@check("sign.wrong", "A signature made with another secret is refused with 401", read=SIGNING)
def wrong(session: Session) -> None:
    _refused(session.send(session.envelope("ping", {}), secret=_stranger()), 401)


@check("sign.changed", "A body that was changed after signing is refused with 401", read=SIGNING)
def changed(session: Session) -> None:
    message = session.envelope("ping", {})
    raw = json.dumps(message).encode()
    _refused(session.raw(raw.replace(b'"ping"', b'"pong"'), session.signed(message["id"], raw)), 401)


@check("sign.old", "A signature six minutes old is refused with 401", read=SIGNING)
def old(session: Session) -> None:
    _refused(session.send(session.envelope("ping", {}), at=ago(6)), 401)


@check("sign.ahead", "A signature six minutes ahead is refused with 401", read=SIGNING)
def ahead(session: Session) -> None:
    _refused(session.send(session.envelope("ping", {}), at=ago(-6)), 401)


@check("sign.several", "Of several signatures one good one is enough", read="key-rotation")
def several(session: Session) -> None:
    message = session.envelope("ping", {})
    raw = json.dumps(message).encode()
    headers, other = session.signed(message["id"], raw), session.signed(message["id"], raw, secret=_stranger())
    headers["webhook-signature"] = f"{other['webhook-signature']} {headers['webhook-signature']}"
    _refused(session.raw(raw, headers), 200)


@check("sign.rotation", "The next secret is good while the one before still is", read="key-rotation")
def rotation(session: Session) -> None:
    if len(session.secrets) < 2:
        raise Untried("give --secret twice: the one in use and the next")
    for secret in session.secrets:
        _refused(session.send(session.envelope("ping", {}), secret=secret), 200)


@check("sign.sender", "A sender nobody knows is refused with 401", read=SIGNING)
def sender(session: Session) -> None:
    _refused(session.send(session.envelope("ping", {}) | {"from": f"nobody-{uuid.uuid4().hex[:6]}.example"}), 401)


@check("sign.id", "An id in the envelope that is not the signed webhook-id is refused", read=SIGNING)
def same_id(session: Session) -> None:
    message = session.envelope("ping", {})
    raw = json.dumps(message).encode()
    _refused(session.raw(raw, session.signed(str(uuid.uuid4()), raw)), 400, 401, 422)


@check("form.json", "What is not JSON is refused with 400", read=ERRORS)
def not_json(session: Session) -> None:
    raw = b'{"version": "1", "id": '
    _refused(session.raw(raw, session.signed(str(uuid.uuid4()), raw)), 400)


@check("form.fields", "A field that is missing is refused with 422, code invalid, and named", read=ERRORS)
def fields(session: Session) -> None:
    matter = session.matter()
    body = matter.offer_body()
    del body["words"]
    reply = session.send(matter.message("offer", body))
    _refused(reply, 422)
    wanted(reply.said.get("code") == "invalid", f"the code of a schema fault is invalid; the answer was {reply}")
    wanted("words" in json.dumps(reply.said.get("fields", "")), f"fields must name the missing one, words; the answer was {reply}")


@check("form.after_fault", "A message that was refused leaves no trace: its number is used again by the right one", read=ORDER)
def after_fault(session: Session) -> None:
    matter = session.matter()
    _refused(session.send(matter.message("offer", matter.offer_body(answer_within="soon"))), 422)
    reply = matter.offer()
    wanted(reply.said.get("status") == "applied", f"the right message under the same number is applied; it was {reply}")


@check("form.kind", "A kind of message that the version does not know is refused", read=ERRORS)
def kind(session: Session) -> None:
    _refused(session.send(session.envelope("applause", {})), 400, 422)


@check("form.version", "Another version is refused, not guessed at", read="versions")
def version(session: Session) -> None:
    _refused(session.send(session.envelope("ping", {}) | {"version": "2"}), 400, 422)


@check("form.more", "Fields that the reader does not know are ignored", read="versions")
def more(session: Session) -> None:
    reply = session.send(session.envelope("ping", {"mood": "calm"}) | {"weather": {"sky": "clear"}})
    _refused(reply, 200)


@check("form.addressee", "A message to another desk is refused", read=ERRORS)
def addressee(session: Session) -> None:
    _refused(session.send(session.envelope("ping", {}) | {"to": "119.elsewhere"}), 400, 401, 404, 422)


@check("form.size", "More than 256 kB is refused with 413", read=ERRORS)
def size(session: Session) -> None:
    matter = session.matter()
    _refused(session.send(matter.message("offer", matter.offer_body(operator="x" * TOO_BIG))), 413)


@check("order.duplicate", "The same message again is answered the same, as duplicate, and done once", read=ORDER)
def duplicate(session: Session) -> None:
    matter = session.matter()
    message = matter.message("offer", matter.offer_body())
    session.taken(message)
    matter.seq += 1
    again = session.taken(message)
    wanted(again.said.get("status") == "duplicate", f"the second time the status is duplicate; it was {again}")
    answer = session.query(matter.id)
    wanted(answer.get("last_seq") == 1, f"after one message sent twice the last number is 1; it says {answer}")


@check("order.replay", "A copy of an earlier request changes nothing", read=ORDER)
def replay(session: Session) -> None:
    matter = session.matter()
    message = matter.message("offer", matter.offer_body())
    raw = json.dumps(message).encode()
    headers = session.signed(message["id"], raw)
    _refused(session.raw(raw, headers), 200)
    matter.seq += 1
    matter.say("supplement", {"words": "补充：两人已分开。"})
    again = session.raw(raw, headers)
    wanted(again.status == 200 and again.said.get("status") == "duplicate", f"a replayed request is a duplicate; it was answered {again}")
    answer = session.query(matter.id)
    wanted(answer.get("last_seq") == 2, f"the replay must not set the numbers back; it says {answer}")


@check("order.old_number", "A number that was used before changes nothing, whatever its message", read=ORDER)
def old_number(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    reply = session.send(matter.message("supplement", {"words": "重号"}, seq=1))
    wanted(reply.said.get("status") == "duplicate" or reply.status in (409, 422), f"answered {reply}; 200 duplicate, or 422, was due")
    matter.say("supplement", {"words": "补充照常"})


@check("order.gap", "A gap is refused with 409 out_of_order and the number that is expected", read=ORDER)
def gap(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    reply = session.send(matter.message("supplement", {"words": "跳号"}, seq=4))
    _refused(reply, 409)
    wanted((reply.said.get("code"), reply.said.get("expected")) == ("out_of_order", 2),
           f"the answer has code out_of_order and expected 2; it was {reply}")
    matter.say("supplement", {"words": "补上第二件"})
    answer = session.query(matter.id)
    wanted(answer.get("last_seq") == 2, f"after the gap was filled the last number is 2; it says {answer}")


@check("order.first", "The first message of a matter is number 1: a later one is refused with expected 1", read=ORDER)
def first(session: Session) -> None:
    matter = session.matter()
    reply = session.send(matter.message("offer", matter.offer_body(), seq=3))
    _refused(reply, 409)
    wanted(reply.said.get("expected") == 1, f"expected is 1; the answer was {reply}")
    matter.offer()


@check("order.apart", "A gap in one matter does not hold up another", read=ORDER)
def apart(session: Session) -> None:
    stuck, other = session.matter(), session.matter()
    stuck.offer()
    _refused(session.send(stuck.message("supplement", {"words": "跳号"}, seq=9)), 409)
    other.offer()
    other.say("supplement", {"words": "另一件照常"})


@check("order.unknown", "A message about a matter never offered is refused and takes nothing", read=ERRORS)
def unknown(session: Session) -> None:
    matter = session.matter()
    reply = session.send(matter.message("outcome", {"result": "settled", "words": "x", "at": ago(0).isoformat()}))
    _refused(reply, 422, 404, 409)


@check("query.known", "A question about a matter is answered with holder, term, state and last number", read="query")
def query(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    answer = session.query(matter.id)
    due = {"holder": session.name, "term": 1, "last_seq": 1}
    wanted({key: answer.get(key) for key in due} == due, f"while an offer is open the offering desk holds: {due} was due, not {answer}")
    wanted(answer.get("state") in ("offered", "acknowledged", "negotiating"), f"the state of an open offer is offered; it was {answer}")


@check("query.unknown", "A question about a matter never heard of is answered, not failed at", read="query")
def query_unknown(session: Session) -> None:
    reply = session.send(session.envelope("query", {"matter": str(uuid.uuid4())}))
    answer = reply.said.get("answer") or {}
    wanted(reply.status == 404 or (reply.status == 200 and not answer.get("holder")),
           f"answered {reply}; 404, or 200 with holder null, was due")
