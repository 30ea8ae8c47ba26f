"""How many operators each half-hour needs, by the hotline's own call log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from lianxin.analysis.charts import Caption, Column, columns
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid
from lianxin.telephony import staffing
from lianxin.telephony.staffing import Asked, Line, Plan

from ..access import StaffRequest, staff
from .boards import context_for

NUMBERS = ("weeks", "share", "within", "shrinkage")


def asked_in(query: QueryDict) -> Asked:
    """What the form asks; what is missing is as usual. Raises Invalid."""
    usual = Asked()
    faults: dict[str, str] = {}
    values: dict[str, int] = {}
    for name in NUMBERS:
        said = query.get(name, "").strip()
        values[name] = getattr(usual, name)
        if said.isascii() and said.isdigit() and len(said) < 6:
            values[name] = int(said)
        elif said:
            faults[name] = _("请填整数。")
    try:
        asked = Asked(kind=query.get("kind") or usual.kind, **values)
    except Invalid as error:
        raise Invalid(fields={**error.fields, **faults}) from error
    if faults:
        raise Invalid(fields=faults)
    return asked


def picture(plan: Plan) -> str:
    """The day as columns."""
    busiest = max(plan.lines, key=lambda line: line.operators)
    told = _("每根柱子是半小时要几个人接电话，最多的是 %(at)s 起的半小时，要 %(n)d 人。"
             "虚线是 95%% 的范围，横线是平均实际有几人，空心柱子是来电太少。") % {
        "at": busiest.at.strftime("%H:%M"), "n": busiest.operators}
    shown = [Column(line.at.strftime("%H:%M"), line.operators, line.fewest, line.most_operators, line.present, line.few)
             for line in plan.lines]
    return columns(shown, caption=Caption("staffing", _("每半小时要几个人"), told), every=8)


@dataclass(frozen=True, slots=True)
class Row:
    """A half-hour as the page shows it; shares are whole per cents."""

    line: Line
    until: time
    within: int
    gives_up: int
    in_time: int | None


def row_of(line: Line) -> Row:
    until = (datetime.combine(localdate(now()), line.at) + timedelta(minutes=30)).time()
    return Row(line, until, int(line.expected.answered_within * 100), round(line.expected.gives_up * 100),
               None if line.in_time is None else round(line.in_time * 100))


@staff(*staffing.PLANNERS)
@require_GET
def plan(request: StaffRequest) -> HttpResponse:
    """The plan for one kind of day."""
    fault: Invalid | None = None
    try:
        asked = asked_in(request.GET)
    except Invalid as error:
        fault, asked = error, Asked()
    made = staffing.plan(request.actor, asked, today=localdate(now())) if fault is None else None
    typed = {name: request.GET.get(name, getattr(asked, name)) for name in (*NUMBERS, "kind")}
    return render(request, "desk/staffing.html", context_for(
        request, plan=made, fault=fault, fields=fields(typed, fault), kind=typed["kind"],
        kinds=[("workday", _("工作日")), ("restday", _("休息日"))],
        rows=[row_of(line) for line in made.lines if line.total] if made else [],
        picture=picture(made) if made and made.lines else "",
    ), status=fault.status if fault else 200)


def fields(typed: dict[str, object], fault: Invalid | None) -> list[dict[str, object]]:
    """The numbers that can be asked, as the form shows them."""
    said = {"weeks": (_("看最近几周"), ""), "share": (_("要接起的比例"), "%"), "within": (_("几秒内接起"), ""),
            "shrinkage": (_("不在座位上的时间"), "%")}
    return [{"name": name, "label": said[name][0], "unit": said[name][1], "value": typed[name], "low": staffing.BOUNDS[name][0],
             "high": staffing.BOUNDS[name][1], "fault": fault.fields.get(name, "") if fault else ""} for name in NUMBERS]
