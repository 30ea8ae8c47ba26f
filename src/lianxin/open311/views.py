"""The addresses under /open311/ and what each answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from lianxin.faces.machines import trust_quiet_connection

from . import asked, document, posting, queries, updates
from .discovery import discovery
from .errors import Absent, Bad, KeyNeeded, WrongMethod
from .formats import Format, answer, format_of
from .services import catalogue

PREFIX: Final = "/open311/"
FRESH: Final = 60  # seconds that what anyone may read may be kept


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, taken apart."""

    request: HttpRequest
    form: Format
    values: QueryDict

    def paged(self, root: str, rows: list[dict[str, Any]], part: asked.Slice) -> HttpResponse:
        """A list; where there may be more, a Link header leads on."""
        made = answer(self.form, root, rows)
        if len(rows) == part.size:
            query = self.values.copy()
            query["page"], query["page_size"] = str(part.page + 1), str(part.size)
            query.pop("api_key", None)  # a secret is not repeated
            made["Link"] = f'<{self.request.path}?{urlencode(sorted(query.lists()), doseq=True)}>; rel="next"'
        return made


def _discover(one: Asked) -> HttpResponse:
    return answer(one.form, "discovery", discovery(one.request))


def _services(one: Asked) -> HttpResponse:
    return answer(one.form, "services", [service.shown for service in catalogue().services.values()])


def _definition(one: Asked, code: str) -> HttpResponse:
    service = catalogue().services.get(code)
    if service is None:
        raise Absent(_("没有这个 service_code：%s") % code[:60])
    return answer(one.form, "service_definition", service.definition)


def _requests(one: Asked) -> HttpResponse:
    values = one.values
    caller = asked.caller(one.request, values)
    extensions = asked.flag(values, "extensions")
    if ids := asked.listed(values, "service_request_id"):  # overrides all other arguments
        if len(ids) > asked.CAP:
            raise Bad(fields={"service_request_id": _("一次最多 %d 个。") % asked.CAP})
        return answer(one.form, "service_requests", queries.by_ids(ids, caller, extensions=extensions))
    changed = asked.span(values, "updated_after", "updated_before", default=False)
    filters = queries.Filters(
        codes=asked.listed(values, "service_code"), statuses=asked.choices(values, "status", (queries.OPEN, queries.CLOSED)),
        opened=asked.span(values, "start_date", "end_date", default=changed is None), changed=changed)
    part = asked.page(values)
    return one.paged("service_requests", queries.listed(filters, part, extensions=extensions), part)


def _post(one: Asked) -> HttpResponse:
    trust_quiet_connection()
    values = posting.read_form(one.request)
    asked.check_jurisdiction(values)
    caller = asked.caller(one.request, values)
    if caller is None:
        raise KeyNeeded()
    made, replayed = posting.post(one.request, values, caller)
    response = answer(one.form, "service_requests", [made])
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _request(one: Asked, number: str) -> HttpResponse:
    found = queries.by_ids([number], asked.caller(one.request, one.values), extensions=asked.flag(one.values, "extensions"))
    if not found:
        raise Absent(_("没有这个 service_request_id：%s") % number[:60])
    return answer(one.form, "service_requests", found)


def _notes(one: Asked, number: str) -> HttpResponse:
    found = queries.by_ids([number], asked.caller(one.request, one.values), extensions=True)
    if not found:
        raise Absent(_("没有这个 service_request_id：%s") % number[:60])
    return answer(one.form, "notes", found[0]["notes"])


def _token(one: Asked, token: str) -> HttpResponse:
    found = posting.numbered(token)
    if found is not None:
        number, told = found
        row = {"service_request_id": number, "token": token} if told else {"token": token}
    elif queries.by_ids([token], asked.caller(one.request, one.values)):  # an id that was given at once is its own token
        row = {"service_request_id": token, "token": token}
    else:
        raise Absent(_("没有这个 token：%s") % token[:60])
    return answer(one.form, "service_requests", [row])


