"""Query parameters, taken strictly: one that is unknown, comes twice or makes no sense is refused (Features Part 1, 7.5 and 7.6).

Every fault is an Invalid whose code is one of those that OGC services have always used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.http import HttpRequest
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

from . import crs
from .sources import DEFAULT, MOST, Asked, Collection, Property

VALUE: Final = "InvalidParameterValue"
FORMATS: Final = ("json", "html")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def fault(name: str, why: str) -> Invalid:
    return Invalid(f"{name}: {why}", code=VALUE)


def said(request: HttpRequest, known: Iterable[str]) -> dict[str, str]:
    """The parameters of an address. Raises Invalid for one that is not `known` or is there twice."""
    allowed = frozenset(known)
    for name, values in request.GET.lists():
        if name not in allowed:
            raise Invalid(_("没有参数 %(name)s。可以用：%(known)s。") % {"name": name[:60], "known": ", ".join(sorted(allowed))},
                          code="InvalidParameterName")
        if len(values) > 1:
            raise fault(name, _("只能给一次。"))
        if "\x00" in values[0]:
            raise fault(name, _("有不能用的字符。"))
    return {name: request.GET[name] for name in request.GET}


def choice(name: str, value: str, choices: Iterable[str]) -> str:
    known = tuple(choices)
    if value not in known:
        raise fault(name, _("只能是 %(choices)s。") % {"choices": ", ".join(known)})
    return value


def limit(value: str) -> int:
    """A whole number from 1 on; more than MOST means MOST, as the standard wants."""
    if not (value.isascii() and value.isdigit() and int(value[:12]) > 0 and len(value) < 12):
        raise fault("limit", _("要一个大于零的整数。"))
    return min(int(value), MOST)


def numbers(value: str) -> list[float]:
    parts = value.split(",")
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise fault("bbox", _("要四个数（西、南、东、北），带高程的六个。"))
    return [float(part) for part in parts]


def _moment(value: str, *, end: bool) -> datetime:
    """A moment of RFC 3339. A bare day, which some clients send, is its beginning or end in the city's time."""
    try:
        if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value.upper().replace("Z", "+00:00")).astimezone(UTC)
        if _DAY.fullmatch(value):
            day = datetime.combine(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date(), time(), get_default_timezone())
            return (day + timedelta(days=1, microseconds=-1) if end else day).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise fault("datetime", _("要 RFC 3339 的时间，例如 2026-11-01T00:00:00Z，或者两个时间中间加 /。"))


def period(value: str) -> tuple[datetime | None, datetime | None]:
    """`datetime`: a moment, or two with `/` between, of which one may be open (`..` or nothing)."""
    parts = value.split("/")
    if len(parts) == 1:
        return _moment(value, end=False), _moment(value, end=True)
    if len(parts) != 2 or all(part in ("", "..") for part in parts):
        raise fault("datetime", _("要 RFC 3339 的时间，例如 2026-11-01T00:00:00Z，或者两个时间中间加 /。"))
    since, until = (None if part in ("", "..") else _moment(part, end=place == 1) for place, part in enumerate(parts))
    if since is not None and until is not None and since > until:
        raise fault("datetime", _("开始的时间晚于结束的时间。"))
    return since, until


def _filter(one: Property, value: str) -> str | bool:
    if one.kind == "boolean":
        return choice(one.name, value, ("true", "false")) == "true"
    if one.choices:
        return choice(one.name, value, one.choices)
    if len(value) > 60:
        raise fault(one.name, _("太长了。"))
    return value


FEATURES: Final = ("bbox", "bbox-crs", "crs", "datetime", "limit", "after", "before", "f")


def asked(collection: Collection, given: Mapping[str, str]) -> Asked:
    """What `given` asks of a collection. Raises Invalid for what makes no sense."""
    into = crs.named(given["crs"], "crs") if "crs" in given else crs.CRS84
    boxes: tuple[crs.Box, ...] = ()
    if "bbox-crs" in given:
        box_in = crs.CRS84 if given["bbox-crs"] == crs.CRS84H else crs.named(given["bbox-crs"], "bbox-crs")
    else:
        box_in = crs.CRS84
    if "bbox" in given:
        boxes = crs.boxes(numbers(given["bbox"]), box_in)
    since, until = period(given["datetime"]) if "datetime" in given else (None, None)
    if "after" in given and "before" in given:
        raise fault("before", _("after、before 只能照 next、prev 链接里的来。"))
    return Asked(
        limit=limit(given["limit"]) if "limit" in given else DEFAULT, boxes=boxes, since=since, until=until,
        filters={name: _filter(one, given[name]) for name, one in collection.filters.items() if name in given},
        after=given.get("after", ""), before=given.get("before", ""), into=into)
