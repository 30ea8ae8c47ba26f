"""延期: more time, asked for before it has run out and decided by somebody whose unit has no part in the case.

The clock that was promised runs on while the request waits. A granted extension is counted from the due time, never from the
day of the decision, and the reporter is told why.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from lianxin.kernel.errors import Conflict, Invalid, NotAllowed

from ..clocks import calendar_named, limits_of_case, promise
from ..engine import Step, action
from ..models import Clock, ClockKind, Extension, ExtensionDecision, TimeLimit
from .dispatching import words
from .handling import own
from .pausing import promised


def complex_minutes(step: Step, clock: Clock) -> int:
    """How much longer the clock would run under the limits of a complex matter. Raises Invalid when it may not ask."""
    node = step.reference.nodes.get(step.case.category_id) if step.case.category_id else None
    if node is None or not node.complex_allowed:
        raise Invalid(_("这个事项不能按疑难办理。"), fields={"complex": str(_("只有标明可按疑难办理的事项才行。"))})
    limits = limits_of_case(step.reference, category_id=step.case.category_id, kind=step.case.kind,
                            urgency=step.case.urgency, at=clock.started_at, track=TimeLimit.Case.COMPLEX)
    until = promise(start=clock.started_at, minutes=limits.resolve + clock.paused_minutes, calendar=limits.calendar)
    more = calendar_named(clock.calendar).between(clock.due_at, until.due_at) if until.due_at > clock.due_at else 0
    if more <= 0:
        raise Invalid(_("疑难时限不比现在的期限长。"), fields={"complex": str(_("请写明要延长多少。"))})
    return more


def _asked(step: Step, clock: Clock, minutes: int | None) -> int:
    if minutes is None or isinstance(minutes, bool) or minutes < 1:
        raise Invalid(_("请写明要延长多少。"), fields={"minutes": str(_("请写明要延长多少。"))})
    if minutes > clock.limit_minutes:
        told = _("延长的时间不能超过原来的时限。")
        raise Invalid(told, fields={"minutes": str(told)})
    return minutes


@action("ask_extension")
def ask_extension(step: Step, *, reason: str, minutes: int | None = None, complex: bool = False) -> None:
    """申请延期: before the time has run out, for as long again at most, in minutes of the clock's own calendar; or, with
    `complex`, for the limits of a complex matter, where the category allows it."""
    step.require(reason=reason)
    clock = promised(step)
    if clock.due_at <= step.at:
        raise Invalid(_("办结期限已过，不能再申请延期；超期照实记着，请抓紧办理。"))
    if clock.paused_at is not None:
        raise Invalid(_("这件工单正在挂起，先恢复办理再申请延期。"))
    asked = Extension.objects.filter(case=step.case, clock__round=step.case.round).exclude(
        decision=ExtensionDecision.LAPSED)
    if asked.filter(decision=ExtensionDecision.WAITING).exists():
        raise Conflict(_("已有一项延期申请在等答复。"), code="already_asked")
    most = settings.LIANXIN_EXTENSIONS_PER_ROUND
    if asked.count() >= most:
        raise Invalid(ngettext_lazy("这一轮办理已经申请过 %d 次延期，不能再申请。",
                                    "这一轮办理已经申请过 %d 次延期，不能再申请。", most) % most)
    more = complex_minutes(step, clock) if complex else _asked(step, clock, minutes)
    Extension.objects.create(
        case=step.case, clock=clock, assignment=own(step), event_id=step.event_id, complex=complex, minutes=more,
        asked_at=step.at, asked_by_id=step.by.staff_id or 0, due_before=clock.due_at,
    )
    step.owe(ClockKind.EXTENSION)
    step.data.update(minutes=more, complex=complex, calendar=clock.calendar)
    step.say("reason", words(reason, "reason"), public=False)


def _waiting(step: Step) -> Extension:
    """The request that waits. Raises Conflict when there is none, NotAllowed for the one who asked."""
    found = Extension.objects.select_for_update().filter(
        case=step.case, decision=ExtensionDecision.WAITING).first()
    if found is None:
        raise Conflict(_("没有等答复的延期申请。"), code="nothing_asked")
    if found.asked_by_id == step.by.staff_id:
        raise NotAllowed(_("延期不能由申请人自己批。"))
    return found


def _decide(step: Step, asked: Extension, decision: ExtensionDecision, *, minutes: int | None = None) -> None:
    asked.decision, asked.granted_minutes = decision, minutes
    asked.decided_at, asked.decided_by_id, asked.decision_event_id = step.at, step.by.staff_id, step.event_id
    asked.save(update_fields=["decision", "granted_minutes", "decided_at", "decided_by", "decision_event_id"])
    step.meet(ClockKind.EXTENSION)


@action("grant_extension")
def grant_extension(step: Step, *, explanation: str, minutes: int | None = None) -> None:
    """同意延期: all that was asked for, or less. The reporter reads the explanation and the new date."""
    step.require(explanation=explanation)
    asked = _waiting(step)
    given = asked.minutes if minutes is None else minutes
    if isinstance(given, bool) or not 1 <= given <= asked.minutes:
        told = _("可以少批，不能多批。")
        raise Invalid(told, fields={"minutes": str(told)})
    clock = promised(step)
    before = clock.due_at
    step.reset(clock, extended_minutes=clock.extended_minutes + given)
    _decide(step, asked, ExtensionDecision.GRANTED, minutes=given)
    step.data.update(minutes=given, asked=asked.minutes, complex=asked.complex, calendar=clock.calendar,
                     before=before.isoformat(), due=clock.due_at.isoformat())
    step.say("explanation", words(explanation, "explanation"), public=True)


@action("refuse_extension")
def refuse_extension(step: Step, *, reason: str) -> None:
    """不同意延期: the time stays as it was promised."""
    step.require(reason=reason)
    asked = _waiting(step)
    _decide(step, asked, ExtensionDecision.REFUSED)
    step.data.update(asked=asked.minutes, complex=asked.complex)
    step.say("reason", words(reason, "reason"), public=False)
