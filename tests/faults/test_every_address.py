"""Every address of every face, asked with whatever nobody thought of in each of its parameters: refused or passed over, never a 500.

Addresses made later are tried by themselves. What JSON holds, when it has the right form, and files are tried where they are taken.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from lianxin.kernel.clock import Frozen
from lianxin.open311 import views as open311
from lianxin.organisations.models import Role, RoleGrant
from tests.world import World

pytestmark = pytest.mark.django_db
ODD = (
    "\x00", "a\x00b", "-1", "0", "9" * 23, "9" * 5_000, "9223372036854775808", "1e400", "nan", "inf", "²", "١", "1_000", "+1", "0001-01-01",
    "9999-12-31", "2026-02-30", "2026-13", "9999-12", "2026-W54", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2026-11-23T10:00",
    "00000000-0000-0000-0000-000000000000", "{}", "[]", "null", " ", "\n", "../../etc/passwd", "'\"<>", "x" * 5_000, "1,2,nan,3", "\\", "%",
    "AAA=", "W10", "W1tb" * 1_000, "1", "all", "990101", "010102", "operator", "urban", "26-0000001-1",
    "\ufffd", "\u202e", "http://[", "true",
)
BODIES = (b"[" * 50_000, b'{"a":' * 50_000, b"\xff", b"", b"null", b"[1]", b"{}", b'{"name": "\\ud800"}', b'{"name": NaN}')
OUT = re.compile("logout")


class Odd(QueryDict):
    """Has whatever is asked for, and always something odd."""

    seed = ""

    def _said(self, name: object) -> str:
        return ODD[zlib.crc32(f"{self.seed} {name}".encode()) % len(ODD)]

    def __getitem__(self, name: str) -> Any:
        return self._said(name)

    def __contains__(self, name: object) -> bool:
        return name != "csrfmiddlewaretoken"

    def get(self, name: str, default: Any = None) -> Any:
        return self._said(name)

    def getlist(self, name: str, default: Any = None) -> list[Any]:
        return [self._said(name), self._said((name, 2))]


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one, route)
        elif isinstance(one, URLPattern):
            yield route


def filled(route: str, case_id: str) -> str:
    """A route with a case's id where it asks for one, else with whatever a path may hold."""
    plain = {"uuid": case_id, "int": "99999999999999999999", "slug": "all", "str": "a%00²", "path": "a%00/²"}

    def part(match: re.Match[str]) -> str:
        kind, _colon, name = match.group(1).rpartition(":")
        return case_id if name == "case_id" else plain.get(kind or "str", "x")

    return "/" + re.sub(r"\(\?P[^)]*\)|[\^$]|\\Z", "x", re.sub(r"<([^<>]+)>", part, route))


@pytest.fixture
def everybody(world: World) -> Client:
    """Somebody with every role of the hotline: no page is refused before it has read what it was asked."""
    for role in Role.values:
        RoleGrant.objects.get_or_create(staff=world.staff["admin"], role=role, unit=world.units["hotline"])
    client = Client(raise_request_exception=False)
    client.force_login(world.staff["admin"], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def failed(client: Client, method: str, routes: list[str], case_id: str, body: bytes = b"") -> list[str]:
    found = []
    for route in routes:
        Odd.seed = route
        with transaction.atomic():
            answer = client.generic(method, filled(route, case_id), body, "application/json")
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            found.append(f"{method} {route}: {answer.status_code}")
    return found


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_parameter_makes_a_fault_of_ours(world: World, monday: Frozen, everybody: Client, monkeypatch: pytest.MonkeyPatch, method: str,
                                            signed_in: bool) -> None:
    case_id = str(world.accepted())
    routes = sorted({route for route in addresses(get_resolver()) if not OUT.search(route) and not route.startswith(("api/", "scim/"))})
    assert len(routes) > 200
    open311_names = ("requests", "services", "services/x", "requests/x", "tokens/x", "discovery")
    routes += [f"{open311.PREFIX[1:]}v2/{name}.json" for name in open311_names]
    if not signed_in:
        routes = [route for route in routes if not route.startswith("desk/")]
    monkeypatch.setattr(WSGIRequest, "GET", property(lambda _request: Odd("")))
    if method == "POST":
        monkeypatch.setattr(WSGIRequest, "POST", property(lambda _request: Odd("")))
    assert failed(everybody if signed_in else Client(raise_request_exception=False), method, routes, case_id) == []


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_no_body_makes_a_fault_of_ours(world: World, monday: Frozen, everybody: Client, body: bytes) -> None:
    """What is no form, whatever it may be."""
    machines = ("api/", "field/", "follow", "open311", "scim/", "webhooks")
    routes = [route for route in addresses(get_resolver()) if route.startswith(machines)]
    everybody.defaults["HTTP_AUTHORIZATION"] = ""
    assert failed(everybody, "POST", routes, str(world.accepted()), body) == []
