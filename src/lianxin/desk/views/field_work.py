"""网格: a town's field work today – who has each grid, what is open there, who is away, which telephones. `fieldwork` decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases import actions
from lianxin.cases.engine import On, submission_key
from lianxin.cases.reference import reference, today_of
from lianxin.fieldwork import cover, devices, leads, staffing
from lianxin.fieldwork.coverage import Standing, coverage
from lianxin.fieldwork.workers import FIELD_ROLES
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import Role, Staff, Unit

from .. import field_work as read
from ..access import StaffRequest, refused, staff
from ..forms import settled, take_faults
from .boards import context_for
from .campaigns import Day
from .people import ReasonForm

LEADERS = (Role.TEAM_LEAD, Role.HEAD, Role.ADMINISTRATOR)
HOLDERS = (*LEADERS, Role.GRID_WORKER)


def unit_of(request: StaffRequest) -> Unit:
    """The town that is looked at. Raises NotFound and NotAllowed."""
    said = request.POST.get("unit") or request.GET.get("unit", "")
    return leads.access_unit(request.actor, said[:24])


def towns(request: StaffRequest, unit: Unit) -> list[Unit]:
    """The towns to choose from: none where there is only one."""
    found = list(Unit.objects.filter(leads.need(request.actor).units()).order_by("code")[:500])
    return found if len(found) > 1 else []


def page(request: StaffRequest, template: str, unit: Unit, tab: str, status: int = 200, **more: Any) -> HttpResponse:
    return render(request, template, context_for(request, unit=unit, towns=towns(request, unit), tab=tab, **more), status=status)


def to(name: str, unit: Unit, *parts: object, **query: str) -> HttpResponse:
    return redirect(f"{reverse(name, args=parts)}?{urlencode({'unit': unit.code, **query})}")


@staff(*LEADERS)
@require_GET
def grids(request: StaffRequest) -> HttpResponse:
    """Every grid of the town: who has it today, what is open, what is due next."""
    try:
        unit = unit_of(request)
    except DomainError as error:
        return refused(request, error)
    found = coverage(unit, leads.need(request.actor), at=now())
    missing = [line for line in found.lines if line.standing in (Standing.NOBODY, Standing.AWAY)]
    return page(request, "desk/grids.html", unit, "grids", found=found, missing=missing, now=now(), total=len(found.lines),
                held=found.count(Standing.HELD), covered=found.count(Standing.COVERED),
                present=sum(one.since is not None for one in found.workers), workers=read.workers(unit, found))


@staff(*LEADERS)
@require_GET
def tasks(request: StaffRequest) -> HttpResponse:
    """What is open in one place, or the whole town, in order of what is due; given to another worker here."""
    try:
        unit = unit_of(request)
        held = read.open_tasks(request.actor, unit, area=request.GET.get("area", "")[:24], after=request.GET.get("after", "")[:200])
    except DomainError as error:
        return refused(request, error)
    return page(request, "desk/grid_tasks.html", unit, "tasks", held=held, now=now(), submission=str(uuid7()))


@staff(*LEADERS)
@require_POST
def hand_over(request: StaffRequest) -> HttpResponse:
    """转给别人: one case to another worker or clerk of the town. What cannot be is said, nothing else changes."""
    try:
        unit = unit_of(request)
        case_id = UUID(request.POST.get("case", ""))
    except ValueError:
        return refused(request, Invalid())
    except DomainError as error:
        return refused(request, error)
    officer = request.POST.get("officer", "")
    try:
        if not officer:
            raise Invalid(_("请选择转给谁。"))
        actions.hand_to_colleague(On(case_id, request.actor, key=submission_key(
            "hand", str(request.user.pk), request.POST.get("submission", ""), str(case_id))), officer=officer)
        person = Staff.objects.get(username=officer)
        messages.success(request, _("已转给%s。") % person.name)
    except DomainError as error:
        messages.warning(request, str(error))
    return to("desk:grid_tasks", unit, area=request.POST.get("area", "")[:24])


class AreasForm(forms.Form):
    """Which grids a worker has; a whole village is one choice."""

    areas = forms.MultipleChoiceField(label=gettext_lazy("网格"), widget=forms.CheckboxSelectMultiple, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["areas"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = choices


@staff(*LEADERS)
@require_http_methods(["GET", "POST"])
def grid_worker(request: StaffRequest, username: str) -> HttpResponse:
    """分工: one worker's grids, what they had before, their covers and telephones."""
    try:
        unit = unit_of(request)
        person = leads.access_worker(request.actor, unit, username)
    except DomainError as error:
        return refused(request, error)
    standing = staffing.standing(unit.pk, person.pk)
    known = reference().places
    initial = {"areas": [known[pk].code for grant in standing if (pk := grant.area_id or unit.area_id) is not None and pk in known],
               "seen": staffing.seen_by(standing)}
    choices = read.area_choices(unit, leads.need(request.actor))
    form = settled(AreasForm(request.POST or None, initial=initial, choices=choices))
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                staffing.assign(unit=unit, worker=username, areas=form.cleaned_data["areas"], seen=form.cleaned_data["seen"],
                                by=request.actor)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                messages.success(request, _("%s的分工已改，他的手机下次联网就会更新。") % person.name)
                return to("desk:grid_worker", unit, username)
    return page(request, "desk/grid_worker.html", unit, "grids", status, person=person, form=form, message=message,
                tree=read.area_tree(choices, set(form["areas"].value() or [])), entries=staffing.history(unit.pk, person.pk))


