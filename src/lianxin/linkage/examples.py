"""One message of every kind, as two desks say them about one evening: a fight heard through a wall, and what was left of it."""

from __future__ import annotations

from typing import Any, Final

from .wire import VERSION, Kind

OURS: Final = "12345.city"
THEIRS: Final = "110.city"
MATTER: Final = "01935f3c-6a10-7c3e-8f21-4b7d0a9e5c11"
FIRST: Final = "01935f3c-6a11-7a52-9d0e-1c2b3a4d5e6f"
BACK: Final = "01935f41-02b4-7e19-b3c8-5f6a7b8c9d0e"
RULE: Final = "01936a10-77aa-7b04-8c55-0a1b2c3d4e5f"
_DAY: Final = "2026-11-27"


def _at(time: str) -> str:
    return f"{_DAY}T{time}+08:00"


def _message(number: int, kind: Kind, time: str, body: dict[str, Any], *, ours: bool, seq: int | None = None, term: int = 1,
             handover: str = FIRST) -> dict[str, Any]:
    sender, to = (OURS, THEIRS) if ours else (THEIRS, OURS)
    made: dict[str, Any] = {"version": VERSION, "id": f"01935f3c-7000-7000-8000-{number:012d}", "from": sender, "to": to,
                            "kind": kind.value, "sent_at": _at(time)}
    if seq is not None:
        made |= {"matter": MATTER, "seq": seq, "handover": handover, "term": term}
    return made | {"body": body}


OFFER: Final = _message(1, Kind.OFFER, "21:14:05", {
    "emergency": True, "mode": "transfer", "basis": "emergency", "reason": "正在打架，有人受伤",
    "words": "隔壁两口子打起来了，听见摔东西，女的在喊救命。",
    "category": {"code": "security.fight", "name": "打架斗殴", "theirs": "01-03"},
    "place": {"text": "人民路18号2栋", "area": "990101", "lon": 113.1289, "lat": 29.3712},
    "occurred_at": _at("21:10:00"), "wish": "asked", "caller": {"shared": "full", "name": "李明", "phone": "13800138000"},
    "first_receiver": OURS, "reference": "26-0004217-3", "operator": "A017", "call": "rec/20261127/211402", "answer_within": 30,
    "follows": None}, ours=True, seq=1)
ACKNOWLEDGE: Final = _message(2, Kind.ACKNOWLEDGE, "21:14:07", {"operator": "P3302"}, ours=False, seq=1)
NEGOTIATE: Final = _message(3, Kind.NEGOTIATE, "21:14:30", {
    "words": "与来电人三方通话：对方持械，由110处置。", "operator": "P3302", "spoke_with": "A017", "three_way": True, "agreed": "ours"},
    ours=False, seq=2)
SUPPLEMENT: Final = _message(4, Kind.SUPPLEMENT, "21:14:41", {
    "words": "门口停着一辆白色面包车，堵住了单元门。", "place": None, "caller": None, "operator": "A017"}, ours=True, seq=2)
ACCEPT: Final = _message(5, Kind.ACCEPT, "21:14:44", {
    "operator": "P3302", "reference": "JJ20261127-0913", "note": "已派金鹗所", "by": "person"}, ours=False, seq=3, term=2)
PROGRESS: Final = _message(6, Kind.PROGRESS, "21:22:10", {
    "step": "on_scene", "reference": "JJ20261127-0913", "words": "民警到场，双方已分开。",
    "at": _at("21:21:50")}, ours=False, seq=4, term=2)
OUTCOME: Final = _message(7, Kind.OUTCOME, "22:05:00", {
    "result": "mediated", "words": "夫妻口角，无人受伤，双方当场和解；长期积怨，建议社区跟进。",
    "public_words": "民警已到场处置，事态平息。",
    "follow_up": True, "follow_up_words": "请安排社区调解。", "at": _at("22:01:00")}, ours=False, seq=5, term=2)
FOLLOWUP: Final = _message(8, Kind.OFFER, "22:05:01", {
    "mode": "transfer", "basis": "followup", "reason": "请安排社区调解", "words": "夫妻口角已平息，请社区人民调解委员会跟进。",
    "first_receiver": OURS, "reference": "JJ20261127-0913", "operator": "P3302", "wish": "agrees", "answer_within": 900,
    "follows": FIRST}, ours=False, seq=6, term=2, handover=BACK)
CLOSE: Final = _message(9, Kind.CLOSE, "22:06:12", {"told": True}, ours=True, seq=3, term=2)
WITHDRAW: Final = _message(10, Kind.WITHDRAW, "21:14:20", {"reason": "来电人说已经和好，不再需要"}, ours=True, seq=2)
WITHDRAWN: Final = _message(11, Kind.WITHDRAWN, "21:14:21", {}, ours=False, seq=2)
REFUSE: Final = _message(12, Kind.REFUSE, "21:15:02", {
    "reason": "not_police", "words": "噪声扰民，无打斗，属生态环境部门。", "operator": "P3302", "defaulted": False}, ours=False, seq=2)
PHONE: Final = _message(13, Kind.PHONE, "21:16:30", {
    "spoke_with": "P3302", "at": _at("21:16:00"), "agreed": "accepted", "words": "电话告知，对方口头接收。", "operator": "A017"},
    ours=True, seq=2)
PING: Final = _message(14, Kind.PING, "08:00:00", {}, ours=True)
QUERY: Final = _message(15, Kind.QUERY, "08:00:01", {"matter": MATTER}, ours=True)
JOINT_RULE: Final = _message(16, Kind.RULE, "09:30:00", {
    "rule": RULE, "action": "propose", "category": {"code": "noise.neighbour", "name": "邻里噪声", "theirs": "05-11"}, "takes": "sender",
    "words": "邻里噪声没有肢体冲突的，由12345受理。"}, ours=True)

# By the name under which the documents show it.
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "offer": OFFER, "offer_followup": FOLLOWUP, "acknowledge": ACKNOWLEDGE, "accept": ACCEPT, "refuse": REFUSE, "negotiate": NEGOTIATE,
    "withdraw": WITHDRAW, "withdrawn": WITHDRAWN, "supplement": SUPPLEMENT, "phone": PHONE, "progress": PROGRESS, "outcome": OUTCOME,
    "close": CLOSE, "ping": PING, "query": QUERY, "rule": JOINT_RULE,
}
