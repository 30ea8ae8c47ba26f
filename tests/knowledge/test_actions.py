"""Drafts, approval by another, withdrawal; answers that keep their version; reports with a clock of their own."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from lianxin.cases import actions as a
from lianxin.cases.models import Clock, Event
from lianxin.cases.narrative import said as sentence
from lianxin.cases.retention import GONE
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.knowledge import actions, queries
from lianxin.knowledge.actions import Content
from lianxin.knowledge.models import Report, Term, Use, Version
from lianxin.organisations.models import Role, RoleGrant, Staff
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 23)
HERE = ZoneInfo("Asia/Shanghai")
LAMP = Content(title="路灯不亮怎么报", answer="请说清灯杆编号，两个工作日内修好。", valid_from=date(2026, 1, 1), basis="《照明规定》",
               questions=("路灯坏了找谁？",), keywords=("路灯",), category="010101", unit="urban", review_by=date(2027, 12, 31))


def test_a_draft_is_approved_by_another_and_takes_the_place_of_the_version_before(world: World, monday: Frozen) -> None:
    first = actions.draft(by=world.actor("urban"), content=LAMP)
    code = first.article.code
    assert (first.state, first.number, queries.search("路灯不亮", on=ON)) == ("draft", 1, [])
    with pytest.raises(NotAllowed):
        actions.approve(by=world.actor("urban"), code=code, number=1)
    actions.approve(by=world.actor("urban_head"), code=code, number=1)
    assert [one.version for one in queries.search("路灯不亮", on=ON)] == [f"{code}@1"]
    again = actions.draft(by=world.actor("urban2"), content=replace(LAMP, answer="一个工作日内修好。"), code=code, seen=1)
    assert [one.version for one in queries.search("路灯不亮", on=ON)] == [f"{code}@1"], "a draft changes nothing yet"
    actions.approve(by=world.actor("supervisor"), code=code, number=again.number)
    assert [one.answer for one in queries.search("路灯不亮", on=ON)] == ["一个工作日内修好。"]
    assert [(one.number, one.state) for one in queries.history(code)] == [(2, "approved"), (1, "replaced")]
    assert set(Term.objects.values_list("version__number", flat=True)) == {2}


def test_nobody_decides_on_their_own_words_whatever_they_may(world: World, monday: Frozen) -> None:
    for author in ("urban_head", "supervisor"):
        made = actions.draft(by=world.actor(author), content=LAMP)
        with pytest.raises(NotAllowed):
            actions.approve(by=world.actor(author), code=made.article.code, number=made.number)
        with pytest.raises(NotAllowed):
            actions.refuse(by=world.actor(author), code=made.article.code, number=made.number, reason="我自己定")


@pytest.mark.parametrize("who", ["operator", "dispatcher", "reviewer", "callback", "admin", "leader", "water", "east", "grid",
                                 "east_supervisor"])
def test_others_neither_write_nor_decide_nor_withdraw(world: World, monday: Frozen, who: str) -> None:
    by = world.actor(who)
    with pytest.raises(NotAllowed):
        actions.draft(by=by, content=LAMP)
    made = actions.draft(by=world.actor("urban"), content=LAMP)
    with pytest.raises(NotAllowed):
        actions.approve(by=by, code=made.article.code, number=1)
    actions.approve(by=world.actor("supervisor"), code=made.article.code, number=1)
    with pytest.raises(NotAllowed):
        actions.withdraw(by=by, code=made.article.code, reason="不对")
    with pytest.raises(NotAllowed):
        actions.draft(by=by, content=replace(LAMP, unit="water"), code=made.article.code)


def test_what_cannot_be_taken_is_named(world: World, monday: Frozen) -> None:
    with pytest.raises(Invalid) as caught:
        actions.draft(by=world.actor("urban"), content=replace(
            LAMP, title=" ", answer="", basis="", category="99", area="99", valid_until=date(2025, 1, 1), review_by=date(2026, 11, 22)))
    assert set(caught.value.fields) == {"title", "answer", "basis", "category", "area", "valid_until", "review_by"}
    with pytest.raises(Invalid) as caught:
        actions.draft(by=world.actor("supervisor"), content=replace(LAMP, unit="nobody", review_by=None))
    assert set(caught.value.fields) == {"unit", "review_by"}
    with pytest.raises(Invalid) as caught:
        actions.draft(by=world.actor("urban"), content=replace(LAMP, keywords=("路" * 41,)))
    assert set(caught.value.fields) == {"keywords"}
    assert not Version.objects.exists()


def test_two_who_edit_at_once(world: World, monday: Frozen) -> None:
    code = article("lamp", "路灯不亮怎么报", unit=world.units["urban"]).article.code
    actions.draft(by=world.actor("urban"), content=LAMP, code=code, seen=1)
    with pytest.raises(Conflict):
        actions.draft(by=world.actor("urban2"), content=LAMP, code=code, seen=1)
    actions.draft(by=world.actor("urban2"), content=LAMP, code=code, seen=2)
    assert [(one.number, one.state) for one in queries.history(code)] == [(3, "draft"), (2, "dropped"), (1, "approved")]
    with pytest.raises(Conflict):
        actions.approve(by=world.actor("urban_head"), code=code, number=2)
    with pytest.raises(NotFound):
        actions.approve(by=world.actor("urban_head"), code=code, number=9)
    with pytest.raises(Invalid):
        actions.refuse(by=world.actor("urban_head"), code=code, number=3, reason=" ")
    actions.refuse(by=world.actor("urban_head"), code=code, number=3, reason="没有写明时限")
    assert queries.history(code)[0].reason == "没有写明时限"


def test_a_draft_sent_twice_is_one(world: World, monday: Frozen) -> None:
    by = world.actor("urban")
    first = actions.draft(by=by, content=LAMP, key=b"k" * 32)
    assert actions.draft(by=by, content=LAMP, key=b"k" * 32) == first
    with pytest.raises(Conflict):
        actions.draft(by=by, content=replace(LAMP, answer="另一个答案"), key=b"k" * 32)
    again = actions.draft(by=by, content=LAMP, code=first.article.code, seen=1, key=b"e" * 32)
    assert actions.draft(by=by, content=LAMP, code=first.article.code, seen=1, key=b"e" * 32) == again, "no conflict with itself"
    assert actions.draft(by=by, content=LAMP).article.code == "urban-2"
    assert Version.objects.count() == 3


def test_a_unit_that_is_closed_answers_for_nothing_new(world: World, monday: Frozen) -> None:
    with pytest.raises(Invalid) as caught:
        actions.draft(by=world.actor("supervisor"), content=replace(LAMP, unit="closed"))
    assert set(caught.value.fields) == {"unit"}


def test_withdrawn(world: World, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    with pytest.raises(Invalid):
        actions.withdraw(by=world.actor("urban_head"), code="lamp", reason="")
    actions.withdraw(by=world.actor("urban_head"), code="lamp", reason="职责已移交")
    assert queries.search("路灯不亮", on=ON) == []
    assert queries.history("lamp")[0].reason == "职责已移交"
    with pytest.raises(Conflict):
        actions.withdraw(by=world.actor("urban_head"), code="lamp", reason="再来一次")
    back = actions.draft(by=world.actor("urban"), content=LAMP, code="lamp")
    actions.approve(by=world.actor("urban_head"), code="lamp", number=back.number)
    assert [one.code for one in queries.search("路灯不亮", on=ON)] == ["lamp"]


def test_a_version_never_changes_what_it_says(world: World, monday: Frozen) -> None:
    made = article("lamp", "路灯不亮怎么报")
    for change in ("title = 'x'", "answer = 'x'", "keywords = '{x}'", "valid_until = '2026-12-01'", "public = false", "number = 5"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE knowledge_version SET {change} WHERE id = {made.pk}")


@pytest.mark.parametrize(("table", "change"), [
    ("version", "state = 'other'"), ("version", "title = ''"), ("version", "state = 'draft'"), ("version", "decided_at = NULL"),
    ("version", "state = 'replaced'"), ("version", "ended_at = now()"), ("version", "state = 'withdrawn'"),
    ("version", "written_by_id = {urban}, decided_by_id = {urban}"), ("version", "valid_until = '2020-01-01'"),
    ("term", "weight = 0"), ("report", "fault = 'x'"), ("report", "state = 'x'"), ("report", "due_at = reported_at"),
    ("report", "state = 'kept', answered_at = now()"), ("report", "state = 'corrected', answered_at = now()"),
    ("report", "answer = 'x'"),
])
def test_the_database_holds_it(world: World, monday: Frozen, table: str, change: str) -> None:
    article("lamp", "路灯不亮怎么报")
    actions.report(by=None, code="lamp", fault="wrong", words="电话不对")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE knowledge_{table} SET {change.format(urban=world.staff['urban'].pk)}")


def test_one_draft_and_one_version_in_use(world: World, monday: Frozen) -> None:
    made = article("lamp", "路灯不亮怎么报")
    rows = [Version(article=made.article, number=number, title="甲", answer="乙", valid_from=ON, state="draft",
                    written_at=made.written_at) for number in (7, 8)]
    rows[0].save()
    with pytest.raises(DatabaseError), transaction.atomic():
        rows[1].save()
    with pytest.raises(DatabaseError), transaction.atomic():
        Version.objects.filter(pk=rows[0].pk).update(state="approved", decided_at=made.decided_at)


def test_an_answer_keeps_the_version_it_was_read_from(world: World, monday: Frozen) -> None:
    article("water", "水费怎么交", "可以在网上交。", unit=world.units["water"])
    one = world.accepted("010103")
    done = a.answer_on_the_spot(world.on(one, "operator"), public_answer="可以在网上交。", article="water")
    event = Event.objects.select_related("unit", "actor").get(pk=done.event_id)
    assert (event.data["article"], event.data["article_version"], event.data["article_title"]) == ("water", 1, "水费怎么交")
    assert "水费怎么交" in sentence(event, internal=True)
    assert "第 1 版" in sentence(event, internal=True)
    assert "water" not in sentence(event, internal=False)
    made = actions.draft(by=world.actor("water"), content=replace(LAMP, title="水费怎么交", unit="water"), code="water")
    actions.approve(by=world.actor("supervisor"), code="water", number=made.number)
    two = world.accepted("010103")
    a.answer_on_the_spot(world.on(two, "operator"), public_answer="可以在网上交。", article="water@1")
    three = world.accepted("010103")
    a.answer_on_the_spot(world.on(three, "operator"), public_answer="可以在网上交。", article="water@2")
    assert [(row.number, row.answered) for row in queries.history("water")] == [(2, 1), (1, 2)]


@pytest.mark.parametrize("named", ["nothing", "water@9", "water@", "water@x", "@", "路灯"])
def test_an_article_there_is_not(world: World, monday: Frozen, named: str) -> None:
    article("water", "水费怎么交")
    case = world.accepted("010103")
    if named == "water@":
        a.answer_on_the_spot(world.on(case, "operator"), public_answer="可以在网上交。", article=named)
        return
    with pytest.raises(Invalid) as caught:
        a.answer_on_the_spot(world.on(case, "operator"), public_answer="可以在网上交。", article=named)
    assert "article" in caught.value.fields
    assert not Use.objects.exists()


def test_a_report_has_a_clock_of_working_days_and_touches_no_case(world: World, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    world.accepted()
    clocks = list(Clock.objects.order_by("pk").values())
    made = actions.report(by=world.actor("operator"), code="lamp", fault="outdated", words="电话换了")
    assert made.unit == world.units["urban"]
    assert made.due_at == datetime(2026, 11, 26, 10, 0, tzinfo=HERE), "three working days after Monday 10:00"
    assert list(Clock.objects.order_by("pk").values()) == clocks
    monday.move(days=5)
    weekend = actions.report(by=None, code="lamp", fault="wrong", words="写错了")
    assert weekend.due_at == datetime(2026, 12, 2, 17, 0, tzinfo=HERE), "what is said on Saturday begins on Monday"
    assert [one.pk for one in queries.open_reports(frozenset({world.units["urban"].pk}))] == [made.pk, weekend.pk]
    assert not queries.open_reports(frozenset({world.units["water"].pk}))


def test_nobody_s_article_is_the_hotline_s(world: World, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报")
    assert actions.report(by=None, code="lamp", fault="wrong", words="写错了").unit == world.units["hotline"]


def test_reports_that_cannot_be_taken(world: World, monday: Frozen) -> None:
    article("inside", "路灯不亮怎么报", public=False)
    with pytest.raises(NotFound):
        actions.report(by=None, code="inside", fault="wrong", words="写错了")
    with pytest.raises(NotFound):
        actions.report(by=world.actor("operator"), code="none", fault="wrong", words="写错了")
    with pytest.raises(Invalid) as caught:
        actions.report(by=world.actor("operator"), code="inside", fault="x", words=" ")
    assert set(caught.value.fields) == {"fault", "words"}
    with pytest.raises(Invalid):
        actions.report(by=world.actor("operator"), code="inside", fault="wrong", words="长" * 2001)
    article("other", "路灯不亮怎么报")
    first = actions.report(by=world.actor("operator"), code="inside", fault="wrong", words="写错了", key=b"k" * 32)
    assert actions.report(by=world.actor("operator"), code="inside", fault="wrong", words="写错了", key=b"k" * 32) == first
    for another in ({"code": "other"}, {"fault": "outdated"}, {"words": "地址不对"}):
        with pytest.raises(Conflict):
            actions.report(by=world.actor("operator"), key=b"k" * 32,
                           **{"code": "inside", "fault": "wrong", "words": "写错了"} | another)
    assert Report.objects.count() == 1


def test_answered_by_a_new_version_or_with_a_reason(world: World, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    one, two = (actions.report(by=None, code="lamp", fault="wrong", words=words) for words in ("电话不对", "看不懂"))
    by = world.actor("urban")
    with pytest.raises(Conflict):
        actions.answer_report(by=by, pk=one.pk, corrected=True)
    with pytest.raises(Invalid):
        actions.answer_report(by=by, pk=one.pk)
    with pytest.raises(NotAllowed):
        actions.answer_report(by=world.actor("water"), pk=one.pk, answer="没有错")
    with pytest.raises(NotFound):
        actions.answer_report(by=by, pk=uuid.UUID(int=1), answer="没有错")
    draft = actions.draft(by=by, content=LAMP, code="lamp")
    with pytest.raises(Conflict):
        actions.answer_report(by=by, pk=one.pk, corrected=True)
    actions.approve(by=world.actor("urban_head"), code="lamp", number=draft.number)
    actions.answer_report(by=by, pk=one.pk, corrected=True)
    actions.answer_report(by=by, pk=two.pk, answer="已经是最简单的说法。")
    assert {(r.state, r.corrected and r.corrected.number) for r in Report.objects.all()} == {("corrected", 2), ("kept", None)}
    with pytest.raises(Conflict):
        actions.answer_report(by=by, pk=two.pk, answer="再答一次")
    assert not queries.open_reports()


def test_reviews_fall_due(world: World, monday: Frozen) -> None:
    for code, days in (("late", -1), ("soon", 30), ("far", 31)):
        article(code, "路灯不亮怎么报", unit=world.units["urban"], review_by=ON + timedelta(days=days))
    mine = frozenset({world.units["urban"].pk})
    assert [one.article.code for one in queries.reviews_due(ON, mine)] == ["late", "soon"]
    assert not queries.reviews_due(ON, frozenset({world.units["water"].pk}))


def test_a_head_of_the_hotline_is_a_keeper(world: World, monday: Frozen) -> None:
    head = Staff.objects.create(username="hot_head", name="热线主任", unit=world.units["hotline"])
    RoleGrant.objects.create(staff=head, role=Role.HEAD, unit=world.units["hotline"])
    world.staff["hot_head"] = head
    made = actions.draft(by=world.actor("water"), content=replace(LAMP, unit="water"))
    assert actions.approve(by=world.actor("hot_head"), code=made.article.code, number=1).state == "approved"


def test_what_a_resident_wrote_is_emptied_in_time(world: World, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    theirs = actions.report(by=None, code="lamp", fault="wrong", words="我是王小明，电话 13812342201，路灯不归你们管")
    ours = actions.report(by=world.actor("operator"), code="lamp", fault="wrong", words="电话换了")
    waiting = actions.report(by=None, code="lamp", fault="unclear", words="看不懂")
    for one in (theirs, ours):
        actions.answer_report(by=world.actor("urban"), pk=one.pk, answer="核对过了。")
    monday.move(days=settings.LIANXIN_RETENTION_DAYS["words"])
    assert actions.forget_words(now()) == 0, "not a day too early"
    monday.move(days=1)
    assert actions.forget_words(now()) == 1
    assert actions.forget_words(now()) == 0
    said = {one.pk: one.words for one in Report.objects.all()}
    assert said == {theirs.pk: GONE, ours.pk: "电话换了", waiting.pk: "看不懂"}
