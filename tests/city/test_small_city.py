"""A second city, of three villages: loaded, edited, loaded again, and a case taken through it. Nothing is Yueyang's."""

from __future__ import annotations

import ast
import io
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from lianxin.cases import actions as a
from lianxin.cases.actions import Intake, register
from lianxin.cases.engine import On
from lianxin.cases.models import Case, CatalogueRule, CatalogueVersion, Category, Phrase, TimeLimit
from lianxin.cases.reference import reference
from lianxin.city.changes import Change
from lianxin.city.load import load
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Invalid
from lianxin.kernel.syntax import parsed
from lianxin.knowledge.models import Version
from lianxin.organisations.actors import Actor, Kind, actor_for
from lianxin.organisations.models import RoleGrant, Staff, Unit
from lianxin.places import gazetteer
from lianxin.places.locate import locate
from lianxin.places.models import Area, City, Site
from lianxin.quality import actions as q
from lianxin.triage.keywords import suggest
from tests.city.conftest import HILL, YUEYANG, append, edit

SOURCE = Path(__file__).parents[2] / "src" / "lianxin"


def who(username: str) -> Actor:
    return actor_for(Staff.objects.get(username=username), via="desk")


@pytest.mark.django_db
def test_everything_in_the_files_is_in_the_tables() -> None:
    loaded = load(HILL)
    assert loaded.changed
    assert {name: change.added for name, change in loaded.changes.items()} == {
        "areas": 10, "sites": 2, "units": 4, "categories": 5, "time_limits": 4, "duty_limits": 2, "notice_rules": 2,
        "catalogue_rules": 4, "phrases": 2,
        "articles": 2, "synonyms": 0, "staff": 5, "calendars": 3, "checklist": 5, "forms": 1, "rounds": 1,
        "partners": 0, "handover_limits": 0, "linkage_terms": 0, "linkage_mappings": 0,
        "service_attributes": 0,
    }
    city = City.objects.get()
    assert (city.code, city.name, city.settings["hotline"]) == ("9902", "云山市", "12345")
    village = Area.objects.select_related("town", "county").get(code="990201001002")
    assert (village.short_name, village.aliases, village.synthetic) == ("中坡村", ["老中坡"], True)
    assert (village.town.code, village.county.code) == ("990201001", "990201")
    assert list(Area.objects.filter(level="grid", synthetic=False)) == []
    assert Unit.objects.get(code="water").calendar == "working"
    leaf = Category.objects.get(code="010102")
    assert (leaf.is_leaf, leaf.level, leaf.urgency, leaf.keywords) == (True, 3, "urgent", {"水管": 1.0, "爆管": 2.0, "漏水": 1.0})
    assert TimeLimit.objects.count() == 4
    rule = CatalogueRule.objects.get(category__code="010103", area__isnull=False)
    assert (rule.area.code, rule.lead_unit.code) == ("990201001", "town"), "`each town` is written out"
    assert Site.objects.get(code="school-1").area.code == "990201001001"
    assert Version.objects.get(article__code="water-off").category.code == "010101"
    assert Phrase.objects.filter(list="decline_route").get().code == "court"
    assert set(RoleGrant.objects.filter(staff__username="hot1").values_list("role", flat=True)) == {
        "operator", "dispatcher", "reviewer", "callback", "supervisor", "leader"}
    assert not Staff.objects.get(username="water1").has_usable_password()


@pytest.mark.django_db
def test_a_case_goes_its_whole_way_here(monday: Frozen) -> None:
    load(HILL)
    made = register(
        intake=Intake(words="上坡村从昨天起停水，家里没水做饭。", lon=121.006, lat=31.005, phone="13800000001"),
        by=Actor(kind=Kind.REPORTER, via="web"),
    )
    assert suggest("上坡村从昨天起停水，家里没水做饭。")[0].code == "010101"
    case = Case.objects.select_related("area", "county").get(pk=made.case_id)
    assert (case.area.code, case.county.code) == ("990201001001002", "990201")
    on = lambda name: On(made.case_id, who(name))  # noqa: E731
    a.accept(on("hot1"), category="010101")
    held = reference()
    answer = held.responsible(category_id=held.nodes_by_code["010101"].id, area_id=case.area_id, on=date(2026, 11, 23))
    assert answer is not None
    assert (answer.lead.code, [unit.code for unit in answer.assisting]) == ("water", ["town"])
    a.dispatch(on("hot1"), lead_unit=answer.lead.code, assisting_units=["town"])
    monday.move(minutes=20)
    a.sign(on("water1"))
    a.assist_sign(on("town1"))
    a.reply(on("water1"), public_answer="水管已修好，下午恢复供水。", solved=True, means="phone")
    q.approve(on("hot1"), answers={"contacted": "yes", "answered": "yes", "basis": "na"})
    q.record_callback_attempt(on("hot1"), outcome="reached", solved=True, satisfaction="satisfied")
    q.close(on("hot1"))
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("closed", "solved")
    with pytest.raises(Invalid):
        register(intake=Intake(words="别处的事", lon=113.1, lat=29.37), by=Actor(kind=Kind.REPORTER, via="web"))


