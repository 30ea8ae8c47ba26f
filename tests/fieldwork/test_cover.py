"""Cover and duty: whose grids are whose on a day, no two stand-ins at once, on duty by one's own check-in only."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lianxin.fieldwork import cover, duty
from lianxin.fieldwork.models import Cover, Duty
from lianxin.fieldwork.registry import Item, Worker, kind_of
from lianxin.fieldwork.workers import areas_of, worker_for
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lianxin.places.models import Area
from tests.fieldwork.town import staffed
from tests.world import World

TODAY = date(2026, 11, 23)


@pytest.fixture
def grids(world: World, monday: Frozen) -> list[Area]:
    return staffed(world)


def arrange(world: World, absent: str = "grid", stand_in: str = "grid2", first: int = 0, last: int = 4, by: str = "lead") -> Cover:
    return cover.arrange(unit=world.units["bridge"], absent=absent, stand_in=stand_in, starts_on=TODAY + timedelta(days=first),
                         ends_on=TODAY + timedelta(days=last), by=world.actor(by))


def areas(world: World, username: str, on: int = 0) -> set[int]:
    return set(areas_of(world.staff[username].pk, TODAY + timedelta(days=on)))


def test_the_stand_in_has_both_for_these_days_only(world: World, grids: list[Area]) -> None:
    own, theirs = {grids[1].pk, grids[2].pk}, grids[0].pk
    arrange(world, first=1, last=3)
    assert [areas(world, "grid2", day) for day in range(5)] == [own, own | {theirs}, own | {theirs}, own | {theirs}, own]
    assert areas(world, "grid", 2) == {theirs}  # whoever is away may still look in


def test_a_team_leads_areas_are_not_covered_with_a_grid_workers(world: World, grids: list[Area]) -> None:
    assert areas(world, "lead") == {world.areas["990101001"].pk}
    arrange(world)
    assert grids[0].pk in worker_for(world.actor("grid2")).area_ids


def test_called_off_it_holds_no_more_and_the_days_are_free(world: World, grids: list[Area]) -> None:
    made = arrange(world)
    cover.call_off(cover_id=made.pk, by=world.actor("bridge_head"))
    assert grids[0].pk not in areas(world, "grid2")
    arrange(world, stand_in="grid3")
    with pytest.raises(Conflict):
        cover.call_off(cover_id=made.pk, by=world.actor("lead"))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (4, 9), (-3, 0), (2, 2), (-3, 9)])
def test_nobody_has_two_stand_ins_at_once(world: World, grids: list[Area], first: int, last: int) -> None:
    made = arrange(world)
    with pytest.raises(Conflict) as error:
        arrange(world, stand_in="grid3", first=first, last=last)
    assert error.value.current["cover"] == str(made.pk)
    assert "grid2甲" in str(error.value)
    with pytest.raises(IntegrityError, match="cover_one_at_a_time"), transaction.atomic():
        Cover.objects.create(unit=world.units["bridge"], absent=world.staff["grid"], stand_in=world.staff["grid3"],
                             starts_on=TODAY + timedelta(days=first), ends_on=TODAY + timedelta(days=last),
                             arranged_by=world.staff["lead"])


def test_a_stand_in_is_there(world: World, grids: list[Area]) -> None:
    arrange(world)
    with pytest.raises(Conflict, match="自己也不在"):
        arrange(world, "grid3", "grid")
    with pytest.raises(Conflict, match="要替"):
        arrange(world, "grid2", "grid3")


@pytest.mark.parametrize(("said", "field"), [
    ({"stand_in": "grid"}, "stand_in"), ({"first": 4, "last": 3}, "ends_on"), ({"first": -5, "last": -1}, "ends_on"),
    ({"last": 400}, "ends_on"), ({"absent": "urban"}, "absent"), ({"stand_in": "nobody"}, "stand_in"), ({"absent": "lead"}, "absent"),
])
def test_what_cannot_be_is_said_of_its_field(world: World, grids: list[Area], said: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        arrange(world, **said)
    assert set(error.value.fields) == {field}
    assert not Cover.objects.exists()


@pytest.mark.parametrize("who", ["grid", "bridge", "urban_head", "operator", "east"])
def test_only_who_leads_the_town_arranges(world: World, grids: list[Area], who: str) -> None:
    with pytest.raises((NotAllowed, NotFound)):
        arrange(world, by=who)
    made = arrange(world, by="admin")
    with pytest.raises((NotAllowed, NotFound)):
        cover.call_off(cover_id=made.pk, by=world.actor(who))


def test_the_same_submission_is_one_cover(world: World, grids: list[Area]) -> None:
    said: dict[str, Any] = {"unit": world.units["bridge"], "absent": "grid", "stand_in": "grid2", "starts_on": TODAY, "ends_on": TODAY,
                            "by": world.actor("lead"), "key": b"k" * 32}
    assert cover.arrange(**said).pk == cover.arrange(**said).pk


def check_in(world: World, who: str, *, on: bool) -> None:
    worker: Worker = worker_for(world.actor(who))
    kind = kind_of("duty")
    kind.handle(worker, Item(uuid.uuid4(), "duty", now(), now(), kind.model.model_validate({"on": on}), {}))


def test_on_duty_is_who_said_so_today(world: World, grids: list[Area], monday: Frozen) -> None:
    ids = [world.staff[name].pk for name in ("grid", "grid2", "grid3")]
    assert duty.on_duty(ids, at=now()) == {}
    check_in(world, "grid", on=True)
    since = now()
    monday.move(minutes=30)
    check_in(world, "grid2", on=True)
    monday.move(minutes=30)
    check_in(world, "grid2", on=False)
    assert duty.on_duty(ids, at=now()) == {ids[0]: since}
    monday.move(hours=14)  # past midnight
    assert duty.on_duty(ids, at=now()) == {}


def test_check_ins_are_deleted_after_their_days(world: World, grids: list[Area], monday: Frozen) -> None:
    check_in(world, "grid", on=True)
    monday.move(days=settings.LIANXIN_DUTY_DAYS - 1)
    check_in(world, "grid", on=True)
    assert duty.forget_old(now()) == 0
    monday.move(days=2)
    assert duty.forget_old(now()) == 1
    assert Duty.objects.count() == 1


class Arranging(TestCase):
    """Whatever leads arrange: no day on which a worker has two stand-ins, or stands in while away."""

    @examples(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["grid", "grid2", "grid3"]), st.sampled_from(["grid", "grid2", "grid3"]),
                              st.integers(0, 8), st.integers(0, 4), st.booleans()), min_size=1, max_size=10))
    def test_random_covers(self, steps: list[tuple[str, str, int, int, bool]]) -> None:
        from datetime import UTC, datetime

        from lianxin.kernel import clock

        with clock.frozen(datetime(2026, 11, 23, 2, 0, tzinfo=UTC)):
            world = World.make()
            staffed(world)
            for absent, stand_in, first, length, off in steps:
                try:
                    made = arrange(world, absent, stand_in, first, first + length)
                    if off:
                        cover.call_off(cover_id=made.pk, by=world.actor("lead"))
                except DomainError:
                    continue
            for day in range(14):
                held = list(cover.away(TODAY + timedelta(days=day)))
                gone = [one.absent_id for one in held]
                assert len(gone) == len(set(gone))
                assert not set(gone) & {one.stand_in_id for one in held}


@pytest.mark.parametrize(("change", "name"), [
    ({"stand_in_id": "absent"}, "cover_by_somebody_else"), ({"ends_on": TODAY - timedelta(days=1)}, "cover_ends_after_it_starts"),
    ({"ended_at": "now"}, "cover_called_off_by_somebody"), ({"ended_by_id": "absent"}, "cover_called_off_by_somebody"),
])
def test_the_database_holds_it_too(world: World, grids: list[Area], change: dict[str, Any], name: str) -> None:
    made = arrange(world)
    said = {"absent": made.absent_id, "now": now()}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Cover.objects.update(**{field: said.get(value, value) if isinstance(value, str) else value for field, value in change.items()})
