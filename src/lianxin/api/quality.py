"""Review checklists, callback campaigns, and calls that nobody took."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases import missed_calls as calls
from lianxin.cases.models import MissedCallTryOutcome
from lianxin.cases.queries import access_case
from lianxin.cases.reference import reference
from lianxin.faces.limits import allow
from lianxin.kernel.errors import NotAllowed
from lianxin.quality import campaigns
from lianxin.quality.checklist import items_for
from lianxin.quality.queries import CampaignFigures, campaign_figures

from .register import Code, moment
from .requests import key_of, read
from .service import ApiRequest, answer, api, takes
from .tokens import READ

MISSED_PER_MINUTE = 300


class QuestionOut(Schema):
    """One question of the review checklist."""

    code: str
    question: str
    question_en: str
    required: bool = Field(description="A reply passes only when it is answered, and not with `no`.")
    na_allowed: bool = Field(description="May be answered with `na`.")


class Questions(Schema):
    items: list[QuestionOut]


@api.get("/cases/{uuid:case_id}/checklist", response=Questions, operation_id="read_checklist",
         summary="审核清单 what a review answers", tags=["cases"])
def checklist(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """The questions that `approve` and `send_back` answer for this case, in the city's order."""
    request.auth.need(READ)
    case = access_case(request.auth.actor, case_id)
    return answer({"items": [
        {"code": item.code, "question": item.question, "question_en": item.question_en, "required": item.required,
         "na_allowed": item.na_allowed} for item in items_for(case, reference())
    ]})


