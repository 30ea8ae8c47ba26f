"""A second city for the import of a foreign file: two counties, eight categories, limits around the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime

from lianxin.cases.models import Category, TimeLimit
from lianxin.places.models import Area, City


def _box(west: float, south: float, east: float, north: float) -> dict[str, object]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def make() -> None:
    """Boston as rectangles: enough to say which side of the river a position lies on."""
    City.objects.create(code="25025", name="波士顿", name_en="Boston", loaded_at=datetime(2015, 1, 1, tzinfo=UTC))
    city = Area.objects.create(code="25025", name="波士顿", level="city", boundary=_box(-71.2, 42.2, -70.9, 42.45))
    for code, name, box in (
        ("2502501", "南区", _box(-71.2, 42.2, -70.9, 42.33)),
        ("2502502", "北区", _box(-71.2, 42.33, -70.9, 42.45)),
    ):
        Area.objects.create(code=code, name=name, level="county", parent=city, boundary=box)
    top = Category.objects.create(code="01", name="City services", level=1)
    middle = Category.objects.create(code="0101", name="Departments", level=2, parent=top)
    names = ("Public works", "Inspections", "Traffic", "Parks", "Property", "Animals", "Water", "Other")
    for number, name in enumerate(names, 1):
        Category.objects.create(code=f"0101{number:02}", name=name, level=3, parent=middle, is_leaf=True)
    TimeLimit.objects.create(track="ordinary", calendar="around_the_clock", sign_for=1440, first_contact=2880,
                             resolve=7200, valid_from=date(2010, 1, 1))
