"""关爱登记: people who asked to be looked in on, for the register's keeper; and the visits of who makes them."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.care import actions, queries
from lianxin.care.models import CarePage
from lianxin.care.policy import is_keeper
from lianxin.care.visiting import record_visit
from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import small_number
from lianxin.organisations.models import Role

from ..access import StaffRequest, refused, staff
from ..forms.base import settled, take_faults
from ..forms.care import ConsentForm, EntryForm, GiveForm, HolidayForm, PersonForm, VisitForm, area_line
from .boards import context_for

KEEPER, VISITOR = Role.CARE_KEEPER, Role.GRID_WORKER


def _key(request: StaffRequest) -> uuid.UUID | None:
    """What the form was given when it was shown: sent twice, it is done once."""
    try:
        return uuid.UUID(request.POST.get("submission", ""))
    except ValueError:
        return None


def _version(request: StaffRequest) -> int:
    return small_number(request.POST.get("version", "")) or 0


@staff(KEEPER)
@require_http_methods(["GET", "POST"])
def care(request: StaffRequest) -> HttpResponse:
    """The register, what is due first. A name to look for is posted: it does not stand in an address."""
    only = request.GET.get("only", "")
    only = only if only in queries.FILTERS else ""
    text = request.POST.get("q", "").strip()[:60]
    page = small_number(request.GET.get("page", "")) or 1
    found = queries.register(request.actor, only=only, text=text, page=page)
    names = {"due": _("到期的"), "told": _("要您看的"), "consent": _("同意快到期"), "nobody": _("没人走访")}
    filters = [(code, names[code], found.counts[code]) for code in queries.FILTERS]
    return render(request, "desk/care.html", context_for(request, found=found, filters=filters, only=only, q=text))


@staff(KEEPER)
@require_http_methods(["GET", "POST"])
def care_new(request: StaffRequest) -> HttpResponse:
    """A new entry, once the person has agreed."""
    form = settled(EntryForm(request.POST or None, visitors=queries.visitors(request.actor)))
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            held = form.cleaned_data
            try:
                entry = actions.enter(by=request.actor, person=form.person(), consent=form.consent(), area=held["area"],
                                      interval_days=held["interval_days"], visitor=held["visitor"], key=_key(request))
            except NotFound as error:
                return refused(request, error)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                messages.success(request, _("已登记。第一次看望最迟 %s。") % entry.due_on.isoformat())
                return redirect("desk:care_entry", entry.pk)
    return render(request, "desk/care_new.html", context_for(
        request, form=form, message=message, submission=_key(request) or uuid7()), status=status)


def _entry(request: StaffRequest, pk: uuid.UUID, *, message: str = "", give: GiveForm | None = None,
           renew: ConsentForm | None = None, status: int = 200) -> HttpResponse:
    held = queries.file_of(request.actor, pk)
    return render(request, "desk/care_entry.html", context_for(
        request, file=held, message=message, today=today_of(now()),
        give=settled(give or GiveForm(visitors=queries.visitors(request.actor)), "give"),
        renew=settled(renew or ConsentForm(), "renew")), status=status)


@staff(KEEPER)
@require_GET
def care_entry(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One entry opened: that it was read is written down first."""
    try:
        return _entry(request, pk)
    except NotFound as error:
        return refused(request, error)


@staff(KEEPER)
@require_http_methods(["GET", "POST"])
def care_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What is held is made right."""
    try:
        if request.method == "GET":
            held = queries.file_of(request.actor, pk)
            person, entry = held.person, held.entry
            form: PersonForm = settled(PersonForm(initial={
                "name": person.name, "area": area_line(entry.area), "address": person.address, "phone": person.phone,
                "trusted": person.trusted, "purpose": person.purpose, "interval_days": entry.interval_days}))
            return _editing(request, pk, form, version=entry.version)
        form = settled(PersonForm(request.POST))
        if not form.is_valid():
            return _editing(request, pk, form, version=_version(request), status=422)
        try:
            actions.correct(by=request.actor, pk=pk, version=_version(request), person=form.person(),
                            area=form.cleaned_data["area"], interval_days=form.cleaned_data["interval_days"])
        except NotFound:
            raise
        except DomainError as error:
            take_faults(form, error)
            return _editing(request, pk, form, version=_version(request), message=str(error), status=error.status)
    except NotFound as error:
        return refused(request, error)
    messages.success(request, _("已更正。"))
    return redirect("desk:care_entry", pk)


def _editing(request: StaffRequest, pk: uuid.UUID, form: PersonForm, *, version: int, message: str = "", status: int = 200) -> HttpResponse:
    return render(request, "desk/care_edit.html", context_for(request, form=form, pk=pk, version=version, message=message), status=status)


def _acted(request: StaffRequest, pk: uuid.UUID, form: forms.Form, run: Any, said: str, **shown: Any) -> HttpResponse:
    """Do what a form of the entry's page asks; what was typed stays there when it is refused."""
    try:
        if not form.is_valid():
            return _entry(request, pk, status=422, **shown)
        try:
            run()
        except NotFound:
            raise
        except DomainError as error:
            take_faults(form, error)
            return _entry(request, pk, message=str(error), status=error.status, **shown)
    except NotFound as error:
        return refused(request, error)
    messages.success(request, said)
    return redirect("desk:care_entry", pk)


