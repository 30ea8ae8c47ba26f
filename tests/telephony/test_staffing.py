"""The staffing plan: what it reads from the log, what it says when there is little, and its page."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime

from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.kernel.shares import poisson
from lianxin.telephony import staffing
from lianxin.telephony.erlang import Load, operators_for, service
from lianxin.telephony.models import Call, CallState, HalfHour
from lianxin.telephony.staffing import FEWEST_GIVEN_UP, Asked, Plan
from tests.world import World

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)  # a Monday
NINE = time(9)


def at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=get_current_timezone())


def half(day: date, clock: time, *, offered: int, answered: int = -1, abandoned: int = 0, talk: int = 150, wrap_up: int = 30,
         agents: float = 4, in_time: int = 0) -> HalfHour:
    answered = offered - abandoned if answered < 0 else answered
    return HalfHour.objects.create(
        begins_at=at(day, clock), offered=offered, answered=answered, answered_in_15=in_time, abandoned=abandoned,
        talk_seconds=talk * answered, wrap_up_seconds=wrap_up * answered, on_call_seconds=talk * answered,
        ready_seconds=max(0, round(agents * 1800) - (talk + wrap_up) * answered))


def week_of(**more: int) -> None:
    """Five working days before TODAY, twenty calls in the half-hour from nine."""
    for back in range(3, 8):
        half(TODAY - timedelta(days=back), NINE, offered=20, **more)


def made(world: World, **asked: object) -> Plan:
    return staffing.plan(world.actor("supervisor"), Asked(**asked), today=TODAY)  # type: ignore[arg-type]


def line_at(plan: Plan, clock: time = NINE) -> staffing.Line:
    return next(line for line in plan.lines if line.at == clock)


def waits(count: int, seconds: int, state: CallState) -> None:
    began = at(TODAY - timedelta(days=4), NINE)
    for number in range(count):
        over = began + timedelta(seconds=seconds)
        Call.objects.create(system_id=f"{state}-{number}", state=state, began_at=began, ended_at=over + timedelta(seconds=60),
                            answered_at=over if state == CallState.ENDED else None, line="12345")
        if state == CallState.ABANDONED:
            Call.objects.filter(system_id=f"{state}-{number}").update(ended_at=over)


def test_a_week_of_twenty_calls(world: World) -> None:
    week_of(in_time=16)
    plan = made(world)
    assert (plan.since, plan.until, plan.days, plan.offered, plan.answered) == (date(2026, 11, 16), date(2026, 11, 20), 5, 100, 100)
    assert (plan.work, plan.patience, plan.few_days) == (180.0, None, True)
    line = line_at(plan)
    assert (line.calls, line.most, line.total, line.work, line.own_work, line.few) == (20.0, 20, 100, 180.0, True, False)
    assert (line.low, line.high) == poisson(100, 5)
    load = Load(20 / 1800, 180)
    assert line.operators == operators_for(load, share=0.8, within=15) == 4
    assert service(load, 3, 15).answered_within < 0.8 <= service(load, 4, 15).answered_within
    assert line.fewest <= 4 <= line.most_operators
    assert line.scheduled == math.ceil(4 / 0.7) == 6
    assert line.present == pytest.approx(4)
    assert line.in_time == 0.8
    assert [other.operators for other in plan.lines if other.at != NINE] == [0] * 47
    assert plan.hours == 3.0


def test_what_is_asked_changes_what_is_needed(world: World) -> None:
    week_of()
    usual = line_at(made(world)).operators
    assert line_at(made(world, share=99)).operators > usual
    assert line_at(made(world, within=300)).operators < usual
    assert line_at(made(world, shrinkage=0)).scheduled == usual


def test_patience_is_read_from_all_waits_when_enough_hung_up(world: World) -> None:
    week_of()
    waits(FEWEST_GIVEN_UP - 1, 60, CallState.ABANDONED)
    assert made(world).patience is None
    patient = line_at(made(world)).operators
    Call.objects.all().delete()
    waits(FEWEST_GIVEN_UP, 60, CallState.ABANDONED)
    waits(30, 20, CallState.ENDED)
    plan = made(world)
    assert plan.given_up == FEWEST_GIVEN_UP
    assert plan.patience == pytest.approx((60 * FEWEST_GIVEN_UP + 20 * 30) / FEWEST_GIVEN_UP)
    line = line_at(plan)
    assert line.operators <= patient
    assert 0 < line.expected.gives_up < 0.2


def test_working_days_and_days_off_are_apart(world: World) -> None:
    week_of()
    half(date(2026, 11, 21), NINE, offered=2)  # a Saturday
    assert made(world).offered == 100
    rest = made(world, kind="restday")
    assert (rest.offered, rest.since) == (2, date(2026, 11, 21))


def test_days_before_the_first_call_are_not_counted_and_silent_ones_after_it_are(world: World) -> None:
    for back, offered in ((6, 6), (4, 6)):  # Tuesday and Thursday; Wednesday was silent
        half(TODAY - timedelta(days=back), NINE, offered=offered)
    plan = made(world)
    assert (plan.since, plan.days) == (date(2026, 11, 17), 4)
    assert line_at(plan).calls == 3.0


def test_too_few_calls_say_so_and_borrow_the_days_work(world: World) -> None:
    week_of()
    half(TODAY - timedelta(days=4), time(3), offered=1, talk=1000, wrap_up=0)
    night = line_at(made(world), time(3))
    assert (night.few, night.own_work) == (True, False)
    assert night.work == pytest.approx((100 * 180 + 1000) / 101)
    assert night.operators >= 1


def test_days_that_were_not_counted_yet_are_counted_now(world: World, monday: Frozen) -> None:
    began = localtime(now()).replace(hour=9, minute=5, second=0, microsecond=0)
    Call.objects.create(system_id="a", state=CallState.ENDED, began_at=began, answered_at=began + timedelta(seconds=5),
                        ended_at=began + timedelta(seconds=105), line="12345")
    plan = staffing.plan(world.actor("supervisor"), Asked(), today=began.date() + timedelta(days=1))
    assert (plan.offered, plan.answered, plan.days) == (1, 1, 1)
    assert plan.work == 100


def test_no_calls_and_none_answered(world: World) -> None:
    assert made(world) == Plan(Asked(), None, None, 0, 0, 0, 0, None, None, ())
    half(TODAY - timedelta(days=4), NINE, offered=3, answered=0, abandoned=3)
    plan = made(world)
    assert (plan.offered, plan.work, plan.lines) == (3, None, ())


def test_a_log_that_cannot_be_true_is_no_fault(world: World) -> None:
    week_of(talk=2_000_000)
    assert line_at(made(world)).operators == staffing.MOST


def test_what_cannot_be_asked_is_named(world: World) -> None:
    with pytest.raises(Invalid) as told:
        Asked(kind="holiday", weeks=0, share=100, within=0, shrinkage=61)
    assert set(told.value.fields) == {"kind", "weeks", "share", "within", "shrinkage"}


@pytest.mark.parametrize(("who", "may"), [("supervisor", True), ("leader", True), ("operator", False), ("east_supervisor", False),
                                          ("urban_head", False)])
def test_who_plans(world: World, who: str, may: bool) -> None:
    assert staffing.plans(world.actor(who)) is may
    if not may:
        with pytest.raises(NotAllowed):
            staffing.plan(world.actor(who), Asked(), today=TODAY)


def test_four_queries_however_long_the_log(world: World, django_assert_max_num_queries: object) -> None:
    made(world)  # the calendars are in memory then
    for back in range(1, 60):
        half(TODAY - timedelta(days=back), NINE, offered=5)
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        made(world, weeks=10)


# The page.

def signed_in(world: World, who: str = "supervisor") -> Client:
    client = Client()
    client.force_login(world.staff[who], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize(("who", "status"), [
    ("supervisor", 200), ("leader", 200), ("operator", 403), ("east_supervisor", 403), ("urban", 403)])
def test_who_sees_the_page(world: World, who: str, status: int) -> None:
    assert signed_in(world, who).get(reverse("desk:staffing")).status_code == status
    assert (reverse("desk:staffing") in signed_in(world, who).get(reverse("desk:home"), follow=True).content.decode()) is (status == 200)


def test_the_page_has_the_table_and_the_picture(world: World, monday: Frozen) -> None:
    for back in range(3, 8):
        half(localtime(now()).date() - timedelta(days=back), NINE, offered=20, in_time=16)
    page = signed_in(world).get(reverse("desk:staffing")).content.decode()
    assert "09:00–09:30" in page
    assert page.count('class="c-bar"') == 1
    assert "Erlang C" in page
    assert "只有 5 天的记录" in page
    english = signed_in(world).get(reverse("desk:staffing"), headers={"accept-language": "en"}).content.decode()
    assert "09:00–09:30" in english


def test_an_empty_log_says_what_to_do(world: World, monday: Frozen) -> None:
    assert "还没有" not in signed_in(world).get(reverse("desk:staffing")).content.decode()
    assert "这段时间没有来电记录" in signed_in(world).get(reverse("desk:staffing")).content.decode()


@pytest.mark.parametrize("query", ["share=100", "share=abc", "weeks=-1", "within=99999999999", "shrinkage=1.5", "kind=x", "share=８０"])
def test_what_is_typed_wrong_is_kept_and_named(world: World, query: str) -> None:
    answer = signed_in(world).get(reverse("desk:staffing") + "?" + query)
    assert answer.status_code == 422
    page = answer.content.decode()
    name, value = query.split("=")
    assert "有内容需要更正" in page
    if name != "kind":
        assert f'value="{value}" aria-invalid="true"' in page
