"""The city's own cases as messages: what is read of each, and which of them are one case."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Substr
from django.utils.timezone import localtime

from lianxin.cases.models import Case, State
from lianxin.cases.reference import reference

from ..personal import masked
from .messages import READ, Message
from .names import HEAD, names

MOST: Final = 10_000  # cases compared with one another; of more in the window the newest
TITLE: Final = 40  # characters of the first sentence, for a case without a title
SMALL: Final = ("town", "village", "grid")  # areas small enough to tell one matter from another
NOT_TAKEN: Final = (State.DECLINED, State.WITHDRAWN)
_SENTENCE: Final = re.compile(r"[。！？!?；;\n]")


@dataclass(frozen=True, slots=True)
class Report:
    """One case as it is counted. `head` is the master it is or was handled with, or itself; `person` the keyed hash of the
    reporter's number, held while counting only."""

    id: uuid.UUID
    head: uuid.UUID
    at: datetime
    county: int | None
    area: int | None
    category: int | None
    unit: int | None
    lon: float | None
    lat: float | None
    person: bytes | None


_COUNTED: Final = ("id", "master_id", "registered_at", "county_id", "area_id", "category_id", "lead_unit_id", "lon", "lat",
                   "reporter__phone_hash")


def _report(row: Sequence[Any]) -> Report:
    key, master, at, county, area, category, unit, lon, lat, person = row
    return Report(key, master or key, at, county, area, category, unit, lon, lat, bytes(person) if person is not None else None)


def taken() -> QuerySet[Case]:
    """Cases that count: not declined, not withdrawn, their words still there."""
    return Case.objects.filter(anonymised_at__isnull=True).exclude(state__in=NOT_TAKEN)


def reports_of(heads: Collection[uuid.UUID]) -> list[Report]:
    """Every report of these cases: their own and those of the cases merged under them."""
    return [_report(row) for row in taken().filter(Q(pk__in=heads) | Q(master_id__in=heads)).order_by("id").values_list(*_COUNTED)]


def in_window(since: datetime) -> tuple[list[Message], dict[str, uuid.UUID], int]:
    """Messages of the newest `MOST` cases registered since then, oldest first; the head of each by its id; and how many older ones
    of the window were left out. A head from before the window comes along."""
    window = taken().filter(registered_at__gte=since)
    newest = list(window.order_by("-registered_at", "-id").values_list("pk", "master_id")[:MOST])
    left_out = window.count() - len(newest) if len(newest) == MOST else 0
    heads = {key: master or key for key, master in newest}
    # A master that was itself merged later: the family follows it.
    further = dict(Case.objects.filter(pk__in=set(heads.values()) - heads.keys()).values_list("pk", "master_id"))
    for key, head in heads.items():
        above = heads.get(head) or further.get(head)
        heads[key] = above or head
    wanted = taken().filter(pk__in=heads.keys() | set(heads.values())).order_by("registered_at", "id")
    found = [_message(row) for row in wanted.annotate(said=Substr("words", 1, READ + HEAD)).values_list(
        "pk", "registered_at", "title", "said", "place_text", "area_id", "county_id")]
    return found, {str(key): heads.get(key, key) for key in heads.keys() | set(heads.values())}, left_out


def _message(row: Sequence[Any]) -> Message:
    """Personal data is blacked out where names are taken from; the place that staff chose stands before the words."""
    key, at, title, words, place, area_id, county_id = row
    held = reference()
    area, county = held.places.get(area_id), held.places.get(county_id)
    beginning = masked(title or _SENTENCE.split(words, maxsplit=1)[0][:TITLE], houses=True)
    where = " ".join(filter(None, [area.name if area and area.level in SMALL else "", place]))
    detail = f"{where} {words}"
    return Message(str(key), str(key), localtime(at).replace(tzinfo=None), beginning,
                   masked(detail[:2 * HEAD], houses=True) + detail[2 * HEAD:], district=county.name if county else "")


def districts() -> list[str]:
    """The names of the city's counties."""
    return sorted(place.name for place in reference().places.values() if place.level == "county")


def area_names() -> frozenset[str]:
    """The names of towns, villages and grids, as they are read in words."""
    return frozenset(name for place in reference().places.values() if place.level in SMALL for name in names(place.name))


def middle(reports: Iterable[Report]) -> tuple[float, float] | None:
    """The median position of those that have one: one far off does not move it."""
    placed = [one for one in reports if one.lon is not None and one.lat is not None]
    if not placed:
        return None
    lons, lats = sorted(one.lon or 0.0 for one in placed), sorted(one.lat or 0.0 for one in placed)
    return lons[len(lons) // 2], lats[len(lats) // 2]
