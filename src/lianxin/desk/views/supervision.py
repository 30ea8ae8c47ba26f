"""The supervisor's screens: where everything stands, orders to units, matters on the public list."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases import policy
from lianxin.cases.engine import submission_key
from lianxin.cases.models import Case, State
from lianxin.cases.reference import reference
from lianxin.cases.standings import UNREACHED_DAYS, Standing, standings, standings_by, totals
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import small_number
from lianxin.organisations.models import Role
from lianxin.supervision import listing as service
from lianxin.supervision import queries
from lianxin.supervision.models import Level, Listing, ListingState, ListingStep, OrderState

from ..access import StaffRequest, staff
from ..forms import UnitField, settled, take_faults
from ..menu import OVERVIEW_ROLES, SUPERVISION_ROLES
from ..typed import unit_code
from .boards import context_for
from .case import draft_name

WIDE = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER)


def own_unit(request: StaffRequest) -> int | None:
    """The unit whose board someone without a wider view sees: their own."""
    return None if request.actor.has(*WIDE) else request.actor.unit_id


def by_state(rows: list[Standing]) -> list[tuple[str | Promise, Standing]]:
    """Counts by state with what each is called, in the order of the process."""
    order = {state.value: index for index, state in enumerate(State)}
    return [(State(row.state).label, row) for row in sorted(rows, key=lambda row: order[row.state])]


@staff(*OVERVIEW_ROLES)
@require_GET
def overview(request: StaffRequest) -> HttpResponse:
    """Where everything stands: the city's, a county's or a unit's board. Every number leads to its cases."""
    at = now()
    unit_id = own_unit(request)
    unit = reference().units.get(unit_id) if unit_id is not None else None
    today = localdate(at)
    listed = queries.listings(open_only=True, unit_ids=frozenset({unit_id}) if unit_id is not None else None)
    return render(request, "desk/overview.html", context_for(
        request, at=at, standings=by_state(standings(request.actor, at=at, unit_id=unit_id)),
        sums=totals(request.actor, at=at, unit_id=unit_id), unit=unit, narrowed=f"&unit={unit.code}" if unit else "",
        units=[] if unit else standings_by(request.actor, "lead_unit", at=at),
        counties=[] if unit else standings_by(request.actor, "county", at=at),
        listed=len(listed), listed_late=sum(queries.late(one, today) > 0 for one in listed), days=UNREACHED_DAYS,
    ))


@staff(*SUPERVISION_ROLES)
@require_GET
def orders(request: StaffRequest) -> HttpResponse:
    """Reminders and written supervisions, newest first."""
    state, level = request.GET.get("state", ""), request.GET.get("level", "")
    page = queries.orders_for(request.actor, state=state, level=level, after=request.GET.get("after", ""))
    rest = request.GET.copy()
    rest.pop("after", None)
    return render(request, "desk/orders.html", context_for(
        request, page=page, state=state, level=level, states=OrderState.choices, at=now(), query=rest.urlencode(),
        levels=[(value, label) for value, label in Level.choices if value != Level.LISTED]))


