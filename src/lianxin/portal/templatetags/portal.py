"""A public case in words that speak to anyone, not to its reporter."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.cases.models import Case, Outcome, State
from lianxin.cases.narrative import day_and_time, unit_of

from ..queries import Share

register = template.Library()


@register.filter
def public_standing(case: Case) -> str:
    """Where a public case stands and with whom, in one sentence. Nothing in it was typed by anyone."""
    unit = unit_of(case)
    if case.state == State.CLOSED:
        said = {
            Outcome.SOLVED: _("%(unit)s已经办好，%(day)s办结。"),
            Outcome.EXPLAINED: _("没能解决，%(unit)s已向反映人说明原因，%(day)s办结。"),
            Outcome.HANDED_OVER: _("联动单位已经办完，%(day)s办结。"),
        }.get(Outcome(case.outcome), _("%(unit)s已经答复，%(day)s办结。"))
        return said % {"unit": unit, "day": day_and_time(case.closed_at)}
    said = {
        State.REGISTERED: _("热线已收到，正在看该由哪个单位办。"), State.ACCEPTED: _("热线已受理，正在转给责任单位。"),
        State.DISPATCHED: _("已交给%(unit)s，等他们接单。"), State.IN_HAND: _("%(unit)s正在办理。"),
        State.OBJECTED: _("热线正在核定由哪个单位办。"), State.REPLIED: _("%(unit)s已写好答复，热线正在审核。"),
        State.CALLBACK: _("%(unit)s已经答复，正在听反映人的意见。"), State.DECLINED: _("这件事不归热线办。"),
        State.WITHDRAWN: _("反映人已经撤回。"),
        State.MERGED: _("%(unit)s正在办理，和别人反映的同一件事一起办。"),
        State.HANDED_OVER: _("已转给联动单位处置，热线等着结果。"),
    }[State(case.state)]
    return said % {"unit": unit}


@register.filter
def how_many(case: Case) -> str:
    """How many people have raised a public matter; nothing when it is one."""
    count = case.duplicate_count + 1
    return ngettext("%(n)d 位市民反映", "%(n)d 位市民反映", count) % {"n": count} if count > 1 else ""


@register.filter
def public_badge(case: Case) -> str:
    """Two to four words for a list."""
    if case.state == State.CLOSED:
        return _("没能解决") if case.outcome == Outcome.EXPLAINED else _("已办结")
    return _("已答复") if case.state in (State.REPLIED, State.CALLBACK) else _("正在办")


@register.filter
def in_words(share: Share) -> str:
    """`41 件里有 33 件（80%，可信区间 66–90%）`; small numbers are called small."""
    if not share.whole:
        return _("还没有可以算的。")
    low, high = share.bounds
    said = {"whole": share.whole, "part": share.part, "percent": round(share.percent), "low": low, "high": high}
    if share.whole < 10:
        return _("%(whole)d 件里有 %(part)d 件（件数太少，不算百分比）") % said
    return _("%(whole)d 件里有 %(part)d 件，合 %(percent)d%%（可信区间 %(low)d%%–%(high)d%%）") % said
