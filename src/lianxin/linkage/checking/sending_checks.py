"""How the other desk sends: signed, in order, one at a time, again until it is answered."""

from __future__ import annotations

import time

from .findings import Untried, check, wanted
from .listener import LOST, Heard
from .session import Session

AGAIN = "sending-again"


def _withdrawn_through(session: Session, *answers: int) -> list[Heard]:
    """What came when the kit answered `withdrawn` – which every desk sends by itself – with these statuses first."""
    matter = session.matter()
    matter.offer()
    plan = session.listener.plan("withdrawn", *answers)
    matter.say("withdraw", {"reason": "互通检查"})
    until = time.monotonic() + session.patience + 15.0 * len(answers)
    while time.monotonic() < until:
        found = session.heard("withdrawn", matter.id)
        if any(one.status == 200 for one in found):
            return found
        time.sleep(0.05)
    wanted(not plan.answers, "no withdrawn came")
    wanted(False, f"withdrawn was answered {', '.join(str(one) if one else 'by a broken line' for one in answers)} "
           "and did not come again")
    return []


def _same(found: list[Heard]) -> None:
    wanted(len({one.id for one in found}) == 1, "a message that is sent again keeps its webhook-id; it came under several")
    wanted(len({(one.message or {}).get("seq") for one in found}) == 1, "a message that is sent again keeps its seq")
    wanted(len({one.raw for one in found}) == 1, "a message that is sent again is the same, byte for byte")


@check("send.after_503", "A message that was answered 503 is sent again, the same", read=AGAIN)
def after_503(session: Session) -> None:
    _same(_withdrawn_through(session, 503))


@check("send.after_lost", "A message whose answer was lost is sent again, the same", read=AGAIN)
def after_lost(session: Session) -> None:
    _same(_withdrawn_through(session, LOST))


@check("send.patience", "It goes on sending after two failures", read=AGAIN)
def patience(session: Session) -> None:
    _same(_withdrawn_through(session, 503, LOST))


@check("send.one_at_a_time", "The next message of a matter waits until the one before was answered", read=AGAIN, by_hand=True)
def one_at_a_time(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    session.listener.plan("acknowledge", 503, 503)
    matter.do("acknowledge")
    session.listener.wait(lambda one: bool(one.message) and one.message["kind"] == "acknowledge"  # type: ignore[index]
                          and one.message["matter"] == matter.id, session.by_hand)  # type: ignore[index]
    matter.do("accept")
    matter.comes("accept")
    order = [(one.message["kind"], one.status) for one in list(session.listener.heard) if one.message
             and one.message.get("matter") == matter.id]
    wanted(order.index(("accept", 200)) > order.index(("acknowledge", 200)), f"accept came before acknowledge was answered: {order}")
    wanted(all(kind != "accept" for kind, _status in order[:order.index(("acknowledge", 200))]),
           f"accept was sent while acknowledge was not answered: {order}")


@check("send.expected", "After a 409 with expected it goes back to that number", read=AGAIN, by_hand=True)
def expected(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    matter.do("acknowledge")
    matter.comes("acknowledge")
    before = len(session.heard("acknowledge", matter.id))
    session.listener.plan("accept", (409, {"code": "out_of_order", "expected": 1}))  # as a desk that was set back to an older copy
    matter.do("accept")
    matter.comes("accept")
    wanted(len(session.heard("acknowledge", matter.id)) > before, "message 1 was expected and did not come again")


def _faults(session: Session, what: str) -> None:
    heard = list(session.listener.heard)
    if not heard:
        raise Untried("nothing came from the other desk in this run")
    found = [words for one in heard for kind, words in one.faults if kind == what]
    wanted(not found, f"{len(found)} of {len(heard)} messages: " + "; ".join(sorted(set(found))[:3]))


@check("send.signed", "Everything it sends is signed with the agreed secret, and in time", read="signing")
def signed(session: Session) -> None:
    _faults(session, "signed")


@check("send.form", "Everything it sends fits the schema and names both desks", read="messages")
def form(session: Session) -> None:
    _faults(session, "form")


@check("send.order", "Its numbers have no gaps", read="order")
def order(session: Session) -> None:
    _faults(session, "order")
