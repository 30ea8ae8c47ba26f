"""延期: asked for in time, decided by others, counted from the due time, read by the reporter."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from lianxin.cases import narrative, queries, reference
from lianxin.cases.messages import message_for, text_of
from lianxin.cases.models import Case, Category, Clock, Event, Extension, Notification
from lianxin.cases.queries_clocks import extensions_waiting
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.models import Role, RoleGrant
from tests.cases.test_clocks import local
from tests.cases.test_pausing import in_hand, resolve
from tests.cases.ways import take
from tests.world import World

pytestmark = pytest.mark.django_db


def test_more_time_is_counted_from_the_due_time(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    take(world, case_id, "ask_extension", minutes=840)
    answer = Clock.objects.get(case=case_id, kind="extension")
    assert (answer.due_at, answer.met_at) == (local("2026-11-24 10:00"), None)
    assert resolve(case_id).due_at == local("2026-11-30 10:00")  # it runs on while the request waits
    assert [case.pk for case in extensions_waiting(world.actor("dispatcher"))] == [case_id]
    monday.move(hours=2)
    done = take(world, case_id, "grant_extension", minutes=420)
    clock, row = resolve(case_id), Extension.objects.get(case=case_id)
    assert (clock.extended_minutes, clock.due_at) == (420, local("2026-12-01 10:00"))
    assert Case.objects.get(pk=case_id).due_at == clock.due_at
    assert (row.decision, row.minutes, row.granted_minutes, row.asked_by, row.decided_by) == (
        "granted", 840, 420, world.staff["urban"], world.staff["dispatcher"])
    assert {row.event_id, row.decision_event_id} <= set(Event.objects.filter(case=case_id).values_list("id", flat=True))
    answer.refresh_from_db()
    assert answer.met_at == monday.move()
    assert not extensions_waiting(world.actor("dispatcher"))
    case, event = Case.objects.get(pk=case_id), Event.objects.select_related("unit", "actor").get(pk=done.event_id)
    assert narrative.said(event, internal=False) == (
        "办理时间延长了 1 个工作日，答复您的时间由 11 月 30 日（周一）10:00改为 12 月 1 日（周二）10:00，原因是：")
    shown = next(one for one in queries.timeline(case, public_only=True) if one.event.pk == event.pk)
    assert shown.texts == {"explanation": "连日下雨，雨停后铺好。"}
    message = message_for(event, case)
    assert message is not None
    note = Notification(case=case, template=message.template, values=message.values)
    assert "12 月 1 日" in text_of(note, case, language="zh-hans")
    with override("en"):
        assert "Tue 1 Dec, 10:00" in text_of(note, case, language="en")
    assert differences(case_id) == []


def test_a_refusal_leaves_the_time_as_it_was(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    take(world, case_id, "ask_extension")
    take(world, case_id, "refuse_extension")
    assert resolve(case_id).due_at == local("2026-11-30 10:00")
    assert Extension.objects.get(case=case_id).decision == "refused"
    for step in ("grant_extension", "refuse_extension"):
        with pytest.raises(Conflict):
            take(world, case_id, step)
    public = {one.event.action for one in queries.timeline(Case.objects.get(pk=case_id), public_only=True)}
    assert not public & {"ask_extension", "refuse_extension"}


@pytest.mark.parametrize("minutes", [None, 0, -5, 5 * 420 + 1])
def test_no_more_than_as_long_again(world: World, monday: Frozen, minutes: int | None) -> None:
    case_id = in_hand(world)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "ask_extension", minutes=minutes)
    assert set(caught.value.fields) == {"minutes"}
    take(world, case_id, "ask_extension", minutes=5 * 420)
    with pytest.raises(Invalid):
        take(world, case_id, "grant_extension", minutes=5 * 420 + 1)


def test_one_waits_at_a_time_and_so_many_in_a_round(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    for answer in ("refuse_extension", "grant_extension"):
        take(world, case_id, "ask_extension")
        with pytest.raises(Conflict):
            take(world, case_id, "ask_extension")
        take(world, case_id, answer)
    with pytest.raises(Invalid, match="2"):
        take(world, case_id, "ask_extension")


def test_nobody_of_a_unit_with_a_part_decides(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    take(world, case_id, "ask_extension")
    # The one who asked, raised to dispatcher of the hotline, and a colleague who supervises: both stay out of it.
    for name, role in (("urban", Role.DISPATCHER), ("urban2", Role.SUPERVISOR)):
        RoleGrant.objects.create(staff=world.staff[name], role=role, unit=world.units["hotline"])
        for step in ("grant_extension", "refuse_extension"):
            with pytest.raises(NotAllowed):
                take(world, case_id, step, by=name)
    for name in ("operator", "reviewer", "callback", "leader", "urban_head", "reporter"):
        with pytest.raises(NotAllowed):
            take(world, case_id, "grant_extension", by=name)
    take(world, case_id, "grant_extension", by="supervisor")


def test_what_is_complex_gets_the_limits_of_complex_matters(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "ask_extension", complex=True)
    assert set(caught.value.fields) == {"complex"}
    Category.objects.filter(code="010102").update(complex_allowed=True)
    reference.forget()
    take(world, case_id, "ask_extension", minutes=None, complex=True)
    assert Extension.objects.get(case=case_id).minutes == 10 * 420  # fifteen days in all
    take(world, case_id, "grant_extension")
    assert resolve(case_id).due_at == local("2026-12-14 10:00")
    with pytest.raises(Invalid):  # once is all there is
        take(world, case_id, "ask_extension", minutes=None, complex=True)
    assert differences(case_id) == []


@pytest.mark.parametrize("step", ["reply", "redispatch", "withdraw", "raise_return"])
def test_a_request_lapses_when_the_unit_no_longer_has_the_case(world: World, monday: Frozen, step: str) -> None:
    case_id = in_hand(world)
    take(world, case_id, "ask_extension")
    monday.move(minutes=5)
    done = take(world, case_id, step)
    row = Extension.objects.get(case=case_id)
    assert (row.decision, row.decided_at, row.decision_event_id, row.decided_by) == ("lapsed", monday.move(), done.event_id, None)
    clock = Clock.objects.get(case=case_id, kind="extension")
    assert (clock.stopped_at, clock.met_at) == (monday.move(), None)
    assert differences(case_id) == []


def test_an_answer_may_come_after_the_time_ran_out_and_then_still_counts_from_it(world: World, monday: Frozen) -> None:
    case_id = in_hand(world)
    monday.set(local("2026-11-30 09:59"))
    take(world, case_id, "ask_extension")
    monday.set(local("2026-12-02 10:00"))
    take(world, case_id, "grant_extension")
    assert resolve(case_id).due_at == local("2026-12-01 10:00")  # a day late already, and it shows
