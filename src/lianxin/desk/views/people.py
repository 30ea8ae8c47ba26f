"""人员: accounts of staff, for administrators and unit heads: found, made, closed, given back. `organisations.accounts` decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import int_to_base36
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.kernel.errors import DomainError, NotFound
from lianxin.organisations import accounts
from lianxin.organisations.models import AccountEntry, Role, RoleGrant, Staff, Unit

from .. import queries
from ..access import StaffRequest, refused, staff
from ..forms import UnitField, settled, take_faults
from ..typed import unit_code
from .boards import context_for

PEOPLE_SHOWN = 200
KEEPERS = (Role.ADMINISTRATOR, Role.HEAD)


class ReasonForm(forms.Form):
    why = forms.CharField(label=gettext_lazy("原因"), max_length=200, error_messages={"required": gettext_lazy("请写明原因。")})


class LinkForm(forms.Form):
    second_step = forms.BooleanField(
        label=gettext_lazy("手机丢了：同时取消两步验证和通行密钥，并退出所有设备"), required=False)


class AccountForm(forms.Form):
    """A new account in one unit. Somebody who looks after one unit only is not asked which."""

    lists = ("units",)
    name = forms.CharField(label=gettext_lazy("姓名"), max_length=60)
    username = forms.CharField(label=gettext_lazy("用户名"), max_length=60,
                               help_text=gettext_lazy("登录时用，不能再改。字母、数字、点、横线或下划线。"))
    unit = UnitField(label=gettext_lazy("单位"))
    roles = forms.MultipleChoiceField(label=gettext_lazy("岗位"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, kept: accounts.Keeper, **more: Any) -> None:
        super().__init__(*args, **more)
        self.only = None
        if not kept.everything and len(kept.roles) == 1:
            self.only = Unit.objects.get(pk=kept.roles[0][0])
            del self.fields["unit"]
        given = accounts.ALL_ROLES if kept.everything else frozenset().union(*(roles for _unit, roles in kept.roles))
        choice = self.fields["roles"]
        assert isinstance(choice, forms.MultipleChoiceField)
        choice.choices = [(role.value, role.label) for role in Role if role in given]

    def clean_unit(self) -> Unit:
        found = Unit.objects.filter(code=unit_code(self.cleaned_data["unit"])).first()
        if found is None:
            raise forms.ValidationError(_("没有这个单位。"))
        return found


def _link(request: StaffRequest, person: Staff, token: str) -> str:
    """The address at which the person sets their password."""
    return request.build_absolute_uri(
        reverse("account_reset_password_from_key", kwargs={"uidb36": int_to_base36(person.pk), "key": token}))


@staff(*KEEPERS)
@require_GET
def office(request: StaffRequest) -> HttpResponse:
    """Who works here, with which roles; a unit's head sees their unit."""
    text, closed = request.GET.get("q", "").strip()[:60], request.GET.get("closed") == "1"
    listed = queries.people(accounts.keeper(request.actor), text=text, active=not closed, limit=PEOPLE_SHOWN)
    return render(request, "desk/office.html", context_for(request, people=listed, q=text, closed=closed, limit=PEOPLE_SHOWN))


@staff(*KEEPERS)
@require_http_methods(["GET", "POST"])
def new_account(request: StaffRequest) -> HttpResponse:
    """Make an account; the link with which the person sets their password is shown once."""
    kept = accounts.keeper(request.actor)
    form = settled(AccountForm(request.POST or None, kept=kept))
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            values = form.cleaned_data
            try:
                person, token = accounts.make(
                    username=values["username"], name=values["name"], unit=form.only or values["unit"],
                    roles=[Role(role) for role in values["roles"]], by=request.actor)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                return _shown(request, person, link=_link(request, person, token))
    return render(request, "desk/account_new.html", context_for(request, form=form, message=message), status=status)


def _person(request: StaffRequest, pk: int) -> Staff:
    """A person whose account this keeper may look at. Raises NotFound."""
    kept = accounts.keeper(request.actor)
    person = Staff.objects.filter(kept.listed(), pk=pk).select_related("unit").first() if kept else None
    if person is None:
        raise NotFound()
    return person


def _shown(request: StaffRequest, person: Staff, *, link: str = "", message: str = "", form: forms.Form | None = None,
           status: int = 200) -> HttpResponse:
    return render(request, "desk/account.html", context_for(
        request, person=person, link=link, message=message, form=settled(form or ReasonForm()),
        link_form=settled(LinkForm(), "link"), mine=person.pk == request.user.pk,
        changes=accounts.keeper(request.actor).holds(person), work=queries.open_work(person.pk),
        grants=RoleGrant.objects.filter(staff=person, ended_at__isnull=True).select_related("unit", "area"),
        entries=AccountEntry.objects.filter(staff=person).select_related("by").order_by("-id")), status=status)


@staff(*KEEPERS)
@require_GET
def account(request: StaffRequest, pk: int) -> HttpResponse:
    """One account: roles, work in hand, what was done to it."""
    try:
        return _shown(request, _person(request, pk))
    except NotFound as error:
        return refused(request, error)


@staff(*KEEPERS)
@require_POST
def new_link(request: StaffRequest, pk: int) -> HttpResponse:
    """A new link to set a password, shown once."""
    try:
        person = _person(request, pk)
    except NotFound as error:
        return refused(request, error)
    try:
        token = accounts.renew(staff_id=pk, by=request.actor, second_step=request.POST.get("second_step") == "on")
    except DomainError as error:
        return _shown(request, person, message=str(error), status=error.status)
    return _shown(request, person, link=_link(request, person, token))


@staff(*KEEPERS)
@require_POST
def change_account(request: StaffRequest, pk: int, step: str) -> HttpResponse:
    """Close an account or give it back. What was typed stays when it is refused."""
    try:
        person = _person(request, pk)
    except NotFound as error:
        return refused(request, error)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _shown(request, person, form=form, status=422)
    why = form.cleaned_data["why"]
    try:
        if step == "deactivate":
            ended = accounts.deactivate(staff_id=pk, why=why, by=request.actor)
            messages.success(request, _closed(person, ended, queries.open_work(pk)))
        else:
            accounts.reactivate(staff_id=pk, why=why, by=request.actor)
            messages.success(request, _("%s的账号已恢复，原来的密码仍可用。接口令牌不恢复，需要的请重新生成。") % person.name)
    except DomainError as error:
        person.refresh_from_db()
        return _shown(request, person, message=str(error), form=form, status=error.status)
    return redirect("desk:account", pk)


def _closed(person: Staff, ended: accounts.Ended, work: int) -> str:
    """What closing an account did, and where the person's work is now."""
    done = _("%(name)s的账号已停用：退出 %(sessions)d 处登录，停用 %(tokens)d 个接口令牌。") % {
        "name": person.name, "sessions": ended.sessions, "tokens": ended.tokens}
    if not work:
        return done
    left = ngettext("手上还有 %d 件没办完，仍归本单位，请安排人接手。", "手上还有 %d 件没办完，仍归本单位，请安排人接手。", work)
    return done + left % work
