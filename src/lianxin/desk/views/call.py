"""Taking a call: words in, suggestions beside them, one key to register and take the next."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases import queries
from lianxin.cases.actions import Intake, add_information, answer_on_the_spot, dispatch, refer_emergency, register
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import Kind, Urgency
from lianxin.cases.reference import Body, Node, Place, reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.knowledge.queries import search as search_knowledge
from lianxin.organisations.models import Role
from lianxin.places import gazetteer
from lianxin.triage.keywords import alarms
from lianxin.triage.keywords import suggest as suggest_categories

from ..access import StaffRequest, access_case, staff
from ..forms import code_of
from .boards import context_for
from .case import draft_name

WORKERS = (Role.OPERATOR, Role.DISPATCHER, Role.GRID_WORKER)
LIST_LIMIT = 20


class CallForm(forms.Form):
    """What an operator writes down. Only the words are needed."""

    words = forms.CharField(label=gettext_lazy("诉求"), max_length=12_000, widget=forms.Textarea(
        attrs={"rows": 8, "autofocus": "", "spellcheck": "false"}))
    category = forms.CharField(label=gettext_lazy("事项"), required=False, max_length=80)
    area = forms.CharField(label=gettext_lazy("地点（区域）"), required=False, max_length=120)
    place_text = forms.CharField(label=gettext_lazy("详细地址"), required=False, max_length=300)
    lon = forms.FloatField(required=False, widget=forms.HiddenInput)
    lat = forms.FloatField(required=False, widget=forms.HiddenInput)
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
    public_answer = forms.CharField(label=gettext_lazy("当场答复"), required=False, max_length=10_000,
                                    widget=forms.Textarea(attrs={"rows": 4}))


def _intake(data: dict[str, Any], request: StaffRequest) -> Intake:
    category = code_of(data["category"])
    publish = bool(data["publication"]) and not data["confidential"]
    grid = not request.actor.has(Role.OPERATOR, Role.DISPATCHER)
    return Intake(
        words=data["words"], channel="field" if grid else "phone", category=category or None,
        area=code_of(data["area"]) or None, place_text=data["place_text"], lon=data["lon"], lat=data["lat"],
        kind=data["kind"] or None, urgency=data["urgency"] or None, name=data["name"], phone=data["phone"],
        confidential=data["confidential"], accept=bool(category) and not grid,
        publication_title=data["words"][:40] if publish else "", publication_body=data["words"] if publish else "",
    )


@staff(*WORKERS)
@require_http_methods(["GET", "POST"])
def call(request: StaffRequest) -> HttpResponse:
    """The operator's screen. POST registers (and answers, or dispatches by the catalogue) and opens the next."""
    if request.method == "GET":
        form = CallForm(initial={"phone": request.GET.get("phone", "")[:40]})
        return render(request, "desk/call.html", _call_context(request, form, str(uuid7())))
    form = CallForm(request.POST)
    submission = request.POST.get("submission", "")
    if not form.is_valid():
        return _again(request, form, submission, _("请先写下诉求。已填的内容都在。"), 422)
    do = request.POST.get("do", "register")
    data = form.cleaned_data
    if do == "answer" and not data["public_answer"].strip():
        form.add_error("public_answer", _("当场答复须写下答复内容。"))
        return _again(request, form, submission, _("当场答复须写下答复内容。"), 422)
    key = submission_key("call", str(request.user.pk), submission)
    if do.startswith("join:"):
        return _join(request, form, submission, do.removeprefix("join:"))
    try:
        made = register(intake=_intake(data, request), by=request.actor, key=key)
        if made.replayed:
            messages.info(request, _("这件已经登记过：%(number)s。") % {"number": made.number},
                          extra_tags=draft_name(request, "call"))
            return redirect(reverse("desk:call"))
        told = _then(request, do, made.case_id, data)
    except DomainError as error:
        for name, fault in error.fields.items():
            form.add_error(name if name in form.fields else None, fault)
        return _again(request, form, submission, str(error), error.status)
    messages.success(
        request,
        _("已登记 %(number)s，查询码 %(code)s。%(then)s")
        % {"number": made.number, "code": made.tracking_code, "then": told},
        extra_tags=draft_name(request, "call"),
    )
    return redirect(reverse("desk:call"))


def _join(request: StaffRequest, form: CallForm, submission: str, chosen: str) -> HttpResponse:
    """The same caller again: their words go to the case they already have."""
    try:
        case = access_case(request.actor, uuid.UUID(chosen))
        key = submission_key("call-join", str(request.user.pk), submission)
        add_information(On(case.pk, request.actor, key=key), words=form.cleaned_data["words"])
    except (ValueError, Http404):
        return _again(request, form, submission, _("没有找到这件工单。"), 404)
    except DomainError as error:
        return _again(request, form, submission, str(error), error.status)
    messages.success(request, _("已补充到 %(number)s。") % {"number": case.number}, extra_tags=draft_name(request, "call"))
    return redirect(reverse("desk:call"))