@pytest.mark.django_db
def test_places_here() -> None:
    load(HILL)
    assert locate(121.004, 31.003).grid.code == "990201001001001"  # type: ignore[union-attr]
    assert locate(121.015, 31.003).village.name == "中坡村民委员会"  # type: ignore[union-attr]
    assert locate(113.1, 29.37).inside is False
    assert gazetteer.find("老中坡那边")[0].code == "990201001002"
    assert gazetteer.find("上坡完小门口")[0].code == "school-1"
    assert gazetteer.find("金鹗山") == []


@pytest.mark.django_db
def test_unchanged_files_cost_nothing_and_change_nothing(django_assert_num_queries: object) -> None:
    load(HILL)
    at = City.objects.get().loaded_at
    started = time.perf_counter()
    with django_assert_num_queries(1):  # type: ignore[operator]
        again = load(HILL)
    assert time.perf_counter() - started < 0.5
    assert not again.changed
    assert not any(again.changes.values())
    assert City.objects.get().loaded_at == at
    assert CatalogueVersion.objects.count() == 1


@pytest.mark.django_db
def test_an_edited_city(hill: Path, monday: Frozen) -> None:
    load(hill)
    first = CatalogueVersion.objects.get()
    boss = Staff.objects.get(username="boss")
    by_hand = Staff.objects.create(username="guest", name="客", unit=Unit.objects.get(code="town"))
    RoleGrant.objects.create(staff=by_hand, role="clerk", unit=by_hand.unit, granted_by=boss)
    boss.set_password("a-long-password")
    boss.save()
    monday.move(days=1)
    edit(hill / "units.csv", "water,云山市水利局,水利局,Water Bureau,city_department,,9902,,供水,,\n", "")
    append(hill / "units.csv", "pipes,云山市供水公司,供水公司,Water Company,utility,,9902,around_the_clock,供水,,")
    edit(hill / "catalogue.csv", "010101,停水,,water,town", "010101,停水,,pipes,town")
    edit(hill / "catalogue.csv", "010102,水管破裂,,water,", "010102,水管破裂,,pipes,")
    edit(hill / "knowledge/water.yaml", "unit: water", "unit: pipes")
    edit(hill / "knowledge/water.yaml", "水费怎么交", "水费去哪里交")
    edit(hill / "staff.csv", "water1,水生,water,clerk,\n", "")
    append(hill / "staff.csv", "pipes1,管工,pipes,clerk,")
    edit(hill / "categories.csv", "010103,村务咨询,Village affairs,0101,enquiry,,no,no,,,,\n", "")
    edit(hill / "checklist.csv", "basis,010103,写明了村规民约,It names the village's own rule,yes,no,no\n", "")
    edit(hill / "catalogue.csv", "010103,村务咨询,each town,town,,,,属地管理\n010103,村务咨询,,county,,,,属地管理\n", "")
    edit(hill / "areas/areas.csv", "老中坡", "老中坡|中坡寨")
    edit(hill / "areas/areas.csv", "990201001001002,上坡村第2网格,,,grid,990201001001,,121.0075,31.005,1,0\n", "")
    lines = (hill / "areas/boundaries.geojsonl").read_text().splitlines()
    (hill / "areas/boundaries.geojsonl").write_text("\n".join(line for line in lines if "990201001001002" not in line))
    edit(hill / "areas/sites.csv", "road-1,松林老街,road,,990201001,121.012,31.004,1\n", "")

    loaded = load(hill)
    assert {name: change for name, change in loaded.changes.items() if change} == {
        "areas": Change(0, 1, 1), "sites": Change(0, 0, 1), "units": Change(1, 0, 1), "categories": Change(0, 0, 1),
        "catalogue_rules": Change(0, 2, 2), "articles": Change(0, 2, 0), "staff": Change(1, 0, 1), "checklist": Change(0, 0, 1),
    }
    water = Unit.objects.get(code="water")
    assert water.active_to == date(2026, 11, 24), "closed from today, not deleted"
    assert not Category.objects.get(code="010103").active
    assert not Area.objects.get(code="990201001001002").active
    assert locate(121.0075, 31.005).code == "990201001001"
    second = CatalogueVersion.objects.get(number=2)
    assert second.in_force_from == now() > first.in_force_from
    assert first.rules.count() == 4, "the version before stays as it was"
    assert set(second.rules.values_list("lead_unit__code", flat=True)) == {"pipes"}
    assert not RoleGrant.objects.filter(staff__username="water1", ended_at__isnull=True).exists()
    assert RoleGrant.objects.filter(staff__username="water1", ended_at__isnull=False).exists(), "kept as history"
    assert RoleGrant.objects.filter(staff=by_hand, ended_at__isnull=True).exists(), "given by hand, taken by hand"
    boss.refresh_from_db()
    assert boss.check_password("a-long-password")

    with pytest.raises(Invalid):
        register(intake=Intake(words="村里的事", category="010103"), by=Actor(kind=Kind.REPORTER, via="web"))
    monday.move(days=1)
    back = load(HILL)
    assert back.changes["units"] == Change(1, 0, 1), "what comes back is open again"
    assert Unit.objects.get(code="water").active_to is None
    assert Category.objects.get(code="010103").active
    assert CatalogueVersion.objects.count() == 3


