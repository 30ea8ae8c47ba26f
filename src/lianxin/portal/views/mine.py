"""One's own case: the answer after sending, the tracking page, and what a resident may do there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianxin.cases import files, policy
from lianxin.cases.actions import add_information, attach, request_publication, withdraw
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import Attachment, Case, Publication
from lianxin.cases.narrative import next_steps
from lianxin.cases.queries import timeline
from lianxin.cases.queries_clocks import clock_lines
from lianxin.cases.sayings.clocks import story
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import keyring
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed
from lianxin.kernel.ids import tracking_code
from lianxin.kernel.text import small_number
from lianxin.organisations.actors import Actor, reporter_for
from lianxin.quality.actions import contest, rate
from lianxin.quality.hearing import hearing
from lianxin.triage.danger import alarms
from lianxin.triage.publication import proposed

from .. import access
from ..forms import AddForm, CodeForm, ContestForm, PublishForm, RateForm, WithdrawForm
from ..queries import file_of, own_files, place_path, promised
from ..saying import BODY_LIMIT, first_words, new_submission
from ..uploads import LOST, carried_by, receive_all
from .say import services

CODES_PER_MINUTE = 10
ACTIONS_PER_MINUTE = 30


def _reachable(case: Case) -> bool:
    return bool(case.reporter and case.reporter.phone is not None)


@never_cache
@require_safe
def answer(request: HttpRequest) -> HttpResponse:
    """What was made of it: number, tracking code, whose it is, what comes next and by when."""
    case = access.opened(request)
    if case is None:
        return redirect("portal:track")
    warned = alarms(case.words)
    return render(request, "portal/answer.html", {
        "case": case, "code": tracking_code(keyring().tracking, case.pk),
        "steps": next_steps(case, reachable=_reachable(case)), "services": services(warned), "warned": bool(warned),
    })


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def track(request: HttpRequest) -> HttpResponse:
    """The code in, the case out. The code is sent in a form only: addresses are kept in too many places."""
    if request.method != "POST":
        return render(request, "portal/track.html", {"form": CodeForm(), "opened": access.opened_id(request)})
    form = CodeForm(request.POST)
    try:
        allow("track", client_address(request), per_minute=CODES_PER_MINUTE)
    except DomainError as error:
        return render(request, "portal/track.html", {"form": form, "message": str(error)}, status=error.status)
    if not form.is_valid():
        return render(request, "portal/track.html", {"form": form}, status=422)
    case_id = access.find_by_code(form.cleaned_data["code"])
    if case_id is None:
        form.add_error("code", _("没有查到这个查询码。请对照当时记下的再看一遍：没有字母 I、L、O、U，它们是数字 1 和 0。"))
        return render(request, "portal/track.html", {"form": form}, status=404)
    response = redirect("portal:mine")
    access.remember(response, case_id)
    return response


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing the resident may do now."""

    name: str
    action: str
    label: str | Promise
    style: str = ""


CHOICES = (
    Choice("rate", "rate", gettext_lazy("评价这次办理"), "primary"),
    Choice("contest", "contest", gettext_lazy("不认可这次办结"), "primary"),
    Choice("add", "add_information", gettext_lazy("补充情况或照片")),
    Choice("publish", "request_publication", gettext_lazy("同意公开")),
    Choice("withdraw", "withdraw", gettext_lazy("撤回"), "danger"),
)


def choices_for(case: Case, by: Actor, *, rated: bool, contestable: bool) -> list[Choice]:
    """What the table of transitions allows the reporter now, less what would be refused anyway."""
    hidden = set()
    if rated:
        hidden.add("rate")
    if not contestable:
        hidden.add("contest")
    if case.confidential or case.publication in (Publication.PUBLIC, Publication.REQUESTED):
        hidden.add("publish")
    return [one for one in CHOICES if one.name not in hidden and policy.can(by, one.action, case)]


