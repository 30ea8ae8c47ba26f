"""Who reads what of rounds: by area, one rule for lists and single ones; and what the table of answers leaves out."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from lianxin.cases.models import Attachment
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import NotFound
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.patrols import housekeeping, policy, queries
from lianxin.patrols.models import CheckIn, Inspection, InspectionPhoto
from lianxin.places.models import Site
from tests.patrols.made import SURVEY, round_of, sites, text_of, version
from tests.world import World

pytestmark = pytest.mark.django_db
ALL = {"school", "market", "village"}


def person(world: World, name: str, unit: str, role: Role, area: str = "") -> Actor:
    world.staff[name] = Staff.objects.create(username=name, name=f"{name}甲", unit=world.units[unit])
    RoleGrant.objects.create(staff=world.staff[name], role=role, unit=world.units[unit], area=world.areas.get(area))
    return world.actor(name)


def inspection(world: World, place: str, **more: Any) -> Inspection:
    answers = {"clear": "yes", "missing": 0, "note": "张三家门口"}
    row: dict[str, Any] = {"staff": world.staff["grid"], "at": now(), "answers": answers} | more
    where = {"area": world.areas["990101001001"]} if place == "village" else {"site": Site.objects.get(code=place)}
    return Inspection.objects.create(pk=uuid.uuid4(), **where, **row)


@pytest.fixture
def found(world: World, monday: Frozen) -> dict[str, Inspection]:
    sites(world)
    form = version()
    round_of(world, form.form)
    return {place: inspection(world, place, version=form) for place in ("school", "market", "village")}


# Unit and role, the area their grant names → the places they see.
SEEN = [
    ("hotline", Role.SUPERVISOR, "", ALL), ("hotline", Role.ADMINISTRATOR, "", ALL), ("hotline", Role.LEADER, "", ALL),
    ("hotline", Role.SUPERVISOR, "990102", {"market"}), ("hotline", Role.OPERATOR, "", set()), ("hotline", Role.HEAD, "", ALL),
    ("bridge", Role.TEAM_LEAD, "", {"school", "village"}), ("bridge", Role.TEAM_LEAD, "990101001001", {"school", "village"}),
    ("bridge", Role.HEAD, "", {"school", "village"}), ("bridge", Role.CLERK, "", set()), ("bridge", Role.GRID_WORKER, "", set()),
    ("east", Role.HEAD, "", {"school", "village"}), ("west", Role.HEAD, "", {"market"}), ("west", Role.SUPERVISOR, "", {"market"}),
    ("urban", Role.HEAD, "", set()), ("urban", Role.ADMINISTRATOR, "", set()),
]


@pytest.mark.parametrize(("unit", "role", "area", "seen"), SEEN)
def test_lists_and_single_ones_agree(found: dict[str, Inspection], world: World, unit: str, role: Role, area: str, seen: set[str]) -> None:
    actor = person(world, "reader", unit, role, area)
    assert policy.reads(actor) is bool(seen)
    assert {row.pk for row in queries.inspections(actor).rows} == {found[place].pk for place in seen}
    for place, row in found.items():
        if place in seen:
            assert queries.access_inspection(actor, row.pk) == row
        else:
            with pytest.raises(NotFound):
                queries.access_inspection(actor, row.pk)
    assert {one.place.site.code if one.place.site else "village" for one in queries.due_board(actor).rows} == seen
    assert {site.code for site in queries.sites_with_codes(actor)} == seen - {"village"}
    assert len(list(queries.answers_table(actor, "exits", since=date(2026, 11, 23), until=date(2026, 11, 23)))) == 1 + len(seen)


def test_a_reporter_and_a_machine_read_nothing(found: dict[str, Inspection]) -> None:
    from lianxin.organisations.actors import SYSTEM, reporter_for

    for actor in (SYSTEM, reporter_for(uuid.uuid4())):
        assert not policy.reads(actor)
        assert not queries.inspections(actor).rows


def test_the_board_counts_and_narrows(found: dict[str, Inspection], world: World, monday: Frozen) -> None:
    actor = world.actor("supervisor")
    assert dict(queries.due_board(actor).counts) == {"later": 3}
    monday.move(days=5)
    assert dict(queries.due_board(actor).counts) == {"soon": 3}
    monday.move(days=5)
    inspection(world, "market", version=found["market"].version)
    board = queries.due_board(actor, standing="overdue")
    assert dict(board.counts) == {"overdue": 2, "later": 1}
    assert {one.name for one in board.rows} == {"花园小学", "花园社区"}
    assert queries.due_board(actor, code="other").rows == []


def test_pages_follow_one_another(found: dict[str, Inspection], world: World, monday: Frozen) -> None:
    actor, form = world.actor("supervisor"), found["school"].version
    for n in range(5):
        inspection(world, "school", version=form, at=now() - timedelta(minutes=n % 2))
    seen: list[uuid.UUID] = []
    after = ""
    while True:
        page = queries.inspections(actor, after=after, limit=3)
        seen += [row.pk for row in page.rows]
        after = page.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == 8
    assert [row.pk for row in queries.inspections(actor, place="market").rows] == [found["market"].pk]
    assert queries.inspections(actor, form="other").rows == []
    assert len(queries.inspections(actor, after="nonsense").rows) == 8


def test_the_table_names_nobody(found: dict[str, Inspection], world: World, monday: Frozen) -> None:
    """Neither the worker nor what somebody wrote; a later version's questions beside an earlier one's."""
    later = version(2, text_of(survey=(*SURVEY[:1], "integer,doors,几扇门？,How many doors?,,no,,,", SURVEY[5])))
    monday.move(days=1)
    inspection(world, "school", version=later, answers={"clear": "no", "doors": 4, "missing": 12})
    rows = list(queries.answers_table(world.actor("supervisor"), "exits", since=date(2026, 11, 23), until=date(2026, 11, 24)))
    assert rows[0] == ["时间", "地点代码", "地点", "版本", "通道通畅吗？", "几扇门？", "缺几个灭火器？", "被什么堵了？", "最窄多少米？",
                       "发现的问题", "工单"]
    assert rows[-1] == ["2026-11-24 10:00", "school", "花园小学", "2", "否", "4", "12", "", "", "通道堵塞、灭火器缺得多", ""]
    text = str(rows)
    for name in ("张三", *(staff.name for staff in world.staff.values())):
        assert name not in text
    assert len(list(queries.answers_table(world.actor("supervisor"), "exits", since=date(2026, 11, 24), until=date(2026, 11, 24)))) == 2
    with pytest.raises(NotFound):
        list(queries.answers_table(world.actor("supervisor"), "other", since=date(2026, 11, 23), until=date(2026, 11, 24)))


def test_check_ins_are_deleted_in_time(world: World, monday: Frozen, settings: Any) -> None:
    sites(world)
    settings.LIANXIN_CHECK_IN_DAYS = 90
    for days in (0, 89, 91, 400):
        CheckIn.objects.create(pk=uuid.uuid4(), staff=world.staff["grid"], site=Site.objects.get(code="school"), how="button",
                               at=now() - timedelta(days=days))
    assert housekeeping.keep_house(now())["check_ins"] == 2
    assert CheckIn.objects.count() == 2


def test_words_and_photos_go_and_what_was_found_stays(world: World, monday: Frozen, settings: Any) -> None:
    sites(world)
    form = version()
    settings.LIANXIN_RETENTION_DAYS = settings.LIANXIN_RETENTION_DAYS | {"words": 100}
    answers = {"clear": "no", "by": ["goods"], "photo": 1, "missing": 2, "note": "张三家门口"}
    rows = [inspection(world, "school", version=form, answers=answers, at=now() - timedelta(days=days)) for days in (99, 101)]
    case_id = world.case()
    for row in rows:
        own = Attachment.objects.create(kind="photo", name="a.jpg", content_type="image/jpeg", size=1, sha256=f"{row.pk.hex:0>64}")
        InspectionPhoto.objects.create(inspection=row, question="photo", attachment=own)
    of_a_case = Attachment.objects.create(kind="photo", name="b.jpg", content_type="image/jpeg", size=1, sha256="1" * 64, case_id=case_id)
    InspectionPhoto.objects.create(inspection=rows[1], question="rack", attachment=of_a_case)
    assert housekeeping.keep_house(now())["inspections"] == 1
    assert housekeeping.keep_house(now())["inspections"] == 0
    young, old = (Inspection.objects.get(pk=row.pk) for row in rows)
    assert (young.answers, young.cleared_at) == (answers, None)
    assert (old.answers, old.cleared_at) == ({"clear": "no", "by": ["goods"], "missing": 2}, now())
    assert Attachment.objects.filter(removed_at__isnull=False).count() == 1
    assert queries.photos_of(old).keys() == {"rack"}, "the case keeps it as long as the case does"
    assert queries.photos_of(young).keys() == {"photo"}


def test_photos_of_inspections_are_no_leftovers(found: dict[str, Inspection], monday: Frozen) -> None:
    """They belong to no case, and the night's clearing leaves them alone."""
    from lianxin.cases.files import forget_unclaimed

    kept, left = (Attachment.objects.create(kind="photo", name="a.jpg", content_type="image/jpeg", size=1, sha256=digit * 64,
                                            created_at=now() - timedelta(days=9)) for digit in "12")
    InspectionPhoto.objects.create(inspection=found["school"], question="photo", attachment=kept)
    assert forget_unclaimed(now() - timedelta(days=1)) == 1
    assert list(Attachment.objects.all()) == [kept]
    assert left.pk
