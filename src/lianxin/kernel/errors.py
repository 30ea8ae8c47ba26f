"""Errors a user can do something about. Each says what happened, what was kept, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """Base of all. `message` may be lazily translated; `fields` names what is wrong where; `status` is HTTP's."""

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "error"
    default_message: ClassVar[str | Promise] = _("这一步没有成功，请再试一次。")

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
        current: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.code = code or self.default_code
        self.fields = dict(fields or {})
        self.current = dict(current or {})
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.message)


class Invalid(DomainError):
    """Something typed cannot be taken as it is."""

    status = 422
    default_code = "invalid"
    default_message = _("有内容需要更正，已填的都在。")


class NotAllowed(DomainError):
    """This person may not do this."""

    status = 403
    default_code = "not_allowed"
    default_message = _("您没有这一步的权限。")


class NotFound(DomainError):
    """There is no such thing, or it is not this person's to see: both are answered alike."""

    status = 404
    default_code = "not_found"
    default_message = _("没有找到。请核对后再试。")


class Conflict(DomainError):
    """Someone was quicker, or the state has moved on. `current` says how things stand."""

    status = 409
    default_code = "conflict"
    default_message = _("情况刚有变化，请看过再提交。您填的内容还在。")


class TooLarge(DomainError):
    status = 413
    default_code = "too_large"
    default_message = _("文件太大，请压缩或换一个再传。")


class TooMany(DomainError):
    status = 429
    default_code = "too_many"
    default_message = _("操作太频繁，请过一会儿再试。")
