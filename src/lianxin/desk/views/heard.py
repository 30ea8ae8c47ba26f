"""How good the offers are: what was offered while calls were taken, and what people made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from lianxin.analysis.intervals import wilson
from lianxin.kernel.clock import now
from lianxin.triage import offers
from lianxin.triage.models import LearntModel
from lianxin.triage.offers import READERS, Precision

from ..access import StaffRequest, staff
from .boards import context_for

SPANS = (7, 30, 90)  # days


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of offer as the page shows it; shares are whole per cents, None where there are too few to speak of."""

    row: Precision
    taken: int | None
    low: int
    high: int
    three: int | None


def _line(row: Precision) -> Line:
    """What was left is no verdict on the offer – nobody looked, or nothing had to be chosen –, so shares are over those
    where something was chosen."""
    decided = row.accepted + row.changed
    if decided < settings.LIANXIN_SMALL_NUMBERS:
        return Line(row, None, 0, 0, None)
    low, high = wilson(row.accepted, decided)
    return Line(row, round(row.accepted / decided * 100), round(low * 100), round(high * 100),
                round(row.in_three / decided * 100))


def days_of(request: StaffRequest) -> int:
    """How many days are asked for, 30 unless it is one of SPANS."""
    said = request.GET.get("days", "")
    return int(said) if said in {str(span) for span in SPANS} else 30


def lines(days: int) -> list[Line]:
    """What was offered in the last `days`, a line for each kind and what offered it."""
    until = now()
    return [_line(row) for row in offers.report(until - timedelta(days=days), until)]


def models() -> list[dict[str, Any]]:
    """The last twenty models with what was measured of each, newest first."""
    return [
        {"model": model, "f1": model.measured.get("macro_f1"), "top3": model.measured.get("top3"),
         "ece": model.measured.get("ece"), "at80": model.measured.get("accuracy_at_80")}
        for model in LearntModel.objects.order_by("-number")[:20]]


@staff(*READERS)
@require_GET
def heard(request: StaffRequest) -> HttpResponse:
    """Offers of the last 7, 30 or 90 days by kind, and the models that there are."""
    days = days_of(request)
    return render(request, "desk/heard.html", context_for(
        request, days=days, spans=SPANS, lines=lines(days), models=models(), sure=round(settings.LIANXIN_TRIAGE_SURE * 100)))
