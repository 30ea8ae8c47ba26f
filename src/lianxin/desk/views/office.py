"""The administrator's office: tokens for other systems, failed jobs, who read whose identity. No cases here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.readings import readings
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import normalise_case_number
from lianxin.organisations import scopes
from lianxin.organisations.accounts import keeper
from lianxin.organisations.models import ApiToken, Role, Staff, token_digest
from lianxin.telephony.readings import readings as number_readings

from .. import jobs, queries
from ..access import StaffRequest, staff
from .boards import context_for

READINGS_SHOWN = 200
READINGS_DAYS = 30  # how far back the ledger opens
IDENTITY_FIELDS = {"name": gettext_lazy("姓名"), "phone": gettext_lazy("电话"), "address": gettext_lazy("住址"),
                   "email": gettext_lazy("邮箱")}


class TokenForm(forms.Form):
    """A token acts as one member of staff, in their unit, with the scopes named."""

    name = forms.CharField(label=gettext_lazy("用途"), max_length=80)
    username = forms.CharField(label=gettext_lazy("以谁的名义（用户名）"), max_length=60)
    scopes = forms.CharField(label=gettext_lazy("权限"), initial="read",
                             help_text=gettext_lazy("用空格分开，如 read register；* 为此人的全部权限。"))

    def clean_scopes(self) -> list[str]:
        """Each once. A scope that is misspelt would open nothing, and nobody would know why."""
        said = list(dict.fromkeys(self.cleaned_data["scopes"].split()))
        names = scopes.known()
        faults = []
        for one in said:
            if one != scopes.ALL and one not in names:
                near = get_close_matches(one, names, n=1)
                faults.append(_("没有权限“%(scope)s”，是不是 %(near)s？") % {"scope": one[:40], "near": near[0]} if near
                              else _("没有权限“%(scope)s”，请从下面的清单里选。") % {"scope": one[:40]})
        if faults:
            raise forms.ValidationError(faults)
        return said


@staff(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def tokens(request: StaffRequest) -> HttpResponse:
    """Tokens of other systems. A token's secret is shown once, when it is made."""
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        person = Staff.objects.filter(username=form.cleaned_data["username"], is_active=True).first()
        if person is None or person.unit is None:
            form.add_error("username", _("没有这个在职人员。"))
        elif not keeper(request.actor).holds(person):
            form.add_error("username", _("这个账号不归您管，请找系统管理员。"))
        else:
            secret = ApiToken.new_secret()
            ApiToken.objects.create(name=form.cleaned_data["name"], unit=person.unit, staff=person,
                                    scopes=form.cleaned_data["scopes"], digest=token_digest(secret),
                                    hint=secret[-4:])
            form = TokenForm()
    own = Staff.objects.filter(keeper(request.actor).listed())
    listed = ApiToken.objects.filter(staff__in=own).select_related("unit", "staff").order_by("-created_at")
    return render(request, "desk/tokens.html", context_for(request, form=form, secret=secret, tokens=listed,
                                                                scopes=scopes.known()))


@staff(Role.ADMINISTRATOR)
@require_POST
def revoke(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.filter(staff__in=Staff.objects.filter(keeper(request.actor).listed())), pk=pk)
    if token.revoked_at is None:
        token.revoked_at = now()
        token.save(update_fields=["revoked_at"])
        messages.success(request, _("令牌已停用。"))
    return redirect(reverse("desk:tokens"))


@staff(Role.ADMINISTRATOR)
@require_GET
def failed_jobs(request: StaffRequest) -> HttpResponse:
    """What the job queue gave up on, with a button to try again."""
    return render(request, "desk/jobs.html", context_for(request, queue=queries.jobs()))


@staff(Role.ADMINISTRATOR)
@require_POST
def retry_job(request: StaffRequest, job_id: int) -> HttpResponse:
    """Put one failed job back into the queue."""
    try:
        jobs.retry(job_id=job_id, by=request.actor)
        messages.success(request, _("任务 %d 已重新排队。") % job_id)
    except DomainError as error:
        messages.warning(request, str(error))
    return redirect(reverse("desk:jobs"))


def day_said(text: str) -> date | None:
    """A day as a date field sends it; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class ReadingsAsked:
    """The days that the ledger is asked for, both in it, and what `readings` takes."""

    since: date
    until: date
    narrow: dict[str, Any]


def readings_asked(request: StaffRequest) -> ReadingsAsked:
    """The last month where no days are said."""
    today = localdate(now())
    since = day_said(request.GET.get("since", "")) or today - timedelta(days=READINGS_DAYS)
    until = day_said(request.GET.get("until", "")) or today
    number = request.GET.get("number", "")[:30]
    return ReadingsAsked(since, until, {
        "since": _midnight(since), "until": _midnight(until + timedelta(days=1)), "number": normalise_case_number(number) or number.strip(),
        "username": request.GET.get("username", "")[:60].strip()})


@staff(Role.ADMINISTRATOR, Role.SUPERVISOR)
@require_GET
def identity_readings(request: StaffRequest) -> HttpResponse:
    """The ledger of looks at reporters' identities, newest first. Raises NotAllowed for other units' administrators."""
    asked = readings_asked(request)
    found = list(readings(request.actor, **asked.narrow))
    found.reverse()
    calls = [] if request.GET.get("number", "").strip() or not request.actor.holds_in_hotline(Role.ADMINISTRATOR, Role.SUPERVISOR) else (
        number_readings(request.actor, since=asked.narrow["since"], until=asked.narrow["until"], username=asked.narrow["username"],
                        most=READINGS_SHOWN + 1))
    return render(request, "desk/readings.html", context_for(
        request, rows=found[:READINGS_SHOWN], more=len(found) > READINGS_SHOWN, since=asked.since, until=asked.until,
        taken=[] if asked.narrow["number"] else queries.sheets_taken(
            request.actor, since=asked.narrow["since"], until=asked.narrow["until"], username=asked.narrow["username"],
            most=READINGS_SHOWN),
        calls=calls[:READINGS_SHOWN], more_calls=len(calls) > READINGS_SHOWN,
        values=request.GET, fields=IDENTITY_FIELDS))


def _midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))
