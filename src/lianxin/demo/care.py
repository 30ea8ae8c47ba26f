"""A few entries of the care register to try it with: people who were made up, and say so."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils.timezone import localtime

from lianxin.care import actions
from lianxin.care.actions import Consent, a_year_after
from lianxin.care.models import CareOutcome, CareStep
from lianxin.care.policy import KEEPER, VISITOR, within
from lianxin.care.sealing import Person
from lianxin.care.visiting import record_visit
from lianxin.cases.reference import today_of
from lianxin.kernel import clock
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import RoleGrant, Staff
from lianxin.places.models import Area

from .seed import SeedError

COLUMNS = ("days_ago", "area", "name", "address", "phone", "trusted", "purpose", "interval_days", "consent_how", "witness", "visits")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file. `visits` are outcomes and how many days ago, oldest first."""

    line: int
    days_ago: int
    area: str
    person: Person
    interval_days: int
    consent_how: str
    visits: tuple[tuple[str, int], ...]


def read(path: Path) -> list[Row]:
    """Raises SeedError with file and line for what cannot be read."""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise SeedError(f"{path}: the columns must be {', '.join(COLUMNS)}")
        for line, row in enumerate(reader, 2):
            try:
                said = [one.rsplit(" ", 1) for one in row["visits"].split(";") if one]
                visits = tuple((CareOutcome(outcome).value, int(ago)) for outcome, ago in said)
                person = Person(row["name"], row["address"], row["phone"], row["trusted"], row["purpose"], row["witness"])
                rows.append(Row(line, int(row["days_ago"]), row["area"], person, int(row["interval_days"]), row["consent_how"], visits))
            except ValueError as error:
                raise SeedError(f"{path}, line {line}: {error}") from None
    return rows


def _post(role: str, area: Area, unit_id: int | None = None) -> tuple[Staff, int] | None:
    """The first who holds a role at a place, and in which unit."""
    held = RoleGrant.objects.filter(role=role, ended_at__isnull=True, staff__is_active=True).select_related("staff")
    for grant in held.filter(**({"unit_id": unit_id} if unit_id else {})).order_by("staff_id"):
        if grant.area_id is None or Area.objects.filter(within(grant.area_id, prefix=""), pk=area.pk).exists():
            return grant.staff, grant.unit_id
    return None


@transaction.atomic
def seed(path: Path) -> int:
    """Live the rows through, each step at its time: all or none. Nothing where the register was ever used. Returns how many entries."""
    if CareStep.objects.exists():
        return 0
    now, made = clock.now(), 0
    for row in read(path):
        area = Area.objects.filter(code=row.area).first()
        kept = _post(KEEPER.value, area) if area is not None else None
        visits = _post(VISITOR.value, area, kept[1]) if area is not None and kept is not None else None
        if area is None or kept is None or visits is None:
            raise SeedError(f"{path}, line {row.line}: {row.area} has no keeper of the register, or nobody who visits")
        _live(row, area, kept[0], visits[0], now)
        made += 1
    return made


def _morning(now: datetime, ago: int) -> datetime:
    """Ten in the morning of a day gone by."""
    return (localtime(now) - timedelta(days=max(1, ago))).replace(hour=10, minute=0, second=0, microsecond=0)


def _live(row: Row, area: Area, keeper: Staff, visitor: Staff, now: datetime) -> None:
    with clock.frozen(_morning(now, row.days_ago)):
        today = today_of(clock.now())
        entry = actions.enter(
            by=actor_for(keeper, via="desk"), person=row.person, area=area, interval_days=row.interval_days, visitor=visitor,
            consent=Consent(today, row.consent_how, a_year_after(today), row.person.witness))
    for outcome, ago in row.visits:
        with clock.frozen(_morning(now, ago)):
            record_visit(by=actor_for(visitor, via="field"), pk=entry.pk, at=clock.now(), outcome=outcome)
