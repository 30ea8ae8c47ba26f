"""Reads of the public records, in keyset pages. Positions hold times that are shown and references: nothing of the case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from lianxin.cases.queries import cursor_of, read_cursor
from lianxin.cases.reference import reference
from lianxin.kernel.errors import Invalid

from .models import Record

PAGE: Final = 50
ORDERS: Final = {"newest": "opened_at", "updated": "changed_at"}
Box = tuple[float, float, float, float]  # west, south, east, north in WGS-84 degrees


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records. `after` opens the next page; empty at the end."""

    rows: list[Record]
    after: str = ""


def _below(code: str) -> list[int]:
    """An area and everything below it, by id: what a record with one of them lies in for certain."""
    held = reference()
    place = held.places_by_code.get(code)
    return [] if place is None else [one.id for one in held.places.values() if place.id in one.lineage]


def found(*, county: str = "", area: str = "", category: str = "", stage: Sequence[str] = (), cleared: bool | None = None,
          opened: tuple[datetime | None, datetime | None] = (None, None), changed_after: datetime | None = None,
          box: Box | None = None, text: str = "") -> QuerySet[Record]:
    """The records that fit, unordered and not limited.

    `county`, `area` and `category` are codes; an area includes what lies below it, as far as the record says where; a category
    everything whose code begins with its. `opened` is from (inclusive) to (exclusive), `changed_after` exclusive. `text` is looked for
    in cleared words alone, every word of it. A code that nobody knows fits nothing.
    """
    narrowed = Record.objects.all()
    held = reference()
    if county:
        place = held.places_by_code.get(county)
        narrowed = narrowed.filter(county_id=place.id) if place else narrowed.none()
    if area:
        place = held.places_by_code.get(area)
        if place is not None and place.level == "county":
            narrowed = narrowed.filter(county_id=place.id)
        elif place is None or place.level != "city":
            narrowed = narrowed.filter(area_id__in=_below(area))
    if category:
        narrowed = narrowed.filter(category_id__in=[node.id for node in held.nodes.values() if node.code.startswith(category)])
    if stage:
        narrowed = narrowed.filter(stage__in=list(stage))
    if cleared is not None:
        narrowed = narrowed.filter(cleared=cleared)
    since, until = opened
    if since is not None:
        narrowed = narrowed.filter(opened_at__gte=since)
    if until is not None:
        narrowed = narrowed.filter(opened_at__lt=until)
    if changed_after is not None:
        narrowed = narrowed.filter(changed_at__gt=changed_after)
    if box is not None:
        west, south, east, north = box
        narrowed = narrowed.filter(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)
    for word in text.replace("\x00", "").split()[:6]:
        narrowed = narrowed.filter(Q(title__icontains=word) | Q(body__icontains=word) | Q(answer__icontains=word), cleared=True)
    return narrowed


def records(*, county: str = "", area: str = "", category: str = "", stage: Sequence[str] = (), cleared: bool | None = None,
            opened: tuple[datetime | None, datetime | None] = (None, None), changed_after: datetime | None = None,
            box: Box | None = None, text: str = "", order: str = "newest", after: str = "", limit: int = PAGE) -> Page:
    """One page of the records that fit, as `found` says; `order` is `newest` (opened last first) or `updated` (changed last first).

    Raises Invalid for an order there is none of, and for a position that was not given out.
    """
    if order not in ORDERS:
        raise Invalid("order=newest|updated")
    by = ORDERS[order]
    narrowed = found(county=county, area=area, category=category, stage=stage, cleared=cleared, opened=opened,
                     changed_after=changed_after, box=box, text=text)
    if after:
        at, number = _position(after)
        narrowed = narrowed.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "number__gt": number}), **{f"{by}__lte": at})
    listed = list(narrowed.select_related("category", "area", "county", "unit").order_by(f"-{by}", "number")[: limit + 1])
    last = listed[limit - 1] if len(listed) > limit else None
    return Page(listed[:limit], cursor_of(getattr(last, by), last.number) if last else "")


def _position(after: str) -> tuple[datetime, str]:
    values = read_cursor(after)
    try:
        if values and len(values) == 2 and (at := datetime.fromisoformat(values[0])).tzinfo is not None:
            return at, values[1]
    except ValueError:
        pass
    raise Invalid("after")
