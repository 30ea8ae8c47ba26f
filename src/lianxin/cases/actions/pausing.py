"""挂起: the promised time stands still, for the two lawful reasons only, and never longer or more often than the city allows.

A pause begins with words the reporter reads, has an end from the start, and ends by itself when the reporter answers, at its
end, or when the unit no longer has the case in hand. A clock that is overdue is not paused: what is missed stays missed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from lianxin.kernel.errors import Conflict, Invalid
from lianxin.organisations.actors import Kind

from ..engine import Step, action
from ..models import Clock, ClockKind, Contact, ContactMeans, Suspension, SuspensionEnd, SuspensionReason
from .dispatching import words as safe
from .handling import own

NOT_PAUSED = "not_paused"


def promised(step: Step) -> Clock:
    """The running clock of what the reporter was promised."""
    found = step.clocks_of(ClockKind.RESOLVE)
    if not found:
        raise Conflict(_("这件工单现在没有在走的办结期限。"), code="no_clock")
    return found[0]


def _check_reason(step: Step, waits_for: str) -> None:
    if waits_for not in SuspensionReason.values:
        raise Invalid(_("挂起只限两种情形：等诉求人补充，或等一个写明的外部条件。"),
                      fields={"waits_for": str(_("请从列表中选择。"))})
    if waits_for == SuspensionReason.REPORTER and not Contact.objects.filter(
        case=step.case, assignment=own(step), reached=True
    ).exclude(means=ContactMeans.NOT_LEFT).exists():
        raise Invalid(_("要等诉求人补充，须先联系上诉求人，并记录这次联系。"),
                      fields={"waits_for": str(_("本单位还没有联系上诉求人的记录。"))})


def _check_until(step: Step, until: datetime) -> datetime:
    if until.tzinfo is None:  # as a clock on the wall says it
        until = make_aware(until)
    if until <= step.at:
        raise Invalid(_("挂起的截止时间须在现在之后。"), fields={"until": str(_("须晚于现在。"))})
    most = settings.LIANXIN_PAUSE_DAYS
    if until > step.at + timedelta(days=most):
        told = ngettext_lazy("一次挂起最长 %d 天。", "一次挂起最长 %d 天。", most) % most
        raise Invalid(told, fields={"until": str(told)})
    return until


@action("suspend")
def suspend(step: Step, *, waits_for: str, words: str, until: datetime) -> None:
    """挂起: the lead unit lets the promised time stand still while it waits for the reporter (`reporter`, after a contact
    that reached them) or for an outside condition named in the words (`outside`). The reporter reads the words."""
    step.require(waits_for=waits_for, words=words, until=until)
    _check_reason(step, waits_for)
    until = _check_until(step, until)
    clock = promised(step)
    if clock.paused_at is not None:
        raise Conflict(_("这件工单已经挂起。"), code="already_paused")
    if clock.due_at <= step.at:
        raise Invalid(_("办结期限已过，不能再挂起；超期照实记着，请抓紧办理。"))
    most = settings.LIANXIN_PAUSES_PER_ROUND
    if Suspension.objects.filter(case=step.case, clock__round=step.case.round).count() >= most:
        raise Invalid(ngettext_lazy("这一轮办理已经挂起 %d 次，不能再挂起。", "这一轮办理已经挂起 %d 次，不能再挂起。", most) % most)
    step.say("words", safe(words, "words"), public=True)
    step.pause(clock, reason=waits_for, until=until)
    step.data.update(waits_for=waits_for, until=until.isoformat())


def let_go_on(step: Step, how: SuspensionEnd) -> None:
    """Let the promised time go on. The event says for how long it stood still and when the answer is due now."""
    clock = promised(step)
    if clock.paused_at is None:
        raise Conflict(_("这件工单没有挂起。"), code=NOT_PAUSED)
    before = clock.paused_minutes
    step.resume(clock, how)
    step.data.update(minutes=clock.paused_minutes - before, due=clock.due_at.isoformat())


@action("resume_work")
def resume_work(step: Step, *, note: str = "") -> None:
    """恢复办理: what was waited for is there; the unit goes on, and the time with it."""
    step.say("note", safe(note, "note", required=False), public=False)
    let_go_on(step, SuspensionEnd.RESUMED)


@action("lift_suspension")
def lift_suspension(step: Step, *, reason: str) -> None:
    """解除挂起: the hotline does not hold with the pause, and says why. The time goes on from now."""
    step.require(reason=reason)
    step.say("reason", safe(reason, "reason"), public=False)
    let_go_on(step, SuspensionEnd.LIFTED)


@action("lapse_suspension")
def lapse_suspension(step: Step) -> None:
    """挂起到期: the end that the pause had from the start has come. Raises Conflict when there is none to end."""
    clock = promised(step)
    pause = Suspension.objects.filter(clock=clock, ended_at__isnull=True).first()
    if pause is None or pause.until > step.at:
        raise Conflict(_("这件工单没有挂起。"), code=NOT_PAUSED)
    let_go_on(step, SuspensionEnd.LAPSED)


def answered(step: Step) -> None:
    """The reporter has said more: a pause that waited for them is over. Called by every way in which they can."""
    if step.by.kind is not Kind.REPORTER and step.row.action != "add_information":
        return
    for clock in step.clocks_of(ClockKind.RESOLVE):
        if clock.paused_at is not None and Suspension.objects.filter(
            clock=clock, ended_at__isnull=True, reason=SuspensionReason.REPORTER
        ).exists():
            let_go_on(step, SuspensionEnd.REPORTER_ANSWERED)
            step.data.update(resumed=True)
