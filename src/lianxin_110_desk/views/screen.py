"""The people's screen: what waits, one matter with its ledger, a new incident, the line, and the switch for misbehaving."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from .. import acts, auto, live, outbox, queries, states
from .. import conduct as conducts
from ..acts import Person
from ..middleware import cookie
from ..models import THEM, US, Handover, Matter
from ..orders import BadOrder
from ..words import LANGUAGES, Said, tell

CATEGORIES = list(acts.CODES)


def person(request: HttpRequest) -> Person:
    return Person(request.badge)  # type: ignore[attr-defined]


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/board.html", {"board": queries.board(), "here": "board"})


@require_GET
def board_part(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/_board.html", {"board": queries.board()})


@require_GET
def line_part(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/_line.html")


@require_GET
def stream(request: HttpRequest) -> HttpResponseBase:
    events = live.stream()
    if events is None:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    return StreamingHttpResponse(events, content_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@require_GET
def matters(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:60]
    try:
        rows, following = queries.matters(request.GET.get("before", ""), text)
    except ValueError:
        return not_found(request)
    return render(request, "desk/matters.html", {"matters": rows, "following": following, "text": text, "here": "matters"})


def _matter(request: HttpRequest, matter: Matter, *, fault: str = "", typed: dict[str, Any] | None = None,
            status: int = 200) -> HttpResponse:
    handovers = sorted(matter.handovers.all(), key=lambda handover: handover.received_at, reverse=True)
    undecided = next((handover for handover in handovers if handover.undecided), None)
    working = next((handover for handover in handovers if handover.state in (*states.UNDER_WAY, states.OUTCOME_RETURNED)), None)
    entries = queries.ledger(matter)
    said = next((entry.body["agreed"] for entry in reversed(entries) if entry.kind == "phone" and undecided is not None
                 and entry.handover_id == undecided.id and entry.desk == THEM), "")
    last = handovers[0] if handovers else None
    return render(request, "desk/matter.html", {
        "matter": matter, "handovers": handovers, "undecided": undecided, "working": working, "entries": entries, "phoned": said,
        "last": last,
        "unsent": queries.unsent(matter), "fault": fault, "typed": typed or {}, "here": "matters",
        "may_offer": matter.held_by_us and undecided is None, "ours_first": matter.first_receiver == US,
        "came_from_them": any(handover.incoming and handover.state in states.TAKEN for handover in handovers),
    }, status=status)


def matter(request: HttpRequest, *, key: uuid.UUID) -> HttpResponse:
    found = Matter.objects.filter(id=key).prefetch_related("handovers").first()
    return not_found(request) if found is None else _matter(request, found)


def _to(matter_id: uuid.UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("matter", args=[matter_id]))


def _yes(form: Any, name: str) -> bool:
    return bool(form.get(name))


FORMS: dict[str, Callable[[uuid.UUID, Person, Any], Any]] = {
    "acknowledge": lambda key, by, form: acts.acknowledge(key, by=by),
    "accept": lambda key, by, form: acts.accept(key, by=by, note=form.get("note", ""), how="phone" if form.get("phoned") else "person"),
    "refuse": lambda key, by, form: acts.refuse(key, by=by, reason=form.get("reason", ""), words=form.get("words", "")),
    "default": lambda key, by, form: acts.default(key, by=by),
    "negotiate": lambda key, by, form: acts.negotiate(
        key, by=by, words=form.get("words", ""), spoke_with=form.get("spoke_with", ""), three_way=_yes(form, "three_way"),
        agreed=form.get("agreed", "")),
    "withdraw": lambda key, by, form: acts.withdraw(key, by=by, reason=form.get("reason", "")),
    "supplement": lambda key, by, form: acts.supplement(key, by=by, words=form.get("words", "")),
    "phone": lambda key, by, form: acts.phone(
        key, by=by, spoke_with=form.get("spoke_with", ""), agreed=form.get("agreed", ""), words=form.get("words", "")),
    "progress": lambda key, by, form: acts.progress(key, by=by, step=form.get("step", ""), words=form.get("words", "")),
    "outcome": lambda key, by, form: acts.outcome(
        key, by=by, result=form.get("result", ""), words=form.get("words", ""), public_words=form.get("public_words", ""),
        follow_up=_yes(form, "follow_up"), follow_up_words=form.get("follow_up_words", "")),
    "close": lambda key, by, form: acts.close(key, by=by, told=_yes(form, "told")),
}


@require_POST
def act(request: HttpRequest, *, key: uuid.UUID, act: str) -> HttpResponse:
    """What was pressed on a matter's page. A fault shows the page with what was typed."""
    if act == "seen":
        return _seen(request, key)
    handover = Handover.objects.select_related("matter").filter(id=key).first()
    if handover is None or act not in FORMS:
        return not_found(request)
    try:
        FORMS[act](key, person(request), request.POST)
    except Said as said:
        found = Matter.objects.prefetch_related("handovers").get(id=handover.matter_id)
        return _matter(request, found, fault=said.said(request.language), typed={"act": act, **request.POST.dict()},  # type: ignore[attr-defined]
                       status=422)
    return HttpResponse(status=204) if request.headers.get("x-by-itself") else _to(handover.matter_id)


