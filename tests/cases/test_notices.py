"""Who finds which notice on their desk, and who opened it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianxin.cases import inbox
from lianxin.cases.models import Case, Notice
from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid, NotFound
from tests.cases.test_clocks import local
from tests.cases.test_sweep import alone, missed
from tests.cases.ways import take
from tests.world import World

pytestmark = pytest.mark.django_db


def told(world: World, name: str) -> list[tuple[str, str]]:
    return sorted((one.level, one.kind) for one in inbox.inbox(world.actor(name)).rows)


def test_each_person_sees_their_own(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    monday.set(local("2026-11-27 10:00"))
    sweep()
    monday.set(local("2026-12-07 10:00"))
    sweep()
    assert Notice.objects.filter(case=case_id).count() == 5
    assert told(world, "urban") == [("reminder", "resolve")]
    assert told(world, "urban2") == []  # a colleague has it in hand
    assert told(world, "urban_head") == [("escalation", "resolve")]
    assert told(world, "supervisor") == [("circular", "resolve"), ("escalation", "resolve")]
    assert told(world, "leader") == [("circular", "resolve")]
    for name in ("operator", "dispatcher", "reviewer", "callback", "housing", "grid", "admin", "east", "east_supervisor"):
        assert told(world, name) == [], name
    Case.objects.filter(pk=case_id).update(county=world.areas["990101"])
    assert told(world, "east_supervisor") == [("circular", "resolve"), ("escalation", "resolve")]
    Case.objects.filter(pk=case_id).update(county=world.areas["990102"])
    assert told(world, "east_supervisor") == []


def test_before_anyone_signs_every_clerk_of_the_unit_is_told(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    take(world, case_id, "dispatch", assisting_units=[])
    monday.move(hours=4, minutes=30)
    sweep()
    assert ("reminder", "sign_for") in told(world, "urban")
    assert told(world, "urban") == told(world, "urban2")


def test_the_hotlines_own_duties_go_to_the_desk_that_has_them(world: World, monday: Frozen) -> None:
    case_id = alone(world)
    take(world, case_id, "raise_return")
    missed(monday.move())
    other = alone(world)
    take(world, other, "reply")
    take(world, other, "approve")
    monday.set(local("2026-11-24 09:00"))
    sweep()
    assert told(world, "dispatcher") == [("reminder", "ruling")]
    monday.set(local("2026-11-26 09:00"))
    sweep()
    assert told(world, "callback") == [("reminder", "callback")]
    assert ("escalation", "missed_call") in told(world, "supervisor")
    assert told(world, "operator") == []  # the reminder of the call came too late to be said


def test_seen_once_it_is_opened_by_whom_and_when(world: World, monday: Frozen) -> None:
    alone(world)
    monday.set(local("2026-11-30 10:00"))
    sweep()
    head, supervisor = world.actor("urban_head"), world.actor("supervisor")
    assert (inbox.unseen_count(head), inbox.unseen_count(supervisor)) == (1, 1)
    mine = inbox.inbox(head).rows[0]
    with pytest.raises(NotFound):
        inbox.open_notice(world.actor("housing"), mine.pk)
    with pytest.raises(NotFound):
        inbox.open_notice(supervisor, mine.pk)
    monday.move(minutes=3)
    assert inbox.open_notice(head, mine.pk).seen_by == world.staff["urban_head"]
    monday.move(minutes=3)
    again = inbox.open_notice(head, mine.pk)
    assert again.seen_at == local("2026-11-30 10:03")
    assert (inbox.unseen_count(head), inbox.unseen_count(supervisor)) == (0, 1)
    assert not inbox.inbox(head, unseen=True).rows
    assert len(inbox.inbox(head).rows) == 1
    assert inbox.open_all(supervisor) == 1
    assert inbox.open_all(supervisor) == 0


def test_pages_follow_one_another_without_a_gap(world: World, monday: Frozen) -> None:
    for _each in range(7):
        alone(world)
        monday.move(minutes=1)
    monday.set(local("2026-12-07 12:00"))
    sweep()
    actor, seen, after = world.actor("supervisor"), [], ""
    while True:
        page = inbox.inbox(actor, limit=3, after=after)
        seen += [one.pk for one in page.rows]
        after = page.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == 14
    assert inbox.inbox(actor, level="circular").rows != inbox.inbox(actor).rows
    for wrong in ("x", "W10", "@@@"):
        with pytest.raises(Invalid):
            inbox.inbox(actor, after=wrong)


def test_counting_asks_once_for_each_post(world: World, monday: Frozen) -> None:
    alone(world)
    monday.set(local("2026-11-30 10:00"))
    sweep()
    head = world.actor("urban_head")
    inbox.unseen_count(head)
    with CaptureQueriesContext(connection) as asked:
        inbox.unseen_count(head)
    assert len(asked) <= 2
