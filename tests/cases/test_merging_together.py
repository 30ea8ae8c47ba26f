"""Families under several hands at once: one wins, the others are told, nobody waits for ever, every log stays whole."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from lianxin.cases import actions as a
from lianxin.cases.engine import Done, On
from lianxin.cases.models import Case, State
from lianxin.cases.rebuild import differences
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.organisations.actors import reporter_for
from tests.cases.test_together import at_once, parted, step
from tests.cases.ways import another, take
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def merging(world: World, master: uuid.UUID, *duplicates: uuid.UUID) -> Callable[[], Done]:
    who = world.actor("dispatcher")
    return lambda: a.merge(On(master, who), duplicates=[str(one) for one in duplicates], reason="同一个工地。")


def sound() -> None:
    for case in Case.objects.all():
        assert differences(case.pk) == []
        assert case.duplicate_count >= case.duplicates.count()
        if case.state == State.MERGED:
            assert case.master is not None
            assert case.master.state != State.MERGED


def test_two_dispatchers_merge_crosswise(world: World) -> None:
    for _round in range(4):
        one, two = world.accepted(), world.accepted()
        won, lost = parted(at_once(merging(world, one, two), merging(world, two, one)))
        assert len(won) == len(lost) == 1
        assert isinstance(lost[0], (Conflict, Invalid))  # told who was quicker, or that it lies under the other now
        assert str(lost[0])
        states = sorted(Case.objects.filter(pk__in=(one, two)).values_list("state", flat=True))
        assert states == ["accepted", "merged"]
    sound()


def test_two_masters_want_the_same_case(world: World) -> None:
    one, two, wanted = world.accepted(), world.accepted(), another()
    won, lost = parted(at_once(merging(world, one, wanted), merging(world, two, wanted)))
    assert len(won) == len(lost) == 1
    assert Case.objects.get(pk=wanted).master_id == won[0].case_id
    sound()


def test_the_master_is_answered_while_a_case_is_taken_out(world: World) -> None:
    for _round in range(3):
        master, one, two = world.accepted(), another(), another()
        merging(world, master, one, two)()
        a.dispatch(world.on(master, "dispatcher"), lead_unit="urban")
        a.sign(world.on(master, "urban"))
        results = at_once(
            step(world, master, "reply", "urban"), step(world, one, "unmerge", "dispatcher"),
            lambda two=two: a.withdraw(On(two, reporter_for(two)), reason="好了。"),  # type: ignore[misc]
        )
        won, lost = parted(results)
        assert not lost
        assert len(won) == 3
        assert Case.objects.get(pk=master).duplicate_count == 0
        sound()


def test_a_master_withdrawn_while_it_is_merged_into(world: World) -> None:
    for _round in range(3):
        master, one, new = world.accepted(), another(), another()
        merging(world, master, one)()
        won, _lost = parted(at_once(
            lambda master=master: a.withdraw(On(master, reporter_for(master)), reason="好了。"),  # type: ignore[misc]
            merging(world, master, new)))
        assert any(done.case_id == master and done.state == "withdrawn" for done in won)
        assert Case.objects.get(pk=one).state == State.ACCEPTED
        assert Case.objects.get(pk=new).master_id in (None, one)
        take(world, new, "withdraw")
        sound()
