"""A city of two counties and four units, made by hand: enough for every transition of the table."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from lianxin.cases import reference
from lianxin.cases.actions import Intake, register
from lianxin.cases.engine import On
from lianxin.cases.models import (
    CatalogueRule,
    CatalogueVersion,
    Category,
    DutyLimit,
    NoticeRule,
    Phrase,
    TimeLimit,
)
from lianxin.organisations.actors import Actor, Kind, actor_for
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit
from lianxin.places import gazetteer
from lianxin.places.models import Area, City
from tests.again import again

EPOCH = date(2020, 1, 1)
RESIDENT = Actor(kind=Kind.REPORTER, via="web")


def square(lon: float, lat: float, size: float) -> dict[str, object]:
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


@dataclass(slots=True)
class World:
    areas: dict[str, Area] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    staff: dict[str, Staff] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)

    @classmethod
    def make(cls) -> World:
        world: World = again(cls._written, cls._moved)
        return world

    def _moved(self, now: datetime) -> None:
        for person in self.staff.values():
            person.date_joined = now

    @classmethod
    def _written(cls) -> World:
        world = cls()
        world._areas()
        world._units()
        world._categories()
        world._staff()
        return world

    def _areas(self) -> None:
        City.objects.create(code="9901", name="试验市", name_en="Test City", settings={},
                            loaded_at=datetime(2026, 1, 1, tzinfo=UTC))
        rows = [
            ("9901", "试验市", "city", None, square(113.0, 29.0, 1.0)),
            ("990101", "东区", "county", "9901", square(113.0, 29.0, 0.5)),
            ("990102", "西县", "county", "9901", square(113.5, 29.0, 0.5)),
            ("990101001", "桥头街道", "town", "990101", square(113.0, 29.0, 0.4)),
            ("990101001001", "花园社区", "village", "990101001", square(113.0, 29.0, 0.2)),
        ]
        for code, name, level, parent, boundary in rows:
            up = self.areas.get(parent or "")
            county = None if level in ("city", "county") else (up if up and up.level == "county" else up and up.county)
            self.areas[code] = Area.objects.create(
                code=code, name=name, level=level, parent=up, county=county, boundary=boundary,
                lon=113.1, lat=29.1, synthetic=level in ("town", "village"),
            )

    def namesakes(self, name: str = "花园社区", count: int = 1, *, level: str = "village") -> list[str]:
        """Codes of as many new places of one name in the west county; the names are read anew."""
        west = self.areas["990102"]
        made = [Area.objects.create(code=f"9901029{Area.objects.count():05}", name=name, level=level, parent=west, county=west,
                                    lon=113.6, lat=29.1, synthetic=True).code for _each in range(count)]
        gazetteer.forget()
        reference.forget()
        return made

    def _units(self) -> None:
        rows = [
            ("hotline", "12345热线中心", "hotline", None, None),
            ("urban", "市城管局", "city_department", None, "9901"),
            ("housing", "市住建局", "city_department", None, "9901"),
            ("water", "市水务公司", "utility", None, "9901"),
            ("east", "东区政府", "county_government", None, "990101"),
            ("west", "西县政府", "county_government", None, "990102"),
            ("bridge", "桥头街道办", "town_government", "east", "990101001"),
            ("closed", "已撤销的局", "city_department", None, "9901"),
        ]
        for lower in (False, True):  # a lower unit names the one above it
            made = Unit.objects.bulk_create(
                Unit(code=code, name=name, kind=kind, parent=self.units.get(parent or ""), area=self.areas.get(area or ""),
                     active_to=date(2025, 1, 1) if code == "closed" else None)
                for code, name, kind, parent, area in rows if bool(parent) is lower)
            self.units |= {unit.code: unit for unit in made}

    def _categories(self) -> None:
        top = Category.objects.create(code="01", name="城乡建设", level=1)
        middle = Category.objects.create(code="0101", name="市政", level=2, parent=top)
        rows = [
            ("010101", "路灯", "help", "normal", True),
            ("010102", "施工噪声", "complaint", "normal", False),
            ("010103", "供水咨询", "enquiry", "normal", False),
            ("010104", "燃气泄漏", "help", "urgent", False),
            ("010105", "无人管的事", "help", "normal", False),
        ]
        made = Category.objects.bulk_create(
            Category(code=code, name=name, level=3, parent=middle, is_leaf=True, kind=kind, urgency=urgency, field_matter=field_matter)
            for code, name, kind, urgency, field_matter in rows)
        self.categories |= {category.code: category for category in made}
        day = 420
        limits = [
            ("", "urgent", "ordinary", "around_the_clock", 30, 60, 1440),
            ("enquiry", "", "ordinary", "working", 240, day, day),
            ("suggestion", "", "ordinary", "working", 240, day, day),
            ("help", "", "ordinary", "working", 240, day, 3 * day),
            ("complaint", "", "ordinary", "working", 240, day, 5 * day),
            ("report", "", "ordinary", "working", 240, day, 5 * day),
            ("", "", "reopened", "working", 120, 240, 3 * day),
            ("", "", "complex", "working", 240, day, 15 * day),
        ]
        TimeLimit.objects.bulk_create(
            TimeLimit(kind=kind, urgency=urgency, track=track, calendar=calendar, sign_for=sign, first_contact=contact,
                      resolve=resolve, valid_from=EPOCH)
            for kind, urgency, track, calendar, sign, contact, resolve in limits)
        DutyLimit.objects.bulk_create(
            DutyLimit(duty=duty, calendar=calendar, minutes=minutes, valid_from=EPOCH)
            for duty, calendar, minutes in (("ruling", "working", day), ("extension", "working", day),
                                            ("callback", "working", 3 * day), ("missed_call", "around_the_clock", 60)))
        notices = (
            ("reminder", "reminder", "0.200", None, ["officer"]),
            ("escalation", "escalation", None, 0, ["unit_head", "supervisor"]),
            ("circular", "circular", None, 5 * day, ["supervisor", "leader"]),
        )
        NoticeRule.objects.bulk_create(
            NoticeRule(code=code, level=level, share_left=share, minutes_after=after, to=to, valid_from=EPOCH)
            for code, level, share, after, to in notices)
        with transaction.atomic():
            self._catalogue()
        Phrase.objects.bulk_create([
            Phrase(list="decline_route", code="court", name="诉讼", name_en="Litigation"),
            Phrase(list="return_reason", code="not_ours", name="非本单位职责", name_en="Not our duty"),
        ])

    def _catalogue(self) -> None:
        """A version is made whole, in one transaction."""
        version = CatalogueVersion.objects.create(number=1, in_force_from=datetime(2020, 1, 1, tzinfo=UTC),
                                                  content_hash="x")
        c, a, u = self.categories, self.areas, self.units
        rules = [
            (c["010101"], None, "urban"),
            (c["010101"], a["990102"], "west"),
            (c["010101"], a["990101001"], "bridge"),
            (c["010102"], None, "housing"),
            (c["010103"], None, "water"),
            (c["010104"], None, "urban"),
        ]
        CatalogueRule.objects.bulk_create(
            CatalogueRule(version=version, category=category, area=area, lead_unit=u[unit],
                          assisting_units=["housing"] if unit == "west" else [])
            for category, area, unit in rules)

    def _staff(self) -> None:
        rows = [
            ("operator", "hotline", Role.OPERATOR), ("dispatcher", "hotline", Role.DISPATCHER),
            ("reviewer", "hotline", Role.REVIEWER), ("callback", "hotline", Role.CALLBACK),
            ("supervisor", "hotline", Role.SUPERVISOR), ("admin", "hotline", Role.ADMINISTRATOR),
            ("urban", "urban", Role.CLERK), ("urban2", "urban", Role.CLERK), ("housing", "housing", Role.CLERK),
            ("water", "water", Role.CLERK), ("east", "east", Role.CLERK), ("west", "west", Role.CLERK),
            ("bridge", "bridge", Role.CLERK), ("grid", "bridge", Role.GRID_WORKER),
            ("east_supervisor", "east", Role.SUPERVISOR), ("urban_head", "urban", Role.HEAD), ("leader", "hotline", Role.LEADER),
        ]
        people = Staff.objects.bulk_create(
            Staff(username=username, name=f"{username}甲", unit=self.units[unit]) for username, unit, _role in rows)
        RoleGrant.objects.bulk_create(
            RoleGrant(staff=person, role=role, unit=self.units[unit])
            for person, (_username, unit, role) in zip(people, rows, strict=True))
        self.staff |= {person.username: person for person in people}

    def actor(self, username: str) -> Actor:
        return actor_for(self.staff[username], via="desk")

    def on(self, case_id: uuid.UUID, username: str, **more: object) -> On:
        return On(case_id, self.actor(username), **more)  # type: ignore[arg-type]

    def case(self, **more: Any) -> uuid.UUID:
        intake = Intake(words="桥头街道花园社区路灯不亮三天了，晚上很黑。", phone="13812342201", name="王小明")
        return register(intake=replace(intake, **more), by=RESIDENT).case_id

    def accepted(self, category: str = "010102", **more: Any) -> uuid.UUID:
        intake = Intake(words="楼下工地半夜还在打桩。", category=category, accept=True, channel="phone", phone="13812342201")
        return register(intake=replace(intake, **more), by=self.actor("operator")).case_id
