"""Returns as a ledger, the joint ruling, and what may not be pushed down."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction

from lianxin.cases import actions as a
from lianxin.cases.grassroots import NOT_TO_A_TOWN, NOT_TO_A_VILLAGE
from lianxin.cases.models import Assignment, Case, CatalogueRule, Event, Return, State
from lianxin.cases.queries import case_file
from lianxin.cases.rebuild import differences
from lianxin.cases.returns import barred
from lianxin.desk.reading import choices_for
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.organisations.models import Unit
from tests.cases.ways import VILLAGE, at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db


def sent(world: World, *units: str, category: str = "010102") -> uuid.UUID:
    """A case in hand with the last of `units`, after each of the others gave it back and was let go."""
    case_id = world.accepted(category, area=VILLAGE)
    for n, unit in enumerate(units):
        a.dispatch(world.on(case_id, "dispatcher"), lead_unit=unit)
        a.sign(world.on(case_id, unit))
        if n < len(units) - 1:
            give_back(world, case_id, unit)
            a.uphold_return(world.on(case_id, "dispatcher"), ruling="同意。")
    return case_id


def give_back(world: World, case_id: uuid.UUID, unit: str, suggested: str | None = None, evidence: str = "三定方案。") -> None:
    a.raise_return(world.on(case_id, unit), reason="not_ours", evidence=evidence, suggested_unit=suggested)


def buttons(world: World, case_id: uuid.UUID, name: str) -> dict[str, str]:
    """What a person is shown: action → why not, empty when open."""
    case = Case.objects.get(pk=case_id)
    opened = [one for one in case_file(case).assignments if one.ended_at is None]
    return {choice.action: "" if choice.allowed else str(choice.reason)
            for choice in choices_for(world.actor(name), case, opened)}


def joint(world: World, case_id: uuid.UUID, lead: str = "housing", assisting: tuple[str, ...] = ("urban",)) -> None:
    a.rule_jointly(world.on(case_id, "dispatcher"), lead_unit=lead, assisting_units=list(assisting),
                   ruling="住建局牵头，城管局夜间巡查。", basis="市政府办〔2024〕12 号第三条")


def test_the_ledger_keeps_what_a_return_was_about(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing")
    give_back(world, case_id, "housing", "urban")
    entry = Return.objects.get(case_id=case_id)
    rule = CatalogueRule.objects.get(category__code="010102")
    assert (entry.unit.code, entry.category, entry.rule, entry.round) == ("housing", world.categories["010102"], rule, 1)
    assert entry.minutes is None
    monday.move(hours=3)  # 10:00 to 13:00: an hour of it is lunch
    a.reject_return(world.on(case_id, "dispatcher"), ruling="属于你局。")
    entry.refresh_from_db()
    assert (entry.ruling, entry.minutes, entry.ruled_by) == ("rejected", 120, world.staff["dispatcher"])
    assert differences(case_id) == []


def test_a_dispatch_against_the_catalogue_has_no_rule(world: World, monday: Frozen) -> None:
    case_id = sent(world, "water")
    give_back(world, case_id, "water")
    assert Return.objects.get(case_id=case_id).rule is None


def test_the_category_stays_what_it_was_when_the_return_was_raised(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing")
    give_back(world, case_id, "housing")
    a.correct(world.on(case_id, "dispatcher"), category="010101", reason="是路灯。")
    assert Return.objects.get(case_id=case_id).category == world.categories["010102"]


def test_the_third_return_is_ruled_on_jointly(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing", "urban", "water")
    give_back(world, case_id, "water")
    count = Event.objects.filter(case_id=case_id).count()
    with pytest.raises(Conflict) as caught:
        a.uphold_return(world.on(case_id, "dispatcher"), ruling="同意。")
    assert caught.value.code == "rule_jointly"
    assert "第 3 次退单" in str(caught.value)
    assert Event.objects.filter(case_id=case_id).count() == count
    shown = buttons(world, case_id, "dispatcher")
    assert shown["uphold_return"] == str(caught.value)
    assert shown["rule_jointly"] == shown["reject_return"] == ""

    monday.move(minutes=45)
    joint(world, case_id)
    case, entry = Case.objects.get(pk=case_id), Return.objects.get(case_id=case_id, ruling="joint")
    assert (case.state, case.lead_unit, case.returns) == (State.DISPATCHED, world.units["housing"], 3)
    assert entry.bound == [world.units["housing"].pk, world.units["urban"].pk]
    assert (entry.basis, entry.minutes) == ("市政府办〔2024〕12 号第三条", 45)
    parts = dict(Assignment.objects.filter(case_id=case_id, ended_at__isnull=True).values_list("unit__code", "role"))
    assert parts == {"housing": "lead", "urban": "assist"}
    event = Event.objects.get(pk=entry.ruling_event_id)
    assert {text.field: text.public for text in event.texts.all()} == {"ruling": False, "basis": False}
    assert differences(case_id) == []


@pytest.mark.parametrize("second_ruling", ["uphold_return", "reject_return"])
def test_two_units_that_each_name_the_other_are_ruled_on_jointly(world: World, monday: Frozen, second_ruling: str) -> None:
    case_id = sent(world, "housing")
    give_back(world, case_id, "housing", "urban")
    assert buttons(world, case_id, "dispatcher")["uphold_return"] == ""
    a.uphold_return(world.on(case_id, "dispatcher"), ruling="同意。")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
    give_back(world, case_id, "urban", "housing")
    assert "市城管局和市住建局各说是对方的职责" in buttons(world, case_id, "dispatcher")["uphold_return"]
    if second_ruling == "reject_return":  # that it is this unit's stays open
        assert take(world, case_id, "reject_return").state == State.DISPATCHED
        return
    with pytest.raises(Conflict, match="各说是对方的职责"):
        take(world, case_id, "uphold_return")
    joint(world, case_id)


def test_a_unit_that_names_a_third_one_is_not_pushing_back(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing")
    give_back(world, case_id, "housing", "urban")
    a.uphold_return(world.on(case_id, "dispatcher"), ruling="同意。")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
    give_back(world, case_id, "urban", "water")
    assert take(world, case_id, "uphold_return").state == State.ACCEPTED


def test_units_of_a_joint_ruling_do_not_return_it_again(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing", "urban", "water")
    give_back(world, case_id, "water")
    joint(world, case_id)
    assert "联合裁定" in buttons(world, case_id, "housing")["raise_return"]
    a.sign(world.on(case_id, "housing"))
    for lead in ("housing", "urban"):
        if lead == "urban":
            a.redispatch(world.on(case_id, "dispatcher"), lead_unit="urban", reason="换牵头。")
        with pytest.raises(Conflict) as caught:
            give_back(world, case_id, lead)
        assert caught.value.code == "ruled_jointly"
    assert Return.objects.filter(case_id=case_id).count() == 3
    # A unit that the ruling did not name may still object, and that is the fourth time.
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="water", reason="再看。")
    give_back(world, case_id, "water")
    assert "第 4 次退单" in buttons(world, case_id, "dispatcher")["uphold_return"]


def test_the_ruling_binds_for_its_round_only(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing", "urban", "water")
    give_back(world, case_id, "water")
    joint(world, case_id)
    Case.objects.filter(pk=case_id).update(round=2)
    give_back(world, case_id, "housing")
    assert Return.objects.get(case_id=case_id, ruling="waiting").round == 2


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"assisting_units": []}, "assisting_units"), ({"assisting_units": ["housing"]}, "assisting_units"),
    ({"basis": " "}, "basis"), ({"basis": "长" * 301}, "basis"), ({"lead_unit": "closed"}, "lead_unit"),
    ({"lead_unit": "nobody"}, "lead_unit"), ({"ruling": ""}, "ruling"),
])
def test_a_joint_ruling_is_whole(world: World, monday: Frozen, fields: dict[str, object], wrong: str) -> None:
    case_id = at_state(world, State.OBJECTED)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "rule_jointly", **fields)
    assert wrong in caught.value.fields
    assert Return.objects.get(case_id=case_id).ruling == "waiting"


@pytest.mark.parametrize("columns", [
    {"ruling": "joint", "basis": "", "bound": [1, 2]}, {"ruling": "joint", "basis": "法", "bound": [1]},
    {"ruling": "upheld", "basis": "法"}, {"ruling": "upheld", "minutes": None}, {"ruling": "settled"},
])
def test_the_database_keeps_the_ledger_straight(world: World, monday: Frozen, columns: dict[str, object]) -> None:
    entry = Return.objects.get(case_id=at_state(world, State.OBJECTED))
    whole = {"ruled_at": entry.raised_at, "minutes": 5} | columns
    with pytest.raises(IntegrityError), transaction.atomic():
        Return.objects.filter(pk=entry.pk).update(**whole)


@pytest.fixture
def village(world: World) -> Unit:
    return Unit.objects.create(code="garden", name="花园社区居委会", kind="town_government", area=world.areas[VILLAGE],
                               parent=world.units["bridge"])


@pytest.mark.parametrize(("unit", "suggested", "words"), [
    ("housing", "bridge", NOT_TO_A_TOWN), ("housing", "garden", NOT_TO_A_VILLAGE), ("bridge", "garden", NOT_TO_A_VILLAGE),
    ("east", "bridge", NOT_TO_A_TOWN),
])
def test_nothing_is_pushed_down(world: World, monday: Frozen, village: Unit, unit: str, suggested: str, words: object) -> None:
    case_id = sent(world, unit)
    with pytest.raises(Invalid) as caught:
        give_back(world, case_id, unit, suggested)
    assert str(caught.value) == str(words)
    assert "suggested_unit" in caught.value.fields
    assert Return.objects.count() == 0  # counted nowhere: it was no return
    assert (Case.objects.get(pk=case_id).state, Case.objects.get(pk=case_id).returns) == (State.IN_HAND, 0)


def test_what_the_catalogue_gives_to_a_town_may_be_named_as_its_own(world: World, monday: Frozen) -> None:
    case_id = sent(world, "urban", category="010101")  # against the catalogue: lamps of that town are the town's
    give_back(world, case_id, "urban", "bridge")
    assert Return.objects.get(case_id=case_id).suggested_unit == world.units["bridge"]


@pytest.mark.parametrize("evidence", [
    "本局无此职责，请转花园社区办理。", "应由村委会处理", "建议交网格员解决。", "请派给桥头街道花园社区居委会负责落实",
])
def test_evidence_that_hands_down_is_refused(world: World, monday: Frozen, evidence: str) -> None:
    case_id = sent(world, "housing")
    with pytest.raises(Invalid) as caught:
        give_back(world, case_id, "housing", evidence=evidence)
    assert "evidence" in caught.value.fields
    assert Return.objects.count() == 0


@pytest.mark.parametrize("evidence", [
    "花园社区内的工地，三定方案写明归城管局。", "不应由社区办理，归市城管局。", "已到社区核实，现场由城管局处理过。",
    "网格员上报时写错了地点。", "按条例由市城管局负责，社区没有执法权。",
])
def test_evidence_may_name_a_village(world: World, monday: Frozen, evidence: str) -> None:
    case_id = sent(world, "housing")
    give_back(world, case_id, "housing", evidence=evidence)
    assert Return.objects.count() == 1


@pytest.mark.parametrize(("action", "fields"), [
    ("dispatch", {"lead_unit": "garden", "assisting_units": []}), ("dispatch", {"lead_unit": "urban", "assisting_units": ["garden"]}),
    ("redispatch", {"lead_unit": "garden"}), ("add_assisting", {"assisting_units": ["garden"]}),
    ("rule_jointly", {"assisting_units": ["garden"]}),
])
def test_the_hotline_gives_nothing_to_a_village(world: World, monday: Frozen, village: Unit, action: str,
                                                fields: dict[str, object]) -> None:
    state = {"dispatch": State.ACCEPTED, "rule_jointly": State.OBJECTED}.get(action, State.IN_HAND)
    case_id = at_state(world, state)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, action, **fields)
    assert str(caught.value) == str(NOT_TO_A_VILLAGE)


def test_a_unit_does_not_suggest_itself(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing")
    with pytest.raises(Invalid) as caught:
        give_back(world, case_id, "housing", "housing")
    assert "suggested_unit" in caught.value.fields


def test_a_case_that_was_never_returned_costs_no_question(world: World, monday: Frozen, django_assert_num_queries: object) -> None:
    case = Case.objects.get(pk=world.accepted(area=VILLAGE))
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert barred(case, None) == {}


def test_the_reporter_reads_whose_it_is_and_nothing_of_the_quarrel(world: World, monday: Frozen) -> None:
    from lianxin.cases.narrative import said

    case_id = at_state(world, State.OBJECTED)
    done = take(world, case_id, "rule_jointly")
    event = Event.objects.select_related("unit", "actor").get(pk=done.event_id)
    assert said(event, internal=False) == "热线核定了由谁办：市住建局办理，市城管局配合。"
    assert "本轮不再退单" in said(event, internal=True)
