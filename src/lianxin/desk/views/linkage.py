"""联动: what the desks of other services offer and what was offered to them, each with its clock; one handover and what can be done."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.kernel.errors import DomainError
from lianxin.linkage import deciding, policy, queries
from lianxin.linkage.models import Direction, Handover
from lianxin.linkage.queries import Alarms, Row, Thread

from ..access import StaffRequest, staff
from ..forms import settled, take_faults
from ..forms.linkage import KEYS, LABELS, STEP_FORMS, HandoverForm, steps_for
from .boards import context_for
from .case import draft_name

MUTES = (5, 15, 30)  # minutes


def linked(may: Callable[[Any], bool] = policy.works) -> Callable[[Any], Any]:
    """For whoever works the link, or what else of it `may` says; anybody else hears whose it is."""

    def decorate(view: Any) -> Any:
        @functools.wraps(view)
        def inner(request: StaffRequest, /, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.actor):
                return render(request, "desk/refused.html", {"reason": _("联动由热线的话务员、派单员和督办员办理。")}, status=403)
            answer: HttpResponseBase = view(request, *args, **kwargs)
            return answer

        return staff()(inner)

    return decorate


def _lists(request: StaffRequest) -> dict[str, Any]:
    return {"waiting": queries.waiting(request.actor), "outgoing": queries.outgoing(request.actor),
            "under_way": queries.under_way(request.actor), "lately": queries.lately(request.actor)}


@linked()
@require_GET
def linkage(request: StaffRequest) -> HttpResponse:
    """The page: offers that wait, offers made, what is under way here, what ended lately."""
    return render(request, "desk/linkage.html", context_for(
        request, may_keep=policy.keeps(request.actor), may_review=policy.reviews(request.actor), **_lists(request)))


@linked()
@require_GET
def linkage_lists(request: StaffRequest) -> HttpResponse:
    """The lists alone, for the page that is open."""
    return render(request, "desk/_linkage_lists.html", _lists(request))


def _alarm_words(found: Alarms) -> str:
    """What the strip says, and what is said aloud."""
    said = []
    if found.ringing:
        first = found.ringing[0]
        said.append(ngettext("%(n)d 件紧急移交等您接：%(who)s", "%(n)d 件紧急移交等您接：%(who)s", len(found.ringing)) % {
            "n": len(found.ringing), "who": first.handover.matter.partner.said})
    said.extend(_("%(who)s不接收紧急移交，请马上打电话或改转") % {"who": row.handover.matter.partner.said} for row in found.refused[:3])
    for row in found.late[:3]:
        who = {"who": row.handover.matter.partner.said, "state": row.handover.get_state_display()}
        said.append(_("%(who)s移交来的超时未答复") % who if row.handover.direction == Direction.IN and row.handover.undecided
                    else _("移交%(who)s的超时：%(state)s，请打电话") % who if row.handover.undecided
                    else _("%(who)s那边的超时：%(state)s") % who)
    if len(found.late) > 3:
        said.append(ngettext("还有 %d 件超时", "还有 %d 件超时", len(found.late) - 3) % (len(found.late) - 3))
    return pgettext("between alarms", "；").join(said)


@linked()
@require_GET
def linkage_state(request: StaffRequest) -> JsonResponse:
    """What every open page of who works the link asks for: how many wait, what is missed, what to say and whether to sound."""
    found = queries.alarms(request.actor)
    first: Row | None = next(iter(found.all), None)
    urgent = bool(found.ringing or found.refused) or any(row.handover.emergency for row in found.late)
    return JsonResponse({
        "waiting": found.waiting, "late": len(found.late), "key": found.key, "words": _alarm_words(found),
        "sound": "urgent" if urgent else "late" if found.late else "",
        "address": reverse("desk:handover", args=[first.handover.pk]) if first is not None else reverse("desk:linkage"),
    })


def _page(request: StaffRequest, thread: Thread, *, form: HandoverForm | None = None, step: str = "", message: str = "",
          status: int = 200) -> HttpResponse:
    handover = thread.handover
    return render(request, "desk/linkage_handover.html", context_for(
        request, thread=thread, handover=handover, partner=handover.matter.partner, case=handover.matter.case,
        steps=[(name, LABELS[name], KEYS[name]) for name in steps_for(handover)],
        others=queries.matter_threads(request.actor, handover.matter, but=handover.pk),
        form=form, step=step, label=LABELS.get(step, ""), message=message, draft=draft_name(request, "handover", str(handover.pk), step),
        to_see=handover.direction == Direction.IN and handover.state == "offered",
    ), status=status)


@linked()
@require_GET
def handover(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One handover: what it says, how it stands, every step of both desks."""
    try:
        return _page(request, queries.one(request.actor, pk))
    except DomainError as error:
        raise Http404(str(error)) from None


@linked()
@require_POST
def open_handover(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Open a partner's offer: with that it lies before a person, and the partner is told."""
    try:
        deciding.acknowledge(request.actor, pk)
    except DomainError as error:
        messages.warning(request, str(error))
    return redirect("desk:handover", pk)


DO: dict[str, Callable[..., object]] = {
    "accept": deciding.accept, "refuse": deciding.refuse, "negotiate": deciding.negotiate, "phone": deciding.record_phone,
    "supplement": deciding.supplement,
}


def _step_page(request: StaffRequest, thread: Thread, step: str, form: HandoverForm, *, message: str = "",
               status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "desk/_linkage_step.html", {
            "handover": thread.handover, "partner": thread.handover.matter.partner, "step": step, "label": LABELS[step], "form": form,
            "message": message, "draft": draft_name(request, "handover", str(thread.handover.pk), step)}, status=status)
    return _page(request, thread, form=form, step=step, message=message, status=status)


@linked()
@require_http_methods(["GET", "POST"])
def handover_step(request: StaffRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """One step's form, and the step. A fault shows the form again with what was typed."""
    if step not in STEP_FORMS:
        raise Http404(_("没有这个操作。"))
    try:
        thread = queries.one(request.actor, pk)
    except DomainError as error:
        raise Http404(str(error)) from None
    form = settled(STEP_FORMS[step](request.POST if request.method == "POST" else None, handover=thread.handover))
    if request.method == "GET":
        return _step_page(request, thread, step, form)
    if not form.is_valid():
        return _step_page(request, thread, step, form, message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    try:
        made = DO[step](request.actor, pk, **form.cleaned())
    except DomainError as error:
        take_faults(form, error)
        return _step_page(request, queries.one(request.actor, pk), step, form, message=str(error.message), status=error.status)
    messages.success(request, _("%s，已办。") % LABELS[step], extra_tags=draft_name(request, "handover", str(pk), step))
    # What was taken is a case now: that is where work goes on.
    target = reverse("desk:handover", args=[pk]) if isinstance(made, Handover) or step != "accept" else reverse(
        "desk:case", args=[made.pk])  # type: ignore[attr-defined]
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)