def _updates(one: Asked) -> HttpResponse:
    caller = asked.caller(one.request, one.values)
    if caller is None:
        raise KeyNeeded()
    span = asked.span(one.values, "start_date", "end_date", default=True)
    assert span is not None
    part = asked.page(one.values)
    return one.paged("service_request_updates",
                     updates.listed(caller, span, part, requests=asked.listed(one.values, "service_request_id")), part)


def _add_update(one: Asked) -> HttpResponse:
    values = posting.read_form(one.request)
    asked.check_jurisdiction(values)
    caller = asked.caller(one.request, values)
    if caller is None:
        raise KeyNeeded()
    words = values.get("description", "").strip()
    if not words or len(words) > queries.DESCRIPTION:
        raise Bad(fields={"description": _("必填，最多 %d 个字。") % queries.DESCRIPTION})
    number = values.get("service_request_id", "").strip()
    if not number:
        raise Bad(fields={"service_request_id": _("要提供 service_request_id。")})
    case = updates.own_case(number, caller)
    made = updates.add(case, caller, words="\n".join([words, *posting.links_of(values)]),
                       update_id=values.get("update_id", "").strip()[:200])
    return answer(one.form, "service_request_updates", [{"update_id": made}])


def _document(one: Asked) -> HttpResponse:
    if one.form is not Format.JSON:
        raise Absent()
    return answer(Format.JSON, "openapi", document.document(one.request))


View = Callable[..., HttpResponse]
_ID = r"(?P<id>[^/]{1,500}?)"
_DOT = r"(?:\.(?P<format>[A-Za-z0-9]{1,8}))?"
# Address without /open311/ → method → view. `(v2/)?`: the discovery is found at the root as well.
ROUTES: Final[tuple[tuple[re.Pattern[str], Mapping[str, View]], ...]] = tuple(
    (re.compile(pattern), views) for pattern, views in (
        (rf"(?:v2/)?discovery{_DOT}", {"GET": _discover}),
        (r"(?:v2/?)?", {"GET": _discover}),
        (r"v2/openapi\.(?P<format>json)", {"GET": _document}),
        (rf"v2/services{_DOT}", {"GET": _services}),
        (rf"v2/services/{_ID}{_DOT}", {"GET": _definition}),
        (rf"v2/requests{_DOT}", {"GET": _requests, "POST": _post}),
        (rf"v2/requests/{_ID}/notes{_DOT}", {"GET": _notes}),
        (rf"v2/requests/{_ID}{_DOT}", {"GET": _request}),
        (rf"v2/tokens/{_ID}{_DOT}", {"GET": _token}),
        (rf"v2/servicerequestupdates{_DOT}", {"GET": _updates, "POST": _add_update}),
    ))


def methods_of(path: str) -> tuple[str, ...]:
    """What may be done at an address; empty where there is none."""
    for pattern, views in ROUTES:
        if pattern.fullmatch(path.removeprefix(PREFIX)):
            return (*views, *(["HEAD"] if "GET" in views else []), "OPTIONS")
    return ()


def form_of(request: HttpRequest) -> Format:
    """The format for a fault: that of the address where it has one, XML where it has none – the one every client must read."""
    suffix = request.path_info.rpartition("/")[2].rpartition(".")[2] if "." in request.path_info.rpartition("/")[2] else ""
    return format_of(suffix.lower(), request.headers.get("Accept", "")) or Format.XML


def respond(request: HttpRequest) -> HttpResponse:
    """The answer to one request. Raises what `errors.of` has answers for."""
    path = request.path_info.removeprefix(PREFIX)
    for pattern, views in ROUTES:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        found = match.groupdict()
        form = format_of((found.get("format") or "").lower(), request.headers.get("Accept", ""))
        if form is None:
            raise Bad(_("没有这种格式：%s。可用 xml 和 json。") % found["format"][:8])
        view = views.get(request.method or "")
        if view is None:
            raise WrongMethod((*views, "HEAD", "OPTIONS"))
        asked.check_jurisdiction(request.GET)
        one = Asked(request, form, request.GET)
        return view(one, found["id"]) if found.get("id") is not None else view(one)
    raise Absent(_("没有这个地址。"))
