"""The telephone system's face: what happens to calls, and how the telephones stand."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.telephony import figures, policy, receiving
from lianxin.telephony.models import CallState, EventKind

from .register import moment
from .requests import read
from .service import ApiRequest, answer, api, takes
from .tokens import READ

Short = Annotated[str, StringConstraints(max_length=20)]


class CallEventFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"id": "1732587600.41-ringing-8001", "call": "1732587600.41", "kind": "ringing", "at": "2026-11-26T10:20:00+08:00",
         "queue": "12345", "number": "07300000001", "extension": "8001"}]})

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="The telephone system's own name of this event: sent again, it changes nothing.")
    call: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="The telephone system's own name of the call, the same in all its events and never used again.")
    kind: Literal[tuple(EventKind.values)] = Field(description="See docs/howto/connect-a-call-centre.md.")  # type: ignore[valid-type]
    at: AwareDatetime = Field(description="When it happened, by the telephone system's clock.")
    queue: Short = Field("", description="The hotline's line or queue.")
    number: Annotated[str, StringConstraints(max_length=40)] = Field(
        "", description="The caller's number, with the first event that knows it; empty when withheld. Sealed as it comes in.")
    agent: Annotated[str, StringConstraints(max_length=60)] = Field(
        "", description="The agent's user name, where the telephone system knows it.")
    extension: Short = Field("", description="The agent's extension.")
    to: Short = Field("", description="To whom a call was transferred, or who was brought in: an extension or a short number.")
    recording: Annotated[str, StringConstraints(max_length=300)] = Field("", description="Where the recording is: an address or a name.")


class CallOut(Schema):
    """The call as it stands by everything told of it so far."""

    call: UUID
    state: Literal[tuple(CallState.values)]  # type: ignore[valid-type]
    agent_known: bool = Field(
        description="Whether somebody sits at the extension, or has the user name. If not, the event counts all the same.")


@api.post("/telephony/events", response=CallOut, operation_id="tell_call", summary="话务事件 something happened to a call",
          tags=["telephony"], openapi_extra=takes(CallEventFields))
def tell_call(request: ApiRequest) -> HttpResponse:
    """For the telephone system, with the scope `tell_call` and an account that holds the role `switchboard`. Events may come
    in any order and more than once; the same `id` with other content is a 409."""
    request.auth.need(receiving.TELL)
    said = read(request, CallEventFields)
    taken = receiving.receive(receiving.Said(
        id=said.id, call=said.call, kind=str(said.kind), at=said.at, line=said.queue, number=said.number, agent=said.agent,
        extension=said.extension, to=said.to, recording=said.recording), by=request.auth.actor)
    return answer({"call": str(taken.call_id), "state": taken.state.value, "agent_known": taken.agent_known},
                  headers={"Idempotent-Replayed": "true"} if taken.replayed else {})


class LineOut(Schema):
    queue: str
    name: str
    waiting: int
    longest_wait_seconds: int


class TodayOut(Schema):
    """Calls that came since midnight. Those that still wait are in `offered` only."""

    offered: int
    answered: int
    answered_in_15: int = Field(description="Answered within 15 seconds of coming.")
    abandoned: int
    missed: int


class AgentsOut(Schema):
    """How many agents are in each state. Who, is not told."""

    ready: int
    on_call: int
    wrap_up: int
    pause: int


class TelephonesOut(Schema):
    at: datetime
    waiting: int
    longest_wait_seconds: int
    queues: list[LineOut]
    agents: AgentsOut
    today: TodayOut


def _figures() -> dict[str, Any]:
    held = figures.figures()
    return {
        "at": moment(held.at), "waiting": held.waiting, "longest_wait_seconds": held.longest_wait_seconds,
        "queues": [{"queue": one.code, "name": one.name, "waiting": one.waiting, "longest_wait_seconds": one.longest_wait_seconds}
                   for one in held.lines],
        "agents": {state.value: count for state, count in held.agents.items()},
        "today": {"offered": held.offered, "answered": held.answered, "answered_in_15": held.answered_in_15,
                  "abandoned": held.abandoned, "missed": held.missed},
    }


@api.get("/telephony/figures", response=TelephonesOut, operation_id="read_telephones", summary="话务数字 how the telephones stand",
         tags=["telephony"])
def read_telephones(request: ApiRequest) -> HttpResponse:
    """Who waits, how long, how many operators are in each state, and today's calls: counts only. With the scope `read`."""
    request.auth.need(READ)
    policy.need_reader(request.auth.actor)
    return answer(_figures())
