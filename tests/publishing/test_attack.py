"""Somebody tries to find their neighbours again.

Sixty reporters are planted among a month and a half of a small city's matters. The attacker knows of each the village, the day and
exactly what it was about, knows every rule, has planted matters of their own before and after, and has kept every state of the public
record. They look for the one record that is the neighbour's. With the rules they do no better than guessing one of five; with the
rules switched off they find nearly everyone, so the attack is a real one.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import localtime

from lianxin.cases import reference as held_reference
from lianxin.cases.models import Case, Category
from lianxin.cases.reference import reference
from lianxin.kernel import clock
from lianxin.kernel.ids import case_number, uuid7
from lianxin.places.models import Area
from lianxin.publishing import rules
from lianxin.publishing.models import Record
from lianxin.publishing.records import refresh
from tests.world import World

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 9, 6, 16, tzinfo=UTC)  # Monday 7 September, 00:00 in the city
DAYS, MATTERS, PLANTED = 42, 1_400, 60
STEP = 6  # days between two states that the attacker keeps

Likeness = tuple[Any, ...]


@dataclass(slots=True)
class Matter:
    """One matter that really happened."""

    at: datetime
    village: Area
    category: Category
    key: uuid.UUID = field(default_factory=uuid7)
    number: str = ""

    @property
    def day(self) -> date:
        return localtime(self.at).date()


@dataclass(slots=True)
class City:
    """What really happened, and the states of the public record that anyone could keep."""

    matters: list[Matter]
    planted: list[Matter]
    states: list[dict[str, Record]] = field(default_factory=list)

    def live(self) -> None:
        """Six weeks and the months after, with what is public kept every few days."""
        left = list(self.matters)
        for day in [*range(STEP, DAYS + STEP, STEP), DAYS + 14, DAYS + 45]:
            at = BEGIN + timedelta(days=day)
            with clock.frozen(at):
                come, left = [one for one in left if one.at < at], [one for one in left if one.at >= at]
                with transaction.atomic():
                    Case.objects.bulk_create(
                        Case(id=one.key, number=one.number, tracking_digest=one.key.bytes * 2, channel="web", words="坏了",
                             registered_at=one.at, category=one.category, area=one.village, county_id=one.village.county_id,
                             lon=113.1 + one.at.minute / 1e4, lat=29.1 + one.at.second / 1e4)
                        for one in come)
                refresh(whole=True)
                self.states.append({record.number: record for record in Record.objects.select_related("area", "category")})


@pytest.fixture
def city(world: World) -> Iterator[City]:
    """Two counties of three towns of four villages, eight kinds of matters; some places and kinds are much commoner."""
    chance = random.Random(20261127)
    villages = []
    for county in (world.areas["990101"], world.areas["990102"]):
        for t in range(3):
            town = Area.objects.create(code=f"{county.code}8{t:02}", name=f"镇{t}", level="town", parent=county, county=county, lon=113.1,
                                       lat=29.1)
            villages += [Area.objects.create(code=f"{town.code}{v:03}", name=f"村{v}", level="village", parent=town, county=county,
                                             town=town, lon=113.1, lat=29.1) for v in range(4)]
    top = Category.objects.create(code="02", name="农业农村", level=1)
    middle = Category.objects.create(code="0201", name="农村", level=2, parent=top)
    kinds = [*world.categories.values(), *(Category.objects.create(code=f"02010{n}", name=f"事{n}", level=3, parent=middle, is_leaf=True)
                                           for n in range(3))]
    Category.objects.filter(code="010101").update(publicity="cell")
    held_reference.forget()
    matters = [Matter(BEGIN + timedelta(seconds=chance.randrange(DAYS * 86_400)),
                      chance.choices(villages, weights=[1 / (n + 1) for n in range(24)])[0],
                      chance.choices(kinds, weights=[8, 5, 3, 2, 2, 2, 1, 1])[0]) for _each in range(MATTERS)]
    matters.sort(key=lambda one: one.at)
    for serial, one in enumerate(matters, 1):
        one.number = case_number(2026, serial)
    yield City(matters, chance.sample(matters, PLANTED))
    held_reference.forget()


def likeness(record: Record) -> Likeness:
    """What a neighbour can compare: where, when, what. The cell of a matter of public space is not what they know."""
    place = record.area_id
    return place, record.dated, record.opened_at, record.category_id


def fits(record: Record, victim: Matter) -> bool:
    """Whether a record could be of a matter of which village, day and category are known."""
    held = reference()
    start = localtime(record.opened_at).date()
    return (record.area_id in held.places[victim.village.pk].lineage
            and rules.span_start(record.dated, victim.day) == start
            and (record.category_id is None or record.category_id in held.nodes[victim.category.pk].lineage))


def crowds(state: dict[str, Record], victim: Matter) -> dict[Likeness, list[Record]]:
    """The records that could be the victim's, by how they look."""
    found: dict[Likeness, list[Record]] = defaultdict(list)
    for record in state.values():
        if fits(record, victim):
            found[likeness(record)].append(record)
    return found


def finest(found: dict[Likeness, list[Record]]) -> list[Record]:
    return min(found.values(), key=len)


def success(city: City, state: dict[str, Record]) -> float:
    """How often the attacker names the right record who guesses within the smallest crowd that fits: the exact expectation."""
    right = 0.0
    for victim in city.planted:
        found = crowds(state, victim)
        if found:
            chosen = finest(found)
            right += any(record.case_id == victim.key for record in chosen) / len(chosen)
    return right / len(city.planted)


def test_neighbours_are_not_found(city: City) -> None:
    city.live()
    last = city.states[-1]
    shown = sum(one.key in {record.case_id for record in last.values()} for one in city.matters)
    assert shown >= 0.95 * MATTERS, "hardly anything is kept back"
    assert success(city, last) <= 1 / rules.K
    # Whichever of the crowds an attacker trusts in, at any time, guessing within it is right at most once in five.
    for state in city.states:
        for victim in city.planted:
            assert all(len(crowd) >= rules.K for crowd in crowds(state, victim).values())
    # What appears between two states appears in crowds as well: nothing is won by having kept them.
    for earlier, later in zip([{}, *city.states], city.states, strict=False):
        fresh = Counter(likeness(later[number]) for number in later.keys() - earlier.keys())
        assert all(count >= rules.K for count in fresh.values())
        assert all(likeness(later[number]) == likeness(record) for number, record in earlier.items()), "nobody is shown finer later"


    numbers_and_times_tell_no_order(city, last)


def numbers_and_times_tell_no_order(city: City, state: dict[str, Record]) -> None:
    """The attacker knows between which serials of their own the neighbour's lies, and takes the record whose number comes at the same
    place in the order of its crowd. Times of change and revisions are the same for a whole crowd."""
    order = {one.key: place for place, one in enumerate(city.matters)}
    alike: dict[Likeness, list[Record]] = defaultdict(list)
    for record in state.values():
        alike[likeness(record)].append(record)
    hits = 0
    for crowd in alike.values():
        assert len({(record.changed_at, record.revision) for record in crowd}) == 1
        by_time = sorted(crowd, key=lambda record: order[record.case_id])
        hits += sum(one is other for one, other in zip(by_time, sorted(crowd, key=lambda record: record.number), strict=True))
    # In each crowd chance puts one at its right place; four standard deviations of so many crowds.
    assert abs(hits - len(alike)) < 4 * len(alike) ** 0.5


def test_without_the_rules_nearly_everyone_is_found(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "K", 1)
    city.live()
    assert success(city, city.states[-1]) > 0.75
