"""事件订阅: systems that are told of events – what they ask for, how they answer, what was sent – and offices that are told news."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.reference import reference
from lianxin.faces.limits import allow
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.text import small_number
from lianxin.organisations.models import Role, Staff
from lianxin.webhooks import actions, queries
from lianxin.webhooks.models import DeliveryState, Subscription, SubscriptionState
from lianxin.webhooks.types import types

from ..access import StaffRequest, staff
from ..forms import settled, take_faults
from ..forms.base import AreaField, UnitField, when
from ..typed import area_code, path_of, unit_codes, unit_line
from .boards import context_for

TESTS_A_MINUTE = 6
TURNS = {"pause": SubscriptionState.PAUSED, "resume": SubscriptionState.ACTIVE, "end": SubscriptionState.ENDED}


class SubscriptionForm(forms.Form):
    """What a system asks to be told of."""

    name = forms.CharField(label=gettext_lazy("用途"), max_length=80)
    username = forms.CharField(label=gettext_lazy("以谁的名义（用户名）"), max_length=60,
                               help_text=gettext_lazy("只发这个人有权查看的工单的事件。"))
    url = forms.CharField(label=gettext_lazy("接收地址"), max_length=300, widget=forms.URLInput(attrs={"placeholder": "https://"}))
    units = UnitField(label=gettext_lazy("只要这些单位经办的"), required=False, max_length=2_000,
                      help_text=gettext_lazy("几个单位用逗号分开；不填为全部。"))
    areas = AreaField(label=gettext_lazy("只要这些区域的"), required=False, max_length=2_000,
                      help_text=gettext_lazy("几个区域用逗号分开，含下级；不填为全部。"))
    types = forms.MultipleChoiceField(label=gettext_lazy("只要这些事件"), required=False, widget=forms.CheckboxSelectMultiple,
                                      help_text=gettext_lazy("一个都不勾为全部。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        field = self.fields["types"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, f"{label} {name}") for name, label in types().items()]

    def wish(self) -> actions.Wish:
        said = self.cleaned_data
        areas = [area_code(part) for part in said["areas"].replace("，", ",").split(",") if part.strip()]
        return actions.Wish(name=said["name"], url=said["url"], types=said["types"], units=unit_codes(said["units"]), areas=areas)


class Stretch(forms.Form):
    """From when to when events are sent again."""

    since = when(gettext_lazy("从"), required=True)
    until = when(gettext_lazy("到"), required=True)


def _area_line(code: str) -> str:
    held = reference()
    place = held.places_by_code.get(code)
    return f"{code} {path_of(held, place)}" if place else code


def _first(one: Subscription) -> dict[str, Any]:
    return {"name": one.name, "username": one.staff.username, "url": one.url, "types": one.types,
            "units": ", ".join(unit_line(code) for code in one.units), "areas": ", ".join(_area_line(code) for code in one.areas)}


@staff(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def webhooks(request: StaffRequest) -> HttpResponse:
    """Every subscription, and the form for another. Its secret is shown once, when it is made."""
    form = SubscriptionForm(request.POST or None)
    secret, made, message, status = "", None, "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            person = Staff.objects.filter(username=form.cleaned_data["username"]).select_related("unit").first()
            try:
                if person is None:
                    raise Invalid(fields={"username": _("没有这个在职人员。")})
                made, secret = actions.create(form.wish(), by=request.actor, person=person)
                form, status = SubscriptionForm(), 200
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
    return render(request, "desk/webhooks.html", context_for(
        request, standings=queries.standings(request.actor), form=form, secret=secret, made=made, message=message), status=status)


def _page(request: StaffRequest, one: Subscription, *, form: SubscriptionForm | None = None, stretch: Stretch | None = None,
          secret: str = "", message: str = "", status: int = 200) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in DeliveryState.values else ""
    page = queries.log(one, state=state, after=small_number(request.GET.get("after", "")) or 0)
    return render(request, "desk/webhook.html", context_for(
        request, one=one, page=page, state=state, states=DeliveryState.choices, keys=queries.secrets(one), secret=secret,
        asked=[(name, types()[name]) for name in one.types if name in types()], units=[unit_line(code) for code in one.units],
        areas=[_area_line(code) for code in one.areas], form=settled(form or SubscriptionForm(initial=_first(one)), "change"),
        stretch=settled(stretch or Stretch(), "stretch"), message=message), status=status)


@staff(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def webhook(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One subscription: how it stands, what was sent, what it asks for; a POST changes what it asks for."""
    one = actions.found(request.actor, pk)
    if request.method == "GET":
        queries.looked_at(one)
        return _page(request, one)
    form = SubscriptionForm({**request.POST.dict(), "types": request.POST.getlist("types"), "username": one.staff.username})
    if not form.is_valid():
        return _page(request, one, form=form, message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    try:
        actions.change(pk, form.wish(), by=request.actor)
    except DomainError as error:
        take_faults(form, error)
        return _page(request, one, form=form, message=str(error), status=error.status)
    messages.success(request, _("已改，从现在起照新的发。"))
    return redirect(reverse("desk:webhook", args=[pk]))


@staff(Role.ADMINISTRATOR)
@require_POST
def webhook_step(request: StaffRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Pause, resume, end, test, change the key, send again."""
    one = actions.found(request.actor, pk)
    try:
        if step == "rotate":
            return _page(request, one, secret=actions.rotate(pk, by=request.actor))
        if step == "stretch":
            return _stretch(request, one)
        _taken(request, one, step)
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(reverse("desk:webhooks") if step == "end" else reverse("desk:webhook", args=[pk]))


def _taken(request: StaffRequest, one: Subscription, step: str) -> None:
    if step == "test":
        allow("webhook-test", str(request.user.pk), per_minute=TESTS_A_MINUTE)
        row = actions.test(one.pk, by=request.actor)
        if row.state == DeliveryState.SENT:
            messages.success(request, _("测试消息已送达，对方应答 %d。") % (row.status or 0))
        else:
            messages.error(request, _("测试消息没有送到：%s") % row.last_error)
    elif step == "again":
        actions.replay(one.pk, small_number(request.POST.get("delivery", "")) or 0, by=request.actor)
        messages.success(request, _("已放回发送队列，马上再送。"))
    elif step in TURNS:
        actions.turn(one.pk, TURNS[step], by=request.actor)
        messages.success(request, {"pause": _("已暂停。这期间的事件都留着，恢复后照顺序补发。"), "resume": _("已恢复，先补发留着的。"),
                                   "end": _("订阅已取消，不再发送。")}[step])
    else:
        raise Invalid(_("没有这一步。"))


def _stretch(request: StaffRequest, one: Subscription) -> HttpResponse:
    form = Stretch(request.POST)
    if not form.is_valid():
        return _page(request, one, stretch=form, message=_("请填写从什么时候到什么时候。"), status=422)
    try:
        count = actions.replay_range(one.pk, form.cleaned_data["since"], form.cleaned_data["until"], by=request.actor)
    except DomainError as error:
        take_faults(form, error)
        return _page(request, one, stretch=form, message=str(error), status=error.status)
    messages.success(request, ngettext("%d 条事件已排好，马上再送。", "%d 条事件已排好，马上再送。", count) % count)
    return redirect(reverse("desk:webhook", args=[one.pk]))


def pretty(body: str) -> str:
    """A body as people read it."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=1)
    except ValueError:
        return body


@staff(Role.ADMINISTRATOR)
@require_GET
def webhook_delivery(request: StaffRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """One delivery: what was sent, and the heads of every try."""
    one = actions.found(request.actor, pk)
    row = one.deliveries.prefetch_related("tries").filter(pk=number).first()
    if row is None:
        return render(request, "desk/refused.html", {"reason": _("没有这条投递记录，可能已过保存期限。")}, status=404)
    return render(request, "desk/webhook_delivery.html", context_for(
        request, one=one, row=row, body=json.dumps(queries.body(row), ensure_ascii=False, indent=1),
        tries=sorted(row.tries.all(), key=lambda each: -each.pk)))
