"""A city made for measuring: twelve counties, forty units, sixty kinds of trouble, and staff to look at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product

from django.db import transaction

from lianxin.cases.models import CatalogueRule, CatalogueVersion, Category, TimeLimit
from lianxin.organisations.models import ApiToken, Role, RoleGrant, Staff, Unit, token_digest
from lianxin.places.models import Area, City

EPOCH = date(2015, 1, 1)
WEST, SOUTH, STEP = 112.4, 28.4, 0.3
TROUBLES = ("路灯不亮", "井盖缺失", "施工噪声", "垃圾堆放", "占道经营", "停水", "电梯故障", "违章搭建", "油烟扰民", "拖欠工资")
SCOPES = ("城区", "小区", "学校", "市场", "道路", "农村")


@dataclass(frozen=True, slots=True)
class BenchCity:
    """What the measurements need to know of the city."""

    token: str
    county_ids: tuple[int, ...]
    unit_ids: tuple[int, ...]
    category_ids: tuple[int, ...]
    category_codes: tuple[str, ...]
    staff: dict[str, Staff]


def _box(column: int, row: int) -> dict[str, object]:
    west, south = WEST + column * STEP, SOUTH + row * STEP
    ring = [[west, south], [west + STEP, south], [west + STEP, south + STEP], [west, south + STEP], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def make() -> BenchCity:
    """Write the city. The tables must be empty."""
    City.objects.create(code="9900", name="量试市", name_en="Bench City", loaded_at=datetime(2026, 1, 1, tzinfo=UTC))
    city = Area.objects.create(code="9900", name="量试市", level="city")
    counties = [
        Area.objects.create(code=f"9900{n:02}", name=f"第{n}区", level="county", parent=city, boundary=_box(n % 4, n // 4))
        for n in range(12)
    ]
    hotline = Unit.objects.create(code="hotline", name="热线中心", kind="hotline")
    units = [
        Unit.objects.create(code=f"u{n}", name=f"第{n}局", kind="city_department", area=city) for n in range(40)
    ]
    government = Unit.objects.create(code="county", name="第3区政府", kind="county_government", area=counties[3])
    top = Category.objects.create(code="01", name="城乡建设", level=1)
    middle = Category.objects.create(code="0101", name="市政", level=2, parent=top)
    leaves = [
        Category.objects.create(code=f"0101{n:02}", name=scope + trouble, level=3, parent=middle, is_leaf=True,
                                kind="complaint" if n % 3 else "help")
        for n, (trouble, scope) in enumerate(product(TROUBLES, SCOPES))
    ]
    for track, resolve in (("ordinary", 2100), ("reopened", 1260), ("complex", 6300)):
        TimeLimit.objects.create(track=track, sign_for=240, first_contact=420, resolve=resolve, valid_from=EPOCH)
    with transaction.atomic():  # a version is made whole
        version = CatalogueVersion.objects.create(
            number=1, in_force_from=datetime(2015, 1, 1, tzinfo=UTC), content_hash="bench")
        for n, leaf in enumerate(leaves):
            CatalogueRule.objects.create(version=version, category=leaf, lead_unit=units[n % len(units)])
    staff = {}
    for name, role, unit in (
        ("operator", Role.OPERATOR, hotline), ("dispatcher", Role.DISPATCHER, hotline),
        ("reviewer", Role.REVIEWER, hotline), ("callback", Role.CALLBACK, hotline),
        ("supervisor", Role.SUPERVISOR, hotline), ("clerk", Role.CLERK, units[10]),
        ("county", Role.SUPERVISOR, government), ("county_clerk", Role.CLERK, government),
        ("head", Role.HEAD, units[10]), ("leader", Role.LEADER, hotline),
    ):
        staff[name] = Staff.objects.create(username=f"bench-{name}", name=name, unit=unit)
        RoleGrant.objects.create(staff=staff[name], role=role, unit=unit)
    secret = ApiToken.new_secret()
    ApiToken.objects.create(name="bench", unit=hotline, staff=staff["operator"], scopes=["*"],
                            digest=token_digest(secret), hint=secret[-4:])
    return BenchCity(secret, tuple(c.pk for c in counties), tuple(u.pk for u in units), tuple(c.pk for c in leaves),
                     tuple(c.code for c in leaves), staff)
