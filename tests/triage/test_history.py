"""Where those who handled such cases and the dispatch catalogue disagree."""

from __future__ import annotations

import re

import pytest

from lianxin.cases.actions import Intake, register
from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.triage.history import LEAST, usual
from tests.desk.conftest import SignIn, as_
from tests.world import World

__all__ = ["as_"]
pytestmark = pytest.mark.django_db


def handled(world: World, by: str, many: int) -> None:
    """So many cases of construction noise in the east, led by a unit."""
    for number in range(many):
        case_id = register(intake=Intake(words=f"第 {number} 处工地半夜打桩。", category="010102", accept=True, channel="phone",
                                         area="990101"), by=world.actor("operator")).case_id
        Case.objects.filter(pk=case_id).update(lead_unit=world.units[by], state="dispatched")


def test_few_cases_say_nothing(world: World, monday: Frozen) -> None:
    handled(world, "housing", LEAST - 1)
    assert usual(world.categories["010102"].pk, None) is None
    handled(world, "housing", 1)
    found = usual(world.categories["010102"].pk, None)
    assert found is not None
    assert (found.unit.code, found.cases, found.of) == ("housing", LEAST, LEAST)


def test_no_unit_that_led_most(world: World, monday: Frozen) -> None:
    handled(world, "housing", LEAST)
    handled(world, "urban", LEAST)
    assert usual(world.categories["010102"].pk, None) is None


def test_another_county_is_another_habit(world: World, monday: Frozen) -> None:
    handled(world, "housing", LEAST)
    assert usual(world.categories["010102"].pk, world.areas["990102"].pk) is None
    assert usual(world.categories["010102"].pk, world.areas["990101"].pk) is not None


@pytest.mark.parametrize(("by", "said"), [("urban", True), ("housing", False)])
def test_the_operator_is_told_where_they_disagree(world: World, as_: SignIn, monday: Frozen, by: str, said: bool) -> None:
    handled(world, by, LEAST)
    page = as_("operator").post("/desk/call/suggest/", {
        "words": "半夜打桩睡不着", "category": "010102", "area": "990101"}).content.decode()
    assert bool(re.search("与以往不同", page)) is said
