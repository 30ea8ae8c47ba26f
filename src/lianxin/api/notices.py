"""What the clocks have told the caller's person, and opening it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Schema
from pydantic import Field

from lianxin.cases import inbox
from lianxin.cases.models import Notice

from .register import moment
from .service import ApiRequest, answer, api, page
from .tokens import READ


class NoticeOut(Schema):
    """A clock has spoken: to a post, about one duty."""

    id: UUID
    at: datetime
    level: str = Field(description="`reminder`, `escalation` or `circular`.")
    kind: str = Field(description="The kind of clock.")
    rule: str = Field(description="Code of the city's rule.")
    to: str = Field(description="`officer`, `unit_head`, `supervisor` or `leader`.")
    unit: str | None = Field(description="Code of the unit that owes it.")
    due_at: datetime
    case_id: UUID | None
    case_number: str | None
    seen_at: datetime | None
    seen_by: str | None = Field(description="Name of who opened it first.")


class NoticePage(Schema):
    items: list[NoticeOut]
    next: str | None


class NoticeQuery(Schema):
    unseen: bool = Field(False, description="Only what nobody has opened.")
    level: Literal["", "reminder", "escalation", "circular"] = ""
    after: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


def _notice(one: Notice) -> dict[str, Any]:
    return {
        "id": str(one.pk), "at": moment(one.at), "level": one.level, "kind": one.kind, "rule": one.rule, "to": one.to,
        "unit": one.unit.code if one.unit else None, "due_at": moment(one.due_at),
        "case_id": str(one.case_id) if one.case_id else None, "case_number": one.case.number if one.case else None,
        "seen_at": moment(one.seen_at), "seen_by": one.seen_by.name if one.seen_by else None,
    }


@api.get("/notices", response=NoticePage, operation_id="list_notices", summary="提醒 notices", tags=["clocks"])
def list_notices(request: ApiRequest, query: Query[NoticeQuery]) -> HttpResponse:
    """Reminders, escalations and circulars to the caller's posts, newest first."""
    request.auth.need(READ)
    found = inbox.inbox(request.auth.actor, unseen=query.unseen, level=query.level, after=query.after, limit=query.limit)
    return page(request, [_notice(one) for one in found.rows], found.after)


@api.post("/notices/{uuid:notice_id}/seen", response=NoticeOut, operation_id="see_notice", summary="提醒已看 a notice is seen",
          tags=["clocks"])
def see_notice(request: ApiRequest, notice_id: UUID) -> HttpResponse:
    """Says that the caller's person has opened it. Who was first stays written down."""
    request.auth.need(READ)
    return answer(_notice(inbox.open_notice(request.auth.actor, notice_id)))
