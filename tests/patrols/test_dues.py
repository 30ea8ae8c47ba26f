"""When places fall due: by the last time, the interval and the calendar; and what a telephone is given of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lianxin.fieldwork.registry import SECTIONS, Worker
from lianxin.kernel.clock import Frozen
from lianxin.organisations.actors import actor_for
from lianxin.patrols.dues import dues
from lianxin.patrols.models import Inspection, Round
from lianxin.places.models import Site
from tests.patrols.made import GOOD, round_of, sites, text_of, version
from tests.world import World

pytestmark = pytest.mark.django_db


def done(world: World, at: datetime, *, site: str = "school", number: int = 1) -> None:
    form = version_of(number)
    Inspection.objects.create(pk=uuid.uuid4(), version=form, site=Site.objects.get(code=site), staff=world.staff["grid"], at=at,
                              answers=GOOD)


def version_of(number: int) -> Any:
    from lianxin.patrols.models import FormVersion

    return FormVersion.objects.filter(number=number).first() or version(number)


@pytest.fixture
def walked(world: World, monday: Frozen) -> Callable[..., Round]:
    """A round over a school, a market and a village, with the fields that are given."""
    sites(world)
    form = version().form
    return lambda **more: round_of(world, form, **more)


def school() -> Any:
    return next(one for one in dues(None) if one.site and one.site.code == "school")


# Days from one time to the next, calendar, last time (the day; None: never) → the day due, the hour it ends (Beijing), the first
# day it is offered. The clock stands at Monday 23 November 2026; the round begins on Monday 16 November.
DUE = [
    (7, "working", None, date(2026, 11, 23), 17, date(2026, 11, 19)),  # 7 days after Sunday the 15th is Sunday the 22nd
    (7, "around_the_clock", None, date(2026, 11, 22), 24, date(2026, 11, 19)),
    (1, "working", None, date(2026, 11, 16), 17, date(2026, 11, 16)),
    (1, "working", date(2026, 11, 20), date(2026, 11, 23), 17, date(2026, 11, 21)),  # Friday's next is Monday
    (1, "around_the_clock", date(2026, 11, 23), date(2026, 11, 24), 24, date(2026, 11, 24)),
    (30, "working", date(2026, 11, 20), date(2026, 12, 21), 17, date(2026, 12, 5)),  # the 20th is a Sunday
    (7, "working", date(2026, 9, 30), date(2026, 11, 23), 17, date(2026, 11, 19)),  # before the round began: as if never
    (366, "working", date(2026, 11, 20), date(2027, 11, 22), 17, date(2027, 5, 22)),
]


@pytest.mark.parametrize(("every", "calendar", "last", "day", "hour", "opens"), DUE)
def test_a_place_falls_due(walked: Callable[..., Round], world: World, every: int, calendar: str, last: date | None, day: date,
                           hour: int, opens: date) -> None:
    walked(every=every, calendar=calendar)
    if last is not None:
        done(world, datetime(last.year, last.month, last.day, 3, tzinfo=UTC))
    found = school()
    assert (found.day, found.opens) == (day, opens)
    last_minute = timedelta(minutes=1 if hour == 24 else 0)
    assert found.at == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 8) - last_minute


def test_any_version_of_the_form_at_the_place_counts(walked: Callable[..., Round], world: World, monday: Frozen) -> None:
    walked()
    assert school().overdue is False
    monday.move(days=3)
    assert school().overdue is True
    version(2, text_of(settings=("form_title,form_title_en,form_id", "消防,Fire,exits")))
    done(world, datetime(2026, 11, 25, 3, tzinfo=UTC), number=2)
    assert school().day == date(2026, 12, 2)
    done(world, datetime(2026, 11, 26, 3, tzinfo=UTC), site="market")
    assert school().day == date(2026, 12, 2), "another place's time is its own"


def test_rounds_begin_and_end(walked: Callable[..., Round], monday: Frozen) -> None:
    made = walked(start=date(2026, 11, 24), valid_to=date(2026, 12, 1))
    assert dues(None) == []
    monday.move(days=1)
    assert len(dues(None)) == 3
    monday.move(days=7)
    assert dues(None) == []
    monday.move(days=-3)
    for gone in (made, made.form):
        gone.active = False
        gone.save()
        assert dues(None) == []
        gone.active = True
        gone.save()


def test_the_soonest_stands_first_and_only_ones_own(walked: Callable[..., Round], world: World) -> None:
    walked()
    done(world, datetime(2026, 11, 20, 3, tzinfo=UTC))
    assert [one.name for one in dues(None)] == ["西县市场", "花园社区", "花园小学"]
    own = {name: {one.name for one in dues([world.areas[name].pk])} for name in ("990101001", "990101001001", "990102", "9901")}
    assert own["990101001"] == {"花园社区", "花园小学"}
    assert own["990101001001"] == {"花园社区", "花园小学"}, "written down under the town, it stands in the village"
    assert own["990102"] == {"西县市场"}
    assert own["9901"] == {"花园社区", "花园小学", "西县市场"}
    assert dues([]) == []


def test_what_a_telephone_is_given(walked: Callable[..., Round], world: World, monday: Frozen) -> None:
    walked()
    version(2, text_of(settings=("form_title,form_title_en,form_id", "消防,Fire,exits")))
    worker = Worker(actor_for(world.staff["grid"]), world.staff["grid"].pk, None, (world.areas["990101001"].pk,))
    forms = SECTIONS["forms"](worker)
    assert [(one["code"], one["version"], one["name"], one["name_en"]) for one in forms] == [("exits", 2, "消防", "Fire")]
    assert forms[0]["questions"][0]["name"] == "clear"
    tasks = SECTIONS["tasks.rounds"](worker)
    assert {one["id"] for one in tasks} == {"exits_weekly:school", "exits_weekly:990101001001"}
    first = next(one for one in tasks if one["site"])
    assert [first[key] for key in ("kind", "title", "place", "form", "version")] == ["round", "每周看通道", "花园小学", "exits", 2]
    assert (first["due_at"], first["last_at"], first["lon"]) == ("2026-11-23T17:00:00+08:00", None, 113.1)
    done(world, datetime(2026, 11, 23, 1, tzinfo=UTC))
    assert {one["id"] for one in SECTIONS["tasks.rounds"](worker)} == {"exits_weekly:990101001001"}, "half its interval is to come"


def test_reading_what_is_due_costs_the_same_however_many(walked: Callable[..., Round], world: World,
                                                         django_assert_num_queries: Any) -> None:
    made = walked()
    dues(None)  # the reference picture is read
    with django_assert_num_queries(3):
        dues(None)
    for n in range(20):
        site = Site.objects.create(code=f"s{n}", name=f"第{n}处", kind="school", area=world.areas["990101001"], lon=113.1, lat=29.1)
        made.places.create(site=site)
    with django_assert_num_queries(3):
        assert len(dues(None)) == 23
