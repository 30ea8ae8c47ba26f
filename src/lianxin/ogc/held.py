"""Areas and sites held in memory: few thousand rows that change when the city's files are loaded, looked up by place in a tree."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy
import shapely
from django.utils.translation import gettext as _
from shapely.geometry import shape

from lianxin.kernel.errors import Invalid
from lianxin.places import locate

from .crs import Box
from .sources import Asked, Extent, Feature, Found


@dataclass(frozen=True, slots=True)
class Layer:
    """All features of a collection, by their codes, with the marker of the load they were read from."""

    marker: tuple[Any, ...]
    features: Sequence[Feature]
    places: dict[str, int]
    tree: Any  # of those that have a geometry
    drawn: Any  # their places among `features`
    bare: frozenset[int]  # the places of the others

    @classmethod
    def of(cls, marker: tuple[Any, ...], features: Sequence[Feature]) -> Layer:
        drawn = [place for place, one in enumerate(features) if one.geometry is not None]
        tree = shapely.STRtree([shape(features[place].geometry) for place in drawn])
        return cls(marker, features, {one.id: place for place, one in enumerate(features)}, tree, numpy.array(drawn, dtype=int),
                   frozenset(range(len(features))) - frozenset(drawn))

    def inside(self, boxes: tuple[Box, ...]) -> list[int]:
        """Places of the features that touch a box, and of those without a geometry, in order."""
        found = set(self.bare)
        for box in boxes:
            found.update(int(place) for place in self.drawn[self.tree.query(shapely.box(*box), predicate="intersects")])
        return sorted(found)

    def extent(self) -> Extent:
        if not len(self.drawn):
            return Extent()
        west, south, east, north = shapely.total_bounds(self.tree.geometries)
        return Extent((float(west), float(south), float(east), float(north)))


_lock: Final = threading.Lock()
_held: Final[dict[str, Layer]] = {}


def forget() -> None:
    """Drop what is held: between tests."""
    with _lock:
        _held.clear()


@dataclass(frozen=True, slots=True)
class Held:
    """A source whose features are read once for every load of the city. `read` gives them by their codes."""

    name: str
    read: Callable[[], list[Feature]]

    def layer(self) -> Layer:
        marker = locate.index().marker
        with _lock:
            found = _held.get(self.name)
            if found is None or found.marker != marker:
                found = _held[self.name] = Layer.of(marker, self.read())
            return found

    def page(self, asked: Asked) -> Found:
        layer = self.layer()
        places: Sequence[int] = layer.inside(asked.boxes) if asked.boxes else range(len(layer.features))
        if asked.filters:
            wanted = asked.filters.items()
            places = [place for place in places if all(layer.features[place].properties[name] == value for name, value in wanted)]
        start = _offset(asked)
        chosen = places[start : start + asked.limit]
        return Found(
            [layer.features[place] for place in chosen], len(places),
            after=str(start + asked.limit) if start + asked.limit < len(places) else "",
            before=str(max(start - asked.limit, 0)) if start else "")

    def one(self, feature_id: str) -> Feature | None:
        layer = self.layer()
        place = layer.places.get(feature_id)
        return None if place is None else layer.features[place]

    def extent(self) -> Extent:
        return self.layer().extent()


def _offset(asked: Asked) -> int:
    """Both directions are places in a list that stays as it is. Raises Invalid for anything but a number."""
    said = asked.after or asked.before
    if not said:
        return 0
    if not (said.isascii() and said.isdigit() and len(said) < 9):
        raise Invalid(_("after、before 只能照 next、prev 链接里的来。"), code="InvalidParameterValue")
    return int(said)
