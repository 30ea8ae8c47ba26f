"""Dates, durations and clocks in words, for every face."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django import template
from django.conf import settings
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import Clock, Event
from lianxin.cases.narrative import day_and_time, day_said, headline, standing
from lianxin.cases.narrative import said as sentence
from lianxin.faces.devices import browser_said
from lianxin.kernel.clock import now
from lianxin.kernel.language import listed, named
from lianxin.worktime import AROUND_THE_CLOCK

register = template.Library()
register.filter("day_and_time", day_and_time)
register.filter("standing", standing)
register.filter("headline", headline)
register.filter("browser_said", browser_said)


@register.simple_tag
def said(event: Event, internal: bool = False) -> str:
    """`{% said entry.event internal=True %}`: one event in a sentence."""
    return sentence(event, internal=internal)


@register.simple_tag
def source_url() -> str:
    """Where the source of what runs here can be had (AGPL-3.0, section 13); empty when the city has not said."""
    return str(settings.LIANXIN_SOURCE_URL)


@register.filter
def day(at: date | None) -> str:
    """A day with its weekday: `11 月 26 日（周四）`; `Thu 26 Nov`. The year is said when it is not this one."""
    if at is None or isinstance(at, datetime):
        return day_said(at)
    return day_said(make_aware(datetime.combine(at, time(12))))


@register.filter
def short_time(at: datetime | None) -> str:
    """For dense lists: `今天 17:30`, `11-26 17:30`."""
    return short_time_on(at, localtime(now()))


def short_time_on(at: datetime | None, today: datetime) -> str:
    """`short_time` for many at once: `today` is now, in the reader's time zone."""
    if at is None:
        return "—"
    local = at.astimezone(today.tzinfo)
    if local.date() == today.date():
        return f"{_('今天')} {local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"


def duration(minutes: int, *, day: int = 1440) -> str:
    """Minutes in words, rounded to what matters. `day` is the length of a day in this kind of time."""
    minutes = abs(minutes)
    if minutes < 60:
        return ngettext("%d 分钟", "%d 分钟", minutes) % minutes
    if minutes < day:
        hours = round(minutes / 60, 1)
        return ngettext("%s 小时", "%s 小时", 1 if hours == 1 else 2) % f"{hours:g}"
    days = round(minutes / day, 1)
    return ngettext("%s 天", "%s 天", 1 if days == 1 else 2) % f"{days:g}"


@dataclass(frozen=True, slots=True)
class ClockPicture:
    """What the clock bar draws: parts of a hundred – spent, stood still, extended – a mood, the words."""

    spent: float
    mood: str
    words: str
    paused: float = 0.0
    extended: float = 0.0


def picture_of(clock: Clock, at: datetime) -> ClockPicture:
    """Elapsed working time over the limit, in the clock's own calendar."""
    calendar = calendar_named(clock.calendar)
    working = calendar is not AROUND_THE_CLOCK
    end = clock.met_at or clock.stopped_at or clock.paused_at or at
    total = clock.limit_minutes + clock.extended_minutes
    spent = max(calendar.between(clock.started_at, end) - clock.paused_minutes, 0)
    still = clock.paused_minutes + (calendar.between(clock.paused_at, at) if clock.paused_at and at > clock.paused_at else 0)
    whole = total + still or 1
    paused, extended = still / whole * 100, clock.extended_minutes / whole * 100
    share = min(spent / whole * 100, 100.0 - paused) if total else 100.0 - paused
    left = calendar.between(end, clock.due_at)
    length = duration(left, day=calendar.minutes_a_day)
    if clock.met_at:
        words = _("已完成，超时 %s") % length if clock.met_at > clock.due_at else _("已按时完成")
        return ClockPicture(share, "late" if clock.met_at > clock.due_at else "met", words, paused, extended)
    if clock.stopped_at:
        return ClockPicture(share, "stopped", _("不再计时"), paused, extended)
    if clock.paused_at:
        return ClockPicture(share, "paused", (_("暂停计时，停下时还剩 %s工作时间") if working else _("暂停计时，停下时还剩 %s")) % length,
                            paused, extended)
    if at > clock.due_at:
        words = _("已超时 %s工作时间") if working else _("已超时 %s")
        return ClockPicture(100.0 - paused, "late", words % length if left else _("期限刚过"), paused, extended)
    words = _("还剩 %s工作时间") if working else _("还剩 %s")
    return ClockPicture(share, "soon" if left <= total * 0.2 else "running", words % length, paused, extended)


@register.inclusion_tag("faces/clock.html")
def clock_bar(clock: Clock, label: Any = "") -> dict[str, Any]:
    picture = picture_of(clock, now())
    return {"clock": clock, "label": label or clock.get_kind_display(), "picture": picture,
            "width": f"{picture.spent * 1.96:.1f}", "still": f"{picture.paused * 1.96:.1f}",
            "still_from": f"{2 + picture.spent * 1.96:.1f}", "still_to": f"{2 + (picture.spent + picture.paused) * 1.96:.1f}",
            "more": f"{picture.extended * 1.96:.1f}",
            "more_from": f"{198 - picture.extended * 1.96:.1f}"}


def mood_at(due_at: datetime | None, at: datetime) -> str:
    """`late`, `soon` (within a day) or nothing."""
    if due_at is None:
        return ""
    left = (due_at - at).total_seconds()
    return "late" if left < 0 else "soon" if left < 86400 else ""


@register.filter
def said_name(thing: Any) -> str:
    """The name of a category, area, unit, phrase or person in the reader's language, where it has one."""
    return named(thing.name, getattr(thing, "name_en", "")) if thing else ""


@register.filter
def short_name(unit: Any) -> str:
    """A unit's short name for dense lists; its English name in English."""
    return named(unit.short_name or unit.name, unit.name_en) if unit else ""


@register.simple_tag
def names(things: Any) -> str:
    """Several categories, areas or units in a row, in the reader's language."""
    return listed(said_name(thing) for thing in things)


@register.simple_tag(name="named")
def named_row(name: str, name_en: str = "") -> str:
    """`{% named row.unit__name row.unit__name_en %}`: a name that came as two columns."""
    return named(name or "", name_en or "")


@register.filter
def in_script(text: str) -> str:
    """A name that has no English, in the reader's script. Never for what a reporter wrote."""
    return named(text)


@register.filter
def get(mapping: Any, key: str) -> Any:
    return mapping.get(key, "") if mapping else ""
