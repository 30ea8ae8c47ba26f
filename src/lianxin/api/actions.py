"""One operation for each row of the table that a person may take, made from the table and the actions' signatures.

`POST /cases/{id}/actions/{action}`: the path says the action, so each has its own schema. A new row of the table gets
its operation by itself; the test fails when it lacks an example.
"""

import inspect
import types
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Union

from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    create_model,
)

from lianxin.cases.actions import ACTIONS
from lianxin.cases.actions.dispatching import EMERGENCY_SERVICES, LONG
from lianxin.cases.actions.merging import MOST
from lianxin.cases.actions.returning import BASIS
from lianxin.cases.engine import Done, On
from lianxin.cases.files import claimed
from lianxin.cases.handing_over import Basis, Mode, Wish
from lianxin.cases.models import ContactMeans, Kind, SuspensionReason, Urgency
from lianxin.cases.states import TABLE, Holder, Transition
from lianxin.kernel.errors import Invalid
from lianxin.quality.actions import ACTIONS as QUALITY_ACTIONS
from lianxin.quality.models import ANSWERS, CallbackOutcome, Satisfaction
from lianxin.supervision.actions import ACTIONS as SUPERVISION_ACTIONS

from .queries import recorded
from .register import Code
from .requests import key_of, read, version_of
from .service import REPORTER, STAFF, STAFF_OR_REPORTER, ApiRequest, answer, api, takes

RUN: dict[str, Callable[..., Any]] = {**ACTIONS, **QUALITY_ACTIONS, **SUPERVISION_ACTIONS}
ROWS: dict[str, Transition] = {row.action: row for row in TABLE if row.action in RUN}
FILES = 12
UNITS = 20
YEAR = 525_600  # minutes
QUESTIONS = 40
MANY = {"duplicates": MOST}

