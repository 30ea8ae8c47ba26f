"""A town's field work: who may organise it, who has which grid, what changes with the land, who has each grid today."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import Assignment, CatalogueRule
from lianxin.fieldwork import boundaries, cover, grid_sections, leads, staffing
from lianxin.fieldwork.coverage import Standing, coverage
from lianxin.fieldwork.models import Duty
from lianxin.fieldwork.workers import worker_for
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import RoleGrant
from lianxin.places import drawing, grids, locate
from lianxin.places.models import Area, Site
from tests.cases.ways import take
from tests.fieldwork.test_cover import TODAY, arrange
from tests.fieldwork.town import VILLAGE, give, staffed
from tests.world import World


@pytest.fixture
def four(world: World, monday: Frozen) -> list[Area]:
    return staffed(world)


def town(world: World) -> Any:
    return coverage(world.units["bridge"], leads.need(world.actor("lead")), at=now())


def cut(world: World, grid: Area, by: str = "lead", version: int = 0) -> grids.Changed:
    west, south, east, north = grids.shape_of(grid).bounds
    middle = (south + north) / 2
    return boundaries.split(village=VILLAGE, version=version, grid=grid.code, line=drawing.line_of(f"{west},{middle}\n{east},{middle}"),
                            name="新网格", why="人多", by=world.actor(by))


@pytest.mark.parametrize(("who", "may"), [
    ("lead", True), ("bridge_head", True), ("bridge_admin", True), ("admin", True), ("grid", False), ("bridge", False),
    ("urban_head", False), ("operator", False), ("supervisor", False), ("east_supervisor", False), ("leader", False),
])
def test_who_organises_the_towns_field_work(world: World, four: list[Area], who: str, may: bool) -> None:
    actor = world.actor(who)
    assert leads.leads(actor) is may
    assert bool(leads.led(actor)) is may
    if may:
        assert leads.access_unit(actor, "bridge") == world.units["bridge"]
        assert cut(world, four[0], who).made
    else:
        with pytest.raises(NotAllowed):
            leads.access_unit(actor, "")
        with pytest.raises(NotAllowed):
            cut(world, four[0], who)
        with pytest.raises(NotAllowed):
            staffing.assign(unit=world.units["bridge"], worker="grid", areas=[four[1].code], seen=four[0].code, by=actor)


def test_a_lead_of_one_place_organises_that_place_only(world: World, four: list[Area]) -> None:
    other = Area.objects.create(code="990101001002", name="别村", level="village", parent=world.areas["990101001"], boundary=None)
    RoleGrant.objects.filter(staff=world.staff["lead"]).update(area=other)
    with pytest.raises(NotFound):
        cut(world, four[0])
    assert leads.access_village(world.actor("bridge_head"), VILLAGE).code == VILLAGE


def test_a_token_needs_the_scope(world: World, four: list[Area]) -> None:
    person, unit = world.staff["lead"], world.units["bridge"]
    assert not leads.led(actor_for(person, unit=unit, scopes=frozenset({"read"})))
    assert leads.led(actor_for(person, unit=unit, scopes=frozenset({leads.SCOPE})))


def standing(world: World, username: str) -> str:
    return staffing.seen_by(staffing.standing(world.units["bridge"].pk, world.staff[username].pk))


def test_grids_are_given_and_taken_and_what_was_stays(world: World, four: list[Area]) -> None:
    seen = standing(world, "grid2")
    assert seen == f"{four[1].code},{four[2].code}"
    staffing.assign(unit=world.units["bridge"], worker="grid2", areas=[four[2].code, four[3].code], seen=seen, by=world.actor("lead"))
    assert standing(world, "grid2") == f"{four[2].code},{four[3].code}"
    told = staffing.history(world.units["bridge"].pk, world.staff["grid2"].pk)
    assert {(one.area.code if one.area else "", one.ended_at is None, one.granted_by_id) for one in told} == {
        (four[1].code, False, None), (four[2].code, True, None), (four[3].code, True, world.staff["lead"].pk)}


def test_a_whole_village_holds_its_grids(world: World, four: list[Area]) -> None:
    staffing.assign(unit=world.units["bridge"], worker="grid2", areas=[VILLAGE, four[2].code], seen=standing(world, "grid2"),
                    by=world.actor("lead"))
    assert standing(world, "grid2") == VILLAGE


@pytest.mark.parametrize("areas", [[], ["nowhere"], ["990102"], ["990101"]])
def test_areas_that_are_not_the_towns_are_refused(world: World, four: list[Area], areas: list[str]) -> None:
    with pytest.raises(Invalid) as error:
        staffing.assign(unit=world.units["bridge"], worker="grid2", areas=areas, seen=standing(world, "grid2"), by=world.actor("lead"))
    assert set(error.value.fields) == {"areas"}


def test_who_was_slower_is_told(world: World, four: list[Area]) -> None:
    seen = standing(world, "grid2")
    give(world, "grid2", four[0])
    with pytest.raises(Conflict) as error:
        staffing.assign(unit=world.units["bridge"], worker="grid2", areas=[four[3].code], seen=seen, by=world.actor("lead"))
    assert error.value.current == {"areas": four[0].code}


def test_whose_grid_is_cut_has_both_parts(world: World, four: list[Area]) -> None:
    new = cut(world, four[0]).made[0][0]
    assert standing(world, "grid") == f"{four[0].code},{new}"
    assert standing(world, "grid2") == f"{four[1].code},{four[2].code}"


def test_whose_grid_is_merged_away_has_what_it_became(world: World, four: list[Area]) -> None:
    pairs = [(one, other) for one in four[1:3] for other in (four[0], four[3])]
    mine, other = next(pair for pair in pairs if grids.partition.touch(grids.shape_of(pair[0]), grids.shape_of(pair[1])))
    boundaries.merge(village=VILLAGE, version=0, grid=other.code, other=mine.code, why="人少", by=world.actor("lead"))
    assert mine.code not in standing(world, "grid2")
    assert other.code in standing(world, "grid2")


def test_a_grid_that_the_catalogue_names_is_not_merged_away(world: World, four: list[Area]) -> None:
    rule = CatalogueRule.objects.first()
    assert rule is not None
    with pytest.MonkeyPatch.context() as patch:
        known = boundaries.city.reference()
        patch.setattr("lianxin.fieldwork.boundaries.city.reference",
                      lambda: type("Known", (), {"places_by_code": known.places_by_code, "rules": {(1, four[1].pk): ()}}))
        with pytest.raises(Conflict, match="派单目录"):
            boundaries.merge(village=VILLAGE, version=0, grid=four[0].code, other=four[1].code, why="x", by=world.actor("lead"))


def lines(world: World) -> dict[str, tuple[str, list[str]]]:
    return {line.place.code: (line.standing.value, [one.staff.username for one in line.responsible]) for line in town(world).lines}


def test_each_grid_says_who_has_it_today(world: World, four: list[Area]) -> None:
    one, two, three, last = (grid.code for grid in four)
    RoleGrant.objects.filter(staff=world.staff["grid3"]).update(area=four[0])
    assert lines(world) == {one: ("held", ["grid", "grid3"]), two: ("held", ["grid2"]), three: ("held", ["grid2"]), last: ("nobody", [])}
    arrange(world, "grid2", "grid3", last=0)
    assert lines(world)[two] == ("covered", ["grid3"])
    arrange(world, "grid", "", last=0)
    assert lines(world)[one] == ("held", ["grid3"])
    RoleGrant.objects.filter(staff=world.staff["grid3"]).update(area=four[3])
    assert lines(world)[one] == ("away", [])
    found = town(world)
    assert (found.count(Standing.NOBODY), found.count(Standing.AWAY), found.count(Standing.COVERED)) == (0, 1, 2)
    assert [(cover.absent.username, cover.stand_in.username if cover.stand_in else "") for cover in found.away] == [
        ("grid", ""), ("grid2", "grid3")]


def test_a_closed_account_has_no_grid(world: World, four: list[Area]) -> None:
    give(world, "grid3", four[3])
    world.staff["grid"].is_active = False
    world.staff["grid"].save()
    assert lines(world)[four[0].code] == ("nobody", [])


def test_on_duty_is_shown_where_they_work(world: World, four: list[Area]) -> None:
    Duty.objects.create(id=uuid7(), staff=world.staff["grid2"], on=True, at=now())
    assert {line.place.code: line.on_duty for line in town(world).lines} == {
        grid.code: grid in four[1:3] for grid in four}


def test_open_work_is_counted_by_place(world: World, four: list[Area], monday: Frozen) -> None:
    point = grids.shape_of(four[1]).representative_point()
    inside = world.accepted("010101", lon=point.x, lat=point.y)
    around = world.accepted("010101", area=VILLAGE)
    for case_id in (inside, around):
        a.dispatch(On(case_id, world.actor("dispatcher")), lead_unit="bridge")
    found = town(world)
    (village,) = found.villages
    by_grid = {line.place.code: line.work for line in village.lines}
    assert (by_grid[four[1].code].cases, by_grid[four[0].code].cases, village.loose.cases, found.loose.cases) == (1, 0, 1, 0)
    assert by_grid[four[1].code].due_at is not None
    monday.move(days=30)
    assert town(world).villages[0].lines[1].work.late == 1


def test_counting_costs_the_same_however_many(world: World, four: list[Area], django_assert_max_num_queries: Any) -> None:
    found = leads.need(world.actor("lead"))
    with django_assert_max_num_queries(9):
        coverage(world.units["bridge"], found, at=now())


def test_a_team_lead_gives_a_case_to_another_worker(world: World, four: list[Area]) -> None:
    case_id = world.accepted("010101", area=VILLAGE)
    a.dispatch(On(case_id, world.actor("dispatcher")), lead_unit="bridge")
    a.hand_to_colleague(On(case_id, world.actor("lead")), officer="grid2")
    part = Assignment.objects.get(case_id=case_id, ended_at__isnull=True)
    assert part.officer == world.staff["grid2"]
    with pytest.raises((NotAllowed, NotFound)):
        take(world, case_id, "sign", by="lead")
    other = world.accepted("010102")
    a.dispatch(On(other, world.actor("dispatcher")), lead_unit="housing")
    with pytest.raises((NotAllowed, NotFound)):
        a.hand_to_colleague(On(other, world.actor("lead")), officer="grid2")


def test_a_telephone_is_given_the_workers_grids_and_places(world: World, four: list[Area]) -> None:
    point = grids.shape_of(four[1]).representative_point()
    Site.objects.create(code="s1", name="渔港", kind="market", area=world.areas["990101001"], lon=point.x, lat=point.y)
    Site.objects.create(code="s2", name="别处", kind="market", area=world.areas["990102"])
    give(world, "grid3", None)
    locate.forget()
    two, whole, first = (worker_for(world.actor(name)) for name in ("grid2", "grid3", "grid"))
    given = grid_sections.grids(two)
    assert [one["properties"]["code"] for one in given["features"]] == [four[1].code, four[2].code]
    assert all(one["properties"]["synthetic"] for one in given["features"])
    assert len(grid_sections.grids(whole)["features"]) == 4
    assert [one["code"] for one in grid_sections.places(two)] == [VILLAGE, "s1"]
    assert [one["code"] for one in grid_sections.places(first)] == [VILLAGE]
    json.dumps([given, grid_sections.places(whole)])


def test_the_stand_in_is_given_both(world: World, four: list[Area]) -> None:
    arrange(world, "grid", "grid2")
    given = grid_sections.grids(worker_for(world.actor("grid2")))
    assert [one["properties"]["code"] for one in given["features"]] == [grid.code for grid in four[:3]]


def test_two_who_draw_at_once(world: World, four: list[Area]) -> None:
    """The second is told how it stands, and nothing of the first's is lost."""
    cut(world, four[0])
    with pytest.raises(Conflict) as error:
        boundaries.rename(village=VILLAGE, version=0, grid=four[0].code, name="湖边", why="x", by=world.actor("bridge_head"))
    assert error.value.current["version"] == 2
    done = boundaries.rename(village=VILLAGE, version=2, grid=four[0].code, name="湖边", why="x", by=world.actor("bridge_head"))
    assert done.change.version == 3


def test_faults_name_the_place(world: World, four: list[Area]) -> None:
    features = [{"type": "Feature", "geometry": grid.boundary, "properties": {"code": grid.code}} for grid in four]
    features[0]["geometry"] = json.loads(shapely.to_geojson(grids.shape_of(four[0]).buffer(-0.01)))
    drawn = drawing.features_of({"type": "FeatureCollection", "features": features})
    with pytest.raises(grids.Misdrawn, match="没有划进"):
        boundaries.redraw(village=VILLAGE, version=0, drawn=drawn, why="x", by=world.actor("lead"))


def test_days_are_the_citys(world: World, four: list[Area]) -> None:
    made = arrange(world)
    assert (made.starts_on, cover.away(TODAY).get()) == (TODAY, made)