def _then(request: StaffRequest, do: str, case_id: uuid.UUID, data: dict[str, Any]) -> str:
    """What follows registering in the same breath; returns what to tell the operator."""
    if do == "answer":
        answer_on_the_spot(On(case_id, request.actor), public_answer=data["public_answer"])
        return _("已当场答复并归档。")
    if do in ("110", "119", "120"):
        refer_emergency(On(case_id, request.actor), service=do)
        return _("已记录转接 %s。") % do
    if do == "dispatch":
        held = reference()
        node = held.nodes_by_code.get(code_of(data["category"]))
        place = held.places_by_code.get(code_of(data["area"]))
        answer = held.responsible(category_id=node.id if node else None, area_id=place.id if place else None,
                                  on=today_of(now()))
        if node is None or answer is None:
            return _("派单目录没有这一项，请派单员处理。")
        dispatch(On(case_id, request.actor), lead_unit=answer.lead.code,
                 assisting_units=[unit.code for unit in answer.assisting])
        return _("已派给%s。") % answer.lead.said
    return ""


def _again(request: StaffRequest, form: CallForm, submission: str, message: str, status: int) -> HttpResponse:
    return render(request, "desk/call.html", _call_context(request, form, submission, message), status=status)


def _call_context(request: StaffRequest, form: CallForm, submission: str, message: str = "") -> dict[str, Any]:
    return context_for(request, form=form, submission=submission or str(uuid7()), message=message,
                       draft=draft_name(request, "call"),
                       can_answer=request.actor.has(Role.OPERATOR, Role.DISPATCHER))


@staff(*WORKERS)
@require_POST
def suggest(request: StaffRequest) -> HttpResponse:
    """What the system read in the words so far: category and unit, places, danger, similar cases, answers."""
    words = request.POST.get("words", "")[:12_000]
    held = reference()
    found = suggest_categories(words) if len(words) >= 4 else []
    places = gazetteer.find(words + " " + request.POST.get("place_text", "")) if len(words) >= 4 else []
    chosen_area = held.places_by_code.get(code_of(request.POST.get("area", "")))
    area_id = chosen_area.id if chosen_area else (places[0].area_id if places else None)
    chosen = held.nodes_by_code.get(code_of(request.POST.get("category", "")))
    rows = []
    for one in found:
        node = held.nodes_by_code[one.code]
        rows.append((one, held.responsible(category_id=node.id, area_id=area_id, on=today_of(now()))))
    answer = (
        held.responsible(category_id=chosen.id, area_id=area_id, on=today_of(now())) if chosen else None
    )
    place = places[0] if places else None
    similar = queries.similar(
        request.actor, words=words, lon=place.lon if place and place.level == "site" else None,
        lat=place.lat if place and place.level == "site" else None, area_id=area_id, at=now(),
    ) if len(words) >= 6 else []
    articles = search_knowledge(words, on=today_of(now()), category_codes=tuple(one.code for one in found))
    return render(request, "desk/_suggest.html", {
        "found": rows, "places": places, "alarms": alarms(words), "similar": similar, "articles": articles,
        "chosen": chosen, "answer": answer, "empty": len(words) < 4,
        "sure_place": len(places) == 1 or (len(places) > 1 and places[0].score > places[1].score),
        "can_join": request.actor.has(Role.OPERATOR, Role.DISPATCHER),
    })


def _holds(thing: Node | Place | Body, text: str) -> bool:
    return thing.code.startswith(text) or text in thing.name or text.lower() in thing.said.lower()


@staff()
@require_GET
def choices(request: StaffRequest, name: str) -> JsonResponse:
    """Options of a typed list: categories, areas or units that hold what was typed."""
    text = request.GET.get("q", "").strip()
    held = reference()
    options: list[str]
    if name == "categories":
        leaves = (n for n in held.nodes.values() if n.is_leaf and n.active)
        options = [f"{n.code} {n.said}" for n in leaves if _holds(n, text)]
    elif name == "areas":
        options = [f"{p.code} {p.said}" for p in held.places.values() if p.level != "grid" and _holds(p, text)]
    elif name == "units":
        on = today_of(now())
        options = [f"{u.code} {u.said}" for u in held.units.values() if u.open_on(on) and _holds(u, text)]
    else:
        raise Http404
    options.sort(key=lambda option: (not option.split(" ", 1)[1].startswith(text), len(option), option))
    return JsonResponse({"options": options[:LIST_LIMIT]})
