"""订阅: news of an area or a category – as a feed, by mail, as notifications of the browser. Mail works without a line of script."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianxin.cases.reference import reference
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.errors import DomainError, Invalid, NotFound
from lianxin.kernel.text import from_json
from lianxin.webhooks import feeds, following, push
from lianxin.webhooks.models import Pace

from ..queries import counties, main_categories

ASKED_A_MINUTE = 6
FETCHED_A_MINUTE = 120
LONGEST_BODY = 4_000  # bytes of a browser's subscription


def root_of(request: HttpRequest) -> str:
    """This site's own address: the setting's, else the one that is asked."""
    return str(settings.LIANXIN_PUBLIC_URL) or f"{request.scheme}://{request.get_host()}"


# ── Feeds ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
def feed(request: HttpRequest, area: str = "", category: str = "") -> HttpResponse:
    """One page of a feed; 304 when nothing has changed."""
    allow("feed", client_address(request), per_minute=FETCHED_A_MINUTE)
    wanted, after, root = feeds.Feed(area, category), request.GET.get("after", "")[:200], root_of(request)
    tag = feeds.etag(wanted, after, root)
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if tag in known:
        response = HttpResponse(status=304)
    else:
        try:
            response = HttpResponse(feeds.render(wanted, root, after=after), content_type=feeds.CONTENT_TYPE)
        except NotFound:
            raise Http404 from None
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=300"
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class FollowForm(forms.Form):
    """What is followed, how often, and where to."""

    area = forms.ChoiceField(label=gettext_lazy("哪里的"), required=False, error_messages={
        "invalid_choice": gettext_lazy("没有这个地方，请重选。")})
    category = forms.ChoiceField(label=gettext_lazy("哪类事"), required=False, error_messages={
        "invalid_choice": gettext_lazy("没有这类事，请重选。")})
    pace = forms.ChoiceField(label=gettext_lazy("多久告诉您一次"), choices=Pace.choices, initial=Pace.DAILY, widget=forms.RadioSelect,
                             error_messages={"required": gettext_lazy("请选一项。"), "invalid_choice": gettext_lazy("请选一项。")})
    email = forms.CharField(label=gettext_lazy("您的邮箱"), max_length=200, help_text=gettext_lazy("只用来发这些消息。您取消时就删掉。"),
                            error_messages={"required": gettext_lazy("请填写邮箱。")},
                            widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}))

    def __init__(self, *args: Any, area: str = "", category: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, rows, code in (("area", counties(), area), ("category", main_categories(), category)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            choices = [(row.code, row.name) for row in rows]
            if code and code not in {key for key, _name in choices}:
                choices.insert(0, (code, _named(name, code)))
            field.choices = [("", _("全市") if name == "area" else _("所有的事")), *choices]


def _named(kind: str, code: str) -> str:
    """The name of an area or a category that the list does not hold. Raises Invalid for one there is none of."""
    following.topic(**{kind: code})
    held = reference()
    found = held.places_by_code.get(code) if kind == "area" else held.nodes_by_code.get(code)
    return found.said if found else ""


def _codes(values: Any) -> dict[str, str]:
    """The area and category asked for, those that there are none of left out."""
    found = {}
    for kind, longest in (("area", 24), ("category", 12)):
        code = str(values.get(kind, "")).strip()[:longest].replace("\x00", "")
        try:
            following.topic(**{kind: code})
        except Invalid:
            code = ""
        found[kind] = code
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """What can be followed and how; a POST asks for mails."""
    asked = _codes(request.POST if request.method == "POST" else request.GET)
    form = FollowForm(request.POST if request.method == "POST" else None, **asked, initial={**asked, "pace": Pace.DAILY})
    message, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                allow("follow", client_address(request), per_minute=ASKED_A_MINUTE)
                about = following.topic(form.cleaned_data["area"], form.cleaned_data["category"])
                following.ask(form.cleaned_data["email"], about, pace=Pace(form.cleaned_data["pace"]))
            except DomainError as error:
                for name, fault in error.fields.items():
                    form.add_error(name if name in form.fields else None, fault)
                message, status = ("" if error.fields else str(error)), error.status
            except OSError:
                message, status = _("邮件暂时发不出去，请过一会儿再试。您填的还在。"), 503
            else:
                return redirect("portal:follow_sent")
    wanted = feeds.Feed(asked["area"], asked["category"])
    return render(request, "portal/follow.html", {
        "form": form, "message": message, "feed": wanted, "feed_address": root_of(request) + wanted.path, "mail": following.mail_is_on(),
        "key": push.keys().public, "asked": asked}, status=status)


@never_cache
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Look into your mailbox."""
    return render(request, "portal/follow_sent.html", {"hours": int(following.PENDING_FOR.total_seconds()) // 3600})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the question: a page with a button, for programs follow links as well; the button begins it."""
    try:
        found = following.confirm(token) if request.method == "POST" else following.asked(token)
    except NotFound as error:
        return render(request, "portal/follow_gone.html", {"message": str(error)}, status=404)
    return render(request, "portal/follow_confirm.html", {
        "about": following.scope(found), "done": request.method == "POST", "token": token,
        "leave": following.ending(found) if request.method == "POST" else ""})


@csrf_exempt  # a mail program sends it, after RFC 8058: the token is what proves it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, token: str) -> HttpResponse:
    """The link in each mail: a GET asks, a POST ends – one click of a mail program, or the page's button."""
    try:
        if request.method == "POST":
            count = following.end(token, all_of_them=request.POST.get("all") == "1")
            return render(request, "portal/follow_end.html", {"done": True, "count": count})
        found = following.of_ending(token)
    except NotFound as error:
        return render(request, "portal/follow_gone.html", {"message": str(error)}, status=404)
    return render(request, "portal/follow_end.html", {
        "done": found is None, "count": 0, "about": following.scope(found) if found else "", "token": token})


# ── The browser's own notifications ──────────────────────────────────────────────────────────────────────────────────────


def _said(request: HttpRequest) -> dict[str, Any]:
    allow("follow-push", client_address(request), per_minute=ASKED_A_MINUTE * 2)
    if len(request.body) > LONGEST_BODY:
        raise Invalid(_("浏览器给出的订阅看不懂，请再试一次。"))
    try:
        said = from_json(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Invalid(_("浏览器给出的订阅看不懂，请再试一次。"))
    return said


@require_POST
def follow_push(request: HttpRequest) -> HttpResponse:
    """A browser has agreed: `{"subscription": …, "area", "category", "pace"}`."""
    try:
        said = _said(request)
        about = following.topic(str(said.get("area") or ""), str(said.get("category") or ""))
        pace = Pace(said["pace"]) if said.get("pace") in Pace.values else Pace.DAILY
        following.follow_by_push(said.get("subscription"), about, pace=pace)
    except DomainError as error:
        return JsonResponse({"detail": " ".join([*error.fields.values()] or [str(error)])}, status=error.status)
    return JsonResponse({"detail": _("好了。有新消息时这个浏览器会告诉您。")})


@require_POST
def end_push(request: HttpRequest) -> HttpResponse:
    """A browser has had enough: `{"endpoint": …}`."""
    try:
        following.end_push(str(_said(request).get("endpoint") or ""))
    except DomainError as error:
        return JsonResponse({"detail": str(error)}, status=error.status)
    return JsonResponse({"detail": _("已取消。这个浏览器不会再收到消息。")})


WORKER = """\
// News of 12345 as notifications. It fetches and keeps nothing, so pages load as if it were not there.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data.json(); } catch { return; }
  const { title = "12345", body = "", url = "/", tag = "" } = said;
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: { url } }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url || "/", self.location.origin);
  if (url.origin === self.location.origin) event.waitUntil(self.clients.openWindow(url.href));
});
"""


@require_safe
@cache_control(max_age=0, must_revalidate=True, public=True)
def worker(_request: HttpRequest) -> HttpResponse:
    """The service worker, in the folder that bounds what it reaches: `/follow/`."""
    return HttpResponse(WORKER, content_type="text/javascript; charset=utf-8")
