"""Steps of stories about the clock and the ledger: pauses, more time, supervision, one matter raised by several."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lianxin.cases import actions as a
from lianxin.cases.actions.extending import ask_extension
from lianxin.cases.actions.pausing import suspend
from lianxin.cases.engine import On
from lianxin.cases.models import Case, State
from lianxin.cases.reference import reference, today_of
from lianxin.kernel import clock
from lianxin.organisations.models import Role
from lianxin.supervision import actions as s
from lianxin.supervision import listing
from lianxin.supervision.models import Listing

if TYPE_CHECKING:
    from .seed import Play


def pause(play: Play) -> None:
    suspend(play.unit(), waits_for="outside", words="要等供电公司停电后才能施工，停电安排在下周。",
              until=clock.now() + timedelta(days=6))


def ask_for_time(play: Play) -> None:
    ask_extension(play.unit(), reason="连日下雨，路面没有干，铺不了，请延一个工作日。", minutes=420)


def urge(play: Play) -> None:
    s.urge(play.hotline(Role.SUPERVISOR), words="诉求人又来电催了，请抓紧，办好后先回个电话。")


def supervise(play: Play) -> None:
    s.supervise(play.hotline(Role.SUPERVISOR), words="请书面说明为什么没办好、谁负责、哪天办好。")


def answer_order(play: Play) -> None:
    s.answer_supervision(play.unit(), words="材料昨天到货，由维修班负责，周五前完成。")


def put_on_list(play: Play) -> None:
    """The first such case makes the matter, with a plan whose first step is done."""
    case = play.case
    if Listing.objects.exists() or case.lead_unit is None:
        return
    today = today_of(clock.now())
    unit = reference().units[case.lead_unit.pk]
    made = listing.issue(
        by=play.cast.actor(Role.SUPERVISOR), title="老小区反复停水、水压不足", unit=unit.code, leader_name="欧某",
        leader_title="分管负责人", due_on=today + timedelta(days=45), cases=[case.number],
        criteria="连续三十天没有停水。\n抽访十户，八户以上说水压够用。\n老旧管段全部更换并验收。")
    clerk = play.unit().by
    listing.plan(made.pk, by=clerk, words="先查漏，再分段换管，换管前一天张贴通知。", milestones=[
        listing.Planned("查清漏点", today + timedelta(days=7)), listing.Planned("更换东段管道", today + timedelta(days=25)),
        listing.Planned("更换西段管道并验收", today + timedelta(days=40))])
    first = made.milestones.order_by("position").first()
    if first is not None:
        listing.complete(made.pk, by=clerk, milestone=first.pk, proof="查漏报告 3 份，漏点 4 处，已标图。")


def merge(play: Play) -> None:
    """With the oldest open case of the same matter and place, if there is one."""
    mine = play.case
    found = Case.objects.filter(
        category=mine.category, area=mine.area, master__isnull=True, state__in=[State.ACCEPTED, State.DISPATCHED, State.IN_HAND],
    ).exclude(pk=mine.pk).order_by("pk").first()
    if found is not None:
        a.merge(On(found.pk, play.cast.actor(Role.DISPATCHER)), duplicates=[mine.number], reason="同一地点、同一件事。")
