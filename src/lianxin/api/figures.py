"""The city's figures of a period, for other programs."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from lianxin.analysis import printing
from lianxin.analysis.assemble import report, scope_of
from lianxin.analysis.periods import Period
from lianxin.analysis.reports import access
from lianxin.analysis.reports.source import Asked, begun, guarded
from lianxin.kernel.errors import NotAllowed

from .register import Code
from .service import ApiRequest, answer, api
from .tokens import READ


class FiguresOut(Schema):
    """As `lianxin analysis figures --json` prints it. Proportions are 0 to 1; `end` of a period is the first day after it."""

    model_config = ConfigDict(extra="allow")

    period: dict[str, Any]
    scope: dict[str, int | None] = Field(description="Ids of what it is narrowed to.")
    as_of: datetime = Field(description="When the facts were read: what was open then counts as open.")
    figures: dict[str, dict[str, Any]] = Field(description="By code: numerator, denominator, value, 95 % interval.")
    breakdowns: dict[str, dict[str, Any]] = Field(description="The same by county, unit and category.")
    registered: int
    closed: int = Field(description="Rounds that were closed for the first time in the period.")
    declined: int


@api.get("/figures", response=FiguresOut, operation_id="read_figures", summary="统计 figures of a period", tags=["figures"])
def figures(request: ApiRequest, period: Annotated[str, StringConstraints(min_length=1, max_length=30)], unit: Code = "",
            county: Code = "", category: Annotated[str, StringConstraints(max_length=12)] = "") -> HttpResponse:
    """For who reads reports: the city's, or those of their own unit or county, which is what they get when they name none.
    `period` is `2026-11`, `2026-W48`, `2026-Q4`, `2026` or `2026-11-01..2026-11-15`."""
    request.auth.need(READ)
    actor = request.auth.actor
    if not any(grant.role in access.READERS for grant in actor.grants):
        raise NotAllowed(access.NO_READER)
    asked = access.reach_of(actor).fitted(Asked(Period.of(period), unit=unit, county=county, category=category))
    begun(asked.period)
    scope = scope_of(unit=asked.unit, county=asked.county, category=asked.category)
    made = guarded(lambda: report(asked.period, scope, breakdowns=printing.ORDER, detail=True))
    return answer(printing.as_plain(made))
