"""Ways to tell of calls in tests."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from lianxin.kernel.clock import now
from lianxin.organisations.actors import SYSTEM, Actor, actor_for
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.telephony import agents, receiving
from lianxin.telephony.models import Call
from tests.world import World

NUMBER = "13777776543"
_serial = itertools.count(1)


def switchboard(world: World) -> Actor:
    """The account of the telephone system, as its token acts."""
    person = world.staff.get("switchboard")
    if person is None:
        person = Staff.objects.create(username="switchboard", name="话务系统", unit=world.units["hotline"])
        RoleGrant.objects.create(staff=person, role=Role.SWITCHBOARD, unit=person.unit)
        world.staff["switchboard"] = person
    return actor_for(person, via="api", scopes=frozenset({receiving.TELL}), unit=person.unit)


def said(kind: str, call: str = "c1", **more: Any) -> receiving.Said:
    given = {"id": f"e{next(_serial)}-{uuid.uuid4().hex[:6]}", "at": now(), **more}
    return receiving.Said(call=call, kind=kind, **given)


def told(kind: str, call: str = "c1", **more: Any) -> Call:
    """Tell one event; returns the call as it stands."""
    return Call.objects.get(pk=receiving.receive(said(kind, call, **more), by=SYSTEM).call_id)


def seated(world: World, username: str = "operator", extension: str = "8001", *, ready: bool = True) -> Actor:
    actor = world.actor(username)
    agents.sit_down(actor, extension=extension)
    if ready:
        agents.be_ready(actor)
    return actor


def rings(call: str = "c1", extension: str = "8001", number: str = NUMBER, **more: Any) -> Call:
    told("queued", call, number=number, line="12345", **more)
    return told("ringing", call, extension=extension, number=number, line="12345", **more)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def at(base: datetime, offset: float) -> datetime:
    return base + timedelta(seconds=offset)
