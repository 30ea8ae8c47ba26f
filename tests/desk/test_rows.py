"""The lines of a list: what each says, safely, in the reader's language, without asking the database."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from lianxin.cases import actions as a
from lianxin.cases.models import Case
from lianxin.cases.queries import rows
from lianxin.desk.boards import BY_CODE, filters_from, page_of
from lianxin.desk.rows import Badge, Line, lines
from lianxin.kernel.clock import Frozen, now
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db


def line_of(case_id: uuid.UUID, searched: str = "", **changed: object) -> Line:
    [case] = rows(Case.objects.filter(pk=case_id))
    for name, value in changed.items():
        setattr(case, name, value)
    [line] = lines([case], searched)
    return line


def test_a_line_leads_to_its_case_and_says_what_sets_it_apart(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    line = line_of(case_id, urgency="urgent", round=2, returns=3, confidential=True)
    assert line.address == reverse("desk:case", args=[case_id])
    assert line.urgent == "紧急"
    assert line.badges == (Badge("第 2 次办理", "amber"), Badge("退单 3 次"), Badge("保密"))
    assert line.state == Badge("待派单")
    with override("en"):
        assert [badge.words for badge in line_of(case_id, round=2, returns=3).badges] == ["Round 2", "Returned × 3"]


@pytest.mark.parametrize(("ahead", "late"), [
    (timedelta(minutes=-1), Badge("超时", "vermilion")), (timedelta(hours=23), Badge("将到期", "amber")), (timedelta(days=2), None),
])
def test_what_is_late_or_soon_due_says_so_while_it_is_owed(world: World, monday: Frozen, ahead: timedelta, late: Badge | None) -> None:
    case_id = world.accepted()
    assert line_of(case_id, due_at=now() + ahead).late == late
    waiting = line_of(case_id, due_at=now() + ahead, state="callback")
    assert (waiting.late, waiting.quiet) == (None, True)
    closed = line_of(case_id, due_at=None, state="closed", closed_at=now(), outcome="solved")
    assert (closed.late, closed.closed, closed.outcome, closed.time[:2]) == (None, True, "已解决", "今天")
    assert closed.state.mood == "green"


def test_a_date_in_a_year_that_nobody_has_published_says_so(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    assert line_of(case_id).provisional is None
    far = now().replace(year=2027, month=1, day=5)
    assert line_of(case_id, due_at=far, due_provisional=True).provisional == Badge("暂定")
    # A unit's own date may lie in this year where the case's lies in the next.
    near = now().replace(month=12, day=30)
    assert line_of(case_id, due_at=near, due_provisional=True).provisional is None


def test_a_case_without_category_place_or_unit_says_that_there_is_none(world: World, monday: Frozen) -> None:
    line = line_of(world.case(words="路灯坏了。", channel="phone"))
    assert line.about.startswith("未定事项 · 未定地点 · 今天 ")
    assert line.who == "电话"
    assert line_of(world.case(words="路灯坏了。", place_text="桥头")).about.startswith("未定事项 · 桥头 · ")


def test_a_units_line_speaks_of_its_own_part(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing", assisting_units=["urban"])
    actor = world.actor("urban")
    page = page_of(BY_CODE["mine"], actor, filters=filters_from(QueryDict()))
    with CaptureQueriesContext(connection) as asked:
        [line] = lines(page.rows)
    assert len(asked) == 0
    assert Badge("协办", "accent") in line.badges
    assert line.state == Badge("待签收")


def test_a_page_of_lines_asks_the_database_nothing(world: World, monday: Frozen) -> None:
    made = {world.case(words=f"{number} 号楼前的路灯坏了。") for number in range(5)}
    cases = list(rows(Case.objects.filter(pk__in=made)))
    with CaptureQueriesContext(connection) as asked:
        assert {line.id for line in lines(cases, "路灯")} == made
    assert len(asked) == 0


def test_what_a_reporter_wrote_stays_text(world: World, monday: Frozen, as_: SignIn) -> None:
    world.case(words="<script>alert(1)</script>路灯坏了", place_text="<b>桥头</b>")
    body = as_("supervisor").get(reverse("desk:board", args=["all"]) + "?q=路灯").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<mark>路灯</mark>坏了" in body
    assert "&lt;b&gt;桥头&lt;/b&gt;" in body
    assert "<script>alert" not in body
