"""From a ruling to the next version of the catalogue: who proposes, what it would have changed, who decides."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from lianxin.cases import actions as a
from lianxin.cases import reference
from lianxin.cases.catalogue import content, effects, proposals, versions
from lianxin.cases.models import (
    Assignment,
    Case,
    CatalogueProposal,
    CatalogueRule,
    CatalogueVersion,
    Category,
    Return,
)
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit
from tests.cases.test_returns import give_back, joint, sent
from tests.cases.ways import VILLAGE
from tests.world import World

pytestmark = pytest.mark.django_db
ASKED = {"category": "010102", "lead_unit": "urban", "assisting_units": ["housing"], "basis": "三定方案第七条",
         "why": "噪声三次退回，都归城管。"}


@pytest.fixture
def second(world: World) -> Staff:
    """Another supervisor of the hotline."""
    person = Staff.objects.create(username="supervisor2", name="督办乙", unit=world.units["hotline"])
    RoleGrant.objects.create(staff=person, role=Role.SUPERVISOR, unit=world.units["hotline"])
    world.staff["supervisor2"] = person
    return person


def propose(world: World, by: str = "dispatcher", **more: object) -> CatalogueProposal:
    return proposals.propose(by=world.actor(by), **(ASKED | more))  # type: ignore[arg-type]


def approve(world: World, proposal: CatalogueProposal, by: str = "supervisor", **more: object) -> CatalogueVersion:
    version = proposals.approve(proposal.pk, by=world.actor(by), **more).version  # type: ignore[arg-type]
    reference.forget()
    assert version is not None
    return version


def lead(world: World, category: str = "010102", area: str = VILLAGE) -> str:
    held = reference.reference()
    found = held.responsible(category_id=held.nodes_by_code[category].id, area_id=held.places_by_code[area].id,
                             on=date(2026, 11, 23))
    return found.lead.code if found else ""


def test_an_approved_proposal_is_the_next_version_and_the_next_dispatch(world: World, monday: Frozen) -> None:
    before = content.content_of(CatalogueVersion.objects.get())
    assert lead(world) == "housing"
    proposal = propose(world)
    monday.move(minutes=20)
    version = approve(world, proposal)
    assert (version.number, version.source, version.created_by) == (2, "proposal", world.staff["supervisor"])
    assert version.in_force_from == version.created_at == proposal.proposed_at + timedelta(minutes=20)
    after = content.content_of(version)
    changed = content.compare(before, after)
    assert [(one.kind, one.line.lead, one.line.valid_from) for one in changed] == [
        ("removed", "housing", None), ("added", "urban", date(2026, 11, 23))]
    assert len(after) == len(before)
    assert lead(world) == "urban"
    case_id = world.accepted(area=VILLAGE)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
    part = Assignment.objects.get(case_id=case_id, ended_at__isnull=True)
    assert part.rule == version.rules.get(category__code="010102")
    assert not part.against_catalogue


def test_a_version_of_a_later_day_waits_for_it(world: World, monday: Frozen) -> None:
    version = approve(world, propose(world), on=date(2026, 11, 25))
    assert version.in_force_from == datetime(2026, 11, 24, 16, tzinfo=UTC)  # midnight there
    assert lead(world) == "housing"
    monday.move(days=2)
    reference.forget()
    assert reference.reference().version == 2
    rule = reference.reference().rules[(world.categories["010102"].pk, None)][0]
    assert (rule.lead_unit_id, rule.valid_from) == (world.units["urban"].pk, date(2026, 11, 25))


def test_the_catalogue_is_never_changed_for_the_past(world: World, monday: Frozen, second: Staff) -> None:
    proposal = propose(world)
    with pytest.raises(Invalid) as caught:
        approve(world, proposal, on=date(2026, 11, 22))
    assert "on" in caught.value.fields
    with pytest.raises(Invalid):
        versions.restore(1, by=world.actor("supervisor"), reason="x", on=date(2026, 1, 1))
    assert CatalogueVersion.objects.count() == 1
    approve(world, proposal, on=date(2026, 12, 1))
    # What is decided for December is not overtaken by something in force before.
    another = propose(world, category="010101")
    with pytest.raises(Invalid, match="第 2 版"):
        approve(world, another)
    approve(world, another, on=date(2026, 12, 1))
    assert [one.number for one in CatalogueVersion.objects.order_by("in_force_from", "number")] == [1, 2, 3]


REFUSED = [
    ("UPDATE cases_catalogueversion SET in_force_from = in_force_from - interval '1 day'", "never altered"),
    ("UPDATE cases_cataloguerule SET lead_unit_id = lead_unit_id", "never altered"),
    ("DELETE FROM cases_cataloguerule", "never altered"),
    ("INSERT INTO cases_catalogueversion (number, in_force_from, created_at, source, note, content_hash) "
     "VALUES (2, '2019-01-01', now(), 'files', '', 'y')", "never in force before"),
    ("INSERT INTO cases_catalogueversion (number, in_force_from, created_at, source, note, content_hash) "
     "VALUES (2, now() - interval '1 hour', now(), 'files', '', 'y')", "catalogue_version_never_retroactive"),
    ("INSERT INTO cases_catalogueversion (number, in_force_from, created_at, source, note, content_hash) "
     "VALUES (2, now(), now(), 'proposal', '', 'y')", "catalogue_version_of_the_desk_has_a_maker"),
]


@pytest.mark.parametrize(("sql", "why"), REFUSED)
def test_the_database_refuses_to_change_the_past(world: World, sql: str, why: str) -> None:
    with pytest.raises((IntegrityError, InternalError), match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db(transaction=True)
def test_no_rule_is_added_to_a_version_afterwards() -> None:
    world = World.make()
    version = CatalogueVersion.objects.get()
    with pytest.raises((IntegrityError, InternalError), match="later"):
        CatalogueRule.objects.create(version=version, category=world.categories["010105"], lead_unit=world.units["urban"])
    with transaction.atomic():  # a whole one, made inside a savepoint, is as it should be
        with transaction.atomic():
            made = CatalogueVersion.objects.create(number=2, in_force_from=version.created_at, created_at=version.created_at,
                                                   content_hash="y")
        CatalogueRule.objects.create(version=made, category=world.categories["010105"], lead_unit=world.units["urban"])


def test_nobody_decides_what_they_proposed(world: World, monday: Frozen, second: Staff) -> None:
    proposal = propose(world, by="supervisor")
    with pytest.raises(NotAllowed, match="自己提的"):
        approve(world, proposal)
    with pytest.raises(NotAllowed):
        proposals.refuse(proposal.pk, by=world.actor("supervisor"), reason="不行。")
    with pytest.raises(IntegrityError, match="catalogue_proposal_decided_by_another"), transaction.atomic():
        CatalogueProposal.objects.filter(pk=proposal.pk).update(
            decision="refused", reason="x", decided_at=proposal.proposed_at, decided_by=world.staff["supervisor"])
    assert approve(world, proposal, by="supervisor2").number == 2


@pytest.mark.parametrize("name", ["operator", "dispatcher", "reviewer", "urban", "urban_head", "leader", "east_supervisor", "admin"])
def test_only_a_supervisor_of_the_hotline_decides(world: World, monday: Frozen, second: Staff, name: str) -> None:
    proposal = propose(world, by="supervisor")
    with pytest.raises(NotAllowed):
        proposals.approve(proposal.pk, by=world.actor(name))
    with pytest.raises(NotAllowed):
        versions.restore(1, by=world.actor(name), reason="x")


@pytest.mark.parametrize(("name", "area", "may"), [
    ("dispatcher", "", True), ("supervisor", VILLAGE, True), ("east_supervisor", VILLAGE, True), ("east_supervisor", "", False),
    ("east_supervisor", "990102", False), ("operator", "", False), ("urban", VILLAGE, False), ("leader", "", False),
])
def test_who_proposes_for_where(world: World, monday: Frozen, name: str, area: str, may: bool) -> None:
    if may:
        assert propose(world, by=name, area=area).area == world.areas.get(area)
    else:
        with pytest.raises(NotAllowed):
            propose(world, by=name, area=area)


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"category": "999999"}, "category"), ({"category": ""}, "category"), ({"area": "nowhere"}, "area"),
    ({"lead_unit": "closed"}, "lead_unit"), ({"lead_unit": ""}, "lead_unit"), ({"assisting_units": ["urban"]}, "assisting_units"),
    ({"basis": ""}, "basis"), ({"basis": "长" * 301}, "basis"), ({"why": " "}, "why"), ({"why": "长" * 1001}, "why"),
    ({"lead_unit": "housing", "assisting_units": []}, "lead_unit"), ({"lead_unit": "garden"}, "lead_unit"),
])
def test_a_proposal_is_whole(world: World, monday: Frozen, fields: dict[str, object], wrong: str) -> None:
    Unit.objects.create(code="garden", name="花园社区居委会", kind="town_government", area=world.areas[VILLAGE])
    with pytest.raises(Invalid) as caught:
        propose(world, **fields)
    assert wrong in caught.value.fields
    assert not CatalogueProposal.objects.exists()


def test_one_rule_waits_once(world: World, monday: Frozen) -> None:
    first = propose(world)
    with pytest.raises(Conflict) as caught:
        propose(world, by="supervisor")
    assert caught.value.code == "already_proposed"
    proposals.refuse(first.pk, by=world.actor("supervisor"), reason="职责没有变。")
    assert propose(world, by="supervisor").waiting


def test_sent_again_it_is_the_same_proposal(world: World, monday: Frozen) -> None:
    key = b"k" * 32
    first = propose(world, key=key)
    assert propose(world, key=key).pk == first.pk
    with pytest.raises(Conflict) as caught:
        propose(world, key=key, category="010101")
    assert caught.value.code == "key_reused"


def test_it_follows_from_a_ruling_that_was_for_the_unit(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing", "urban")
    upheld = Return.objects.get(case_id=case_id)
    give_back(world, case_id, "urban")
    a.reject_return(world.on(case_id, "dispatcher"), ruling="属于你局。")
    rejected = Return.objects.get(case_id=case_id, ruling="rejected")
    with pytest.raises(Invalid):
        propose(world, return_id=rejected.pk)
    with pytest.raises(NotFound):
        propose(world, return_id=uuid.uuid4())
    assert propose(world, return_id=upheld.pk).returned == upheld


def test_what_was_changed_since_is_told(world: World, monday: Frozen, second: Staff) -> None:
    ours = propose(world)
    assert proposals.moved_on(ours) == (0, False)
    approve(world, ours)
    late = propose(world, lead_unit="water", assisting_units=[])
    versions.restore(1, by=world.actor("supervisor2"), reason="试行结束。")
    assert proposals.moved_on(late) == (1, True)
    with pytest.raises(Conflict) as caught:
        proposals.approve(late.pk, by=world.actor("supervisor"))
    assert caught.value.code == "moved_on"
    assert proposals.refuse(late.pk, by=world.actor("supervisor"), reason="按新版重新提。").decision == "refused"


def test_another_rule_changed_since_lets_it_go_on_when_seen(world: World, monday: Frozen) -> None:
    ours, other = propose(world), propose(world, category="010103")
    approve(world, other)
    assert proposals.moved_on(ours) == (1, False)
    with pytest.raises(Conflict, match="第 1 版"):
        proposals.approve(ours.pk, by=world.actor("supervisor"), seen=1)
    version = approve(world, ours, seen=2)
    assert {line.category: line.lead for line in content.content_of(version) if line.valid_from} == {
        "010102": "urban", "010103": "urban"}


def test_a_decision_stays(world: World, monday: Frozen) -> None:
    proposal = propose(world)
    proposals.refuse(proposal.pk, by=world.actor("supervisor"), reason="职责没有变。")
    with pytest.raises(Conflict) as caught:
        proposals.approve(proposal.pk, by=world.actor("supervisor"))
    assert caught.value.code == "decided"
    again = proposals.refuse(proposal.pk, by=world.actor("supervisor"), reason="别的话。")  # said again: nothing happens
    assert again.reason == "职责没有变。"
    for sql in ("UPDATE cases_catalogueproposal SET reason = 'x'", "DELETE FROM cases_catalogueproposal"):
        with pytest.raises((IntegrityError, InternalError), match="never altered"), transaction.atomic(), \
                connection.cursor() as cursor:
            cursor.execute(sql)


@pytest.mark.parametrize("columns", [
    {"decision": "refused", "decided": True, "reason": ""}, {"decision": "approved", "decided": True},
    {"decision": "waiting", "decided": True}, {"decision": "refused", "reason": "x"}, {"basis": ""}, {"why": ""},
    {"decision": "perhaps", "decided": True},
])
def test_the_database_keeps_proposals_straight(world: World, monday: Frozen, columns: dict[str, object]) -> None:
    proposal = propose(world)
    if columns.pop("decided", False):
        columns |= {"decided_at": proposal.proposed_at, "decided_by": world.staff["supervisor"]}
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogueProposal.objects.filter(pk=proposal.pk).update(**columns)


def test_going_back_is_a_version_in_the_open(world: World, monday: Frozen) -> None:
    first = CatalogueVersion.objects.get()
    approve(world, propose(world))
    monday.move(hours=1)
    with pytest.raises(Invalid):
        versions.restore(1, by=world.actor("supervisor"), reason=" ")
    with pytest.raises(Conflict):
        versions.restore(1, by=world.actor("supervisor"), reason="试行结束。", seen=1)
    back = versions.restore(1, by=world.actor("supervisor"), reason="试行结束。", seen=2)
    reference.forget()
    assert (back.number, back.restores, back.source, back.note) == (3, first, "restored", "试行结束。")
    assert content.compare(content.content_of(first), content.content_of(back)) == []
    assert CatalogueRule.objects.filter(version=first).count() == CatalogueRule.objects.filter(version=back).count()
    assert lead(world) == "housing"
    assert versions.restore(1, by=world.actor("supervisor"), reason="试行结束。", seen=2).pk == back.pk  # sent again
    with pytest.raises(Invalid, match="内容相同"):
        versions.restore(1, by=world.actor("supervisor"), reason="再来。")
    with pytest.raises(NotFound):
        versions.restore(9, by=world.actor("supervisor"), reason="再来。")


def test_it_shows_what_it_would_have_changed(world: World, monday: Frozen) -> None:
    """Three cases of noise: one went to housing and stayed, one was given back by it and went to urban, one was given back
    by water and then, jointly, by all. Old and other cases are not counted."""
    monday.move(days=-100)
    old = sent(world, "housing")
    monday.move(days=100)
    stayed = sent(world, "housing")
    moved = sent(world, "housing", "urban")
    thrice = sent(world, "housing", "water", "urban")
    give_back(world, thrice, "urban")
    joint(world, thrice, lead="urban", assisting=("housing",))
    sent(world, "urban", category="010101")
    monday.move(minutes=1)
    proposal = propose(world)
    found = effects.effect_of(proposal, world.actor("supervisor"))
    # stayed: housing; moved: housing, urban; thrice: housing, water, urban, urban (jointly)
    assert (found.dispatches, found.not_did, found.not_rule) == (7, 4, 7)
    # In `thrice` urban gave it back as well: what the others' returns would have spared, its own would have caused.
    assert (found.spared, found.caused) == (1, 1)
    assert set(found.cases["all"]) == {stayed, moved, thrice}
    assert set(found.cases["not_did"]) == {stayed, moved, thrice}
    assert found.cases["spared"] == (moved,)
    assert found.cases["caused"] == (thrice,)
    assert old not in found.cases["all"]
    page = effects.cases_of(found, "all", after=None, limit=2)
    assert [case.pk for case in page.rows] == sorted((stayed, moved, thrice), reverse=True)[:2]
    rest = effects.cases_of(found, "all", after=uuid.UUID(page.after), limit=2)
    assert [case.pk for case in rest.rows] == [min(stayed, moved, thrice)]
    assert rest.after == ""


def test_a_more_specific_rule_stays_out_of_it(world: World, monday: Frozen) -> None:
    sent(world, "bridge", category="010101")  # the town's own rule decides there, whatever is proposed above it
    sent(world, "urban", category="010101")
    monday.move(minutes=1)
    proposal = propose(world, category="010101", lead_unit="water", assisting_units=[])
    found = effects.effect_of(proposal, world.actor("supervisor"))
    assert found.dispatches == 0
    narrow = propose(world, category="010101", area="990101001", lead_unit="water", assisting_units=[])
    assert effects.effect_of(narrow, world.actor("supervisor")).dispatches == 2


def test_a_county_counts_its_own(world: World, monday: Frozen) -> None:
    sent(world, "housing")
    case = world.accepted("010102", area="990102")
    a.dispatch(world.on(case, "dispatcher"), lead_unit="housing")
    monday.move(minutes=1)
    proposal = propose(world)
    assert effects.effect_of(proposal, world.actor("supervisor")).dispatches == 2
    assert effects.effect_of(proposal, world.actor("east_supervisor")).dispatches == 1


def test_the_future_of_a_rule_stays(world: World) -> None:
    line = content.Line
    lines = [line("01", "", "a", valid_to=date(2027, 1, 1)), line("01", "", "b", valid_from=date(2027, 1, 1)), line("02", "", "c")]
    made = content.with_rule(lines, line("01", "", "x"), on=date(2026, 11, 23))
    assert sorted(made, key=lambda one: one.lead) == [
        line("01", "", "b", valid_from=date(2027, 1, 1)), line("02", "", "c"),
        line("01", "", "x", valid_from=date(2026, 11, 23), valid_to=date(2027, 1, 1))]
    again = content.with_rule(made, line("01", "", "y"), on=date(2026, 11, 23))
    assert [one.lead for one in again if one.valid_from == date(2026, 11, 23)] == ["y"]


def test_errors_are_the_domains(world: World, monday: Frozen) -> None:
    for run in (lambda: proposals.approve(uuid.uuid4(), by=world.actor("supervisor")),
                lambda: proposals.refuse(uuid.uuid4(), by=world.actor("supervisor"), reason="x")):
        with pytest.raises(DomainError):
            run()
    Category.objects.filter(code="010102").update(active=False)
    reference.forget()
    with pytest.raises(Invalid):
        propose(world)
    assert not Case.objects.exists()
