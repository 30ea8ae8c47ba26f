"""The knowledge base: answers in force, found and read; faults reported to their owner."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases.reference import reference, today_of
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.clock import now
from lianxin.knowledge import actions, queries
from lianxin.organisations.scopes import named

from . import shapes
from .choices import FaultName
from .problems import Unauthenticated
from .register import moment
from .requests import key_of, read
from .service import ApiRequest, answer, api, takes
from .shapes import Named
from .tokens import READ, bearer, caller_of

REPORT = named("report_article", _("指出知识库文章有误或过时"))
SEARCHES_PER_MINUTE, REPORTS_PER_MINUTE = 600, 60


class ArticleRow(Schema):
    """One article as it is in use. `version` is what `answer_on_the_spot` takes as `article`."""

    code: str
    version: str = Field(description="`code@number`.")
    title: str
    answer: str
    basis: str
    source: str
    unit: Named | None = Field(description="Who answers for it.")
    category: Named | None
    area: str = Field(description="The only area it holds for; empty for the whole city.")
    valid_from: date
    valid_until: date | None
    review_by: date | None
    public: bool
    words: list[str] = Field(description="The words of the question that matched.")


class Articles(Schema):
    items: list[ArticleRow]


class ArticleQuery(Schema):
    q: Annotated[str, StringConstraints(max_length=2000)] = Field("", description="A question or words; all articles when empty.")
    limit: int = Field(10, ge=1, le=50, description="With `q` only.")


def _out(one: queries.Found) -> dict[str, Any]:
    held = reference()
    unit, node = held.units.get(one.unit_id or 0), held.nodes_by_code.get(one.category_code)
    return {
        "code": one.code, "version": one.version, "title": one.title, "answer": one.answer, "basis": one.basis,
        "source": one.source, "unit": shapes.named(unit) if unit else None, "category": shapes.named(node) if node else None,
        "area": one.area, "valid_from": one.valid_from.isoformat(),
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
        "review_by": one.review_by.isoformat() if one.review_by else None, "public": one.public, "words": list(one.words)}


def _public_only(request: HttpRequest) -> bool:
    """A token with the scope `read` sees what is for staff; who has none, or a wrong one, sees what is public."""
    try:
        return not (bearer(request) and caller_of(request).may(READ))
    except Unauthenticated:
        return True


@api.get("/articles", response=Articles, operation_id="list_articles", summary="查知识 find answers", tags=["city"], auth=None)
def articles(request: HttpRequest, query: Query[ArticleQuery]) -> HttpResponse:
    """Answers in force, the best first, with the words that matched. Without a token the public ones."""
    allow("articles", client_address(request), per_minute=SEARCHES_PER_MINUTE)
    on, public = today_of(now()), _public_only(request)
    found = queries.search(query.q, on=on, limit=query.limit, public_only=public, least=0.2) if query.q.strip() else (
        queries.articles(on=on, public_only=public))
    return answer({"items": [_out(one) for one in found]})


@api.get("/articles/{code}", response=ArticleRow, operation_id="read_article", summary="一篇知识 one answer", tags=["city"],
         auth=None)
def article(request: HttpRequest, code: str) -> HttpResponse:
    """One article in force. Without a token a public one."""
    return answer(_out(queries.article(code, on=today_of(now()), public_only=_public_only(request))))


class ArticleReportFields(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"fault": "outdated", "words": "办理地点已经搬到政务大厅二楼。"}]})

    fault: FaultName
    words: Annotated[str, StringConstraints(min_length=1, max_length=actions.WORDS)] = Field(
        description="What is wrong, and what it should say.")


class ArticleReport(Schema):
    id: UUID
    unit: Named = Field(description="Who owes the answer.")
    due_at: datetime


@api.post("/articles/{code}/reports", response={201: ArticleReport}, operation_id="report_article",
          summary="知识有误 say that an answer is wrong", tags=["city"], openapi_extra=takes(ArticleReportFields))
def report(request: ApiRequest, code: str) -> HttpResponse:
    """With the scope `report_article`: the owner unit owes a corrected version, or the reason why it stays, by `due_at`."""
    request.auth.need(REPORT)
    allow("article-report", request.auth.name, per_minute=REPORTS_PER_MINUTE)
    said = read(request, ArticleReportFields)
    made = actions.report(by=request.auth.actor, code=code, fault=said.fault, words=said.words,
                          key=key_of(request, request.auth.name))
    unit = reference().units[made.unit_id]
    return answer({"id": str(made.pk), "unit": shapes.named(unit), "due_at": moment(made.due_at)}, status=201)
