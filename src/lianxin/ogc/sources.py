"""What a collection is made of: its properties, what is asked of it, what it answers. No HTTP here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from django.utils.functional import Promise

from .crs import CRS84, Box, Crs

DEFAULT: Final = 100  # features of a page, when the client does not say
MOST: Final = 1_000
COUNTED: Final = 100_000  # beyond so many matches their number is not said: counting would take longer than the page


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a collection's features. `kind` is JSON Schema's type; one that `filters` may be asked for by its name."""

    name: str
    title: str | Promise
    kind: str = "string"
    filters: bool = False
    choices: tuple[str, ...] = ()
    format: str = ""

    def schema(self, *, null: bool = True) -> dict[str, Any]:
        made: dict[str, Any] = {"type": self.kind}
        if self.format:
            made["format"] = self.format
        if self.choices:
            made["enum"] = [*self.choices]
        if null:
            made["nullable"] = True
            if self.choices:
                made["enum"].append(None)
        return made


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for features. `boxes` are in WGS 84; a feature without a geometry lies in every box, one without a time in every
    period. `after` or `before` is the place in the order that a `next` or `prev` link said."""

    limit: int = DEFAULT
    boxes: tuple[Box, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    filters: Mapping[str, str | bool] = field(default_factory=dict)
    after: str = ""
    before: str = ""
    into: Crs = CRS84


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; `geometry` is GeoJSON in WGS 84 degrees. `page` is its place in this site, when it has one."""

    id: str
    geometry: dict[str, Any] | None
    properties: dict[str, Any]
    page: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of features in order. `matched` is None where there are too many to count."""

    features: list[Feature]
    matched: int | None
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where and when a collection lies; either may be unknown."""

    box: Box | None = None
    since: datetime | None = None
    until: datetime | None = None


class Source(Protocol):
    """Where a collection's features come from."""

    def page(self, asked: Asked) -> Found: ...
    def one(self, feature_id: str) -> Feature | None: ...
    def extent(self) -> Extent: ...


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection as clients see it. `geometry` names the one type its geometries have; `timed` whether `datetime` means anything."""

    id: str
    title: str | Promise
    description: str | Promise
    geometry: str
    properties: tuple[Property, ...]
    source: Source
    timed: bool = False

    @property
    def filters(self) -> dict[str, Property]:
        return {one.name: one for one in self.properties if one.filters}