Words = Annotated[str, StringConstraints(max_length=LONG)]
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(Kind.values), "urgency": tuple(Urgency.values), "means": tuple(ContactMeans.values),
    "outcome": tuple(CallbackOutcome.values), "satisfaction": tuple(Satisfaction.values),
    "mode": tuple(Mode.values), "wish": tuple(Wish.values),
    "waits_for": tuple(SuspensionReason.values), "service": EMERGENCY_SERVICES, "purpose": ("more", "proof"),
}
# Of one action only: `basis` is words elsewhere.
OWN_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {("offer_handover", "basis"): tuple(Basis.values)}
LENGTHS = {"basis": BASIS, "title": 120, "body": 4000}
CODES = {"category", "area", "lead_unit", "suggested_unit", "route", "officer", "article", "worker", "partner"}
TEXT = {
    "category": "Code of a leaf of the category tree.", "area": "Code of an area.", "lead_unit": "Code of an open unit.",
    "assisting_units": "Codes of open units.", "suggested_unit": "Code of the unit that should have it.",
    "route": "Code of a lawful route: GET /phrases?list=decline_route.", "officer": "A colleague's username.",
    "contacted_at": "With a time zone; now when silent.", "attachments": "Ids of files uploaded before.",
    "answer": "The answer that the reporter holds, with what must not be read blacked out by ■ and nothing else changed; not published "
              "when silent.",
    "public_answer": "Sent to the reporter.", "private_note": "Never shown to the reporter.",
    "answers": "Codes of the review checklist (GET /cases/{id}/checklist) with the answer to each.",
    "justified": "Whether a dissatisfied reporter gave a good reason; `note` says it.",
    "note": "Never shown to the reporter.", "means": "How the reporter was contacted.",
    "duplicates": "Numbers or ids of cases about the same matter.",
    "until": "With a time zone.", "waits_for": "`reporter`: for what was asked of them; `outside`: for a condition named in the words.",
    "worker": "A grid worker's username; one of the place who had no part in it when silent.",
    "partner": "Code of the desk of another service.",
    "mode": "`transfer`: they take it; `joint`: they take their own part and the case stays.",
    "wish": "What the reporter said to it; `against` only goes with an emergency.",
    "emergency": "Danger to life or property; implied by the basis `emergency`.",
    "handled": "Whether the matter was seen to be handled.",
    "lon": "WGS-84 degrees; where the worker stood.", "lat": "WGS-84 degrees.",
    "minutes": "Minutes of the clock's own calendar.", "complex": "Asks for the limits of a complex matter.",
    "article": "Code of the answer that was read out.", "service": "110 police, 119 fire, 120 ambulance, 122 traffic.",
}
_ID = "019a0000-0000-7000-8000-000000000000"
EXAMPLES: dict[str, dict[str, Any]] = {
    "accept": {"category": "010102", "area": "990101001001"},
    "decline": {"route": "court", "explanation": "合同纠纷可以向人民法院起诉，也可以先找人民调解委员会。"},
    "answer_on_the_spot": {"public_answer": "供水热线 24 小时受理，电话……", "category": "010103", "means": "phone"},
    "dispatch": {"lead_unit": "housing", "assisting_units": ["urban"], "note": "请会同城管局现场查看。"},
    "redispatch": {"lead_unit": "urban", "reason": "现场属城管局管理范围。"},
    "add_assisting": {"assisting_units": ["water"]},
    "sign": {},
    "record_contact": {"means": "phone", "reached": True, "contacted_at": "2026-11-23T10:20:00+08:00"},
    "raise_return": {"reason": "not_ours", "evidence": "三定方案第三条。", "suggested_unit": "housing"},
    "uphold_return": {"ruling": "同意，改派住建局。"},
    "reject_return": {"ruling": "属你单位职责，请继续办理。"},
    "rule_jointly": {"lead_unit": "housing", "assisting_units": ["urban"], "ruling": "工地噪声由住建局牵头，城管局夜间巡查。",
                     "basis": "市政府办〔2024〕12 号第三条"},
    "assist_sign": {},
    "assist_reply": {"private_note": "已巡查，未见夜间施工许可。"},
    "hand_to_colleague": {"officer": "urban2"},
    "ask_colleague": {"note": "请补一张夜间照片。"},
    "reply": {"public_answer": "已责令 22 时后停工，并安排夜间值守。", "solved": True, "means": "phone",
              "private_note": "罚款另案。"},
    "approve": {"answers": {}, "note": "答复清楚。"},
    "send_back": {"reason": "没有写明何时停工。", "answers": {}},
    "record_callback_attempt": {"outcome": "reached", "truthful": True, "solved": True, "satisfaction": "satisfied"},
    "reopen": {"reason": "昨夜又施工。"},
    "contest": {"words": "说是办好了，昨晚还是一样。"},
    "close": {"explanation": ""},
    "rate": {"solved": True, "satisfaction": "satisfied", "words": "谢谢。"},
    "withdraw": {"reason": "已经修好了。"},
    "add_information": {"words": "昨晚又停了一次电。"},
    "add_reporter": {"name": "王小明", "phone": "13812342201", "address": ""},
    "attach": {"attachments": [_ID], "purpose": "more"},
    "correct": {"category": "010101", "reason": "听录音核对，是路灯。"},
    "refer_emergency": {"service": "119", "note": "有明火。"},
    "request_publication": {"title": "路灯不亮", "body": "花园社区路灯三天不亮。"},
    "clear_publication": {"title": "路灯不亮", "body": "花园社区路灯三天不亮。"},
    "refuse_publication": {"reason": "内容涉及他人隐私。"},
    "urge": {"words": "明天到期，请抓紧。"},
    "supervise": {"words": "超期三天，请书面说明原因和办结时间。"},
    "answer_supervision": {"words": "材料已到，周五前完成。"},
    "accept_supervision_answer": {"note": "同意。"},
    "refuse_supervision_answer": {"reason": "没有写明责任人。"},
    "merge": {"duplicates": ["26-0004217-3"], "reason": "同一小区、同一次停水。"},
    "suspend": {"waits_for": "reporter", "words": "请发一张树倒的位置的照片。", "until": "2026-11-27T17:00:00+08:00"},
    "resume_work": {"note": "照片收到了。"},
    "lift_suspension": {"reason": "材料可以边办边等。"},
    "ask_extension": {"reason": "路面要等雨停才能铺。", "minutes": 840},
    "grant_extension": {"explanation": "连日下雨，雨停后两天内铺好。", "minutes": 420},
    "refuse_extension": {"reason": "原来的时间够用。"},
    "unmerge": {"reason": "是另一栋楼的水管。"},
    "settle_on_the_spot": {"public_answer": "井盖已盖好，并围了警示带。", "attachments": [_ID], "category": "010101"},
    "offer_handover": {"partner": "110.city", "reason": "来电人说有人持械斗殴。", "basis": "clear", "wish": "agrees", "mode": "transfer",
                       "note": "来电人在楼上，看得见。"},
    "withdraw_handover": {"reason": "核实后属城管职责。"},
    "ask_check": {"note": "请看路灯是否亮了。", "worker": "grid"},
    "answer_check": {"handled": True, "note": "三盏都亮。", "attachments": [_ID]},
}


def fields_of(row: Transition) -> dict[str, inspect.Parameter]:
    """The keyword arguments of an action, with real types."""
    body = RUN[row.action].__wrapped__  # type: ignore[attr-defined]
    hints = typing.get_type_hints(body)
    parameters = list(inspect.signature(body).parameters.values())[1:]
    return {p.name: p.replace(annotation=hints[p.name]) for p in parameters}


