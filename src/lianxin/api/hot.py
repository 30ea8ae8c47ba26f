"""Hot issues and surges of the city's own cases."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import Field

from lianxin.kernel.errors import NotAllowed
from lianxin.triage.hot import queries
from lianxin.triage.hot.models import HotSurge, Trend
from lianxin.triage.hot.policy import reads

from . import shapes
from .service import ApiRequest, answer, api, page
from .shapes import CaseRow
from .tokens import READ


class HotIssueOut(Schema):
    """A matter that several people raised. Numbers are those of the whole matter; of people there is the number alone."""

    id: UUID = Field(description="Stays as long as the issue keeps most of its cases.")
    name: str = Field(description="A place and words that several of the cases share.")
    place: str = Field(description="The name that most of the cases have; empty where they share none.")
    area: str | None = Field(description="Code of the smallest area in which more than half of them lie.")
    category: str | None
    unit: str | None = Field(description="The lead unit of most of them.")
    lon: float | None = Field(description="WGS-84 degrees, the middle of its cases.")
    lat: float | None
    first_seen: date
    last_seen: date
    cases: int = Field(description="A master and those merged under it count once.")
    reporters: int = Field(description="Different telephone numbers.")
    anonymous: int = Field(description="Reports without a number; they come on top of `reporters`.")
    days: list[int] = Field(description="Reports of each of the last 28 days.")
    trend: str = Field(description="new, rising, steady, falling, over: the last 14 days against the 14 before.")


class HotIssuePage(Schema):
    items: list[HotIssueOut]
    next: str | None


class HotQuery(Schema):
    trend: Literal["", "new", "rising", "steady", "falling", "over"] = Field("", description="Empty: all but `over`.")
    after: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


class HotCases(Schema):
    items: list[CaseRow]
    next: str | None


class HotCasesQuery(Schema):
    after: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


class SurgeOut(Schema):
    county: str
    category: str = Field(description="Code of a branch of the second level.")
    day: date
    count: int
    expected: float = Field(description="What was to be expected of that weekday.")
    chance: float = Field(description="How likely so many or more were by chance.")


class Surges(Schema):
    items: list[SurgeOut]


def _need(request: ApiRequest) -> None:
    request.auth.need(READ)
    if not reads(request.auth.actor):
        raise NotAllowed(_("热点由督办、派单、领导和县市区政府查看。"))


@api.get("/hot", response=HotIssuePage, operation_id="list_hot_issues", summary="热点 hot issues", tags=["hot"])
def list_hot_issues(request: ApiRequest, query: Query[HotQuery]) -> HttpResponse:
    """Issues with a case that the caller may see, those that most people raised first. For supervisors, dispatchers, leaders, heads
    of units and county governments."""
    _need(request)
    trends = (Trend(query.trend),) if query.trend else queries.ACTIVE
    found = queries.issues_for(request.auth.actor, trends=trends, after=query.after, limit=query.limit)
    return page(request, [issue.as_json() for issue in found.rows], found.after)


@api.get("/hot/{uuid:issue_id}/cases", response=HotCases, operation_id="list_hot_cases", summary="热点的工单 cases of an issue",
         tags=["hot"])
def list_hot_cases(request: ApiRequest, issue_id: UUID, query: Query[HotCasesQuery]) -> HttpResponse:
    """Those of its cases that the caller may see, oldest first."""
    _need(request)
    issue = queries.access_issue(request.auth.actor, issue_id)
    cases, after = queries.cases_of(request.auth.actor, issue, after=query.after, limit=query.limit)
    return page(request, shapes.case_rows(cases), after)


@api.get("/hot/surges", response=Surges, operation_id="list_surges", summary="比平时多 more than usual", tags=["hot"])
def list_surges(request: ApiRequest) -> HttpResponse:
    """Days of the last fourteen with more reports of one branch of categories in one county than usual for the weekday. When nothing is
    going on it rings once in fourteen days at most, over all counties and branches together."""
    _need(request)
    return answer({"items": [_surge(one) for one in queries.surges_for(request.auth.actor)]})


def _surge(one: HotSurge) -> dict[str, Any]:
    return {"county": one.county.code, "category": one.category.code, "day": one.day.isoformat(), "count": one.count,
            "expected": round(one.expected, 2), "chance": one.chance}
