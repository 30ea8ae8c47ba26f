"""For everyone: one's own case by its tracking code, and the cases that are public."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases import narrative, policy
from lianxin.cases import queries as case_queries
from lianxin.cases.families import as_promised
from lianxin.cases.models import Case
from lianxin.cases.queries import access_case
from lianxin.cases.states import Holder, transitions_from
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.organisations.actors import reporter_for
from lianxin.publishing.queries import records
from lianxin.quality.hearing import hearing

from . import shapes
from .actions import ROWS
from .queries import attachments_of
from .register import Code, moment
from .requests import read
from .service import answer, api, case_of_code, page, takes
from .shapes import AttachmentOut, Named


class TrackingFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "K7QM3-9XTPA"}]})

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="As said or typed: case, spaces and hyphens do not matter.")


class Said(Schema):
    at: datetime
    sentence: str
    texts: dict[str, str]


class OpenAction(Schema):
    action: str
    label: str


class TrackedCase(Schema):
    """One's own case in whole sentences. `actions` may be taken with the header X-Tracking-Code."""

    id: UUID
    number: str
    headline: str = Field(description="Whose it is now, and by when.")
    next_steps: list[str]
    unit: str
    words: str
    registered_at: datetime
    due_at: datetime | None
    due_provisional: bool
    closed_at: datetime | None
    round: int
    version: int
    timeline: list[Said]
    attachments: list[AttachmentOut]
    actions: list[OpenAction]


def _tracked(case: Case) -> dict[str, Any]:
    actor = reporter_for(case.pk, via="api")
    heard = hearing(case)
    closed_to_them = {name for name, done in (("rate", heard.rated), ("contest", not heard.contestable)) if done}
    own = [row for row in attachments_of(case) if row.by_reporter or row.public]
    return {
        "id": str(case.pk), "number": case.number, "headline": narrative.headline(case),
        "next_steps": [*narrative.next_steps(case, reachable=bool(case.reporter and case.reporter.phone)), *heard.steps],
        "unit": narrative.unit_of(case), "words": case.words, "registered_at": moment(case.registered_at),
        "due_at": moment(case.due_at), "due_provisional": case.due_provisional, "closed_at": moment(case.closed_at),
        "round": case.round, "version": case.version,
        "timeline": [
            {"at": moment(entry.event.at), "sentence": narrative.said(entry.event, internal=False), "texts": entry.texts}
            for entry in case_queries.timeline(case, public_only=True)
        ],
        "attachments": [shapes.attachment(row) for row in own],
        "actions": [
            {"action": row.action, "label": str(row.label)} for row in transitions_from(case.state)
            if row.action in ROWS and Holder.REPORTER in row.holders and row.action not in closed_to_them
            and policy.can(actor, row.action, case)
        ],
    }


@api.post("/tracking", response=TrackedCase, operation_id="track", summary="查进度 one's own case by its code",
          tags=["residents"], auth=None, openapi_extra=takes(TrackingFields))
def track(request: HttpRequest) -> HttpResponse:
    """The public view of a case. No token; at most twenty codes a minute from one address. Sent again, it reads again."""
    case_id = case_of_code(request, read(request, TrackingFields).code)
    if case_id is None:
        raise NotFound(_("没有这个查询码。请核对后再试。"))
    case = as_promised(access_case(reporter_for(case_id, via="api"), case_id, "reporter", "master"))
    return answer(_tracked(case), headers={"ETag": f'"{case.version}"'})


class PublicCase(Schema):
    """Words cleared by staff; the place is made coarse on purpose."""

    number: str = Field(description="The number of its public page, `/public/NUMBER/`.")
    title: str
    body: str
    answer: str = Field(description="What the reporter was answered, as far as staff cleared it; else empty.")
    stage: str = Field(description="`received`, `with_unit`, `handed_over`, `answered`, `closed` or `declined`.")
    standing: str = Field(description="The same in words.")
    category: Named | None
    county: Named | None
    area: Named | None
    lon: float | None = Field(description="The area's own point, WGS-84 degrees.")
    lat: float | None
    unit: str
    registered_at: datetime
    closed_at: datetime | None


class PublicPage(Schema):
    items: list[PublicCase]
    next: str | None


class PublicQuery(Schema):
    category: Code = Field("", description="Code of a category or of one above it.")
    county: Code = ""
    after: Annotated[str, StringConstraints(max_length=400)] = Field("", description="From a page's `next`.")
    limit: int = Field(50, ge=1, le=200)


def _coded(thing: Any) -> dict[str, str] | None:
    return {"code": thing.code, "name": thing.name} if thing is not None else None


@api.get("/public/cases", response=PublicPage, operation_id="list_public_cases", summary="公开的诉求 public cases",
         tags=["residents"], auth=None)
def public(request: HttpRequest, query: Query[PublicQuery]) -> HttpResponse:
    """Cases whose reporter agreed to publication and which staff cleared, newest first. No token."""
    try:
        found = records(cleared=True, county=query.county, category=query.category, after=query.after, limit=query.limit)
    except Invalid:
        raise Invalid(_("页码标记不对：请用上一页给出的 next。"), fields={"after": str(_("格式不对。"))}) from None
    items = [{
        "number": row.said_number, "title": row.title, "body": row.body, "answer": row.answer, "stage": row.stage,
        "standing": str(row.get_stage_display()),
        "category": _coded(row.category), "county": _coded(row.county), "area": _coded(row.area),
        "lon": row.lon, "lat": row.lat, "unit": row.unit.name if row.unit is not None else "",
        "registered_at": moment(row.opened_at), "closed_at": moment(row.closed_at),
    } for row in found.rows]
    return page(request, items, found.after)
