"""The words of GeoReport v2 (https://wiki.open311.org/GeoReport_v2/), read from what servers really send: JSON or XML, numbers where texts
belong, one object where a list belongs, times without a zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

import pydantic_core
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.conf import settings

DESCRIPTION: Final = 4_000  # characters
MOST: Final = 1_000  # requests of one answer
DAYS: Final = 90  # between start_date and end_date
EARLIEST: Final = 1970
OPEN, CLOSED = "open", "closed"


class Unreadable(ValueError):
    """The answer is no GeoReport."""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\x00", "").strip() if isinstance(value, (str, int, float)) else ""


def _row(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        raise Unreadable("a list of objects is expected")
    return {str(name): _text(value) for name, value in found.items()}


def _of_json(said: bytes) -> list[dict[str, str]]:
    try:
        found = pydantic_core.from_json(said)
    except ValueError as error:
        raise Unreadable("no JSON") from error
    if isinstance(found, dict):  # one object, or a list under the element's name
        lists = [value for value in found.values() if isinstance(value, list) and value and all(isinstance(one, dict) for one in value)]
        found = lists[0] if len(found) == 1 and lists else [found]
    if not isinstance(found, list):
        raise Unreadable("a list is expected")
    return [_row(one) for one in found]


def _of_xml(said: bytes) -> list[dict[str, str]]:
    try:
        root = fromstring(said)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable("no XML") from error
    return [{child.tag: _text(child.text) for child in row} for row in root]


def rows(said: bytes) -> list[dict[str, str]]:
    """The objects of an answer, every value a text; empty for none. Raises Unreadable."""
    body = said.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise Unreadable("an empty answer")
    return _of_xml(body) if body[:1] == b"<" else _of_json(body)


def fault(said: bytes) -> str:
    """What an error says, in one line; empty where it says nothing that can be read."""
    try:
        found = rows(said[:20_000])
    except Unreadable:
        return ""
    told = [" ".join(part for part in (one.get("code", ""), one.get("description", "")) if part) for one in found[:3]]
    return "; ".join(one for one in told if one)[:200]


def moment(said: str) -> datetime | None:
    """A time as W3C writes it; one without a zone is the city's. None for what is none, and for what is meant as none: many servers
    write an empty column as the year 1."""
    try:
        at = datetime.fromisoformat(said)
        at = (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return at if at.year >= EARLIEST else None


def stamp(at: datetime) -> str:
    """A time as it is sent."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def status(row: Mapping[str, str]) -> str:
    """`open` or `closed`; empty where the answer says neither."""
    said = row.get("status", "").strip().lower()
    return said if said in (OPEN, CLOSED) else ""


def degrees(row: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Longitude and latitude; None for both where one is missing or out of range."""
    try:
        lon, lat = float(row.get("long", "")), float(row.get("lat", ""))
    except ValueError:
        return None, None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 and (lon, lat) != (0, 0) else (None, None)
