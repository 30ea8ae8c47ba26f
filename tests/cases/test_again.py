"""Every action sent again with the same key does nothing and answers the same."""

from __future__ import annotations

import pytest

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict
from tests.cases.ways import ACTIONS, actor, at_state, fields_for, take, upload
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


def test_every_action_sent_again_happens_once(world: World, monday: Frozen) -> None:
    for number, action in enumerate(sorted(ACTIONS)):
        row = BY_ACTION[action]
        case_id = at_state(world, State.IN_HAND if State.IN_HAND in row.sources else row.sources[0], before=action)
        key, seen = bytes([number]) * 32, Case.objects.get(pk=case_id).version
        who = actor(world, case_id, "grid" if action in ("settle_on_the_spot", "answer_check") else "reporter")
        once = fields_for(action, who)  # the same things said again, not new ones
        first = take(world, case_id, action, key=key, version=seen, **once)
        assert not first.replayed
        count = Event.objects.filter(case=case_id).count()
        again = take(world, case_id, action, key=key, version=seen, **once)
        assert again.replayed, action
        # The case moves on; the answer to the same write does not.
        case = Case.objects.get(pk=case_id)
        if BY_ACTION["add_information"].leads_from(case.state):
            a.add_information(world.on(case_id, "operator"), words="另外，昨晚也是。")
        monday.move(minutes=1)
        later = take(world, case_id, action, key=key, version=seen, **once)
        for answer in (again, later):
            assert (answer.case_id, answer.event_id, answer.state, answer.version) == (
                first.case_id, first.event_id, first.state, first.version), action
        assert Event.objects.filter(case=case_id).count() in (count, count + 1)
        for name, value in once.items():
            if isinstance(value, str) and name not in ("means", "reason"):
                with pytest.raises(Conflict) as caught:
                    take(world, case_id, action, key=key, **{name: value + "x"})
                assert caught.value.code == "key_reused"
                break
        assert differences(case_id) == []


def test_the_same_photo_uploaded_again_is_the_same_write(world: World, monday: Frozen) -> None:
    """A double click sends the file twice: the second has another id, the write is the same."""
    case_id = at_state(world, State.IN_HAND)
    by = world.actor("urban")
    first = take(world, case_id, "reply", key=b"p" * 32, attachments=[upload(by)])
    again = take(world, case_id, "reply", key=b"p" * 32, attachments=[upload(by)])
    assert again.replayed
    assert again.event_id == first.event_id


def test_registering_again_makes_no_second_case(world: World, monday: Frozen) -> None:
    intake = a.Intake(words="路灯不亮。", phone="13812342201", publication_title="路灯", publication_body="路灯不亮。")
    first = a.register(intake=intake, by=RESIDENT, key=b"r" * 32)
    take(world, first.case_id, "accept")
    again = a.register(intake=intake, by=RESIDENT, key=b"r" * 32)
    assert (again.case_id, again.number, again.tracking_code, again.replayed) == (
        first.case_id, first.number, first.tracking_code, True)
    assert Case.objects.count() == 1
    with pytest.raises(Conflict) as caught:
        a.register(intake=a.Intake(words="另一件事。"), by=RESIDENT, key=b"r" * 32)
    assert caught.value.code == "key_reused"
    assert Case.objects.count() == 1


def test_a_key_of_another_action_is_not_taken(world: World, monday: Frozen) -> None:
    case_id = world.case()
    take(world, case_id, "accept", key=b"s" * 32)
    with pytest.raises(Conflict) as caught:
        take(world, case_id, "add_information", key=b"s" * 32)
    assert caught.value.code == "key_reused"


def test_files_that_came_with_the_first_word_belong_to_its_event(world: World, monday: Frozen) -> None:
    from lianxin.cases.models import Attachment

    by = world.actor("operator")
    photo = upload(by)
    made = a.register(intake=a.Intake(words="路灯不亮。", attachments=(photo,)), by=by)
    held = Attachment.objects.get(pk=photo)
    assert (held.case_id, held.purpose) == (made.case_id, "report")
    assert Event.objects.get(pk=held.event_id).action == "register"
