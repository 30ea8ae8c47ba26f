"""The two ways in which a reporter is heard after a reply: called back, or rating by themselves."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.dispatching import words as safe
from lianxin.cases.engine import Step, action, followed_by
from lianxin.cases.models import State
from lianxin.kernel.errors import Conflict, Invalid

from ..campaigns import draw_of
from ..models import CallbackAttempt, CallbackOutcome, Contest, Rating, Satisfaction
from .unsolved import CLOSE, answered, follow, weigh


def _check(*, outcome: str, truthful: bool | None, solved: bool | None, satisfaction: str, justified: bool | None,
           note: str) -> None:
    if outcome not in CallbackOutcome.values:
        raise Invalid(_("请选择回访结果。"), fields={"outcome": str(_("请从列表中选择。"))})
    if satisfaction and satisfaction not in Satisfaction.values:
        raise Invalid(_("请选择满意程度。"), fields={"satisfaction": str(_("请从列表中选择。"))})
    if outcome == CallbackOutcome.REACHED:
        if solved is None:
            raise Invalid(_("接通后请记录问题是否解决。"), fields={"solved": str(_("请选择。"))})
    elif solved is not None or truthful is not None or satisfaction:
        raise Invalid(_("没有接通，不能记录诉求人的回答。"), fields={"outcome": str(_("与其他几项不符。"))})
    if justified is not None and satisfaction != Satisfaction.DISSATISFIED:
        raise Invalid(_("不满意的，才记录理由是否成立。"), fields={"justified": str(_("与是否满意不符。"))})
    if justified and not note.strip():
        raise Invalid(_("不满意理由成立的，请写明理由。"), fields={"note": str(_("请写明理由。"))})


def to_be_called(step: Step) -> bool:
    """Whether this round's reporter is called: drawn, or having said something that wants an answer."""
    draw = draw_of(step.case)
    return (draw is None or draw.drawn or step.case.for_supervisor
            or Contest.objects.filter(case=step.case, round=step.case.round).exists())


@followed_by(follow)
@action("record_callback_attempt")
def record_callback_attempt(step: Step, *, outcome: str, truthful: bool | None = None, solved: bool | None = None,
                            satisfaction: str = "", justified: bool | None = None, note: str = "") -> None:
    """记录回访: each try counts as itself. Answers belong to a reporter who was reached, and to no other.

    Unsolved, or dissatisfied with a good reason (`justified`, with the reason in `note`): the first time the system gives
    the case back to the same handler at once; after that a supervisor decides.
    """
    step.require(outcome=outcome)
    note = safe(note, "note", required=False)
    _check(outcome=outcome, truthful=truthful, solved=solved, satisfaction=satisfaction, justified=justified, note=note)
    if not to_be_called(step):
        raise Conflict(_("这件没有抽中电话回访，已请诉求人自己评价，不打电话。"), code="not_drawn")
    CallbackAttempt.objects.create(
        case=step.case, event_id=step.event_id, round=step.case.round, at=step.at, by_id=step.by.staff_id or 0,
        outcome=outcome, truthful=truthful, solved=solved, satisfaction=satisfaction, justified=justified,
    )
    step.data.update(outcome=outcome, truthful=truthful, solved=solved, satisfaction=satisfaction)
    if justified is not None:
        step.data.update(justified=justified)
    step.say("note", note, public=False)
    if outcome == CallbackOutcome.REACHED:
        answered(step)
        if not solved or justified:
            weigh(step)


@followed_by(follow)
@action("rate")
def rate(step: Step, *, solved: bool, satisfaction: str, words: str = "") -> None:
    """评价: by the reporter, once for each round. A rating is as good as a callback: unsolved, the case is redone or goes to
    a supervisor; solved, a case that was not drawn for a call is closed."""
    step.require(solved=solved, satisfaction=satisfaction)
    if satisfaction not in Satisfaction.values:
        raise Invalid(_("请选择满意程度。"), fields={"satisfaction": str(_("请从列表中选择。"))})
    if Rating.objects.filter(case=step.case, round=step.case.round).exists():
        raise Conflict(_("您已经评价过这次办理，谢谢。"), code="rated_already")
    Rating.objects.create(
        case=step.case, event_id=step.event_id, round=step.case.round, at=step.at, solved=solved,
        satisfaction=satisfaction,
    )
    step.data.update(solved=solved, satisfaction=satisfaction)
    step.say("words", safe(words, "words", required=False), public=True)
    answered(step)
    if not solved:
        weigh(step)
    elif step.case.state == State.CALLBACK and not to_be_called(step):
        step.data.update(next=CLOSE)
