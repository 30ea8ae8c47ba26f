"""The call screen's emergency keys: rung and registered at once; what is typed afterwards follows by itself."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from lianxin.cases.actions import Intake
from lianxin.cases.models import Case
from lianxin.kernel.errors import DomainError
from lianxin.kernel.text import small_number
from lianxin.linkage import emergency
from lianxin.linkage.emergency import Pressed, Rest
from lianxin.linkage.models import Direction, Handover
from lianxin.linkage.queries import standing
from lianxin.organisations.models import Role

from ..access import StaffRequest, staff
from ..typed import area_code, category_code

WORKERS = (Role.OPERATOR, Role.DISPATCHER)


def _said(request: HttpRequest, name: str, most: int) -> str:
    return request.POST.get(name, "")[:most]


def _degree(request: HttpRequest, name: str) -> float | None:
    try:
        return float(request.POST.get(name, ""))
    except ValueError:
        return None


def _intake(request: HttpRequest) -> Intake:
    """What is on the screen, whatever state it is in: no field is asked for."""
    category = category_code(_said(request, "category", 160))
    lon, lat = _degree(request, "lon"), _degree(request, "lat")
    return Intake(
        words=_said(request, "words", 12_000), channel="phone", category=category or None,
        area=area_code(_said(request, "area", 200)) or None, place_text=_said(request, "place_text", 300),
        lon=lon if lat is not None else None, lat=lat if lon is not None else None,
        name=_said(request, "name", 60), phone=_said(request, "phone", 40), confidential="confidential" in request.POST,
        accept=bool(category))


def _handovers(case_id: uuid.UUID) -> list[Handover]:
    return list(Handover.objects.filter(matter__case_id=case_id, direction=Direction.OUT)
                .select_related("matter__partner").order_by("offered_at"))


def _panel(request: StaffRequest, case_id: uuid.UUID, *, pressed: Pressed | None = None, faults: list[str | Promise] | None = None,
           status: int = 200) -> HttpResponse:
    case = Case.objects.only("number").get(pk=case_id)
    found = _handovers(case_id)
    mine = pressed.handover if pressed is not None else None
    return render(request, "desk/_emergency.html", {
        "case": case, "standings": [standing(one) for one in found], "pressed": pressed, "faults": faults or [],
        "handover": mine or (found[-1] if found else None)}, status=status)


def _failed(request: StaffRequest, words: str | Promise, service: str, status: int) -> HttpResponse:
    return render(request, "desk/_emergency_failed.html", {"words": words, "service": service}, status=status)


@staff(*WORKERS)
@require_POST
def emergency_press(request: StaffRequest, service: str) -> HttpResponse:
    """One press: the telephone, the case with the words so far, the offer. Answers with how it stands. Pressed again, it is the same."""
    try:
        pressed = emergency.press(request.actor, service=service, intake=_intake(request), submission=_said(request, "submission", 60))
    except DomainError as error:
        return _failed(request, error.message, service, error.status)
    return _panel(request, pressed.case_id, pressed=pressed)


def rest_of(request: HttpRequest) -> Rest:
    """What the form says has been typed since the key was pressed. `…_since` is what is new where the page says so."""

    def new(name: str, most: int) -> str:
        return _said(request, f"{name}_since" if f"{name}_since" in request.POST else name, most)

    return Rest(
        n=small_number(_said(request, "n", 8)) or 0, piece=_said(request, "piece", 12_000), place_text=_said(request, "place_since", 300),
        category=category_code(new("category", 160)), area=area_code(new("area", 200)),
        name=_said(request, "name", 60), phone=_said(request, "phone", 40))


def _under_way(request: HttpRequest) -> Rest | None:
    """The piece that was on its way when the form was saved: it may have arrived or not, and under its number it comes once."""
    n = small_number(_said(request, "under_way_n", 8))
    if not n:
        return None
    return Rest(
        n=n, piece=_said(request, "under_way_piece", 12_000), place_text=_said(request, "under_way_place_since", 300),
        category=category_code(_said(request, "under_way_category_since", 160)),
        area=area_code(_said(request, "under_way_area_since", 200)))


@staff(*WORKERS)
@require_POST
def emergency_more(request: StaffRequest) -> HttpResponse:
    """A piece of what was typed since. What could not be taken is said; it stays on the screen."""
    submission = _said(request, "submission", 60)
    try:
        faults = emergency.more(request.actor, submission, rest_of(request))
    except DomainError as error:
        return _failed(request, error.message, "", error.status)
    case_id = emergency.case_of(request.actor, submission)
    assert case_id is not None
    return _panel(request, case_id, faults=faults)


@staff(*WORKERS)
@require_GET
def emergency_state(request: StaffRequest) -> HttpResponse:
    """How the offers of the case that this form's key registered stand now."""
    case_id = emergency.case_of(request.actor, request.GET.get("submission", "")[:60])
    if case_id is None:
        return _failed(request, _("没有找到这件工单。请核对编号。"), "", 404)
    return _panel(request, case_id)


def finished(request: StaffRequest, submission: str) -> tuple[Case, list[str | Promise]] | None:
    """The ordinary save of a form whose emergency key was pressed before: what is left is added to the case there is. None when no
    key was pressed. Raises DomainError."""
    case_id = emergency.case_of(request.actor, submission)
    if case_id is None:
        return None
    under_way = _under_way(request)
    before = emergency.more(request.actor, submission, under_way) if under_way is not None else []
    faults = before + emergency.more(request.actor, submission, rest_of(request))
    return Case.objects.get(pk=case_id), faults


def context(request: StaffRequest) -> dict[str, Any]:
    """What the call screen knows of it: which services have a linked desk."""
    from lianxin.linkage.models import Partner

    return {"linked_services": set(Partner.objects.filter(active=True).exclude(url="").values_list("service", flat=True))}
