"""清单表格: an office's lists as a workbook, down and up; what an upload would change is shown before anything is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.city.undoing import said as difference_said
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.sheets import MEDIA
from lianxin.organisations.models import Role
from lianxin.transfer import applying
from lianxin.transfer.applying import Prepared
from lianxin.transfer.lists import BY_KEY, SHEETS
from lianxin.transfer.spreadsheets import BadSheets, Uploaded, read, workbook

from ..access import StaffRequest, staff
from .boards import context_for

KEPT: Final = 2 * 3600  # seconds for which a plan that was shown may be applied
LARGEST: Final = 3_500_000  # characters of a plan in its form
SHOWN: Final = 100
_SALT: Final = "lianxin.desk.spreadsheets"


def _refused(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/refused.html", {"reason": _("只有热线中心的系统管理员可以用表格改这些清单。")}, status=403)


def _page(request: StaffRequest, *, message: str = "", faults: list[str] | None = None, status: int = 200, **more: Any) -> HttpResponse:
    shown = faults or []
    return render(request, "desk/spreadsheets.html", context_for(
        request, sheets=SHEETS, message=message, faults=shown[:SHOWN], beyond=max(0, len(shown) - SHOWN), **more), status=status)


@staff(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def spreadsheets(request: StaffRequest) -> HttpResponse:
    """Where workbooks are had and brought; after an upload, what it would change."""
    if not applying.may(request.actor):
        return _refused(request)
    if request.method == "GET":
        return _page(request)
    upload = request.FILES.get("file")
    if upload is None:
        return _page(request, message=_("请选一个 .xlsx 表格。"), status=422)
    try:
        found = read(upload)  # type: ignore[arg-type]
        plan = applying.prepare(found, by=request.actor)
    except BadSheets as error:
        return _page(request, message=str(error), faults=error.faults, status=422)
    except DomainError as error:
        return _page(request, message=str(error), status=error.status)
    packed = _packed(found, plan, request)
    if len(packed) > LARGEST:
        return _page(request, message=_("一次改的太多，请把几张工作表分开上传。"), status=422)
    return _page(request, plan=plan, packed=packed, name=upload.name, undone=[difference_said(one) for one in plan.undone[:SHOWN]])


def _packed(found: Uploaded, plan: Prepared, request: StaffRequest) -> str:
    """The rows that were shown, signed: what is applied is what was looked at, by the same person."""
    return signing.dumps({"found": asdict(found), "stands": plan.stands, "by": request.actor.staff_id}, salt=_SALT, compress=True)


@staff(Role.ADMINISTRATOR)
@require_POST
def apply_spreadsheet(request: StaffRequest) -> HttpResponse:
    """Apply what was shown, or nothing."""
    if not applying.may(request.actor):
        return _refused(request)
    try:
        held = signing.loads(request.POST.get("packed", ""), salt=_SALT, max_age=KEPT)
    except signing.BadSignature:
        return _page(request, message=_("这份方案放得太久或不完整，请重新上传。"), status=409)
    if held["by"] != request.actor.staff_id:
        return _page(request, message=_("这份方案是别人上传的，请自己重新上传。"), status=403)
    try:
        lists = applying.apply(Uploaded(**held["found"]), by=request.actor, stands=held["stands"])
    except BadSheets as error:
        return _page(request, message=str(error), faults=error.faults, status=422)
    except DomainError as error:
        return _page(request, message=str(error), status=error.status)
    for one in lists:
        messages.success(request, _("%(sheet)s：新增 %(added)d，改动 %(changed)d，停用 %(closed)d") % {
            "sheet": one.title, "added": one.change.added, "changed": one.change.changed, "closed": one.change.closed})
    return redirect("desk:spreadsheets")


@staff(Role.ADMINISTRATOR)
@require_GET
def spreadsheet_file(request: StaffRequest) -> HttpResponse:
    """All lists as they stand, or with `?list=` some of them; `?empty=1` without rows."""
    if not applying.may(request.actor):
        return _refused(request)
    wanted = [BY_KEY[key] for key in request.GET.getlist("list") if key in BY_KEY] or list(SHEETS)
    response = HttpResponse(workbook(wanted, empty=request.GET.get("empty") == "1"), content_type=MEDIA)
    name = wanted[0].key if len(wanted) == 1 else "lists"
    response["Content-Disposition"] = f'attachment; filename="{name}-{localdate(now()).isoformat()}.xlsx"'
    return response
