"""The endpoints. Every answer is `application/scim+json`; every fault has SCIM's form."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.request import RawPostDataException
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from lianxin.kernel.errors import DomainError
from lianxin.kernel.text import from_json
from lianxin.organisations.actors import Actor, Kind, actor_for
from lianxin.organisations.models import ApiToken, Role, Staff, token_digest
from lianxin.organisations.scopes import named

from ..tokens import bearer, caller_of
from . import errors, patching, resources, schemas
from .errors import ScimFault
from .filters import condition

log = logging.getLogger(__name__)
MEDIA = "application/scim+json"
SCOPE = named("scim", gettext_lazy("人员账号的同步（SCIM）；须写明，* 不包括它"))
Answer = HttpResponse
View = Callable[..., HttpResponse]


def _actor(request: HttpRequest) -> Actor:
    """The administrator whose token this is. The scope must be named: `*` has never been a power over accounts."""
    caller = caller_of(request)
    if SCOPE not in caller.scopes:
        raise ScimFault(403, _("这个接口令牌没有 scim 权限。"))
    token = ApiToken.objects.select_related("staff", "unit").get(digest=token_digest(bearer(request)))
    actor = actor_for(token.staff, via=f"scim {token.name}"[:40], unit=token.unit)
    if not actor.has(Role.ADMINISTRATOR) or actor.kind is not Kind.STAFF:
        raise ScimFault(403, _("令牌所属的人不是系统管理员。"))
    return actor


def answer(body: Mapping[str, Any] | None, status: int = 200, **headers: str) -> HttpResponse:
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    return HttpResponse(content, status=status, content_type=MEDIA, headers={"Cache-Control": "no-store"} | headers)


def scim(*methods: str) -> Callable[[View], View]:
    """An endpoint: its methods, who may, and faults in SCIM's form."""

    def decorate(view: View) -> View:
        def inner(request: HttpRequest, **named: str) -> HttpResponse:
            try:
                if request.method not in methods:
                    return answer(ScimFault(405, "").body(), 405, Allow=", ".join(methods))
                actor = _actor(request)
                with transaction.atomic():
                    return view(request, actor, **named)
            except ScimFault as fault:
                return answer(fault.body(), fault.status)
            except DomainError as error:
                said = errors.of(error)
                headers = {"WWW-Authenticate": 'Bearer realm="scim"'} if said.status == 401 else {}
                return answer(said.body(), said.status, **headers)
            except RequestDataTooBig:
                return answer(ScimFault(413, _("请求太大。")).body(), 413)
            except Exception:
                log.exception("scim: %s failed", view.__name__)
                return answer(ScimFault(500, _("这一步没有成功，请再试一次。")).body(), 500)

        return csrf_exempt(inner)

    return decorate


def _root(request: HttpRequest) -> str:
    return request.build_absolute_uri("/scim/v2")


def _body(request: HttpRequest) -> dict[str, Any]:
    kind = (request.content_type or "").lower()
    if kind not in (MEDIA, "application/json"):
        raise ScimFault(415, MEDIA)
    try:
        found = from_json(request.body)
    except (ValueError, RawPostDataException):
        raise ScimFault(400, _("不是正确的 JSON。"), "invalidSyntax") from None
    if not isinstance(found, dict):
        raise ScimFault(400, _("不是 JSON 对象。"), "invalidSyntax")
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, such as \\ud800
        raise ScimFault(400, _("不是正确的 JSON。"), "invalidSyntax") from None
    if "\\u0000" in json.dumps(found):
        raise ScimFault(400, _("含有空字符。"), "invalidValue")
    return found


def _number(given: Mapping[str, Any], name: str, usual: int) -> int:
    raw = given.get(name)
    if raw is None or raw == "":
        return usual
    try:
        return int(raw)
    except (TypeError, ValueError):
        raise ScimFault(400, _("%s 应是整数。") % name, "invalidValue") from None


def _page(given: Mapping[str, Any]) -> tuple[int, int]:
    """First place, from 1, and how many at most (RFC 7644, section 3.4.2.4: too small is taken for the smallest)."""
    return min(max(1, _number(given, "startIndex", 1)), 1_000_000), min(max(0, _number(given, "count", schemas.USUAL)), schemas.MOST)


def _listed(rows: list[dict[str, Any]], total: int, start: int) -> dict[str, Any]:
    return {"schemas": [schemas.LIST], "totalResults": total, "startIndex": start, "itemsPerPage": len(rows), "Resources": rows}


