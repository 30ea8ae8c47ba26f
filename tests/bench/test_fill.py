"""What the bench fills in, as far as it can be looked at without filling."""

from __future__ import annotations

import pytest
from django.db import connection

from lianxin.bench import fill
from lianxin.bench.city import BenchCity
from lianxin.kernel.clock import Frozen
from lianxin.kernel.coordinates import cell
from tests.world import World

pytestmark = pytest.mark.django_db


def test_each_filled_case_lies_in_the_cell_of_its_position(world: World, monday: Frozen) -> None:
    city = BenchCity("", (1, 2, 3), (1, 2), (1, 2), ("a", "b"), {"dispatcher": world.staff["dispatcher"]})
    with connection.cursor() as cursor:
        fill._make(cursor, fill._values(city), 1, 200)
        cursor.execute("SELECT lon, lat, cell FROM made")
        rows = cursor.fetchall()
    assert len(rows) == 200
    assert all(held == cell(lon, lat) for lon, lat, held in rows)
    assert len({held for _lon, _lat, held in rows}) > 150


def test_no_chunk_is_filled_twice(world: World, monday: Frozen) -> None:
    """The first cases of every chunk of a big fill: other places, other words."""
    city = BenchCity("", (1, 2, 3), (1, 2), (1, 2), ("a", "b"), {"dispatcher": world.staff["dispatcher"]})
    places: set[tuple[float, float]] = set()
    for chunk in range(10):
        first = chunk * fill.CHUNK + 1
        with connection.cursor() as cursor:
            fill._make(cursor, fill._values(city), first, first + 49)
            cursor.execute("SELECT lon, lat FROM made")
            places |= set(cursor.fetchall())
            cursor.execute("DROP TABLE made")
    assert len(places) == 500
