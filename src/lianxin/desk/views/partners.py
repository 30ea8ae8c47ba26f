"""The link itself: how each partner's desk answers, letters that could not be sent, keys, and the tables of words."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from lianxin.cases.policy import sees_some
from lianxin.kernel.errors import DomainError
from lianxin.linkage import keeping, mapping, policy
from lianxin.linkage.models import Partner, What

from ..access import StaffRequest
from ..forms import settled, take_faults
from ..forms.linkage import MapLine
from ..tables import table_file
from .boards import context_for
from .linkage import linked


@linked(policy.keeps)
@require_GET
def partners(request: StaffRequest) -> HttpResponse:
    """Every partner with the state of its link."""
    return render(request, "desk/partners.html", context_for(
        request, standings=keeping.standings(), works=policy.works(request.actor),
        may_review=policy.reviews(request.actor)))


def _partner(code: str) -> Partner:
    found = Partner.objects.filter(code=code).first()
    if found is None:
        raise Http404(_("没有这个单位。"))
    return found


def _page(request: StaffRequest, found: Partner, *, form: MapLine | None = None, message: str = "", status: int = 200) -> HttpResponse:
    asked = request.GET.get("what", "")
    first = {"what": asked if asked in What.values else What.CATEGORY.value, "inbound": "0" if request.GET.get("inbound") == "0" else "1",
             "value": request.GET.get("value", "")[:60]}
    return render(request, "desk/partner.html", context_for(
        request, partner=found, standing=keeping.standing(found), dead=keeping.dead(found), secrets=keeping.secrets(found),
        tables=keeping.tables(found), unmapped=keeping.unmapped(found), changes=keeping.changes(found), disclosed=keeping.disclosed(found),
        form=settled(form or MapLine(initial=first), "map"), message=message,
        reads_cases=sees_some(request.actor)), status=status)


@linked(policy.keeps)
@require_GET
def partner(request: StaffRequest, code: str) -> HttpResponse:
    """One partner: its link, its dead letters, its keys, its words and ours."""
    return _page(request, _partner(code))


@linked(policy.keeps)
@require_POST
def resend_letter(request: StaffRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Send a message that was given up on once more, and what waits behind it."""
    found = _partner(code)
    try:
        keeping.resend(request.actor, found, pk)
        messages.success(request, _("已放回发送队列，马上再送。"))
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(reverse("desk:partner", args=[code]))


@linked(policy.keeps)
@require_POST
def map_word(request: StaffRequest, code: str) -> HttpResponse:
    """Write one line of the tables, or take it away."""
    found = _partner(code)
    form = MapLine(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form, message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    values = form.cleaned()
    try:
        mapping.set_mapping(request.actor, found, values["what"], value=values["value"], to=values["to"], inbound=values["inbound"])
    except DomainError as error:
        take_faults(form, error)
        return _page(request, found, form=form, message=str(error.message), status=error.status)
    messages.success(request, _("对照表已改。"))
    return redirect(reverse("desk:partner", args=[code]) + "#tables")


@linked(policy.keeps)
@require_GET
def mapping_file(request: StaffRequest, code: str) -> HttpResponse:
    """The tables, or with `?of=unmapped` what they lack, as CSV or, with `as=xlsx`, as a workbook."""
    found = _partner(code)
    unmapped = request.GET.get("of") == "unmapped"
    rows: list[list[object]]
    if unmapped:
        rows = [["what", "direction", "value", "times", "first_at", "last_at"]]
        rows += [[one.what, _way(one.inbound), one.value, one.times, one.first_at.isoformat(), one.last_at.isoformat()]
                 for one in keeping.unmapped(found)]
    else:
        rows = [["what", "direction", "ours", "theirs"]]
        rows += [[line.what, _way(line.inbound), line.ours, line.theirs] for line in keeping.lines(found)]
    return table_file(rows, name=f"{found.code}-{'unmapped' if unmapped else 'mapping'}", form=request.GET.get("as", ""))


def _way(inbound: bool) -> str:
    return "in" if inbound else "out"
