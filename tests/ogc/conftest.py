"""A small city with places and public records, and a client of its map face."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lianxin.cases.models import Case
from lianxin.ogc import held, tile_views
from lianxin.places.models import Area, Site
from lianxin.publishing.models import Record, Standing
from tests.world import World, square

BEGIN = datetime(2026, 9, 30, 16, tzinfo=UTC)  # 1 October in the city


@pytest.fixture(autouse=True)
def _fresh_layers() -> Iterator[None]:
    held.forget()
    tile_views.forget()
    yield
    held.forget()
    tile_views.forget()


class Town:
    """A world with two sites, a grid and as many public records as a test wants."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.made = 0
        village = world.areas["990101001001"]
        Area.objects.create(code="990101001001-1", name="花园第一网格", level="grid", parent=village, county=world.areas["990101"],
                            town=world.areas["990101001"], village=village, boundary=square(113.0, 29.0, 0.1), synthetic=True)
        Site.objects.bulk_create([
            Site(code="park-1", name="花园公园", kind="park", area=village, lon=113.05, lat=29.05, approximate=False),
            Site(code="road-1", name="桥头路", kind="road", area=world.areas["990101"], lon=None, lat=None),
            Site(code="thing-1", name="某处", kind="other", area=village, lon=113.06, lat=29.06),
            Site(code="gone-1", name="旧市场", kind="market", area=village, lon=113.07, lat=29.07, active=False),
        ])

    def records(self, count: int = 1, **given: Any) -> list[Record]:
        """So many records, by default in the village, one a day; revision 1 unless told. `day` is that of the first."""
        day = given.pop("day", 0)
        named = {name: given.pop(name, default) for name, default in (("category", "010101"), ("area", "990101001001"))}
        values = {
            "category": self.world.categories.get(named["category"] or ""), "area": self.world.areas.get(named["area"] or ""),
            "county": self.world.areas["990101"], "precision": "village", "dated": "day", "stage": "closed", "lon": 113.1, "lat": 29.1,
            "changed_at": BEGIN, "revision": 1, "kind": "help", **given,
        }
        numbers = range(self.made, self.made + count)
        self.made += count
        cases = Case.objects.bulk_create([
            Case(number=f"26-{one:08}-0", tracking_digest=uuid.uuid4().bytes, channel="web", words="…", registered_at=BEGIN,
                 category=values["category"], county=values["county"], area=values["area"])
            for one in numbers])
        return Record.objects.bulk_create([
            Record(case=case, number=f"R-{one:05}-ABCDE", opened_at=BEGIN + timedelta(days=day + place),
                   case_number=case.number if values.get("cleared") else "", **values)
            for place, (one, case) in enumerate(zip(numbers, cases, strict=True))])

    def stand(self, revision: int = 1) -> None:
        """The public record stands at a revision."""
        Standing.objects.update_or_create(pk=1, defaults={"revision": revision})


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)
