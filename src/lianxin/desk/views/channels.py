"""群和邮件组: where an office has public news sent. The address is a secret: it is written once and shown to nobody again."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from lianxin.cases.reference import reference
from lianxin.faces.limits import allow
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.organisations.models import Role, Unit
from lianxin.webhooks import channels as service
from lianxin.webhooks import following
from lianxin.webhooks.models import Pace

from ..access import StaffRequest, staff
from ..forms import take_faults
from ..forms.base import AreaField, UnitField
from ..typed import area_code, unit_code
from .boards import context_for

TESTS_A_MINUTE = 6


class ChannelForm(forms.Form):
    """Which news go where."""

    name = forms.CharField(label=gettext_lazy("用途"), max_length=80)
    unit = UnitField(label=gettext_lazy("哪个单位的"), max_length=160)
    address = forms.CharField(label=gettext_lazy("地址"), max_length=service.LONGEST, widget=forms.TextInput(attrs={
        "autocomplete": "off", "spellcheck": "false", "placeholder": "wecombot://…"}),
        help_text=gettext_lazy("Apprise 的地址，例如企业微信机器人 wecombot://密钥。加密保存，以后不再显示。"))
    area = AreaField(label=gettext_lazy("哪里的"), required=False, max_length=200, help_text=gettext_lazy("不填为全市。"))
    category = forms.ChoiceField(label=gettext_lazy("哪类事"), required=False)
    pace = forms.ChoiceField(label=gettext_lazy("多久一次"), choices=Pace.choices, initial=Pace.DAILY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        branches = sorted((node for node in reference().nodes.values() if not node.is_leaf and node.active), key=lambda node: node.code)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("全部")), *((node.code, f"{node.code} {node.said}") for node in branches)]


@staff(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def channels(request: StaffRequest) -> HttpResponse:
    """Every channel, and the form for another."""
    form, message, status = ChannelForm(request.POST or None), "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            said = form.cleaned_data
            try:
                unit = Unit.objects.filter(code=unit_code(said["unit"])).first()
                if unit is None:
                    raise Invalid(fields={"unit": _("没有这个单位，请从列表里选。")})
                service.create(by=request.actor, name=said["name"], unit=unit, address=said["address"], pace=Pace(said["pace"]),
                               about=following.topic(area_code(said["area"]), said["category"]))
            except DomainError as error:
                take_faults(form, error)
                message, status = ("" if error.fields else str(error)), error.status
            else:
                messages.success(request, _("已加上。可以先发一条测试。"))
                return redirect("desk:channels")
    rows = service.listed(request.actor).select_related("unit", "area", "category").order_by("-made_at", "-id")
    return render(request, "desk/channels.html", context_for(request, form=form, message=message, rows=rows), status=status)


@staff(Role.ADMINISTRATOR)
@require_POST
def channel_step(request: StaffRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Test, pause, begin again, end."""
    try:
        if step == "test":
            allow("channel-test", str(request.user.pk), per_minute=TESTS_A_MINUTE)
            service.test(pk, by=request.actor)
            messages.success(request, _("测试消息已发出。"))
        elif step in ("pause", "resume"):
            service.turn(pk, step == "resume", by=request.actor)
            messages.success(request, _("已恢复，从现在起的消息会发。") if step == "resume" else _("已暂停。"))
        elif step == "end":
            service.delete(pk, by=request.actor)
            messages.success(request, _("已取消，地址也删了。"))
        else:
            raise Invalid(_("没有这一步。"))
    except service.Unsent as error:
        messages.error(request, _("测试消息没有送到：%s") % error)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("desk:channels")
