"""Whoever answers for an article is told what is said against it: at once, when the answer is nearly due, and when it is late."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from lianxin.cases.clocks import calendar_named
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import NotFound
from lianxin.knowledge import actions, notices
from lianxin.knowledge.models import Moment, Notice, Report
from lianxin.knowledge.tasks import tell_due
from tests.desk.conftest import SignIn, as_  # noqa: F401  the fixture
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db


def said(world: World, code: str = "lamp", unit: str | None = "urban") -> Report:
    article(code, "路灯不亮怎么报", unit=world.units[unit] if unit else None)
    return actions.report(by=world.actor("operator"), code=code, fault="outdated", words="电话换了。")


def moments(world: World, name: str) -> list[str]:
    return [one.moment for one in notices.inbox(world.actor(name), unseen=True)]


def test_the_owner_is_told_at_once_and_nobody_else(world: World, monday: Frozen) -> None:
    said(world)
    for name in ("urban", "urban2", "urban_head"):
        assert moments(world, name) == ["reported"], name
    for name in ("housing", "operator", "dispatcher", "supervisor", "leader", "grid", "admin"):
        assert moments(world, name) == [], name
    with pytest.raises(NotFound):
        notices.open_notice(world.actor("housing"), Notice.objects.get().pk)


def test_each_moment_is_said_once(world: World, monday: Frozen) -> None:
    report = said(world)
    tell_due(0)
    assert moments(world, "urban") == ["reported"]
    monday.set(notices.reminded_at(report) - timedelta(minutes=1))
    tell_due(0)
    assert moments(world, "urban") == ["reported"]
    monday.move(minutes=1)
    for _again in range(2):
        tell_due(0)
    assert moments(world, "urban") == ["reminder", "reported"]
    assert moments(world, "supervisor") == []
    monday.set(report.due_at)
    for _again in range(2):
        tell_due(0)
    assert moments(world, "urban") == ["overdue", "reminder", "reported"]
    assert moments(world, "supervisor") == ["overdue"], "that it is late, who answers for the whole hears as well"
    assert notices.unseen_count(world.actor("urban"), most=2) == 2


def test_a_reminder_that_comes_too_late_is_left_out(world: World, monday: Frozen) -> None:
    report = said(world)
    monday.set(report.due_at + timedelta(hours=1))
    tell_due(0)
    assert moments(world, "urban") == ["overdue", "reported"]


def test_a_fifth_of_the_working_time_is_left(world: World, monday: Frozen) -> None:
    report = said(world)
    calendar = calendar_named(report.calendar)
    whole = calendar.between(report.reported_at, report.due_at)
    assert calendar.between(notices.reminded_at(report), report.due_at) == whole // 5


def test_what_was_answered_waits_no_more_and_is_not_told_of(world: World, monday: Frozen) -> None:
    report = said(world)
    actions.answer_report(by=world.actor("urban"), pk=report.pk, answer="电话没有换，已核实。")
    assert moments(world, "urban") == []
    monday.set(report.due_at + timedelta(hours=1))
    tell_due(0)
    assert [one.moment for one in notices.inbox(world.actor("urban"))] == ["reported"]


def test_of_an_article_of_nobody_the_hotline_is_told(world: World, monday: Frozen) -> None:
    said(world, unit=None)
    assert moments(world, "supervisor") == ["reported"]
    assert moments(world, "urban") == []


def test_the_same_report_twice_tells_once(world: World, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    for _again in range(2):
        actions.report(by=None, code="lamp", fault="wrong", words="不对。", key=b"k" * 32)
    assert Notice.objects.count() == 1


def test_at_the_desk_it_is_counted_listed_and_opened(world: World, as_: SignIn, monday: Frozen) -> None:  # noqa: F811
    report = said(world)
    clerk = as_("urban")
    assert "1<span" in clerk.get(reverse("desk:notice_count")).content.decode()
    page = clerk.get(reverse("desk:notices")).content.decode()
    assert "路灯不亮怎么报" in page
    assert "过时了" in page
    one = Notice.objects.get()
    address = reverse("desk:open_article_notice", args=[one.pk])
    assert address in page
    assert as_("housing").get(address).status_code == 404
    assert clerk.get(reverse("desk:open_article_notice", args=[uuid.uuid4()])).status_code == 404
    answer = clerk.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("desk:article", args=["lamp"]))
    one.refresh_from_db()
    assert one.seen_by_id == world.staff["urban"].pk
    as_("urban_head").get(address)
    one.refresh_from_db()
    assert one.seen_by_id == world.staff["urban"].pk, "who was first stays written down"
    assert clerk.get(reverse("desk:notice_count")).content.decode().strip() == ""
    assert "路灯不亮怎么报" not in clerk.get(reverse("desk:notices")).content.decode()
    assert "看过" in clerk.get(reverse("desk:notices"), {"all": "1"}).content.decode()
    monday.set(report.due_at)
    tell_due(0)
    clerk.post(reverse("desk:open_notices"))
    assert moments(world, "urban") == []


@pytest.mark.parametrize("broken", [{"moment": "sometime"}, {"moment": "reported"}, {"moment": "overdue", "seen": True}])
def test_the_database_holds_it(world: World, monday: Frozen, broken: dict[str, object]) -> None:
    report, broken = said(world), dict(broken)
    seen = {"seen_at": now()} if broken.pop("seen", False) else {}
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(report=report, unit=report.unit, at=now(), **seen, **broken)
    assert Moment.REPORTED in moments(world, "urban")