def _seen(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    try:
        at = float(request.POST.get("at", ""))
        acts.seen(key, visible_ms=at)
    except (ValueError, OverflowError, OSError):
        return HttpResponse(status=422)
    return HttpResponse(status=204)


@require_POST
def offer(request: HttpRequest, *, key: uuid.UUID) -> HttpResponse:
    found = Matter.objects.prefetch_related("handovers").filter(id=key).first()
    if found is None:
        return not_found(request)
    form = request.POST
    try:
        acts.offer_again(key, by=person(request), words=form.get("words", ""), basis=form.get("basis", ""), reason=form.get("reason", ""),
                         mode=form.get("mode", "transfer"))
    except Said as said:
        return _matter(request, found, fault=said.said(request.language), typed={"act": "offer", **form.dict()}, status=422)  # type: ignore[attr-defined]
    return _to(key)


def new(request: HttpRequest) -> HttpResponse:
    shown: dict[str, Any] = {"here": "new", "categories": CATEGORIES, "typed": request.POST if request.method == "POST" else {}}
    if request.method == "POST":
        form = request.POST
        try:
            made = acts.new(
                by=person(request), words=form.get("words", ""), place=form.get("place", ""), category=form.get("category", ""),
                basis=form.get("basis", ""), reason=form.get("reason", ""), mode=form.get("mode", ""), emergency=_yes(form, "emergency"),
                wish=form.get("wish", ""), caller_name=form.get("caller_name", ""), caller_phone=form.get("caller_phone", ""),
                shared=form.get("shared", ""), first=THEM if _yes(form, "their_first") else US)
        except Said as said:
            return render(request, "desk/new.html", {**shown, "fault": said.said(request.language)}, status=422)  # type: ignore[attr-defined]
        return _to(made.id)
    return render(request, "desk/new.html", shown)


def line(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        if request.POST.get("ping"):
            acts.ping()
        else:
            outbox.again(str(_uuid(request.POST.get("message", ""))))
        return HttpResponseRedirect(reverse("line"))
    return render(request, "desk/line.html", {"outgoing": queries.outgoing(), "here": "line"})


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def rules(request: HttpRequest) -> HttpResponse:
    shown: dict[str, Any] = {"rules": queries.rules(), "here": "rules", "categories": CATEGORIES}
    if request.method == "POST":
        form, by = request.POST, person(request)
        try:
            if form.get("rule"):
                acts.judge(_uuid(form["rule"]), by=by, approve=form.get("say") == "approve")
            else:
                acts.propose(by=by, category=form.get("category", ""), takes=form.get("takes", ""), words=form.get("words", ""))
        except Said as said:
            return render(request, "desk/rules.html", {**shown, "fault": said.said(request.language)}, status=422)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("rules"))
    return render(request, "desk/rules.html", shown)


SWITCHES = ("refuse_all", "crash_once")
NUMBERS = ("slow", "silent", "lose_answer", "duplicate", "reorder", "garbage", "crash_share", "clock")
AUTOMATIC = ("accept", "refuse", "negotiate", "follow_up", "pace")


def misbehaviour(request: HttpRequest) -> HttpResponse:
    shown: dict[str, Any] = {"here": "conduct", "auto": auto.auto()}
    if request.method == "POST":
        form = request.POST
        try:
            if form.get("good"):
                conducts.order({}, anew=True)
            elif form.get("automatic"):
                auto.order({"on": _yes(form, "on"), **{name: form.get(name, "") for name in AUTOMATIC}})
            else:
                conducts.order({"crash": form.get("crash", ""), **{name: _yes(form, name) for name in SWITCHES},
                                **{name: form.get(name, "") for name in NUMBERS}})
        except BadOrder as error:
            fault = tell(request.language, "数字不对：{fault}", fault=str(error))  # type: ignore[attr-defined]
            return render(request, "desk/conduct.html", {**shown, "fault": fault}, status=422)
        return HttpResponseRedirect(reverse("conduct"))
    return render(request, "desk/conduct.html", shown)


@require_POST
def seat(request: HttpRequest) -> HttpResponse:
    """Language and badge of this browser."""
    back = request.POST.get("back", "/")
    if not url_has_allowed_host_and_scheme(back, None):
        back = "/"
    response = HttpResponseRedirect(back)
    language, badge = request.POST.get("language", ""), request.POST.get("badge", "").strip()[:40]
    if language in LANGUAGES:
        response.set_cookie(cookie("language"), language, max_age=31_536_000, samesite="Strict")
    if badge and badge.isascii() and badge.isprintable() and not set(badge) & set(' ;,"\\'):
        response.set_cookie(cookie("badge"), badge, max_age=31_536_000, samesite="Strict", httponly=True)
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path.startswith(("/api/", "/linkage/")):
        return JsonResponse({"status": 404, "detail": "no such address"}, status=404, content_type="application/problem+json")
    return render(request, "desk/not_found.html", {"here": ""}, status=404)
