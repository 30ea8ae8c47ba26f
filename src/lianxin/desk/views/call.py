"""Taking a call: words in, suggestions beside them, one key to register and take the next."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases import duplicates, missed_calls
from lianxin.cases.actions import (
    Intake,
    Registered,
    add_information,
    answer_on_the_spot,
    dispatch,
    merge,
    offer_handover,
    register,
)
from lianxin.cases.engine import On, submission_key
from lianxin.cases.handing_over import Wish
from lianxin.cases.models import Case, Kind, State, Urgency
from lianxin.cases.queries import access_case
from lianxin.cases.reference import Answer, reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import to_wgs84
from lianxin.kernel.errors import DomainError, Invalid, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import small_number
from lianxin.knowledge.queries import search as search_knowledge
from lianxin.linkage import emergency as emergencies
from lianxin.linkage import rules as joint_rules
from lianxin.organisations.models import Role
from lianxin.places import gazetteer
from lianxin.telephony import popping
from lianxin.triage import offers
from lianxin.triage.danger import alarms
from lianxin.triage.history import usual
from lianxin.triage.models import LearntModel, What
from lianxin.triage.offers import Shown
from lianxin.triage.personal import redacted
from lianxin.triage.reading import heard, several

from ..access import StaffRequest, staff
from ..forms import AreaField, CategoryField, take_faults
from ..typed import area_code, category_code, options
from . import emergency
from .boards import context_for
from .case import draft_name

WORKERS = (Role.OPERATOR, Role.DISPATCHER, Role.GRID_WORKER)
SHORTEST = 4  # characters from which anything is read
PLACES = 9  # places shown at once
SEVERAL = 30  # and from which there may be more than one matter


class CallForm(forms.Form):
    """What an operator writes down. Only the words are needed."""

    words = forms.CharField(label=gettext_lazy("诉求"), max_length=12_000, widget=forms.Textarea(
        attrs={"rows": 8, "autofocus": "", "spellcheck": "false"}))
    category = CategoryField(label=gettext_lazy("事项"), required=False, max_length=160)
    area = AreaField(label=gettext_lazy("地点（区域）"), required=False, max_length=200)
    place_text = forms.CharField(label=gettext_lazy("详细地址"), required=False, max_length=300)
    lon = forms.FloatField(required=False, widget=forms.HiddenInput)
    lat = forms.FloatField(required=False, widget=forms.HiddenInput)
    missed = forms.UUIDField(required=False, widget=forms.HiddenInput)
    call = forms.UUIDField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=gettext_lazy("诉求类型"), required=False,
                             choices=[("", gettext_lazy("按事项")), *Kind.choices])
    urgency = forms.ChoiceField(label=gettext_lazy("紧急程度"), required=False,
                                choices=[("", gettext_lazy("按事项")), *Urgency.choices])
    name = forms.CharField(label=gettext_lazy("姓名"), required=False, max_length=60,
                           widget=forms.TextInput(attrs={"autocomplete": "off"}))
    phone = forms.CharField(label=gettext_lazy("电话"), required=False, max_length=40,
                            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}))
    confidential = forms.BooleanField(label=gettext_lazy("要求保密"), required=False)
    publication = forms.BooleanField(label=gettext_lazy("同意公开"), required=False)
    wish = forms.ChoiceField(label=gettext_lazy("来电人愿意转吗"), required=False, choices=Wish.choices)
    article = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    public_answer = forms.CharField(label=gettext_lazy("当场答复"), required=False, max_length=10_000,
                                    widget=forms.Textarea(attrs={"rows": 4}))


def _intake(data: dict[str, Any], request: StaffRequest) -> Intake:
    category = category_code(data["category"])
    publish = bool(data["publication"]) and not data["confidential"]
    public = redacted(data["words"], names=(data["name"],)) if publish else ""
    grid = not request.actor.has(Role.OPERATOR, Role.DISPATCHER)
    return Intake(
        words=data["words"], channel="field" if grid else "phone", category=category or None,
        area=area_code(data["area"]) or None, place_text=data["place_text"], lon=data["lon"], lat=data["lat"],
        kind=data["kind"] or None, urgency=data["urgency"] or None, name=data["name"], phone=data["phone"],
        confidential=data["confidential"], accept=bool(category) and not grid,
        publication_title=public[:40], publication_body=public,
    )


@staff(*WORKERS)
@require_http_methods(["GET", "POST"])
def call(request: StaffRequest) -> HttpResponse:
    """The operator's screen. POST registers (and answers, or dispatches by the catalogue) and opens the next.

    A caller's number may come in the address after `#phone=`: that part never leaves the browser. `missed` beside it names
    the missed call that was called back.
    """
    if request.method == "GET":
        return render(request, "desk/call.html", _call_context(request, CallForm(), str(uuid7())))
    form = CallForm(request.POST)
    submission = request.POST.get("submission", "")
    if not form.is_valid():
        return _again(request, form, submission, _("请先写下诉求。已填的内容都在。"), 422)
    do = request.POST.get("do", "register")
    data = form.cleaned_data
    if do == "answer" and not data["public_answer"].strip():
        form.add_error("public_answer", _("当场答复须写下答复内容。"))
        return _again(request, form, submission, _("当场答复须写下答复内容。"), 422)
    if do.startswith("merge:") and not request.actor.has(Role.OPERATOR, Role.DISPATCHER):
        do = "register"
    if do.startswith("join:"):
        return _join(request, form, submission, do.removeprefix("join:"))
    try:
        rung = emergency.finished(request, submission)
        if rung is not None:
            return _finished(request, *rung, do, data, submission)
        made = register(intake=_intake(data, request), by=request.actor,
                        key=submission_key("call", str(request.user.pk), submission))
    except DomainError as error:
        take_faults(form, error)
        return _again(request, form, submission, str(error), error.status)
    # From here on the case stands: whatever fails next, the operator hears the number and goes on.
    try:
        missed_calls.join(request.actor, case_id=made.case_id, phone=data["phone"], entry_id=data["missed"])
        told = _then(request, do, made.case_id, data, submission)
    except DomainError as error:
        messages.warning(request, _("%(number)s 已登记，下一步没有做成：%(why)s 请在工单里继续。")
                         % {"number": made.number, "why": error})
        told = ""
    _lies_on(request, made.case_id, data)
    if not made.replayed:
        _keep_offers(request, made.case_id, data, do)
    messages.success(request, _made(made, told), extra_tags=draft_name(request, "call"))
    return redirect(reverse("desk:call"))


def _lies_on(request: StaffRequest, case_id: uuid.UUID, data: dict[str, Any]) -> None:
    """The call in which it was said lies on the case. That it cannot is told, and undoes nothing."""
    if not data["call"]:
        return
    try:
        popping.lies_on(request.actor, call_id=data["call"], case_id=case_id)
    except DomainError as error:
        messages.warning(request, str(error))


def _finished(request: StaffRequest, case: Case, faults: list[str | Promise], do: str, data: dict[str, Any],
              submission: str) -> HttpResponse:
    """The emergency key had registered it: the rest was added, and nothing is registered twice."""
    try:
        told = _then(request, do, case.pk, data, submission)
    except DomainError as error:
        faults, told = [*faults, error.message], ""
    _lies_on(request, case.pk, data)
    for fault in faults:
        messages.warning(request, _("%(number)s 有一项没有补上：%(why)s 请在工单里继续。") % {"number": case.number, "why": fault})
    address = reverse("desk:case", args=[case.pk])
    done = format_html('{} <a class="desk-readout" href="{}">{}</a> {}', _("已补齐"), address, case.number, told)
    messages.success(request, done, extra_tags=draft_name(request, "call"))
    return redirect(reverse("desk:call"))


def _keep_offers(request: StaffRequest, case_id: uuid.UUID, data: dict[str, Any], do: str) -> None:
    """What stood on the screen when the call was registered, and what the operator made of it."""

    def offered(name: str) -> tuple[str, ...]:
        return tuple(code[:60] for code in request.POST.get(f"offered_{name}", "")[:600].split())

    # The version that read is the one on the screen, whichever is in force by now.
    number = small_number(request.POST.get("offered_model", ""))
    model = LearntModel.objects.filter(number=number).first() if number is not None else None
    try:
        probability = min(1.0, max(0.0, float(request.POST.get("offered_probability", "")))) if model else None
    except ValueError:
        probability = None
    service = do if do in ("110", "119", "120") else ""
    offers.write(case_id, [
        Shown(What.CATEGORY, offered("category"), category_code(data["category"]), model, probability),
        Shown(What.AREA, offered("area"), area_code(data["area"])),
        Shown(What.URGENCY, offered("alarm"), service),
        Shown(What.ARTICLE, offered("article"), data["article"] if do == "answer" else ""),
        Shown(What.SAME, offered("same"), do.removeprefix("merge:") if do.startswith("merge:") else ""),
    ])


def _made(made: Registered, told: str) -> str:
    """What the operator reads out: number, tracking code (shown the first time only), what happens next."""
    code = format_html("{} <strong class=\"desk-readout\">{}</strong> ", _("查询码"), made.tracking_code) if (
        made.tracking_code and not made.replayed) else ""
    return format_html(
        '{} <a class="desk-readout" href="{}">{}</a> {}{}', _("已登记"), reverse("desk:case", args=[made.case_id]),
        made.number, code, told,
    )


def _join(request: StaffRequest, form: CallForm, submission: str, chosen: str) -> HttpResponse:
    """The same caller again: their words go to the case they already have."""
    try:
        case = access_case(request.actor, uuid.UUID(chosen))
        key = submission_key("call-join", str(request.user.pk), submission)
        add_information(On(case.pk, request.actor, key=key), words=form.cleaned_data["words"])
        missed_calls.join(request.actor, case_id=case.pk, phone=form.cleaned_data["phone"], entry_id=form.cleaned_data["missed"])
        _lies_on(request, case.pk, form.cleaned_data)
    except ValueError:
        return _again(request, form, submission, _("没有找到这件工单。请核对编号。"), 404)
    except DomainError as error:
        return _again(request, form, submission, str(error), error.status)
    messages.success(request, _("已补充到 %(number)s。") % {"number": case.number}, extra_tags=draft_name(request, "call"))
    return redirect(reverse("desk:call"))


def _then(request: StaffRequest, do: str, case_id: uuid.UUID, data: dict[str, Any], submission: str) -> str:
    """What follows registering in the same breath, once only; returns what to tell the operator."""
    on = On(case_id, request.actor, key=submission_key("call-then", str(request.user.pk), submission))
    if do == "answer":
        answer_on_the_spot(on, public_answer=data["public_answer"], article=data["article"] or None)
        return _("已当场答复并归档。")
    if do.startswith("merge:"):
        return _merged(request, case_id, do.removeprefix("merge:"), submission)
    if do in emergencies.SERVICES:
        return _rung(request, case_id, do, submission)
    if do.startswith("transfer:"):
        return _transferred(on, do.removeprefix("transfer:"), data)
    if do == "dispatch":
        held = reference()
        node = held.nodes_by_code.get(category_code(data["category"]))
        place = held.places_by_code.get(area_code(data["area"]))
        answer = held.responsible(category_id=node.id if node else None, area_id=place.id if place else None,
                                  on=today_of(now()))
        if node is None or answer is None:
            return _("派单目录没有这一项，请派单员处理。")
        dispatch(on, lead_unit=answer.lead.code,
                 assisting_units=[unit.code for unit in answer.assisting])
        return _("已派给%s。") % answer.lead.said
    return ""


def _rung(request: StaffRequest, case_id: uuid.UUID, service: str, submission: str) -> str:
    """An emergency key pressed where no script runs: the case is registered already, the telephone and the offer follow."""
    phone = emergencies.ring(request.actor, service)
    offered, _why = emergencies.offer(request.actor, case_id, service, submission=submission)
    if offered is None:
        return _("已记录转接 %s。") % service
    return _("已移交%(partner)s。%(phone)s") % {"partner": offered.matter.partner.said, "phone": phone.words if phone else ""}


def _transferred(on: On, partner: str, data: dict[str, Any]) -> str:
    """What a joint rule says is theirs goes there in the same breath."""
    rule = joint_rules.theirs(category_code(data["category"]))
    if rule is None or rule.partner.code != partner:
        raise Invalid(_("联合规则已经变了，请在工单里看过再移交。"))
    with override(settings.LANGUAGE_CODE):
        reason = _("按联合规则，属对方职责。")
    offer_handover(on, partner=partner, reason=reason, basis="clear", wish=data["wish"] or Wish.NOT_ASKED.value)
    return _("已移交%(partner)s，等对方接收。") % {"partner": rule.partner.said}


def _merged(request: StaffRequest, case_id: uuid.UUID, chosen: str, submission: str) -> str:
    """Another caller about the same matter: the case just made is handled with the one they were shown."""
    try:
        master = access_case(request.actor, uuid.UUID(chosen))
    except ValueError:
        raise NotFound(_("没有找到这件工单。请核对编号。")) from None
    made = access_case(request.actor, case_id)
    merge(On(master.pk, request.actor, key=submission_key("call-merge", str(request.user.pk), submission)),
          duplicates=[str(case_id)], reason=duplicates.likeness(master, made).why)
    return _("已并入 %s，一起办理。") % master.number


def _again(request: StaffRequest, form: CallForm, submission: str, message: str, status: int) -> HttpResponse:
    return render(request, "desk/call.html", _call_context(request, form, submission, message), status=status)


def _call_context(request: StaffRequest, form: CallForm, submission: str, message: str = "") -> dict[str, Any]:
    return context_for(request, form=form, submission=submission or str(uuid7()), message=message,
                       draft=draft_name(request, "call"),
                       can_answer=request.actor.has(Role.OPERATOR, Role.DISPATCHER))


def _position(request: StaffRequest, clear: gazetteer.PlaceHit | None) -> tuple[float | None, float | None]:
    """The position chosen in the form, else that of the site clearly read in the words; degrees WGS-84."""
    try:
        return to_wgs84(float(request.POST["lon"]), float(request.POST["lat"]))
    except (KeyError, ValueError):
        return (clear.lon, clear.lat) if clear and clear.level == "site" else (None, None)


@staff(*WORKERS)
@require_POST
def suggest(request: StaffRequest) -> HttpResponse:
    """What the system read in the words so far: category and unit, places, danger, similar cases, answers.

    Only the words, the place and the category are sent here, never who is calling. The page puts each part where
    it belongs and fills only fields nobody has touched.
    """
    words = request.POST.get("words", "")[:12_000]
    enough = len(words) >= SHORTEST
    held, on = reference(), today_of(now())
    read = heard(words) if enough else None
    found = read.found if read else ()
    places = gazetteer.read(words + " " + request.POST.get("place_text", "")[:300]) if enough else gazetteer.Reading((), None, ())
    chosen_area = held.places_by_code.get(area_code(request.POST.get("area", "")[:200]))
    clear = places.clear
    # What was only filled in while the words were clearer does not stand against what they say now.
    asks = bool(places.choices) and (chosen_area is None or request.POST.get("area_filled") == "1")
    chosen_area = None if asks else chosen_area
    shown = places.choices if asks else places.hits
    area_id = chosen_area.id if chosen_area else (clear.area_id if clear else None)
    chosen = held.nodes_by_code.get(category_code(request.POST.get("category", "")[:200]))

    def unit_for(category_id: int) -> Answer | None:
        return held.responsible(category_id=category_id, area_id=area_id, on=on)

    lon, lat = _position(request, clear)
    near = duplicates.nearby(request.actor, duplicates.Asked(
        words, now(), lon, lat, area_id, chosen.id if chosen else None,
        place_text=request.POST.get("place_text", "")[:300])) if len(words) >= SHORTEST + 2 else duplicates.Nearby([], [])
    own = emergencies.case_of(request.actor, request.POST.get("pressed", "")[:60])
    alike, others = [one for one in near.alike if one.case.pk != own], [one for one in near.others if one.pk != own]
    answer = unit_for(chosen.id) if chosen else None
    place = held.places.get(area_id) if area_id is not None else None
    habit = usual(chosen.id, place.county_id if place else None) if chosen else None
    return render(request, "desk/_suggest.html", {
        "found": [(one, unit_for(held.nodes_by_code[one.code].id)) for one in found],
        "places": shown[:PLACES], "asks": asks, "unshown": max(len(shown) - PLACES, 0),
        "read": read,
        "alarms": alarms(words), "alike": alike, "similar": others,
        # One key takes the likeliest: of the same matter first, else of those near that are still open.
        "joinable": next((one.pk for one in others if one.state != State.CLOSED), None) if not alike else None,
        "articles": search_knowledge(words, on=on, category_codes=tuple(one.code for one in found), area_id=area_id) if enough else [],
        "chosen": chosen, "answer": answer, "empty": not enough,
        "theirs": joint_rules.theirs(chosen.code) if chosen is not None else None,
        "habit": habit if habit and (answer is None or habit.unit.id != answer.lead.id) else None,
        "matters": several(words) if len(words) >= SEVERAL else (),
        "sure_place": clear is not None and (len(places.hits) == 1 or clear.score > places.hits[1].score),
        "can_answer": request.actor.has(Role.OPERATOR, Role.DISPATCHER),
    })


@staff()
@require_GET
def choices(request: StaffRequest, name: str) -> JsonResponse:
    """Options of a typed list: categories, areas or units that hold what was typed."""
    found = options(name, request.GET.get("q", "").strip()[:60])
    if found is None:
        raise Http404
    return JsonResponse({"options": found})
