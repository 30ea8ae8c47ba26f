"""自行处置 and 核查: proof of before and after, and a look by somebody who had no part in it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lianxin.cases import actions as a
from lianxin.cases import checks, policy
from lianxin.cases.engine import On
from lianxin.cases.models import Assignment, Attachment, Case, Check, Event, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import transitions_from
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.quality import actions as q
from tests.cases.ways import VILLAGE, at_state, take, upload
from tests.world import World

pytestmark = pytest.mark.django_db


def second(world: World, username: str = "grid2", *, unit: str = "bridge", area: str = "990101001") -> Staff:
    """Another grid worker."""
    person = Staff.objects.create(username=username, name=f"{username}乙", unit=world.units[unit])
    RoleGrant.objects.create(staff=person, role=Role.GRID_WORKER, unit=world.units[unit], area=world.areas[area])
    world.staff[username] = person
    return person


def found(world: World, *, photos: int = 1, by: str = "grid") -> uuid.UUID:
    worker = world.actor(by)
    return a.register(by=worker, intake=a.Intake(
        words="路边井盖没了。", channel="field", area=VILLAGE, category="010101",
        attachments=tuple(upload(worker) for _each in range(photos)))).case_id


def test_what_was_put_right_at_once_closes_with_both_photos(world: World, monday: Frozen) -> None:
    case_id = found(world)
    done = a.settle_on_the_spot(world.on(case_id, "grid"), public_answer="已盖好。", attachments=[upload(world.actor("grid"))])
    case = Case.objects.get(pk=case_id)
    assert (done.state, case.outcome, case.accepted_at, case.closed_at) == ("closed", "self_handled", monday.move(), monday.move())
    assert sorted(Attachment.objects.filter(case=case).values_list("purpose", flat=True)) == ["proof", "report"]
    assert differences(case_id) == []


@pytest.mark.parametrize(("photos", "after", "fault"), [
    (0, "photo", "还缺处置前的照片"), (1, "document", "还缺处置后的照片"), (1, "stranger", "还缺处置后的照片")])
def test_without_a_photo_of_before_and_of_after_nothing_is_settled(
    world: World, monday: Frozen, photos: int, after: str, fault: str,
) -> None:
    case_id = found(world, photos=photos)
    file = upload(world.actor("urban")) if after == "stranger" else upload(world.actor("grid"), kind=after)
    with pytest.raises(Invalid) as caught:
        a.settle_on_the_spot(world.on(case_id, "grid"), public_answer="已盖好。", attachments=[file])
    assert fault in str(caught.value)
    assert Case.objects.get(pk=case_id).state == State.REGISTERED
    assert Attachment.objects.get(pk=file).case_id is None


def test_many_actions_are_asked_about_with_a_few_queries(world: World, monday: Frozen, django_assert_max_num_queries: Any) -> None:
    """Whether a grid worker sees a case and is asked to look at it is looked up once, not for each button."""
    second(world)
    case_id = at_state(world, State.REPLIED)
    take(world, case_id, "ask_check")
    case = Case.objects.get(pk=case_id)
    parts = list(Assignment.objects.filter(case=case, ended_at__isnull=True))
    asked = Check.objects.get(case=case).worker.username
    for name, may in ((asked, {"answer_check"}), ("grid2" if asked == "grid" else "grid", set())):
        who = world.actor(name)
        with django_assert_max_num_queries(3):
            held = policy.known(who, case)
            allowed = {row.action for row in transitions_from(case.state)
                       if policy.can(who, row.action, case, assignment=policy.own_assignment(who, parts, row.action), held=held)}
        assert allowed == may
    dispatcher = world.actor("dispatcher")
    with django_assert_max_num_queries(0):
        assert policy.known(dispatcher, case) == policy.Known(seen=True, asked=False)


def test_nobody_settles_what_another_found(world: World, monday: Frozen) -> None:
    second(world)
    case_id = found(world)
    for name in ("grid2", "urban"):
        with pytest.raises(NotFound):
            a.settle_on_the_spot(world.on(case_id, name), public_answer="好了。", attachments=[upload(world.actor(name))])
    with pytest.raises(NotAllowed):  # the hotline sees it, and did not put it right
        a.settle_on_the_spot(world.on(case_id, "dispatcher"), public_answer="好了。", attachments=[upload(world.actor("dispatcher"))])
    a.accept(world.on(case_id, "operator"), category="010101")
    with pytest.raises(Conflict):
        a.settle_on_the_spot(world.on(case_id, "grid"), public_answer="好了。", attachments=[upload(world.actor("grid"))])


def test_a_worker_follows_up_what_they_reported(world: World, monday: Frozen) -> None:
    case_id = found(world)
    a.add_information(world.on(case_id, "grid"), words="旁边还有一个。")
    a.attach(world.on(case_id, "grid"), attachments=[upload(world.actor("grid"))])
    a.refer_emergency(world.on(case_id, "grid"), service="110")
    assert list(Event.objects.filter(case=case_id).order_by("id").values_list("action", flat=True)) == [
        "register", "add_information", "attach", "refer_emergency"]
    strange = at_state(world, State.REGISTERED)
    with pytest.raises(NotFound):
        a.refer_emergency(world.on(strange, "grid"), service="110")


@pytest.mark.parametrize("state", [State.REPLIED, State.CALLBACK, State.CLOSED])
def test_a_look_is_asked_for_and_seen_by_that_worker_alone(world: World, monday: Frozen, state: State) -> None:
    second(world)
    case_id = at_state(world, state)
    by = {"replied": "reviewer", "callback": "callback", "closed": "supervisor"}[state]
    assert not policy.can_see(world.actor("grid"), Case.objects.get(pk=case_id))
    take(world, case_id, "ask_check", by=by, worker="grid")
    case = Case.objects.get(pk=case_id)
    assert policy.can_see(world.actor("grid"), case)
    assert Case.objects.filter(policy.visible_to(world.actor("grid")), pk=case_id).exists()
    with pytest.raises(NotFound):
        take(world, case_id, "answer_check", by="grid2")
    take(world, case_id, "answer_check", handled=False)
    check = Check.objects.get(case=case_id)
    assert (check.handled, check.answered_at) == (False, monday.move())
    assert not policy.can_see(world.actor("grid"), case)  # done: it is not theirs to see any more
    assert Case.objects.get(pk=case_id).for_supervisor == (state == State.CALLBACK)
    assert differences(case_id) == []


def test_given_to_another_the_first_is_told(world: World, monday: Frozen) -> None:
    second(world)
    case_id = at_state(world, State.CALLBACK)
    take(world, case_id, "ask_check", worker="grid")
    take(world, case_id, "ask_check", worker="grid2", note="请再看一次。")
    assert list(Check.objects.order_by("id").values_list("worker__username", "withdrawn_at")) == [
        ("grid", monday.move()), ("grid2", None)]
    with pytest.raises(NotFound):
        take(world, case_id, "answer_check", by="grid")
    take(world, case_id, "answer_check", by="grid2")


@pytest.mark.parametrize("part", ["lead", "assist", "child", "parent", "reported", "grant"])
def test_nobody_looks_at_their_own_or_a_related_units_work(world: World, monday: Frozen, part: str) -> None:
    """`grid` is of the town office `bridge`, below the county `east`."""
    case_id = at_state(world, State.CALLBACK)
    units = {"lead": "bridge", "assist": "bridge", "parent": "east", "child": "bridge", "grant": "water"}
    case = Case.objects.get(pk=case_id)
    if part == "reported":
        case.registered_by = world.staff["grid"]
    elif part == "grant":
        RoleGrant.objects.create(staff=world.staff["grid"], role=Role.CLERK, unit=world.units["west"])
    else:
        case.unit_ids = [*case.unit_ids, world.units[units[part]].pk]
    if part == "child":  # the worker's own unit lies above one that had a part
        world.units["water"].parent = world.units["bridge"]
        world.units["water"].save()
        case.unit_ids = [world.units["water"].pk]
    case.save()
    assert checks.checkers(case) == []
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "ask_check")
    assert "worker" in caught.value.fields


def test_somebody_of_the_county_looks_where_nobody_near_is_free_of_it(world: World, monday: Frozen) -> None:
    far = second(world, "far", unit="east", area="990101")
    near = second(world, "near", unit="bridge", area=VILLAGE)
    case = Case.objects.get(pk=at_state(world, State.CALLBACK))
    assert [one.username for one in checks.checkers(case)] == ["near", "grid", "far"]
    take(world, case.pk, "ask_check")
    assert Check.objects.get().worker_id == near.pk
    RoleGrant.objects.filter(staff=world.staff["far"]).update(area=None)
    world.units["far"] = world.units["urban"]
    RoleGrant.objects.filter(staff__username__in=["near", "grid"]).update(ended_at=monday.move())
    assert [one.pk for one in checks.checkers(case)] == [far.pk]


def test_a_part_taken_after_being_asked_is_a_bar(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CALLBACK)
    take(world, case_id, "ask_check")
    case = Case.objects.get(pk=case_id)
    case.unit_ids = [*case.unit_ids, world.units["bridge"].pk]
    case.save()
    with pytest.raises(NotAllowed):
        take(world, case_id, "answer_check")


def test_a_photo_from_the_place_is_needed(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CALLBACK, before="")
    take(world, case_id, "ask_check")
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "answer_check", attachments=[upload(world.actor("grid"), kind="document")])
    assert "attachments" in caught.value.fields
    assert Check.objects.get().answered_at is None


def test_what_was_seen_unhandled_passes_no_review_and_no_closing(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED)
    take(world, case_id, "ask_check")
    take(world, case_id, "answer_check", handled=False)
    with pytest.raises(Invalid):
        take(world, case_id, "approve")
    take(world, case_id, "send_back")
    monday.move(hours=1)
    take(world, case_id, "reply")
    take(world, case_id, "approve")  # replied anew since
    take(world, case_id, "ask_check", by="callback")
    take(world, case_id, "answer_check", handled=False)
    take(world, case_id, "record_callback_attempt", outcome="reached", solved=True)
    with pytest.raises(NotAllowed):
        q.close(world.on(case_id, "callback"), explanation="已解决。")
    q.close(world.on(case_id, "supervisor"), explanation="核对过，另有原因。")


def test_a_towns_part_may_be_given_to_its_grid_worker(world: World, monday: Frozen) -> None:
    case_id = world.accepted("010101", area="990101001")
    take(world, case_id, "dispatch", lead_unit="bridge", assisting_units=[])
    with pytest.raises(NotFound):
        a.sign(world.on(case_id, "grid"))
    a.hand_to_colleague(world.on(case_id, "bridge"), officer="grid")
    a.sign(world.on(case_id, "grid"))
    a.record_contact(world.on(case_id, "grid"), means="visit", reached=True)
    a.reply(world.on(case_id, "grid"), public_answer="灯亮了。", solved=True, attachments=[upload(world.actor("grid"))])
    assert Case.objects.get(pk=case_id).state == State.REPLIED
    assert checks.checkers(Case.objects.get(pk=case_id)) == []
    assert differences(case_id) == []


def test_no_other_unit_hands_its_part_to_a_grid(world: World, monday: Frozen) -> None:
    RoleGrant.objects.create(staff=world.staff["grid"], role=Role.GRID_WORKER, unit=world.units["urban"])
    case_id = at_state(world, State.IN_HAND)
    with pytest.raises(Invalid):
        a.hand_to_colleague(world.on(case_id, "urban"), officer="grid")


def test_one_answer_only(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CALLBACK)
    take(world, case_id, "ask_check")
    on = On(case_id, world.actor("grid"), key=b"k" * 32)
    first = a.answer_check(on, handled=True, attachments=[upload(world.actor("grid"))])
    assert not first.replayed
    with pytest.raises(NotFound):
        a.answer_check(world.on(case_id, "grid"), handled=True, attachments=[upload(world.actor("grid"))])
    assert Check.objects.get().handled is True