def _type(row: Transition, name: str, annotation: Any, required: bool) -> Any:
    members = [m for m in typing.get_args(annotation) if m is not type(None)]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is Union:
        annotation = members[0]
    made: Any
    if (row.action, name) in OWN_CHOICES or name in CHOICES:
        made = Literal[OWN_CHOICES.get((row.action, name)) or CHOICES[name]]
    elif annotation is bool:
        made = StrictBool
    elif annotation is int:
        made = Annotated[StrictInt, Field(ge=1, le=YEAR)]
    elif annotation is float:
        made = Annotated[StrictFloat | StrictInt, Field(ge=-180, le=180)]
    elif annotation is datetime:
        made = AwareDatetime
    elif name == "answers" and typing.get_origin(annotation) is Mapping:
        made = Annotated[dict[Code, Literal[ANSWERS]], Field(max_length=QUESTIONS)]  # type: ignore[valid-type]
    elif typing.get_origin(annotation) is Sequence:
        item, most = (uuid.UUID, FILES) if members[0] is uuid.UUID else (Code, MANY.get(name, UNITS))
        made = Annotated[list[item], Field(max_length=most, min_length=1 if required else 0)]  # type: ignore[valid-type]
    elif name in CODES or (name == "reason" and row.action == "raise_return"):
        made = Annotated[Code, StringConstraints(min_length=1)] if required else Code
    elif annotation is str:
        made = Annotated[str, StringConstraints(max_length=LENGTHS.get(name, LONG), min_length=1 if required else 0)]
    else:
        raise TypeError(f"{row.action}.{name}: no JSON type for {annotation}")
    return made if required else made | None


def model_of(row: Transition) -> type[BaseModel]:
    """The body of one action: its fields, and the version seen."""
    fields: dict[str, Any] = {}
    for name, parameter in fields_of(row).items():
        required = parameter.default is inspect.Parameter.empty
        note = TEXT.get(name)
        if row.action == "raise_return" and name == "reason":
            note = "Code of a reason: GET /phrases?list=return_reason."
        fields[name] = (_type(row, name, parameter.annotation, required),
                        Field(... if required else None, description=note))
    fields["version"] = (Annotated[int, Field(ge=1, le=2**31)] | None, Field(
        None, description="The case's version you have seen; `If-Match` says the same."))
    example = EXAMPLES.get(row.action)
    config = ConfigDict(extra="forbid", json_schema_extra={"examples": [example]} if example is not None else {})
    title = "".join(part.title() for part in row.action.split("_"))
    return create_model(f"{title}Fields", __config__=config, **fields)


class ActionDone(BaseModel):
    """What the action led to. The ETag is the version."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"id": _ID, "event_id": _ID, "state": "dispatched", "version": 3}]})

    id: uuid.UUID
    event_id: uuid.UUID
    state: str
    version: int


BODIES: dict[str, type[BaseModel]] = {name: model_of(row) for name, row in ROWS.items()}


def _told(row: Transition) -> str:
    said = inspect.getdoc(RUN[row.action]) or ""
    who = sorted(str(role.value) for role in row.roles)
    if Holder.REPORTER in row.holders:
        who.append("the reporter, by tracking code")
    sources = ", ".join(state.value for state in row.sources)
    targets = " or ".join(state.value for state in row.targets) or "unchanged"
    return f"{said}\n\nBy: {', '.join(who)}. From: {sources}. State afterwards: {targets}."


def run(request: ApiRequest, case_id: uuid.UUID, action: str, body: BaseModel) -> HttpResponse:
    """Do one action as the caller. A replay is answered as the first time."""
    caller = request.auth
    caller.need(action)
    said = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    version = version_of(request, said.pop("version", None))
    on = On(case_id, caller.actor, version=version, key=key_of(request, caller.name))
    files = set(said.get("attachments", ()))
    if files:
        with transaction.atomic():
            done: Done = RUN[action](on, **said)
            if not done.replayed and not claimed(files, case_id):
                raise Invalid(_("没有找到要添加的文件，请重新上传。"), fields={"attachments": str(_("请重新上传。"))})
    else:
        done = RUN[action](on, **said)
    state, seen = done.state, done.version
    if done.replayed:
        state, seen = recorded(done.event_id)
    headers = {"ETag": f'"{seen}"'} | ({"Idempotent-Replayed": "true"} if done.replayed else {})
    return answer({"id": str(done.case_id), "event_id": str(done.event_id), "state": state, "version": seen},
                  headers=headers)


def _callers(row: Transition) -> list[Any]:
    if Holder.REPORTER not in row.holders:
        return STAFF
    return STAFF_OR_REPORTER if row.roles else REPORTER


def _operation(row: Transition) -> None:
    model = BODIES[row.action]

    def act(request: ApiRequest, case_id: uuid.UUID) -> HttpResponse:
        return run(request, case_id, row.action, read(request, model))

    act.__name__ = row.action
    with override("zh-hans"):
        label = str(row.label)
    api.post(
        f"/cases/{{uuid:case_id}}/actions/{row.action}", response=ActionDone, operation_id=row.action,
        summary=f"{label} {row.action.replace('_', ' ')}", description=_told(row), tags=["actions"],
        auth=_callers(row), openapi_extra=takes(model),
    )(act)


for _row in ROWS.values():
    _operation(_row)
