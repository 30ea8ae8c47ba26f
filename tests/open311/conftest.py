"""An outside app's side of the city: a key of its own, and a client that speaks forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from lxml import etree

from lianxin.faces import machines
from lianxin.open311 import services
from lianxin.organisations.models import ApiToken, Role, RoleGrant, Staff, token_digest
from lianxin.places.models import City
from tests.world import World

ROOT = "/open311/v2"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    machines.forget()
    services.forget()
    yield
    machines.forget()
    services.forget()


def key_for(world: World, name: str = "app", *scopes: str, role: Role = Role.OUTSIDE_APP) -> str:
    """The api_key of an outside app with an account of its own."""
    person = Staff.objects.create(username=name, name=name, unit=world.units["hotline"])
    RoleGrant.objects.create(staff=person, role=role, unit=world.units["hotline"])
    secret = ApiToken.new_secret()
    ApiToken.objects.create(name=name, unit=world.units["hotline"], staff=person, scopes=list(scopes) or ["open311"],
                            digest=token_digest(secret), hint=secret[-4:])
    return secret


class App:
    """Speaks to /open311/v2 with one key, or none."""

    def __init__(self, key: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.key = key

    def get(self, path: str, **parameters: Any) -> Any:
        if self.key and "api_key" not in parameters:
            parameters["api_key"] = self.key
        query = urlencode({name: value for name, value in parameters.items() if value is not None}, doseq=True)
        return self.client.get(f"{ROOT}/{path}{'?' if query else ''}{query}")

    def json(self, path: str, **parameters: Any) -> Any:
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == "application/json; charset=utf-8"
        return json.loads(answer.content)

    def post(self, path: str = "requests.json", headers: dict[str, str] | None = None, **fields: Any) -> Any:
        fields = {name.replace("attribute_", "attribute"): value for name, value in fields.items()}
        if self.key and "api_key" not in fields:
            fields["api_key"] = self.key
        return self.client.post(f"{ROOT}/{path}", urlencode(fields, doseq=True), content_type=FORM, headers=headers or {})

    def posted(self, **fields: Any) -> str:
        """A request is posted; its id."""
        answer = self.post(**({"service_code": "010101", "lat": 29.1, "long": 113.1, "description": "路灯不亮三天了。"} | fields))
        assert answer.status_code == 200, answer.content.decode()
        made: str = json.loads(answer.content)[0]["service_request_id"]
        return made


def tree(answer: Any) -> etree._Element:
    """An XML answer, its headers checked."""
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    return etree.fromstring(answer.content)


@pytest.fixture
def app(world: World) -> App:
    return App(key_for(world))


@pytest.fixture
def anyone(world: World) -> App:
    return App()


@pytest.fixture
def city(world: World) -> City:
    return City.objects.get()
