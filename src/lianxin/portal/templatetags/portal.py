"""A public record in words that speak to anyone, not to its reporter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lianxin.cases.narrative import day_and_time, day_said
from lianxin.kernel.language import named
from lianxin.publishing.models import Dated, Precision, Record, Stage

register = template.Library()
register.filter("day_said", day_said)


def _unit(record: Record) -> str:
    if record.unit is None:
        return pgettext("in a sentence", "责任单位")
    # Translators: a unit's name inside a sentence; English wants an article before it.
    return pgettext("in a sentence", "%(unit)s") % {"unit": named(record.unit.name, record.unit.name_en)}


def when_said(at: datetime | None, dated: str) -> str:
    """A time as finely as its record tells it: to the minute, the day, the week or the month."""
    if at is None:
        return ""
    if dated == Dated.EXACT:
        return day_and_time(at)
    if dated == Dated.WEEK:
        return _("%(day)s那一周") % {"day": day_said(at)}
    if dated == Dated.MONTH:
        local = localtime(at)
        return _("%(year)d 年 %(month)d 月") % {"year": local.year, "month": local.month}
    return day_said(at)


@register.filter
def opened_said(record: Record) -> str:
    return when_said(record.opened_at, record.dated)


@register.filter
def due_said(record: Record) -> str:
    return when_said(record.due_at, record.dated)


@register.filter
def closed_said(record: Record) -> str:
    return when_said(record.closed_at, record.dated)


@register.simple_tag
def public_standing(record: Record, at: datetime) -> str:
    """Where a public case stands, with whom and by when, in one sentence. Nothing in it was typed by anyone."""
    unit = _unit(record)
    if record.stage == Stage.CLOSED:
        said = {
            True: _("%(unit)s已经办结，反映人说解决了。"), False: _("%(unit)s已经办结，反映人说没有解决。"),
            None: _("%(unit)s已经办结，没有问到反映人是否解决。"),
        }[record.solved]
        return said % {"unit": unit}
    if record.stage == Stage.WITH_UNIT:
        if record.due_at is None:
            return _("%(unit)s正在办理。") % {"unit": unit}
        late = record.dated == Dated.EXACT and record.due_at < at
        said_due = {"unit": unit, "day": due_said(record)}
        return (_("%(unit)s正在办理，已经过了答复期限（%(day)s）。") if late
                else _("%(unit)s正在办理，答复期限是%(day)s。")) % said_due
    return {
        Stage.RECEIVED: _("热线已收到，正在看该由哪个单位办。"),
        Stage.HANDED_OVER: _("已转给联动单位处置，热线等着结果。"),
        Stage.ANSWERED: _("%(unit)s已经答复，正在听反映人的意见。"),
        Stage.DECLINED: _("这件事不归热线办。"),
    }[Stage(record.stage)] % {"unit": unit}


@register.filter
def public_badge(record: Record) -> str:
    """Two to four words for a list."""
    if record.stage == Stage.CLOSED:
        return _("没能解决") if record.solved is False else _("已办结")
    return {Stage.ANSWERED: _("已答复"), Stage.DECLINED: _("不归热线办")}.get(Stage(record.stage), _("正在办"))


@register.filter
def badge_look(record: Record) -> str:
    return "green" if record.stage == Stage.CLOSED and record.solved is not False else "accent"


@register.simple_tag
def title_of(record: Record, names: Mapping[str, str]) -> str:
    """The cleared title; else what kind of matter it is."""
    if record.title:
        return record.title
    return names.get(record.category.code, "") if record.category else _("一件诉求")


@register.filter
def precision_said(record: Record) -> str:
    """How finely the page says where, and why no finer."""
    return {
        Precision.CELL: _("（约 75 米以内，具体位置不公开）"), Precision.CITY: _("（只写到全市，具体位置不公开）"),
    }.get(Precision(record.precision), _("（只写到这一级，具体位置不公开）"))
