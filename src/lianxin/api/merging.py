"""Merged cases: those under a master, those that may be about the same matter, and pairs found to be different."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field

from lianxin.cases import duplicates, families
from lianxin.cases.queries import access_case

from . import shapes
from .register import moment
from .requests import read
from .service import ApiRequest, answer, api, takes
from .shapes import CaseRow
from .tokens import READ


class DuplicateOut(Schema):
    """A case under a master. `contacted_at` is when its own reporter was first contacted."""

    case: CaseRow
    merged: bool = Field(description="Handled with the master now; else it was answered with it.")
    contacted_at: datetime | None
    contact_owed: bool


class Duplicates(Schema):
    items: list[DuplicateOut]


class AlikeOut(Schema):
    case: CaseRow
    why: str = Field(description="One line: place, time, words.")
    said: str = Field(description="The score in words: likely, or perhaps, the same matter.")
    score: float = Field(description="What words, place, time and category add up to, 0 to 1; an order, not a probability.")
    metres: int | None
    minutes: int = Field(description="Minutes between the two registrations.")
    words: list[str] = Field(description="What both say.")


class AlikeList(Schema):
    items: list[AlikeOut]


class ApartFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"other": "019a0000-0000-7000-8000-000000000000"}]})

    other: UUID


class Apart(Schema):
    first: UUID
    second: UUID


@api.get("/cases/{uuid:case_id}/duplicates", response=Duplicates, operation_id="list_duplicates",
         summary="并在这件下面的 merged cases", tags=["cases"])
def list_duplicates(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """The cases merged under this one, and those answered with it, oldest first; at most a few hundred."""
    request.auth.need(READ)
    members = families.members_of(access_case(request.auth.actor, case_id), request.auth.actor)
    shown = shapes.case_rows([one.case for one in members])
    return answer({"items": [
        {"case": row, "merged": one.merged, "contacted_at": moment(one.contacted_at), "contact_owed": one.owed}
        for row, one in zip(shown, members, strict=True)
    ]})


@api.get("/cases/{uuid:case_id}/alike", response=AlikeList, operation_id="list_alike",
         summary="可能是同一件事 what may be the same matter", tags=["cases"])
def list_alike(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """Open cases near in place, time and words, likeliest first. Who said it is never looked at."""
    request.auth.need(READ)
    found = duplicates.alike(request.auth.actor, access_case(request.auth.actor, case_id), limit=10)
    shown = shapes.case_rows([one.case for one in found])
    items: list[dict[str, Any]] = [
        {"case": row, "why": one.why, "said": one.said, "score": round(one.score, 3), "metres": one.metres,
         "minutes": int(one.gap.total_seconds() // 60), "words": list(one.words)}
        for row, one in zip(shown, found, strict=True)
    ]
    return answer({"items": items})


@api.post("/cases/{uuid:case_id}/apart", response=Apart, operation_id="set_apart",
          summary="不是同一件事 not the same matter", tags=["cases"], openapi_extra=takes(ApartFields))
def set_apart(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """Remember that two cases are about different matters: they are not suggested to each other again. Sent again, it
    changes nothing. Scope: `merge`."""
    request.auth.need("merge")
    other = read(request, ApartFields).other
    duplicates.set_apart(request.auth.actor, case_id, other)
    first, second = sorted((case_id, other))
    return answer({"first": str(first), "second": str(second)})
