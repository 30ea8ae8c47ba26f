"""The board of hot issues: who sees it, what it shows, and cases taken as one from there."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.ids import uuid7
from lianxin.triage.hot import keeping
from lianxin.triage.hot.models import HotIssue, HotSurge, Trend
from tests.api.conftest import Machine, token
from tests.api.test_actions import ok
from tests.desk.conftest import SignIn
from tests.triage.hot.letters import OTHERS, PARKING, PLANT
from tests.triage.hot.test_cases import letters
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant(world: World, monday: Frozen) -> list[Case]:
    made = letters(PLANT)
    letters(OTHERS, first=100)
    keeping.work_out()
    return made


def test_the_board_lists_draws_and_narrows(world: World, as_: SignIn, plant: list[Case]) -> None:
    dispatcher = as_("dispatcher")
    shown = dispatcher.get(reverse("desk:hot")).content.decode()
    issue = HotIssue.objects.get()
    assert issue.name in shown
    assert reverse("desk:hot_issue", args=[issue.pk]) in shown
    assert "近 28 天共 4 件，一天最多 4 件" in shown
    assert " style=" not in shown
    assert "faces/map.js" in shown
    drawn = dispatcher.get(reverse("desk:hot_points")).json()["features"]
    assert [(one["properties"]["count"], one["geometry"]["coordinates"]) for one in drawn] == [(4, [113.1, 29.1])]
    assert issue.name not in dispatcher.get(reverse("desk:hot"), {"trend": "over"}).content.decode()
    assert issue.name in dispatcher.get(reverse("desk:hot"), {"county": "990101", "trend": "?"}).content.decode()
    assert "没有符合条件的热点" in dispatcher.get(reverse("desk:hot"), {"county": "990102"}).content.decode()
    assert dispatcher.get(reverse("desk:hot"), {"after": "x"}).status_code == 422


def test_an_empty_board_says_so(world: World, monday: Frozen, as_: SignIn) -> None:
    shown = as_("supervisor").get(reverse("desk:hot")).content.decode()
    assert "还没有算过" in shown
    assert "三个以上的人" not in shown  # nobody has looked
    assert "data-map" not in shown
    keeping.work_out()
    shown = as_("supervisor").get(reverse("desk:hot")).content.decode()
    assert "还没有算过" not in shown
    assert "三个以上的人" in shown


def test_a_surge_stands_beside_what_is_usual(world: World, as_: SignIn, plant: list[Case]) -> None:
    HotSurge.objects.create(county=world.areas["990101"], category=world.categories["010101"].parent,
                            day=plant[0].registered_at.date(), count=23, expected=4.04, chance=1e-9)
    shown = as_("dispatcher").get(reverse("desk:hot")).content.decode()
    assert re.search(r"county=990101&amp;category=0101\">23</a></td><td>4[.,]0<", shown)
    assert 'category=0101">23<' not in as_("west").get(reverse("desk:hot")).content.decode()


@pytest.mark.parametrize("name", ["operator", "reviewer", "callback", "urban", "admin"])
def test_who_does_not_oversee_sees_nothing(world: World, as_: SignIn, plant: list[Case], name: str) -> None:
    client, issue = as_(name), HotIssue.objects.get()
    for address in (reverse("desk:hot"), reverse("desk:hot_points"), reverse("desk:hot_issue", args=[issue.pk])):
        assert client.get(address).status_code == 403
    assert Machine(token(world, name)).get("/hot").status_code == 403


def test_another_county_s_issue_is_not_found(world: World, as_: SignIn, plant: list[Case]) -> None:
    issue = HotIssue.objects.get()
    assert as_("west").get(reverse("desk:hot_issue", args=[issue.pk])).status_code == 404
    assert as_("west").get(reverse("desk:hot")).status_code == 200
    west = Machine(token(world, "west"))
    assert ok(west.get("/hot"))["items"] == []
    assert west.get(f"/hot/{issue.pk}/cases").status_code == 404
    assert as_("dispatcher").get(reverse("desk:hot_issue", args=[uuid7()])).status_code == 404


def test_those_left_ticked_are_taken_as_one(world: World, as_: SignIn, plant: list[Case]) -> None:
    issue = HotIssue.objects.get()
    address = reverse("desk:hot_issue", args=[issue.pk])
    dispatcher = as_("dispatcher")
    shown = dispatcher.get(address).content.decode()
    assert f"建议：把这 3 件并到 {plant[0].number}" in shown
    for case in plant[1:]:
        assert f'value="{case.pk}" form="take" checked' in shown
    form = {"master": str(plant[0].pk), "version": str(plant[0].version), "submission": "one", "reason": "同一个搅拌站。",
            "case": [str(plant[1].pk), str(plant[2].pk), "nothing"]}
    for wrong, status in (({"reason": ""}, 422), ({"case": []}, 422), ({"master": "x"}, 409), ({"master": str(plant[1].pk)}, 409)):
        answer = dispatcher.post(address, form | wrong)
        assert answer.status_code == status, wrong
        assert 'role="alert"' in answer.content.decode()
    kept = dispatcher.post(address, form | {"reason": ""}).content.decode()
    assert f'value="{plant[3].pk}" form="take" aria' in kept  # what was left unticked stays so
    answer = dispatcher.post(address, form)
    assert (answer.status_code, answer["Location"]) == (302, reverse("desk:case", args=[plant[0].pk]))
    assert set(Case.objects.filter(state=State.MERGED).values_list("pk", flat=True)) == {plant[1].pk, plant[2].pk}
    assert dispatcher.post(address, form).status_code == 409  # sent again
    supervisor = as_("supervisor").get(address).content.decode()
    assert "并案由派单员办" in supervisor
    assert 'id="take"' not in supervisor
    assert as_("supervisor").post(address, form | {"case": [str(plant[3].pk)]}).status_code in (403, 409)
    assert Case.objects.filter(state=State.MERGED).count() == 2


def test_an_issue_without_a_common_place_is_marked(world: World, as_: SignIn, plant: list[Case]) -> None:
    HotIssue.objects.update(place="")
    assert "没有共同说到一个地名" in as_("dispatcher").get(reverse("desk:hot_issue", args=[HotIssue.objects.get().pk])).content.decode()


def test_the_api_gives_the_same(world: World, plant: list[Case]) -> None:
    letters(PARKING, first=300)
    keeping.work_out()
    machine = Machine(token(world, "dispatcher"))
    first = ok(machine.get("/hot?limit=1"))
    assert [(one["cases"], one["reporters"], one["trend"]) for one in first["items"]] == [(4, 4, Trend.NEW)]
    second = ok(machine.get(first["next"]))
    assert [one["place"] for one in second["items"]] == ["洞庭明珠"]
    assert second["next"] is None
    cases = ok(machine.get(f"/hot/{first['items'][0]['id']}/cases?limit=3"))
    assert [one["number"] for one in cases["items"]] == [case.number for case in plant[:3]]
    assert [one["number"] for one in ok(machine.get(cases["next"]))["items"]] == [plant[3].number]
    assert ok(machine.get("/hot/surges"))["items"] == []
    assert ok(machine.get("/hot?trend=over"))["items"] == []
    assert machine.get("/hot?trend=x").status_code == 422
    assert machine.get("/hot?after=x").status_code == 422