@never_cache
@require_safe
def case(request: HttpRequest) -> HttpResponse:
    """The tracking page: one sentence, the clock, what happened, what can be done."""
    found = access.opened(request)
    if found is None:
        messages.info(request, _("请输入查询码，打开您的那件事。"))
        return redirect("portal:track")
    by, heard = reporter_for(found.pk), hearing(found)
    return render(request, "portal/mine.html", {
        "case": found, "steps": [*next_steps(found, reachable=_reachable(found)), *heard.steps], "clock": promised(found),
        "clock_story": story(clock_lines(found, at=now(), public_only=True)),
        "place": place_path(found.area_id),
        "timeline": timeline(found, public_only=True), "choices": choices_for(found, by, rated=heard.rated, contestable=heard.contestable),
        "attachments": own_files(found),
    })


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Close the case in this browser: for machines others use too."""
    response = redirect("portal:home")
    access.forget(response)
    return response


@never_cache
@require_safe
def file(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """A file of the opened case: the resident's own, or one cleared for the public."""
    found = file_of(access.opened_id(request), pk)
    if found is None:
        raise Http404
    small = "small" in request.GET
    try:
        body = files.open_file(found, thumbnail=small)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(body, content_type="image/jpeg" if small else found.content_type, filename=found.name,
                            as_attachment=found.kind != Attachment.MediaKind.PHOTO)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; img-src 'self'; media-src 'self'; sandbox"
    return response


def _add(request: HttpRequest, on: On, form: Any) -> None:
    words = form.cleaned_data["words"]
    ids = tuple(one.id for one in form.uploads)
    if form.lost:
        raise Invalid(LOST)
    if not words.strip() and not ids:
        raise Invalid(_("写几句话，或者添加一个文件，再提交。"), fields={"words": _("这里还是空的。")})
    # Two writes with keys of their own: when the second fails, sending again makes only the second.
    if words.strip():
        add_information(On(on.case_id, on.by, key=submission_key("words", on.key.hex() if on.key else "")), words=words)
    if ids:
        attach(On(on.case_id, on.by, key=submission_key("files", on.key.hex() if on.key else "")), attachments=ids)


def _withdraw(_request: HttpRequest, on: On, form: Any) -> None:
    withdraw(on, reason=form.cleaned_data["reason"])


def _rate(_request: HttpRequest, on: On, form: Any) -> None:
    data = form.cleaned_data
    rate(on, solved=data["solved"] == "yes", satisfaction=data["satisfaction"], words=data["words"])


def _contest(_request: HttpRequest, on: On, form: Any) -> None:
    contest(on, words=form.cleaned_data["words"])


def _publish(_request: HttpRequest, on: On, form: Any) -> None:
    request_publication(on, title=form.cleaned_data["title"], body=form.cleaned_data["body"])


@dataclass(frozen=True, slots=True)
class Deed:
    """A form and what it does. `said` is what the page says afterwards. `own` is for the reporter alone: never from
    a browser in which somebody of the staff is signed in, whose unit it may be about."""

    form: type[forms.Form]
    run: Callable[[HttpRequest, On, Any], None]
    heading: str | Promise
    button: str | Promise
    said: str | Promise
    versioned: bool = False
    own: bool = False


DEEDS: dict[str, Deed] = {
    "add": Deed(AddForm, _add, gettext_lazy("补充情况或照片"), gettext_lazy("提交补充"), gettext_lazy("补充的内容已经加上。")),
    "withdraw": Deed(WithdrawForm, _withdraw, gettext_lazy("撤回这件事"), gettext_lazy("确认撤回"),
                     gettext_lazy("已经撤回，不再办理。"), versioned=True, own=True),
    "rate": Deed(RateForm, _rate, gettext_lazy("评价这次办理"), gettext_lazy("提交评价"),
                 gettext_lazy("谢谢，您的评价已经记下。"), own=True),
    "contest": Deed(ContestForm, _contest, gettext_lazy("不认可这次办结"), gettext_lazy("提交不认可"),
                    gettext_lazy("您不认可的话已经记下，热线会再联系您。"), versioned=True, own=True),
    "publish": Deed(PublishForm, _publish, gettext_lazy("同意公开"), gettext_lazy("同意公开这些内容"),
                    gettext_lazy("已记下您同意公开。工作人员看过以后才会公开。")),
}


STAFF_BROWSER = gettext_lazy("这个浏览器登录着工作人员账号。评价、撤回、不认可只能由诉求人自己来：请退出工作台，或者换一台设备。")