class CampaignFields(BaseModel):
    """Empty branch, county and unit mean all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"name": "十二月抽样回访", "starts_on": "2026-12-01", "ends_on": "2026-12-31", "share": 30, "minimum": 5}]})

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    starts_on: date
    ends_on: date = Field(description="The last day, included.")
    category: Code = Field("", description="Code of a branch of the category tree.")
    county: Code = ""
    unit: Code = Field("", description="Code of the lead unit.")
    share: int = Field(100, ge=1, le=100, description="Per cent of the cases that are called; 100: everybody.")
    minimum: int = Field(0, ge=0, le=1000, description="The first so many cases of each unit are called in any case.")
    seed: Annotated[str, StringConstraints(max_length=32)] = Field("", description="Makes the draw; drawn when empty.")


class CampaignOut(Schema):
    """A campaign with what it has decided so far."""

    id: int
    name: str
    starts_on: date
    ends_on: date
    category: str | None
    county: str | None
    unit: str | None
    share: int
    minimum: int
    seed: str
    ended_at: datetime | None
    decided: int = Field(description="Cases that passed review under it.")
    drawn: int = Field(description="Of these, those called for.")
    reached: int = Field(description="Of the drawn, those reached.")
    rated: int = Field(description="Of those not drawn, those who rated by themselves.")
    unasked: int = Field(description="Of those not drawn, those closed without an answer.")


class Campaigns(Schema):
    items: list[CampaignOut]


def _campaign(one: CampaignFigures) -> dict[str, Any]:
    c = one.campaign
    return {
        "id": c.pk, "name": c.name, "starts_on": c.starts_on.isoformat(), "ends_on": c.ends_on.isoformat(),
        "category": c.category.code if c.category else None, "county": c.county.code if c.county else None,
        "unit": c.unit.code if c.unit else None, "share": c.share, "minimum": c.minimum, "seed": c.seed,
        "ended_at": moment(c.ended_at), "decided": one.decided, "drawn": one.drawn, "reached": one.reached,
        "rated": one.rated, "unasked": one.unasked,
    }


@api.get("/campaigns", response=Campaigns, operation_id="list_campaigns", summary="回访计划 callback campaigns",
         tags=["quality"])
def list_campaigns(request: ApiRequest) -> HttpResponse:
    """Every campaign, newest first, for supervisors of the city: the seed tells who will be drawn."""
    request.auth.need(READ)
    if not campaigns.may_order(request.auth.actor):
        raise NotAllowed()
    return answer({"items": [_campaign(one) for one in campaign_figures()]})


@api.post("/campaigns", response={201: CampaignOut}, operation_id="define_campaign", summary="定回访计划 order a campaign",
          tags=["quality"], openapi_extra=takes(CampaignFields))
def define_campaign(request: ApiRequest) -> HttpResponse:
    """Order a campaign. It is never changed, only ended early. Where several fit a case, the one ordered last decides."""
    request.auth.need(campaigns.SCOPE)
    said = read(request, CampaignFields)
    made = campaigns.define(by=request.auth.actor, key=key_of(request, request.auth.name), **said.model_dump())
    return answer(_campaign(campaign_figures(made.pk)[0]), status=201)


@api.post("/campaigns/{int:campaign_id}/end", response=CampaignOut, operation_id="end_campaign",
          summary="停止回访计划 end a campaign", tags=["quality"])
def end_campaign(request: ApiRequest, campaign_id: int) -> HttpResponse:
    """End a campaign early. What it has decided stays decided."""
    request.auth.need(campaigns.SCOPE)
    made = campaigns.end(by=request.auth.actor, campaign_id=campaign_id)
    return answer(_campaign(campaign_figures(made.pk)[0]))


class MissedCallFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"phone": "07300000001", "at": "2026-11-23T10:20:00+08:00", "line": "12345"}]})

    phone: Annotated[str, StringConstraints(min_length=3, max_length=40)] = Field(description="Sealed as it comes in.")
    at: AwareDatetime | None = Field(None, description="When it rang; now when silent.")
    line: Annotated[str, StringConstraints(max_length=20)] = Field("", description="The hotline's line that rang.")


class MissedCallOut(Schema):
    id: UUID
    due_at: datetime = Field(description="By when the caller is called back.")
    joined: bool = Field(description="The number was waiting already: the same entry, with the same due time.")


@api.post("/missed-calls", response={201: MissedCallOut}, operation_id="report_missed_call",
          summary="未接来电 report a missed call", tags=["quality"], openapi_extra=takes(MissedCallFields))
def report_missed_call(request: ApiRequest) -> HttpResponse:
    """For the telephone system, with the scope `report_missed_call`: a call that nobody took. Several from one number are one
    entry while it waits."""
    request.auth.need(calls.REPORT)
    allow("missed", request.auth.name, per_minute=MISSED_PER_MINUTE)
    said = read(request, MissedCallFields)
    made = calls.report(by=request.auth.actor, phone=said.phone, at=said.at, line=said.line,
                        key=key_of(request, request.auth.name))
    return answer({"id": str(made.id), "due_at": moment(made.due_at), "joined": made.joined}, status=201,
                  headers={"Idempotent-Replayed": "true"} if made.replayed else {})


class WaitingOut(Schema):
    """One caller to call back. The number is read apart, and every reading is written down."""

    id: UUID
    first_at: datetime
    last_at: datetime
    rings: int
    line: str
    due_at: datetime
    tried: list[datetime]


class WaitingCalls(Schema):
    items: list[WaitingOut]


@api.get("/missed-calls", response=WaitingCalls, operation_id="list_missed_calls", summary="未接来电 who waits for a call back",
         tags=["quality"])
def list_missed_calls(request: ApiRequest) -> HttpResponse:
    """What is due first, for operators; with the scope `call_back`."""
    request.auth.need(calls.CALL_BACK)
    return answer({"items": [
        {"id": str(one.id), "first_at": moment(one.first_at), "last_at": moment(one.last_at), "rings": one.rings,
         "line": one.line, "due_at": moment(one.due_at), "tried": [moment(at) for at in one.tried]}
        for one in calls.waiting(request.auth.actor)
    ]})


class NumberOut(Schema):
    phone: str


@api.post("/missed-calls/{uuid:call_id}/number", response=NumberOut, operation_id="read_missed_number",
          summary="查看来电号码 the number to call", tags=["quality"])
def read_missed_number(request: ApiRequest, call_id: UUID) -> HttpResponse:
    """The number, once it is written down who read it."""
    request.auth.need(calls.CALL_BACK)
    return answer({"phone": calls.read_number(request.auth.actor, call_id)})


class TryFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"outcome": "no_answer"}]})

    outcome: Literal[tuple(MissedCallTryOutcome.values)]  # type: ignore[valid-type]


class TriedOut(Schema):
    id: UUID
    ended: bool = Field(description="Nobody needs to call any more.")
    outcome: str


@api.post("/missed-calls/{uuid:call_id}/tries", response=TriedOut, operation_id="record_missed_try",
          summary="记录回拨 write down a try", tags=["quality"], openapi_extra=takes(TryFields))
def record_missed_try(request: ApiRequest, call_id: UUID) -> HttpResponse:
    """Reached ends the entry; so does the last of the city's tries, or a wrong number."""
    request.auth.need(calls.CALL_BACK)
    said = read(request, TryFields)
    entry = calls.record_try(request.auth.actor, call_id, outcome=str(said.outcome), key=key_of(request, request.auth.name))
    return answer({"id": str(entry.pk), "ended": entry.ended_at is not None, "outcome": entry.outcome})
