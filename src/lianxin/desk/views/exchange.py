"""外部系统: departments' own systems and older platforms – how each answers, what both have, what differs, settings and mapping."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.policy import sees_some
from lianxin.exchange import hearing, mapping, outbox, policy, queries, reconciling, systems
from lianxin.exchange.client import Fault
from lianxin.exchange.models import Letter, LetterState, System
from lianxin.kernel.errors import DomainError, NotFound

from ..access import StaffRequest, staff
from ..forms import settled, take_faults
from ..forms.exchange import MapService, Settings
from .boards import context_for


def _for(may: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """For whoever `may`; anybody else hears whose it is."""

    def decorate(view: Any) -> Any:
        @functools.wraps(view)
        def inner(request: StaffRequest, /, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.actor):
                reason = _("外部系统由热线的督办员和系统管理员管理，承办单位看本单位的。")
                return render(request, "desk/refused.html", {"reason": reason}, status=403)
            answer: HttpResponseBase = view(request, *args, **kwargs)
            return answer

        return staff()(inner)

    return decorate


def _standing(request: StaffRequest, code: str) -> outbox.Standing:
    try:
        return queries.standing(request.actor, code)
    except NotFound:
        raise Http404(_("没有这个系统。")) from None


@_for(policy.reads)
@require_GET
def exchange(request: StaffRequest) -> HttpResponse:
    """Every system somebody reads of, and the replies that wait for a person."""
    return render(request, "desk/exchange.html", context_for(
        request, standings=queries.standings(request.actor), waiting=queries.waiting(request.actor), keeps=policy.keeps(request.actor)))


def _page(request: StaffRequest, found: outbox.Standing, *, form: Settings | None = None, line: MapService | None = None,
          message: str = "", status: int = 200, differences: list[reconciling.Difference] | None = None) -> HttpResponse:
    system = found.system
    keeps = policy.keeps(request.actor)
    first = {"inbound": "1" if request.GET.get("inbound") == "1" else "0", "value": request.GET.get("value", "")[:120]}
    more: dict[str, Any] = {}
    if keeps:
        more = {"form": settled(form or Settings(system=system), "set"), "line": settled(line or MapService(initial=first), "map"),
                "mapping": queries.lines(system), "unmapped": queries.unmapped(system), "services": queries.services(system),
                "changes": queries.changes(system), "disclosed": queries.disclosed(system)}
    return render(request, "desk/exchange_system.html", context_for(
        request, found=found, system=system, keeps=keeps, links=queries.links(system), dead=queries.dead(system), message=message,
        differences=differences, reads_cases=sees_some(request.actor), **more), status=status)


@_for(policy.reads)
@require_GET
def exchange_system(request: StaffRequest, code: str) -> HttpResponse:
    """One system."""
    return _page(request, _standing(request, code))


@_for(policy.keeps)
@require_http_methods(["GET", "POST"])
def exchange_new(request: StaffRequest) -> HttpResponse:
    """Join another system."""
    form = Settings(request.POST or None)
    if request.method == "POST":
        message = _("还差几项，补上再提交。已填的内容都在。")
        status = 422
        if form.is_valid():
            code = form.cleaned_data["code"]
            try:
                if System.objects.filter(code=code).exists():
                    form.add_error("code", _("已有这个代号。"))
                else:
                    systems.save(request.actor, code, **form.cleaned())
                    messages.success(request, _("已保存 %s。") % code)
                    return redirect(reverse("desk:exchange_system", args=[code]))
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error.message), error.status
        return render(request, "desk/exchange_new.html", context_for(request, form=settled(form), message=message), status=status)
    return render(request, "desk/exchange_new.html", context_for(request, form=settled(form)))


@_for(policy.keeps)
@require_POST
def exchange_settings(request: StaffRequest, code: str) -> HttpResponse:
    """Change a system's settings."""
    found = _standing(request, code)
    form = Settings(request.POST, system=found.system)
    if not form.is_valid():
        return _page(request, found, form=form, message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    try:
        systems.save(request.actor, code, **form.cleaned())
    except DomainError as error:
        take_faults(form, error)
        return _page(request, found, form=form, message=str(error.message), status=error.status)
    messages.success(request, _("已保存 %s。") % code)
    return redirect(reverse("desk:exchange_system", args=[code]))


@_for(policy.keeps)
@require_POST
def exchange_map(request: StaffRequest, code: str) -> HttpResponse:
    """Write one line of the mapping, or take it away."""
    found = _standing(request, code)
    line = MapService(request.POST)
    if not line.is_valid():
        return _page(request, found, line=line, message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    try:
        mapping.set_mapping(request.actor, found.system, **line.cleaned())
    except DomainError as error:
        take_faults(line, error)
        return _page(request, found, line=line, message=str(error.message), status=error.status)
    messages.success(request, _("对照表已改。"))
    return redirect(reverse("desk:exchange_system", args=[code]) + "#mapping")


@_for(policy.keeps)
@require_POST
def exchange_services(request: StaffRequest, code: str) -> HttpResponse:
    """Read the list of services from the system, now."""
    found = _standing(request, code)
    try:
        count = len(systems.discover(found.system))
        messages.success(request, _("读到 %d 项服务。") % count)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(reverse("desk:exchange_system", args=[code]) + "#services")


@_for(policy.keeps)
@require_POST
def exchange_compare(request: StaffRequest, code: str) -> HttpResponse:
    """Ask the system about everything both have, and list what differs."""
    found = _standing(request, code)
    try:
        differences = list(reconciling.reconcile(found.system))
    except Fault as fault:
        return _page(request, found, message=fault.outcome.why, status=503)
    return _page(request, found, differences=differences)


@_for(policy.keeps)
@require_POST
def exchange_resend(request: StaffRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Send a letter that was given up on once more, and what waits behind it."""
    found = _standing(request, code)
    there = Letter.objects.filter(pk=pk, system=found.system, state=LetterState.DEAD).exists()
    if there and outbox.resend(pk):
        messages.success(request, _("已放回发送队列，马上再送。"))
    else:
        messages.error(request, _("没有这封送不出去的消息，可能刚刚已经送达。"))
    return redirect(reverse("desk:exchange_system", args=[code]))


@_for(policy.reads)
@require_POST
def exchange_aside(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """A person of the unit does not take over what its system closed a case with."""
    try:
        link = hearing.put_aside(request.actor, pk)
    except NotFound:
        raise Http404(_("没有找到这条记录。")) from None
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(reverse("desk:exchange"))
    messages.success(request, _("已记下：不采用。"))
    return redirect(reverse("desk:case", args=[link.case_id]))
