"""The department's system of the demo (`department`), joined as `lianxin exchange` joins any: one unit's cases go there from then on."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.exchange import mapping, systems
from lianxin.exchange.models import Photos, Service, System
from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import SYSTEM
from lianxin.organisations.models import Role

from .seed import Cast


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of the first system of a city's `demo/systems.csv`."""
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return [row for row in rows if row["code"] == rows[0]["code"]]


def join(path: Path, url: str) -> System:
    """The system at its address of today; made, with its services and mapping, when it is not there yet."""
    rows = read(path)
    first = rows[0]
    known = System.objects.filter(code=first["code"]).exists()
    made = systems.save(None, first["code"], url=f"{url}/open311/v2", **({} if known else {
        "name": first["name"], "name_en": first["name_en"], "unit": first["unit"], "updates": True, "photos": Photos.LINK.value}))
    if not known:
        Service.objects.bulk_create([Service(system=made, code=row["service"], name=row["service_name"]) for row in rows])
        for row in rows:
            mapping.set_mapping(SYSTEM, made, value=row["ours"], to=row["service"], inbound=False)
    return made


def first_case(system: System, path: Path) -> None:
    """One case that goes there when the demo opens, raised and dispatched by the hotline's people."""
    cast = Cast.of_city()
    operator, dispatcher = cast.actor(Role.OPERATOR), cast.actor(Role.DISPATCHER)
    assert system.unit is not None
    row = next((one for one in read(path) if one["words"]), None)
    if row is None:
        return
    try:
        made = a.register(intake=a.Intake(words=row["words"], category=row["ours"], accept=True, channel="phone"), by=operator)
        a.dispatch(On(made.case_id, dispatcher), lead_unit=system.unit.code)
    except DomainError:
        return  # a city whose lists have no such matter: the first one that is dispatched to the unit goes
