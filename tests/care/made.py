"""A register of the bridge town's: its keeper, two grid workers, and entries of invented people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from lianxin.care import actions
from lianxin.care.actions import Consent, a_year_after
from lianxin.care.models import CareEntry
from lianxin.care.sealing import Person
from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.organisations.actors import Actor, actor_for
from lianxin.organisations.models import Role, RoleGrant, Staff
from tests.world import World

# Words that stand nowhere else: looked for afterwards in every table.
SAID = Person(name="重光单阏", address="玄黓巷九号", phone="13700001234", trusted="昭阳作噩 13911112222",
              purpose="阉茂一个人住，怕摔倒没人知道。")
NEEDLES = ["重光单阏", "玄黓巷", "13700001234", "昭阳作噩", "阉茂"]
AREA = "990101001001"


@dataclass(slots=True)
class Register:
    """The world with a keeper (`keeper`), grid workers (`grid`, `grid2`), and a second town's (`keeper_west`, `grid_west`)."""

    world: World

    @classmethod
    def make(cls, world: World) -> Register:
        rows = [("keeper", "bridge", Role.CARE_KEEPER), ("grid2", "bridge", Role.GRID_WORKER),
                ("keeper_west", "west", Role.CARE_KEEPER), ("grid_west", "west", Role.GRID_WORKER),
                ("lead", "bridge", Role.TEAM_LEAD), ("bridge_head", "bridge", Role.HEAD), ("bridge_admin", "bridge", Role.ADMINISTRATOR)]
        for username, unit, role in rows:
            person = Staff.objects.create(username=username, name=f"{username}甲", unit=world.units[unit])
            RoleGrant.objects.create(staff=person, role=role, unit=world.units[unit])
            world.staff[username] = person
        return cls(world)

    def by(self, username: str) -> Actor:
        return self.world.actor(username)

    def token(self, username: str, *scopes: str) -> Actor:
        """The same person through an API token."""
        return actor_for(self.world.staff[username], via="api", scopes=frozenset(scopes or ("*",)))

    def consent(self, **more: Any) -> Consent:
        today = today_of(now())
        return replace(Consent(today, "paper", a_year_after(today)), **more)

    def entry(self, *, visitor: str = "grid", interval_days: int = 7, keeper: str = "keeper", area: str = AREA,
              consent: Consent | None = None, **said: Any) -> CareEntry:
        return actions.enter(by=self.by(keeper), person=replace(SAID, **said), consent=consent or self.consent(),
                             area=self.world.areas[area], interval_days=interval_days, visitor=self.world.staff[visitor])


def days(count: int) -> date:
    return today_of(now()) + timedelta(days=count)
