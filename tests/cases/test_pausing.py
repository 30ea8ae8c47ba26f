"""挂起: for two reasons, with an end, seen by the reporter, and by exactly the working time that the clock stood still."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.translation import override

from lianxin.cases import actions as a
from lianxin.cases import narrative, queries
from lianxin.cases.actions.pausing import lapse_suspension
from lianxin.cases.engine import On
from lianxin.cases.messages import message_for, text_of
from lianxin.cases.models import Case, Clock, Event, Notification, State, Suspension
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.actors import SYSTEM
from tests.cases.test_clocks import local
from tests.cases.ways import at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db


def resolve(case_id: uuid.UUID) -> Clock:
    return Clock.objects.filter(case=case_id, kind="resolve", assignment__isnull=True).latest("started_at", "id")


def in_hand(world: World, **more: Any) -> uuid.UUID:
    """A complaint of Monday 10:00, due the next Monday at 10:00, in the hands of `urban`."""
    case_id = at_state(world, State.IN_HAND, **more)
    assert resolve(case_id).due_at == local("2026-11-30 10:00")
    return case_id


def test_a_pause_moves_the_due_time_by_the_working_time_it_lasted(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-24 11:00"))
    take(world, case_id, "suspend", until=local("2026-11-27 17:00"))
    clock, case = resolve(case_id), Case.objects.get(pk=case_id)
    assert (clock.paused_at, clock.next_at, case.paused) == (local("2026-11-24 11:00"), local("2026-11-27 17:00"), True)
    assert case.due_at == clock.due_at == local("2026-11-30 10:00")
    monday.set(local("2026-11-26 14:00"))
    take(world, case_id, "resume_work")
    clock, case = resolve(case_id), Case.objects.get(pk=case_id)
    # 11–12 and 13–17 on Tuesday, Wednesday, 9–12 and 13–14 on Thursday: 300 + 420 + 240 minutes.
    assert (clock.paused_minutes, clock.paused_at, case.paused) == (960, None, False)
    assert clock.due_at == local("2026-12-02 12:00") == case.due_at
    row = Suspension.objects.get(case=case_id)
    assert (row.reason, row.minutes, row.ended, row.by, row.ended_by) == (
        "outside", 960, "resumed", world.staff["urban"], world.staff["urban"])
    assert {row.event_id, row.ended_event_id} <= set(Event.objects.filter(case=case_id).values_list("id", flat=True))
    assert differences(case_id) == []


def test_outside_working_time_nothing_is_gained(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-27 17:00"))
    take(world, case_id, "suspend", until=local("2026-12-01 17:00"))
    monday.set(local("2026-11-30 09:00"))
    take(world, case_id, "resume_work")
    assert resolve(case_id).due_at == local("2026-11-30 10:00")
    assert Suspension.objects.get(case=case_id).minutes == 0


def test_only_two_reasons_are_lawful(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    for wrong in ("busy", "holiday", "weather"):
        with pytest.raises(Invalid) as caught:
            take(world, case_id, "suspend", waits_for=wrong)
        assert set(caught.value.fields) == {"waits_for"}
    assert not Suspension.objects.exists()


def test_waiting_for_the_reporter_needs_a_contact_that_reached_them(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    fields = {"waits_for": "reporter", "words": "请告诉我们是几号楼。"}
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "suspend", **fields)
    assert set(caught.value.fields) == {"waits_for"}
    take(world, case_id, "record_contact", reached=False)
    with pytest.raises(Invalid):
        take(world, case_id, "suspend", **fields)
    # Another unit's contact, before the case came here, is not this unit's.
    take(world, case_id, "record_contact")
    take(world, case_id, "redispatch", lead_unit="housing", assisting_units=[])
    take(world, case_id, "sign", by="housing")
    with pytest.raises(Invalid):
        take(world, case_id, "suspend", by="housing", **fields)
    take(world, case_id, "record_contact", by="housing")
    take(world, case_id, "suspend", by="housing", **fields)


def test_who_left_no_telephone_cannot_be_waited_for(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND, phone="", name="")
    take(world, case_id, "record_contact", means="not_left")
    with pytest.raises(Invalid):
        take(world, case_id, "suspend", waits_for="reporter")


@pytest.mark.parametrize("until", ["2026-11-23 10:00", "2026-11-20 10:00", "2026-12-03 10:01"])
def test_a_pause_ends_after_now_and_within_what_the_city_allows(world: World, monday: Frozen, until: str) -> None:
    case_id = in_hand(world)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "suspend", until=local(until))
    assert set(caught.value.fields) == {"until"}
    take(world, case_id, "suspend", until=datetime(2026, 12, 3, 9, 59))  # noqa: DTZ001 - as a clock on the wall says it
    assert Suspension.objects.get(case=case_id).until == local("2026-12-03 09:59")


def test_so_many_pauses_in_a_round_and_no_more(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    for _again in range(2):
        take(world, case_id, "suspend")
        with pytest.raises(Conflict):
            take(world, case_id, "suspend")
        monday.move(hours=1)
        take(world, case_id, "resume_work")
    with pytest.raises(Invalid, match="2"):
        take(world, case_id, "suspend")
    with pytest.raises(Conflict):
        take(world, case_id, "resume_work")


def test_the_hotline_lifts_a_pause_at_any_time_and_says_why(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    take(world, case_id, "suspend")
    for name in ("urban", "reviewer", "reporter"):
        with pytest.raises(NotAllowed):
            take(world, case_id, "lift_suspension", by=name)
    monday.move(hours=1)
    take(world, case_id, "lift_suspension", by="supervisor")
    row = Suspension.objects.get(case=case_id)
    assert (row.ended, row.minutes, row.ended_by) == ("lifted", 60, world.staff["supervisor"])
    assert resolve(case_id).due_at == local("2026-11-30 11:00")


def test_the_reporter_answers_and_the_time_goes_on(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    take(world, case_id, "record_contact")
    take(world, case_id, "suspend", waits_for="reporter", words="请告诉我们是几号楼。")
    monday.move(hours=1)
    done = take(world, case_id, "add_information", words="3 号楼。")
    assert Suspension.objects.get(case=case_id).ended == "reporter_answered"
    assert resolve(case_id).due_at == local("2026-11-30 11:00")
    event = Event.objects.select_related("unit", "actor").get(pk=done.event_id)
    assert narrative.said(event, internal=False) == (
        "您补充了情况，办理单位接着办，最迟 11 月 30 日（周一）11:00前答复您。您补充的是：")
    assert differences(case_id) == []
    # A photo is an answer as well; for an outside condition nothing the reporter says ends the wait.
    take(world, case_id, "suspend", waits_for="reporter", words="请发一张照片。")
    take(world, case_id, "attach")
    assert not Case.objects.get(pk=case_id).paused
    other = at_state(world, State.IN_HAND)
    take(world, other, "suspend")
    take(world, other, "add_information")
    assert Case.objects.get(pk=other).paused


def test_a_pause_ends_with_the_units_part(world: World, monday: Frozen) -> None:
    for step, fields in (("redispatch", {}), ("raise_return", {}), ("reply", {}), ("withdraw", {})):
        case_id = in_hand(world)
        take(world, case_id, "suspend")
        monday.move(minutes=30)
        take(world, case_id, step, **fields)
        row = Suspension.objects.get(case=case_id)
        assert (row.ended, row.minutes) == ("ended", 30), step
        assert not Case.objects.get(pk=case_id).paused
        assert resolve(case_id).paused_at is None
        assert resolve(case_id).due_at == local("2026-11-30 10:30")
        assert differences(case_id) == []
        monday.set(local("2026-11-23 10:00"))


def test_only_what_has_ended_lapses(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    with pytest.raises(Conflict):
        lapse_suspension(On(case_id, SYSTEM))
    take(world, case_id, "suspend")
    with pytest.raises(Conflict):
        lapse_suspension(On(case_id, SYSTEM))
    monday.move(days=2)
    lapse_suspension(On(case_id, SYSTEM))
    assert Suspension.objects.get(case=case_id).ended == "lapsed"


@pytest.mark.parametrize("reason", ["reporter", "outside"])
def test_the_reporter_reads_why_and_until_when(world: World, monday: Frozen, reason: str) -> None:
    case_id = in_hand(world)
    take(world, case_id, "record_contact")
    done = take(world, case_id, "suspend", waits_for=reason, words="等停电。", until=local("2026-11-25 17:00"))
    case = Case.objects.select_related("lead_unit").get(pk=case_id)
    assert "11 月 25 日（周三）17:00" in narrative.headline(case)
    shown = next(one for one in queries.timeline(case, public_only=True) if one.event.pk == done.event_id)
    assert shown.texts == {"words": "等停电。"}
    assert ("您补充" in narrative.said(shown.event, internal=False)) == (reason == "reporter")
    event = Event.objects.get(pk=done.event_id)
    message = message_for(event, case)
    assert message is not None
    told = text_of(Notification(case=case, template=message.template, values=message.values), case, language="zh-hans")
    assert "11 月 25 日" in told
    with override("en"):
        assert "Wed 25 Nov, 17:00" in narrative.headline(case)


def test_a_paused_case_is_not_counted_as_late(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-28 10:00"))
    take(world, case_id, "suspend", until=local("2026-12-04 10:00"))
    monday.set(local("2026-12-01 10:00"))
    late = queries.Filters(overdue_at=monday.move())
    assert not queries.by_due(world.actor("dispatcher"), states=["in_hand"], filters=late).rows
    take(world, case_id, "resume_work")
    assert resolve(case_id).due_at == local("2026-12-01 11:00")
    monday.move(hours=2)
    late = queries.Filters(overdue_at=monday.move(seconds=1))
    assert [one.pk for one in queries.by_due(world.actor("dispatcher"), states=["in_hand"], filters=late).rows] == [case_id]
    assert monday.move() - timedelta(hours=1) > resolve(case_id).due_at
    with pytest.raises(Invalid):
        a.suspend(world.on(case_id, "urban"), waits_for="outside", words="等。", until=monday.move() + timedelta(days=1))
