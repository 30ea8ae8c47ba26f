"""A server under test: what it answers, remembered, and how to walk through it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

GEOJSON, JSON, HTML = "application/geo+json", "application/json", "text/html"
MOST_PAGES: Final = 50
Fetch = Callable[[str, str, Mapping[str, str]], "Reply"]


class Failed(Exception):
    """What is not as the standard has it."""


def need(condition: object, why: str) -> None:
    """Raise Failed unless the condition holds."""
    if not condition:
        raise Failed(why)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; names of headers are in small letters."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"{self.url}: no JSON") from None


def with_query(url: str, **more: str) -> str:
    """The address with parameters set, others kept."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query, keep_blank_values=True)), **more})))


@dataclass
class Site:
    """A server by the address of its landing page. `fetch` takes method, address and headers."""

    root: str
    fetch: Fetch
    _held: dict[tuple[str, str], Reply] = field(default_factory=dict)

    def get(self, url: str, *, accept: str = f"{GEOJSON}, {JSON}", status: int | None = 200) -> Reply:
        """An answer, asked for once. Raises Failed for another status than `status`."""
        key = (url, accept)
        if key not in self._held:
            self._held[key] = self.fetch("GET", url, {"Accept": accept})
        reply = self._held[key]
        need(status is None or reply.status == status, f"{url}: {reply.status} instead of {status}")
        return reply

    def at(self, path: str) -> str:
        return urljoin(self.root if self.root.endswith("/") else self.root + "/", path)

    @cached_property
    def landing(self) -> dict[str, Any]:
        return dict(self.get(self.root).json())

    @cached_property
    def conformance(self) -> list[str]:
        return list(self.get(self.at("conformance")).json().get("conformsTo", []))

    @cached_property
    def collections(self) -> list[dict[str, Any]]:
        return list(self.get(self.at("collections")).json().get("collections", []))

    @cached_property
    def description(self) -> dict[str, Any]:
        found = linked(self.landing, "service-desc")
        need(found, "no service-desc")
        return dict(self.get(found[0]["href"], accept=found[0].get("type", "*/*")).json())

    def items(self, collection: str, **query: str) -> str:
        address = self.at(f"collections/{collection}/items")
        return with_query(address, **query) if query else address

    def pages(self, url: str) -> Iterator[dict[str, Any]]:
        """Pages of features from an address on, by their `next` links. Raises Failed for more than can be meant."""
        for _page in range(MOST_PAGES):
            page = self.get(url).json()
            yield page
            further = linked(page, "next")
            if not further:
                return
            url = further[0]["href"]
        raise Failed(f"more than {MOST_PAGES} pages from {url}")

    def features(self, collection: str, **query: str) -> list[dict[str, Any]]:
        return [one for page in self.pages(self.items(collection, limit="1000", **query)) for one in page["features"]]


def linked(content: Mapping[str, Any], relation: str) -> list[dict[str, Any]]:
    """The links of one relation."""
    return [one for one in content.get("links", ()) if one.get("rel") == relation]
