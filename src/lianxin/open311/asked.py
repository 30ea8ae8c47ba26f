"""What a request asks for: its parameters, read as the specification says. An empty one is one that was not sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.faces.machines import Caller, bearer, caller_with
from lianxin.kernel.clock import now
from lianxin.organisations.scopes import named
from lianxin.places.models import City

from .errors import Absent, Bad, KeyNeeded

CAP: Final = 1_000  # requests in one answer
SPAN: Final = timedelta(days=90)
PAGES: Final = 10_000
SCOPE: Final = named("open311", gettext_lazy("通过 Open311 提交诉求"))
# Dates and times of the W3C's note: a day, or a day and a time with its zone; a space for the plus that nobody escaped.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?) ?(Z|[+-]?\d{2}:?\d{2})?", re.IGNORECASE)


def listed(values: QueryDict, name: str) -> list[str]:
    """A parameter that may be sent several times, or once with commas: its values, each once, in order."""
    found = (part.strip() for value in values.getlist(name) for part in value.split(","))
    return list(dict.fromkeys(part for part in found if part))


def moment(said: str, name: str, *, end: bool = False) -> datetime:
    """A date and time. A day is its beginning (its `end`), a time without a zone is the city's. Raises Bad."""
    text = said.strip()
    try:
        if _DAY.fullmatch(text):
            day = datetime.combine(date.fromisoformat(text), datetime.max.time() if end else datetime.min.time())
            return day.replace(tzinfo=get_current_timezone())
        match = _TIME.fullmatch(text)
        if match is None:
            raise ValueError(text)
        zone = (match[3] or "").upper()
        if zone and zone != "Z" and zone[0] not in "+-":
            zone = f"+{zone}"
        read = datetime.fromisoformat(f"{match[1]}T{match[2]}{'+00:00' if zone == 'Z' else zone}")
        return read if read.tzinfo is not None else read.replace(tzinfo=get_current_timezone())
    except (ValueError, OverflowError):
        raise Bad(fields={name: _("须是 W3C 格式的日期时间，例如 2026-01-01T00:00:00Z。")}) from None


def _safe(at: datetime) -> datetime:
    """Inside what the keys of events and arithmetic can hold: nothing here is older."""
    return min(max(at, datetime(1971, 1, 1, tzinfo=UTC)), datetime(9000, 1, 1, tzinfo=UTC))


def _whole(at: datetime) -> datetime:
    """The end of a second that was said without a part: times are shown to the second, and a last one is inclusive."""
    return at if at.microsecond else at + timedelta(microseconds=999_999)


@dataclass(frozen=True, slots=True)
class Span:
    """From and to, both inclusive."""

    start: datetime
    end: datetime


def span(values: QueryDict, start: str, end: str, *, default: bool) -> Span | None:
    """Two times that belong together: never more than 90 days apart, the most recent 90 days where neither is sent (with `default`)
    and the 90 days beside the one that is. Raises Bad."""
    since, until = values.get(start, "").strip(), values.get(end, "").strip()
    if not since and not until:
        return Span(now() - SPAN, now()) if default else None
    first = _safe(moment(since, start)) if since else None
    last = _whole(_safe(moment(until, end, end=True))) if until else None
    if first is None:
        assert last is not None
        return Span(last - SPAN, last)
    if last is None:
        return Span(first, first + SPAN)
    if last < first:
        raise Bad(fields={start: _("开始时间晚于结束时间。")})
    if _safe(moment(until, end)) - first > SPAN:  # of days, that of their beginnings
        raise Bad(fields={end: _("时间跨度不能超过 90 天。")})
    return Span(first, last)


def number(values: QueryDict, name: str, default: int, most: int) -> int:
    """A whole number from 1 on; more than `most` is `most`. Raises Bad."""
    said = values.get(name, "").strip()
    if not said:
        return default
    if not (said.isascii() and said.isdigit()) or len(said) > 12 or int(said) < 1:
        raise Bad(fields={name: _("须是从 1 起的整数。")})
    return min(int(said), most)


def flag(values: QueryDict, name: str) -> bool:
    return values.get(name, "").strip().lower() in ("true", "1", "yes")


@dataclass(frozen=True, slots=True)
class Slice:
    """One page: `page` from 1, `size` at most `CAP`."""

    page: int
    size: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def page(values: QueryDict) -> Slice:
    return Slice(number(values, "page", 1, PAGES), number(values, "page_size", CAP, CAP))


def choices(values: QueryDict, name: str, known: Iterable[str]) -> list[str]:
    """A list whose values are known ones, in whatever case. Raises Bad."""
    wanted, known = [value.lower() for value in listed(values, name)], list(known)
    if wrong := [value for value in wanted if value not in known]:
        raise Bad(fields={name: _("“%(value)s”不在可选值内：%(known)s。") % {"value": wrong[0][:40], "known": "、".join(known)}})
    return wanted


def jurisdictions() -> list[str]:
    """The ids that this endpoint answers to; the first is the one it names itself by: what the setting says, else the city's code."""
    return settings.LIANXIN_OPEN311_JURISDICTIONS or list(City.objects.order_by("id").values_list("code", flat=True)[:1])


def check_jurisdiction(*sent: QueryDict) -> None:
    """One city is served, so the parameter may be left out. Raises Absent for another's."""
    for values in sent:
        for said in values.getlist("jurisdiction_id"):
            if said.strip() and said.strip() not in jurisdictions():
                raise Absent(_("没有这个 jurisdiction_id：%s") % said.strip()[:60])


def caller(request: HttpRequest, *sent: QueryDict) -> Caller | None:
    """Whose api_key came with the request: a parameter, else a bearer token. None without one. Raises KeyNeeded for one that is no
    good, and for a token that is not for Open311."""
    said = next((value.strip() for values in sent if (value := values.get("api_key", "")).strip()), "") or bearer(request)
    if not said:
        return None
    found = caller_with(said)
    if found is None or not found.may(SCOPE):
        raise KeyNeeded()
    return found
