"""What happens to a case here, told to the desk it is shared with: who has it, what was added, how it ended.

One hook on every write to a shared case, in its transaction.
"""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _
from django.utils.translation import override

from lianxin.cases.engine import Step
from lianxin.cases.handing_over import matter_of
from lianxin.cases.models import TERMINAL, Case, EventText, Outcome, State
from lianxin.kernel.language import named

from . import disclosing, mapping, threads, wire
from .deciding import say_more
from .models import OVER, Direction, Handover, HandoverState, Partner, StepBy, What
from .steps import badge_of, move

UNDER_WAY = (HandoverState.ACCEPTED, HandoverState.IN_PROGRESS)
GIVEN = frozenset({"dispatch", "redispatch", "rule_jointly"})
RESULTS: dict[str, str] = {
    Outcome.ANSWERED: "settled", Outcome.SOLVED: "settled", Outcome.SELF_HANDLED: "settled", Outcome.EXPLAINED: "no_action",
    Outcome.UNREACHED: "settled", Outcome.UNASKED: "settled", Outcome.IMPORTED: "other", "handed_over": "handed_on",
}


def _open(case_id: uuid.UUID) -> list[Handover]:
    """The handovers of a case that are not over, with their matters, oldest first."""
    return list(Handover.objects.select_related("matter__partner").filter(
        matter__case_id=case_id).exclude(state__in=[state.value for state in OVER]).order_by("offered_at"))


def follow(step: Step) -> None:
    """The hook. Costs one query for a shared case whose action says nothing to anybody."""
    action, case = step.row.action, step.case
    own = matter_of(step) == case.pk
    ended = own and case.state in TERMINAL and step.came_from not in TERMINAL
    if not (action in GIVEN | {"sign", "add_information", "add_reporter"} or ended):
        return
    for handover in _open(matter_of(step)):
        incoming = handover.direction == Direction.IN
        if incoming and handover.state not in UNDER_WAY:
            continue
        if action == "add_information":
            _supplement(step, handover)
        elif action == "add_reporter" and own and not incoming:
            _caller(step, handover)
        elif incoming and ended:
            _outcome(step, handover)
        elif incoming and own and action in GIVEN:
            _progress(step, handover, wire.Done.DISPATCHED, _units(step))
        elif incoming and own and action == "sign":
            _progress(step, handover, wire.Done.WORKING, "")


def _fresh(handover: Handover) -> Handover:
    """The handover locked behind its matter, as everything that sends does it."""
    matter = threads.locked(handover.matter_id)
    found = Handover.objects.select_for_update().get(pk=handover.pk)
    found.matter = matter
    return found


def _said(step: Step, name: str) -> str:
    return next((body for field, body, _public in step.texts if field == name), "")


def _supplement(step: Step, handover: Handover) -> None:
    words = _said(step, "words")
    if words:
        handover = _fresh(handover)
        say_more(handover, handover.matter, words, by=step.by, at=step.at)


def _caller(step: Step, handover: Handover) -> None:
    """Who called became known after the offer: it follows, as whole or masked as the offer would have said it."""
    handover = _fresh(handover)
    caller, why = disclosing.caller_of(handover.matter.partner, step.case, emergency=handover.emergency, wish=handover.wish)
    if caller is None or caller.shared is wire.Shared.NONE:
        return
    body = wire.Supplement(caller=caller, operator=badge_of(step.by))
    state = threads.say(handover.matter, wire.Kind.SUPPLEMENT, body, handover=handover)
    move(handover, state, wire.Kind.SUPPLEMENT, by=StepBy.US, at=step.at, staff_id=step.by.staff_id, data={"caller": caller.shared.value})
    disclosing.record(handover, caller, why, case=step.case, staff_id=step.by.staff_id)


def _units(step: Step) -> str:
    unit = step.reference.units.get(step.case.lead_unit_id) if step.case.lead_unit_id is not None else None
    with override("zh-hans"):
        return _("已派%(unit)s办理") % {"unit": named(unit.name, "")} if unit else ""


def _progress(step: Step, handover: Handover, done: wire.Done, words: str) -> None:
    handover = _fresh(handover)
    state = threads.say(handover.matter, wire.Kind.PROGRESS, wire.Progress(
        step=done, reference=step.case.number, words=words, at=step.at), handover=handover)
    move(handover, state, wire.Kind.PROGRESS, by=StepBy.US, at=step.at, staff_id=step.by.staff_id, words=words,
         data={"step": done.value, "reference": step.case.number})


def answer_of(case: Case, step: Step | None = None) -> str:
    """The answer the reporter was given last."""
    said = _said(step, "public_answer") or _said(step, "explanation") if step else ""
    if said:
        return said
    found = EventText.objects.filter(case=case, field="public_answer", anonymised_at__isnull=True).order_by("-event_id").first()
    return found.body if found else ""


def _result(case: Case, partner: Partner) -> str:
    ours = RESULTS.get(case.outcome, "other") if case.state == State.CLOSED else (
        "no_action" if case.state == State.DECLINED else "other")
    return mapping.theirs(partner, What.RESULT, ours) or ours


def _outcome(step: Step, handover: Handover) -> None:
    """How it ended here."""
    handover = _fresh(handover)
    answer = answer_of(step.case, step)[:2_000]
    with override("zh-hans"):
        words = answer or str(step.case.get_state_display())
    result = _result(step.case, handover.matter.partner)
    state = threads.say(handover.matter, wire.Kind.OUTCOME, wire.Outcome(
        result=result, words=words, public_words=answer, at=step.at), handover=handover)
    move(handover, state, wire.Kind.OUTCOME, by=StepBy.US, at=step.at, staff_id=step.by.staff_id, words=words,
         data={"result": result}, result=result)