@pytest.mark.django_db
def test_rules_written_in_another_order_make_no_new_version(hill: Path) -> None:
    load(hill)
    lines = (hill / "catalogue.csv").read_text().splitlines()
    (hill / "catalogue.csv").write_text("\n".join([lines[0], "# 换了个次序", *reversed(lines[1:])]) + "\n")
    loaded = load(hill)
    assert loaded.changed
    assert not any(loaded.changes.values())
    assert CatalogueVersion.objects.count() == 1


@pytest.mark.django_db
def test_another_city_is_not_put_on_top(hill: Path) -> None:
    from lianxin.city.faults import BadCity

    load(hill)
    with pytest.raises(BadCity) as caught:
        load(YUEYANG)
    assert "云山市" in str(caught.value.faults[0])


@pytest.mark.django_db
def test_the_command_prints_what_changed(hill: Path) -> None:
    def said() -> str:
        out = io.StringIO()
        call_command("load", "city", str(hill), stdout=out)
        return out.getvalue()

    assert "units：新增 4，改动 0，停用 0" in said()
    assert "文件没有变化" in said()
    edit(hill / "units.csv", "水利局,Water", "水务局,Water")
    text = said()
    assert "units：新增 0，改动 1，停用 0" in text
    assert "areas：" not in text, "only what changed"


def test_a_comment_and_an_empty_line_are_skipped(hill: Path) -> None:
    from lianxin.city.load import check

    append(hill / "staff.csv", "", "# 临时人员", "late,晚来,nowhere,clerk,")
    assert [(fault.file, fault.line) for fault in check(hill)] == [("staff.csv", 9)]


def said_by(path: Path) -> Iterator[tuple[int, str]]:
    """Every line of a template, script or style; of a module every text but docstrings, with its line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    tree = parsed(text)
    explained = {
        id(node.body[0].value) for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.lineno, node.value


def test_nothing_the_program_says_names_yueyang() -> None:
    allowed = {"demo", "docs", "locale", "bench"}
    found = []
    for path in SOURCE.rglob("*"):
        if path.suffix in (".py", ".html", ".js", ".css") and not allowed & set(path.relative_to(SOURCE).parts):
            found += [
                f"{path.relative_to(SOURCE)}:{number}: {text.strip()[:80]}" for number, text in said_by(path)
                if re.search(r"岳阳|yueyang|(?<![0-9_])4306[0-9]{0,2}(?![0-9_])", text, re.IGNORECASE)
            ]
    assert found == []
