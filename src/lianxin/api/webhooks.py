"""Subscriptions to events. What belongs to the token's own account and unit is listed and changed; a subscription is told of the cases
that this account may see."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.faces.limits import allow
from lianxin.kernel.errors import NotAllowed
from lianxin.kernel.text import small_number
from lianxin.organisations.models import Staff, Unit
from lianxin.webhooks import actions, queries
from lianxin.webhooks.models import Delivery, Subscription, SubscriptionState
from lianxin.webhooks.policy import SCOPE
from lianxin.webhooks.types import types

from .register import moment
from .requests import read
from .service import ApiRequest, answer, api, page, takes

TESTS_A_MINUTE = 6
Codes = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=60)]], Field(max_length=actions.MOST_EACH)]


class SubscriptionOut(Schema):
    """One subscription. Its secret is told once, when it is made or changed."""

    id: UUID
    name: str
    url: str
    types: list[str] = Field(description="Types of events; empty: all.")
    units: list[str] = Field(description="Codes of units that have a part in the case; empty: all.")
    areas: list[str] = Field(description="Codes of areas that the case lies in or below; empty: all.")
    state: Literal["active", "paused", "disabled", "ended"]
    created_at: datetime
    answered_at: datetime | None = Field(description="When the receiver last took something.")
    failing_since: datetime | None
    last_error: str
    waiting: int
    dead: int


class Subscriptions(Schema):
    items: list[SubscriptionOut]


class SubscriptionMade(SubscriptionOut):
    secret: str = Field(description="`whsec_…`: verify signatures with it (Standard Webhooks). Shown this once.")


class EventType(Schema):
    type: str
    label: str


class EventTypes(Schema):
    items: list[EventType]


def _out(one: queries.Standing) -> dict[str, Any]:
    row = one.subscription
    return {
        "id": str(row.pk), "name": row.name, "url": row.url, "types": row.types, "units": row.units, "areas": row.areas,
        "state": row.state, "created_at": moment(row.created_at), "answered_at": moment(row.answered_at),
        "failing_since": moment(row.failing_since), "last_error": row.last_error, "waiting": one.waiting, "dead": one.dead,
    }


def _standing(row: Subscription) -> dict[str, Any]:
    return _out(queries.standing(row))


class SubscriptionFields(BaseModel):
    """What is asked for. Empty lists mean all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "name": "数据平台", "url": "https://data.example.cn/hooks/12345", "types": ["case.dispatch", "case.close"], "units": [],
        "areas": []}]})

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    types: Codes = []
    units: Codes = []
    areas: Codes = []

    def wish(self) -> actions.Wish:
        return actions.Wish(name=self.name, url=self.url, types=self.types, units=self.units, areas=self.areas)


@api.get("/webhooks/types", response=EventTypes, operation_id="list_event_types", summary="事件类型 what can be subscribed to",
         tags=["webhooks"])
def list_event_types(request: ApiRequest) -> HttpResponse:
    """Every type of event. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    return answer({"items": [{"type": name, "label": str(label)} for name, label in types().items()]})


@api.get("/webhooks", response=Subscriptions, operation_id="list_webhooks", summary="事件订阅 own subscriptions", tags=["webhooks"])
def list_webhooks(request: ApiRequest) -> HttpResponse:
    """The subscriptions of the token's account in its unit, newest first. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    return answer({"items": [_out(one) for one in queries.standings(request.auth.actor)]})


@api.post("/webhooks", response={201: SubscriptionMade}, operation_id="create_webhook", summary="订阅 subscribe", tags=["webhooks"],
          openapi_extra=takes(SubscriptionFields))
def create_webhook(request: ApiRequest) -> HttpResponse:
    """Subscribe an address to events, with the rights of the token's account in its unit. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    said, actor = read(request, SubscriptionFields), request.auth.actor
    if actor.staff_id is None or actor.unit_id is None:
        raise NotAllowed(_("这个接口令牌没有这一步的权限。"))
    person, unit = Staff.objects.get(pk=actor.staff_id), Unit.objects.get(pk=actor.unit_id)
    made, secret = actions.create(said.wish(), by=actor, person=person, unit=unit)
    return answer(_standing(made) | {"secret": secret}, status=201)


@api.get("/webhooks/{uuid:webhook_id}", response=SubscriptionOut, operation_id="read_webhook", summary="一个订阅 one subscription",
         tags=["webhooks"])
def read_webhook(request: ApiRequest, webhook_id: UUID) -> HttpResponse:
    """How it stands. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    return answer(_standing(actions.found(request.auth.actor, webhook_id)))


@api.put("/webhooks/{uuid:webhook_id}", response=SubscriptionOut, operation_id="change_webhook", summary="更改订阅 ask for something else",
         tags=["webhooks"], openapi_extra=takes(SubscriptionFields))
