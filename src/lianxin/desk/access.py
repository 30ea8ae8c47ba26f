"""Every desk view is for signed-in staff; the actor is read once per request and carried by it."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import Actor, actor_for
from lianxin.organisations.models import Role, Staff

P = ParamSpec("P")


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page that says why something is not to be had."""
    return render(request, "desk/refused.html", {"reason": " ".join([str(error), *map(str, error.fields.values())])}, status=error.status)


class StaffRequest(HttpRequest):
    """A request whose person is known."""

    user: Staff
    actor: Actor
    htmx: bool
    stored: list[uuid.UUID]


# Views whose form can be opened again by its address after signing in; what was typed comes back from the draft.
FORM_VIEWS = frozenset({"call", "act", "propose_change", "restore_version", "tokens", "new_account", "article_new", "article_edit",
                        "grid_map", "grid_cover", "grid_worker"})


def _own(request: HttpRequest, address: str) -> str:
    """The desk page of an address, when it is one of ours."""
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return ""
    path = address.partition(request.get_host())[2] if "://" in address else address
    return path if path.startswith("/desk/") else ""


def sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and from there back to the form that was being filled in, or the page it stood on."""
    match = request.resolver_match
    if request.method in ("GET", "HEAD") and not request.headers.get("HX-Request"):
        back = request.get_full_path()
    elif match is not None and match.url_name in FORM_VIEWS:
        back = request.path
    else:
        back = _own(request, request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")) or "/desk/"
    target = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
    if request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse({"sign_in": target}, status=401)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


View = Callable[Concatenate[StaffRequest, P], HttpResponseBase]


def staff(*roles: Role) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Ask for sign-in, and for one of `roles` where any are named. Answers 403 with a page that says whom to ask."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @functools.wraps(view)
        def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            person = request.user
            if not isinstance(person, Staff):
                return sign_in(request)
            request.actor = actor_for(person, via="desk")  # type: ignore[attr-defined]
            if roles and not request.actor.has(*roles):  # type: ignore[attr-defined]
                return render(
                    request, "desk/refused.html",
                    {"reason": _("您的岗位不办理这一项。需要的话，请找本单位的系统管理员。")}, status=403,
                )
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        return never_cache(inner)

    return decorate
