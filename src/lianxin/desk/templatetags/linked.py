"""Handovers in words: clocks that run on the page, the steps of both desks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from lianxin.faces.templatetags.lianxin import duration, said_name
from lianxin.kernel.language import listed
from lianxin.linkage.models import Direction, Handover, HandoverState, HandoverStep, Term, TermList
from lianxin.linkage.queries import Thread
from lianxin.linkage.wire import Agreed, Done, PhoneAgreed

from ..forms.linkage import LABELS, steps_for

register = template.Library()

KINDS: dict[str, str | Promise] = {
    "offer": gettext_lazy("提出移交"), "acknowledge": gettext_lazy("已看到"), "accept": gettext_lazy("接收"),
    "refuse": gettext_lazy("不接收"),
    "negotiate": gettext_lazy("协商"), "withdraw": gettext_lazy("撤回移交"), "withdrawn": gettext_lazy("确认撤回"),
    "supplement": gettext_lazy("补充情况"), "phone": gettext_lazy("电话联系"), "progress": gettext_lazy("进展"),
    "outcome": gettext_lazy("结果"),
    "close": gettext_lazy("了结"), "late": gettext_lazy("超时"), "ping": gettext_lazy("问候"), "query": gettext_lazy("核对"),
    "rule": gettext_lazy("联合规则"),
}
DONE: dict[str, str | Promise] = {
    Done.DISPATCHED.value: gettext_lazy("已派出"), Done.ON_SCENE.value: gettext_lazy("已到场"), Done.WORKING.value: gettext_lazy("在处置"),
    Done.OTHER.value: gettext_lazy("其他"),
}
# From this desk's side, whoever said it.
AGREED: dict[str, str | Promise] = {
    Agreed.OURS.value: gettext_lazy("归本热线"), Agreed.THEIRS.value: gettext_lazy("归对方"),
    Agreed.UNCLEAR.value: gettext_lazy("还没有说清"),
}
PHONED: dict[str, str | Promise] = {
    PhoneAgreed.ACCEPTED.value: gettext_lazy("说接收"), PhoneAgreed.REFUSED.value: gettext_lazy("说不接收"),
    PhoneAgreed.UNCLEAR.value: gettext_lazy("还没有说清"),
}


# A state as it is here for what a partner offered: the table's words are those of the desk that offers.
INCOMING: dict[str, str | Promise] = {
    HandoverState.OFFERED.value: gettext_lazy("待本热线确认"), HandoverState.ACKNOWLEDGED.value: gettext_lazy("已看到，待本热线答复"),
    HandoverState.ACCEPTED.value: gettext_lazy("本热线已接收"), HandoverState.REFUSED.value: gettext_lazy("本热线未接收"),
    HandoverState.OUTCOME_RETURNED.value: gettext_lazy("已把结果告诉对方"),
}


@register.filter
def handover_state(handover: Handover) -> str | Promise:
    """How a handover stands, from this desk's side."""
    mine = INCOMING.get(handover.state) if handover.direction == Direction.IN else None
    return mine or handover.get_state_display()


@register.filter
def kind_said(kind: str) -> str | Promise:
    """What a kind of message is called."""
    return KINDS.get(kind, kind)


@register.filter
def step_title(step: HandoverStep) -> str | Promise:
    return KINDS.get(step.kind, step.kind)


def _term(list_: TermList, code: str) -> str:
    found = Term.objects.filter(list=list_, code=code).first()
    return said_name(found) if found is not None else code


@register.filter
def step_detail(step: HandoverStep) -> str:
    """What a step says beside its words: a number, whom with, what was agreed."""
    data: dict[str, Any] = step.data
    parts: list[str] = []
    if step.kind == "refuse" and data.get("reason"):
        parts.append(_term(TermList.REFUSAL, str(data["reason"])))
    if step.kind == "outcome" and data.get("result"):
        parts.append(_term(TermList.RESULT, str(data["result"])))
    if data.get("follow_up"):
        parts.append(_("还有后续"))
    if step.kind == "progress" and data.get("step"):
        parts.append(str(DONE.get(str(data["step"]), data["step"])))
    if data.get("three_way"):
        parts.append(_("三方通话"))
    if data.get("spoke_with"):
        parts.append(_("与 %s 通话") % data["spoke_with"])
    if step.kind in ("negotiate", "phone") and data.get("agreed"):
        parts.append(str((PHONED if step.kind == "phone" else AGREED).get(str(data["agreed"]), data["agreed"])))
    if data.get("by") == "default":
        parts.append(_("按首接负责制"))
    if data.get("reference"):
        parts.append(str(data["reference"]))
    if data.get("noted"):
        parts.append(_("到得晚，没有改变什么"))
    return listed(parts) if parts else ""


@register.filter
def thread_steps(thread: Thread) -> list[tuple[str, Any]]:
    """What can be done with a handover: name and label."""
    return [(name, LABELS[name]) for name in steps_for(thread.handover)]


def _seconds(left: int) -> str:
    """Up to two minutes in seconds, then as other times are said."""
    left = abs(left)
    return ngettext("%d 秒", "%d 秒", left) % left if left < 120 else duration(left // 60)


@register.simple_tag
def handover_clock(handover: Handover, seconds: int | None) -> SafeString | str:
    """What is left on the clock of a handover. The page counts it on; a reader of the screen hears it as it was when asked."""
    due: datetime | None = handover.due_at
    if due is None or seconds is None:
        return ""
    late = seconds < 0
    return format_html('<span class="desk-left{}" data-due="{}" data-left="{}" data-late="{}">{}</span>', " late" if late else "",
                       due.isoformat(), _("剩 %s"), _("超时 %s"), (_("超时 %s") if late else _("剩 %s")) % _seconds(seconds))
