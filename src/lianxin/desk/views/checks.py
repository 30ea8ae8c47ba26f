"""What grid workers were asked to look at: not handled, waiting, seen."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from lianxin.cases import checks
from lianxin.kernel.clock import now

from ..access import StaffRequest, staff
from .boards import context_for


@staff()
@require_GET
def board(request: StaffRequest) -> HttpResponse:
    """The hotline's list of independent looks."""
    return render(request, "desk/checks.html", context_for(request, found=checks.listed(request.actor), now=now()))
