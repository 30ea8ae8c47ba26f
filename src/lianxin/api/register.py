"""`POST /cases`: the hot path. One validation, one SQL statement, one small answer – no framework in between.

It is described in the OpenAPI document like every other operation; a test holds document and answer together.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from lianxin.cases import policy
from lianxin.cases.actions import Intake, Registered, register
from lianxin.cases.actions.intake import WORDS_LIMIT
from lianxin.cases.files import claimed
from lianxin.cases.models import Case, Event
from lianxin.cases.states import BY_ACTION
from lianxin.faces.machines import trust_quiet_connection
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.organisations.models import Role

from .choices import KindName, SystemName, UrgencyName
from .requests import key_of, read
from .tokens import Caller, caller_of

PATH = "/api/v1/cases"
Line = Annotated[str, StringConstraints(max_length=300)]
Code = Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]


class NewCase(BaseModel):
    """What a reporter said, and what is known of it. Only `words` must be given."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "words": "桥头街道花园社区路灯不亮三天了，晚上很黑。", "channel": "api", "lon": 113.1, "lat": 29.3,
        "coordinate_system": "gcj02", "phone": "13812342201", "name": "王小明",
    }]})

    words: Annotated[str, StringConstraints(min_length=1, max_length=WORDS_LIMIT)] = Field(
        description="The reporter's own words; never altered.")
    channel: Literal["phone", "web", "field", "110", "open311", "api", "sensor"] = "api"
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    category: Code | None = Field(None, description="Code of a leaf of the category tree.")
    area: Code | None = Field(None, description="Code of an area; found from the position when silent.")
    place_text: Line = Field("", description="The place in words.")
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, description="Degrees, with `lat`.")
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False, description="Degrees, with `lon`.")
    coordinate_system: SystemName = Field(
        "wgs84", description="What `lon` and `lat` are given in; stored as WGS-84.")
    kind: KindName | None = None
    urgency: UrgencyName | None = None
    name: Annotated[str, StringConstraints(max_length=60)] = Field("", description="The reporter's name; may be left out.")
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    address: Annotated[str, StringConstraints(max_length=200)] = ""
    email: Annotated[str, StringConstraints(max_length=200)] = ""
    language: Literal["zh-hans", "zh-hant", "en"] = Field("zh-hans", description="The reporter's language for messages.")
    confidential: StrictBool = Field(False, description="The units are not shown who reported.")
    message_consent: StrictBool = True
    publication_title: Annotated[str, StringConstraints(max_length=120)] = ""
    publication_body: Annotated[str, StringConstraints(max_length=4000)] = Field(
        "", description="Words the reporter agrees to have published once staff have cleared them.")
    accept: StrictBool = Field(False, description="Accept in the same breath: operators and dispatchers, with a category.")
    attachments: Annotated[list[uuid.UUID], Field(max_length=12)] = Field(
        default_factory=list, description="Ids of files uploaded before by the same token.")


class CaseMade(BaseModel):
    """What to tell the reporter."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "id": "019a0000-0000-7000-8000-000000000000", "number": "26-0000041-2", "tracking_code": "K7QM3-9XTPA",
        "state": "registered", "due_at": "2026-11-26T17:30:00+08:00", "due_provisional": False,
    }]})

    id: uuid.UUID
    number: str = Field(description="The number to say on the phone.")
    tracking_code: str = Field(description="Opens the reporter's tracking page. Given here only.")
    state: str
    due_at: datetime | None
    due_provisional: bool = Field(description="The calendar of the due year is not published yet.")


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in the city's zone."""
    return None if at is None else localtime(at).isoformat()


def _intake(said: NewCase) -> Intake:
    return Intake(
        words=said.words, channel=said.channel, title=said.title, category=said.category or None,
        area=said.area or None, place_text=said.place_text, lon=said.lon, lat=said.lat,
        coordinate_system=said.coordinate_system, kind=said.kind, urgency=said.urgency, name=said.name,
        phone=said.phone, address=said.address, email=said.email, language=said.language,
        confidential=said.confidential, message_consent=said.message_consent,
        publication_title=said.publication_title, publication_body=said.publication_body, accept=said.accept,
        attachments=tuple(said.attachments),
    )


def _with_files(intake: Intake, caller: Caller, key: bytes | None) -> Registered:
    """Files that cannot be found are said, and nothing is registered without them."""
    with transaction.atomic():
        made = register(intake=intake, by=caller.actor, key=key)
        if not made.replayed and not claimed(set(intake.attachments), made.case_id):
            raise Invalid(_("没有找到要添加的文件，请重新上传。"), fields={"attachments": str(_("请重新上传。"))})
    return made


def _accepted_within_reach(intake: Intake, caller: Caller, key: bytes | None) -> Registered:
    """For grants narrowed to a county: a case elsewhere is registered by asking for no acceptance, never accepted."""
    grants = [grant for grant in caller.actor.grants if grant.role in BY_ACTION["accept"].roles]
    with transaction.atomic():
        made = _with_files(intake, caller, key) if intake.attachments else register(intake=intake, by=caller.actor, key=key)
        case = Case.objects.only("county_id").get(pk=made.case_id)
        if not made.replayed and not any(policy.covers(grant, case) for grant in grants):
            raise NotAllowed(_("这件工单不在您负责的区域。"))
    return made


def _everywhere(caller: Caller) -> bool:
    return policy.scope_of(caller.actor).everything


def _first_answer(made: Registered, accepted: bool) -> dict[str, Any]:
    """State and due time as they were when the case was registered, from the log."""
    event = Event.objects.filter(case_id=made.case_id, action="register").values_list("changes", flat=True).get()
    columns = event["case"]
    due = columns["due_at"]
    return {"state": "accepted" if accepted else "registered",
            "due_at": moment(datetime.fromisoformat(due)) if due else None,
            "due_provisional": columns["due_provisional"]}


def create(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Register one case as the caller. Raises what `register` raises, and ValidationError."""
    caller.need("register")
    said = read(request, NewCase)
    if said.accept and not (caller.may("accept") and caller.actor.has(Role.OPERATOR, Role.DISPATCHER)):
        raise NotAllowed(_("您的岗位或令牌不能受理；请去掉 accept，由热线受理。"))
    key = key_of(request, caller.name)
    intake = _intake(said)
    if said.accept and not _everywhere(caller):
        made = _accepted_within_reach(intake, caller, key)
    elif intake.attachments:
        made = _with_files(intake, caller, key)
    else:
        made = register(intake=intake, by=caller.actor, key=key)
    body: dict[str, Any] = {
        "id": str(made.case_id), "number": made.number, "tracking_code": made.tracking_code, "state": made.state,
        "due_at": moment(made.due_at), "due_provisional": made.due_provisional,
    }
    if made.replayed:
        body |= _first_answer(made, said.accept)
    response = HttpResponse(json.dumps(body), status=201, content_type="application/json")
    response.headers["Location"] = f"{PATH}/{made.case_id}"
    if made.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def view(request: HttpRequest) -> HttpResponse:
    """The same without the framework, for the gate."""
    trust_quiet_connection()
    return create(request, caller_of(request))
