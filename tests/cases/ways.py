"""Ways through the table: valid fields for every action, who takes it, and a case brought to any state."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from lianxin.cases import actions as a
from lianxin.cases.engine import Done, On
from lianxin.cases.models import Attachment, State
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import SYSTEM, Actor, reporter_for
from lianxin.quality import actions as q
from lianxin.supervision import actions as s
from tests.cases.desks import CODE, LINK, link, other_desk
from tests.world import RESIDENT, World

ACTIONS: dict[str, Callable[..., Any]] = a.ACTIONS | q.ACTIONS | s.ACTIONS
# Rows of the table that no person takes with an action of their own.
WITHOUT_ACTION = {"register", "recompute_due", "list_supervision", "delist_supervision", "close_imported", "anonymise",
                  "reopen_unsolved", "close_unasked",
                  "join_master", "follow_master", "answer_with_master", "close_with_master", *LINK, "take_over", "release_duplicate",
                  "lapse_suspension", "note_outside", "remind", "escalate", "circulate"}
VILLAGE = "990101001001"

# Who takes a step by default, and with what. The lead is `urban`, which has two clerks; `water` and `west` assist.
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "accept": ("operator", {"category": "010102", "area": VILLAGE}),
    "decline": ("operator", {"route": "court", "explanation": "这是已起诉的合同纠纷，请向法院提出。"}),
    "answer_on_the_spot": ("operator", {"public_answer": "水费可以在营业厅或网上交。", "means": "phone"}),
    "dispatch": ("dispatcher", {"lead_unit": "urban", "assisting_units": ["water", "west"], "note": "请两家配合。"}),
    "redispatch": ("dispatcher", {"lead_unit": "housing", "reason": "职责在住建局。"}),
    "add_assisting": ("dispatcher", {"assisting_units": ["east"], "note": "请东区配合。"}),
    "sign": ("urban", {}),
    "record_contact": ("urban", {"means": "phone", "reached": True, "note": "约好下午去看。"}),
    "raise_return": ("urban", {"reason": "not_ours", "evidence": "三定方案：归住建局。", "suggested_unit": "housing"}),
    "uphold_return": ("dispatcher", {"ruling": "同意，重新派单。"}),
    "reject_return": ("dispatcher", {"ruling": "属于你局职责，请办理。"}),
    "rule_jointly": ("dispatcher", {"lead_unit": "housing", "assisting_units": ["urban"], "ruling": "住建局牵头，城管局夜间巡查。",
                                    "basis": "市政府办〔2024〕12 号第三条"}),
    "assist_sign": ("water", {}),
    "assist_reply": ("west", {"private_note": "已配合查过。"}),
    "hand_to_colleague": ("urban", {"officer": "urban2"}),
    "ask_colleague": ("dispatcher", {"note": "谁去过现场？"}),
    "reply": ("urban", {"public_answer": "已责令停工。", "solved": True, "private_note": "罚款另案。", "means": "phone"}),
    "approve": ("reviewer", {"note": "写得清楚。"}),
    "send_back": ("reviewer", {"reason": "没有写明何时停工。"}),
    "record_callback_attempt": ("callback", {"outcome": "reached", "truthful": True, "solved": True,
                                             "satisfaction": "satisfied", "note": "说已经安静了。"}),
    "reopen": ("callback", {"reason": "昨夜又施工。"}),
    "contest": ("reporter", {"words": "说是办好了，昨晚还是一样。"}),
    "close": ("callback", {"explanation": "已解决。"}),
    "rate": ("reporter", {"solved": True, "satisfaction": "basically", "words": "还可以。"}),
    "withdraw": ("operator", {"reason": "邻里已经谈好。"}),
    "add_information": ("reporter", {"words": "昨晚又响到一点。"}),
    "add_reporter": ("operator", {"address": "花园社区 3 栋"}),
    "attach": ("reporter", {"attachments": "one"}),
    "correct": ("operator", {"reason": "点错了事项。", "category": "010103"}),
    "refer_emergency": ("operator", {"service": "110", "note": "有人推搡。"}),
    "request_publication": ("reporter", {"title": "工地夜里施工", "body": "工地半夜打桩，希望管一管。"}),
    "clear_publication": ("reviewer", {"title": "工地夜里施工", "body": "工地半夜打桩。"}),
    "refuse_publication": ("reviewer", {"reason": "里面有门牌号。"}),
    "urge": ("supervisor", {"words": "明天到期，请抓紧。"}),
    "supervise": ("supervisor", {"words": "请书面说明原因和办结时间。"}),
    "answer_supervision": ("urban", {"words": "材料已到，周五前完成。"}),
    "accept_supervision_answer": ("supervisor", {"note": "同意。"}),
    "refuse_supervision_answer": ("supervisor", {"reason": "没有写明责任人。"}),
    "merge": ("dispatcher", {"duplicates": "one", "reason": "同一个工地。"}),
    "suspend": ("urban", {"waits_for": "outside", "words": "等供电公司停电后才能换灯。", "until": "soon"}),
    "resume_work": ("urban", {"note": "已停电。"}),
    "lift_suspension": ("dispatcher", {"reason": "不必等。"}),
    "ask_extension": ("urban", {"reason": "连日下雨，路面铺不了。", "minutes": 420}),
    "grant_extension": ("dispatcher", {"explanation": "连日下雨，雨停后铺好。"}),
    "refuse_extension": ("supervisor", {"reason": "原来的时间够用。"}),
    "unmerge": ("dispatcher", {"reason": "是另一个工地。"}),
    "offer_handover": ("operator", {"partner": CODE, "reason": "有人持械打架。", "basis": "clear", "mode": "transfer", "wish": "agrees",
                                    "note": "在三楼。"}),
    "withdraw_handover": ("dispatcher", {"reason": "核实后归城管。"}),
    "settle_on_the_spot": ("grid", {"public_answer": "井盖已盖好。", "attachments": "one", "category": "010101"}),
    "ask_check": ("reviewer", {"note": "请看工地夜里是否停工。"}),
    "answer_check": ("grid", {"handled": True, "note": "没有灯，没有声音。", "attachments": "one"}),
}

WAY_TO: dict[State, tuple[str, ...]] = {
    State.REGISTERED: (),
    State.ACCEPTED: ("accept",),
    State.DISPATCHED: ("accept", "dispatch"),
    State.IN_HAND: ("accept", "dispatch", "sign"),
    State.OBJECTED: ("accept", "dispatch", "sign", "raise_return"),
    State.REPLIED: ("accept", "dispatch", "sign", "reply"),
    State.CALLBACK: ("accept", "dispatch", "sign", "reply", "approve", "record_callback_attempt"),
    State.CLOSED: ("accept", "dispatch", "sign", "reply", "approve", "record_callback_attempt", "close"),
    State.DECLINED: ("decline",),
    State.WITHDRAWN: ("withdraw",),
    State.HANDED_OVER: ("accept", "dispatch", "sign", "offer_handover", "release_handover"),
}

# What has to happen before an action can be taken, besides the state: after which step of the way, which steps.
PRELUDES: dict[str, tuple[str, tuple[str, ...]]] = {
    "answer_check": ("reply", ("ask_check",)),
    "withdraw_handover": ("register", ("offer_handover",)),
    "resume_work": ("sign", ("suspend",)), "lift_suspension": ("sign", ("suspend",)),
    "grant_extension": ("sign", ("ask_extension",)), "refuse_extension": ("sign", ("ask_extension",)),
    "answer_supervision": ("dispatch", ("supervise",)),
    "accept_supervision_answer": ("dispatch", ("supervise", "answer_supervision")),
    "refuse_supervision_answer": ("dispatch", ("supervise", "answer_supervision")),
}


def actor(world: World, case_id: uuid.UUID, name: str) -> Actor:
    """`reporter` is the one whose case it is, `stranger` another reporter, `system` the system, else staff."""
    if name == "reporter":
        return reporter_for(case_id)
    if name == "stranger":
        return reporter_for(uuid7())
    return SYSTEM if name == "system" else world.actor(name)


def upload(by: Actor, *, kind: str = "photo") -> uuid.UUID:
    """A file that belongs to no case yet."""
    return Attachment.objects.create(
        kind=kind, name="现场.jpg", content_type="image/jpeg", size=3, sha256="0" * 64,
        by_reporter=by.kind.value == "reporter", uploaded_by_id=by.staff_id,
    ).pk


def fields_for(action: str, by: Actor) -> dict[str, Any]:
    fields = dict(STEPS[action][1])
    if fields.get("attachments") == "one":
        fields["attachments"] = [upload(by)]
    if fields.get("until") == "soon":
        fields["until"] = now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    if fields.get("duplicates") == "one":
        fields["duplicates"] = [str(another())]
    return fields


def another() -> uuid.UUID:
    """A case by another reporter, about the same matter."""
    return a.register(intake=a.Intake(words="工地夜里打桩，吵得睡不着。", phone="13800002202"), by=RESIDENT).case_id


def take(world: World, case_id: uuid.UUID, action: str, *, by: str = "", key: bytes | None = None,
         version: int | None = None, **fields: Any) -> Done:
    """One step with valid fields, by whoever takes it by default."""
    if action in LINK:
        return link(case_id, action, **fields)
    who = actor(world, case_id, by or STEPS[action][0])
    if action.endswith("_handover"):
        with other_desk():
            return _done(world, case_id, action, who, key, version, fields)
    return _done(world, case_id, action, who, key, version, fields)


def _done(world: World, case_id: uuid.UUID, action: str, who: Actor, key: bytes | None, version: int | None,
          fields: dict[str, Any]) -> Done:
    done: Done = ACTIONS[action](On(case_id, who, version=version, key=key), **(fields_for(action, who) | fields))
    return done


def walk(world: World, case_id: uuid.UUID, steps: Sequence[str]) -> uuid.UUID:
    for step in steps:
        take(world, case_id, step)
    return case_id


def at_state(world: World, state: State, *, before: str = "", **intake: Any) -> uuid.UUID:
    """A case in `state`, brought there by real actions, on which every step out of that state can be taken:
    publication is asked for, one assisting unit (`west`) has signed and the other (`water`) has not. A merged case lies
    under a master that is in hand with the same units. `before` names an action that is to be taken next: its prelude
    is played as well."""
    if state == State.MERGED:
        case_id, master = at_state(world, State.IN_HAND, **intake), at_state(world, State.IN_HAND)
        take(world, master, "merge", duplicates=[str(case_id)])
        return case_id
    if before == "settle_on_the_spot":
        found = upload(world.actor("grid"))
        return a.register(by=world.actor("grid"), intake=a.Intake(
            words="桥头街道花园社区路边井盖缺失。", channel="field", area=VILLAGE, attachments=(found,))).case_id
    case_id = world.case(area=VILLAGE, **intake)
    take(world, case_id, "request_publication")
    after, steps = PRELUDES.get(before, ("", ()))
    if after == "register":
        walk(world, case_id, steps)
    for step in WAY_TO[state]:
        take(world, case_id, step)
        if step == "dispatch":
            take(world, case_id, "assist_sign", by="west")
        if step == after:
            walk(world, case_id, steps)
    return case_id
