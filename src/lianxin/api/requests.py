"""What every write takes beside its fields: the idempotency key, the version seen, JSON of a bounded depth."""

from __future__ import annotations

import re
from typing import TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from lianxin.cases.engine import submission_key

from .problems import BadRequest, WrongMediaType

M = TypeVar("M", bound=BaseModel)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def key_of(request: HttpRequest, owner: str) -> bytes | None:
    """The write's name from `Idempotency-Key`, apart for each caller. Raises BadRequest for an unusable one."""
    said = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if said is None:
        return None
    if not _KEY.fullmatch(said):
        raise BadRequest(_("Idempotency-Key 须为 1–200 个可见的 ASCII 字符。"), code="bad_idempotency_key")
    return submission_key("api", owner, said)


def version_of(request: HttpRequest, in_body: int | None) -> int | None:
    """The version the caller has seen: `If-Match` first, else the body's. None when neither says one."""
    said = request.META.get("HTTP_IF_MATCH")
    if said is None or said.strip() == "*":
        return in_body
    found = _TAG.fullmatch(said.strip())
    if found is None:
        raise BadRequest(_('If-Match 须为工单的版本号，例如 "3"。'), code="bad_if_match")
    return int(found.group(1))


def json_body(request: HttpRequest) -> bytes:
    """The body's bytes. Raises WrongMediaType for a body that does not say it is JSON."""
    body: bytes = request.body
    kind = request.content_type
    if kind != "application/json" and (body or kind not in (None, "", "text/plain", "application/x-www-form-urlencoded")):
        raise WrongMediaType()
    return body


def read(request: HttpRequest, model: type[M]) -> M:
    """The body as `model`. An empty body is an empty object. Raises ValidationError and WrongMediaType."""
    return model.model_validate_json(json_body(request) or b"{}")
