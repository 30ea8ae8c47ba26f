"""Calendars from a city's file: loaded, changed, taken out of use, and a year entered the day it is published."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from lianxin.cases.actions import Intake, register
from lianxin.cases.actions.recomputing import recompute_due_times
from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import Case, Event
from lianxin.cases.rebuild import differences
from lianxin.city.faults import BadCity
from lianxin.city.load import check, load
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import Unit, WorkCalendar
from lianxin.worktime import AROUND_THE_CLOCK, Calendar
from tests.city.conftest import YUEYANG, edit
from tests.world import RESIDENT

pytestmark = pytest.mark.django_db
HERE = ZoneInfo("Asia/Shanghai")
YEAR = """published_years:
  - year: 2027
    basis: 试验用的放假安排
    holidays: [2027-01-01/2027-01-03, 2027-02-05/2027-02-11, 2027-05-01/2027-05-03, 2027-10-01/2027-10-07]
    worked: [2027-01-30]
"""


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


def registered() -> Case:
    return Case.objects.get(pk=register(intake=Intake(words="有一件事。"), by=RESIDENT).case_id)


def test_a_city_has_its_calendars(hill: Path, monday: Frozen) -> None:
    load(hill)
    assert sorted(WorkCalendar.objects.values_list("code", "name_en", "active")) == [
        ("around_the_clock", "Around the clock", True), ("hall", "Town hall", True), ("working", "Working days", True)]
    assert Unit.objects.get(code="town").calendar == "hall"
    hall = calendar_named("hall")
    assert isinstance(hall, Calendar)
    assert [str(hall.spans_on(day)[0][0]) for day in (date(2026, 12, 8), date(2026, 12, 12), date(2027, 7, 1))] == [
        "08:30:00", "09:00:00", "08:00:00"]
    assert hall.spans_on(date(2026, 12, 9)) == ()
    assert len(hall.spans_on(date(2026, 12, 2))) == 1
    assert hall.is_published(2027)
    assert calendar_named("around_the_clock") is AROUND_THE_CLOCK
    assert not calendar_named("working").is_working_day(date(2027, 2, 5))


def test_without_the_file_there_are_the_two(hill: Path, monday: Frozen) -> None:
    (hill / "calendars.yaml").unlink()
    edit(hill / "units.csv", "990201001,hall", "990201001,")
    assert check(hill) == []
    load(hill)
    assert sorted(WorkCalendar.objects.values_list("code", flat=True)) == ["around_the_clock", "working"]
    assert calendar_named("working").minutes_a_day == 420


def test_the_day_a_year_is_published(hill: Path, monday: Frozen) -> None:
    file = hill / "calendars.yaml"
    edit(file, YEAR, "")
    load(hill)
    monday.set(local("2026-12-31 16:00"))
    case = registered()
    assert (case.due_at, case.due_provisional) == (local("2027-01-05 16:00"), True)
    with file.open("a", encoding="utf-8") as out:
        out.write(YEAR.replace("2027-01-01/2027-01-03", "2027-01-01/2027-01-05"))
    loaded = load(hill)
    assert loaded.changes["calendars"].changed == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'cases.recompute_due_times' AND scheduled_at > now()")
        assert cursor.fetchone()[0] > 0
    assert recompute_due_times().cases == 1
    case.refresh_from_db()
    assert (case.due_at, case.due_provisional) == (local("2027-01-08 16:00"), False)
    assert Event.objects.filter(case=case, action="recompute_due").count() == 1
    assert differences(case.pk) == []


def test_today_and_the_days_before_cannot_be_changed(hill: Path, monday: Frozen) -> None:
    load(hill)
    file = hill / "calendars.yaml"
    before = WorkCalendar.objects.get(code="working").definition
    edit(file, "    base: legal\n  - code: hall",
         "    base: legal\n    dates:\n      - {date: 2026-11-23, spans: [], reason: 想少算一天}\n  - code: hall")
    case = registered()
    with pytest.raises(BadCity) as caught:
        load(hill)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("calendars.yaml", 2)
    assert "2026-11-23" in fault.reason
    assert WorkCalendar.objects.get(code="working").definition == before
    # The same for hours: they change from a day to come.
    edit(file, "2026-11-23", "2026-11-24")
    load(hill)
    assert recompute_due_times().cases == 1
    due = case.due_at
    case.refresh_from_db()
    assert due is not None
    assert case.due_at == local("2026-11-27 10:00") > due
    # A calendar that nothing was ever counted in may be put right.
    edit(file, "wed: [08:30-12:00]", "wed: []")
    load(hill)


def test_a_calendar_that_is_gone_goes_on_counting(hill: Path, monday: Frozen) -> None:
    load(hill)
    text = (hill / "calendars.yaml").read_text(encoding="utf-8")
    start, end = text.index("  - code: hall"), text.index("published_years")
    (hill / "calendars.yaml").write_text(text[:start] + YEAR, encoding="utf-8")
    assert [fault.reason for fault in check(hill)] == ["calendar：没有 hall"]
    edit(hill / "units.csv", "990201001,hall", "990201001,working")
    loaded = load(hill)
    assert loaded.changes["calendars"].closed == 1
    gone = WorkCalendar.objects.get(code="hall")
    assert (gone.active, gone.definition["years"][0]["year"]) == (False, 2027)
    assert calendar_named("hall").is_working_day(date(2026, 11, 28))
    assert end


def test_yueyangs_calendars(monday: Frozen) -> None:
    assert [fault for fault in check(YUEYANG) if fault.file == "calendars.yaml"] == []
