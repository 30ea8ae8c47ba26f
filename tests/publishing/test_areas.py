"""How a place is doing: counted by whole weeks, small numbers kept back, every level of areas."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lianxin.kernel.clock import Frozen, now
from lianxin.publishing import areas
from lianxin.publishing.areas import Window, page_of, place_of
from lianxin.publishing.typical import Span, typical
from lianxin.worktime.calendar import CHINA
from tests.publishing.facts import called, episode, stand_at
from tests.world import World

pytestmark = pytest.mark.django_db
VILLAGE, TOWN, EAST, WEST, CITY = "990101001001", "990101001", "990101", "990102", "9901"


def page(code: str) -> areas.Page:
    place = place_of(code)
    assert place is not None
    found = page_of(place)
    assert found is not None
    return found


@pytest.fixture
def lived(world: World, monday: Frozen) -> datetime:
    """Twelve in the village, closed after one to twelve days; eight in the west, all open; four of the city itself."""
    then = now() - timedelta(days=60)
    stand_at(now(), [
        *(episode(VILLAGE, then, 24 * days) for days in range(1, 13)), *(episode(WEST, then) for _each in range(8)),
        *(episode(EAST, then, 48) for _each in range(20)), *(episode("", then) for _each in range(6)),
    ])
    return then


def test_before_any_facts_there_is_no_page(world: World, monday: Frozen) -> None:
    place = place_of(CITY)
    assert place is not None
    assert page_of(place) is None


def test_each_level_counts_what_lies_in_it(lived: datetime) -> None:
    village, town, east, city = page(VILLAGE), page(TOWN), page(EAST), page(CITY)
    assert [one.area.tally.registered for one in (village, town, east, city) if one.area.tally] == [12, 12, 32, 46]
    assert east.area.tally
    assert (east.area.tally.open, east.area.tally.closed) == (0, 32)
    assert {part.code: part.tally.registered for part in city.parts if part.tally} == {EAST: 32, WEST: 8}
    west = next(part for part in city.parts if part.code == WEST)
    assert west.open_said == 8
    assert west.typical is None  # nothing was closed: no usual time
    assert [part.code for part in town.parts] == [VILLAGE]
    assert village.parts == ()


def test_the_typical_time_counts_those_that_wait(lived: datetime) -> None:
    found = page(VILLAGE).area.typical
    assert found is not None
    assert (found.quarter, found.half, found.three_quarters) == (72, 144, 216)
    city = page(CITY).area.typical
    waited = int((datetime(2026, 11, 23, tzinfo=CHINA) - lived).total_seconds() // 3600)
    assert city == typical([*(Span(24 * n, True) for n in range(1, 13)), Span(48, True, 20), Span(waited, False, 14)])


def test_small_numbers_and_what_would_tell_them_are_kept_back(world: World, monday: Frozen) -> None:
    then = now() - timedelta(days=30)
    stand_at(now(), [episode(WEST, then, 5) for _each in range(3)] + [episode(VILLAGE, then, 5) for _each in range(30)])
    city = page(CITY)
    assert city.area.tally
    assert city.area.tally.registered == 33
    assert all(part.tally is None for part in city.parts)  # 33 less the one would be the other
    for code in (WEST, EAST, TOWN, VILLAGE):
        hidden = page(code)
        assert not hidden.shown
        assert (hidden.area.typical, hidden.blocks, hidden.rates) == (None, (), {})


def test_one_to_four_open_are_not_counted_out(world: World, monday: Frozen) -> None:
    then = now() - timedelta(days=30)
    stand_at(now(), [episode(VILLAGE, then, 5) for _each in range(9)] + [episode(VILLAGE, then)])
    found = page(VILLAGE).area
    assert found.tally
    assert found.tally.open == 1
    assert found.open_said is None


def test_figures_stand_still_through_the_week(lived: datetime, monday: Frozen) -> None:
    """Who looks each day learns nothing of a day."""
    first = page(VILLAGE).area
    stand_at(now() + timedelta(days=2), [episode(VILLAGE, now() + timedelta(hours=1)) for _each in range(7)])
    monday.move(days=2)
    assert page(VILLAGE).area == first
    stand_at(now() + timedelta(days=7), [])
    monday.move(days=7)
    later = page(VILLAGE).area
    assert later.tally
    assert later.tally.registered == 19


def test_weeks_are_whole_and_the_year_before_is_as_long(lived: datetime) -> None:
    window = Window.before(datetime(2026, 11, 29, 15, 59, tzinfo=CHINA))
    assert (window.start, window.end) == (date(2025, 11, 24), date(2026, 11, 23))
    assert window.back(52).end == window.start
    assert Window.before(datetime(2026, 11, 23, 0, 0, tzinfo=CHINA)).end == date(2026, 11, 23)


def test_blocks_follow_a_place_over_two_years(world: World, monday: Frozen) -> None:
    rows = [episode(VILLAGE, now() - timedelta(days=ago), hours) for ago, hours in ((30, 24), (120, 240)) for _each in range(11)]
    stand_at(now(), rows)
    found = page(VILLAGE)
    assert [block.typical.half for block in found.blocks[-2:]] == [240, 24]
    assert [block.typical.few for block in found.blocks[:6]] == [True] * 6
    assert found.blocks[-1].window.end == found.window.end


def test_declined_and_withdrawn_are_no_quick_solutions(world: World, monday: Frozen) -> None:
    then = now() - timedelta(days=30)
    stand_at(now(), [episode(VILLAGE, then, 100) for _each in range(10)]
             + [episode(VILLAGE, then, 1, state=state) for state in ("declined", "withdrawn") for _each in range(10)])
    found = page(VILLAGE).area
    assert found.typical
    assert found.tally
    assert found.typical.half == 100
    assert (found.tally.registered, found.tally.closed) == (30, 10)


@pytest.mark.parametrize("code", [VILLAGE, TOWN, EAST, CITY])
def test_rates_are_those_of_the_reports(world: World, monday: Frozen, code: str) -> None:
    due = now() - timedelta(days=20)
    stand_at(now(), [called(VILLAGE, due) for _each in range(6)] + [called(VILLAGE, due, solved=False) for _each in range(2)]
             + [called(VILLAGE, due, solved=None) for _each in range(2)] + [called(WEST, due) for _each in range(9)])
    rate = page(code).rates["resolution"]
    assert (rate.numerator, rate.denominator) == ((15, 17) if code == CITY else (6, 8))


def test_grids_have_no_page(world: World) -> None:
    from lianxin.cases import reference
    from lianxin.places.models import Area

    village = world.areas[VILLAGE]
    Area.objects.create(code="9901010010011", name="一网格", level="grid", parent=village, county=village.county, lon=1, lat=1)
    reference.forget()
    assert place_of("9901010010011") is None
    assert place_of("nowhere") is None
    assert [one.code for one in areas.path_to(place_of(VILLAGE))] == [CITY, EAST, TOWN]  # type: ignore[arg-type]


def test_a_page_costs_the_same_few_statements_however_much_there_is(lived: datetime, django_assert_max_num_queries: Any) -> None:
    page(EAST)
    with django_assert_max_num_queries(4):
        page(EAST)
