"""Review, callback, reopening, closing and rating."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.dispatching import words as safe
from lianxin.cases.actions.handling import give_back
from lianxin.cases.engine import Step, action
from lianxin.cases.models import ClockKind, Outcome, Reply, Reporter, State
from lianxin.kernel.errors import Conflict, Invalid

from .models import CallbackAttempt, CallbackOutcome, Rating, Review, Satisfaction


def _waiting_reply(step: Step) -> Reply:
    found = Reply.objects.filter(case=step.case, review__isnull=True).order_by("-at", "-id").first()
    if found is None:
        raise AssertionError("a replied case has a reply that waits for review")
    return found


def _review(step: Step, verdict: str) -> Reply:
    reply = _waiting_reply(step)
    if step.by.staff_id is None:
        raise AssertionError("a review is made by a person")
    if reply.by_id == step.by.staff_id:
        raise Invalid(_("不能审核自己的答复，请由其他人员审核。"))
    Review.objects.create(reply=reply, event_id=step.event_id, verdict=verdict, at=step.at, by_id=step.by.staff_id)
    step.data.update(reply_id=str(reply.pk))
    return reply


@action("approve")
def approve(step: Step, *, note: str = "") -> None:
    """审核通过: the public answer goes to the reporter, and the callback becomes due."""
    _review(step, Review.Verdict.PASSED)
    step.owe(ClockKind.CALLBACK)
    step.say("note", safe(note, "note", required=False), public=False)
    step.to(State.CALLBACK)


@action("send_back")
def send_back(step: Step, *, reason: str) -> None:
    """退回重办: the answer does not do. The resolve clock runs again towards its first due time: a poor answer
    gains no time."""
    step.require(reason=reason)
    reply = _review(step, Review.Verdict.SENT_BACK)
    step.say("reason", safe(reason, "reason"), public=False)
    for clock in step.case.clocks.filter(
        kind=ClockKind.RESOLVE, assignment__isnull=True, round=step.case.round, met_at=reply.at
    ):
        step.set_clock(clock, met_at=None)
        step.running.append(clock)
    lead = step.lead
    if lead is None:
        raise AssertionError("a replied case has a lead assignment")
    step.set_assignment(lead, state="in_hand", handled_at=None)
    step.set(redone=step.case.redone + 1)
    step.to(State.IN_HAND)


@action("record_callback_attempt")
def record_callback_attempt(step: Step, *, outcome: str, truthful: bool | None = None, solved: bool | None = None,
                            satisfaction: str = "", note: str = "") -> None:
    """记录回访: each try counts as itself. Answers belong to a reporter who was reached, and to no other."""
    step.require(outcome=outcome)
    if outcome not in CallbackOutcome.values:
        raise Invalid(_("请选择回访结果。"), fields={"outcome": str(_("请从列表中选择。"))})
    if satisfaction and satisfaction not in Satisfaction.values:
        raise Invalid(_("请选择满意程度。"), fields={"satisfaction": str(_("请从列表中选择。"))})
    reached = outcome == CallbackOutcome.REACHED
    if reached and solved is None:
        raise Invalid(_("接通后请记录问题是否解决。"), fields={"solved": str(_("请选择。"))})
    if not reached and (solved is not None or truthful is not None or satisfaction):
        raise Invalid(_("没有接通，不能记录诉求人的回答。"), fields={"outcome": str(_("与其他几项不符。"))})
    CallbackAttempt.objects.create(
        case=step.case, event_id=step.event_id, round=step.case.round, at=step.at, by_id=step.by.staff_id or 0,
        outcome=outcome, truthful=truthful, solved=solved, satisfaction=satisfaction,
    )
    if reached:
        step.meet(ClockKind.CALLBACK)
    step.data.update(outcome=outcome, truthful=truthful, solved=solved, satisfaction=satisfaction)
    step.say("note", safe(note, "note", required=False), public=False)


@action("reopen")
def reopen(step: Step, *, reason: str) -> None:
    """重办: back to the same handler with the clocks of a reopened case; to dispatch when there is none any more."""
    step.require(reason=reason)
    step.say("reason", safe(reason, "reason"), public=True)
    step.to(State.DISPATCHED if give_back(step) else State.ACCEPTED)
    step.data.update(round=step.case.round)


def closing_outcome(step: Step, explanation: str) -> str:
    """What the record allows the closing to be called; raises Conflict or Invalid when it allows none.

    The reporter's last word counts: a reached callback or their own rating in this round. Unsolved closes only
    with an explanation. Unreached needs the city's number of attempts, or a reporter who left no telephone.
    """
    attempt = (
        CallbackAttempt.objects.filter(case=step.case, round=step.case.round, outcome=CallbackOutcome.REACHED)
        .order_by("-at", "-id")
        .first()
    )
    rating = Rating.objects.filter(case=step.case, round=step.case.round).first()
    last = max((x for x in (attempt, rating) if x is not None), key=lambda x: x.at, default=None)
    if last is not None:
        if last.solved:
            return Outcome.SOLVED.value
        if not explanation.strip():
            raise Invalid(
                _("诉求人说没有解决：请退回重办；确实无法解决的，写明向诉求人说明的原因再归档。"),
                fields={"explanation": str(_("请写明原因。"))},
            )
        return Outcome.EXPLAINED.value
    tries = CallbackAttempt.objects.filter(case=step.case, round=step.case.round).count()
    if Reporter.objects.filter(case=step.case, phone__isnull=False).exists() and (
        tries < settings.LIANXIN_CALLBACK_ATTEMPTS
    ):
        raise Conflict(
            _("还没有联系上诉求人，回访次数不够，不能归档。"),
            code="callback_attempts_missing", current={"attempts": tries},
        )
    return Outcome.UNREACHED.value


@action("close")
def close(step: Step, *, explanation: str = "") -> None:
    """归档, with the outcome the record allows; it cannot be chosen."""
    outcome = closing_outcome(step, explanation)
    step.say("explanation", safe(explanation, "explanation", required=False), public=True)
    step.data.update(outcome=outcome)
    step.meet(ClockKind.CALLBACK)
    step.to(State.CLOSED)
    step.set(outcome=outcome)
    step.finish()


@action("rate")
def rate(step: Step, *, solved: bool, satisfaction: str, words: str = "") -> None:
    """评价: by the reporter, once for each round."""
    step.require(solved=solved, satisfaction=satisfaction)
    if satisfaction not in Satisfaction.values:
        raise Invalid(_("请选择满意程度。"), fields={"satisfaction": str(_("请从列表中选择。"))})
    if Rating.objects.filter(case=step.case, round=step.case.round).exists():
        raise Conflict(_("您已经评价过这次办理，谢谢。"), code="rated_already")
    Rating.objects.create(
        case=step.case, event_id=step.event_id, round=step.case.round, at=step.at, solved=solved,
        satisfaction=satisfaction,
    )
    step.meet(ClockKind.CALLBACK)
    step.data.update(solved=solved, satisfaction=satisfaction)
    step.say("words", safe(words, "words", required=False), public=True)


ACTIONS: dict[str, Callable[..., object]] = {
    "approve": approve,
    "send_back": send_back,
    "record_callback_attempt": record_callback_attempt,
    "reopen": reopen,
    "close": close,
    "rate": rate,
}