def _chosen(body: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Only the attributes asked for, or all but those excluded. `schemas`, `id` and `meta` always come."""
    def names(key: str) -> set[str]:
        raw = given.get(key) or ""
        parts = raw if isinstance(raw, list) else str(raw).split(",")
        return {str(part).strip().lower().removeprefix(f"{schemas.USER.lower()}:").split(".")[0] if not str(part).lower().startswith("urn:")
                else str(part).strip().lower().removeprefix(f"{schemas.USER.lower()}:") for part in parts if str(part).strip()}

    only, without = names("attributes"), names("excludedAttributes")
    always = {"schemas", "id", "meta"}
    if only:
        return {key: value for key, value in body.items() if key in always or any(name.startswith(key.lower()) for name in only)}
    return {key: value for key, value in body.items() if key in always or key.lower() not in without}


# --- about the service -----------------------------------------------------------------------------------------------

@scim("GET")
def service_provider_config(request: HttpRequest, actor: Actor) -> HttpResponse:
    return answer(schemas.provider(_root(request)))


def _described(request: HttpRequest, rows: list[dict[str, Any]], pk: str) -> HttpResponse:
    if request.GET.get("filter"):
        raise ScimFault(403, "filter")
    if not pk:
        return answer(_listed(rows, len(rows), 1))
    found = next((row for row in rows if row["id"] == pk), None)
    if found is None:
        raise ScimFault(404, pk[:120])
    return answer(found)


@scim("GET")
def resource_types(request: HttpRequest, actor: Actor, pk: str = "") -> HttpResponse:
    return _described(request, schemas.resource_types(_root(request)), pk)


@scim("GET")
def schema_list(request: HttpRequest, actor: Actor, pk: str = "") -> HttpResponse:
    return _described(request, schemas.schemas(_root(request)), pk)


@scim("GET", "POST", "PUT", "PATCH", "DELETE")
def unknown(request: HttpRequest, actor: Actor, rest: str = "") -> HttpResponse:
    if rest in ("Bulk", "Me"):
        raise ScimFault(501, _("没有这个功能。"))
    raise ScimFault(404, _("没有这个地址。"))


# --- users -----------------------------------------------------------------------------------------------------------

def _user_said(request: HttpRequest, actor: Actor, person: Staff, status: int = 200) -> HttpResponse:
    fresh = resources.users(actor).get(pk=person.pk)
    body = resources.user_said(fresh, resources.standing([fresh]).get(fresh.pk, []), _root(request))
    return answer(_chosen(body, request.GET), status, Location=body["meta"]["location"])


def _found_users(request: HttpRequest, actor: Actor, given: Mapping[str, Any]) -> HttpResponse:
    start, count = _page(given)
    found = resources.users(actor)
    if text := given.get("filter"):
        found = found.filter(condition(str(text), resources.USER_FILTERS)).distinct()
    page = list(found[start - 1 : start - 1 + count]) if count else []
    grants = resources.standing(page)
    rows = [_chosen(resources.user_said(person, grants.get(person.pk, []), _root(request)), given) for person in page]
    return answer(_listed(rows, found.count(), start))


@scim("GET", "POST")
def users(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "GET":
        return _found_users(request, actor, _plain(request.GET))
    return _user_said(request, actor, resources.make(actor, resources.wish_of(_body(request))), 201)


@scim("POST")
def search_users(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _found_users(request, actor, _body(request))


@scim("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, actor: Actor, pk: str) -> HttpResponse:
    person = resources.user(actor, pk)
    if request.method == "DELETE":
        resources.delete(actor, person)
        return answer(None, 204)
    if request.method == "PUT":
        resources.change(actor, person, resources.wish_of(_body(request)))
    elif request.method == "PATCH":
        resources.change(actor, person, patching.wish_of(_body(request)))
    return _user_said(request, actor, person)


def _plain(given: QueryDict) -> dict[str, str]:
    return {key: str(given[key]) for key in given}


# --- groups ----------------------------------------------------------------------------------------------------------

def _group_said(request: HttpRequest, actor: Actor, one: resources.Group) -> HttpResponse:
    body = resources.group_said(one, resources.members(actor, [one])[one.id], _root(request))
    return answer(_chosen(body, request.GET))


@scim("GET")
def groups(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Filtered by `id`, `displayName` or `members.value`, in memory: there are as many as units times roles."""
    given = _plain(request.GET)
    start, count = _page(given)
    found = resources.groups(actor)
    if text := given.get("filter"):
        found = _narrowed(actor, found, text)
    page = found[start - 1 : start - 1 + count] if count else []
    people = resources.members(actor, page) if page else {}
    rows = [_chosen(resources.group_said(one, people[one.id], _root(request)), given) for one in page]
    return answer(_listed(rows, len(found), start))


def _narrowed(actor: Actor, found: list[resources.Group], text: str) -> list[resources.Group]:
    path, _blank, rest = text.strip().partition(" ")
    operator, _blank, raw = rest.strip().partition(" ")
    try:
        value = from_json(raw)
    except ValueError:
        value = None
    if operator.lower() != "eq" or not isinstance(value, str):
        raise ScimFault(400, _("组只能按 id、displayName 或 members.value 用 eq 查。"), "invalidFilter")
    if path.lower() in ("members", "members.value"):
        people = resources.users(actor).filter(pk=int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0)
        held = {resources.group_id(grant.unit, grant.role) for grants in resources.standing(people).values() for grant in grants}
        return [one for one in found if one.id in held]
    if path.lower() not in ("id", "displayname"):
        raise ScimFault(400, _("组只能按 id、displayName 或 members.value 用 eq 查。"), "invalidFilter")
    return [one for one in found if (one.id if path.lower() == "id" else one.name).lower() == value.lower()]


@scim("GET", "PUT", "PATCH")
def group(request: HttpRequest, actor: Actor, pk: str) -> HttpResponse:
    one = resources.group(actor, pk)
    if request.method == "GET":
        return _group_said(request, actor, one)
    body = _body(request)
    present = [str(person.pk) for person in resources.members(actor, [one])[one.id]]
    if request.method == "PUT":
        wanted = patching.members_of(body.get("members") or [])
        more, less = [key for key in wanted if key not in present], [key for key in present if key not in wanted]
    else:
        more, less = patching.member_changes(body, present)
    resources.set_members(actor, one, more=more, less=less)
    return _group_said(request, actor, one)
