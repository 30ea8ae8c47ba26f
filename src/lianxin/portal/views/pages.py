"""The front page and the pages that explain."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lianxin.cases.actions.intake import WORDS_LIMIT
from lianxin.cases.files import FILES_PER_CASE
from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.publishing.performance import THREE_RATES, performance
from lianxin.publishing.queries import records

from ..access import SECONDS, opened_id
from ..queries import plain_names, promises, quick_topics

TOPICS_SHOWN = 12
NEARBY = 5


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Emergencies, saying it, tracking it; then what is happening and how the city is doing."""
    topics = quick_topics()
    page = records(cleared=True, limit=NEARBY)
    return render(request, "portal/home.html", {
        "topics": topics[:TOPICS_SHOWN], "more_topics": topics[TOPICS_SHOWN:], "cases": page.rows,
        "names": plain_names([one.category.code for one in page.rows if one.category]),
        "made": performance(), "three": THREE_RATES, "opened": opened_id(request),
    })


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/about.html", {
        "limit": WORDS_LIMIT, "files": FILES_PER_CASE, "promises": promises(today_of(now())),
    })


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    days: int = settings.LIANXIN_RETENTION_DAYS["reporter"]
    return render(request, "portal/privacy.html", {
        "days": days, "years": f"{days / 365:.1f}".removesuffix(".0"), "submission_days": settings.LIANXIN_SUBMISSION_DAYS,
        "hours": SECONDS // 3600,
    })


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/accessibility.html")
