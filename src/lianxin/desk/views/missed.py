"""未接来电: who could not get through, by what is due; calling back writes down who looked and what came of it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from lianxin.cases import missed_calls as calls
from lianxin.cases.engine import submission_key
from lianxin.cases.models import MissedCallTryOutcome
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import Role

from ..access import StaffRequest, staff
from .boards import context_for

KEYS = {"reached": "g", "no_answer": "w", "busy": "b", "wrong_number": "x"}


def _list(request: StaffRequest, *, message: str = "", status: int = 200) -> HttpResponse:
    if not calls.can_call_back(request.actor):
        return render(request, "desk/refused.html", {"reason": _("未接来电由话务员回拨。")}, status=403)
    return render(request, "desk/missed_calls.html", context_for(
        request, waiting=calls.waiting(request.actor), at=now(), message=message), status=status)


@staff(Role.OPERATOR)
@require_GET
def missed_calls(request: StaffRequest) -> HttpResponse:
    """The entries that wait to be called back."""
    return _list(request)


@staff(Role.OPERATOR)
@require_POST
def number(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The number to call, shown once it is written down who looked."""
    try:
        phone = calls.read_number(request.actor, pk)
    except DomainError as error:
        return _list(request, message=str(error), status=error.status)
    outcomes = [(value, label, KEYS[value]) for value, label in MissedCallTryOutcome.choices]
    return render(request, "desk/missed_call.html", context_for(request, phone=phone, entry=pk, outcomes=outcomes, submission=str(uuid7())))


@staff(Role.OPERATOR)
@require_POST
def record(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What came of a try. Reached opens the call screen with the number: after #, which never reaches a server."""
    outcome = request.POST.get("outcome", "")
    try:
        entry = calls.record_try(request.actor, pk, outcome=outcome, key=submission_key(
            "missed", str(request.user.pk), str(pk), request.POST.get("submission", "")))
    except DomainError as error:
        return _list(request, message=str(error), status=error.status)
    if outcome == MissedCallTryOutcome.REACHED:
        return redirect(f"{reverse('desk:call')}#{urlencode({'phone': request.POST.get('phone', '')[:40], 'missed': str(pk)})}")
    messages.success(request, _("没有接通，已经记下；试满次数，这个来电就不再列出。") if entry.ended_at is None
                     else _("已经试过几次，都没有接通，这个来电不再列出。"))
    return redirect("desk:missed_calls")
