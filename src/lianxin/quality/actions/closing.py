"""How a case ends, and how it does not: closing with what the record allows, redoing, contesting."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.dispatching import words as safe
from lianxin.cases.actions.handling import give_back
from lianxin.cases.engine import Step, action
from lianxin.cases.models import Assignment, AssignmentRole, ClockKind, Outcome, Reporter, State
from lianxin.kernel.errors import Conflict, Invalid

from ..attempts import contest_until, enough, spread
from ..campaigns import draw_of
from ..models import CallbackAttempt, CallbackOutcome, CampaignDraw, Contest, Rating
from .unsolved import hand_to_supervisor


def _give_back(step: Step) -> None:
    step.set(for_supervisor=False)
    step.to(State.DISPATCHED if give_back(step) else State.ACCEPTED)
    step.data.update(round=step.case.round)


@action("reopen")
def reopen(step: Step, *, reason: str) -> None:
    """重办: back to the same handler with the clocks of a reopened case; to dispatch when there is none any more."""
    step.require(reason=reason)
    step.say("reason", safe(reason, "reason"), public=True)
    _give_back(step)


@action("reopen_unsolved")
def reopen_unsolved(step: Step) -> None:
    """自动重办: what the reporter said is not solved goes back to the same handler by itself, once in a case's life."""
    if step.case.round > 1:
        raise Conflict(_("已经自动重办过一次，由督办员决定下一步。"), code="redone_already")
    _give_back(step)


def _tries(step: Step, *, since: datetime | None = None) -> list[datetime]:
    found = CallbackAttempt.objects.filter(case=step.case, round=step.case.round)
    if since is not None:
        found = found.filter(at__gt=since)
    return list(found.values_list("at", flat=True))


def _need_tries(step: Step, tried: list[datetime]) -> None:
    """Raise Conflict unless enough was tried, at different hours, to reach a reporter who left a telephone."""
    if not Reporter.objects.filter(case=step.case, phone__isnull=False).exists() or enough(tried):
        return
    raise Conflict(
        _("还没有联系上诉求人，回访次数不够，或者都在同一时段，不能归档。"),
        code="callback_attempts_missing", current={"attempts": len(tried), "spread": spread(tried)},
    )


def _last_word(step: Step) -> tuple[datetime, bool, bool] | None:
    """The reporter's last word in this round: when, whether solved, whether it was a contest."""
    own = {"case": step.case, "round": step.case.round}
    said = [(at, bool(solved), False) for at, solved in (
        *CallbackAttempt.objects.filter(**own, outcome=CallbackOutcome.REACHED).values_list("at", "solved"),
        *Rating.objects.filter(**own).values_list("at", "solved"),
    )]
    said += [(at, False, True) for at in Contest.objects.filter(**own).values_list("at", flat=True)]
    return max(said, default=None)


def closing_outcome(step: Step, explanation: str) -> str:
    """What the record allows the closing to be called; raises Conflict or Invalid when it allows none.

    The reporter's last word counts: a reached callback, their own rating or a contest in this round. Unsolved closes only
    with an explanation, and so does whatever a supervisor decides. After a contest the reporter is called again.
    Unreached needs the city's number of attempts at different hours, or a reporter who left no telephone.
    """
    last = _last_word(step)
    if last is None:
        _need_tries(step, _tries(step))
    elif last[2]:
        _need_tries(step, _tries(step, since=last[0]))
    if ((last is not None and not last[1]) or step.case.for_supervisor) and not explanation.strip():
        raise Invalid(
            _("诉求人说没有解决：请退回重办；确实无法解决的，写明向诉求人说明的原因再归档。"),
            fields={"explanation": str(_("请写明原因。"))},
        )
    if last is None:
        return Outcome.UNREACHED.value
    return Outcome.SOLVED.value if last[1] else Outcome.EXPLAINED.value


def _close(step: Step, outcome: str) -> None:
    step.data.update(outcome=outcome)
    step.meet(ClockKind.CALLBACK)
    step.to(State.CLOSED)
    step.set(outcome=outcome, for_supervisor=False)
    step.finish()


@action("close")
def close(step: Step, *, explanation: str = "") -> None:
    """归档, with the outcome the record allows; it cannot be chosen."""
    said = safe(explanation, "explanation", required=False)
    outcome = closing_outcome(step, said)
    step.say("explanation", said, public=True)
    _close(step, outcome)


@action("close_unasked")
def close_unasked(step: Step) -> None:
    """到期归档: a case that no campaign drew for a call. Solved when its reporter rated it so; when the time to rate is over
    and they said nothing, it is called unasked and is never counted as satisfied."""
    draw = draw_of(step.case)
    if draw is None or draw.drawn or draw.rate_until is None or step.case.for_supervisor:
        raise Conflict(_("这件要电话回访，不能自动归档。"), code="to_be_called")
    last = _last_word(step)
    if last is not None and not last[1]:
        raise Conflict(_("诉求人说没有解决，不能自动归档。"), code="unsolved")
    if last is None and step.at < draw.rate_until:
        raise Conflict(_("诉求人还可以评价，现在不能自动归档。"), code="may_still_rate")
    CampaignDraw.objects.filter(pk=draw.pk).update(settled_at=step.at)
    _close(step, Outcome.SOLVED.value if last is not None else Outcome.UNASKED.value)


@action("contest")
def contest(step: Step, *, words: str) -> None:
    """不认可办结: the reporter says that a closed case is not done with, within the city's days and once for each round.

    It waits for a callback again, first in the list; from the second round on a supervisor decides. A case that no unit
    ever handled waits for dispatch, in a new round.
    """
    step.require(words=words)
    step.say("words", safe(words, "words"), public=True)
    case = step.case
    if case.closed_at is None or step.at > contest_until(case.closed_at):
        raise Conflict(_("办结已超过可以提出不认可的期限。还没解决的，请再说一次，或者打 12345。"), code="too_late")
    if Contest.objects.filter(case=case, round=case.round).exists():
        raise Conflict(_("这一次办结您已经提出过不认可。"), code="contested_already")
    Contest.objects.create(case=case, event_id=step.event_id, round=case.round, at=step.at, outcome=case.outcome)
    step.data.update(contested=case.outcome)
    part = None if case.lead_unit_id is None else Assignment.objects.filter(
        case=case, role=AssignmentRole.LEAD, unit_id=case.lead_unit_id).order_by("-assigned_at", "-id").first()
    if part is None:
        _give_back(step)
        return
    step.set_assignment(part, state="handled", ended_at=None)  # the unit's part is not over after all
    step.assignments.append(part)
    step.set(closed_at=None, outcome="")
    clock = step.owe(ClockKind.CALLBACK)
    if case.round > 1:
        hand_to_supervisor(step)
    step.to(State.CALLBACK)
    step.set(due_at=clock.due_at, due_provisional=clock.provisional)