def by_staff(request: HttpRequest) -> bool:
    """Whether somebody of the staff is signed in to the desk in this browser."""
    return bool(request.user.is_authenticated)


def _start(name: str, found: Case) -> dict[str, str]:
    if name != "publish":
        return {}
    body = proposed(found, found.words)[:BODY_LIMIT]
    return {"title": first_words(body), "body": body}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, name: str) -> HttpResponse:
    """One deed on the opened case. A conflict shows what changed, with everything typed still there."""
    deed = DEEDS.get(name)
    if deed is None:
        raise Http404
    found = access.opened(request)
    if found is None:
        return _closed_meanwhile(request)
    form: Any
    if request.method != "POST":
        form = deed.form(initial=_start(name, found))
        return _show_deed(request, deed, name, found, form, submission=new_submission())
    submission = request.POST.get("submission", "")
    submission = submission if 16 <= len(submission) <= 80 else new_submission()
    form = deed.form(request.POST)
    received = receive_all(request.FILES.getlist("files"), submission=submission) if name == "add" else None
    form.uploads, form.lost = carried_by(
        request.POST.getlist("upload"), dropped=request.POST.get("drop", ""), submission=submission
    )
    known = {one.id for one in form.uploads}
    if received is not None:
        form.uploads += [one for one in received.stored if one.id not in known]
        if received.faults:
            return _show_deed(request, deed, name, found, form, submission=submission,
                              message=" ".join(received.faults), status=422)
    if "drop" in request.POST or request.POST.get("go") == "preview":
        return _show_deed(request, deed, name, found, form, submission=submission)
    try:
        allow("act", client_address(request), per_minute=ACTIONS_PER_MINUTE)
        if deed.own and by_staff(request):
            raise NotAllowed(STAFF_BROWSER, code="staff_browser")
        if request.POST.get("number") != found.number:
            raise Conflict(_("这个浏览器里刚打开了另一件事（编号 %s），所以没有提交。写的都在，请核对后再提交。") % found.number)
        if not form.is_valid():
            return _show_deed(request, deed, name, found, form, submission=submission, status=422)
        deed.run(request, On(
            found.pk, reporter_for(found.pk), key=submission_key("portal", found.number, name, submission),
            version=small_number(request.POST.get("version", "")) if deed.versioned else None,
        ), form)
    except DomainError as error:
        if error.code == "key_reused":
            error = Conflict(_("刚才那次已经收到了。现在改过的内容要作为新的一条，请再点一次提交。"))
            submission, form.uploads = new_submission(), []
        found.refresh_from_db()
        for field, words in error.fields.items():
            if field in form.fields:
                form.add_error(field, words)
        return _show_deed(request, deed, name, found, form, submission=submission, message=str(error),
                          status=error.status)
    messages.success(request, str(deed.said), extra_tags=f"mine-{name}-{found.number}")
    return redirect("portal:mine")


def _closed_meanwhile(request: HttpRequest) -> HttpResponse:
    """The browser no longer has a case open. What was typed stays on the page, to be copied or sent again."""
    said = _("请输入查询码，打开您的那件事。")
    if request.method != "POST":
        messages.info(request, said)
        return redirect("portal:track")
    typed = [request.POST.get(name, "").strip() for name in ("words", "reason", "title", "body")]
    return render(request, "portal/track.html", {
        "form": CodeForm(), "message": _("这件事打开太久，已经自动关上，刚才没有提交。") + said,
        "typed": [words for words in typed if words],
    }, status=403)


def _show_deed(request: HttpRequest, deed: Deed, name: str, found: Case, form: Any, *, submission: str,
               message: str = "", status: int = 200) -> HttpResponse:
    decision = policy.can(reporter_for(found.pk), next(one.action for one in CHOICES if one.name == name), found)
    staffed = deed.own and by_staff(request)
    return render(request, "portal/act.html", {
        "deed": deed, "name": name, "case": found, "form": form, "submission": submission,
        "message": message or (STAFF_BROWSER if staffed else ""),
        "uploads": getattr(form, "uploads", []), "allowed": bool(decision) and not staffed,
        "preview": form.data if name == "publish" and form.is_bound else None,
    }, status=status)
