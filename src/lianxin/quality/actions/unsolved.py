"""What follows when a reporter says that it is not solved: once done again by itself, then a supervisor decides."""

from __future__ import annotations

from lianxin.cases.engine import Done, On, Step
from lianxin.cases.models import ClockKind, Event, State
from lianxin.organisations.actors import SYSTEM

from ..attempts import contest_until

REOPEN, SUPERVISOR, CLOSE = "reopen", "supervisor", "close"


def weigh(step: Step) -> None:
    """Write down what follows from an unsolved matter: `data["next"]`. The first time it is redone at once, by the same
    handler; after that only a supervisor decides, under a callback clock of their own. A closed case is redone by itself
    only while its closing may still be contested."""
    case = step.case
    if case.state == State.CLOSED:
        if case.round == 1 and case.closed_at is not None and step.at <= contest_until(case.closed_at):
            step.data.update(next=REOPEN)
    elif case.round == 1:
        step.data.update(next=REOPEN)
    else:
        hand_to_supervisor(step)


def hand_to_supervisor(step: Step) -> None:
    """交督办决定: whoever calls back no longer decides how this ends. The reporter is owed an answer as before."""
    step.data.update(next=SUPERVISOR)
    step.set(for_supervisor=True)
    if not step.clocks_of(ClockKind.CALLBACK):
        step.owe(ClockKind.CALLBACK)


def answered(step: Step) -> None:
    """The reporter has said how it is: the callback is done, unless a supervisor still owes them a decision."""
    if not step.case.for_supervisor:
        step.meet(ClockKind.CALLBACK)


def follow(done: Done) -> Done | None:
    """The system's step after what a reporter said, as the event names it."""
    from .closing import close_unasked, reopen_unsolved

    said = Event.objects.only("data").get(pk=done.event_id).data.get("next")
    on = On(done.case_id, SYSTEM)
    if said == REOPEN:
        return reopen_unsolved(on)
    return close_unasked(on) if said == CLOSE else None
