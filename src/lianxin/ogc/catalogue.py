"""The collections that are offered, in the order in which they are listed."""

from __future__ import annotations

from typing import Final

from . import cases, places
from .sources import Collection

COLLECTIONS: Final[dict[str, Collection]] = {one.id: one for one in (*places.COLLECTIONS, cases.COLLECTION)}

_FEATURES: Final = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CONFORMANCE: Final = (
    f"{_FEATURES}/core", f"{_FEATURES}/oas30", f"{_FEATURES}/html", f"{_FEATURES}/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
)
