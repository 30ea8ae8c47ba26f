"""回访计划: who is called back, and who is asked to rate instead. Ordered by a supervisor of the city."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from lianxin.cases.engine import submission_key
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import Role
from lianxin.quality.campaigns import define, end, may_order
from lianxin.quality.queries import campaign_figures

from ..access import StaffRequest, staff
from ..forms import UnitField, take_faults
from ..typed import unit_code
from .boards import context_for


class Day(forms.DateInput):
    """A day as browsers take it, whatever the page's language."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "date"}, format="%Y-%m-%d")


class CampaignForm(forms.Form):
    """Empty branch, county and unit mean all."""

    lists = ("units",)
    name = forms.CharField(label=gettext_lazy("名称"), max_length=60)
    starts_on = forms.DateField(label=gettext_lazy("从"), widget=Day())
    ends_on = forms.DateField(label=gettext_lazy("到（含）"), widget=Day())
    category = forms.ChoiceField(label=gettext_lazy("事项"), required=False)
    county = forms.ChoiceField(label=gettext_lazy("县市区"), required=False)
    unit = UnitField(label=gettext_lazy("办理单位"), required=False)
    share = forms.IntegerField(label=gettext_lazy("回访比例（%）"), min_value=1, max_value=100, initial=100,
                               help_text=gettext_lazy("100 为全部回访。没抽中的请诉求人自己评价，到期没评价不算满意。"))
    minimum = forms.IntegerField(label=gettext_lazy("每个单位至少回访（件）"), min_value=0, max_value=1000, initial=0)
    seed = forms.CharField(label=gettext_lazy("抽样种子"), max_length=32, required=False,
                           help_text=gettext_lazy("不填由系统随机定。有了种子，谁抽中可以重算核对。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        held = reference()
        branches = sorted((node for node in held.nodes.values() if not node.is_leaf), key=lambda node: node.code)
        counties = sorted((place for place in held.places.values() if place.level == "county"), key=lambda place: place.code)
        for name, rows in (("category", branches), ("county", counties)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("全部")), *((row.code, f"{row.code} {row.said}") for row in rows)]

    def clean_unit(self) -> str:
        return unit_code(self.cleaned_data["unit"]) if self.cleaned_data["unit"] else ""


@staff(Role.SUPERVISOR)
@require_http_methods(["GET", "POST"])
def campaigns(request: StaffRequest) -> HttpResponse:
    """Every campaign with its numbers, and the form for the next."""
    if not may_order(request.actor):
        return render(request, "desk/refused.html", {"reason": _("回访计划由热线的督办员制定。")}, status=403)
    today = today_of(now())
    form = CampaignForm(request.POST or None, initial={"starts_on": today})
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = define(
                    by=request.actor, key=submission_key("campaign", str(request.user.pk), request.POST.get("submission", "")),
                    **form.cleaned_data)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                messages.success(request, _("回访计划“%s”已定，从开始那天起生效。") % made.name)
                return redirect("desk:campaigns")
    return render(request, "desk/campaigns.html", context_for(
        request, form=form, message=message, figures=campaign_figures(), today=today,
        submission=request.POST.get("submission") or str(uuid7())), status=status)


@staff(Role.SUPERVISOR)
@require_POST
def end_campaign(request: StaffRequest, pk: int) -> HttpResponse:
    """Stop a campaign early; what it has decided stays."""
    try:
        ended = end(by=request.actor, campaign_id=pk)
        messages.success(request, _("回访计划“%s”已停止。") % ended.name)
    except DomainError as error:
        messages.warning(request, str(error))
    return redirect("desk:campaigns")