def change_webhook(request: ApiRequest, webhook_id: UUID) -> HttpResponse:
    """Ask for something else from now on; what waits goes to the new address. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    return answer(_standing(actions.change(webhook_id, read(request, SubscriptionFields).wish(), by=request.auth.actor)))


class SubscriptionStep(BaseModel):
    """`pause` keeps what comes; `resume` sends it in order; `end` sends nothing more and forgets the keys; `rotate` gives a new
    secret beside the old one, which signs for 24 hours more; `test` sends one message now; `replay` sends the events from `since`
    to before `until` again, under the ids they had."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"step": "replay", "since": "2026-11-20T00:00:00+08:00", "until": "2026-11-21T00:00:00+08:00"}]})

    step: Literal["pause", "resume", "end", "rotate", "test", "replay"]
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class StepTaken(SubscriptionOut):
    secret: str | None = Field(None, description="After `rotate`: the new secret, shown this once.")
    delivered: bool | None = Field(None, description="After `test`: whether it was taken.")
    detail: str | None = Field(None, description="After `test`: why it was not.")
    replayed: int | None = Field(None, description="After `replay`: how many events wait to be sent again.")


TURNS = {"pause": SubscriptionState.PAUSED, "resume": SubscriptionState.ACTIVE, "end": SubscriptionState.ENDED}


@api.post("/webhooks/{uuid:webhook_id}/steps", response=StepTaken, operation_id="webhook_step", summary="办理订阅 take a step",
          tags=["webhooks"], openapi_extra=takes(SubscriptionStep))
def webhook_step(request: ApiRequest, webhook_id: UUID) -> HttpResponse:
    """Pause, resume, end, test, change the key, send again. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    said, by = read(request, SubscriptionStep), request.auth.actor
    row = actions.found(by, webhook_id)
    more: dict[str, Any] = {"secret": None, "delivered": None, "detail": None, "replayed": None}
    if said.step == "rotate":
        more["secret"] = actions.rotate(webhook_id, by=by)
    elif said.step == "test":
        allow("webhook-test", request.auth.name, per_minute=TESTS_A_MINUTE)
        tried = actions.test(webhook_id, by=by)
        more |= {"delivered": tried.sent_at is not None, "detail": tried.last_error}
    elif said.step == "replay":
        more["replayed"] = actions.replay_range(webhook_id, *actions.stretch(said.since, said.until), by=by)
    else:
        row = actions.turn(webhook_id, TURNS[said.step], by=by)
    if said.step != "end":
        row = actions.found(by, webhook_id)
    return answer(_standing(row) | more)


class TryOut(Schema):
    at: datetime
    status: int | None
    milliseconds: int
    error: str
    request: dict[str, str] = Field(description="Heads of what was sent, the signature left out.")
    response: dict[str, str] = Field(description="Heads of the answer, cookies left out.")


class DeliveryOut(Schema):
    """One event for one subscription."""

    id: int
    event_id: UUID = Field(description="The header `webhook-id`.")
    kind: Literal["event", "test"]
    type: str
    state: Literal["waiting", "sent", "dead", "withheld"]
    made_at: datetime
    sent_at: datetime | None
    next_at: datetime | None = Field(description="When it is tried next, while it waits.")
    attempts: int
    status: int | None
    last_error: str
    body: dict[str, Any]
    tries: list[TryOut]


class DeliveryPage(Schema):
    items: list[DeliveryOut]
    next: str | None


class DeliveryQuery(Schema):
    state: Literal["", "waiting", "sent", "dead", "withheld"] = ""
    after: str = Field("", max_length=20)
    limit: int = Field(50, ge=1, le=200)


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.pk, "event_id": str(row.event_id), "kind": row.kind, "type": row.type, "state": row.state,
        "made_at": moment(row.made_at), "sent_at": moment(row.sent_at), "next_at": moment(row.next_at) if row.state == "waiting" else None,
        "attempts": row.attempts, "status": row.status, "last_error": row.last_error, "body": queries.body(row),
        "tries": [{"at": moment(one.at), "status": one.status, "milliseconds": one.milliseconds, "error": one.error,
                   "request": one.request, "response": one.response} for one in sorted(row.tries.all(), key=lambda one: one.pk)],
    }


@api.get("/webhooks/{uuid:webhook_id}/deliveries", response=DeliveryPage, operation_id="list_deliveries",
         summary="投递记录 what was sent", tags=["webhooks"])
def list_deliveries(request: ApiRequest, webhook_id: UUID, query: Query[DeliveryQuery]) -> HttpResponse:
    """What was and will be sent, newest first, with every try. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    row = actions.found(request.auth.actor, webhook_id)
    found = queries.log(row, state=query.state, after=small_number(query.after) or 0, limit=query.limit)
    return page(request, [_delivery(one) for one in found.rows], str(found.after) if found.after else "")


@api.post("/webhooks/{uuid:webhook_id}/deliveries/{int:delivery_id}/replay", response=DeliveryOut, operation_id="replay_delivery",
          summary="重新发送 send one again", tags=["webhooks"])
def replay_delivery(request: ApiRequest, webhook_id: UUID, delivery_id: int) -> HttpResponse:
    """Send one event again under its id. Scope: `webhooks`."""
    request.auth.need(SCOPE)
    return answer(_delivery(actions.replay(webhook_id, delivery_id, by=request.auth.actor)))