class CoverForm(forms.Form):
    absent = forms.ChoiceField(label=gettext_lazy("谁不在"))
    stand_in = forms.ChoiceField(label=gettext_lazy("谁代班"), required=False,
                                 help_text=gettext_lazy("还没找到人的先不选：总览会标出没人管的网格。"))
    starts_on = forms.DateField(label=gettext_lazy("从"), widget=Day())
    ends_on = forms.DateField(label=gettext_lazy("到（含）"), widget=Day())

    def __init__(self, *args: Any, people: list[Staff], **more: Any) -> None:
        super().__init__(*args, **more)
        rows = [(person.username, person.name) for person in people]
        for name, empty in (("absent", _("请选择")), ("stand_in", _("还没有人"))):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", empty), *rows]


@staff(*LEADERS)
@require_http_methods(["GET", "POST"])
def grid_cover(request: StaffRequest) -> HttpResponse:
    """代班: who stands in for whom, from one day to another."""
    try:
        unit = unit_of(request)
    except DomainError as error:
        return refused(request, error)
    today = today_of(now())
    people = list(Staff.objects.filter(leads.workers_of(unit.pk)).order_by("username"))
    form = settled(CoverForm(request.POST or None, initial={"starts_on": today, "ends_on": today}, people=people))
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = cover.arrange(unit=unit, by=request.actor, key=submission_key(
                    "cover", str(request.user.pk), request.POST.get("submission", "")), **form.cleaned_data)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                words = (_("已安排%(other)s替%(who)s。") if made.stand_in else _("已记下%(who)s这几天不在，还没有人代班。")) % {
                    "who": made.absent.name, "other": made.stand_in.name if made.stand_in else ""}
                messages.success(request, words)
                return to("desk:grid_cover", unit)
    return page(request, "desk/grid_cover.html", unit, "cover", status, form=form, message=message, today=today,
                covers=cover.covers_for(unit, since=today), submission=request.POST.get("submission") or str(uuid7()))


@staff(*LEADERS)
@require_POST
def end_cover(request: StaffRequest, pk: UUID) -> HttpResponse:
    """取消代班, at once."""
    try:
        ended = cover.call_off(cover_id=pk, by=request.actor)
    except DomainError as error:
        messages.warning(request, str(error))
        return redirect("desk:grid_cover")
    messages.success(request, _("已取消，%s的网格从现在起归本人。") % ended.absent.name)
    return to("desk:grid_cover", ended.unit)


@staff(*HOLDERS)
@require_GET
def phones(request: StaffRequest) -> HttpResponse:
    """手机: the telephones of a town's workers, or one's own."""
    try:
        if not leads.leads(request.actor):
            if not request.actor.has(*FIELD_ROLES):
                leads.need(request.actor)
            return render(request, "desk/phones.html", context_for(
                request, rows=read.own_phones(request.user), own=True, form=settled(ReasonForm())))
        unit = unit_of(request)
    except DomainError as error:
        return refused(request, error)
    return page(request, "desk/phones.html", unit, "phones", rows=read.phones(request.actor, unit), form=settled(ReasonForm()))


@staff(*HOLDERS)
@require_POST
def change_phone(request: StaffRequest, pk: UUID, step: str) -> HttpResponse:
    """停用 with a reason, or 恢复."""
    try:
        if step == "shut_out":
            device = devices.shut_out(device_id=pk, by=request.actor, why=request.POST.get("why", ""))
            messages.success(request, _("“%(phone)s”（%(who)s）已停用，它读不到也发不出任何东西。没发出的内容还锁在手机里。") % {
                "phone": device.name, "who": device.staff.name})
        else:
            device = devices.give_back(device_id=pk, by=request.actor)
            messages.success(request, _("“%(phone)s”（%(who)s）已恢复，没发出的会接着发。") % {
                "phone": device.name, "who": device.staff.name})
    except DomainError as error:
        messages.warning(request, error.fields.get("why") or str(error))
    unit = request.POST.get("unit", "")[:24]
    return redirect(f"{reverse('desk:phones')}{'?' + urlencode({'unit': unit}) if unit else ''}")