class IssueForm(forms.Form):
    """What puts a matter on the list."""

    title = forms.CharField(label=gettext_lazy("督办事项（公开）"), max_length=80)
    unit = UnitField(label=gettext_lazy("责任单位"))
    leader_name = forms.CharField(label=gettext_lazy("责任领导"), max_length=40)
    leader_title = forms.CharField(label=gettext_lazy("职务"), max_length=80)
    criteria = forms.CharField(
        label=gettext_lazy("摘牌标准（公开：办到什么程度才算完）"), max_length=service.LONG, widget=forms.Textarea(attrs={"rows": 4}))
    due_on = forms.DateField(label=gettext_lazy("摘牌期限"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    cases = forms.CharField(
        label=gettext_lazy("涉及的工单编号，每行一个"), widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("公开页不显示编号，也不显示诉求人写的话。"))


class WordsForm(forms.Form):
    words = forms.CharField(label=gettext_lazy("说明"), max_length=service.LONG, widget=forms.Textarea(attrs={"rows": 4}))


class RefuseForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("不同意的原因（公开）：哪条标准还没达到"), max_length=service.LONG, widget=forms.Textarea(attrs={"rows": 4}))


class PlanForm(forms.Form):
    plan = forms.CharField(label=gettext_lazy("整改方案（公开）"), max_length=service.LONG, widget=forms.Textarea(attrs={"rows": 5}))
    milestones = forms.CharField(
        label=gettext_lazy("节点，每行一个：日期 做什么"), widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("如：2026-12-05 完成管道检测"))

    def clean_milestones(self) -> list[service.Planned]:
        found: list[service.Planned] = []
        for line in filter(None, (line.strip() for line in self.cleaned_data["milestones"].splitlines())):
            day, _space, title = line.partition(" ")
            try:
                found.append(service.Planned(title.strip(), date.fromisoformat(day)))
            except ValueError:
                raise forms.ValidationError(_("“%s”：先写日期，如 2026-12-05，空一格，再写做什么。") % line) from None
        return found


class MilestoneForm(forms.Form):
    milestone = forms.TypedChoiceField(label=gettext_lazy("节点"), coerce=int)
    proof = forms.CharField(label=gettext_lazy("怎样证明已完成（公开）"), max_length=300)


class MoveForm(forms.Form):
    due_on = forms.DateField(label=gettext_lazy("新的期限"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    words = forms.CharField(label=gettext_lazy("原因（公开）"), max_length=service.LONG, widget=forms.Textarea(attrs={"rows": 3}))


class ConfirmForm(forms.Form):
    finding = forms.CharField(
        label=gettext_lazy("核实情况（公开）：看了什么、问了谁、对照标准怎样"), max_length=service.LONG,
        widget=forms.Textarea(attrs={"rows": 5}))


STEP_FORMS: dict[ListingStep, type[forms.Form]] = {
    ListingStep.PLAN: PlanForm, ListingStep.MILESTONE: MilestoneForm, ListingStep.REQUEST: WordsForm,
    ListingStep.REFUSE: RefuseForm, ListingStep.CONFIRM: ConfirmForm, ListingStep.MOVE: MoveForm,
}


@staff(*SUPERVISION_ROLES)
@require_GET
def listings(request: StaffRequest) -> HttpResponse:
    """Every listed matter, open ones first."""
    today = localdate(now())
    return render(request, "desk/listings.html", context_for(
        request, listings=[(one, queries.late(one, today)) for one in queries.listings()], today=today,
        can_issue=service.can_issue(request.actor)))


@staff(Role.SUPERVISOR)
@require_http_methods(["GET", "POST"])
def issue_listing(request: StaffRequest) -> HttpResponse:
    """Put a matter on the list. `?case=NUMBER` fills the first case in."""
    if not service.can_issue(request.actor):
        return render(request, "desk/refused.html", {"reason": _("挂牌督办由热线的督办员办理。")}, status=403)
    form = settled(IssueForm(request.POST or None, initial={"cases": request.GET.get("case", "")[:30]}))
    message, status, kept_as = "", 200, draft_name(request, "listing")
    if request.method == "POST":
        status = 422
        if form.is_valid():
            fields = form.cleaned_data | {"cases": form.cleaned_data["cases"].split(), "unit": unit_code(form.cleaned_data["unit"])}
            try:
                made = service.issue(
                    by=request.actor, key=submission_key("listing", str(request.user.pk), request.POST.get("submission", "")),
                    **fields)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error.message), error.status
            else:
                messages.success(request, _("已挂牌，公开页马上能看到。"), extra_tags=kept_as)
                return redirect(reverse("desk:listing", args=[made.pk]))
        else:
            message = _("还差几项，补上再提交。已填的内容都在。")
    return render(request, "desk/listing_new.html", context_for(
        request, form=form, message=message, kept_as=kept_as, submission=request.POST.get("submission") or str(uuid7())),
        status=status)


def _step_form(step: ListingStep, one: Listing, data: Any = None) -> forms.Form:
    form = settled(STEP_FORMS[step](data), step.value)
    if step is ListingStep.MILESTONE:
        field = form.fields["milestone"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(m.pk, f"{m.due_on.isoformat()} {m.title}") for m in one.milestones.all() if m.done_at is None]
    if step is ListingStep.PLAN and data is None:
        form.initial = {"plan": one.plan, "milestones": "\n".join(
            f"{m.due_on.isoformat()} {m.title}" for m in one.milestones.all() if m.done_at is None)}
    return form


def _listing_page(request: StaffRequest, one: Listing, *, tried: tuple[ListingStep, forms.Form] | None = None,
                  message: str = "", status: int = 200) -> HttpResponse:
    steps = [
        (step, step.label, tried[1] if tried and tried[0] is step else _step_form(step, one),
         draft_name(request, "listing", str(one.pk), step))
        for step in service.steps_for(request.actor, one)
    ]
    cases = Case.objects.filter(policy.visible_to(request.actor), listings__listing=one).order_by("-id")
    today = localdate(now())
    return render(request, "desk/listing.html", context_for(
        request, one=one, milestones=list(one.milestones.all()), steps=steps, message=message, today=today,
        entries=list(one.entries.select_related("by")), cases=list(cases[:200]), late=queries.late(one, today),
        loose=tried is None or all(tried[0] is not step for step, _label, _form, _kept in steps),
        own=service.is_of_unit(request.actor, one), waits=one.state == ListingState.DELISTING), status=status)


@staff(*SUPERVISION_ROLES)
@require_GET
def listing(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One listed matter: plan, milestones, what happened, and what this person may do."""
    return _listing_page(request, get_object_or_404(Listing.objects.select_related("unit"), pk=pk))


@staff(*SUPERVISION_ROLES)
@require_POST
def take_step(request: StaffRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """One step on a listed matter. A fault shows the page again with what was typed."""
    if step not in ListingStep.values or ListingStep(step) not in service.STEPS:
        raise Http404
    wanted = ListingStep(step)
    one = get_object_or_404(Listing.objects.select_related("unit"), pk=pk)
    form = _step_form(wanted, one, request.POST)
    if not form.is_valid():
        return _listing_page(request, one, tried=(wanted, form), message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    try:
        more = {name: form.cleaned_data[name] for name in service.STEPS[wanted].more}
        words = next(value for name, value in form.cleaned_data.items() if name not in more)
        service.take(wanted, pk, by=request.actor, words=words, version=small_number(request.POST.get("version", "")), **more)
    except DomainError as error:
        take_faults(form, error)
        one.refresh_from_db()
        return _listing_page(request, one, tried=(wanted, form), message=str(error.message), status=error.status)
    messages.success(request, _("%s，已办。") % wanted.label, extra_tags=draft_name(request, "listing", str(pk), wanted))
    return redirect(reverse("desk:listing", args=[pk]))
