"""What is public of cases: a list, a map, a page each. Read from the public records alone."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid
from lianxin.publishing.queries import records
from lianxin.publishing.records import published

from ..queries import DONE_STAGES, OPEN_STAGES, counties, main_categories, place_path, plain_names, public_spots

PER_PAGE = 20
STAGES = {"open": OPEN_STAGES, "done": DONE_STAGES}


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip()[:60].replace("\x00", "") for name in ("q", "county", "category", "area", "stage")}


def _lists(chosen: dict[str, str]) -> dict[str, Any]:
    return {"chosen": chosen, "counties": counties(), "categories": main_categories()}


def _narrowed(chosen: dict[str, str]) -> dict[str, Any]:
    return {"county": chosen["county"], "area": chosen["area"], "category": chosen["category"], "text": chosen["q"],
            "stage": STAGES.get(chosen["stage"], ())}


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The list, newest first, twenty a page. What is asked for stands in the address, so that a list can be sent on."""
    chosen, after = _asked(request), request.GET.get("after", "")
    try:
        page = records(**_narrowed(chosen), after=after, limit=PER_PAGE)
    except Invalid:  # a position made up by hand: the first page
        page = records(**_narrowed(chosen), limit=PER_PAGE)
    asked = {name: value for name, value in chosen.items() if value}
    return render(request, "portal/public.html", {
        **_lists(chosen), "page": page, "asked": asked, "further": urlencode(asked | {"after": page.after}) if page.after else "",
        "names": plain_names([one.category.code for one in page.rows if one.category]), "later": bool(after), "now": now(),
    })


@require_safe
def case(request: HttpRequest, number: str) -> HttpResponse:
    """Cleared words where there are any, else what is known: what it is about, where roughly, whose, by when, how it stands."""
    found = published(number)
    if found is None:
        raise Http404
    if number != found.said_number:
        return redirect("portal:public_case", found.said_number)
    return render(request, "portal/public_case.html", {
        "case": found, "path": place_path(found.area_id), "now": now(),
        "topic": plain_names([found.category.code]).get(found.category.code, "") if found.category else "",
    })


@require_safe
def map_page(request: HttpRequest) -> HttpResponse:
    """The map, and the same as a table for those who read rather than look."""
    chosen = _asked(request) | {"q": "", "area": ""}
    kept = {name: chosen[name] for name in ("county", "category", "stage") if chosen[name]}
    return render(request, "portal/map.html", {
        **_lists(chosen), "spots": public_spots(**_narrowed(chosen)), "query": urlencode(kept),
    })
