"""Keys by command: each an account that may report and see its own, and nothing else."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lianxin.cases import policy
from lianxin.faces import machines
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import ApiToken, Role, RoleGrant, Staff
from tests.api.conftest import Machine
from tests.open311.conftest import App
from tests.world import World

pytestmark = pytest.mark.django_db


def said(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("open311", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_a_key_is_made_shown_once_and_ended(world: World, monday: Frozen) -> None:
    first, second = said("key", "city-app"), said("key", "city-app")
    person = Staff.objects.get(username="open311.city-app")
    assert (person.has_usable_password(), person.unit) == (False, world.units["hotline"])
    assert list(RoleGrant.objects.filter(staff=person).values_list("role", flat=True)) == [Role.OUTSIDE_APP]
    number = App(first).posted()
    assert App(second).json(f"requests/{number}.json")[0]["description"], "both are the app's"
    assert {line[1:5] for line in said("keys").splitlines()} == {second[-4:], first[-4:]}
    assert first not in said("keys")
    said("end", first[-4:])
    machines.forget()
    assert App(first).post(service_code="010101", address_string="x").status_code == 403
    assert App(second).post(service_code="010101", address_string="x").status_code == 200
    for wrong in (("end", "none"), ("key", "no name"), ("key", "x")):
        with pytest.raises(CommandError):
            said(*wrong)


def test_it_opens_nothing_else(world: World, monday: Frozen) -> None:
    key = said("key", "app")
    case_id = world.case()
    other = Machine(key)
    assert other.get("/cases").status_code == 403
    assert other.get(f"/cases/{case_id}").status_code in (403, 404)
    assert other.post("/cases", {"words": "路灯不亮"}).status_code == 403, "its scope is Open311's"
    ApiToken.objects.update(scopes=["*"])
    machines.forget()
    assert other.get(f"/cases/{case_id}").status_code == 404, "whatever its scope, its role sees nothing"
    caller = machines.caller_with(key)
    assert caller is not None
    assert policy.scope_of(caller.actor) == policy.Scope()


def test_checking_says_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.open311.checking import Answer
    from lianxin.open311.management.commands import open311

    monkeypatch.setattr(open311, "over_http", lambda _url: lambda *_asked: Answer(500, {}, b""))
    with pytest.raises(CommandError) as error:
        said("check", "https://city.example/open311/v2")
    assert error.value.returncode == 1
