"""Faults as GeoReport v2 has them: a list of `code` and `description`, in the format that was asked for.

404 for what does not exist, 403 for a missing or wrong api_key, 400 for any other fault of the request. What HTTP itself has a number
for keeps it: 405, 413, 429, and 500 and 503 where the fault is ours.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.kernel.errors import DomainError

from .formats import Format, answer

logger = logging.getLogger("lianxin.open311")
KEPT: Final = frozenset({403, 404, 405, 413, 429, 500, 503})
RETRY_SECONDS: Final = 15
LIMIT_SECONDS: Final = 60


class Bad(DomainError):
    """The request cannot be answered as it is. `fields` may name several things at once: each becomes one error."""

    status = 400
    default_code = "bad_request"


class Absent(DomainError):
    status = 404
    default_code = "not_found"
    default_message = gettext_lazy("没有找到。")


class KeyNeeded(DomainError):
    """No api_key, or one that is unknown, revoked, expired or may not do this: all are answered alike."""

    status = 403
    default_code = "api_key"
    default_message = gettext_lazy("api_key 无效或没有提供，不能继续。")


class WrongMethod(DomainError):
    status = 405
    default_code = "method_not_allowed"
    default_message = gettext_lazy("这个地址不支持这种请求方法。")

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__()
        self.allowed = allowed


def fault(form: Format, status: int, descriptions: list[str]) -> HttpResponse:
    """One answer for one or more faults of the same kind."""
    made = answer(form, "errors", [{"code": status, "description": said} for said in descriptions], status=status)
    if status in (429, 503):
        made["Retry-After"] = str(LIMIT_SECONDS if status == 429 else RETRY_SECONDS)
    return made


def _said(message: str | Promise, fields: Mapping[str, str]) -> list[str]:
    """Every field's fault with its name before it; the message alone where no field is named."""
    return [f"{name}: {said}" for name, said in fields.items()] or [str(message)]


def of(error: BaseException, form: Format) -> HttpResponse:
    """The answer to any exception. What is not the caller's doing is logged, without a value."""
    match error:
        case WrongMethod():
            made = fault(form, 405, [str(error.message)])
            made["Allow"] = ", ".join(error.allowed)
            return made
        case DomainError():
            status = error.status if error.status in KEPT else 400
            return fault(form, status, _said(error.message, error.fields))
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return fault(form, 413, [_("发来的内容超过了上限。")])
        case SuspiciousOperation() | UnreadablePostError() | MultiPartParserError():
            return fault(form, 400, [_("请求不完整或格式不对。")])
        case OperationalError() | InterfaceError():
            logger.warning("the database does not answer: %s", type(error).__name__)
            return fault(form, 503, [_("现在连不上数据库，这一步没有存下来。请稍后用同一个 Idempotency-Key 再发一次。")])
        case DataError():
            logger.warning("a value that the database refuses: %s", type(error).__name__)
            return fault(form, 400, [_("有内容需要更正。")])
    if isinstance(error, DatabaseError):  # the server's own message may quote a row
        state = getattr(error.__cause__, "sqlstate", None)
        logger.error("unexpected fault of the database: %s %s\n%s", type(error).__name__, state or "",
                     "".join(traceback.format_tb(error.__traceback__)))
    else:
        logger.error("unexpected fault", exc_info=error)
    return fault(form, 500, [_("这一步没有成功，技术人员会看到这个错误。")])
