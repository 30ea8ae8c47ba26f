"""The telephone at the desk: the agent's bar, who is calling, commands to the telephone system, and the page 话务."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from lianxin.cases.missed_calls import can_call_back
from lianxin.kernel import live
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid, NotFound
from lianxin.kernel.shares import wilson
from lianxin.linkage.policy import works as works_linkage
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant
from lianxin.telephony import agents, commands, figures, popping
from lianxin.telephony.commands import Switch
from lianxin.telephony.models import LIVE, AgentState, Call, CallState, PauseReason
from lianxin.telephony.policy import reads

from ..access import StaffRequest, staff
from .boards import context_for

AGENTS = (Role.OPERATOR, Role.DISPATCHER)
MOODS = {AgentState.READY: "green", AgentState.ON_CALL: "accent", AgentState.WRAP_UP: "amber", AgentState.PAUSE: ""}


def topics(actor: Actor) -> list[str]:
    """What somebody's pages may listen to."""
    found = []
    if agents.is_agent(actor):
        found.append(live.agent_topic(actor.staff_id or 0))
    if reads(actor):
        found.append("queue")
    if works_linkage(actor):
        found.append("linkage")
    return found


@staff()
@require_GET
def live_token(request: StaffRequest) -> JsonResponse:
    """Where this person's pages listen, and with what."""
    return JsonResponse({"url": settings.LIANXIN_LIVE_URL, "token": live.token(request.actor.staff_id or 0, topics(request.actor))})


def in_use() -> bool:
    """Whether a telephone system tells of calls: it is named in the settings, or somebody holds its role. One query at most."""
    return settings.LIANXIN_SWITCH != "none" or RoleGrant.objects.filter(
        role=Role.SWITCHBOARD, ended_at__isnull=True, staff__is_active=True).exists()


def _bar(request: StaffRequest, *, message: str = "", status: int = 200) -> HttpResponse:
    if not in_use():
        return HttpResponse("")
    staff_id = request.actor.staff_id or 0
    standing = agents.standing(staff_id)
    call = popping.at_my_telephone(staff_id) if standing.extension else None
    return render(request, "desk/_agent_bar.html", {
        "standing": standing, "call": call, "at": now(), "message": message, "reasons": PauseReason.choices,
        "mood": MOODS.get(standing.state) if standing.state else "", "word": standing.state.label if standing.state else "",
        "ringing": call is not None and call.state == CallState.RINGING, "talking": call is not None and call.state in LIVE,
        "held": call is not None and call.state == CallState.HELD,
        "commanded": settings.LIANXIN_SWITCH != "none", "reason": dict(PauseReason.choices).get(standing.reason, ""),
    }, status=status)


@staff(*AGENTS)
@require_GET
def agent_bar(request: StaffRequest) -> HttpResponse:
    """How this person stands, and the call at their telephone. Empty where no telephone system is connected."""
    return _bar(request)


@staff(*AGENTS)
@require_POST
def agent_do(request: StaffRequest, step: str) -> HttpResponse:
    """One step of an agent's own: sit, ready, pause, leave. Answers with the bar."""
    steps: dict[str, Callable[[], object]] = {
        "sit": lambda: agents.sit_down(request.actor, extension=request.POST.get("extension", "")[:40]),
        "ready": lambda: agents.be_ready(request.actor),
        "pause": lambda: agents.pause(request.actor, reason=request.POST.get("reason", "")[:20]),
        "leave": lambda: agents.leave(request.actor),
    }
    try:
        if step not in steps:
            raise NotFound()
        steps[step]()
    except DomainError as error:
        return _bar(request, message=str(error), status=error.status)
    return _bar(request)


@staff(*AGENTS)
@require_POST
def call_pop(request: StaffRequest, pk: uuid.UUID) -> JsonResponse:
    """Who is calling: the number, into the page alone, and open cases of it. Each look is written down."""
    try:
        found = popping.pop(request.actor, pk)
    except DomainError as error:
        return JsonResponse({"message": str(error)}, status=error.status)
    return JsonResponse({
        "number": found.number, "answered": found.call.answered_at is not None,
        "cases": render_to_string("desk/_call_pop.html", {"pop": found, "can_answer": True}, request=request),
    })


def _to(request: StaffRequest) -> str:
    said = "".join(request.POST.get("to", "")[:40].split())
    if not said.lstrip("+").isascii() or not said.lstrip("+").isdigit() or not 2 <= len(said) <= 20:
        raise Invalid(_("请填要拨的分机或号码。"), fields={"to": str(_("2 到 20 位数字。"))})
    return said


@staff(*AGENTS)
@require_POST
def call_command(request: StaffRequest, pk: uuid.UUID, what: str) -> HttpResponse:
    """Tell the telephone system what to do with this person's call. What comes of it arrives as events."""
    try:
        call = popping.at_my_telephone(request.actor.staff_id or 0)
        if call is None or call.pk != pk or call.state not in LIVE:
            raise NotFound(_("这个来电已经不在您的话机上。"))
        commands.command(_commanded(request, call, what))
    except DomainError as error:
        return _bar(request, message=str(error), status=error.status)
    return _bar(request)


def _commanded(request: StaffRequest, call: Call, what: str) -> Callable[[Switch], None]:
    name, extension = call.system_id, agents.standing(request.actor.staff_id or 0).extension
    if what in ("transfer", "conference"):
        to = _to(request)
        if what == "transfer":
            return lambda switch: switch.transfer(name, to, extension=extension)
        return lambda switch: switch.conference(name, to, extension=extension)
    if what == "hold":
        return lambda switch: switch.hold(name, extension=extension)
    if what == "resume":
        return lambda switch: switch.resume(name, extension=extension)
    if what == "hang_up":
        return lambda switch: switch.hang_up(name, extension=extension)
    raise NotFound()


TOLD = (("offered", gettext_lazy("今日来电")), ("answered", gettext_lazy("已接")), ("abandoned", gettext_lazy("未接通，对方挂断")),
        ("missed", gettext_lazy("无人接听")))


def _telephones(request: StaffRequest) -> dict[str, Any]:
    held = figures.figures()
    return context_for(
        request, figures=held, states=[(state, state.label, held.agents[state], MOODS[state]) for state in AgentState],
        told=[(label, getattr(held, name)) for name, label in TOLD], in_time=_in_time(held), seconds=figures.ANSWER_SECONDS,
        calls_back=can_call_back(request.actor))


def _in_time(held: figures.Figures) -> dict[str, int] | None:
    """Of the calls that are over or answered, those answered in time: per cent, with its bounds at 95 %. None of nothing."""
    if not held.over:
        return None
    low, high = wilson(held.answered_in_15, held.over)
    return {"part": held.answered_in_15, "whole": held.over, "percent": round(100 * held.answered_in_15 / held.over),
            "low": round(100 * low), "high": round(100 * high)}


@staff()
@require_GET
def telephones(request: StaffRequest) -> HttpResponse:
    """话务: who waits and how long, agents by state, today. Counts only. `part=1` is the middle of the page alone."""
    if not reads(request.actor):
        return render(request, "desk/refused.html", {"reason": _("话务数字给热线的话务员、派单员和督办员看。")}, status=403)
    part = request.GET.get("part") == "1"
    return render(request, "desk/_telephones.html" if part else "desk/telephones.html", _telephones(request))
