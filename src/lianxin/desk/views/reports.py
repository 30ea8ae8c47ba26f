"""Reports: a period's figures with the cases behind each number, as a page and as files; those kept by the schedule."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import FileResponse, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localdate
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from lianxin.analysis.figures import Period, PeriodKind
from lianxin.analysis.periods import FIRST_YEAR
from lianxin.analysis.reports import access, kept, words
from lianxin.analysis.reports.access import READERS, Reach
from lianxin.analysis.reports.cases import MEASURES, NONE, behind
from lianxin.analysis.reports.compose import compose
from lianxin.analysis.reports.document import Cases
from lianxin.analysis.reports.files import MEDIA, WRITERS
from lianxin.analysis.reports.models import KeptReport
from lianxin.analysis.reports.source import Asked, gather, last_of
from lianxin.cases.models import Category
from lianxin.cases.reference import reference
from lianxin.faces.templatetags.lianxin import said_name
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid, NotAllowed

from ..access import StaffRequest, staff
from ..rows import lines
from .boards import context_for

KEPT_LISTED = 20
FORMATS = [("pdf", "PDF"), ("docx", "DOCX"), ("html", "HTML"), ("xlsx", "XLSX")]


def _period(query: QueryDict) -> Period:
    """`period`, or the two days `from` and `to`, both in it; without either, last week. Raises Invalid."""
    first, last = query.get("from", ""), query.get("to", "")
    if first and last:
        return Period.of(f"{first}..{last}")
    if first or last:
        raise Invalid(_("请把开始和结束两天都填上。"), code="period_half")
    said = query.get("period", "")
    return Period.of(said) if said else last_of(PeriodKind.WEEK, localdate(now()))


def _asked(query: QueryDict, reach: Reach) -> Asked:
    """What the address asks, narrowed to what this person may read. Raises Invalid and NotAllowed."""
    return reach.fitted(Asked(_period(query), unit=query.get("unit", "")[:24], county=query.get("county", "")[:24],
                              category=query.get("category", "")[:12]))


def _form(request: StaffRequest, reach: Reach, asked: Asked | None) -> dict[str, object]:
    """What the form above a report offers: last periods, the ones before and after, what it can be narrowed to."""
    today = localdate(now())
    kinds = (PeriodKind.WEEK, PeriodKind.MONTH, PeriodKind.QUARTER, PeriodKind.YEAR)
    labels = (_("上周"), _("上月"), _("上季度"), _("去年"))
    rest = {name: value for name, value in asked.query.items() if name != "period"} if asked else {}
    return {
        "reach": reach, "asked": asked,
        "quick": [(label, urlencode({**rest, "period": last_of(kind, today).code}))
                  for kind, label in zip(kinds, labels, strict=True)],
        "earlier": urlencode({**rest, "period": asked.period.previous().code})
        if asked and asked.period.previous().start.year >= FIRST_YEAR else "",
        "later": urlencode({**rest, "period": asked.period.back(-1).code})
        if asked and asked.period.end <= today else "",
        "categories": Category.objects.filter(level__lte=2).order_by("code"),
        "first_day": asked.period.start if asked else "", "last_day": asked.period.last_day if asked else "",
    }


@staff(*READERS)
@require_GET
def reports(request: StaffRequest) -> HttpResponse:
    """One report, last week's when nothing is asked; below it, for those who read the city's, the ones kept."""
    reach = access.reach_of(request.actor)
    asked: Asked | None = None
    document, fault, status = None, "", 200
    try:
        asked = _asked(request.GET, reach)
        document = compose(gather(asked))
    except DomainError as error:
        fault, status = str(error), error.status
    return render(request, "desk/reports.html", context_for(
        request, document=document, fault=fault, cases_at=reverse("desk:report_cases"),
        query=urlencode(asked.query) if asked else "", formats=FORMATS,
        kept=kept.listed(KEPT_LISTED) if reach.city else [], **_form(request, reach, asked),
    ), status=status)


@staff(*READERS)
@require_GET
def report_file(request: StaffRequest, form: str) -> HttpResponse:
    """The same report as a file, in the reader's language."""
    try:
        asked = _asked(request.GET, access.reach_of(request.actor))
        document = compose(gather(asked))
        body = WRITERS[form](document)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('desk:reports')}?{urlencode(request.GET.dict())}")
    response = HttpResponse(body, content_type=MEDIA[form])
    # HTML carries its own style, which the page's policy would not show: it is for saving.
    shown = "inline" if form == "pdf" else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="{document.name}.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def wanted_of(query: QueryDict) -> Cases:
    """The number whose cases are asked for."""
    return Cases(query.get("measure", "")[:40], query.get("period", "")[:30], query.get("unit", "")[:24],
                 query.get("county", "")[:24], query.get("town", "")[:24], query.get("category", "")[:12])


