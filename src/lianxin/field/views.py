"""The shell and what the browser needs around it. Everything a worker sees is drawn on the telephone; nothing here is personal
but the answer to who is signed in."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from lianxin.fieldwork import devices
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.text import from_json
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import Staff

from . import bundle

FOREVER = "public, max-age=31536000, immutable"


def _base(version: str) -> str:
    return reverse("field:file", args=[version, "x"]).removesuffix("x")


@require_safe
@never_cache
def shell(request: HttpRequest) -> HttpResponse:
    """The page: the same for everybody, and the one the service worker keeps."""
    version = bundle.current().version
    return render(request, "field/shell.html", {"version": version, "base": _base(version)})


@require_safe
def file(request: HttpRequest, version: str, name: str) -> HttpResponse:
    """One file of this version. Another version's is not here: the page that asks for it reloads."""
    now = bundle.current()
    part = now.parts.get(name) if version == now.version else None
    if part is None:
        raise Http404
    packed = part.packed and "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(part.packed if packed else part.body, content_type=part.type)
    if packed:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = FOREVER
    return response


@require_safe
@never_cache
def service_worker(_request: HttpRequest) -> HttpResponse:
    """The worker's script, with the list of what it keeps. It changes with every version, which is how browsers notice one."""
    now = bundle.current()
    base = _base(now.version)
    kept = [[base + part.name, part.integrity] for part in now.parts.values()]
    kept.append([reverse("field:manifest"), ""])
    told = {"version": now.version, "shell": reverse("field:home"), "base": _base("x").removesuffix("x/"), "files": kept}
    head = f"const APP = {json.dumps(told, ensure_ascii=False)};\n"
    return HttpResponse(head.encode() + (bundle.OWN / bundle.WORKER).read_bytes(), content_type="text/javascript; charset=utf-8")


@require_safe
def manifest(_request: HttpRequest) -> HttpResponse:
    """What makes it installable."""
    home, base = reverse("field:home"), _base(bundle.current().version)
    icons = [{"src": f"{base}icons/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
             for size, purpose in ((192, "any"), (512, "any"))]
    icons.append({"src": f"{base}icons/maskable-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"})
    told: dict[str, Any] = {
        "id": home, "name": _("连心桥 · 网格"), "short_name": _("连心桥网格"), "lang": "zh-Hans", "start_url": home, "scope": home,
        "display": "standalone", "orientation": "portrait", "background_color": "#fbfaf7", "theme_color": "#0b6b6f", "icons": icons,
        "shortcuts": [{"name": _("随手报"), "url": f"{home}#/report"}],
    }
    response = JsonResponse(told, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
@never_cache
def session(request: HttpRequest) -> JsonResponse:
    """Who is signed in here, before a telephone is enrolled; `csrf` is what the enrolment needs."""
    person = request.user if isinstance(request.user, Staff) else None
    return JsonResponse({
        "signed_in": person is not None,
        "id": person.pk if person else None,
        "name": person.name if person else "",
        "sign_in": f"{settings.LOGIN_URL}?next={reverse('field:home')}",
        "csrf": get_token(request) if person else "",
    })


def _refused(error: DomainError) -> JsonResponse:
    return JsonResponse({"code": error.code, "detail": str(error.message), "fields": error.fields}, status=error.status,
                        content_type="application/problem+json")


@require_POST
@never_cache
def enrol(request: HttpRequest) -> JsonResponse:
    """This telephone becomes one of the worker's. The web session ends with it: from here on the telephone has a secret of its
    own, kept sealed, and whoever finds the telephone is not signed in to the desk."""
    if not isinstance(request.user, Staff):
        return JsonResponse({"code": "sign_in", "detail": _("请先登录。")}, status=401, content_type="application/problem+json")
    try:
        said = from_json(request.body or b"{}")
        name = said["name"]
        if not isinstance(name, str):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        return _refused(Invalid(_("发来的内容看不懂，请更新应用后再试。"), code="unreadable"))
    try:
        made = devices.enrol(staff=request.user, name=name, by=actor_for(request.user, via="field"))
    except DomainError as error:
        return _refused(error)
    answer = {"device_id": str(made.device.pk), "secret": made.secret, "worker": {"id": request.user.pk, "name": request.user.name}}
    logout(request)
    return JsonResponse(answer, status=201)

