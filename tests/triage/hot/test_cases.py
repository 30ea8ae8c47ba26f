"""Hot issues of the city's own cases: what they say, that they keep their id, who sees them, and how they are taken as one."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianxin.cases import actions as a
from lianxin.cases import duplicates, policy
from lianxin.cases.engine import On
from lianxin.cases.models import Case, Event, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotFound
from lianxin.organisations.actors import Actor, Grant, Kind
from lianxin.organisations.models import Role, UnitKind
from lianxin.triage.hot import keeping, queries, taking
from lianxin.triage.hot.gathering import in_window
from lianxin.triage.hot.models import HotCase, HotIssue, HotRun, HotSurge, Trend
from lianxin.triage.hot.policy import can_see, visible_to
from tests.cases.ways import VILLAGE, take
from tests.triage.hot.letters import OTHERS, PARKING, PLANT, TEMPLATE
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


def say(words: str, *, phone: str = "", area: str = VILLAGE, title: str = "", place: str = "") -> Case:
    made = a.register(intake=a.Intake(words=words, area=area, phone=phone, title=title, place_text=place), by=RESIDENT)
    return Case.objects.get(pk=made.case_id)


def letters(group: list[tuple[str, str]], *, first: int = 0) -> list[Case]:
    """Each from another telephone."""
    return [say(detail, title=title, phone=f"1381234{first + number:04}") for number, (title, detail) in enumerate(group)]


def members(issue: HotIssue) -> set[uuid.UUID]:
    return set(HotCase.objects.filter(issue=issue).values_list("case_id", flat=True))


@pytest.fixture
def plant(world: World, monday: Frozen) -> list[Case]:
    made = letters(PLANT)
    letters(OTHERS, first=100)
    return made


def test_what_many_raise_is_an_issue_and_what_it_says(world: World, plant: list[Case]) -> None:
    letters(TEMPLATE, first=200)  # one hand's letters about three roads are three matters
    letters(PARKING[:2], first=300)  # two voices are not many
    done = keeping.work_out()
    issue = HotIssue.objects.get()
    assert (done.issues, done.found, done.gone, done.left_out) == (1, 1, 0, 0)
    assert members(issue) == {case.pk for case in plant}
    assert issue.place == "南湖春城"
    assert "搅拌站" in issue.name
    assert (issue.cases, issue.reporters, issue.anonymous, issue.voices) == (4, 4, 0, 4)
    assert issue.trend == Trend.NEW
    assert issue.days[-1] == 4
    assert issue.area == world.areas[VILLAGE]
    assert (issue.lon, issue.lat) == (113.1, 29.1)
    assert HotRun.objects.get().cases == Case.objects.count()


def test_people_are_counted_and_not_kept(world: World, monday: Frozen) -> None:
    for number, (title, detail) in enumerate(PLANT):
        say(detail, title=title, phone="" if number == 3 else "13812340000")
    assert keeping.work_out().issues == 0  # one person three times, and one who left no number: two voices
    say("南湖春城小区旁边的混凝土搅拌站又在通宵生产，噪音和灰尘太大。", title="南湖春城旁搅拌站噪音", phone="13812340001")
    keeping.work_out()
    issue = HotIssue.objects.get()
    assert (issue.cases, issue.reporters, issue.anonymous) == (5, 2, 1)
    with connection.cursor() as cursor:  # no column tells who
        cursor.execute("SELECT string_agg(t::text, ' ') FROM (SELECT * FROM hot_hotissue JOIN hot_hotcase ON issue_id = id) t")
        assert "13812340000" not in cursor.fetchone()[0]


def test_merged_cases_are_one_case_with_several_reporters(world: World, plant: list[Case]) -> None:
    a.merge(On(plant[0].pk, world.actor("dispatcher")), duplicates=[plant[1].number, plant[2].number], reason="同一个搅拌站。")
    keeping.work_out()
    issue = HotIssue.objects.get()
    assert (issue.cases, issue.voices) == (2, 4)
    assert members(issue) == {plant[0].pk, plant[3].pk}


def test_a_name_holds_no_personal_data_and_nobody_s_own_words(world: World, monday: Frozen) -> None:
    for number in range(3):
        say(f"南湖春城小区旁边的搅拌站噪音大，我叫王小明，电话13800138000，车牌湘F12345，{number}号机器。",
            title="南湖春城搅拌站噪音13800138000", phone=f"1381234000{number}")
    keeping.work_out()
    issue = HotIssue.objects.get()
    for personal in ("138001", "王小明", "湘F"):
        assert personal not in issue.name + issue.place
    # Where three say nothing in common but were merged by hand, it is called after where they are.
    odd = [say(words, phone=f"1391234000{number}") for number, words in enumerate(("甲乙丙丁戊己", "子丑寅卯辰巳", "天地玄黄宇宙"))]
    a.merge(On(odd[0].pk, world.actor("dispatcher")), duplicates=[odd[1].number, odd[2].number], reason="看过，是同一件。")
    keeping.work_out()
    issue = HotIssue.objects.get(members__case=odd[0].pk)
    assert (issue.cases, issue.voices) == (1, 3)
    assert issue.name == "花园社区"


@pytest.mark.parametrize("anew", [False, True])
def test_an_issue_that_keeps_most_of_its_cases_keeps_its_id(world: World, plant: list[Case], monday: Frozen, anew: bool) -> None:
    keeping.work_out()
    issue = HotIssue.objects.get()
    monday.move(days=3)
    say("南湖春城小区东边搅拌站灰尘噪音一直没有解决，晚上睡不着。", title="南湖春城搅拌站噪音灰尘", phone="13812349999")
    letters(PARKING, first=300)
    done = keeping.work_out(anew=anew)
    assert (done.found, done.gone) == (1, 0)
    again = HotIssue.objects.get(pk=issue.pk)
    assert (again.cases, again.found_at) == (5, issue.found_at)
    # Nothing new: nothing changes.
    before = sorted(HotCase.objects.values_list("case_id", "issue_id"))
    done = keeping.work_out(anew=anew)
    assert (done.found, done.gone) == (0, 0)
    assert sorted(HotCase.objects.values_list("case_id", "issue_id")) == before


def test_cases_that_left_the_window_stay_and_the_issue_ends(world: World, plant: list[Case], monday: Frozen) -> None:
    keeping.work_out()
    issue = HotIssue.objects.get()
    monday.move(days=20)
    keeping.work_out()
    issue.refresh_from_db()
    assert issue.trend == Trend.FALLING
    monday.move(days=50)
    keeping.work_out()
    issue.refresh_from_db()
    assert (issue.trend, issue.cases) == (Trend.OVER, 4)
    assert queries.issues_for(world.actor("dispatcher")).rows == []
    assert queries.issues_for(world.actor("dispatcher"), trends=(Trend.OVER,)).rows == [issue]
    monday.move(days=366)
    assert keeping.work_out().gone == 1
    assert not HotCase.objects.exists()


def test_a_declined_case_and_one_found_different_count_no_more(world: World, plant: list[Case]) -> None:
    for other in plant[:3]:
        duplicates.set_apart(world.actor("dispatcher"), plant[3].pk, other.pk)
    keeping.work_out(anew=True)
    assert members(HotIssue.objects.get()) == {case.pk for case in plant[:3]}
    take(world, plant[0].pk, "decline")
    done = keeping.work_out(anew=True)
    assert (done.issues, done.gone) == (0, 1)


def test_more_cases_than_are_compared(world: World, plant: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lianxin.triage.hot.gathering.MOST", 6)
    messages, _heads, left_out = in_window(Case.objects.earliest("registered_at").registered_at - timedelta(days=1))
    assert (len(messages), left_out) == (6, 3)
    keeping.work_out()
    assert HotRun.objects.get().left_out == 3


def test_two_at_once_are_told(world: World, plant: list[Case]) -> None:
    given = connection.settings_dict
    said = {"dbname": given["NAME"], "user": given["USER"], "password": given["PASSWORD"], "host": given["HOST"], "port": given["PORT"]}
    with psycopg.connect(**{name: value for name, value in said.items() if value}) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('triage.hot', 0))")
        with pytest.raises(Conflict):
            keeping.work_out()
        other.execute("SELECT pg_advisory_unlock(hashtextextended('triage.hot', 0))")  # a closed session lets go a moment later
    assert keeping.work_out().issues == 1


def test_surges_are_counted_by_county_and_branch(world: World, monday: Frozen) -> None:
    keeping.work_out()
    assert not HotSurge.objects.exists()
    monday.move(days=-100)
    for _day in range(100):
        monday.move(days=1)
        if _day % 9 == 0:
            say("路灯坏了。")
    Case.objects.update(category=world.categories["010101"])
    keeping.work_out()
    assert not HotSurge.objects.exists()
    for number in range(12):
        say("路灯全黑。", phone=f"138123400{number:02}")
    Case.objects.update(category=world.categories["010101"])
    keeping.work_out()
    surge = HotSurge.objects.get()
    assert (surge.county, surge.count) == (world.areas["990101"], 13)  # the twelve, and one as usual
    assert surge.category.code == "0101"
    assert surge.expected < 2
    assert queries.surges_for(world.actor("supervisor")) == [surge]
    assert queries.surges_for(world.actor("east")) == ([surge] if policy.scope_of(world.actor("east")).county_ids else [])
    assert queries.surges_for(world.actor("west")) == []
    assert queries.surges_for(world.actor("operator")) == []


def test_the_command_says_what_it_found(world: World, plant: list[Case]) -> None:
    out = StringIO()
    call_command("triage", "hot", "--cases", "--days", "30", stdout=out)
    assert "南湖春城" in out.getvalue()
    out = StringIO()
    call_command("triage", "hot", "--cases", "--json", "--anew", stdout=out)
    assert '"cases": 4' in out.getvalue()


ROLES = st.sampled_from([
    Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.HEAD, Role.CLERK, Role.GRID_WORKER, Role.REVIEWER])


@st.composite
def actors(draw: st.DrawFn, units: list[int], counties: list[int]) -> Actor:
    grants = draw(st.lists(st.builds(
        Grant, role=ROLES, unit_id=st.sampled_from(units), unit_kind=st.sampled_from(list(UnitKind)),
        county_id=st.one_of(st.none(), st.sampled_from(counties)), area_id=st.one_of(st.none(), st.sampled_from(counties))), max_size=3))
    return Actor(kind=Kind.STAFF, staff_id=1, grants=tuple(grants))


def test_the_list_and_the_single_issue_agree(world: World, plant: list[Case]) -> None:
    take(world, plant[0].pk, "accept")
    letters(PARKING, first=300)
    Case.objects.filter(title__in=[title for title, _detail in PARKING]).update(county=world.areas["990102"])
    keeping.work_out()
    assert HotIssue.objects.count() == 2
    held = {issue.pk: list(Case.objects.filter(pk__in=members(issue))) for issue in HotIssue.objects.all()}
    units, counties = [unit.pk for unit in world.units.values()], [world.areas["990101"].pk, world.areas["990102"].pk]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(actors(units, counties))
    def agree(actor: Actor) -> None:
        listed = set(HotIssue.objects.filter(visible_to(actor)).values_list("pk", flat=True))
        assert listed == {issue for issue, cases in held.items() if can_see(actor, cases)}
        for issue in held:
            if issue in listed:
                assert queries.access_issue(actor, issue).pk == issue
            else:
                with pytest.raises(NotFound):
                    queries.access_issue(actor, issue)

    agree()
    west = world.actor("west")
    assert [issue.place for issue in queries.issues_for(west).rows] == ["洞庭明珠"]


def test_pages_go_on_where_they_ended(world: World, plant: list[Case]) -> None:
    letters(PARKING, first=300)
    keeping.work_out()
    dispatcher = world.actor("dispatcher")
    first = queries.issues_for(dispatcher, limit=1)
    second = queries.issues_for(dispatcher, limit=1, after=first.after)
    assert [first.rows[0].voices, second.rows[0].voices, second.after] == [4, 3, ""]
    for wrong in ("x", "W10", "WyJ4IiwieSJd"):
        with pytest.raises(Invalid):
            queries.issues_for(dispatcher, after=wrong)


def test_taken_as_one_and_what_was_refused(world: World, plant: list[Case]) -> None:
    keeping.work_out()
    issue = HotIssue.objects.get()
    dispatcher = world.actor("dispatcher")
    take(world, plant[3].pk, "decline")
    master = taking.master_of(dispatcher, issue)
    assert master == plant[0]
    with pytest.raises(Invalid):
        taking.take_as_one(dispatcher, issue.pk, master_id=plant[0].pk, cases=set(), reason="同一个搅拌站。")
    with pytest.raises(Invalid):
        taking.take_as_one(dispatcher, issue.pk, master_id=plant[0].pk, cases={plant[3].pk}, reason="同一个搅拌站。")
    with pytest.raises(Invalid):
        taking.take_as_one(dispatcher, issue.pk, master_id=plant[0].pk, cases={plant[1].pk}, reason=" ")
    with pytest.raises(Conflict):
        taking.take_as_one(dispatcher, issue.pk, master_id=plant[1].pk, cases={plant[0].pk}, reason="同一个搅拌站。")
    assert not Case.objects.filter(state=State.MERGED).exists()
    done = taking.take_as_one(dispatcher, issue.pk, master_id=plant[0].pk, cases={case.pk for case in plant[1:]}, reason="同一个搅拌站。")
    assert done.merged == (plant[1].number, plant[2].number)
    assert [plant[3].number in why for why in done.refused] == [True]
    assert Event.objects.filter(action="join_master").count() == 2
    assert Event.objects.get(action="merge").data["duplicates"] == list(done.merged)
    issue.refresh_from_db()
    assert (issue.cases, issue.voices) == (1, 3)  # the declined one counts no more
    with pytest.raises(Conflict):
        taking.take_as_one(dispatcher, issue.pk, master_id=plant[0].pk, cases={plant[1].pk}, reason="同一个搅拌站。")
    keeping.work_out()
    assert members(HotIssue.objects.get(pk=issue.pk)) == {plant[0].pk}


def test_the_database_holds_what_an_issue_is(world: World, plant: list[Case]) -> None:
    keeping.work_out()
    for broken in ({"trend": "x"}, {"name": ""}, {"cases": 0}, {"voices": 9}, {"days": [1]}, {"lon": None}, {"lat": 91.0},
                   {"first_at": plant[0].registered_at + timedelta(days=1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            HotIssue.objects.update(**broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        HotRun.objects.update(id=2)
