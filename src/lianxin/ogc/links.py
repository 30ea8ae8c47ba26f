"""Addresses and links between the resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from .answers import GEOJSON, HTML, JSON

Link = dict[str, str]


def address(request: HttpRequest, name: str, *args: str, **query: str) -> str:
    """The whole address of a resource of this face, with its query."""
    said = f"?{urlencode(query)}" if query else ""
    return request.build_absolute_uri(reverse(f"ogc:{name}", args=args)) + said


def link(rel: str, href: str, media: str, title: Any = "") -> Link:
    made = {"rel": rel, "type": media, "href": href}
    return made | {"title": str(title)} if title else made


def own(request: HttpRequest, name: str, *args: str, media: str = JSON, query: Mapping[str, str] | None = None) -> list[Link]:
    """`self` as what is answered now and `alternate` as the other; a page's own form is told by `f`, as a client may keep it."""
    kept = {key: value for key, value in (query or {}).items() if key != "f"}
    made = [(media, "json", _("这一份，JSON")), (HTML, "html", _("这一份，网页"))]
    if request_form(request) == "html":
        made.reverse()
    (first, form, title), (second, other, its_title) = made
    return [link("self", address(request, name, *args, **kept, f=form), first, title),
            link("alternate", address(request, name, *args, **kept, f=other), second, its_title)]


def request_form(request: HttpRequest) -> str:
    from .answers import form_of

    return form_of(request)


def of_items(request: HttpRequest, collection: str, given: Mapping[str, str], *, after: str, before: str) -> list[Link]:
    """The links of one page of features: itself, the other form, its collection, the pages beside it."""
    links = own(request, "items", collection, media=GEOJSON, query=given)
    links.append(link("collection", address(request, "collection", collection, f="json"), JSON, _("所属图层")))
    form, media = ("html", HTML) if request_form(request) == "html" else ("json", GEOJSON)
    kept = {key: value for key, value in given.items() if key not in ("after", "before", "f")}
    if after:
        links.append(link("next", address(request, "items", collection, **kept, after=after, f=form), media, _("下一页")))
    if before:
        links.append(link("prev", address(request, "items", collection, **kept, before=before, f=form), media, _("上一页")))
    return links