@staff(*READERS)
@require_GET
def report_cases(request: StaffRequest) -> HttpResponse:
    """The cases behind one number."""
    query = request.GET
    reach = access.reach_of(request.actor)
    wanted = wanted_of(query)
    try:
        period = Period.of(wanted.period)
        found = behind(request.actor, reach_cases(reach, wanted), after=query.get("after", ""))
    except DomainError as error:
        return render(request, "desk/refused.html", context_for(request, reason=str(error)), status=error.status)
    rest = query.copy()
    rest.pop("after", None)
    return render(request, "desk/report_cases.html", context_for(
        request, found=found, title=MEASURES[wanted.measure], period=words.period_said(period), query=rest.urlencode(),
        narrowed=narrowed_said(wanted), lines=lines(found.rows),
        back=urlencode(_report_of(period, wanted).query),
    ))


def _report_of(period: Period, wanted: Cases) -> Asked:
    """The report that a number stands in, or the nearest to it."""
    return Asked(period, *("" if code == NONE else code for code in (wanted.unit, wanted.county, wanted.category)))


def reach_cases(reach: Reach, wanted: Cases) -> Cases:
    """Refused where neither the unit nor the county is this person's: the number itself is not theirs to read."""
    if not reach.city and wanted.unit not in {one.code for one in reach.units} and wanted.county not in {
            one.code for one in reach.counties}:
        raise NotAllowed(_("您只能看本单位或本县市区的统计。"))
    return wanted


def narrowed_said(wanted: Cases) -> list[str]:
    """The names of what a number is narrowed to."""
    held = reference()
    said = []
    for code, names in ((wanted.unit, held.units_by_code), (wanted.county, held.places_by_code),
                        (wanted.town, held.places_by_code)):
        thing = names.get(code)
        if code == NONE:
            said.append(_("未定"))
        elif thing is not None:
            said.append(said_name(thing))
    for category in Category.objects.filter(code=wanted.category) if wanted.category else ():
        said.append(said_name(category))
    return said


@staff(*READERS)
@require_POST
def keep_report(request: StaffRequest) -> HttpResponse:
    """Keep a report on the city as files now, beside those of the schedule."""
    if not access.reach_of(request.actor).city:
        return render(request, "desk/refused.html", context_for(
            request, reason=_("存档的是全市的报告，由热线和领导小组存。")), status=403)
    try:
        made = kept.keep(Period.of(request.POST.get("period", "")), by=request.actor.staff_id, language=get_language() or "")
        messages.success(request, _("已存档：%(title)s，%(n)d 个文件。") % {"title": made[0].title, "n": len(made)})
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(reverse("desk:reports") + "?" + urlencode({"period": request.POST.get("period", "")}) + "#kept")


@staff(*READERS)
@require_GET
def kept_report(request: StaffRequest, pk: uuid.UUID) -> HttpResponse | FileResponse:
    """One kept file, for those who read the city's figures."""
    if not access.reach_of(request.actor).city:
        return render(request, "desk/refused.html", context_for(
            request, reason=_("这是全市的报告，您可以看本单位或本县市区的。")), status=403)
    found = get_object_or_404(KeptReport, pk=pk)
    try:
        file = kept.open_kept(found)
    except DomainError as error:
        return render(request, "desk/refused.html", context_for(request, reason=str(error)), status=error.status)
    response = FileResponse(file, content_type=MEDIA[found.format], filename=found.name,
                            as_attachment=found.format != "pdf")
    response["X-Content-Type-Options"] = "nosniff"
    return response
