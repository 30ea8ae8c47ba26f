"""Faults as problem details (RFC 9457): what happened, where, how things stand now – in the caller's language.

Every answer of `/api/` with a status from 400 up is made here. Bad input never becomes a 500, no answer is HTML, and
none carries a stack trace.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from lianxin.kernel import faults
from lianxin.kernel.errors import DomainError

logger = logging.getLogger("lianxin.api")

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 15
LIMIT_SECONDS = 60
TYPE = "urn:lianxin:problem:"


class BadRequest(DomainError):
    """The request cannot be read at all."""

    status = 400
    default_code = "bad_request"
    default_message = gettext_lazy("这个请求看不懂。")


class Unauthenticated(DomainError):
    """No token, or one that is unknown, revoked or expired: all are answered alike."""

    status = 401
    default_code = "unauthenticated"
    default_message = gettext_lazy("需要有效的接口令牌：请求头 Authorization: Bearer …。")


class WrongMethod(DomainError):
    status = 405
    default_code = "method_not_allowed"
    default_message = gettext_lazy("这个地址不支持这种请求方法。")


class WrongMediaType(DomainError):
    status = 415
    default_code = "unsupported_media_type"
    default_message = gettext_lazy("请求内容须为 application/json。")


TITLES: dict[int, str | Promise] = {
    400: gettext_lazy("请求看不懂"),
    401: gettext_lazy("需要令牌"),
    403: gettext_lazy("没有权限"),
    404: gettext_lazy("没有找到"),
    405: gettext_lazy("方法不对"),
    409: gettext_lazy("情况刚有变化"),
    412: gettext_lazy("协议版本不对"),
    413: gettext_lazy("内容太大"),
    415: gettext_lazy("内容类型不对"),
    422: gettext_lazy("有内容要更正"),
    423: gettext_lazy("请稍等一会儿"),
    429: gettext_lazy("请稍等一会儿"),
    500: gettext_lazy("系统出了点问题"),
    503: gettext_lazy("系统正在恢复"),
}
CODES = {
    400: "bad_request", 401: "unauthenticated", 403: "not_allowed", 404: "not_found", 405: "method_not_allowed",
    409: "conflict", 413: "too_large", 415: "unsupported_media_type", 422: "invalid", 429: "too_many",
    500: "internal", 503: "unavailable",
}


def problem(status: int, *, code: str = "", detail: str | Promise = "", errors: Iterable[Mapping[str, str]] = (),
            current: Mapping[str, Any] | None = None) -> HttpResponse:
    """One problem as an answer. `errors` name fields; `current` says how things stand after a conflict."""
    name = code or CODES.get(status, "error")
    body: dict[str, Any] = {
        "type": TYPE + name, "title": str(TITLES.get(status, _("没有成功"))), "status": status,
        "detail": str(detail or TITLES.get(status, "")), "code": name, "errors": [dict(error) for error in errors],
    }
    if current:
        body["current"] = current
    response = HttpResponse(json.dumps(body, ensure_ascii=False, default=str), status=status, content_type=CONTENT_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="lianxin"'
    if status == 429:
        response["Retry-After"] = str(LIMIT_SECONDS)
    if status == 503:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def invalid(errors: Iterable[Mapping[str, Any]], *, skip: int = 0) -> HttpResponse:
    """What pydantic found, field by field. `skip` leaves out the first parts of each place (body, its name)."""
    found = list(errors)
    if any(error["type"] == "json_invalid" for error in found):
        return problem(400, code="malformed_json", detail=_("请求内容不是合法的 JSON。"))
    return problem(422, code="invalid", detail=_("有内容需要更正。"), errors=[
        {"field": name, "detail": words} for name, words in faults.listed(found, skip=skip)
    ])


def _of_domain(error: DomainError) -> HttpResponse:
    return problem(error.status, code=error.code, detail=error.message, current=error.current,
                   errors=[{"field": name, "detail": said} for name, said in error.fields.items()])


def _without_values(error: BaseException) -> str:
    """Kind, SQLSTATE and where: the server's own message may quote a row, and a row may hold what somebody said."""
    state = getattr(error.__cause__, "sqlstate", None)
    return f"{type(error).__name__} {state or ''}\n{''.join(traceback.format_tb(error.__traceback__))}"


def of(error: BaseException) -> HttpResponse:
    """The answer to any exception. What is not the caller's doing is logged."""
    match error:
        case DomainError():
            return _of_domain(error)
        case ValidationError():
            return invalid(error.errors(include_url=False, include_context=False, include_input=False))
        case Http404() | FileNotFoundError():
            return problem(404, detail=_("没有找到。请核对地址和编号。"))
        case PermissionDenied():
            return problem(403, detail=_("您没有这一步的权限。"))
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return problem(413, detail=_("发来的内容超过了上限。"))
        case SuspiciousOperation() | UnreadablePostError() | MultiPartParserError():
            return problem(400, detail=_("请求不完整或格式不对。"))
        case OperationalError() | InterfaceError():
            logger.warning("the database does not answer: %s", type(error).__name__)
            return problem(503, detail=_("现在连不上数据库，这一步没有存下来。请稍后用同一个 Idempotency-Key 再发一次。"))
        case DataError():
            logger.warning("a value passed the schema that the database refuses: %s", _without_values(error))
            return problem(422, detail=_("有内容需要更正。"))
    if isinstance(error, DatabaseError):
        logger.error("unexpected fault of the database: %s", _without_values(error))
    else:
        logger.error("unexpected fault", exc_info=error)
    return problem(500, detail=_("这一步没有成功，技术人员会看到这个错误。"))
