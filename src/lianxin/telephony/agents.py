"""An agent's state: ready, on a call, wrapping up, paused – or not there. One open `AgentSpell` says which.

`TABLE` is what people and calls do to it. Nobody's states are looked at by anyone but themselves; what remains of them are
sums for staffing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel import live
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role

from . import commands
from .models import LIVE, Agent, AgentSpell, AgentState, Call, PauseReason

EXTENSION = re.compile(r"[0-9A-Za-z_-]{1,20}")
A = AgentState


class Step(StrEnum):
    """What happens to an agent: the first four they do themselves, the last three calls and the clock do."""

    SIT_DOWN = "sit_down"
    BE_READY = "be_ready"
    PAUSE = "pause"
    LEAVE = "leave"
    CALL = "call"
    CALL_OVER = "call_over"
    WRAPPED_UP = "wrapped_up"


# (state before, step) → state after; None is not there. What is not in the table is refused.
TABLE: dict[tuple[AgentState | None, Step], AgentState | None] = {
    (None, Step.SIT_DOWN): A.PAUSE,  # nobody is rung before they say that they are ready
    (A.PAUSE, Step.SIT_DOWN): A.PAUSE,
    (A.READY, Step.SIT_DOWN): A.READY,
    (A.WRAP_UP, Step.SIT_DOWN): A.WRAP_UP,
    (A.READY, Step.BE_READY): A.READY,
    (A.PAUSE, Step.BE_READY): A.READY,
    (A.WRAP_UP, Step.BE_READY): A.READY,
    (A.READY, Step.PAUSE): A.PAUSE,
    (A.WRAP_UP, Step.PAUSE): A.PAUSE,
    (A.PAUSE, Step.PAUSE): A.PAUSE,
    (None, Step.LEAVE): None,
    (A.READY, Step.LEAVE): None,
    (A.PAUSE, Step.LEAVE): None,
    (A.WRAP_UP, Step.LEAVE): None,
    **{(state, Step.CALL): A.ON_CALL for state in (None, *A)},
    (A.ON_CALL, Step.CALL_OVER): A.WRAP_UP,
    (A.WRAP_UP, Step.WRAPPED_UP): A.READY,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an agent stands: `state` is None when they are not there; `since` and `until` are instants."""

    extension: str = ""
    state: AgentState | None = None
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None


def is_agent(by: Actor) -> bool:
    """Who may sit at a telephone: the hotline's operators and dispatchers."""
    return by.staff_id is not None and by.holds_in_hotline(Role.OPERATOR, Role.DISPATCHER)


def standing(staff_id: int) -> Standing:
    """How this person stands. Two queries at most. A wrap-up whose time is over counts as ready, whoever ends it."""
    agent = Agent.objects.filter(staff_id=staff_id).first()
    if agent is None:
        return Standing()
    spell = _open(agent)
    if spell is None:
        return Standing(agent.extension)
    if spell.until is not None and spell.until <= now():
        return Standing(agent.extension, A.READY, "", spell.until)
    return Standing(agent.extension, A(spell.state), spell.reason, spell.began_at, spell.until)


def _open(agent: Agent) -> AgentSpell | None:
    return AgentSpell.objects.filter(agent=agent, ended_at__isnull=True).first()


def _locked(staff_id: int) -> Agent:
    """This person's row, made when they have none, and held until the transaction ends."""
    Agent.objects.bulk_create([Agent(staff_id=staff_id)], ignore_conflicts=True)
    return Agent.objects.select_for_update().get(staff_id=staff_id)


def _settle(agent: Agent, step: Step, *, reason: str = "", call: Call | None = None) -> AgentState | None:
    """Take one step of the table. Raises Conflict for one that the table does not have. The agent's row is held."""
    at = now()
    spell = _open(agent)
    if spell is not None and spell.until is not None and spell.until <= at:
        spell = _turn(agent, spell, A.READY, at=spell.until)
    before = A(spell.state) if spell is not None else None
    if (before, step) not in TABLE:
        raise Conflict(_("您正在通话，挂断后再换状态。") if before is A.ON_CALL else _("现在不能这样换状态。"), code="agent_state")
    after = TABLE[before, step]
    if after is before and (spell is None or (spell.reason == reason or after is not A.PAUSE or not reason)):
        return after
    _turn(agent, spell, after, at=at, reason=reason, call=call)
    return after