@staff(KEEPER)
@require_POST
def care_give(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Another visitor, for good or until a day."""
    form = GiveForm(request.POST, visitors=queries.visitors(request.actor))
    return _acted(request, pk, form, lambda: actions.give(
        by=request.actor, pk=pk, version=_version(request), to=form.cleaned_data["to"], until=form.cleaned_data["until"]),
        _("走访人已换，原来的人看不到这条登记了。"), give=form)


@staff(KEEPER)
@require_POST
def care_renew(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The person agreed again."""
    form = ConsentForm(request.POST)
    return _acted(request, pk, form, lambda: actions.renew(
        by=request.actor, pk=pk, version=_version(request), consent=form.consent()), _("已续期。"), renew=form)


@staff(KEEPER)
@require_http_methods(["GET", "POST"])
def care_withdraw(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Asked once again, and then deleted."""
    try:
        if request.method == "POST":
            actions.withdraw(by=request.actor, pk=pk)
            messages.success(request, _("已撤回：这个人的资料和走访记录都已删除。纸质同意书请当面交还或销毁。"))
            return redirect("desk:care")
        return render(request, "desk/care_withdraw.html", context_for(request, file=queries.file_of(request.actor, pk)))
    except NotFound as error:
        return refused(request, error)


@staff(KEEPER)
@require_http_methods(["GET", "POST"])
def care_holiday(request: StaffRequest) -> HttpResponse:
    """All of one visitor's entries to another: a holiday, or somebody who left."""
    form = settled(HolidayForm(request.POST or None, visitors=queries.visitors(request.actor), served=queries.serving(request.actor)))
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            held = form.cleaned_data
            try:
                done = actions.give_all(by=request.actor, visitor=held["visitor"], to=held["to"], until=held["until"])
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                messages.success(request, ngettext("%d 条登记已交给别人走访。", "%d 条登记已交给别人走访。", done) % done)
                return redirect("desk:care")
    return render(request, "desk/care_holiday.html", context_for(request, form=form, message=message), status=status)


@staff(KEEPER)
@require_GET
def care_consent(request: StaffRequest) -> HttpResponse:
    """The consent form on paper, empty: to be read out and signed, in the person's language."""
    languages = dict(settings.LANGUAGES)
    asked = request.GET.get("language", "")
    with translation.override(asked if asked in languages else translation.get_language()):
        return render(request, "desk/care_consent.html", {
            "unit": request.user.unit, "today": now(), "languages": list(languages.items())})


@staff(KEEPER)
@require_GET
def care_print(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """All that is held about a person, on paper for that person: words, visits, who did and read what."""
    try:
        held = queries.file_of(request.actor, pk, page=CarePage.PRINT)
    except NotFound as error:
        return refused(request, error)
    return render(request, "desk/care_print.html", {"file": held, "today": now()})


def _visits(request: StaffRequest, *, of: str = "", form: VisitForm | None = None, message: str = "", status: int = 200) -> HttpResponse:
    lines = queries.to_visit(request.actor, page=CarePage.VISITS)
    rows = [(line, form if form is not None and of == str(line.entry.pk) else settled(VisitForm(), line.entry.pk.hex), uuid7())
            for line in lines]
    lost = form if form is not None and of not in {str(line.entry.pk) for line in lines} else None
    return render(request, "desk/care_visits.html", context_for(
        request, rows=rows, message=message, lost=lost, ahead=queries.AHEAD, keeps=is_keeper(request.actor)), status=status)


@staff(VISITOR)
@require_GET
def care_visits(request: StaffRequest) -> HttpResponse:
    """My visits of the next days, for who has no telephone at hand."""
    return _visits(request)


@staff(VISITOR)
@require_POST
def care_visit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What came of one visit."""
    form = settled(VisitForm(request.POST), pk.hex)
    if not form.is_valid():
        return _visits(request, of=str(pk), form=form, status=422)
    try:
        done = record_visit(by=request.actor, pk=pk, at=now(), key=_key(request), **form.cleaned_data)
    except DomainError as error:
        take_faults(form, error)
        return _visits(request, of=str(pk), form=form, message=str(error), status=error.status)
    if done.case:
        messages.success(request, _("已记下，需要帮助的事已登记成一件诉求。") if done.visit else
                         _("需要帮助的事已登记成一件诉求。这条登记已不归您走访，看望没有记下。"))
    else:
        messages.success(request, _("已记下。"))
    return redirect("desk:care_visits")
