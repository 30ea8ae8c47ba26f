"""How is my village doing: a page for each area, found by name or, on the device alone, by position."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from lianxin.cases.reference import Place
from lianxin.places import gazetteer
from lianxin.publishing import figure_rows
from lianxin.publishing.areas import WEEKS, Page, page_of, path_to, place_of, top

from ..openness import blocks_chart, embedded, open_to_frames, sent_file
from ..queries import areas_under

FOUND = 12


def _place(code: str) -> Place:
    found = place_of(code)
    if found is None:
        raise Http404
    return found


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """By name; what stands for several places is asked. Without words: the counties to begin with."""
    words = request.GET.get("q", "").strip()[:60].replace("\x00", "")
    hits: list[tuple[str, str]] = []
    if words:
        for hit in gazetteer.read(words, limit=FOUND).hits:
            place = place_of(hit.area_code)
            if place is not None and (place.code, hit.path) not in hits:
                hits.append((place.code, hit.path))
        if len(hits) == 1:
            return redirect("portal:area", hits[0][0])
    city = top()
    return render(request, "portal/area_find.html", {
        "words": words, "hits": hits, "city": place_of(city), "counties": areas_under(city),
    })


def _context(place: Place, page: Page | None) -> dict[str, Any]:
    return {
        "place": place, "path": path_to(place), "page": page, "weeks": WEEKS,
        "before_window": page.window.back(WEEKS) if page else None,
        "chart": blocks_chart(page) if page is not None and page.shown else None,
    }


@require_safe
def area(request: HttpRequest, code: str) -> HttpResponse:
    """The page: said, open, how long; compared with itself; what lies inside, in the order of codes."""
    place = _place(code)
    return render(request, "portal/area.html", _context(place, page_of(place)))


@require_safe
@open_to_frames
def embedded_area(request: HttpRequest, code: str) -> HttpResponse:
    """The figures of an area for another site's page."""
    place = _place(code)
    return embedded(request, "portal/embed_area.html", lambda: _context(place, page_of(place)))


@require_safe
def figures(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """The numbers of an area's page as a file."""
    place = _place(code)
    page = page_of(place)
    if page is None:
        raise Http404
    return sent_file(f"area-{place.code}-{page.window.last_day}", kind, figure_rows.AREA_COLUMNS, figure_rows.of_area(page), page.as_of)
