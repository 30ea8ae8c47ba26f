"""What the clocks have told the caller's person – of cases, and of reports on articles – and opening it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Schema
from pydantic import Field

from lianxin.cases import inbox
from lianxin.cases.models import Notice, NoticeLevel
from lianxin.cases.queries import cursor_of
from lianxin.kernel.errors import NotFound
from lianxin.knowledge import notices as of_articles
from lianxin.knowledge.models import Moment
from lianxin.knowledge.models import Notice as ArticleNotice

from .register import moment
from .service import ApiRequest, answer, api, page
from .tokens import READ


class NoticeOut(Schema):
    """A clock has spoken: to a post, about one duty."""

    id: UUID
    at: datetime
    about: str = Field(description="`case` or `article`: what somebody said against an article of the knowledge base.")
    level: str = Field(description="`reminder`, `escalation` or `circular`; of an article `reported`, `reminder` or `overdue`.")
    kind: str = Field(description="The kind of clock; of an article `article_report`.")
    rule: str = Field(description="Code of the city's rule; empty for an article.")
    to: str = Field(description="`officer`, `unit_head`, `supervisor` or `leader`; of an article `owner`.")
    unit: str | None = Field(description="Code of the unit that owes it.")
    due_at: datetime
    case_id: UUID | None
    case_number: str | None
    article: str | None = Field(description="Code of the article.")
    seen_at: datetime | None
    seen_by: str | None = Field(description="Name of who opened it first.")


class NoticePage(Schema):
    items: list[NoticeOut]
    next: str | None


class NoticeQuery(Schema):
    unseen: bool = Field(False, description="Only what nobody has opened.")
    level: Literal["", "reminder", "escalation", "circular", "reported", "overdue"] = ""
    after: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


def _notice(one: Notice) -> dict[str, Any]:
    return {
        "id": str(one.pk), "at": moment(one.at), "about": "case", "level": one.level, "kind": one.kind, "rule": one.rule, "to": one.to,
        "unit": one.unit.code if one.unit else None, "due_at": moment(one.due_at),
        "case_id": str(one.case_id) if one.case_id else None, "case_number": one.case.number if one.case else None, "article": None,
        "seen_at": moment(one.seen_at), "seen_by": one.seen_by.name if one.seen_by else None,
    }


def _of_article(one: ArticleNotice) -> dict[str, Any]:
    return {
        "id": str(one.pk), "at": moment(one.at), "about": "article", "level": one.moment, "kind": "article_report", "rule": "",
        "to": "owner", "unit": one.unit.code, "due_at": moment(one.report.due_at), "case_id": None, "case_number": None,
        "article": one.report.version.article.code, "seen_at": moment(one.seen_at), "seen_by": one.seen_by.name if one.seen_by else None,
    }


@api.get("/notices", response=NoticePage, operation_id="list_notices", summary="提醒 notices", tags=["clocks"])
def list_notices(request: ApiRequest, query: Query[NoticeQuery]) -> HttpResponse:
    """Reminders, escalations and circulars to the caller's posts, and what was said against articles they answer for, newest
    first."""
    request.auth.need(READ)
    actor, found = request.auth.actor, inbox.Inbox([])
    if query.level in ("", *NoticeLevel):
        found = inbox.inbox(actor, unseen=query.unseen, level=query.level, after=query.after, limit=query.limit)
    rows: list[tuple[Notice | ArticleNotice, dict[str, Any]]] = [(one, _notice(one)) for one in found.rows]
    if query.level in ("", *Moment):
        articles = of_articles.inbox(actor, unseen=query.unseen, moment=query.level, limit=query.limit + 1,
                                     after=inbox.position(query.after) if query.after else None)
        rows += [(one, _of_article(one)) for one in articles]
    rows.sort(key=lambda row: (row[0].at, row[0].pk), reverse=True)
    shown = rows[: query.limit]
    more = len(rows) > query.limit or (found.after and shown)
    return page(request, [told for _one, told in shown], cursor_of(shown[-1][0].at, shown[-1][0].pk) if more else "")


@api.post("/notices/{uuid:notice_id}/seen", response=NoticeOut, operation_id="see_notice", summary="提醒已看 a notice is seen",
          tags=["clocks"])
def see_notice(request: ApiRequest, notice_id: UUID) -> HttpResponse:
    """Says that the caller's person has opened it. Who was first stays written down."""
    request.auth.need(READ)
    try:
        return answer(_notice(inbox.open_notice(request.auth.actor, notice_id)))
    except NotFound:
        return answer(_of_article(of_articles.open_notice(request.auth.actor, notice_id)))