def _turn(agent: Agent, spell: AgentSpell | None, state: AgentState | None, *, at: datetime, reason: str = "",
          call: Call | None = None) -> AgentSpell | None:
    if spell is not None:
        at = max(at, spell.began_at)
        spell.ended_at = at
        spell.save(update_fields=["ended_at"])
    live.tell(live.agent_topic(agent.staff_id))
    live.tell("queue")
    extension, ready, why = agent.extension, state is A.READY, (reason if state is A.PAUSE else "" if state is None else str(state.value))
    transaction.on_commit(lambda: commands.set_available(extension, ready, "" if ready else why))
    if state is None:
        return None
    seconds = settings.LIANXIN_WRAP_UP_SECONDS
    until = at + timedelta(seconds=seconds) if state is A.WRAP_UP and seconds else None
    made = AgentSpell.objects.create(
        agent=agent, state=state, reason=(reason or PauseReason.OTHER) if state is A.PAUSE else "", call=call, began_at=at, until=until)
    if until is not None:
        from .tasks import end_wrap_up

        end_wrap_up.configure(schedule_at=until).defer(spell=made.pk)
    return made


def _allowed(by: Actor) -> int:
    if not is_agent(by) or by.staff_id is None:
        raise NotAllowed(_("接听电话的是热线的话务员和派单员。"))
    return by.staff_id


def sit_down(by: Actor, *, extension: str) -> Standing:
    """Sit at an extension. Who was there before has left. Raises NotAllowed, Invalid and Conflict."""
    staff_id, extension = _allowed(by), extension.strip()
    if not EXTENSION.fullmatch(extension):
        raise Invalid(_("请填分机号。"), fields={"extension": str(_("1 到 20 位数字或字母。"))})
    try:
        with transaction.atomic():
            Agent.objects.bulk_create([Agent(staff_id=staff_id)], ignore_conflicts=True)
            both = Agent.objects.select_for_update().filter(Q(extension=extension) | Q(staff_id=staff_id)).order_by("pk")
            agent = None
            for one in both:
                if one.staff_id == staff_id:
                    agent = one
                else:
                    _vacate(one)
            assert agent is not None
            agent.extension = extension
            agent.save(update_fields=["extension"])
            _settle(agent, Step.SIT_DOWN, reason=PauseReason.OTHER)
    except IntegrityError as error:
        raise Conflict(_("刚有别人坐到这个分机。"), code="extension_taken") from error
    return standing(staff_id)


def _vacate(agent: Agent) -> None:
    spell = _open(agent)
    if spell is not None and spell.state == A.ON_CALL:
        raise Conflict(_("这个分机正在通话，请核对分机号。"), code="extension_taken")
    _settle(agent, Step.LEAVE)
    agent.extension = ""
    agent.save(update_fields=["extension"])


def be_ready(by: Actor) -> Standing:
    """Take calls. Raises NotAllowed and Conflict; Invalid without an extension."""
    return _step(by, Step.BE_READY)


def pause(by: Actor, *, reason: str) -> Standing:
    """Take no calls for a while. Raises NotAllowed, Invalid and Conflict."""
    if reason not in PauseReason.values:
        raise Invalid(_("请选择小休的原因。"), fields={"reason": str(_("请从列表中选择。"))})
    return _step(by, Step.PAUSE, reason=reason)


def leave(by: Actor) -> Standing:
    """Leave the telephone. Raises NotAllowed and Conflict."""
    staff_id = _allowed(by)
    with transaction.atomic():
        agent = _locked(staff_id)
        _settle(agent, Step.LEAVE)
        agent.extension = ""
        agent.save(update_fields=["extension"])
    return standing(staff_id)


def _step(by: Actor, step: Step, *, reason: str = "") -> Standing:
    staff_id = _allowed(by)
    with transaction.atomic():
        agent = _locked(staff_id)
        if not agent.extension:
            raise Invalid(_("请先填您的分机号。"), fields={"extension": str(_("请填这一项。"))})
        _settle(agent, step, reason=reason)
    return standing(staff_id)


def follow(agent_id: int) -> None:
    """Bring an agent's state in line with the calls they have: part of the transaction in which a call changed. Once or twice,
    early or late, it comes to the same."""
    agent = Agent.objects.select_for_update().filter(pk=agent_id).first()
    if agent is None:
        return
    held = Call.objects.filter(agent=agent, state__in=LIVE).order_by("-answered_at", "-id").first()
    spell = _open(agent)
    on_call = spell is not None and spell.state == A.ON_CALL
    if held is not None and not on_call:
        _settle(agent, Step.CALL, call=held)
    elif held is None and on_call:
        assert spell is not None
        _settle(agent, Step.CALL_OVER, call=spell.call)


def end_wrap_up(spell_id: int) -> bool:
    """End a wrap-up whose time is over; returns whether there was one to end."""
    with transaction.atomic():
        found = AgentSpell.objects.filter(pk=spell_id, ended_at__isnull=True, until__lte=now()).values_list("agent_id", flat=True).first()
        agent = Agent.objects.select_for_update().filter(pk=found).first() if found else None
        spell = AgentSpell.objects.filter(pk=spell_id, ended_at__isnull=True).first() if agent else None
        if agent is None or spell is None or spell.until is None:
            return False
        _turn(agent, spell, A.READY, at=spell.until)
    return True
