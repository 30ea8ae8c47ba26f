"""Orders to units and matters under listed supervision. Reminders and written orders are issued by case actions."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid
from lianxin.supervision import listing as service
from lianxin.supervision import queries
from lianxin.supervision.models import Level, Listing, ListingStep, Order, OrderState

from .reads import checked_cursor
from .register import Code, moment
from .requests import key_of, read
from .service import ApiRequest, answer, api, page, takes
from .tokens import READ

Long = Annotated[str, StringConstraints(min_length=1, max_length=service.LONG)]


class OrderOut(Schema):
    """A reminder or a written order."""

    id: UUID
    number: str
    level: str
    state: str
    case_id: UUID
    case_number: str
    unit: str
    demand: str = Field(description="What the supervisor asks; never shown to the reporter.")
    issued_at: datetime
    due_at: datetime | None = Field(description="When the answer is due, while one is owed.")
    answered_at: datetime | None
    settled_at: datetime | None


class OrderPage(Schema):
    items: list[OrderOut]
    next: str | None


class OrderQuery(Schema):
    level: Literal["", "reminder", "written"] = ""
    state: Literal["", "open", "answered", "settled", "noted", "lapsed"] = Field("", description="`open`: an answer is owed.")
    after: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


def _order(one: Order) -> dict[str, Any]:
    return {
        "id": str(one.pk), "number": one.number, "level": one.level, "state": one.state, "case_id": str(one.case_id),
        "case_number": one.case.number, "unit": one.unit.code, "demand": getattr(one, "said", None) or "",
        "issued_at": moment(one.issued_at), "due_at": moment(getattr(one, "due_at", None)),
        "answered_at": moment(one.answered_at), "settled_at": moment(one.settled_at),
    }


@api.get("/supervision/orders", response=OrderPage, operation_id="list_orders", summary="催办与督办 orders to units",
         tags=["supervision"])
def list_orders(request: ApiRequest, query: Query[OrderQuery]) -> HttpResponse:
    """Reminders and written orders about cases the caller may see, newest first."""
    request.auth.need(READ)
    found = queries.orders_for(
        request.auth.actor, state=OrderState(query.state) if query.state else "", level=Level(query.level) if query.level else "",
        after=checked_cursor(query.after, due=True), limit=query.limit)
    return page(request, [_order(one) for one in found.rows], found.after)


class MilestoneOut(Schema):
    id: int
    title: str
    due_on: date
    done_at: datetime | None
    proof: str


class ListingOut(Schema):
    """A matter on the public list."""

    id: UUID
    number: str
    year: int
    serial: int
    title: str
    criteria: str = Field(description="What has to be true before it is taken off the list.")
    unit: str
    leader_name: str
    leader_title: str
    due_on: date
    plan: str
    state: str
    version: int = Field(description="Sent with a step: whoever has seen an older one is told.")
    late: int = Field(description="Promises past their day: milestones', and its own.")
    issued_at: datetime
    delisted_at: datetime | None
    finding: str
    milestones: list[MilestoneOut]


class Listings(Schema):
    items: list[ListingOut]


def _listing(one: Listing) -> dict[str, Any]:
    return {
        "id": str(one.pk), "number": one.number, "year": one.year, "serial": one.serial, "title": one.title,
        "criteria": one.criteria, "unit": one.unit.code, "leader_name": one.leader_name, "leader_title": one.leader_title,
        "due_on": one.due_on.isoformat(), "plan": one.plan, "state": one.state, "version": one.version,
        "late": queries.late(one, localdate(now())), "issued_at": moment(one.issued_at),
        "delisted_at": moment(one.delisted_at), "finding": one.finding,
        "milestones": [
            {"id": m.pk, "title": m.title, "due_on": m.due_on.isoformat(), "done_at": moment(m.done_at), "proof": m.proof}
            for m in one.milestones.all()
        ],
    }


@api.get("/supervision/listings", response=Listings, operation_id="list_listings", auth=None,
         summary="挂牌督办 listed matters", tags=["supervision"])
def list_listings(request: ApiRequest) -> HttpResponse:
    """Every matter on the public list, for everyone: open ones first by the day they are due."""
    return answer({"items": [_listing(one) for one in queries.listings()]})


class ListingFields(BaseModel):
    """All of it but the cases is read by everyone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "title": "花园社区反复停水", "criteria": "连续三十天不停水，抽访十户都说好了。", "unit": "water", "leader_name": "李某",
        "leader_title": "副总经理", "due_on": "2026-12-31", "cases": ["26-0004217-3"]}]})

    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    criteria: Long
    unit: Annotated[Code, StringConstraints(min_length=1)]
    leader_name: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    leader_title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    due_on: date
    cases: Annotated[list[Code], Field(min_length=1, max_length=service.MOST_CASES, description="Numbers of open cases.")]


@api.post("/supervision/listings", response={201: ListingOut}, operation_id="issue_listing", summary="挂牌 list a matter",
          tags=["supervision"], openapi_extra=takes(ListingFields))
def issue_listing(request: ApiRequest) -> HttpResponse:
    """Put a matter on the public list. By: supervisor. Scope: `listings`."""
    request.auth.need(service.SCOPE)
    said = read(request, ListingFields)
    made = service.issue(by=request.auth.actor, key=key_of(request, request.auth.name), **said.model_dump())
    return answer(_listing(made), status=201)


class PlannedFields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    due_on: date


class StepFields(BaseModel):
    """`plan` and `milestones` go with the step plan; `milestone` and `words` (its proof) with milestone; `due_on` and
    `words` with move; `words` with request, refuse and confirm."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"step": "confirm", "version": 5, "words": "走访十户，都说好了。"}]})

    step: Literal["plan", "milestone", "request", "refuse", "confirm", "move"]
    version: int = Field(ge=1, le=2**31)
    words: Annotated[str, StringConstraints(max_length=service.LONG)] = ""
    plan: Annotated[str, StringConstraints(max_length=service.LONG)] = ""
    milestones: Annotated[list[PlannedFields], Field(max_length=service.MOST_MILESTONES)] = []
    milestone: int | None = None
    due_on: date | None = None


@api.post("/supervision/listings/{uuid:listing_id}/steps", response=ListingOut, operation_id="listing_step",
          summary="办理挂牌督办 take a step", tags=["supervision"], openapi_extra=takes(StepFields))
def take_step(request: ApiRequest, listing_id: UUID) -> HttpResponse:
    """One step on a listed matter: plan, milestone and request by the unit, refuse and confirm by somebody who had no
    hand in it, move by a supervisor. Sent again it is a conflict, since the version has moved on. Scope: `listings`."""
    request.auth.need(service.SCOPE)
    said = read(request, StepFields)
    step = ListingStep(said.step)
    if step is ListingStep.MOVE and said.due_on is None:
        raise Invalid(_("请填写新的期限。"), fields={"due_on": str(_("请填写这一项。"))})
    sent = {"milestones": [service.Planned(one.title, one.due_on) for one in said.milestones],
            "milestone": said.milestone or 0, "due_on": said.due_on}
    taken = service.take(
        step, listing_id, by=request.auth.actor, version=said.version,
        words=said.plan if step is ListingStep.PLAN else said.words,
        **{name: sent[name] for name in service.STEPS[step].more})
    return answer(_listing(taken))
