"""For tests, the harness and the demonstration, from this machine only: what this desk has, does, and how it misbehaves."""

from __future__ import annotations

import ipaddress
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .. import acts, auto, conduct, queries
from ..acts import Person
from ..models import Handover, Matter
from ..orders import BadOrder
from ..wire import Invalid
from ..words import Said

View = Callable[..., HttpResponse]


def problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"status": status, "detail": detail}, status=status, content_type="application/problem+json")


def from_here(view: View) -> View:
    """Only from this machine; JSON only, which no page of another origin can send without asking first."""
    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, **named: Any) -> HttpResponse:
        if not ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "192.0.2.1").is_loopback:
            return problem(403, "only from this machine")
        if request.method == "POST" and request.content_type != "application/json":
            return problem(415, "application/json only")
        try:
            return view(request, **named)
        except (BadOrder, Said, Invalid) as error:
            return problem(422, str(error))
        except (TypeError, AttributeError, ValidationError):
            return problem(422, "a field is missing, unknown or of the wrong type")

    return guarded


def _content(request: HttpRequest) -> dict[str, Any]:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError:
        raise BadOrder("not JSON") from None
    if not isinstance(content, dict):
        raise BadOrder("not a JSON object")
    return content


@from_here
def control(request: HttpRequest) -> HttpResponse:
    """GET: as ordered now. POST: `{"slow": 2, …}` changes that, `{"reset": true}` first makes everything good, `{"auto": {…}}` too."""
    if request.method == "POST":
        order = _content(request)
        automatic, anew = order.pop("auto", None), bool(order.pop("reset", False))
        conduct.order(order, anew=anew)
        if automatic is not None:
            if not isinstance(automatic, dict):
                raise BadOrder("auto is an object")
            auto.order(automatic)
    return JsonResponse({**asdict(conduct.conduct()), "auto": asdict(auto.auto())})


@from_here
def seen(request: HttpRequest) -> HttpResponse:
    """When the last offer of a matter came in, was drawn and became visible: milliseconds since 1970."""
    last = Handover.objects.filter(matter_id=_key(request.GET.get("matter", "")), direction="in").order_by("received_at").last()
    if last is None:
        return problem(404, "no offer of this matter came in")
    data = queries.handover_data(last)
    return JsonResponse({"matter": str(last.matter_id), "handover": data["id"], **{
        name: data[name] for name in ("state", "received_at", "shown_at", "visible_at", "acknowledged_at", "decided_at")}})


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise BadOrder("not a UUID") from None


@from_here
def matters(request: HttpRequest) -> HttpResponse:
    after = request.GET.get("after", "")
    found, following = queries.matter_pages(str(_key(after)) if after else "")
    return JsonResponse({"matters": found, "after": following})


@from_here
def matter(request: HttpRequest, *, key: uuid.UUID) -> HttpResponse:
    found = Matter.objects.filter(id=key).first()
    if found is None:
        return problem(404, "no such matter")
    ledger = [{"desk": entry.desk, "kind": entry.kind, "status": entry.status, "at": entry.at.isoformat()}
              for entry in queries.ledger(found)]
    return JsonResponse({**queries.matter_data(found), "ledger": ledger})


NEW = ("words", "place", "category", "basis", "reason", "mode", "emergency", "wish", "caller_name",
       "caller_phone", "shared", "first", "lon", "lat")


@from_here
def offers(request: HttpRequest) -> HttpResponse:
    """A new incident, offered; `matter` and `handover` may bring their ids, and the same matter twice is made once."""
    if request.method != "POST":
        return HttpResponse(status=405)
    content = _content(request)
    given = {name: content[name] for name in NEW if name in content}
    key, handover = content.get("matter"), content.get("handover")
    made = acts.new(by=Person(str(content.get("operator", "api"))[:40]), key=_key(key) if key else None,
                    handover=_key(handover) if handover else None, **given)
    return JsonResponse(queries.matter_data(made), status=201)


ACTS: dict[str, Callable[..., Any]] = {
    "acknowledge": acts.acknowledge, "accept": acts.accept, "refuse": acts.refuse, "default": acts.default, "negotiate": acts.negotiate,
    "withdraw": acts.withdraw, "supplement": acts.supplement, "phone": acts.phone, "progress": acts.progress, "outcome": acts.outcome,
    "close": acts.close,
}


@from_here
def act(request: HttpRequest, *, key: uuid.UUID, act: str) -> HttpResponse:
    """What a person does on the screen, by a program."""
    if request.method != "POST" or act not in ACTS:
        return problem(404 if act not in ACTS else 405, "no such act")
    content = _content(request)
    ACTS[act](key, by=Person(str(content.pop("operator", "api"))[:40]), **content)
    found = Handover.objects.get(id=key)
    return JsonResponse(queries.handover_data(found))


@from_here
def figures(request: HttpRequest) -> HttpResponse:
    return JsonResponse(queries.figures())


def healthz(request: HttpRequest) -> HttpResponse:
    Matter.objects.exists()
    return HttpResponse("ok", content_type="text/plain")
