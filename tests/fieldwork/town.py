"""The small city's town with a team lead, a head, three grid workers and a village of four grids."""

from __future__ import annotations

from lianxin.cases import reference
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.places import grids, locate, tiling
from lianxin.places.models import Area
from tests.world import World

VILLAGE = "990101001001"
PEOPLE = (("lead", Role.TEAM_LEAD, "bridge"), ("bridge_head", Role.HEAD, "bridge"), ("grid2", Role.GRID_WORKER, "bridge"),
          ("grid3", Role.GRID_WORKER, "bridge"), ("bridge_admin", Role.ADMINISTRATOR, "bridge"))


def divided(world: World, count: int = 2) -> list[Area]:
    """The world's village shared out among derived grids, as a city's files bring them."""
    village = world.areas[VILLAGE]
    codes = [f"{VILLAGE}{n:03d}" for n in range(1, count + 1)]
    made = []
    for n, (code, polygon) in enumerate(tiling.divide(grids.shape_of(village), codes).items(), start=1):
        lon, lat = tiling.centre_of(polygon)
        made.append(Area.objects.create(
            code=code, name=f"第{n}网格", level="grid", parent=village, town=village.town, county=village.county, village=village,
            boundary=tiling.as_geojson(polygon), synthetic=True, lon=lon, lat=lat))
    locate.forget()
    reference.forget()
    return made


def staffed(world: World, count: int = 4) -> list[Area]:
    """People and grids. `grid` has the first grid, `grid2` the second and third, `grid3` the town; the fourth is theirs only."""
    made = divided(world, count)
    for username, role, unit in PEOPLE:
        world.staff[username] = Staff.objects.create(username=username, name=f"{username}甲", unit=world.units[unit])
        if role is not Role.GRID_WORKER:
            RoleGrant.objects.create(staff=world.staff[username], role=role, unit=world.units[unit])
    give(world, "grid", made[0])
    give(world, "grid2", *made[1:3])
    give(world, "grid3", None)
    return made


def give(world: World, username: str, *areas: Area | None) -> None:
    person = world.staff[username]
    RoleGrant.objects.filter(staff=person).delete()
    for area in areas:
        RoleGrant.objects.create(staff=person, role=Role.GRID_WORKER, unit=world.units["bridge"], area=area)


