"""Review: the hotline's check of a unit's reply."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from lianxin.cases import checks
from lianxin.cases.actions.dispatching import words as safe
from lianxin.cases.engine import Step, action
from lianxin.cases.models import ClockKind, Reply, State
from lianxin.kernel.errors import Invalid

from .. import campaigns, checklist
from ..models import Review, ReviewVerdict


def _waiting_reply(step: Step) -> Reply:
    found = Reply.objects.filter(case=step.case, review__isnull=True).order_by("-at", "-id").first()
    if found is None:
        raise AssertionError("a replied case has a reply that waits for review")
    return found


def _last_reply(step: Step) -> datetime | None:
    return Reply.objects.filter(case=step.case).order_by("-at", "-id").values_list("at", flat=True).first()


def _review(step: Step, verdict: str, answers: Mapping[str, str]) -> Reply:
    reply = _waiting_reply(step)
    if step.by.staff_id is None:
        raise AssertionError("a review is made by a person")
    if reply.by_id == step.by.staff_id:
        raise Invalid(_("不能审核自己的答复，请由其他人员审核。"))
    Review.objects.create(reply=reply, event_id=step.event_id, verdict=verdict, at=step.at, by_id=step.by.staff_id,
                          answers=dict(answers))
    step.data.update(reply_id=str(reply.pk))
    if answers:
        step.data.update(answers=dict(answers))
    return reply


@action("approve")
def approve(step: Step, *, answers: Mapping[str, str] | None = None, note: str = "") -> None:
    """审核通过: the public answer goes to the reporter, and the callback becomes due, unless a campaign's draw asks the
    reporter to rate instead.

    `answers` maps codes of the checklist to `yes`, `no` or `na`: every required question must be answered, and none with no.
    """
    asked = checklist.items_for(step.case, step.reference)
    _review(step, ReviewVerdict.PASSED, checklist.passed(asked, answers or {}))
    if checks.failed(step.case, since=_last_reply(step)):
        raise Invalid(_("现场核查没有办好：请退回重办，或再请人核查。"))
    if campaigns.draw(step):
        step.owe(ClockKind.CALLBACK)
    step.say("note", safe(note, "note", required=False), public=False)
    step.to(State.CALLBACK)


@action("send_back")
def send_back(step: Step, *, reason: str, answers: Mapping[str, str] | None = None) -> None:
    """退回重办: the answer does not do. The resolve clock runs again towards its first due time: a poor answer
    gains no time. What `answers` say no to is named to the unit."""
    step.require(reason=reason)
    asked = checklist.items_for(step.case, step.reference)
    given = checklist.checked(asked, answers or {})
    _review(step, ReviewVerdict.SENT_BACK, given)
    step.say("reason", safe(reason, "reason"), public=False)
    step.say("failed", "\n".join(item.question for item in asked if given.get(item.code) == "no"), public=False)
    step.unmeet(ClockKind.RESOLVE)
    lead = step.lead
    if lead is None:
        raise AssertionError("a replied case has a lead assignment")
    step.set_assignment(lead, state="in_hand", handled_at=None)
    step.set(redone=step.case.redone + 1)
    step.to(State.IN_HAND)
