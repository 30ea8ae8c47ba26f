"""Which calendar counts: a unit's duties in its own, what a reporter was promised in the limit's, both from memory."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from lianxin.cases import actions as a
from lianxin.cases import reference
from lianxin.cases.calendars import of_duty
from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import Case, Clock, DutyLimit, TimeLimit
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import Unit, WorkCalendar
from lianxin.worktime import AROUND_THE_CLOCK, WHOLE_DAY
from tests.cases.ways import take
from tests.world import EPOCH, World

pytestmark = pytest.mark.django_db
HERE = ZoneInfo("Asia/Shanghai")
SATURDAYS = {"base": "legal", "week": {"sat": [["09:00", "12:00"]], "wed": [["09:00", "12:00"]]}}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


def works(world: World, unit: str, calendar: str) -> None:
    Unit.objects.filter(code=unit).update(calendar=calendar)
    reference.forget()


def saturdays() -> None:
    WorkCalendar.objects.create(code="saturdays", name="周六上午也上班", definition=SATURDAYS)
    reference.forget()


def dispatched(world: World, *assisting: str, urgency: str | None = None) -> uuid.UUID:
    case_id = a.register(intake=a.Intake(words="有一件事。", category="010105", kind="help", urgency=urgency, accept=True),
                         by=world.actor("operator")).case_id
    take(world, case_id, "dispatch", assisting_units=list(assisting))
    return case_id


def due(case_id: uuid.UUID, kind: str, unit: str = "") -> tuple[str, datetime]:
    clock = Clock.objects.filter(case=case_id, kind=kind, **({"assignment__unit__code": unit} if unit else
                                                             {"assignment__isnull": True})).latest("started_at", "id")
    return clock.calendar, clock.due_at.astimezone(HERE)


def test_a_desk_that_never_closes_has_minutes_where_an_office_has_working_minutes(world: World, monday: Frozen) -> None:
    monday.set(local("2026-11-27 16:30"))  # Friday
    works(world, "urban", "around_the_clock")
    case_id = dispatched(world, "water")
    assert due(case_id, "sign_for", "urban") == ("around_the_clock", local("2026-11-27 20:30"))
    assert due(case_id, "sign_for", "water") == ("working", local("2026-11-30 13:30"))
    # What the reporter was told is the same whoever has the case.
    assert due(case_id, "resolve") == ("working", local("2026-12-02 16:30"))
    assert due(case_id, "first_contact") == ("working", local("2026-11-30 16:30"))
    take(world, case_id, "redispatch", lead_unit="housing", assisting_units=[])
    assert due(case_id, "sign_for", "housing") == ("working", local("2026-11-30 13:30"))
    assert due(case_id, "resolve") == ("working", local("2026-12-02 16:30"))
    assert differences(case_id) == []


def test_local_half_days_count_for_the_unit_that_has_them(world: World, monday: Frozen) -> None:
    monday.set(local("2026-11-27 16:30"))
    saturdays()
    works(world, "urban", "saturdays")
    works(world, "west", "saturdays")
    case_id = dispatched(world, "west")
    assert due(case_id, "sign_for", "urban") == ("saturdays", local("2026-11-30 09:30"))  # 30, 180 and 30 minutes
    assert due(case_id, "resolve", "west") == ("saturdays", local("2026-12-03 09:30")), "its opinion is owed to the hotline"
    assert due(case_id, "resolve") == ("working", local("2026-12-02 16:30"))
    take(world, case_id, "raise_return")
    monday.move(days=3)
    take(world, case_id, "reject_return")
    assert due(case_id, "sign_for", "urban")[0] == "saturdays"
    assert differences(case_id) == []


def test_what_is_urgent_is_urgent_for_every_unit(world: World, monday: Frozen) -> None:
    monday.set(local("2026-11-28 02:00"))
    saturdays()
    works(world, "urban", "saturdays")
    case_id = dispatched(world, urgency="urgent")
    assert due(case_id, "sign_for", "urban") == ("around_the_clock", local("2026-11-28 02:30"))
    assert [of_duty(*pair) for pair in (("working", "saturdays"), ("around_the_clock", "saturdays"), ("saturdays", "working"))
            ] == ["saturdays", "around_the_clock", "saturdays"]


def test_a_limit_in_a_calendar_of_the_citys_own(world: World, monday: Frozen) -> None:
    saturdays()
    TimeLimit.objects.create(category=world.categories["010105"], calendar="saturdays", sign_for=60, first_contact=120,
                             resolve=1260, valid_from=EPOCH)
    reference.forget()
    monday.set(local("2026-11-27 16:30"))
    case_id = dispatched(world)
    assert due(case_id, "resolve") == ("saturdays", local("2026-12-03 09:30"))  # 30, 180, 420, 420, 180 and 30
    assert Case.objects.get(pk=case_id).due_at == local("2026-12-03 09:30")


def test_memory_answers_and_a_calendar_loaded_elsewhere_is_found(world: World, django_assert_num_queries: object) -> None:
    assert calendar_named("around_the_clock") is AROUND_THE_CLOCK
    reference.reference()
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert calendar_named("working").minutes_a_day == 420
    # Another process loads it while this one holds its picture.
    WorkCalendar.objects.create(code="saturdays", name="周六上午也上班", definition=SATURDAYS)
    assert calendar_named("saturdays").is_working(local("2026-11-28 10:00"))
    with pytest.raises(KeyError):
        calendar_named("lunar")


def test_a_city_gives_working_hours_of_its_own(world: World, monday: Frozen) -> None:
    WorkCalendar.objects.create(code="working", name="工作日", definition={
        "base": "legal", "day": [["08:30", "12:00"], ["14:30", "17:30"]]})
    reference.forget()
    case_id = dispatched(world)
    assert due(case_id, "sign_for", "urban") == ("working", local("2026-11-23 16:30"))
    WorkCalendar.objects.create(code="around_the_clock", name="全天候", definition={"base": "around_the_clock"})
    reference.forget()
    assert calendar_named("around_the_clock").spans_on(monday.move().date()) == WHOLE_DAY


def refused(sql: str, code: str) -> str:
    """The name of the rule that refuses a statement; an empty string when none does."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [code])
            if cursor.rowcount == 0:
                return "nothing to try"
    except DatabaseError as error:
        cause = error.__cause__
        return (cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None) or str(error)
    return ""


@pytest.mark.parametrize(("table", "constraint"), [
    ("organisations_unit", "unit_calendar_known"), ("cases_clock", "clock_calendar_known"),
    ("cases_timelimit", "time_limit_calendar_known"), ("cases_dutylimit", "duty_limit_calendar_known")])
def test_no_row_names_a_calendar_that_is_not_there(world: World, monday: Frozen, table: str, constraint: str) -> None:
    saturdays()
    dispatched(world)
    DutyLimit.objects.create(duty="ruling", minutes=60, valid_from=EPOCH)
    for code, broken in (("working", ""), ("around_the_clock", ""), ("saturdays", ""), ("lunar", constraint), ("", constraint)):
        assert refused(f"UPDATE {table} SET calendar = %s", code) == broken, code


def test_a_calendar_stays_and_keeps_its_code(world: World) -> None:
    saturdays()
    for sql in ("DELETE FROM organisations_workcalendar", "UPDATE organisations_workcalendar SET code = 'other'"):
        with pytest.raises(DatabaseError, match="calendar stays"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    WorkCalendar.objects.update(name="改名", active=False)
