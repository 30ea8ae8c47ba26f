"""Listed supervision: who may do what when, milestones before the end, and an end that nobody confirms for themselves."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from lianxin.cases.models import Case, Event, State, Supervised
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.supervision import listing as service
from lianxin.supervision.listing import Planned
from lianxin.supervision.models import Listing, ListingEntry, ListingState, ListingStep
from lianxin.supervision.queries import late, listing_named, listings
from tests.cases.ways import at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db
STEPS = [Planned("查清漏点", date(2026, 12, 1)), Planned("换管", date(2026, 12, 20))]


def number(case_id: uuid.UUID) -> str:
    return Case.objects.get(pk=case_id).number


def issued(world: World, *cases: uuid.UUID, **more: Any) -> Listing:
    fields: dict[str, Any] = {
        "title": "花园社区反复停水", "criteria": "连续三十天不停水。\n抽访十户都说好了。", "unit": "urban",
        "leader_name": "李某", "leader_title": "副局长", "due_on": date(2026, 12, 31),
        "cases": [number(case_id) for case_id in cases or (at_state(world, State.IN_HAND),)],
    }
    return service.issue(by=world.actor("supervisor"), **(fields | more))


def to_delisting(world: World, one: Listing) -> Listing:
    service.plan(one.pk, by=world.actor("urban"), words="换掉老管。", milestones=STEPS)
    for milestone in one.milestones.all():
        service.complete(one.pk, by=world.actor("urban"), milestone=milestone.pk, proof="验收单")
    return service.request_delisting(one.pk, by=world.actor("urban_head"), words="标准都达到了。")


def test_the_whole_way(world: World, monday: Frozen) -> None:
    cases = [at_state(world, State.IN_HAND), at_state(world, State.REPLIED)]
    one = issued(world, *cases)
    assert one.number == "挂牌督办〔2026〕1 号"
    assert set(Case.objects.filter(pk__in=cases).values_list("supervised", flat=True)) == {Supervised.LISTED}
    to_delisting(world, one)
    service.refuse_delisting(one.pk, by=world.actor("reviewer"), words="三号楼昨天又停了。")
    service.request_delisting(one.pk, by=world.actor("urban"), words="三号楼已修。")
    done = service.confirm_delisting(one.pk, by=world.actor("callback"), finding="走访十户，均说好了。")
    assert done.state == ListingState.DELISTED
    assert set(Case.objects.filter(pk__in=cases).values_list("supervised", flat=True)) == {Supervised.NONE}
    assert list(ListingEntry.objects.values_list("step", flat=True)) == [
        "issue", "plan", "milestone", "milestone", "request", "refuse", "request", "confirm"]
    for case_id in cases:
        assert list(Event.objects.filter(case=case_id, action__contains="list_supervision").values_list("action", flat=True)) == [
            "list_supervision", "delist_supervision"]
        assert differences(case_id) == []


def test_nobody_confirms_what_they_had_a_hand_in(world: World, monday: Frozen) -> None:
    one = to_delisting(world, issued(world))
    for name in ("supervisor", "urban", "urban_head", "leader", "operator", "housing"):
        with pytest.raises(NotAllowed):
            service.confirm_delisting(one.pk, by=world.actor(name), finding="好了。")
    # A reviewer who also works for the unit is of the unit.
    RoleGrant.objects.create(staff=world.staff["reviewer"], role=Role.CLERK, unit=world.units["urban"])
    with pytest.raises(NotAllowed):
        service.confirm_delisting(one.pk, by=world.actor("reviewer"), finding="好了。")
    second = Staff.objects.create(username="supervisor2", name="乙", unit=world.units["hotline"])
    RoleGrant.objects.create(staff=second, role=Role.SUPERVISOR, unit=world.units["hotline"])
    world.staff["supervisor2"] = second
    assert service.confirm_delisting(one.pk, by=world.actor("supervisor2"), finding="看过了。").state == "delisted"


def test_the_database_too_knows_that_nobody_confirms_for_themselves(world: World, monday: Frozen) -> None:
    one = to_delisting(world, issued(world))
    for column in ("issued_by_id", "requested_by_id"):
        with pytest.raises(DatabaseError, match="independent"), transaction.atomic():
            Listing.objects.filter(pk=one.pk).update(
                state="delisted", delisted_at=one.issued_at, finding="好", delisted_by_id=getattr(one, column))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE supervision_listingentry SET words = ''")


@pytest.mark.parametrize(("fields", "named"), [
    ({"title": " "}, "title"), ({"criteria": ""}, "criteria"), ({"unit": "nowhere"}, "unit"), ({"unit": "closed"}, "unit"),
    ({"due_on": date(2026, 11, 23)}, "due_on"), ({"cases": []}, "cases"), ({"cases": ["nonsense"]}, "cases"),
    ({"title": "字" * 81}, "title"), ({"leader_name": ""}, "leader_name"),
])
def test_what_is_missing_is_named_and_nothing_is_written(world: World, monday: Frozen, fields: dict[str, Any],
                                                         named: str) -> None:
    with pytest.raises(Invalid) as caught:
        issued(world, **fields)
    assert named in caught.value.fields
    assert not Listing.objects.exists()


def test_a_case_that_has_ended_is_not_listed(world: World, monday: Frozen) -> None:
    with pytest.raises(Invalid) as caught:
        issued(world, at_state(world, State.CLOSED))
    assert "cases" in caught.value.fields


def test_milestones_come_before_the_end(world: World, monday: Frozen) -> None:
    one = issued(world)
    urban = world.actor("urban")
    with pytest.raises(Conflict):
        service.request_delisting(one.pk, by=urban, words="好了。")
    service.plan(one.pk, by=urban, words="换管。", milestones=STEPS)
    with pytest.raises(Conflict) as caught:
        service.request_delisting(one.pk, by=urban, words="好了。")
    assert caught.value.code == "milestones_open"
    first = one.milestones.get(position=1)
    service.complete(one.pk, by=urban, milestone=first.pk, proof="报告")
    with pytest.raises(Conflict):
        service.complete(one.pk, by=urban, milestone=first.pk, proof="再报一次")
    # Planned anew: what is done stays done.
    service.plan(one.pk, by=urban, words="改成分段换。", milestones=[Planned("换东段", date(2026, 12, 10))])
    assert list(one.milestones.values_list("title", flat=True)) == ["查清漏点", "换东段"]
    with pytest.raises(Invalid):
        service.plan(one.pk, by=urban, words="晚些。", milestones=[Planned("换", date(2027, 3, 1))])


def test_a_later_day_is_given_in_the_open(world: World, monday: Frozen) -> None:
    one = issued(world)
    with pytest.raises(NotAllowed):
        service.move(one.pk, by=world.actor("housing"), due_on=date(2027, 1, 31), words="来不及。")
    with pytest.raises(Conflict):
        service.move(one.pk, by=world.actor("urban"), due_on=date(2027, 1, 31), words="来不及。")
    service.move(one.pk, by=world.actor("supervisor"), due_on=date(2027, 1, 31), words="管材未到。")
    assert ListingEntry.objects.get(step=ListingStep.MOVE).words.startswith("2026-12-31 → 2027-01-31")


def test_whoever_saw_an_older_version_is_told(world: World, monday: Frozen) -> None:
    one = issued(world)
    service.plan(one.pk, by=world.actor("urban"), words="换管。", milestones=STEPS, version=1)
    with pytest.raises(Conflict) as caught:
        service.plan(one.pk, by=world.actor("urban2"), words="另一个方案。", milestones=STEPS, version=1)
    assert caught.value.current["version"] == 2
    with pytest.raises(NotFound):
        service.plan(uuid.uuid4(), by=world.actor("urban"), words="换管。", milestones=STEPS)


def test_what_is_late_is_counted(world: World, monday: Frozen) -> None:
    one = issued(world)
    service.plan(one.pk, by=world.actor("urban"), words="换管。", milestones=STEPS)
    found = listing_named(2026, 1)
    assert found is not None
    assert [late(found, day) for day in (date(2026, 12, 1), date(2026, 12, 2), date(2027, 1, 2))] == [0, 1, 3]
    assert [row.pk for row in listings()] == [one.pk]
    assert listings(open_only=True, unit_ids=frozenset({world.units["water"].pk})) == []


def test_a_written_order_outlives_the_listing(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "supervise")
    one = to_delisting(world, issued(world, case_id))
    service.confirm_delisting(one.pk, by=world.actor("callback"), finding="好了。")
    assert Case.objects.get(pk=case_id).supervised == Supervised.WRITTEN


def test_no_step_of_the_hotline_is_open_to_a_county(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    one = issued(world, case_id)
    county, reviewer = world.actor("east_supervisor"), Staff.objects.create(username="r", name="丙", unit=world.units["east"])
    RoleGrant.objects.create(staff=reviewer, role=Role.REVIEWER, unit=world.units["east"])
    world.staff["r"] = reviewer
    with pytest.raises(NotAllowed):
        service.issue(by=county, title="甲", criteria="乙", unit="urban", leader_name="李", leader_title="长",
                      due_on=date(2026, 12, 31), cases=[number(case_id)])
    with pytest.raises(NotAllowed):
        service.move(one.pk, by=county, due_on=date(2027, 1, 31), words="缓一缓。")
    to_delisting(world, one)
    for actor in (county, world.actor("r")):
        assert service.steps_for(actor, Listing.objects.get()) == []
        with pytest.raises(NotAllowed):
            service.confirm_delisting(one.pk, by=actor, finding="好了。")
        with pytest.raises(NotAllowed):
            service.refuse_delisting(one.pk, by=actor, words="没好。")


def test_the_same_matter_sent_again_is_the_same_listing(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [number(at_state(world, State.IN_HAND)) for _ in range(2)]
    key = b"k" * 32
    one = issued(world, cases=cases, key=key)
    service.move(one.pk, by=world.actor("supervisor"), due_on=date(2027, 1, 31), words="天冷，缓一缓。")
    assert issued(world, cases=cases, key=key).pk == one.pk
    for other in ({"due_on": date(2026, 12, 30)}, {"cases": cases[:1]}, {"leader_title": "局长"}, {"unit": "housing"}):
        with pytest.raises(Conflict) as caught:
            issued(world, **({"cases": cases, "key": key} | other))
        assert caught.value.code == "key_reused"
    monday.move(days=60)  # the last day is over, and the cases may have ended: what was sent is still what was sent
    assert issued(world, cases=cases, key=key).pk == one.pk


def test_two_at_one_moment_make_one_listing(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, key = [number(at_state(world, State.IN_HAND))], b"k" * 32
    one = issued(world, cases=cases, key=key)
    look, seen = service._issued_already, list[int]()

    def not_yet(key: bytes | None, asked: bytes) -> Listing | None:
        seen.append(1)
        return look(key, asked) if len(seen) > 1 else None  # the other's was not there when this one looked

    monkeypatch.setattr(service, "_issued_already", not_yet)
    assert issued(world, cases=cases, key=key).pk == one.pk
    monkeypatch.undo()
    assert issued(world).serial == one.serial + 1  # and no number was lost
