"""What a person sees when something goes wrong: what happened, what was kept, what to do. Never a stack trace."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.translation import gettext as _

from lianxin.kernel import request_ids
from lianxin.kernel.errors import DomainError

from .machines import declared_length

OUTAGES = (OperationalError, InterfaceError)
RETRY_SECONDS = 15
# Fields that carry no words of the person's own: they are sent again, but not shown.
_UNSHOWN = frozenset({"csrfmiddlewaretoken", "submission", "version", "next", "step", "go", "lon", "lat", "system", "county",
                      "town", "village", "files", "topic", "category", "code"})
_BARE = "<!doctype html><html lang=zh-hans><meta charset=utf-8><title>{0}</title><h1>{0}</h1><p>{1}</p><p>12345 · 110 · 119 · 120</p>"


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's own script asks, or a machine does."""
    return request.path.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json")


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed into the form that failed, to be shown again. Never for sign-in."""
    if request.method != "POST" or request.path.startswith("/accounts/"):
        return []
    try:
        return [(name, value) for name, values in request.POST.lists() for value in values
                if value and not name.startswith("_")]
    except Exception:  # the body itself was the fault
        return []


def _page(request: HttpRequest, status: int, title: str, message: str | Promise, *, help: str = "",
          resend: bool = False, back: str = "") -> HttpResponse:
    if wants_json(request):
        response: HttpResponse = JsonResponse(
            {"type": "about:blank", "title": str(title), "detail": str(message), "status": status}, status=status,
            content_type="application/problem+json",
        )
    else:
        typed = _typed(request)
        context = {
            "status": status, "heading": title, "message": message, "help": help,
            "typed": [(n, v) for n, v in typed if n not in _UNSHOWN and len(v) > 1],
            "resend": [(n, v) for n, v in typed] if resend else [],
            "path": request.path, "back": back, "home": "/desk/" if request.path.startswith("/desk/") else "/",
            "request_id": request_ids.current() if status >= 500 else "",
        }
        try:
            body = str(render_to_string("faces/error.html", context))
        except Exception:  # the page that says so must not fail too
            body = _BARE.format(escape(title), escape(message))
        response = HttpResponse(body, status=status)
    if status in (429, 503):
        response["Retry-After"] = str(60 if status == 429 else RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Any fault a person can mend that a view did not show in place."""
    titles = {403: _("这里您不能进"), 404: _("没有找到"), 409: _("情况刚有变化"), 413: _("文件太大"), 422: _("有内容要更正"),
              429: _("请稍等一会儿")}
    return _page(request, error.status, titles.get(error.status, _("没有成功")), error.message, resend=error.status == 429)


def outage(request: HttpRequest) -> HttpResponse:
    """The database does not answer. What was typed is on the page, with a button to send it again."""
    return _page(request, 503, _("系统正在恢复"), _("现在连不上数据库，通常一两分钟就好。刚才这一步没有存下来。"),
                 help=_("请等一会儿再试。急事请直接拨 12345；危险时拨 110、119、120。"), resend=True)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return too_large(request)
    return _page(request, 400, _("这个请求看不懂"), _("网址或表单不完整，可能是链接被截断了。"),
                 help=_("请回到首页重新进入。"))


def too_large(request: HttpRequest) -> HttpResponse:
    return _page(request, 413, _("内容太大"), _("发来的内容超过了上限：照片和文件每个不超过 20 MB，视频不超过 100 MB。"),
                 help=_("请返回上一页，换小一点的文件，或少传几个。"))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403, _("这里您不能进"), _("您没有这一页的权限。"), help=_("需要的话，请找本单位的系统管理员。"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, _("没有找到这一页"), _("网址可能写错了，或者这一页已经不在。"),
                 help=_("要查办理进度，请到首页点“查进度”，输入查询码。"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open too long, or cookies are off. The words stay on the page to be copied; nothing is resent by
    itself, since the form may have come from elsewhere."""
    # A form of the desk opens again by its address, with the draft that the browser kept.
    match = request.resolver_match
    back = request.path if match is not None and match.view_name in ("desk:call", "desk:act") else ""
    return _page(request, 403, _("页面放得太久了"), _("为了安全，这个页面的凭证已失效，刚才的内容没有提交。"), back=back,
                 help=_("请返回上一页刷新后再提交。如果浏览器禁用了 Cookie，请先允许本站使用。"))


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when the database is the cause. Django logs the exception itself."""
    if isinstance(sys.exc_info()[1], OUTAGES):
        return outage(request)
    return _page(request, 500, _("系统出了点问题"), _("这一步没有成功，技术人员会看到这个错误。"),
                 help=_("您填的内容在下面，可以再发一次；还不行请拨 12345。"), resend=True)


class PlainFaults:
    """Turns faults that a view lets through into pages: DomainError, a database that does not
    answer, and values that no column holds."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if declared_length(request) > settings.LIANXIN_REQUEST_LIMIT:
            return too_large(request)
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.path.startswith("/api/"):
            return None
        if isinstance(exception, DomainError):
            return domain_error(request, exception)
        if isinstance(exception, OUTAGES):
            return outage(request)
        if isinstance(exception, DataError):  # what no column holds: NUL, a number beyond all bounds
            return bad_request(request, exception)
        return None
