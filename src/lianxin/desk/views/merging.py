"""Is it the same matter? Two cases side by side, and those of the queue that others may be about as well."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from lianxin.cases import duplicates
from lianxin.cases.actions import merge
from lianxin.cases.engine import On, submission_key
from lianxin.cases.queries import access_case
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import small_number
from lianxin.organisations.models import Role

from ..access import StaffRequest, staff
from .boards import context_for

MERGERS = (Role.OPERATOR, Role.DISPATCHER)


def _back(request: StaffRequest, case_id: uuid.UUID) -> str:
    page = request.POST.get("next") or request.GET.get("next") or ""
    if not page:
        page = request.headers.get("Referer", "").partition(request.get_host())[2]
    return page if page.startswith("/desk/") and "/compare/" not in page else reverse("desk:case", args=[case_id])


@staff(*MERGERS)
@require_http_methods(["GET", "POST"])
def compare(request: StaffRequest, case_id: uuid.UUID, other_id: uuid.UUID) -> HttpResponse:
    """Two cases side by side. POST merges the second into the first, or remembers that they are different matters."""
    first, second = access_case(request.actor, case_id), access_case(request.actor, other_id)
    master, duplicate = duplicates.which_way(first, second)
    swapped = request.GET.get("swap") == "1"
    if swapped or request.POST.get("master") == str(duplicate.pk):
        master, duplicate = duplicate, master
    back = _back(request, case_id)
    message, faults, status = "", [], 200
    if request.method == "POST":
        try:
            if request.POST.get("do") == "apart":
                duplicates.set_apart(request.actor, first.pk, second.pk)
                messages.success(request, _("记下了：%(first)s 和 %(second)s 不是同一件事，以后不再提示。") % {
                    "first": first.number, "second": second.number})
                return redirect(back)
            merge(
                On(master.pk, request.actor, version=small_number(request.POST.get("version", "")),
                   key=submission_key("compare", str(request.user.pk), request.POST.get("submission", ""))),
                duplicates=[duplicate.number], reason=request.POST.get("reason", ""))
            messages.success(request, _("%(duplicate)s 已并入 %(master)s。") % {
                "duplicate": duplicate.number, "master": master.number})
            gone = back == reverse("desk:case", args=[duplicate.pk])
            return redirect(reverse("desk:case", args=[master.pk]) if gone else back)
        except DomainError as error:
            message, faults, status = str(error), [str(fault) for fault in error.fields.values()], error.status
    likeness = duplicates.likeness(master, duplicate)
    return render(request, "desk/compare.html", context_for(
        request, sides=[master, duplicate], likeness=likeness, message=message, faults=faults, swapped=swapped, back=back,
        next=back, reason=request.POST.get("reason", likeness.why), submission=str(uuid7()),
    ), status=status)


@staff(*MERGERS)
@require_GET
def alike(request: StaffRequest) -> HttpResponse:
    """The dispatcher's queue, some cases at a time: what may be about the same matter as something else. htmx asks for the
    next ones when the last are in sight; `shown` says that something was listed before."""
    found, after = duplicates.pairings(request.actor, after=request.GET.get("after", ""))
    shown = request.htmx and request.GET.get("shown") == "1"
    more = urlencode({"after": after} | ({"shown": "1"} if found or shown else {})) if after else ""
    listed = {"pairings": found, "after": more, "shown": shown}
    if request.htmx:
        return render(request, "desk/_pairings.html", listed)
    return render(request, "desk/alike.html", context_for(request, **listed))
