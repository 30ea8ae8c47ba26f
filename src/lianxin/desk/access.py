"""Every desk view is for signed-in staff; the actor is read once per request and carried by it."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from lianxin.cases import policy
from lianxin.cases.models import Case
from lianxin.organisations.actors import Actor, actor_for
from lianxin.organisations.models import Role, Staff

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request whose person is known."""

    user: Staff
    actor: Actor
    htmx: bool


View = Callable[Concatenate[StaffRequest, P], HttpResponseBase]


def staff(*roles: Role) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Ask for sign-in, and for one of `roles` where any are named. Answers 403 with a page that says whom to ask."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @functools.wraps(view)
        def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            person = request.user
            assert isinstance(person, Staff)
            request.actor = actor_for(person, via="desk")  # type: ignore[attr-defined]
            if roles and not request.actor.has(*roles):  # type: ignore[attr-defined]
                return render(
                    request, "desk/refused.html",
                    {"reason": _("您的岗位不办理这一项。需要的话，请找本单位的系统管理员。")}, status=403,
                )
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        return never_cache(login_required(inner))

    return decorate


def access_case(actor: Actor, case_id: uuid.UUID) -> Case:
    """Fetch and authorise in one step: a case that is not this person's to see is answered as not there."""
    case = (
        Case.objects.filter(policy.visible_to(actor), pk=case_id)
        .select_related("category__parent__parent", "area", "county", "lead_unit", "registered_by")
        .first()
    )
    if case is None:
        raise Http404(_("没有找到这件工单。"))
    return case
