"""How the city answers: the rates with all that is needed to doubt them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lianxin.analysis.reports.pictures import of_series
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.publishing import figure_rows
from lianxin.publishing import performance as published
from lianxin.publishing.performance import GROUPS, IN_ROWS, MORE, THREE_RATES, Performance

from ..openness import embedded, open_to_frames, sent_file


def _asked(request: HttpRequest) -> Performance | None:
    try:
        return published.performance(request.GET.get("period", "").strip()[:40].replace("\x00", ""))
    except (Invalid, NotFound):
        raise Http404 from None


def _context(made: Performance | None) -> dict[str, Any]:
    if made is None:
        return {"made": None}
    return {
        "made": made, "three": THREE_RATES, "more": MORE, "in_rows": IN_ROWS,
        "charts": {code: of_series(series) for code, series in made.series.items()
                   if code in THREE_RATES and sum(not point.figure.empty for point in series.points) > 1},
        "groups": {by: published.by_name(made.groups[by]) for by in GROUPS},
    }


@require_safe
def performance(request: HttpRequest) -> HttpResponse:
    """The three rates, how they are made, the others, by county and by unit in the order of names."""
    made = _asked(request)
    at = now()
    return render(request, "portal/performance.html", _context(made) | {"recent": published.recent(at), "choices": published.choices(at)})


@require_safe
@open_to_frames
def embedded_performance(request: HttpRequest) -> HttpResponse:
    made = _asked(request)
    return embedded(request, "portal/embed_performance.html", lambda: _context(made))


@require_safe
def figures(request: HttpRequest, kind: str) -> HttpResponse:
    """The numbers of the page as a file."""
    made = _asked(request)
    if made is None:
        raise Http404
    return sent_file(f"performance-{made.period.code.replace('..', '-to-')}", kind, figure_rows.RATE_COLUMNS,
                     figure_rows.of_performance(made), made.as_of)
