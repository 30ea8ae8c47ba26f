"""A machine's side of the city: one token for each member of staff, and a client that speaks JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from lianxin.api import tokens
from lianxin.organisations.models import ApiToken, token_digest
from tests.world import World


@pytest.fixture(autouse=True)
def _no_tokens_kept() -> Iterator[None]:
    tokens.forget()
    yield
    tokens.forget()


class Machine:
    """Calls `/api/v1` as one token; `call` gives status and JSON."""

    def __init__(self, secret: str = "", **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = dict(headers)
        if secret:
            self.headers["Authorization"] = f"Bearer {secret}"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes | str) else json.dumps(body) if body is not None else b""
        return self.client.generic(method, path if path.startswith("/api") else f"/api/v1{path}", raw,
                                   content_type=more.pop("Content-Type", "application/json"),
                                   headers=self.headers | more)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, {} if body is None else body, **headers)

    def act(self, case_id: object, action: str, **fields: Any) -> Any:
        return self.post(f"/cases/{case_id}/actions/{action}", fields)


def token(world: World, username: str, *scopes: str, unit: str | None = None, **more: Any) -> str:
    """A new token's secret."""
    person = world.staff[username]
    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        name=f"{username} test", unit=world.units[unit] if unit else person.unit, staff=person,
        scopes=list(scopes) or ["*"], digest=token_digest(secret), hint=secret[-4:], **more,
    )
    return secret


@pytest.fixture
def machines(world: World) -> Any:
    """`machines("operator")`: the same machine each time it is asked for."""
    made: dict[str, Machine] = {}

    def get(username: str) -> Machine:
        if username not in made:
            made[username] = Machine(token(world, username))
        return made[username]

    return get
