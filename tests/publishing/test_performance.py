"""The public rates: those of the reports, for whole periods, with what is too small kept back."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from lianxin.analysis.assemble import report
from lianxin.analysis.figures import Period
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.publishing import figure_rows
from lianxin.publishing.performance import FIGURES, IN_ROWS, PublicRow, by_name, choices, performance, period_of
from tests.publishing.facts import called, stand_at
from tests.world import World

pytestmark = pytest.mark.django_db
EAST, WEST = "990101", "990102"


@pytest.fixture
def lived(world: World, monday: Frozen) -> None:
    """Forty callbacks in the east, thirty in the west, three without a place; a month before, as many."""
    urban, housing = world.units["urban"].pk, world.units["housing"].pk
    rows = []
    for ago in (10, 40):
        due = now() - timedelta(days=ago)
        rows += [called(EAST, due, unit_id=urban) for _each in range(30)]
        rows += [called(EAST, due, solved=False, unit_id=urban) for _each in range(10)]
        rows += [called(WEST, due, unit_id=housing) for _each in range(28)]
        rows += [called(WEST, due, solved=None, unit_id=housing) for _each in range(2)]
        rows += [called("", due, unit_id=None) for _each in range(3)]
    stand_at(now(), rows)


def test_the_figures_are_those_of_the_reports(lived: None) -> None:
    made = performance()
    assert made is not None
    theirs = report(made.period, refresh=False)
    assert made.figures == {code: theirs.figures[code] for code in FIGURES}
    resolution = made.figures["resolution"]
    assert resolution is not None
    assert (resolution.numerator, resolution.denominator) == (61, 71)
    assert made.period == Period(date(2026, 10, 26), date(2026, 11, 23))


def test_what_is_too_small_takes_the_next_smallest_with_it(lived: None) -> None:
    made = performance()
    assert made is not None
    counties = {row.code: row.figures["resolution"] for row in made.groups["county"]}
    assert counties[""] is None  # three of them
    assert counties[WEST] is None  # or the three would be what is left
    assert counties[EAST] is not None
    units = {row.code: row.figures["response"] for row in made.groups["unit"]}
    assert units["urban"] is not None
    assert (units["housing"], units[""]) == (None, None)


def test_rows_stand_by_name_and_not_by_rank(lived: None) -> None:
    rows = [PublicRow("u1", "市住建局", "Housing", {}), PublicRow("u2", "市城管局", "Urban", {}), PublicRow("", "", "", {}),
            PublicRow("u3", "安监局", "Safety", {})]
    assert [row.code for row in by_name(rows)] == ["u3", "u2", "u1", ""]  # 安 an, 市城 shi cheng, 市住 shi zhu
    assert by_name(reversed(rows)) == by_name(rows)


def test_only_whole_periods_can_be_asked_for(world: World, monday: Frozen) -> None:
    at = now()
    assert period_of("", at).code == "2026-10-26..2026-11-22"
    assert period_of("2026-10", at) == Period.month(2026, 10) == choices(at)[0]
    for odd in ("2026-11", "2026-Q4", "2026", "2026-W47", "2026-10-01..2026-10-15", "2026-10-27..2026-11-23", "2003"):
        with pytest.raises(NotFound):
            period_of(odd, at)
    with pytest.raises(Invalid):
        period_of("yesterday", at)
    assert period_of("2026-09-28..2026-10-25", at).days == 28


def test_a_new_month_begins_at_the_citys_midnight() -> None:
    at = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)  # half past midnight of the first of December in the city
    assert choices(at)[0] == Period.month(2026, 11)
    assert choices(at - timedelta(hours=1))[0] == Period.month(2026, 10)


def test_before_any_facts_there_is_nothing(world: World, monday: Frozen) -> None:
    assert performance() is None


def test_small_points_of_a_series_are_left_open(world: World, monday: Frozen) -> None:
    rows = [called(EAST, now() - timedelta(days=10 + 28 * back)) for back in range(8) for _each in range(40)]
    rows += [called(EAST, now() - timedelta(days=10 + 28 * 9)) for _each in range(3)]
    stand_at(now(), rows)
    made = performance()
    assert made is not None
    points = made.series["resolution"].points
    assert [point.figure.denominator for point in points[-10:]] == [0, 0, *[40] * 8]
    assert points[-1].lower is not None


def test_the_numbers_behind_are_what_is_shown(lived: None) -> None:
    made = performance()
    assert made is not None
    text = figure_rows.as_csv(figure_rows.RATE_COLUMNS, figure_rows.of_performance(made))
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    city = next(row for row in rows if row["scope"] == "city" and row["figure"] == "resolution" and row["period"] == made.period.code)
    assert (city["numerator"], city["denominator"]) == ("61", "71")
    assert float(city["value"]) == pytest.approx(61 / 71)
    west = next(row for row in rows if row["code"] == WEST and row["figure"] == "resolution")
    assert (west["numerator"], west["denominator"], west["value"], west["note"]) == ("", "", "", "kept_back")
    held = json.loads(figure_rows.as_json(figure_rows.of_performance(made), made.as_of))
    assert len(held["rows"]) == len(rows)
    assert len([row for row in rows if row["scope"] == "unit"]) == 3 * len(IN_ROWS)
