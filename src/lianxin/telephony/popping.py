"""Who is calling, for the agent whose telephone it is and for this call alone: the number, and cases of it that are still open.

The number comes to the agent's screen while it rings, while they talk and while they wrap up, never later. Each look is written down: in
`telephony_numberreading`, and with each case that was found in the ledger of identity readings. Closed cases are not looked
at, how often somebody called is not known, and which cases were found together is written nowhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.cases import policy
from lianxin.cases.models import TERMINAL, Case, IdentityReading
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import lookup_hash
from lianxin.kernel.errors import NotAllowed, NotFound
from lianxin.organisations.actors import Actor

from . import agents
from .calls import RING_TOGETHER
from .models import LIVE, Agent, AgentSpell, Call, CallEvent, CallState, CaseCall, EventKind, NumberReading
from .receiving import number_of

MOST = 20  # open cases shown


@dataclass(frozen=True, slots=True)
class Pop:
    """What the screen shows of a call. `repr` says nothing of the number."""

    call: Call
    number: str
    cases: tuple[Case, ...]

    def __repr__(self) -> str:
        return f"Pop({self.call.pk})"


def at_my_telephone(staff_id: int) -> Call | None:
    """The call that rings at this person's telephone, that they talk in, or that they wrap up. Three queries at most."""
    agent = Agent.objects.filter(staff_id=staff_id).first()
    if agent is None:
        return None
    live = Call.objects.filter(agent=agent, state__in=LIVE).order_by("-answered_at", "-id").first()
    if live is not None:
        return live
    return _ringing(agent) or _wrapped_up(agent)


def _ringing(agent: Agent) -> Call | None:
    for call in Call.objects.filter(state=CallState.RINGING).order_by("-began_at")[:50]:
        if call.agent_id == agent.pk or _rings_too(agent, call):
            return call
    return None


def _rings_too(agent: Agent, call: Call) -> bool:
    """Whether a call rings at several telephones and this agent's is one of them."""
    rings = list(CallEvent.objects.filter(call=call, kind=EventKind.RINGING, agent__isnull=False)
                 .order_by("at").values_list("agent_id", "at"))
    return any(one == agent.pk and at >= rings[-1][1] - RING_TOGETHER for one, at in rings)


def _wrapped_up(agent: Agent) -> Call | None:
    spell = AgentSpell.objects.filter(agent=agent, ended_at__isnull=True, call__isnull=False).select_related("call").first()
    if spell is None or (spell.until is not None and spell.until <= now()):
        return None
    return spell.call


def pop(by: Actor, call_id: uuid.UUID) -> Pop:
    """The number of the call at this person's telephone and the open cases of it that they may see; both written down as read.
    Raises NotAllowed, and NotFound for a call that is not at their telephone (any more)."""
    if not agents.is_agent(by) or by.staff_id is None:
        raise NotAllowed(_("接听电话的是热线的话务员和派单员。"))
    call = at_my_telephone(by.staff_id)
    if call is None or call.pk != call_id:
        raise NotFound(_("这个来电已经不在您的话机上。"))
    number = number_of(call)
    if not number:
        return Pop(call, "", ())
    with transaction.atomic():
        NumberReading.objects.create(call=call, staff_id=by.staff_id, unit_id=by.unit_id)
        found = tuple(
            Case.objects.filter(policy.visible_to(by), reporter__phone_hash=lookup_hash(number, purpose="phone"))
            .exclude(state__in=TERMINAL).select_related("lead_unit", "category", "area", "master").order_by("-registered_at", "-id")[:MOST])
        IdentityReading.objects.bulk_create([
            IdentityReading(case=case, staff_id=by.staff_id, unit_id=by.unit_id, why=str(_("按来电号码查在办工单")), fields=["phone"])
            for case in found])
    return Pop(call, number, found)


def lies_on(by: Actor, *, call_id: uuid.UUID, case_id: uuid.UUID) -> bool:
    """A case was registered or added to in a call, or after it: the call lies on it, once. Returns whether it does by now.

    Raises NotFound when this person had no part in the call."""
    call = Call.objects.filter(pk=call_id).first()
    staff_id = by.staff_id
    had = call is not None and staff_id is not None and (
        (call.agent is not None and call.agent.staff_id == staff_id)
        or CallEvent.objects.filter(call=call, agent__staff_id=staff_id).exclude(kind=EventKind.RINGING).exists())
    if call is None or staff_id is None or not had or not policy.can_see(by, Case.objects.get(pk=case_id)):
        raise NotFound(_("没有找到这个来电，通话没有挂到工单上。"))
    CaseCall.objects.bulk_create([CaseCall(call=call, case_id=case_id, staff_id=staff_id)], ignore_conflicts=True)
    return True


def of_case(case: Case) -> list[CaseCall]:
    """The calls that lie on a case, the newest first. One query."""
    return list(CaseCall.objects.filter(case=case).select_related("call", "staff").order_by("-at", "-id"))
