"""The life of a handover, both ways. Most steps need somebody at the other desk."""

from __future__ import annotations

from .findings import check, wanted
from .session import Matter, Said, Session, ago

TO, FROM, WHO = "from-offer-to-outcome", "what-the-other-desk-offers", "who-holds-a-matter"


def _now() -> str:
    return ago(0).isoformat()


def _taken(session: Session, **offer: object) -> tuple[Matter, Said]:
    """A matter that was offered and accepted."""
    matter = session.matter()
    matter.offer(**offer)
    matter.do("accept")
    return matter, matter.comes("accept")


@check("life.acknowledge", "An offer that a person has seen is acknowledged", read=TO, by_hand=True)
def acknowledge(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    matter.do("acknowledge")
    message = matter.comes("acknowledge")
    wanted(message["handover"] == matter.handover, "the acknowledgement names another handover")
    matter.held_by(session.name, 1)


@check("life.accept", "Accepting takes the matter over: the term grows by one, and the other desk holds it", read=WHO, by_hand=True)
def accept(session: Session) -> None:
    matter, message = _taken(session)
    wanted(message["term"] == 2, f"the acceptance of a matter in term 1 carries term 2; it carries {message['term']}")
    wanted(message["handover"] == matter.handover, "the acceptance names another handover")
    matter.held_by(session.peer, 2)


@check("life.outcome", "Progress and outcome come back, and taking note closes it", read=TO, by_hand=True)
def outcome(session: Session) -> None:
    matter, accepted = _taken(session)
    matter.term = accepted["term"]
    matter.do("progress", step="dispatched", words="已派民警。", at=_now())
    message = matter.comes("progress")
    wanted(message["term"] == 2, f"progress carries the term in which it was taken, 2; it carries {message['term']}")
    matter.do("outcome", result="settled", words="现场调解，双方和好。", public_words="民警已到场调解。", at=_now())
    matter.comes("outcome")
    reply = matter.say("close", {"told": True})
    wanted(reply.said.get("status") == "applied", f"close is applied; it was {reply}")
    answer = session.query(matter.id)
    wanted(answer.get("state") == "closed", f"after close the state is closed; it says {answer}")


@check("life.refuse", "A refusal names a reason, and the offering desk still holds", read=TO, by_hand=True)
def refuse(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    matter.do("refuse", reason="not_police", words="不属于警务职责。")
    message = matter.comes("refuse")
    wanted(message["body"].get("reason"), "the refusal names no reason")
    wanted(message["term"] == 1, f"a refusal does not change the term; it carries {message['term']}")
    matter.held_by(session.name, 1)


@check("life.after_refusal", "What was refused may be offered again, under a new handover", read=TO, by_hand=True)
def after_refusal(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    matter.do("refuse", reason="insufficient", words="地点不清。")
    first = matter.handover
    matter.comes("refuse")
    again = Matter(session, matter.id, matter.reference, seq=matter.seq)
    wanted(again.handover != first, "")
    again.offer(basis="unclear")
    again.do("accept")
    message = again.comes("accept", handover=again.handover)
    wanted(message["term"] == 2, f"accepted the second time, the term is 2; it is {message['term']}")


@check("life.withdraw", "An offer that is withdrawn before it was decided ends with withdrawn", read=WHO)
def withdraw(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    matter.say("withdraw", {"reason": "来电人说不用了"})
    matter.comes("withdrawn", seconds=session.patience)
    matter.stays_away("accept", seconds=0.5)
    matter.held_by(session.name, 1)


@check("life.withdraw_late", "An acceptance that was quicker than the withdrawal stands", read=WHO, by_hand=True)
def withdraw_late(session: Session) -> None:
    matter, _message = _taken(session)
    matter.say("withdraw", {"reason": "晚了一步"})  # as one that crossed the acceptance on the way: with the term before it
    matter.stays_away("withdrawn")
    matter.held_by(session.peer, 2)


@check("life.second_offer", "Of one matter only one offer is open at a time", read=WHO)
def second_offer(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    second = Matter(session, matter.id, matter.reference, seq=matter.seq)
    reply = session.send(second.message("offer", second.offer_body()))
    if reply.status == 200:
        message = second.comes("refuse", seconds=session.patience, handover=second.handover)
        wanted(message["body"].get("reason"), "the refusal names no reason")
    else:
        wanted(400 <= reply.status < 500, f"a second open offer is refused; it was answered {reply}")


@check("life.stale_term", "An offer in a term that has passed is not taken", read=WHO, by_hand=True)
def stale_term(session: Session) -> None:
    matter, _message = _taken(session)
    stale = Matter(session, matter.id, matter.reference, seq=matter.seq)
    reply = session.send(stale.message("offer", stale.offer_body(), term=1))
    if reply.status == 200:
        message = stale.comes("refuse", seconds=session.patience, handover=stale.handover)
        wanted(message["body"].get("reason") == "stale_term", f"the reason is stale_term; it was {message['body'].get('reason')}")
    else:
        wanted(400 <= reply.status < 500, f"an offer of who no longer holds is refused; it was answered {reply}")
    matter.held_by(session.peer, 2)


@check("life.supplement", "What becomes known later is taken at any time", read=TO, by_hand=True)
def supplement(session: Session) -> None:
    matter = session.matter()
    matter.offer(emergency=True, basis="emergency", answer_within=30)
    matter.say("supplement", {"words": "补充：有人受伤。", "place": {"text": "金鹗中路 3 号", "lon": 113.1, "lat": 29.37}})
    matter.do("accept")
    matter.term = matter.comes("accept")["term"]
    matter.say("supplement", {"words": "来电人又来电：人在三楼。"})


@check("life.negotiate", "A record of talking it over is taken, and decides nothing", read=TO, by_hand=True)
def negotiate(session: Session) -> None:
    matter = session.matter()
    matter.offer(basis="unclear")
    matter.say("negotiate", {"words": "三方通话，仍不清楚归谁。", "operator": "K001", "spoke_with": "P1", "three_way": True,
                             "agreed": "unclear"})
    matter.do("negotiate", words="我台认为可由 12345 先接。", operator="P1", spoke_with="K001", three_way=True, agreed="theirs")
    matter.comes("negotiate")
    matter.held_by(session.name, 1)


@check("life.unclear", "Still unclear: a refusal may leave it to the first receiver, and says so", read=TO, by_hand=True)
def unclear(session: Session) -> None:
    matter = session.matter()
    matter.offer(basis="unclear")
    matter.do("refuse", reason="defaulted", words="仍不清楚，由首接单位办。", operator="P1", defaulted=True)
    message = matter.comes("refuse")
    wanted(message["body"].get("defaulted") is True, "defaulted is true in such a refusal")
    matter.held_by(session.name, 1)


@check("life.phone", "The record of a telephone call is taken, and decides nothing", read=TO)
def phone(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    matter.say("phone", {"spoke_with": "P1", "at": _now(), "agreed": "accepted", "words": "电话里说接。"})
    matter.held_by(session.name, 1)


@check("life.joint", "Taking part beside the other desk leaves holder and term as they are", read=WHO, by_hand=True)
def joint(session: Session) -> None:
    matter = session.matter()
    matter.offer(mode="joint")
    matter.do("accept")
    message = matter.comes("accept")
    wanted(message["term"] == 1, f"a joint acceptance keeps the term 1; it carries {message['term']}")
    matter.held_by(session.name, 1)


@check("life.followup", "What is left to do comes back as an offer that follows the handover", read=TO, by_hand=True)
def followup(session: Session) -> None:
    matter, accepted = _taken(session)
    matter.term = accepted["term"]
    matter.do("outcome", result="mediated", words="双方已冷静，邻里纠纷未了。", follow_up=True, follow_up_words="请安排调解。", at=_now())
    told = matter.comes("outcome")
    wanted(told["body"].get("follow_up") is True, "follow_up is true in the outcome")
    back = matter.comes("offer")
    wanted((back["body"].get("basis"), back["body"].get("follows"), back["term"]) == ("followup", matter.handover, 2),
           f"the offer has basis followup, follows the handover, in term 2; it is {back['body']} in term {back['term']}")
    wanted(back["handover"] != matter.handover, "the offer back is a handover of its own")
    returned = Matter(session, matter.id, matter.reference, handover=back["handover"], term=3, seq=matter.seq, theirs=True)
    returned.say("accept", {"operator": "K001", "reference": matter.reference})
    returned.held_by(session.name, 3)


@check("back.accept", "What the other desk offers can be accepted; then the kit's desk holds it", read=FROM, by_hand=True)
def back_accept(session: Session) -> None:
    matter = session.offered_to_us()
    matter.say("acknowledge", {"operator": "K001"})
    matter.held_by(session.peer, 1)
    matter.say("accept", {"operator": "K001", "reference": matter.reference}, term=2)
    matter.held_by(session.name, 2)
    matter.say("progress", {"step": "working", "words": "社区在处理。", "at": _now()}, term=2)
    matter.say("outcome", {"result": "settled", "words": "已办好。", "at": _now()}, term=2)
    matter.do("close", told=True)
    matter.comes("close")


@check("back.refuse", "What the kit's desk refuses stays with the other", read=FROM, by_hand=True)
def back_refuse(session: Session) -> None:
    matter = session.offered_to_us()
    matter.say("refuse", {"reason": "elsewhere", "words": "属邻市。", "operator": "K001"})
    matter.held_by(session.peer, 1)


@check("back.withdraw", "The other desk withdraws and waits for withdrawn", read=FROM, by_hand=True)
def back_withdraw(session: Session) -> None:
    matter = session.offered_to_us()
    matter.do("withdraw", reason="报警人取消")
    matter.comes("withdraw")
    matter.say("withdrawn")
    matter.held_by(session.peer, 1)


@check("back.withdraw_late", "An acceptance that crosses the other desk's withdrawal stands", read=FROM, by_hand=True)
def back_withdraw_late(session: Session) -> None:
    matter = session.offered_to_us()
    matter.do("withdraw", reason="报警人取消")
    matter.comes("withdraw")
    matter.say("accept", {"operator": "K001", "reference": matter.reference}, term=2)
    matter.held_by(session.name, 2)


@check("back.after_withdrawn", "After withdrawn was said the offer cannot be accepted any more", read=FROM, by_hand=True)
def back_after_withdrawn(session: Session) -> None:
    matter = session.offered_to_us()
    matter.do("withdraw", reason="报警人取消")
    matter.comes("withdraw")
    matter.say("withdrawn")
    reply = session.send(matter.message("accept", {"operator": "K001"}, term=2))
    wanted(reply.status in (409, 422), f"an acceptance that no crossing explains is refused with 422; it was answered {reply}")
    matter.held_by(session.peer, 1)


@check("back.wrong_term", "An acceptance with a term that does not follow is refused", read=FROM, by_hand=True)
def back_wrong_term(session: Session) -> None:
    matter = session.offered_to_us()
    reply = session.send(matter.message("accept", {"operator": "K001"}, term=7))
    wanted(reply.status in (409, 422), f"in term 1 an acceptance carries term 2; one with 7 is refused with 422; it was answered {reply}")
    matter.held_by(session.peer, 1)


@check("life.wrong_side", "Who offered cannot accept for the other desk", read=WHO)
def wrong_side(session: Session) -> None:
    matter = session.matter()
    matter.offer()
    reply = session.send(matter.message("accept", {"operator": "K001"}, term=2))
    wanted(reply.status in (409, 422), f"answered {reply}; 422 was due")
    matter.held_by(session.name, 1)
