"""Hot issues: matters that many people raise, as they rise; one of them with its cases, to be taken as one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from lianxin.cases.engine import submission_key
from lianxin.cases.models import Case
from lianxin.cases.reference import reference
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import small_number
from lianxin.triage.hot import queries, taking
from lianxin.triage.hot.models import HotIssue, HotSurge, Trend
from lianxin.triage.hot.policy import reads

from ..access import StaffRequest, staff
from ..boards import ALL, boards_for
from ..rows import Line, lines
from .boards import context_for

MOODS: Final = {Trend.NEW: "amber", Trend.RISING: "vermilion", Trend.OVER: "green"}
# What the board shows: the trends, and what that is called.
SHOWN: Final[dict[str, tuple[tuple[Trend, ...], str | Promise]]] = {
    "": (queries.ACTIVE, gettext_lazy("还在发生")),
    "rising": ((Trend.NEW, Trend.RISING), gettext_lazy("新出现和上升的")),
    "over": ((Trend.OVER,), gettext_lazy("已平息的")),
}
HEIGHT: Final = 24  # of the small picture, in its own units; a day is four wide
MOST_ON_MAP: Final = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the small picture."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """One issue as the board shows it."""

    issue: HotIssue
    mood: str
    bars: list[Bar]
    most: int
    total: int


def _row(issue: HotIssue) -> Row:
    most = max(issue.days)
    tall = [count / most * HEIGHT if most else 0.0 for count in issue.days]
    bars = [Bar(4 * day, round(HEIGHT - height, 1), round(height, 1)) for day, height in enumerate(tall) if height]
    return Row(issue, MOODS.get(Trend(issue.trend), ""), bars, most, sum(issue.days))


def _surges(found: Sequence[HotSurge]) -> list[dict[str, Any]]:
    return [{"surge": one, "usual": round(one.expected, 1),
             "cases": urlencode({"county": one.county.code, "category": one.category.code})} for one in found]


def asked_of(request: StaffRequest) -> tuple[str, str, int | None]:
    """What is shown, the county's code, and its id; what is not known counts as nothing."""
    shown = request.GET.get("trend", "")
    county = reference().places_by_code.get(request.GET.get("county", "")[:24])
    return shown if shown in SHOWN else "", county.code if county else "", county.id if county else None


def _refused(request: StaffRequest) -> HttpResponse:
    return render(request, "desk/refused.html", {"reason": _("热点由督办、派单、领导和县市区政府查看。")}, status=403)


@staff()
@require_GET
def hot(request: StaffRequest) -> HttpResponse:
    """The board: issues by how many raised them, where they are, and days with more than usual."""
    if not reads(request.actor):
        return _refused(request)
    shown, county, county_id = asked_of(request)
    page = queries.issues_for(request.actor, trends=SHOWN[shown][0], county=county_id, after=request.GET.get("after", ""))
    asked = {key: value for key, value in (("trend", shown), ("county", county)) if value}
    counties = sorted((place.code, place.said) for place in reference().places.values() if place.level == "county")
    return render(request, "desk/hot.html", context_for(
        request, rows=[_row(issue) for issue in page.rows], after=page.after, query=urlencode(asked), shown=shown, county=county,
        kinds=[(key, label) for key, (_trends, label) in SHOWN.items()], counties=counties, run=queries.last_run(),
        surges=_surges(queries.surges_for(request.actor, county=county_id)),
        see_all=ALL in boards_for(request.actor), days=settings.LIANXIN_HOT_DAYS,
        fortnight=queries.FORTNIGHT.days, placed=any(issue.lon is not None for issue in page.rows)))


@staff()
@require_GET
def points(request: StaffRequest) -> HttpResponse:
    """The same issues for the map, at most `MOST_ON_MAP`: a point where the middle of each lies."""
    if not reads(request.actor):
        return _refused(request)
    shown, _county, county_id = asked_of(request)
    found = queries.issues_for(request.actor, trends=SHOWN[shown][0], county=county_id, limit=MOST_ON_MAP).rows
    return JsonResponse({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [issue.lon, issue.lat]},
         "properties": {"count": issue.voices, "name": issue.name, "page": reverse("desk:hot_issue", args=[issue.pk])}}
        for issue in found if issue.lon is not None]}, content_type="application/geo+json")


@dataclass(frozen=True, slots=True)
class Member:
    """A case of an issue on its page: `why` says why it cannot be taken under the master, `ticked` whether it is chosen."""

    line: Line
    master: bool
    why: str
    ticked: bool


def _members(request: StaffRequest, cases: list[Case], master: Case | None) -> list[Member]:
    why = taking.left_to_take(request.actor, master, cases) if master is not None else {}
    chosen = set(request.POST.getlist("case")) if request.method == "POST" else {str(case.pk) for case in cases}
    return [Member(line, master is not None and line.id == master.pk, why.get(line.id, ""),
                   str(line.id) in chosen and not why.get(line.id)) for line in lines(cases)]


def _ids(said: Sequence[str]) -> set[uuid.UUID]:
    found = set()
    for one in said[:2 * queries.CASES]:
        try:
            found.add(uuid.UUID(one))
        except ValueError:
            continue
    return found


def _take(request: StaffRequest, issue: HotIssue) -> HttpResponse:
    """Merge what was left ticked; what was refused is said one by one. Raises what `take_as_one` raises."""
    master = next(iter(_ids([request.POST.get("master", "")])), uuid.UUID(int=0))
    done = taking.take_as_one(
        request.actor, issue.pk, master_id=master, cases=_ids(request.POST.getlist("case")), reason=request.POST.get("reason", ""),
        version=small_number(request.POST.get("version", "")),
        key=submission_key("hot", str(request.user.pk), request.POST.get("submission", "")))
    messages.success(request, _("%(n)d 件已并入 %(master)s。") % {"n": len(done.merged), "master": done.master.number})
    for why in done.refused:
        messages.warning(request, _("没有并入：%s") % why)
    return redirect(reverse("desk:case", args=[done.master.pk]))


@staff()
@require_http_methods(["GET", "POST"])
def hot_issue(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One issue with its cases. POST takes those ticked as one, under the oldest that is open."""
    if not reads(request.actor):
        return _refused(request)
    issue = queries.access_issue(request.actor, pk)
    message, faults, status = "", [], 200
    if request.method == "POST":
        try:
            return _take(request, issue)
        except DomainError as error:
            message, faults, status = str(error), [str(fault) for fault in error.fields.values()], error.status
    cases, after = queries.cases_of(request.actor, issue, after=request.GET.get("after", ""))
    master = taking.master_of(request.actor, issue) if taking.may_take(request.actor) else None
    members = _members(request, cases, master)
    free = sum(not one.master and not one.why for one in members)
    return render(request, "desk/hot_issue.html", context_for(
        request, row=_row(issue), issue=issue, members=members, after=after, master=master if free else None, free=free,
        message=message, faults=faults, reason=request.POST.get("reason", issue.name), submission=str(uuid7()),
        shown=len(cases), may_take=taking.may_take(request.actor)), status=status)
