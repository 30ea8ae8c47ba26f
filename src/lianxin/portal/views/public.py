"""Cases that reporters agreed to publish and staff cleared: a list, a map, a page each."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from lianxin.kernel.errors import Invalid
from lianxin.kernel.ids import normalise_case_number

from ..queries import counties, main_categories, plain_names, public_case, public_cases, public_spots


def _narrowed(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip()[:60].replace("\x00", "") for name in ("q", "county", "category", "area")}


def _lists(request: HttpRequest) -> dict[str, Any]:
    return {"chosen": _narrowed(request), "counties": counties(), "categories": main_categories()}


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The list, twenty a page. What is asked for stands in the address, so that a list can be sent on."""
    lists = _lists(request)
    chosen = lists["chosen"]
    page = public_cases(county=chosen["county"], area=chosen["area"], category=chosen["category"], text=chosen["q"],
                        after=request.GET.get("after", ""))
    asked = {name: value for name, value in chosen.items() if value}
    return render(request, "portal/public.html", {
        **lists, "page": page, "asked": asked, "further": urlencode(asked | {"after": page.after}) if page.after else "",
        "names": plain_names([one.category.code for one in page.rows if one.category]),
        "later": bool(request.GET.get("after")),
    })


@require_safe
def case(request: HttpRequest, number: str) -> HttpResponse:
    """The cleared words, the area, where it stands. Nothing of the reporter, nothing the unit wrote freely."""
    found = public_case(normalise_case_number(number) or number)
    if found is None:
        raise Http404
    return render(request, "portal/public_case.html", {
        "case": found, "version": found.public_version,
        "topic": plain_names([found.category.code]).get(found.category.code, "") if found.category else "",
    })


@require_safe
def map_page(request: HttpRequest) -> HttpResponse:
    """The map, and the same as a table for those who read rather than look."""
    lists = _lists(request)
    chosen = lists["chosen"]
    return render(request, "portal/map.html", {
        **lists, "spots": public_spots(county=chosen["county"], category=chosen["category"], limit=200),
        "query": urlencode({name: chosen[name] for name in ("county", "category") if chosen[name]}),
    })


@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """`/public/places.geojson?bbox=west,south,east,north`: public cases counted by area, at most 2,000 areas."""
    chosen = _narrowed(request)
    box = None
    if asked := request.GET.get("bbox", ""):
        try:
            west, south, east, north = (float(part) for part in asked.split(","))
        except ValueError:
            raise Invalid("bbox=west,south,east,north") from None
        box = (west, south, east, north)
    spots = public_spots(box=box, county=chosen["county"], category=chosen["category"])
    response = JsonResponse({
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
             "properties": {"code": one.code, "name": one.name, "count": one.total, "open": one.open,
                            "synthetic": one.synthetic}}
            for one in spots
        ],
    }, content_type="application/geo+json")
    response["Cache-Control"] = "public, max-age=60"
    return response
