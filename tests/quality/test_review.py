"""The review checklist: what is asked of which case, what lets a reply pass, what the unit is told."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.cases.models import Case, Event, EventText, State
from lianxin.cases.rebuild import differences
from lianxin.cases.reference import reference
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid
from lianxin.quality.checklist import items_for
from lianxin.quality.models import ChecklistItem, Review
from tests.cases.ways import at_state, take, upload, walk
from tests.quality import checklists
from tests.quality.checklists import ALL_YES
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def replied(world: World, monday: Frozen) -> Any:
    checklists.make(world)
    return at_state(world, State.REPLIED)


def asked(case_id: Any) -> list[str]:
    return [item.code for item in items_for(Case.objects.get(pk=case_id), reference())]


def test_what_is_asked_depends_on_the_matter(world: World, replied: Any) -> None:
    assert asked(replied) == ["contacted", "answered", "basis", "proof", "plain"]
    field = world.accepted("010101")
    assert "photo" in asked(field)
    enquiry = Case.objects.get(pk=world.accepted("010103"))
    basis = next(item for item in items_for(enquiry, reference()) if item.code == "basis")
    assert (basis.question, basis.na_allowed) == ("写明了水价文件", False), "the nearer category's row stands"
    ChecklistItem.objects.filter(code="plain").update(active=False)
    assert "plain" not in asked(replied)


@pytest.mark.parametrize("answers", [
    {}, {"contacted": "yes"}, {**ALL_YES, "proof": "no"}, {**ALL_YES, "contacted": "na"}, {**ALL_YES, "basis": "maybe"},
    {**ALL_YES, "photo": "yes"}, {**ALL_YES, "nothing": "yes"}, {k: v for k, v in ALL_YES.items() if k != "basis"},
])
def test_a_reply_passes_only_when_everything_required_is_so(world: World, replied: Any, answers: dict[str, str]) -> None:
    before = Event.objects.count()
    with pytest.raises(Invalid) as caught:
        take(world, replied, "approve", answers=answers)
    assert set(caught.value.fields) == {"answers"}
    assert Event.objects.count() == before
    assert not Review.objects.exists()


def test_the_answers_are_kept_with_the_review(world: World, replied: Any) -> None:
    take(world, replied, "approve", answers={**ALL_YES, "plain": "no"})  # what is not required may be no
    review = Review.objects.get()
    assert review.answers == {**ALL_YES, "plain": "no"}
    assert Event.objects.get(pk=review.event_id).data["answers"] == review.answers
    assert Case.objects.get(pk=replied).state == State.CALLBACK
    assert differences(replied) == []


def test_sending_back_names_what_failed(world: World, replied: Any) -> None:
    take(world, replied, "send_back", answers={"contacted": "yes", "proof": "no", "answered": "no"})
    said = EventText.objects.get(field="failed")
    assert said.body.splitlines() == ["答的是所问", "有凭据"]
    assert said.public is False
    assert Review.objects.get().answers == {"contacted": "yes", "answered": "no", "proof": "no"}
    walk(world, replied, ("reply",))
    with pytest.raises(Invalid):
        take(world, replied, "send_back", answers={"nothing": "no"})


def test_a_city_without_a_checklist_asks_nothing(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED)
    take(world, case_id, "approve")
    assert Review.objects.get().answers == {}


def test_a_field_matter_asks_for_the_photo(world: World, monday: Frozen) -> None:
    checklists.make(world)
    case_id = world.accepted("010101")
    walk(world, case_id, ("dispatch", "sign"))
    take(world, case_id, "reply", attachments=[upload(world.actor("urban"))])
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "approve", answers=ALL_YES)
    assert "照片是处理后的" in caught.value.fields["answers"]
    take(world, case_id, "approve", answers={**ALL_YES, "photo": "yes"})
