"""Matters under listed supervision, for everyone to read: whose, by when, and what has to be true at the end."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.views.decorators.http import require_safe

from lianxin.kernel.clock import now
from lianxin.supervision import queries
from lianxin.supervision.models import ListingStep

# What of a matter's history is told in public: not the words of a request that was not granted.
TOLD = (ListingStep.ISSUE, ListingStep.PLAN, ListingStep.MOVE, ListingStep.REQUEST, ListingStep.REFUSE, ListingStep.CONFIRM)


@require_safe
def listings(request: HttpRequest) -> HttpResponse:
    """The list: open matters first, by the day they are due."""
    today = localdate(now())
    found = queries.listings()
    return render(request, "portal/listings.html", {
        "open": [(one, queries.late(one, today)) for one in found if one.delisted_at is None],
        "done": [one for one in found if one.delisted_at is not None],
    })


@require_safe
def listing(request: HttpRequest, year: int, serial: int) -> HttpResponse:
    """One matter: criteria, plan, milestones, and what was found at the end."""
    one = queries.listing_named(year, serial)
    if one is None:
        raise Http404
    today = localdate(now())
    return render(request, "portal/listing.html", {
        "one": one, "today": today, "late": queries.late(one, today),
        "entries": [entry for entry in one.entries.all() if entry.step in TOLD],
    })
