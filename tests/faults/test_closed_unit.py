"""A unit that is closed, and a category that no rule names: the dispatcher is told, nothing is lost, nothing goes astray."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from lianxin.cases import reference
from lianxin.cases.models import Assignment, Case, State
from lianxin.kernel.clock import Frozen
from tests.cases.ways import at_state, take
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db


def close(world: World, code: str) -> None:
    world.units[code].active_to = date(2026, 11, 23)
    world.units[code].save()
    reference.forget()


@pytest.mark.parametrize(("action", "state"), [("dispatch", State.ACCEPTED), ("redispatch", State.IN_HAND)])
@pytest.mark.parametrize("field", ["lead_unit", "assisting_units"])
def test_a_closed_unit_is_refused_in_words_with_everything_kept(world: World, as_: SignIn, monday: Frozen, action: str,
                                                                state: State, field: str) -> None:
    case_id = at_state(world, state)
    before = Case.objects.get(pk=case_id)
    parts = set(Assignment.objects.filter(case=case_id, ended_at__isnull=True).values_list("unit__code", flat=True))
    sent = {"lead_unit": "housing", "assisting_units": "", "note": "请尽快去看一看。", "reason": "请尽快去看一看。", "submission": "1"}
    page = as_("dispatcher").post(reverse("desk:act", args=[case_id, action]), sent | {field: "closed", "version": before.version})
    assert page.status_code == 422
    text = page.content.decode()
    assert "单位已撤销" in text
    assert "请尽快去看一看。" in text
    after = Case.objects.get(pk=case_id)
    assert (after.state, after.version, after.lead_unit_id) == (before.state, before.version, before.lead_unit_id)
    assert parts == set(Assignment.objects.filter(case=case_id, ended_at__isnull=True).values_list("unit__code", flat=True))


def test_the_catalogue_passes_over_a_unit_that_has_closed(world: World, as_: SignIn, monday: Frozen) -> None:
    """The street office had the nearest rule; when it is closed the city's department answers."""
    place, lamp = world.areas["990101001001"].pk, world.categories["010101"].pk
    on = date(2026, 11, 23)
    near = reference.reference().responsible(category_id=lamp, area_id=place, on=on)
    assert near is not None
    assert near.lead.code == "bridge"
    close(world, "bridge")
    far = reference.reference().responsible(category_id=lamp, area_id=place, on=on)
    assert far is not None
    assert far.lead.code == "urban"


def test_what_a_unit_holds_when_it_closes_can_be_given_to_another(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    close(world, "urban")
    take(world, case_id, "redispatch", lead_unit="housing")
    assert Case.objects.get(pk=case_id).lead_unit == world.units["housing"]


def test_a_category_without_a_rule_is_dispatched_by_hand(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted("010105")
    assert reference.reference().responsible(category_id=world.categories["010105"].pk, area_id=None, on=date(2026, 11, 23)) is None
    url = reverse("desk:act", args=[case_id, "dispatch"])
    client = as_("dispatcher")
    assert client.get(url).status_code == 200
    missing = client.post(url, {"lead_unit": "", "note": "没有人管的事。", "version": "2", "submission": "1"})
    assert missing.status_code == 422
    assert "没有人管的事。" in missing.content.decode()
    assert client.post(url, {"lead_unit": "urban", "version": "2", "submission": "1"}).status_code == 302
    part = Assignment.objects.get(case=case_id)
    assert (part.unit.code, part.rule_id) == ("urban", None)
