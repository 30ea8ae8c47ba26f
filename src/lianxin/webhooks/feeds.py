"""Atom feeds (RFC 4287) of the public record: the whole city, an area, a category; in pages (RFC 5005). From records alone.

An entry's id is made of the record's reference and stays, whatever else of it changes; `updated` is to the hour.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from lxml import etree

from lianxin.cases.reference import reference
from lianxin.kernel.errors import NotFound
from lianxin.places.models import City
from lianxin.publishing import queries as public
from lianxin.publishing.models import Record, Standing

from . import wording

ATOM: Final = "http://www.w3.org/2005/Atom"
GEORSS: Final = "http://www.georss.org/georss"
CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"
PAGE: Final = 50
XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
# What XML cannot hold.
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Feed:
    """Which feed: codes of an area and a category, empty for all. `path` is its address here."""

    area: str = ""
    category: str = ""

    @property
    def path(self) -> str:
        parts = [part for part in (f"area/{self.area}" if self.area else "", f"category/{self.category}" if self.category else "") if part]
        return f"/feeds/{'/'.join(parts) or 'all'}.atom"

    def names(self) -> tuple[str, str]:
        """The area's and the category's names. Raises NotFound for one there is none of."""
        held = reference()
        place, node = held.places_by_code.get(self.area), held.nodes_by_code.get(self.category)
        if (self.area and (place is None or place.level == "grid")) or (self.category and node is None):
            raise NotFound(_("没有这个订阅源。"))
        return (place.said if place else "", node.said if node else "")

    def title(self) -> str:
        return _("公开的事：%s") % wording.scope(*self.names())


def etag(feed: Feed, after: str, root: str) -> str:
    """What changes whenever the feed may: the revision of the records, the names, the language. One query."""
    revision = Standing.objects.filter(pk=1).values_list("revision", flat=True).first()
    said = f"{revision}|{reference().marker}|{feed.path}|{after}|{root}|{get_language()}"
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    made = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    if text:
        made.text = _UNSAYABLE.sub("", text)
    return made


def _urn(*parts: str) -> str:
    city = City.objects.values_list("code", flat=True).first() or "city"
    return ":".join(("urn:lianxin", city, *parts))


def render(feed: Feed, root: str, *, after: str = "") -> bytes:
    """One page of a feed as XML. `root` is this site's address. Raises NotFound for an area or category there is none of, and Invalid
    for a page that was not given out."""
    title, address = feed.title(), f"{root}{feed.path}"
    page = public.records(area=feed.area, category=feed.category, order="updated", after=after, limit=PAGE)
    made = etree.Element(f"{{{ATOM}}}feed", {XML_LANG: get_language() or "zh-hans"}, nsmap={None: ATOM, "georss": GEORSS})
    urn = _urn()
    _add(made, "title", title)
    _add(made, "subtitle", _("12345 政务服务热线公开的事，隐去了个人信息。"))
    _add(made, "id", f"{urn}:feed:{feed.area or 'all'}:{feed.category or 'all'}")
    newest = page.rows[0].changed_at if page.rows else Standing.objects.filter(pk=1).values_list("at", flat=True).first()
    _add(made, "updated", _moment(_hour(newest or datetime(1970, 1, 1, tzinfo=UTC))))
    _add(_add(made, "author"), "name", _("12345 政务服务热线"))
    query = {name: value for name, value in (("area", feed.area), ("category", feed.category)) if value}
    _add(made, "link", rel="alternate", type="text/html", href=f"{root}/public/" + (f"?{urlencode(query)}" if query else ""))
    _add(made, "link", rel="self", type="application/atom+xml", href=address + (f"?{urlencode({'after': after})}" if after else ""))
    _add(made, "link", rel="first", type="application/atom+xml", href=address)
    if page.after:
        _add(made, "link", rel="next", type="application/atom+xml", href=f"{address}?{urlencode({'after': page.after})}")
    _add(made, "generator", "Lianxin")
    for record in page.rows:
        _entry(made, record, root, urn)
    written: bytes = etree.tostring(made, xml_declaration=True, encoding="utf-8")
    return written


def _entry(feed: Any, record: Record, root: str, urn: str) -> None:
    entry = _add(feed, "entry")
    _add(entry, "id", f"{urn}:record:{record.number}")
    _add(entry, "title", wording.headline(record))
    _add(entry, "updated", _moment(_hour(record.changed_at)))
    _add(entry, "published", _moment(record.opened_at))
    _add(entry, "link", rel="alternate", type="text/html", href=wording.link(record, root))
    _add(entry, "summary", wording.stage(record))
    if record.category is not None:
        _add(entry, "category", term=record.category.code, scheme=f"{root}/feeds/", label=record.category.said)
    if record.cleared:
        _add(entry, "content", "\n\n".join(part for part in (record.body, record.answer) if part), type="text")
    if record.lat is not None and record.lon is not None:
        etree.SubElement(entry, f"{{{GEORSS}}}point").text = f"{record.lat:.5f} {record.lon:.5f}"
