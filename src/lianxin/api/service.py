"""The API object, how callers prove who they are, and how answers are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as ParameterError
from pydantic import BaseModel

from lianxin.cases.models import Case
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.crypto import tracking_digest
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import normalise_tracking_code
from lianxin.organisations.actors import reporter_for
from lianxin.organisations.scopes import ALL

from . import problems
from .problems import Unauthenticated, WrongMediaType
from .tokens import Caller, bearer, caller_of

CODES_PER_MINUTE = 20
TRACKING_HEADER = "X-Tracking-Code"


class ApiRequest(HttpRequest):
    """A request whose caller is known."""

    auth: Caller


class BearerToken:
    """`Authorization: Bearer lx_…`. None when there is no such header, so that another way may be tried."""

    openapi_security_schema = {"type": "http", "scheme": "bearer", "description": "A token of one unit, acting as one "
                               "member of staff. Scopes: `read`, action names, or `*`."}

    def __call__(self, request: HttpRequest) -> Caller | None:
        return caller_of(request) if bearer(request) else None


def case_of_code(request: HttpRequest, said: str) -> Any:
    """The id of the case a tracking code opens, None for a wrong one. Counted against guessing."""
    allow("track", client_address(request), per_minute=CODES_PER_MINUTE)
    code = normalise_tracking_code(said[:40])
    if not code:
        return None
    return Case.objects.filter(tracking_digest=tracking_digest(code)).values_list("pk", flat=True).first()


class TrackingCode:
    """`X-Tracking-Code: K7QM3-9XTPA`: the reporter of one case, for that case only."""

    openapi_security_schema = {"type": "apiKey", "in": "header", "name": TRACKING_HEADER,
                               "description": "The code given when the case was registered; opens this case only."}

    def __call__(self, request: HttpRequest) -> Caller | None:
        said = request.headers.get(TRACKING_HEADER, "")
        if not said:
            return None
        case_id = case_of_code(request, said)
        if case_id is None:
            raise Unauthenticated()
        return Caller(None, f"case:{case_id}", reporter_for(case_id, via="api"), frozenset({ALL}))


STAFF = [BearerToken()]
STAFF_OR_REPORTER = [BearerToken(), TrackingCode()]
REPORTER = [TrackingCode()]

api = NinjaAPI(
    title="Lianxin API", version="1", urls_namespace="api-v1", openapi_url=None, docs_url=None, auth=STAFF,
    description="Every action the screens have. See docs/reference/api.md for idempotency, paging and problems.",
)


def _parameters(request: HttpRequest, error: ParameterError) -> HttpResponse:
    if request.method == "POST" and request.content_type != "multipart/form-data":  # only uploads take parts
        return problems.of(WrongMediaType(_("上传须为 multipart/form-data，文件字段名为 file。")))
    return problems.invalid(error.errors, skip=1)


def _http(_request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, DomainError):
        return problems.of(cause)
    return problems.of(Unauthenticated()) if error.status_code == 401 else problems.problem(error.status_code)


def _any(_request: HttpRequest, error: Exception) -> HttpResponse:
    return problems.of(error)


for _fault, _handler in ((ParameterError, _parameters), (HttpError, _http), (Exception, _any)):
    api.add_exception_handler(_fault, _handler)  # type: ignore[arg-type]

MODELS: dict[str, type[BaseModel]] = {}


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """The part of an operation's description that says what its JSON body is; `requests.read` reads it."""
    MODELS[model.__name__] = model
    required = any(field.is_required() for field in model.model_fields.values())
    return {"requestBody": {"required": required, "content": {
        "application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}},
    }}}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """JSON as it is: the shape is the operation's declared one, and the tests hold the two together."""
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type="application/json")
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def page(request: HttpRequest, items: list[Any], after: str) -> HttpResponse:
    """A keyset page: `next` in the body and as a Link header leads on; null at the end."""
    if not after:
        return answer({"items": items, "next": None})
    query = request.GET.copy()
    query["after"] = after
    link = f"{request.path}?{urlencode(sorted(query.lists()), doseq=True)}"
    return answer({"items": items, "next": link}, headers={"Link": f'<{link}>; rel="next"'})
